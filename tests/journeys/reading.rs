//! The read-only app: shows everything, offers no change, and makes none.

use patdeck::keymap::{Action, BINDINGS, Mode, Sequence};

use super::{
    fixture::Fixture,
    journey::{Journey, pressed},
};

#[test]
fn no_changing_key_is_offered_or_does_anything() {
    let mut it = Journey::reading(Fixture::Few, 120, 40);
    let before = std::fs::read(it.place.file()).unwrap();
    let changing = |mode| {
        BINDINGS.iter().filter(move |binding| binding.mode == mode && binding.action.changes())
    };
    for (mode, keys) in [(Mode::Tokens, "1 j"), (Mode::Detail, "3"), (Mode::Global, "4")] {
        for binding in changing(mode).filter(|binding| binding.action != Action::AcceptClock) {
            it.keys(keys).keys("?").never_sees(binding.help).keys("<Esc>");
            it.keys(":").types(binding.help).sees("No command is called so").keys("<Esc>");
            for key in binding.keys.iter().flat_map(|keys| keys.parse::<Sequence>()) {
                for key in key.keys() {
                    it.press(pressed(*key));
                }
                it.sees("patdeck runs read-only: nothing can be changed");
                it.never_sees("Cancel").keys("<Esc>");
            }
        }
    }
    assert_eq!(std::fs::read(it.place.file()).unwrap(), before);
}

#[test]
fn footer_tabs_and_words_offer_no_change() {
    let mut it = Journey::reading(Fixture::Few, 120, 24);
    it.sees("read-only").never_sees("2 Create").never_sees("n new").never_sees("r revoke");
    it.keys("<Tab>").sees("Scopes 0").keys("<Tab>").sees("chain verified");
    it.keys("<Tab>").sees("[Active 2]");
    it.keys("j <Enter> T <Tab> <Tab> r").sees("denied").never_sees("Ctrl-S");
    it.keys("<C-s>").sees("patdeck runs read-only").sees("What may ci-deploy do?");
    let mut empty = Journey::reading(Fixture::Empty, 80, 24);
    empty.sees("No tokens yet.").never_sees("Press n");
    let mut left = Journey::reading(Fixture::Unclaimed, 80, 24);
    left.sees("was never confirmed as saved").never_sees("regenerates it");
}

#[test]
fn what_reads_works_as_ever_and_follows_others() {
    let mut it = Journey::reading(Fixture::Few, 80, 24);
    it.keys("/ graf <Enter> y n").keys("y j y c");
    assert_eq!(it.sent().len(), 3);
    it.keys("<Esc>");
    let mut other = it.second_on_same_store();
    other.keys("j r <Right> <Enter>");
    it.comes_to_see("Revoked 2");
}
