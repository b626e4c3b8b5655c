//! The schema, to be read in a minute: every table with its key and value in words. Values are
//! sealed records (see `codec`), keys are bytes and integers. One constructor knows
//! them all. A [`Shelf`] is the only way to a row.

use std::{
    cell::OnceCell,
    fmt::{self, Write as _},
    ops::{Bound, ControlFlow, RangeBounds},
    rc::Rc,
};

use redb::{
    AccessGuard, Key, ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition,
    TableError, WriteTransaction,
};

use super::{
    codec::{Body, Record, seal, unseal},
    error::{Damage, StoreError},
    trouble::{Trouble, noted},
};
use crate::domain::{TokenId, text::escape};

type Bytes = &'static [u8];
type Row<'r, K> = (AccessGuard<'r, K>, AccessGuard<'r, Bytes>);
type IdKey = &'static [u8; TokenId::LEN];
pub(super) type MarkKey = &'static [u8; TokenId::LEN + 8];

/// Word → `schema`: `SchemaV1` · `birth`: `BirthV1` · `head`: `HeadV1`.
const META: &str = "meta-1";
/// Id → `PatV1`.
pub(super) const PATS: &str = "pats-1";
/// Folded name → `RefV1`, the id that has it.
pub(super) const NAMES: &str = "names-1";
/// Id → `UsesV1`. Beside the record, so that a check does not rewrite it.
pub(super) const USES: &str = "uses-1";
/// Sequence from 1 without gaps → `EventV1`, with the hash of the one before: a chain.
pub(super) const EVENTS: &str = "events-1";
/// Id and sequence, big endian → `MarkV1`: where a token's own events are.
pub(super) const TOKEN_EVENTS: &str = "token-events-1";
/// Id → `TrashV1`, a deleted token and when that was.
const TRASH: &str = "trash-1";
/// Number → `RefV1`, a token that a transaction changed: the feed, cut to its newest rows. The
/// last number is the store's generation.
const CHANGES: &str = "changes-1";

/// How the tables of a transaction are held: a write opens all of them at once, a read, which
/// is often the whole of a check, only those that it asks.
pub trait Access {
    /// What opens them.
    type Transaction;
    /// A table in such a transaction.
    type Table<K: Key + 'static>: ReadableTable<K, Bytes>;
    /// The place of a table, opened or not.
    type Slot<K: Key + 'static>;
    /// The place of the table with this name.
    fn slot<K: Key + 'static>(
        transaction: &Self::Transaction,
        name: &'static str,
    ) -> Result<Self::Slot<K>, TableError>;
    /// The table at this place.
    fn table<K: Key + 'static>(slot: &Self::Slot<K>) -> Result<&Self::Table<K>, TableError>;
}

/// Tables that are read.
#[derive(Debug)]
pub struct Reading;

/// A table that is opened when it is first asked.
pub struct Lazy<K: Key + 'static> {
    name: &'static str,
    transaction: Rc<ReadTransaction>,
    table: OnceCell<ReadOnlyTable<K, Bytes>>,
}

impl<K: Key + 'static> fmt::Debug for Lazy<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lazy").finish_non_exhaustive()
    }
}

impl Access for Reading {
    type Transaction = Rc<ReadTransaction>;
    type Table<K: Key + 'static> = ReadOnlyTable<K, Bytes>;
    type Slot<K: Key + 'static> = Lazy<K>;

    fn slot<K: Key + 'static>(
        transaction: &Rc<ReadTransaction>,
        name: &'static str,
    ) -> Result<Lazy<K>, TableError> {
        Ok(Lazy { name, transaction: Rc::clone(transaction), table: OnceCell::new() })
    }

    fn table<K: Key + 'static>(slot: &Lazy<K>) -> Result<&ReadOnlyTable<K, Bytes>, TableError> {
        if let Some(table) = slot.table.get() {
            return Ok(table);
        }
        let table = slot.transaction.open_table(definition(slot.name))?;
        Ok(slot.table.get_or_init(|| table))
    }
}

/// Tables that are read and written.
#[derive(Debug)]
pub struct Writing<'t>(std::marker::PhantomData<&'t ()>);

impl<'t> Access for Writing<'t> {
    type Transaction = &'t WriteTransaction;
    type Table<K: Key + 'static> = Table<'t, K, Bytes>;
    type Slot<K: Key + 'static> = Table<'t, K, Bytes>;

    fn slot<K: Key + 'static>(
        transaction: &&'t WriteTransaction,
        name: &'static str,
    ) -> Result<Table<'t, K, Bytes>, TableError> {
        transaction.open_table(definition(name))
    }

    fn table<'s, K: Key + 'static>(
        slot: &'s Table<'t, K, Bytes>,
    ) -> Result<&'s Table<'t, K, Bytes>, TableError> {
        Ok(slot)
    }
}

/// All tables of one transaction.
pub struct Tables<A: Access> {
    pub(super) meta: Shelf<Bytes, A>,
    pub(super) pats: Shelf<IdKey, A>,
    pub(super) names: Shelf<Bytes, A>,
    pub(super) uses: Shelf<IdKey, A>,
    pub(super) events: Shelf<u64, A>,
    pub(super) token_events: Shelf<MarkKey, A>,
    pub(super) trash: Shelf<IdKey, A>,
    pub(super) changes: Shelf<u64, A>,
    pub(super) trouble: Trouble,
}

impl<A: Access> fmt::Debug for Tables<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

impl<A: Access> Tables<A> {
    /// The one constructor, for both kinds of transaction.
    fn new(transaction: &A::Transaction) -> Result<Self, TableError> {
        let trouble = Trouble::default();
        Ok(Self {
            meta: Shelf::new(META, &trouble, transaction)?,
            pats: Shelf::new(PATS, &trouble, transaction)?,
            names: Shelf::new(NAMES, &trouble, transaction)?,
            uses: Shelf::new(USES, &trouble, transaction)?,
            events: Shelf::new(EVENTS, &trouble, transaction)?,
            token_events: Shelf::new(TOKEN_EVENTS, &trouble, transaction)?,
            trash: Shelf::new(TRASH, &trouble, transaction)?,
            changes: Shelf::new(CHANGES, &trouble, transaction)?,
            trouble,
        })
    }
}

impl Tables<Reading> {
    /// Opens none yet.
    pub(super) fn open(transaction: ReadTransaction) -> Result<Self, TableError> {
        Self::new(&Rc::new(transaction))
    }

    /// Opens them all, so that a missing one is found when a file is.
    pub(super) fn all_there(&self) -> Result<(), TableError> {
        self.meta.table()?;
        self.pats.table()?;
        self.names.table()?;
        self.uses.table()?;
        self.events.table()?;
        self.token_events.table()?;
        self.trash.table()?;
        self.changes.table()?;
        Ok(())
    }
}

impl<'t> Tables<Writing<'t>> {
    /// Makes the tables that are missing, as redb does.
    pub(super) fn open_to_write(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Self::new(&transaction)
    }
}

/// The table that holds the schema number, alone: a later schema may lack all others.
pub(super) fn meta(transaction: ReadTransaction) -> Result<Shelf<Bytes, Reading>, TableError> {
    let meta = Shelf::new(META, &Trouble::default(), &Rc::new(transaction))?;
    meta.table()?;
    Ok(meta)
}

fn definition<K: Key + 'static>(name: &str) -> TableDefinition<'_, K, Bytes> {
    TableDefinition::new(name)
}

/// One table. Seals what goes in, checks what comes out, and turns a panic of redb over a
/// damaged page into an error.
pub(super) struct Shelf<K: Key + 'static, A: Access> {
    pub(super) name: &'static str,
    pub(super) trouble: Trouble,
    pub(super) slot: A::Slot<K>,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "keys are references and integers, which redb's type of them does not show"
)]
impl<K: Key + 'static, A: Access> Shelf<K, A> {
    fn new(
        name: &'static str,
        trouble: &Trouble,
        transaction: &A::Transaction,
    ) -> Result<Self, TableError> {
        Ok(Self { name, trouble: trouble.clone(), slot: A::slot(transaction, name)? })
    }

    fn table(&self) -> Result<&A::Table<K>, TableError> {
        A::table(&self.slot)
    }

    /// The damage of the row at `key`.
    pub(super) fn damage(&self, key: &K::SelfType<'_>) -> Damage {
        Damage { table: self.name, key: shown(K::as_bytes(key).as_ref()) }
    }

    /// What `read` makes of the record at `key`. `None` of it is a record that is damaged.
    pub(super) fn get<T>(
        &self,
        key: K::SelfType<'_>,
        read: impl FnOnce(Body<'_>) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.tried(|table| {
            let Some(found) = table.get(&key)? else {
                return Ok(None);
            };
            let body = unseal(self.name, K::as_bytes(&key).as_ref(), found.value());
            Ok(Some(body.and_then(read).ok_or_else(|| self.damage(&key))))
        })?
        .transpose()
        .map_err(StoreError::Damaged)
    }

    /// Whether there is a row at `key`, whatever its state.
    pub(super) fn has(&self, key: K::SelfType<'_>) -> Result<bool, StoreError> {
        self.tried(|table| Ok(table.get(&key)?.is_some()))
    }

    pub(super) fn len(&self) -> Result<u64, StoreError> {
        self.tried(redb::ReadableTableMetadata::len)
    }

    /// Shows `visit` the rows of `range` in the order of their keys, or against it, until it
    /// breaks.
    pub(super) fn scan<'a>(
        &self,
        range: impl RangeBounds<K::SelfType<'a>> + 'a,
        backwards: bool,
        visit: impl FnMut(K::SelfType<'_>, Result<Body<'_>, Damage>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.tried(|table| {
            let rows = table.range::<K::SelfType<'a>>(range)?;
            if backwards { self.walk(rows.rev(), visit) } else { self.walk(rows, visit) }
        })
    }

    /// Shows `visit` all rows in the order of their keys, until it breaks.
    pub(super) fn each(
        &self,
        visit: impl FnMut(K::SelfType<'_>, Result<Body<'_>, Damage>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.tried(|table| self.walk(table.iter()?, visit))
    }

    /// What lies in the row at `key`, if its checksum is right.
    fn opened<'b>(&self, key: &[u8], bytes: &'b [u8]) -> Result<Body<'b>, Damage> {
        let damage = || Damage { table: self.name, key: shown(key) };
        unseal(self.name, key, bytes).ok_or_else(damage)
    }

    fn walk<'r>(
        &self,
        rows: impl Iterator<Item = Result<Row<'r, K>, redb::StorageError>>,
        mut visit: impl FnMut(K::SelfType<'_>, Result<Body<'_>, Damage>) -> ControlFlow<()>,
    ) -> Result<(), redb::StorageError> {
        for row in rows {
            let (key, value) = row?;
            let key = key.value();
            let body = self.opened(K::as_bytes(&key).as_ref(), value.value());
            if visit(key, body).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Runs what asks redb, and keeps in mind what went wrong.
    pub(super) fn tried<T>(
        &self,
        ask: impl FnOnce(&A::Table<K>) -> Result<T, redb::StorageError>,
    ) -> Result<T, StoreError> {
        noted(&self.trouble, || Ok(ask(self.table()?)?))
    }
}

impl<A: Access> Shelf<u64, A> {
    /// The highest key; 0 in an empty table.
    pub(super) fn last_key(&self) -> Result<u64, StoreError> {
        self.tried(|table| Ok(table.last()?.map_or(0, |(key, _)| key.value())))
    }

    /// The lowest key; `None` in an empty table.
    pub(super) fn first_key(&self) -> Result<Option<u64>, StoreError> {
        self.tried(|table| Ok(table.first()?.map(|(key, _)| key.value())))
    }
}

impl<A: Access> Shelf<IdKey, A> {
    /// Shows `visit` the rows behind `from` in the order of their keys, as they are sealed, each
    /// with the row that `other` has for the same key, until it breaks.
    pub(super) fn beside(
        &self,
        other: &Self,
        from: Bound<&[u8; TokenId::LEN]>,
        mut visit: impl FnMut(&[u8; TokenId::LEN], &[u8], Option<&[u8]>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let range = (from, Bound::Unbounded);
        self.tried(|table| {
            Ok(other.tried(|others| {
                let mut others = others.range::<&[u8; TokenId::LEN]>(range)?;
                let mut next = others.next().transpose()?;
                for row in table.range::<&[u8; TokenId::LEN]>(range)? {
                    let (key, value) = row?;
                    let key = key.value();
                    while next.as_ref().is_some_and(|(other, _)| other.value() < key) {
                        next = others.next().transpose()?;
                    }
                    let same = next.as_ref().filter(|(other, _)| other.value() == key);
                    if visit(key, value.value(), same.map(|(_, value)| value.value())).is_break() {
                        break;
                    }
                }
                Ok(())
            }))
        })?
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as above")]
impl<K: Key + 'static> Shelf<K, Writing<'_>> {
    pub(super) fn put<R: Record>(
        &mut self,
        key: K::SelfType<'_>,
        record: &R,
    ) -> Result<(), StoreError> {
        let sealed = seal(self.name, K::as_bytes(&key).as_ref(), record)
            .ok_or(StoreError::TooLarge { table: self.name })?;
        noted(&self.trouble, || {
            self.slot.insert(&key, sealed.as_slice())?;
            Ok(())
        })
    }

    /// Removes the row at `key`; whether there was one.
    pub(super) fn remove(&mut self, key: K::SelfType<'_>) -> Result<bool, StoreError> {
        noted(&self.trouble, || Ok(self.slot.remove(&key)?.is_some()))
    }
}

/// A key as people read it: as the text that it is, as the number that its 8 bytes are, or in
/// hexadecimal digits.
pub(super) fn shown(key: &[u8]) -> String {
    if let Ok(bytes) = key.try_into() {
        return u64::from_le_bytes(bytes).to_string();
    }
    match std::str::from_utf8(key) {
        Ok(text) => escape(text).into_owned(),
        Err(_) => hex(key),
    }
}

/// These bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A string takes whatever is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
