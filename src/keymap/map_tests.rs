//! The lookup by examples, the overrides with all their faults, and the rules of the table.

use super::*;
use crate::keymap::{KeyError, Override};

fn press(text: &str) -> Vec<Key> {
    text.parse::<Sequence>().unwrap().keys().to_vec()
}

fn line(mode: &str, action: &str, keys: &[&str]) -> Override {
    Override {
        mode: mode.into(),
        action: action.into(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn faults(lines: &[Override]) -> Vec<String> {
    let faults = Keymap::new(lines).unwrap_err();
    faults.into_iter().map(|(at, fault)| format!("{at}: {fault}")).collect()
}

#[test]
fn the_nearest_mode_that_knows_a_key_decides() {
    let map = Keymap::default();
    let found = |mode, text| map.resolve(mode, &press(text));
    assert_eq!(found(Mode::Tokens, "n"), Resolved::Act(Action::New));
    assert_eq!(found(Mode::Tokens, "j"), Resolved::Act(Action::Down));
    assert_eq!(found(Mode::Tokens, "q"), Resolved::Act(Action::Quit));
    assert_eq!(found(Mode::Tokens, "Ctrl-C"), Resolved::Act(Action::Interrupt));
    assert_eq!(found(Mode::Ask, "q"), Resolved::Act(Action::Cancel));
    assert_eq!(found(Mode::Search, "q"), Resolved::Nothing, "it is text there");
    assert_eq!(found(Mode::Rows, "Enter"), Resolved::Act(Action::ChangeRow));
    assert_eq!(map.resolve(Mode::Tokens, &[]), Resolved::Nothing);
}

#[test]
fn a_sequence_waits_for_its_next_key() {
    let map = Keymap::default();
    let found = |text| map.resolve(Mode::Tokens, &press(text));
    assert_eq!(found("y"), Resolved::Prefix);
    assert_eq!(found("y i"), Resolved::Act(Action::CopyId));
    assert_eq!(found("y q"), Resolved::Nothing);
    let next = map.continuations(Mode::Tokens, &press("y"));
    let next: Vec<_> =
        next.iter().map(|(key, binding)| format!("{key} {}", binding.hint)).collect();
    assert_eq!(next, ["i copy id", "n copy name", "c copy command", "j copy JSON"]);
}

#[test]
fn a_beginning_in_a_nearer_mode_hides_a_key_of_a_farther_one() {
    let map = Keymap::new(&[line("tokens", "new", &["t n"])]).unwrap();
    assert_eq!(map.resolve(Mode::Tokens, &press("t")), Resolved::Prefix);
    assert_eq!(map.resolve(Mode::Audit, &press("t")), Resolved::Act(Action::Times));
}

#[test]
fn an_override_replaces_the_keys_of_its_action_in_its_mode_only() {
    let map =
        Keymap::new(&[line("tokens", "revoke", &["K", "K"]), line("list", "times", &[])]).unwrap();
    assert_eq!(map.resolve(Mode::Tokens, &press("K")), Resolved::Act(Action::Revoke));
    assert_eq!(map.resolve(Mode::Tokens, &press("r")), Resolved::Nothing);
    assert_eq!(map.resolve(Mode::Detail, &press("r")), Resolved::Act(Action::Revoke));
    assert_eq!(map.resolve(Mode::Tokens, &press("t")), Resolved::Nothing);
    assert_eq!(map.keys(Mode::Tokens, Action::Revoke), ["K".parse().unwrap()]);
    assert_eq!(map.keys(Mode::Tokens, Action::Quit), ["q".parse().unwrap()]);
    assert_eq!(map.keys(Mode::Tokens, Action::Times), []);
}

#[test]
fn two_actions_may_swap_their_keys() {
    let swapped = [line("tokens", "new", &["e"]), line("tokens", "edit", &["n"])];
    assert!(Keymap::new(&swapped).is_ok());
}

#[test]
fn all_faults_are_told_at_once_each_with_mode_key_and_actions() {
    assert_eq!(
        faults(&[
            line("tokns", "new", &["N"]),
            line("tokens", "newt", &["N"]),
            line("tokens", "quit", &["Q"]),
            line("tokens", "edit", &["r"]),
            line("tokens", "undo", &["y"]),
            line("list", "times", &["Alt-t", "F5"]),
            line("form", "submit", &["x"]),
            line("always", "redraw", &["l"]),
        ]),
        [
            "0: there is no mode `tokns`: did you mean `tokens`?".to_owned(),
            "1: there is no action `newt` in mode tokens: did you mean `new`?".to_owned(),
            "2: there is no action `quit` in mode tokens: it belongs into [keys.global]".to_owned(),
            "3: in mode tokens, `r` is both edit and revoke: give one of them another key".to_owned(),
            "4: in mode tokens, `y` (undo) is how `y i` (copy-id) begins: give one of them another key".to_owned(),
            "4: in mode tokens, `y` (undo) is how `y n` (copy-name) begins: give one of them another key".to_owned(),
            "4: in mode tokens, `y` (undo) is how `y c` (copy-command) begins: give one of them another key".to_owned(),
            "4: in mode tokens, `y` (undo) is how `y j` (copy-json) begins: give one of them another key".to_owned(),
            "5: times in mode list: `Alt-t` does not arrive reliably over SSH: use a key without Alt".to_owned(),
            format!("5: times in mode list: {}", KeyError::Unknown("F5".into())),
            "6: in mode form, `x` is text that is typed: give submit a key such as Ctrl-G or Enter".to_owned(),
            "7: in mode always, `l` is text that is typed: give redraw a key such as Ctrl-G or Enter".to_owned(),
        ]
    );
}

#[test]
fn an_operator_cannot_lock_the_way_out() {
    assert_eq!(
        faults(&[
            line("global", "quit", &[]),
            line("always", "interrupt", &[]),
            line("secret", "copy-secret", &[]),
            line("confirm", "cancel", &[]),
            line("ask", "accept", &[]),
        ]),
        [
            "0: in mode global, quit must have a key: leave it at least one",
            "1: in mode always, interrupt must have a key: leave it at least one",
            "2: in mode secret, copy-secret must have a key: leave it at least one",
            "3: in mode confirm, cancel must have a key: leave it at least one",
            "4: in mode ask, accept must have a key: leave it at least one",
        ]
    );
    assert_eq!(
        faults(&[
            line("list", "down", &["q"]),
            line("tokens", "new", &["Ctrl-C n"]),
            line("rows", "add-row", &["Esc"]),
        ]),
        [
            "0: in mode list, `q` (down) hides quit, which must have a key: give down another key",
            "1: in mode tokens, `Ctrl-C n` (new) hides interrupt, which must have a key: give new another key",
            "2: in mode rows, `Esc` (add-row) hides cancel, which must have a key: give add-row another key",
        ]
    );
}

/// The rules of the table itself.
mod table {
    use std::collections::BTreeSet;

    use unicode_width::UnicodeWidthStr as _;

    use super::*;
    use crate::keymap::overrides::steals_text;

    /// Keys that a nearer mode takes from a farther one on purpose.
    const INTENDED: &[(Mode, &str, Mode)] = &[
        // On a scope row, Enter opens the row; Tab goes on.
        (Mode::Rows, "Enter", Mode::Form),
    ];

    #[test]
    fn every_text_names_a_key() {
        for row in BINDINGS {
            assert!(!row.keys.is_empty(), "{row:?}");
            for key in row.keys {
                let read: Sequence = key.parse().unwrap();
                assert_eq!(read.to_string(), *key, "written as it prints");
            }
        }
    }

    #[test]
    fn the_table_passes_the_rules_for_overrides() {
        Keymap::new(&[]).unwrap();
        for row in BINDINGS {
            for key in row.keys {
                let key = key.parse().unwrap();
                assert!(!steals_text(row.mode, &key), "{row:?}");
            }
        }
    }

    #[test]
    fn no_row_is_there_twice_and_no_key_is_hidden_unless_intended() {
        let map = Keymap::default();
        assert_eq!(map.modes().len(), Mode::ALL.len(), "the rows of a mode stand together");
        for mode in Mode::ALL {
            let mut seen = BTreeSet::new();
            for row in map.chained(mode) {
                let home = row.binding.mode;
                assert!(seen.insert(row.binding.action), "{:?} twice in {mode:?}", row.binding);
                for key in &row.keys {
                    let hider = map.hider(mode, row, key).map(|(by, _)| by.binding.mode);
                    let intended = INTENDED
                        .iter()
                        .find(|(_, text, far)| *text == key.to_string() && *far == home)
                        .filter(|(near, ..)| *near == mode)
                        .map(|(near, ..)| *near);
                    assert_eq!(hider, intended, "`{key}` of {home:?} in {mode:?}");
                }
            }
        }
    }

    #[test]
    fn every_action_has_a_key_somewhere() {
        for action in Action::ALL {
            assert!(BINDINGS.iter().any(|row| row.action == action), "{action:?}");
        }
    }

    #[test]
    fn helps_and_hints_are_short_and_in_one_style() {
        for row in BINDINGS {
            assert!(row.help.width() <= 48, "{row:?}");
            assert!(row.help.starts_with(|c: char| c.is_ascii_lowercase()), "{row:?}");
            assert!(!row.help.ends_with('.'), "{row:?}");
            assert!((1..=12).contains(&row.hint.width()), "{row:?}");
        }
    }

    #[test]
    fn no_key_that_multiplexers_or_slow_links_take() {
        for key in BINDINGS.iter().flat_map(|row| row.keys) {
            for word in ["Ctrl-A", "Ctrl-B", "Ctrl-^", "Alt-", "[", "]", "~"] {
                assert!(!key.contains(word), "{key}");
            }
            let function = key.strip_prefix('F').is_some_and(|n| n.parse::<u8>().is_ok());
            assert!(!function, "{key}");
        }
    }
}
