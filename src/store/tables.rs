//! The schema: every table with its key and value. Keys are bytes or integers; values are records
//! with a checksum (see `codec`). [`Tables`] opens all tables, and [`RecordTable`] is the only
//! access to a row. Called by `read_ops`, `write_ops` and the modules for backup, bulk inserts and
//! checks.

use std::{
    cell::OnceCell,
    fmt,
    ops::{ControlFlow, RangeBounds},
    sync::Arc,
};

use redb::{
    AccessGuard, Key, ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition,
    TableError, WriteTransaction,
};

use super::{
    codec::{Record, RecordBody, encode_record, verify_checksum},
    error::{DamagedRecord, StoreError},
    key_order::KeyOrder,
    panic_guard::StickyError,
};
use crate::domain::{
    TokenId,
    terminal_text::{escape, to_hex},
};

type Bytes = &'static [u8];
type RowGuards<'r, K> = (AccessGuard<'r, K>, AccessGuard<'r, Bytes>);
pub(super) type IdKey = &'static [u8; TokenId::LEN];
type TrashTimeKeyRef = &'static [u8; TokenId::LEN + 12];
pub(super) type TokenEventKeyRef = &'static [u8; TokenId::LEN + 8];

/// Table of five records: `SchemaNumberV1` at the key `schema`, `StoreInfoV1` at the key `birth`,
/// `ChainHeadV1` at the key `head`, `RegisterIdV1` at the key `register`, `NewestEndingV1` at the key `newest-ending`, and `ClockStateV1` at the
/// key `clock`.
const META: &str = "meta-1";
/// Table of tokens: token id → `TokenV2`.
pub(super) const TOKENS: &str = "tokens-2";
/// Table of names: folded name → `TokenIdRecordV1`, the id of the token with that name.
/// `name_index` describes the keys of tokens with the same name.
pub(super) const NAMES: &str = "names-2";
/// Table of last uses and denied attempts: token id → `TokenUsesV2`. It is separate from the
/// tokens, so that a check does not rewrite the token.
pub(super) const USES: &str = "uses-2";
/// Table of counted uses: token id → `UseCountV1`. Only tokens with counted uses have a row.
pub(super) const USE_COUNTS: &str = "use-counts-1";
/// Table of the numbers of uses on each day: token id → `UsageDaysV1`.
const USAGE_DAYS: &str = "usage-days-1";
/// Table of the last denied attempts with their reasons: token id → `DeniedAttemptsV1`.
const DENIALS: &str = "denials-1";
/// Table of audit events: sequence → `EventV1`, which contains the hash of the previous event. The
/// sequences start at 1 and have no gaps.
pub(super) const EVENTS: &str = "events-1";
/// Index of the events of each token: token id and event sequence (big endian) →
/// `TokenEventIndexEntryV1`.
pub(super) const TOKEN_EVENTS: &str = "token-events-1";
/// Table of deleted tokens: token id → `TrashV2`, the token and the time of its deletion.
const TRASH: &str = "trash-2";
/// Index of the deleted tokens by time: time of the deletion and token id → `TokenIdRecordV1`.
pub(super) const TRASH_TIMES: &str = "trash-times-1";
/// Change log: number → `TokenIdRecordV1`, the id of a token that a transaction changed. Only the
/// newest rows are kept. The last number is the generation of the store.
const CHANGES: &str = "changes-1";
/// Table of unfinished jobs: number → `JobV1`.
const JOBS: &str = "jobs-1";
/// Table of queued runs of hooks: number → `HookRunV1`. A run is removed when it has succeeded.
const HOOK_RUNS: &str = "hook-runs-1";

/// A transaction of redb as the tables see it. A write transaction opens all tables at once. A read
/// transaction opens each table at its first use, because opening all of them would take most of
/// the time of a check.
pub trait Transaction {
    type Table<K: Key + 'static>: ReadableTable<K, Bytes>;
    /// A table that is open or can be opened.
    type Inner<K: Key + 'static>;
    fn inner<K: Key + 'static>(&self, name: &'static str) -> Result<Self::Inner<K>, TableError>;
    /// Opens the table if it is not open.
    fn table<K: Key + 'static>(inner: &Self::Inner<K>) -> Result<&Self::Table<K>, TableError>;
}

/// A table that is opened when it is first used.
pub struct LazyTable<K: Key + 'static> {
    name: &'static str,
    transaction: Arc<ReadTransaction>,
    table: OnceCell<ReadOnlyTable<K, Bytes>>,
}

impl<K: Key + 'static> fmt::Debug for LazyTable<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyTable").finish_non_exhaustive()
    }
}

impl Transaction for Arc<ReadTransaction> {
    type Table<K: Key + 'static> = ReadOnlyTable<K, Bytes>;
    type Inner<K: Key + 'static> = LazyTable<K>;

    fn inner<K: Key + 'static>(&self, name: &'static str) -> Result<LazyTable<K>, TableError> {
        Ok(LazyTable { name, transaction: Self::clone(self), table: OnceCell::new() })
    }

    fn table<K: Key + 'static>(
        inner: &LazyTable<K>,
    ) -> Result<&ReadOnlyTable<K, Bytes>, TableError> {
        if let Some(table) = inner.table.get() {
            return Ok(table);
        }
        let table = inner.transaction.open_table(definition(inner.name))?;
        Ok(inner.table.get_or_init(|| table))
    }
}

impl<'t> Transaction for &'t WriteTransaction {
    type Table<K: Key + 'static> = Table<'t, K, Bytes>;
    type Inner<K: Key + 'static> = Table<'t, K, Bytes>;

    fn inner<K: Key + 'static>(
        &self,
        name: &'static str,
    ) -> Result<Table<'t, K, Bytes>, TableError> {
        self.open_table(definition(name))
    }

    fn table<'s, K: Key + 'static>(
        inner: &'s Table<'t, K, Bytes>,
    ) -> Result<&'s Table<'t, K, Bytes>, TableError> {
        Ok(inner)
    }
}

/// The open tables of a read transaction.
pub type ReadTables = Tables<Arc<ReadTransaction>>;

/// The open tables of a write transaction.
pub type WriteTables<'t> = Tables<&'t WriteTransaction>;

macro_rules! tables {
    ($($table:ident: $key:ty = $name:ident;)*) => {
        /// The open tables of one transaction.
        pub struct Tables<T: Transaction> {
            $(pub(super) $table: RecordTable<$key, T>,)*
            pub(super) error: StickyError,
        }

        impl<T: Transaction> Tables<T> {
            /// The only constructor, for both kinds of transactions.
            fn new(transaction: &T) -> Result<Self, TableError> {
                let error = StickyError::default();
                Ok(Self { $($table: RecordTable::new($name, &error, transaction)?,)* error })
            }
        }

        impl ReadTables {
            /// Opens all tables, so that a missing one is found when the file is opened.
            pub(super) fn check_all(&self) -> Result<(), TableError> {
                $(self.$table.table()?;)*
                Ok(())
            }

            /// Copies the rows of every table to `to`, including damaged rows, which are also
            /// listed in `damaged`.
            pub(super) fn copy_rows(
                &self,
                to: &mut WriteTables<'_>,
                damaged: &mut Vec<DamagedRecord>,
            ) -> Result<(), StoreError> {
                $(self.$table.copy_rows(&mut to.$table, damaged)?;)*
                Ok(())
            }

            /// Returns whether every table of `other` has the same rows, byte for byte.
            pub(super) fn equals(&self, other: &Self) -> Result<bool, StoreError> {
                Ok($(self.$table.equals(&other.$table)? &&)* true)
            }
        }
    };
}

tables! {
    meta: Bytes = META;
    tokens: IdKey = TOKENS;
    names: Bytes = NAMES;
    uses: IdKey = USES;
    use_counts: IdKey = USE_COUNTS;
    usage_days: IdKey = USAGE_DAYS;
    denials: IdKey = DENIALS;
    events: u64 = EVENTS;
    token_events: TokenEventKeyRef = TOKEN_EVENTS;
    trash: IdKey = TRASH;
    trash_times: TrashTimeKeyRef = TRASH_TIMES;
    changes: u64 = CHANGES;
    jobs: u64 = JOBS;
    hook_runs: u64 = HOOK_RUNS;
}

impl<T: Transaction> fmt::Debug for Tables<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

impl ReadTables {
    /// Opens no table yet. Each table is opened at its first use.
    pub(super) fn open(transaction: ReadTransaction) -> Result<Self, TableError> {
        Self::new(&Arc::new(transaction))
    }

    /// Fails if the table with the schema number is missing. A store with a newer schema may lack
    /// all other tables.
    pub(super) fn check_meta(&self) -> Result<(), TableError> {
        self.meta.table().map(drop)
    }
}

impl<'t> WriteTables<'t> {
    /// Opens all tables. redb creates the missing ones.
    pub(super) fn open_to_write(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        Self::new(&transaction)
    }
}

fn definition<K: Key + 'static>(name: &str) -> TableDefinition<'_, K, Bytes> {
    TableDefinition::new(name)
}

/// One table of checksummed records. Adds the checksum when it writes, verifies it when it reads,
/// and turns a panic of redb over a damaged page into an error.
pub(super) struct RecordTable<K: Key + 'static, T: Transaction> {
    pub(super) name: &'static str,
    pub(super) error: StickyError,
    pub(super) inner: T::Inner<K>,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "keys are references and integers, which redb's type of them does not show"
)]
impl<K: Key + 'static, T: Transaction> RecordTable<K, T> {
    pub(super) fn new(
        name: &'static str,
        error: &StickyError,
        transaction: &T,
    ) -> Result<Self, TableError> {
        Ok(Self { name, error: error.clone(), inner: T::inner(transaction, name)? })
    }

    fn table(&self) -> Result<&T::Table<K>, TableError> {
        T::table(&self.inner)
    }

    pub(super) fn damage(&self, key: &K::SelfType<'_>) -> DamagedRecord {
        DamagedRecord { table: self.name, key: display_key(K::as_bytes(key).as_ref()) }
    }

    /// Reads the record at `key` and decodes it with `read`. If `read` returns `None`, the record
    /// is damaged.
    pub(super) fn get<R>(
        &self,
        key: K::SelfType<'_>,
        read: impl FnOnce(RecordBody<'_>) -> Option<R>,
    ) -> Result<Option<R>, StoreError> {
        self.with_table(|table| {
            let Some(found) = table.get(&key)? else {
                return Ok(None);
            };
            let body = verify_checksum(self.name, K::as_bytes(&key).as_ref(), found.value());
            Ok(Some(body.and_then(read).ok_or_else(|| self.damage(&key))))
        })?
        .transpose()
        .map_err(StoreError::Damaged)
    }

    /// Whether there is a row at `key`, even a damaged one.
    pub(super) fn has(&self, key: K::SelfType<'_>) -> Result<bool, StoreError> {
        self.with_table(|table| Ok(table.get(&key)?.is_some()))
    }

    pub(super) fn len(&self) -> Result<u64, StoreError> {
        self.with_table(redb::ReadableTableMetadata::len)
    }

    /// Calls `visit` with the rows of `range` in key order, or in reverse order, until `visit`
    /// breaks.
    pub(super) fn scan<'a>(
        &self,
        range: impl RangeBounds<K::SelfType<'a>> + 'a,
        backwards: bool,
        visit: impl FnMut(K::SelfType<'_>, Result<RecordBody<'_>, DamagedRecord>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.with_table(|table| {
            let order = KeyOrder::new::<K>(&range, backwards);
            let rows = table.range::<K::SelfType<'a>>(range)?;
            if backwards {
                self.visit_rows(rows.rev(), order, visit)
            } else {
                self.visit_rows(rows, order, visit)
            }
        })
    }

    /// Calls `visit` with all rows in key order, until `visit` breaks.
    pub(super) fn for_each(
        &self,
        visit: impl FnMut(K::SelfType<'_>, Result<RecordBody<'_>, DamagedRecord>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let order = KeyOrder::new::<K>(&.., false);
        self.with_table(|table| self.visit_rows(table.iter()?, order, visit))
    }

    /// Verifies the checksum of the row at `key`.
    fn verify_row<'b>(&self, key: &[u8], bytes: &'b [u8]) -> Result<RecordBody<'b>, DamagedRecord> {
        let damage = || DamagedRecord { table: self.name, key: display_key(key) };
        verify_checksum(self.name, key, bytes).ok_or_else(damage)
    }

    fn visit_rows<'r>(
        &self,
        rows: impl Iterator<Item = Result<RowGuards<'r, K>, redb::StorageError>>,
        mut order: KeyOrder,
        mut visit: impl FnMut(K::SelfType<'_>, Result<RecordBody<'_>, DamagedRecord>) -> ControlFlow<()>,
    ) -> Result<(), redb::StorageError> {
        for row in rows {
            let (key, value) = row?;
            let key = key.value();
            order.check::<K>(K::as_bytes(&key).as_ref())?;
            let body = self.verify_row(K::as_bytes(&key).as_ref(), value.value());
            if visit(key, body).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Runs `call` with the redb table. If `call` fails, stores the error in the transaction's
    /// [`StickyError`].
    pub(super) fn with_table<R>(
        &self,
        call: impl FnOnce(&T::Table<K>) -> Result<R, redb::StorageError>,
    ) -> Result<R, StoreError> {
        self.error.run(|| Ok(call(self.table()?)?))
    }
}

impl<T: Transaction> RecordTable<u64, T> {
    /// Returns the highest key, or 0 if the table is empty.
    pub(super) fn last_key(&self) -> Result<u64, StoreError> {
        self.with_table(|table| Ok(table.last()?.map_or(0, |(key, _)| key.value())))
    }

    /// Returns the lowest key, or `None` if the table is empty.
    pub(super) fn first_key(&self) -> Result<Option<u64>, StoreError> {
        self.with_table(|table| Ok(table.first()?.map(|(key, _)| key.value())))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as above")]
impl<K: Key + 'static> RecordTable<K, &WriteTransaction> {
    pub(super) fn put<R: Record>(
        &mut self,
        key: K::SelfType<'_>,
        record: &R,
    ) -> Result<(), StoreError> {
        let bytes = encode_record(self.name, K::as_bytes(&key).as_ref(), record)?;
        self.error.run(|| {
            self.inner.insert(&key, bytes.as_slice())?;
            Ok(())
        })
    }

    /// Writes a row that is reported as damaged: no record is empty.
    pub(super) fn put_damaged(&mut self, key: K::SelfType<'_>) -> Result<(), StoreError> {
        self.error.run(|| {
            self.inner.insert(&key, [].as_slice())?;
            Ok(())
        })
    }

    /// Removes the row at `key`. Returns whether there was a row.
    pub(super) fn remove(&mut self, key: K::SelfType<'_>) -> Result<bool, StoreError> {
        self.error.run(|| Ok(self.inner.remove(&key)?.is_some()))
    }
}

/// Formats a key for display: a key of 8 bytes as a number, any other key as text or in hexadecimal
/// digits.
pub(super) fn display_key(key: &[u8]) -> String {
    if let Ok(bytes) = key.try_into() {
        return u64::from_le_bytes(bytes).to_string();
    }
    match std::str::from_utf8(key) {
        Ok(text) => escape(text).into_owned(),
        Err(_) => to_hex(key),
    }
}
