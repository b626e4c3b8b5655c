//! The source of an import: rows parsed in batches, because they may not fit into memory, and the
//! faults of their lines. The command line implements the source; `import` reads it.

use std::{io, ops::ControlFlow};

use crate::domain::Token;

/// Maximum number of line faults that are reported individually.
const MAX_REPORTED: usize = 20;

/// A parsed line of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    pub line: u64,
    pub token: Token,
}

/// Consecutive lines of an export: the parsed lines, and the faults of the other lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedBatch {
    pub rows: Vec<ImportRow>,
    pub faults: Vec<LineFault>,
}

/// The tokens to import. An import reads them in batches, and may read them twice.
pub trait ImportSource: Sync {
    /// The id of the store that exported the tokens.
    fn store_id(&self) -> &str;

    /// The number of tokens according to the header of the export.
    fn declared_count(&self) -> u64;

    /// Fails if `found`, the number of rows, differs from the declared count: the source was
    /// truncated.
    fn check_complete(&self, found: usize) -> Result<(), LineFault> {
        let total = self.declared_count();
        if u64::try_from(found) == Ok(total) {
            return Ok(());
        }
        let reason = format!(
            "the header declares {total}, but the file has {found}: the file is incomplete"
        );
        Err(LineFault { line: 1, field: "tokens".to_owned(), reason })
    }

    /// Reads the rows from the start. Runs `work` on batches in parallel and passes the results to
    /// `consume` in the order of the lines, until `consume` breaks. Fails if reading fails, or if a
    /// second reading finds other content than the first.
    fn for_each_batch<T: Send>(
        &self,
        work: impl Fn(ParsedBatch) -> T + Sync,
        consume: impl FnMut(T) -> ControlFlow<()>,
    ) -> io::Result<()>;
}

/// Why a line cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    pub line: u64,
    /// The name of the field; empty if the fault concerns the whole line.
    pub field: String,
    pub reason: String,
}

/// The first [`MAX_REPORTED`] faults in the order of their lines, and the number of all faults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportFaults {
    first: Vec<LineFault>,
    count: usize,
}

impl ImportFaults {
    pub fn add(&mut self, fault: LineFault) {
        self.count = self.count.saturating_add(1);
        let at = self.first.partition_point(|it| it.line <= fault.line);
        if at < MAX_REPORTED {
            self.first.insert(at, fault);
            self.first.truncate(MAX_REPORTED);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first faults, ordered by line.
    pub fn first(&self) -> &[LineFault] {
        &self.first
    }

    /// The number of all faults, including those not kept.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Extend<LineFault> for ImportFaults {
    fn extend<I: IntoIterator<Item = LineFault>>(&mut self, faults: I) {
        faults.into_iter().for_each(|fault| self.add(fault));
    }
}
