//! Texts that several dialogs share.

use crate::{
    domain::{LastUse, Token},
    tui::{app::model::Model, widgets::paint::wrap},
};

/// A paragraph in lines of `wide` columns; an empty one is an empty line.
pub(in crate::tui) fn paragraph(text: &str, wide: u16) -> Vec<String> {
    if text.is_empty() { vec![String::new()] } else { wrap(text, wide) }
}

/// When the token was last used, in a sentence: what ending it would break.
pub(in crate::tui) fn last_used(token: &Token, ctx: &Model) -> String {
    token.last_use().map_or_else(
        || "It was never used.".to_owned(),
        |used| format!("Last used {}.", use_of(used, ctx)),
    )
}

/// When, from where and for what a secret was used, to end a sentence with.
pub(super) fn use_of(used: &LastUse, ctx: &Model) -> String {
    format!("{}: {}", whence(used, ctx), used.what)
}

/// When and from where: `2 min ago from 10.0.0.7`.
pub(in crate::tui) fn whence(used: &LastUse, ctx: &Model) -> String {
    let from = used.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    format!("{}{from}", ctx.relative(used.at))
}
