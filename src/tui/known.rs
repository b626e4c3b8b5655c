//! The tokens that are at hand: those on the screen and a few around them, as last read. All
//! others are fetched when they are looked at; the list holds no more than their ids.

use std::collections::{HashMap, HashSet};

use crate::domain::{Pat, TokenId};

/// Tokens beyond which those are dropped that nobody looks at.
const MANY: usize = 2_048;

/// Tokens by their ids.
#[derive(Debug, Default)]
pub struct Known {
    /// `None` for one that is gone.
    pats: HashMap<TokenId, Option<Pat>>,
}

impl Known {
    /// The token with this id, if it is at hand and still there.
    pub fn pat(&self, id: &TokenId) -> Option<&Pat> {
        self.pats.get(id)?.as_ref()
    }

    /// Whether it is known that there is no such token.
    pub fn is_gone(&self, id: &TokenId) -> bool {
        matches!(self.pats.get(id), Some(None))
    }

    /// Whether it is known what has become of it.
    pub fn has(&self, id: &TokenId) -> bool {
        self.pats.contains_key(id)
    }

    /// Those that are at hand.
    pub fn iter(&self) -> impl Iterator<Item = &Pat> {
        self.pats.values().flatten()
    }

    /// Takes a token as it is now.
    pub fn put(&mut self, id: TokenId, pat: Option<Pat>) {
        self.pats.insert(id, pat);
    }

    /// Takes a token as it is now, if it is at hand.
    pub fn renew(&mut self, id: TokenId, pat: Option<Pat>) {
        self.pats.entry(id).and_modify(|old| *old = pat);
    }

    /// Forgets everything: it must be read again.
    pub fn forget(&mut self) {
        self.pats.clear();
    }

    /// Drops those that nobody looks at, if there are many.
    pub fn tidy(&mut self, wanted: &[TokenId]) {
        if self.pats.len() > MANY {
            let wanted: HashSet<&TokenId> = wanted.iter().collect();
            self.pats.retain(|id, _| wanted.contains(id));
        }
    }
}
