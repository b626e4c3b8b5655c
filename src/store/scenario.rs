//! A repeatable sequence of changes like those of the service, for tests of crashes and faults.
//! Each step is one transaction with a known result. Shared by the unit tests of the store.

use std::path::{Path, PathBuf};

use chrono::{TimeZone as _, Utc};
use tempfile::TempDir;

use super::{EncodedToken, ReadOps, ScanResult, Store, StoreError, TrashedToken, Writer};
use crate::domain::{
    Actor, AuditAction, Description, Digest, EventBody, Labels, LastUse, Name, Owner, Scopes,
    Timestamp, Token, TokenId, TokenLimits, UsageDays,
};

/// The number of steps after which the sequence repeats with other tokens.
pub(super) const STEPS_PER_ROUND: usize = 11;
/// The number of tokens in a bulk insert.
const BULK_TOKENS: usize = 50;

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
        description: Description::parse("scenario").unwrap(),
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

/// An event of the token `number`.
pub(super) fn event_body(number: usize, action: AuditAction) -> EventBody {
    EventBody {
        at: at(number),
        actor: Actor::named("alice"),
        token: Some(id(number)),
        name: format!("Token {number}"),
        action,
        detail: "scenario".into(),
    }
}

/// Applies step `n`, after all previous steps were applied.
pub(super) fn apply_step(n: usize, rows: &mut Writer<'_>) -> Result<(), StoreError> {
    let (one, other) = (n / STEPS_PER_ROUND * 2, n / STEPS_PER_ROUND * 2 + 1);
    let mut put = |token: &Token, action| {
        rows.put_token(token)?;
        let number = token.id.as_str().parse().unwrap();
        rows.append_event(event_body(number, action)).map(drop)
    };
    let renamed = Token { name: Name::parse(&format!("Renamed {one}")).unwrap(), ..nth_token(one) };
    let revoked = Token { revoked: Some(at(n)), ..renamed.clone() };
    let renewed = Token { digest: Digest::from_bytes([8; 32]), ..renamed.clone() };
    match n % STEPS_PER_ROUND {
        0 => put(&nth_token(one), AuditAction::Created),
        1 => put(&nth_token(other), AuditAction::Created),
        2 => put(&renamed, AuditAction::Edited),
        3 => put(&revoked, AuditAction::Revoked),
        4 => put(&renewed, AuditAction::Regenerated),
        5 => {
            let last = LastUse { at: at(n), from: None, summary: "channels:c1:publish".into() };
            rows.put_attempt(&id(other), None, &last, true)?;
            let mut days = UsageDays::default();
            days.count(at(n), true);
            rows.add_usage_days(&id(other), &days)
        }
        6 => delete(rows, other, at(n)),
        7 => {
            put(&nth_token(other), AuditAction::Restored)?;
            rows.remove_trash(&id(other)).map(drop)
        }
        // Deletes two tokens in one transaction.
        8 => delete(rows, one, at(n)).and_then(|()| delete(rows, other, at(n))),
        9 => {
            rows.purge(&id(one))?;
            rows.append_event(event_body(one, AuditAction::Purged)).map(drop)
        }
        _ => {
            let first = 1_000 * n;
            let tokens: Vec<_> = (first..first + BULK_TOKENS).map(nth_token).collect();
            insert_bulk(rows, &tokens, BULK_TOKENS / 2)
        }
    }
}

/// Inserts tokens like an import, in batches of this size.
pub(super) fn insert_bulk(
    rows: &mut Writer<'_>,
    tokens: &[Token],
    batch: usize,
) -> Result<(), StoreError> {
    let mut names = Vec::new();
    for tokens in tokens.chunks(batch) {
        let mut buffer = Vec::new();
        tokens.iter().try_for_each(|token| EncodedToken::write(token, &mut buffer))?;
        let mut rest = buffer.as_slice();
        let encoded: Option<Vec<_>> =
            tokens.iter().map(|_| EncodedToken::read(&mut rest)).collect();
        let event =
            |token: &Token| event_body(token.id.as_str().parse().unwrap(), AuditAction::Imported);
        let events: Vec<_> = tokens.iter().map(event).collect();
        rows.insert_tokens(&encoded.unwrap(), &events)?;
        names.extend(tokens.iter().map(|token| (token.name.folded(), token.id)));
    }
    rows.insert_names(&names)
}

fn delete(rows: &mut Writer<'_>, number: usize, when: Timestamp) -> Result<(), StoreError> {
    let token = rows.token(&id(number))?.unwrap();
    rows.delete_token(&token, when)?;
    rows.append_event(event_body(number, AuditAction::Deleted)).map(drop)
}

/// The contents of a store, for comparison.
#[derive(Debug, PartialEq)]
pub(super) struct StoreContents {
    tokens: ScanResult<Token>,
    trash: ScanResult<TrashedToken>,
    events: u64,
    generation: u64,
}

/// Reads the contents of the store. Panics if it is damaged or inconsistent.
pub(super) fn contents(store: &Store) -> Result<StoreContents, StoreError> {
    store.read(|rows| {
        let chain = rows.verify_chain()?;
        assert_eq!(chain.first_fault, None);
        assert_eq!(rows.find_inconsistencies()?, Vec::<String>::new());
        let (tokens, trash) = (rows.tokens()?, rows.trash()?);
        assert!(tokens.damaged.is_empty() && trash.damaged.is_empty());
        Ok(StoreContents { tokens, trash, events: chain.events, generation: rows.generation()? })
    })
}

/// A temporary folder, in memory if possible; these tests do not need a real disk.
pub(super) fn temp_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

/// Writes a store with these bytes to `folder`, replacing any other. Returns its path.
pub(super) fn write_store_file(folder: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("s.redb");
    let _ = std::fs::remove_file(&path);
    let mut file = super::path_security::create_exclusive(&path).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    path
}
