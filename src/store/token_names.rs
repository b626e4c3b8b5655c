//! The names of all tokens in memory, in the order of the ids: what the checks of the whole store
//! compare with the other tables. Takes about 50 bytes for each token, so that a check of 1,000,000
//! tokens fits into memory. Called by `consistency` and `repair`.

use std::{collections::BTreeSet, ops::ControlFlow};

use compact_str::CompactString;

use super::{
    error::StoreError,
    record::TokenV2,
    tables::{Tables, Transaction},
};
use crate::domain::TokenId;

type Key = [u8; TokenId::LEN];

/// The name of a token.
#[derive(Debug)]
pub(super) struct TokenName {
    pub(super) key: Key,
    pub(super) folded: CompactString,
    pub(super) is_revoked: bool,
    /// Whether an entry of the name table refers to the token.
    pub(super) has_entry: bool,
}

/// The names of all tokens with a readable record, and the ids of the others.
#[derive(Debug, Default)]
pub(super) struct TokenNames {
    /// In the order of their keys.
    pub(super) rows: Vec<TokenName>,
    pub(super) damaged: BTreeSet<Key>,
}

impl TokenNames {
    pub(super) fn load<T: Transaction>(tables: &Tables<T>) -> Result<Self, StoreError> {
        let mut names = Self::default();
        tables.tokens.for_each(|key: &Key, row| {
            match row.ok().and_then(|body| TokenV2::decode_token(key, body)) {
                Some(token) => names.rows.push(TokenName {
                    key: *key,
                    folded: token.name.folded().into(),
                    is_revoked: token.revoked.is_some(),
                    has_entry: false,
                }),
                None => drop(names.damaged.insert(*key)),
            }
            ControlFlow::Continue(())
        })?;
        Ok(names)
    }

    /// The index of the token in `rows`.
    pub(super) fn index_of(&self, key: &Key) -> Option<usize> {
        self.rows.binary_search_by_key(key, |row| row.key).ok()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&TokenName> {
        self.rows.get(self.index_of(key)?)
    }

    /// Whether there is a token with this id, readable or not.
    pub(super) fn contains(&self, key: &Key) -> bool {
        self.index_of(key).is_some() || self.damaged.contains(key)
    }

    /// Notes that an entry of the name table refers to the token.
    pub(super) fn set_has_entry(&mut self, key: &Key) {
        let index = self.index_of(key);
        if let Some(row) = index.and_then(|index| self.rows.get_mut(index)) {
            row.has_entry = true;
        }
    }
}
