//! The trail: everything that was done, newest first, chained and filtered.

use patdeck::{
    config::{Glyphs, ThemeName},
    tui::theme::Theme,
};

use super::{fixture::Fixture, journey::Journey};

/// The lines of events on the screen, each from its kind on.
fn events(it: &Journey) -> Vec<String> {
    let screen = it.screen();
    let lines = screen.lines().skip_while(|line| !line.contains("Who and how"));
    lines
        .skip(1)
        .filter(|line| line.contains("ago ") || line.contains("just now"))
        .map(|line| line[13..].split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn everything_that_was_done_is_listed_newest_first_with_the_chain_verified() {
    let mut it = Journey::at(120, 24);
    it.keys("n ci <C-s> y <Esc> a u <Tab> <Tab> r <Space> <C-s>");
    it.keys("d <Right> <Enter> e x <C-s> r <Right> <Enter> R <Enter> <Right> <Enter> a");
    it.keys("D cix <Enter> u 4").sees("chain verified, 10 events");
    assert_eq!(
        events(&it),
        [
            "restored cix alice",
            "deleted cix alice was active, can be brought back for 24 hours",
            "claimed cix alice said to be saved",
            "regenerated cix alice was revoked, until 2026-12-24 12:00 UTC",
            "revoked cix alice was active",
            "edited cix alice name was ci",
            "scope removed ci alice users:*:read",
            "scope added ci alice users:*:read",
            "claimed ci alice sent to the clipboard",
            "created ci alice until 2026-12-24 12:00 UTC, 0 scopes",
        ]
    );
}

#[test]
fn the_trail_is_filtered_by_token_kind_and_actor() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.second_on_same_store().keys("n bobs <C-s> a");
    it.keys("4").sees("chain verified, 11 events");
    it.keys("f").sees("[token bobs]");
    assert_eq!(events(&it).len(), 2);
    it.keys("a").sees("[token bobs, claimed]");
    assert_eq!(events(&it).len(), 1);
    it.keys("f a w").sees("[by bob]");
    assert_eq!(events(&it).len(), 2);
    it.keys("<Esc>").never_sees("[by bob]");
    assert_eq!(events(&it).len(), 11);
    it.keys("<Esc>").sees("[Active 3]");
}

#[test]
fn the_token_of_an_event_is_opened_or_said_to_be_gone() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("4 <Enter>").sees("Scopes 0");
    it.keys("D grafana <Enter> 4 <Enter>");
    it.sees("that token is gone: only its events are left");
}

#[test]
fn a_change_made_while_the_trail_is_shown_is_listed() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("4").sees("2 events");
    let mut other = it.second_on_same_store();
    other.keys("r <Right> <Enter>");
    it.comes_to_see("chain verified, 3 events").sees("revoked");
}

#[test]
fn an_empty_trail_says_what_will_stand_there() {
    let mut it = Journey::at(80, 24);
    it.keys("4").sees("Nothing has happened yet");
}

#[test]
fn under_ascii_the_app_itself_draws_nothing_else() {
    let theme = Theme::new(ThemeName::Mono, Glyphs::Ascii);
    let scripts = [
        "",
        "f",
        "/ci",
        "?",
        "y",
        "t t",
        "2",
        "<Enter>",
        "4",
        "r",
        "R",
        "D",
        "X",
        "e",
        "a",
        "<Enter> T",
        "<Enter> X",
        "n x <C-s> s",
        "n x <C-s> w",
    ];
    for script in scripts {
        for (width, height) in [(80, 24), (120, 40), (40, 10), (20, 5)] {
            let mut it = Journey::looking(theme, Fixture::Few, width, height);
            it.keys(script);
            assert!(it.screen().is_ascii(), "{script}\n{}", it.screen());
        }
    }
}
