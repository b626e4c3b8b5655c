//! Read-only mode: shows everything, offers no change, and makes none.

use patdeck::keymap::{Action, BINDINGS, KeySequence, Mode};

use super::{
    fixture::Fixture,
    journey::{Journey, key_event},
};

#[test]
fn no_changing_key_is_offered_or_has_an_effect() {
    let mut it = Journey::read_only(Fixture::Few, 120, 40);
    let before = std::fs::read(it.store.file()).unwrap();
    let changing = |mode| {
        BINDINGS
            .iter()
            .filter(move |binding| binding.mode == mode && binding.action.changes_store())
    };
    for (mode, keys) in [(Mode::Tokens, "1 j"), (Mode::Detail, "3"), (Mode::Global, "4")] {
        for binding in changing(mode).filter(|binding| binding.action != Action::AcceptClock) {
            it.keys(keys).keys("?").never_sees(binding.help).keys("<Esc>");
            it.keys(":").types(binding.help).sees("No command matches").keys("<Esc>");
            for key in binding.keys.iter().flat_map(|keys| keys.parse::<KeySequence>()) {
                it.keys(keys);
                for key in key.keys() {
                    it.press(key_event(*key));
                }
                it.sees("Read-only mode: nothing can be changed");
                it.never_sees("Cancel").keys("<Esc>");
            }
        }
    }
    assert_eq!(std::fs::read(it.store.file()).unwrap(), before);
}

#[test]
fn footer_tabs_and_messages_offer_no_change() {
    let mut it = Journey::read_only(Fixture::Few, 120, 24);
    it.sees("read-only").never_sees("2 Create").never_sees("n new").never_sees("r revoke");
    it.keys("<Tab>").sees("Scopes 0").keys("<Tab>").sees("Chain verified");
    it.keys("<Tab>").sees("Needs attention").keys("<Tab>").sees("[Active 2]");
    it.keys("j <Enter> T <Tab> <Tab> r").sees("Denied").never_sees("Ctrl-S");
    it.keys("<C-s>").sees("Read-only mode").sees("What may ci-deploy do?");
    let mut empty = Journey::read_only(Fixture::Empty, 80, 24);
    empty.sees("No tokens yet.").never_sees("Press n");
    let mut left = Journey::read_only(Fixture::Undelivered, 80, 24);
    left.sees("may be lost").never_sees("regenerates it");
}

#[test]
fn reading_and_live_updates_still_work() {
    let mut it = Journey::read_only(Fixture::Few, 80, 24);
    it.keys("/ graf <Enter> y n").keys("y j y c");
    assert_eq!(it.copied_texts().len(), 3);
    it.keys("<Esc>");
    let mut other = it.second_on_same_store();
    other.keys("j r <Right> <Enter>");
    it.waits_for("Revoked 2");
}
