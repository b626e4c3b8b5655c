//! What an operator must confirm before a plan is executed, and the proof of having done so. The
//! rule is here alone: the app and the command line ask what a plan tells them to ask.

use sha2::{Digest as _, Sha256};

use super::Plan;
use crate::domain::{
    command::{Command, ScopeSelection},
    name::Name,
    token::{Overlap, Status, Token},
};

/// What an operator must do to confirm a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// Nothing: no secret stops working, and what changes can be undone.
    None,
    /// Answer a question about the token with this name.
    Ask(Name),
    /// Type the name of the token.
    TypeName(Name),
    /// Type the number of tokens.
    TypeCount(usize),
}

/// What an operator has seen and confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    count: usize,
    /// SHA-256 over everything that must be as it was shown; `None` if nothing was asked.
    fingerprint: Option<[u8; 32]>,
}

impl Confirmed {
    /// Nothing was asked. Enough for a plan whose confirmation is [`Confirmation::None`].
    pub const NOTHING: Self = Self { count: 0, fingerprint: None };

    /// How many tokens were to be changed.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Plan {
    /// What the operator must confirm.
    pub fn confirmation(&self) -> Confirmation {
        let has_effect = self.changes.iter().any(|change| change.event.is_some());
        if !has_effect || !self.ends_secrets() {
            return Confirmation::None;
        }
        let name = self.tokens().next().map(|token| token.name.clone());
        match (name, self.command.tokens().len(), &self.command) {
            (Some(name), 1, Command::Delete { .. }) => Confirmation::TypeName(name),
            (Some(name), 1, _) => Confirmation::Ask(name),
            _ => Confirmation::TypeCount(self.changes.len()),
        }
    }

    /// Whether something that works now stops working.
    fn ends_secrets(&self) -> bool {
        match &self.command {
            Command::Revoke { .. }
            | Command::RevokeLeaked { .. }
            | Command::EndOverlap { .. }
            | Command::Delete { .. }
            | Command::RemoveScopes { scopes: ScopeSelection::All, .. } => true,
            Command::Regenerate { overlap, .. } => {
                let ends = |token: &Token| {
                    let is_active = token.status(self.at) == Status::Active;
                    is_active && *overlap == Overlap::None || token.overlaps(self.at)
                };
                self.changes.iter().filter_map(|change| change.before.token()).any(ends)
            }
            Command::Create { .. }
            | Command::Edit { .. }
            | Command::AddScopes { .. }
            | Command::RemoveScopes { scopes: ScopeSelection::Listed(_), .. }
            | Command::Restore(_)
            | Command::Revert(_)
            | Command::RecordDelivery { .. }
            | Command::AcceptClock
            | Command::PurgeTrash => false,
        }
    }

    /// The proof that the operator has seen this plan and confirmed it.
    pub fn confirmed(&self) -> Confirmed {
        Confirmed { count: self.changes.len(), fingerprint: Some(self.fingerprint()) }
    }

    /// Whether `confirmed` covers this plan: nothing had to be confirmed, or the operator has
    /// confirmed the same changes.
    pub fn is_covered_by(&self, confirmed: &Confirmed) -> bool {
        match confirmed.fingerprint {
            Some(fingerprint) => fingerprint == self.fingerprint(),
            None => self.confirmation() == Confirmation::None,
        }
    }

    /// Two plans with the same fingerprint ask an operator the same question: they change the
    /// same tokens, and what they end is the same.
    fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for change in &self.changes {
            if let Some(token) = change.before.token() {
                hash.update(token.id.as_bytes());
                self.hash_shown(token, &mut hash);
            }
        }
        hash.finalize().into()
    }

    /// Hashes what the operator was shown of `token` and must find unchanged.
    fn hash_shown(&self, token: &Token, hash: &mut Sha256) {
        let previous = token.previous.as_ref().map(|previous| previous.digest);
        let previous = previous.as_ref().map_or(&[][..], |digest| &digest.as_bytes()[..]);
        match &self.command {
            Command::Delete { .. } => hash.update(token.name.as_str()),
            Command::EndOverlap { .. } => hash.update(previous),
            Command::RemoveScopes { .. } => {
                for scope in &token.scopes {
                    hash.update(scope.to_string());
                    hash.update([0]);
                }
            }
            // A token that was ended meanwhile must not become active unasked, and a new secret
            // replaces only those that the operator knew of.
            Command::Regenerate { .. } => {
                hash.update(token.name.as_str());
                hash.update([0]);
                hash.update(token.digest.as_bytes());
                hash.update(previous);
                hash.update(token.status(self.at).as_str());
            }
            // Whatever else changed, nobody may have to confirm a revocation twice.
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
