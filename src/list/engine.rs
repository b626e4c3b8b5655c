//! The list engine: answers requests about the tokens of one store, of which it loads as much as
//! it is given time for. No threads of its own: `worker` runs it on one, tests call it directly.

use std::sync::Arc;

use super::{
    request::{ListRequest, ListResult},
    result::ResultRows,
    synced::SyncedIndex,
};
use crate::{
    domain::{Query, Sort, StatusFilter, TokenId},
    service::{Service, ServiceError},
};

/// A store with at most this many tokens is loaded before its first request is answered.
const LOADED_AT_ONCE: usize = 512;
/// Rows that are delivered before the rest is known: more than a screen has.
const PAGE: usize = 100;

/// Answers list requests.
#[derive(Debug)]
pub struct ListEngine {
    service: Arc<Service>,
    index: SyncedIndex,
    /// The tokens that were undelivered when the store was loaded for the first time.
    undelivered: Option<Vec<TokenId>>,
}

impl ListEngine {
    /// An engine that has loaded nothing.
    pub fn new(service: Arc<Service>) -> Self {
        Self { service, index: SyncedIndex::default(), undelivered: None }
    }

    /// Whether a part of the store is still to be loaded.
    pub fn is_loading(&self) -> bool {
        !self.index.is_loaded
    }

    /// Loads the next batch of the store.
    pub fn load_next_batch(&mut self) -> Result<(), ServiceError> {
        self.index.load_next_batch(&self.service)
    }

    /// Builds an order that a later request may need; false if there is none to build.
    pub fn build_next_order(&mut self) -> bool {
        self.index.build_next_order()
    }

    /// Delivers the rows that `request` asks for, as far as the store is loaded; of a long list
    /// first those on the screen. Delivers nothing more as soon as the request is
    /// not current. Fails only if nothing was ever loaded: after that the last known state is
    /// shown, and what the operator does next reports the failure.
    pub fn answer(
        &mut self,
        request: &ListRequest,
        is_current: impl Fn() -> bool + Sync,
        mut deliver: impl FnMut(ListResult),
    ) -> Result<(), ServiceError> {
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

    /// The first rows of the default order, from the audit trail, while the store is loaded.
    fn recently_issued(&self, request: &ListRequest) -> Option<ListResult> {
        let Query { status, search, sort } = &request.query;
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

    /// Adds the tokens that are still undelivered since before this session.
    fn with_undelivered(&mut self, mut result: ListResult) -> ListResult {
        let (index, at) = (&self.index, result.summary.at);
        let is_undelivered = |id: &&TokenId| index.is_undelivered(id, at);
        if index.is_loaded && self.undelivered.is_none() {
            self.undelivered = Some(index.ids().filter(is_undelivered).copied().collect());
        }
        let mut ids = self.undelivered.iter().flatten().filter(is_undelivered);
        result.summary.undelivered = ids.next().map(|first| (*first, 1 + ids.count()));
        result
    }
}
