//! Timed wake-ups: the app wakes when a displayed time changes, at most once per minute, and not at
//! all if no displayed text depends on the time.

use chrono::TimeDelta;

use super::{fixture::Fixture, journey::Journey};

/// Time until the next wake-up, if no event arrives; `None` if there is none.
fn sleep_time(it: &Journey) -> Option<TimeDelta> {
    let wait = it.event_loop.app.time_to_next_change();
    wait.map(|wait| TimeDelta::from_std(wait).unwrap())
}

#[test]
fn without_times_on_the_screen_the_app_never_wakes() {
    let mut it = Journey::on(Fixture::Empty, 80, 24);
    assert_eq!(sleep_time(&it), None, "{}", it.screen());
    it.keys("t").sees("Times are shown in local time");
    assert_eq!(sleep_time(&it), Some(TimeDelta::seconds(4)), "the message disappears by itself");
    it.clock_forward(TimeDelta::seconds(4)).never_sees("times are");
    assert_eq!(sleep_time(&it), None);
}

#[test]
fn absolute_times_need_no_wake_up_before_an_expiry() {
    let mut it = Journey::on(Fixture::Few, 120, 24);
    it.keys("t").clock_forward(TimeDelta::seconds(5));
    let long = sleep_time(&it).unwrap();
    let before = it.screen();
    assert!(long > TimeDelta::minutes(60), "{long} on\n{before}");
    it.clock_forward(long - TimeDelta::seconds(1));
    assert_eq!(it.screen(), before);
    it.clock_forward(TimeDelta::seconds(1));
    assert_ne!(it.screen(), before, "a token ended, or is about to");
}

#[test]
fn relative_times_wake_the_app_when_one_changes() {
    for (fixture, keys) in [
        (Fixture::Few, ""),
        (Fixture::Few, "j <Enter>"),
        (Fixture::Few, "4"),
        (Fixture::Rotated, "<Enter>"),
    ] {
        let mut it = Journey::on(fixture, 120, 24);
        it.keys(keys);
        let pause = sleep_time(&it).unwrap();
        let before = it.screen();
        assert!(pause >= TimeDelta::minutes(1), "{pause} on\n{before}");
        if pause > TimeDelta::minutes(1) {
            it.clock_forward(pause - TimeDelta::seconds(1));
            assert_eq!(it.screen(), before, "{pause} after {keys}");
            it.clock_forward(TimeDelta::seconds(1));
        } else {
            it.clock_forward(pause);
        }
        assert_ne!(it.screen(), before, "{pause} after {keys}");
    }
}

#[test]
fn the_previewed_expiry_updates_every_minute() {
    let mut it = Journey::on(Fixture::Empty, 80, 24);
    it.keys("n");
    assert_eq!(sleep_time(&it), Some(TimeDelta::minutes(1)));
    let before = it.screen();
    it.clock_forward(TimeDelta::minutes(1));
    assert_ne!(it.screen(), before);
    it.keys("<Tab>").types("2027-01-31");
    assert_eq!(sleep_time(&it), None, "a date stays\n{}", it.screen());
}
