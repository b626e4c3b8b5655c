//! Jobs: changes of so many tokens that they are saved in batches, one transaction each. The store
//! keeps a job until its last batch, so that an interrupted job can be reported and finished.
//! Written by the service; shown by `doctor` and the app.

use super::{
    Timestamp,
    command::ScopesToRemove,
    count::{counted, grouped},
    event::Actor,
    id::TokenId,
    scope::Scope,
};

/// Maximum number of tokens that one transaction changes. A change of more tokens is a job.
pub const MAX_PER_TRANSACTION: usize = 5_000;

/// An unfinished change that is saved in batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub kind: JobKind,
    /// The operator who confirmed the change. All events of the job name this actor.
    pub actor: Actor,
    pub started: Timestamp,
    /// Number of tokens that the job processes.
    pub total: u64,
    /// Number of tokens that the job has processed, including the skipped ones.
    pub done: u64,
    /// Number of tokens that the job has left as they are, because they changed after the plan was
    /// shown.
    pub skipped: u64,
    /// The key of the last token that was processed. The job continues after it, in key order.
    pub cursor: Option<[u8; TokenId::LEN]>,
    /// Names the lock that the process of the job holds.
    pub lock: u64,
}

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobKind {
    /// Import tokens from a file. Only the file contains the remaining tokens. `ids_crc` is the
    /// CRC-32 of all ids, which tells whether an import is run again.
    Import { ids_crc: u32 },
    /// Delete all tokens that have no event after `after_event`.
    DeleteAll {
        /// The time of the deletion, which all batches share.
        deletion: Timestamp,
        /// Number of the newest event that the operator's plan included.
        after_event: u64,
    },
    /// Restore the tokens that were deleted at this time.
    Restore { deletion: Timestamp },
    /// Add scopes to the remaining tokens.
    AddScopes { scopes: Vec<Scope>, remaining: Vec<TokenId> },
    /// Remove scopes from the remaining tokens.
    RemoveScopes { scopes: ScopesToRemove, remaining: Vec<TokenId> },
}

impl Job {
    /// Returns a job that has processed none of its `total` tokens.
    pub fn new(kind: JobKind, actor: Actor, started: Timestamp, total: usize, lock: u64) -> Self {
        let total = u64::try_from(total).unwrap_or(u64::MAX);
        Self { kind, actor, started, total, done: 0, skipped: 0, cursor: None, lock }
    }

    /// Adds a batch of `count` tokens to the progress, of which `skipped` were left as they are.
    pub fn add_batch(&mut self, count: usize, skipped: usize) {
        let sum =
            |before: u64, more| before.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
        self.done = sum(self.done, count);
        self.skipped = sum(self.skipped, skipped);
    }

    /// What the job does, as a noun: `deletion of all tokens`.
    pub fn describe(&self) -> &'static str {
        match self.kind {
            JobKind::Import { .. } => "import",
            JobKind::DeleteAll { .. } => "deletion of all tokens",
            JobKind::Restore { .. } => "restoration of deleted tokens",
            JobKind::AddScopes { .. } => "addition of scopes",
            JobKind::RemoveScopes { .. } => "removal of scopes",
        }
    }

    /// Whether the store contains everything that is needed to finish the job.
    pub fn can_be_finished(&self) -> bool {
        !matches!(self.kind, JobKind::Import { .. })
    }

    /// How far the job has come: `34,000 of 60,000 tokens done`.
    pub fn progress(&self) -> String {
        format!("{} of {} done", grouped(self.done), counted(self.total, "token"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_counts_the_tokens() {
        let job = Job {
            kind: JobKind::Import { ids_crc: 1 },
            actor: Actor::named("alice"),
            started: Timestamp::default(),
            total: 60_000,
            done: 34_000,
            skipped: 0,
            cursor: None,
            lock: 0,
        };
        assert_eq!(job.progress(), "34,000 of 60,000 tokens done");
        assert!(!job.can_be_finished());
    }
}
