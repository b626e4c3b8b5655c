//! Each way in which tables can contradict each other is made by hand, and named.

use super::*;
use crate::store::{
    ReadOps, Store, Writer,
    record::{Uses, UsesV1},
    script::{ROUND, at, id, nth_token, step, told},
};

fn said(work: impl Fn(&mut Writer<'_>) -> Result<(), StoreError>) -> Vec<String> {
    let store = Store::memory().unwrap();
    store
        .write(|rows| {
            rows.put_token(&nth_token(1))?;
            rows.append_event(told(1, AuditAction::Created))?;
            work(rows)
        })
        .unwrap();
    store.read(ReadOps::disagreements).unwrap()
}

#[test]
fn what_the_verbs_of_the_store_do_agrees() {
    let store = Store::memory().unwrap();
    for n in 0..3 * ROUND {
        store.write(|rows| step(n, rows)).unwrap();
        let found = store.read(ReadOps::disagreements).unwrap();
        assert_eq!(found, Vec::<String>::new(), "after step {n}");
    }
}

#[test]
fn each_half_of_a_change_is_named() {
    type Half<'h> = &'h dyn Fn(&mut Writer<'_>) -> Result<(), StoreError>;
    let name = "token 1".as_bytes();
    let other = RefV1(*id(2).as_bytes());
    let halves: [(Half<'_>, &str); 9] = [
        (&|rows| rows.tables.names.remove(name).map(drop), "000000000001 is not found by its name"),
        (&|rows| rows.tables.names.put(b"x", &other), "x is the name of a token that is not here"),
        (
            &|rows| rows.tables.names.put(b"x", &RefV1(*id(1).as_bytes())),
            "x leads to a token of another name",
        ),
        (&|rows| rows.put_trash(&nth_token(1), at(1)), "000000000001 is deleted and here at once"),
        (
            &|rows| {
                let last = crate::domain::LastUse { at: at(1), from: None, what: "w".into() };
                let uses = Uses { present: Some(last), previous: None };
                rows.tables.uses.put(id(2).as_bytes(), &UsesV1::from(&uses))
            },
            "000000000002 has a last use and is not here",
        ),
        (&|rows| rows.put_token(&nth_token(2)), "000000000002 is nowhere in the trail"),
        (
            &|rows| rows.append_event(told(1, AuditAction::Deleted)).map(drop),
            "000000000001 is here and deleted by the trail",
        ),
        (
            &|rows| rows.append_event(told(1, AuditAction::Revoked)).map(drop),
            "000000000001 is not revoked and revoked by the trail",
        ),
        (
            &|rows| {
                rows.tables.changes.put(3, &other)?;
                rows.tables.changes.put(7, &other)
            },
            "the feed of changes has a gap before 8",
        ),
    ];
    for (half, sentence) in halves {
        assert_eq!(said(half), [sentence]);
    }
}
