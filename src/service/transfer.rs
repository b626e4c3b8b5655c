//! Takes tokens out of a store: the export of all tokens, the backup of the whole store, and
//! unnamed files for what does not fit into memory. Called by the command line.

use std::{fs::File, io, path::Path};

use super::{Service, ServiceError};
use crate::{
    domain::{Timestamp, Token},
    store::{Backup, Damage, ReadOps, StoreError},
};

pub use crate::store::{StoreError as FileError, new_file};

/// Tokens that are exported in one go.
const PART: usize = 4_096;

#[derive(Debug, Clone)]
pub struct Exported {
    /// Which store: 32 hexadecimal digits.
    pub store: String,
    pub at: Timestamp,
    pub tokens: usize,
    pub damaged: Vec<Damage>,
}

impl Service {
    /// Hands every token, with what is kept of its secret, to `write`, part by part from one look
    /// at the store: it must not wait for anybody.
    pub fn export(
        &self,
        mut write: impl FnMut(&[Token]) -> io::Result<()>,
    ) -> Result<Exported, ServiceError> {
        Ok(self.store.read(|rows| {
            let (store, at) = (rows.store_id()?, self.clock.denial_time(rows)?);
            let mut exported = Exported { store, at, tokens: 0, damaged: Vec::new() };
            let mut place = None;
            loop {
                let (found, next) = rows.tokens_after(place, PART)?;
                write(&found.rows).map_err(|error| StoreError::from(&error))?;
                exported.tokens += found.rows.len();
                exported.damaged.extend(found.damaged);
                if next.is_none() {
                    return Ok::<_, StoreError>(exported);
                }
                place = next;
            }
        })?)
    }

    /// A file (0600) without a name, as private as the store and gone with the process, for what
    /// is too much for memory.
    pub fn scratch(&self) -> Result<File, ServiceError> {
        Ok(self.store.scratch()?)
    }

    /// A copy of the store in a new file at `to`.
    pub fn backup(&self, to: &Path) -> Result<Backup, ServiceError> {
        Ok(self.store.backup(to)?)
    }
}
