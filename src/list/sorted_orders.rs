//! The sorted orders: the rows of all tokens sorted by each column, built on first use and then
//! updated before each use, so that a change is soon visible in the order that is shown. Rows with equal
//! keys are sorted by name and flagged, so that a reverse scan keeps their relative order. Called by
//! `synced_index` and `query`.

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
pub(super) struct SortedOrders(HashMap<Column, SortedOrder>);

/// The rows of all tokens sorted by one column.
#[derive(Debug)]
struct SortedOrder {
    entries: Vec<OrderEntry>,
    /// The rows whose tokens were added, changed or removed since the last update.
    changed: Vec<RowId>,
}

/// The column whose order a sort by `column` uses. Statuses depend on the clock, so a sort by
/// status uses the order of names.
fn sort_base(column: Column) -> Column {
    if column == Column::Status { Column::Name } else { column }
}

impl SortedOrders {
    /// The rows of all tokens in the order of `sort`. Returns `None` if that order is not built or not
    /// up to date. For a sort by status, ascending or descending, returns the rows in ascending order of
    /// names.
    pub(super) fn rows(&self, sort: Sort) -> Option<OrderedRows<'_>> {
        let order = self.0.get(&sort_base(sort.column)).filter(|order| order.changed.is_empty())?;
        let rest = &order.entries;
        let descending = sort.descending && sort.column != Column::Status;
        Some(OrderedRows { rest, group: &[], descending })
    }

    /// The first column whose order is not built or not up to date.
    pub(super) fn first_unready(&self) -> Option<Column> {
        let is_ready =
            |column: &Column| self.0.get(column).is_some_and(|order| order.changed.is_empty());
        Column::ALL.into_iter().map(sort_base).find(|column| !is_ready(column))
    }

    /// Builds the order of `column`, or updates it if it exists.
    pub(super) fn build(&mut self, table: &TokenTable, column: Column) {
        self.update(table, column);
        let column = sort_base(column);
        if self.0.contains_key(&column) {
            return;
        }
        self.update(table, Column::Name);
        let names = self.0.entry(Column::Name).or_insert_with(|| {
            let mut rows = table.used_rows();
            rows.par_sort_by_cached_key(|row| {
                (text_key(table.sort_text(Column::Name, *row)), table.ids.get(to_index(*row)))
            });
            SortedOrder::new(table, Column::Name, &rows)
        });
        if column != Column::Name {
            let mut rows: Vec<RowId> = names.entries.iter().map(|entry| entry & !TIED).collect();
            sort_by_column(table, column, &mut rows);
            self.0.insert(column, SortedOrder::new(table, column, &rows));
        }
    }

    /// Records that the tokens in the `changed` rows were added, changed or removed.
    pub(super) fn note_changed(&mut self, changed: &[RowId]) {
        for order in self.0.values_mut() {
            order.changed.extend_from_slice(changed);
        }
    }

    /// Updates the order that a sort by `column` uses, if it is built.
    pub(super) fn update(&mut self, table: &TokenTable, column: Column) {
        let column = sort_base(column);
        if let Some(order) = self.0.get_mut(&column).filter(|order| !order.changed.is_empty()) {
            order.update(table, column);
        }
    }
}

impl SortedOrder {
    /// The order of the sorted `rows`.
    fn new(table: &TokenTable, column: Column, rows: &[RowId]) -> Self {
        Self { entries: mark_ties(table, column, rows), changed: Vec::new() }
    }

    fn update(&mut self, table: &TokenTable, column: Column) {
        let mut added = std::mem::take(&mut self.changed);
        let mut is_changed = vec![false; table.row_count()];
        for row in &added {
            if let Some(flag) = is_changed.get_mut(to_index(*row)) {
                *flag = true;
            }
        }
        remove_changed(&mut self.entries, &is_changed);
        added.retain(|row| table.is_used(*row));
        added.sort_by(|a, b| compare(table, column, *a, *b));
        added.dedup();
        self.entries = merge(table, column, &self.entries, &added);
    }
}

/// The rows of a sorted order, from its start or from its end. Rows with equal keys have the same
/// order in both directions.
#[derive(Debug, Clone)]
pub(super) struct OrderedRows<'a> {
    rest: &'a [OrderEntry],
    /// The entries that come next, in order.
    group: &'a [OrderEntry],
    descending: bool,
}

impl Iterator for OrderedRows<'_> {
    type Item = RowId;

    fn next(&mut self) -> Option<RowId> {
        if self.group.is_empty() {
            let is_first = |entry: &OrderEntry| entry & TIED == 0;
            let start = if self.descending { self.rest.iter().rposition(is_first) } else { None };
            (self.rest, self.group) = self.rest.split_at_checked(start.unwrap_or(0))?;
        }
        let (first, others) = self.group.split_first()?;
        self.group = others;
        Some(first & !TIED)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.group.len() + self.rest.len();
        (len, Some(len))
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
