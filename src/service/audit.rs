//! Reading: the tokens as they are, what changed since a reader last looked, and the trail.
//! Rows are copied out and the transaction is dropped before anything is shown.

use super::{Service, ServiceError};
use crate::{
    domain::{AuditEvent, EventHash, Timestamp, Token, TokenId},
    store::{ChainState, Changes, Damage, ReadOps, StoreError},
};

/// How far a follower has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Which store: another one may have taken the place of the first.
    store: u128,
    generation: u64,
    event: u64,
}

/// Every token, and where to follow on from.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    pub tokens: Vec<Token>,
    /// The instant by which their statuses are to be judged.
    pub now: Timestamp,
    pub damaged: Vec<Damage>,
    /// Set when the clock stands before the last recorded change: that change's time.
    pub clock_behind: Option<Timestamp>,
}

/// What changed since a [`Position`].
#[derive(Debug, Clone)]
pub enum Followed {
    Nothing,
    /// These tokens, each as it is now; `None` if it is gone.
    Tokens(Vec<(TokenId, Option<Token>)>, Position),
    /// So much that reading everything anew is the shorter way; where to follow on from.
    Everything(Position),
}

/// A part of the trail, newest first.
#[derive(Debug, Clone)]
pub struct Trail {
    pub events: Vec<AuditEvent>,
    pub chain: ChainState,
}

#[derive(Debug, Clone)]
pub struct Health {
    /// Its tokens, its damaged records and its clock.
    pub loaded: Loaded,
    pub chain: ChainState,
    pub disagreements: Vec<String>,
    pub schema: u32,
    /// Deleted tokens that wait in the trash.
    pub trash: usize,
}

/// Events that are read at once.
const EVENTS_PAGE: usize = 1_000;

/// How far the clock may stand behind the last change before it is worth a word: two machines
/// on one disk, or a clock being slewed, are that far apart every day.
const SLACK: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

impl Service {
    pub fn load(&self) -> Result<Loaded, ServiceError> {
        Ok(self.store.read(|rows| self.loaded(rows))?)
    }

    fn loaded(&self, rows: &impl ReadOps) -> Result<Loaded, StoreError> {
        let listing = rows.tokens()?;
        let last = rows.newest_event()?;
        Ok(Loaded {
            now: self.clock.denial_time(rows)?,
            tokens: listing.rows,
            damaged: listing.damaged,
            clock_behind: self.behind(last.as_ref()),
        })
    }

    /// Where a follower stands who has seen everything.
    pub fn position(&self) -> Result<Position, ServiceError> {
        Ok(self.store.read(|rows| position(rows, rows.newest_event()?.as_ref()))?)
    }

    /// What changed since `seen`: a few key reads when nothing did.
    pub fn follow(&self, seen: Position) -> Result<Followed, ServiceError> {
        self.store.read(|rows| {
            let position = position(rows, rows.newest_event()?.as_ref())?;
            if position == seen {
                return Ok(Followed::Nothing);
            }
            match changes(rows, seen, position)? {
                Changes::TooFar => Ok(Followed::Everything(position)),
                Changes::Tokens(ids, _) => Ok(Followed::Tokens(readable(rows, &ids)?, position)),
            }
        })
    }

    /// The time of the last change, if the clock stands well before it.
    pub(super) fn behind(&self, last: Option<&AuditEvent>) -> Option<Timestamp> {
        last.map(|event| event.what.at).filter(|mark| *mark - self.clock.now() > SLACK)
    }

    /// The newest `limit` events, and whether the whole chain holds.
    pub fn trail(&self, limit: usize) -> Result<Trail, ServiceError> {
        Ok(self.store.read(|rows| {
            let events = rows.events_before(None, limit)?.rows;
            Ok::<_, StoreError>(Trail { events, chain: rows.verify_chain()? })
        })?)
    }

    /// Whether the chain holds, and the place in it of the event whose hash is `expected`, which
    /// an earlier check told: 0 for that of an empty trail, `None` if no event has it. A trail
    /// that was cut off or written anew behind that check holds, and has no such event.
    pub fn trail_since(
        &self,
        expected: EventHash,
    ) -> Result<(ChainState, Option<u64>), ServiceError> {
        Ok(self.store.read(|rows| {
            let chain = rows.verify_chain()?;
            let mut place = (expected == EventHash::NONE).then_some(0);
            let mut seen = 0;
            while place.is_none() && seen < chain.events {
                let page = rows.events_after(seen, EVENTS_PAGE)?.rows;
                let Some(last) = page.last() else { break };
                seen = last.sequence;
                let mut sound = page.iter().filter(|event| event.sequence <= chain.events);
                place = sound.find(|event| event.hash == expected).map(|e| e.sequence);
            }
            Ok::<_, StoreError>((chain, place))
        })?)
    }

    /// How the store is, from one look at it.
    pub fn health(&self) -> Result<Health, ServiceError> {
        Ok(self.store.read(|rows| {
            Ok::<_, StoreError>(Health {
                loaded: self.loaded(rows)?,
                chain: rows.verify_chain()?,
                disagreements: rows.disagreements()?,
                schema: rows.schema()?,
                trash: rows.trash()?.rows.len(),
            })
        })?)
    }

    /// The events after event `seen`, oldest first: a page of them, empty at the end.
    pub fn events_after(&self, seen: u64) -> Result<Vec<AuditEvent>, ServiceError> {
        Ok(self.store.read(|rows| rows.events_after(seen, EVENTS_PAGE))?.rows)
    }

    pub fn history(&self, id: &TokenId, limit: usize) -> Result<Vec<AuditEvent>, ServiceError> {
        Ok(self.store.read(|rows| rows.events_of(id, limit))?.rows)
    }
}

/// These tokens as they are; `None` for one that is gone or damaged. Its damage is reported where
/// all tokens are read.
pub(super) fn readable(
    rows: &impl ReadOps,
    ids: &[TokenId],
) -> Result<Vec<(TokenId, Option<Token>)>, StoreError> {
    let read = |id: &TokenId| match rows.token(id) {
        Err(StoreError::Damaged(_)) => Ok((*id, None)),
        token => Ok((*id, token?)),
    };
    ids.iter().map(read).collect()
}

/// Which tokens changed between two positions.
pub(super) fn changes(
    rows: &impl ReadOps,
    seen: Position,
    now: Position,
) -> Result<Changes, StoreError> {
    // Another store has generations of its own.
    if seen.store == now.store { rows.changes_after(seen.generation) } else { Ok(Changes::TooFar) }
}

/// Where a follower stands who has seen all of `rows`, of which `last` is the newest event.
pub(super) fn position(
    rows: &impl ReadOps,
    last: Option<&AuditEvent>,
) -> Result<Position, StoreError> {
    let store = match rows.store_id() {
        Ok(id) => u128::from_str_radix(&id, 16).unwrap_or_default(),
        // It only informs here, and must not keep a store from being read.
        Err(StoreError::Damaged(_)) => 0,
        Err(error) => return Err(error),
    };
    Ok(Position {
        store,
        generation: rows.generation()?,
        event: last.map_or(0, |event| event.sequence),
    })
}
