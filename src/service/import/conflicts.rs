//! Decides whether an import inserts, replaces or skips each token, given the tokens in the store.
//! Refuses to reactivate a secret that no longer works in this store, unless the operator allows
//! it. Called by `import`.

use super::{
    row_plans::{RowOutcome, RowPlan},
    source::{ImportRow, LineFault},
};
use crate::{
    domain::{
        AccessRequest, Denial, Digest, Name, PreviousSecret, Scope, SecretSlot, Status, Timestamp,
        Token, TokenId, counted, decision::allows, plan::expiry_text,
    },
    store::{ReadOps, RevocationState, StoreError, TokenChanges as _},
};

/// How an import handles a token or a name that is already in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    Fail,
    Skip,
    /// Replace the token in the store by the imported one.
    Replace {
        /// Whether the operator accepts replacements that widen access or end an overlap early, see
        /// [`Conflict::needs_confirmation`].
        is_confirmed: bool,
    },
}

/// A conflict between a row and the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// The store has a different version of the token.
    Differs,
    /// The import would make a secret work again that no longer works in this store. The text
    /// states why the secret does not work.
    Reactivates(&'static str),
    /// The import would end the overlap of the token before this time.
    EndsOverlap { until: Timestamp, last_used: Option<Timestamp> },
    /// The import would add scopes to an active token. Contains the first of them, and the number
    /// of the others.
    WidensScopes(Box<Scope>, usize),
    /// The import would give a later expiry to a secret that works in this store.
    Prolongs,
    /// The import would loosen this limit of the token.
    LoosensLimit(&'static str),
    /// An older copy of the store was put back, and its record of the token is out of date.
    OutOfDate,
    /// The token was revoked or deleted in an older copy of the store, so that no record of it works.
    EndedForGood,
    /// The store has lost the record of the token, which was changed since the export: nobody knows what
    /// was taken from it.
    ChangedSince,
    /// The token was deleted in this store. The import would restore it without a working secret.
    Deleted,
    /// Another token in the store, with this id, has the same name.
    NameTaken(TokenId),
}

impl Conflict {
    /// The field of the row that is in conflict.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Differs
            | Self::Reactivates(_)
            | Self::EndsOverlap { .. }
            | Self::OutOfDate
            | Self::EndedForGood
            | Self::ChangedSince
            | Self::Deleted => "id",
            Self::WidensScopes(..) => "scopes",
            Self::Prolongs => "expires",
            Self::LoosensLimit(_) => "limits",
            Self::NameTaken(_) => "name",
        }
    }

    /// The conflict in a few words, for the list of a restore.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Differs => "differs",
            Self::Reactivates(_) => "a secret works again",
            Self::EndsOverlap { .. } => "the overlap ends",
            Self::WidensScopes(..) => "more scopes",
            Self::Prolongs => "expires later",
            Self::LoosensLimit(_) => "looser limits",
            Self::OutOfDate => "out of date",
            Self::EndedForGood => "ended for good",
            Self::ChangedSince => "changed since",
            Self::Deleted => "deleted",
            Self::NameTaken(_) => "the name is taken",
        }
    }

    /// Whether the import would allow more than this store allows now.
    pub fn widens_access(&self) -> bool {
        match self {
            Self::Reactivates(_)
            | Self::ChangedSince
            | Self::WidensScopes(..)
            | Self::Prolongs
            | Self::LoosensLimit(_) => true,
            Self::Differs
            | Self::EndsOverlap { .. }
            | Self::OutOfDate
            | Self::EndedForGood
            | Self::Deleted
            | Self::NameTaken(_) => false,
        }
    }

    /// Whether a replacement with this conflict needs the operator's consent.
    fn needs_confirmation(&self) -> bool {
        self.widens_access() || matches!(self, Self::EndsOverlap { .. })
    }

    /// Describes the conflict for an error message.
    pub fn describe(&self) -> String {
        match self {
            Self::Differs => "a different version of this token is already in the store".to_owned(),
            Self::OutOfDate => {
                "the store has an older record of this token: revoke or delete the token first"
                    .to_owned()
            }
            Self::EndedForGood => "this token was ended for good, because its record was older \
                                   than the revocation register: create a new token"
                .to_owned(),
            Self::Deleted => "this token was deleted in this store".to_owned(),
            Self::ChangedSince => "this token was changed in this store since the export, and its \
                                   record is lost: the import may give back scopes and limits \
                                   that were taken from it"
                .to_owned(),
            Self::Reactivates(reason) => {
                format!("{reason}: the import would make its secret work again")
            }
            Self::EndsOverlap { until, last_used } => {
                let last_use = last_used.map_or_else(
                    || "not used since the regeneration".to_owned(),
                    |at| format!("last used {}", at.format("%Y-%m-%d %H:%M UTC")),
                );
                format!(
                    "the old secret of this token works {} ({last_use}): the import would end it early",
                    expiry_text(Some(*until))
                )
            }
            Self::WidensScopes(first, others) => {
                let more = match others {
                    0 => String::new(),
                    others => format!(" and {}", counted(*others, "other scope")),
                };
                format!("the import would allow {first}{more}, which this store does not allow")
            }
            Self::Prolongs => "the import would let a secret work longer".to_owned(),
            Self::LoosensLimit(limit) => format!("the import would loosen its limit {limit}"),
            Self::NameTaken(id) => format!("token {id} in the store already has this name"),
        }
    }
}

/// Applies [`OnConflict`] to the rows of one import.
#[derive(Debug)]
pub(in crate::service) struct ConflictResolver {
    on_conflict: OnConflict,
    /// The sorted ids of all imported tokens; empty while the rows are checked for the first time.
    /// An import that replaces these tokens may rename them, so their present names do not
    /// conflict.
    ids: Vec<TokenId>,
}

impl ConflictResolver {
    pub(in crate::service) fn new(on_conflict: OnConflict, ids: Vec<TokenId>) -> Self {
        Self { on_conflict, ids }
    }

    /// The CRC-32 of the ids of all imported tokens.
    pub(super) fn ids_crc(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        self.ids.iter().for_each(|id| crc.update(id.as_bytes()));
        crc.finalize()
    }

    /// Whether tokens in the store can be replaced.
    pub(super) fn is_replacing(&self) -> bool {
        matches!(self.on_conflict, OnConflict::Replace { .. })
    }

    /// Returns the action for a row, and a fault for each conflict that the policy refuses. Unless
    /// `may_reactivate`, the consent of the operator does not cover a secret that works again.
    pub(in crate::service) fn decide(
        &self,
        rows: &impl ReadOps,
        at: Timestamp,
        ImportRow { line, token }: &ImportRow,
        may_reactivate: bool,
    ) -> Result<(RowPlan, Vec<LineFault>), StoreError> {
        let action = match self.conflicts(rows, at, token)? {
            None => RowPlan { outcome: RowOutcome::Unchanged, conflicts: Vec::new() },
            Some(conflicts) => RowPlan { outcome: self.outcome(&conflicts), conflicts },
        };
        let is_refused = |conflict: &&Conflict| {
            let is_unseen = !may_reactivate && matches!(conflict, Conflict::Reactivates(_));
            self.refuses(conflict) || is_unseen && self.is_replacing()
        };
        let refused = action.conflicts.iter().filter(is_refused);
        let fault = |conflict: &Conflict| LineFault {
            line: *line,
            field: conflict.field().to_owned(),
            reason: conflict.describe(),
        };
        let refused = refused.map(fault).collect();
        Ok((action, refused))
    }

    fn outcome(&self, conflicts: &[Conflict]) -> RowOutcome {
        match self.on_conflict {
            _ if conflicts.is_empty() => RowOutcome::New,
            OnConflict::Skip => RowOutcome::Skipped,
            OnConflict::Replace { .. } | OnConflict::Fail => RowOutcome::Replaced,
        }
    }

    fn refuses(&self, conflict: &Conflict) -> bool {
        match self.on_conflict {
            OnConflict::Fail => true,
            OnConflict::Skip => false,
            OnConflict::Replace { .. }
                if matches!(conflict, Conflict::OutOfDate | Conflict::EndedForGood) =>
            {
                true
            }
            OnConflict::Replace { is_confirmed } => !is_confirmed && conflict.needs_confirmation(),
        }
    }

    /// The conflicts of `token`. Returns `None` if the store has an identical token.
    fn conflicts(
        &self,
        rows: &impl ReadOps,
        at: Timestamp,
        token: &Token,
    ) -> Result<Option<Vec<Conflict>>, StoreError> {
        let is_active = !token.status(at).is_ended();
        let mut conflicts = Vec::new();
        let state = rows.revocation_state(&token.id)?;
        // An import that was killed before it wrote the register leaves such a token.
        let is_denied = |existing: &Token| {
            let denial = state.denial(existing, SecretSlot::Current, at);
            !existing.status(at).is_ended() && matches!(denial, Some(Denial::Revoked(_)))
        };
        let ended = "the secret of this token was ended in this store";
        let is_deletion_pending = rows.is_deletion_pending(&token.id);
        match rows.token(&token.id) {
            Ok(Some(existing)) if is_same(&existing, token) && !is_denied(&existing) => {
                return Ok(None);
            }
            _ if state.is_ended_for_good() => conflicts.push(Conflict::EndedForGood),
            Ok(Some(existing)) => {
                conflicts.push(Conflict::Differs);
                conflicts.extend(is_out_of_date(rows, &existing)?.then_some(Conflict::OutOfDate));
                let reactivates = is_active && is_denied(&existing);
                conflicts.extend(reactivates.then_some(Conflict::Reactivates(ended)));
                conflicts.extend(wider_access(&existing, token, at));
                conflicts.extend(would_end_overlap(&existing, token, at));
            }
            Ok(None) if is_deletion_pending || rows.was_deleted(&token.id)? => {
                conflicts.push(if is_active {
                    Conflict::Reactivates("this token was deleted in this store")
                } else {
                    Conflict::Deleted
                });
                match rows.trashed(&token.id)? {
                    Some(deleted) => conflicts.extend(wider_access(&deleted.token, token, at)),
                    // The record stays until the deletion is stored, but is read as deleted.
                    None if is_deletion_pending => {}
                    None => conflicts.extend(changed_since(&state, token)),
                }
            }
            Ok(None) => {
                let is_ended = state.denial(token, SecretSlot::Current, at).is_some();
                conflicts.extend((is_active && is_ended).then_some(Conflict::Reactivates(ended)));
                conflicts.extend(changed_since(&state, token));
            }
            Err(StoreError::Damaged(_)) => {
                let reason = "the record of this token in the store is damaged, and the token may have been revoked";
                conflicts.push(Conflict::Differs);
                conflicts.extend(is_active.then_some(Conflict::Reactivates(reason)));
            }
            Err(error) => return Err(error),
        }
        let mut holders = self.name_holders(rows, &token.name)?;
        holders.retain(|id| *id != token.id);
        conflicts.extend(holders.into_iter().map(Conflict::NameTaken));
        Ok(Some(conflicts))
    }

    /// Returns the tokens in the store that have this name, without those that the import replaces.
    fn name_holders(&self, rows: &impl ReadOps, name: &Name) -> Result<Vec<TokenId>, StoreError> {
        let is_replacing = self.is_replacing();
        let mut holders = rows.ids_of_name(name)?;
        holders.retain(|id| !(is_replacing && self.ids.binary_search(id).is_ok()));
        Ok(holders)
    }
}

/// The conflict of a token without a record that was changed since the export, as the register knows.
fn changed_since(state: &RevocationState, token: &Token) -> Option<Conflict> {
    (token.version < state.min_version).then_some(Conflict::ChangedSince)
}

/// Whether the record is out of date, and not of a revoked token: replacing it would give back what
/// was taken from the token.
fn is_out_of_date(rows: &impl ReadOps, existing: &Token) -> Result<bool, StoreError> {
    let state = rows.revocation_state(&existing.id)?;
    Ok(existing.revoked.is_none() && existing.version < state.min_version)
}

/// Whether both versions of a token are equal, apart from the last uses and the counters `version`
/// and `generation`.
fn is_same(existing: &Token, imported: &Token) -> bool {
    let without_uses = |token: &Token| {
        let previous = token.previous.clone().map(|old| PreviousSecret {
            last_used: None,
            last_denied: None,
            uses_taken: 0,
            ..old
        });
        Token {
            last_used: None,
            last_denied: None,
            previous,
            version: 0,
            generation: 0,
            uses_taken: 0,
            ..token.clone()
        }
    };
    without_uses(existing) == without_uses(imported)
}

/// Returns the ways in which the token would allow more after `imported` replaces `existing`.
pub(in crate::service) fn wider_access(
    existing: &Token,
    imported: &Token,
    at: Timestamp,
) -> Vec<Conflict> {
    // A token that has ended can be regenerated, and then has the scopes and limits of its record.
    let works = !imported.status(at).is_ended();
    let reactivates = works.then(|| would_reactivate(existing, imported, at)).flatten();
    let reactivates = reactivates.map(Conflict::Reactivates);
    let mut added = imported.scopes.iter().filter(|scope| !is_allowed(existing, scope));
    let widens =
        added.next().map(|first| Conflict::WidensScopes(Box::new(first.clone()), added.count()));
    let prolongs = works && reactivates.is_none() && prolongs_a_secret(existing, imported);
    let prolongs = prolongs.then_some(Conflict::Prolongs);
    let loosens = imported.limits.loosened_since(&existing.limits, at).map(Conflict::LoosensLimit);
    [reactivates, widens, prolongs, loosens].into_iter().flatten().collect()
}

/// Whether a secret of `existing` would work longer with `imported`. The previous secret of a token
/// ends with its overlap, also if it is the current secret of the other record.
fn prolongs_a_secret(existing: &Token, imported: &Token) -> bool {
    [SecretSlot::Current, SecretSlot::Previous].into_iter().any(|slot| {
        let digest = existing.digest_of(slot);
        let ends = |token: &Token| digest.and_then(|digest| token.end_of(digest));
        // `None` is never, and later than every time.
        match (ends(existing), ends(imported)) {
            (Some(Some(now)), Some(then)) => then.is_none_or(|then| then > now),
            _ => false,
        }
    })
}

/// Whether the scopes of `token` allow everything that `scope` allows.
fn is_allowed(token: &Token, scope: &Scope) -> bool {
    let request = AccessRequest::from(scope.clone());
    token.scopes.iter().any(|held| allows(held, &request))
}

/// Checks whether replacing `existing` by `imported` would make a secret work that does not work
/// now. If so, returns the reason why that secret does not work now. `imported` is active.
fn would_reactivate(existing: &Token, imported: &Token, at: Timestamp) -> Option<&'static str> {
    if existing.status(at) == Status::Revoked {
        return Some("this token is revoked in this store");
    }
    let works = |digest: &Digest| !existing.status(at).is_ended() && existing.accepts(digest, at);
    // The time alone can be edited, and a replaced secret has a lower generation.
    let is_newer = imported.issued > existing.issued && imported.generation > existing.generation;
    if !is_newer && !works(&imported.digest) {
        return Some("in this store, this token has another secret or has expired");
    }
    let previous = imported.previous.as_ref().filter(|old| at < old.until);
    if !is_newer && previous.is_some_and(|old| !works(&old.digest)) {
        return Some("the old secret of this token no longer works in this store");
    }
    None
}

/// Checks whether replacing `existing` by `imported` would end the overlap of `existing` early.
fn would_end_overlap(existing: &Token, imported: &Token, at: Timestamp) -> Option<Conflict> {
    let previous = existing.active_overlap(at)?;
    let is_kept = !imported.status(at).is_ended() && imported.accepts(&previous.digest, at);
    let last_used = previous.last_used.as_ref().map(|used| used.at);
    (!is_kept).then_some(Conflict::EndsOverlap { until: previous.until, last_used })
}
