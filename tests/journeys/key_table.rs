//! Every key in the binding table has an effect in its mode, and no other key does.

use patdeck::keymap::{Action, BINDINGS, KeyBinding, KeySequence, Mode};

use super::{
    fixture::Fixture,
    journey::{Journey, key_event},
};

/// A context in which `binding` has an effect: fixture, screen height, and the keys that lead
/// there.
fn working_context(binding: &KeyBinding) -> (Fixture, u16, &'static str) {
    let few = |keys| (Fixture::Few, 24, keys);
    match (binding.mode, binding.action) {
        // A movement needs rows above and below the selected one.
        (Mode::List, _) => (Fixture::Many, 24, "F <C-d> <C-d>"),
        (Mode::Search, Action::TakeTerm) => few("/ a = b"),
        (Mode::Search, _) => (Fixture::Many, 24, "j j / e"),
        (_, Action::GoToLostSecret) => (Fixture::Undelivered, 24, ""),
        (Mode::Tokens, Action::Back) => few("/ c <Enter>"),
        (Mode::Global, Action::TokensTab) | (Mode::Audit, _) => few("4"),
        (Mode::Overview, _) => few("5"),
        (Mode::Always | Mode::Global | Mode::Tokens, _) => few("j"),
        (Mode::Detail, _) => few("j <Enter>"),
        (Mode::Form, Action::PreviousField | Action::Up) => few("n <Tab>"),
        (Mode::Form | Mode::Create, _) => few("n"),
        (Mode::Rows, _) => few("n <Tab> <Tab> <Tab> a r <Tab> <Tab> r <Space> <C-s>"),
        (Mode::Ask, _) => few("r"),
        (Mode::Confirm, _) => few("D"),
        (Mode::Bulk, Action::Up | Action::PageUp) => (Fixture::Many, 24, "F * D <PgDn>"),
        (Mode::Bulk, _) => (Fixture::Many, 24, "F * D"),
        (Mode::Secret, _) => few("R <Enter> <Enter> <Right> <Enter>"),
        (Mode::Menu, Action::Up | Action::PageUp) => (Fixture::Few, 16, "? <PgDn>"),
        (Mode::Menu, _) => (Fixture::Few, 16, "?"),
    }
}

/// Bindings that correctly have no effect with these fixtures.
fn is_excepted(binding: &KeyBinding) -> bool {
    // Works only after the clock went back; `shared_store` tests it.
    binding.action == Action::AcceptClock
}

/// Everything that a key can change: app state, screen, clipboard, repaints, suspends and exit.
fn observable_state(it: &Journey) -> String {
    let display = &it.event_loop.display;
    format!(
        "{:?}\n{}\n{} {} {} {}",
        it.event_loop.app,
        it.screen(),
        it.copied_texts().len(),
        display.repaint_count,
        display.suspend_count,
        it.event_loop.is_over()
    )
}

#[test]
fn every_listed_key_has_an_effect() {
    let mut idle = Vec::new();
    for binding in BINDINGS.iter().filter(|binding| !is_excepted(binding)) {
        let (fixture, height, keys) = working_context(binding);
        for sequence in binding.keys {
            let mut it = Journey::on(fixture, 80, height);
            it.keys(keys);
            let before = observable_state(&it);
            for key in sequence.parse::<KeySequence>().unwrap().keys() {
                it.press(key_event(*key));
            }
            if observable_state(&it) == before {
                idle.push(format!("{} in {}: {}", sequence, binding.mode.as_str(), binding.help));
            }
        }
    }
    assert_eq!(idle, Vec::<String>::new());
}

#[test]
fn an_unlisted_key_does_nothing() {
    for keys in ["", "<Enter>", "4", "r", "R <Enter> <Enter> <Right> <Enter>"] {
        let mut it = Journey::on(Fixture::Few, 80, 24);
        it.keys(keys);
        let before = observable_state(&it);
        it.keys("Z <C-a> <C-b> <Insert> <C-x>");
        assert_eq!(observable_state(&it), before, "after `{keys}`");
    }
}
