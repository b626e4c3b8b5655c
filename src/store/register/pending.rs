//! Endings that the store's records do not contain yet. Applies them to the tokens that are read,
//! so that every reader sees an ended token as ended. Called by the read operations.

use std::collections::HashMap;

use super::{Ending, EndingKind, RevocationEntry};
use crate::domain::{Token, TokenId};

/// The pending endings of each token, loaded with a snapshot.
#[derive(Debug, Default)]
pub struct PendingEndings(HashMap<TokenId, Vec<RevocationEntry>>);

impl PendingEndings {
    pub(in crate::store) fn new(entries: Vec<RevocationEntry>) -> Self {
        let mut by_token: HashMap<_, Vec<_>> = HashMap::new();
        for entry in entries {
            by_token.entry(entry.id).or_default().push(entry);
        }
        Self(by_token)
    }

    /// Returns the token as it will be stored: revoked, or without its previous secret. A token
    /// whose deletion is pending is returned as revoked.
    pub(in crate::store) fn apply(&self, token: Token) -> Token {
        let Some(entries) = self.0.get(&token.id) else { return token };
        entries.iter().fold(token, |token, entry| match &entry.pending {
            Some(ending) => entry.applied(ending, token),
            None => token,
        })
    }
}

impl RevocationEntry {
    /// Returns `token` after `ending`, or unchanged if the ended secret was replaced by a later
    /// one.
    pub fn applied(&self, ending: &Ending, token: Token) -> Token {
        match ending.kind {
            EndingKind::Revoke | EndingKind::Delete
                if token.generation <= self.ended_generation =>
            {
                match token.clone().revoke(ending.at) {
                    Ok(revoked) => revoked.with_next_version(&token),
                    Err(_) => token,
                }
            }
            EndingKind::EndOverlap
                if token.previous.is_some()
                    && token.generation <= self.ended_generation.saturating_add(1) =>
            {
                token.clone().end_overlap().with_next_version(&token)
            }
            _ => token,
        }
    }
}
