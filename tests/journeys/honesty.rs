//! The table of keys is honest: each of its keys does something in a fitting place of its mode.

use patdeck::keymap::{Action, BINDINGS, Binding, Mode, Sequence};

use super::{
    fixture::Fixture,
    journey::{Journey, pressed},
};

/// Where `binding` has something to do: a store, a height, and the keys that lead there.
fn place(binding: &Binding) -> (Fixture, u16, &'static str) {
    let few = |keys| (Fixture::Few, 24, keys);
    match (binding.mode, binding.action) {
        // A move needs rows on both sides of the selected one.
        (Mode::List, _) => (Fixture::Many, 24, "F <C-d> <C-d>"),
        (Mode::Search, _) => (Fixture::Many, 24, "j j / e"),
        (Mode::Tokens, Action::Back) => few("/ c <Enter>"),
        (Mode::Global, Action::TokensTab) | (Mode::Audit, _) => few("4"),
        (Mode::Always | Mode::Global | Mode::Tokens, _) => few("j"),
        (Mode::Detail, _) => few("j <Enter>"),
        (Mode::Form, Action::PreviousField) => few("n <Tab>"),
        (Mode::Form, _) => few("n"),
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

/// Keys that rightly do nothing in the fixtures.
fn is_excepted(binding: &Binding) -> bool {
    // Only where the clock had gone back; `sharing` has that journey.
    binding.action == Action::AcceptClock
}

/// Everything that a key can change: the app, the screen, the bytes sent, the shell asked for,
/// the end.
fn world(it: &Journey) -> String {
    let display = &it.event_loop.display;
    format!(
        "{:?}\n{}\n{} {} {} {}",
        it.event_loop.app,
        it.screen(),
        it.sent().len(),
        display.repaints,
        display.suspends,
        it.event_loop.is_over()
    )
}

#[test]
fn every_key_of_the_table_does_something_where_it_is_listed() {
    let mut idle = Vec::new();
    for binding in BINDINGS.iter().filter(|binding| !is_excepted(binding)) {
        let (fixture, height, keys) = place(binding);
        for sequence in binding.keys {
            let mut it = Journey::on(fixture, 80, height);
            it.keys(keys);
            let before = world(&it);
            for key in sequence.parse::<Sequence>().unwrap().keys() {
                it.press(pressed(*key));
            }
            if world(&it) == before {
                idle.push(format!("{} in {}: {}", sequence, binding.mode.as_str(), binding.help));
            }
        }
    }
    assert_eq!(idle, Vec::<String>::new());
}

#[test]
fn a_key_that_is_not_in_the_table_does_nothing() {
    for keys in ["", "<Enter>", "4", "r", "R <Enter> <Enter> <Right> <Enter>"] {
        let mut it = Journey::on(Fixture::Few, 80, 24);
        it.keys(keys);
        let before = world(&it);
        it.keys("Z <C-a> <C-b> <Insert> <C-x>");
        assert_eq!(world(&it), before, "after `{keys}`");
    }
}
