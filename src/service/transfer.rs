//! Moving tokens between stores: what goes out, and the words for what comes in, what stands in
//! its way and what becomes of it. The import itself is in `import`. Also the backup of the whole
//! store, and files for what is not to be held in memory.

use std::{fs::File, io, ops::ControlFlow, path::Path};

use super::{Service, ServiceError};
use crate::{
    domain::{Moment, Pat, TokenId},
    store::{Backup, Damage, Rows, StoreError},
};

pub use crate::store::{StoreError as FileError, new_file};

/// How many faults are told one by one.
const TOLD: usize = 20;
/// Tokens that are exported in one go.
const PART: usize = 4_096;

/// What was exported.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Which store: 32 hexadecimal digits.
    pub store: String,
    /// When.
    pub at: Moment,
    /// How many tokens could be read.
    pub tokens: usize,
    /// The records that could not.
    pub damaged: Vec<Damage>,
}

/// A token that is to come in, and the line that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// From 1.
    pub line: u64,
    /// The token.
    pub pat: Pat,
}

/// What is to happen where a token or a name is here already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// Nothing is imported at all.
    Fail,
    /// What is here stays.
    Skip,
    /// What comes takes its place. `revive` also where this brings back what was ended here.
    Replace {
        /// Whether the operator said so.
        revive: bool,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub line: u64,
    /// Which part of it; empty for the whole line.
    pub field: String,
    /// What, and what to do.
    pub why: String,
}

/// The first of many faults in the order of their lines, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    first: Vec<Fault>,
    count: usize,
}

impl Faults {
    /// Takes one more.
    pub fn add(&mut self, fault: Fault) {
        self.count = self.count.saturating_add(1);
        let at = self.first.partition_point(|it| it.line <= fault.line);
        if at < TOLD {
            self.first.insert(at, fault);
            self.first.truncate(TOLD);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The first ones.
    pub fn first(&self) -> &[Fault] {
        &self.first
    }

    /// How many more there are.
    pub fn more(&self) -> usize {
        self.count - self.first.len()
    }
}

impl Extend<Fault> for Faults {
    fn extend<I: IntoIterator<Item = Fault>>(&mut self, faults: I) {
        faults.into_iter().for_each(|fault| self.add(fault));
    }
}

/// Some lines of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The tokens that they say.
    pub incoming: Vec<Incoming>,
    /// What is wrong with the others.
    pub faults: Vec<Fault>,
}

/// The tokens that are to come in, which need not fit into memory: they are read part by part, and
/// more than once.
pub trait Coming: Sync {
    /// The id of the store that they come from.
    fn store(&self) -> &str;

    /// How many there are said to be.
    fn announced(&self) -> u64;

    /// A fault, if they are not as many as announced: the lines were cut short.
    fn whole(&self, found: usize) -> Result<(), Fault> {
        let total = self.announced();
        if u64::try_from(found) == Ok(total) {
            return Ok(());
        }
        let why = format!("{total} are announced and {found} are here: the file is not whole");
        Err(Fault { line: 1, field: "tokens".to_owned(), why })
    }

    /// Reads them from the start, does `work` on several parts at once, and hands what it makes
    /// to `take` in the order of the lines, until that breaks. An error if they are not those of
    /// the first time, too.
    fn each<T: Send>(
        &self,
        work: impl Fn(Part) -> T + Sync,
        take: impl FnMut(T) -> ControlFlow<()>,
    ) -> io::Result<()>;
}

/// What stands in the way of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// It is here, and differs.
    Differs,
    /// It was ended here, in these words, and would work again.
    Revives(&'static str),
    /// It was deleted here; it would come back, though not to work.
    Deleted,
    /// Its name belongs to this other token.
    NameTaken(TokenId),
}

impl Clash {
    /// Which part of a line it is about.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Differs | Self::Revives(_) | Self::Deleted => "id",
            Self::NameTaken(_) => "name",
        }
    }

    /// In words.
    pub fn why(&self) -> String {
        match self {
            Self::Differs => "this token is here already, and differs".to_owned(),
            Self::Deleted => "this token was deleted here".to_owned(),
            Self::Revives(ended) => format!("{ended}: the import would make it work again"),
            Self::NameTaken(by) => format!("another token here, {by}, has this name"),
        }
    }
}

/// What happens to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It comes in.
    New,
    /// It takes the place of what is here.
    Replaced,
    /// What is here stays.
    Skipped,
    /// The very same is here.
    Unchanged,
}

/// What happens to a token, and what stood in its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// What happens.
    pub outcome: Outcome,
    /// What stood in the way.
    pub clashes: Vec<Clash>,
}

impl Fate {
    /// That of a token of which nothing is here.
    pub(super) const NEW: Self = Self { outcome: Outcome::New, clashes: Vec::new() };
}

/// What happens to each of the tokens that come in, in their order: a byte for each, and what
/// stood in the way of some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fates {
    outcomes: Vec<Outcome>,
    clashes: Vec<(usize, Clash)>,
}

impl Fates {
    /// Takes that of the next token.
    pub fn add(&mut self, fate: Fate) {
        let at = self.outcomes.len();
        self.outcomes.push(fate.outcome);
        self.clashes.extend(fate.clashes.into_iter().map(|clash| (at, clash)));
    }

    /// That of each token.
    pub fn iter(&self) -> impl Iterator<Item = Fate> {
        let mut clashes = self.clashes.iter().peekable();
        self.outcomes.iter().enumerate().map(move |(at, outcome)| {
            let mut fate = Fate { outcome: *outcome, clashes: Vec::new() };
            while let Some((_, clash)) = clashes.next_if(|(whose, _)| *whose == at) {
                fate.clashes.push(*clash);
            }
            fate
        })
    }

    /// How many tokens have this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.outcomes.iter().filter(|it| **it == outcome).count()
    }

    /// Whether nothing stood in the way of any.
    pub fn are_smooth(&self) -> bool {
        self.clashes.is_empty()
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The store, or a rule.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// These lines.
    #[error("{} lines cannot be imported", .0.count)]
    Faults(Faults),
    /// The lines themselves could not be read.
    #[error(transparent)]
    Unread(#[from] io::Error),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl Service {
    /// Hands every token, with what is kept of its secret, to `write`, part by part from one look
    /// at the store: it must not wait for anybody.
    pub fn export(
        &self,
        mut write: impl FnMut(&[Pat]) -> io::Result<()>,
    ) -> Result<Exported, ServiceError> {
        Ok(self.store.read(|rows| {
            let (store, at) = (rows.store_id()?, self.judged_at(rows)?);
            let mut exported = Exported { store, at, tokens: 0, damaged: Vec::new() };
            let mut place = None;
            loop {
                let (found, next) = rows.pats_after(place, PART)?;
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
