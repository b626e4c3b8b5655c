//! When the app wakes by itself: at the instant at which something on the screen reads otherwise,
//! at most once a minute for times, and not at all while nothing will.

use chrono::TimeDelta;

use super::{fixture::Fixture, journey::Journey};

/// How long the app sleeps from now on, if nothing happens.
fn sleep(it: &Journey) -> Option<TimeDelta> {
    let app = &it.event_loop.app;
    app.deadline().map(|at| at - app.now())
}

#[test]
fn an_app_with_no_time_on_the_screen_sleeps_until_something_happens() {
    let mut it = Journey::on(Fixture::Empty, 80, 24);
    assert_eq!(sleep(&it), None, "{}", it.screen());
    it.keys("t").sees("times are in local time");
    assert_eq!(sleep(&it), Some(TimeDelta::seconds(4)), "the message goes by itself");
    it.clock_forward(TimeDelta::seconds(4)).never_sees("times are");
    assert_eq!(sleep(&it), None);
}

#[test]
fn absolute_times_wake_nobody_before_a_token_ends() {
    let mut it = Journey::on(Fixture::Few, 120, 24);
    it.keys("t").clock_forward(TimeDelta::seconds(5));
    let long = sleep(&it).unwrap();
    let before = it.screen();
    assert!(long > TimeDelta::minutes(60), "{long} on\n{before}");
    it.clock_forward(long - TimeDelta::seconds(1));
    assert_eq!(it.screen(), before);
    it.clock_forward(TimeDelta::seconds(1));
    assert_ne!(it.screen(), before, "a token ended, or is about to");
}

#[test]
fn relative_times_wake_the_app_when_the_first_of_them_reads_otherwise() {
    for (fixture, keys) in [
        (Fixture::Few, ""),
        (Fixture::Few, "j <Enter>"),
        (Fixture::Few, "4"),
        (Fixture::Rotated, "<Enter>"),
    ] {
        let mut it = Journey::on(fixture, 120, 24);
        it.keys(keys);
        let pause = sleep(&it).unwrap();
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
fn the_end_of_a_lifetime_that_is_being_typed_moves_on_by_the_minute() {
    let mut it = Journey::on(Fixture::Empty, 80, 24);
    it.keys("n");
    assert_eq!(sleep(&it), Some(TimeDelta::minutes(1)));
    let before = it.screen();
    it.clock_forward(TimeDelta::minutes(1));
    assert_ne!(it.screen(), before);
    it.keys("<Tab>").types("2027-01-31");
    assert_eq!(sleep(&it), None, "a date stays\n{}", it.screen());
}
