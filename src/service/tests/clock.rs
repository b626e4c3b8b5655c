//! A clock that goes back, one that ran ahead, and a trail whose newest event cannot be read.

use super::*;

/// A token that ends after an hour.
fn brief(world: &World, text: &str) -> Issued {
    let brief = NewToken { lifetime: lifetime("1h"), ..new(text) };
    world.create(&brief).unwrap()
}

#[test]
fn a_clock_that_goes_back_revives_nothing_that_had_expired_by_the_last_change() {
    let world = World::new();
    let issued = brief(&world, "ci");
    world.go_to(61);
    world.issue("another");
    world.go_to(0);
    let expired = Decision::Deny(Denial::Expired(at(60)));
    assert_eq!(world.check(&issued.secret), expired);
    assert_eq!(world.test(&issued.token.id, &request(PUBLISH)).unwrap(), expired);
    assert_eq!(world.load().unwrap().clock_behind, Some(at(61)));
    // What is made meanwhile is dated by the last change too: the trail never goes back.
    assert_eq!(brief(&world, "third").token.issued, at(61));
    let times: Vec<_> = world.events().iter().map(|event| event.what.at).collect();
    assert!(times.is_sorted());
}

#[test]
fn a_clock_that_goes_back_gives_the_trash_no_more_time() {
    let world = World::new();
    let issued = world.issue("ci");
    world.delete(&issued.token.id).unwrap();
    world.go_to(DAY);
    world.issue("another");
    world.go_to(0);
    assert!(matches!(
        world.refused(Service::restore_last),
        ServiceError::Refused(Refusal::NothingToRestore)
    ));
    world.purge().unwrap();
    assert_eq!(world.store.read(ReadOps::trash).unwrap().rows, []);
}

#[test]
fn a_little_behind_is_no_word_worth() {
    let world = World::new();
    world.go_to(5);
    world.issue("ci");
    world.go_to(0);
    assert_eq!(world.load().unwrap().clock_behind, None);
    world.clock.set(at(0) - TimeDelta::seconds(1));
    assert_eq!(world.load().unwrap().clock_behind, Some(at(5)));
}

#[test]
fn an_accepted_clock_mends_one_that_had_run_ahead() {
    let world = World::new();
    let issued = brief(&world, "ci");
    world.go_to(1_000 * DAY);
    world.issue("another");
    world.works(&issued.secret);
    world.go_to(10);
    assert!(!world.works(&issued.secret));
    let ((), told) = world.told(Service::accept_clock);
    assert_eq!(
        told,
        [(AuditAction::ClockAccepted, "the last change was at 2029-08-20 12:00 UTC".into())]
    );
    assert_eq!(world.load().unwrap().clock_behind, None);
    assert!(world.works(&issued.secret));
    let used = world.get(&issued.token.id).unwrap().last_used.unwrap();
    assert_eq!(used.at, at(10), "uses are written again, too");
    world.go_to(60);
    assert!(!world.works(&issued.secret));
}

#[test]
fn what_was_deleted_while_the_clock_ran_ahead_keeps_its_order_and_its_24_hours() {
    let world = World::new();
    let names =
        |tokens: Vec<Token>| -> Vec<_> { tokens.iter().map(|p| p.name.to_string()).collect() };
    let ids = ["one", "two", "three", "four"].map(|n| world.issue(n).token.id);
    world.go_to(999 * DAY);
    world.delete(&ids[0]).unwrap();
    world.go_to(1_000 * DAY - 60);
    world.delete(&ids[1]).unwrap();
    world.go_to(1_000 * DAY - 59);
    world.delete(&ids[2]).unwrap();
    world.go_to(10);
    world.accept_clock().unwrap();
    world.delete(&ids[3]).unwrap();
    assert_eq!(names(world.restore_last().unwrap()), ["four"]);
    assert_eq!(names(world.restore_last().unwrap()), ["three"]);
    world.go_to(11 + DAY);
    world.refused(Service::restore_last);
    world.purge().unwrap();
    assert_eq!(world.store.read(ReadOps::trash).unwrap().rows, []);
}

#[test]
fn a_damaged_newest_event_stops_neither_a_check_nor_a_revocation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let world = World::on(Store::open(&path).unwrap(), 1);
    let issued = world.issue("ci");
    world.go_to(5);
    let old = Description::default();
    world.edit(&issued.token.id, &name("needle-two"), &old).unwrap();
    drop(world);
    // The words of the newest event, which stand nowhere else, get a typo.
    let mut bytes = std::fs::read(&path).unwrap();
    let words = b"name was ci";
    let places: Vec<_> =
        (0..bytes.len() - words.len()).filter(|n| bytes[*n..].starts_with(words)).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place] ^= 1;
    }
    std::fs::write(&path, bytes).unwrap();
    let world = World::on(Store::open(&path).unwrap(), 2);
    assert!(world.works(&issued.secret));
    world.load().unwrap();
    world.revoke(&issued.token.id).unwrap();
    assert!(!world.works(&issued.secret));
    let broken = world.trail(9).unwrap().chain.broken.unwrap();
    assert_eq!(broken, (2, "2 in events-1 is damaged".into()));
}
