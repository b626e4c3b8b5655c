//! The access-check dialog: what a token may do, by which scope, and which scope is missing.

use patdeck::testing::ServiceTestExt as _;

use super::{fixture::Fixture, journey::Journey};

fn open_dialog() -> Journey {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j <Enter> T").sees("What may ci-deploy do?");
    it
}

#[test]
fn an_allowed_request_names_the_scope_that_allows_it() {
    let mut it = open_dialog();
    it.sees("Allowed by channels:*:publish").keys("<Tab>");
    it.retypes("c-9").sees("Allowed by channels:*:publish");
}

#[test]
fn a_denied_request_names_the_missing_scope() {
    let mut it = open_dialog();
    it.keys("<Tab>").retypes("c-9");
    it.keys("<Tab> r").sees("Denied").sees("channels:c-9:read");
}

#[test]
fn a_missing_scope_is_added_from_the_check() {
    let mut it = open_dialog();
    it.never_sees("Ctrl-S").keys("<C-s>").sees("What may ci-deploy do?").never_sees("Add scopes");
    it.keys("<Tab>").retypes("c-9").keys("<Tab> r").sees("(Ctrl-S adds it)");
    it.keys("<C-s>").sees("Add scopes to ci-deploy").sees("may read c-9 (channels)");
    it.keys("<C-s>").never_sees("Add scopes to").sees("c-9");
    it.keys("T <Tab>").retypes("c-9").keys("<Tab> r").sees("Allowed by channels:c-9:read");
}

#[test]
fn another_entity_type_starts_with_any_entity() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("n x <C-o> a <Tab> c-42 <Tab> <Space> <C-s>").sees("c-42").keys("<C-s> a");
    it.keys("T").sees("c-42").keys("g").sees("any (*)").never_sees("c-42 ");
    // A typed entity stays.
    it.keys("<Tab> g-7 <S-Tab> c").sees("g-7");
}

#[test]
fn a_scope_allows_only_its_domain() {
    let mut it = open_dialog();
    it.keys("c l <Tab> <Tab> r").sees("Denied");
    it.keys("<Tab>").types("factory");
    it.sees("Allowed by clients:*:read@factory");
    it.types("x").sees("Denied");
}

#[test]
fn an_inactive_token_is_denied() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("f f f <Enter> T").sees("Denied").sees("revoked");
    it.keys("<Esc> 1 F <Enter> T").sees("Denied").sees("expired");
}

#[test]
fn an_access_check_is_not_recorded_as_use() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("<Enter> T c <Tab> <Esc>").sees("Last used  never");
}

#[test]
fn a_pasted_entity_is_checked_immediately() {
    let mut it = open_dialog();
    it.keys("<Tab>").retypes("c*").sees("Enter an entity, or * for any");
    it.keys("<C-u>").paste("c-42").never_sees("Checking");
    it.sees("Allowed by channels:*:publish");
}

#[test]
fn a_request_for_any_entity_names_those_that_are_allowed() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    let scope = "users:u-7:read@lab".parse().unwrap();
    it.service().add_scopes(&it.id("ci-deploy"), &[scope]).unwrap();
    it.keys("<Enter>").waits_for("u-7");
    it.keys("T u <Tab> <Tab> r").sees("Denied for users in general; read is allowed for u-7@lab");
}
