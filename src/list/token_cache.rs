//! The records of the tokens on the screen and of a few around them, as last read. All others are
//! fetched when they come into view; the list itself holds no records. Owned by the app.

use std::collections::{HashMap, HashSet};

use crate::domain::{Token, TokenId};

/// Records beyond which those are evicted that are not in view.
const CAPACITY: usize = 2_048;

/// Records by token id.
#[derive(Debug, Default)]
pub struct TokenCache {
    /// `None` for a token that no longer exists.
    tokens: HashMap<TokenId, Option<Token>>,
}

impl TokenCache {
    /// The record of a token, if it is cached and the token exists.
    pub fn token(&self, id: &TokenId) -> Option<&Token> {
        self.tokens.get(id)?.as_ref()
    }

    /// Whether the token is known not to exist.
    pub fn is_gone(&self, id: &TokenId) -> bool {
        matches!(self.tokens.get(id), Some(None))
    }

    /// Whether the token need not be fetched.
    pub fn has(&self, id: &TokenId) -> bool {
        self.tokens.contains_key(id)
    }

    /// The cached records.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.tokens.values().flatten()
    }

    /// Caches a token as it is now.
    pub fn put(&mut self, id: TokenId, token: Option<Token>) {
        self.tokens.insert(id, token);
    }

    /// Replaces a token by what it is now, if it is cached.
    pub fn update(&mut self, id: TokenId, token: Option<Token>) {
        self.tokens.entry(id).and_modify(|old| *old = token);
    }

    pub fn clear(&mut self) {
        self.tokens.clear();
    }

    /// Removes the records of tokens that are not in view, if there are many.
    pub fn evict(&mut self, in_view: &[TokenId]) {
        if self.tokens.len() > CAPACITY {
            let in_view: HashSet<&TokenId> = in_view.iter().collect();
            self.tokens.retain(|id, _| in_view.contains(id));
        }
    }
}
