//! "May this secret do this?": the one check behind every face. It reads the store afresh each
//! time; there is no cache to go stale. Nothing about a record is told before its digest
//! matched.

use std::time::Duration;

use chrono::TimeDelta;
use zeroize::Zeroizing;

use super::{Service, ServiceError};
use crate::{
    domain::{
        Decision, Denial, LastUse, Moment, Pat, Request, Secret, TokenId, Which, decide,
        decision::standing,
    },
    store::{Rows, StoreError},
};

/// Uses of one token nearer to each other than this are written once.
const USE_INTERVAL: TimeDelta = TimeDelta::seconds(30);

/// How long a use waits to be written. Somebody waits for the answer of the check, and the next
/// use is as good.
const USE_PATIENCE: Duration = Duration::from_millis(200);

/// A decision and what came with it.
#[derive(Debug)]
pub struct Verdict<D = Decision> {
    /// The answer.
    pub decision: D,
    /// Whose secret it is, as it was then; only when the secret matched.
    pub token: Option<Pat>,
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
        let (pat, by, at) = match self.holder(presented)? {
            Ok(holder) => holder,
            Err(denial) => return Ok(Verdict::of_stranger(Decision::Deny(denial))),
        };
        let decision = decide(&pat, request, at);
        let asked = request.as_scope().to_string();
        let used = used(&asked, decision.is_allowed(), from, at);
        let unrecorded = self.note_use(&pat, by, &used).err();
        Ok(Verdict { decision, token: Some(pat), unrecorded })
    }

    /// Whether the bearer of `presented` has a valid token at all, whatever it may do.
    pub fn identify(
        &self,
        presented: Zeroizing<String>,
        from: Option<&str>,
    ) -> Result<Verdict<Result<(), Denial>>, ServiceError> {
        let (pat, by, at) = match self.holder(presented)? {
            Ok(holder) => holder,
            Err(denial) => return Ok(Verdict::of_stranger(Err(denial))),
        };
        let decision = standing(&pat, at);
        let used = used("identify", decision.is_ok(), from, at);
        let unrecorded = self.note_use(&pat, by, &used).err();
        Ok(Verdict { decision, token: Some(pat), unrecorded })
    }

    /// The token whose secret `presented` is, which of its secrets, and the instant to judge it
    /// by; else no more than that it is nobody's.
    fn holder(
        &self,
        presented: Zeroizing<String>,
    ) -> Result<Result<(Pat, Which, Moment), Denial>, ServiceError> {
        let secret = match Secret::parse(presented) {
            Ok(secret) => secret,
            Err(error) => return Ok(Err(Denial::Malformed(error))),
        };
        let (found, at) = self
            .store
            .read(|rows| Ok::<_, StoreError>((rows.pat(&secret.id())?, self.judged_at(rows)?)))?;
        let digest = secret.digest();
        drop(secret);
        let holder = found.and_then(|pat| {
            let by = pat.secret_of(&digest, at)?;
            Some((pat, by, at))
        });
        Ok(holder.ok_or(Denial::Unknown))
    }

    /// Whether the token itself may do what `request` asks, as an operator would try it: the
    /// same decision without a secret, and without counting as a use.
    pub fn test(&self, id: &TokenId, request: &Request) -> Result<Decision, ServiceError> {
        self.store.read(|rows| {
            let pat = Self::found(rows, id)?;
            Ok(decide(&pat, request, self.judged_at(rows)?))
        })
    }

    /// Writes down the use of `pat`, by that one of its secrets, unless there is one from just
    /// before. Another check may have written it since `pat` was read, so the record is asked
    /// again.
    pub(super) fn note_use(&self, pat: &Pat, by: Which, used: &LastUse) -> Result<(), StoreError> {
        // Who wants nothing written wants no word about it with each check.
        if is_recent(pat, by, used.at) || self.is_read_only() {
            return Ok(());
        }
        self.store.write_within(USE_PATIENCE, |rows| {
            // It may have been deleted, too; a use must not outlive it.
            if rows.pat(&pat.id)?.is_none_or(|pat| is_recent(&pat, by, used.at)) {
                return Ok(());
            }
            match (by, &pat.retiring) {
                (Which::Retiring, Some(old)) => {
                    rows.put_retiring_use(&pat.id, old.digest, used)?;
                }
                _ => rows.put_use(&pat.id, used)?,
            }
            Ok(())
        })
    }
}

fn used(asked: &str, allowed: bool, from: Option<&str>, at: Moment) -> LastUse {
    let what = format!("{asked} {}", if allowed { "allowed" } else { "denied" });
    LastUse { at, from: from.map(str::to_owned), what }
}

/// Whether a use near `at` is written already. One far in the future was written by a clock
/// that ran ahead, and is no reason to write none until then.
fn is_recent(pat: &Pat, by: Which, at: Moment) -> bool {
    pat.used_by(by).is_some_and(|used| (at - used.at).abs() < USE_INTERVAL)
}

impl<D> Verdict<D> {
    fn of_stranger(decision: D) -> Self {
        Self { decision, token: None, unrecorded: None }
    }
}
