//! No input makes the app panic: draws every scene at many sizes, and sends random keys, pastes,
//! clicks and resizes to every scene.

use std::time::{Duration, Instant};

use patdeck::keymap::{BINDINGS, Key, KeySequence};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    journey::{Journey, key_event},
    scenes::SCENES,
};

/// Largest tested screen, in columns and lines.
const MAX_SIZE: (u16, u16) = (130, 45);
/// Each scene is drawn at one of this many sizes; the selection differs between scenes.
const SIZE_SAMPLING: u16 = 61;
/// Limits the run time on slow machines.
const TIME_LIMIT: Duration = Duration::from_secs(4);

#[test]
fn every_scene_can_be_drawn_at_any_size() {
    for (at, scene) in (0_u16..).zip(SCENES) {
        let mut it = scene.open(80, 24);
        for height in 1..=MAX_SIZE.1 {
            for width in 1..=MAX_SIZE.0 {
                let tiny = width < 14 && height < 10 && (width + height + at) % 3 == 0;
                if tiny || (width * 7 + height * 11 + at) % SIZE_SAMPLING == 0 {
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

/// One random input.
#[derive(Debug, Clone)]
enum RandomInput {
    Key(Key),
    Paste(&'static str),
    Click(u16, u16),
    Resize(u16, u16),
}

/// Any bound key or some text, except `w`, which would write a file into the working directory.
fn random_input() -> impl Strategy<Value = RandomInput> {
    let mut keys: Vec<Key> = BINDINGS
        .iter()
        .flat_map(|binding| binding.keys)
        .flat_map(|keys| keys.parse::<KeySequence>().unwrap().keys().to_vec())
        .chain("xyz019*: 漢".chars().map(|c| {
            Key::new(crossterm::event::KeyCode::Char(c), crossterm::event::KeyModifiers::NONE)
        }))
        .collect();
    keys.retain(|key| key.character() != Some('w'));
    let pastes = vec!["prod\n", "two\nlines", "4", "\u{1b}[A\u{202e}é", "*"];
    prop_oneof![
        20 => prop::sample::select(keys).prop_map(RandomInput::Key),
        1 => prop::sample::select(pastes).prop_map(RandomInput::Paste),
        3 => (0..80_u16, 0..24_u16).prop_map(|(x, y)| RandomInput::Click(x, y)),
        1 => (1..=MAX_SIZE.0, 1..=MAX_SIZE.1).prop_map(|(w, h)| RandomInput::Resize(w, h)),
    ]
}

#[test]
fn random_input_never_panics() {
    let scenes: Vec<_> = SCENES.iter().filter(|s| s.screen != "write").collect();
    let strategy = (prop::sample::select(scenes), prop::collection::vec(random_input(), 60..160));
    let config =
        Config { cases: 40, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    // Deterministic: a new failure comes from the change under test, not from another seed.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let started = Instant::now();
    let result = TestRunner::new_with_rng(config, rng).run(&strategy, |(scene, inputs)| {
        if started.elapsed() < TIME_LIMIT {
            apply_inputs(&mut scene.open(80, 24), inputs);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn apply_inputs(it: &mut Journey, inputs: Vec<RandomInput>) {
    for input in inputs {
        if it.event_loop.is_over() {
            return;
        }
        match input {
            RandomInput::Key(key) => it.press(key_event(key)),
            RandomInput::Paste(text) => it.paste(text),
            // A click on the footer hint of `w` would also write a file.
            RandomInput::Click(..) if it.shows("w write") => continue,
            RandomInput::Click(x, y) => it.clicks_at(x, y),
            RandomInput::Resize(width, height) => it.resize(width, height),
        };
    }
}
