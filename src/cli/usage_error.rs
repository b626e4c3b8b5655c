//! Prints clap's errors in the style of patdeck's own errors: `error:` first, then each tip as
//! `hint:` on a separate line. Help and version are printed unchanged. Called before any command
//! runs.

use std::{
    borrow::Cow,
    env,
    io::{self, IsTerminal as _, Write as _},
};

use clap::error::ErrorKind;

use super::{CliError, Exit, print::printable};
use crate::{config::Environment, domain::search::without_secrets};

/// Prints the help or the version that `error` contains, or returns `error` as a usage error. The
/// text is escaped if it quotes an argument with characters that the terminal cannot show.
pub fn report_clap_error(error: &clap::Error) -> Result<Exit, CliError> {
    let text = error.render().to_string();
    let is_safe = text.split('\n').all(|line| matches!(printable(line), Cow::Borrowed(_)));
    if is_safe && !error.use_stderr() {
        error.print()?;
        io::stdout().flush()?;
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

/// Whether standard error is a terminal that accepts colours.
fn has_colors() -> bool {
    let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    io::stderr().is_terminal() && !is_dumb && !Environment::of_process().no_color
}

/// The text of an error, which quotes arguments: without the random characters of a secret that is
/// cut or has a typo, and with tips as hints.
fn quoted_text(text: &str) -> String {
    tips_as_hints(&without_secrets(text).map_or_else(|| text.to_owned(), |it| it.text))
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
        let styled = "error: a\n\n  \x1b[32mtip:\x1b[0m b\n";
        assert_eq!(tips_as_hints(styled), "error: a\n\x1b[32mhint:\x1b[0m b\n");
    }

    #[test]
    fn other_lines_are_unchanged() {
        for text in ["error: 'tip:'\n", "tip: x", "  a tip: x", ""] {
            assert_eq!(tips_as_hints(text), text);
        }
    }
}
