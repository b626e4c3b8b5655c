//! The mark in the start of the register: a state of the store that had all endings which are not pending.
//! A store without the marked event is an older copy, or one of another history. Encodes and decodes the
//! mark, and does no I/O. Called by `layout` and `writer`.

use chrono::DateTime;

use crate::domain::{AuditEvent, EventHash, Timestamp, time_range::is_supported};

/// Bytes of the mark: the time as seconds since 1970 and nanoseconds, then the number and the hash of the
/// event, which are 0 if there is none.
pub(super) const MARK_LEN: usize = 12 + 8 + 32;

/// An event of the audit trail, told from those of other histories of the store by its hash, which covers
/// all events before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventMark {
    pub sequence: u64,
    pub hash: EventHash,
}

impl EventMark {
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
        let mut bytes = [0; MARK_LEN];
        let mut rest = bytes.as_mut_slice();
        let at = self.newest_ending;
        for part in [
            at.timestamp().to_le_bytes().as_slice(),
            &at.timestamp_subsec_nanos().to_le_bytes(),
            &event.sequence.to_le_bytes(),
            event.hash.as_bytes(),
        ] {
            let (own, others) = rest.split_at_mut(part.len().min(rest.len()));
            own.copy_from_slice(part);
            rest = others;
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8; MARK_LEN]) -> Self {
        let parts = || {
            let (seconds, rest) = bytes.split_first_chunk()?;
            let (nanos, rest) = rest.split_first_chunk()?;
            let (sequence, rest) = rest.split_first_chunk()?;
            let at =
                DateTime::from_timestamp(i64::from_le_bytes(*seconds), u32::from_le_bytes(*nanos));
            let hash = EventHash::from_bytes(*rest.first_chunk()?);
            Some((at, EventMark { sequence: u64::from_le_bytes(*sequence), hash }))
        };
        let Some((at, event)) = parts() else { return Self::default() };
        Self {
            newest_ending: at.filter(|at| is_supported(*at)).unwrap_or_default(),
            event: Some(event).filter(|event| event.sequence > 0),
        }
    }
}
