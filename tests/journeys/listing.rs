//! The token list: status filters and counts, search, sorting, times, help.

use chrono::TimeDelta;

use super::{fixture::Fixture, journey::Journey};

/// The names of the fixture's tokens in screen order.
fn visible_order(it: &Journey) -> String {
    let screen = it.screen();
    let names = ["ci-deploy", "grafana", "old-backup", "sensor-gate"];
    let mut found: Vec<_> =
        names.into_iter().filter_map(|name| Some((screen.find(name)?, name))).collect();
    found.sort_unstable();
    let names: Vec<_> = found.into_iter().map(|(_, name)| name).collect();
    names.join(" ")
}

#[test]
fn each_status_filter_shows_its_tokens_and_counts() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.sees("[Active 2]  Expiring 1   Expired 1   Revoked 1   All 4");
    assert_eq!(visible_order(&it), "grafana ci-deploy");
    it.keys("f").sees("[Expired 1]");
    assert_eq!(visible_order(&it), "sensor-gate");
    it.keys("f").sees("[Revoked 1]");
    assert_eq!(visible_order(&it), "old-backup");
    it.keys("f").sees("[All 4]");
    assert_eq!(visible_order(&it), "grafana sensor-gate ci-deploy old-backup");
    it.keys("f").sees("[Active 2]").keys("F").sees("[All 4]");
}

#[test]
fn search_matches_name_id_and_description_while_typing() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("/ graf");
    assert_eq!(visible_order(&it), "grafana");
    it.keys("<Esc>");
    assert_eq!(visible_order(&it), "grafana ci-deploy");
    it.keys("/").types("PUBLISHES b");
    assert_eq!(visible_order(&it), "ci-deploy");
    it.keys("<Enter>").sees("/PUBLISHES b");
    assert_eq!(visible_order(&it), "ci-deploy");
    it.keys("<Esc>");
    assert_eq!(visible_order(&it), "grafana ci-deploy");
    let id = it.id("grafana").to_string();
    it.keys("/").types(&id);
    assert_eq!(visible_order(&it), "grafana");
    it.types("zzz").sees("No active tokens match the search.");
    it.keys("<Esc> / ").paste("graf\n");
    assert_eq!(visible_order(&it), "grafana");
}

#[test]
fn search_shows_the_match_count_of_every_status() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("/ backup");
    it.sees("[Active 0]").sees("Revoked 1").sees("All 1");
}

#[test]
fn times_are_relative_then_local_then_utc() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.sees("in 27d").sees("5 min ago").sees("never used");
    it.keys("t").sees("Times are shown in local time");
    it.sees("2026-12-21 12:00");
    it.keys("t").sees("2026-12-21 12:00Z").keys("t").sees("in 27d");
}

#[test]
fn relative_times_follow_the_clock() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.sees("5 min ago");
    it.clock_forward(TimeDelta::minutes(2)).sees("7 min ago");
    it.clock_forward(TimeDelta::hours(24 * 6));
    it.sees("in 22h 58m").sees("1 expires in 7d");
}

#[test]
fn the_selection_stays_on_its_token_when_sorting() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    it.keys("<C-d> y n");
    let name = it.copied_texts().pop().unwrap();
    it.keys("s s S t y n");
    assert_eq!(it.copied_texts().pop(), Some(name));
}

#[test]
fn movement_keys_move_through_many_rows() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    it.keys("F").sees("1 of 60").keys("j <Down> j").sees("4 of 60");
    it.keys("G").sees("60 of 60").keys("k <Up>").sees("58 of 60");
    it.keys("g").sees("1 of 60").keys("<PgDn> <PgUp> <End> <Home>");
    it.sees("1 of 60").keys("<C-d>").never_sees(" 1 of 60");
}

#[test]
fn id_and_name_are_copied_with_two_keys() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("y").sees("i copy id").sees("n copy name");
    it.keys("i").sees("Sent the id to your terminal's clipboard");
    it.keys("y n y <Esc>");
    let id = it.id("ci-deploy").to_string();
    assert_eq!(it.copied_texts(), [id.as_str(), "ci-deploy"]);
}

#[test]
fn list_and_detail_are_side_by_side_from_120_columns() {
    let mut it = Journey::on(Fixture::Few, 119, 30);
    it.never_sees("Scopes 0");
    it.resize(120, 30).sees("no scopes: every operation is denied");
    it.keys("j").sees("Publishes builds").sees("factory");
    let mut wide = Journey::on(Fixture::Few, 120, 30);
    wide.sees("Scopes 0").sees("1h ago      created");
}

#[test]
fn an_empty_filter_shows_the_key_to_change_it() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("f").sees("No expired tokens.").sees("Press f");
}

#[test]
fn the_help_lists_the_current_keys_and_is_searchable() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("?").sees("Keys on this screen").sees("revoke the token");
    it.types("undo")
        .never_sees("revoke the token")
        .sees("undo the last edit, scope change or deletion");
    it.keys("<Esc>").sees("grafana");
}

#[test]
fn each_column_sorts_in_both_directions() {
    let mut it = Journey::on(Fixture::Few, 118, 24);
    it.keys("F").sees("Issued ▼");
    let expected = [
        ("Expires", "sensor-gate grafana ci-deploy old-backup"),
        ("Last used", "grafana old-backup sensor-gate ci-deploy"),
        ("Name", "ci-deploy grafana old-backup sensor-gate"),
        ("Description", "sensor-gate old-backup ci-deploy grafana"),
        ("Status", "ci-deploy grafana sensor-gate old-backup"),
        ("Scopes", "grafana old-backup sensor-gate ci-deploy"),
        ("Issued", "old-backup ci-deploy sensor-gate grafana"),
    ];
    it.keys("S").sees("Issued ▲");
    for (column, rising) in expected {
        it.keys("s").sees(&format!("{column} ▲"));
        assert_eq!(visible_order(&it), rising, "{column}");
        it.keys("S").sees(&format!("{column} ▼"));
        // Equal keys stay in name order; all others are reversed.
        assert_eq!(visible_order(&it).len(), rising.len());
        assert_ne!(visible_order(&it), rising, "{column}");
        it.keys("S");
    }
}
