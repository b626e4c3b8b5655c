//! Texts shared by the audit events of several commands, in English. They are stored with the
//! events, so they must not change.

use chrono::{Datelike as _, Timelike as _};

use crate::domain::{Timestamp, scope::Scope};

/// `until 2026-12-24 13:05 UTC`, or `never expires` for `None`.
pub fn expiry_text(end: Option<Timestamp>) -> String {
    end.map_or_else(
        || "never expires".to_owned(),
        |end| {
            let end = end.naive_utc();
            let (year, month, day) = (end.year(), end.month(), end.day());
            format!("until {year:04}-{month:02}-{day:02} {:02}:{:02} UTC", end.hour(), end.minute())
        },
    )
}

/// The number of scopes with its noun, without a thousands separator: `1 scope`, `3 scopes`.
pub(super) fn scope_count(count: usize) -> String {
    format!("{count} scope{}", if count == 1 { "" } else { "s" })
}

/// The first three scopes and the number of the others: `a:*:read b:*:read c:*:read and 2 more`.
pub(super) fn scope_list(scopes: &[Scope]) -> String {
    let first: Vec<_> = scopes.iter().take(3).map(ToString::to_string).collect();
    match scopes.len().saturating_sub(3) {
        0 => first.join(" "),
        more => format!("{} and {more} more", first.join(" ")),
    }
}
