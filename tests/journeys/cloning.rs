//! Tokens like others, and scopes by preset.

use patdeck::testing::Changes as _;

use super::{fixture::Fixture, journey::Journey};

fn few() -> Journey {
    Journey::on(Fixture::Few, 80, 24)
}

#[test]
fn a_token_like_another_one_is_made_with_one_key_and_a_name_of_its_own() {
    let mut it = few();
    it.keys("j c").sees("ci-deploy-2").sees("[30d]").sees("Publishes builds");
    it.sees("Copied from the other token. The new one gets its own secret.");
    it.keys("<C-s>").sees("The secret of ci-deploy-2").keys("a");
    let (model, made) = (it.token("ci-deploy"), it.token("ci-deploy-2"));
    assert_eq!((made.description, made.scopes), (model.description, model.scopes));
    assert_ne!(made.digest, model.digest);
    assert!(it.store_dump().contains("created ci-deploy-2 by alice: until 2026-12-24"));
    // From the detail, too; and the number goes on.
    it.keys("c").sees("ci-deploy-3");
    it.retypes("cd").keys("<C-s> a");
    assert_eq!(it.token("cd").scopes.len(), 3);
}

#[test]
fn what_is_taken_over_can_be_changed_before_it_is_created() {
    let mut it = few();
    it.keys("j c <Tab> 2h <Tab> <Tab> d <Down> e <Tab>").retypes("k-1");
    it.keys("<C-s> <C-s> a");
    let dump = it.store_dump();
    assert!(dump.contains("ci-deploy-2 active until 2026-11-24 14:00"), "{dump}");
    assert!(dump.contains("[channels:c-42:subscribe clients:k-1:read@factory]"), "{dump}");
}

#[test]
fn a_draft_goes_only_when_that_was_agreed_to() {
    let mut it = few();
    it.keys("n half-done <Esc> j c").sees("The create form contains a draft");
    it.keys("<Enter> 2").sees("half-done").keys("<Esc> c <Right> <Enter>");
    it.sees("ci-deploy-2").never_sees("half-done");
    // Nothing of one's own is in it: another one may take its place, or the app may end.
    it.keys("<Esc> k c").sees("grafana-2");
    assert_eq!(it.ends_with("<Esc> q"), Vec::<String>::new());
}

#[test]
fn a_token_that_was_deleted_meanwhile_is_no_model() {
    let mut it = few();
    it.keys("j");
    let id = it.id("ci-deploy");
    it.service().delete(&id).unwrap();
    it.keys("c").sees("it was deleted meanwhile");
}

#[test]
fn a_preset_fills_in_rows_that_can_be_changed_like_others() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> p p").sees("[publisher]");
    it.sees("may publish on any channels, messages");
    it.sees("! * includes channels, messages made later");
    it.keys("<Tab> <Tab>").retypes("c-42").sees("may publish on channels, messages c-42");
    it.never_sees("made later").keys("<C-s>");
    it.sees("channels    c-42").sees("messages    c-42");
    it.keys("p s <Tab> c <Tab>").retypes("c-42").keys("<C-s>");
    it.keys("p f <Tab> u <C-s>").sees("! * includes users made later");
    it.keys("<Up> <Up> d <C-s> a");
    let dump = it.store_dump();
    let scopes = "[channels:c-42:publish channels:c-42:subscribe messages:c-42:publish";
    assert!(!dump.contains(scopes), "a row was removed again: {dump}");
    assert!(dump.contains("users:*:create users:*:delete users:*:list"), "{dump}");
}

#[test]
fn a_preset_for_every_type_must_be_told_the_type_of_an_id() {
    let mut it = Journey::at(80, 24);
    it.keys("n ci <Tab> <Tab> <Tab> p f <Tab> <Tab>").retypes("c-42").keys("<C-s>");
    it.sees("choose the one of c-42").sees("c-42");
    // The keys go to where that is chosen.
    it.keys("c <C-s>").sees("channels    c-42");
    it.keys("p f <Tab> c <Tab>").retypes("").keys("<C-s>").sees("an entity is needed");
    it.keys("*").keys("<C-s> <C-s> a");
    assert_eq!(it.token("ci").scopes.len(), 9, "the star took in the one");
}

#[test]
fn a_preset_adds_to_a_token_what_it_misses() {
    let mut it = few();
    it.keys("j <Enter> p s").sees("Add a preset to ci-deploy");
    it.sees("may subscribe on any channels, messages");
    it.keys("<C-s>").sees("removed 1 narrower scope that * covers").sees("Scopes 4");
    it.keys("p s <C-s>").sees("all of this is there already: nothing to add");
    it.keys("<Esc> u").sees("Undone: ci-deploy has 3 scopes again");
}

#[test]
fn a_star_is_warned_of_in_the_detail() {
    let mut it = few();
    it.keys("j <Enter>").sees("! * includes channels, clients made later");
    it.keys("X l <Enter>").never_sees("made later");
}
