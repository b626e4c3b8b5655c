//! Nothing that an operator or a terminal does makes the app panic: every scene at many sizes,
//! and random keys, pastes, clicks and sizes from every scene.

use std::time::{Duration, Instant};

use patdeck::keymap::{BINDINGS, Key, Sequence};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    journey::{Journey, pressed},
    scenes::SCENES,
};

/// The largest screen that is tried.
const LARGEST: (u16, u16) = (130, 45);
/// One of how many sizes a scene is drawn at; each scene has its own.
const SPREAD: u16 = 61;
/// The storm ends after this however slow the machine is.
const ENOUGH: Duration = Duration::from_secs(4);

#[test]
fn every_scene_is_drawn_at_every_kind_of_size() {
    for (at, scene) in (0_u16..).zip(SCENES) {
        let mut it = scene.played(80, 24);
        for height in 1..=LARGEST.1 {
            for width in 1..=LARGEST.0 {
                let tiny = width < 14 && height < 10 && (width + height + at) % 3 == 0;
                if tiny || (width * 7 + height * 11 + at) % SPREAD == 0 {
                    let area = Rect::new(0, 0, width, height);
                    let cursor = it.event_loop.app.paint(area, &mut Buffer::empty(area));
                    let inside = cursor.is_none_or(|cursor| area.contains(cursor));
                    assert!(
                        inside,
                        "{}-{} at {width}x{height}: cursor {cursor:?}",
                        scene.screen, scene.state
                    );
                }
            }
        }
    }
}

/// Something that happens to the app.
#[derive(Debug, Clone)]
enum Gust {
    Key(Key),
    Paste(&'static str),
    Click(u16, u16),
    Resize(u16, u16),
}

/// Any key of the table and some text, but not the one that asks for a file to write: a storm
/// leaves nothing behind in the folder that it runs in.
fn gust() -> impl Strategy<Value = Gust> {
    let mut keys: Vec<Key> = BINDINGS
        .iter()
        .flat_map(|binding| binding.keys)
        .flat_map(|keys| keys.parse::<Sequence>().unwrap().keys().to_vec())
        .chain("xyz019*: 漢".chars().map(|c| {
            Key::new(crossterm::event::KeyCode::Char(c), crossterm::event::KeyModifiers::NONE)
        }))
        .collect();
    keys.retain(|key| key.character() != Some('w'));
    let pastes = vec!["prod\n", "two\nlines", "4", "\u{1b}[A\u{202e}é", "*"];
    prop_oneof![
        20 => prop::sample::select(keys).prop_map(Gust::Key),
        1 => prop::sample::select(pastes).prop_map(Gust::Paste),
        3 => (0..80_u16, 0..24_u16).prop_map(|(x, y)| Gust::Click(x, y)),
        1 => (1..=LARGEST.0, 1..=LARGEST.1).prop_map(|(w, h)| Gust::Resize(w, h)),
    ]
}

#[test]
fn random_keys_from_every_scene_never_make_it_panic() {
    let scenes: Vec<_> = SCENES.iter().filter(|s| s.screen != "write").collect();
    let storm = (prop::sample::select(scenes), prop::collection::vec(gust(), 60..160));
    let config =
        Config { cases: 40, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    // The same storm each time: a failure is a failure of the change at hand.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let started = Instant::now();
    let blown = TestRunner::new_with_rng(config, rng).run(&storm, |(scene, gusts)| {
        if started.elapsed() < ENOUGH {
            blows(&mut scene.played(80, 24), gusts);
        }
        Ok(())
    });
    if let Err(error) = blown {
        panic!("{error}");
    }
}

fn blows(it: &mut Journey, gusts: Vec<Gust>) {
    for gust in gusts {
        if it.event_loop.is_over() {
            return;
        }
        match gust {
            Gust::Key(key) => it.press(pressed(key)),
            Gust::Paste(text) => it.paste(text),
            // The hint of the key that is left out above.
            Gust::Click(..) if it.shows("w write") => continue,
            Gust::Click(x, y) => it.clicks_at(x, y),
            Gust::Resize(width, height) => it.resize(width, height),
        };
    }
}
