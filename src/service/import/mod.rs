//! Imports any number of tokens: up to 5,000 in one transaction, all of them or none; more in
//! batches (`batches`). Memory holds a few batches and 20 bytes per token. Two steps:
//! `prepare_import` parses and checks the lines in parallel, reports all their faults, and stages
//! the rows; then `commit` writes the staged rows on one thread. Called by the command line.

mod batches;
mod conflicts;
mod prepared;
mod row_plans;
mod source;
mod staging;
mod times;

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher as _, RandomState},
    io,
    ops::ControlFlow,
    sync::atomic::{AtomicU64, Ordering},
};

pub(super) use self::conflicts::{ConflictResolver, wider_access};
use self::staging::{CheckResult, StagedToken, StagingBuffer};
pub use self::{
    conflicts::{Conflict, OnConflict},
    prepared::PreparedImport,
    row_plans::{RowOutcome, RowPlan, RowPlans},
    source::{ImportFaults, ImportRow, ImportSource, LineFault, ParsedBatch},
};
use super::{Service, ServiceError};
use crate::{
    domain::{Timestamp, Token, TokenId},
    store::StoreError,
};

/// Why an import failed. Nothing was imported unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error("{} cannot be imported", crate::domain::counted(.0.count(), "line"))]
    InvalidLines(ImportFaults),
    #[error(transparent)]
    Source(#[from] io::Error),
    /// The import stopped between two batches. The first `done` of `total` tokens are saved.
    #[error("{cause}")]
    Interrupted { cause: Box<ImportError>, done: usize, total: usize },
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl From<ImportFaults> for ImportError {
    fn from(faults: ImportFaults) -> Self {
        Self::InvalidLines(faults)
    }
}

/// A batch of rows after parsing, with its faults and its conflicts with the store.
struct CheckedBatch {
    ids: Vec<TokenId>,
    /// Hashes of the folded names.
    names: Vec<u64>,
    /// Whether every line was parsed.
    is_readable: bool,
    faults: Vec<LineFault>,
    /// The conflicts with the store that the policy refuses.
    refused: Vec<LineFault>,
    /// The rows, encoded for the staging buffer.
    staged: Vec<u8>,
}

impl Service {
    /// Checks and stages all rows of `source`. Fails with all faults of the lines or, if there are
    /// none, with all conflicts that `on_conflict` refuses. Adds the number of checked rows to
    /// `done`, for a progress display.
    pub fn prepare_import<'a, S: ImportSource>(
        &'a self,
        source: &'a S,
        on_conflict: OnConflict,
        done: &AtomicU64,
    ) -> Result<PreparedImport<'a, S>, ImportError> {
        self.store.read(|rows| self.require_granting(rows))?;
        let (hash, policy) = (RandomState::new(), ConflictResolver::new(on_conflict, Vec::new()));
        let (mut ids, mut names) = (Vec::new(), Vec::new());
        let (mut faults, mut refused) = (ImportFaults::default(), ImportFaults::default());
        let (mut is_readable, mut result) = (true, Ok(()));
        let (checked_at, mut staging) = (self.position()?, StagingBuffer::default());
        let mut collect = |batch: CheckedBatch| {
            let count = batch.ids.len();
            done.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
            ids.extend(batch.ids);
            names.extend(batch.names);
            is_readable &= batch.is_readable;
            faults.extend(batch.faults);
            refused.extend(batch.refused);
            // After a fault the import fails anyway, so no more rows are staged.
            let is_good = faults.is_empty() && refused.is_empty();
            if is_good { staging.add(&self.store, &batch.staged, count) } else { Ok(()) }
        };
        source.for_each_batch(
            |batch| self.check_batch(batch, &policy, &hash),
            |batch| {
                result = batch.and_then(&mut collect);
                if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
        )?;
        result?;
        if is_readable {
            faults.extend(source.check_complete(ids.len()).err());
        }
        let (repeated_ids, repeated_names) = (sort_repeated(&mut ids), sort_repeated(&mut names));
        if !repeated_ids.is_empty() || !repeated_names.is_empty() {
            report_duplicates(source, &repeated_ids, &repeated_names, &hash, &mut faults)?;
        }
        if let Some(faults) = [faults, refused].into_iter().find(|faults| !faults.is_empty()) {
            return Err(faults.into());
        }
        let policy = ConflictResolver::new(on_conflict, ids);
        Ok(PreparedImport::new(self, source, policy, staging, checked_at))
    }

    /// Checks the scopes of a batch against the catalogue, and its rows against the store.
    fn check_batch(
        &self,
        batch: ParsedBatch,
        policy: &ConflictResolver,
        hash: &RandomState,
    ) -> Result<CheckedBatch, StoreError> {
        let mut checked = CheckedBatch {
            ids: batch.rows.iter().map(|row| row.token.id).collect(),
            names: batch.rows.iter().map(|row| hash.hash_one(row.token.name.folded())).collect(),
            is_readable: batch.faults.is_empty(),
            faults: batch.faults,
            refused: Vec::new(),
            staged: Vec::new(),
        };
        let now = self.clock.now();
        for ImportRow { line, token } in &batch.rows {
            checked.faults.extend(
                self.token_faults(token, now).into_iter().map(|(field, reason)| LineFault {
                    line: *line,
                    field: field.to_owned(),
                    reason,
                }),
            );
        }
        (checked.refused, checked.staged) = self.store.read(|rows| {
            let at = self.clock.denial_time(rows)?;
            let (mut refused, mut staged) = (Vec::new(), Vec::new());
            for row in &batch.rows {
                let (action, faults) = policy.decide(rows, at, row, true)?;
                refused.extend(faults);
                StagedToken::write(&mut staged, row, CheckResult::of(&action))?;
            }
            Ok::<_, StoreError>((refused, staged))
        })?;
        Ok(checked)
    }
}

impl Service {
    /// Returns the faults of `token`: the scopes that are not in the catalogue, each reason once,
    /// and the invalid times.
    fn token_faults(&self, token: &Token, now: Timestamp) -> Vec<(&'static str, String)> {
        let mut faults: Vec<(&'static str, String)> = Vec::new();
        for error in token.scopes.iter().filter_map(|it| self.policy.catalogue.check(it).err()) {
            let reason = format!("{error}; or add this scope to the catalogue in the config");
            if !faults.iter().any(|(_, known)| *known == reason) {
                faults.push(("scopes", reason));
            }
        }
        let times = times::time_faults(token, now).into_iter();
        faults.extend(times.map(|(field, reason)| (field, reason.to_owned())));
        faults
    }
}

/// Sorts `all` and returns the values that occur more than once.
fn sort_repeated<T: Ord + Copy>(all: &mut [T]) -> BTreeSet<T> {
    all.sort_unstable();
    let pairs = all.iter().zip(all.iter().skip(1));
    pairs.filter(|(one, next)| one == next).map(|(one, _)| *one).collect()
}

/// Adds a fault for each line that has the id or name of an earlier line. Reads the source again
/// and compares the names themselves, because different names may have the same hash.
fn report_duplicates(
    source: &impl ImportSource,
    repeated_ids: &BTreeSet<TokenId>,
    repeated_names: &BTreeSet<u64>,
    hash: &RandomState,
    faults: &mut ImportFaults,
) -> io::Result<()> {
    let (mut ids, mut names) = (HashMap::new(), HashMap::new());
    source.for_each_batch(
        |batch| batch,
        |batch| {
            for ImportRow { line, token } in batch.rows {
                let mut fault = |field: &str, value: &str, first: u64| {
                    let reason = format!("{value} already occurs in line {first}");
                    faults.add(LineFault { line, field: field.to_owned(), reason });
                };
                let first = repeated_ids.contains(&token.id).then(|| ids.insert(token.id, line));
                if let Some(first) = first.flatten() {
                    fault("id", token.id.as_str(), first);
                }
                let name = token.name.folded();
                let is_repeated = repeated_names.contains(&hash.hash_one(&name));
                if let Some(first) = is_repeated.then(|| names.insert(name, line)).flatten() {
                    fault("name", token.name.as_str(), first);
                }
            }
            ControlFlow::Continue(())
        },
    )
}
