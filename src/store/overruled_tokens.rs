//! Finds the tokens whose records the revocation register overrules: checks deny them, whatever their
//! records say. Reads the whole register, so no check does it. Called by `doctor`, `status`, the overview and
//! the copies of a store.

use std::collections::BTreeSet;

use super::{error::StoreError, read_ops::ReadOps as _, reader::Reader};
use crate::domain::{Name, TokenId};

/// The tokens that the register overrules, by name.
#[derive(Debug, Clone, Default)]
pub struct OverruledTokens {
    /// Their records are out of date: an older copy of the store was put back, and the token was changed
    /// since that copy.
    pub stale: BTreeSet<(Name, TokenId)>,
    /// Their records are active, although the register ends their secrets: a change that makes a secret
    /// work again was killed before it wrote the register.
    pub denied: BTreeSet<(Name, TokenId)>,
}

impl OverruledTokens {
    /// Returns the tokens that are overruled here and in `other`.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self { stale: &self.stale & &other.stale, denied: &self.denied & &other.denied }
    }

    pub fn is_empty(&self) -> bool {
        self.stale.is_empty() && self.denied.is_empty()
    }
}

impl Reader {
    /// Returns the tokens that the register overrules. A change that another process makes meanwhile can
    /// be among them. Leaves out tokens whose record or entry is damaged, which other checks report.
    pub fn overruled_tokens(&self) -> Result<OverruledTokens, StoreError> {
        let mut overruled = OverruledTokens::default();
        let Some(Ok(register)) = &self.register else { return Ok(overruled) };
        for id in register.token_ids()? {
            let live = self.token_without_usage(&id).ok().flatten();
            let is_deleted = live.is_none();
            let deleted = || Some(self.trashed(&id).ok()??.token);
            let Some(token) = live.map(|token| *token).or_else(deleted) else { continue };
            let Ok(state) = register.state(&id) else { continue };
            let is_stale = token.version < state.min_version;
            // A deleted token can have been restored since.
            let is_active = token.revoked.is_none() && !is_deleted;
            let is_ended = token.generation <= state.ended_generation;
            let set = match (is_stale, is_active) {
                (true, false) if state.is_ended_for_good() => continue,
                (true, _) => &mut overruled.stale,
                (false, true) if is_ended && !state.is_damaged() => &mut overruled.denied,
                (false, _) => continue,
            };
            set.insert((token.name, id));
        }
        Ok(overruled)
    }
}
