//! What an import would do, token by token, beside what a store holds now: what is new, what is
//! here already, and what must not come back by accident. Called by `import`.

use super::transfer::{Clash, Fate, Fault, Incoming, OnConflict, Outcome};
use crate::{
    domain::{Action, Digest, Moment, Name, Pat, Retiring, Status, TokenId},
    store::{Rows, StoreError},
};

/// What is to happen where something is here already.
#[derive(Debug)]
pub(super) struct Plan {
    on_conflict: OnConflict,
    /// The ids of all that come in, in order, once they are known: only then it is known whose
    /// name will be free.
    ids: Vec<TokenId>,
}

impl Plan {
    pub(super) fn new(on_conflict: OnConflict, ids: Vec<TokenId>) -> Self {
        Self { on_conflict, ids }
    }

    /// What happens to `pat`, beside what is in `rows`, and what of it may not be.
    pub(super) fn fate(
        &self,
        rows: &impl Rows,
        at: Moment,
        Incoming { line, pat }: &Incoming,
    ) -> Result<(Fate, Vec<Fault>), StoreError> {
        let fate = match self.clashes(rows, at, pat)? {
            None => Fate { outcome: Outcome::Unchanged, clashes: Vec::new() },
            Some(clashes) => Fate { outcome: self.outcome(&clashes), clashes },
        };
        let refused = fate.clashes.iter().filter(|clash| self.refuses(clash));
        let fault = |clash: &Clash| Fault {
            line: *line,
            field: clash.field().to_owned(),
            why: clash.why(),
        };
        let refused = refused.map(fault).collect();
        Ok((fate, refused))
    }

    fn outcome(&self, clashes: &[Clash]) -> Outcome {
        match self.on_conflict {
            _ if clashes.is_empty() => Outcome::New,
            OnConflict::Skip => Outcome::Skipped,
            OnConflict::Replace { .. } | OnConflict::Fail => Outcome::Replaced,
        }
    }

    fn refuses(&self, clash: &Clash) -> bool {
        match self.on_conflict {
            OnConflict::Fail => true,
            OnConflict::Skip => false,
            OnConflict::Replace { revive } => !revive && matches!(clash, Clash::Revives(_)),
        }
    }

    /// What stands in the way of `pat`; `None` when the very same is here.
    fn clashes(
        &self,
        rows: &impl Rows,
        at: Moment,
        pat: &Pat,
    ) -> Result<Option<Vec<Clash>>, StoreError> {
        let active = pat.status(at) == Status::Active;
        let mut clashes = Vec::new();
        match rows.pat(&pat.id) {
            Ok(Some(here)) if is_same(&here, pat) => return Ok(None),
            Ok(Some(here)) => {
                clashes.push(Clash::Differs);
                clashes.extend(revives(&here, pat, at).map(Clash::Revives));
            }
            Ok(None) if was_deleted(rows, &pat.id)? => {
                clashes.push(if active {
                    Clash::Revives("this token was deleted here")
                } else {
                    Clash::Deleted
                });
            }
            Ok(None) => {}
            Err(StoreError::Damaged(_)) => {
                let unknown = "its record here is damaged, and may have been revoked";
                clashes.push(Clash::Differs);
                clashes.extend(active.then_some(Clash::Revives(unknown)));
            }
            Err(error) => return Err(error),
        }
        let holder = self.holder(rows, &pat.name)?.filter(|id| *id != pat.id);
        clashes.extend(holder.map(Clash::NameTaken));
        Ok(Some(clashes))
    }

    /// Who has this name and keeps it: not one that gets another by this very import.
    fn holder(&self, rows: &impl Rows, name: &Name) -> Result<Option<TokenId>, StoreError> {
        let replacing = matches!(self.on_conflict, OnConflict::Replace { .. });
        let holder = rows.id_of_name(name)?;
        Ok(holder.filter(|id| !(replacing && self.ids.binary_search(id).is_ok())))
    }
}

/// Whether both are the same token in the same state. When it was last used is not its state.
fn is_same(here: &Pat, coming: &Pat) -> bool {
    let unused = |pat: &Pat| {
        let retiring = pat.retiring.clone().map(|old| Retiring { last_used: None, ..old });
        Pat { last_used: None, retiring, ..pat.clone() }
    };
    unused(here) == unused(coming)
}

/// How a secret that was ended here would work again if `coming` took the place of `here`.
fn revives(here: &Pat, coming: &Pat, at: Moment) -> Option<&'static str> {
    if coming.status(at) != Status::Active {
        return None;
    }
    if here.status(at) == Status::Revoked {
        return Some("this token is revoked here");
    }
    let works = |digest: &Digest| here.status(at) == Status::Active && here.accepts(digest, at);
    let newer = coming.issued > here.issued;
    if !newer && !works(&coming.digest) {
        return Some("this token has another secret here, or is expired");
    }
    let retiring = coming.retiring.as_ref().filter(|old| at < old.until);
    if !newer && retiring.is_some_and(|old| !works(&old.digest)) {
        return Some("the old secret of this token is dead here");
    }
    None
}

/// Whether a token that is not here once was: it is in the trash, or the trail ends with its
/// deletion.
fn was_deleted(rows: &impl Rows, id: &TokenId) -> Result<bool, StoreError> {
    let last = rows.events_of(id, 1)?.rows.pop();
    let ended = |action| matches!(action, Action::Deleted | Action::Purged);
    Ok(last.is_some_and(|event| ended(event.what.action)) || rows.trashed(id)?.is_some())
}
