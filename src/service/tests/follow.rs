//! Following what other programs do.

use super::*;

fn tokens(followed: Followed) -> (Vec<(TokenId, Option<Token>)>, Position) {
    match followed {
        Followed::Tokens(tokens, position) => (tokens, position),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_others_did_comes_once_and_then_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let open = |seed| World::on(Store::open(&path).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    let kept = one.issue("kept");
    let seen = two.load().unwrap();
    assert_eq!(seen.tokens, std::slice::from_ref(&kept.token));
    let seen = two.position().unwrap();
    assert!(matches!(two.follow(seen).unwrap(), Followed::Nothing));

    let gone = one.issue("gone");
    one.delete(&gone.token.id).unwrap();
    one.revoke(&kept.token.id).unwrap();
    let (mut fresh, seen) = tokens(two.follow(seen).unwrap());
    fresh.sort_by_key(|(id, _)| *id != kept.token.id);
    assert_eq!(fresh, [(kept.token.id, one.get(&kept.token.id)), (gone.token.id, None)]);
    assert!(matches!(two.follow(seen).unwrap(), Followed::Nothing));
    assert_eq!(two.position().unwrap(), seen);
}

#[test]
fn a_use_is_seen_by_followers() {
    let world = World::new();
    let issued = world.issue("ci");
    let seen = world.position().unwrap();
    world.works(&issued.secret);
    let (fresh, _) = tokens(world.follow(seen).unwrap());
    assert_eq!(fresh.len(), 1);
    assert!(fresh[0].1.as_ref().unwrap().last_used.is_some());
}

#[test]
fn a_change_of_the_store_as_a_whole_moves_the_position_and_names_no_token() {
    let world = World::new();
    world.issue("ci");
    let seen = world.position().unwrap();
    world.accept_clock().unwrap();
    let (fresh, seen) = tokens(world.follow(seen).unwrap());
    assert_eq!(fresh, []);
    assert!(matches!(world.follow(seen).unwrap(), Followed::Nothing));
}

#[test]
fn more_than_the_feed_holds_is_everything_anew() {
    let world = World::new();
    let issued = world.issue("ci");
    let seen = world.position().unwrap();
    let more = 4_200;
    world
        .store
        .write(|rows| {
            for n in 0..more {
                let id = TokenId::parse(&format!("{n:012}")).unwrap();
                let token = Token { id, name: name(&format!("t{n}")), ..issued.token.clone() };
                rows.put_token(&token)?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    match world.follow(seen).unwrap() {
        Followed::Everything(position) => {
            assert_eq!(world.load().unwrap().tokens.len(), more + 1);
            assert!(matches!(world.follow(position).unwrap(), Followed::Nothing));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_store_in_the_place_of_the_first_is_everything_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let open = |name: &str, seed| World::on(Store::open(&path(name)).unwrap(), seed);
    let world = open("s.redb", 1);
    world.issue("old");
    let seen = world.position().unwrap();
    // As many changes as the first has had, or more: only their stores tell them apart.
    for changes in 1..3 {
        let other = open("other.redb", 10 + changes);
        for n in 0..changes {
            other.issue(&format!("new{n}"));
        }
        drop(other);
        std::fs::rename(path("other.redb"), path("s.redb")).unwrap();
        match world.follow(seen).unwrap() {
            Followed::Everything(position) => {
                let count = world.load().unwrap().tokens.len();
                assert_eq!(count, usize::try_from(changes).unwrap());
                assert!(matches!(world.follow(position).unwrap(), Followed::Nothing));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_history_of_a_token_is_its_own_events_newest_first() {
    let world = World::new();
    let id = world.issue("one").token.id;
    world.issue("two");
    world.revoke(&id).unwrap();
    let actions = |limit| -> Vec<_> {
        let events = world.history(&id, limit).unwrap();
        events.iter().map(|event| event.what.action).collect()
    };
    assert_eq!(actions(9), [AuditAction::Revoked, AuditAction::Created]);
    assert_eq!(actions(1), [AuditAction::Revoked]);
}
