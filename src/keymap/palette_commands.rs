//! The commands of the palette and the help: every action with its description, its keys and
//! whether it is available now; and the fuzzy search over them. Draws nothing; called by the help
//! and the palette.

use super::{Action, HelpSection, Keymap, Mode};

/// Modes whose commands are listed in every mode, so that a search shows in which mode a command is
/// available. The list has all commands of the detail that concern the whole token; the others need
/// its cursor.
const SCREEN_MODES: [Mode; 3] = [Mode::Tokens, Mode::Audit, Mode::Overview];

/// The score of a command whose key was typed: above every score for text.
pub const EXACT_KEY_SCORE: usize = usize::MAX;

/// Whether a command can be run now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandAvailability {
    /// The command can be run now.
    Available,
    /// The command belongs to the current mode, but has nothing to do now.
    Disabled,
    /// The command belongs to another mode.
    OtherMode(Mode),
}

/// An action as an entry of the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaletteCommand {
    pub action: Action,
    /// What the action does, see [`super::KeyBinding::help`].
    pub help: &'static str,
    /// The keys that reach the action, separated by `, `. Empty if no key reaches the action.
    pub keys: String,
    pub section: HelpSection,
    pub availability: CommandAvailability,
}

/// The commands of `mode` in lookup order, then the commands of the other [`SCREEN_MODES`]. Each
/// action is listed once.
pub fn commands(
    map: &Keymap,
    mode: Mode,
    enabled: impl Fn(Action) -> bool,
    ascii: bool,
) -> Vec<PaletteCommand> {
    let mut commands: Vec<PaletteCommand> = Vec::new();
    let other_modes = SCREEN_MODES.into_iter().filter(|other| *other != mode);
    for lookup_mode in std::iter::once(mode).chain(other_modes) {
        for row in map.effective_rows(lookup_mode) {
            let action = row.binding.action;
            if commands.iter().any(|command| command.action == action) {
                continue;
            }
            let keys: Vec<_> =
                map.reachable_keys(lookup_mode, row).map(|key| key.label(ascii)).collect();
            commands.push(PaletteCommand {
                action,
                help: row.binding.help,
                keys: keys.join(", "),
                section: row.binding.section,
                availability: match (lookup_mode == mode, enabled(action)) {
                    (true, true) => CommandAvailability::Available,
                    (true, false) => CommandAvailability::Disabled,
                    (false, _) => CommandAvailability::OtherMode(lookup_mode),
                },
            });
        }
    }
    commands
}

impl PaletteCommand {
    /// Matches the command against `typed`. Returns the score (higher is better) and the indexes of
    /// the matching characters in `help`. Returns `None` if the command does not match. An empty
    /// text matches every command with the same score.
    pub fn score(&self, typed: &str) -> Option<(usize, Vec<usize>)> {
        let typed = typed.trim();
        if !typed.is_empty() && self.keys.split(", ").any(|key| key == typed) {
            return Some((EXACT_KEY_SCORE, Vec::new()));
        }
        let name = self.action.as_str().replace('-', " ");
        let by_name = best_subsequence(&name, typed).map(|(score, _)| score);
        let by_name = by_name.max(synonym_score(self.action, typed));
        let by_help = best_subsequence(self.help, typed);
        match (by_help, by_name) {
            (Some((score, positions)), by_name) => {
                Some((score.max(by_name.unwrap_or(0)), positions))
            }
            (None, Some(score)) => Some((score, Vec::new())),
            (None, None) => None,
        }
    }
}

/// The score of a character after the one before it, in addition to 1.
const NEXT: usize = 8;
/// The score of a character at the start of a word, in addition to 1.
const WORD: usize = 6;
/// From this number of characters on, a match has no scattered characters within words.
const MIN_WORD_LEN: usize = 4;

/// Words of other programs for an action, which its description and its name do not contain.
fn synonyms(action: Action) -> &'static [&'static str] {
    match action {
        Action::New => &["add", "issue", "generate"],
        Action::Edit => &["rename", "change"],
        Action::Clone => &["duplicate"],
        Action::Revoke => &["disable", "block", "invalidate"],
        Action::Regenerate => &["rotate", "renew", "extend", "new secret", "prolong"],
        Action::EndOverlap => &["end overlap"],
        Action::Delete => &["remove"],
        Action::Undo => &["restore"],
        Action::Test => &["allowed", "verify", "access"],
        Action::Search => &["find"],
        Action::NextStatus => &["filter"],
        Action::Expiring => &["expires", "expiry"],
        _ => &[],
    }
}

/// The score of `typed` as the start of a synonym: that of adjacent characters.
fn synonym_score(action: Action, typed: &str) -> Option<usize> {
    let typed = typed.to_lowercase();
    let len = typed.chars().count();
    let is_start = |word: &&str| len > 2 && word.starts_with(&typed);
    synonyms(action).iter().any(is_start).then(|| 1 + WORD + (len - 1) * (1 + NEXT))
}

/// The best match of `typed` as a subsequence of `text`: its score and the matching indexes.
/// Adjacent characters score highest, then those at the start of a word.
fn best_subsequence(text: &str, typed: &str) -> Option<(usize, Vec<usize>)> {
    let len = typed.chars().filter(|c| !c.is_whitespace()).count();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut typed = typed.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase);
    let starts_word = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        before.is_none_or(|c| !c.is_alphanumeric())
    };
    let worth = |at: usize| 1 + if starts_word(at) { WORD } else { 0 };
    let positions = |c: char| {
        let at = text.iter().enumerate().filter(move |(_, other)| **other == c);
        at.map(|(at, _)| at)
    };
    let Some(first) = typed.next() else {
        return Some((0, Vec::new()));
    };
    // For each position of `text` where a match can end: the best match of the characters of
    // `typed` that were handled so far.
    let mut matches: Vec<(usize, Vec<usize>)> =
        positions(first).map(|at| (worth(at), vec![at])).collect();
    for c in typed {
        let mut next: Vec<(usize, Vec<usize>)> = Vec::new();
        for at in positions(c) {
            let before = matches.iter().filter_map(|(score, indexes)| {
                let last = *indexes.last().filter(|last| **last < at)?;
                if len >= MIN_WORD_LEN && last + 1 != at && !starts_word(at) {
                    return None;
                }
                Some((score + worth(at) + if last + 1 == at { NEXT } else { 0 }, indexes))
            });
            // Of two equal scores, the leftmost match wins.
            if let Some((score, indexes)) = before.rev().max_by_key(|(score, _)| *score) {
                next.push((score, indexes.iter().copied().chain([at]).collect()));
            }
        }
        matches = next;
    }
    matches.into_iter().rev().max_by_key(|(score, _)| *score)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help_lines(commands: &[PaletteCommand], group: HelpSection) -> Vec<String> {
        let of_group = commands.iter().filter(|command| command.section == group);
        of_group.map(|command| format!("{}: {}", command.keys, command.help)).collect()
    }

    /// The descriptions that `typed` finds in the list of tokens, best first.
    fn search(typed: &str) -> Vec<&'static str> {
        let all = commands(&Keymap::default(), Mode::Tokens, |_| true, true);
        let mut matches: Vec<_> = all
            .iter()
            .filter_map(|command| Some((command.score(typed)?.0, command.help)))
            .collect();
        matches.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        matches.into_iter().map(|(_, help)| help).collect()
    }

    #[test]
    fn only_reachable_keys_are_listed() {
        let all = commands(&Keymap::default(), Mode::Rows, |_| true, false);
        let here: Vec<_> = all
            .into_iter()
            .filter(|command| command.availability == CommandAvailability::Available)
            .collect();
        assert_eq!(
            help_lines(&here, HelpSection::Form),
            [
                "a: add a scope row",
                "p: add the scopes of a preset",
                "e, Enter: change the selected scope row",
                "d, Del: remove the selected scope row",
                "Ctrl-O: go to the scopes of the new token",
                "Ctrl-X: empty the form",
                "Tab: go to the next field",
                "Shift-Tab: go to the previous field",
                "↓: go down: rows, suggestions, then the next field",
                "↑: go up: rows, suggestions, the previous field",
                ": open a field, go to the next, or press a button",
                "Ctrl-S: submit from any field",
                "Esc: close the form",
                "Ctrl-Y: copy the equivalent command",
            ],
            "Enter changes a row here, so it is not listed for the next field"
        );
    }

    #[test]
    fn each_command_is_listed_once_with_its_availability() {
        let off = |action| action != Action::Revoke;
        let all = commands(&Keymap::default(), Mode::Tokens, off, true);
        let standing = |action| {
            let mut those = all.iter().filter(|command| command.action == action);
            let standing = those.next().map(|command| command.availability);
            assert!(those.next().is_none(), "{action:?} is listed twice");
            standing
        };
        assert_eq!(standing(Action::New), Some(CommandAvailability::Available));
        assert_eq!(standing(Action::Revoke), Some(CommandAvailability::Disabled));
        assert_eq!(standing(Action::Test), Some(CommandAvailability::Available));
        assert_eq!(standing(Action::ToggleCell), None);
        assert_eq!(
            standing(Action::FilterActor),
            Some(CommandAvailability::OtherMode(Mode::Audit))
        );
        assert_eq!(standing(Action::Acknowledge), None);
    }

    #[test]
    fn a_few_letters_find_the_command() {
        for (typed, expected) in [
            ("rev", "revoke the token"),
            ("RVK", "revoke the token"),
            ("del all", "delete every token"),
            ("copy id", "copy the token id"),
            ("json", "copy the token as JSON"),
            ("undo", "undo the last edit, scope change or deletion"),
            ("audit", "go to the audit trail"),
            ("R", "regenerate the secret"),
            ("y n", "copy the token name"),
            ("rotate", "regenerate the secret"),
            ("remove", "delete the token"),
            ("expire", "show tokens expiring within 7, 30 or 90 days"),
            ("filter", "show the tokens of the next status"),
            ("labels", "edit name, description, limits, labels, owner"),
        ] {
            assert_eq!(search(typed).first(), Some(&expected), "for `{typed}`");
        }
        for nothing in ["zzz", "theme", "colour"] {
            assert_eq!(search(nothing), Vec::<&str>::new(), "letters within words: {nothing}");
        }
        assert_eq!(search("  ").len(), search("").len());
    }

    #[test]
    fn the_best_subsequence_wins_over_the_first() {
        let positions = |text, typed| best_subsequence(text, typed).map(|(_, positions)| positions);
        assert_eq!(positions("sort by the next column", "nc"), Some(vec![12, 17]));
        assert_eq!(positions("press the button", "the"), Some(vec![6, 7, 8]));
        assert_eq!(positions("copy", "cx"), None);
        // The cost is at most quadratic in the length.
        assert!(best_subsequence(&"a".repeat(48), &"a".repeat(40)).is_some());
    }
}
