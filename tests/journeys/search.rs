//! Search terms while typing, and the filter for tokens that expire soon.

use chrono::TimeDelta;

use super::{fixture::Fixture, journey::Journey};

/// The names of the fixture's tokens that are on the screen.
fn visible_names(it: &Journey) -> Vec<&'static str> {
    let screen = it.screen();
    let names = ["ci-deploy", "grafana", "old-backup", "sensor-gate"];
    names.into_iter().filter(|name| screen.contains(name)).collect()
}

#[test]
fn terms_filter_by_scope_use_and_time() {
    for (search, found) in [
        ("op:publish", vec!["ci-deploy"]),
        ("type:cli dep", vec!["ci-deploy"]),
        ("domain:factory", vec!["ci-deploy"]),
        ("unused", vec!["grafana"]),
        ("-unused", vec!["ci-deploy"]),
        ("idle<1h", vec!["ci-deploy"]),
        ("by:alice name:graf", vec!["grafana"]),
        ("by:bob", vec![]),
        ("owner:alice name:graf", vec!["grafana"]),
        ("-owner:alice", vec![]),
        ("-label:team name:graf", vec!["grafana"]),
        ("label:team=edge", vec![]),
        ("may:channels:c-42:subscribe", vec!["ci-deploy"]),
        ("expires<7d", vec!["grafana"]),
        ("expires<7d", vec!["grafana"]),
        ("status:expired", vec!["sensor-gate"]),
        ("status:all entity:*", vec!["ci-deploy", "sensor-gate"]),
        ("-status:active", vec!["old-backup", "sensor-gate"]),
    ] {
        let mut it = Journey::on(Fixture::Few, 80, 24);
        it.keys("/").types(search);
        assert_eq!(visible_names(&it), found, "{search}");
        it.keys("<Enter>");
        assert_eq!(visible_names(&it), found, "{search}");
    }
}

#[test]
fn an_invalid_term_is_reported_and_ignored() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("/").sees("status: op: type: label:").types("graf idle>");
    it.sees("idle> needs a duration with a unit, e.g. idle>90d");
    assert_eq!(visible_names(&it), ["grafana"]);
    it.keys("<Enter>").sees("! idle> needs a duration").types("1m").never_sees("needs a duration");
    assert_eq!(visible_names(&it), ["grafana"]);
    it.keys("<Enter>").sees("/graf idle>1m");
    it.keys("/").types(" foo:x").sees("unknown term foo:x").keys("<Esc>").never_sees("foo");
    assert_eq!(visible_names(&it), ["ci-deploy", "grafana"]);
}

#[test]
fn a_status_term_overrides_the_status_filter() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("/ status:rev <Enter>").sees("[All 1]").sees("/status:rev");
    assert_eq!(visible_names(&it), ["old-backup"]);
    it.keys("f").sees("The search already filters by status. Esc clears the search.");
    it.keys("<Esc>").sees("[Active 2]").keys("/").types("status:rev zebra");
    it.sees("No tokens match the search.").sees("Press Esc to clear the search.");
}

#[test]
fn tokens_expiring_within_a_week_have_a_filter() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.sees("Expiring 1").sees("◐ grafana").sees("in 7d");
    it.keys("E").sees("[Expiring 1]");
    assert_eq!(visible_names(&it), ["grafana"]);
    it.keys("<Esc>").sees("[Active 2]").keys("E");
    it.keys("E").sees("[Active 2]").keys("E f").sees("[Expiring 1]").keys("f").sees("[Expired 1]");
    it.keys("E F").sees("[Active 2]");
    // An empty expiring filter is hidden, unless it is selected.
    it.keys("E").clock_forward(TimeDelta::days(7));
    it.sees("[Expiring 0]")
        .sees("No token expires within 7 days.")
        .keys("f")
        .never_sees("Expiring");
}

#[test]
fn the_error_of_a_term_is_never_cut() {
    for (width, height) in [(120, 40), (80, 24), (60, 16), (40, 10)] {
        let mut it = Journey::on(Fixture::Few, width, height);
        it.keys("/").types("foo:bar");
        let text = super::screen_text::unwrapped(&it.screen());
        assert!(
            text.contains("unknown term foo:bar: put it in \"quotes\", or use status:"),
            "{text}"
        );
        assert!(text.contains("unsaved wildcard"), "{text}");
    }
}

#[test]
fn the_up_key_recalls_earlier_searches() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("/ graf <Enter> <Esc> / ci <Enter> <Esc> / <Up>").sees("/ci");
    assert_eq!(visible_names(&it), ["ci-deploy"]);
    it.keys("<Up>").sees("/graf");
    assert_eq!(visible_names(&it), ["grafana"]);
    it.keys("<Up> <Down>").sees("/ci").keys("<Enter>").sees("/ci");
}

#[test]
fn matches_are_underlined_in_the_rows() {
    use ratatui::style::Modifier;
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("F / deploy");
    let buf = &it.event_loop.display.last_frame;
    let at = super::screen_text::find(buf, "ci-deploy").unwrap();
    let is_underlined = |x: u16| buf[(at.x + x, at.y)].modifier.contains(Modifier::UNDERLINED);
    assert!(!is_underlined(0) && !is_underlined(2) && is_underlined(3) && is_underlined(8));
}

#[test]
fn the_counts_stay_while_a_search_is_typed() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    it.keys("F /").types("fleet").sees("Active 12  Expiring 2  Expired 6  Revoked 2");
    // A longer search leaves room for short labels only.
    it.types(" op:publish idle>1d type:channels").sees("Act 7").sees("Rev 1");
    it.retypes("foo:bar").sees("Revoked");
}

#[test]
fn the_expiry_key_cycles_through_7_30_and_90_days() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("E").sees("[Expiring 1]").never_sees("ci-deploy");
    it.keys("E").sees("[Active 2]").sees("/expires<30d").sees("ci-deploy");
    it.keys("E").sees("/expires<90d").keys("E").sees("[Active 2]").sees("/ search");
    // Soonest first, and as before without a window.
    it.keys("S E").sees("Expires ▲").keys("E <Esc>").sees("Name sorted by issued ▲").keys("S");
    // A search is kept.
    it.keys("/").types("ci").keys("<Enter> E E").sees("/ci expires<30d").sees("[Active 1]");
    it.keys("y c");
    let copied = it.copied_texts().pop().unwrap();
    assert!(copied.contains("--search 'ci expires<30d'"), "{copied}");
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("E E E").clicks("Expiring 1").sees("[Expiring 1]").never_sees("/expires");
    // Another status ends the window.
    it.keys("E f").sees("[Expiring 1]").never_sees("/expires");
}

#[test]
fn named_views_are_chips_that_a_key_goes_through() {
    let views = [("stale", "unused"), ("gone", "status:revoked")];
    let mut it = Journey::with_views(&views, Fixture::Few, 80, 24);
    it.sees("stale").sees("gone").keys("V").sees("[stale]").sees("/unused").sees("grafana");
    it.keys("V")
        .sees("[gone]")
        .sees("old-backup")
        .keys("V")
        .sees("[Active 2]")
        .never_sees("[gone]");
    it.clicks("gone").sees("[gone]").keys("<Esc>").never_sees("[gone]");
    // Without room for all, the key of the next view stands for the others.
    let mut it = Journey::with_views(&views, Fixture::Few, 60, 16);
    it.sees("Expiring 1").sees("V …").keys("V").sees("[stale]").keys("V").sees("[gone]");
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("V").sees("There are no views.");
}

#[test]
fn a_secret_in_the_search_finds_its_token_and_is_cut_to_the_id() {
    for is_pasted in [true, false] {
        let mut it = Journey::on(Fixture::Few, 80, 24);
        it.keys("n leaky <C-s>");
        let secret = it.secret().unwrap();
        it.keys("a 1 /");
        if is_pasted {
            it.paste(&format!("{secret}\n"));
        } else {
            // A terminal without bracketed paste sends keys.
            it.types(&secret);
        }
        let start = &secret[..16];
        it.sees(start).sees("leaky").sees("[Active 1]");
        let is_lone = visible_names(&it).is_empty();
        assert!(is_lone && !it.contains_secret(&secret), "{}", it.screen());
        it.keys("<Enter> <Esc> / <Up>").sees(start).keys("<Enter> m");
        assert!(!it.contains_secret(&secret));
        it.keys("<Esc> 4 /").paste(&secret).sees("created").sees("2 of");
        assert!(!it.contains_secret(&secret));
    }
    // The start of a secret finds the token, too, and so does an ordinary word of this form.
    let mut it = Journey::on(Fixture::Few, 80, 24);
    let id = it.id("grafana").to_string();
    it.keys("/").types(&format!("pat_{id}"));
    assert_eq!(visible_names(&it), ["grafana"]);
}

#[test]
fn an_empty_result_offers_no_deletion_of_all_tokens() {
    let mut it = Journey::on(Fixture::Few, 120, 24);
    it.keys("/ zebra <Enter>").never_sees("X delete all").keys("<Esc> : del <Space> all");
    it.sees("delete every token").never_sees("not now");
}

#[test]
fn a_word_with_an_equals_sign_names_the_term() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("/ team=edge").sees("Did you mean label:team=edge?");
    it.retypes("owner=ann").sees("Did you mean owner:ann?");
    it.retypes("owner:edge team").sees("Did you mean owner:\"edge team\"?");
    it.retypes("zebra").never_sees("Did you mean");
    it.sees("Try entity:zebra, owner:zebra or label:zebra.");
    it.retypes("name:zebra").never_sees("Try entity");
}

#[test]
fn a_line_with_a_leaked_secret_finds_its_token() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    let id = it.id("ci-deploy");
    it.keys("/").types(&format!("API=pat_{id}_9kQ2")).keys("<Enter>");
    it.sees("ci-deploy").never_sees("grafana").never_sees("9kQ2");
}
