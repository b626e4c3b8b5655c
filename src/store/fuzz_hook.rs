//! Any bytes as a record of each kind, for the tests and fuzz targets that stand outside and
//! cannot see how records are made. The checksum is put right first, or nothing but it would
//! be tried. Called by nobody else.

use super::{
    codec::{Body, Record, checksum, decode, seal, unseal},
    record::{BirthV1, EventV1, HeadV1, MarkV1, RefV1, SchemaV1, TokenV1, TrashV1, Uses, UsesV1},
};
use crate::domain::{EventHash, TokenId};

type Key = [u8; TokenId::LEN];

/// Reads `payload` as each kind of record, as if it had been sealed by us. What is taken for a
/// record must come back the same after it was written again; says which kind does not.
pub fn any_record(payload: &[u8]) -> Result<(), &'static str> {
    // The records of tokens begin with the id, which is their key.
    let key: Key = payload.first_chunk().copied().unwrap_or_default();
    let kind = |name| Kind { name, key, payload };
    let it = kind("a token");
    it.returns(
        |body| body.decode::<TokenV1<'_>>()?.token(&key),
        |token| it.seal(&TokenV1::from(token)),
    )?;
    let it = kind("a deleted token");
    it.returns(
        |body| body.decode::<TrashV1<'_>>()?.trashed(&key),
        |(token, at)| it.seal(&TrashV1::new(token, &Uses::of(token), *at)),
    )?;
    let it = kind("a use");
    it.returns(|body| body.decode::<UsesV1<'_>>()?.uses(), |uses| it.seal(&UsesV1::from(uses)))?;
    let it = kind("an event");
    it.returns(
        |body| body.decode::<EventV1<'_>>()?.what(),
        |what| it.seal(&EventV1::new(1, EventHash::NONE, what)),
    )?;
    let it = kind("a birth");
    let known = |birth: &BirthV1| birth.created.moment().is_some();
    it.returns(|body| body.decode::<BirthV1>().filter(known), |birth| it.seal(birth))?;
    let it = kind("a name");
    it.returns(decode::<RefV1>, |row| it.seal(row))?;
    let it = kind("a mark");
    it.returns(decode::<MarkV1>, |row| it.seal(row))?;
    let it = kind("a schema");
    it.returns(decode::<SchemaV1>, |row| it.seal(row))?;
    let it = kind("a head");
    it.returns(decode::<HeadV1>, |row| it.seal(row))
}

/// A kind of record, and the bytes that are to be one.
struct Kind<'p> {
    name: &'static str,
    key: Key,
    payload: &'p [u8],
}

impl Kind<'_> {
    fn seal(&self, record: &impl Record) -> Option<Vec<u8>> {
        seal(self.name, &self.key, record)
    }

    /// What `read` makes of the bytes must come back the same once `write` has written it.
    fn returns<T: PartialEq>(
        &self,
        read: impl Fn(Body<'_>) -> Option<T>,
        write: impl Fn(&T) -> Option<Vec<u8>>,
    ) -> Result<(), &'static str> {
        let mut bytes = vec![1];
        bytes.extend_from_slice(self.payload);
        let sum = checksum(self.name, &self.key, &bytes);
        bytes.extend_from_slice(&sum);
        let read = |bytes: &[u8]| read(unseal(self.name, &self.key, bytes)?);
        let Some(record) = read(&bytes) else {
            return Ok(());
        };
        let again = write(&record).and_then(|bytes| read(&bytes));
        if again == Some(record) { Ok(()) } else { Err(self.name) }
    }
}
