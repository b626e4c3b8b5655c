//! Text that several dialogs and screens share: paragraphs, the hint for a name and the last use of
//! a token.

use crate::{
    domain::{LastUse, Token, mixes_scripts},
    tui::{
        app::model::Model,
        theme::Theme,
        widgets::canvas::{truncate, wrap},
    },
};

/// Wraps a paragraph to `wide` columns. Empty text gives one empty line.
pub(in crate::tui) fn wrap_paragraph(text: &str, wide: u16, theme: &Theme) -> Vec<String> {
    if text.is_empty() { vec![String::new()] } else { wrap(text, wide, theme) }
}

/// The first `room` lines. An ellipsis at the end of the last one marks text that was cut.
pub(in crate::tui) fn cut_lines(
    lines: &[String],
    room: u16,
    wide: u16,
    theme: &Theme,
) -> Vec<String> {
    let mut kept: Vec<_> = lines.iter().take(usize::from(room)).cloned().collect();
    if let (true, Some(last)) = (kept.len() < lines.len(), kept.last_mut()) {
        *last = truncate(&format!("{last}  "), wide, theme).into_owned();
        *last = format!("{}{}", last.trim_end_matches([' ', '\u{2026}', '~']), theme.ellipsis());
    }
    kept
}

/// The hint beside the input of a name: `usual`, or a warning if the name mixes scripts.
pub(in crate::tui) fn name_hint(name: &str, usual: &'static str) -> &'static str {
    if mixes_scripts(name) { "Mixes scripts: check each letter" } else { usual }
}

/// A sentence about the last use of the token. It shows what may break if the token stops working.
pub(in crate::tui) fn last_use_sentence(token: &Token, ctx: &Model) -> String {
    token.last_use().map_or_else(
        || "It was never used.".to_owned(),
        |used| format!("Last used {}.", describe_use(used, ctx)),
    )
}

/// A sentence with the time of the last use, for a small screen.
pub(in crate::tui) fn short_last_use(token: &Token, ctx: &Model) -> String {
    token.last_use().map_or_else(
        || "It was never used.".to_owned(),
        |used| format!("Last used {}.", ctx.relative_time(used.at)),
    )
}

/// Describes a use or a denied attempt, for a text that starts with `last used`. Example:
/// `2 min ago from 10.0.0.7: create on channels`.
pub(in crate::tui) fn describe_use(used: &LastUse, ctx: &Model) -> String {
    format!("{}: {}", time_and_origin(used, ctx), used.summary)
}

/// Relative time and origin of a use: `2 min ago from 10.0.0.7`.
pub(in crate::tui) fn time_and_origin(used: &LastUse, ctx: &Model) -> String {
    let from = used.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    format!("{}{from}", ctx.relative_time(used.at))
}
