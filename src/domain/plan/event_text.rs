//! The texts of audit events that several commands share. Stored with the event, in English.

use chrono::{Datelike as _, Timelike as _};

use crate::domain::{Timestamp, scope::Scope};

/// `until 2026-12-24 13:05 UTC`, `never expires`.
pub fn until(end: Option<Timestamp>) -> String {
    end.map_or_else(
        || "never expires".to_owned(),
        |end| {
            let end = end.naive_utc();
            let (year, month, day) = (end.year(), end.month(), end.day());
            format!("until {year:04}-{month:02}-{day:02} {:02}:{:02} UTC", end.hour(), end.minute())
        },
    )
}

/// `1 scope`, `3 scopes`.
pub(super) fn scope_count(count: usize) -> String {
    format!("{count} scope{}", if count == 1 { "" } else { "s" })
}

/// The first three scopes in full and the number of the others.
pub(super) fn scope_list(scopes: &[Scope]) -> String {
    let named: Vec<_> = scopes.iter().take(3).map(ToString::to_string).collect();
    match scopes.len().saturating_sub(3) {
        0 => named.join(" "),
        more => format!("{} and {more} more", named.join(" ")),
    }
}
