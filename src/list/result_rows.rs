//! The rows of a result: row numbers in order, with a shared snapshot of the id column, so that a
//! result stays valid while the table changes. Created by `query`, kept by the view.

use std::sync::Arc;

use super::token_table::{RowId, to_index};
use crate::domain::TokenId;

/// Tokens in the order in which a list shows them.
#[derive(Debug, Clone, Default)]
pub struct ResultRows {
    rows: Vec<RowId>,
    ids: Arc<Vec<TokenId>>,
}

impl ResultRows {
    pub(super) fn new(rows: Vec<RowId>, ids: Arc<Vec<TokenId>>) -> Self {
        Self { rows, ids }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The token at `position`; `None` past the end.
    pub fn get(&self, position: usize) -> Option<TokenId> {
        self.ids.get(to_index(*self.rows.get(position)?)).copied()
    }

    /// The tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = TokenId> + Clone {
        self.rows.iter().filter_map(|row| self.ids.get(to_index(*row)).copied())
    }

    /// The position of a table row in this result.
    pub(super) fn position(&self, row: RowId) -> Option<usize> {
        self.rows.iter().position(|each| *each == row)
    }

    /// The position of a token. The search is linear and takes up to 2 ms among a million rows. A
    /// table row without a token keeps the id of its last token, so an id may occur twice in the id
    /// column.
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
