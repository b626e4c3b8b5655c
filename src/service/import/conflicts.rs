//! What an import does with each token, given what the store contains: insert, replace, skip. It
//! refuses what must not come back by accident: a secret that was ended here. Called by `import`.

use super::source::{ImportRow, LineFault};
use crate::{
    domain::{
        AuditAction, Digest, Name, PreviousSecret, Status, Timestamp, Token, TokenId,
        labels::labels,
    },
    store::{ReadOps, StoreError},
};

/// What to do if the store already has a token or a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    Fail,
    Skip,
    /// Replace it by what is imported.
    Replace {
        /// Also where a secret that was ended here would work again.
        reactivate: bool,
    },
}

/// A conflict between a row and the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// The token is in the store, and differs.
    Differs,
    /// The token was ended here, in these words, and would work again.
    Reactivates(&'static str),
    /// The token was deleted here; it would come back, though not to work.
    Deleted,
    NameTaken(TokenId),
}

impl Conflict {
    /// The field of the row that is in conflict.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Differs | Self::Reactivates(_) | Self::Deleted => "id",
            Self::NameTaken(_) => "name",
        }
    }

    pub fn describe(&self) -> String {
        match self {
            Self::Differs => "this token is here already, and differs".to_owned(),
            Self::Deleted => "this token was deleted here".to_owned(),
            Self::Reactivates(ended) => format!("{ended}: the import would make it work again"),
            Self::NameTaken(by) => format!("another token here, {by}, has this name"),
        }
    }
}

labels! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ImportOutcome, ALL, as_str {
        New => "new",
        Replaced => "replaced",
        Skipped => "skipped",
        Unchanged => "unchanged",
    }
}

impl ImportOutcome {
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::New | Self::Replaced)
    }
}

/// What happens to a row, and its conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportAction {
    pub outcome: ImportOutcome,
    pub conflicts: Vec<Conflict>,
}

impl ImportAction {
    /// The action for a token of which the store has nothing.
    pub(super) const INSERT: Self = Self { outcome: ImportOutcome::New, conflicts: Vec::new() };
}

/// The action for each row, in their order: one byte each, and the conflicts of some.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportActions {
    outcomes: Vec<ImportOutcome>,
    conflicts: Vec<(usize, Conflict)>,
}

impl ImportActions {
    pub fn iter(&self) -> impl Iterator<Item = ImportAction> {
        let mut conflicts = self.conflicts.iter().peekable();
        self.outcomes.iter().enumerate().map(move |(at, outcome)| {
            let mut action = ImportAction { outcome: *outcome, conflicts: Vec::new() };
            while let Some((_, conflict)) = conflicts.next_if(|(row, _)| *row == at) {
                action.conflicts.push(*conflict);
            }
            action
        })
    }

    pub fn count(&self, outcome: ImportOutcome) -> usize {
        self.outcomes.iter().filter(|it| **it == outcome).count()
    }

    pub fn has_conflicts(&self) -> bool {
        !self.conflicts.is_empty()
    }
}

impl Extend<ImportAction> for ImportActions {
    fn extend<I: IntoIterator<Item = ImportAction>>(&mut self, actions: I) {
        for action in actions {
            let at = self.outcomes.len();
            self.outcomes.push(action.outcome);
            self.conflicts.extend(action.conflicts.into_iter().map(|conflict| (at, conflict)));
        }
    }
}

#[derive(Debug)]
pub(in crate::service) struct ConflictPolicy {
    on_conflict: OnConflict,
    /// The sorted ids of all rows, once they are known: they tell which names the import frees.
    ids: Vec<TokenId>,
}

impl ConflictPolicy {
    pub(in crate::service) fn new(on_conflict: OnConflict, ids: Vec<TokenId>) -> Self {
        Self { on_conflict, ids }
    }

    /// The action for a row, given what the store contains, and the faults for which it is
    /// refused.
    pub(in crate::service) fn decide(
        &self,
        rows: &impl ReadOps,
        at: Timestamp,
        ImportRow { line, token }: &ImportRow,
    ) -> Result<(ImportAction, Vec<LineFault>), StoreError> {
        let action = match self.conflicts(rows, at, token)? {
            None => ImportAction { outcome: ImportOutcome::Unchanged, conflicts: Vec::new() },
            Some(conflicts) => ImportAction { outcome: self.outcome(&conflicts), conflicts },
        };
        let refused = action.conflicts.iter().filter(|conflict| self.refuses(conflict));
        let fault = |conflict: &Conflict| LineFault {
            line: *line,
            field: conflict.field().to_owned(),
            why: conflict.describe(),
        };
        let refused = refused.map(fault).collect();
        Ok((action, refused))
    }

    fn outcome(&self, conflicts: &[Conflict]) -> ImportOutcome {
        match self.on_conflict {
            _ if conflicts.is_empty() => ImportOutcome::New,
            OnConflict::Skip => ImportOutcome::Skipped,
            OnConflict::Replace { .. } | OnConflict::Fail => ImportOutcome::Replaced,
        }
    }

    fn refuses(&self, conflict: &Conflict) -> bool {
        match self.on_conflict {
            OnConflict::Fail => true,
            OnConflict::Skip => false,
            OnConflict::Replace { reactivate } => {
                !reactivate && matches!(conflict, Conflict::Reactivates(_))
            }
        }
    }

    /// The conflicts of `pat`; `None` if the store has the very same.
    fn conflicts(
        &self,
        rows: &impl ReadOps,
        at: Timestamp,
        token: &Token,
    ) -> Result<Option<Vec<Conflict>>, StoreError> {
        let active = token.status(at) == Status::Active;
        let mut conflicts = Vec::new();
        match rows.token(&token.id) {
            Ok(Some(here)) if is_same(&here, token) => return Ok(None),
            Ok(Some(here)) => {
                conflicts.push(Conflict::Differs);
                conflicts.extend(would_reactivate(&here, token, at).map(Conflict::Reactivates));
            }
            Ok(None) if was_deleted(rows, &token.id)? => {
                conflicts.push(if active {
                    Conflict::Reactivates("this token was deleted here")
                } else {
                    Conflict::Deleted
                });
            }
            Ok(None) => {}
            Err(StoreError::Damaged(_)) => {
                let unknown = "its record here is damaged, and may have been revoked";
                conflicts.push(Conflict::Differs);
                conflicts.extend(active.then_some(Conflict::Reactivates(unknown)));
            }
            Err(error) => return Err(error),
        }
        let holder = self.name_holder(rows, &token.name)?.filter(|id| *id != token.id);
        conflicts.extend(holder.map(Conflict::NameTaken));
        Ok(Some(conflicts))
    }

    /// The token that has this name and keeps it: not one that this import renames.
    fn name_holder(&self, rows: &impl ReadOps, name: &Name) -> Result<Option<TokenId>, StoreError> {
        let replacing = matches!(self.on_conflict, OnConflict::Replace { .. });
        let holder = rows.id_of_name(name)?;
        Ok(holder.filter(|id| !(replacing && self.ids.binary_search(id).is_ok())))
    }
}

/// Whether both are the same token in the same state, apart from its last use.
fn is_same(here: &Token, imported: &Token) -> bool {
    let unused = |token: &Token| {
        let previous = token.previous.clone().map(|old| PreviousSecret { last_used: None, ..old });
        Token { last_used: None, previous, ..token.clone() }
    };
    unused(here) == unused(imported)
}

/// How a secret that was ended here would work again if `imported` replaced `here`.
fn would_reactivate(here: &Token, imported: &Token, at: Timestamp) -> Option<&'static str> {
    if imported.status(at) != Status::Active {
        return None;
    }
    if here.status(at) == Status::Revoked {
        return Some("this token is revoked here");
    }
    let works = |digest: &Digest| here.status(at) == Status::Active && here.accepts(digest, at);
    let newer = imported.issued > here.issued;
    if !newer && !works(&imported.digest) {
        return Some("this token has another secret here, or is expired");
    }
    let previous = imported.previous.as_ref().filter(|old| at < old.until);
    if !newer && previous.is_some_and(|old| !works(&old.digest)) {
        return Some("the old secret of this token is dead here");
    }
    None
}

/// Whether a token that is not in the store once was: it is in the trash, or the trail ends with
/// its deletion.
fn was_deleted(rows: &impl ReadOps, id: &TokenId) -> Result<bool, StoreError> {
    let last = rows.events_of(id, 1)?.rows.pop();
    let ended = |action| matches!(action, AuditAction::Deleted | AuditAction::Purged);
    Ok(last.is_some_and(|event| ended(event.what.action)) || rows.trashed(id)?.is_some())
}
