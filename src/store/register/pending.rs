//! Endings that the store's records lack: those that are pending and, if the store is an older copy,
//! all endings of the register. Applies them to the tokens that are read, so that every reader sees
//! an ended token as ended. Called by the read operations and by every write.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::{Ending, EndingKind, RevocationEntry};
use crate::domain::{Actor, Timestamp, Token, TokenId};

/// The actor of an ending that an older copy of the store lacks. The register does not keep actors.
const UNKNOWN_ACTOR: &str = "unknown";

/// The endings of each token that its record may lack, loaded with a snapshot.
#[derive(Debug, Default)]
pub struct PendingEndings {
    by_token: HashMap<TokenId, Vec<RevocationEntry>>,
    /// Whether the store is older than its register: it lacks an ending that is not pending.
    pub(in crate::store) is_store_outdated: bool,
}

impl PendingEndings {
    pub(in crate::store) fn new(entries: Vec<RevocationEntry>) -> Self {
        let mut by_token: HashMap<_, Vec<_>> = HashMap::new();
        for entry in entries {
            by_token.entry(entry.id).or_default().push(entry);
        }
        Self { by_token, is_store_outdated: false }
    }

    /// Returns the endings that an older copy of the store may lack. `entries` are all entries of the
    /// register, and `newest` is the time of its newest ending. The endings are a little earlier than
    /// that, so that the store counts as older until all of them are stored.
    pub(in crate::store) fn of_outdated_store(
        entries: Vec<RevocationEntry>,
        newest: Timestamp,
    ) -> Self {
        let at = newest - TimeDelta::nanoseconds(1);
        let actor = Actor::named(UNKNOWN_ACTOR);
        let both_kinds = |entry: RevocationEntry| {
            let kinds = match entry.pending {
                Some(_) => &[][..],
                None => &[EndingKind::EndOverlap, EndingKind::Revoke],
            };
            let ending = |kind| Ending { kind, at, actor: actor.clone() };
            let missing = kinds
                .iter()
                .map(|kind| Some(ending(*kind)))
                .map(|pending| RevocationEntry { pending, ..entry.clone() });
            let pending = entry.pending.is_some().then(|| entry.clone());
            missing.chain(pending).collect::<Vec<_>>()
        };
        let entries = entries.into_iter().flat_map(both_kinds).collect();
        Self { is_store_outdated: true, ..Self::new(entries) }
    }

    /// Keeps only the endings that change the record of their token. `token` reads a record.
    pub(in crate::store) fn missing_in(
        mut self,
        token: impl Fn(&TokenId) -> Option<Token>,
    ) -> Self {
        self.by_token.retain(|id, entries| {
            let Some(token) = token(id) else { return false };
            entries.retain(|entry| {
                let ending = entry.pending.as_ref();
                ending.is_some_and(|ending| entry.applied(ending, token.clone()) != token)
            });
            !entries.is_empty()
        });
        self.is_store_outdated &= !self.by_token.is_empty();
        self
    }

    pub fn is_empty(&self) -> bool {
        self.by_token.is_empty()
    }

    /// Returns all endings, each with its kind, time and actor.
    pub fn entries(&self) -> impl Iterator<Item = &RevocationEntry> {
        self.by_token.values().flatten()
    }

    /// Returns the token as it will be stored: revoked, or without its previous secret. A token
    /// whose deletion is pending is returned as revoked.
    pub(in crate::store) fn apply(&self, token: Token) -> Token {
        let Some(entries) = self.by_token.get(&token.id) else { return token };
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
