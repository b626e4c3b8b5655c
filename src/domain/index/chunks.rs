//! All chunks together, in which a token is known by its number. A copy shares every chunk until
//! it is written to. Called by the index alone.

use std::{cmp::Ordering, sync::Arc};

use super::{
    chunk::{Chunk, ROWS, Shared},
    row::Row,
};
use crate::domain::{Column, Pat, TokenId};

/// The rows of all tokens by their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunks(Vec<Arc<Chunk>>);

/// What tokens are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'a> {
    Text(&'a str),
    Number(u64),
}

/// The chunk and the row in it that a number stands for.
pub(super) fn place(number: u32) -> (usize, usize) {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    (number / ROWS, number % ROWS)
}

/// The number of a row.
pub(super) fn number(chunk: usize, row: usize) -> u32 {
    u32::try_from(chunk * ROWS + row).unwrap_or(u32::MAX)
}

/// A time as a number of the same order.
pub(super) fn time(stamp: i64) -> u64 {
    stamp.cast_unsigned() ^ (1 << 63)
}

impl Chunks {
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Chunk>> {
        self.0.iter()
    }

    pub(super) fn as_slice(&self) -> &[Arc<Chunk>] {
        &self.0
    }

    /// The numbers of all tokens.
    pub(super) fn numbers(&self) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(self.iter().map(|chunk| chunk.len()).sum());
        for (at, chunk) in self.iter().enumerate() {
            numbers.extend(chunk.there().iter().map(|row| number(at, row)));
        }
        numbers
    }

    /// These will be pushed: makes room for as many as go into one chunk.
    pub(super) fn expect(&mut self, pats: &[Pat]) {
        if self.0.last().is_none_or(|last| last.len() == ROWS) {
            self.0.push(Arc::new(Chunk::for_those(pats.get(..ROWS).unwrap_or(pats))));
        }
    }

    /// Writes a token behind all others; its number.
    pub(super) fn push(&mut self, pat: &Pat, shared: Shared) -> u32 {
        self.expect(std::slice::from_ref(pat));
        let at = self.0.len().saturating_sub(1);
        let row = self.0.last_mut().map_or(0, |last| {
            let row = last.len();
            let last = Arc::make_mut(last);
            last.put(row, pat, shared);
            if last.len() == ROWS {
                last.shrink();
            }
            row
        });
        number(at, row)
    }

    /// Writes a token in the place of the one that had its number.
    pub(super) fn put(&mut self, number: u32, pat: &Pat, shared: Shared) {
        let (chunk, row) = place(number);
        if let Some(chunk) = self.0.get_mut(chunk) {
            Arc::make_mut(chunk).put(row, pat, shared);
        }
    }

    pub(super) fn remove(&mut self, number: u32) {
        let (chunk, row) = place(number);
        if let Some(chunk) = self.0.get_mut(chunk) {
            Arc::make_mut(chunk).remove(row);
        }
    }

    pub(super) fn row(&self, number: u32) -> Option<Row> {
        let (chunk, row) = place(number);
        self.0.get(chunk)?.row(row)
    }

    pub(super) fn is_there(&self, number: u32) -> bool {
        let (chunk, row) = place(number);
        self.0.get(chunk).is_some_and(|chunk| chunk.is_there(row))
    }

    /// The id of a token, be it gone or not.
    pub(super) fn id(&self, number: u32) -> Option<TokenId> {
        let (chunk, row) = place(number);
        self.0.get(chunk)?.ids.get(row).copied()
    }

    pub(super) fn name(&self, number: u32) -> &str {
        let (chunk, row) = place(number);
        self.0.get(chunk).map_or("", |chunk| chunk.name(row))
    }

    pub(super) fn description(&self, number: u32) -> &str {
        let (chunk, row) = place(number);
        self.0.get(chunk).map_or("", |chunk| chunk.description(row))
    }

    /// What `column` sorts a token by, if it is there for good and not a matter of the clock.
    pub(super) fn key(&self, column: Column, number: u32) -> Key<'_> {
        let (chunk, row) = place(number);
        let Some(chunk) = self.0.get(chunk) else {
            return Key::Number(0);
        };
        let time = |column: &Vec<i64>| Key::Number(column.get(row).copied().map_or(0, time));
        match column {
            Column::Name => Key::Text(chunk.name(row)),
            Column::Description => Key::Text(chunk.description(row)),
            Column::Issued => time(&chunk.issued),
            Column::Expires => time(&chunk.expires),
            Column::LastUsed => time(&chunk.used),
            Column::Scopes => Key::Number(chunk.scopes.get(row).copied().map_or(0, u64::from)),
            Column::Status => Key::Number(0),
        }
    }

    /// Which of two tokens stands before the other: by name, or by id if that is the same.
    pub(super) fn by_name(&self, one: u32, other: u32) -> Ordering {
        let by_id = || self.id(one).cmp(&self.id(other));
        self.name(one).cmp(self.name(other)).then_with(by_id)
    }
}
