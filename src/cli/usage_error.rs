//! Prints clap's errors in the style of patdeck's own errors: `error:` first, then each tip as
//! `hint:` on a separate line. Replaces tips that would mislead by advice. Help and version are printed
//! unchanged. Called before any command runs.

use std::{
    borrow::Cow,
    env,
    io::{self, IsTerminal as _, Write as _},
};

use clap::{
    CommandFactory as _,
    error::{ContextKind, ContextValue, ErrorKind},
};
use strsim::osa_distance;

use super::{
    Args, CliError, Exit,
    print::{ok_if_closed, printable},
    usage_advice::{ADVICE, COMMAND_ADVICE, SYNONYMS},
};
use crate::{config::Environment, domain::search::without_secrets};

/// Prints the help or the version that `error` contains, or returns `error` as a usage error. The
/// text is escaped if it quotes an argument with characters that the terminal cannot show.
pub fn report_clap_error(mut error: clap::Error) -> Result<Exit, CliError> {
    correct_tips(&mut error);
    let text = error.render().to_string();
    let is_safe = text.split('\n').all(|line| matches!(printable(line), Cow::Borrowed(_)));
    if is_safe && !error.use_stderr() {
        ok_if_closed(error.print().and_then(|()| io::stdout().flush()))?;
        return Ok(Exit::Done);
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let help = text.trim_end();
        return Err(CliError::usage(format!("missing command\n\n{help}")));
    }
    if is_safe && has_colors() {
        let styled = quoted_text(&error.render().ansi().to_string());
        drop(io::stderr().write_all(styled.as_bytes()));
        return Ok(Exit::Usage);
    }
    let text = quoted_text(&text);
    let text = text.trim_end();
    Err(CliError::usage(text.strip_prefix("error: ").unwrap_or(text)))
}

/// Removes suggestions that are not similar to what was written, puts advice in the place of all tips
/// if there is some, and shows the usual form of the command as its usage.
fn correct_tips(error: &mut clap::Error) {
    keep_similar_suggestions(error);
    let words = command_of(&error.to_string());
    let command = command_named(&words);
    match error.kind() {
        ErrorKind::InvalidSubcommand => advise_on_command(error, &words),
        // A slip in the first word is taken for the file.
        ErrorKind::ArgumentConflict if words == "backup" => {
            set_tip(
                error,
                "use `backup create FILE`, `backup check FILE` or `backup restore FILE`",
            );
        }
        ErrorKind::ArgumentConflict if is_form_for_a_file(error) => {
            set_tip(error, "to write this form to a file, use `umask 077` and `> FILE`");
        }
        ErrorKind::UnknownArgument => advise_on_argument(error, &words, command.as_ref()),
        _ => {}
    }
    if let Some(mut command) = command
        && error.get(ContextKind::Usage).is_some()
    {
        error.insert(ContextKind::Usage, ContextValue::StyledStr(command.render_usage()));
    }
}

/// Removes the suggestions that are not similar to what was written.
fn keep_similar_suggestions(error: &mut clap::Error) {
    let suggestions = [
        (ContextKind::SuggestedArg, ContextKind::InvalidArg),
        (ContextKind::SuggestedSubcommand, ContextKind::InvalidSubcommand),
        (ContextKind::SuggestedValue, ContextKind::InvalidValue),
    ];
    for (suggested, invalid) in suggestions {
        let written = texts(error.get(invalid)).first().cloned().unwrap_or_default();
        let Some(value) = error.get(suggested) else { continue };
        let similar: Vec<_> =
            texts(Some(value)).into_iter().filter(|text| are_similar(&written, text)).collect();
        let is_list = matches!(value, ContextValue::Strings(_));
        if similar.is_empty() {
            error.remove(suggested);
        } else if is_list {
            error.insert(suggested, ContextValue::Strings(similar));
        }
    }
}

/// Whether an output form that contains a secret was asked for together with a file for the secret.
fn is_form_for_a_file(error: &clap::Error) -> bool {
    let text = error.to_string();
    text.contains("--secret-file") && text.contains("--format")
}

/// Puts the advice on an argument that the command does not have in the place of all tips.
fn advise_on_argument(error: &mut clap::Error, words: &str, command: Option<&clap::Command>) {
    let argument = texts(error.get(ContextKind::InvalidArg)).first().cloned().unwrap_or_default();
    let option = argument.starts_with('-').then_some(argument.as_str());
    if option.is_some() {
        // The tip to pass the option as a value: no value begins with `-`.
        error.remove(ContextKind::Suggested);
    }
    let advice = ADVICE.iter().find(|(name, of, _)| *name == words && of.contains(&option));
    let advice = advice.map(|(.., advice)| *advice).or_else(|| synonym_advice(option?, command?));
    if let Some(advice) = advice {
        error.remove(ContextKind::SuggestedArg);
        set_tip(error, advice);
    }
}

/// The advice of [`SYNONYMS`] on an option that `command` has under another name.
fn synonym_advice(option: &str, command: &clap::Command) -> Option<&'static str> {
    let has = |own: &str| {
        let own = own.trim_start_matches('-');
        command.get_arguments().any(|argument| {
            argument.get_long() == Some(own)
                || argument.get_short().is_some_and(|short| own == short.to_string())
        })
    };
    let row = SYNONYMS.iter().find(|(words, own, _)| words.contains(&option) && has(own));
    row.map(|(.., advice)| *advice)
}

/// Puts the advice of [`COMMAND_ADVICE`] in the place of all tips.
fn advise_on_command(error: &mut clap::Error, parent: &str) {
    let invalid = texts(error.get(ContextKind::InvalidSubcommand));
    let advice = COMMAND_ADVICE.iter().find(|(before, words, _)| {
        *before == parent && invalid.first().is_some_and(|word| words.contains(&word.as_str()))
    });
    if let Some((.., advice)) = advice {
        error.remove(ContextKind::SuggestedSubcommand);
        set_tip(error, advice);
    }
}

/// The command with these words, complete with its arguments.
fn command_named(words: &str) -> Option<clap::Command> {
    let mut program = Args::command();
    program.build();
    let mut words = words.split_whitespace();
    words.try_fold(program, |command, word| command.find_subcommand(word).cloned())
}

fn set_tip(error: &mut clap::Error, advice: &'static str) {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![advice.into()]));
}

fn texts(value: Option<&ContextValue>) -> Vec<String> {
    match value {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// Whether the words differ by one letter, or by two of at least six.
pub(super) fn are_similar(written: &str, suggested: &str) -> bool {
    let (written, suggested) = (written.trim_matches('-'), suggested.trim_matches('-'));
    osa_distance(written, suggested) <= (written.chars().count() / 3).clamp(1, 2)
}

/// The command in the usage line of an error: `scope add`.
fn command_of(text: &str) -> String {
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: patdeck "));
    let words = usage.unwrap_or_default().split(' ');
    words.take_while(|word| !word.starts_with(['[', '<', '-'])).collect::<Vec<_>>().join(" ")
}

/// Removes a second `invalid KIND `VALUE`: ` after `invalid value 'VALUE' for 'ARGUMENT': `.
fn without_repetition(text: &str) -> String {
    let shortened = || {
        let (before, reason) = text.split_once("': invalid ")?;
        let (kind, advice) = reason.split_once("`: ")?;
        let (_, value) = kind.split_once('`')?;
        // The value may be between the start and the end of a style.
        let is_repeated =
            before.contains(&format!("'{value}'")) || before.contains(&format!("m{value}\u{1b}"));
        is_repeated.then(|| format!("{before}': {advice}"))
    };
    shortened().unwrap_or_else(|| text.to_owned())
}

/// Whether standard error is a terminal that accepts colours.
fn has_colors() -> bool {
    let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    io::stderr().is_terminal() && !is_dumb && !Environment::of_process().no_color
}

/// The text of an error, which quotes arguments: without the random characters of a secret that is
/// cut or has a typo, without a value that is repeated, and with tips as hints.
fn quoted_text(text: &str) -> String {
    let text = without_secrets(text).map_or_else(|| text.to_owned(), |it| it.text);
    tips_as_hints(&without_repetition(&text))
}

/// Replaces each `tip:` line, and the empty line before it, by a `hint:` line. Styles are kept.
fn tips_as_hints(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        match as_hint(line) {
            Some(hint) => {
                lines.pop_if(|last| last.is_empty());
                lines.push(hint);
            }
            None => lines.push(line.to_owned()),
        }
    }
    // A removed suggestion leaves an empty line.
    lines.dedup_by(|line, last| line.is_empty() && last.is_empty());
    lines.join("\n")
}

fn as_hint(line: &str) -> Option<String> {
    let (style, rest) = line.strip_prefix("  ")?.split_once("tip:")?;
    let is_style = style.chars().all(|c| c.is_ascii_digit() || "\x1b[;m".contains(c));
    is_style.then(|| format!("{style}hint:{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tip_becomes_a_hint_below_the_error() {
        let text = "error: a\n\n  tip: b\n  tip: c\n\nUsage: d\n";
        assert_eq!(tips_as_hints(text), "error: a\nhint: b\nhint: c\n\nUsage: d\n");
        assert_eq!(tips_as_hints("error: a\n\n\nUsage: d\n"), "error: a\n\nUsage: d\n");
        let styled = "error: a\n\n  \x1b[32mtip:\x1b[0m b\n";
        assert_eq!(tips_as_hints(styled), "error: a\n\x1b[32mhint:\x1b[0m b\n");
    }

    #[test]
    fn a_reason_that_repeats_the_value_is_shortened() {
        let text =
            "error: invalid value 'soon' for '--lifetime <TIME>': invalid lifetime `soon`: use 1d";
        let short = "error: invalid value 'soon' for '--lifetime <TIME>': use 1d";
        assert_eq!(without_repetition(text), short);
        let styled = text.replace("'soon'", "'\x1b[33msoon\x1b[0m'");
        assert!(without_repetition(&styled).ends_with("<TIME>': use 1d"));
        let other = "error: invalid value 'a=1' for '--label <KEY=VALUE>': invalid key `a`: use b";
        assert_eq!(without_repetition(other), other);
    }

    #[test]
    fn other_lines_are_unchanged() {
        for text in ["error: 'tip:'\n", "tip: x", "  a tip: x", ""] {
            assert_eq!(tips_as_hints(text), text);
        }
    }
}
