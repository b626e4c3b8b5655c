//! What a list asks for and what it gets: the query with the selected token, and the rows with the
//! counts and a summary of the store. Plain data between the app and the engine.

use super::{result::ResultRows, status::TokenStats};
use crate::domain::{Counts, Query, Timestamp, TokenId};

/// Asks for the rows that a list shows.
#[derive(Debug, Clone)]
pub struct ListRequest {
    /// Increases from request to request; the result carries it.
    pub number: u64,
    /// Which tokens, in which order.
    pub query: Query,
    /// The instant at which statuses are evaluated.
    pub at: Timestamp,
    /// The token whose row is asked for.
    pub selected: Option<TokenId>,
    /// The row that is selected instead if that token is not shown.
    pub row: usize,
}

/// How many of the rows a result contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Completeness {
    /// The first rows; the rest, and how many there are, follows.
    Prefix,
    /// Those of the tokens that have been loaded so far.
    #[default]
    Partial,
    /// Every row that the query shows.
    Complete,
}

/// The rows of a list.
#[derive(Debug, Clone, Default)]
pub struct ListResult {
    /// The number of the request.
    pub number: u64,
    /// The tokens in order.
    pub tokens: ResultRows,
    /// How many rows there are, as far as that is known.
    pub total: usize,
    /// Whether these are all.
    pub completeness: Completeness,
    /// How many tokens of each status the search finds, once the store is loaded.
    pub counts: Option<Counts>,
    /// The selected token of the request, and its row if it is shown.
    pub selected_row: Option<(TokenId, Option<usize>)>,
    /// The store at that instant.
    pub summary: StoreSummary,
}

impl ListResult {
    /// Whether it contains all rows.
    pub fn is_complete(&self) -> bool {
        self.completeness == Completeness::Complete
    }

    /// Carries over the previous total and counts while this result lacks them.
    #[must_use]
    pub fn after(self, before: &Self) -> Self {
        if self.completeness != Completeness::Prefix {
            return self;
        }
        Self { total: self.total.max(before.total), counts: before.counts, ..self }
    }
}

/// The state of the whole store.
#[derive(Debug, Clone, Default)]
pub struct StoreSummary {
    /// How many tokens it has, damaged ones included.
    pub total: usize,
    /// How many of them have been loaded.
    pub loaded: usize,
    /// The instant at which statuses were evaluated.
    pub at: Timestamp,
    /// Figures about all tokens, once the store is loaded.
    pub stats: Option<TokenStats>,
    /// The records that could not be read, by name.
    pub damaged: Vec<String>,
    /// The time of the last change, if the clock is well behind it.
    pub clock_behind: Option<Timestamp>,
    /// Active tokens whose secret has no recorded delivery since before this session: the first,
    /// and how many.
    pub undelivered: Option<(TokenId, usize)>,
}
