//! Records that are out of date: an older copy of the store was put back, and the revocation register
//! demands a later version of them. Checks deny their secrets. Refuses the changes and copies of
//! such a record that would give back what was taken from the token. Called by `issue`, `endings`,
//! exports, backups and `doctor`.

use std::{collections::HashMap, sync::Arc};

use super::{Service, ServiceError};
use crate::{
    domain::{AuditAction, Command, Plan, Refusal, Secret, StoredToken, Token, TokenId},
    store::{
        Ending, EndingKind, HasTables, OverruledTokens, PathProblem, ReadOps as _, Reader,
        RevocationEntry, StoreError, TokenChanges as _, TrashedToken,
    },
};

impl Service {
    /// Returns the tokens that the revocation register overrules, found in two reads.
    pub(super) fn overruled_tokens(&self) -> Result<OverruledTokens, ServiceError> {
        let found = self.store.read(Reader::overruled_tokens)?;
        if found.is_empty() {
            return Ok(found);
        }
        // A change that was being saved is complete in a read that begins now.
        Ok(found.intersection(&self.store.read(Reader::overruled_tokens)?))
    }

    /// Returns the deleted token that `text` identifies if its record is out of date: an older copy of the
    /// store was put back, and the token was restored since that copy.
    pub fn stale_deletion(&self, text: &str) -> Result<Option<Token>, ServiceError> {
        let Ok(Token { id, .. }) = self.resolve_deleted(text) else { return Ok(None) };
        // Another process can have restored it since.
        Ok(self.store.read(|rows| {
            let Some(TrashedToken { token, .. }) = rows.trashed(&id)? else { return Ok(None) };
            let is_stale = rows.revocation_state(&id)?.is_stale(&token);
            Ok::<_, StoreError>(Some(token).filter(|_| is_stale))
        })?)
    }

    /// Ends a token of [`Self::stale_deletion`] for good, also in the newer state of the store.
    pub fn end_stale_deletion(&self, token: &Token) -> Result<(), ServiceError> {
        let at = self.now()?;
        let ending = Ending { kind: EndingKind::Revoke, at, actor: Some(self.actor.clone()) };
        let entry = RevocationEntry::of_deleted(token).ended_for_good();
        self.store.end_secrets(&[RevocationEntry { pending: Some(ending), ..entry }], at)?;
        // The ending is in force. If it cannot be stored now, the next write stores it.
        let _ = self.store_pending_endings();
        Ok(())
    }

    /// Fails with [`Refusal::StaleRecord`] if a record is out of date: a copy of it would give back
    /// what was taken from the token.
    pub(super) fn require_no_stale_token(&self) -> Result<(), ServiceError> {
        match self.overruled_tokens()?.stale.pop_first() {
            Some((name, _)) => Err(Refusal::StaleRecord(name).into()),
            None => Ok(()),
        }
    }

    /// Fails if the revocation register is damaged so that new secrets of these tokens would not work,
    /// or if a record is out of date.
    pub(super) fn require_intact_register(
        &self,
        secrets: &HashMap<TokenId, Secret>,
    ) -> Result<(), ServiceError> {
        let Some(path) = self.store.path().filter(|_| !secrets.is_empty()) else { return Ok(()) };
        self.store.read(|rows| {
            for id in secrets.keys() {
                let token = rows.token_without_usage(id)?;
                if rows.revocation_state(id)?.is_damaged() {
                    return Err(PathProblem::DamagedRegister.at(path).into());
                }
                if let Some(token) = token {
                    require_current_record(rows, &token)?;
                }
            }
            Ok(())
        })
    }

    /// Fails if the record of a token that `plan` changes is out of date. In a transaction that
    /// changes it, the answer is final; elsewhere, another process can change the record meanwhile.
    pub(super) fn require_current_records(&self, plan: &Plan) -> Result<(), ServiceError> {
        let changes_record = matches!(
            plan.command,
            Command::Edit { .. }
                | Command::AddScopes { .. }
                | Command::RemoveScopes { .. }
                | Command::ChangeScopes { .. }
                | Command::Regenerate { .. }
                | Command::EndOverlap { .. }
                | Command::Revert(_)
                | Command::Restore(_)
        );
        if !changes_record || self.store.path().is_none() {
            return Ok(());
        }
        self.store.read(|rows| {
            plan.changes.iter().try_for_each(|change| match &change.before {
                StoredToken::Live(token) => require_current_record(rows, token),
                StoredToken::Deleted(token, _) => require_current_deletion(rows, token),
                StoredToken::Absent | StoredToken::Damaged(_) => Ok(()),
            })
        })
    }
}

impl Service {
    /// Replaces the reasons for which `plan` skips tokens that were ended for good, and those that only
    /// count as revoked because the store is older than its register: their reasons would lead nowhere.
    pub(super) fn explain_ended_tokens(&self, plan: &mut Plan) -> Result<(), ServiceError> {
        let is_status = |reason: &Refusal| matches!(reason, Refusal::Transition(_));
        if self.store.path().is_none() || !plan.skipped.iter().any(|it| is_status(&it.reason)) {
            return Ok(());
        }
        self.store.read_once(|rows| {
            for skipped in plan.skipped.iter_mut().filter(|it| is_status(&it.reason)) {
                let Some(token) = &skipped.token else { continue };
                let state = rows.revocation_state(&token.id).unwrap_or_default();
                if state.is_ended_for_good() {
                    skipped.reason = Refusal::EndedForGood;
                } else if rows.is_store_outdated() {
                    skipped.reason = Refusal::EndedInNewerStore;
                }
            }
            Ok(())
        })
    }

    /// Raises the generations of new secrets above those that the register has ended, which can be later
    /// than the record knows.
    pub(super) fn raise_new_generations(&self, plan: &mut Plan) -> Result<(), ServiceError> {
        self.store.read_once(|rows| {
            for change in &mut plan.changes {
                let StoredToken::Live(token) = &mut change.after else { continue };
                let state = rows.revocation_state(&token.id).unwrap_or_default();
                let is_possible = !state.is_damaged() && !state.is_ended_for_good();
                if is_possible && token.generation <= state.ended_generation {
                    Arc::make_mut(token).generation = state.ended_generation.saturating_add(1);
                }
            }
            Ok(())
        })
    }

    /// The entries of the tokens that `plan` has restored. A revoked token keeps what the register ends of
    /// it, which can be more than its record says.
    pub(super) fn restored_entries(&self, plan: &Plan) -> Result<Vec<RevocationEntry>, StoreError> {
        self.store.read(|rows| {
            let entry = |token: &Token| {
                let (entry, state) =
                    (RevocationEntry::of_token(token), rows.revocation_state(&token.id)?);
                let keeps = token.revoked.is_some() && !state.is_damaged();
                let kept = if keeps { state.ended_generation } else { 0 };
                let ended_generation = entry.ended_generation.max(kept);
                Ok(RevocationEntry { ended_generation, ..entry })
            };
            plan.tokens().map(entry).collect()
        })
    }

    /// Changes the entries of tokens whose records are out of date, so that they end these tokens for
    /// good. Each entry demands the version of the record that was planned. If the current secret of a
    /// record was ended already, as after the restore of a backup, its entry ends the later secrets that
    /// the register can know. If the register cannot be read, the entries stay as they are.
    pub(super) fn end_later_secrets(
        &self,
        entries: &mut [RevocationEntry],
    ) -> Result<(), StoreError> {
        let changed = self.store.read(|rows| {
            let entries = entries.iter().enumerate();
            let changed = entries.filter_map(|(place, it)| Some((place, ending_later(rows, it)?)));
            Ok::<_, StoreError>(changed.collect::<Vec<_>>())
        })?;
        for (place, entry) in changed {
            if let Some(planned) = entries.get_mut(place) {
                *planned = entry;
            }
        }
        Ok(())
    }
}

/// Returns what `entry` must be to end also the secrets of its token that the register knows and the
/// record does not, see [`Service::end_later_secrets`]. Returns `None` if there are none.
fn ending_later(rows: &Reader, entry: &RevocationEntry) -> Option<RevocationEntry> {
    let token = rows.token_without_usage(&entry.id).ok().flatten()?;
    if token.version != entry.min_version {
        // Another process has changed the token since, and knows its secrets.
        return None;
    }
    let state = rows.revocation_state(&entry.id).unwrap_or_default();
    if entry.min_version < state.min_version {
        return Some(entry.clone().ended_for_good());
    }
    let unknown = RevocationEntry::UNKNOWN_SECRETS;
    let ended_generation = state.ended_generation.saturating_add(unknown);
    let is_ended = entry.ended_generation <= state.ended_generation;
    // The register still has the deletion that a restore or import has undone: the process that did so is
    // about to write it. It knows no later secrets.
    let newest = rows.newest_changes_of(&entry.id, 1).ok().and_then(|mut events| events.pop());
    let permits = [AuditAction::Imported, AuditAction::Restored];
    let is_permitted = newest.is_some_and(|event| permits.contains(&event.body.action))
        && token.revoked.is_none()
        && !rows.is_of_other_history();
    let is_ended = is_ended && !is_permitted;
    is_ended.then(|| RevocationEntry { ended_generation, ..entry.clone() })
}

/// Fails if the record of a deleted token is out of date, also if the register ends more secrets than its
/// deletion did: the token was ended again in a newer state of the store. A revoked token gets no secret
/// back, so what the register ends of it stays ended.
fn require_current_deletion(rows: &impl HasTables, token: &Token) -> Result<(), ServiceError> {
    let ended = rows.revocation_state(&token.id)?.ended_generation;
    require_current_record(rows, token)?;
    let own = token.generation.saturating_add(RevocationEntry::UNKNOWN_SECRETS);
    if token.revoked.is_none() && ended > own {
        return Err(Refusal::StaleRecord(token.name.clone()).into());
    }
    Ok(())
}

/// Fails if the register demands a later version of the record than `token`, or if the token was ended
/// for good.
pub(super) fn require_current_record(
    rows: &impl HasTables,
    token: &Token,
) -> Result<(), ServiceError> {
    let state = rows.revocation_state(&token.id)?;
    if state.is_ended_for_good() {
        return Err(Refusal::EndedForGood.for_token(&token.name).into());
    }
    if token.version < state.min_version {
        return Err(Refusal::StaleRecord(token.name.clone()).into());
    }
    Ok(())
}
