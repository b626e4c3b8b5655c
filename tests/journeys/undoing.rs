//! Taking back with `u`: edits, scopes and deletes, in their order, alone and beside others.

use super::{fixture::Fixture, journey::Journey};

fn few() -> Journey {
    Journey::on(Fixture::Few, 80, 24)
}

#[test]
fn u_takes_back_what_was_done_newest_first() {
    let mut it = few();
    it.keys("j <Enter> e").retypes("ci-release").keys("<C-s>").sees("Saved ci-release");
    it.keys("a u <Tab> <Tab> l <Space> <C-s>").sees("Scopes 4");
    it.keys("j d <Right> <Enter>").sees("Scopes 3");
    it.keys("X l <Enter>").sees("no scopes: every operation is denied");
    it.keys("u").sees("Undone: ci-release has 3 scopes again").sees("Scopes 3");
    it.keys("u").sees("Undone: ci-release has 4 scopes again").sees("Scopes 4");
    it.keys("u").sees("Undone: ci-release has 3 scopes again").sees("Scopes 3");
    it.keys("u").sees("Undone: ci-release is called ci-deploy again");
    it.keys("u").sees("nothing can be brought back");
    assert!(it.store_dump().contains("undone ci-deploy by alice: name was ci-release"));
}

#[test]
fn u_works_on_the_list_for_what_was_done_in_the_detail() {
    let mut it = few();
    it.keys("j <Enter> e <Tab>").types(" and signs them").keys("<C-s>");
    it.keys("<Esc> u").sees("Undone: the description of ci-deploy is as before");
    assert_eq!(it.token("ci-deploy").description.as_str(), "Publishes builds");
}

#[test]
fn what_cannot_be_taken_back_says_so_before_anything_older_is() {
    let mut it = few();
    it.keys("j e").retypes("ci-release").keys("<C-s> r <Right> <Enter>");
    it.sees("Revoked ci-release. Its secret no longer works; R issues a new one.");
    it.keys("u").sees("Can't undo: the secret of ci-release can't be restored");
    it.sees("Revoked 2");
    it.keys("u").sees("Undone: ci-release is called ci-deploy again").sees("Revoked 2");
}

#[test]
fn neither_a_new_secret_nor_a_new_token_is_taken_back() {
    let mut it = few();
    it.keys("j R <Tab> <Right> <Tab> <Right> <Enter> a u");
    it.sees("the previous secret of ci-deploy can't be restored");
    it.keys("1 n fresh <C-s> a u").sees("fresh was created; press D to delete it");
    it.keys("D fresh <Enter>").sees("Deleted fresh");
    it.keys("u").sees("Restored fresh");
}

#[test]
fn new_secrets_of_many_are_named_though_their_dialog_told_that_it_was_done() {
    let mut it = few();
    it.keys("j D ci-deploy <Enter>").sees("Deleted ci-deploy");
    let file = it.path("new.tsv");
    it.keys("F * R <Tab> <Tab>").retypes(file.to_str().unwrap());
    it.keys("<Enter> <Enter> 3 <Enter>").sees("Wrote 3 new secrets to").keys("<Enter>");
    it.keys("u").sees("the previous secret of 3 tokens can't be restored");
}

#[test]
fn what_a_colleague_changed_since_stays() {
    let mut it = few();
    it.keys("j <Enter> a u <Tab> <Tab> l <Space> <C-s>").sees("Scopes 4");
    let mut other = it.second_on_same_store();
    other.keys("j <Enter> j j d <Right> <Enter>").sees("Scopes 3");
    it.comes_to_see("Scopes 3");
    it.keys("u").sees("the scopes of ci-deploy changed again since: nothing was undone");
    it.sees("Scopes 3");
}

#[test]
fn a_colleagues_delete_is_theirs_to_take_back() {
    let mut it = few();
    let mut other = it.second_on_same_store();
    other.keys("j D ci-deploy <Enter>").sees("Deleted ci-deploy");
    it.comes_to_see("[Active 1]");
    it.keys("u").sees(
        "nothing of yours to undo; `patdeck restore` brings back ci-deploy, which bob deleted",
    );
    other.keys("u").sees("Restored ci-deploy");
}

#[test]
fn a_delete_of_an_earlier_run_comes_back() {
    let mut it = few();
    it.keys("j D ci-deploy <Enter>").sees("[Active 1]");
    let mut later = it.again();
    later.sees("[Active 1]").keys("u").sees("Restored ci-deploy").sees("[Active 2]");
}

#[test]
fn a_detail_whose_token_was_deleted_brings_it_back_in_place() {
    let mut it = few();
    it.keys("j <Enter> D ci-deploy <Enter> 3").sees("This token is gone");
    it.keys("u").sees("Restored ci-deploy").sees("Scopes 3");
}
