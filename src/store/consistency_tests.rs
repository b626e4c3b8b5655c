//! Each contradiction between the tables is created by hand and must be reported.

use super::*;
use crate::store::{
    ReadOps, Store, Writer,
    record::{DeniedAttemptsV1, SecretUses, TokenUses, TokenUsesV2, UsageDaysV1},
    scenario::{STEPS_PER_ROUND, apply_step, at, event_body, id, nth_token},
};

fn faults_after(work: impl Fn(&mut Writer<'_>) -> Result<(), StoreError>) -> Vec<String> {
    let store = Store::memory().unwrap();
    store
        .write(|rows| {
            rows.put_token(&nth_token(1))?;
            rows.append_event(event_body(1, AuditAction::Created))?;
            work(rows)
        })
        .unwrap();
    store.read(ReadOps::find_inconsistencies).unwrap()
}

#[test]
fn the_write_operations_keep_the_tables_consistent() {
    let store = Store::memory().unwrap();
    for n in 0..3 * STEPS_PER_ROUND {
        store.write(|rows| apply_step(n, rows)).unwrap();
        let found = store.read(ReadOps::find_inconsistencies).unwrap();
        assert_eq!(found, Vec::<String>::new(), "after step {n}");
    }
}

#[test]
fn each_partial_change_is_reported() {
    type PartialChange<'c> = &'c dyn Fn(&mut Writer<'_>) -> Result<(), StoreError>;
    let name = "token 1".as_bytes();
    let other = TokenIdRecordV1(*id(2).as_bytes());
    let partial_changes: [(PartialChange<'_>, &str); 11] = [
        (
            &|rows| rows.tables.names.remove(name).map(drop),
            "000000000001 cannot be found by its name",
        ),
        (
            &|rows| rows.tables.names.put(b"x", &other),
            "x is the name of a token that does not exist",
        ),
        (
            &|rows| rows.tables.names.put(b"x", &TokenIdRecordV1(*id(1).as_bytes())),
            "x refers to a token with another name",
        ),
        (&|rows| rows.put_trash(&nth_token(1), at(1)), "000000000001 is both present and deleted"),
        (
            &|rows| {
                let last = crate::domain::LastUse { at: at(1), from: None, summary: "w".into() };
                let current = SecretUses { used: Some(last), denied: None };
                let uses = TokenUses { current, previous: None };
                rows.tables.uses.put(id(2).as_bytes(), &TokenUsesV2::from(&uses))
            },
            "000000000002 has a last use but does not exist",
        ),
        (
            &|rows| rows.tables.usage_days.put(id(2).as_bytes(), &UsageDaysV1::default()),
            "000000000002 has numbers of uses but does not exist",
        ),
        (
            &|rows| rows.tables.denials.put(id(2).as_bytes(), &DeniedAttemptsV1::default()),
            "000000000002 has denied attempts but does not exist",
        ),
        (&|rows| rows.put_token(&nth_token(2)), "000000000002 has no event in the audit trail"),
        (
            &|rows| rows.append_event(event_body(1, AuditAction::Deleted)).map(drop),
            "000000000001 is present, but should be deleted according to the audit trail",
        ),
        (
            &|rows| rows.append_event(event_body(1, AuditAction::Revoked)).map(drop),
            "000000000001 is not revoked, but should be revoked according to the audit trail",
        ),
        (
            &|rows| {
                rows.tables.changes.put(3, &other)?;
                rows.tables.changes.put(7, &other)
            },
            "the change log has a gap before 8",
        ),
    ];
    for (change, sentence) in partial_changes {
        assert_eq!(faults_after(change), [sentence]);
    }
}
