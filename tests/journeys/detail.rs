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
    it.sees("ci-deploy").sees(&id).sees("active").sees("r revoke");
    it.sees("Publishes builds").sees("factory");
    it.sees("allowed, from 192.0.2.17");
    it.sees("Sat 21 Nov 2026 12:00 +00:00 by alice");
    it.keys("<Esc>").sees("[Active 2]");
}

#[test]
fn a_scope_is_added_from_the_detail() {
    let mut it = detail();
    it.keys("a u <Tab> <Tab> l <Space>").sees("Add scopes to ci-deploy");
    it.keys("<C-s>").sees("Saved the scopes of ci-deploy").sees("Scopes 4");
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
    it.keys("d <Right> <Enter>").sees("Scopes 2").never_sees("c-42  ");
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
    it.keys("<Tab> <Enter> <Enter>").sees("Saved ci-release");
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
    it.keys("a 1 <Enter>").sees("never used").sees("last denied").sees(": users:u-1:read");
    assert_eq!(it.access_result(&secret, "channels:c-1:publish"), "allowed");
    it.waits_for("used today   1 time, denied 1 time").sees("channels:c-1:publish allowed");
}
