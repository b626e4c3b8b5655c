//! The distance of an instant from now, as people read it: "5 min ago", "in 23h 54m". Pure: the
//! caller passes the current time. Called by the screens of the app and by tables on a terminal.

use chrono::TimeDelta;

use crate::domain::Timestamp;

/// Formats the distance of `at` from `now` in at most 12 columns: `just now`, `5 min ago`,
/// `in 23h 54m`, `in 30d`. Distances are truncated, so that "1h ago" is at least one hour. Only
/// future days are rounded, so that a token issued a moment ago for 30 days shows "in 30d".
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let past = at <= now;
    let distance = if past { now - at } else { at - now };
    if distance < TimeDelta::minutes(1) {
        return if past { "just now".into() } else { "in <1 min".into() };
    }
    let (minutes, hours, days) =
        (distance.num_minutes(), distance.num_hours(), distance.num_days());
    if past {
        match () {
            () if hours < 1 => format!("{minutes} min ago"),
            () if days < 1 => format!("{hours}h ago"),
            () if days < 400 => format!("{days}d ago"),
            () => format!("{}y ago", days / 365),
        }
    } else {
        match () {
            () if hours < 1 => format!("in {minutes} min"),
            () if hours < 48 => match minutes % 60 {
                0 => format!("in {hours}h"),
                rest => format!("in {hours}h {rest}m"),
            },
            () => format!("in {}d", (distance + TimeDelta::hours(12)).num_days()),
        }
    }
}
