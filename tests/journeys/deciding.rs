//! The Test action: what a token may do, by which scope, and what is missing.

use super::{fixture::Fixture, journey::Journey};

fn asked() -> Journey {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j <Enter> T").sees("What may ci-deploy do?");
    it
}

#[test]
fn an_allowed_request_names_the_scope_that_allows_it() {
    let mut it = asked();
    it.sees("allowed, by channels:*:publish").keys("<Tab>");
    it.retypes("c-9").sees("allowed, by channels:*:publish");
}

#[test]
fn a_denied_request_names_the_missing_scope_and_ctrl_s_adds_it() {
    let mut it = asked();
    it.keys("<Tab>").retypes("c-9");
    it.keys("<Tab> r").sees("denied").sees("channels:c-9:read");
    it.keys("<C-s>").sees("Add scopes to ci-deploy").sees("c-9");
    it.keys("<C-s>").sees("allowed, by channels:c-9:read");
    assert!(it.store_dump().contains("channels:c-9:read"));
    it.keys("<Esc>").sees("Scopes 4");
}

#[test]
fn a_scope_holds_within_its_domain_only() {
    let mut it = asked();
    it.keys("c <Tab> <Tab> r").sees("denied");
    it.keys("<Tab>").types("factory");
    it.sees("allowed, by clients:*:read@factory");
    it.types("x").sees("denied");
}

#[test]
fn a_token_that_is_not_active_is_denied_whatever_it_holds() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("f f <Enter> T").sees("denied").sees("revoked");
    it.keys("<Esc> 1 F <Enter> T").sees("denied").sees("expired");
}

#[test]
fn asking_counts_as_no_use() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("<Enter> T c <Tab> <Esc>").sees("never used");
}

#[test]
fn a_pasted_entity_is_asked_about_at_once() {
    let mut it = asked();
    it.keys("<Tab>").retypes("").sees("name an entity, or * for any, to ask");
    it.paste("c-42").never_sees("asking");
    it.sees("allowed, by channels:*:publish");
}
