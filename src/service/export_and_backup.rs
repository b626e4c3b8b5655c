//! Exports all tokens, backs up the store, and creates anonymous temporary files for data that does
//! not fit into memory. Called by the command line.

use std::{fs::File, io, path::Path};

use super::{Service, ServiceError};
use crate::{
    domain::{Timestamp, Token},
    store::{BackupReport, DamagedRecord, ReadOps, StoreError},
};

pub use crate::store::{StoreError as FileError, create_output_file};

/// Maximum number of tokens per call of `write` in [`Service::export`].
const BATCH_SIZE: usize = 4_096;

/// The result of an export.
#[derive(Debug, Clone)]
pub struct ExportSummary {
    /// The id of the store: 32 hexadecimal digits.
    pub store: String,
    pub at: Timestamp,
    /// Number of exported tokens; damaged records are not exported.
    pub tokens: usize,
    pub damaged: Vec<DamagedRecord>,
}

impl Service {
    /// Passes all tokens, with the digests of their secrets, to `write` in batches from one
    /// snapshot. `write` must not block on other processes, because the read transaction stays open
    /// while `write` runs. Fails if the store or `write` fails.
    pub fn export(
        &self,
        mut write: impl FnMut(&[Token]) -> io::Result<()>,
    ) -> Result<ExportSummary, ServiceError> {
        self.require_no_stale_token()?;
        Ok(self.store.read_once(|rows| {
            let (store, at) = (rows.store_id()?, self.clock.denial_time(rows)?);
            let mut exported = ExportSummary { store, at, tokens: 0, damaged: Vec::new() };
            let mut cursor = None;
            loop {
                let (batch, next) = rows.tokens_after(cursor, BATCH_SIZE)?;
                write(&batch.rows).map_err(|error| StoreError::from(&error))?;
                exported.tokens += batch.rows.len();
                exported.damaged.extend(batch.damaged);
                if next.is_none() {
                    return Ok::<_, StoreError>(exported);
                }
                cursor = next;
            }
        })?)
    }

    /// Creates an anonymous temporary file (mode 0600) in the directory of the store or, if that
    /// fails, in the temporary directory of the system. The kernel deletes it when it is closed.
    pub fn scratch_file(&self) -> Result<File, ServiceError> {
        Ok(self.store.scratch_file()?)
    }

    /// Copies the store to a new file at `to`. Fails if `to` exists.
    pub fn backup(&self, to: &Path) -> Result<BackupReport, ServiceError> {
        self.require_no_stale_token()?;
        Ok(self.store.backup(to)?)
    }
}
