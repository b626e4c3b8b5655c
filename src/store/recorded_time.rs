//! The newest times that a store contains, below which the time for denial never falls. The newest
//! use has a record of its own, so that a check need not search the table of last uses. Called by
//! the read and write operations.

use super::{
    codec::decode,
    error::StoreError,
    read_ops::ReadOps,
    record::{ClockStateV1, NewestEndingV1, TimestampV1},
    register::{EventMark, StoredMark},
    tables::{Tables, Transaction, WriteTables},
    write_ops::Writer,
};
use crate::domain::Timestamp;

/// The key of the recorded times in the table `meta-1`.
const CLOCK_STATE: &[u8] = b"clock";

/// The key of the newest ending in the table `meta-1`. Stores that have taken over none lack it.
const NEWEST_ENDING: &[u8] = b"newest-ending";

/// Loads the time of the newest ending that the store took over from its revocation register. A register
/// whose newest ending is earlier is an older copy.
pub(super) fn load_newest_ending<T: Transaction>(
    tables: &Tables<T>,
) -> Result<Option<Timestamp>, StoreError> {
    let found = tables.meta.get(NEWEST_ENDING, decode::<NewestEndingV1>)?;
    Ok(found.and_then(|NewestEndingV1(at)| at?.to_timestamp()))
}

/// Returns the mark for a new register of the store. Some endings are only in the trail, so that all
/// copies from before its last event must count as older.
pub(super) fn mark_of_new_register(rows: &impl ReadOps) -> Result<StoredMark, StoreError> {
    let newest = rows.newest_event().ok().flatten();
    let at = newest.as_ref().map(|event| event.body.at);
    Ok(StoredMark {
        newest_ending: load_newest_ending(rows.tables())?.max(at).unwrap_or_default(),
        event: newest.as_ref().map(EventMark::of),
    })
}

/// The newest times that a store contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordedTime {
    pub newest_event: Option<Timestamp>,
    /// The newest use that was written since the clock was accepted.
    pub newest_use: Option<Timestamp>,
    /// How often an operator accepted the clock.
    pub accepted: u64,
    /// Whether the record of the newest use is damaged, so that a later time may be missing here.
    pub is_damaged: bool,
}

impl RecordedTime {
    /// Loads the newest use. `newest_event` is the time of the newest event.
    pub(super) fn load<T: Transaction>(
        tables: &Tables<T>,
        newest_event: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        let (state, is_damaged) = load_clock_state(tables)?;
        let newest_use = state.newest_use.and_then(TimestampV1::to_timestamp);
        Ok(Self { newest_event, newest_use, accepted: state.accepted, is_damaged })
    }

    /// The later of both times.
    pub fn newest(self) -> Option<Timestamp> {
        self.newest_event.max(self.newest_use)
    }
}

/// The error for a damaged record of the newest use.
pub(super) fn clock_damage<T: Transaction>(tables: &Tables<T>) -> StoreError {
    StoreError::Damaged(tables.meta.damage(&CLOCK_STATE))
}

/// The record of a store in which no secret was used.
const NEVER_USED: ClockStateV1 = ClockStateV1 { newest_use: None, accepted: 0 };

/// Loads the recorded times, and whether their record is damaged. Every store has the record from its
/// creation or migration on, so a missing one is damage. A damaged record must not prevent
/// revocations, so it counts as one without a use; a check gives no answer then.
fn load_clock_state<T: Transaction>(
    tables: &Tables<T>,
) -> Result<(ClockStateV1, bool), StoreError> {
    match tables.meta.get(CLOCK_STATE, decode::<ClockStateV1>) {
        Ok(Some(state)) => Ok((state, false)),
        Ok(None) | Err(StoreError::Damaged(_)) => Ok((NEVER_USED, true)),
        Err(error) => Err(error),
    }
}

/// Writes the record without a use: for a new or migrated store, or in place of a damaged record.
/// Only the newest event is known from then on.
pub(super) fn reset_newest_use(tables: &mut WriteTables<'_>) -> Result<(), StoreError> {
    tables.meta.put(CLOCK_STATE, &NEVER_USED)
}

impl Writer<'_> {
    /// Records that a secret was used at `at`. So a clock that is set back does not reactivate a
    /// secret that had expired by then.
    pub fn raise_newest_use(&mut self, at: Timestamp) -> Result<(), StoreError> {
        let (state, is_damaged) = load_clock_state(&self.tables)?;
        let newest = state.newest_use.and_then(TimestampV1::to_timestamp);
        // Only a repair may replace a damaged record: a new time would hide that an older one is
        // lost.
        if is_damaged || newest.is_some_and(|newest| newest >= at) {
            return Ok(());
        }
        self.tables.meta.put(CLOCK_STATE, &ClockStateV1 { newest_use: Some(at.into()), ..state })
    }

    /// Removes the newest use, because the clock was wrong when it was written, and counts the
    /// acceptance of the clock.
    pub fn accept_clock(&mut self) -> Result<(), StoreError> {
        self.tables.meta.put(NEWEST_ENDING, &NewestEndingV1(None))?;
        let accepted = load_clock_state(&self.tables)?.0.accepted.saturating_add(1);
        self.tables.meta.put(CLOCK_STATE, &ClockStateV1 { newest_use: None, accepted })
    }

    /// Records that the store takes over an ending of this time from its register.
    pub fn raise_newest_ending(&mut self, at: Timestamp) -> Result<(), StoreError> {
        if load_newest_ending(&self.tables)? >= Some(at) {
            return Ok(());
        }
        self.tables.meta.put(NEWEST_ENDING, &NewestEndingV1(Some(at.into())))
    }
}
