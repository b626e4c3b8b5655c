//! Confirmation of plans: what the operator must do before a plan is executed, and the proof that
//! the operator has confirmed. Only this module contains these rules. The app and the command line
//! ask for what [`Plan::confirmation`] returns.

use sha2::{Digest as _, Sha256};

use super::{Plan, StoredToken, Warning};
use crate::domain::{
    command::{Command, ScopesToRemove},
    event::EventHash,
    list_query::ListQuery,
    name::{Name, fold},
    overlap::SecretOverlap,
    terminal_text::to_ascii,
    token::{Status, Token},
};

/// The confirmation that a plan requires from the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// No confirmation is required: no secret stops working, no revoked token becomes active, and
    /// the change can be undone.
    None,
    /// Answer a question about the token with this name.
    Ask(Name),
    /// Type the name of the token.
    TypeName(Name),
    /// Type the number of tokens.
    TypeCount(usize),
    /// Type this word.
    TypeWord(&'static str),
}

/// Whether the typed `answer` is the `expected` name or count. A terminal without UTF-8 shows only
/// the ASCII form of the name, so that form is accepted, too.
pub fn is_confirmed_by(expected: &str, answer: &str) -> bool {
    let answer = answer.trim();
    fold(answer) == fold(expected) || answer == to_ascii(expected)
}

/// Proof that the operator has seen and confirmed a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmationProof {
    count: usize,
    /// SHA-256 of everything that must not change after the confirmation. `None` if the operator
    /// was not asked to confirm.
    fingerprint: Option<[u8; 32]>,
    /// The newest event when the plan of a job was shown. `None` if the plan is no job.
    newest_event: Option<Box<(u64, EventHash)>>,
    /// The search that selects the tokens; `None` if the operator has named them.
    search: Option<Box<ListQuery>>,
}

impl ConfirmationProof {
    /// The proof for a plan that the operator was not asked to confirm. It is sufficient only for a
    /// plan that requires [`Confirmation::None`].
    pub const NOT_REQUIRED: Self =
        Self { count: 0, fingerprint: None, newest_event: None, search: None };

    /// The number of tokens that the confirmed plan changes.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number and the hash of the newest event when the plan of a job was shown; `None` if the
    /// confirmed plan is no job.
    pub fn newest_event(&self) -> Option<(u64, EventHash)> {
        self.newest_event.as_deref().copied()
    }

    /// Makes the proof cover only tokens that match `query`: one that another process has changed so that
    /// it no longer matches was not selected.
    #[must_use]
    pub fn for_matches_of(self, query: ListQuery) -> Self {
        Self { search: Some(Box::new(query)), ..self }
    }

    /// Whether a search selects the tokens.
    pub fn has_search(&self) -> bool {
        self.search.is_some()
    }
}

impl Plan {
    /// The confirmation that this plan requires.
    pub fn confirmation(&self) -> Confirmation {
        let has_effect = self.changes.iter().any(|change| !change.events.is_empty());
        if !has_effect || !self.needs_confirmation() {
            return Confirmation::None;
        }
        let name = self.tokens().next().map(|token| token.name.clone());
        match (name, self.command.tokens().len(), &self.command) {
            (_, _, Command::AcceptClock) => Confirmation::TypeWord("accept"),
            (Some(name), 1, Command::Delete { .. }) => Confirmation::TypeName(name),
            (Some(name), 1, _) => Confirmation::Ask(name),
            _ => Confirmation::TypeCount(self.change_count()),
        }
    }

    /// Whether the typed `answer` confirms this plan: the name or the id of its only token, the
    /// number of tokens, or the word.
    pub fn is_confirmed_by(&self, answer: &str) -> bool {
        match self.confirmation() {
            Confirmation::None => true,
            Confirmation::Ask(name) | Confirmation::TypeName(name) => {
                let is_id = |token: &Token| token.id.as_str() == answer.trim();
                is_confirmed_by(name.as_str(), answer) || self.tokens().next().is_some_and(is_id)
            }
            Confirmation::TypeCount(count) => is_confirmed_by(&count.to_string(), answer),
            Confirmation::TypeWord(word) => is_confirmed_by(word, answer),
        }
    }

    /// Whether a working secret stops working, a revoked or expired token becomes active again, or a
    /// token loses all its scopes.
    fn needs_confirmation(&self) -> bool {
        match &self.command {
            Command::Revoke { .. }
            | Command::RevokeLeaked { .. }
            | Command::EndOverlap { .. }
            | Command::Delete { .. }
            | Command::AcceptClock
            | Command::RemoveScopes { scopes: ScopesToRemove::All, .. } => true,
            Command::Regenerate { overlap, .. } => {
                let is_critical = |token: &Token| match token.status(self.at) {
                    Status::Active => *overlap == SecretOverlap::None || token.has_overlap(self.at),
                    // The secret that will become valid stops working.
                    Status::NotYetValid | Status::Revoked => true,
                    Status::Expired => false,
                };
                self.tokens_before().any(is_critical)
            }
            Command::Create { .. }
            | Command::Edit { .. }
            | Command::AddScopes { .. }
            | Command::RemoveScopes { scopes: ScopesToRemove::Listed(_), .. }
            | Command::ChangeScopes { .. }
            | Command::Restore(_)
            | Command::Revert(_)
            | Command::RecordDelivery { .. }
            | Command::PurgeTrash => false,
        }
    }

    /// Creates the proof of confirmation. Call it only after the operator has confirmed the plan.
    pub fn confirm(&self) -> ConfirmationProof {
        ConfirmationProof {
            count: self.change_count(),
            fingerprint: Some(self.fingerprint()),
            newest_event: self.job.as_ref().map(|job| Box::new(job.newest_event)),
            search: None,
        }
    }

    /// Whether `proof` is sufficient: this plan requires no confirmation, or the operator has
    /// confirmed the same changes.
    pub fn is_covered_by(&self, proof: &ConfirmationProof) -> bool {
        let is_selected =
            |query: &ListQuery| self.tokens_before().all(|token| query.matches(token, self.at));
        if !proof.search.as_deref().is_none_or(is_selected) {
            return false;
        }
        match proof.fingerprint {
            Some(fingerprint) => fingerprint == self.fingerprint(),
            None => self.confirmation() == Confirmation::None,
        }
    }

    /// A hash of the tokens and of the state that the operator confirmed. Plans with the same
    /// fingerprint change the same tokens and end the same secrets.
    fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        // A plan that does not have all tokens is confirmed as of an event.
        if let Some(job) = self.job.as_ref().filter(|job| job.tokens > self.changes.len()) {
            hash.update(job.newest_event.1.as_bytes());
            hash.update(job.tokens.to_le_bytes());
        }
        for warning in &self.warnings {
            if let Warning::Clock(effects) = warning {
                // The operator was shown which tokens become valid, or are of the future.
                let lists = [(b"r", &effects.reactivated), (b"f", &effects.issued_in_future)];
                for (list, tokens) in lists {
                    for (id, _) in tokens {
                        hash.update(list);
                        hash.update(id.as_bytes());
                    }
                }
            }
        }
        for change in &self.changes {
            match &change.before {
                StoredToken::Absent => {}
                StoredToken::Damaged(id) => hash.update(id.as_bytes()),
                StoredToken::Live(token) | StoredToken::Deleted(token, _) => {
                    hash.update(token.id.as_bytes());
                    self.hash_confirmed_fields(token, &mut hash);
                }
            }
        }
        hash.finalize().into()
    }

    /// Hashes the fields of `token` that the operator was shown and that must not have changed.
    fn hash_confirmed_fields(&self, token: &Token, hash: &mut Sha256) {
        let previous = token.previous.as_ref().map(|previous| previous.digest);
        let previous = previous.as_ref().map_or(&[][..], |digest| &digest.as_bytes()[..]);
        match &self.command {
            Command::Delete { .. } => hash.update(token.name.as_str()),
            Command::EndOverlap { .. } => hash.update(previous),
            Command::RemoveScopes { .. } | Command::ChangeScopes { .. } => {
                for scope in &token.scopes {
                    hash.update(scope.to_string());
                    hash.update([0]);
                }
            }
            // A token that was revoked after the confirmation must not become active again without
            // a question. A regeneration may replace only the secrets that the operator confirmed.
            Command::Regenerate { .. } => {
                hash.update(token.name.as_str());
                hash.update([0]);
                hash.update(token.digest.as_bytes());
                hash.update(previous);
                hash.update(token.status(self.at).as_str());
            }
            // Other changes of the token must not force a second confirmation of a revocation.
            Command::Revoke { .. }
            | Command::RevokeLeaked { .. }
            | Command::Create { .. }
            | Command::Edit { .. }
            | Command::AddScopes { .. }
            | Command::Restore(_)
            | Command::Revert(_)
            | Command::RecordDelivery { .. }
            | Command::AcceptClock
            | Command::PurgeTrash => {}
        }
    }
}
