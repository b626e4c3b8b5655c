//! The audit tab: order, filters, chain verification, and links to tokens. Also ASCII mode.

use patdeck::{
    config::{GlyphSet, ThemeName},
    domain::{Actor, AuditAction, Hook, Hooks},
    service::{Entropy, HookSelection, Service},
    store::Store,
    testing::{ServiceTestExt as _, default_policy},
    tui::theme::Theme,
};

use super::{fixture::Fixture, journey::Journey};

/// The event lines on the screen, without the time column.
fn visible_events(it: &Journey) -> Vec<String> {
    let screen = it.screen();
    let lines = screen.lines().skip_while(|line| !line.contains("Who"));
    lines
        .skip(1)
        .filter_map(|line| line.split_once("ago ").or_else(|| line.split_once("just now")))
        .map(|(_, line)| {
            line.trim_end_matches(['█', '│']).split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn events_are_listed_newest_first_with_the_chain_verified() {
    let mut it = Journey::at(120, 24);
    it.keys("n ci <C-s> y <Esc> a u <Tab> <Tab> r <Space> <C-s>");
    it.keys("d <Right> <Enter> e x <C-s> r <Right> <Enter> R <Enter> <Right> <Enter> a");
    it.keys("D cix <Enter> u 4").sees("Chain verified, 10 events");
    assert_eq!(
        visible_events(&it),
        [
            "restored cix alice",
            "deleted cix alice was active, can be brought back for 24 hours",
            "secret saved cix alice marked as saved",
            "regenerated cix alice was revoked, until 24 Dec 2026 12:00 UTC",
            "revoked cix alice was active",
            "edited cix alice name was ci",
            "scope removed ci alice users:*:read",
            "scope added ci alice users:*:read",
            "secret saved ci alice sent to the clipboard",
            "created ci alice until 24 Dec 2026 12:00 UTC, 0 scopes",
        ]
    );
}

#[test]
fn the_trail_is_filtered_by_token_action_and_actor() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.second_on_same_store().keys("n bobs <C-s> a");
    it.keys("4").sees("Chain verified, 11 events");
    it.keys("f").sees("[token bobs]");
    assert_eq!(visible_events(&it).len(), 2);
    it.keys("a").sees("[created 1]").sees("1 of 11 shown");
    assert_eq!(visible_events(&it).len(), 1);
    it.keys("A").sees("[All 2]").keys("f w").sees("[by bob]");
    assert_eq!(visible_events(&it).len(), 2);
    it.keys("<Esc>").never_sees("[by bob]");
    assert_eq!(visible_events(&it).len(), 11);
    it.keys("<Esc>").waits_for("[Active 3]");
}

#[test]
fn the_chosen_kind_of_event_stays_in_sight() {
    let mut it = Journey::at(60, 16);
    it.keys("n ci <C-s> y <Esc> a u <Tab> <Tab> r <Space> <C-s>");
    it.keys("d <Right> <Enter> e x <C-s> r <Right> <Enter> R <Enter> <Right> <Enter> a");
    it.keys("D cix <Enter> u 4").sees("[All 10]").sees(" created 1");
    let mut kinds = std::collections::BTreeSet::new();
    for _ in 0..12 {
        it.keys("A");
        let screen = it.screen();
        let chips = screen.lines().find(|line| line.contains('[') && !line.contains("Overview"));
        let (_, chosen) = chips.unwrap().split_once('[').unwrap();
        kinds.insert(chosen.split_once(']').unwrap().0.to_owned());
    }
    assert!(kinds.len() >= 8 && kinds.contains("restored 1"), "{kinds:?}");
}

#[test]
fn a_search_finds_events_by_words_and_terms() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("4 /").sees("token: actor: action: since: until:");
    it.types("action:revoke").sees("1 of 9").keys("<Enter>").sees("/action:revoke");
    assert_eq!(visible_events(&it), ["revoked old-backup alice was active"]);
    it.sees("[All 1]").sees("Chain verified, 9 events, 1 of 9 shown");
    it.keys("<Esc> /").types("since:1h token:graf").keys("<Enter>").sees("2 of 9 shown");
    it.keys("/").retypes("who:x").sees("! unknown term who:x").keys("<Enter>");
    it.sees("unknown term who:x").keys("<Esc>").sees("[All 9]");
}

#[test]
fn chips_count_the_actions_and_can_be_clicked() {
    let mut it = Journey::on(Fixture::Few, 120, 24);
    it.keys("4").sees("[All 9]").sees("created 4").sees("revoked 1").sees("secret saved 4");
    it.clicks("revoked 1").sees("[revoked 1]").sees("1 of 9 shown");
    assert_eq!(visible_events(&it).len(), 1);
    it.clicks("All 9").sees("[All 9]");
}

#[test]
fn a_long_trail_has_a_scrollbar_and_a_short_one_none() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    it.keys("4").sees("█").keys("G").sees("█");
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("4").never_sees("█");
}

#[test]
fn an_event_shows_the_address_in_a_column_of_its_own() {
    let mut it = Journey::on(Fixture::One, 100, 24);
    it.keys("4").never_sees("From");
    let actor = Actor { from: Some("192.0.2.40".into()), ..Actor::named("bob") };
    let store = Store::open(&it.store.file()).unwrap();
    let clock = it.store.clock.clone();
    let service = Service::new(store, clock, Entropy::seeded(9), actor, default_policy());
    service.revoke(&it.id("ci-deploy")).unwrap();
    it.waits_for("192.0.2.40").sees("From").sees("bob");
}

#[test]
fn without_events_no_key_is_offered_for_one() {
    let mut it = Journey::at(80, 24);
    it.keys("4").never_sees("Enter open").never_sees("f token").never_sees("a action");
}

#[test]
fn opening_an_event_shows_its_token_unless_deleted() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("4 <Enter>").sees("Scopes 0");
    it.keys("D grafana <Enter> 4 <Enter>");
    it.sees("This token was deleted. Only its events remain.");
}

#[test]
fn a_concurrent_change_appears_in_the_open_trail() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("4").sees("2 events");
    let mut other = it.second_on_same_store();
    other.keys("r <Right> <Enter>");
    it.waits_for("Chain verified, 3 events").sees("revoked");
}

#[test]
fn an_empty_trail_explains_what_it_records() {
    let mut it = Journey::at(80, 24);
    it.keys("4").sees("No events yet");
}

#[test]
fn ascii_mode_draws_only_ascii() {
    let theme = Theme::new(ThemeName::Mono, GlyphSet::Ascii);
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
        "4 /",
        "5",
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
            let mut it = Journey::with_theme(theme, Fixture::Few, width, height);
            it.keys(script);
            assert!(it.screen().is_ascii(), "{script}\n{}", it.screen());
        }
    }
}

#[test]
fn the_selected_event_is_shown_in_full() {
    for (columns, lines) in [(80, 24), (60, 16), (40, 10)] {
        let mut it = Journey::on(Fixture::Few, columns, lines);
        it.keys("4 G");
        let text = super::screen_text::unwrapped(&it.screen());
        assert!(text.contains("UTC created "), "{text}");
        assert!(text.contains(" by alice: until "), "{text}");
        assert!(!text.contains("2026-"), "{text}");
    }
}

#[test]
fn a_detail_opened_from_the_trail_leads_back_to_it() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("4 j <Enter>").sees("Scopes").keys("<Esc>").sees("Chain verified");
    it.keys("<Enter> 1 <Enter> <Esc>").sees("[Active 2]");
}

#[test]
fn an_event_without_a_token_does_not_count_as_deleted() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    let command = ["/bin/true"];
    let hook = Hook::new(None, vec![AuditAction::Revoked], &command, Hook::DEFAULT_TIMEOUT);
    let service = it.store.service("ops").with_hooks(Hooks::from(vec![hook.unwrap()]));
    service.revoke(&it.id("ci-deploy")).unwrap();
    assert_eq!(service.discard_hook_runs("true").unwrap(), 1);
    it.keys("4").waits_for("discarded 1 run").keys("<Enter>");
    it.never_sees("This token was deleted");
}

#[test]
fn the_run_of_a_hook_opens_its_token() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    let command = ["/bin/true"];
    let hook = Hook::new(None, vec![AuditAction::Revoked], &command, Hook::DEFAULT_TIMEOUT);
    let service = it.store.service("ops").with_hooks(Hooks::from(vec![hook.unwrap()]));
    service.revoke(&it.id("ci-deploy")).unwrap();
    service.run_hooks(HookSelection::New);
    it.keys("4").waits_for("true after event 3").keys("<Enter>").sees("Events 4");
}
