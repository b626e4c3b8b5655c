//! What a secret is that was found where it does not belong. A look-up is no use of the secret
//! and leaves no trace. Called by the scan, which may revoke the tokens afterwards.

use super::{Service, ServiceError};
use crate::{
    domain::{LeakedSecret, Name, Status, Token, labels::labels},
    store::ReadOps,
};

labels! {
    /// What a secret is to this store.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum SecretStatus, as_str {
        /// It works: the present secret of an active token, or the retiring one.
        Active => "active",
        Expired => "expired",
        Revoked => "revoked",
        /// Its token was deleted and can be brought back, and the secret with it.
        Deleted => "deleted",
        /// Its token is here and has another secret now.
        Replaced => "replaced",
        /// Its token is not here, or is purged.
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretInfo {
    pub status: SecretStatus,
    /// What its token is called, if it is here.
    pub name: Option<Name>,
}

impl Service {
    pub fn classify(&self, secret: &LeakedSecret) -> Result<SecretInfo, ServiceError> {
        self.store.read(|rows| {
            let known = |status, token: Token| SecretInfo { status, name: Some(token.name) };
            if let Some(token) = rows.token(&secret.id)? {
                let at = self.clock.denial_time(rows)?;
                let status = if token.accepts(&secret.digest, at) {
                    token.status(at).into()
                } else {
                    SecretStatus::Replaced
                };
                return Ok(known(status, token));
            }
            let Some(binned) = rows.trashed(&secret.id)? else {
                return Ok(SecretInfo { status: SecretStatus::Unknown, name: None });
            };
            let own = binned.token.accepts(&secret.digest, binned.at);
            let status = if own { SecretStatus::Deleted } else { SecretStatus::Replaced };
            Ok(known(status, binned.token))
        })
    }
}
