//! Classifies a leaked secret. The lookup writes nothing and does not count as a use of the secret.
//! Called by the `scan` command, which may then revoke the tokens of leaked secrets.

use super::{Service, ServiceError};
use crate::{
    domain::{LeakedSecret, Name, SecretSlot, Status, Timestamp, Token, labelled_enum::labels},
    store::{HasTables as _, ReadOps},
};

labels! {
    /// The state of a leaked secret in this store.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum LeakedSecretStatus, as_str {
        /// The secret works: it is the current secret of an active token, or the previous secret
        /// during the overlap.
        Active => "active",
        Expired => "expired",
        Revoked => "revoked",
        /// The token of the secret is in the trash, or its deletion is pending. Restoring the token would make the secret work
        /// again.
        Deleted => "deleted",
        /// The token of the secret exists, but has another secret now.
        Replaced => "replaced",
        /// The token exists with another secret, but its record is older than the revocation register:
        /// an older copy of the store was put back, and the secret may work in the newer one.
        OutOfDate => "out-of-date",
        /// The token of the secret was never in this store, or was purged.
        Unknown => "unknown",
    }
}

impl From<Status> for LeakedSecretStatus {
    fn from(status: Status) -> Self {
        match status {
            // The secret will work, unless it is revoked.
            Status::Active | Status::NotYetValid => Self::Active,
            Status::Expired => Self::Expired,
            Status::Revoked => Self::Revoked,
        }
    }
}

/// The status of a leaked secret, and the name of its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeakedSecretInfo {
    pub status: LeakedSecretStatus,
    /// `None` if neither the store nor the trash contains the token.
    pub name: Option<Name>,
    /// The end of the overlap, if this is the old secret of a token that works.
    pub old_until: Option<Timestamp>,
}

impl LeakedSecretInfo {
    /// What is known of a secret whose record is missing or cannot be read.
    pub const UNKNOWN: Self =
        Self { status: LeakedSecretStatus::Unknown, name: None, old_until: None };
}

impl Service {
    /// Returns the status of `secret` and the name of its token.
    pub fn classify(&self, secret: &LeakedSecret) -> Result<LeakedSecretInfo, ServiceError> {
        self.store.read(|rows| {
            use LeakedSecretStatus as S;
            let info = |status, token: Token| LeakedSecretInfo {
                status,
                name: Some(token.name),
                old_until: None,
            };
            if let Some(token) = rows.token(&secret.id)? {
                let at = self.clock.denial_time(rows)?;
                let Some(slot) = token.matching_slot(&secret.digest, at) else {
                    let state = rows.revocation_state(&token.id).unwrap_or_default();
                    let status = if state.is_stale(&token) { S::OutOfDate } else { S::Replaced };
                    return Ok(info(status, token));
                };
                let is_old = slot == SecretSlot::Previous;
                let old_until = token.active_overlap(at).filter(|_| is_old).map(|old| old.until);
                return Ok(LeakedSecretInfo { old_until, ..info(token.status(at).into(), token) });
            }
            let Some(deleted) = rows.deleted_token(&secret.id)? else {
                return Ok(LeakedSecretInfo::UNKNOWN);
            };
            let state = rows.revocation_state(&secret.id).unwrap_or_default();
            let status = match deleted.token.accepts(&secret.digest, deleted.at) {
                true => S::Deleted,
                // The token can have been restored and regenerated in a newer store.
                false if state.is_stale(&deleted.token) => S::OutOfDate,
                false => S::Replaced,
            };
            Ok(info(status, deleted.token))
        })
    }
}
