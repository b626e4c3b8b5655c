//! The index of names: folded name → id of the token with this name. Tokens of schema 1 can have
//! the same folded name. One of them has the entry of the name. Each of the others has a separate
//! entry, whose key is the name, a zero byte and the token id. Called by `read_ops`, `write_ops`,
//! the checks and the migration.

use std::{collections::BTreeSet, ops::ControlFlow};

use redb::WriteTransaction;

use super::{
    bulk_insert::encode_short,
    codec::decode,
    error::StoreError,
    record::{TokenIdRecordV1, TokenV2},
    tables::{NAMES, RecordTable, Transaction, WriteTables},
};
use crate::domain::{Timestamp, TokenId, fold, looks_alike};

type Key = [u8; TokenId::LEN];
type NameTable<T> = RecordTable<&'static [u8], T>;

/// Separates the name and the id in the key of a clashing token. No name contains it.
const SEPARATOR: u8 = 0;

/// Two tokens with the same name. Only `indexed` is found by this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameClash {
    pub indexed: TokenId,
    pub other: TokenId,
}

/// Returns the key of a token whose name another token has.
pub(super) fn clash_key(name: &[u8], id: &Key) -> Vec<u8> {
    [name, &[SEPARATOR], id].concat()
}

/// Returns the keys of the tokens that clash with the token at the key `name`, with their ids.
fn clashes_of<T: Transaction>(
    names: &NameTable<T>,
    name: &[u8],
) -> Result<Vec<(Vec<u8>, TokenId)>, StoreError> {
    let (first, end) = ([name, &[SEPARATOR]].concat(), [name, &[SEPARATOR + 1]].concat());
    let mut found = Vec::new();
    names.scan(first.as_slice()..end.as_slice(), false, |key: &[u8], row| {
        let id = row.ok().and_then(decode).and_then(|TokenIdRecordV1(id)| TokenId::from_bytes(id));
        found.extend(id.map(|id| (key.to_vec(), id)));
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Returns the ids of the tokens that clash with the token whose folded name is `name`.
pub(super) fn ids_of_clashes<T: Transaction>(
    names: &NameTable<T>,
    name: &str,
) -> Result<Vec<TokenId>, StoreError> {
    Ok(clashes_of(names, name.as_bytes())?.into_iter().map(|(_, id)| id).collect())
}

/// Returns all clashes in the order of their names.
pub(super) fn find_clashes<T: Transaction>(
    names: &NameTable<T>,
) -> Result<Vec<NameClash>, StoreError> {
    let (mut found, mut indexed) = (Vec::new(), None);
    names.for_each(|key: &[u8], row| {
        let id = row.ok().and_then(decode).and_then(|TokenIdRecordV1(id)| TokenId::from_bytes(id));
        if key.contains(&SEPARATOR) {
            found.extend(indexed.zip(id).map(|(indexed, other)| NameClash { indexed, other }));
        } else {
            indexed = id;
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Checks the keys of the index, which must be given in their order.
#[derive(Default)]
pub(super) struct EntryCheck {
    last_name: Vec<u8>,
}

impl EntryCheck {
    /// Whether `key` may refer to `token`, given by its folded name and its id.
    pub(super) fn is_valid(&mut self, key: &[u8], token: Option<(&str, &Key)>) -> bool {
        if !key.contains(&SEPARATOR) {
            self.last_name = key.to_vec();
        }
        token.is_some_and(|(name, id)| {
            let name = name.as_bytes();
            key == name || self.last_name == name && key == clash_key(name, id)
        })
    }
}

impl NameTable<&WriteTransaction> {
    /// Removes an entry. If another token has the same name, that token gets the entry.
    pub(super) fn remove_entry(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.remove(key)?;
        if let Some((later, id)) = clashes_of(self, key)?.into_iter().next() {
            self.remove(&later)?;
            self.put(key, &TokenIdRecordV1(*id.as_bytes()))?;
        }
        Ok(())
    }
}

/// Fills the empty index with the names of all tokens. Of tokens with the same name, the one that
/// was created first gets the entry of the name. The names of a damaged token are copied from
/// `old`, an index of schema 1, and folded by the current rules.
pub(super) fn rebuild(
    tables: &mut WriteTables<'_>,
    old: &NameTable<&WriteTransaction>,
) -> Result<(), StoreError> {
    let (mut names, mut damaged) = (Vec::new(), BTreeSet::new());
    tables.tokens.for_each(|key: &Key, row| {
        match row.ok().and_then(|body| TokenV2::decode_token(key, body)) {
            Some(token) => names.push((token.name.folded(), token.created, *key)),
            None => drop(damaged.insert(*key)),
        }
        ControlFlow::Continue(())
    })?;
    old.for_each(|name: &[u8], row| {
        let id = row.ok().and_then(decode).map(|TokenIdRecordV1(id)| id);
        if let (Some(id), Ok(name)) =
            (id.filter(|id| damaged.contains(id)), std::str::from_utf8(name))
        {
            names.push((fold(name), Timestamp::MAX_UTC, id));
        }
        ControlFlow::Continue(())
    })?;
    names.sort_unstable();
    let (mut rows, mut last) = (Vec::with_capacity(names.len()), None);
    for (name, _, id) in &names {
        let is_first = last.replace(name) != Some(name);
        let name = name.as_bytes();
        let key = if is_first { name.to_vec() } else { clash_key(name, id) };
        let row = encode_short(NAMES, &key, &TokenIdRecordV1(*id))?;
        rows.push((key, row));
    }
    tables.names.put_many(rows, |key| key.as_slice())
}

/// Returns the id of a token whose name looks like `name` but is another name, such as a Cyrillic
/// `а` for a Latin one. An ASCII name is compared only with names that begin with a non-ASCII
/// character, because a name that mixes scripts is reported when it is created.
pub(super) fn find_lookalike<T: Transaction>(
    names: &NameTable<T>,
    name: &str,
) -> Result<Option<TokenId>, StoreError> {
    let first: &[u8] = if name.is_ascii() { &[0x80] } else { &[] };
    let mut found = None;
    names.scan(first.., false, |key: &[u8], row| {
        let is_lookalike =
            std::str::from_utf8(key).is_ok_and(|other| other != name && looks_alike(name, other));
        if is_lookalike {
            found =
                row.ok().and_then(decode).and_then(|TokenIdRecordV1(id)| TokenId::from_bytes(id));
        }
        if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}
