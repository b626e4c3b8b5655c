//! A cache of the token records on and near the screen, as last read. Other records are fetched
//! when they scroll into view; the list engine itself holds no records. Owned by the app.

use std::collections::{HashMap, HashSet};

use crate::domain::{Token, TokenId};

/// Number of records above which [`TokenCache::evict`] removes the records that are out of view.
const CAPACITY: usize = 2_048;

/// Records by token id.
#[derive(Debug, Default)]
pub struct TokenCache {
    /// The value is `None` for a token that does not exist.
    tokens: HashMap<TokenId, Option<Token>>,
}

impl TokenCache {
    /// The record of a token. Returns `None` if the record is not cached or the token does not
    /// exist.
    pub fn token(&self, id: &TokenId) -> Option<&Token> {
        self.tokens.get(id)?.as_ref()
    }

    /// Whether the token is known not to exist.
    pub fn is_gone(&self, id: &TokenId) -> bool {
        matches!(self.tokens.get(id), Some(None))
    }

    /// Whether the cache has an entry for the token: its record, or the fact that it does not
    /// exist.
    pub fn has(&self, id: &TokenId) -> bool {
        self.tokens.contains_key(id)
    }

    /// The cached records.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.tokens.values().flatten()
    }

    /// Caches the current record of a token. `token` is `None` if the token does not exist.
    pub fn put(&mut self, id: TokenId, token: Option<Token>) {
        self.tokens.insert(id, token);
    }

    /// Replaces the record of a token, if it is cached.
    pub fn update(&mut self, id: TokenId, token: Option<Token>) {
        self.tokens.entry(id).and_modify(|old| *old = token);
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.tokens.clear();
    }

    /// Removes the entries of tokens that are not `in_view`, if the cache exceeds its capacity.
    pub fn evict(&mut self, in_view: &[TokenId]) {
        if self.tokens.len() > CAPACITY {
            let in_view: HashSet<&TokenId> = in_view.iter().collect();
            self.tokens.retain(|id, _| in_view.contains(id));
        }
    }
}
