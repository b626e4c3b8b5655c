//! Tests of the store's public interface on real files: persistence, concurrency, path checks,
//! corruption, a full disk and file growth. This file contains the shared helpers.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, in its helpers as in itself"
)]

mod cached_readers;
mod concurrency;
mod corruption;
mod file_growth;
mod full_disk;
mod path_checks;
mod persistence;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use chrono::{TimeDelta, TimeZone as _, Utc};
use patdeck::{
    domain::{
        Actor, AuditAction, Description, Digest, EventBody, Labels, LastUse, Name, Owner, Scopes,
        Timestamp, Token, TokenId, TokenLimits,
    },
    store::{ReadOps, Store, StoreError, Writer},
};
use tempfile::TempDir;

/// A temporary folder for one test, and the path of a store in it.
struct TempStore {
    folder: TempDir,
}

impl TempStore {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// In memory if possible, for tests that do not depend on the disk.
    fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { folder: made.unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.redb")
    }

    fn store(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }
}

fn at(minute: i64) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
        + TimeDelta::minutes(minute)
        + TimeDelta::nanoseconds(123_456_789)
}

fn id(number: usize) -> TokenId {
    TokenId::parse(&format!("{number:012}")).unwrap()
}

fn token(number: usize) -> Token {
    let mut scopes = Scopes::default();
    scopes.add("channels:*:publish@d1".parse().unwrap()).unwrap();
    scopes.add("clients:c1:read".parse().unwrap()).unwrap();
    Token {
        id: id(number),
        name: Name::parse(&format!("Token {number}")).unwrap(),
        description: Description::parse("first line\nsecond").unwrap(),
        scopes,
        prefix: "pat".into(),
        digest: Digest::from_bytes([7; 32]),
        previous: None,
        created: at(0),
        created_by: Actor::named("alice"),
        issued: at(0),
        expires: Some(at(60)),
        revoked: None,
        version: 1,
        generation: 1,
        delivered: true,
        last_used: None,
        limits: TokenLimits::default(),
        labels: Labels::default(),
        owner: Owner::default(),
        uses_taken: 0,
        last_denied: None,
    }
}

fn used(minute: i64) -> LastUse {
    LastUse {
        at: at(minute),
        from: Some("192.0.2.7".into()),
        summary: "channels:c1:publish".into(),
    }
}

fn event_body(token: Option<usize>, detail: &str) -> EventBody {
    EventBody {
        at: at(1),
        actor: Actor::named("alice"),
        token: token.map(id),
        name: "ci".into(),
        action: AuditAction::Created,
        detail: detail.into(),
    }
}

/// Runs `work` in one write transaction, with [`StoreError`] as its error.
fn write_to<T>(
    store: &Store,
    work: impl FnMut(&mut Writer<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    store.write(work)
}

/// Adds the token `number` and an event in one transaction.
fn add_token(store: &Store, number: usize) -> Result<(), StoreError> {
    write_to(store, |rows| {
        rows.put_token(&token(number))?;
        rows.append_event(event_body(Some(number), "made")).map(drop)
    })
}

fn token_names(store: &Store) -> Vec<String> {
    let found = store.read(ReadOps::tokens).unwrap();
    assert_eq!(found.damaged, []);
    found.rows.iter().map(|token| token.name.to_string()).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
