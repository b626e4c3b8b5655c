//! Two operators on one file, and a file that goes away, is replaced or is damaged under them.

use std::{fs, os::unix::fs::PermissionsExt as _};

use chrono::TimeDelta;

use super::{
    fixture::{Fixture, Place},
    journey::Journey,
};

#[test]
fn a_change_in_one_app_is_on_the_screen_of_the_other_without_a_key() {
    let mut one = Journey::on(Fixture::Few, 80, 24);
    let mut two = one.second_on_same_store();
    two.sees("[Active 2]");
    one.keys("j r <Right> <Enter>").sees("[Active 1]");
    two.comes_to_see("[Active 1]").sees("Revoked 2");
    two.keys("n from-bob <C-s> a");
    one.comes_to_see("from-bob").sees("[Active 2]");
}

#[test]
fn a_look_at_an_unchanged_store_draws_nothing() {
    let mut one = Journey::on(Fixture::Few, 80, 24);
    assert!(!one.is_disturbed());
    assert_eq!(one.draws(), 0);
    let mut two = one.second_on_same_store();
    assert!(!one.is_disturbed() && !two.is_disturbed());
    assert_eq!((one.draws(), two.draws()), (0, 0));
}

#[test]
fn a_token_that_another_operator_deletes_leaves_the_detail_with_a_word() {
    let mut one = Journey::on(Fixture::One, 80, 24);
    one.keys("<Enter>").sees("Publishes builds");
    one.second_on_same_store().keys("D ci-deploy <Enter>");
    one.comes_to_see("This token is gone: it was deleted.");
}

#[test]
fn a_dialog_on_a_token_that_is_gone_meanwhile_says_so() {
    let mut one = Journey::on(Fixture::One, 80, 24);
    one.keys("r <Right>");
    one.second_on_same_store().keys("D ci-deploy <Enter>");
    one.keys("<Enter>").sees("it was deleted meanwhile, nothing was changed");
    one.keys("<Esc>").sees("No tokens yet.");
}

#[test]
fn a_token_revoked_meanwhile_is_not_brought_back_by_a_question_about_an_active_one() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("j R").sees("Regenerate ci-deploy (active)?");
    it.second_on_same_store().keys("j r <Right> <Enter>").sees("Revoked ci-deploy");
    it.keys("<C-s>").sees("it was changed meanwhile").sees("Regenerate ci-deploy (revoked)?");
    assert!(it.store_dump().contains("revoked"));
    it.keys("<C-s> a").sees("● active").sees("was revoked, until");
}

#[test]
fn a_name_taken_meanwhile_is_refused_beside_the_field() {
    let mut one = Journey::at(80, 24);
    one.keys("n same");
    one.second_on_same_store().keys("n same <C-s> a");
    one.keys("<C-s>").sees("another token is called same");
}

#[test]
fn a_store_that_is_taken_away_is_told_without_a_key_and_read_when_it_is_back() {
    let mut it = Journey::on(Fixture::Few, 200, 24);
    let (file, aside) = (it.place.file(), it.path("aside"));
    fs::rename(&file, &aside).unwrap();
    it.comes_to_see("is gone: put it back");
    fs::rename(&aside, &file).unwrap();
    it.keys("j");
    it.second_on_same_store().keys("r <Right> <Enter>").sees("Revoked grafana");
    it.comes_to_see("[Active 1]");
}

#[test]
fn a_store_that_is_gone_is_told_in_one_sentence_and_the_app_lives() {
    let mut it = Journey::on(Fixture::One, 200, 24);
    let (file, aside) = (it.place.file(), it.path("aside"));
    fs::rename(&file, &aside).unwrap();
    it.keys("r <Right> <Enter>").sees("is gone: put it back");
    it.keys("<Esc> 4 1").sees("ci-deploy");
    fs::rename(&aside, &file).unwrap();
    it.keys("r <Right> <Enter>").sees("Revoked ci-deploy");
}

#[test]
fn a_store_that_is_replaced_is_read_anew() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    let other = Place::with(Fixture::Few);
    fs::rename(other.file(), it.place.file()).unwrap();
    it.comes_to_see("grafana").sees("All 4");
}

#[test]
fn a_store_that_is_no_store_any_more_is_told_and_the_app_lives() {
    let mut it = Journey::on(Fixture::One, 200, 24);
    let file = it.place.file();
    fs::remove_file(&file).unwrap();
    fs::write(&file, [b'x'; 8192]).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    it.keys("r <Right> <Enter>").sees("is not a patdeck store");
    it.keys("<Esc> ? <Esc>").sees("ci-deploy");
}

#[test]
fn a_clock_that_went_back_is_named_and_can_be_accepted() {
    let mut it = Journey::on(Fixture::One, 120, 24);
    it.clock_forward(TimeDelta::hours(2)).keys("e x <C-s>");
    it.clock_forward(TimeDelta::hours(-2));
    let mut again = it.second_on_same_store();
    again.resize(160, 24).sees("this machine's clock is behind the last change");
    again.keys("C").sees("judged by this machine's clock again");
    again.never_sees("is behind");
}
