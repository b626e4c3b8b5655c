//! The actions as commands that can be found by typing and run: every action of a place with its
//! sentence, its keys and whether it can be done now. Draws nothing; called by the help and the
//! palette.

use super::{Action, Group, Keymap, Mode};

/// Places whose commands are told of everywhere, so that a search finds where they work.
const PLACES: [Mode; 3] = [Mode::Tokens, Mode::Detail, Mode::Audit];

/// How well a command is described by its very key: better than by any words.
pub const BY_KEY: usize = usize::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// Here and now.
    Ready,
    /// Here, but there is nothing for it to do now.
    Idle,
    /// In another place.
    In(Mode),
}

/// An action as a line that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaletteCommand {
    pub action: Action,
    /// The sentence that says what for.
    pub sentence: &'static str,
    /// Its keys; empty if the operator took them away.
    pub keys: String,
    pub group: Group,
    pub standing: Availability,
}

/// Every command of `mode`, nearest mode first, then those of other places.
pub fn commands(
    map: &Keymap,
    mode: Mode,
    enabled: impl Fn(Action) -> bool,
    ascii: bool,
) -> Vec<PaletteCommand> {
    let mut found: Vec<PaletteCommand> = Vec::new();
    let elsewhere = PLACES.into_iter().filter(|place| *place != mode);
    for place in std::iter::once(mode).chain(elsewhere) {
        for row in map.chained(place) {
            let action = row.binding.action;
            if found.iter().any(|command| command.action == action) {
                continue;
            }
            let keys: Vec<_> = map.live(place, row).map(|key| key.shown(ascii)).collect();
            found.push(PaletteCommand {
                action,
                sentence: row.binding.help,
                keys: keys.join(", "),
                group: row.binding.group,
                standing: match (place == mode, enabled(action)) {
                    (true, true) => Availability::Ready,
                    (true, false) => Availability::Idle,
                    (false, _) => Availability::In(place),
                },
            });
        }
    }
    found
}

impl PaletteCommand {
    /// How well `typed` describes it, the more the better, and which characters of its sentence
    /// were typed; `None` if it does not. Nothing typed describes everything alike.
    pub fn matched(&self, typed: &str) -> Option<(usize, Vec<usize>)> {
        let typed = typed.trim();
        if !typed.is_empty() && self.keys.split(", ").any(|key| key == typed) {
            return Some((BY_KEY, Vec::new()));
        }
        let word = self.action.as_str().replace('-', " ");
        let by_word = subsequence(&word, typed).map(|(score, _)| score);
        let by_sentence = subsequence(self.sentence, typed);
        match (by_sentence, by_word) {
            (Some((score, places)), word) => Some((score.max(word.unwrap_or(0)), places)),
            (None, Some(score)) => Some((score, Vec::new())),
            (None, None) => None,
        }
    }
}

/// The best way to find the characters of `typed` in `text` in their order: characters that
/// follow each other count most, then those that begin a word.
fn subsequence(text: &str, typed: &str) -> Option<(usize, Vec<usize>)> {
    const NEXT: usize = 8;
    const WORD: usize = 6;
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut typed = typed.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase);
    let worth = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        1 + if before.is_none_or(|c| !c.is_alphanumeric()) { WORD } else { 0 }
    };
    let places = |c: char| {
        let at = text.iter().enumerate().filter(move |(_, other)| **other == c);
        at.map(|(at, _)| at)
    };
    let Some(first) = typed.next() else {
        return Some((0, Vec::new()));
    };
    // For each place of the last character so far, the best way that ends there.
    let mut ways: Vec<(usize, Vec<usize>)> =
        places(first).map(|at| (worth(at), vec![at])).collect();
    for c in typed {
        let mut next: Vec<(usize, Vec<usize>)> = Vec::new();
        for at in places(c) {
            let before = ways.iter().filter_map(|(score, way)| {
                let last = *way.last().filter(|last| **last < at)?;
                Some((score + worth(at) + if last + 1 == at { NEXT } else { 0 }, way))
            });
            // Of two that are as good the first one, as one reads.
            if let Some((score, way)) = before.rev().max_by_key(|(score, _)| *score) {
                next.push((score, way.iter().copied().chain([at]).collect()));
            }
        }
        ways = next;
    }
    ways.into_iter().rev().max_by_key(|(score, _)| *score)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(commands: &[PaletteCommand], group: Group) -> Vec<String> {
        let of_group = commands.iter().filter(|command| command.group == group);
        of_group.map(|command| format!("{}: {}", command.keys, command.sentence)).collect()
    }

    /// The sentences that `typed` finds in the list of tokens, best first.
    fn found(typed: &str) -> Vec<&'static str> {
        let all = commands(&Keymap::default(), Mode::Tokens, |_| true, true);
        let mut found: Vec<_> = all
            .iter()
            .filter_map(|command| Some((command.matched(typed)?.0, command.sentence)))
            .collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, sentence)| sentence).collect()
    }

    #[test]
    fn a_key_is_told_only_where_it_works() {
        let all = commands(&Keymap::default(), Mode::Rows, |_| true, false);
        let here: Vec<_> =
            all.into_iter().filter(|command| command.standing == Availability::Ready).collect();
        assert_eq!(
            sentences(&here, Group::Form),
            [
                "a: add a scope row",
                "p: add the scopes of a preset",
                "e, Enter: change the selected scope row",
                "d, Del: remove the selected scope row",
                "Tab, ↓: go to the next field",
                "Shift-Tab, ↑: go to the previous field",
                ": go on: next field, or press the button",
                "Ctrl-S: submit from any field",
                "Esc: leave the form",
                "Ctrl-Y: copy the command that does it",
            ],
            "Enter changes a row here, so it must not be told as going on"
        );
    }

    #[test]
    fn every_command_is_there_once_and_says_where_it_stands() {
        let off = |action| action != Action::Revoke;
        let all = commands(&Keymap::default(), Mode::Tokens, off, true);
        let standing = |action| {
            let mut those = all.iter().filter(|command| command.action == action);
            let standing = those.next().map(|command| command.standing);
            assert!(those.next().is_none(), "{action:?} is there twice");
            standing
        };
        assert_eq!(standing(Action::New), Some(Availability::Ready));
        assert_eq!(standing(Action::Revoke), Some(Availability::Idle));
        assert_eq!(standing(Action::Test), Some(Availability::In(Mode::Detail)));
        assert_eq!(standing(Action::FilterActor), Some(Availability::In(Mode::Audit)));
        assert_eq!(standing(Action::Acknowledge), None);
    }

    #[test]
    fn a_few_letters_find_the_command_that_was_meant() {
        for (typed, meant) in [
            ("rev", "revoke the token"),
            ("RVK", "revoke the token"),
            ("del all", "delete every token"),
            ("copy id", "copy its id"),
            ("json", "copy the token as JSON"),
            ("undo", "undo the last change, bring back a delete"),
            ("audit", "go to the audit trail"),
            ("R", "regenerate its secret"),
            ("y n", "copy its name"),
        ] {
            assert_eq!(found(typed).first(), Some(&meant), "for `{typed}`");
        }
        assert_eq!(found("zzz"), Vec::<&str>::new());
        assert_eq!(found("  ").len(), found("").len());
    }

    #[test]
    fn the_best_way_through_a_text_is_found_not_the_first() {
        let places = |text, typed| subsequence(text, typed).map(|(_, places)| places);
        assert_eq!(places("sort by the next column", "nc"), Some(vec![12, 17]));
        assert_eq!(places("press the button", "the"), Some(vec![6, 7, 8]));
        assert_eq!(places("copy", "cx"), None);
        // Grows with the square of the length at most.
        assert!(subsequence(&"a".repeat(48), &"a".repeat(40)).is_some());
    }
}
