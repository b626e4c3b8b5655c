//! Compares a backup with the store that it replaces, and restores it. Secrets that were ended
//! since the backup stay ended: their records are changed to agree with the revocation register. In
//! these functions, `self` is the service of the backup. Called by `backup restore`.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use super::{
    Service, ServiceError,
    import::{Conflict, wider_access},
    store_reads::newest_event,
};
use crate::{
    domain::{AuditAction, EventBody, EventHash, Refusal, Status, Timestamp, Token, TokenId},
    store::{
        DamagedRecord, HookRunReads as _, KeptEndings, ReadOps, Reader, RestoreTarget,
        RevocationEntry, StoreError, TokenChanges as _, Writer, if_readable, token_with_use_counts,
    },
};

/// The detail of the events for secrets that stay ended. The text is stored, so it must not change.
const ENDED_SINCE: &str = "ended since the backup";

/// The id of a store, and the number and hash of its newest event. Two stores with the same history
/// have recorded the same changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreHistory {
    store: String,
    newest_event: (u64, EventHash),
}

impl StoreHistory {
    fn of(rows: &Reader) -> Result<Self, StoreError> {
        Ok(Self { store: rows.store_id()?, newest_event: newest_event(rows)? })
    }
}

/// How the store changes if the backup replaces it. The texts are names of tokens.
#[derive(Debug, Default)]
pub struct RestoreDifferences {
    /// Tokens that the store does not have.
    pub returning: Vec<String>,
    /// Tokens that the backup does not have.
    pub vanishing: Vec<String>,
    /// Tokens that will allow more than now, each with the differences.
    pub widened: Vec<(String, String)>,
    /// Tokens that were changed since the backup in a way that nobody knows: the store is lost or
    /// older, and only the register has their versions. They stay denied.
    pub unknown: Vec<String>,
    /// Tokens with a secret that works in the backup and stays ended.
    pub ended: Vec<String>,
    /// Tokens whose current secret works and is not in the backup, so that it stops working.
    pub regenerated: Vec<String>,
    /// Damaged records of the store, which cannot be compared.
    pub uncompared: Vec<DamagedRecord>,
    /// The history of the store; `None` if there is no store that can be read.
    pub replaced: Option<StoreHistory>,
    /// Whether the tokens of the store could be read.
    pub is_compared: bool,
    /// Number of the newest event of the backup.
    pub events: u64,
    /// Whether the revocation register of the store is kept.
    pub keeps_register: bool,
}

impl RestoreDifferences {
    /// The number of the newest event of the store with which the backup was compared.
    pub fn compared_events(&self) -> Option<u64> {
        let history = self.replaced.as_ref().filter(|_| self.is_compared)?;
        Some(history.newest_event.0)
    }
}

impl Service {
    /// Returns the restore target at `path`. Opens the store there, if there is one that can be
    /// read.
    pub fn restore_target(&self, path: &Path) -> Result<RestoreTarget, ServiceError> {
        Ok(RestoreTarget::open(path, &self.store)?)
    }

    /// Verifies the checksums of all pages of the store's file.
    pub fn verify_tree(&self) -> Result<(), ServiceError> {
        Ok(self.store.verify_tree()?)
    }

    /// Compares this backup with the store at `target`.
    pub fn restore_differences(
        &self,
        target: &RestoreTarget,
    ) -> Result<RestoreDifferences, ServiceError> {
        let at = self.restore_time(target)?;
        let replaced = read_if_readable(target, StoreHistory::of)?;
        let kept = target.kept_endings(&self.store, at)?;
        let (backup, events) =
            self.store.read(|rows| Ok::<_, StoreError>((rows.tokens()?, newest_event(rows)?)))?;
        let mut found = RestoreDifferences {
            events: events.0,
            replaced,
            keeps_register: kept.has_register(),
            ..RestoreDifferences::default()
        };
        let mut current: BTreeMap<TokenId, Token> = BTreeMap::new();
        if let Some(tokens) = read_if_readable(target, ReadOps::tokens)? {
            found.is_compared = true;
            found.uncompared = tokens.damaged;
            current = tokens.rows.into_iter().map(|token| (token.id, token)).collect();
        }
        let ended = ended_by_token(&kept);
        for token in backup.rows {
            let stays = match ended.get(&token.id) {
                Some(entry) => {
                    let is_known = knows_token(target, entry, &token)?;
                    with_endings(entry, &token, is_known, at)
                }
                None => token.clone(),
            };
            let now = current.remove(&token.id);
            let name = || token.name.to_string();
            let min_version = ended.get(&token.id).map_or(0, |entry| entry.min_version);
            if stays.version < min_version && works(&stays, at) > 0 {
                found.unknown.push(name());
            } else if now.as_ref().is_some_and(|now| has_newer_secret(now, &stays, at)) {
                found.regenerated.push(name());
            } else if works(&token, at) > works(&stays, at) {
                found.ended.push(name());
            }
            match now {
                None => found.returning.push(token.name.to_string()),
                Some(now) => {
                    let wider = wider_access(&now, &stays, at);
                    let labels: Vec<_> = wider.iter().map(Conflict::label).collect();
                    if !labels.is_empty() {
                        found.widened.push((token.name.to_string(), labels.join(", ")));
                    }
                }
            }
        }
        found.vanishing = current.into_values().map(|token| token.name.to_string()).collect();
        Ok(found)
    }

    /// Replaces the store at `target` by this backup. Returns the path under which the replaced
    /// file is kept. Fails if the clock is behind the newest time in that store, because the backup
    /// can make secrets work again, and if the store was changed since `confirmed`, the differences
    /// that the operator has seen.
    pub fn restore_backup(
        &self,
        target: &RestoreTarget,
        confirmed: &RestoreDifferences,
    ) -> Result<Option<PathBuf>, ServiceError> {
        let at = self.restore_time(target)?;
        if let Some(newest) = read_if_readable(target, |rows| self.clock.behind(rows))?.flatten() {
            return Err(Refusal::ClockBehind { clock: self.clock.now(), newest }.into());
        }
        let replaced = read_if_readable(target, newest_event)?;
        let queued =
            read_if_readable(target, |rows| Ok(rows.hook_runs_after(0, usize::MAX)?.rows))?;
        let queued = queued.unwrap_or_default();
        let detail = match replaced {
            Some((sequence, hash)) => format!("replaced event {sequence}, hash {hash}"),
            None => "replaced no readable store".to_owned(),
        };
        Ok(target.replace(&self.store, at, |tx, kept| {
            // From here on, no process can change the store that is replaced.
            let found = target.current_or_new(&self.store)?;
            let history =
                found.map_or(Ok(None), |store| if_readable(store.read(StoreHistory::of)))?;
            if history != confirmed.replaced {
                return Err(target.changed_meanwhile());
            }
            Self::keep_hook_runs(tx, &queued)?;
            let restored = AuditAction::RestoredFromBackup;
            tx.append_event(self.new_event(at, restored, None, detail))?;
            // First, because it needs the generations of the backup.
            read_if_readable(target, |rows| tx.keep_use_counts(rows))?;
            for entry in kept {
                self.keep_ended(tx, entry, target, at)?;
            }
            self.purge_ended_trash(tx, kept, at)
        })?)
    }

    /// The time of the restore: that of the clock, but not earlier than the newest event of the
    /// backup and of the store.
    fn restore_time(&self, target: &RestoreTarget) -> Result<Timestamp, ServiceError> {
        let at = self.now()?;
        let newest = read_if_readable(target, |rows| self.clock.denial_time(rows))?;
        Ok(newest.map_or(at, |newest| newest.max(at)))
    }

    /// Changes the record of one token so that it agrees with `entry`. The register denies it as out of
    /// date only if nobody knows how the token was changed since the backup.
    fn keep_ended(
        &self,
        tx: &mut Writer<'_>,
        entry: &RevocationEntry,
        target: &RestoreTarget,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let token = match token_with_use_counts(tx, &entry.id) {
            Ok(Some(token)) => token,
            // A missing or damaged record allows nothing.
            Ok(None) | Err(StoreError::Damaged(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let is_known = knows_token(target, entry, &token)?;
        let changed = with_endings(entry, &token, is_known, at);
        if changed == token {
            return Ok(());
        }
        tx.put_token(&changed)?;
        // The counts have the number of the secret, which may have changed.
        tx.put_use_count(&changed)?;
        let action = if changed.revoked != token.revoked {
            AuditAction::Revoked
        } else if changed.previous != token.previous {
            AuditAction::OverlapEnded
        } else {
            return Ok(());
        };
        let detail = ENDED_SINCE.to_owned();
        tx.append_event(self.new_event(at, action, Some(&token), detail)).map(drop)
    }

    /// Removes tokens from the trash that were changed after the backup. Otherwise, an undo of the
    /// deletion could reactivate secrets that were ended after the backup.
    fn purge_ended_trash(
        &self,
        tx: &mut Writer<'_>,
        kept: &[RevocationEntry],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let newest: HashMap<_, _> =
            kept.iter().map(|entry| (entry.id, entry.min_version)).collect();
        for trashed in tx.trash()?.rows {
            let token = trashed.token;
            if newest.get(&token.id).is_some_and(|version| *version > token.version) {
                tx.purge(&token.id)?;
                let (purged, detail) = (AuditAction::Purged, ENDED_SINCE.to_owned());
                let event: EventBody = self.new_event(at, purged, Some(&token), detail);
                tx.append_event(event)?;
            }
        }
        Ok(())
    }
}

/// Reads the store that is replaced; `None` if it is missing or damaged.
fn read_if_readable<T>(
    target: &RestoreTarget,
    read: impl FnOnce(&Reader) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    match target.current() {
        Some(store) => if_readable(store.read_once(read)),
        None => Ok(None),
    }
}

/// Merges the entries of each token into one. A token with pending endings can have several.
fn ended_by_token(kept: &KeptEndings) -> HashMap<TokenId, RevocationEntry> {
    let mut by_token: HashMap<TokenId, RevocationEntry> = HashMap::new();
    for entry in &kept.entries {
        let known = by_token.entry(entry.id).or_insert_with(|| RevocationEntry::of(entry.id));
        known.ended_generation = known.ended_generation.max(entry.ended_generation);
        known.min_version = known.min_version.max(entry.min_version);
    }
    by_token
}

/// Whether the store that is replaced has the newest record of `token`, a token of the backup, or
/// knows that it was deleted. It does not if it is lost or older than its register, or if it is itself
/// a restored backup without the token.
fn knows_token(
    target: &RestoreTarget,
    entry: &RevocationEntry,
    token: &Token,
) -> Result<bool, StoreError> {
    let is_known = read_if_readable(target, |rows| {
        if rows.is_store_outdated() {
            return Ok(false);
        }
        if let Some(current) = rows.token_without_usage(&entry.id)? {
            return Ok(current.version >= entry.min_version);
        }
        // A deletion ends all secrets. A token with others was removed by an earlier restore.
        let has_ended_all = entry.ended_generation >= token.generation;
        Ok(has_ended_all && rows.was_deleted(&entry.id)?)
    })?;
    Ok(is_known.unwrap_or(false))
}

/// Returns `token` without the secrets that `entry` ends. If the change since the backup is known, the
/// `version` is so high that the register does not deny the record as out of date: the operator has
/// seen the difference. The `generation` is so high that the secret of the next regenerate works.
fn with_endings(entry: &RevocationEntry, token: &Token, is_known: bool, at: Timestamp) -> Token {
    let ended = entry.applied(token.clone(), at);
    let generation = match entry.ended_generation {
        // The entry is damaged: it ends all secrets, and its generation is not that of a secret.
        u32::MAX => ended.generation,
        // The token stays revoked, also with the current secret of the replaced store. The register does
        // not know its generation, which is at most 2 later.
        other if ended.revoked.is_some() && other >= token.generation => {
            other.saturating_add(RevocationEntry::UNKNOWN_SECRETS)
        }
        other => ended.generation.max(other),
    };
    let is_newest = is_known && !entry.is_ended_for_good();
    let version = if is_newest { ended.version.max(entry.min_version) } else { ended.version };
    Token { version, generation, ..ended }
}

/// Whether the current secret of `now` works, but is not a secret of `restored`.
fn has_newer_secret(now: &Token, restored: &Token, at: Timestamp) -> bool {
    now.status(at) == Status::Active && restored.digest != now.digest
}

/// Number of secrets of `token` that work at `at`.
fn works(token: &Token, at: Timestamp) -> usize {
    match token.status(at) {
        Status::Active | Status::NotYetValid => 1 + usize::from(token.active_overlap(at).is_some()),
        Status::Expired | Status::Revoked => 0,
    }
}
