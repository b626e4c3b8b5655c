//! Lifetimes of secrets, counted from creation or regeneration: durations, dates and `never`, and
//! the configured limits. Called by the forms, the command line and the config.

use std::{fmt, str::FromStr};

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::{Timestamp, terminal_text::escape, time_range::is_supported};

/// Why a lifetime is invalid. Forms show the message beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeError {
    /// The text is neither a duration, nor a date, nor `never`.
    #[error("invalid lifetime `{}`: use e.g. 45m, 24h, 30d, 8w, 1y or 2027-01-31", escape(.0))]
    Malformed(String),
    #[error("lifetime is below the minimum of 1 minute: use e.g. 24h or 30d")]
    TooShort,
    #[error("{0} is in the past: choose a later date")]
    InPast(NaiveDate),
    #[error("lifetime exceeds the maximum of {max}: choose a shorter one")]
    TooLong { max: DurationMinutes },
    #[error("lifetime ends after the year 9999: choose a shorter one")]
    AfterLastYear,
    #[error("tokens must expire: choose a lifetime of at most {max}")]
    NeverNotAllowed { max: DurationMinutes },
}

/// A positive duration in whole minutes. Prints in the largest unit of days, hours and minutes that
/// leaves no remainder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DurationMinutes {
    minutes: u32,
}

const UNITS: [(char, u32); 5] =
    [('y', 365 * 24 * 60), ('w', 7 * 24 * 60), ('d', 24 * 60), ('h', 60), ('m', 1)];

impl DurationMinutes {
    /// Creates a duration of this many minutes. Returns `None` for zero.
    pub const fn new(minutes: u32) -> Option<Self> {
        if minutes == 0 { None } else { Some(Self { minutes }) }
    }

    /// The duration as a chrono type, for arithmetic with timestamps.
    pub fn as_delta(self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.minutes))
    }
}

impl fmt::Display for DurationMinutes {
    /// `366d`, `90m`. Never prints weeks or years, because `30d` and `90d` are more common.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = [('d', 24 * 60), ('h', 60)]
            .into_iter()
            .find(|(_, size)| self.minutes.is_multiple_of(*size))
            .unwrap_or(('m', 1));
        f.pad(&format!("{}{unit}", self.minutes / size))
    }
}

impl FromStr for DurationMinutes {
    type Err = LifetimeError;

    /// Parses `<n>[m|h|d|w|y]`, where a year has 365 days. A number that overflows becomes the
    /// longest duration, which exceeds every limit.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || LifetimeError::Malformed(text.to_owned());
        let text = text.trim();
        let unit = text.chars().next_back().ok_or_else(malformed)?;
        let (_, size) = UNITS.iter().find(|(u, _)| *u == unit).ok_or_else(malformed)?;
        let digits = text.get(..text.len() - unit.len_utf8()).ok_or_else(malformed)?.trim_end();
        if digits.strip_prefix('-').is_some_and(is_digits) {
            return Err(LifetimeError::TooShort);
        }
        if !is_digits(digits) {
            return Err(malformed());
        }
        let count: u32 = digits.parse().unwrap_or(u32::MAX);
        Self::new(count.saturating_mul(*size)).ok_or(LifetimeError::TooShort)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The requested lifetime of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// The secret works for this duration after creation or regeneration.
    For(DurationMinutes),
    /// The secret works until 23:59 local time on this date.
    Through(NaiveDate),
    Never,
}

impl Lifetime {
    /// The lifetimes that the forms suggest, shortest first.
    pub const PRESETS: [&'static str; 6] = ["24h", "7d", "30d", "60d", "90d", "365d"];

    /// Derives the chosen lifetime of a secret from its issue and expiry times. A secret that expires
    /// at the end of a local day has that date as its lifetime. Returns `None` for less than 1 minute.
    pub fn between(
        issued: Timestamp,
        expires: Option<Timestamp>,
        to_utc: impl Fn(NaiveDateTime) -> Timestamp,
    ) -> Option<Self> {
        let Some(end) = expires else { return Some(Self::Never) };
        let date = end.date_naive();
        // The local date differs from the date in UTC by at most one day.
        let dates = [date.pred_opt(), Some(date), date.succ_opt()].into_iter().flatten();
        let through = dates.into_iter().find(|date| to_utc(end_of_day(*date)) == end);
        let minutes = u32::try_from((end - issued).num_minutes()).ok();
        let span = minutes.and_then(DurationMinutes::new).map(Self::For);
        through.map(Self::Through).or(span)
    }

    /// Returns the expiry of a token issued at `now`, or `None` if the token never expires.
    /// `to_utc` converts local wall-clock time to UTC. Returns an error for a lifetime below 1
    /// minute, a past date, or a lifetime beyond `limits`.
    pub fn expiry(
        self,
        now: Timestamp,
        limits: &LifetimeLimits,
        to_utc: impl Fn(NaiveDateTime) -> Timestamp,
    ) -> Result<Option<Timestamp>, LifetimeError> {
        let too_long = LifetimeError::TooLong { max: limits.max };
        let end = match self {
            Self::Never if limits.allow_never => return Ok(None),
            Self::Never => return Err(LifetimeError::NeverNotAllowed { max: limits.max }),
            Self::For(span) => now.checked_add_signed(span.as_delta()).ok_or(too_long.clone())?,
            Self::Through(date) => {
                let end = to_utc(end_of_day(date));
                if end <= now {
                    return Err(LifetimeError::InPast(date));
                }
                end
            }
        };
        if end - now < TimeDelta::minutes(1) {
            return Err(LifetimeError::TooShort);
        }
        if end - now > limits.max.as_delta() {
            return Err(too_long);
        }
        if !is_supported(end) {
            return Err(LifetimeError::AfterLastYear);
        }
        Ok(Some(end))
    }
}

/// 23:59 on `date`, the end of a lifetime that is a date.
fn end_of_day(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::from_hms_opt(23, 59, 0).unwrap_or_default())
}

impl FromStr for Lifetime {
    type Err = LifetimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text == "never" {
            return Ok(Self::Never);
        }
        // Accept only years of four digits: dates before year 1000 are past, and dates after year
        // 9999 exceed every limit.
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        if let Some(date) = date.filter(|date| (1_000..=9_999).contains(&date.year())) {
            return Ok(Self::Through(date));
        }
        text.parse().map(Self::For)
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(span) => span.fmt(f),
            Self::Through(date) => write!(f, "{}", date.format("%Y-%m-%d")),
            Self::Never => f.write_str("never"),
        }
    }
}

/// The configured limits of a lifetime. The minimum of 1 minute is not configurable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifetimeLimits {
    pub max: DurationMinutes,
    /// Whether tokens without expiry are allowed.
    pub allow_never: bool,
}

impl LifetimeLimits {
    /// The longest maximum that the config can set: 100 years of 365 days.
    pub const LONGEST_MAX: DurationMinutes = DurationMinutes { minutes: 100 * 365 * 24 * 60 };
}

impl Default for LifetimeLimits {
    /// The maximum is 366 days, which covers a leap year. Tokens without expiry are not allowed.
    fn default() -> Self {
        Self { max: DurationMinutes { minutes: 366 * 24 * 60 }, allow_never: false }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::terminal_text::first_unsafe;

    fn now() -> Timestamp {
        chrono::Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
    }

    fn expiry(text: &str) -> Result<String, String> {
        let lifetime: Lifetime = text.parse().map_err(|e: LifetimeError| e.to_string())?;
        match lifetime.expiry(now(), &LifetimeLimits::default(), |t| t.and_utc()) {
            Ok(Some(end)) => Ok(end.format("%F %R").to_string()),
            Ok(None) => Ok("never".into()),
            Err(e) => Err(e.to_string()),
        }
    }

    #[test]
    fn durations_and_dates_have_an_expiry() {
        assert_eq!(expiry("1m").unwrap(), "2026-11-24 12:01");
        assert_eq!(expiry("24h").unwrap(), "2026-11-25 12:00");
        assert_eq!(expiry("30d").unwrap(), "2026-12-24 12:00");
        assert_eq!(expiry("8w").unwrap(), "2027-01-19 12:00");
        assert_eq!(expiry(" 1y ").unwrap(), "2027-11-24 12:00");
        assert_eq!(expiry("2026-11-24").unwrap(), "2026-11-24 23:59");
        for preset in Lifetime::PRESETS {
            expiry(preset).unwrap();
        }
    }

    #[test]
    fn invalid_lifetimes_are_errors_with_a_hint() {
        let short = "lifetime is below the minimum of 1 minute: use e.g. 24h or 30d";
        assert_eq!(expiry("0d").unwrap_err(), short);
        assert_eq!(expiry("-3d").unwrap_err(), short);
        assert_eq!(
            expiry("2026-11-23").unwrap_err(),
            "2026-11-23 is in the past: choose a later date"
        );
        let long = "lifetime exceeds the maximum of 366d: choose a shorter one";
        for text in ["367d", "2y", "99999999999999999999y", "2028-01-01"] {
            assert_eq!(expiry(text).unwrap_err(), long, "{text}");
        }
        assert_eq!(
            expiry("never").unwrap_err(),
            "tokens must expire: choose a lifetime of at most 366d"
        );
        for text in
            ["", "d", "30", "30x", "3.5d", "soon", "+3d", "٣d", "--3d", "30 д", "+262142-12-31"]
        {
            assert!(expiry(text).unwrap_err().contains("invalid lifetime"), "{text:?}");
        }
    }

    #[test]
    fn never_is_accepted_if_allowed() {
        let limits = LifetimeLimits { allow_never: true, ..LifetimeLimits::default() };
        assert_eq!(Lifetime::Never.expiry(now(), &limits, |t| t.and_utc()), Ok(None));
    }

    #[test]
    fn chosen_lifetime_follows_from_issue_and_expiry() {
        let limits = LifetimeLimits { allow_never: true, ..LifetimeLimits::default() };
        // Local times 5 hours behind and 14 hours ahead of UTC.
        for hours in [-5, 0, 14] {
            let to_utc = |wall: NaiveDateTime| wall.and_utc() - TimeDelta::hours(hours);
            for text in ["90m", "365d", "2027-01-31", "never"] {
                let lifetime: Lifetime = text.parse().unwrap();
                let end = lifetime.expiry(now(), &limits, to_utc).unwrap();
                assert_eq!(Lifetime::between(now(), end, to_utc), Some(lifetime), "{text} {hours}");
            }
            let too_short = Some(now() + TimeDelta::seconds(59));
            assert_eq!(Lifetime::between(now(), too_short, to_utc), None);
        }
    }

    proptest! {
        #[test]
        fn lifetime_round_trips_through_text(minutes in 1..u32::MAX) {
            let lifetime = Lifetime::For(DurationMinutes { minutes });
            prop_assert_eq!(lifetime.to_string().parse(), Ok(lifetime));
        }

        #[test]
        fn errors_for_any_text_are_safe_to_display(text in any::<String>()) {
            if let Err(error) = expiry(&text) {
                prop_assert_eq!(first_unsafe(&error), None);
            }
        }
    }
}
