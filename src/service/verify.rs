//! "May this secret do this?": the one check behind every front end. Each check reads the store in
//! one transaction of the last commit; no decision is cached. Nothing about a record is revealed
//! before its digest has matched. A [`Verifier`] belongs to nobody and can move to a thread.

use std::{cell::OnceCell, io, path::Path, sync::Arc};

use compact_str::format_compact;
use zeroize::Zeroizing;

use super::{
    Clock, Service, ServiceError,
    usage::{RecentUses, Usage, UsageRecorder, is_recent},
};
use crate::{
    domain::{
        AccessRequest, Decision, Denial, Digest, LastUse, Secret, SecretSlot, Timestamp, Token,
        TokenId, decide, decision::check_active,
    },
    store::{CacheSize, OpenOptions, PathProblem, ReadOps, ReadSession, Store, StoreError},
};

/// A decision and the token that it is about.
#[derive(Debug)]
pub struct Verdict {
    /// Whether the secret may do what was asked, and why not.
    pub decision: Decision,
    /// The token whose secret was presented, as of the check, not always with its last uses;
    /// `None` unless the secret matched.
    pub token: Option<Token>,
}

/// Checks secrets. Checks in quick succession share work, and each is as good as one alone. A clone
/// is for another thread; it shares the recorder of last uses.
#[derive(Debug)]
pub struct Verifier {
    session: ReadSession,
    clock: Clock,
    recent: RecentUses,
    /// Made for the first use to record: most single checks find none.
    recorder: OnceCell<Arc<UsageRecorder>>,
}

impl Clone for Verifier {
    fn clone(&self) -> Self {
        Self {
            session: self.session.store().read_session(),
            clock: self.clock.clone(),
            recent: self.recent.clone(),
            recorder: Arc::clone(self.recorder()).into(),
        }
    }
}

impl Verifier {
    pub(super) fn new(store: &Store, clock: Clock) -> Self {
        Self {
            session: store.read_session(),
            clock,
            recent: RecentUses::default(),
            recorder: OnceCell::new(),
        }
    }

    /// A verifier on the store at `path`. Refuses a path without a store, one that others could
    /// read or change, and a file that is no store.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(PathProblem::NotFound.at(path));
        }
        let options = OpenOptions { cache: CacheSize::Large, ..OpenOptions::default() };
        Ok(Self::new(&Store::open_with(path, options)?, Clock::System))
    }

    /// Whether the bearer of `presented`, who calls from `from`, may do what `request` asks;
    /// without a request, whether the secret is that of an active token. An error means that
    /// there is no answer: never read it as "allowed".
    pub fn check(
        &mut self,
        presented: Zeroizing<String>,
        request: Option<&AccessRequest>,
        from: Option<&str>,
    ) -> Result<Verdict, StoreError> {
        let holder = match self.authenticate(presented)? {
            Ok(holder) => holder,
            Err(denial) => return Ok(Verdict { decision: Decision::Deny(denial), token: None }),
        };
        let decision = match request {
            Some(request) => decide(&holder.token, request, holder.at),
            None => match check_active(&holder.token, holder.at) {
                Ok(()) => Decision::Allow(None),
                Err(denial) => Decision::Deny(denial),
            },
        };
        self.record_usage(&holder, request, &decision, from);
        Ok(Verdict { decision, token: Some(holder.token) })
    }

    /// Ends the read transaction that is kept for the next check. Call it before waiting for
    /// anything: the store's file grows while one is kept and others write.
    pub fn release(&mut self) {
        self.session.release();
    }

    /// Writes the last uses that were found and not written yet; so does dropping the last clone.
    /// An error means that uses were lost; the decisions stand all the same.
    pub fn flush_usage(&mut self) -> Result<(), StoreError> {
        self.release();
        self.recorder.get().map_or(Ok(()), |recorder| recorder.flush())
    }

    /// How many last uses were not recorded because 2,048 were waiting to be written.
    pub fn dropped_uses(&self) -> u64 {
        self.recorder.get().map_or(0, |recorder| recorder.dropped())
    }

    /// Lets a thread write last uses once a second, for this verifier and its clones, so that
    /// nobody needs to call [`Verifier::flush_usage`].
    pub fn record_in_background(&self) -> io::Result<()> {
        self.recorder().start_thread()
    }

    pub(super) fn recorder(&self) -> &Arc<UsageRecorder> {
        let make = || Arc::new(UsageRecorder::new(self.session.store().clone()));
        self.recorder.get_or_init(make)
    }

    /// The token whose secret `presented` is. A denial reveals only that there is none.
    fn authenticate(
        &mut self,
        presented: Zeroizing<String>,
    ) -> Result<Result<Holder, Denial>, StoreError> {
        let secret = match Secret::parse(presented) {
            Ok(secret) => secret,
            Err(error) => return Ok(Err(Denial::Malformed(error))),
        };
        let (id, digest) = (secret.id(), secret.digest());
        drop(secret);
        let (clock, recent) = (&self.clock, &self.recent);
        let holder = self.session.read(|rows| {
            let at = clock.denial_time(rows)?;
            let Some(mut token) = rows.token_without_usage(&id)? else {
                return Ok(None);
            };
            let Some(by) = token.secret_of(&digest, at) else {
                return Ok(None);
            };
            let is_recorded = recent.is_recorded(&digest, at);
            if !is_recorded {
                rows.attach_usage(&mut token)?;
            }
            Ok::<_, StoreError>(Some(Holder { token, by, digest, at, is_recorded }))
        })?;
        Ok(holder.ok_or(Denial::Unknown))
    }

    /// Queues the use of a secret, unless one from just before is recorded.
    fn record_usage(
        &mut self,
        holder: &Holder,
        request: Option<&AccessRequest>,
        decision: &Decision,
        from: Option<&str>,
    ) {
        let Holder { token, by, digest, at, is_recorded } = holder;
        // In read-only mode, skip the use without a warning for each check.
        if *is_recorded || self.session.store().is_read_only() {
            return;
        }
        if is_recent(token, *by, *at) {
            let used = token.used_by(*by).map_or(*at, |used| used.at);
            self.recent.remember(digest, used);
            return;
        }
        let outcome = if decision.is_allowed() { "allowed" } else { "denied" };
        let what = match request {
            Some(request) => format_compact!("{} {outcome}", request.as_scope()),
            None => format_compact!("identify {outcome}"),
        };
        let used = LastUse { at: *at, from: from.map(Into::into), what };
        if self.recorder().record(Usage { id: token.id, by: *by, digest: *digest, used }) {
            self.recent.remember(digest, *at);
        }
    }
}

/// The token whose secret was presented.
struct Holder {
    token: Token,
    /// Which of its secrets.
    by: SecretSlot,
    digest: Digest,
    /// The time of the check.
    at: Timestamp,
    /// Whether a use from just before is known to be recorded.
    is_recorded: bool,
}

impl Service {
    /// A verifier on the same store and clock.
    pub fn verifier(&self) -> Verifier {
        Verifier::new(&self.store, self.clock.clone())
    }

    /// As [`Verifier::check`], once; the use is written before it returns. An error in writing it
    /// is not reported.
    #[cfg(any(test, feature = "testing"))]
    pub fn check(
        &self,
        presented: Zeroizing<String>,
        request: Option<&AccessRequest>,
        from: Option<&str>,
    ) -> Result<Verdict, ServiceError> {
        Ok(self.verifier().check(presented, request, from)?)
    }

    /// Whether the token itself may do what `request` asks, for an operator who tries it: the same
    /// decision without a secret, and not recorded as a use.
    pub fn test(&self, id: &TokenId, request: &AccessRequest) -> Result<Decision, ServiceError> {
        self.store.read(|rows| {
            let token = Self::found(rows, id)?;
            Ok(decide(&token, request, self.clock.denial_time(rows)?))
        })
    }
}
