//! How long a token is valid from its issue or regeneration: durations, dates, `never`, and
//! the limits that the operator's settings put on them. Called by forms, CLI and config.

use std::{fmt, str::FromStr};

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::{Timestamp, terminal_text::escape};

/// Why a lifetime was refused; the text stands beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifetimeError {
    /// Neither a duration, nor a date, nor `never`.
    #[error("`{}` is not a lifetime: write 45m, 24h, 30d, 8w, 1y or 2027-01-31", escape(.0))]
    Grammar(String),
    #[error("a lifetime is at least 1 minute: write for instance 24h or 30d")]
    TooShort,
    #[error("{0} is past: choose a later date")]
    Past(NaiveDate),
    #[error("that is longer than the {max} allowed here: choose less")]
    TooLong { max: Span },
    #[error("a token must expire here: choose at most {max}")]
    NeverRefused { max: Span },
}

/// A positive duration in whole minutes, printed in the largest unit that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    minutes: u32,
}

const UNITS: [(char, u32); 5] =
    [('y', 365 * 24 * 60), ('w', 7 * 24 * 60), ('d', 24 * 60), ('h', 60), ('m', 1)];

impl Span {
    /// This many minutes; zero is no span.
    pub const fn minutes(minutes: u32) -> Option<Self> {
        if minutes == 0 { None } else { Some(Self { minutes }) }
    }

    /// The same as a duration to add to an instant.
    pub fn as_delta(self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.minutes))
    }
}

impl fmt::Display for Span {
    /// `366d`, `90m`: days before weeks, for `30d` and `90d` are what people say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = [('d', 24 * 60), ('h', 60)]
            .into_iter()
            .find(|(_, size)| self.minutes.is_multiple_of(*size))
            .unwrap_or(('m', 1));
        f.pad(&format!("{}{unit}", self.minutes / size))
    }
}

impl FromStr for Span {
    type Err = LifetimeError;

    /// `<n>[m|h|d|w|y]`; a year has 365 days. More than fits is too long for any limit.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let grammar = || LifetimeError::Grammar(text.to_owned());
        let text = text.trim();
        let unit = text.chars().next_back().ok_or_else(grammar)?;
        let (_, size) = UNITS.iter().find(|(u, _)| *u == unit).ok_or_else(grammar)?;
        let digits = text.get(..text.len() - unit.len_utf8()).ok_or_else(grammar)?.trim_end();
        if digits.strip_prefix('-').is_some_and(is_digits) {
            return Err(LifetimeError::TooShort);
        }
        if !is_digits(digits) {
            return Err(grammar());
        }
        let count: u32 = digits.parse().unwrap_or(u32::MAX);
        Self::minutes(count.saturating_mul(*size)).ok_or(LifetimeError::TooShort)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// For how long a token is asked to be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Counted from the issue.
    For(Span),
    /// Through this day, to 23:59 local time.
    Through(NaiveDate),
    Never,
}

impl Lifetime {
    /// What the forms offer, shortest first.
    pub const PRESETS: [&'static str; 6] = ["24h", "7d", "30d", "60d", "90d", "365d"];

    /// When a token issued at `now` ends, `None` for never. `to_utc` turns local wall-clock
    /// time into an instant. Refuses what `limits` do not allow.
    pub fn expiry(
        self,
        now: Timestamp,
        limits: &LifetimeLimits,
        to_utc: impl Fn(NaiveDateTime) -> Timestamp,
    ) -> Result<Option<Timestamp>, LifetimeError> {
        let too_long = LifetimeError::TooLong { max: limits.max };
        let end = match self {
            Self::Never if limits.allow_never => return Ok(None),
            Self::Never => return Err(LifetimeError::NeverRefused { max: limits.max }),
            Self::For(span) => now.checked_add_signed(span.as_delta()).ok_or(too_long.clone())?,
            Self::Through(date) => {
                let last = NaiveTime::from_hms_opt(23, 59, 0).unwrap_or_default();
                let end = to_utc(date.and_time(last));
                if end <= now {
                    return Err(LifetimeError::Past(date));
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
        Ok(Some(end))
    }
}

impl FromStr for Lifetime {
    type Err = LifetimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text == "never" {
            return Ok(Self::Never);
        }
        // Years of four digits: no longer lifetime is allowed, and no calendar shows others.
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

/// What the settings allow. The minimum of one minute is not a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifetimeLimits {
    pub max: Span,
    /// Whether a token may be issued that never expires.
    pub allow_never: bool,
}

impl Default for LifetimeLimits {
    /// 366 days, so that a year fits whatever its length, and no `never`.
    fn default() -> Self {
        Self { max: Span { minutes: 366 * 24 * 60 }, allow_never: false }
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
    fn durations_and_dates_give_an_end() {
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
    fn what_cannot_be_is_refused_with_advice() {
        let short = "a lifetime is at least 1 minute: write for instance 24h or 30d";
        assert_eq!(expiry("0d").unwrap_err(), short);
        assert_eq!(expiry("-3d").unwrap_err(), short);
        assert_eq!(expiry("2026-11-23").unwrap_err(), "2026-11-23 is past: choose a later date");
        let long = "that is longer than the 366d allowed here: choose less";
        for text in ["367d", "2y", "99999999999999999999y", "2028-01-01"] {
            assert_eq!(expiry(text).unwrap_err(), long, "{text}");
        }
        assert_eq!(expiry("never").unwrap_err(), "a token must expire here: choose at most 366d");
        for text in
            ["", "d", "30", "30x", "3.5d", "soon", "+3d", "٣d", "--3d", "30 д", "+262142-12-31"]
        {
            assert!(expiry(text).unwrap_err().contains("is not a lifetime"), "{text:?}");
        }
    }

    #[test]
    fn never_is_had_where_it_is_allowed() {
        let limits = LifetimeLimits { allow_never: true, ..LifetimeLimits::default() };
        assert_eq!(Lifetime::Never.expiry(now(), &limits, |t| t.and_utc()), Ok(None));
    }

    proptest! {
        #[test]
        fn parse_after_print_is_the_same_lifetime(minutes in 1..u32::MAX) {
            let lifetime = Lifetime::For(Span { minutes });
            prop_assert_eq!(lifetime.to_string().parse(), Ok(lifetime));
        }

        #[test]
        fn any_text_is_answered_and_a_refusal_can_be_shown(text in any::<String>()) {
            if let Err(error) = expiry(&text) {
                prop_assert_eq!(first_unsafe(&error), None);
            }
        }
    }
}
