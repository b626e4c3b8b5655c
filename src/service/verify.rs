//! "May this secret do this?": the one check behind every face. It reads the store afresh each
//! time; there is no cache to go stale. Nothing about a record is told before its digest
//! matched.

use chrono::TimeDelta;
use zeroize::Zeroizing;

use super::{Service, ServiceError};
use crate::{
    domain::{
        Decision, Denial, LastUse, Moment, Pat, Request, Secret, TokenId, decide,
        decision::standing,
    },
    store::{Rows, StoreError},
};

/// Uses of one token nearer to each other than this are written once.
const USE_INTERVAL: TimeDelta = TimeDelta::seconds(30);

/// A decision and what came with it.
#[derive(Debug)]
pub struct Verdict<D = Decision> {
    /// The answer.
    pub decision: D,
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
        let (pat, at) = match self.holder(presented)? {
            Ok(holder) => holder,
            Err(denial) => return Ok(Verdict::of_stranger(Decision::Deny(denial))),
        };
        let decision = decide(&pat, request, at);
        let asked = request.as_scope().to_string();
        let unrecorded = self.note_use(&pat, decision.is_allowed(), &asked, from, at).err();
        Ok(Verdict { decision, token: Some(pat.id), unrecorded })
    }

    /// Whether the bearer of `presented` has a valid token at all, whatever it may do.
    pub fn identify(
        &self,
        presented: Zeroizing<String>,
        from: Option<&str>,
    ) -> Result<Verdict<Result<(), Denial>>, ServiceError> {
        let (pat, at) = match self.holder(presented)? {
            Ok(holder) => holder,
            Err(denial) => return Ok(Verdict::of_stranger(Err(denial))),
        };
        let decision = standing(&pat, at);
        let unrecorded = self.note_use(&pat, decision.is_ok(), "identify", from, at).err();
        Ok(Verdict { decision, token: Some(pat.id), unrecorded })
    }

    /// The token whose secret `presented` is, and the instant to judge it by; else no more than
    /// that it is nobody's.
    fn holder(
        &self,
        presented: Zeroizing<String>,
    ) -> Result<Result<(Pat, Moment), Denial>, ServiceError> {
        let secret = match Secret::parse(presented) {
            Ok(secret) => secret,
            Err(error) => return Ok(Err(Denial::Malformed(error))),
        };
        let (found, at) = self
            .store
            .read(|rows| Ok::<_, StoreError>((rows.pat(&secret.id())?, self.judged_at(rows)?)))?;
        let digest = secret.digest();
        drop(secret);
        let pat = found.filter(|pat| pat.accepts(&digest, at));
        Ok(pat.map(|pat| (pat, at)).ok_or(Denial::Unknown))
    }

    /// Whether the token itself may do what `request` asks, as an operator would try it: the
    /// same decision without a secret, and without counting as a use.
    pub fn test(&self, id: &TokenId, request: &Request) -> Result<Decision, ServiceError> {
        self.store.read(|rows| {
            let pat = Self::found(rows, id)?;
            Ok(decide(&pat, request, self.judged_at(rows)?))
        })
    }

    /// Writes the use down, unless there is one from just before. Another check may have
    /// written it since `pat` was read, so the record is asked again.
    pub(super) fn note_use(
        &self,
        pat: &Pat,
        allowed: bool,
        asked: &str,
        from: Option<&str>,
        at: Moment,
    ) -> Result<(), StoreError> {
        // Who wants nothing written wants no word about it with each check.
        if is_recent(pat, at) || self.is_read_only() {
            return Ok(());
        }
        let what = format!("{asked} {}", if allowed { "allowed" } else { "denied" });
        let used = LastUse { at, from: from.map(str::to_owned), what };
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
    pat.last_used.as_ref().is_some_and(|used| (at - used.at).abs() < USE_INTERVAL)
}

impl<D> Verdict<D> {
    fn of_stranger(decision: D) -> Self {
        Self { decision, token: None, unrecorded: None }
    }
}
