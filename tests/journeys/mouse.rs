//! Mouse input: clicks and the wheel, as events through the real loop.

use super::{fixture::Fixture, journey::Journey};

#[test]
fn a_click_opens_a_tab() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.clicks("4 Audit").sees("Chain verified");
    it.clicks("2 Create").sees("Name *");
    it.clicks("3 Detail").sees("Events");
    it.clicks("1 Tokens").sees("of 2");
}

#[test]
fn clicks_filter_by_status_and_sort_by_column() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.clicks("Revoked 1").sees("[Revoked 1]").sees("old-backup");
    it.clicks("All 4").sees("[All 4]");
    it.clicks("Active 2").sees("[Active 2]");
    it.clicks("Last used").sees("Last used ▼").clicks("Last used").sees("Last used ▲");
    it.clicks("Name").sees("Name ▲").clicks("Name").sees("Name ▼");
}

#[test]
fn a_second_click_on_a_row_opens_it() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    assert!(!it.selected().contains("fleet-44"));
    it.clicks("fleet-44");
    assert!(it.selected().contains("fleet-44"), "{}", it.screen());
    it.clicks("fleet-44").sees("Number 44").sees("Scopes 0");
}

#[test]
fn the_wheel_scrolls_the_view_under_the_pointer() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    it.wheels("Name", true).wheels("Name", true);
    assert!(it.selected().contains("fleet-50"), "{}", it.screen());
    it.wheels("Name", false);
    assert!(it.selected().contains("ci-54"), "{}", it.screen());
    it.keys("?").sees("1 of 5").wheels("create a token", true).sees("4 of 5");
    it.keys("<Esc> 4");
    let newest = it.selected();
    assert_ne!(it.wheels("Time", true).selected(), newest);
}

#[test]
fn a_second_click_on_a_command_runs_it() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("?")
        .clicks("edit name, description, limits, labels, owner")
        .sees("Keys on this screen");
    it.clicks("edit name, description, limits, labels, owner").sees("Edit ci-deploy");
    it.keys("<Esc> :").types("revoke the").clicks("revoke the token").sees("Revoke ci-deploy?");
    it.keys("<Esc>").resize(120, 24).clicks(": commands").sees("Commands");
}

#[test]
fn a_click_focuses_the_clicked_pane() {
    let mut it = Journey::on(Fixture::Few, 120, 40);
    it.clicks("ci-deploy").sees("channels");
    assert!(it.selected().starts_with("●"), "{}", it.selected());
    it.clicks("factory");
    assert!(it.selected().starts_with("clients"), "{}", it.selected());
    it.clicks("grafana").sees("no scopes: every operation is denied");
    assert!(it.selected().contains("grafana"), "{}", it.selected());
}

#[test]
fn a_dialog_blocks_clicks_outside_of_it() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.clicks("r revoke").sees("Revoke ci-deploy?");
    it.clicks("4 Audit").sees("Revoke ci-deploy?");
    it.clicks("[ Cancel ]").never_sees("Revoke ci-deploy?");
    it.clicks("r revoke").clicks("[ Revoke ]").sees("Revoked ci-deploy");
    assert_eq!(it.token("ci-deploy").status(it.store.clock.now()).as_str(), "revoked");
}

#[test]
fn a_form_is_filled_with_clicks_and_letters() {
    let mut it = Journey::at(80, 24);
    it.clicks("2 Create").clicks("Description").types("one").keys("<C-j>").types("two");
    it.clicks("Name *").types("nightly");
    it.clicks(" 7d").clicks("None: a adds").keys("a");
    it.clicks("channels").clicks("[ ] publish").clicks("[ ] list").clicks("Entities");
    it.retypes("c-7").clicks("[ Add ]").sees("list, publish");
    it.clicks("[ Create token ]").sees("Secret of nightly");
    let made = it.token("nightly");
    let scopes: Vec<_> = made.scopes.iter().map(ToString::to_string).collect();
    assert_eq!(scopes, ["channels:c-7:list", "channels:c-7:publish"]);
    assert_eq!(made.description.as_str(), "one\ntwo");
    assert_eq!((made.expires.unwrap() - made.issued).num_days(), 7);
}

#[test]
fn clicks_enter_and_leave_the_custom_lifetime() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("R").clicks("custom").keys("<Down>").types("45m").sees("Expires in 45 min");
    it.clicks("Overlap").clicks("1h").sees("[1h]");
    it.clicks("45m").retypes("50m").sees("50m");
    it.clicks("90d").sees("[90d]").never_sees("50m");
    it.clicks("[ Regenerate ]").sees("Secret of ci-deploy");
}

#[test]
fn the_footer_hints_are_clickable() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("y").clicks("n copy name").sees("Sent the name");
    it.clicks("/ search").types("zebra").sees("No active tokens match");
    it.keys("<Enter>").clicks("All 0").sees("[All 0]");
    // The kept search is selected, so that typing replaces it.
    it.clicks("zebra").types("x").sees("/x").never_sees("zebra");
    it.keys("<Esc>").clicks("? help").sees("Keys on this screen");
}

#[test]
fn a_click_on_an_empty_area_does_nothing() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    let before = it.screen();
    it.clicks_at(70, 15).clicks_at(79, 23).clicks_at(500, 500);
    assert_eq!(it.screen(), before);
}

#[test]
fn a_form_on_ten_lines_scrolls_to_the_focus() {
    let mut it = Journey::at(40, 10);
    it.keys("n").types("nightly").never_sees("Create token");
    it.keys("<Tab>").clicks("Description").types("one").keys("<Tab>").sees("Scopes");
    it.keys("a c <Tab>").clicks("Entities").retypes("c-7").sees("Operations *");
    it.keys("<Tab> p <Space> <C-s>").sees("channels c-7: publish").never_sees("Name *");
    it.keys("<Tab> <Enter> <Enter> <Enter> <Enter> <Enter>")
        .clicks("[ Create token ]")
        .sees("Secret of");
    assert_eq!(it.token("nightly").scopes.len(), 1);
}

#[test]
fn a_dialog_on_ten_lines_keeps_its_result_visible() {
    let mut it = Journey::on(Fixture::Few, 40, 10);
    it.keys("j <Enter> T").sees("Allowed").sees("[channels]");
    it.keys("<Tab> <Tab> r").sees("Denied").sees("[read]");
    it.keys("<Esc> R").sees("[30d]").never_sees("[ Cancel ]");
    it.keys("<Tab> <Tab>").sees("[ Cancel ]").never_sees("[30d]");
}
