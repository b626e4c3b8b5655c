//! Labels and owner in the app: fields of the create form and the edit dialog, the detail, the
//! columns of wide lists, clones, undo, and bulk changes by label.

use patdeck::{
    domain::{Description, LimitChanges, Name, NewToken, Owner},
    testing::ServiceTestExt as _,
};

use super::{fixture::Fixture, journey::Journey};

fn few() -> Journey {
    Journey::on(Fixture::Few, 120, 40)
}

/// Creates a token with these labels and this owner by another process.
fn create(it: &Journey, name: &str, labels: &str, owner: &str) {
    let token = NewToken {
        name: Name::parse(name).unwrap(),
        description: Description::default(),
        lifetime: "30d".parse().unwrap(),
        scopes: vec!["channels:*:publish".parse().unwrap()],
        limits: LimitChanges::default(),
        labels: labels.parse().unwrap(),
        owner: Owner::parse(owner).unwrap(),
    };
    it.service().create(&token).unwrap();
}

fn labels_of(it: &Journey, name: &str) -> String {
    it.token(name).labels.to_string()
}

/// Moves from the name to the labels of the create form, over lifetime, description, scopes and limits,
/// and opens them.
const TO_LABELS: &str = "<Tab> <Tab> <Tab> <Tab> <Tab> <Enter>";

#[test]
fn a_token_is_created_with_labels_and_owner() {
    let mut it = few();
    it.keys("n gate").sees("none; owned by you").keys(TO_LABELS);
    it.sees("KEY=VALUE with commas between, e.g. team=edge, env=prod");
    it.types("team=edge, Env=prod").keys("<Tab>").sees("owner: a person or a team. Empty: you");
    it.types("Ann Berg").sees("--owner 'Ann Berg' --label Env=prod --label team=edge");
    it.keys("<Tab>").sees("team=edge, Env=prod; owned by Ann Berg");
    it.keys("<C-s>").sees("Secret of gate").keys("a");
    assert_eq!(labels_of(&it, "gate"), "Env=prod, team=edge");
    assert_eq!(it.token("gate").owner.as_str(), "Ann Berg");
    it.keys("1 g <Enter>").sees("Owner      Ann Berg").sees("Labels     Env=prod, team=edge");
}

#[test]
fn invalid_labels_are_shown_and_nothing_is_created() {
    let mut it = few();
    // A text that is being typed is incomplete, not invalid.
    it.keys("n x").keys(TO_LABELS).types("team").sees("KEY=VALUE with commas between");
    it.keys("<S-Tab>").sees("! invalid label `team`: use KEY=VALUE, e.g. team=edge");
    it.keys("<C-s>").sees("invalid label `team`").types("=a, TEAM=b");
    it.keys("<C-s>").sees("label TEAM is given more than once: use each key once");
    it.keys("<C-u>").types("team=a").keys("<Tab>").types(&"x".repeat(129)).keys("<C-s>");
    it.sees("too long (129 characters): use at most 128 characters");
    it.keys("<C-s>").never_sees("Secret of x").keys("<C-u> <C-s>").sees("Secret of x");
}

#[test]
fn labels_and_owner_are_edited_removed_and_undone() {
    let mut it = few();
    it.keys("j e").sees("none; owned by alice").keys("<Tab> <Tab> <Tab>");
    it.types("team=edge, env=prod").keys("<Tab>").sees("Empty: alice").types("Ann");
    it.keys("<C-s>").sees("Saved ci-deploy");
    // Only the changed label is part of the command.
    it.keys("e <Tab> <Tab> <Tab> <C-u>").types("team=core");
    it.sees("--label team=core --remove-label env").never_sees("--owner");
    it.keys("<C-s>").sees("Saved ci-deploy");
    assert_eq!(labels_of(&it, "ci-deploy"), "team=core");
    it.keys("u").sees("Undone: ci-deploy has its previous labels again.");
    assert_eq!(labels_of(&it, "ci-deploy"), "env=prod, team=edge");
    it.keys("e <Tab> <Tab> <Tab> <Enter> <Tab> <C-u>").sees("--owner ''").keys("<C-s>");
    it.sees("Saved ci-deploy").keys("u").sees("Undone: ci-deploy belongs to Ann again.");
    it.keys("u").sees("previous labels again");
    assert_eq!(labels_of(&it, "ci-deploy"), "");
    assert_eq!(it.token("ci-deploy").owner_text(), "alice");
}

#[test]
fn an_unsaved_label_needs_a_second_escape() {
    let mut it = few();
    it.keys("j e <Tab> <Tab> <Tab>").types("a=b").keys("<Esc>").sees("Not saved.");
    it.keys("<Esc>").never_sees("Edit ci-deploy");
    assert_eq!(labels_of(&it, "ci-deploy"), "");
}

#[test]
fn a_clone_copies_labels_and_owner() {
    let mut it = few();
    create(&it, "gate", "team=edge", "Ann");
    it.waits_for("gate").keys("g c").sees("team=edge; owned by Ann");
    it.keys("<C-s>").sees("Secret of gate-2").keys("a");
    assert_eq!(labels_of(&it, "gate-2"), "team=edge");
    assert_eq!(it.token("gate-2").owner.as_str(), "Ann");
}

#[test]
fn a_bulk_change_by_label_reaches_no_other_value() {
    let mut it = few();
    for (name, labels) in [("g1", "team=edge"), ("g2", "TEAM=Edge"), ("g3", "team=edge-nord")] {
        create(&it, name, labels, "");
    }
    it.waits_for("g3").keys("/").types("label:team=edge").sees("[Active 2]");
    it.keys("<Enter> *").sees("2 marked").keys("r").sees("Revoke 2 tokens?");
    it.types("2").keys("<Enter>").sees("Revoked 2 tokens.");
    let is_revoked = |name| it.token(name).revoked.is_some();
    assert_eq!(["g1", "g2", "g3", "ci-deploy"].map(is_revoked), [true, true, false, false]);
}

#[test]
fn wide_lists_show_the_owner_and_then_the_labels() {
    let mut it = Journey::on(Fixture::Few, 149, 40);
    create(&it, "gate", "team=edge, env=prod", "Ann Berg");
    it.waits_for("gate").never_sees("Owner");
    it.resize(150, 40).sees("Owner").sees("Ann Berg").sees("alice");
    it.resize(200, 40).sees("Owner").sees("Labels").sees("env=prod, team=edge");
}

#[test]
fn labels_fit_on_small_screens() {
    for (width, height) in [(80, 24), (60, 16), (40, 10)] {
        let mut it = Journey::on(Fixture::Few, width, height);
        it.keys("n labelled").keys(TO_LABELS).types("team=edge");
        it.sees("labels").sees("team=edge").keys("<Tab>").types("Ann").sees("owner");
        it.keys("<C-s>").sees("labelled").keys("a");
        assert_eq!(labels_of(&it, "labelled"), "team=edge");
        it.keys("1 g e <Tab> <Tab> <Tab> <Enter>").sees("team=edge").keys("<Tab>").sees("Ann");
    }
}
