//! Protection against stray keys, misplaced pastes and incomplete frames.

use chrono::TimeDelta;

use super::{fixture::Fixture, journey::Journey};

#[test]
fn quitting_with_a_draft_needs_a_second_q() {
    let mut it = Journey::at(80, 24);
    it.keys("n draft <Esc> q").sees("The create form has a draft");
    it.clock_forward(TimeDelta::seconds(10));
    it.keys("q").sees("The create form has a draft");
    it.exits_after("q");
    let mut clean = Journey::at(80, 24);
    clean.exits_after("q");
}

#[test]
fn ctrl_c_cancels_and_quits_when_pressed_twice() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("r <C-c>").never_sees("Revoke ci-deploy?");
    it.sees("Cancelled. Press Ctrl-C again to quit");
    it.clock_forward(TimeDelta::seconds(10)).keys("<C-c>");
    it.exits_after("<C-c>");
}

#[test]
fn a_clock_set_back_makes_no_press_a_repetition() {
    let mut it = Journey::on(Fixture::One, 80, 24);
    it.keys("<C-c>").sees("Cancelled. Press Ctrl-C again to quit");
    it.clock_forward(TimeDelta::hours(-1)).sees("Cancelled.");
    it.clock_forward(TimeDelta::seconds(4)).never_sees("Cancelled.");
    it.keys("<C-c>").sees("Cancelled. Press Ctrl-C again to quit");
    it.keys("n draft <Esc> q").sees("The create form has a draft");
    it.clock_forward(TimeDelta::hours(-1)).clock_forward(TimeDelta::seconds(4));
    it.keys("q").sees("The create form has a draft");
}

#[test]
fn ctrl_c_then_q_keeps_a_draft() {
    let mut it = Journey::at(80, 24);
    it.keys("n draft <Esc> <C-c> q").sees("The create form has a draft");
    it.keys("<C-c> q").sees("The create form has a draft");
    it.keys("<C-c>").sees("Cancelled. Press Ctrl-C again to quit");
    it.keys("j <C-c>").sees("Cancelled. Press Ctrl-C again to quit");
}

#[test]
fn esc_never_quits_the_app() {
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
    for keys in ["1", "3", "4", "1 r", "<Esc> D", "<Esc> ?", "<Esc> R"] {
        it.keys(keys).paste("Dci-deploy\rX4\rq");
        it.sees("Paste ignored").sees("4 Audit");
    }
    assert_eq!(it.store_dump(), before);
}

#[test]
fn a_paste_into_a_field_is_cleaned_and_not_submitted() {
    let mut it = Journey::at(80, 24);
    it.keys("n").paste("pro\u{1b}[31md\u{202e}-ci\r\n");
    it.sees("prod-ci").never_sees("[31m").sees("Name *");
    it.keys("<Tab> <Tab>").paste("one\r\ntwo").keys("<C-s> a");
    assert_eq!(it.token("prod-ci").description.as_str(), "one\ntwo");
}

#[test]
fn the_terminal_matches_the_drawn_screen() {
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
        assert_eq!(it.terminal_text(), it.screen(), "after {step}");
    }
}

#[test]
fn a_too_small_screen_shows_a_message_and_can_quit() {
    let mut it = Journey::at(39, 9);
    it.sees("39x9 is too small");
    it.exits_after("q");
}

#[test]
fn a_key_that_does_not_continue_a_sequence_acts_on_its_own() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("r y <Right> <Enter>").sees("Revoked grafana.");
    it.keys("y j <Esc>").keys("y <Esc>").sees("[Active 1]");
    it.keys("y <C-c>").sees("Cancelled. Press Ctrl-C again to quit");
    it.keys("y /").types("y").sees("/y");
}

#[test]
fn leaving_a_question_says_that_nothing_happened() {
    let mut it = Journey::on(Fixture::Few, 80, 24);
    it.keys("r <Esc>").sees("Not revoked.").keys("r <Enter>").sees("Not revoked.");
    it.keys("D <Esc>").sees("Not deleted.").keys("R <Esc>").sees("Not regenerated.");
    it.keys("X").sees("type the count:").never_sees("or id").keys("<Esc>").sees("Not deleted.");
    it.keys("<Space> <Space> r <Esc>").sees("Not revoked.");
    it.keys("<Esc> R <Tab> <Tab> <Enter>").sees("Not regenerated.");
}

#[test]
fn quitting_with_changes_of_scopes_needs_a_second_q() {
    let mut it = Journey::on(Fixture::Many, 80, 24);
    it.keys("<Enter>").sees("Esc back").keys("<Space>").never_sees("Esc back");
    it.sees("3 Detail\u{2022}").keys("q");
    it.sees("has changes of scopes that are not applied. Press q again to quit and discard them.");
    it.keys("<Esc> <Esc>").never_sees("3 Detail\u{2022}").keys("<Space> 1 j <Enter>");
    // Changes of another token do not replace those of the first.
    it.keys("<Space>").sees("1 removed").keys("<Esc> <Esc>").sees("Discarded");
    it.sees("3 Detail\u{2022}").keys("<Esc> k <Enter>").sees("1 removed").keys("q");
    it.exits_after("q");
}

#[test]
fn a_small_screen_shows_the_consequence_and_the_last_use() {
    let mut it = Journey::on(Fixture::Few, 40, 10);
    it.keys("j r").sees("Its secret stops working at once").sees("Last used 5 min ago.");
    it.keys("<Esc> D").sees("u undoes it within 24 hours.").sees("Last used 5 min ago.");
    it.keys("<Esc> R").sees("Last used 5 min ago.").sees("Lifetime");
}
