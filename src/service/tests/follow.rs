//! Changes since a position, made by other processes.

use super::*;

fn expect_tokens(changes: TokenChanges) -> (Vec<(TokenId, Option<Token>)>, ChangeLogPosition) {
    match changes {
        TokenChanges::Tokens(tokens, position) => (tokens, position),
        other => panic!("{other:?}"),
    }
}

#[test]
fn changes_by_others_are_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let open = |seed| TestService::on(Store::open(&path).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    let kept = one.issue("kept");
    let loaded = two.load_snapshot().unwrap();
    assert_eq!(loaded.tokens, std::slice::from_ref(&kept.token));
    let position = two.position().unwrap();
    assert!(matches!(two.changes_since(position).unwrap(), TokenChanges::Unchanged));

    let gone = one.issue("gone");
    one.delete(&gone.token.id).unwrap();
    one.revoke(&kept.token.id).unwrap();
    let (mut changes, position) = expect_tokens(two.changes_since(position).unwrap());
    changes.sort_by_key(|(id, _)| *id != kept.token.id);
    assert_eq!(changes, [(kept.token.id, one.get(&kept.token.id)), (gone.token.id, None)]);
    assert!(matches!(two.changes_since(position).unwrap(), TokenChanges::Unchanged));
    assert_eq!(two.position().unwrap(), position);
}

#[test]
fn followers_see_a_recorded_use() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let position = fixture.position().unwrap();
    fixture.works(&issued.secret);
    let (changes, _) = expect_tokens(fixture.changes_since(position).unwrap());
    assert_eq!(changes.len(), 1);
    assert!(changes[0].1.as_ref().unwrap().last_used.is_some());
}

#[test]
fn store_wide_change_advances_the_position_only() {
    let fixture = TestService::new();
    fixture.set_minute(10);
    fixture.issue("ci");
    fixture.set_minute(0);
    let position = fixture.position().unwrap();
    fixture.accept_clock().unwrap();
    let (changes, position) = expect_tokens(fixture.changes_since(position).unwrap());
    assert_eq!(changes, []);
    assert!(matches!(fixture.changes_since(position).unwrap(), TokenChanges::Unchanged));
}

#[test]
fn reader_behind_the_change_log_must_reload() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let position = fixture.position().unwrap();
    let more = 4_200;
    fixture
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
    match fixture.changes_since(position).unwrap() {
        TokenChanges::NeedsReload(position) => {
            assert_eq!(fixture.load_snapshot().unwrap().tokens.len(), more + 1);
            assert!(matches!(fixture.changes_since(position).unwrap(), TokenChanges::Unchanged));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn replaced_store_file_requires_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let open = |name: &str, seed| TestService::on(Store::open(&path(name)).unwrap(), seed);
    let fixture = open("s.redb", 1);
    fixture.issue("old");
    let position = fixture.position().unwrap();
    // As many changes as in the first store, or more: only the store id differs.
    for changes in 1..3 {
        let other = open("other.redb", 10 + changes);
        for n in 0..changes {
            other.issue(&format!("new{n}"));
        }
        drop(other);
        std::fs::rename(path("other.redb"), path("s.redb")).unwrap();
        match fixture.changes_since(position).unwrap() {
            TokenChanges::NeedsReload(position) => {
                let count = fixture.load_snapshot().unwrap().tokens.len();
                assert_eq!(count, usize::try_from(changes).unwrap());
                assert!(matches!(
                    fixture.changes_since(position).unwrap(),
                    TokenChanges::Unchanged
                ));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn history_lists_only_events_of_the_token_newest_first() {
    let fixture = TestService::new();
    let id = fixture.issue("one").token.id;
    fixture.issue("two");
    fixture.revoke(&id).unwrap();
    let actions = |limit| -> Vec<_> {
        let events = fixture.history(&id, limit).unwrap();
        events.iter().map(|event| event.body.action).collect()
    };
    assert_eq!(actions(9), [AuditAction::Revoked, AuditAction::Created]);
    assert_eq!(actions(1), [AuditAction::Revoked]);
}
