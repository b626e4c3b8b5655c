//! The roll reads a store part by part and follows it, however far it has read.

use chrono::TimeDelta;

use super::*;
use crate::{
    domain::{Query, Status, StatusFilter},
    service::Roll,
};

/// A roll with everything that `world` has.
fn whole(world: &World) -> Roll {
    let mut roll = Roll::default();
    while !roll.is_whole() {
        world.read_on(&mut roll).unwrap();
    }
    roll
}

fn ids(roll: &Roll) -> Vec<TokenId> {
    roll.index().rows().map(|row| row.id()).collect()
}

fn stored(world: &World) -> Vec<TokenId> {
    world.load().unwrap().pats.iter().map(|pat| pat.id).collect()
}

/// Puts tokens with these numbers into the store, a minute apart, without asking the rules.
fn put(world: &World, numbers: std::ops::Range<u32>) {
    let like = world.issue(&format!("like-{}", numbers.start)).pat;
    world
        .store
        .write(|rows| {
            for n in numbers.clone() {
                let id =
                    TokenId::parse(&format!("{:012}", u64::from(n) * 7_919 % 1_000_003)).unwrap();
                let issued = like.issued + TimeDelta::minutes(n.into());
                let pat = Pat { id, name: name(&format!("t{n}")), issued, ..like.clone() };
                rows.put_pat(&pat)?;
                rows.append_event(EventDraft {
                    at: issued,
                    actor: Actor::named("alice"),
                    token: Some(id),
                    name: String::new(),
                    action: Action::Created,
                    detail: String::new(),
                })?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn it_reads_part_by_part_and_what_changes_meanwhile_is_not_lost() {
    let world = World::new();
    put(&world, 0..9_000);
    let mut roll = Roll::default();
    world.read_on(&mut roll).unwrap();
    assert!(!roll.is_whole() && !roll.index().is_empty());
    assert_eq!(roll.total(), 9_001);
    // Some of these are in the part that is read, some in those to come.
    put(&world, 20_000..20_050);
    for id in stored(&world).iter().step_by(100) {
        world.delete(id).unwrap();
    }
    while !roll.is_whole() {
        world.read_on(&mut roll).unwrap();
    }
    world.keep_up(&mut roll).unwrap();
    assert_eq!(ids(&roll), stored(&world));
}

#[test]
fn it_follows_makes_changes_and_deletions() {
    let world = World::new();
    let (kept, gone) = (world.issue("kept").pat, world.issue("gone").pat);
    let mut roll = whole(&world);
    world.revoke(&kept.id).unwrap();
    world.delete(&gone.id).unwrap();
    let new = world.issue("new").pat;
    world.keep_up(&mut roll).unwrap();
    assert_eq!(ids(&roll), stored(&world));
    let row = roll.index().get(&kept.id).unwrap();
    assert_eq!(row.status(new.issued), Status::Revoked);
    assert!(roll.index().get(&new.id).is_some() && roll.index().is_ordered());
}

#[test]
fn more_than_the_feed_holds_is_read_from_the_start() {
    let world = World::new();
    world.issue("first");
    let mut roll = whole(&world);
    put(&world, 0..5_000);
    world.keep_up(&mut roll).unwrap();
    assert!(!roll.is_whole() && roll.index().is_empty());
    assert_eq!(ids(&whole(&world)), stored(&world));
}

#[test]
fn the_trail_tells_the_newest_as_a_whole_reading_does() {
    let world = World::new();
    put(&world, 0..3_000);
    let late = world.now().unwrap();
    for id in stored(&world).iter().step_by(3) {
        world.revoke(id).unwrap();
    }
    let roll = whole(&world);
    for status in [StatusFilter::All, StatusFilter::Active] {
        let query = Query { status, ..Query::default() };
        let picked = query.pick(roll.index(), late, || true).unwrap();
        let all: Vec<_> = picked.in_order(roll.index()).unwrap().iter().collect();
        let newest = world.newest(status, late, 100).unwrap();
        let newest: Vec<_> = newest.iter().map(|pat| pat.id).collect();
        assert_eq!(newest, all[..newest.len()], "{status:?}");
        // The revocations are the newest events of all, and hide nothing.
        assert_eq!(newest.len(), 100, "{status:?}");
    }
}

#[test]
fn the_trail_tells_nothing_that_it_does_not_know() {
    let world = World::new();
    let like = world.issue("like").pat;
    // An import brings tokens that were issued at any time before, all at one instant.
    world
        .store
        .write(|rows| {
            for n in 0..2_000_i64 {
                let id = TokenId::parse(&format!("{n:012}")).unwrap();
                let issued = like.issued - TimeDelta::minutes(n * 7_919 % 2_003);
                let pat = Pat { id, name: name(&format!("t{n}")), issued, ..like.clone() };
                rows.put_pat(&pat)?;
                rows.append_event(EventDraft {
                    at: like.issued + TimeDelta::days(1),
                    actor: Actor::named("alice"),
                    token: Some(id),
                    name: String::new(),
                    action: Action::Imported,
                    detail: String::new(),
                })?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let at = like.issued + TimeDelta::days(2);
    assert_eq!(world.newest(StatusFilter::All, at, 100).unwrap(), []);
}
