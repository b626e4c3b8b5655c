//! What protects an operator from a stray key, a paste in the wrong place, a broken frame.

use chrono::TimeDelta;

use super::{fixture::Fixture, journey::Journey};

#[test]
fn q_guards_a_draft_and_the_second_q_ends() {
    let mut it = Journey::at(80, 24);
    it.keys("n draft <Esc> q").sees("the create form holds a draft");
    it.clock_forward(TimeDelta::seconds(10));
    it.keys("q").sees("the create form holds a draft");
    it.ends_with("q");
    let mut clean = Journey::at(80, 24);
    clean.ends_with("q");
}

#[test]
fn ctrl_c_cancels_and_pressed_twice_ends() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("r <C-c>").never_sees("Revoke ci-deploy?");
    it.sees("cancelled: Ctrl-C once more quits");
    it.clock_forward(TimeDelta::seconds(10)).keys("<C-c>");
    it.ends_with("<C-c>");
}

#[test]
fn esc_never_ends_the_app() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    for tab in ["1", "2", "3", "4"] {
        it.keys(tab).keys("<Esc> <Esc> <Esc> <Esc>");
        it.sees("[Active 1]");
    }
}

#[test]
fn a_paste_outside_a_field_changes_nothing() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    let before = it.store_dump();
    for place in ["1", "3", "4", "1 r", "<Esc> D", "<Esc> ?", "<Esc> R"] {
        it.keys(place).paste("Dci-deploy\rX4\rq");
        it.sees("nothing was pasted").sees("4 Audit");
    }
    assert_eq!(it.store_dump(), before);
}

#[test]
fn a_paste_into_a_field_is_cleaned_and_submits_nothing() {
    let mut it = Journey::at(80, 24);
    it.keys("n").paste("pro\u{1b}[31md\u{202e}-ci\r\n");
    it.sees("prod-ci").never_sees("[31m").sees("Name *");
    it.keys("<Tab> <Tab>").paste("one\r\ntwo").keys("<C-s> a");
    assert_eq!(it.token("prod-ci").description.as_str(), "one\ntwo");
}

#[test]
fn the_terminal_shows_what_was_drawn_after_a_long_journey() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    let steps = [
        "<C-d> j j",
        "f",
        "r <Right>",
        "<Esc> ?",
        "<Down> <Esc>",
        "/ ci",
        "<Esc> <Enter>",
        "4 G",
        "2 a b c",
        "<Esc> t t",
        "<C-l>",
        "n <C-s>",
        "<Esc> 1 R",
        "<Esc> y",
        "n",
    ];
    for step in steps {
        it.keys(step);
        assert_eq!(it.on_the_terminal(), it.screen(), "after {step}");
    }
}

#[test]
fn a_screen_that_is_too_small_says_so_and_still_quits() {
    let mut it = Journey::at(39, 9);
    it.sees("39x9 is too small");
    it.ends_with("q");
}
