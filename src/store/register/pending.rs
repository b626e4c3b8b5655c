//! Endings that the store's records lack: those that are pending and, if the store is an older copy,
//! all endings of the register. Applies them to the tokens that are read, so that every reader sees
//! an ended token as ended. Called by the read operations and by every write.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::{Ending, EndingKind, EventMark, RevocationEntry};
use crate::domain::{SecretSlot, Timestamp, Token, TokenId};

/// The endings of each token that its record may lack, loaded with a snapshot.
#[derive(Debug, Default)]
pub struct PendingEndings {
    by_token: HashMap<TokenId, Vec<RevocationEntry>>,
    /// Whether the store is older than its register: it lacks an ending that is not pending, or the token
    /// of a pending one.
    pub(in crate::store) is_store_outdated: bool,
    /// The time of the newest ending that is not pending. `None` if the store lacks it.
    newest_stored: Option<Timestamp>,
    /// The marked event that the store lacks.
    pub(in crate::store) lacking: Option<EventMark>,
}

/// The endings that the next write stores.
#[derive(Debug, Default)]
pub struct EndingsToStore {
    /// The endings, oldest first.
    pub entries: Vec<RevocationEntry>,
    /// The time of the newest ending that the store contains. `None` if that is unknown.
    pub newest_stored: Option<Timestamp>,
    pub is_store_outdated: bool,
    /// The marked event that the store lacks.
    pub lacking: Option<EventMark>,
}

impl PendingEndings {
    /// The pending endings of a store that contains all others; `newest_stored` is the time of the newest
    /// one of those.
    pub(in crate::store) fn with_stored(
        entries: Vec<RevocationEntry>,
        newest_stored: Timestamp,
    ) -> Self {
        let newest_stored = Some(newest_stored).filter(|at| *at != Timestamp::default());
        Self { newest_stored, ..Self::new(entries) }
    }

    fn new(entries: Vec<RevocationEntry>) -> Self {
        let mut by_token: HashMap<_, Vec<_>> = HashMap::new();
        for entry in entries {
            by_token.entry(entry.id).or_default().push(entry);
        }
        Self { by_token, ..Self::default() }
    }

    /// Returns the endings that a store of another history lacks, such as an older copy. `entries` are all
    /// entries of the register, `at` is the time of its newest ending, which they all get, `record` reads
    /// the record of a token, and `is_known` tells whether the store knows a token without a record.
    /// `lacking` is the marked event that the store lacks. The store counts as outdated if it lacks an
    /// ending that is not pending, or an ended token.
    pub(in crate::store) fn of_other_history(
        entries: Vec<RevocationEntry>,
        (at, lacking): (Timestamp, Option<EventMark>),
        record: impl Fn(&TokenId) -> Option<Token>,
        is_known: impl Fn(&TokenId) -> bool,
    ) -> Self {
        let (mut missing, mut is_store_outdated) = (Vec::new(), false);
        for entry in entries {
            let Some(token) = record(&entry.id) else {
                is_store_outdated = is_store_outdated || !is_known(&entry.id);
                continue;
            };
            let of_entry = |ending| RevocationEntry { pending: Some(ending), ..entry.clone() };
            for ending in entry.endings_missing_in(&token, at) {
                is_store_outdated |= ending.actor.is_none();
                missing.push(of_entry(ending));
            }
        }
        Self { is_store_outdated, lacking, ..Self::new(missing) }
    }

    /// Whether the store has all endings.
    pub fn is_empty(&self) -> bool {
        self.by_token.is_empty() && !self.is_store_outdated && self.lacking.is_none()
    }

    /// Returns all endings, each with its kind, time and actor.
    pub fn entries(&self) -> impl Iterator<Item = &RevocationEntry> {
        self.by_token.values().flatten()
    }

    /// Returns the endings that the next write stores.
    pub(in crate::store) fn to_store(&self) -> EndingsToStore {
        let mut entries: Vec<_> = self.entries().cloned().collect();
        entries.sort_by_key(|entry| (entry.pending.as_ref().map(|ending| ending.at), entry.id));
        EndingsToStore {
            entries,
            newest_stored: self.newest_stored,
            is_store_outdated: self.is_store_outdated,
            lacking: self.lacking,
        }
    }

    /// Returns the token as it will be stored: revoked, or without its previous secret. Returns `None`
    /// for a token whose deletion is pending.
    pub(in crate::store) fn apply(&self, token: Token) -> Option<Token> {
        let Some(entries) = self.by_token.get(&token.id) else { return Some(token) };
        if self.deletion_of(&token.id).is_some() {
            return None;
        }
        let endings = entries.iter().filter_map(|entry| Some((entry, entry.pending.as_ref()?)));
        // The stored version: another ending must not demand a version that is not stored.
        let version = token.version;
        let ended = endings.fold(token, |token, (entry, ending)| entry.with_pending(ending, token));
        Some(Token { version, ..ended })
    }

    /// Returns when the token was deleted, if its deletion is pending.
    pub(in crate::store) fn deletion_of(&self, id: &TokenId) -> Option<Timestamp> {
        let mut endings = self.by_token.get(id)?.iter().filter_map(|entry| entry.pending.as_ref());
        endings.find(|ending| ending.kind == EndingKind::Delete).map(|ending| ending.at)
    }
}

impl RevocationEntry {
    /// Returns the endings of this entry that the older record `token` lacks: those of the newer state
    /// of the store, with the time `at`, and the pending one. A pending deletion does not hide that the
    /// token was revoked: it would be active after the restore of the deleted token.
    fn endings_missing_in(&self, token: &Token, at: Timestamp) -> impl Iterator<Item = Ending> {
        let pending = self.pending.as_ref();
        let at = match pending {
            // A deleted token can no longer be revoked.
            Some(Ending { kind: EndingKind::Delete, at: deleted, .. }) => {
                at.min(*deleted - TimeDelta::nanoseconds(1))
            }
            _ => at,
        };
        let of_newer_state = self
            .ended_in(token)
            .filter(move |kind| pending.is_none_or(|ending| ending.kind != *kind))
            .map(move |kind| Ending { kind, at, actor: None });
        let pending =
            pending.cloned().filter(|ending| self.with_pending(ending, token.clone()) != *token);
        of_newer_state.chain(pending)
    }

    /// The endings of the secrets of `token` that this entry ends, although the record does not.
    fn ended_in(&self, token: &Token) -> impl Iterator<Item = EndingKind> {
        let ends = |slot: &SecretSlot| token.generation_of(*slot) <= self.ended_generation;
        let old = token.previous.as_ref().filter(|_| ends(&SecretSlot::Previous));
        let current = token.revoked.is_none() && ends(&SecretSlot::Current);
        let old = old.map(|old| EndingKind::EndSecret(old.digest.prefix()));
        old.into_iter().chain(current.then_some(EndingKind::Revoke))
    }

    /// Returns `token` without the secrets that this entry ends.
    pub fn applied(&self, token: Token, at: Timestamp) -> Token {
        let kinds: Vec<_> = self.ended_in(&token).collect();
        kinds
            .into_iter()
            .fold(token, |token, kind| self.with_pending(&Ending { kind, at, actor: None }, token))
    }

    /// Returns `token` after the pending `ending`. A revoke or a deletion also ends a later secret than
    /// the operator saw: each write first stores the pending endings, so the process that issued it had
    /// begun its write before the ending, and the secret must not outlast it.
    pub fn with_pending(&self, ending: &Ending, token: Token) -> Token {
        let ended = match ending.kind {
            EndingKind::EndSecret(secret) => match token.slot_of(secret) {
                Some(SecretSlot::Previous) => Ok(token.clone().end_overlap()),
                Some(SecretSlot::Current) => token.clone().revoke(ending.at),
                // It was replaced meanwhile.
                None => return token,
            },
            EndingKind::Revoke | EndingKind::Delete => token.clone().revoke(ending.at),
        };
        match ended {
            // A record that is out of date stays so.
            Ok(ended) if token.version < self.min_version => ended,
            Ok(ended) => ended.changed_at(ending.at, &token),
            Err(_) => token,
        }
    }
}
