//! Checks a presented secret: the same check for every front end. Each check reads the last commit
//! in one transaction; no decision is cached. Nothing about a record is revealed before its digest
//! has matched. A [`Verifier`] borrows nothing, so it can move to another thread.

use std::{cell::OnceCell, io, path::Path, sync::Arc};

use compact_str::format_compact;
use zeroize::Zeroizing;

use super::{
    Clock, Service, ServiceError,
    actor::current_actor,
    clock::{CheckTimes, ProcessTime},
    endings::rebuilt_event,
    usage::{LastUseCache, SecretUse, UsageRecorder},
};
use crate::{
    domain::{
        AccessRequest, CheckContext, Decision, Denial, Digest, LastUse, MaxUses, Secret,
        SecretSlot, SourceAddress, Timestamp, Token, TokenId, decide,
    },
    store::{CacheSize, CachedReader, HasTables, OpenOptions, ReadOps, Store, StoreError},
};

/// The decision on a presented secret, and its token.
#[derive(Debug)]
pub struct Verdict {
    /// Whether the secret allows the request. A denial contains the reason.
    pub decision: Decision,
    /// The token at the time of the check, possibly without its last uses. `None` if the secret did
    /// not match.
    pub token: Option<Box<Token>>,
    /// Whether the current or the previous secret was presented. `None` if the secret did not match.
    pub slot: Option<SecretSlot>,
    /// What ended the secret, if the store still has its digest. Only the secret itself reveals it;
    /// the decision on it is "unknown".
    pub ended: Option<EndedSecret>,
    /// Whether the token counts as expired only because the store contains a later time than the
    /// clock, so that `patdeck clock accept` would make it valid.
    pub is_clock_behind: bool,
}

impl Verdict {
    /// A denial of a text that is the secret of no token.
    fn of_no_token(denial: Denial, ended: Option<EndedSecret>) -> Self {
        let decision = Decision::Deny(denial);
        Self { decision, token: None, slot: None, ended, is_clock_behind: false }
    }
}

/// What ended a secret that no token has any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedSecret {
    /// The overlap of the secret is over. Contains the time at which the newest secret was issued.
    Replaced(Timestamp),
    /// The token of the secret was deleted at this time.
    Deleted(Timestamp),
}

/// Checks secrets. Consecutive checks reuse a read transaction while it is current. A clone is for
/// another thread and shares the recorder of last uses.
#[derive(Debug)]
pub struct Verifier {
    reader: CachedReader,
    clock: ProcessTime,
    recent: LastUseCache,
    /// The address that is recorded for a check without an address. No limit is compared with it.
    default_from: Option<String>,
    /// The recorder of last uses, created when the first use is recorded. Most verifiers that make
    /// a single check record no use.
    recorder: OnceCell<Arc<UsageRecorder>>,
}

impl Clone for Verifier {
    fn clone(&self) -> Self {
        Self {
            reader: self.reader.store().cached_reader(),
            clock: self.clock.clone(),
            recent: self.recent.clone(),
            default_from: self.default_from.clone(),
            recorder: Arc::clone(self.recorder()).into(),
        }
    }
}

impl Verifier {
    pub(super) fn new(store: &Store, clock: ProcessTime) -> Self {
        Self {
            reader: store.cached_reader(),
            clock,
            recent: LastUseCache::default(),
            default_from: None,
            recorder: OnceCell::new(),
        }
    }

    /// Opens the store at `path` for checks. Fails if the file does not exist, is not a store, or
    /// can be read or changed by other users.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let options = OpenOptions {
            create_missing: false,
            cache: CacheSize::Large,
            ..OpenOptions::default()
        };
        let store = Store::open_with(path, options)?;
        let actor = || current_actor(|name| std::env::var(name).ok());
        store.ensure_register(|| rebuilt_event(&actor(), Clock::System.now()))?;
        Ok(Self::new(&store, ProcessTime::new(Clock::System)))
    }

    /// Records `from` with each check that has no address of its own.
    #[must_use]
    pub fn recording_from(self, from: Option<String>) -> Self {
        Self { default_from: from, ..self }
    }

    /// Decides whether the secret `presented` allows `request`. If `request` is `None`, decides
    /// whether `presented` is the secret of an active token. `from` is the address of the client: it
    /// is recorded with the last use, and a token with allowed networks needs it. If the token has a
    /// maximum number of uses, an allowed check takes one in a durable write. An error means that
    /// there is no answer: callers must never treat it as "allowed".
    pub fn check(
        &mut self,
        presented: Zeroizing<String>,
        request: Option<&AccessRequest>,
        from: Option<&str>,
    ) -> Result<Verdict, StoreError> {
        let presented = match Secret::parse(presented) {
            Ok(secret) => PresentedKey { id: secret.id(), digest: secret.digest() },
            Err(error) => return Ok(Verdict::of_no_token(Denial::Malformed(error), None)),
        };
        let mut outcome = self.decide(&presented, request, from)?;
        if outcome.counted_use().is_some() {
            outcome = self.take_use(&presented, request, from)?;
        }
        let CheckOutcome { decision, authenticated } = outcome;
        let authenticated = match authenticated {
            Ok(authenticated) => authenticated,
            Err(ended) => return Ok(Verdict::of_no_token(Denial::Unknown, ended)),
        };
        self.record_usage(&authenticated, request, &decision, from);
        let is_clock_behind =
            matches!(decision, Decision::Deny(Denial::Expired(end)) if authenticated.clock < end);
        let AuthenticatedToken { token, slot, .. } = authenticated;
        let (token, slot) = (Some(token), Some(slot));
        Ok(Verdict { decision, token, slot, ended: None, is_clock_behind })
    }

    /// Begins the read of the next check, which must follow at once. Returns `false` if that check may
    /// have to wait for a lock of another process.
    pub(crate) fn begin_without_wait(&mut self) -> bool {
        self.reader.begin_without_wait()
    }

    /// Decides on the last commit. Records nothing and takes no use.
    pub(super) fn decide(
        &mut self,
        presented: &PresentedKey,
        request: Option<&AccessRequest>,
        from: Option<&str>,
    ) -> Result<CheckOutcome, StoreError> {
        let authenticated = match self.authenticate(presented)? {
            Ok(authenticated) => authenticated,
            Err(ended) => {
                let decision = Decision::Deny(Denial::Unknown);
                return Ok(CheckOutcome { decision, authenticated: Err(ended) });
            }
        };
        let AuthenticatedToken { token, slot, at, clock, ended, .. } = &authenticated;
        let context = CheckContext {
            at: *at,
            clock: *clock,
            source: SourceAddress::parse(from),
            slot: *slot,
        };
        let decision = match ended {
            Some(denial) => Decision::Deny(denial.clone()),
            None => decide(token, request, &context),
        };
        Ok(CheckOutcome { decision, authenticated: Ok(authenticated) })
    }

    pub(super) fn store(&self) -> &Store {
        self.reader.store()
    }

    /// Ends the read transaction that is kept for the next check. Call it before waiting for input:
    /// while a read transaction is open, the file grows with each write.
    pub fn release(&mut self) {
        self.reader.release();
    }

    /// Writes the queued last uses. Dropping the last clone of the verifier also writes them. An
    /// error means that some uses were lost, but the decisions remain valid.
    pub fn flush_usage(&mut self) -> Result<(), StoreError> {
        self.release();
        self.recorder.get().map_or(Ok(()), |recorder| recorder.flush())
    }

    /// Number of last uses that were dropped because the queue (2,048) was full.
    pub fn dropped_uses(&self) -> u64 {
        self.recorder.get().map_or(0, |recorder| recorder.dropped())
    }

    /// Starts a thread that writes the last uses of this verifier and its clones once a second, so
    /// that callers need not call [`Verifier::flush_usage`]. Fails if the thread cannot start.
    pub fn record_in_background(&self) -> io::Result<()> {
        self.recorder().start_thread()
    }

    pub(super) fn recorder(&self) -> &Arc<UsageRecorder> {
        let make = || Arc::new(UsageRecorder::new(self.reader.store().clone()));
        self.recorder.get_or_init(make)
    }

    /// Finds the token whose secret is `presented`. If there is none, returns what ended the secret;
    /// callers must not reveal whether the token exists.
    fn authenticate(
        &mut self,
        presented: &PresentedKey,
    ) -> Result<Result<AuthenticatedToken, Option<EndedSecret>>, StoreError> {
        let PresentedKey { id, digest } = *presented;
        let (process_time, recent) = (&self.clock, &self.recent);
        let authenticated = self.reader.read(|rows| {
            let CheckTimes { denial: at, clock } = process_time.check_times(rows)?;
            let Some(mut token) = rows.token_without_usage(&id)? else {
                // A damaged record of the trash must not change the denial.
                let deleted = rows.deleted_token(&id).ok().flatten();
                let own = deleted.filter(|it| it.token.accepts(&digest, it.at));
                return Ok(Err((own.map(|deleted| EndedSecret::Deleted(deleted.at)), None)));
            };
            let newest_recorded = rows.intact_recorded_time()?.newest();
            let Some(slot) = token.matching_slot(&digest, at) else {
                let previous = token.previous.filter(|old| old.digest.matches(&digest));
                let ended = previous.as_ref().filter(|old| newest_recorded < Some(old.until));
                let overlap_ended = ended.map(|_| at);
                let replaced = previous.map(|_| EndedSecret::Replaced(token.issued));
                return Ok(Err((replaced, overlap_ended)));
            };
            let ended = rows.revocation_state(&id)?.denial(&token, slot, at);
            if !recent.has_secret(&digest, at) {
                rows.attach_usage(&mut token)?;
            }
            rows.attach_use_count(&mut token)?;
            Ok::<_, StoreError>(Ok(AuthenticatedToken {
                token,
                slot,
                digest,
                at,
                clock,
                ended,
                newest_recorded,
            }))
        })?;
        Ok(authenticated.map_err(|(ended, overlap_ended)| {
            if let Some(at) = overlap_ended {
                self.record_denial_time(at);
            }
            ended
        }))
    }

    /// Counts the check, and queues the use of the secret, unless a recent use with the same request,
    /// answer and address is already recorded.
    fn record_usage(
        &mut self,
        authenticated: &AuthenticatedToken,
        request: Option<&AccessRequest>,
        decision: &Decision,
        from: Option<&str>,
    ) {
        let AuthenticatedToken { token, digest, at, newest_recorded, .. } = authenticated;
        // The denial of an expired secret must last, even if its last use is too recent to be
        // recorded again.
        if matches!(decision, Decision::Deny(Denial::Expired(end)) if *newest_recorded < Some(*end))
        {
            self.record_denial_time(*at);
        }
        // In read-only mode, skip the use without a warning for each check.
        if self.reader.store().is_read_only() {
            return;
        }
        let is_allowed = decision.is_allowed();
        let hash = self.recent.hash_of(request, is_allowed, from);
        let usage = if self.recent.is_recorded(digest, hash, *at) {
            None
        } else {
            let from = from.or(self.default_from.as_deref());
            let usage = new_usage(authenticated, request, decision, from);
            match usage.repeated_use(token) {
                Some(recorded) => {
                    self.recent.remember(digest, hash, recorded.at);
                    None
                }
                None => Some(usage),
            }
        };
        let is_new = usage.is_some();
        if self.recorder().record(token.id, *at, is_allowed, usage) && is_new {
            self.recent.remember(digest, hash, *at);
        }
    }

    /// Queues the time of a denial, so that setting the clock back does not cancel the denial.
    fn record_denial_time(&self, at: Timestamp) {
        if !self.reader.store().is_read_only() {
            self.recorder().record_time(at);
        }
    }
}

/// The id and the digest of a presented secret.
#[derive(Debug, Clone, Copy)]
pub(super) struct PresentedKey {
    id: TokenId,
    digest: Digest,
}

/// A decision, and the token whose secret was presented, or what ended that secret.
pub(super) struct CheckOutcome {
    pub(super) decision: Decision,
    authenticated: Result<AuthenticatedToken, Option<EndedSecret>>,
}

impl CheckOutcome {
    /// The token and the secret of which this check takes a use: it is allowed, and the token has a
    /// maximum number of uses.
    pub(super) fn counted_use(&self) -> Option<(&Token, SecretSlot, MaxUses)> {
        let AuthenticatedToken { token, slot, .. } = self.authenticated.as_ref().ok()?;
        let max = token.limits.max_uses.filter(|_| self.decision.is_allowed())?;
        Some((token, *slot, max))
    }

    /// Adds the use that was taken to the count in the token.
    pub(super) fn add_use(&mut self) {
        if let Ok(AuthenticatedToken { token, slot, .. }) = &mut self.authenticated {
            token.add_use(*slot);
        }
    }
}

/// Describes this check as a use of the secret.
fn new_usage(
    authenticated: &AuthenticatedToken,
    request: Option<&AccessRequest>,
    decision: &Decision,
    from: Option<&str>,
) -> SecretUse {
    let AuthenticatedToken { token, slot, digest, at, .. } = authenticated;
    let (outcome, denial) = match decision {
        Decision::Allow(_) => (" allowed", None),
        Decision::Deny(denial) => ("", Some(denial.reason())),
    };
    let summary = match request {
        Some(request) => format_compact!("{}{outcome}", request.as_scope()),
        None => format_compact!("identify{outcome}"),
    };
    let used = LastUse { at: *at, from: from.map(Into::into), summary };
    SecretUse { id: token.id, slot: *slot, digest: *digest, used, denial }
}

/// The token whose secret was presented, and the secret's slot and digest.
struct AuthenticatedToken {
    /// Without its last uses if a recent use of the secret is cached.
    token: Box<Token>,
    slot: SecretSlot,
    digest: Digest,
    /// The time of the check, at which expiry is evaluated.
    at: Timestamp,
    /// The time of the clock.
    clock: Timestamp,
    /// The denial if the revocation register overrules the record.
    ended: Option<Denial>,
    /// The newest time that the store contains. `None` is before every time.
    newest_recorded: Option<Timestamp>,
}

impl Service {
    /// Creates a verifier on the store and the clock of this service.
    pub fn verifier(&self) -> Verifier {
        Verifier::new(&self.store, self.clock.clone())
    }

    /// Runs [`Verifier::check`] once and records the use of the token before returning. A failed
    /// write of the use is not reported.
    #[cfg(any(test, feature = "testing"))]
    pub fn check(
        &self,
        presented: Zeroizing<String>,
        request: Option<&AccessRequest>,
        from: Option<&str>,
    ) -> Result<Verdict, ServiceError> {
        Ok(self.verifier().check(presented, request, from)?)
    }

    /// Decides whether the token allows `request` from the address `from`, as [`Verifier::check`]
    /// would, but without a secret, and without recording or taking a use.
    pub fn check_access(
        &self,
        id: &TokenId,
        request: &AccessRequest,
        from: Option<&str>,
    ) -> Result<Decision, ServiceError> {
        self.store.read(|rows| {
            let token = Self::require_token(rows, id)?;
            let CheckTimes { denial: at, clock } = self.clock.check_times(rows)?;
            let state = rows.revocation_state(id)?;
            if let Some(denial) = state.denial(&token, SecretSlot::Current, at) {
                return Ok(Decision::Deny(denial));
            }
            let source = SourceAddress::parse(from);
            let context = CheckContext { clock, source, ..CheckContext::at(at) };
            Ok(decide(&token, Some(request), &context))
        })
    }
}
