//! The range of times that patdeck stores: the years 1970 to 9999. This module only defines the
//! range. A record with a time outside the range can be neither written nor read, and the time of
//! the clock is moved into the range.

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta};

use super::Timestamp;

/// The last second of the year 9999, in seconds since 1970.
const MAX_SECONDS: i64 = 253_402_300_799;

/// Maximum difference between two times that both count as correct: the clocks of two hosts, or one
/// clock before and after an adjustment.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// The resolution of stored times.
pub const TIME_RESOLUTION: TimeDelta = TimeDelta::nanoseconds(1);

/// Whether patdeck stores `at`. Every writer and every reader of a time uses this function.
pub fn is_supported(at: Timestamp) -> bool {
    (0..=MAX_SECONDS).contains(&at.timestamp())
}

/// Returns `at`, or the nearest supported second if `at` is not supported.
pub fn clamp_to_supported(at: Timestamp) -> Timestamp {
    if is_supported(at) {
        return at;
    }
    DateTime::from_timestamp(at.timestamp().clamp(0, MAX_SECONDS), 0).unwrap_or_default()
}

/// Converts a time of the system clock, which can be far before 1970 or after the year 9999.
pub fn from_system_time(at: SystemTime) -> Timestamp {
    // A clock before 1970 counts as 1970.
    let since_1970 = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since_1970.as_secs()).unwrap_or(MAX_SECONDS).min(MAX_SECONDS);
    DateTime::from_timestamp(seconds, since_1970.subsec_nanos()).unwrap_or_default()
}

/// The last supported second.
pub fn last_supported() -> Timestamp {
    clamp_to_supported(Timestamp::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn supported_times_are_those_of_the_years_1970_to_9999() {
        let tick = TimeDelta::nanoseconds(1);
        let end = last_supported() + TimeDelta::seconds(1);
        for at in [DateTime::UNIX_EPOCH, last_supported(), end - tick] {
            assert!(is_supported(at), "{at}");
            assert_eq!(clamp_to_supported(at), at);
        }
        for at in [DateTime::UNIX_EPOCH - tick, end, Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
            assert!(!is_supported(at), "{at}");
            assert!(is_supported(clamp_to_supported(at)));
        }
        assert_eq!(last_supported().to_rfc3339(), "9999-12-31T23:59:59+00:00");
    }

    #[test]
    fn every_time_of_the_system_clock_is_supported() {
        let epoch = SystemTime::UNIX_EPOCH;
        let year = Duration::from_secs(365 * 86_400);
        assert_eq!(from_system_time(epoch - year), DateTime::UNIX_EPOCH);
        assert_eq!(from_system_time(epoch + year), DateTime::UNIX_EPOCH + TimeDelta::days(365));
        assert_eq!(from_system_time(epoch + year * 8_100), last_supported());
        assert_eq!(from_system_time(epoch + Duration::from_secs(1 << 62)), last_supported());
    }
}
