//! Any bytes as a record of each kind, for the tests and fuzz targets that stand outside and
//! cannot see how records are made. The checksum is put right first, or nothing but it would
//! be tried. Called by nobody else.

use super::{
    codec::{Record, checksum, seal, unseal},
    record::{BirthV1, EventV1, HeadV1, MarkV1, PatV1, RefV1, SchemaV1, TrashV1, Uses, UsesV1},
};
use crate::domain::{EventDraft, Hash, Pat, TokenId};

type Key = [u8; TokenId::LEN];

/// Reads `payload` as each kind of record, as if it had been sealed by us. What is taken for a
/// record must come back the same after it was written again; says which kind does not.
pub fn any_record(payload: &[u8]) -> Result<(), &'static str> {
    // The records of tokens begin with the id, which is their key.
    let key: Key = payload.first_chunk().copied().unwrap_or_default();
    let pat = reread::<PatV1>("pats", &key, payload)?
        .and_then(|record| record.pat(&key, Uses::default()));
    if pat.is_some_and(|pat| PatV1::from(&pat).pat(&key, Uses::default()).as_ref() != Some(&pat)) {
        return Err("a token");
    }
    let trashed = reread::<TrashV1>("trash", &key, payload)?.and_then(|row| row.trashed(&key));
    let again = |(pat, at): &(Pat, _)| TrashV1::new(pat, *at).trashed(&key);
    if trashed.is_some_and(|trashed| again(&trashed).as_ref() != Some(&trashed)) {
        return Err("a deleted token");
    }
    let uses = reread::<UsesV1>("uses", &key, payload)?.and_then(UsesV1::uses);
    if uses.is_some_and(|uses| UsesV1::from(&uses).uses().as_ref() != Some(&uses)) {
        return Err("a use");
    }
    let what = reread::<EventV1>("events", &key, payload)?.and_then(EventV1::what);
    let again = |what: &EventDraft| EventV1::new(1, Hash::NONE, what).what();
    if what.is_some_and(|what| again(&what).as_ref() != Some(&what)) {
        return Err("an event");
    }
    let birth = reread::<BirthV1>("birth", &key, payload)?;
    let _ = birth.and_then(|birth| birth.created.moment());
    reread::<RefV1>("names", &key, payload)?;
    reread::<MarkV1>("marks", &key, payload)?;
    reread::<SchemaV1>("schema", &key, payload)?;
    reread::<HeadV1>("head", &key, payload)?;
    Ok(())
}

/// The record that `payload` says, once it has survived another writing and reading.
fn reread<R: Record + PartialEq>(
    kind: &'static str,
    key: &Key,
    payload: &[u8],
) -> Result<Option<R>, &'static str> {
    let mut bytes = vec![R::VERSION];
    bytes.extend_from_slice(payload);
    let sum = checksum(kind, key, &bytes);
    bytes.extend_from_slice(&sum);
    let Some(record) = unseal::<R>(kind, key, &bytes) else {
        return Ok(None);
    };
    let again = seal(kind, key, &record).and_then(|bytes| unseal::<R>(kind, key, &bytes));
    if again.as_ref() == Some(&record) { Ok(Some(record)) } else { Err(kind) }
}
