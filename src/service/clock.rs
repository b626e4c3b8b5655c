//! The clock, and the operator's time zone. Nothing else in the crate reads the system time or the
//! system time zone. Tests set both to fixed values. Called by the service and by all code that
//! shows times.

use std::{
    env,
    path::{Component, Path},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, Offset as _, TimeZone, Utc};

use crate::{
    domain::{
        Timestamp,
        time_range::{CLOCK_TOLERANCE, TIME_RESOLUTION, clamp_to_supported, from_system_time},
    },
    store::{ReadOps, StoreError},
};

/// The start of [`Clock::elapsed`].
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

#[derive(Debug, Clone)]
pub enum Clock {
    System,
    /// A time that only tests, and the history of the demo, change.
    Fixed(Arc<FixedTime>),
}

/// The time of a fixed clock.
#[derive(Debug)]
pub struct FixedTime {
    /// Seconds since 1970.
    seconds: AtomicI64,
    /// Sum of the seconds by which `Clock::set` moved the clock ahead, and the result of
    /// [`Clock::elapsed`].
    elapsed: AtomicU64,
}

impl Clock {
    pub fn fixed(at: Timestamp) -> Self {
        let seconds = AtomicI64::new(at.timestamp());
        Self::Fixed(Arc::new(FixedTime { seconds, elapsed: AtomicU64::new(0) }))
    }

    /// Sets a fixed clock and all its clones to `at`. Setting the clock back does not change
    /// [`Clock::elapsed`]. Has no effect on [`Clock::System`].
    pub fn set(&self, at: Timestamp) {
        if let Self::Fixed(time) = self {
            let before = time.seconds.swap(at.timestamp(), Ordering::SeqCst);
            let passed = u64::try_from(at.timestamp().saturating_sub(before)).unwrap_or(0);
            time.elapsed.fetch_add(passed, Ordering::SeqCst);
        }
    }

    /// The time of the clock. A time before 1970 becomes the start of 1970, and a time after the
    /// year 9999 becomes the end of 9999, because no other time can be stored.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => from_system_time(SystemTime::now()),
            Self::Fixed(time) => {
                let at = DateTime::from_timestamp(time.seconds.load(Ordering::SeqCst), 0);
                clamp_to_supported(at.unwrap_or_default())
            }
        }
    }

    /// The time since an arbitrary start, by a monotonic clock. All intervals within this process
    /// are measured with it, because the system clock can be set back.
    pub fn elapsed(&self) -> Duration {
        match self {
            Self::System => START.elapsed(),
            Self::Fixed(time) => Duration::from_secs(time.elapsed.load(Ordering::SeqCst)),
        }
    }
}

/// The clock with the newest time that this process has seen. Clones share that time.
#[derive(Debug, Clone)]
pub(super) struct ProcessTime {
    clock: Clock,
    seen: Arc<Mutex<SeenTime>>,
}

/// The times at which a check is decided.
#[derive(Debug, Clone, Copy)]
pub(super) struct CheckTimes {
    /// The time at which expiry is evaluated.
    pub(super) denial: Timestamp,
    pub(super) clock: Timestamp,
}

/// The newest result of [`ProcessTime::denial_time`] since an operator accepted the clock.
#[derive(Debug, Default)]
struct SeenTime {
    /// How often the clock was accepted.
    accepted: u64,
    newest: Option<Timestamp>,
}

impl ProcessTime {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, seen: Arc::default() }
    }

    /// The time of the clock, at which new secrets are issued. No secret is issued while
    /// [`ProcessTime::behind`] returns a time.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the instant at which expiry is evaluated. This instant never goes back: it is the
    /// latest of the clock, the newest event, the newest use, and the newest time that this process
    /// has seen. So a clock that was set back reactivates no secret.
    pub(super) fn denial_time(&self, rows: &impl ReadOps) -> Result<Timestamp, StoreError> {
        Ok(self.check_times(rows)?.denial)
    }

    /// Returns the time of a change: [`ProcessTime::denial_time`], but later than the newest event if the
    /// clock is behind that. So an older copy of the store lacks the time of every later change, also
    /// after a small step of the clock.
    pub(super) fn change_time(&self, rows: &impl ReadOps) -> Result<Timestamp, StoreError> {
        let CheckTimes { denial, clock } = self.check_times(rows)?;
        let is_behind = clock < denial;
        Ok(if is_behind { clamp_to_supported(denial + TIME_RESOLUTION) } else { denial })
    }

    /// Returns [`ProcessTime::denial_time`] and the time of the clock.
    pub(super) fn check_times(&self, rows: &impl ReadOps) -> Result<CheckTimes, StoreError> {
        let recorded = rows.recorded_time()?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.accepted != recorded.accepted {
            *seen = SeenTime { accepted: recorded.accepted, newest: None };
        }
        let clock = self.now();
        let denial = recorded.newest().max(seen.newest).map_or(clock, |newest| newest.max(clock));
        seen.newest = Some(denial);
        Ok(CheckTimes { denial, clock })
    }

    /// Returns [`ProcessTime::denial_time`] if the clock is more than [`CLOCK_TOLERANCE`] behind
    /// that time. In that case, no secret can be issued.
    pub(super) fn behind(&self, rows: &impl ReadOps) -> Result<Option<Timestamp>, StoreError> {
        let CheckTimes { denial, clock } = self.check_times(rows)?;
        Ok((denial - clock > CLOCK_TOLERANCE).then_some(denial))
    }
}

/// The time zone of the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// The system's zone, with its daylight saving time.
    Local,
    Fixed(FixedOffset),
}

/// Whether reading the zone that TZ names ends. A pipe would never be read to its end. Without such a
/// file, the zone is UTC, as for an unknown name.
static HAS_ZONE_FILE: LazyLock<bool> = LazyLock::new(|| {
    let name = env::var_os("TZ").unwrap_or_default();
    let name = name.to_string_lossy();
    let path = Path::new(name.trim_start_matches(':'));
    let is_name = path.components().all(|part| matches!(part, Component::Normal(_)));
    is_name || path.is_file()
});

impl Zone {
    pub fn utc() -> Self {
        Self::Fixed(Utc.fix())
    }

    /// Converts `at` to the local time of this zone.
    pub fn wall_time(self, at: Timestamp) -> DateTime<FixedOffset> {
        match self {
            Self::Local if *HAS_ZONE_FILE => at.with_timezone(&Local).fixed_offset(),
            Self::Local => at.fixed_offset(),
            Self::Fixed(offset) => at.with_timezone(&offset),
        }
    }

    /// Converts the local time `wall` to UTC. If `wall` occurs twice (at the end of daylight saving
    /// time), returns the earlier instant. If `wall` is skipped (at the start of daylight saving
    /// time), uses the offset that the zone has at the same date and time in UTC.
    pub fn to_utc(self, wall: NaiveDateTime) -> Timestamp {
        match self {
            Self::Local if *HAS_ZONE_FILE => earliest_instant(&Local, wall),
            Self::Local => earliest_instant(&Utc, wall),
            Self::Fixed(offset) => earliest_instant(&offset, wall),
        }
    }
}

fn earliest_instant<Z: TimeZone>(zone: &Z, wall: NaiveDateTime) -> Timestamp {
    let skipped = || {
        let utc = wall.checked_sub_offset(zone.offset_from_utc_datetime(&wall).fix());
        // `None` means overflow, which happens only near the largest representable date.
        utc.map_or(Timestamp::MAX_UTC, |utc| Utc.from_utc_datetime(&utc))
    };
    let instant = zone.from_local_datetime(&wall).earliest();
    instant.map_or_else(skipped, |at| at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_and_instant_round_trip() {
        let zone = Zone::Fixed(FixedOffset::east_opt(3600).unwrap());
        let at = Utc.with_ymd_and_hms(2026, 12, 24, 13, 5, 0).unwrap();
        assert_eq!(zone.wall_time(at).format("%H:%M").to_string(), "14:05");
        assert_eq!(zone.to_utc(zone.wall_time(at).naive_local()), at);
    }

    #[test]
    fn last_representable_day_converts_in_every_zone() {
        for hours in [-12, 0, 14] {
            let zone = Zone::Fixed(FixedOffset::east_opt(hours * 3600).unwrap());
            assert!(zone.to_utc(NaiveDateTime::MAX) > DateTime::UNIX_EPOCH);
        }
    }

    #[test]
    fn clones_of_a_fixed_clock_share_the_time() {
        let at = |s| DateTime::from_timestamp(s, 0).unwrap();
        let clock = Clock::fixed(at(5));
        let other = clock.clone();
        clock.set(at(9));
        assert_eq!(other.now(), at(9));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_reduce_the_elapsed_time() {
        let at = |s| DateTime::from_timestamp(s, 0).unwrap();
        let clock = Clock::fixed(at(100));
        clock.set(at(103));
        clock.set(at(5));
        clock.set(at(6));
        assert_eq!(clock.elapsed(), Duration::from_secs(4));
    }
}
