//! Tokens in the order in which a list shows them. Of each its number alone, and the ids as they
//! were by number, which are the index's own for as long as nothing new takes their places.
//! Made by the index, held by whoever shows it.

use std::sync::Arc;

use super::chunks::{Chunks, place};
use crate::domain::TokenId;

/// Ids in an order.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    numbers: Vec<u32>,
    ids: Vec<Arc<Vec<TokenId>>>,
}

impl Listed {
    pub(super) fn of(numbers: Vec<u32>, chunks: &Chunks) -> Self {
        Self { numbers, ids: chunks.iter().map(|chunk| Arc::clone(&chunk.ids)).collect() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    fn id_of(&self, number: u32) -> Option<TokenId> {
        let (chunk, row) = place(number);
        self.ids.get(chunk)?.get(row).copied()
    }

    /// The token in this row.
    pub fn get(&self, row: usize) -> Option<TokenId> {
        self.id_of(*self.numbers.get(row)?)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = TokenId> + Clone {
        self.numbers.iter().filter_map(|number| self.id_of(*number))
    }

    /// The row of the token with this number.
    pub(super) fn row_of(&self, number: u32) -> Option<usize> {
        self.numbers.iter().position(|each| *each == number)
    }

    /// The row of a token, which is looked for in all of them. One that went and came back has
    /// left its id with its old number, too, which nothing shows any more.
    pub fn find(&self, id: &TokenId) -> Option<usize> {
        self.ids.iter().enumerate().find_map(|(chunk, ids)| {
            let rows = ids.iter().enumerate().filter(|(_, each)| *each == id);
            let mut numbers = rows.map(|(row, _)| super::chunks::number(chunk, row));
            numbers.find_map(|number| self.row_of(number))
        })
    }
}

impl FromIterator<TokenId> for Listed {
    fn from_iter<I: IntoIterator<Item = TokenId>>(ids: I) -> Self {
        let ids: Vec<_> = ids.into_iter().collect();
        let chunks: Vec<_> =
            ids.chunks(super::chunk::ROWS).map(<[_]>::to_vec).map(Arc::new).collect();
        Self { numbers: (0..).zip(&ids).map(|(number, _)| number).collect(), ids: chunks }
    }
}
