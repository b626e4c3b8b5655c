//! Answers list requests about the tokens of one store. The caller loads the store batch by batch.
//! The engine starts no threads: `worker` runs the engine on a thread, and tests call it directly.

use std::sync::Arc;

use super::{
    request::{ListRequest, ListResult},
    result_rows::ResultRows,
    synced_index::SyncedIndex,
};
use crate::{
    domain::{ListQuery, Sort, StatusFilter, TokenId},
    service::{Service, ServiceError},
};

/// A store with at most this many tokens is loaded before the first request is answered.
const LOADED_AT_ONCE: usize = 512;
/// Number of rows in the first partial result, which is more than a screen shows.
const PAGE: usize = 100;
/// Maximum number of undelivered tokens in a summary. The app skips those whose new secret it holds.
const MAX_UNDELIVERED: usize = 8;

/// Answers list requests.
#[derive(Debug)]
pub struct ListEngine {
    service: Arc<Service>,
    index: SyncedIndex,
    /// The tokens whose secret was undelivered when the first load of the store completed.
    undelivered: Option<Vec<TokenId>>,
}

impl ListEngine {
    /// Creates an engine that has loaded nothing.
    pub fn new(service: Arc<Service>) -> Self {
        Self { service, index: SyncedIndex::default(), undelivered: None }
    }

    /// Whether some of the store is not loaded yet.
    pub fn is_loading(&self) -> bool {
        !self.index.is_loaded
    }

    /// Loads the next batch of the store. Does nothing if the whole store is loaded.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn load_next_batch(&mut self) -> Result<(), ServiceError> {
        self.index.load_next_batch(&self.service)
    }

    /// Builds one sorted order that a later request may need. Returns false if every order is
    /// already built.
    pub fn build_next_order(&mut self) -> bool {
        self.index.build_next_order()
    }

    /// Passes the rows that `request` asks for to `deliver`. While the store is loading, these are
    /// only rows that are already loaded. For a long list, first passes the rows near the
    /// selection. Stops once `is_current` returns false.
    ///
    /// # Errors
    ///
    /// If the store cannot be read and nothing is loaded. If rows are loaded, the engine delivers
    /// the last known state instead, and the operator's next action reports the error.
    pub fn answer(
        &mut self,
        request: &ListRequest,
        is_current: impl Fn() -> bool + Sync,
        mut deliver: impl FnMut(ListResult),
    ) -> Result<(), ServiceError> {
        let catalogue = &self.service.policy().catalogue;
        let query = request.query.clone();
        let search = query.search.with_catalogue(catalogue);
        let request = &ListRequest { query: ListQuery { search, ..query }, ..request.clone() };
        let synced = match self.index.sync(&self.service) {
            Ok(()) if self.index.total <= LOADED_AT_ONCE && self.is_loading() => {
                self.load_next_batch()
            }
            synced => synced,
        };
        if self.index.len() == 0 {
            synced?;
        }
        if let Some(first) =
            self.recently_issued(request).or_else(|| self.index.first_rows(request, PAGE))
        {
            deliver(self.with_undelivered(first));
            if self.is_loading() {
                return Ok(());
            }
        }
        if let Some(result) = self.index.query(request, is_current) {
            deliver(self.with_undelivered(result));
        }
        Ok(())
    }

    /// The first rows of the default order, taken from the audit trail while the store is loading.
    fn recently_issued(&self, request: &ListRequest) -> Option<ListResult> {
        let ListQuery { status, search, sort } = &request.query;
        let is_default = matches!(status, StatusFilter::Active | StatusFilter::All)
            && search.is_empty()
            && *sort == Sort::default();
        if !is_default || !self.is_loading() {
            return None;
        }
        let recent = self.service.recently_issued(*status, request.at, PAGE).ok()?;
        let tokens: ResultRows = recent.iter().map(|token| token.id).collect();
        let selected_row = request.selected.and_then(|id| tokens.find(&id));
        (!tokens.is_empty()).then(|| self.index.result(request, tokens, selected_row))
    }

    /// Adds to the summary of `result` the first undelivered tokens and the number of undelivered
    /// tokens. Counts only tokens that were already undelivered when the first load completed.
    fn with_undelivered(&mut self, mut result: ListResult) -> ListResult {
        let (index, at) = (&self.index, result.summary.at);
        let is_undelivered = |id: &&TokenId| index.is_undelivered(id, at);
        if index.is_loaded && self.undelivered.is_none() {
            self.undelivered = Some(index.ids().filter(is_undelivered).copied().collect());
        }
        let ids = self.undelivered.iter().flatten().filter(is_undelivered);
        let first = ids.clone().take(MAX_UNDELIVERED).copied().collect();
        result.summary.undelivered = (first, ids.count());
        result
    }
}
