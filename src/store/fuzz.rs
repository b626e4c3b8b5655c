//! Decodes arbitrary bytes as each kind of record, for tests and fuzz targets outside the crate.
//! Recomputes the checksum first, so that fuzzing reaches the decoder. Compiled for tests only.

use super::{
    codec::{Record, RecordBody, checksum, decode, encode_record, verify_checksum},
    record::{
        ChainHeadV1, ClockStateV1, DeniedAttemptsV1, EventV1, HookRunV1, SchemaNumberV1,
        StoreInfoV1, TokenEventIndexEntryV1, TokenIdRecordV1, TokenUses, TokenUsesV2, TokenV2,
        TrashV2, UsageDaysV1, UseCountV1,
    },
};
use crate::domain::{EventHash, TokenId};

type Key = [u8; TokenId::LEN];

/// Decodes `payload`, with a valid checksum, as each kind of record. A record that decodes must be
/// equal after it was encoded and decoded again. Otherwise, returns the kind of the record as the
/// error.
pub fn check_round_trip(payload: &[u8]) -> Result<(), &'static str> {
    // The record of a token begins with the id, which is also its key.
    let key: Key = payload.first_chunk().copied().unwrap_or_default();
    let kind_of = |name, version| RoundTripCase { name, version, key, payload };
    let kind = |name| kind_of(name, 1);
    let it = kind_of("a token", TokenV2::VERSION);
    it.check(|body| TokenV2::decode_token(&key, body), |token| it.encode(&TokenV2::from(token)))?;
    let it = kind_of("a deleted token", TrashV2::VERSION);
    it.check(
        |body| TrashV2::decode_parts(&key, body),
        |(token, at)| it.encode(&TrashV2::new(token, &TokenUses::of(token), *at)),
    )?;
    let it = kind_of("the last uses of a token", TokenUsesV2::VERSION);
    it.check(TokenUsesV2::decode_usage, |uses| it.encode(&TokenUsesV2::from(uses)))?;
    let it = kind("the numbers of uses of a token");
    it.check(UsageDaysV1::decode_days, |days| it.encode(&UsageDaysV1::from(days)))?;
    let it = kind("the denied attempts of a token");
    it.check(DeniedAttemptsV1::decode_attempts, |all| it.encode(&DeniedAttemptsV1::from(all)))?;
    let it = kind("the counted uses of a token");
    it.check(decode::<UseCountV1>, |row| it.encode(row))?;
    let it = kind("an event");
    it.check(
        |body| body.decode::<EventV1<'_>>()?.into_event_body(),
        |event| it.encode(&EventV1::new(1, EventHash::NONE, event)),
    )?;
    let it = kind("a run of a hook");
    it.check(HookRunV1::decode_run, |run| it.encode(&HookRunV1::from(run)))?;
    let it = kind("the id and creation time of a store");
    let is_valid = |info: &StoreInfoV1| info.created.to_timestamp().is_some();
    it.check(|body| body.decode::<StoreInfoV1>().filter(is_valid), |info| it.encode(info))?;
    let it = kind("a name");
    it.check(decode::<TokenIdRecordV1>, |row| it.encode(row))?;
    let it = kind("an index entry of an event");
    it.check(decode::<TokenEventIndexEntryV1>, |row| it.encode(row))?;
    let it = kind("a schema");
    it.check(decode::<SchemaNumberV1>, |row| it.encode(row))?;
    let it = kind("the clock");
    it.check(decode::<ClockStateV1>, |row| it.encode(row))?;
    let it = kind("the end of the chain");
    it.check(decode::<ChainHeadV1>, |row| it.encode(row))
}

/// A kind of record, and the bytes to decode as this kind.
struct RoundTripCase<'p> {
    name: &'static str,
    version: u8,
    key: Key,
    payload: &'p [u8],
}

impl RoundTripCase<'_> {
    fn encode(&self, record: &impl Record) -> Option<Vec<u8>> {
        encode_record(self.name, &self.key, record).ok()
    }

    /// If `read` decodes the bytes, then `write` and `read` must return an equal record.
    fn check<T: PartialEq>(
        &self,
        read: impl Fn(RecordBody<'_>) -> Option<T>,
        write: impl Fn(&T) -> Option<Vec<u8>>,
    ) -> Result<(), &'static str> {
        let mut bytes = vec![self.version];
        bytes.extend_from_slice(self.payload);
        let sum = checksum(self.name, &self.key, &bytes);
        bytes.extend_from_slice(&sum);
        let read = |bytes: &[u8]| read(verify_checksum(self.name, &self.key, bytes)?);
        let Some(record) = read(&bytes) else {
            return Ok(());
        };
        let again = write(&record).and_then(|bytes| read(&bytes));
        if again == Some(record) { Ok(()) } else { Err(self.name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{MaxUses, Owner, Token, TokenLimits},
        store::{
            codec::body_unchecked,
            scenario::{at, nth_token},
        },
    };

    #[test]
    fn records_of_both_versions_reach_the_decoder() {
        let limits = TokenLimits {
            sources: "10.0.0.0/8, 2001:db8::/32".parse().ok(),
            not_before: Some(at(9)),
            max_uses: MaxUses::new(3),
        };
        let (labels, owner) =
            ("team=edge, Env=prod".parse().unwrap(), Owner::parse("Ann").unwrap());
        let token = Token { limits, uses_taken: 2, labels, owner, ..nth_token(1) };
        let key = token.id.as_bytes();
        let bytes = encode_record("t", key, &TokenV2::from(&token)).unwrap();
        let payload = &bytes[1..bytes.len() - 8];
        let case = RoundTripCase { name: "t", version: TokenV2::VERSION, key: *key, payload };
        let decode = |body: RecordBody<'_>| TokenV2::decode_token(key, body);
        assert!(body_unchecked(&bytes).and_then(decode).is_some());
        // The oracle must decode the token, so a wrong encoder is found.
        let result = case.check(decode, |_| None);
        assert_eq!(result, Err("t"));
        assert_eq!(check_round_trip(payload), Ok(()));
    }
}
