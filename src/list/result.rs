//! The rows of a result: row numbers in order, with a shared snapshot of the id column, so that a
//! result stays valid while the table changes. Made by `execute`, held by whoever shows it.

use std::sync::Arc;

use super::table::{Row, index};
use crate::domain::TokenId;

/// Tokens in the order in which a list shows them.
#[derive(Debug, Clone, Default)]
pub struct ResultRows {
    rows: Vec<Row>,
    ids: Arc<Vec<TokenId>>,
}

impl ResultRows {
    pub(super) fn new(rows: Vec<Row>, ids: Arc<Vec<TokenId>>) -> Self {
        Self { rows, ids }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The token at this position.
    pub fn get(&self, position: usize) -> Option<TokenId> {
        self.ids.get(index(*self.rows.get(position)?)).copied()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = TokenId> + Clone {
        self.rows.iter().filter_map(|row| self.ids.get(index(*row)).copied())
    }

    /// The position of a row of the table.
    pub(super) fn position(&self, row: Row) -> Option<usize> {
        self.rows.iter().position(|each| *each == row)
    }

    /// The position of a token: a linear search, up to 2 ms among a million. A row that is free
    /// keeps the id of its last token, so the id may occur twice.
    pub fn find(&self, id: &TokenId) -> Option<usize> {
        let rows = (0..).zip(self.ids.iter()).filter(|(_, each)| *each == id);
        rows.into_iter().find_map(|(row, _)| self.position(row))
    }
}

impl FromIterator<TokenId> for ResultRows {
    fn from_iter<I: IntoIterator<Item = TokenId>>(ids: I) -> Self {
        let ids: Vec<_> = ids.into_iter().collect();
        Self { rows: (0..).zip(&ids).map(|(row, _)| row).collect(), ids: Arc::new(ids) }
    }
}
