//! The detail of a token: its scopes, its name and description.

use patdeck::testing::Changes as _;

use super::{fixture::Fixture, journey::Journey};

/// The detail of `ci-deploy`, which holds three scopes.
fn detail() -> Journey {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j <Enter>").sees("Scopes 3");
    it
}

#[test]
fn the_detail_tells_everything_about_the_token() {
    let mut it = detail();
    let id = it.id("ci-deploy").to_string();
    it.sees("ci-deploy").sees(&id).sees("active").sees("r revoke");
    it.sees("Publishes builds").sees("factory");
    it.sees("allowed, from 192.0.2.17");
    it.sees("Sat 21 Nov 2026 12:00 +00:00 by alice");
    it.keys("<Esc>").sees("[Active 2]");
}

#[test]
fn a_scope_is_added_to_a_token_at_once() {
    let mut it = detail();
    it.keys("a u <Tab> <Tab> l <Space>").sees("Add scopes to ci-deploy");
    it.keys("<C-s>").sees("Saved the scopes of ci-deploy").sees("Scopes 4");
    assert!(it.store_dump().contains("scope added ci-deploy by alice: users:*:list"));
}

#[test]
fn a_star_absorbs_the_narrower_scopes_and_says_so() {
    let mut it = detail();
    it.keys("a c <Tab> <Tab> <Tab> <S-Tab> s s <Space>");
    it.sees("makes 1 narrower needless, which go");
    it.keys("<C-s>").sees("removed 1 narrower scope that * covers");
    it.sees("Scopes 3").never_sees("c-42");
}

#[test]
fn a_covered_or_duplicate_scope_is_refused_in_place() {
    let mut it = detail();
    it.keys("a c <Tab>").retypes("c-9");
    it.keys("<Tab> p <Space> <C-s>");
    it.sees("channels:c-9:publish is covered by channels:*:publish already");
    it.keys("<S-Tab>").retypes("*").keys("<C-s>");
    it.sees("channels:*:publish is there already: nothing to add");
    it.keys("<Esc>").sees("Scopes 3");
}

#[test]
fn one_scope_is_removed_behind_a_question() {
    let mut it = detail();
    it.keys("j d").sees("Remove a scope from ci-deploy?").sees("c-42");
    it.keys("<Enter>").sees("Scopes 3");
    it.keys("d <Right> <Enter>").sees("Scopes 2").never_sees("c-42  ");
}

#[test]
fn every_scope_is_removed_behind_a_question() {
    let mut it = detail();
    it.keys("X").sees("All 3 scopes will be removed").keys("l <Enter>");
    it.sees("every operation is denied");
    it.sees("no scopes: every operation is denied");
    it.keys("d").sees("ci-deploy has no scopes: a adds some");
    it.keys("X").sees("ci-deploy has no scopes: a adds some");
}

#[test]
fn name_and_description_are_edited_with_faults_beside_them() {
    let mut it = detail();
    it.keys("e").retypes("grafana").keys("<C-s>");
    it.sees("another token is called grafana");
    it.retypes("").keys("<C-s>").sees("a name is needed");
    it.retypes("ci-release").keys("<Tab> <C-j>").types("and signs");
    it.keys("<Tab> <Enter>").sees("Saved ci-release");
    assert_eq!(it.token("ci-release").description.as_str(), "Publishes builds\nand signs");
    assert!(it.store_dump().contains("name was ci-deploy, description changed"));
}

#[test]
fn an_edit_is_thrown_away_by_the_second_esc_only() {
    let mut it = detail();
    it.keys("e x <Esc>").sees("not saved: Esc again throws it away");
    it.keys("y <Esc> <Esc>").sees("Scopes 3");
    it.keys("e <Esc>").sees("Scopes 3").never_sees("not saved");
    assert!(!it.store_dump().contains("ci-deployx"));
}

#[test]
fn a_detail_without_a_token_says_where_to_find_one() {
    let mut it = Journey::at(80, 24);
    it.keys("3").sees("No token is selected.");
    it.keys("<Esc>").sees("No tokens yet.");
}

#[test]
fn what_was_typed_stays_when_the_token_is_gone_meanwhile() {
    let mut it = detail();
    let id = it.id("ci-deploy");
    it.keys("a u <Tab>").retypes("u-7").keys("<Tab> l <Space>");
    it.service().delete(&id).unwrap();
    it.keys("<C-s>").sees("it was deleted meanwhile, nothing was changed").sees("u-7");
    it.sees("[x] list");
    // Once it is back the same key does it.
    it.service().restore("ci-deploy").unwrap();
    it.keys("<C-s>").comes_to_see("Scopes 4");
}

#[test]
fn an_edit_stays_when_the_token_is_gone_meanwhile() {
    let mut it = detail();
    let id = it.id("ci-deploy");
    it.keys("e <Tab>").types(" and more");
    it.service().delete(&id).unwrap();
    it.keys("<C-s>").sees("it was deleted meanwhile").sees("Publishes builds and more");
    it.keys("<Esc>").sees("not saved: Esc again throws it away");
}
