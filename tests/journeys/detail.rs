//! The detail tab: adding and removing scopes, editing name and description.

use patdeck::testing::ServiceTestExt as _;

use super::{fixture::Fixture, journey::Journey};

/// The detail of `ci-deploy`, which has three scopes.
fn detail() -> Journey {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j <Enter>").sees("Scopes 3");
    it
}

#[test]
fn the_detail_shows_every_field_of_the_token() {
    let mut it = detail();
    let id = it.id("ci-deploy").to_string();
    it.sees("ci-deploy").sees(&id).sees("● active").sees("r revoke  R regenerate");
    it.sees("Publishes builds").sees("factory");
    it.sees("in 27d, 21 Dec 2026 12:00 UTC").sees("27 of 30 d");
    it.sees("5 min ago from 192.0.2.17").sees("publish on channels:c-7, allowed");
    it.sees("3d ago by alice").sees("saved 3d ago").never_sees("+00:00");
    it.keys("<Esc>").sees("[Active 2]");
}

#[test]
fn a_scope_is_added_from_the_detail() {
    let mut it = detail();
    it.keys("a u <Tab> <Tab> l <Space>").sees("Add scopes to ci-deploy");
    it.keys("<C-s>").sees("Added users:*:list to ci-deploy. Press u to undo.").sees("Scopes 4");
    assert!(it.store_dump().contains("scope added ci-deploy by alice: users:*:list"));
}

#[test]
fn a_star_absorbs_narrower_scopes_with_a_notice() {
    let mut it = detail();
    it.keys("a c <Tab> <Tab> <Tab> <S-Tab> s s <Space>");
    it.sees("replaces 1 narrower scope");
    it.keys("<C-s>").sees("removed 1 narrower scope covered by *");
    it.sees("Scopes 3").never_sees("c-42");
}

#[test]
fn a_covered_or_duplicate_scope_is_refused() {
    let mut it = detail();
    it.keys("a c <Tab>").retypes("c-9");
    it.keys("<Tab> p <Space> <C-s>");
    it.sees("ci-deploy: channels:c-9:publish is already covered by");
    it.keys("<S-Tab>").retypes("*").keys("<C-s>");
    it.sees("ci-deploy: channels:*:publish is already granted");
    it.keys("<Esc>").sees("Scopes 3");
}

#[test]
fn removing_a_scope_needs_confirmation() {
    let mut it = detail();
    it.keys("j d").sees("Remove a scope from ci-deploy?").sees("c-42");
    it.keys("<Enter>").sees("Scopes 3");
    it.keys("d <Right> <Enter>").sees("Scopes 2").never_sees("channels c-42");
}

#[test]
fn removing_all_scopes_needs_confirmation() {
    let mut it = detail();
    it.keys("X").sees("All 3 scopes will be removed").keys("l <Enter>");
    it.sees("every operation is denied");
    it.sees("no scopes: every operation is denied");
    it.keys("d").sees("ci-deploy has no scopes. Press a to add one.");
    it.keys("X").sees("ci-deploy has no scopes. Press a to add one.");
}

#[test]
fn edit_faults_are_shown_below_their_fields() {
    let mut it = detail();
    it.keys("e").retypes("grafana").keys("<C-s>");
    it.sees("another token is already named grafana");
    it.retypes("").keys("<C-s>").sees("missing name");
    it.retypes("ci-release").keys("<Tab> <C-j>").types("and signs");
    it.keys("<Tab> <Tab> <Tab> <Enter>").sees("Saved ci-release");
    assert_eq!(it.token("ci-release").description.as_str(), "Publishes builds\nand signs");
    assert!(it.store_dump().contains("name was ci-deploy, description changed"));
}

#[test]
fn discarding_an_edit_needs_a_second_esc() {
    let mut it = detail();
    it.keys("e x <Esc>").sees("Not saved. Press Esc again to discard");
    it.keys("y <Esc> <Esc>").sees("Scopes 3");
    it.keys("e <Esc>").sees("Scopes 3").never_sees("not saved");
    assert!(!it.store_dump().contains("ci-deployx"));
    // The warning stays in sight on a screen that shows only a part of the form.
    let mut it = Journey::on(Fixture::Few, 40, 10);
    it.keys("j <Enter>").keys("e x <Esc>").sees("Not saved. Press Esc again to");
}

#[test]
fn an_empty_detail_explains_how_to_select_a_token() {
    let mut it = Journey::at(80, 24);
    it.keys("3").sees("No token selected.");
    it.keys("<Esc>").sees("No tokens yet.");
}

#[test]
fn scope_input_survives_a_concurrent_delete() {
    let mut it = detail();
    let id = it.id("ci-deploy");
    it.keys("a u <Tab>").retypes("u-7").keys("<Tab> l <Space>");
    it.service().delete(&id).unwrap();
    it.keys("<C-s>").sees("it was deleted in the meantime").sees("u-7");
    it.sees("[x] list");
    // After a restore the same key saves it.
    it.service().restore("ci-deploy").unwrap();
    it.keys("<C-s>").waits_for("Scopes 4");
}

#[test]
fn an_edit_survives_a_concurrent_delete() {
    let mut it = detail();
    let id = it.id("ci-deploy");
    it.keys("e <Tab>").types(" and more");
    it.service().delete(&id).unwrap();
    it.keys("<C-s>").sees("it was deleted in the meantime").sees("Publishes builds and more");
    it.keys("<Esc>").sees("Not saved. Press Esc again to discard");
}

#[test]
fn the_detail_shows_the_last_denial_and_the_counts() {
    let mut it = Journey::at(80, 30);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>");
    let secret = it.secret().unwrap();
    assert_eq!(it.access_result(&secret, "users:u-1:read"), "denied");
    it.keys("a 1 <Enter>").sees("Last used  never").sees("denied ");
    it.sees("read on users:u-1 (no scope)").sees("·······  0  1 denied");
    assert_eq!(it.access_result(&secret, "channels:c-1:publish"), "allowed");
    it.waits_for("······█  1  1 denied").sees("publish on channels:c-1, allowed");
    assert_eq!(it.access_result(&secret, "users:u-2:read"), "denied");
    it.waits_for("read on users:u-2 (no scope)").sees("read on users:u-1 (no scope)");
}

#[test]
fn the_actions_in_the_head_are_clickable() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut it = Journey::on(Fixture::One, width, height);
        it.keys("<Enter>").clicks("r revoke  R").sees("Revoke ci-deploy?").keys("<Esc>");
        it.clicks("R regenerate").sees("Regenerate ci-deploy");
    }
}

#[test]
fn a_local_zone_is_the_only_zone_of_the_detail() {
    let mut it = Journey::in_zone(Fixture::One, 9);
    it.keys("<Enter>").sees("in 27d, 21 Dec 2026 21:00").sees("until 21 Dec 2026 21:00, 1 scope");
    it.never_sees("UTC").never_sees("+09:00");
    it.keys("t t").sees("21 Dec 2026 12:00 UTC").sees("until 21 Dec 2026 12:00 UTC");
}

#[test]
fn beside_the_list_only_the_columns_of_scopes_are_shown() {
    let mut it = Journey::on(Fixture::Many, 120, 40);
    it.sees("Scopes 2 ─").never_sees("cr re li");
    // With the focus, every operation can be toggled.
    it.keys("<Enter>").sees("cr re li up de sh un pu su");
    it.keys("<Esc>").never_sees("cr re li");
}

#[test]
fn the_matrix_marks_granted_and_offered_operations() {
    let mut it = detail();
    it.sees("cre rea lis upd del sha uns pub sub");
    it.sees("[✓]").sees("May publish to all channels; also covers channels created later.");
    it.keys("l").sees("[·]").sees("No scope to subscribe to all channels.");
    it.keys("j").sees("May subscribe to c-42 (channels).");
    it.keys("h").sees("[*]").sees("because a wider scope covers it");
    it.keys("j <Right>").sees("subscribe does not exist for clients.");
    it.keys("<Home>")
        .sees("No scope to subscribe to all channels.")
        .keys("<Esc>")
        .sees("[Active 2]");
}

#[test]
fn scopes_can_be_listed_one_on_each_row() {
    let mut it = detail();
    it.keys("j o").never_sees("cre rea lis").sees("subscribe").sees("factory");
    assert!(it.selected().contains("c-42"), "{}", it.selected());
    it.keys("o").sees("cre rea lis").sees("May subscribe to c-42 (channels).");
    it.resize(40, 10).never_sees("cre rea").sees("channels").sees("expires in 27d");
    it.keys("o").sees("needs a wider terminal");
}

#[test]
fn the_cursor_runs_from_the_scopes_into_the_events() {
    let mut it = detail();
    it.keys("j j j").sees("by alice: marked as saved").keys("<Esc>");
    let mut it = Journey::on(Fixture::Rotated, 80, 24);
    it.keys("<Enter>").sees("Old secret").sees("Events").keys("<End>").sees("created by alice");
    it.resize(40, 10).sees("Events").sees("created").keys("<Home>").sees("Scopes");
}

#[test]
fn a_revoke_in_the_detail_names_the_next_step() {
    let mut it = detail();
    it.keys("r <Right> <Enter>");
    it.sees("Revoked ci-deploy. Its secret no longer works; press R to issue a new one.");
}

#[test]
fn a_long_event_is_shown_in_full() {
    let mut it = Journey::on(Fixture::One, 60, 16);
    let scope = |n| format!("clients:gateway-{n}:read@factory").parse().unwrap();
    it.service().add_scopes(&it.id("ci-deploy"), &[scope(1), scope(2)]).unwrap();
    it.keys("<Enter>").waits_for("gateway-2@factory");
    it.keys("<End> <Home>").never_sees("clients:gateway-2:read@factory");
    it.keys("j j j").sees("clients:gateway-2:read@factory");
}

#[test]
fn a_section_can_be_zoomed() {
    let mut it = detail();
    it.keys("z").never_sees("Events").sees("may publish to all channels; read all clients");
    it.keys("G").never_sees("Scopes").sees("Events").keys("<Esc>").sees("Scopes 3");
    it.keys("<Esc>").sees("[Active 2]");
}

#[test]
fn many_scopes_have_a_scrollbar_and_numeric_order() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    let id = it.id("ci-deploy");
    for n in (0..40).rev() {
        let scope = format!("clients:c-{n}:read").parse().unwrap();
        it.service().add_scopes(&id, &[scope]).unwrap();
    }
    it.keys("<Enter>").waits_for("of 41").sees("Scopes 41, rows 1-").sees("█");
    it.keys("j j j j").sees("clients  c-2 ").sees("May read c-3 (clients).");
    it.keys("z").sees("read clients c-0 to c-39");
}

#[test]
fn a_long_entity_is_cut_before_its_domain() {
    let mut it = Journey::on(Fixture::Few, 120, 40);
    it.keys("n x <C-o> a <Tab> gateway-with-a-long-name <Tab> <Space> <Tab> factory <C-s> <C-s> a");
    it.sees("@factory").sees("in domain factory");
}

#[test]
fn a_token_that_may_do_nothing_is_not_said_to_be_allowed() {
    for (keys, text) in [("f f f", "Revoked"), ("f f", "Expired")] {
        let mut it = Journey::on(Fixture::Few, 80, 24);
        it.keys(keys).keys("<Enter>").sees(&format!("{text}: every operation is denied."));
        it.never_sees(" May ").never_sees("not saved yet");
    }
}

#[test]
fn the_line_of_the_selected_cell_is_not_shown_under_a_panel() {
    let mut it = Journey::on(Fixture::Empty, 60, 16);
    it.keys("n ci <Tab> <Tab> <Tab> a c <Tab> <Tab> p <Space> <C-s> <C-s>").sees("Secret of ci");
    it.never_sees("May publish").keys("a").sees("May publish");
}
