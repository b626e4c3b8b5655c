//! Reads all tokens, the changes since a position, and the audit trail; checks the store. Each call
//! copies the rows and ends its read transaction before it returns. Called by the app and the
//! command line.

use super::{Service, ServiceError};
use crate::{
    domain::{
        AuditEvent, ClockEffects, DeniedAttempts, EventHash, Status, Timestamp, Token, TokenId,
        UsageDays,
    },
    store::{
        ChainCheckResult, ChangesSince, DamagedRecord, NameClash, OverruledTokens, ReadOps,
        RecordedTime, StoreError, VerifiedChain,
    },
};

/// The point in the change log up to which a reader has seen the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeLogPosition {
    /// The id of the store. It shows whether another store has replaced the file.
    store: u128,
    generation: u64,
    event: u64,
    /// The hash of this event.
    head: EventHash,
}

/// All tokens, the damaged records and the clock, read in one transaction.
#[cfg(any(test, feature = "testing"))]
#[derive(Debug, Clone, Default)]
pub struct AllTokensSnapshot {
    pub tokens: Vec<Token>,
    /// The instant at which statuses are evaluated.
    pub now: Timestamp,
    pub damaged: Vec<DamagedRecord>,
    /// The time of the clock.
    pub clock: Timestamp,
    /// `now` if the clock is more than 5 seconds behind it; otherwise `None`.
    pub clock_behind: Option<Timestamp>,
}

/// The clock, the times that decide expiry, and the tokens that a wrong clock affects.
#[derive(Debug, Clone)]
pub struct ClockReport {
    pub clock: Timestamp,
    /// The time at which expiry is evaluated.
    pub denial: Timestamp,
    pub recorded: RecordedTime,
    /// `denial` if the clock is so far behind it that no secret can be issued.
    pub behind: Option<Timestamp>,
    pub effects: ClockEffects,
}

/// The tokens that changed since a [`ChangeLogPosition`].
#[derive(Debug, Clone)]
pub enum TokenChanges {
    Unchanged,
    /// The changed tokens in their present state, and the new position. The value is `None` for a
    /// deleted token.
    Tokens(Vec<(TokenId, Option<Token>)>, ChangeLogPosition),
    /// The change log no longer covers the reader's position: reload everything, then continue from
    /// the new position.
    NeedsReload(ChangeLogPosition),
}

/// The newest events of the audit trail, newest first, and the state of the hash chain.
#[derive(Debug, Clone)]
pub struct AuditTrail {
    pub events: Vec<AuditEvent>,
    pub chain: ChainCheckResult,
}

/// The number of tokens by status, the damaged records and the clock.
#[derive(Debug, Clone, Default)]
pub struct TokenSummary {
    pub active: usize,
    pub not_yet_valid: usize,
    pub expired: usize,
    pub revoked: usize,
    /// The tokens, active or not yet valid, whose secret was never delivered.
    pub undelivered: usize,
    pub damaged: Vec<DamagedRecord>,
    /// The time of the clock.
    pub clock: Timestamp,
    /// The time at which expiry is evaluated, if the clock is more than 5 seconds behind it.
    pub clock_behind: Option<Timestamp>,
    pub clock_effects: ClockEffects,
}

impl TokenSummary {
    /// The number of tokens without a damaged record.
    pub fn tokens(&self) -> usize {
        self.active + self.not_yet_valid + self.expired + self.revoked
    }

    fn add(&mut self, token: &Token, at: Timestamp) {
        let status = token.status(at);
        self.undelivered += usize::from(!token.delivered && !status.is_ended());
        match status {
            Status::Active => self.active += 1,
            Status::NotYetValid => self.not_yet_valid += 1,
            Status::Expired => self.expired += 1,
            Status::Revoked => self.revoked += 1,
        }
    }
}

/// The results of all checks of the store, read in one transaction.
#[derive(Debug, Clone)]
pub struct StoreHealth {
    pub summary: TokenSummary,
    pub chain: ChainCheckResult,
    /// Contradictions between tables, one sentence each.
    pub inconsistencies: Vec<String>,
    /// Pairs of tokens with the same name.
    pub name_clashes: Vec<NameClash>,
    pub schema: u32,
    /// Number of deleted tokens in the trash.
    pub trash: usize,
    /// Whether the revocation register is present and belongs to the store. Always `true` in
    /// memory.
    pub has_register: bool,
    /// The number of damaged entries of the revocation register.
    pub damaged_endings: usize,
    /// The tokens that the revocation register overrules.
    pub overruled: OverruledTokens,
    /// Whether the store is an older copy that lacks endings of its revocation register.
    pub is_outdated: bool,
    /// Number of endings that only the revocation register contains so far.
    pub pending_endings: usize,
    /// Number of repairs that `doctor --repair` would make.
    pub repairs: usize,
}

/// Maximum number of events per read.
const EVENTS_PAGE: usize = 1_000;

/// Maximum number of events that one transaction verifies, so that it stays short.
const EVENTS_PER_STEP: u64 = 50_000;

impl Service {
    /// Reads all tokens, the damaged records and the clock in one transaction.
    #[cfg(any(test, feature = "testing"))]
    pub fn load_snapshot(&self) -> Result<AllTokensSnapshot, ServiceError> {
        Ok(self.store.read(|rows| self.token_snapshot(rows))?)
    }

    #[cfg(any(test, feature = "testing"))]
    fn token_snapshot(&self, rows: &impl ReadOps) -> Result<AllTokensSnapshot, StoreError> {
        let listing = rows.tokens()?;
        Ok(AllTokensSnapshot {
            now: self.clock.denial_time(rows)?,
            tokens: listing.rows,
            damaged: listing.damaged,
            clock: self.clock.now(),
            clock_behind: self.clock.behind(rows)?,
        })
    }

    /// Counts the tokens. The memory does not grow with their number.
    fn token_summary(&self, rows: &impl ReadOps) -> Result<TokenSummary, StoreError> {
        let (at, clock) = (self.clock.denial_time(rows)?, self.clock.now());
        let clock_behind = self.clock.behind(rows)?;
        let mut summary = TokenSummary { clock, clock_behind, ..TokenSummary::default() };
        rows.for_each_token(|token| match token {
            Ok(token) => {
                summary.add(&token, at);
                summary.clock_effects.add(&token, at, clock, &self.policy.limits);
            }
            Err(damage) => summary.damaged.push(damage),
        })?;
        Ok(summary)
    }

    /// Returns the position after the newest change.
    pub fn position(&self) -> Result<ChangeLogPosition, ServiceError> {
        Ok(self.store.read(|rows| position(rows, rows.newest_event()?.as_ref()))?)
    }

    /// Returns the tokens that changed since `seen`. Costs a few key reads if nothing changed.
    pub fn changes_since(&self, seen: ChangeLogPosition) -> Result<TokenChanges, ServiceError> {
        self.store.read(|rows| {
            let position = position(rows, rows.newest_event()?.as_ref())?;
            if position == seen {
                return Ok(TokenChanges::Unchanged);
            }
            match changes_between(rows, seen, position)? {
                ChangesSince::NeedsResync => Ok(TokenChanges::NeedsReload(position)),
                ChangesSince::Tokens(ids, _) => {
                    Ok(TokenChanges::Tokens(read_tokens(rows, &ids)?, position))
                }
            }
        })
    }

    /// Returns the clock, and the times that decide expiry.
    pub fn clock_report(&self) -> Result<ClockReport, ServiceError> {
        Ok(self.store.read(|rows| {
            let (denial, clock) = (self.clock.denial_time(rows)?, self.clock.now());
            let mut effects = ClockEffects::default();
            rows.for_each_token(|token| {
                if let Ok(token) = token {
                    effects.add(&token, denial, clock, &self.policy.limits);
                }
            })?;
            Ok::<_, StoreError>(ClockReport {
                recorded: rows.recorded_time()?,
                behind: self.clock.behind(rows)?,
                denial,
                clock,
                effects,
            })
        })?)
    }

    /// Returns the newest `limit` events and verifies the whole hash chain.
    pub fn audit_trail(&self, limit: usize) -> Result<AuditTrail, ServiceError> {
        Ok(self.store.read(|rows| {
            let events = rows.events_before(None, limit)?.rows;
            Ok::<_, StoreError>(AuditTrail { events, chain: rows.verify_chain()? })
        })?)
    }

    /// Returns the newest `limit` events, and verifies the events after those of `verified`, which
    /// then includes them. Reads in steps, each in its own transaction.
    pub fn audit_trail_after(
        &self,
        limit: usize,
        verified: &mut VerifiedChain,
    ) -> Result<AuditTrail, ServiceError> {
        loop {
            let trail = self.store.read_once(|rows| {
                let Some(chain) = rows.verify_chain_after(verified, EVENTS_PER_STEP)? else {
                    return Ok::<_, StoreError>(None);
                };
                Ok(Some(AuditTrail { events: rows.events_before(None, limit)?.rows, chain }))
            })?;
            if let Some(trail) = trail {
                return Ok(trail);
            }
        }
    }

    /// Verifies the hash chain and finds the event whose hash is `expected`, a hash that an earlier
    /// check reported. Returns the sequence number of that event: 0 if `expected` is the hash of an
    /// empty trail, `None` if no event has the hash. If the trail was truncated or rewritten after
    /// the earlier check, its chain is valid, but no event has the hash.
    pub fn verify_chain_since(
        &self,
        expected: EventHash,
    ) -> Result<(ChainCheckResult, Option<u64>), ServiceError> {
        Ok(self.store.read(|rows| {
            let chain = rows.verify_chain()?;
            let mut sequence = (expected == EventHash::NONE).then_some(0);
            let mut seen = 0;
            while sequence.is_none() && seen < chain.events {
                let page = rows.events_after(seen, EVENTS_PAGE)?.rows;
                let Some(last) = page.last() else { break };
                seen = last.sequence;
                let mut valid = page.iter().filter(|event| event.sequence <= chain.events);
                sequence = valid.find(|event| event.hash == expected).map(|e| e.sequence);
            }
            Ok::<_, StoreError>((chain, sequence))
        })?)
    }

    /// Checks the store in one read transaction: records, hash chain, consistency, schema and
    /// trash.
    pub fn health(&self) -> Result<StoreHealth, ServiceError> {
        let has_register = self.store.has_register()?;
        let damaged_endings = self.store.count_damaged_endings()?;
        let overruled = self.overruled_tokens()?;
        Ok(self.store.read_once(|rows| {
            let chain = rows.verify_chain()?;
            Ok::<_, StoreError>(StoreHealth {
                summary: self.token_summary(rows)?,
                repairs: rows.find_repairs_with(&chain)?.len() + usize::from(damaged_endings > 0),
                chain,
                inconsistencies: rows.find_inconsistencies()?,
                name_clashes: rows.name_clashes()?,
                schema: rows.schema()?,
                trash: rows.trash_count()?,
                has_register,
                damaged_endings,
                overruled,
                is_outdated: rows.is_store_outdated(),
                pending_endings: rows.pending_count(),
            })
        })?)
    }

    /// Returns up to [`EVENTS_PAGE`] events after event number `seen`, oldest first, and an empty
    /// list after the last event. Returns `None` if event number `seen` does not have the hash
    /// `head`, because another state of the store replaced the file.
    pub fn events_following(
        &self,
        seen: u64,
        head: EventHash,
    ) -> Result<Option<Vec<AuditEvent>>, ServiceError> {
        // Cached pages could belong to the replaced state.
        self.store.release_file();
        Ok(self.store.read(|rows| {
            if !contains_event(rows, seen, head)? {
                return Ok(None);
            }
            Ok::<_, StoreError>(Some(rows.events_after(seen, EVENTS_PAGE)?.rows))
        })?)
    }

    /// Returns the numbers of uses and denied attempts of a token on each day.
    pub fn usage_days(&self, id: &TokenId) -> Result<UsageDays, ServiceError> {
        Ok(self.store.read(|rows| rows.usage_days(id))?)
    }

    /// Returns the last denied attempts of a token with their reasons.
    pub fn denied_attempts(&self, id: &TokenId) -> Result<DeniedAttempts, ServiceError> {
        Ok(self.store.read(|rows| rows.denied_attempts(id))?)
    }

    /// Returns the last `limit` events of a token, newest first.
    pub fn history(&self, id: &TokenId, limit: usize) -> Result<Vec<AuditEvent>, ServiceError> {
        Ok(self.store.read(|rows| rows.events_of(id, limit))?.rows)
    }
}

/// Reads the tokens `ids`. The value is `None` for a deleted or damaged token. Functions that read
/// all tokens report the damage.
pub(super) fn read_tokens(
    rows: &impl ReadOps,
    ids: &[TokenId],
) -> Result<Vec<(TokenId, Option<Token>)>, StoreError> {
    let read = |id: &TokenId| match rows.token(id) {
        Err(StoreError::Damaged(_)) => Ok((*id, None)),
        token => Ok((*id, token?)),
    };
    ids.iter().map(read).collect()
}

/// Returns the ids of the tokens that changed between two positions.
pub(super) fn changes_between(
    rows: &impl ReadOps,
    seen: ChangeLogPosition,
    now: ChangeLogPosition,
) -> Result<ChangesSince, StoreError> {
    // The generations of two stores or of two histories are not comparable.
    if seen.store == now.store && !is_history_replaced(rows, seen, now)? {
        rows.changes_after(seen.generation)
    } else {
        Ok(ChangesSince::NeedsResync)
    }
}

/// Whether the store at the position `now` lacks the event that was the newest at the position
/// `seen`: another state of the same store replaced the file.
pub(super) fn is_history_replaced(
    rows: &impl ReadOps,
    seen: ChangeLogPosition,
    now: ChangeLogPosition,
) -> Result<bool, StoreError> {
    Ok(seen.store == now.store && !contains_event(rows, seen.event, seen.head)?)
}

/// Whether the event `sequence` has this hash. A damaged event counts as unchanged, because other
/// checks report it.
fn contains_event(rows: &impl ReadOps, sequence: u64, hash: EventHash) -> Result<bool, StoreError> {
    match rows.event(sequence) {
        Ok(event) => Ok(event.map_or(EventHash::NONE, |event| event.hash) == hash),
        Err(StoreError::Damaged(_)) => Ok(true),
        Err(error) => Err(error),
    }
}

/// The number and the hash of the newest undamaged event; 0 and [`EventHash::NONE`] without events.
pub(super) fn newest_event(rows: &impl ReadOps) -> Result<(u64, EventHash), StoreError> {
    let newest = rows.newest_event()?;
    Ok(newest.map_or((0, EventHash::NONE), |event| (event.sequence, event.hash)))
}

/// Returns the position after the newest change in `rows`; `last` is the newest event.
pub(super) fn position(
    rows: &impl ReadOps,
    last: Option<&AuditEvent>,
) -> Result<ChangeLogPosition, StoreError> {
    let store = match rows.store_id() {
        Ok(id) => u128::from_str_radix(&id, 16).unwrap_or_default(),
        // A damaged store id must not prevent reading the store, because the id only serves to
        // detect a replaced file.
        Err(StoreError::Damaged(_)) => 0,
        Err(error) => return Err(error),
    };
    Ok(ChangeLogPosition {
        store,
        generation: rows.generation()?,
        event: last.map_or(0, |event| event.sequence),
        head: last.map_or(EventHash::NONE, |event| event.hash),
    })
}
