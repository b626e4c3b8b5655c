//! Compares every scene at three sizes with its snapshot: text, cursor and styles.
//! `INSTA_UPDATE=always cargo test --test journeys` updates the snapshots; review them before a
//! commit.

use std::{collections::BTreeSet, fs, path::Path};

use patdeck::{
    config::{GlyphSet, ThemeName},
    tui::theme::Theme,
};

use super::{
    journey::Journey,
    scenes::{SCENES, Scene},
    screen_text,
};

const SIZES: [(u16, u16); 3] = [(120, 40), (80, 24), (60, 16)];

fn snapshot_name(scene: &Scene, (width, height): (u16, u16)) -> String {
    format!("{}-{}-{width}x{height}", scene.screen, scene.state)
}

/// Snapshot name of a theme.
fn theme_snapshot_name(theme: ThemeName) -> String {
    format!("theme-{}", theme.as_str())
}

/// Compares the screen of `it` with the snapshot of this name.
fn compare(name: &str, it: &mut Journey) {
    let cursor = it.cursor();
    let screen = screen_text::text_with_styles(&it.event_loop.display.last_frame, cursor);
    insta::with_settings!({
        snapshot_path => "snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, screen);
    });
}

/// Compares all scenes of these screens with their snapshots.
fn compare_screens(screens: &[&str]) {
    for scene in SCENES.iter().filter(|s| screens.contains(&s.screen)) {
        for (width, height) in SIZES {
            compare(&snapshot_name(scene, (width, height)), &mut scene.open(width, height));
        }
    }
}

/// Uses one scene that shows every status and a destructive dialog.
#[test]
fn each_theme_matches_its_snapshot() {
    let scene = SCENES.iter().find(|s| (s.screen, s.state) == ("revoke", "themes")).unwrap();
    for name in ThemeName::ALL {
        let theme = Theme::new(name, GlyphSet::Unicode);
        compare(&theme_snapshot_name(name), &mut scene.open_with_theme(theme, 80, 24));
    }
}

#[test]
fn the_list_matches_its_snapshots() {
    compare_screens(&["list"]);
}

#[test]
fn the_create_form_matches_its_snapshots() {
    compare_screens(&["create", "draft", "preset"]);
}

#[test]
fn the_detail_matches_its_snapshots() {
    compare_screens(&["detail"]);
}

#[test]
fn the_trail_and_the_menus_match_their_snapshots() {
    compare_screens(&["audit", "overview", "help", "palette", "messages"]);
}

#[test]
fn the_bulk_dialogs_match_their_snapshots() {
    compare_screens(&["bulk"]);
}

#[test]
fn the_destructive_dialogs_match_their_snapshots() {
    compare_screens(&["revoke", "regenerate", "delete", "delete-all", "end-old"]);
}

#[test]
fn the_edit_dialogs_match_their_snapshots() {
    compare_screens(&["edit", "add-scope", "drop-scope", "drop-all", "test"]);
}

#[test]
fn the_secret_dialogs_match_their_snapshots() {
    compare_screens(&["secret", "write"]);
}

#[test]
fn every_snapshot_has_a_scene() {
    let wanted: BTreeSet<String> = SCENES
        .iter()
        .flat_map(|scene| SIZES.map(|size| snapshot_name(scene, size)))
        .chain(ThemeName::ALL.map(theme_snapshot_name))
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
