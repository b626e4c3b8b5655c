//! Small pictures made of text: the gauge of the remaining lifetime and the sparkline of uses by
//! day. Each has an ASCII form. Pure; called by the facts of the detail.

use chrono::TimeDelta;

use crate::domain::{Timestamp, UsageDays, UtcDay};

/// The levels of a sparkline, lowest first. The first level is only for 0.
const LEVELS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII_LEVELS: [&str; 8] = ["_", ".", ":", "-", "=", "+", "*", "#"];

/// The filled and the empty part of a gauge with `cells` cells. If `left` is more than 0, at least
/// one cell is filled.
pub(super) fn gauge(
    left: TimeDelta,
    total: TimeDelta,
    cells: usize,
    is_ascii: bool,
) -> (String, String) {
    let (left, total) = (seconds(left), seconds(total).max(1));
    let cells_i64 = i64::try_from(cells).unwrap_or(0);
    let rounded = left.saturating_mul(cells_i64).saturating_add(total / 2) / total;
    let filled = usize::try_from(rounded).unwrap_or(0).clamp(usize::from(left > 0), cells.max(1));
    let (full, empty) = if is_ascii { ("#", "-") } else { ("▰", "▱") };
    (full.repeat(filled), empty.repeat(cells.saturating_sub(filled)))
}

/// The remaining lifetime in the unit of the whole lifetime: `27 of 30 d`, `5 of 24 h`. Days are
/// rounded as in relative times.
pub(super) fn remaining_text(left: TimeDelta, total: TimeDelta) -> String {
    let rounded = |span: TimeDelta, unit: TimeDelta| {
        (seconds(span) + seconds(unit) / 2) / seconds(unit).max(1)
    };
    let (unit, name) = match () {
        () if total >= TimeDelta::hours(48) => (TimeDelta::days(1), "d"),
        () if total >= TimeDelta::hours(2) => (TimeDelta::hours(1), "h"),
        () => (TimeDelta::minutes(1), "min"),
    };
    format!("{} of {} {name}", rounded(left, unit), rounded(total, unit))
}

fn seconds(span: TimeDelta) -> i64 {
    span.num_seconds().max(0)
}

/// One character for each of the `count` newest days up to the day of `now`, by the number of uses.
pub(super) fn sparkline(days: &UsageDays, now: Timestamp, count: u32, is_ascii: bool) -> String {
    let last = UtcDay::of(now).number();
    let uses_on = |number| {
        let day = days.as_slice().iter().find(|count| count.day.number() == number);
        day.map_or(0, |count| count.used)
    };
    let uses: Vec<u64> =
        (0..count).rev().map(|back| last.checked_sub(back).map_or(0, uses_on)).collect();
    let most = uses.iter().copied().max().unwrap_or(0).max(1);
    let levels = if is_ascii { ASCII_LEVELS } else { LEVELS };
    // The lowest level is only for 0, the highest only for the day with the most uses.
    let level = |count: u64| match count {
        0 => 0,
        count if count == most => 7,
        count => 1 + usize::try_from(u128::from(count - 1) * 6 / u128::from(most)).unwrap_or(0),
    };
    uses.into_iter().filter_map(|count| levels.get(level(count))).copied().collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;
    use crate::domain::DayCount;

    #[test]
    fn the_gauge_shows_the_part_of_the_lifetime_left() {
        let bar = |left, cells| {
            let (full, empty) = gauge(TimeDelta::hours(left), TimeDelta::hours(100), cells, true);
            full + &empty
        };
        assert_eq!(bar(100, 6), "######");
        assert_eq!(bar(90, 18), "################--");
        assert_eq!(bar(1, 6), "#-----");
        assert_eq!(bar(0, 6), "------");
        assert_eq!(bar(-3, 6), "------");
        assert_eq!(bar(500, 6), "######");
    }

    #[test]
    fn the_remaining_time_has_the_unit_of_the_lifetime() {
        let text =
            |left, total| remaining_text(TimeDelta::minutes(left), TimeDelta::minutes(total));
        assert_eq!(text(27 * 1_440 - 5, 30 * 1_440), "27 of 30 d");
        assert_eq!(text(300, 1_440), "5 of 24 h");
        assert_eq!(text(30, 90), "30 of 90 min");
    }

    #[test]
    fn the_sparkline_has_one_character_per_day() {
        let now = chrono::Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap();
        let day = |back: i64, used| DayCount {
            day: UtcDay::of(now - TimeDelta::days(back)),
            used,
            denied: 1,
        };
        let days = UsageDays::from_stored(vec![day(9, 99), day(3, 700), day(1, 1), day(0, 350)]);
        let days = days.unwrap();
        assert_eq!(sparkline(&days, now, 5, false), "▁█▁▂▄");
        assert_eq!(sparkline(&days, now, 5, true), "_#_.-");
        assert_eq!(sparkline(&UsageDays::default(), now, 3, false), "▁▁▁");
    }
}
