//! The last uses and the counted uses of a token, which have tables of their own. A use is taken in
//! the write transaction that decides whether one is left. A damaged count gives no answer to a
//! check; elsewhere it counts as all uses taken. After a restore, a count can be that of a token
//! which only another backup or an export has. Called by the read and write operations.

use std::{collections::BTreeSet, ops::ControlFlow};

use super::{
    codec::decode,
    error::StoreError,
    read_ops::ReadOps,
    reader::Reader,
    record::{TokenUses, TokenUsesV2, TokenV2, UseCountV1},
    tables::{Tables, Transaction},
    write_ops::Writer,
};
use crate::domain::{SecretSlot, Token, TokenId};

type Key = [u8; TokenId::LEN];

/// Loads the last uses of the token with this id. If the usage record is damaged, returns no uses,
/// so that the token itself can still be used. [`super::ReadOps::tokens`] reports the damage.
pub(super) fn load_usage<T: Transaction>(
    tables: &Tables<T>,
    id: &TokenId,
) -> Result<TokenUses, StoreError> {
    match tables.uses.get(id.as_bytes(), TokenUsesV2::decode_usage) {
        Ok(uses) => Ok(uses.unwrap_or_default()),
        Err(StoreError::Damaged(_)) => Ok(TokenUses::default()),
        Err(error) => Err(error),
    }
}

/// Sets the number of counted uses in `token`, if it has a maximum. Only then uses are counted, so
/// other tokens need no lookup.
///
/// # Errors
///
/// [`StoreError::Damaged`] if the record of the count is damaged.
pub(super) fn attach_use_count<T: Transaction>(
    tables: &Tables<T>,
    token: &mut Token,
) -> Result<(), StoreError> {
    if token.limits.max_uses.is_some() {
        let count = tables.use_counts.get(token.id.as_bytes(), decode::<UseCountV1>)?;
        // The record exists from the time on when the maximum was set, so a missing one was lost.
        UseCountV1::apply_or_all_taken(count, token);
    }
    Ok(())
}

/// Like [`attach_use_count`], but a damaged count becomes that of a token without uses left.
pub(super) fn attach_use_count_or_all<T: Transaction>(
    tables: &Tables<T>,
    token: &mut Token,
) -> Result<(), StoreError> {
    match attach_use_count(tables, token) {
        Err(StoreError::Damaged(_)) => {
            UseCountV1::apply_or_all_taken(None, token);
            Ok(())
        }
        result => result,
    }
}

/// Returns the token with its counted uses, also those from before its maximum was removed.
pub fn token_with_use_counts(
    rows: &impl ReadOps,
    id: &TokenId,
) -> Result<Option<Token>, StoreError> {
    let Some(mut token) = rows.token(id)? else { return Ok(None) };
    if token.limits.max_uses.is_none() {
        match rows.tables().use_counts.get(id.as_bytes(), decode::<UseCountV1>) {
            Ok(count) => count.unwrap_or_default().apply_to(&mut token),
            Err(StoreError::Damaged(_)) => UseCountV1::apply_or_all_taken(None, &mut token),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(token))
}

impl Writer<'_> {
    /// Keeps the counted uses that `replaced` has, the store that this one replaces, and this store
    /// has not, also those of tokens that one of both stores lacks.
    pub fn keep_use_counts(&mut self, replaced: &Reader) -> Result<(), StoreError> {
        let has_maximum = |token: &Token| token.limits.max_uses.is_some();
        let mut counted = BTreeSet::new();
        self.for_each_token(|token| {
            counted.extend(token.ok().filter(has_maximum).map(|it| it.id));
        })?;
        let mut counts = Vec::new();
        replaced.tables.use_counts.for_each(|key: &Key, row| {
            counts.extend(row.ok().and_then(decode::<UseCountV1>).map(|count| (*key, count)));
            ControlFlow::Continue(())
        })?;
        for (key, count) in counts {
            // Of a missing or damaged token only the numbers of its secrets are known.
            let known = TokenId::from_bytes(key).map(|id| (id, replaced.token_without_usage(&id)));
            match known {
                Some((id, Ok(Some(_)))) => drop(counted.insert(id)),
                _ => self.add_use_count(&key, count)?,
            }
        }
        for id in counted {
            let current = match token_with_use_counts(replaced, &id) {
                Ok(Some(current)) => current,
                // A damaged record allows nothing, and nobody knows its secrets any more.
                Ok(None) | Err(StoreError::Damaged(_)) => continue,
                Err(error) => return Err(error),
            };
            match token_with_use_counts(self, &id) {
                Ok(Some(token)) => self.put_use_count(&token.with_uses_of(&current))?,
                Ok(None) | Err(StoreError::Damaged(_)) => self.put_use_count(&current)?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Adds the counted uses of a token that this store may lack to those that it has.
    pub(super) fn add_use_count(&mut self, key: &Key, count: UseCountV1) -> Result<(), StoreError> {
        let counts = &self.tables.use_counts;
        let own = match counts.get(key, decode::<UseCountV1>) {
            // It keeps counting as all uses taken.
            Err(StoreError::Damaged(_)) => return Ok(()),
            own => own?,
        };
        let token = self.tables.tokens.get(key, |body| TokenV2::decode_token(key, body));
        let generation = token.ok().flatten().map(|token| token.generation);
        self.tables.use_counts.put(key, &own.unwrap_or(count).merged(count, generation))
    }

    /// Takes one use of the secret in `slot` of `token`. Returns `false`, and takes none, if no use
    /// is left. The use is taken once the transaction is committed.
    pub fn take_use(&mut self, token: &Token, slot: SecretSlot) -> Result<bool, StoreError> {
        let mut token = token.clone();
        attach_use_count(&self.tables, &mut token)?;
        let count = token.uses_taken(slot);
        if token.limits.max_uses.is_some_and(|max| max.left(count) == 0) {
            return Ok(false);
        }
        token.add_use(slot);
        self.put_use_count(&token)?;
        Ok(true)
    }

    /// Writes the counted uses in the fields of `token`, unless there are none.
    pub fn put_use_count(&mut self, token: &Token) -> Result<(), StoreError> {
        let key = token.id.as_bytes();
        let Some(count) = UseCountV1::of(token) else { return Ok(()) };
        self.tables.use_counts.put(key, &count)?;
        self.mark_changed(*key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{AuditAction, Digest, MaxUses, PreviousSecret, TokenLimits},
        store::{
            DamagedRecord, ReadOps, Repair, Store,
            scenario::{at, event_body, id, nth_token},
        },
    };

    fn limited(uses: u32) -> Token {
        let limits = TokenLimits { max_uses: MaxUses::new(uses), ..TokenLimits::default() };
        Token { limits, ..nth_token(1) }
    }

    fn store_with(token: &Token) -> Store {
        let store = Store::memory().unwrap();
        store
            .write(|rows| {
                rows.put_token(token)?;
                rows.append_event(event_body(1, AuditAction::Created)).map(drop)
            })
            .unwrap();
        store
    }

    fn take(store: &Store, slot: SecretSlot) -> Result<bool, StoreError> {
        store.write(|rows| {
            let token = rows.token(&id(1))?.unwrap();
            rows.take_use(&token, slot)
        })
    }

    fn stored(store: &Store) -> Token {
        store.read(|rows| rows.token(&id(1))).unwrap().unwrap()
    }

    #[test]
    fn uses_are_taken_up_to_the_maximum() {
        let store = store_with(&limited(2));
        let taken: Vec<_> = (0..4).map(|_| take(&store, SecretSlot::Current).unwrap()).collect();
        assert_eq!(taken, [true, true, false, false]);
        assert_eq!(stored(&store).uses_left(), MaxUses::new(2).map(|max| (0, max)));
        let (all, _) = store.read(|rows| rows.tokens_after(None, 9)).unwrap();
        assert_eq!(all.rows, store.read(ReadOps::tokens).unwrap().rows);
        assert_eq!(all.rows[0].uses_taken, 2);
        assert_eq!(store.read(ReadOps::find_inconsistencies), Ok(vec![]));
    }

    #[test]
    fn each_secret_has_its_own_count() {
        let store = store_with(&limited(2));
        take(&store, SecretSlot::Current).unwrap();
        let renew = |token: Token| {
            let digest = token.digest;
            let previous = Some(PreviousSecret {
                digest,
                until: at(9),
                last_used: None,
                last_denied: None,
                uses_taken: 0,
            });
            Token {
                generation: token.generation + 1,
                digest: Digest::from_bytes([9; 32]),
                previous,
                ..token
            }
        };
        let renewed = renew(stored(&store));
        store.write(|rows| rows.put_token(&renewed)).unwrap();
        let counts = |token: &Token| {
            [SecretSlot::Current, SecretSlot::Previous].map(|slot| token.uses_taken(slot))
        };
        assert_eq!(counts(&stored(&store)), [0, 1]);
        assert!(take(&store, SecretSlot::Previous).unwrap());
        assert!(!take(&store, SecretSlot::Previous).unwrap());
        assert!(take(&store, SecretSlot::Current).unwrap());
        assert_eq!(counts(&stored(&store)), [1, 2]);
        let renewed = renew(stored(&store));
        store.write(|rows| rows.put_token(&renewed)).unwrap();
        assert_eq!(counts(&stored(&store)), [0, 1]);
    }

    #[test]
    fn the_trash_keeps_the_count() {
        let store = store_with(&limited(3));
        take(&store, SecretSlot::Current).unwrap();
        let before = stored(&store);
        store.write(|rows| rows.delete_token(&before, at(1))).unwrap();
        let trashed = store.read(|rows| rows.trashed(&id(1))).unwrap().unwrap();
        assert_eq!(trashed.token, before);
        // It stays in its table, too, for a restore of a backup that has the token.
        assert_eq!(store.read(|rows| rows.tables.use_counts.len()), Ok(1));
    }

    #[test]
    fn a_damaged_count_takes_no_use_and_can_be_repaired() {
        let store = store_with(&limited(3));
        store
            .write(|rows| {
                rows.tables.use_counts.put_damaged(id(1).as_bytes())?;
                rows.tables.use_counts.put_damaged(id(7).as_bytes())
            })
            .unwrap();
        let damaged = |n| DamagedRecord { table: "use-counts-1", key: id(n).as_str().to_owned() };
        assert_eq!(take(&store, SecretSlot::Current), Err(StoreError::Damaged(damaged(1))));
        assert_eq!(stored(&store).uses_left().unwrap().0, 0);
        assert_eq!(store.read(ReadOps::tokens).unwrap().damaged, [damaged(1)]);
        let repairs =
            [Repair::TakeAllUses(*id(1).as_bytes()), Repair::RemoveUseCount(*id(7).as_bytes())];
        assert_eq!(store.read(ReadOps::find_repairs), Ok(repairs.to_vec()));
        let repair = |rows: &mut Writer<'_>| rows.repair().map(drop);
        store.write(repair).unwrap();
        assert_eq!(store.read(ReadOps::find_repairs), Ok(vec![]));
        assert_eq!(take(&store, SecretSlot::Current), Ok(false));
    }
}
