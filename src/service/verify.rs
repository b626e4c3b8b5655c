//! "May this secret do this?": the one check behind every face. It reads the store afresh each
//! time; there is no cache to go stale. Nothing about a record is told before its digest
//! matched.

use compact_str::format_compact;
use zeroize::Zeroizing;

use super::{
    Service, ServiceError,
    uses::{Use, Uses, is_recent},
};
use crate::{
    domain::{
        Decision, Denial, Digest, LastUse, Moment, Pat, Request, Secret, TokenId, Which, decide,
        decision::standing,
    },
    store::{ReadSession, Rows, StoreError},
};

/// A decision and what came with it.
#[derive(Debug)]
pub struct Verdict<D = Decision> {
    /// The answer.
    pub decision: D,
    /// Whose secret it is, as it was then, not always with its last uses; only when the secret
    /// matched.
    pub token: Option<Pat>,
}

/// Checks that follow each other closely: each is as good as one alone, and costs less. Before
/// waiting for anything [`Checks::let_go`] is to be called. The uses that are found are written by
/// [`Checks::finish`], or when this is dropped.
#[derive(Debug)]
pub struct Checks<'s> {
    service: &'s Service,
    reads: ReadSession,
    uses: Uses,
}

impl Checks<'_> {
    /// Whether the bearer of `presented`, who calls from `from`, may do what `request` asks.
    /// An error means that there is no answer: never read it as "allowed".
    pub fn verify(
        &mut self,
        presented: Zeroizing<String>,
        request: &Request,
        from: Option<&str>,
    ) -> Result<Verdict, ServiceError> {
        let holder = match self.holder(presented)? {
            Ok(holder) => holder,
            Err(denial) => return Ok(Verdict { decision: Decision::Deny(denial), token: None }),
        };
        let decision = decide(&holder.pat, request, holder.at);
        let asked = || request.as_scope().to_string();
        self.note(&holder, asked, decision.is_allowed(), from);
        Ok(Verdict { decision, token: Some(holder.pat) })
    }

    /// Whether the bearer of `presented` has a valid token at all, whatever it may do.
    pub fn identify(
        &mut self,
        presented: Zeroizing<String>,
        from: Option<&str>,
    ) -> Result<Verdict<Result<(), Denial>>, ServiceError> {
        let holder = match self.holder(presented)? {
            Ok(holder) => holder,
            Err(denial) => return Ok(Verdict { decision: Err(denial), token: None }),
        };
        let decision = standing(&holder.pat, holder.at);
        self.note(&holder, || "identify".to_owned(), decision.is_ok(), from);
        Ok(Verdict { decision, token: Some(holder.pat) })
    }

    /// Keeps nothing of the store until the next check.
    pub fn let_go(&mut self) {
        self.reads.release();
    }

    /// Writes down the uses that were found. An error says why some could not be written; the
    /// decisions stand all the same.
    pub fn finish(&mut self) -> Result<(), StoreError> {
        self.let_go();
        self.uses.finish(&self.service.store)
    }

    /// Whose secret `presented` is; else no more than that it is nobody's.
    fn holder(
        &mut self,
        presented: Zeroizing<String>,
    ) -> Result<Result<Holder, Denial>, ServiceError> {
        let secret = match Secret::parse(presented) {
            Ok(secret) => secret,
            Err(error) => return Ok(Err(Denial::Malformed(error))),
        };
        let (id, digest) = (secret.id(), secret.digest());
        drop(secret);
        let (service, uses) = (self.service, &self.uses);
        let holder = self.reads.read(|rows| {
            let at = service.judged_at(rows)?;
            let Some(mut pat) = rows.pat_without_uses(&id)? else {
                return Ok(None);
            };
            let Some(by) = pat.secret_of(&digest, at) else {
                return Ok(None);
            };
            let is_noted = uses.know(&digest, at);
            if !is_noted {
                rows.tell_uses(&mut pat)?;
            }
            Ok::<_, StoreError>(Some(Holder { pat, by, digest, at, is_noted }))
        })?;
        Ok(holder.ok_or(Denial::Unknown))
    }

    /// Sees to it that the use of a secret is written, unless there is one from just before.
    fn note(
        &mut self,
        holder: &Holder,
        asked: impl FnOnce() -> String,
        allowed: bool,
        from: Option<&str>,
    ) {
        let Holder { pat, by, digest, at, is_noted } = holder;
        // Who wants nothing written wants no word about it with each check.
        if *is_noted || self.service.is_read_only() {
            return;
        }
        if is_recent(pat, *by, *at) {
            let used = pat.used_by(*by).map_or(*at, |used| used.at);
            self.uses.keep_in_mind(digest, used);
            return;
        }
        let what = format_compact!("{} {}", asked(), if allowed { "allowed" } else { "denied" });
        let used = LastUse { at: *at, from: from.map(Into::into), what };
        let one = Use { id: pat.id, by: *by, digest: *digest, used };
        self.uses.add(&self.service.store, one);
    }
}

impl Drop for Checks<'_> {
    fn drop(&mut self) {
        // Whoever wants to know calls it before.
        let _ = self.finish();
    }
}

/// Whose secret was presented.
struct Holder {
    pat: Pat,
    /// Which of its secrets.
    by: Which,
    digest: Digest,
    /// The instant to judge it by.
    at: Moment,
    /// Whether a use from just before is written.
    is_noted: bool,
}

impl Service {
    /// Checks that follow each other closely.
    pub fn checks(&self) -> Checks<'_> {
        Checks { service: self, reads: self.store.read_session(), uses: Uses::default() }
    }

    /// As [`Checks::verify`], alone. That a use could not be written is not told.
    pub fn verify(
        &self,
        presented: Zeroizing<String>,
        request: &Request,
        from: Option<&str>,
    ) -> Result<Verdict, ServiceError> {
        self.checks().verify(presented, request, from)
    }

    /// As [`Checks::identify`], alone. That a use could not be written is not told.
    pub fn identify(
        &self,
        presented: Zeroizing<String>,
        from: Option<&str>,
    ) -> Result<Verdict<Result<(), Denial>>, ServiceError> {
        self.checks().identify(presented, from)
    }

    /// Whether the token itself may do what `request` asks, as an operator would try it: the
    /// same decision without a secret, and without counting as a use.
    pub fn test(&self, id: &TokenId, request: &Request) -> Result<Decision, ServiceError> {
        self.store.read(|rows| {
            let pat = Self::found(rows, id)?;
            Ok(decide(&pat, request, self.judged_at(rows)?))
        })
    }
}
