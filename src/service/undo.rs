//! Taking back what an operator did: edits and changes of scopes as long as nobody else touched
//! the same, and deletes within their 24 hours. Refuses whatever would throw another one's work
//! away. Never revives a secret that was ended, never gives more time, never touches revocation.

use super::{Service, ServiceError, pats::counted};
use crate::{
    domain::{Action, Actor, Moment, Name, Pat, TokenId},
    store::{Rows, StoreError, Writer},
};

/// A token before a change and after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// As it was.
    pub before: Pat,
    /// As the change left it.
    pub after: Pat,
}

/// The way back from what was done at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Names, descriptions and scopes go back to what they were.
    Changes(Vec<Change>),
    /// What was deleted together, at this time, comes back.
    Deletion(Moment),
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// These changes; `before` is how each token is now.
    Changes(Vec<Change>),
    /// These tokens are here again, with their secrets.
    Restored(Vec<Pat>),
}

impl Undo {
    /// The way back from the change of one token; it leads nowhere if nothing was changed.
    pub(super) fn of(before: Pat, after: &Pat) -> Self {
        let changed = before != *after;
        let change = changed.then(|| Change { before, after: after.clone() });
        Self::Changes(change.into_iter().collect())
    }

    /// Whether there is nothing to take back.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Changes(changes) if changes.is_empty())
    }
}

impl Service {
    /// Goes the way back `undo`, in one transaction. Refuses when one of the names,
    /// descriptions or scopes concerned is no longer as the change left it, when a token is
    /// gone, or when a name is taken by now; then nothing is undone.
    pub fn undo(&self, undo: &Undo) -> Result<Undone, ServiceError> {
        match undo {
            Undo::Deletion(when) => self.restore_batch(*when).map(Undone::Restored),
            Undo::Changes(changes) => self.store.write(|rows| {
                let at = self.judged_at(rows)?;
                let undone = changes.iter().map(|change| self.change_back(rows, change, at));
                undone.collect::<Result<_, _>>().map(Undone::Changes)
            }),
        }
    }

    fn change_back(
        &self,
        rows: &mut Writer<'_>,
        Change { before, after }: &Change,
        at: Moment,
    ) -> Result<Change, ServiceError> {
        let here = Self::found(rows, &before.id)?;
        let mut pat = here.clone();
        let mut told = Vec::new();
        let meanwhile = |what| ServiceError::ChangedMeanwhile { what, name: here.name.clone() };
        if before.name != after.name {
            if here.name != after.name {
                return Err(meanwhile("name"));
            }
            if rows.id_of_name(&before.name)?.is_some_and(|holder| holder != here.id) {
                return Err(ServiceError::NameTaken(before.name.clone()));
            }
            pat.name = before.name.clone();
            told.push(format!("name was {}", here.name));
        }
        if before.description != after.description {
            if here.description != after.description {
                return Err(meanwhile("description"));
            }
            pat.description = before.description.clone();
            told.push("description is as before".to_owned());
        }
        if before.scopes != after.scopes {
            if here.scopes != after.scopes {
                return Err(meanwhile("scopes"));
            }
            pat.scopes = before.scopes.clone();
            told.push(format!("{} as before", counted(pat.scopes.len(), "scope")));
        }
        rows.put_pat(&pat)?;
        self.record(rows, at, Action::Undone, &pat, told.join(", "))?;
        Ok(Change { before: pat, after: here })
    }

    /// Whether this service's operator deleted the token in the trash: then it is theirs to
    /// bring back without another look. Only the account counts, for an operator comes from
    /// another address after a dropped line.
    pub(super) fn is_mine(&self, rows: &impl Rows, id: &TokenId) -> Result<bool, StoreError> {
        let by = deleted_by(rows, id)?;
        let account = |actor: &Actor| (actor.user.clone(), actor.sudo_user.clone());
        Ok(by.is_some_and(|by| account(&by) == account(&self.actor)))
    }

    /// Why nothing of one's own can be brought back, when others deleted `name`.
    pub(super) fn of_another(
        rows: &impl Rows,
        id: &TokenId,
        name: &Name,
    ) -> Result<ServiceError, StoreError> {
        let by =
            deleted_by(rows, id)?.map_or_else(|| "somebody else".to_owned(), |by| by.to_string());
        Ok(ServiceError::DeletedByAnother { name: name.clone(), by })
    }
}

/// Who deleted the token: its trail ends so.
fn deleted_by(rows: &impl Rows, id: &TokenId) -> Result<Option<Actor>, StoreError> {
    let last = rows.events_of(id, 1)?.rows.pop();
    Ok(last.filter(|event| event.what.action == Action::Deleted).map(|event| event.what.actor))
}
