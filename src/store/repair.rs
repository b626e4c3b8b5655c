//! Finds and executes repairs. Rebuilds what follows from other records (names, deletion times, the
//! event chain), and removes damaged rows whose loss is acceptable (last uses, numbers of uses,
//! deleted tokens, events, changes). Leaves the records of tokens alone; deleting a token removes
//! its damaged record. Called by the service for `doctor --repair`.

use std::{fmt, ops::ControlFlow};

use super::{
    chain,
    codec::decode,
    error::StoreError,
    hook_runs, jobs,
    name_index::{EntryCheck, clash_key},
    read_ops::{ChainCheckResult, ReadOps},
    reader::Reader,
    record::{
        ChainHeadV1, DeniedAttemptsV1, TokenIdRecordV1, TokenUsesV2, TokenV2, TrashV2, UsageDaysV1,
        UseCountV1,
    },
    recorded_time::{RecordedTime, reset_newest_use},
    tables::{Tables, Transaction, WriteTables, display_key},
    token_names::TokenNames,
    trash_index::{self, TrashTimeKey},
    write_ops::{NO_TOKEN, Writer},
};
use crate::domain::{EventHash, Timestamp, TokenId, counted};

type Key = [u8; TokenId::LEN];

/// Number of events that a rebuild of the audit trail holds in memory.
const EVENTS_PER_BATCH: usize = 4_096;

/// One repair of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// Chain the readable events again, because the trail is broken at this event.
    RebuildTrail(u64),
    /// Remove an entry of the name table that is damaged or refers to no token with this name.
    RemoveName(Vec<u8>),
    /// Add the missing entry for the folded name of a token.
    AddName(TokenId, String),
    /// Remove a damaged last use, or the last use of a token that does not exist.
    RemoveLastUse([u8; TokenId::LEN]),
    /// Count all uses of a token as taken, because their number is damaged.
    TakeAllUses([u8; TokenId::LEN]),
    /// Remove the counted uses of a token that does not exist.
    RemoveUseCount([u8; TokenId::LEN]),
    /// Remove damaged numbers of uses, or those of a token that does not exist.
    RemoveUsageDays([u8; TokenId::LEN]),
    /// Remove damaged denied attempts, or those of a token that does not exist.
    RemoveDeniedAttempts([u8; TokenId::LEN]),
    /// Remove a deleted token whose record is damaged.
    RemoveTrash([u8; TokenId::LEN]),
    /// Remove an entry of the trash index that is damaged or refers to no deleted token.
    RemoveDeletionTime(TrashTimeKey),
    /// Add the missing entry of the trash index for a deleted token.
    AddDeletionTime(TokenId, Timestamp),
    /// Remove the rows of the change log up to the last damaged one, which has this number.
    TrimChangeLog(u64),
    /// Remove the damaged record of this job.
    RemoveJob(u64),
    /// Remove the damaged record of this run of a hook.
    RemoveHookRun(u64),
    /// Replace the damaged record of the newest use.
    ResetNewestUse,
    /// Rebuild the revocation register, which has this number of damaged entries.
    RebuildRegister(usize),
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RebuildTrail(from) => write!(
                f,
                "rebuild the audit trail from event {from} on: damaged events are lost, later \
                 events get new numbers and hashes"
            ),
            Self::RemoveName(name) => {
                write!(f, "remove the wrong name entry {}", display_key(name))
            }
            Self::AddName(id, name) => write!(f, "add the missing name entry {name} of {id}"),
            Self::RemoveLastUse(id) => write!(f, "remove the last use of {}", display_key(id)),
            Self::TakeAllUses(id) => {
                write!(f, "count all uses of {} as taken: their number is damaged", display_key(id))
            }
            Self::RemoveUseCount(id) => {
                write!(f, "remove the counted uses of {}", display_key(id))
            }
            Self::RemoveUsageDays(id) => {
                write!(f, "remove the numbers of uses of {}", display_key(id))
            }
            Self::RemoveDeniedAttempts(id) => {
                write!(f, "remove the denied attempts of {}", display_key(id))
            }
            Self::RemoveTrash(id) => {
                write!(f, "remove the damaged deleted token {}", display_key(id))
            }
            Self::RemoveDeletionTime(key) => {
                write!(f, "remove the wrong deletion time {}", display_key(key))
            }
            Self::AddDeletionTime(id, at) => {
                write!(
                    f,
                    "add the missing deletion time {} of {id}",
                    at.format("%Y-%m-%d %H:%M UTC")
                )
            }
            Self::TrimChangeLog(last) => write!(f, "remove the change log up to {last}"),
            Self::RemoveJob(number) => write!(f, "remove the damaged record of job {number}"),
            Self::RemoveHookRun(number) => {
                write!(f, "remove the damaged run {number} of a hook: it does not run")
            }
            Self::RebuildRegister(damaged) => write!(
                f,
                "rebuild the revocation register: the records of the tokens replace its {}",
                counted(*damaged, "damaged record")
            ),
            Self::ResetNewestUse => write!(
                f,
                "forget the damaged time of the newest use: a clock that was set back since then may \
                 make expired secrets work again"
            ),
        }
    }
}

impl Reader {
    /// Like [`ReadOps::find_repairs`], but does not verify the audit trail again. `chain` must be
    /// the result of [`ReadOps::verify_chain`] in this transaction.
    pub fn find_repairs_with(&self, chain: &ChainCheckResult) -> Result<Vec<Repair>, StoreError> {
        find_repairs(&self.tables, chain)
    }
}

/// Returns the repairs that the store needs, in the order in which they must be done. `chain` is
/// the result of verifying the audit trail.
pub(super) fn find_repairs<T: Transaction>(
    tables: &Tables<T>,
    chain: &ChainCheckResult,
) -> Result<Vec<Repair>, StoreError> {
    let mut repairs = Vec::new();
    if let Some((sequence, _)) = &chain.first_fault {
        repairs.push(Repair::RebuildTrail(*sequence));
    }
    find_in_names_and_uses(tables, &mut repairs)?;
    tables.trash.for_each(|key: &Key, row| {
        if row.ok().and_then(|body| TrashV2::decode_parts(key, body)).is_none() {
            repairs.push(Repair::RemoveTrash(*key));
        }
        ControlFlow::Continue(())
    })?;
    repairs.extend(trash_index::wrong_entries(tables)?.into_iter().map(Repair::RemoveDeletionTime));
    let missing = trash_index::missing_entries(tables)?.into_iter();
    repairs.extend(missing.map(|(at, id)| Repair::AddDeletionTime(id, at)));
    let mut last_damaged = None;
    tables.changes.for_each(|number, row| {
        if row.ok().and_then(decode::<TokenIdRecordV1>).is_none() {
            last_damaged = Some(number);
        }
        ControlFlow::Continue(())
    })?;
    repairs.extend(last_damaged.map(Repair::TrimChangeLog));
    repairs.extend(jobs::damaged(tables)?.into_iter().map(Repair::RemoveJob));
    repairs.extend(hook_runs::damaged(tables)?.into_iter().map(Repair::RemoveHookRun));
    let clock = RecordedTime::load(tables, None)?;
    repairs.extend(clock.is_damaged.then_some(Repair::ResetNewestUse));
    Ok(repairs)
}

fn find_in_names_and_uses<T: Transaction>(
    tables: &Tables<T>,
    repairs: &mut Vec<Repair>,
) -> Result<(), StoreError> {
    let mut names = TokenNames::load(tables)?;
    tables.uses.for_each(|key: &Key, row| {
        if !names.contains(key) || row.ok().and_then(TokenUsesV2::decode_usage).is_none() {
            repairs.push(Repair::RemoveLastUse(*key));
        }
        ControlFlow::Continue(())
    })?;
    tables.use_counts.for_each(|key: &Key, row| {
        if row.ok().and_then(decode::<UseCountV1>).is_none() {
            let is_used = names.contains(key);
            repairs.push(if is_used { Repair::TakeAllUses } else { Repair::RemoveUseCount }(*key));
        }
        ControlFlow::Continue(())
    })?;
    // An I/O error ends the repair anyway.
    let is_known = |key: &Key| names.contains(key) || tables.trash.has(key).unwrap_or(true);
    tables.usage_days.for_each(|key: &Key, row| {
        if !is_known(key) || row.ok().and_then(UsageDaysV1::decode_days).is_none() {
            repairs.push(Repair::RemoveUsageDays(*key));
        }
        ControlFlow::Continue(())
    })?;
    tables.denials.for_each(|key: &Key, row| {
        let attempts = row.ok().and_then(DeniedAttemptsV1::decode_attempts);
        if !is_known(key) || attempts.is_none() {
            repairs.push(Repair::RemoveDeniedAttempts(*key));
        }
        ControlFlow::Continue(())
    })?;
    let mut check = EntryCheck::default();
    tables.names.for_each(|name: &[u8], row| {
        let key = row.ok().and_then(decode).map(|TokenIdRecordV1(key)| key);
        // The first valid entry of a token counts; another one is wrong.
        let owner = key.and_then(|key| names.get(&key)).filter(|owner| !owner.has_entry);
        let owner = owner.map(|owner| (owner.folded.as_str(), &owner.key));
        let is_valid = check.is_valid(name, owner);
        match key {
            Some(key) if is_valid => names.set_has_entry(&key),
            Some(key) if names.damaged.contains(&key) => {}
            _ => repairs.push(Repair::RemoveName(name.to_vec())),
        }
        ControlFlow::Continue(())
    })?;
    let without_entry = names.rows.into_iter().filter(|row| !row.has_entry);
    repairs.extend(without_entry.filter_map(|row| {
        Some(Repair::AddName(TokenId::from_bytes(row.key)?, row.folded.into_string()))
    }));
    Ok(())
}

impl Writer<'_> {
    /// Does all repairs that the store needs, and returns them.
    pub fn repair(&mut self) -> Result<Vec<Repair>, StoreError> {
        let repairs = self.find_repairs()?;
        for repair in &repairs {
            let tables = &mut self.tables;
            match repair {
                Repair::RebuildTrail(_) => rebuild_trail(tables)?,
                Repair::RemoveName(name) => tables.names.remove_entry(name)?,
                Repair::AddName(id, name) => {
                    let (name, id) = (name.as_bytes(), id.as_bytes());
                    let is_taken = tables.names.has(name)?;
                    let key = if is_taken { clash_key(name, id) } else { name.to_vec() };
                    tables.names.put(&key, &TokenIdRecordV1(*id))?;
                }
                Repair::RemoveLastUse(key) => drop(tables.uses.remove(key)?),
                Repair::TakeAllUses(key) => {
                    let token = tables.tokens.get(key, |body| TokenV2::decode_token(key, body));
                    let generation = token.ok().flatten().map_or(1, |token| token.generation);
                    tables.use_counts.put(key, &UseCountV1::all_taken(generation))?;
                }
                Repair::RemoveUseCount(key) => drop(tables.use_counts.remove(key)?),
                Repair::RemoveUsageDays(key) => drop(tables.usage_days.remove(key)?),
                Repair::RemoveDeniedAttempts(key) => drop(tables.denials.remove(key)?),
                Repair::RemoveTrash(key) => {
                    trash_index::remove(tables, key)?;
                    tables.trash.remove(key)?;
                    if !tables.tokens.has(key)? {
                        tables.usage_days.remove(key)?;
                        tables.denials.remove(key)?;
                    }
                }
                Repair::RemoveDeletionTime(key) => drop(tables.trash_times.remove(key)?),
                Repair::AddDeletionTime(id, at) => trash_index::put(tables, *at, id.as_bytes())?,
                Repair::RemoveJob(number) => drop(tables.jobs.remove(*number)?),
                Repair::RemoveHookRun(number) => drop(tables.hook_runs.remove(*number)?),
                Repair::ResetNewestUse => reset_newest_use(tables)?,
                // No table contains the register; `Store::rebuild_register` repairs it.
                Repair::RebuildRegister(_) => {}
                Repair::TrimChangeLog(last) => {
                    // The highest number is the generation of the store, which must not go back.
                    let keeps_last = tables.changes.last_key()? > *last;
                    let range = ..=*last;
                    tables
                        .error
                        .run(|| Ok(tables.changes.inner.retain_in(range, |_, _| false)?))?;
                    if !keeps_last {
                        tables.changes.put(*last, &TokenIdRecordV1(NO_TOKEN))?;
                    }
                }
            }
        }
        Ok(repairs)
    }
}

/// Removes damaged events and chains the others again.
fn rebuild_trail(tables: &mut WriteTables<'_>) -> Result<(), StoreError> {
    let error = tables.error.clone();
    error.run(|| Ok(tables.token_events.inner.retain(|_, _| false)?))?;
    let start = ChainHeadV1 { event_count: 0, hash: *EventHash::NONE.as_bytes() };
    let mut head = chain::append_all(tables, start, &[])?;
    let mut from = 0;
    loop {
        let (mut sequences, mut bodies) = (Vec::new(), Vec::new());
        tables.events.scan(from.., false, |sequence, row| {
            sequences.push(sequence);
            let event = row.ok().and_then(|row| chain::decode_event(sequence, row));
            bodies.extend(event.map(|event| event.body));
            if sequences.len() < EVENTS_PER_BATCH {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        let Some(last) = sequences.last() else { return Ok(()) };
        from = last.saturating_add(1);
        for sequence in sequences {
            tables.events.remove(sequence)?;
        }
        head = chain::append_all(tables, head, &bodies)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::AuditAction,
        store::{
            Store,
            scenario::{at, event_body, id, nth_token},
        },
    };

    #[test]
    fn a_damaged_newest_use_gives_no_answer_until_the_repair() {
        let store = Store::memory().unwrap();
        store.write(|rows| rows.raise_newest_use(at(5))).unwrap();
        let is_intact = || store.read(ReadOps::intact_recorded_time).is_ok();
        assert!(is_intact());
        let damaged = store.write(|rows| {
            rows.tables.meta.inner.insert(&b"clock"[..], &[1, 2, 3][..])?;
            Ok::<_, StoreError>(())
        });
        damaged.unwrap();
        assert!(!is_intact());
        assert_eq!(store.read(ReadOps::find_repairs), Ok(vec![Repair::ResetNewestUse]));
        let repaired = store.write(|rows| {
            let repairs = rows.repair()?;
            Ok::<_, StoreError>(repairs)
        });
        repaired.unwrap();
        assert!(is_intact());
    }

    #[test]
    fn damaged_derived_rows_and_events_are_repaired() {
        let store = Store::memory().unwrap();
        let write = |work: &dyn Fn(&mut Writer<'_>) -> Result<(), StoreError>| {
            store.write(|rows| work(rows)).unwrap();
        };
        write(&|rows| {
            for n in 1..=6 {
                rows.put_token(&nth_token(n))?;
                rows.append_event(event_body(n, AuditAction::Created))?;
            }
            rows.delete_token(&nth_token(6), at(1))
        });
        assert_eq!(store.read(ReadOps::find_repairs), Ok(vec![]));
        let name = |n| nth_token(n).name.folded();
        write(&|rows| {
            let bad = &[1, 2, 3][..];
            let tables = &mut rows.tables;
            tables.names.inner.insert(name(1).as_bytes(), bad)?;
            tables.names.remove(name(2).as_bytes())?;
            tables.uses.inner.insert(id(3).as_bytes(), bad)?;
            tables.usage_days.inner.insert(id(3).as_bytes(), bad)?;
            tables.denials.inner.insert(id(3).as_bytes(), bad)?;
            tables.trash.inner.insert(id(6).as_bytes(), bad)?;
            tables.events.inner.insert(4, bad)?;
            let last = tables.changes.last_key()?;
            tables.changes.inner.insert(last, bad)?;
            tables.hook_runs.inner.insert(8, bad)?;
            Ok(())
        });
        let generation = store.read(ReadOps::generation).unwrap();
        let planned = store.read(ReadOps::find_repairs).unwrap();
        assert_eq!(
            planned,
            [
                Repair::RebuildTrail(4),
                Repair::RemoveLastUse(*id(3).as_bytes()),
                Repair::RemoveUsageDays(*id(3).as_bytes()),
                Repair::RemoveDeniedAttempts(*id(3).as_bytes()),
                Repair::RemoveName(name(1).into_bytes()),
                Repair::AddName(id(1), name(1)),
                Repair::AddName(id(2), name(2)),
                Repair::RemoveTrash(*id(6).as_bytes()),
                Repair::TrimChangeLog(generation),
                Repair::RemoveHookRun(8),
            ]
        );
        let repair = |rows: &mut Writer<'_>| rows.repair().map(|done| assert_eq!(done, planned));
        store.write(repair).unwrap();
        assert_eq!(store.read(ReadOps::find_repairs), Ok(vec![]));
        assert!(store.read(ReadOps::generation).unwrap() >= generation);
        let chain = store.read(ReadOps::verify_chain).unwrap();
        assert_eq!((chain.events, chain.first_fault), (5, None));
        for n in 1..=5 {
            assert_eq!(store.read(|rows| rows.id_of_name(&nth_token(n).name)), Ok(Some(id(n))));
        }
    }
}
