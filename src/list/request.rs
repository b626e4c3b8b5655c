//! Requests and results of the list engine: a query with the selected token, and the rows with the
//! counts and a summary of the store. Plain data between the app and the engine.

use super::{result_rows::ResultRows, status_classes::TokenStats};
use crate::domain::{Job, ListQuery, StatusCounts, Timestamp, TokenId};

/// A request for the rows that a list shows.
#[derive(Debug, Clone)]
pub struct ListRequest {
    /// The number of the request, greater than the number of the previous request. The result
    /// contains the same number.
    pub number: u64,
    /// The filter, the search and the sort order.
    pub query: ListQuery,
    /// The instant at which statuses are evaluated.
    pub at: Timestamp,
    /// The selected token; the result contains its row.
    pub selected: Option<TokenId>,
    /// The row to select if the selected token is not shown.
    pub row: usize,
}

/// How many of the rows a result contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Completeness {
    /// The first rows. The remaining rows and the total follow in a later result.
    Prefix,
    /// The rows of the tokens loaded so far.
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
    /// The number of rows. A partial result has only the number of rows found so far.
    pub total: usize,
    /// How many of the rows `tokens` contains.
    pub completeness: Completeness,
    /// How many tokens of each status the search matches; `None` in a [`Completeness::Prefix`]
    /// result and until the store is loaded.
    pub counts: Option<StatusCounts>,
    /// The selected token of the request, and its row if it is shown.
    pub selected_row: Option<(TokenId, Option<usize>)>,
    /// The state of the store at the instant of the request.
    pub summary: StoreSummary,
}

impl ListResult {
    /// Whether the result contains all rows.
    pub fn is_complete(&self) -> bool {
        self.completeness == Completeness::Complete
    }

    /// If this result is a prefix, takes the missing total and counts from `before`, the previous
    /// result.
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
    /// The number of tokens, including damaged records.
    pub total: usize,
    /// The number of tokens loaded so far.
    pub loaded: usize,
    /// The instant at which statuses were evaluated.
    pub at: Timestamp,
    /// Statistics of all tokens; `None` until the store is loaded.
    pub stats: Option<TokenStats>,
    /// A description of each damaged record.
    pub damaged: Vec<String>,
    /// The newest time in the store, if the clock is more than 5 seconds behind it.
    pub clock_behind: Option<Timestamp>,
    /// The first job that was interrupted.
    pub interrupted_job: Option<Job>,
    /// Whether another state of the same store replaced the file since the app started.
    pub is_history_replaced: bool,
    /// The tokens, active or not yet valid, that have been undelivered since before this session: the
    /// first of them, and their number.
    pub undelivered: (Vec<TokenId>, usize),
}
