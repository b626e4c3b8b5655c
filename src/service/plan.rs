//! What an import would do, token by token, beside what a store holds now: what is new, what is
//! here already, and what must not come back by accident. Called by `transfer`.

use std::collections::HashSet;

use super::{
    Service,
    transfer::{Clash, Fate, Fault, ImportError, Incoming, OnConflict, Outcome},
};
use crate::{
    domain::{Action, Digest, Moment, Name, Pat, Retiring, Status, TokenId},
    store::{Rows, StoreError},
};

/// What is to come in, checked as far as it can be without a store.
pub(super) struct Plan<'a> {
    incoming: &'a [Incoming],
    ids: HashSet<TokenId>,
    on_conflict: OnConflict,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        service: &Service,
        incoming: &'a [Incoming],
        on_conflict: OnConflict,
    ) -> Result<Self, ImportError> {
        let faults = service.faults(incoming);
        if !faults.is_empty() {
            return Err(ImportError::Faults(faults));
        }
        Ok(Self { incoming, ids: incoming.iter().map(|one| one.pat.id).collect(), on_conflict })
    }

    /// What happens to each, beside what is here now; refused if one may not.
    pub(super) fn fates(
        &self,
        service: &Service,
        rows: &impl Rows,
    ) -> Result<Vec<Fate>, ImportError> {
        let at = service.judged_at(rows)?;
        let mut refused = Vec::new();
        let mut fates = Vec::with_capacity(self.incoming.len());
        for Incoming { line, pat } in self.incoming {
            let fate = match self.clashes(rows, at, pat)? {
                None => Fate { outcome: Outcome::Unchanged, clashes: Vec::new() },
                Some(clashes) => Fate { outcome: self.outcome(&clashes), clashes },
            };
            for clash in fate.clashes.iter().filter(|clash| self.refuses(clash)) {
                refused.push(Fault {
                    line: *line,
                    field: clash.field().to_owned(),
                    why: clash.why(),
                });
            }
            fates.push(fate);
        }
        if refused.is_empty() { Ok(fates) } else { Err(ImportError::Faults(refused)) }
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
        Ok(holder.filter(|id| !(replacing && self.ids.contains(id))))
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
