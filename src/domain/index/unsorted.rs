//! What a query shows while the orders are not known yet, to be sorted by what a number tells:
//! of a text its first bytes. The first screenful is had long before the rest is sorted. Called
//! by the list while the store is read.

use std::ops::Range;

use super::{
    Index, Listed, Picked, Row, TokenId,
    chunk::standing,
    chunks::Key,
    order::{head, sort},
};
use crate::domain::{Column, Sort};

/// Tokens to be sorted.
#[derive(Debug)]
pub struct Unsorted {
    numbers: Vec<u32>,
    sort: Sort,
    now: i64,
}

impl Unsorted {
    pub(super) fn of(picked: &Picked) -> Self {
        let mut numbers = Vec::with_capacity(picked.len());
        numbers.extend(picked.numbers());
        Self { numbers, sort: picked.sort, now: picked.now }
    }

    /// What a token is sorted by; its own number where that is the same.
    fn key<'i>(&self, index: &'i Index) -> impl Fn(u32) -> (u64, u32) + use<'i> {
        let (Sort { column, descending }, now) = (self.sort, self.now);
        move |number| {
            let key = match column {
                Column::Status => index.chunks.row(number).map_or(0, |row| status_key(&row, now)),
                column => match index.chunks.key(column, number) {
                    Key::Text(text) => {
                        let [first] = head(text);
                        first
                    }
                    Key::Number(key) => key,
                },
            };
            (if descending { !key } else { key }, number)
        }
    }

    /// Where `id` will stand, if it is among them.
    pub fn place(&self, index: &Index, id: &TokenId) -> Option<usize> {
        let number = index.number_of(id).filter(|number| self.numbers.contains(number))?;
        let key = self.key(index);
        let own = key(number);
        Some(self.numbers.iter().filter(|number| key(**number) < own).count())
    }

    /// The tokens of the rows `window` of the order, without ordering the others.
    pub fn window(&mut self, index: &Index, window: Range<usize>) -> Listed {
        let key = self.key(index);
        let key = |number: &u32| key(*number);
        let end = window.end.min(self.numbers.len());
        let start = window.start.min(end);
        let mut part = self.numbers.as_mut_slice();
        if end < part.len() {
            part = part.select_nth_unstable_by_key(end, key).0;
        }
        if start > 0 && start < part.len() {
            part.select_nth_unstable_by_key(start, key);
        }
        let part = part.get_mut(start..).unwrap_or_default();
        part.sort_unstable_by_key(key);
        Listed::of(part.to_vec(), &index.chunks)
    }

    /// All of them in order. `None` as soon as `wanted` says that nobody waits any more.
    pub fn sorted(mut self, index: &Index, wanted: impl Fn() -> bool) -> Option<Listed> {
        let key = self.key(index);
        let done = sort(&mut self.numbers, key, wanted);
        done.then(|| Listed::of(self.numbers, &index.chunks))
    }
}

/// What the column of the statuses sorts a token by. Whether it expires soon is no matter of order.
fn status_key(row: &Row, now: i64) -> u64 {
    let standing = standing(row.marks.revoked, row.expires, now).max(1);
    u64::try_from(standing).unwrap_or(u64::MAX)
}
