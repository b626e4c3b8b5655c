//! Classifies a leaked secret. The lookup writes nothing and does not count as a use of the secret.
//! Called by `scan`, which may revoke the tokens afterwards.

use super::{Service, ServiceError};
use crate::{
    domain::{LeakedSecret, Name, Status, Token, labels::labels},
    store::ReadOps,
};

labels! {
    /// The state of a leaked secret in this store.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum SecretStatus, as_str {
        /// The secret works: it is the current one of an active token, or the previous one within
        /// its overlap.
        Active => "active",
        Expired => "expired",
        Revoked => "revoked",
        /// Its token is in the trash; restoring the token would make the secret work again.
        Deleted => "deleted",
        /// Its token exists and has another secret now.
        Replaced => "replaced",
        /// Its token was never in this store, or was purged.
        Unknown => "unknown",
    }
}

impl From<Status> for SecretStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Expired => Self::Expired,
            Status::Revoked => Self::Revoked,
        }
    }
}

/// The status of a leaked secret, and the name of its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretInfo {
    pub status: SecretStatus,
    /// `None` if neither the store nor the trash contains the token.
    pub name: Option<Name>,
}

impl Service {
    /// Returns the status of `secret` and the name of its token.
    pub fn classify(&self, secret: &LeakedSecret) -> Result<SecretInfo, ServiceError> {
        self.store.read(|rows| {
            let info = |status, token: Token| SecretInfo { status, name: Some(token.name) };
            if let Some(token) = rows.token(&secret.id)? {
                let at = self.clock.denial_time(rows)?;
                let status = if token.accepts(&secret.digest, at) {
                    token.status(at).into()
                } else {
                    SecretStatus::Replaced
                };
                return Ok(info(status, token));
            }
            let Some(deleted) = rows.trashed(&secret.id)? else {
                return Ok(SecretInfo { status: SecretStatus::Unknown, name: None });
            };
            let is_own_secret = deleted.token.accepts(&secret.digest, deleted.at);
            let status = if is_own_secret { SecretStatus::Deleted } else { SecretStatus::Replaced };
            Ok(info(status, deleted.token))
        })
    }
}
