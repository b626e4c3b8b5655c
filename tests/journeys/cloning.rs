//! Cloning tokens, and adding scopes from presets.

use patdeck::testing::ServiceTestExt as _;

use super::{fixture::Fixture, journey::Journey};

fn few() -> Journey {
    Journey::on(Fixture::Few, 80, 24)
}

#[test]
fn cloning_copies_all_but_secret_and_name() {
    let mut it = few();
    it.keys("j c").sees("ci-deploy-2").sees("[30d]").sees("Publishes builds");
    it.sees("Copied from ci-deploy, with its own new secret.");
    it.keys("<C-s>").sees("Secret of ci-deploy-2").keys("a");
    let (original, clone) = (it.token("ci-deploy"), it.token("ci-deploy-2"));
    assert_eq!((clone.description, clone.scopes), (original.description, original.scopes));
    assert_ne!(clone.digest, original.digest);
    assert!(it.store_dump().contains("created ci-deploy-2 by alice: until 2026-12-24"));
    // Also from the detail; the suffix is the next free number.
    it.keys("c").sees("ci-deploy-3");
    it.retypes("cd").keys("<C-s> a");
    assert_eq!(it.token("cd").scopes.len(), 3);
}

#[test]
fn copied_values_can_be_changed_before_creating() {
    let mut it = few();
    it.keys("j c <Tab> 2h <Tab> <Tab> d <Down> e <Tab>").retypes("k-1");
    it.keys("<C-s> <C-s> a");
    let dump = it.store_dump();
    assert!(dump.contains("ci-deploy-2 active until 2026-11-24 14:00"), "{dump}");
    assert!(dump.contains("[channels:c-42:subscribe clients:k-1:read@factory]"), "{dump}");
}

#[test]
fn a_draft_is_replaced_only_after_confirmation() {
    let mut it = few();
    it.keys("n half-done <Esc> j c").sees("The create form contains a draft");
    it.keys("<Enter> 2").sees("half-done").keys("<Esc> c <Right> <Enter>");
    it.sees("ci-deploy-2").never_sees("half-done");
    // An unchanged clone is not a draft: it can be replaced and does not delay quitting.
    it.keys("<Esc> k c").sees("grafana-2");
    assert_eq!(it.exits_after("<Esc> q"), Vec::<String>::new());
}

#[test]
fn a_deleted_token_cannot_be_cloned() {
    let mut it = few();
    it.keys("j");
    let id = it.id("ci-deploy");
    it.service().delete(&id).unwrap();
    it.keys("c").sees("it was deleted in the meantime");
}

#[test]
fn a_preset_adds_editable_scope_rows() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> p p").sees("[publisher]");
    it.sees("may publish to all channels, messages");
    it.sees("! * also covers future channels, messages");
    it.keys("<Tab> <Tab>").retypes("c-42").sees("may publish to c-42 (channels, messages)");
    it.never_sees("also covers future").keys("<C-s>");
    it.sees("channels    c-42").sees("messages    c-42");
    it.keys("p s <Tab> c <Tab>").retypes("c-42").keys("<C-s>");
    it.keys("p f <Tab> u <C-s>").sees("! * also covers future users");
    it.keys("<Up> <Up> d <C-s> a");
    let dump = it.store_dump();
    let scopes = "[channels:c-42:publish channels:c-42:subscribe messages:c-42:publish";
    assert!(!dump.contains(scopes), "a row was removed again: {dump}");
    assert!(dump.contains("users:*:create users:*:delete users:*:list"), "{dump}");
}

#[test]
fn a_preset_with_an_id_needs_one_entity_type() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> p f <Tab> <Tab>").retypes("c-42").keys("<C-s>");
    it.sees("full-access:channels:c-42").sees("c-42");
    // The focus moves to the entity type.
    it.keys("c <C-s>").sees("channels    c-42");
    it.keys("p f <Tab> c <Tab>").retypes("c-*").keys("<C-s>").sees("use * alone");
    // An empty field is any entity.
    it.retypes("").keys("<C-s> <C-s> a");
    assert_eq!(it.token("ci").scopes.len(), 9, "the star absorbed the narrower scope");
}

#[test]
fn a_preset_adds_missing_scopes_to_a_token() {
    let mut it = few();
    it.keys("j <Enter> p s").sees("Add a preset to ci-deploy");
    it.sees("may subscribe to all channels, messages");
    it.keys("<C-s>").sees("removed 1 narrower scope covered by *").sees("Scopes 4");
    it.keys("p s <C-s>").sees("all these scopes are already granted: nothing to add");
    it.keys("<Esc> u").sees("Undone: ci-deploy has 3 scopes again");
}

#[test]
fn the_detail_warns_about_a_star() {
    let mut it = few();
    it.keys("j <Enter>").sees("May publish to all channels; also covers channels created later.");
    it.keys("X l <Enter>").never_sees("created later");
}

#[test]
fn a_cancelled_clone_leaves_an_empty_form() {
    let mut it = few();
    it.keys("j c").sees("ci-deploy-2").keys("<Esc>").never_sees("Draft kept");
    it.keys("n").never_sees("ci-deploy-2").sees("None: a adds one");
}
