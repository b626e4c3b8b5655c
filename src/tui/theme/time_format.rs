//! Formats instants: relative ("5 min ago", "in 23h 54m"), or as a date in local time or UTC. The
//! functions are pure: the caller passes the current time. Called by every screen that shows a
//! time.

use chrono::{NaiveDateTime, TimeDelta};

pub use crate::output::relative_time::relative;
use crate::{domain::Timestamp, service::Zone};

/// The selected format of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeFormat {
    #[default]
    Relative,
    /// A date in the time zone of the operator.
    Local,
    Utc,
}

impl TimeFormat {
    pub fn next(self) -> Self {
        match self {
            Self::Relative => Self::Local,
            Self::Local => Self::Utc,
            Self::Utc => Self::Relative,
        }
    }

    /// The name of the format in the message line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relative => "relative to now",
            Self::Local => "in local time",
            Self::Utc => "in UTC",
        }
    }
}

/// Formats `at` in at most 16 columns.
pub fn short(at: Timestamp, now: Timestamp, format: TimeFormat, zone: Zone) -> String {
    match format {
        TimeFormat::Relative => relative(at, now),
        TimeFormat::Local => zone.wall_time(at).format("%Y-%m-%d %H:%M").to_string(),
        TimeFormat::Utc => at.format("%Y-%m-%d %H:%MZ").to_string(),
    }
}

/// Formats `at` as a date with the time of day in `zone`: `24 Dec 2026 14:05`. In UTC, the text ends
/// with `UTC`; local time is not named.
pub fn date(at: Timestamp, zone: Zone) -> String {
    let wall = zone.wall_time(at);
    let suffix = if wall.offset().local_minus_utc() == 0 { " UTC" } else { "" };
    format!("{}{suffix}", wall.format("%-d %b %Y %H:%M"))
}

/// Formats the day of `at` in `zone`: `24 Dec 2026`.
pub fn day(at: Timestamp, zone: Zone) -> String {
    zone.wall_time(at).format("%-d %b %Y").to_string()
}

/// Replaces each time of the form `2026-12-24 13:05 UTC` in the text of an audit event by its
/// [`date`] in `zone`, so that a screen shows only one time zone.
pub fn with_times_in(text: &str, zone: Zone) -> String {
    const SUFFIX: &str = " UTC";
    const TIME_LEN: usize = "2026-12-24 13:05".len();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.find(SUFFIX) {
        let (before, after) = rest.split_at(end);
        let start = end.checked_sub(TIME_LEN).filter(|start| before.is_char_boundary(*start));
        let (words, time) = before.split_at(start.unwrap_or(end));
        match NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M") {
            Ok(time) => out.extend([words, &date(time.and_utc(), zone)]),
            Err(_) => out.extend([before, SUFFIX]),
        }
        rest = after.strip_prefix(SUFFIX).unwrap_or_default();
    }
    out + rest
}

/// Formats the time of day of `at` in `zone`: `14:05:09`.
pub fn clock(at: Timestamp, zone: Zone) -> String {
    zone.wall_time(at).format("%H:%M:%S").to_string()
}

/// Formats `at` like [`date`]: in UTC for `TimeFormat::Utc`, otherwise in `zone`.
/// `TimeFormat::Relative` also adds the distance from `now`.
pub fn detailed(at: Timestamp, now: Timestamp, format: TimeFormat, zone: Zone) -> String {
    match format {
        TimeFormat::Relative => format!("{} ({})", date(at, zone), relative(at, now)),
        TimeFormat::Local => date(at, zone),
        TimeFormat::Utc => date(at, Zone::utc()),
    }
}

/// The next instant after `now` at which the text of [`relative`] for `at` changes.
pub fn next_change(at: Timestamp, now: Timestamp) -> Timestamp {
    let second = TimeDelta::seconds(1);
    if at <= now {
        let past = now - at;
        let (minutes, hours, days) = (past.num_minutes(), past.num_hours(), past.num_days());
        return at
            + match () {
                () if hours < 1 => TimeDelta::minutes(minutes + 1),
                () if days < 1 => TimeDelta::hours(hours + 1),
                () => TimeDelta::days(days + 1),
            };
    }
    let ahead = at - now;
    match ahead.num_minutes() {
        0 => at,
        minutes if ahead.num_hours() < 48 => at - TimeDelta::minutes(minutes) + second,
        _ => {
            let half = TimeDelta::hours(12);
            let rounded = TimeDelta::days((ahead + half).num_days());
            at - (rounded - half).max(TimeDelta::hours(48)) + second
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{FixedOffset, TimeZone as _};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        chrono::Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap() + TimeDelta::seconds(seconds)
    }

    #[test]
    fn distances_have_a_readable_form() {
        let text = |seconds| relative(at(seconds), at(0));
        assert_eq!(text(0), "just now");
        assert_eq!(text(-59), "just now");
        assert_eq!(text(-300), "5 min ago");
        assert_eq!(text(-3 * 3600 - 100), "3h ago");
        assert_eq!(text(-86_400 * 3), "3d ago");
        assert_eq!(text(-86_400 * 800), "2y ago");
        assert_eq!(text(30), "in <1 min");
        assert_eq!(text(61), "in 1 min");
        assert_eq!(text(23 * 3600 + 54 * 60 + 26), "in 23h 54m");
        assert_eq!(text(24 * 3600), "in 24h");
        assert_eq!(text(86_400 * 30 - 5), "in 30d");
        assert_eq!(text(86_400 * 3 - 50_000), "in 2d");
    }

    #[test]
    fn the_text_changes_exactly_at_next_change() {
        let day = 86_400;
        for distance in
            [0, 1, 59, 60, 61, 119, 3599, 3600, 3601, 7000, day - 1, day, 2 * day, 9 * day + 5]
        {
            for seconds in [distance, -distance] {
                let (then, now) = (at(seconds), at(0));
                let next = next_change(then, now);
                let just_before = next - TimeDelta::seconds(1);
                assert!(next > now, "{seconds}");
                assert_eq!(relative(then, just_before), relative(then, now), "{seconds}");
                assert_ne!(relative(then, next), relative(then, now), "{seconds}");
            }
        }
    }

    #[test]
    fn a_long_time_has_weekday_and_offset() {
        let zone = Zone::Fixed(FixedOffset::east_opt(3600).unwrap());
        assert_eq!(date(at(0), zone), "24 Nov 2026 13:00");
        assert_eq!(
            detailed(at(0), at(300), TimeFormat::Relative, zone),
            "24 Nov 2026 13:00 (5 min ago)"
        );
        assert_eq!(short(at(0), at(0), TimeFormat::Utc, zone), "2026-11-24 12:00Z");
    }

    #[test]
    fn a_date_names_utc_and_no_other_zone() {
        let tokyo = Zone::Fixed(FixedOffset::east_opt(9 * 3600).unwrap());
        assert_eq!(date(at(0), Zone::utc()), "24 Nov 2026 12:00 UTC");
        assert_eq!(date(at(0), tokyo), "24 Nov 2026 21:00");
    }

    #[test]
    fn times_in_a_text_are_converted_to_the_zone() {
        let tokyo = Zone::Fixed(FixedOffset::east_opt(9 * 3600).unwrap());
        let text = |text| with_times_in(text, tokyo);
        assert_eq!(text("until 2026-11-24 15:30 UTC, 1 scope"), "until 25 Nov 2026 00:30, 1 scope");
        assert_eq!(text("2026-11-24 15:30 UTC"), "25 Nov 2026 00:30");
        assert_eq!(text("é UTC 2026-13-24 15:30 UTC UTC"), "é UTC 2026-13-24 15:30 UTC UTC");
        assert_eq!(text("never expires"), "never expires");
    }

    #[test]
    fn relative_times_fit_12_columns() {
        for step in [1, 59, 61, 3599, 3600, 86_399, 172_799, 31_536_000, 3_153_600_000] {
            assert!(relative(at(step), at(0)).len() <= 12, "{step}");
            assert!(relative(at(-step), at(0)).len() <= 12, "{step}");
        }
    }
}
