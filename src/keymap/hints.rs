//! The footer: the available keys, fitted to a width. The footer contains only keys that no other
//! binding shadows. The module draws nothing: screens call it and draw the hints.

use unicode_width::UnicodeWidthStr as _;

use super::{Action, Keymap, Mode};

/// A key and its label in the footer, or the ellipsis for hints that do not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FooterHint {
    /// The key to press, or the ellipsis.
    pub keys: String,
    /// What the key does. Empty for the ellipsis, and for help and quit if they have no room for it.
    pub label: String,
    /// The action that a click on the hint runs. `None` for the ellipsis.
    pub action: Option<Action>,
}

impl FooterHint {
    /// Number of columns between two hints.
    pub const GAP: usize = 2;

    /// The width in columns: the key, a space and the label.
    pub fn width(&self) -> usize {
        let label = self.label.width();
        self.keys.width() + if label == 0 { 0 } else { 1 + label }
    }

    /// Whether the hint is the same on all screens. It comes last and is drawn dim.
    pub fn is_general(&self) -> bool {
        matches!(self.action, Some(Action::Help | Action::Quit))
    }

    /// The hint that replaces the hints that do not fit.
    fn ellipsis(ascii: bool) -> Self {
        Self {
            keys: if ascii { ">" } else { "…" }.to_owned(), label: String::new(), action: None
        }
    }
}

/// What the state of a screen changes in the hint of a binding: the label and the rank of the table
/// in `bindings`. With rank 0, the footer leaves the hint out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HintChange {
    pub label: String,
    pub rank: u8,
}

impl HintChange {
    pub fn new(label: impl Into<String>, rank: u8) -> Self {
        Self { label: label.into(), rank }
    }
}

/// The key of `action` in `mode`, for use in a sentence. Returns `` `:name` ``, the command of
/// the palette, if the action has no key.
pub fn key_label(map: &Keymap, mode: Mode, action: Action, ascii: bool) -> String {
    let key = map.effective_rows(mode).filter(|row| row.binding.action == action);
    let mut keys = key.flat_map(|row| map.reachable_keys(mode, row));
    keys.next().map_or_else(|| format!("`:{}`", action.as_str()), |key| key.label(ascii))
}

/// The width of a footer in columns: its hints with [`FooterHint::GAP`] between them.
pub fn width(hints: &[FooterHint]) -> usize {
    let gaps = hints.len().saturating_sub(1) * FooterHint::GAP;
    hints.iter().map(FooterHint::width).sum::<usize>() + gaps
}

/// The hints of `mode` that fit into `columns`, by rank, then help and quit. `change` gives the
/// hints that the state of the screen changes. An ellipsis replaces what does not fit, and help and
/// quit keep their labels only if these then fit, or if their keys are longer than a character. The
/// result is never wider than `columns`; it is empty if not even the first key fits.
pub fn footer(
    map: &Keymap,
    mode: Mode,
    enabled: impl Fn(Action) -> bool,
    change: impl Fn(Action) -> Option<HintChange>,
    columns: usize,
    ascii: bool,
) -> Vec<FooterHint> {
    let (mut own, mut general) = ranked(map, mode, enabled, change, ascii);
    let all = [own.clone(), general.clone()].concat();
    if width(&all) <= columns {
        return all;
    }
    // A single character such as `?` says enough.
    let is_short = |hint: &&mut FooterHint| hint.keys.width() == 1;
    let short: Vec<_> = general.iter_mut().filter(is_short).collect();
    let labels: Vec<_> = short.into_iter().map(|hint| std::mem::take(&mut hint.label)).collect();
    loop {
        let is_empty = own.is_empty();
        let hints = [own.clone(), vec![FooterHint::ellipsis(ascii)], general.clone()].concat();
        if let Some(mut room) = columns.checked_sub(width(&hints)) {
            for (hint, label) in general.iter_mut().filter(is_short).zip(labels) {
                if let Some(left) = room.checked_sub(1 + label.width()) {
                    (room, hint.label) = (left, label);
                }
            }
            return [own, vec![FooterHint::ellipsis(ascii)], general].concat();
        }
        own.pop();
        if is_empty {
            break;
        }
    }
    while width(&general) > columns {
        general.pop();
    }
    general
}

/// The hints of `mode` by rank, and those of help and quit. Within a rank, the hints of the nearer
/// mode come first.
fn ranked(
    map: &Keymap,
    mode: Mode,
    enabled: impl Fn(Action) -> bool,
    change: impl Fn(Action) -> Option<HintChange>,
    ascii: bool,
) -> (Vec<FooterHint>, Vec<FooterHint>) {
    let mut hints: Vec<_> = map
        .effective_rows(mode)
        .filter(|row| enabled(row.binding.action))
        .filter_map(|row| {
            let action = row.binding.action;
            let usual = || HintChange::new(row.binding.hint, row.binding.rank);
            let HintChange { label, rank } = change(action).unwrap_or_else(usual);
            if rank == 0 {
                return None;
            }
            let keys = map.reachable_keys(mode, row).next()?.label(ascii);
            Some((rank, FooterHint { keys, label, action: Some(action) }))
        })
        .collect();
    hints.sort_by_key(|(rank, _)| *rank);
    let mut merged: Vec<FooterHint> = Vec::new();
    for (_, hint) in hints {
        // Two keys that do the same share a hint: Enter and Esc on a button that cancels.
        match merged.iter_mut().find(|it| it.label == hint.label) {
            Some(same) => same.keys = format!("{}/{}", same.keys, hint.keys),
            None => merged.push(hint),
        }
    }
    merged.into_iter().partition(|hint| !hint.is_general())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(mode: Mode, columns: usize) -> String {
        shown(&footer(&Keymap::default(), mode, |_| true, |_| None, columns, true))
    }

    fn shown(hints: &[FooterHint]) -> String {
        let one = |hint: &FooterHint| format!("{} {}", hint.keys, hint.label).trim_end().to_owned();
        let hints: Vec<_> = hints.iter().map(one).collect();
        hints.join("  ")
    }

    #[test]
    fn the_least_important_hints_are_dropped_first() {
        assert_eq!(
            line(Mode::Tokens, 80),
            "Enter open  r revoke  R regenerate  D delete  Space mark  n new  >  ? help  q"
        );
        assert_eq!(
            line(Mode::Tokens, 60),
            "Enter open  r revoke  R regenerate  D delete  >  ? help  q",
            "help and quit have labels if there is room for them"
        );
        assert_eq!(line(Mode::Tokens, 40), "Enter open  r revoke  >  ? help  q quit");
        assert_eq!(line(Mode::Tokens, 19), "Enter open  >  ?  q");
        assert_eq!(line(Mode::Tokens, 8), ">  ?  q");
        assert_eq!(line(Mode::Tokens, 4), "?  q");
        assert_eq!(line(Mode::Tokens, 3), "?");
        assert_eq!(line(Mode::Tokens, 0), "");
        assert_eq!(line(Mode::Confirm, 46), "Enter confirm  Esc cancel  Ctrl-Y copy command");
    }

    #[test]
    fn key_label_names_the_bound_key_or_the_command() {
        let line = |keys: &[&str]| super::super::KeyOverride {
            mode: "tokens".into(),
            action: "undo".into(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        };
        let label = |map: &Keymap| key_label(map, Mode::Tokens, Action::Undo, true);
        assert_eq!(label(&Keymap::default()), "u");
        assert_eq!(label(&Keymap::new(&[line(&["Ctrl-U"])]).unwrap()), "Ctrl-U");
        assert_eq!(label(&Keymap::new(&[line(&[])]).unwrap()), "`:undo`");
    }

    #[test]
    fn disabled_actions_have_no_hint() {
        let map = Keymap::default();
        let usable = |action| !matches!(action, Action::New | Action::Quit);
        assert!(!shown(&footer(&map, Mode::Tokens, usable, |_| None, 200, true)).contains("n new"));
    }

    #[test]
    fn the_state_of_a_screen_changes_hints() {
        let change = |action| match action {
            Action::Back => Some(HintChange::new("unmark", 1)),
            Action::Revoke => Some(HintChange::new("revoke 2", 2)),
            Action::Open => Some(HintChange::new("", 0)),
            _ => None,
        };
        let hints = footer(&Keymap::default(), Mode::Tokens, |_| true, change, 40, true);
        assert_eq!(shown(&hints), "Esc unmark  r revoke 2  >  ? help  q");
    }

    proptest! {
        #[test]
        fn the_footer_fits_and_ends_with_an_ellipsis_if_cut(
            mode in prop::sample::select(Mode::ALL.to_vec()),
            columns in 0_usize..=200,
            ascii in any::<bool>(),
            off in prop::collection::vec(prop::sample::select(Action::ALL.to_vec()), 0..12),
        ) {
            let map = Keymap::default();
            let usable = |action| !off.contains(&action);
            let (all, general) = ranked(&map, mode, usable, |_| None, ascii);
            let hints = footer(&map, mode, usable, |_| None, columns, ascii);
            prop_assert!(width(&hints) <= columns);
            prop_assert_eq!(width(&hints), shown(&hints).width());
            let own = hints.iter().take_while(|hint| all.contains(hint)).count();
            prop_assert_eq!(&hints[..own], &all[..own], "rank order is kept");
            if own < all.len() && hints.len() > own + general.len() {
                prop_assert_eq!(&hints[own], &FooterHint::ellipsis(ascii));
                let next = FooterHint::GAP + all[own].width();
                prop_assert!(width(&hints) + next > columns, "no room is wasted");
            }
        }

        #[test]
        fn help_and_quit_come_last_and_stay(columns in 4_usize..=200) {
            for mode in [Mode::Global, Mode::List, Mode::Tokens, Mode::Detail, Mode::Audit] {
                let line = line(mode, columns);
                let ends = ["?  q", "? help  q", "?  q quit", "? help  q quit"];
                prop_assert!(ends.iter().any(|end| line.ends_with(end)), "{}", line);
            }
        }
    }
}
