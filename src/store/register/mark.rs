//! The mark in the start of the register: a state of the store that had all endings which are not pending.
//! A store without the marked event is an older copy, or one of another history. Encodes and decodes the
//! mark, and does no I/O. Called by `layout` and `writer`.

use chrono::DateTime;

use crate::domain::{AuditEvent, EventHash, Timestamp, time_range::is_supported};

/// Bytes of the mark: the time as seconds since 1970 and nanoseconds, then the number and the hash of the
/// event, which are 0 if there is none, and the CRC-32 of these.
pub(super) const MARK_LEN: usize = CONTENT_LEN + 4;
const CONTENT_LEN: usize = 12 + 8 + 32;

/// An event of the audit trail, told from those of other histories of the store by its hash, which covers
/// all events before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventMark {
    pub sequence: u64,
    pub hash: EventHash,
}

impl EventMark {
    /// The mark of a damaged register, and of one that was rebuilt in an older copy: no store has this
    /// event, so that all records are compared.
    pub const UNKNOWN: Self = Self { sequence: u64::MAX, hash: EventHash::NONE };

    pub fn of(event: &AuditEvent) -> Self {
        Self { sequence: event.sequence, hash: event.hash }
    }
}

/// The state of the store that had all endings of the register that are not pending. A pending ending
/// does not count: it would hide that an older copy lacks the endings before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoredMark {
    /// The time of the newest of these endings.
    pub newest_ending: Timestamp,
    /// The last event of that state. A store without this event is an older copy, whatever its clock was.
    pub event: Option<EventMark>,
}

impl StoredMark {
    pub(super) fn encode(&self) -> [u8; MARK_LEN] {
        let event = self.event.unwrap_or(EventMark { sequence: 0, hash: EventHash::NONE });
        let at = self.newest_ending;
        let (seconds, nanos) =
            (at.timestamp().to_le_bytes(), at.timestamp_subsec_nanos().to_le_bytes());
        let sequence = event.sequence.to_le_bytes();
        let content =
            [seconds.as_slice(), &nanos, &sequence, event.hash.as_bytes().as_slice()].concat();
        let mut bytes = [0; MARK_LEN];
        let crc = crc32fast::hash(&content).to_le_bytes();
        bytes.iter_mut().zip(content.into_iter().chain(crc)).for_each(|(byte, new)| *byte = new);
        bytes
    }

    pub(super) fn decode(bytes: &[u8; MARK_LEN]) -> Self {
        let damaged = Self { event: Some(EventMark::UNKNOWN), ..Self::default() };
        Self::decode_intact(bytes).unwrap_or(damaged)
    }

    /// Returns `None` if the checksum is wrong.
    fn decode_intact(bytes: &[u8; MARK_LEN]) -> Option<Self> {
        let (content, crc) = bytes.split_first_chunk::<CONTENT_LEN>()?;
        if crc32fast::hash(content).to_le_bytes() != crc {
            return None;
        }
        let (seconds, rest) = content.split_first_chunk()?;
        let (nanos, rest) = rest.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (seconds, nanos) = (i64::from_le_bytes(*seconds), u32::from_le_bytes(*nanos));
        let at = DateTime::from_timestamp(seconds, nanos).filter(|at| is_supported(*at));
        let hash = EventHash::from_bytes(*rest.first_chunk()?);
        let event = EventMark { sequence: u64::from_le_bytes(*sequence), hash };
        let event = Some(event).filter(|event| event.sequence > 0);
        Some(Self { newest_ending: at.unwrap_or_default(), event })
    }
}
