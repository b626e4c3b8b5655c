//! Finding tokens: the terms of a search as they are typed, and what expires soon.

use chrono::TimeDelta;

use super::{fixture::Fixture, journey::Journey};

/// The names of the fixture that the screen has.
fn shown(it: &Journey) -> Vec<&'static str> {
    let screen = it.screen();
    let names = ["ci-deploy", "grafana", "old-backup", "sensor-gate"];
    names.into_iter().filter(|name| screen.contains(name)).collect()
}

#[test]
fn terms_find_by_scope_use_and_time_beside_free_words() {
    for (search, found) in [
        ("op:publish", vec!["ci-deploy"]),
        ("type:cli dep", vec!["ci-deploy"]),
        ("domain:factory", vec!["ci-deploy"]),
        ("unused", vec!["grafana"]),
        ("-unused", vec!["ci-deploy"]),
        ("idle<1h", vec!["ci-deploy"]),
        ("by:alice name:graf", vec!["grafana"]),
        ("by:bob", vec![]),
        ("may:channels:c-42:subscribe", vec!["ci-deploy"]),
        ("expiring<7d", vec!["grafana"]),
        ("status:expired", vec!["sensor-gate"]),
        ("status:all entity:*", vec!["ci-deploy", "sensor-gate"]),
        ("-status:active", vec!["old-backup", "sensor-gate"]),
    ] {
        let mut it = Journey::on(Fixture::Few, 80, 24);
        it.keys("/").types(search);
        assert_eq!(shown(&it), found, "{search}");
        it.keys("<Enter>");
        assert_eq!(shown(&it), found, "{search}");
    }
}

#[test]
fn what_cannot_be_read_is_told_beside_the_field_and_the_rest_counts() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("/").sees("status: type: op:").types("graf idle>");
    it.sees("idle> wants a time, as idle>90d");
    assert_eq!(shown(&it), ["grafana"]);
    it.keys("<Enter>").sees("! idle> wants a time").types("1m").never_sees("wants a time");
    assert_eq!(shown(&it), ["grafana"]);
    it.keys("<Enter>").sees("/graf idle>1m");
    it.keys("/").types(" foo:x").sees("foo:x is no term").keys("<Esc>").never_sees("foo");
    assert_eq!(shown(&it), ["ci-deploy", "grafana"]);
}

#[test]
fn a_search_that_names_a_status_decides_in_place_of_the_chip() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("/ status:rev <Enter>").sees("[All 1]").sees("/status:rev");
    assert_eq!(shown(&it), ["old-backup"]);
    it.keys("f").sees("the search says which statuses are shown: Esc clears it");
    it.keys("<Esc>").sees("[Active 2]").keys("/").types("status:rev zebra");
    it.sees("Nothing matches the search.").sees("Press Esc to clear it.");
}

#[test]
fn what_expires_within_a_week_has_a_chip_a_key_and_a_sign() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.sees("1 expires in 7d").sees("◐ grafana").sees("in 7d !");
    it.keys("E").sees("[Expiring 1]");
    assert_eq!(shown(&it), ["grafana"]);
    it.keys("E").sees("[Active 2]").keys("E f").sees("[Expired 1]").keys("E F").sees("[Active 2]");
    // What is not there takes no room; what is chosen stays.
    it.keys("E").clock_forward(TimeDelta::days(7));
    it.sees("[Expiring 0]").sees("No expiring tokens.").keys("f").never_sees("Expiring");
}
