//! Moving tokens between stores: what goes out, what comes in, and what stands in the way. An
//! import is one transaction, all or nothing, and never brings back by accident what was ended
//! here. Also the backup of the whole store.

use std::{
    collections::HashMap,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{Service, ServiceError, pats::until, plan::Plan};
use crate::{
    domain::{Action, Moment, Pat, TokenId},
    store::{Backup, Damage, Rows, StoreError, Writer},
};

pub use crate::store::{StoreError as FileError, new_file};

/// Every token of a store, to be written down.
#[derive(Debug, Clone)]
pub struct Exported {
    /// Which store: 32 hexadecimal digits.
    pub store: String,
    /// When.
    pub at: Moment,
    /// The tokens that could be read.
    pub pats: Vec<Pat>,
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

/// What stands in the way of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The store, or a rule.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// These lines, in their order.
    #[error("{} lines cannot be imported", .0.len())]
    Faults(Vec<Fault>),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl Service {
    /// Every token, with what is kept of its secret.
    pub fn export(&self) -> Result<Exported, ServiceError> {
        Ok(self.store.read(|rows| {
            let found = rows.pats()?;
            Ok::<_, StoreError>(Exported {
                store: rows.store_id()?,
                at: self.judged_at(rows)?,
                pats: found.rows,
                damaged: found.damaged,
            })
        })?)
    }

    /// A copy of the store in a new file at `to`.
    pub fn backup(&self, to: &Path) -> Result<Backup, ServiceError> {
        Ok(self.store.backup(to)?)
    }

    /// What is wrong with these tokens whatever the store holds: scopes that the catalogue does
    /// not offer, and an id or a name that stands there twice.
    pub fn faults(&self, incoming: &[Incoming]) -> Vec<Fault> {
        let (mut ids, mut names) = (HashMap::new(), HashMap::new());
        let mut faults = Vec::new();
        for Incoming { line, pat } in incoming {
            let mut fault = |field: &str, why: String| {
                faults.push(Fault { line: *line, field: field.to_owned(), why });
            };
            if let Some(first) = ids.insert(pat.id, *line) {
                fault("id", format!("{} is in line {first} already", pat.id));
            }
            if let Some(first) = names.insert(pat.name.folded(), *line) {
                fault("name", format!("{} is in line {first} already", pat.name));
            }
            for scope in &pat.scopes {
                if let Err(error) = self.policy.catalogue.check(scope) {
                    let why = format!("{error}, or add it to the catalogue in the settings");
                    fault("scopes", why);
                }
            }
        }
        faults
    }

    /// What [`Service::import`] would do now; changes nothing.
    pub fn preview(
        &self,
        incoming: &[Incoming],
        on_conflict: OnConflict,
    ) -> Result<Vec<Fate>, ImportError> {
        let plan = Plan::new(self, incoming, on_conflict)?;
        self.store.read(|rows| plan.fates(self, rows))
    }

    /// Takes these tokens in, all of them or none, each with one event that names the store
    /// `from`. `done` counts them, for somebody who watches.
    pub fn import(
        &self,
        incoming: &[Incoming],
        from: &str,
        on_conflict: OnConflict,
        done: &AtomicU64,
    ) -> Result<Vec<Fate>, ImportError> {
        let plan = Plan::new(self, incoming, on_conflict)?;
        self.store.write(|rows| {
            // A write that found the disk full runs once more.
            done.store(0, Ordering::Relaxed);
            let at = self.judged_at(rows)?;
            let fates = plan.fates(self, rows)?;
            let coming = || incoming.iter().map(|one| &one.pat).zip(&fates);
            let replaced = coming().filter(|(_, fate)| fate.outcome == Outcome::Replaced);
            let taken = |fate: &Fate| fate.clashes.iter().any(|c| c.field() == "name");
            let binned = if fates.iter().any(taken) { self.purge_old(rows, at)? } else { at };
            // Names first: tokens may have exchanged theirs.
            let mut was = HashMap::new();
            for (pat, _) in replaced {
                if let Ok(Some(old)) = rows.pat(&pat.id) {
                    was.insert(pat.id, old.status(at).word());
                }
                rows.remove_pat(&pat.id)?;
            }
            for (pat, fate) in coming() {
                if matches!(fate.outcome, Outcome::New | Outcome::Replaced) {
                    self.make_room(rows, at, pat, binned)?;
                    let was = was.get(&pat.id).copied();
                    self.take_in(rows, at, pat, from, was)?;
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(fates)
        })
    }

    /// Deletes who has the name of `pat`, with the time `when` that is common to them all, and
    /// forgets `pat` as it was deleted.
    fn make_room(
        &self,
        rows: &mut Writer<'_>,
        at: Moment,
        pat: &Pat,
        when: Moment,
    ) -> Result<(), ServiceError> {
        if let Some(holder) = rows.id_of_name(&pat.name)? {
            let holder = Self::found(rows, &holder)?;
            self.bin(rows, &holder, at, when)?;
        }
        rows.remove_trash(&pat.id)?;
        Ok(())
    }

    fn take_in(
        &self,
        rows: &mut Writer<'_>,
        at: Moment,
        pat: &Pat,
        from: &str,
        was: Option<&str>,
    ) -> Result<(), ServiceError> {
        Self::put_whole(rows, pat)?;
        let was = was.map_or_else(String::new, |was| format!(", was {was} here"));
        let detail =
            format!("{} from store {from}, {}{was}", pat.status(at).word(), until(pat.expires));
        Ok(self.record(rows, at, Action::Imported, pat, detail)?)
    }
}
