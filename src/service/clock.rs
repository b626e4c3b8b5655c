//! What time it is, and how an instant reads on the operator's wall. The only place that asks
//! the system for either; tests fix both. Called by the service and by what shows times.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, Offset as _, TimeZone, Utc};

use crate::{
    domain::Timestamp,
    store::{ReadOps, StoreError},
};

#[derive(Debug, Clone)]
pub enum Clock {
    System,
    /// A hand that only [`Clock::set`] moves; seconds since 1970.
    #[cfg_attr(not(any(test, feature = "testing")), expect(dead_code, reason = "for tests"))]
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    #[cfg(any(test, feature = "testing"))]
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.timestamp())))
    }

    /// Moves a fixed clock and all its clones to `at`; the system's is not moved.
    #[cfg(any(test, feature = "testing"))]
    pub fn set(&self, at: Timestamp) {
        if let Self::Fixed(hand) = self {
            hand.store(at.timestamp(), Ordering::SeqCst);
        }
    }

    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Utc::now(),
            Self::Fixed(hand) => {
                DateTime::from_timestamp(hand.load(Ordering::SeqCst), 0).unwrap_or_default()
            }
        }
    }

    /// The time by which a secret or a token is denied: the clock's, but never before the last
    /// event, so that a clock that was set back reactivates nothing.
    pub(super) fn denial_time(&self, rows: &impl ReadOps) -> Result<Timestamp, StoreError> {
        let now = self.now();
        Ok(rows.newest_event_at()?.map_or(now, |newest| now.max(newest)))
    }
}

/// The zone of the operator's wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// The system's, with its summer time.
    Local,
    Fixed(FixedOffset),
}

impl Zone {
    pub fn utc() -> Self {
        Self::Fixed(Utc.fix())
    }

    /// `at` as the wall clock shows it.
    pub fn wall(self, at: Timestamp) -> DateTime<FixedOffset> {
        match self {
            Self::Local => at.with_timezone(&Local).fixed_offset(),
            Self::Fixed(offset) => at.with_timezone(&offset),
        }
    }

    /// The instant at which the wall clock shows `wall`: the earlier one when it does so twice,
    /// and the same distance past midnight when it skips that time.
    pub fn instant(self, wall: NaiveDateTime) -> Timestamp {
        match self {
            Self::Local => earliest(&Local, wall),
            Self::Fixed(offset) => earliest(&offset, wall),
        }
    }
}

fn earliest<Z: TimeZone>(zone: &Z, wall: NaiveDateTime) -> Timestamp {
    let skipped = || {
        let utc = wall.checked_sub_offset(zone.offset_from_utc_datetime(&wall).fix());
        // At the end of what can be counted there is no other instant.
        utc.map_or(Timestamp::MAX_UTC, |utc| Utc.from_utc_datetime(&utc))
    };
    let found = zone.from_local_datetime(&wall).earliest();
    found.map_or_else(skipped, |at| at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_time_and_its_instant_are_each_others_inverse() {
        let zone = Zone::Fixed(FixedOffset::east_opt(3600).unwrap());
        let at = Utc.with_ymd_and_hms(2026, 12, 24, 13, 5, 0).unwrap();
        assert_eq!(zone.wall(at).format("%H:%M").to_string(), "14:05");
        assert_eq!(zone.instant(zone.wall(at).naive_local()), at);
    }

    #[test]
    fn the_last_day_that_can_be_counted_is_an_instant_in_every_zone() {
        for hours in [-12, 0, 14] {
            let zone = Zone::Fixed(FixedOffset::east_opt(hours * 3600).unwrap());
            assert!(zone.instant(NaiveDateTime::MAX) > DateTime::UNIX_EPOCH);
        }
    }

    #[test]
    fn clones_of_a_fixed_clock_move_together() {
        let at = |s| DateTime::from_timestamp(s, 0).unwrap();
        let clock = Clock::fixed(at(5));
        let other = clock.clone();
        clock.set(at(9));
        assert_eq!(other.now(), at(9));
    }
}
