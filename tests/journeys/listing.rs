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
    it.keys("f").sees("[Expiring 1]").keys("f").sees("[Expired 1]");
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
    it.sees("in 27d").sees("5 min ago").sees("never");
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
    it.sees("in 22h 58m").sees("Expiring 1");
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
    it.keys("F").sees("1-18 of 60").keys("j <Down> j");
    assert!(it.selected().contains("fleet-56"), "{}", it.selected());
    it.keys("G").sees("43-60 of 60").keys("k <Up>");
    assert!(it.selected().contains("fleet-02"), "{}", it.selected());
    it.keys("g").sees("1-18 of 60").keys("<PgDn> <PgUp> <End> <Home>").sees("1-18 of 60");
    it.keys("<PgDn>").sees("10-27 of 60");
}

#[test]
fn a_scrollbar_shows_the_position_in_a_long_list() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    let bar = |it: &Journey| {
        let screen = it.screen();
        let cells: String = screen.lines().filter_map(|line| line.chars().nth(79)).collect();
        cells.replace(|cell| !['█', '░'].contains(&cell), "")
    };
    it.keys("F");
    assert!(bar(&it).starts_with('█') && bar(&it).ends_with('░'), "{}", it.screen());
    it.keys("G");
    assert!(bar(&it).starts_with('░') && bar(&it).ends_with('█'), "{}", it.screen());
    assert_eq!(bar(&Journey::on(Fixture::Few, 80, 24)), "");
}

#[test]
fn hints_start_with_the_keys_of_the_list() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.sees("Enter open  r revoke  R regenerate  D delete  Space mark").sees("? help  q");
    let mut it = Journey::on(Fixture::Empty, 80, 24);
    it.never_sees("Enter open").never_sees("r revoke").never_sees("f filter").sees("n new");
    it.sees("alice@edge-1").resize(120, 40).sees("alice@edge-1");
}

#[test]
fn a_dialog_dims_the_screen_behind_it() {
    use ratatui::style::Modifier;
    let mut it = Journey::on(Fixture::Few, 80, 24);
    let is_dim = |it: &Journey, text: &str| {
        let buf = &it.event_loop.display.last_frame;
        let at = super::screen_text::find(buf, text).unwrap();
        buf[at].modifier == Modifier::DIM
    };
    assert!(!is_dim(&it, "1 Tokens"));
    it.keys("r").sees("Revoke grafana?");
    assert!(is_dim(&it, "1 Tokens") && is_dim(&it, "Active 2") && !is_dim(&it, "Revoke grafana?"));
    it.keys("<Esc>");
    assert!(!is_dim(&it, "1 Tokens"));
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
    wide.sees("Scopes 0").sees("1h ago  created");
}

#[test]
fn the_detail_follows_when_the_cursor_rests() {
    let mut it = Journey::on(Fixture::Few, 120, 30);
    it.sees("no scopes: every operation is denied");
    let bytes = it.keys_without_rest("j");
    assert!(bytes < 300, "{bytes}");
    assert!(it.selected().contains("ci-deploy"), "{}", it.selected());
    it.never_sees("Publishes builds").sees("no scopes: every operation is denied");
    it.keys("<C-l>").sees("Publishes builds").never_sees("no scopes");
    // A key for the detail does not act on another token.
    it.keys_without_rest("k");
    it.keys("<Enter>").sees("no scopes: every operation is denied").keys("e").sees("Edit grafana");
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
fn each_column_sorts_in_screen_order() {
    let mut it = Journey::on(Fixture::Few, 118, 24);
    it.keys("F").sees("Issued ▼");
    let expected = [
        ("Name ▲", "ci-deploy grafana old-backup sensor-gate"),
        ("Description ▲", "sensor-gate old-backup ci-deploy grafana"),
        ("Expires ▲", "sensor-gate grafana ci-deploy old-backup"),
        ("Scopes ▼", "ci-deploy old-backup sensor-gate grafana"),
        ("Last used ▼", "ci-deploy grafana old-backup sensor-gate"),
        ("Issued ▼", "grafana sensor-gate ci-deploy old-backup"),
    ];
    for (heading, first) in expected {
        it.keys("s").sees(heading);
        assert_eq!(visible_order(&it), first, "{heading}");
        let reversed = match heading.split_once(" ▲") {
            Some((column, _)) => format!("{column} ▼"),
            None => heading.replace('▼', "▲"),
        };
        it.keys("S").sees(&reversed);
        // Equal keys stay in name order; all others are reversed.
        assert_ne!(visible_order(&it), first, "{heading}");
        it.keys("S").sees(heading);
    }
}

#[test]
fn the_sort_arrow_is_visible_at_every_size() {
    for (width, height) in [(120, 40), (80, 24), (60, 16), (40, 10)] {
        let mut it = Journey::on(Fixture::Few, width, height);
        it.sees("by issued ▼").keys("s").sees("Name ▲").keys("s").sees("escription ▲");
    }
}

#[test]
fn the_expiry_column_names_the_status_of_ended_tokens() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("F").sees("× old-backup").sees("revoked 1d ago").sees("○ sensor-gate");
    it.sees("expired 1d ago").never_sees("Status");
    // ci-deploy has used 3 of 30 days.
    it.sees("in 27d      ▰▰▰▰▰▱").sees("▰▰▰▰▰▰");
    it.clock_forward(TimeDelta::hours(26 * 24 + 1)).sees("! ci-deploy").sees("▰▱▱▱▱▱");
}

#[test]
fn a_wider_screen_shows_the_columns_of_80() {
    for width in [80, 100, 120, 150, 200] {
        let mut it = Journey::on(Fixture::Few, width, 24);
        it.sees("Name").sees("Expires").sees("Scopes  ").sees("Last used").sees("never");
    }
    Journey::on(Fixture::Few, 100, 24).sees("Description").sees("Publishes builds");
    Journey::on(Fixture::Few, 200, 40).sees("Description").sees("Owner").sees("Issued ▼");
}

#[test]
fn an_empty_list_names_the_next_steps() {
    let mut it = Journey::on(Fixture::Empty, 80, 24);
    it.sees("Press n to create the first one.").sees("Press : to find any command.");
    it.sees("Press ? to show the keys.");
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("D").types("ci-deploy").keys("<Enter>").sees("Press u to undo the deletion.");
    it.keys("u").sees("ci-deploy");
}

#[test]
fn undo_is_offered_only_if_there_is_something_to_undo() {
    let mut it = Journey::at(80, 24);
    it.sees("n new").never_sees("u undo");
    let mut it = Journey::on(Fixture::One, 160, 24);
    it.never_sees("u undo").keys("D").types("ci-deploy").keys("<Enter>").sees("u undo");
}

#[test]
fn the_gauge_is_beside_the_expiry() {
    for (width, height) in [(80, 24), (120, 40)] {
        let it = Journey::on(Fixture::Few, width, height);
        let screen = it.screen();
        let row = screen.lines().find(|line| line.contains("● ci-deploy")).unwrap();
        assert!(row.contains("in 27d      ▰▰▰▰▰▱"), "{row}");
    }
}
