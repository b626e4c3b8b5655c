//! What is imported: rows that are parsed batch by batch, because they need not fit into memory,
//! and the faults of their lines. The command line implements the source; `import` reads it.

use std::{io, ops::ControlFlow};

use crate::domain::Token;

/// Most line faults that are reported one by one.
const MAX_REPORTED: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    pub line: u64,
    pub token: Token,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportBatch {
    pub rows: Vec<ImportRow>,
    pub faults: Vec<LineFault>,
}

/// The tokens to import. They are read batch by batch, and more than once.
pub trait ImportSource: Sync {
    /// The id of the store that exported them.
    fn store_id(&self) -> &str;

    fn declared_count(&self) -> u64;

    /// Refuses a source that was cut short: `found` tokens are not as many as it declares.
    fn check_complete(&self, found: usize) -> Result<(), LineFault> {
        let total = self.declared_count();
        if u64::try_from(found) == Ok(total) {
            return Ok(());
        }
        let why = format!("{total} are announced and {found} are here: the file is not whole");
        Err(LineFault { line: 1, field: "tokens".to_owned(), why })
    }

    /// Reads the rows from the start, runs `work` on several batches in parallel, and passes the
    /// results to `take` in the order of the lines, until that breaks. Fails, too, if the rows are
    /// not those of the first time.
    fn for_each_batch<T: Send>(
        &self,
        work: impl Fn(ImportBatch) -> T + Sync,
        take: impl FnMut(T) -> ControlFlow<()>,
    ) -> io::Result<()>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    pub line: u64,
    /// The field; empty for the whole line.
    pub field: String,
    pub why: String,
}

/// The first of many faults in the order of their lines, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineFaults {
    first: Vec<LineFault>,
    count: usize,
}

impl LineFaults {
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

    pub fn first(&self) -> &[LineFault] {
        &self.first
    }

    pub fn count(&self) -> usize {
        self.count
    }
}

impl Extend<LineFault> for LineFaults {
    fn extend<I: IntoIterator<Item = LineFault>>(&mut self, faults: I) {
        faults.into_iter().for_each(|fault| self.add(fault));
    }
}
