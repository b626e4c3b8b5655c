//! How a record becomes bytes and back: a version byte, the payload, and a checksum over the
//! table, the key and both. Nothing of a damaged, moved, shortened or lengthened record is ever
//! used. bincode is named here and by the structs of `record`; a successor can take its place
//! behind a new version.

use bincode::{
    BorrowDecode, Encode,
    config::{Configuration, Limit},
};
use sha2::{Digest as _, Sha256};

use crate::domain::EventHash;

/// Most bytes that a record may take. The largest token the domain allows has half of it.
const MAX_BYTES: usize = 1 << 20;
const CHECKSUM_BYTES: usize = 8;
/// What most records take, so that few grow in the making.
pub(super) const USUAL_BYTES: usize = 384;

const FORMAT: Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    Limit<MAX_BYTES>,
> = bincode::config::standard().with_limit::<MAX_BYTES>();

/// A struct whose bytes are frozen. A change of its fields is a new struct with a new version.
pub(super) trait Record: Encode {
    /// Stands before the payload and is covered by the checksum.
    const VERSION: u8 = 1;
}

/// The bytes of a record as they lie in the store, once their checksum was found right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Body<'a> {
    version: u8,
    payload: &'a [u8],
}

impl<'a> Body<'a> {
    /// The record; its texts stay where they lie. `None` if it is another one or of another
    /// version.
    pub(super) fn decode<R: Record + BorrowDecode<'a, ()>>(self) -> Option<R> {
        if self.version != R::VERSION {
            return None;
        }
        let (record, used) = bincode::borrow_decode_from_slice(self.payload, FORMAT).ok()?;
        // bincode accepts a shorter struct and leaves the rest unread: such bytes are not ours.
        (used == self.payload.len()).then_some(record)
    }

    /// What chains events: the hash of the payload alone, which holds the hash of the one before.
    pub(super) fn hash(self) -> EventHash {
        EventHash::from_bytes(Sha256::digest(self.payload).into())
    }
}

/// As [`Body::decode`], for a record without texts.
pub(super) fn decode<R: Record + for<'a> BorrowDecode<'a, ()>>(body: Body<'_>) -> Option<R> {
    body.decode()
}

/// The bytes of `record` for this place; `None` if they would be too many.
pub(super) fn seal<R: Record>(table: &str, key: &[u8], record: &R) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    seal_behind(&mut bytes, table, key, record)?;
    Some(bytes)
}

/// As [`seal`], behind what is in `bytes`.
pub(super) fn seal_behind<R: Record>(
    bytes: &mut Vec<u8>,
    table: &str,
    key: &[u8],
    record: &R,
) -> Option<()> {
    let start = bytes.len();
    bytes.push(R::VERSION);
    bincode::encode_into_std_write(record, &mut *bytes, FORMAT).ok()?;
    let sum = checksum(table, key, bytes.get(start..)?);
    bytes.extend_from_slice(&sum);
    (bytes.len() - start <= MAX_BYTES).then_some(())
}

/// What stands at this place; `None` if the bytes are not exactly what was sealed for it.
pub(super) fn unseal<'a>(table: &str, key: &[u8], bytes: &'a [u8]) -> Option<Body<'a>> {
    let (body, sum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
    if sum != checksum(table, key, body) {
        return None;
    }
    let (version, payload) = body.split_first()?;
    Some(Body { version: *version, payload })
}

/// The body that [`seal`] made, without a check of its checksum: for bytes that never left memory,
/// or that another checksum covers.
pub(super) fn sealed_body(bytes: &[u8]) -> Option<Body<'_>> {
    let (version, rest) = bytes.split_first()?;
    let payload = rest.get(..rest.len().checked_sub(CHECKSUM_BYTES)?)?;
    Some(Body { version: *version, payload })
}

/// The first bytes of SHA-256 over table, key and body. The lengths keep the three apart.
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
        unseal(table, key, bytes)?.decode()
    }

    fn sample() -> impl Strategy<Value = Sample> {
        (any::<String>(), any::<u64>(), any::<Option<[u8; 4]>>())
            .prop_map(|(text, number, maybe)| Sample { text, number, maybe })
    }

    #[test]
    fn a_record_that_is_too_large_is_not_sealed() {
        let text = "x".repeat(MAX_BYTES);
        assert_eq!(seal("t", b"k", &Shorter { text }), None);
    }

    #[test]
    fn another_struct_or_version_is_refused() {
        let bytes = seal("t", b"k", &Shorter { text: "a".into() }).unwrap();
        assert_eq!(read::<Later>("t", b"k", &bytes), None);
        let longer = Sample { text: "a".into(), number: 1, maybe: None };
        let bytes = seal("t", b"k", &longer).unwrap();
        assert_eq!(read::<Shorter>("t", b"k", &bytes), None);
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        let mut body = vec![1, 253];
        body.extend_from_slice(&u64::MAX.to_le_bytes());
        let sum = checksum("t", b"k", &body);
        body.extend_from_slice(&sum);
        assert_eq!(read::<Shorter>("t", b"k", &body), None);
    }

    proptest! {
        #[test]
        fn what_was_sealed_comes_back(given in sample(), key in any::<Vec<u8>>()) {
            let bytes = seal("t", &key, &given).unwrap();
            prop_assert_eq!(read::<Sample>("t", &key, &bytes), Some(given));
        }

        #[test]
        fn any_flipped_bit_is_refused(given in sample(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut bytes = seal("t", b"key", &given).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(read::<Sample>("t", b"key", &bytes), None);
        }

        #[test]
        fn any_truncation_or_extension_is_refused(
            given in sample(), cut in any::<prop::sample::Index>(), more in prop::collection::vec(any::<u8>(), 1..9),
        ) {
            let bytes = seal("t", b"key", &given).unwrap();
            prop_assert_eq!(read::<Sample>("t", b"key", &bytes[..cut.index(bytes.len())]), None);
            let longer = [bytes, more].concat();
            prop_assert_eq!(read::<Sample>("t", b"key", &longer), None);
        }

        #[test]
        fn another_key_or_table_is_refused(given in sample(), key in any::<Vec<u8>>(), other in any::<Vec<u8>>()) {
            let bytes = seal("t", &key, &given).unwrap();
            prop_assert_eq!(read::<Sample>("u", &key, &bytes), None);
            prop_assume!(key != other);
            prop_assert_eq!(read::<Sample>("t", &other, &bytes), None);
        }

        #[test]
        fn any_bytes_are_answered_without_a_panic(bytes in any::<Vec<u8>>()) {
            prop_assert_eq!(read::<Sample>("t", b"key", &bytes), None);
        }
    }
}
