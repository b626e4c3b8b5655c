//! A long script of changes, as the service makes them, for the tests of what survives: each
//! step is one transaction, and the state after it is known. What `agree`, `fault_tests` and
//! `power_tests` share.

use std::path::{Path, PathBuf};

use chrono::{TimeZone as _, Utc};
use tempfile::TempDir;

use super::{EncodedToken, NameBatch, ReadOps, ScanResult, Store, StoreError, Trashed, Writer};
use crate::domain::{
    Actor, AuditAction, Description, Digest, EventDraft, LastUse, Name, Scopes, Timestamp, Token,
    TokenId,
};

/// How many steps there are before they begin anew with other tokens.
pub(super) const ROUND: usize = 11;
/// How many tokens come in at once.
const COMING: usize = 50;

pub(super) fn at(minute: usize) -> Timestamp {
    Utc.timestamp_opt(1_800_000_000 + 60 * i64::try_from(minute).unwrap(), 0).unwrap()
}

pub(super) fn id(number: usize) -> TokenId {
    TokenId::parse(&format!("{number:012}")).unwrap()
}

pub(super) fn nth_token(number: usize) -> Token {
    let mut scopes = Scopes::default();
    scopes.add("channels:*:publish".parse().unwrap()).unwrap();
    Token {
        id: id(number),
        name: Name::parse(&format!("Token {number}")).unwrap(),
        description: Description::parse("of the script").unwrap(),
        scopes,
        prefix: "pat".into(),
        digest: Digest::from_bytes([7; 32]),
        previous: None,
        created: at(0),
        created_by: Actor::named("alice"),
        issued: at(0),
        expires: Some(at(60)),
        revoked: None,
        delivered: true,
        last_used: None,
    }
}

/// An event of the token `number`.
pub(super) fn told(number: usize, action: AuditAction) -> EventDraft {
    EventDraft {
        at: at(number),
        actor: Actor::named("alice"),
        token: Some(id(number)),
        name: format!("Token {number}"),
        action,
        detail: "of the script".into(),
    }
}

/// Does step `n`; the steps before it were done.
pub(super) fn step(n: usize, rows: &mut Writer<'_>) -> Result<(), StoreError> {
    let (one, other) = (n / ROUND * 2, n / ROUND * 2 + 1);
    let mut put = |token: &Token, action| {
        rows.put_token(token)?;
        let number = token.id.as_str().parse().unwrap();
        rows.append_event(told(number, action)).map(drop)
    };
    let renamed = Token { name: Name::parse(&format!("Renamed {one}")).unwrap(), ..nth_token(one) };
    let revoked = Token { revoked: Some(at(n)), ..renamed.clone() };
    let renewed = Token { digest: Digest::from_bytes([8; 32]), ..renamed.clone() };
    match n % ROUND {
        0 => put(&nth_token(one), AuditAction::Created),
        1 => put(&nth_token(other), AuditAction::Created),
        2 => put(&renamed, AuditAction::Edited),
        3 => put(&revoked, AuditAction::Revoked),
        4 => put(&renewed, AuditAction::Regenerated),
        5 => {
            let last = LastUse { at: at(n), from: None, what: "channels:c1:publish".into() };
            rows.put_use(&id(other), &last)
        }
        6 => delete(rows, other, at(n)),
        7 => {
            put(&nth_token(other), AuditAction::Restored)?;
            rows.remove_trash(&id(other)).map(drop)
        }
        // Both at once.
        8 => delete(rows, one, at(n)).and_then(|()| delete(rows, other, at(n))),
        9 => {
            rows.remove_trash(&id(one))?;
            rows.append_event(told(one, AuditAction::Purged)).map(drop)
        }
        _ => {
            let first = 1_000 * n;
            let tokens: Vec<_> = (first..first + COMING).map(nth_token).collect();
            at_once(rows, &tokens, COMING / 2)
        }
    }
}

/// Inserts tokens as an import does, in batches of this size.
pub(super) fn at_once(
    rows: &mut Writer<'_>,
    tokens: &[Token],
    batch: usize,
) -> Result<(), StoreError> {
    let mut names = NameBatch::default();
    for tokens in tokens.chunks(batch) {
        let mut buffer = Vec::new();
        tokens.iter().try_for_each(|token| EncodedToken::write(token, &mut buffer))?;
        let mut rest = buffer.as_slice();
        let encoded: Option<Vec<_>> =
            tokens.iter().map(|_| EncodedToken::read(&mut rest)).collect();
        let event = |token: &Token| told(token.id.as_str().parse().unwrap(), AuditAction::Imported);
        let events: Vec<_> = tokens.iter().map(event).collect();
        rows.insert_tokens(&encoded.unwrap(), &events)?;
        names.extend(tokens.iter().map(|token| (token.name.folded(), token.id)));
    }
    rows.insert_names(names)
}

fn delete(rows: &mut Writer<'_>, number: usize, when: Timestamp) -> Result<(), StoreError> {
    let token = rows.token(&id(number))?.unwrap();
    rows.remove_token(&token.id)?;
    rows.put_trash(&token, when)?;
    rows.append_event(told(number, AuditAction::Deleted)).map(drop)
}

/// All that a store says.
#[derive(Debug, PartialEq)]
pub(super) struct State {
    tokens: ScanResult<Token>,
    trash: ScanResult<Trashed>,
    events: u64,
    generation: u64,
}

/// What the store says, which must be sound.
pub(super) fn state(store: &Store) -> Result<State, StoreError> {
    store.read(|rows| {
        let chain = rows.verify_chain()?;
        assert_eq!(chain.broken, None);
        assert_eq!(rows.disagreements()?, Vec::<String>::new());
        let (tokens, trash) = (rows.tokens()?, rows.trash()?);
        assert!(tokens.damaged.is_empty() && trash.damaged.is_empty());
        Ok(State { tokens, trash, events: chain.events, generation: rows.generation()? })
    })
}

/// A folder in memory where there is one: what is tested here does not depend on the disk.
pub(super) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

/// Puts a store of these bytes there.
pub(super) fn put(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("s.redb");
    let _ = std::fs::remove_file(&path);
    let mut file = super::file::fresh(&path).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    path
}
