//! Times in messages and audit details: in UTC, to the minute or to the second. Audit details are
//! stored, so the formats must not change. Called by the domain and by the app.

use std::fmt::Display;

use super::Timestamp;

/// The time to the minute: `2026-12-24 13:05 UTC`.
pub fn minute_text(at: Timestamp) -> impl Display {
    at.format("%Y-%m-%d %H:%M UTC")
}

/// The time to the second: `2026-12-24 13:05:09 UTC`.
pub fn second_text(at: Timestamp) -> impl Display {
    at.format("%Y-%m-%d %H:%M:%S UTC")
}
