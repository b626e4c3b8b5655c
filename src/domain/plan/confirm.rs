//! What an operator must confirm before a plan is executed, and the proof of having done so. The
//! rule is here alone: the app and the command line ask what a plan tells them to ask.

use sha2::{Digest as _, Sha256};

use super::{Plan, TokenState};
use crate::domain::{
    command::{Command, ScopeSelection, TokenSelection},
    name::Name,
    pat::{Overlap, Pat, Status},
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
        let ends_secrets = match &self.command {
            Command::Revoke { .. }
            | Command::RevokeLeaked { .. }
            | Command::EndOverlap { .. }
            | Command::Delete { .. }
            | Command::RemoveScopes { scopes: ScopeSelection::All, .. } => true,
            Command::Regenerate { overlap, .. } => {
                let active = |change: &super::Change| {
                    change.before.token().is_some_and(|it| it.status(self.at) == Status::Active)
                };
                *overlap == Overlap::None && self.changes.iter().any(active)
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
        };
        let name = |token: &Pat| token.name.clone();
        match (self.tokens().map(name).next(), self.changes.len(), &self.command) {
            _ if !ends_secrets => Confirmation::None,
            (Some(name), 1, Command::Delete { tokens: TokenSelection::Listed(listed) })
                if listed.len() == 1 =>
            {
                Confirmation::TypeName(name)
            }
            (_, count, Command::Delete { .. }) => Confirmation::TypeCount(count),
            (Some(name), 1, command) if command.tokens().len() == 1 => Confirmation::Ask(name),
            (_, count, _) => Confirmation::TypeCount(count),
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

    /// Two plans with the same fingerprint ask an operator the same question. A revocation is
    /// the same whatever else was changed: nobody may have to confirm it twice. A deletion goes
    /// by the name, and a new secret replaces only the one that the operator knew of.
    fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for change in &self.changes {
            let Some(token) = change.before.token() else { continue };
            hash.update(token.id.as_bytes());
            match &self.command {
                Command::Delete { .. } => hash.update(token.name.as_str()),
                Command::Regenerate { .. } => {
                    hash.update(token.name.as_str());
                    hash.update(token.digest.as_bytes());
                }
                _ => {}
            }
            hash.update([u8::from(matches!(change.before, TokenState::Live(_)))]);
        }
        hash.finalize().into()
    }
}
