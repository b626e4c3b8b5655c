//! Records the last uses of secrets, and counts all checks of each token by day. A bounded queue
//! collects the uses, and one transaction writes all of them when [`UsageRecorder::flush`] is called
//! or the recorder is dropped. The background thread, if started, also writes them every second. A
//! failed write does not change any decision. Called by the verifier.

use std::{
    hash::{BuildHasher as _, RandomState},
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use chrono::TimeDelta;
use hashbrown::HashMap;

use crate::{
    domain::{
        AccessRequest, DenialReason, DeniedAttempt, Digest, LastUse, SecretSlot, Timestamp, Token,
        TokenId, UsageDays,
    },
    store::{ReadOps, Store, StoreError},
};

/// Minimum interval between two recorded uses of one secret with the same request, answer and
/// address.
const MIN_USE_INTERVAL: TimeDelta = TimeDelta::seconds(30);

/// Maximum time that a write of uses waits for the lock of the store. It is short because a check
/// may wait for the write. A lost use does little harm: a later check records another use.
const LOCK_TIMEOUT: Duration = Duration::from_millis(200);

/// Maximum number of queued uses. A full queue takes 300 KB, and one transaction writes it in about
/// 50 ms.
const CAPACITY: usize = 2_048;

/// Maximum number of tokens whose checks are counted before they are written. Their counts take
/// 5 MB. Checks of more tokens are not counted.
const MAX_COUNTED_TOKENS: usize = 1 << 16;

/// How long the thread collects uses before it writes them.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// Counts without a new use are flushed only if their checks span this time, so that no check causes
/// a write of its own.
const COUNT_SPAN: TimeDelta = TimeDelta::seconds(1);

/// A use of a secret or a denied attempt, to be recorded.
#[derive(Debug)]
pub(super) struct SecretUse {
    pub(super) id: TokenId,
    pub(super) slot: SecretSlot,
    pub(super) digest: Digest,
    pub(super) used: LastUse,
    /// Why the check was denied; `None` if it was allowed.
    pub(super) denial: Option<DenialReason>,
}

impl SecretUse {
    /// Returns the use or denied attempt in `token` because of which this one needs no new record:
    /// it is the last one of the secret with the same answer, less than [`MIN_USE_INTERVAL`] away,
    /// and has the same request and address or is later. A last use further in the future comes
    /// from a fast clock and does not count. Otherwise, no use would be recorded until that time.
    pub(super) fn repeated_use<'t>(&self, token: &'t Token) -> Option<&'t LastUse> {
        let (slot, used) = (self.slot, &self.used);
        let last = if self.denial.is_none() {
            token.last_use_of(slot)
        } else {
            token.last_denial_of(slot)
        };
        last.filter(|last| {
            let is_same = (&last.summary, &last.from) == (&used.summary, &used.from);
            within_interval(last.at, used.at) && (is_same || last.at > used.at)
        })
    }
}

/// Writes the uses of one verifier and its clones.
#[derive(Debug)]
pub(super) struct UsageRecorder {
    queue: Arc<UsageQueue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct UsageQueue {
    store: Store,
    state: Mutex<QueueState>,
    changed: Condvar,
    /// Held while uses are written, so that a flush waits for the thread's write.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct QueueState {
    queued: Vec<SecretUse>,
    /// The latest time of a use or a denial that is not written yet.
    newest: Option<Timestamp>,
    /// The checks of each token that are not written yet.
    counts: HashMap<TokenId, UsageDays>,
    /// The times of the first and the last check in `counts`.
    counted: Option<(Timestamp, Timestamp)>,
    /// Number of checks so far.
    checks: u64,
    /// Whether anything was added since the last flush.
    has_new: bool,
    /// Number of uses dropped because the queue was full.
    dropped: u64,
    /// The last write error that no flush has returned yet.
    error: Option<StoreError>,
    is_closed: bool,
}

impl UsageRecorder {
    pub(super) fn new(store: Store) -> Self {
        let queue = UsageQueue {
            store,
            state: Mutex::default(),
            changed: Condvar::new(),
            writing: Mutex::default(),
        };
        Self { queue: Arc::new(queue), thread: Mutex::default() }
    }

    /// Counts a check of the token at `at`, and queues `usage` if the check needs a new record. If
    /// the queue is full, drops `usage` and returns `false`: dropping the newest use loses least,
    /// because its secret is likely to be used again.
    pub(super) fn record(
        &self,
        id: TokenId,
        at: Timestamp,
        is_allowed: bool,
        usage: Option<SecretUse>,
    ) -> bool {
        let mut state = self.queue.lock();
        state.count(id, at, is_allowed);
        let is_full = usage.is_some() && state.queued.len() >= CAPACITY;
        if is_full {
            state.dropped = state.dropped.saturating_add(1);
        } else if let Some(usage) = usage {
            state.newest = state.newest.max(Some(usage.used.at));
            state.queued.push(usage);
        }
        let was_idle = !std::mem::replace(&mut state.has_new, true);
        if was_idle || state.queued.len() == CAPACITY {
            self.queue.changed.notify_one();
        }
        !is_full
    }

    /// Queues the time of a denial, which is written like the time of a use.
    pub(super) fn record_time(&self, at: Timestamp) {
        let mut state = self.queue.lock();
        state.newest = state.newest.max(Some(at));
        state.has_new = true;
        self.queue.changed.notify_one();
    }

    /// Writes the queued uses, and the counts if a use is written or the counted checks span
    /// [`COUNT_SPAN`]. An error means that some uses were lost in this write or in an
    /// earlier write of the background thread. Lost uses are not written again.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.queue.flush(QueueState::is_due);
        self.queue.lock().error.take().map_or(Ok(()), Err)
    }

    /// Number of uses dropped so far because the queue was full.
    pub(super) fn dropped(&self) -> u64 {
        self.queue.lock().dropped
    }

    /// Starts the background thread unless it is running. The thread writes the queued uses once a
    /// second, or as soon as the queue is full. Fails if the system cannot start a thread.
    pub(super) fn start_thread(&self) -> io::Result<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let queue = Arc::clone(&self.queue);
            *thread = Some(thread::Builder::new().name("usage".into()).spawn(move || queue.run())?);
        }
        Ok(())
    }
}

impl Drop for UsageRecorder {
    fn drop(&mut self) {
        self.queue.lock().is_closed = true;
        self.queue.changed.notify_one();
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // The panic hook has already reported a panic of the thread.
        drop(thread.map(JoinHandle::join));
        // A process that makes a single check must not write for its count alone.
        self.queue.flush(|state| state.newest.is_some() || state.checks > 1);
    }
}

impl UsageQueue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the queued uses and the counts, if `is_due` returns `true`.
    fn flush(&self, is_due: impl FnOnce(&QueueState) -> bool) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = {
            let mut state = self.lock();
            if !is_due(&state) {
                return;
            }
            state.take_batch()
        };
        while !batch.is_empty() {
            let later = batch.split_off_counts();
            if let Err(error) = write(&self.store, &batch) {
                let mut state = self.lock();
                // The counts of an unknown commit may be stored: do not count them twice.
                if !matches!(error, StoreError::CommitResultUnknown { .. }) {
                    state.restore_counts(batch.counts);
                }
                state.restore_counts(later);
                state.error = Some(error);
                return;
            }
            batch = UsageBatch { counts: later, ..UsageBatch::default() };
        }
    }

    fn run(&self) {
        loop {
            let is_idle = |state: &mut QueueState| !state.has_new && !state.is_closed;
            let state = self.changed.wait_while(self.lock(), is_idle);
            let is_collecting =
                |state: &mut QueueState| state.queued.len() < CAPACITY && !state.is_closed;
            let state = state.unwrap_or_else(PoisonError::into_inner);
            let ready = self.changed.wait_timeout_while(state, FLUSH_INTERVAL, is_collecting);
            let is_closed = ready.unwrap_or_else(PoisonError::into_inner).0.is_closed;
            self.flush(|_| true);
            if is_closed {
                return;
            }
        }
    }
}

impl QueueState {
    fn count(&mut self, id: TokenId, at: Timestamp, is_allowed: bool) {
        self.checks = self.checks.saturating_add(1);
        let first = self.counted.map_or(at, |(first, _)| first);
        self.counted = Some((first, at));
        if let Some(days) = self.counts.get_mut(&id) {
            days.count(at, is_allowed);
        } else if self.counts.len() < MAX_COUNTED_TOKENS {
            self.counts.entry(id).or_default().count(at, is_allowed);
        }
    }

    /// Whether there is a new use, or the counted checks span [`COUNT_SPAN`].
    fn is_due(&self) -> bool {
        let span = self.counted.map(|(first, last)| (last - first).abs());
        self.newest.is_some() || span.is_some_and(|span| span >= COUNT_SPAN)
    }

    fn take_batch(&mut self) -> UsageBatch {
        self.has_new = false;
        self.counted = None;
        UsageBatch {
            uses: std::mem::take(&mut self.queued),
            newest: self.newest.take(),
            counts: std::mem::take(&mut self.counts).into_iter().collect(),
        }
    }

    /// Adds counts that were not written, so that the next flush writes them.
    fn restore_counts(&mut self, counts: Vec<(TokenId, UsageDays)>) {
        for (id, days) in counts {
            if self.counts.len() < MAX_COUNTED_TOKENS || self.counts.contains_key(&id) {
                self.counts.entry(id).or_default().add_all(&days);
            }
        }
    }
}

/// The content of one write.
#[derive(Debug, Default)]
pub(super) struct UsageBatch {
    pub(super) uses: Vec<SecretUse>,
    /// The latest time of the uses and denials.
    pub(super) newest: Option<Timestamp>,
    /// The checks of each token.
    pub(super) counts: Vec<(TokenId, UsageDays)>,
}

impl UsageBatch {
    fn is_empty(&self) -> bool {
        self.newest.is_none() && self.counts.is_empty()
    }

    /// Keeps the counts of [`CAPACITY`] tokens, to limit the time for which the store is locked.
    /// Returns the others.
    fn split_off_counts(&mut self) -> Vec<(TokenId, UsageDays)> {
        self.counts.split_off(self.counts.len().min(CAPACITY))
    }
}

/// Writes `batch` in one transaction. Reads each record again, because another check may have
/// recorded a use in the meantime, and no use may be stored for a deleted token.
pub(super) fn write(store: &Store, batch: &UsageBatch) -> Result<(), StoreError> {
    store.write_within(LOCK_TIMEOUT, |rows| {
        if let Some(newest) = batch.newest {
            rows.raise_newest_use(newest)?;
        }
        batch.counts.iter().try_for_each(|(id, days)| rows.add_usage_days(id, days))?;
        batch.uses.iter().try_for_each(|usage| {
            let SecretUse { id, slot, digest, used, denial } = usage;
            if rows.token(id)?.is_none_or(|token| usage.repeated_use(&token).is_some()) {
                return Ok(());
            }
            let previous = (*slot == SecretSlot::Previous).then_some(*digest);
            rows.put_attempt(id, previous, used, denial.is_none())?;
            denial.map_or(Ok(()), |reason| {
                let LastUse { at, from, summary: request } = used.clone();
                rows.add_denied_attempt(
                    id,
                    DeniedAttempt { at, reason, request, from, slot: *slot },
                )
            })
        })
    })
}

/// Cache of the uses recorded in the last [`MIN_USE_INTERVAL`], so that a check need not read them.
/// The key is the digest.
#[derive(Debug, Clone, Default)]
pub(super) struct LastUseCache {
    secrets: HashMap<[u8; 32], RecentUses>,
    hasher: RandomState,
}

/// The different uses of one secret since `since`.
#[derive(Debug, Clone)]
struct RecentUses {
    since: Timestamp,
    hashes: Vec<UseHash>,
}

/// Hash of what was requested, the answer and the address of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UseHash(u64);

impl LastUseCache {
    /// Maximum number of cached secrets, which take 6 MB with one use each.
    const CAPACITY: usize = 1 << 16;

    /// Maximum number of different uses of one secret that are recorded in [`MIN_USE_INTERVAL`], so
    /// that no client causes a write with each check.
    const MAX_DIFFERENT_USES: usize = 8;

    /// Whether any use of this secret within [`MIN_USE_INTERVAL`] of `at` is recorded or queued.
    pub(super) fn has_secret(&self, digest: &Digest, at: Timestamp) -> bool {
        self.recent(digest, at).is_some()
    }

    /// Identifies a use without its text, which would cost more than the rest of this cache.
    pub(super) fn hash_of(
        &self,
        request: Option<&AccessRequest>,
        is_allowed: bool,
        from: Option<&str>,
    ) -> UseHash {
        UseHash(self.hasher.hash_one((request, is_allowed, from)))
    }

    /// Whether this use, or the maximum number of other uses, is recorded or queued for the secret
    /// within [`MIN_USE_INTERVAL`] of `at`.
    pub(super) fn is_recorded(&self, digest: &Digest, used: UseHash, at: Timestamp) -> bool {
        self.recent(digest, at).is_some_and(|recent| {
            recent.hashes.len() >= Self::MAX_DIFFERENT_USES || recent.hashes.contains(&used)
        })
    }

    /// Caches `used`, which was recorded at `at`.
    pub(super) fn remember(&mut self, digest: &Digest, used: UseHash, at: Timestamp) {
        if self.secrets.len() >= Self::CAPACITY {
            // The next check of each secret reads its last use from the store again.
            self.secrets.clear();
        }
        let new = || RecentUses { since: at, hashes: Vec::new() };
        let recent = self.secrets.entry(*digest.as_bytes()).or_insert_with(new);
        if !within_interval(recent.since, at) {
            *recent = new();
        }
        recent.hashes.push(used);
    }

    fn recent(&self, digest: &Digest, at: Timestamp) -> Option<&RecentUses> {
        self.secrets.get(digest.as_bytes()).filter(|recent| within_interval(recent.since, at))
    }
}

fn within_interval(one: Timestamp, other: Timestamp) -> bool {
    (other - one).abs() < MIN_USE_INTERVAL
}
