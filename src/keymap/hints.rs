//! The footer: the keys that work now, fitted to a width. Shows a key only where it really leads
//! to its action. Draws nothing: screens draw what they get here.

use unicode_width::UnicodeWidthStr as _;

use super::{Action, Keymap, Mode};

/// One entry of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The key to press, or the mark that something was left out.
    pub keys: String,
    /// What it does; empty for the mark.
    pub word: String,
    /// The action that it stands for, for a click on it.
    pub action: Option<Action>,
}

impl Hint {
    /// Columns between two hints.
    pub const GAP: usize = 2;

    /// Its columns: the keys, a blank and the word.
    pub fn width(&self) -> usize {
        let word = self.word.width();
        self.keys.width() + if word == 0 { 0 } else { 1 + word }
    }

    /// The mark that stands for hints for which there was no room.
    fn mark(ascii: bool) -> Self {
        Self { keys: if ascii { ">" } else { "…" }.to_owned(), word: String::new(), action: None }
    }
}

/// The key of `action` in `mode`, for a sentence; its name in the palette where it has none.
pub fn key_label(map: &Keymap, mode: Mode, action: Action, ascii: bool) -> String {
    let key = map.chained(mode).filter(|row| row.binding.action == action);
    let mut keys = key.flat_map(|row| map.live(mode, row));
    keys.next().map_or_else(|| format!("`:{}`", action.as_str()), |key| key.shown(ascii))
}

/// The columns of a footer: its hints with [`Hint::GAP`] between them.
pub fn width(hints: &[Hint]) -> usize {
    let gaps = hints.len().saturating_sub(1) * Hint::GAP;
    hints.iter().map(Hint::width).sum::<usize>() + gaps
}

/// The hints of `mode` that fit into `columns`, by rank; what does not fit leaves a mark. Never
/// wider than `columns`: where not even the mark fits, there is nothing.
pub fn footer(
    map: &Keymap,
    mode: Mode,
    enabled: impl Fn(Action) -> bool,
    columns: usize,
    ascii: bool,
) -> Vec<Hint> {
    let mut hints = ranked(map, mode, enabled, ascii);
    if width(&hints) <= columns {
        return hints;
    }
    hints.push(Hint::mark(ascii));
    while width(&hints) > columns {
        // The one before the mark goes, then the mark itself.
        match hints.len().checked_sub(2) {
            Some(last) => drop(hints.remove(last)),
            None => hints.clear(),
        }
    }
    hints
}

/// Every hint of `mode`, the ones that stay longest first: help and quit, then by rank, and
/// within a rank the nearer mode first.
fn ranked(map: &Keymap, mode: Mode, enabled: impl Fn(Action) -> bool, ascii: bool) -> Vec<Hint> {
    let mut found: Vec<_> = map
        .chained(mode)
        .filter(|row| row.binding.rank > 0 && enabled(row.binding.action))
        .filter_map(|row| {
            let key = map.live(mode, row).next()?.shown(ascii);
            let word = row.binding.hint.to_owned();
            Some((row.binding, Hint { keys: key, word, action: Some(row.binding.action) }))
        })
        .collect();
    found.sort_by_key(|(binding, _)| {
        let leaves = matches!(binding.action, Action::Help | Action::Quit);
        (!leaves, binding.rank)
    });
    found.into_iter().map(|(_, hint)| hint).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(mode: Mode, columns: usize) -> String {
        shown(&footer(&Keymap::default(), mode, |_| true, columns, true))
    }

    fn shown(hints: &[Hint]) -> String {
        let one = |hint: &Hint| format!("{} {}", hint.keys, hint.word).trim_end().to_owned();
        let hints: Vec<_> = hints.iter().map(one).collect();
        hints.join("  ")
    }

    #[test]
    fn the_footer_gives_up_the_least_important_first() {
        assert_eq!(
            line(Mode::Tokens, 80),
            "? help  q quit  Enter open  n new  / search  : commands  r revoke  f filter  >"
        );
        assert_eq!(line(Mode::Tokens, 40), "? help  q quit  Enter open  n new  >");
        assert_eq!(line(Mode::Tokens, 17), "? help  q quit  >");
        assert_eq!(line(Mode::Tokens, 16), "? help  >");
        assert_eq!(line(Mode::Tokens, 8), ">");
        assert_eq!(line(Mode::Tokens, 0), "");
        assert_eq!(line(Mode::Confirm, 40), "Enter do it  Esc cancel  Ctrl-Y command");
    }

    #[test]
    fn a_sentence_names_the_key_in_force_or_the_command() {
        let line = |keys: &[&str]| super::super::Override {
            mode: "tokens".into(),
            action: "undo".into(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        };
        let said = |map: &Keymap| key_label(map, Mode::Tokens, Action::Undo, true);
        assert_eq!(said(&Keymap::default()), "u");
        assert_eq!(said(&Keymap::new(&[line(&["Ctrl-U"])]).unwrap()), "Ctrl-U");
        assert_eq!(said(&Keymap::new(&[line(&[])]).unwrap()), "`:undo`");
    }

    #[test]
    fn what_is_not_enabled_is_not_shown() {
        let map = Keymap::default();
        let usable = |action| !matches!(action, Action::New | Action::Quit);
        assert!(!shown(&footer(&map, Mode::Tokens, usable, 200, true)).contains("n new"));
    }

    proptest! {
        #[test]
        fn the_footer_never_exceeds_the_width_and_marks_what_it_leaves_out(
            mode in prop::sample::select(Mode::ALL.to_vec()),
            columns in 0_usize..=200,
            ascii in any::<bool>(),
            off in prop::collection::vec(prop::sample::select(Action::ALL.to_vec()), 0..12),
        ) {
            let map = Keymap::default();
            let usable = |action| !off.contains(&action);
            let all = ranked(&map, mode, usable, ascii);
            let hints = footer(&map, mode, usable, columns, ascii);
            prop_assert!(width(&hints) <= columns);
            prop_assert_eq!(width(&hints), shown(&hints).width());
            let whole = hints.iter().take_while(|hint| !hint.word.is_empty()).count();
            prop_assert_eq!(&hints[..whole], &all[..whole], "rank order is kept");
            if whole < all.len() && columns > 0 {
                prop_assert_eq!(&hints[whole..], &[Hint::mark(ascii)]);
                let mut more = all[..=whole].to_vec();
                if whole + 1 < all.len() {
                    more.push(Hint::mark(ascii));
                }
                prop_assert!(width(&more) > columns, "no room is wasted");
            }
        }

        #[test]
        fn help_and_quit_survive_longest(columns in 17_usize..=200) {
            for mode in [Mode::Global, Mode::List, Mode::Tokens, Mode::Detail, Mode::Audit] {
                prop_assert!(line(mode, columns).starts_with("? help  q quit"));
            }
        }
    }
}
