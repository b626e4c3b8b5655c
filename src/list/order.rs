//! The sorted orders: for each column and direction the rows of all tokens, built with rayon when
//! it is first needed and kept up to date from then on. Equal keys are in the order of names, so
//! that each direction has an order of its own. Called by `synced` and `execute`.

use std::{
    cmp::{Ordering, Reverse},
    collections::HashMap,
};

use rayon::prelude::*;

use super::table::{Row, Table, index};
use crate::domain::{Column, Sort};

/// The order by name, on which all others are based. Statuses depend on the clock: within each,
/// tokens are in this order.
const BY_NAME: Sort = Sort { column: Column::Name, descending: false };

/// The orders that have been built.
#[derive(Debug, Default)]
pub(super) struct Orders(HashMap<Sort, Vec<Row>>);

/// The order from which the rows of `sort` are taken.
fn base(sort: Sort) -> Sort {
    if sort.column == Column::Status { BY_NAME } else { sort }
}

impl Orders {
    /// The rows of all tokens in the order of `sort`, if it has been built. For the status, those
    /// of each status are in this order.
    pub(super) fn get(&self, sort: Sort) -> Option<&[Row]> {
        self.0.get(&base(sort)).map(Vec::as_slice)
    }

    /// An order that has not been built.
    pub(super) fn missing(&self) -> Option<Sort> {
        let both = |column| [false, true].map(|descending| Sort { column, descending });
        let all = Column::ALL.into_iter().flat_map(both).map(base);
        all.into_iter().find(|sort| !self.0.contains_key(sort))
    }

    /// Builds the order of `sort`, unless it has been built.
    pub(super) fn build(&mut self, table: &Table, sort: Sort) {
        let sort = base(sort);
        if self.0.contains_key(&sort) {
            return;
        }
        let names = self.0.entry(BY_NAME).or_insert_with(|| by_name(table));
        if sort != BY_NAME {
            let mut rows = names.clone();
            by_column(table, sort, &mut rows);
            self.0.insert(sort, rows);
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
        let is_kept = |row: &Row| is_changed.get(index(*row)) == Some(&false);
        let used: Vec<Row> = changed.iter().copied().filter(|row| table.is_used(*row)).collect();
        self.0.par_iter_mut().for_each(|(sort, rows)| {
            let order = |a: &Row, b: &Row| compare(table, *sort, *a, *b);
            let mut added = used.clone();
            added.sort_by(order);
            rows.retain(is_kept);
            let mut merged = Vec::with_capacity(rows.len() + added.len());
            let mut rest = rows.as_slice();
            for row in added {
                let (before, after) =
                    rest.split_at(rest.partition_point(|each| order(each, &row).is_lt()));
                merged.extend_from_slice(before);
                merged.push(row);
                rest = after;
            }
            merged.extend_from_slice(rest);
            *rows = merged;
        });
    }
}

/// The rows of all tokens by name, and those with the same name by id.
fn by_name(table: &Table) -> Vec<Row> {
    let mut rows: Vec<Row> = (0..).take(table.row_count()).collect();
    rows.retain(|row| table.is_used(*row));
    rows.par_sort_by_cached_key(|row| {
        (text_key(table.sort_text(Column::Name, *row)), table.id(*row))
    });
    rows
}

/// Sorts `rows` by a column; rows with the same key stay as they are. Not for the status.
pub(super) fn by_column(table: &Table, sort: Sort, rows: &mut [Row]) {
    let Sort { column, descending } = sort;
    match (column, descending) {
        (Column::Name | Column::Description, false) => {
            rows.par_sort_by_cached_key(|row| text_key(table.sort_text(column, *row)));
        }
        (Column::Name | Column::Description, true) => {
            rows.par_sort_by_cached_key(|row| Reverse(text_key(table.sort_text(column, *row))));
        }
        _ => rows.par_sort_by_cached_key(|row| {
            let key = table.sort_number(column, *row);
            if descending { !key } else { key }
        }),
    }
}

/// A text with its first bytes, which are compared without a look at the text.
fn text_key(text: &str) -> ([u64; 3], &str) {
    let mut words = [[0; 8]; 3];
    words.as_flattened_mut().iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    (words.map(u64::from_be_bytes), text)
}

/// The position of two tokens to each other. No two compare equal, because ids differ.
fn compare(table: &Table, sort: Sort, a: Row, b: Row) -> Ordering {
    let Sort { column, descending } = sort;
    let text = |column| table.sort_text(column, a).cmp(table.sort_text(column, b));
    let by_column = match column {
        Column::Name | Column::Description => text(column),
        _ => table.sort_number(column, a).cmp(&table.sort_number(column, b)),
    };
    let by_column = if descending { by_column.reverse() } else { by_column };
    by_column.then_with(|| text(Column::Name)).then_with(|| table.id(a).cmp(&table.id(b)))
}
