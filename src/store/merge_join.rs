//! Joins the tokens with the tables of their last uses and counted uses by key, in one pass over
//! each table. Refuses a table whose keys do not ascend. Called by `read_ops`.

use std::ops::{Bound, ControlFlow};

use redb::{AccessGuard, Range, ReadableTable, StorageError};

use super::{
    error::StoreError,
    key_order::KeyOrder,
    tables::{IdKey, RecordTable, Transaction},
};
use crate::domain::TokenId;

type Id = [u8; TokenId::LEN];

/// Rows of a table from a key on. Gives the row at each of a series of ascending keys.
struct RowCursor<'r> {
    rows: Range<'r, IdKey, &'static [u8]>,
    order: KeyOrder,
    next: Option<(AccessGuard<'r, IdKey>, AccessGuard<'r, &'static [u8]>)>,
}

impl<'r> RowCursor<'r> {
    fn new(
        table: &'r impl ReadableTable<IdKey, &'static [u8]>,
        from: Bound<&Id>,
    ) -> Result<Self, StorageError> {
        let range = (from, Bound::Unbounded);
        let rows = table.range::<&Id>(range)?;
        let mut cursor = Self { rows, order: KeyOrder::new::<IdKey>(&range, false), next: None };
        cursor.advance()?;
        Ok(cursor)
    }

    fn advance(&mut self) -> Result<(), StorageError> {
        self.next = self.rows.next().transpose()?;
        match &self.next {
            Some((key, _)) => self.order.check::<IdKey>(key.value()),
            None => Ok(()),
        }
    }

    /// The row at `key`. The keys of later calls must be greater.
    fn row_at(&mut self, key: &Id) -> Result<Option<&[u8]>, StorageError> {
        while self.next.as_ref().is_some_and(|(other, _)| other.value() < key) {
            self.advance()?;
        }
        let same = self.next.as_ref().filter(|(other, _)| other.value() == key);
        Ok(same.map(|(_, value)| value.value()))
    }
}

impl<T: Transaction> RecordTable<IdKey, T> {
    /// Calls `visit` with each raw row of this table from `from` on, and with the raw rows of
    /// `first` and `second` at the same key, until `visit` breaks.
    pub(super) fn merge_join(
        &self,
        [first, second]: [&Self; 2],
        from: Bound<&Id>,
        mut visit: impl FnMut(&Id, &[u8], [Option<&[u8]>; 2]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let range = (from, Bound::Unbounded);
        self.with_table(|table| {
            Ok(first.with_table(|first| {
                Ok(second.with_table(|second| {
                    let mut order = KeyOrder::new::<IdKey>(&range, false);
                    let mut first = RowCursor::new(first, from)?;
                    let mut second = RowCursor::new(second, from)?;
                    for row in table.range::<&Id>(range)? {
                        let (key, value) = row?;
                        let key = key.value();
                        order.check::<IdKey>(key)?;
                        let others = [first.row_at(key)?, second.row_at(key)?];
                        if visit(key, value.value(), others).is_break() {
                            break;
                        }
                    }
                    Ok(())
                }))
            }))
        })??
    }
}
