//! Every use case, one function each, in one transaction. Owns clock, randomness, actor and
//! policy; the rules themselves are the domain's, the bytes the store's. Called by both faces;
//! knows neither.

pub mod abreast;
pub mod actor;
pub mod address;
pub mod audit;
pub mod bulk;
pub mod clock;
pub mod entropy;
pub mod error;
pub mod feed;
pub mod handout;
pub mod import;
mod like;
pub mod lookup;
pub mod pats;
mod plan;
pub mod scopes;
mod spool;
pub mod transfer;
pub mod trash;
pub mod undo;
mod uses;
pub mod verify;

pub use abreast::abreast;
pub use actor::acting;
pub use audit::{Followed, Health, Loaded, Position, Trail};
pub use bulk::{Bulk, Preview};
pub use clock::{Clock, Zone};
pub use entropy::Entropy;
pub use error::ServiceError;
pub use feed::{Changed, StoreUpdate, TokenBatch, TokenCursor};
pub use pats::{Claim, Issued, NewPat, Renewal};
pub use undo::{Change, Undo, Undone};
pub use verify::{Checks, Verdict};

pub use crate::store::{
    Cache, ChainState, Damage, Handed, StoreError, is_at_hand, judge_handed, panic_is_caught,
    settle,
};
use crate::{
    domain::{
        Action, Actor, Catalogue, EventDraft, Lifetime, Limits, Moment, Pat, Prefix, Retiring,
        TokenId,
    },
    store::{Rows, Store, Writer},
};

/// What the operator's settings say about tokens.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The first part of new secrets.
    pub prefix: Prefix,
    /// The limits of a lifetime.
    pub limits: Limits,
    /// The lifetime that a form starts with.
    pub default_lifetime: Lifetime,
    /// What can be asked for.
    pub catalogue: Catalogue,
}

/// The use cases on one store.
#[derive(Debug)]
pub struct Service {
    store: Store,
    clock: Clock,
    entropy: Entropy,
    actor: Actor,
    policy: Policy,
}

impl Service {
    /// The use cases on `store`, done by `actor` under `policy`.
    pub fn new(store: Store, clock: Clock, entropy: Entropy, actor: Actor, policy: Policy) -> Self {
        Self { store, clock, entropy, actor, policy }
    }

    /// Whether nothing may be changed, not even the last use of a token.
    pub fn is_read_only(&self) -> bool {
        self.store.is_sealed()
    }

    /// The settings in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The instant by which statuses are to be judged now.
    pub fn now(&self) -> Result<Moment, ServiceError> {
        Ok(self.store.read(|rows| self.judged_at(rows))?)
    }

    /// The instant by which expiry is judged: the clock's, but never before the last recorded
    /// change, so that a clock that went back revives nothing. A clock that had run ahead is
    /// mended by [`Service::accept_clock`].
    fn judged_at(&self, rows: &impl Rows) -> Result<Moment, StoreError> {
        let clock = self.clock.now();
        Ok(rows.newest_event_at()?.map_or(clock, |newest| clock.max(newest)))
    }

    fn found(rows: &impl Rows, id: &TokenId) -> Result<Pat, ServiceError> {
        rows.pat(id)?.ok_or_else(|| ServiceError::Gone(id.to_string()))
    }

    /// Writes what was done into the trail of the same transaction.
    fn record(
        &self,
        rows: &mut Writer<'_>,
        at: Moment,
        action: Action,
        pat: &Pat,
        detail: String,
    ) -> Result<(), StoreError> {
        rows.append_event(self.draft(at, action, pat, detail))?;
        Ok(())
    }

    /// What the trail is to say of `pat`.
    fn draft(&self, at: Moment, action: Action, pat: &Pat, detail: String) -> EventDraft {
        EventDraft {
            at,
            actor: self.actor.clone(),
            token: Some(pat.id),
            name: pat.name.to_string(),
            action,
            detail,
        }
    }

    /// Writes a token that is not here, with its last uses.
    fn put_whole(rows: &mut Writer<'_>, pat: &Pat) -> Result<(), StoreError> {
        rows.put_pat(pat)?;
        if let Some(used) = &pat.last_used {
            rows.put_use(&pat.id, used)?;
        }
        if let Some(Retiring { digest, last_used: Some(used), .. }) = &pat.retiring {
            rows.put_retiring_use(&pat.id, *digest, used)?;
        }
        Ok(())
    }

    /// Changes one token in one transaction: reads it afresh, lets `change` make the new record
    /// and the words for the trail, writes both. A record that is the same leaves no trace.
    /// Returns the new record and the way back, for whom there may be one.
    fn change<E: Into<ServiceError>>(
        &self,
        id: &TokenId,
        action: Action,
        change: impl Fn(Pat, Moment) -> Result<(Pat, String), E>,
    ) -> Result<(Pat, Undo), ServiceError> {
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            let old = Self::found(rows, id)?;
            let (pat, detail) = change(old.clone(), at).map_err(Into::into)?;
            if pat != old {
                rows.put_pat(&pat)?;
                self.record(rows, at, action, &pat, detail)?;
            }
            let undo = Undo::of(old, &pat);
            Ok((pat, undo))
        })
    }
}

#[cfg(test)]
mod tests;
