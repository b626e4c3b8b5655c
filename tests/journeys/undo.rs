//! Undo of edits, scope changes and deletes, alone and with concurrent changes.

use super::{fixture::Fixture, journey::Journey};

fn few() -> Journey {
    Journey::on(Fixture::Few, 80, 24)
}

#[test]
fn undo_reverts_changes_newest_first() {
    let mut it = few();
    it.keys("j <Enter> e").retypes("ci-release").keys("<C-s>").sees("Saved ci-release");
    it.keys("a u <Tab> <Tab> l <Space> <C-s>").sees("Scopes 4");
    it.keys("j d <Right> <Enter>").sees("Scopes 3");
    it.keys("X l <Enter>").sees("no scopes: every operation is denied");
    it.keys("u").sees("Undone: ci-release has 3 scopes again").sees("Scopes 3");
    it.keys("u").sees("Undone: ci-release has 4 scopes again").sees("Scopes 4");
    it.keys("u").sees("Undone: ci-release has 3 scopes again").sees("Scopes 3");
    it.keys("u").sees("Undone: ci-release is named ci-deploy again");
    it.keys("u").sees("nothing to undo: no token was deleted");
    assert!(it.store_dump().contains("undone ci-deploy by alice: name was ci-release"));
}

#[test]
fn undo_in_the_list_reverts_a_change_in_the_detail() {
    let mut it = few();
    it.keys("j <Enter> e <Tab>").types(" and signs them").keys("<C-s>");
    it.keys("<Esc> u").sees("Undone: restored the description of ci-deploy");
    assert_eq!(it.token("ci-deploy").description.as_str(), "Publishes builds");
}

#[test]
fn an_irreversible_change_is_reported_before_older_undos() {
    let mut it = few();
    it.keys("j e").retypes("ci-release").keys("<C-s> r <Right> <Enter>");
    it.sees("Revoked ci-release. Its secret no longer works.").never_sees("press R");
    it.keys("u").sees("Can't undo: the secret of ci-release can't be restored");
    it.sees("Revoked 2");
    it.keys("u").sees("Undone: ci-release is named ci-deploy again").sees("Revoked 2");
}

#[test]
fn new_secrets_and_new_tokens_cannot_be_undone() {
    let mut it = few();
    it.keys("j R <Tab> <Right> <Tab> <Right> <Enter> a u");
    it.sees("the old secret of ci-deploy can't be restored");
    it.keys("1 n fresh <C-s> a u").sees("fresh was created; delete it instead");
    it.keys("D fresh <Enter>").sees("Deleted fresh");
    it.keys("u").sees("Restored fresh");
}

#[test]
fn a_bulk_regenerate_cannot_be_undone() {
    let mut it = few();
    it.keys("j D ci-deploy <Enter>").sees("Deleted ci-deploy");
    let file = it.path("new.tsv");
    it.keys("F * R <Tab> <Tab>").retypes(file.to_str().unwrap());
    it.keys("<Enter> <Enter> 3 <Enter>").sees("Wrote 3 new secrets to").keys("<Enter>");
    it.keys("u").sees("the old secret of 3 tokens can't be restored");
}

#[test]
fn undo_refuses_to_overwrite_a_later_change() {
    let mut it = few();
    it.keys("j <Enter> a u <Tab> <Tab> l <Space> <C-s>").sees("Scopes 4");
    let mut other = it.second_on_same_store();
    other.keys("j <Enter> j j d <Right> <Enter>").sees("Scopes 3");
    it.waits_for("Scopes 3");
    it.keys("u").sees("cannot undo: the scopes of ci-deploy has changed again");
    it.sees("Scopes 3");
}

#[test]
fn undo_never_restores_the_delete_of_another_operator() {
    let mut it = few();
    let mut other = it.second_on_same_store();
    other.keys("j D ci-deploy <Enter>").sees("Deleted ci-deploy");
    it.waits_for("[Active 1]");
    it.keys("u").sees(
        "you have deleted no token: bob deleted ci-deploy; to restore it, run `patdeck restore` with its name",
    );
    other.keys("u").sees("Restored ci-deploy");
}

#[test]
fn undo_restores_a_delete_of_an_earlier_run() {
    let mut it = few();
    it.keys("j D ci-deploy <Enter>").sees("[Active 1]");
    let mut later = it.restarted();
    later.sees("[Active 1]").keys("u").sees("Restored ci-deploy").sees("[Active 2]");
}

#[test]
fn undo_in_the_detail_restores_the_deleted_token() {
    let mut it = few();
    it.keys("j <Enter> D ci-deploy <Enter> 3").sees("This token was deleted");
    it.keys("u").sees("Restored ci-deploy").sees("Scopes 3");
}
