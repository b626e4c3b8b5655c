//! The sorted orders: the rows of all tokens sorted by each column, built on first use and then
//! updated. Rows with equal keys are sorted by name and flagged, so that a reverse scan keeps their
//! relative order. Called by `synced_index` and `query`.

use std::{cmp::Ordering, collections::HashMap};

use rayon::prelude::*;

use super::token_table::{RowId, TokenTable, to_index};
use crate::domain::{Column, Sort};

/// A row number, with the bit [`TIED`] set if the row has the same sort key as the row before it.
type OrderEntry = u32;
/// The bit that marks an entry whose row has the same sort key as the row before it.
const TIED: OrderEntry = 1 << 31;

/// Number of rows per chunk that is sorted with cached keys. Limits the memory for these keys.
const SORT_CHUNK: usize = 1 << 17;

/// The sorted orders that have been built, by column.
#[derive(Debug, Default)]
pub(super) struct SortedOrders(HashMap<Column, Vec<OrderEntry>>);

/// The column whose order a sort by `column` uses. Statuses depend on the clock, so a sort by
/// status uses the order of names.
fn sort_base(column: Column) -> Column {
    if column == Column::Status { Column::Name } else { column }
}

impl SortedOrders {
    /// The first `limit` rows of all tokens in the order of `sort`. Returns `None` if that order is
    /// not built. For a sort by status, ascending or descending, returns the rows in ascending
    /// order of names.
    pub(super) fn rows(&self, sort: Sort, limit: usize) -> Option<Vec<RowId>> {
        let entries = self.0.get(&sort_base(sort.column))?;
        if !sort.descending || sort.column == Column::Status {
            return Some(entries.iter().take(limit).map(|entry| entry & !TIED).collect());
        }
        let mut rows: Vec<OrderEntry> = entries.iter().rev().copied().collect();
        for ties in rows.split_inclusive_mut(|entry| entry & TIED == 0) {
            ties.reverse();
        }
        rows.truncate(limit);
        Some(rows.into_iter().map(|entry| entry & !TIED).collect())
    }

    /// The first column whose order is not built.
    pub(super) fn first_unbuilt(&self) -> Option<Column> {
        let mut columns = Column::ALL.into_iter().map(sort_base);
        columns.find(|column| !self.0.contains_key(column))
    }

    /// Builds the order of `column`, unless it exists.
    pub(super) fn build(&mut self, table: &TokenTable, column: Column) {
        let column = sort_base(column);
        if self.0.contains_key(&column) {
            return;
        }
        let names = self.0.entry(Column::Name).or_insert_with(|| {
            let mut rows = table.used_rows();
            rows.par_sort_by_cached_key(|row| {
                (text_key(table.sort_text(Column::Name, *row)), table.ids.get(to_index(*row)))
            });
            mark_ties(table, Column::Name, &rows)
        });
        if column != Column::Name {
            let mut rows: Vec<RowId> = names.iter().map(|entry| entry & !TIED).collect();
            sort_by_column(table, column, &mut rows);
            self.0.insert(column, mark_ties(table, column, &rows));
        }
    }

    /// Updates all orders after the tokens in the `changed` rows were added, changed or removed.
    pub(super) fn update(&mut self, table: &TokenTable, changed: &[RowId]) {
        let mut is_changed = vec![false; table.row_count()];
        for row in changed {
            if let Some(flag) = is_changed.get_mut(to_index(*row)) {
                *flag = true;
            }
        }
        let used: Vec<RowId> = changed.iter().copied().filter(|row| table.is_used(*row)).collect();
        self.0.par_iter_mut().for_each(|(column, entries)| {
            remove_changed(entries, &is_changed);
            let mut added = used.clone();
            added.sort_by(|a, b| compare(table, *column, *a, *b));
            *entries = merge(table, *column, entries, &added);
        });
    }
}

/// Removes the changed rows. If the first of several rows with equal keys is removed, the next row
/// becomes the first and loses its [`TIED`] flag.
fn remove_changed(entries: &mut Vec<OrderEntry>, is_changed: &[bool]) {
    let mut is_first_removed = false;
    entries.retain_mut(|entry| {
        if is_changed.get(to_index(*entry & !TIED)) == Some(&true) {
            is_first_removed |= *entry & TIED == 0;
            return false;
        }
        if is_first_removed {
            *entry &= !TIED;
        }
        is_first_removed = false;
        true
    });
}

/// Merges the sorted rows of `added` into `entries`.
fn merge(
    table: &TokenTable,
    column: Column,
    entries: &[OrderEntry],
    added: &[RowId],
) -> Vec<OrderEntry> {
    let mut merged = Vec::with_capacity(entries.len() + added.len());
    let push = |merged: &mut Vec<OrderEntry>, row: RowId| {
        let before = merged.last().map(|entry| entry & !TIED);
        let is_tied = before.is_some_and(|before| compare_keys(table, column, before, row).is_eq());
        merged.push(if is_tied { row | TIED } else { row });
    };
    // Appends `entries` and recomputes the `TIED` flag of the first entry, because the row before
    // that entry may be new.
    let extend = |merged: &mut Vec<OrderEntry>, entries: &[OrderEntry]| {
        if let Some((first, others)) = entries.split_first() {
            push(merged, first & !TIED);
            merged.extend_from_slice(others);
        }
    };
    let mut rest = entries;
    for row in added {
        let is_before = |entry: &OrderEntry| compare(table, column, entry & !TIED, *row).is_lt();
        let (before, after) = rest.split_at(rest.partition_point(is_before));
        extend(&mut merged, before);
        push(&mut merged, *row);
        rest = after;
    }
    extend(&mut merged, rest);
    merged
}

/// Returns the sorted `rows` as entries. Sets [`TIED`] in each entry whose key equals the key of
/// the entry before it.
fn mark_ties(table: &TokenTable, column: Column, rows: &[RowId]) -> Vec<OrderEntry> {
    let entry = |(position, row): (usize, &RowId)| {
        let before = position.checked_sub(1).and_then(|before| rows.get(before));
        let is_tied =
            before.is_some_and(|before| compare_keys(table, column, *before, *row).is_eq());
        if is_tied { row | TIED } else { *row }
    };
    rows.par_iter().enumerate().map(entry).collect()
}

/// Sorts `rows` by a column other than the status. The sort is stable.
pub(super) fn sort_by_column(table: &TokenTable, column: Column, rows: &mut [RowId]) {
    if let Column::Name | Column::Description | Column::Status = column {
        rows.par_sort_by_cached_key(|row| text_key(table.sort_text(column, *row)));
        return;
    }
    // Sorts chunks and merges them. Caching all keys at once would take 16 MB for a million rows,
    // which the allocator does not return to the system.
    let key = |row: &RowId| table.sort_number(column, *row);
    rows.par_chunks_mut(SORT_CHUNK).for_each(|chunk| chunk.sort_by_cached_key(key));
    if rows.len() > SORT_CHUNK {
        rows.par_sort_by_key(key);
    }
}

/// A sort key: the first 24 bytes as numbers, compared before the text itself.
fn text_key(text: &str) -> ([u64; 3], &str) {
    let mut words = [[0; 8]; 3];
    words.as_flattened_mut().iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    (words.map(u64::from_be_bytes), text)
}

fn compare_keys(table: &TokenTable, column: Column, a: RowId, b: RowId) -> Ordering {
    match column {
        Column::Name | Column::Description | Column::Status => {
            table.sort_text(column, a).cmp(table.sort_text(column, b))
        }
        Column::Scopes | Column::Issued | Column::Expires | Column::LastUsed => {
            table.sort_number(column, a).cmp(&table.sort_number(column, b))
        }
    }
}

/// Compares two tokens by key, name and id. Two different tokens are never equal, because their ids
/// differ.
fn compare(table: &TokenTable, column: Column, a: RowId, b: RowId) -> Ordering {
    compare_keys(table, column, a, b)
        .then_with(|| compare_keys(table, Column::Name, a, b))
        .then_with(|| table.ids.get(to_index(a)).cmp(&table.ids.get(to_index(b))))
}
