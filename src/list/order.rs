//! The sorted orders: for each column the rows of all tokens, built when it is first needed and kept
//! up to date from then on. Rows with equal keys are in the order of names and are marked, so that
//! the descending order can be read from the same memory. Called by `synced` and `execute`.

use std::{cmp::Ordering, collections::HashMap};

use rayon::prelude::*;

use super::table::{Row, Table, index};
use crate::domain::{Column, Sort};

/// A row, with [`TIED`] set if its key equals the key of the row before it.
type Entry = u32;
const TIED: Entry = 1 << 31;

/// Rows that are sorted with their keys beside them.
const PIECE: usize = 1 << 17;

/// The orders that have been built.
#[derive(Debug, Default)]
pub(super) struct Orders(HashMap<Column, Vec<Entry>>);

/// The column by which the rows are in order. Statuses depend on the clock: within each, tokens are
/// in the order of names.
fn base(column: Column) -> Column {
    if column == Column::Status { Column::Name } else { column }
}

impl Orders {
    /// The first rows of all tokens in the order of `sort`, at most `limit`, if the order has been
    /// built. For the status, those of each status are in this order, in either direction.
    pub(super) fn rows(&self, sort: Sort, limit: usize) -> Option<Vec<Row>> {
        let entries = self.0.get(&base(sort.column))?;
        if !sort.descending || sort.column == Column::Status {
            return Some(entries.iter().take(limit).map(|entry| entry & !TIED).collect());
        }
        let mut rows: Vec<Entry> = entries.iter().rev().copied().collect();
        for ties in rows.split_inclusive_mut(|entry| entry & TIED == 0) {
            ties.reverse();
        }
        rows.truncate(limit);
        Some(rows.into_iter().map(|entry| entry & !TIED).collect())
    }

    /// A column whose order has not been built.
    pub(super) fn missing(&self) -> Option<Column> {
        let mut columns = Column::ALL.into_iter().map(base);
        columns.find(|column| !self.0.contains_key(column))
    }

    /// Builds the order of `column`, unless it has been built.
    pub(super) fn build(&mut self, table: &Table, column: Column) {
        let column = base(column);
        if self.0.contains_key(&column) {
            return;
        }
        let names = self.0.entry(Column::Name).or_insert_with(|| {
            let mut rows = table.used();
            rows.par_sort_by_cached_key(|row| {
                (text_key(table.sort_text(Column::Name, *row)), table.ids.get(index(*row)))
            });
            marked(table, Column::Name, &rows)
        });
        if column != Column::Name {
            let mut rows: Vec<Row> = names.iter().map(|entry| entry & !TIED).collect();
            sort_by_column(table, column, &mut rows);
            self.0.insert(column, marked(table, column, &rows));
        }
    }

    /// Moves rows whose tokens were added, changed or removed to their new positions.
    pub(super) fn update(&mut self, table: &Table, changed: &[Row]) {
        let mut is_changed = vec![false; table.row_count()];
        for row in changed {
            if let Some(flag) = is_changed.get_mut(index(*row)) {
                *flag = true;
            }
        }
        let used: Vec<Row> = changed.iter().copied().filter(|row| table.is_used(*row)).collect();
        self.0.par_iter_mut().for_each(|(column, entries)| {
            remove(entries, &is_changed);
            let mut added = used.clone();
            added.sort_by(|a, b| compare(table, *column, *a, *b));
            *entries = merged(table, *column, entries, &added);
        });
    }
}

/// Removes the rows that have changed. The next one with the key of a row that is removed has no
/// equal before it.
fn remove(entries: &mut Vec<Entry>, is_changed: &[bool]) {
    let mut first_is_gone = false;
    entries.retain_mut(|entry| {
        if is_changed.get(index(*entry & !TIED)) == Some(&true) {
            first_is_gone |= *entry & TIED == 0;
            return false;
        }
        if first_is_gone {
            *entry &= !TIED;
        }
        first_is_gone = false;
        true
    });
}

/// `entries` with the rows of `added`, which are sorted, at their positions.
fn merged(table: &Table, column: Column, entries: &[Entry], added: &[Row]) -> Vec<Entry> {
    let mut merged = Vec::with_capacity(entries.len() + added.len());
    let push = |merged: &mut Vec<Entry>, row: Row| {
        let before = merged.last().map(|entry| entry & !TIED);
        let is_tied = before.is_some_and(|before| compare_keys(table, column, before, row).is_eq());
        merged.push(if is_tied { row | TIED } else { row });
    };
    // Next to a row that was added, ties are not known.
    let extend = |merged: &mut Vec<Entry>, entries: &[Entry]| {
        if let Some((first, others)) = entries.split_first() {
            push(merged, first & !TIED);
            merged.extend_from_slice(others);
        }
    };
    let mut rest = entries;
    for row in added {
        let is_before = |entry: &Entry| compare(table, column, entry & !TIED, *row).is_lt();
        let (before, after) = rest.split_at(rest.partition_point(is_before));
        extend(&mut merged, before);
        push(&mut merged, *row);
        rest = after;
    }
    extend(&mut merged, rest);
    merged
}

/// Sorted rows as entries.
fn marked(table: &Table, column: Column, rows: &[Row]) -> Vec<Entry> {
    let entry = |(position, row): (usize, &Row)| {
        let before = position.checked_sub(1).and_then(|before| rows.get(before));
        let is_tied =
            before.is_some_and(|before| compare_keys(table, column, *before, *row).is_eq());
        if is_tied { row | TIED } else { *row }
    };
    rows.par_iter().enumerate().map(entry).collect()
}

/// Sorts `rows` by a column other than the status; rows with the same key stay as they are.
pub(super) fn sort_by_column(table: &Table, column: Column, rows: &mut [Row]) {
    if let Column::Name | Column::Description | Column::Status = column {
        rows.par_sort_by_cached_key(|row| text_key(table.sort_text(column, *row)));
        return;
    }
    // Sorted in pieces, which are then merged: all keys at once take 16 MB for a million rows, of
    // which the allocator gives nothing back.
    let key = |row: &Row| table.sort_number(column, *row);
    rows.par_chunks_mut(PIECE).for_each(|piece| piece.sort_by_cached_key(key));
    if rows.len() > PIECE {
        rows.par_sort_by_key(key);
    }
}

/// A text with its first bytes, which are compared without a look at the text.
fn text_key(text: &str) -> ([u64; 3], &str) {
    let mut words = [[0; 8]; 3];
    words.as_flattened_mut().iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    (words.map(u64::from_be_bytes), text)
}

fn compare_keys(table: &Table, column: Column, a: Row, b: Row) -> Ordering {
    match column {
        Column::Name | Column::Description | Column::Status => {
            table.sort_text(column, a).cmp(table.sort_text(column, b))
        }
        Column::Scopes | Column::Issued | Column::Expires | Column::LastUsed => {
            table.sort_number(column, a).cmp(&table.sort_number(column, b))
        }
    }
}

/// The position of two tokens to each other. No two compare equal, because ids differ.
fn compare(table: &Table, column: Column, a: Row, b: Row) -> Ordering {
    compare_keys(table, column, a, b)
        .then_with(|| compare_keys(table, Column::Name, a, b))
        .then_with(|| table.ids.get(index(a)).cmp(&table.ids.get(index(b))))
}
