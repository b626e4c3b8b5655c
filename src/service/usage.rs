//! Records the last uses that checks have found. Uses wait in a bounded queue and are written many
//! in one transaction: by [`UsageRecorder::flush`], by a thread if one was started, and at the
//! latest when the recorder is dropped. A use only informs: one that cannot be written changes no
//! answer. Called by the verifier.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use chrono::TimeDelta;

use crate::{
    domain::{Digest, LastUse, SecretSlot, Timestamp, Token, TokenId},
    store::{ReadOps, Store, StoreError},
};

/// Uses of one secret nearer to each other than this are written once.
const INTERVAL: TimeDelta = TimeDelta::seconds(30);

/// How long a write of uses waits for its turn. Someone may wait for it, and the next use is as
/// good.
const LOCK_TIMEOUT: Duration = Duration::from_millis(200);

/// Uses that wait at most, 300 KB of them. A transaction for so many takes some 50 ms.
const CAPACITY: usize = 2_048;

/// How long the thread collects uses before it writes them.
const COLLECT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Usage {
    pub(super) id: TokenId,
    pub(super) by: SecretSlot,
    pub(super) digest: Digest,
    pub(super) used: LastUse,
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
    state: Mutex<State>,
    changed: Condvar,
    /// Held while uses are written, so that a flush waits for the thread's write.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Usage>,
    /// How many uses found the queue full.
    dropped: u64,
    /// The last error since a flush returned one.
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

    /// Queues `usage`. If the queue is full, the use is dropped and `false` returned: the newest
    /// is dropped, because its secret will be used again.
    pub(super) fn record(&self, usage: Usage) -> bool {
        let mut state = self.queue.lock();
        if state.waiting.len() >= CAPACITY {
            state.dropped = state.dropped.saturating_add(1);
            return false;
        }
        state.waiting.push(usage);
        if state.waiting.len() == 1 || state.waiting.len() == CAPACITY {
            self.queue.changed.notify_one();
        }
        true
    }

    /// Writes what is queued. An error, possibly an earlier one of the thread, means that some uses
    /// were lost; they are not tried again.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.queue.flush();
        self.queue.lock().error.take().map_or(Ok(()), Err)
    }

    /// How many uses were dropped so far because the queue was full.
    pub(super) fn dropped(&self) -> u64 {
        self.queue.lock().dropped
    }

    /// Starts the thread, unless it runs. It writes what is queued once a second, and as soon as
    /// the queue is full.
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
        // A panic of the thread was reported by the panic hook.
        drop(thread.map(JoinHandle::join));
        self.queue.flush();
    }
}

impl UsageQueue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flush(&self) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = std::mem::take(&mut self.lock().waiting);
        if !waiting.is_empty()
            && let Err(error) = write(&self.store, &waiting)
        {
            self.lock().error = Some(error);
        }
    }

    fn run(&self) {
        loop {
            let idle = |state: &mut State| state.waiting.is_empty() && !state.is_closed;
            let state = self.changed.wait_while(self.lock(), idle);
            let collecting = |state: &mut State| state.waiting.len() < CAPACITY && !state.is_closed;
            let state = state.unwrap_or_else(PoisonError::into_inner);
            let waited = self.changed.wait_timeout_while(state, COLLECT, collecting);
            let is_closed = waited.unwrap_or_else(PoisonError::into_inner).0.is_closed;
            self.flush();
            if is_closed {
                return;
            }
        }
    }
}

/// Writes these uses in one transaction. Each record is read again: another check may have written
/// a use since, and a use must not outlive a deleted token.
pub(super) fn write(store: &Store, uses: &[Usage]) -> Result<(), StoreError> {
    store.write_within(LOCK_TIMEOUT, |rows| {
        uses.iter().try_for_each(|Usage { id, by, digest, used }| {
            if rows.token(id)?.is_none_or(|token| is_recent(&token, *by, used.at)) {
                return Ok(());
            }
            match by {
                SecretSlot::Previous => rows.put_retiring_use(id, *digest, used),
                SecretSlot::Current => rows.put_use(id, used),
            }
        })
    })
}

/// The last recorded uses of secrets, so that a check need not read them.
#[derive(Debug, Clone, Default)]
pub(super) struct RecentUses(HashMap<[u8; 32], Timestamp>);

impl RecentUses {
    /// Secrets that are remembered at most, 5 MB of them.
    const CAPACITY: usize = 1 << 16;

    /// Whether a use of this secret from just before `at` is recorded or queued.
    pub(super) fn is_recorded(&self, digest: &Digest, at: Timestamp) -> bool {
        self.0.get(digest.as_bytes()).is_some_and(|used| within_interval(*used, at))
    }

    /// Remembers that the secret was used at `at`.
    pub(super) fn remember(&mut self, digest: &Digest, at: Timestamp) {
        if self.0.len() >= Self::CAPACITY {
            // The use of a forgotten secret is read once more.
            self.0.clear();
        }
        self.0.insert(*digest.as_bytes(), at);
    }
}

/// Whether a use of `pat` by that secret from just before or after `at` is written. A last use far
/// in the future comes from a fast clock; it does not count, or no use would be recorded until
/// then.
pub(super) fn is_recent(token: &Token, by: SecretSlot, at: Timestamp) -> bool {
    token.used_by(by).is_some_and(|used| within_interval(used.at, at))
}

fn within_interval(one: Timestamp, other: Timestamp) -> bool {
    (other - one).abs() < INTERVAL
}
