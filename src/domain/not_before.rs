//! The time from which a secret is valid, as an operator gives it: a duration from now, a local
//! date or time, or an instant. Pure: the current time and the time zone are arguments. Called by
//! `limits`, the forms and the command line.

use std::{fmt, str::FromStr};

use chrono::{
    DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Timelike as _, Utc,
};

use super::{Timestamp, lifetime::DurationMinutes, limits::LimitError, time_range::is_supported};

const LOCAL_FORMAT: &str = "%Y-%m-%dT%H:%M";
const LOCAL_FORMAT_WITH_SECONDS: &str = "%Y-%m-%dT%H:%M:%S";

/// A requested start of validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotBefore {
    /// This long after the change.
    In(DurationMinutes),
    /// This local time. A date begins at 00:00.
    Local(NaiveDateTime),
    /// From this instant on.
    At(Timestamp),
}

impl NotBefore {
    /// The instant from which a secret is valid. `to_utc` converts local wall-clock time to UTC.
    /// Returns an error for a time that has passed at `now`, and for a time after the year 9999.
    pub fn resolve(
        self,
        now: Timestamp,
        to_utc: impl Fn(NaiveDateTime) -> Timestamp,
    ) -> Result<Timestamp, LimitError> {
        let at = match self {
            Self::In(span) => now.checked_add_signed(span.as_delta()),
            Self::Local(wall) => Some(to_utc(wall)),
            Self::At(at) => Some(at),
        };
        let at = at.filter(|at| is_supported(*at)).ok_or(LimitError::AfterLastYear)?;
        if at > now { Ok(at) } else { Err(LimitError::InPast(self.to_string())) }
    }
}

impl FromStr for NotBefore {
    type Err = LimitError;

    /// Parses `2h` or `+2h`, `2027-01-31`, `2027-01-31T09:00` or `2027-01-31 09:00` in local time, both
    /// also with seconds, or an instant such as `2027-01-31T09:00:00Z`.
    fn from_str(text: &str) -> Result<Self, LimitError> {
        let malformed = || LimitError::MalformedTime(text.to_owned());
        let text = text.trim();
        let has_year = |year: i32| (1_000..=9_999).contains(&year);
        if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            let wall = date.and_time(NaiveTime::MIN);
            return has_year(date.year()).then_some(Self::Local(wall)).ok_or_else(malformed);
        }
        let with_blank = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"];
        for format in [LOCAL_FORMAT, LOCAL_FORMAT_WITH_SECONDS].into_iter().chain(with_blank) {
            if let Ok(wall) = NaiveDateTime::parse_from_str(text, format) {
                return has_year(wall.year()).then_some(Self::Local(wall)).ok_or_else(malformed);
            }
        }
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            let at = at.with_timezone(&Utc);
            return is_supported(at).then_some(Self::At(at)).ok_or_else(malformed);
        }
        let span = text.strip_prefix('+').unwrap_or(text);
        span.parse().map(Self::In).map_err(|_| malformed())
    }
}

impl fmt::Display for NotBefore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(span) => span.fmt(f),
            Self::Local(wall) if wall.num_seconds_from_midnight() == 0 => {
                write!(f, "{}", wall.format("%Y-%m-%d"))
            }
            Self::Local(wall) if wall.second() == 0 => write!(f, "{}", wall.format(LOCAL_FORMAT)),
            Self::Local(wall) => write!(f, "{}", wall.format(LOCAL_FORMAT_WITH_SECONDS)),
            Self::At(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::terminal_text::first_unsafe;

    fn now() -> Timestamp {
        Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
    }

    /// The start of validity in a zone that is 2 hours ahead of UTC.
    fn start(text: &str) -> Result<String, String> {
        let to_utc = |wall: NaiveDateTime| wall.and_utc() - chrono::TimeDelta::hours(2);
        let at = text.parse::<NotBefore>().and_then(|it| it.resolve(now(), to_utc));
        at.map(|at| at.format("%F %T").to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn durations_dates_and_times_have_a_start() {
        for (text, expected) in [
            ("2h", "2026-11-24 14:00:00"),
            ("+2h", "2026-11-24 14:00:00"),
            (" 30d ", "2026-12-24 12:00:00"),
            ("2026-11-25", "2026-11-24 22:00:00"),
            ("2026-11-25T09:30", "2026-11-25 07:30:00"),
            ("2026-11-25 09:30", "2026-11-25 07:30:00"),
            ("2026-11-25T09:30:15", "2026-11-25 07:30:15"),
            ("2026-11-25 09:30:15", "2026-11-25 07:30:15"),
            ("2026-11-25T09:30:15Z", "2026-11-25 09:30:15"),
            ("2026-11-25T09:30:15+01:00", "2026-11-25 08:30:15"),
        ] {
            assert_eq!(start(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn past_and_invalid_times_are_errors_with_a_hint() {
        for text in ["2026-11-24", "2026-11-24T12:00:00Z", "1999-01-01"] {
            let error = start(text).unwrap_err();
            assert!(error.ends_with("is in the past: choose a later time"), "{text}: {error}");
        }
        for text in
            ["", "soon", "never", "0h", "-2h", "++2h", "2026-13-01", "12:00", "+262142-12-31"]
        {
            assert!(start(text).unwrap_err().starts_with("invalid time"), "{text}");
        }
        assert!(start("8000y").unwrap_err().contains("after the year 9999"));
    }

    proptest! {
        #[test]
        fn a_start_round_trips_through_text(kind in 0_u8..3, minutes in 1_u32..4_000_000_000, nanos in 0_u32..1_000_000_000) {
            let at = Utc.timestamp_opt(i64::from(minutes), nanos).unwrap();
            let given = match kind {
                0 => NotBefore::In(DurationMinutes::new(minutes).unwrap()),
                1 => NotBefore::Local(at.naive_utc().with_nanosecond(0).unwrap()),
                _ => NotBefore::At(at),
            };
            prop_assert_eq!(given.to_string().parse(), Ok(given));
        }

        #[test]
        fn errors_for_any_text_are_safe_to_display(text in any::<String>()) {
            if let Err(error) = start(&text) {
                prop_assert_eq!(first_unsafe(&error), None);
            }
        }
    }
}
