//! What is known of a secret that turned up where it should not be, and ending the tokens of
//! such secrets. Looking is not using: it leaves no trace. Called by the scan.

use super::{Service, ServiceError};
use crate::{
    domain::{Action, Digest, Name, Pat, Secret, Status, TokenId},
    store::{Rows, Writer},
};

/// What a secret is to this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Standing {
    /// It works: the present secret of an active token, or the retiring one.
    Active,
    /// Its token is expired.
    Expired,
    /// Its token is revoked.
    Revoked,
    /// Its token was deleted and can be brought back, and the secret with it.
    Deleted,
    /// Its token is here and has another secret now.
    Replaced,
    /// Its token is not here, or is purged.
    Unknown,
}

impl Standing {
    /// The one word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Deleted => "deleted",
            Self::Replaced => "replaced",
            Self::Unknown => "unknown",
        }
    }
}

impl From<Status> for Standing {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Expired => Self::Expired,
            Status::Revoked => Self::Revoked,
        }
    }
}

/// What is known of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What it is now.
    pub standing: Standing,
    /// What its token is called, if it is here.
    pub name: Option<Name>,
}

/// A secret that is out: whose, and the proof that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaked {
    /// Whose.
    pub id: TokenId,
    /// What is kept of it.
    pub digest: Digest,
}

impl From<&Secret> for Leaked {
    fn from(secret: &Secret) -> Self {
        Self { id: secret.id(), digest: secret.digest() }
    }
}

impl Service {
    /// What `secret` is here and now.
    pub fn look_up(&self, secret: &Leaked) -> Result<Known, ServiceError> {
        self.store.read(|rows| {
            let known = |standing, pat: Pat| Known { standing, name: Some(pat.name) };
            if let Some(pat) = rows.pat(&secret.id)? {
                let at = self.judged_at(rows)?;
                let standing = if pat.accepts(&secret.digest, at) {
                    pat.status(at).into()
                } else {
                    Standing::Replaced
                };
                return Ok(known(standing, pat));
            }
            let Some(binned) = rows.trashed(&secret.id)? else {
                return Ok(Known { standing: Standing::Unknown, name: None });
            };
            let own = binned.pat.accepts(&secret.digest, binned.at);
            let standing = if own { Standing::Deleted } else { Standing::Replaced };
            Ok(known(standing, binned.pat))
        })
    }

    /// Ends the tokens of those of these secrets that still work, each once, in one
    /// transaction. Returns the tokens that this ended: fewer than asked for when somebody was
    /// faster, which is as good.
    pub fn revoke_leaked(&self, leaked: &[Leaked]) -> Result<Vec<Pat>, ServiceError> {
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            let mut ended = Vec::new();
            let works = |rows: &Writer<'_>, secret: &Leaked| {
                let pat = rows.pat(&secret.id)?;
                Ok::<_, ServiceError>(pat.filter(|pat| {
                    pat.status(at) == Status::Active && pat.accepts(&secret.digest, at)
                }))
            };
            for secret in leaked {
                let Some(pat) = works(rows, secret)? else {
                    continue;
                };
                let pat = pat.revoke(at)?;
                rows.put_pat(&pat)?;
                let detail = "was active, its secret was found by a scan".to_owned();
                self.record(rows, at, Action::Revoked, &pat, detail)?;
                ended.push(pat);
            }
            Ok(ended)
        })
    }
}
