//! The numbers of uses and denied attempts of a token on each day, in UTC. Contains only the newest
//! [`UsageDays::MAX`] days. Pure; the verifier counts, the store adds up, and all front ends show
//! them.

use chrono::{DateTime, NaiveDate, TimeDelta};

use super::{Timestamp, count::counted, time_range::is_supported};

const SECONDS_PER_DAY: i64 = 86_400;

/// A day in UTC, as the number of days since 1970-01-01. It is always in the supported time range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UtcDay(u32);

impl UtcDay {
    /// The day of `at`. A time before 1970 counts for the first day.
    pub fn of(at: Timestamp) -> Self {
        Self(u32::try_from(at.timestamp().div_euclid(SECONDS_PER_DAY)).unwrap_or_default())
    }

    /// Returns the day with this number, or `None` if it is after the year 9999.
    pub fn from_number(days_since_1970: u32) -> Option<Self> {
        let start = DateTime::from_timestamp(i64::from(days_since_1970) * SECONDS_PER_DAY, 0)?;
        is_supported(start).then_some(Self(days_since_1970))
    }

    /// The number of days since 1970-01-01.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The date, which formats as `2026-11-29`.
    pub fn date(self) -> NaiveDate {
        (DateTime::UNIX_EPOCH + TimeDelta::days(i64::from(self.0))).date_naive()
    }
}

/// The numbers of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayCount {
    pub day: UtcDay,
    /// Number of checks that allowed the request.
    pub used: u64,
    /// Number of checks that matched a secret and denied the request.
    pub denied: u64,
}

impl DayCount {
    /// The numbers as text: `124 times, denied 3 times`.
    pub fn describe(&self) -> String {
        format!("{}, denied {}", counted(self.used, "time"), counted(self.denied, "time"))
    }
}

/// The numbers of the newest days, in ascending order of the days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageDays(Vec<DayCount>);

impl UsageDays {
    /// Maximum number of days.
    pub const MAX: usize = 32;

    /// Returns the stored `days`, or `None` if they are too many or not in strictly ascending order.
    pub fn from_stored(days: Vec<DayCount>) -> Option<Self> {
        let is_valid = days.len() <= Self::MAX && days.is_sorted_by(|one, next| one.day < next.day);
        is_valid.then_some(Self(days))
    }

    /// Counts one check at `at`.
    pub fn count(&mut self, at: Timestamp, is_allowed: bool) {
        let (used, denied) = if is_allowed { (1, 0) } else { (0, 1) };
        self.add(DayCount { day: UtcDay::of(at), used, denied });
    }

    /// Adds the numbers of each day of `other`.
    pub fn add_all(&mut self, other: &Self) {
        other.0.iter().for_each(|count| self.add(*count));
    }

    fn add(&mut self, count: DayCount) {
        let days = &mut self.0;
        // Nearly every check is on the newest day, which is the last.
        let at = days.iter().rposition(|it| it.day <= count.day);
        if let Some(it) = at.and_then(|at| days.get_mut(at)).filter(|it| it.day == count.day) {
            it.used = it.used.saturating_add(count.used);
            it.denied = it.denied.saturating_add(count.denied);
            return;
        }
        days.insert(at.map_or(0, |at| at.saturating_add(1)), count);
        let surplus = days.len().saturating_sub(Self::MAX);
        days.drain(..surplus);
    }

    /// The numbers of the day of `at`, or `None` if no check was counted on that day.
    pub fn on_day_of(&self, at: Timestamp) -> Option<&DayCount> {
        let day = UtcDay::of(at);
        self.0.iter().rfind(|count| count.day == day)
    }

    pub fn as_slice(&self) -> &[DayCount] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::tests::at;

    #[test]
    fn checks_are_counted_by_day_and_answer() {
        let mut days = UsageDays::default();
        for (minute, is_allowed) in [(0, true), (719, true), (719, false), (720, true), (1, true)] {
            days.count(at(minute), is_allowed);
        }
        let texts: Vec<_> = days.as_slice().iter().map(DayCount::describe).collect();
        assert_eq!(texts, ["3 times, denied 1 time", "1 time, denied 0 times"]);
        assert_eq!(days.on_day_of(at(5)).unwrap().day.date().to_string(), "2026-11-24");
        assert_eq!(days.on_day_of(at(-1_440)), None);
    }

    #[test]
    fn only_the_newest_32_days_are_kept() {
        let mut days = UsageDays::default();
        for day in (0..40).rev().chain(0..40) {
            days.count(at(day * 1_440), true);
        }
        let first = days.as_slice().first().unwrap();
        assert_eq!((days.as_slice().len(), first.day), (32, UtcDay::of(at(8 * 1_440))));
        assert_eq!(UsageDays::from_stored(days.as_slice().to_vec()), Some(days.clone()));
        assert_eq!(UsageDays::from_stored([days.as_slice(), days.as_slice()].concat()), None);
        assert_eq!(UtcDay::from_number(u32::MAX), None);
    }
}
