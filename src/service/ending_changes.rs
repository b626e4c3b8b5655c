//! What a command ends that only ends secrets, and the entries of the revocation register for its changes.
//! Writes nothing. Called by `endings`.

use std::collections::{HashMap, HashSet};

use super::{job_batches::ended_entry, pending_endings::has_event};
use crate::{
    domain::{Actor, AuditAction, Command, Plan, StoredToken, Token, TokenChange, TokenId},
    store::{Ending, EndingKind, ReadOps as _, RevocationEntry, Writer},
};

/// Returns `command` for some of its tokens.
pub(super) fn only_for(command: &Command, ids: &HashSet<TokenId>) -> Command {
    match command {
        Command::RevokeLeaked { secrets } => {
            let secrets = secrets.iter().filter(|secret| ids.contains(&secret.id));
            Command::RevokeLeaked { secrets: secrets.copied().collect() }
        }
        command => command.clone().for_tokens(ids.iter().copied().collect()),
    }
}

/// What a command ends that only ends secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    AllSecrets,
    /// One secret of each token, whatever other secrets the token gets meanwhile.
    OneSecret,
    Tokens,
}

impl Ended {
    /// The kind of ending that a change of `before` to `after` is.
    pub(super) fn kind(self, before: &Token, after: &StoredToken) -> EndingKind {
        let is_revoked = matches!(after, StoredToken::Live(token) if token.revoked.is_some());
        let old = before.previous.as_ref().filter(|_| !is_revoked);
        match self {
            Self::AllSecrets => EndingKind::Revoke,
            Self::OneSecret => {
                let digest = old.map_or(&before.digest, |old| &old.digest);
                EndingKind::EndSecret(digest.prefix())
            }
            Self::Tokens => EndingKind::Delete,
        }
    }
}

/// Returns what `command` ends, or `None` if it does anything else.
pub(super) fn ended_by(command: &Command) -> Option<Ended> {
    match command {
        Command::Revoke { .. } => Some(Ended::AllSecrets),
        Command::EndOverlap { .. } | Command::RevokeLeaked { .. } => Some(Ended::OneSecret),
        Command::Delete { .. } => Some(Ended::Tokens),
        Command::Create { .. }
        | Command::Edit { .. }
        | Command::AddScopes { .. }
        | Command::RemoveScopes { .. }
        | Command::ChangeScopes { .. }
        | Command::Regenerate { .. }
        | Command::Restore(_)
        | Command::Revert(_)
        | Command::RecordDelivery { .. }
        | Command::AcceptClock
        | Command::PurgeTrash => None,
    }
}

/// Whether both plans change the same tokens, and none of them was regenerated in between.
pub(super) fn has_same_secrets(one: &Plan, other: &Plan) -> bool {
    let secrets = |plan: &Plan| -> Vec<_> {
        plan.tokens_before().map(|token| (token.id, token.generation)).collect()
    };
    secrets(one) == secrets(other)
}

pub(super) fn id_of(change: &TokenChange) -> Option<TokenId> {
    change.before.token().map(|token| token.id)
}

/// Returns the highest generation whose secret a change ends, or `None` if it ends no secret.
fn ending_of(change: &TokenChange) -> Option<u32> {
    match (&change.before, &change.after) {
        (StoredToken::Live(before), StoredToken::Deleted(..)) => Some(before.generation),
        (StoredToken::Live(before), StoredToken::Live(after)) if before != after => {
            Some(RevocationEntry::of_token(after).ended_generation)
        }
        _ => None,
    }
}

/// The tokens of `previewed` that another process has changed since, so that the planned change no longer
/// fits:
///
/// - It has stored this ending. What it has made of the token since, such as a restore, came later.
/// - It has deleted the token.
/// - If one secret of each token is to be ended: it has issued a secret. The one to end may be in another
///   place of the record, or in none.
pub(super) fn tokens_changed_meanwhile(
    tx: &Writer<'_>,
    ended: Ended,
    entries: &[RevocationEntry],
    previewed: &[TokenChange],
) -> HashSet<TokenId> {
    // All endings of a plan have the same time.
    let at = entries.iter().find_map(|entry| Some(entry.pending.as_ref()?.at));
    let is_stored = |id: &TokenId, change: &TokenChange| {
        has_event(tx, id, action_of(change), |stored| Some(stored) == at).unwrap_or(false)
    };
    let has_changed = |before: &Token, change: &TokenChange| match tx.token(&before.id) {
        Ok(Some(token)) => {
            let is_renewed = token.generation != before.generation;
            ended == Ended::OneSecret && is_renewed
                || token.version != before.version && is_stored(&before.id, change)
        }
        Ok(None) => ended != Ended::Tokens,
        Err(_) => false,
    };
    let changed = |change: &TokenChange| {
        let before = change.before.token()?;
        has_changed(before, change).then_some(before.id)
    };
    previewed.iter().filter_map(changed).collect()
}

/// The action of the event of an ending.
fn action_of(change: &TokenChange) -> AuditAction {
    match &change.after {
        StoredToken::Live(token) if token.revoked.is_some() => AuditAction::Revoked,
        StoredToken::Live(_) => AuditAction::OverlapEnded,
        StoredToken::Deleted(..) | StoredToken::Damaged(_) | StoredToken::Absent => {
            AuditAction::Deleted
        }
    }
}

/// Returns the entries of what `plan` ends and `entries` do not: later secrets, and other tokens.
pub(super) fn later_entries(plan: &Plan, entries: &[RevocationEntry]) -> Vec<RevocationEntry> {
    let ended: HashMap<TokenId, u32> =
        entries.iter().map(|entry| (entry.id, entry.ended_generation)).collect();
    let is_later = |change: &&TokenChange| match (id_of(change), ending_of(change)) {
        (Some(id), Some(generation)) => ended.get(&id).is_none_or(|ended| generation > *ended),
        _ => false,
    };
    plan.changes.iter().filter(is_later).filter_map(ended_entry).collect()
}

/// Adds the changes of `previewed` that `plan` lacks because their secrets ended meanwhile: another process
/// has stored the pending ending, or has replaced the only secret to end. A token that was to be revoked and
/// has another secret now is left out.
pub(super) fn add_ended_meanwhile(plan: &mut Plan, previewed: &[TokenChange], tx: &Writer<'_>) {
    let planned: HashSet<TokenId> = plan.changes.iter().filter_map(id_of).collect();
    let is_ended = |change: &&TokenChange| {
        let Some(id) = id_of(change).filter(|id| !planned.contains(id)) else { return false };
        let is_active = tx.token(&id).ok().flatten().is_some_and(|it| it.revoked.is_none());
        !(is_active && change.after.token().is_some_and(|it| it.revoked.is_some()))
    };
    let ended: Vec<_> = previewed.iter().filter(is_ended).cloned().collect();
    plan.skipped.retain(|skipped| {
        let token = skipped.token.as_ref();
        token.is_none_or(|token| !ended.iter().any(|it| id_of(it) == Some(token.id)))
    });
    plan.changes.extend(ended);
}

/// Returns the register entries of `plan`. Each of them, except that of a damaged token, has a
/// pending ending, because the store's record does not contain the ending yet.
pub(super) fn pending_entries(plan: &Plan, ended: Ended, actor: &Actor) -> Vec<RevocationEntry> {
    let entry = |change: &TokenChange| {
        if let StoredToken::Damaged(id) = change.before {
            // The generation of a damaged token is unknown, so end all its secrets.
            return Some(RevocationEntry::all_ended(id));
        }
        let (ended_generation, before) = (ending_of(change)?, change.before.token()?);
        let kind = ended.kind(before, &change.after);
        let ending = Ending { kind, at: plan.at, actor: Some(actor.clone()) };
        Some(RevocationEntry {
            ended_generation,
            min_version: before.version,
            expires: before.expires,
            pending: Some(ending),
            ..RevocationEntry::of(before.id)
        })
    };
    plan.changes.iter().filter_map(entry).collect()
}
