//! "May this secret do this?": the one check behind every face. It reads the store afresh each
//! time; there is no cache to go stale. Nothing about a record is told before its digest
//! matched.

use chrono::TimeDelta;
use zeroize::Zeroizing;

use super::{Service, ServiceError};
use crate::{
    domain::{Decision, Denial, LastUse, Moment, Pat, Request, Secret, TokenId, decide},
    store::{Rows, StoreError},
};

/// Uses of one token nearer to each other than this are written once.
const USE_INTERVAL: TimeDelta = TimeDelta::seconds(30);

/// A decision and what came with it.
#[derive(Debug)]
pub struct Verdict {
    /// The answer.
    pub decision: Decision,
    /// Whose secret it is; only when the secret matched.
    pub token: Option<TokenId>,
    /// Why the use could not be written down; the decision stands all the same.
    pub unrecorded: Option<StoreError>,
}

impl Service {
    /// Whether the bearer of `presented`, who calls from `from`, may do what `request` asks.
    /// An error means that there is no answer: never read it as "allowed".
    pub fn verify(
        &self,
        presented: Zeroizing<String>,
        request: &Request,
        from: Option<&str>,
    ) -> Result<Verdict, ServiceError> {
        let secret = match Secret::parse(presented) {
            Ok(secret) => secret,
            Err(error) => return Ok(Verdict::of_stranger(Denial::Malformed(error))),
        };
        let (found, at) = self
            .store
            .read(|rows| Ok::<_, StoreError>((rows.pat(&secret.id())?, self.now(rows)?)))?;
        let digest = secret.digest();
        drop(secret);
        let Some(pat) = found.filter(|pat| pat.accepts(&digest, at)) else {
            return Ok(Verdict::of_stranger(Denial::Unknown));
        };
        let decision = decide(&pat, request, at);
        let unrecorded = self.note_use(&pat, &decision, request, from, at).err();
        Ok(Verdict {
            decision,
            token: Some(pat.id),
            unrecorded,
        })
    }

    /// Whether the token itself may do what `request` asks, as an operator would try it: the
    /// same decision without a secret, and without counting as a use.
    pub fn test(&self, id: &TokenId, request: &Request) -> Result<Decision, ServiceError> {
        self.store.read(|rows| {
            let pat = Self::found(rows, id)?;
            Ok(decide(&pat, request, self.now(rows)?))
        })
    }

    /// Writes the use down, unless there is one from just before. Another check may have
    /// written it since `pat` was read, so the record is asked again.
    pub(super) fn note_use(
        &self,
        pat: &Pat,
        decision: &Decision,
        request: &Request,
        from: Option<&str>,
        at: Moment,
    ) -> Result<(), StoreError> {
        if is_recent(pat, at) {
            return Ok(());
        }
        let verdict = if decision.is_allowed() {
            "allowed"
        } else {
            "denied"
        };
        let what = format!("{} {verdict}", request.as_scope());
        let used = LastUse {
            at,
            from: from.map(str::to_owned),
            what,
        };
        self.store.write(|rows| {
            // It may have been deleted, too; a use must not outlive it.
            if rows.pat(&pat.id)?.is_some_and(|pat| !is_recent(&pat, at)) {
                rows.put_use(&pat.id, &used)?;
            }
            Ok(())
        })
    }
}

/// Whether a use near `at` is written already. One far in the future was written by a clock
/// that ran ahead, and is no reason to write none until then.
fn is_recent(pat: &Pat, at: Moment) -> bool {
    pat.last_used
        .as_ref()
        .is_some_and(|used| (at - used.at).abs() < USE_INTERVAL)
}

impl Verdict {
    fn of_stranger(denial: Denial) -> Self {
        Self {
            decision: Decision::Deny(denial),
            token: None,
            unrecorded: None,
        }
    }
}
