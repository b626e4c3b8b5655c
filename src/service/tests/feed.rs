//! What followers of the whole store read: batches, the tokens that were issued last.

use chrono::TimeDelta;

use super::*;
use crate::domain::{Query, StatusFilter};

fn stored(world: &World) -> Vec<TokenId> {
    world.load().unwrap().tokens.iter().map(|token| token.id).collect()
}

/// Puts tokens with these numbers into the store, a minute apart, without asking the rules.
fn put(world: &World, numbers: std::ops::Range<u32>) {
    let like = world.issue(&format!("like-{}", numbers.start)).token;
    world
        .store
        .write(|rows| {
            for n in numbers.clone() {
                let id =
                    TokenId::parse(&format!("{:012}", u64::from(n) * 7_919 % 1_000_003)).unwrap();
                let issued = like.issued + TimeDelta::minutes(n.into());
                let token = Token { id, name: name(&format!("t{n}")), issued, ..like.clone() };
                rows.put_token(&token)?;
                rows.append_event(EventDraft {
                    at: issued,
                    actor: Actor::named("alice"),
                    token: Some(id),
                    name: String::new(),
                    action: AuditAction::Created,
                    detail: String::new(),
                })?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn batches_contain_every_token_once() {
    let world = World::new();
    put(&world, 0..50);
    for limit in [1, 7, 51, 100] {
        let (mut after, mut ids) = (None, Vec::new());
        loop {
            let batch = world.load_batch(after, limit).unwrap();
            assert!(batch.tokens.len() <= limit && batch.damaged.is_empty());
            ids.extend(batch.tokens.iter().map(|token| token.id));
            after = batch.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(ids, stored(&world));
    }
}

#[test]
fn the_trail_shows_the_newest_as_the_whole_store_does() {
    let world = World::new();
    put(&world, 0..3_000);
    let late = world.now().unwrap();
    for id in stored(&world).iter().step_by(3) {
        world.revoke(id).unwrap();
    }
    let tokens = world.load().unwrap().tokens;
    for status in [StatusFilter::All, StatusFilter::Active] {
        let query = Query { status, ..Query::default() };
        let (rows, _) = query.select(&tokens, late);
        let all: Vec<_> = rows.into_iter().map(|row| tokens[row].id).collect();
        let newest = world.recently_issued(status, late, 100).unwrap();
        let newest: Vec<_> = newest.iter().map(|token| token.id).collect();
        assert_eq!(newest, all[..newest.len()], "{status:?}");
        // The revocations are the newest events of all, and hide nothing.
        assert_eq!(newest.len(), 100, "{status:?}");
    }
}

#[test]
fn an_import_in_the_trail_shows_nothing_about_times_of_issue() {
    let world = World::new();
    let like = world.issue("like").token;
    // An import brings tokens that were issued at any time before, all at one instant.
    world
        .store
        .write(|rows| {
            for n in 0..2_000_i64 {
                let id = TokenId::parse(&format!("{n:012}")).unwrap();
                let issued = like.issued - TimeDelta::minutes(n * 7_919 % 2_003);
                let token = Token { id, name: name(&format!("t{n}")), issued, ..like.clone() };
                rows.put_token(&token)?;
                rows.append_event(EventDraft {
                    at: like.issued + TimeDelta::days(1),
                    actor: Actor::named("alice"),
                    token: Some(id),
                    name: String::new(),
                    action: AuditAction::Imported,
                    detail: String::new(),
                })?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let at = like.issued + TimeDelta::days(2);
    assert_eq!(world.recently_issued(StatusFilter::All, at, 100).unwrap(), []);
}
