//! Executes a query on the table: one parallel scan decides which rows are shown and counts all
//! that the search finds; a walk along the sorted order then collects the rows. Ends early when
//! the request is outdated. Called by `synced`.

use std::{cmp::Reverse, sync::Arc};

use memchr::memmem::Finder;
use rayon::prelude::*;

use super::{
    order::{Orders, sort_by_column},
    result::ResultRows,
    status::{Class, ClassCounts, count, sum, to_counts},
    table::{Row, Table, index},
    text::{BLOCK_ROWS, TextBlock},
};
use crate::domain::{Column, Counts, Query, Sort, Status, Timestamp};

/// For each class the status by which the status column is sorted, or [`HIDDEN`].
type Ranks = [u8; Class::ALL.len()];
/// The rank of a row that is not shown.
const HIDDEN: u8 = u8::MAX;
/// Rows of an order in which [`Scan::first_rows`] looks for a page.
const FIRST_ROWS: usize = 4_096;

/// A query at an instant, prepared to be evaluated on rows.
pub(super) struct Scan<'a> {
    table: &'a Table,
    query: &'a Query,
    at: Timestamp,
    /// The words that a row must contain, the longest first: the rarest, as a rule.
    words: Vec<Finder<'a>>,
    /// Whether the search finds a set of scopes or a creator, by position; `None` if it does not
    /// look at them.
    scopes: Option<Vec<bool>>,
    creators: Option<Vec<bool>>,
    ranks: Ranks,
}

/// The rows that a query shows, not yet in order.
#[derive(Debug)]
pub(super) struct Matches {
    /// The class of each row that the search finds; all others count as free.
    classes: Vec<Class>,
    ranks: Ranks,
    /// How many tokens of each status the search finds.
    pub(super) counts: Counts,
}

impl<'a> Scan<'a> {
    pub(super) fn new(table: &'a Table, query: &'a Query, at: Timestamp) -> Self {
        let (search, shown) = (&query.search, query.shown());
        let mut words: Vec<&str> = search.words().collect();
        words.sort_by_key(|word| Reverse(word.len()));
        let scopes = || table.eval_scopes(|scopes| search.fits_scopes(scopes));
        let creators = || table.eval_creators(|creator| search.fits_maker(creator));
        let rank = |class: Class| match class.status() {
            Some((status, soon)) if shown.shows(status, soon) => status as u8,
            _ => HIDDEN,
        };
        Self {
            table,
            query,
            at,
            words: words.into_iter().map(Finder::new).collect(),
            scopes: search.asks_for_scopes().then(scopes),
            creators: search.asks_for_maker().then(creators),
            ranks: Class::ALL.map(rank),
        }
    }

    /// Scans all rows, of which these are the classes. `None` as soon as the request is not
    /// current any more.
    pub(super) fn matches(
        &self,
        mut classes: Vec<Class>,
        is_current: impl Fn() -> bool + Sync,
    ) -> Option<Matches> {
        let blocks = classes.par_chunks_mut(BLOCK_ROWS).zip(&self.table.texts).enumerate();
        let counts = blocks
            .map(|(block, (classes, texts))| {
                is_current().then(|| {
                    if !self.query.search.is_empty() {
                        self.search(block, classes, texts);
                    }
                    count(classes)
                })
            })
            .try_reduce(ClassCounts::default, |a, b| Some(sum(a, b)))?;
        Some(Matches { classes, ranks: self.ranks, counts: to_counts(counts) })
    }

    /// Marks the rows of a block as free that the search does not find.
    fn search(&self, block: usize, classes: &mut [Class], texts: &TextBlock) {
        let first = Row::try_from(block * BLOCK_ROWS).unwrap_or(Row::MAX);
        for ((in_block, class), row) in classes.iter_mut().enumerate().zip(first..) {
            if !self.finds(row, texts.get(in_block)) {
                *class = Class::Free;
            }
        }
    }

    /// Whether the search finds a row with this text.
    fn finds(&self, row: Row, text: &str) -> bool {
        self.words.iter().all(|word| word.find(text.as_bytes()).is_some())
            && (self.query.search.is_words() || self.matches_terms(row))
    }

    /// Whether a row matches the terms of the search that are more than words.
    fn matches_terms(&self, row: Row) -> bool {
        let has = |known: &Option<Vec<bool>>, position: usize| {
            known.as_ref().is_none_or(|known| known.get(position) == Some(&true))
        };
        let shared = self.table.positions(row);
        let texts = || self.table.texts_of(row);
        shared.is_some_and(|(scopes, creator)| {
            has(&self.scopes, scopes) && has(&self.creators, creator)
        }) && self
            .table
            .facts(row, self.at)
            .is_some_and(|facts| self.query.search.fits(&facts, texts))
    }

    /// Whether the query shows a row.
    fn shows(&self, row: Row) -> bool {
        rank(self.ranks, self.table.class(row, self.at)) != HIDDEN
            && self.finds(row, self.table.text(row))
    }

    /// The first rows that the query shows, down to `page` rows after the selected one, or after
    /// position `position` if that is not shown; and the position of the selected row. `None` if
    /// they are not among the first rows of the order, and for the status, which has none.
    pub(super) fn first_rows(
        &self,
        orders: &Orders,
        selected: Option<Row>,
        position: usize,
        page: usize,
    ) -> Option<(ResultRows, Option<usize>)> {
        let sort = self.query.sort;
        let order = orders.rows(sort, FIRST_ROWS).filter(|_| sort.column != Column::Status)?;
        let selected = selected.filter(|row| self.shows(*row));
        let (mut rows, mut found) = (Vec::new(), None);
        for row in order.into_iter().filter(|row| self.shows(*row)) {
            if selected == Some(row) {
                found = Some(rows.len());
            }
            rows.push(row);
            let last = selected.map_or(Some(position), |_| found);
            if last.is_some_and(|last| rows.len() > last.saturating_add(page)) {
                return Some((ResultRows::new(rows, Arc::clone(&self.table.ids)), found));
            }
        }
        None
    }
}

impl Matches {
    fn rank(&self, row: Row) -> u8 {
        rank(self.ranks, self.classes.get(index(row)).copied().unwrap_or(Class::Free))
    }

    /// Whether a row is shown.
    pub(super) fn shows(&self, row: Row) -> bool {
        self.rank(row) != HIDDEN
    }

    /// The rows in the order of `sort`. While the store is being loaded there are no orders: then
    /// tokens with the same key are in no particular order.
    pub(super) fn in_order(&self, table: &Table, orders: &Orders, sort: Sort) -> ResultRows {
        let order = orders.rows(sort, usize::MAX).unwrap_or_else(|| {
            let mut rows = table.used();
            rows.retain(|row| self.shows(*row));
            if sort.column != Column::Status {
                sort_by_column(table, sort.column, &mut rows);
            }
            if sort.descending {
                rows.reverse();
            }
            rows
        });
        let statuses = [Status::Active, Status::Expired, Status::Revoked];
        let mut passes = match sort.column {
            Column::Status => statuses.map(|status| status as u8..=status as u8).to_vec(),
            _ => vec![0..=HIDDEN - 1],
        };
        if sort.descending {
            passes.reverse();
        }
        let (mut rows, mut len) = (vec![0; order.len()], 0);
        for wanted in passes {
            // Without branches, which would be mispredicted: 1 ms instead of 6 for a million rows.
            for row in &order {
                if let Some(place) = rows.get_mut(len) {
                    *place = *row;
                }
                len += usize::from(wanted.contains(&self.rank(*row)));
            }
        }
        rows.truncate(len);
        ResultRows::new(rows, Arc::clone(&table.ids))
    }
}

fn rank(ranks: Ranks, class: Class) -> u8 {
    ranks.get(class as usize).copied().unwrap_or(HIDDEN)
}
