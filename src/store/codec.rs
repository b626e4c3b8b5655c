//! Encodes and decodes records: a version byte, the payload, and a checksum over table, key,
//! version and payload. Refuses a record that was damaged, moved to another key or table, shortened
//! or lengthened. Only this module and the structs of `record` use bincode, so that a new record
//! version can use another format.

use bincode::{
    BorrowDecode, Encode,
    config::{Configuration, Limit},
    error::EncodeError,
};
use sha2::{Digest as _, Sha256};

use super::error::StoreError;
use crate::domain::EventHash;

/// The maximum size of a record in bytes. The largest token that the domain allows takes half as
/// many bytes.
const MAX_BYTES: usize = 1 << 20;
const CHECKSUM_BYTES: usize = 8;
/// The capacity in bytes that suffices for most records, so that few buffers are reallocated.
pub(super) const TYPICAL_BYTES: usize = 384;

const FORMAT: Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    Limit<MAX_BYTES>,
> = bincode::config::standard().with_limit::<MAX_BYTES>();

/// A struct whose encoding is frozen. To change its fields, add a new struct with a new version.
pub(super) trait Record: Encode {
    /// The version byte before the payload. The checksum covers this byte, too.
    const VERSION: u8 = 1;
}

/// The version and payload of a record, without its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordBody<'a> {
    version: u8,
    payload: &'a [u8],
}

impl<'a> RecordBody<'a> {
    /// Decodes the record, whose strings borrow from the payload. Returns `None` if the payload is
    /// not an `R` or has another version.
    pub(super) fn decode<R: Record + BorrowDecode<'a, ()>>(self) -> Option<R> {
        if self.version != R::VERSION {
            return None;
        }
        let (record, used) = bincode::borrow_decode_from_slice(self.payload, FORMAT).ok()?;
        // bincode ignores bytes that remain after the struct. Refuse them.
        (used == self.payload.len()).then_some(record)
    }

    /// The hash that links events: SHA-256 of the payload, which contains the previous hash.
    pub(super) fn hash(self) -> EventHash {
        EventHash::from_bytes(Sha256::digest(self.payload).into())
    }
}

/// Like [`RecordBody::decode`], for a record without strings.
pub(super) fn decode<R: Record + for<'a> BorrowDecode<'a, ()>>(body: RecordBody<'_>) -> Option<R> {
    body.decode()
}

/// Encodes `record` for this table and key. Refuses a record that would exceed [`MAX_BYTES`], and a
/// time that would be refused when the record is read.
pub(super) fn encode_record<R: Record>(
    table: &'static str,
    key: &[u8],
    record: &R,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(TYPICAL_BYTES);
    append_record(&mut bytes, table, key, record)?;
    Ok(bytes)
}

/// Like [`encode_record`], but appends to `bytes`.
pub(super) fn append_record<R: Record>(
    bytes: &mut Vec<u8>,
    table: &'static str,
    key: &[u8],
    record: &R,
) -> Result<(), StoreError> {
    let too_large = StoreError::TooLarge { table };
    let start = bytes.len();
    bytes.push(R::VERSION);
    bincode::encode_into_std_write(record, &mut *bytes, FORMAT).map_err(|error| match error {
        EncodeError::Other(_) => StoreError::UnsupportedTime,
        _ => too_large.clone(),
    })?;
    let sum = checksum(table, key, bytes.get(start..).unwrap_or_default());
    bytes.extend_from_slice(&sum);
    if bytes.len() - start <= MAX_BYTES { Ok(()) } else { Err(too_large) }
}

/// Verifies the checksum of a record. Returns `None` if the bytes were not encoded for this table
/// and key.
pub(super) fn verify_checksum<'a>(
    table: &str,
    key: &[u8],
    bytes: &'a [u8],
) -> Option<RecordBody<'a>> {
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
    if sum != checksum(table, key, body) {
        return None;
    }
    let (version, payload) = body.split_first()?;
    Some(RecordBody { version: *version, payload })
}

/// Splits bytes that [`encode_record`] returned, without verifying their checksum. Only use it for
/// bytes that never left memory or that another checksum covers.
pub(super) fn body_unchecked(bytes: &[u8]) -> Option<RecordBody<'_>> {
    let (version, rest) = bytes.split_first()?;
    let payload = rest.get(..rest.len().checked_sub(CHECKSUM_BYTES)?)?;
    Some(RecordBody { version: *version, payload })
}

/// The first 8 bytes of SHA-256 over table, key and body. Length prefixes delimit table and key.
pub(super) fn checksum(table: &str, key: &[u8], body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = Sha256::new();
    for part in [table.as_bytes(), key] {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(part);
    }
    hasher.update(body);
    let digest: [u8; 32] = hasher.finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Encode, BorrowDecode)]
    struct Sample {
        text: String,
        number: u64,
        maybe: Option<[u8; 4]>,
    }

    impl Record for Sample {}

    #[derive(Debug, PartialEq, Encode, BorrowDecode)]
    struct Shorter {
        text: String,
    }

    impl Record for Shorter {}

    #[derive(Debug, PartialEq, Encode, BorrowDecode)]
    struct Later {
        text: String,
    }

    impl Record for Later {
        const VERSION: u8 = 2;
    }

    fn read<'a, R: Record + BorrowDecode<'a, ()>>(
        table: &str,
        key: &[u8],
        bytes: &'a [u8],
    ) -> Option<R> {
        verify_checksum(table, key, bytes)?.decode()
    }

    fn sample() -> impl Strategy<Value = Sample> {
        (any::<String>(), any::<u64>(), any::<Option<[u8; 4]>>())
            .prop_map(|(text, number, maybe)| Sample { text, number, maybe })
    }

    #[test]
    fn a_record_above_the_maximum_size_is_not_encoded() {
        let text = "x".repeat(MAX_BYTES);
        let error = encode_record("t", b"k", &Shorter { text }).unwrap_err();
        assert_eq!(error, StoreError::TooLarge { table: "t" });
    }

    #[test]
    fn another_struct_or_version_is_refused() {
        let bytes = encode_record("t", b"k", &Shorter { text: "a".into() }).unwrap();
        assert_eq!(read::<Later>("t", b"k", &bytes), None);
        let longer = Sample { text: "a".into(), number: 1, maybe: None };
        let bytes = encode_record("t", b"k", &longer).unwrap();
        assert_eq!(read::<Shorter>("t", b"k", &bytes), None);
    }

    #[test]
    fn a_wrong_length_prefix_is_refused_without_allocation() {
        let mut body = vec![1, 253];
        body.extend_from_slice(&u64::MAX.to_le_bytes());
        let sum = checksum("t", b"k", &body);
        body.extend_from_slice(&sum);
        assert_eq!(read::<Shorter>("t", b"k", &body), None);
    }

    proptest! {
        #[test]
        fn an_encoded_record_decodes_to_the_same_value(given in sample(), key in any::<Vec<u8>>()) {
            let bytes = encode_record("t", &key, &given).unwrap();
            prop_assert_eq!(read::<Sample>("t", &key, &bytes), Some(given));
        }

        #[test]
        fn any_flipped_bit_is_refused(given in sample(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut bytes = encode_record("t", b"key", &given).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(read::<Sample>("t", b"key", &bytes), None);
        }

        #[test]
        fn any_truncation_or_extension_is_refused(
            given in sample(), cut in any::<prop::sample::Index>(), more in prop::collection::vec(any::<u8>(), 1..9),
        ) {
            let bytes = encode_record("t", b"key", &given).unwrap();
            prop_assert_eq!(read::<Sample>("t", b"key", &bytes[..cut.index(bytes.len())]), None);
            let longer = [bytes, more].concat();
            prop_assert_eq!(read::<Sample>("t", b"key", &longer), None);
        }

        #[test]
        fn another_key_or_table_is_refused(given in sample(), key in any::<Vec<u8>>(), other in any::<Vec<u8>>()) {
            let bytes = encode_record("t", &key, &given).unwrap();
            prop_assert_eq!(read::<Sample>("u", &key, &bytes), None);
            prop_assume!(key != other);
            prop_assert_eq!(read::<Sample>("t", &other, &bytes), None);
        }

        #[test]
        fn arbitrary_bytes_are_refused_without_a_panic(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(read::<Sample>("t", b"key", &bytes), None);
        }
    }
}
