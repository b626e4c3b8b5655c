//! Tests of the key lookup, of the overrides with their faults, and of the default bindings.

use super::*;
use crate::keymap::{KeyError, KeyOverride};

fn press(text: &str) -> Vec<Key> {
    text.parse::<KeySequence>().unwrap().keys().to_vec()
}

fn line(mode: &str, action: &str, keys: &[&str]) -> KeyOverride {
    KeyOverride {
        mode: mode.into(),
        action: action.into(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn faults(lines: &[KeyOverride]) -> Vec<String> {
    let faults = Keymap::new(lines).unwrap_err();
    faults.into_iter().map(|(at, fault)| format!("{at}: {fault}")).collect()
}

#[test]
fn the_nearest_mode_with_the_key_wins() {
    let map = Keymap::default();
    let resolve = |mode, text| map.resolve(mode, &press(text));
    assert_eq!(resolve(Mode::Tokens, "n"), KeyResolution::Action(Action::New));
    assert_eq!(resolve(Mode::Tokens, "j"), KeyResolution::Action(Action::Down));
    assert_eq!(resolve(Mode::Tokens, "q"), KeyResolution::Action(Action::Quit));
    assert_eq!(resolve(Mode::Tokens, "Ctrl-C"), KeyResolution::Action(Action::Interrupt));
    assert_eq!(resolve(Mode::Ask, "q"), KeyResolution::Action(Action::Cancel));
    assert_eq!(resolve(Mode::Search, "q"), KeyResolution::Unbound, "q is text in the search box");
    assert_eq!(resolve(Mode::Rows, "Enter"), KeyResolution::Action(Action::ChangeRow));
    assert_eq!(map.resolve(Mode::Tokens, &[]), KeyResolution::Unbound);
}

#[test]
fn a_prefix_waits_for_the_next_key() {
    let map = Keymap::default();
    let resolve = |text| map.resolve(Mode::Tokens, &press(text));
    assert_eq!(resolve("y"), KeyResolution::Prefix);
    assert_eq!(resolve("y i"), KeyResolution::Action(Action::CopyId));
    assert_eq!(resolve("y q"), KeyResolution::Unbound);
    let next = map.continuations(Mode::Tokens, &press("y"));
    let next: Vec<_> =
        next.iter().map(|(key, binding)| format!("{key} {}", binding.hint)).collect();
    assert_eq!(next, ["i copy id", "n copy name", "c copy command", "j copy JSON"]);
}

#[test]
fn a_prefix_in_a_nearer_mode_shadows_a_farther_key() {
    let map = Keymap::new(&[line("tokens", "new", &["t n"])]).unwrap();
    assert_eq!(map.resolve(Mode::Tokens, &press("t")), KeyResolution::Prefix);
    assert_eq!(map.resolve(Mode::Audit, &press("t")), KeyResolution::Action(Action::Times));
}

#[test]
fn an_override_replaces_keys_in_its_mode_only() {
    let map =
        Keymap::new(&[line("tokens", "revoke", &["K", "K"]), line("list", "times", &[])]).unwrap();
    assert_eq!(map.resolve(Mode::Tokens, &press("K")), KeyResolution::Action(Action::Revoke));
    assert_eq!(map.resolve(Mode::Tokens, &press("r")), KeyResolution::Unbound);
    assert_eq!(map.resolve(Mode::Detail, &press("r")), KeyResolution::Action(Action::Revoke));
    assert_eq!(map.resolve(Mode::Tokens, &press("t")), KeyResolution::Unbound);
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
fn all_faults_are_reported_at_once() {
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
            "0: unknown mode `tokns`: did you mean `tokens`?".to_owned(),
            "1: unknown action `newt` in mode tokens: did you mean `new`?".to_owned(),
            "2: unknown action `quit` in mode tokens: it belongs in [keys.global]".to_owned(),
            "3: in mode tokens, `r` is bound to both edit and revoke: give one of them another key".to_owned(),
            "4: in mode tokens, `y` (undo) is a prefix of `y i` (copy-id): give one of them another key".to_owned(),
            "4: in mode tokens, `y` (undo) is a prefix of `y n` (copy-name): give one of them another key".to_owned(),
            "4: in mode tokens, `y` (undo) is a prefix of `y c` (copy-command): give one of them another key".to_owned(),
            "4: in mode tokens, `y` (undo) is a prefix of `y j` (copy-json): give one of them another key".to_owned(),
            "5: times in mode list: `Alt-t` does not arrive reliably over SSH: use a key without Alt".to_owned(),
            format!("5: times in mode list: {}", KeyError::Unknown("F5".into())),
            "6: in mode form, `x` would be typed as text: give submit a key such as Ctrl-G or Enter".to_owned(),
            "7: in mode always, `l` would be typed as text: give redraw a key such as Ctrl-G or Enter".to_owned(),
        ]
    );
}

#[test]
fn essential_actions_must_keep_a_key() {
    assert_eq!(
        faults(&[
            line("global", "quit", &[]),
            line("always", "interrupt", &[]),
            line("secret", "copy-secret", &[]),
            line("confirm", "cancel", &[]),
            line("ask", "accept", &[]),
        ]),
        [
            "0: in mode global, quit must have a key: keep at least one",
            "1: in mode always, interrupt must have a key: keep at least one",
            "2: in mode secret, copy-secret must have a key: keep at least one",
            "3: in mode confirm, cancel must have a key: keep at least one",
            "4: in mode ask, accept must have a key: keep at least one",
        ]
    );
    assert_eq!(
        faults(&[
            line("list", "down", &["q"]),
            line("tokens", "new", &["Ctrl-C n"]),
            line("rows", "add-row", &["Esc"]),
        ]),
        [
            "0: in mode list, `q` is bound to down, which leaves quit without a key: give down another key",
            "1: in mode tokens, `Ctrl-C n` is bound to new, which leaves interrupt without a key: give new another key",
            "2: in mode rows, `Esc` is bound to add-row, which leaves cancel without a key: give add-row another key",
        ]
    );
}

/// Rules for the default bindings.
mod table {
    use std::collections::BTreeSet;

    use unicode_width::UnicodeWidthStr as _;

    use super::*;
    use crate::keymap::overrides::is_typed_text;

    /// Keys that a nearer mode shadows on purpose.
    const INTENDED: &[(Mode, &str, Mode)] = &[
        // On a scope row, Enter changes the row, and Tab goes to the next field.
        (Mode::Rows, "Enter", Mode::Form),
    ];

    #[test]
    fn every_default_key_parses() {
        for row in BINDINGS {
            assert!(!row.keys.is_empty(), "{row:?}");
            for key in row.keys {
                let read: KeySequence = key.parse().unwrap();
                assert_eq!(read.to_string(), *key, "is written as it is printed");
            }
        }
    }

    #[test]
    fn the_defaults_pass_the_rules_for_overrides() {
        Keymap::new(&[]).unwrap();
        for row in BINDINGS {
            for key in row.keys {
                let key = key.parse().unwrap();
                assert!(!is_typed_text(row.mode, &key), "{row:?}");
            }
        }
    }

    #[test]
    fn rows_are_unique_and_keys_are_not_shadowed() {
        let map = Keymap::default();
        assert_eq!(map.modes().len(), Mode::ALL.len(), "the rows of a mode are contiguous");
        for mode in Mode::ALL {
            let mut actions = BTreeSet::new();
            for row in map.effective_rows(mode) {
                let home = row.binding.mode;
                assert!(actions.insert(row.binding.action), "{:?} twice in {mode:?}", row.binding);
                for key in &row.keys {
                    let shadowing =
                        map.shadowing_binding(mode, row, key).map(|(by, _)| by.binding.mode);
                    let intended = INTENDED
                        .iter()
                        .find(|(_, text, far)| *text == key.to_string() && *far == home)
                        .filter(|(near, ..)| *near == mode)
                        .map(|(near, ..)| *near);
                    assert_eq!(shadowing, intended, "`{key}` of {home:?} in {mode:?}");
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
    fn help_and_footer_texts_are_short_and_consistent() {
        for row in BINDINGS {
            assert!(row.help.width() <= 48, "{row:?}");
            assert!(row.help.starts_with(|c: char| c.is_ascii_lowercase()), "{row:?}");
            assert!(!row.help.ends_with('.'), "{row:?}");
            assert!((1..=12).contains(&row.hint.width()), "{row:?}");
        }
    }

    #[test]
    fn no_default_key_clashes_with_multiplexers() {
        for key in BINDINGS.iter().flat_map(|row| row.keys) {
            for word in ["Ctrl-A", "Ctrl-B", "Ctrl-^", "Alt-", "[", "]", "~"] {
                assert!(!key.contains(word), "{key}");
            }
            let function = key.strip_prefix('F').is_some_and(|n| n.parse::<u8>().is_ok());
            assert!(!function, "{key}");
        }
    }
}
