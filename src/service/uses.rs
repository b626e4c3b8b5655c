//! Last uses that checks have found: which are worth writing, and writing them, many in one
//! transaction and after the answers that somebody waits for. A use only informs: one that cannot
//! be written changes no answer. Called by the checks.

use std::{collections::HashMap, time::Duration};

use chrono::TimeDelta;

use crate::{
    domain::{Digest, LastUse, Moment, Pat, TokenId, Which},
    store::{Rows, Store, StoreError},
};

/// Uses of one secret nearer to each other than this are written once.
const INTERVAL: TimeDelta = TimeDelta::seconds(30);

/// How long uses wait to be written. Somebody waits for the end of it, and the next use is as
/// good.
const PATIENCE: Duration = Duration::from_millis(200);

/// Uses that are written together at the latest.
const WAITING: usize = 256;

/// Secrets that are kept in mind at most: 5 MB of them.
const SEEN: usize = 1 << 16;

/// What a run of checks has to write.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// When these secrets were used, as it is written or will be.
    seen: HashMap<[u8; 32], Moment>,
    waiting: Vec<Use>,
    failed: Option<StoreError>,
}

/// A use to be written.
#[derive(Debug)]
pub(super) struct Use {
    /// Of which token.
    pub(super) id: TokenId,
    /// By which of its secrets.
    pub(super) by: Which,
    /// What is kept of that secret.
    pub(super) digest: Digest,
    /// When, whence and what.
    pub(super) used: LastUse,
}

impl Uses {
    /// Whether a use of this secret from just before `at` is known to be written, so that nobody
    /// needs to look.
    pub(super) fn know(&self, digest: &Digest, at: Moment) -> bool {
        self.seen.get(digest.as_bytes()).is_some_and(|seen| near(*seen, at))
    }

    /// Keeps in mind that the secret was used at `at`.
    pub(super) fn keep_in_mind(&mut self, digest: &Digest, at: Moment) {
        if self.seen.len() >= SEEN {
            // Whose use is forgotten is looked up once more.
            self.seen.clear();
        }
        self.seen.insert(*digest.as_bytes(), at);
    }

    /// Adds one to those that wait; writes them if they are many.
    pub(super) fn add(&mut self, store: &Store, one: Use) {
        self.keep_in_mind(&one.digest, one.used.at);
        self.waiting.push(one);
        if self.waiting.len() >= WAITING {
            self.write(store);
        }
    }

    /// Writes what waits. What went wrong, now or before; it is not tried again.
    pub(super) fn finish(&mut self, store: &Store) -> Result<(), StoreError> {
        self.write(store);
        self.failed.take().map_or(Ok(()), Err)
    }

    fn write(&mut self, store: &Store) {
        if self.waiting.is_empty() {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        if let Err(error) = write(store, &waiting) {
            self.failed = Some(error);
        }
    }
}

/// Writes these uses. Other checks may have written some since the tokens were read, or somebody
/// may have deleted a token, which its use must not outlive: the records are asked again.
pub(super) fn write(store: &Store, uses: &[Use]) -> Result<(), StoreError> {
    store.write_within(PATIENCE, |rows| {
        uses.iter().try_for_each(|Use { id, by, digest, used }| {
            if rows.pat(id)?.is_none_or(|pat| is_recent(&pat, *by, used.at)) {
                return Ok(());
            }
            match by {
                Which::Retiring => rows.put_retiring_use(id, *digest, used),
                Which::Present => rows.put_use(id, used),
            }
        })
    })
}

/// Whether a use of `pat` by that secret from just before or after `at` is written. One far in
/// the future was written by a clock that ran ahead, and is no reason to write none until then.
pub(super) fn is_recent(pat: &Pat, by: Which, at: Moment) -> bool {
    pat.used_by(by).is_some_and(|used| near(used.at, at))
}

fn near(one: Moment, other: Moment) -> bool {
    (other - one).abs() < INTERVAL
}
