//! A picture of every scene at the three sizes: text, cursor, and runs of style. New pictures:
//! `INSTA_UPDATE=always cargo test --test journeys`; look at them before they are kept.

use std::{collections::BTreeSet, fs, path::Path};

use patdeck::{
    config::{Glyphs, ThemeName},
    tui::theme::Theme,
};

use super::{
    journey::Journey,
    picture,
    scenes::{SCENES, Scene},
};

const SIZES: [(u16, u16); 3] = [(120, 40), (80, 24), (60, 16)];

fn name(scene: &Scene, (width, height): (u16, u16)) -> String {
    format!("{}-{}-{width}x{height}", scene.screen, scene.state)
}

/// The name of the list in `theme`.
fn themed(theme: ThemeName) -> String {
    format!("theme-{}", theme.as_str())
}

/// Compares the screen of `it` with the picture of this name.
fn compare(name: &str, it: &mut Journey) {
    let cursor = it.cursor();
    let picture = picture::whole(&it.event_loop.display.drawn, cursor);
    insta::with_settings!({
        snapshot_path => "snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, picture);
    });
}

/// Compares the scenes of these screens with their pictures.
fn compared(screens: &[&str]) {
    for scene in SCENES.iter().filter(|s| screens.contains(&s.screen)) {
        for (width, height) in SIZES {
            compare(&name(scene, (width, height)), &mut scene.played(width, height));
        }
    }
}

/// In each theme, the one scene that has every status beside a dialog that destroys.
#[test]
fn each_theme_looks_as_pictured() {
    let scene = SCENES.iter().find(|s| (s.screen, s.state) == ("revoke", "themes")).unwrap();
    for name in ThemeName::ALL {
        let theme = Theme::new(name, Glyphs::Unicode);
        compare(&themed(name), &mut scene.played_in(theme, 80, 24));
    }
}

#[test]
fn the_list_looks_as_pictured() {
    compared(&["list"]);
}

#[test]
fn the_create_form_looks_as_pictured() {
    compared(&["create", "draft", "preset"]);
}

#[test]
fn the_detail_looks_as_pictured() {
    compared(&["detail"]);
}

#[test]
fn the_trail_and_the_help_look_as_pictured() {
    compared(&["audit", "help", "palette", "messages"]);
}

#[test]
fn what_changes_many_looks_as_pictured() {
    compared(&["bulk"]);
}

#[test]
fn what_destroys_looks_as_pictured() {
    compared(&["revoke", "regenerate", "delete", "delete-all", "end-old"]);
}

#[test]
fn what_changes_a_token_looks_as_pictured() {
    compared(&["edit", "add-scope", "drop-scope", "drop-all", "test"]);
}

#[test]
fn a_new_secret_looks_as_pictured() {
    compared(&["secret", "write"]);
}

#[test]
fn no_picture_is_of_a_scene_that_is_gone() {
    let wanted: BTreeSet<String> = SCENES
        .iter()
        .flat_map(|scene| SIZES.map(|size| name(scene, size)))
        .chain(ThemeName::ALL.map(themed))
        .map(|name| format!("{name}.snap"))
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journeys/snapshots");
    let found: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|e| e == "snap"))
        .collect();
    let stale: Vec<_> = found.difference(&wanted).collect();
    assert!(stale.is_empty(), "delete {stale:?}");
}
