//! How an instant reads: "5 min ago", "in 23h 54m", a date in local time or UTC. Pure; the
//! present instant comes in. Called by every screen that shows a time.

use chrono::TimeDelta;

use crate::{domain::Timestamp, service::Zone};

/// In which form the list shows times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeFormat {
    #[default]
    Relative,
    /// As the operator's wall clock shows them.
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

    /// What the toast calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relative => "relative to now",
            Self::Local => "in local time",
            Self::Utc => "in UTC",
        }
    }
}

/// `at` as a distance from `now`, in at most 12 columns: `just now`, `5 min ago`, `in 23h 54m`,
/// `in 30d`. Distances are cut, so that "1h ago" is at least an hour; only days ahead are
/// rounded, for a token just issued for 30 days reads "in 30d".
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

/// `at` for a narrow column, in at most 16 columns.
pub fn short(at: Timestamp, now: Timestamp, times: TimeFormat, zone: Zone) -> String {
    match times {
        TimeFormat::Relative => relative(at, now),
        TimeFormat::Local => zone.wall(at).format("%Y-%m-%d %H:%M").to_string(),
        TimeFormat::Utc => at.format("%Y-%m-%d %H:%MZ").to_string(),
    }
}

/// `at` in full, as the wall clock of `zone` shows it: `Thu 24 Dec 2026 14:05 +01:00`.
pub fn full(at: Timestamp, zone: Zone) -> String {
    zone.wall(at).format("%a %-d %b %Y %H:%M %:z").to_string()
}

/// The time of day of `at`, as the wall clock of `zone` shows it: `14:05:09`.
pub fn clock(at: Timestamp, zone: Zone) -> String {
    zone.wall(at).format("%H:%M:%S").to_string()
}

/// `at` in full in the form of `times`, with its distance from `now` when that is relative.
pub fn detailed(at: Timestamp, now: Timestamp, times: TimeFormat, zone: Zone) -> String {
    match times {
        TimeFormat::Relative => format!("{} ({})", full(at, zone), relative(at, now)),
        TimeFormat::Local => full(at, zone),
        TimeFormat::Utc => full(at, Zone::utc()),
    }
}

/// The instant after `now` from which on `at` reads otherwise as a distance.
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
    fn distances_read_as_people_say_them() {
        let says = |seconds| relative(at(seconds), at(0));
        assert_eq!(says(0), "just now");
        assert_eq!(says(-59), "just now");
        assert_eq!(says(-300), "5 min ago");
        assert_eq!(says(-3 * 3600 - 100), "3h ago");
        assert_eq!(says(-86_400 * 3), "3d ago");
        assert_eq!(says(-86_400 * 800), "2y ago");
        assert_eq!(says(30), "in <1 min");
        assert_eq!(says(61), "in 1 min");
        assert_eq!(says(23 * 3600 + 54 * 60 + 26), "in 23h 54m");
        assert_eq!(says(24 * 3600), "in 24h");
        assert_eq!(says(86_400 * 30 - 5), "in 30d");
        assert_eq!(says(86_400 * 3 - 50_000), "in 2d");
    }

    #[test]
    fn a_distance_reads_the_same_until_its_next_change_and_otherwise_from_then_on() {
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
    fn a_full_time_names_day_and_offset() {
        let zone = Zone::Fixed(FixedOffset::east_opt(3600).unwrap());
        assert_eq!(full(at(0), zone), "Tue 24 Nov 2026 13:00 +01:00");
        assert_eq!(
            detailed(at(0), at(300), TimeFormat::Relative, zone),
            "Tue 24 Nov 2026 13:00 +01:00 (5 min ago)"
        );
        assert_eq!(short(at(0), at(0), TimeFormat::Utc, zone), "2026-11-24 12:00Z");
    }

    #[test]
    fn no_distance_is_wider_than_its_column() {
        for step in [1, 59, 61, 3599, 3600, 86_399, 172_799, 31_536_000, 3_153_600_000] {
            assert!(relative(at(step), at(0)).len() <= 12, "{step}");
            assert!(relative(at(-step), at(0)).len() <= 12, "{step}");
        }
    }
}
