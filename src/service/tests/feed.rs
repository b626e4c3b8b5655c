//! Reads of the whole store: batches and recently issued tokens.

use chrono::TimeDelta;

use super::*;
use crate::domain::{ListQuery, StatusFilter};

fn stored_ids(fixture: &TestService) -> Vec<TokenId> {
    fixture.load_snapshot().unwrap().tokens.iter().map(|token| token.id).collect()
}

/// Writes tokens with these numbers to the store, issued a minute apart, without validation.
fn put_tokens(fixture: &TestService, numbers: std::ops::Range<u32>) {
    let template = fixture.issue(&format!("template-{}", numbers.start)).token;
    fixture
        .store
        .write(|rows| {
            for n in numbers.clone() {
                let id =
                    TokenId::parse(&format!("{:012}", u64::from(n) * 7_919 % 1_000_003)).unwrap();
                let issued = template.issued + TimeDelta::minutes(n.into());
                let token = Token { id, name: name(&format!("t{n}")), issued, ..template.clone() };
                rows.put_token(&token)?;
                rows.append_event(EventBody {
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
    let fixture = TestService::new();
    put_tokens(&fixture, 0..50);
    for limit in [1, 7, 51, 100] {
        let (mut after, mut ids) = (None, Vec::new());
        loop {
            let batch = fixture.load_batch(after, limit).unwrap();
            assert!(batch.tokens.len() <= limit && batch.damaged.is_empty());
            ids.extend(batch.tokens.iter().map(|token| token.id));
            after = batch.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(ids, stored_ids(&fixture));
    }
}

#[test]
fn recently_issued_matches_a_full_scan() {
    let fixture = TestService::new();
    put_tokens(&fixture, 0..3_000);
    let late = fixture.now().unwrap();
    for id in stored_ids(&fixture).iter().step_by(3) {
        fixture.revoke(id).unwrap();
    }
    let tokens = fixture.load_snapshot().unwrap().tokens;
    for status in [StatusFilter::All, StatusFilter::Active] {
        let query = ListQuery { status, ..ListQuery::default() };
        let (rows, _) = query.select(&tokens, late);
        let all: Vec<_> = rows.into_iter().map(|row| tokens[row].id).collect();
        let newest = fixture.recently_issued(status, late, 100).unwrap();
        let newest: Vec<_> = newest.iter().map(|token| token.id).collect();
        assert_eq!(newest, all[..newest.len()], "{status:?}");
        // The revocations are the newest events, and do not hide older tokens.
        assert_eq!(newest.len(), 100, "{status:?}");
    }
}

#[test]
fn import_events_do_not_date_the_issue() {
    let fixture = TestService::new();
    let template = fixture.issue("template").token;
    // An import writes events at one instant for tokens that were issued at any earlier time.
    fixture
        .store
        .write(|rows| {
            for n in 0..2_000_i64 {
                let id = TokenId::parse(&format!("{n:012}")).unwrap();
                let issued = template.issued - TimeDelta::minutes(n * 7_919 % 2_003);
                let token = Token { id, name: name(&format!("t{n}")), issued, ..template.clone() };
                rows.put_token(&token)?;
                rows.append_event(EventBody {
                    at: template.issued + TimeDelta::days(1),
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
    let at = template.issued + TimeDelta::days(2);
    assert_eq!(fixture.recently_issued(StatusFilter::All, at, 100).unwrap(), []);
}
