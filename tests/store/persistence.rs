//! Written data is read back unchanged, transactions are atomic, and the tables stay consistent.

use patdeck::{
    domain::{EventHash, Name, PreviousSecret, Token},
    output::advice::store_message,
    store::{ChangesSince, ReadOps, ScanResult, Store, StoreError, TrashedToken},
};

use crate::{TempStore, add_token, at, event_body, id, token, token_names, used, write_to};

#[test]
fn a_token_is_unchanged_after_reopening() {
    let temp = TempStore::new();
    let kept = Token {
        previous: Some(PreviousSecret {
            digest: token(9).digest,
            until: at(15),
            last_used: Some(used(4)),
            uses_taken: 0,
            last_denied: None,
        }),
        revoked: Some(at(5)),
        expires: None,
        version: 1,
        generation: 1,
        delivered: false,
        ..token(1)
    };
    write_to(&temp.store(), |rows| {
        rows.put_token(&kept)?;
        rows.put_attempt(&kept.id, Some(token(9).digest), &used(4), true)?;
        rows.put_attempt(&kept.id, None, &used(3), true)
    })
    .unwrap();
    let store = temp.store();
    let found = store.read(|rows| rows.token(&kept.id)).unwrap().unwrap();
    let kept = Token { last_used: Some(used(3)), ..kept };
    assert_eq!(found, kept);
    let all = store.read(ReadOps::tokens).unwrap();
    assert_eq!((all.rows, all.damaged), (vec![kept], vec![]));
}

#[test]
fn a_store_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Store>();
}

#[test]
fn memory_and_file_stores_behave_alike() {
    let temp = TempStore::new();
    for store in [temp.store(), Store::memory().unwrap()] {
        assert_eq!(store.read(ReadOps::token_count), Ok(0));
        assert_eq!(store.read(ReadOps::generation), Ok(0));
        add_token(&store, 1).unwrap();
        assert_eq!(token_names(&store), ["Token 1"]);
        assert_eq!(store.read(ReadOps::store_id).unwrap().len(), 32);
        assert!(store.read(ReadOps::created_at).is_ok());
    }
}

#[test]
fn an_error_of_the_closure_rolls_back_the_transaction() {
    let temp = TempStore::new();
    let store = temp.store();
    add_token(&store, 1).unwrap();
    let before = store.read(ReadOps::generation).unwrap();
    let refused: Result<(), StoreError> = write_to(&store, |rows| {
        rows.put_token(&token(2))?;
        rows.remove_token(&id(1))?;
        rows.append_event(event_body(Some(2), "made"))?;
        Err(StoreError::Full)
    });
    assert_eq!(refused, Err(StoreError::Full));
    assert_eq!(token_names(&store), ["Token 1"]);
    let chain = store.read(ReadOps::verify_chain).unwrap();
    assert_eq!((chain.events, chain.first_fault), (1, None));
    assert_eq!(store.read(ReadOps::generation), Ok(before));
}

#[test]
fn a_panic_in_the_closure_rolls_back_the_transaction() {
    let temp = TempStore::new();
    let store = temp.store();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        write_to(&store, |rows| -> Result<(), StoreError> {
            rows.put_token(&token(1))?;
            std::panic::resume_unwind(Box::new("a bug in the caller"));
        })
    }));
    assert!(panicked.is_err());
    assert!(token_names(&store).is_empty());
    add_token(&store, 2).unwrap();
    assert_eq!(token_names(&store), ["Token 2"]);
}

#[test]
fn a_name_is_case_insensitive_and_free_after_removal() {
    let store = Store::memory().unwrap();
    let found = |name: &str| {
        let name = Name::parse(name).unwrap();
        store.read(|rows| rows.id_of_name(&name)).unwrap()
    };
    add_token(&store, 1).unwrap();
    assert_eq!(found("tOKEN 1"), Some(id(1)));
    let renamed = Token { name: Name::parse("Other").unwrap(), ..token(1) };
    write_to(&store, |rows| rows.put_token(&renamed)).unwrap();
    assert_eq!((found("Token 1"), found("other")), (None, Some(id(1))));
    let duplicate = Token { name: Name::parse("OTHER").unwrap(), ..token(2) };
    let refused = write_to(&store, |rows| rows.put_token(&duplicate)).unwrap_err();
    assert_eq!(
        store_message(&refused),
        "the name OTHER is taken by 000000000001: choose another name"
    );
    assert_eq!(write_to(&store, |rows| rows.remove_token(&id(1))), Ok(true));
    assert_eq!(write_to(&store, |rows| rows.remove_token(&id(1))), Ok(false));
    assert_eq!(found("other"), None);
    write_to(&store, |rows| rows.put_token(&duplicate)).unwrap();
    assert_eq!(found("other"), Some(id(2)));
}

#[test]
fn a_last_use_is_removed_with_its_token() {
    let store = Store::memory().unwrap();
    write_to(&store, |rows| rows.put_attempt(&id(1), None, &used(1), true)).unwrap();
    add_token(&store, 1).unwrap();
    let last = |store: &Store| store.read(|rows| rows.token(&id(1))).unwrap().unwrap().last_used;
    assert_eq!(last(&store), None);
    write_to(&store, |rows| rows.put_attempt(&id(1), None, &used(2), true)).unwrap();
    write_to(&store, |rows| rows.put_token(&token(1))).unwrap();
    assert_eq!(last(&store), Some(used(2)), "put_token keeps it");
    write_to(&store, |rows| {
        rows.remove_token(&id(1))?;
        rows.put_token(&token(1))
    })
    .unwrap();
    assert_eq!(last(&store), None);
}

#[test]
fn events_form_a_chain_and_are_paged_both_ways() {
    let store = Store::memory().unwrap();
    let events: Vec<_> = (1..=5)
        .map(|n| {
            let token = (n % 2 == 1).then_some(n);
            write_to(&store, |rows| rows.append_event(event_body(token, "x"))).unwrap()
        })
        .collect();
    assert_eq!(events[0].previous, EventHash::NONE);
    assert!(events.windows(2).all(|two| two[1].previous == two[0].hash));
    let numbers = |found: ScanResult<patdeck::domain::AuditEvent>| {
        assert_eq!(found.damaged, []);
        found.rows.iter().map(|e| e.sequence).collect::<Vec<_>>()
    };
    let before =
        |before, limit| numbers(store.read(|rows| rows.events_before(before, limit)).unwrap());
    assert_eq!(before(None, 2), [5, 4]);
    assert_eq!(before(Some(4), 9), [3, 2, 1]);
    assert_eq!((before(Some(1), 9), before(None, 0)), (vec![], vec![]));
    let after = |after, limit| numbers(store.read(|rows| rows.events_after(after, limit)).unwrap());
    assert_eq!((after(0, 2), after(3, 9)), (vec![1, 2], vec![4, 5]));
    assert_eq!((after(5, 9), after(u64::MAX, 9)), (vec![], vec![5; 0]));
    let of = |token| numbers(store.read(|rows| rows.events_of(&id(token), 9)).unwrap());
    assert_eq!((of(3), of(2)), (vec![3], vec![]));
    let last = store.read(ReadOps::last_event).unwrap();
    assert_eq!(last, events.last().cloned());
    let chain = store.read(ReadOps::verify_chain).unwrap();
    assert_eq!((chain.events, chain.first_fault), (5, None));
    assert_eq!(chain.head, events[4].hash);
}

#[test]
fn a_token_has_its_own_events_newest_first() {
    let store = Store::memory().unwrap();
    for n in 0..300 {
        write_to(&store, |rows| rows.append_event(event_body(Some(n % 2), &n.to_string())))
            .unwrap();
    }
    let found = store.read(|rows| rows.events_of(&id(1), 3)).unwrap();
    let details: Vec<_> = found.rows.iter().map(|e| e.body.detail.as_str()).collect();
    assert_eq!(details, ["299", "297", "295"]);
}

#[test]
fn the_trash_keeps_complete_tokens_newest_first() {
    let store = Store::memory().unwrap();
    let used_one = Token { last_used: Some(used(2)), ..token(1) };
    write_to(&store, |rows| {
        rows.put_trash(&used_one, at(3))?;
        rows.put_trash(&token(2), at(4))
    })
    .unwrap();
    let trash = store.read(ReadOps::trash).unwrap();
    let one = TrashedToken { token: used_one, at: at(3) };
    let two = TrashedToken { token: token(2), at: at(4) };
    assert_eq!(trash.rows, [two, one.clone()]);
    assert_eq!(store.read(|rows| rows.trashed(&id(1))), Ok(Some(one)));
    assert_eq!(write_to(&store, |rows| rows.remove_trash(&id(1))), Ok(true));
    assert_eq!(write_to(&store, |rows| rows.remove_trash(&id(1))), Ok(false));
    assert_eq!(store.read(|rows| rows.trashed(&id(1))), Ok(None));
}

#[test]
fn the_change_log_lists_each_changed_token_once() {
    let store = Store::memory().unwrap();
    let after = |generation| store.read(|rows| rows.changes_after(generation)).unwrap();
    assert_eq!(after(0), ChangesSince::Tokens(vec![], 0));
    add_token(&store, 1).unwrap();
    add_token(&store, 2).unwrap();
    write_to(&store, |rows| rows.put_attempt(&id(1), None, &used(1), true)).unwrap();
    assert_eq!(after(0), ChangesSince::Tokens(vec![id(1), id(2)], 3));
    assert_eq!(after(2), ChangesSince::Tokens(vec![id(1)], 3));
    assert_eq!(after(3), ChangesSince::Tokens(vec![], 3));
    assert_eq!(after(4), ChangesSince::NeedsResync, "a generation of another store");
    write_to(&store, |rows| rows.append_event(event_body(None, "clock"))).unwrap();
    assert_eq!(after(3), ChangesSince::Tokens(vec![], 4), "a change without a token");
    let many = |from: usize, count: usize| {
        write_to(&store, |rows| (from..from + count).try_for_each(|n| rows.put_token(&token(n))))
            .unwrap();
    };
    many(100, 4_092);
    assert!(matches!(after(0), ChangesSince::Tokens(ids, 4_096) if ids.len() == 4_094));
    many(5_000, 1);
    assert_eq!(after(0), ChangesSince::NeedsResync);
    assert!(matches!(after(1), ChangesSince::Tokens(_, 4_097)));
    many(100, 5_000);
    assert_eq!(after(4_097), ChangesSince::NeedsResync);
    assert_eq!(after(9_097), ChangesSince::Tokens(vec![], 9_097));
}

#[test]
fn a_record_that_is_too_large_is_refused_with_advice() {
    let store = Store::memory().unwrap();
    let long = "x".repeat(2 << 20);
    let refused = write_to(&store, |rows| rows.append_event(event_body(None, &long))).unwrap_err();
    assert_eq!(
        store_message(&refused),
        "the record is too large for the table events-1: shorten its name, description or scopes"
    );
}
