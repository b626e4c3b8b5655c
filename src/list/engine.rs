//! The list engine: answers requests about the tokens of one store, of which it loads as much as
//! it is given time for. No threads of its own: `worker` runs it on one, tests call it directly.

use std::sync::Arc;

use super::{
    request::{Completeness, ListRequest, ListResult, StoreSummary},
    result::ResultRows,
    status::TokenStats,
    synced::{QueryResult, SyncedIndex},
};
use crate::{
    domain::{Moment, Query, Sort, StatusFilter, TokenId},
    service::{Service, ServiceError},
};

/// A store with at most this many tokens is loaded before its first request is answered.
const LOADED_AT_ONCE: usize = 512;
/// Rows that are delivered before the rest is known: more than a screen has.
const PAGE: usize = 100;
/// Tokens from which on a full scan for a search takes longer than a frame.
const MANY: usize = 8_192;

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
        !self.index.is_loaded()
    }

    /// Loads the next batch of the store.
    pub fn load_next_batch(&mut self) -> Result<(), ServiceError> {
        self.index.load_next_batch(&self.service)
    }

    /// Builds an order that a later request may need; false if there is none to build.
    pub fn build_next_order(&mut self) -> bool {
        self.index.build_next_order()
    }

    /// Delivers the rows that `request` asks for, as far as the store is loaded; where a search
    /// takes longer, first those on the screen. Delivers nothing more as soon as the request is
    /// not current. Fails only if nothing was ever loaded: after that the last known state is
    /// shown, and what the operator does next reports the failure.
    pub fn answer(
        &mut self,
        request: &ListRequest,
        is_current: impl Fn() -> bool + Sync,
        mut deliver: impl FnMut(ListResult),
    ) -> Result<(), ServiceError> {
        let synced = match self.index.sync(&self.service) {
            Ok(()) if self.index.total() <= LOADED_AT_ONCE && self.is_loading() => {
                self.load_next_batch()
            }
            synced => synced,
        };
        if self.index.len() == 0 {
            synced?;
        }
        let first = match self.recently_issued(request) {
            None => self.first_rows(request),
            recent => recent,
        };
        let is_enough = first.is_some() && self.is_loading();
        first.into_iter().for_each(&mut deliver);
        if is_enough {
            return Ok(());
        }
        let Some(result) = self.index.query(request, is_current) else {
            return Ok(());
        };
        let QueryResult { counts, rows, selected_row, stats } = result;
        let is_complete = self.index.is_loaded();
        deliver(ListResult {
            number: request.number,
            total: rows.len(),
            tokens: rows,
            completeness: if is_complete { Completeness::Complete } else { Completeness::Partial },
            counts: is_complete.then_some(counts),
            selected_row: request.selected.map(|id| (id, selected_row)),
            summary: self.summary(request.at, stats),
        });
        Ok(())
    }

    /// The first rows of the default order, from the audit trail, while the store is loaded.
    fn recently_issued(&mut self, request: &ListRequest) -> Option<ListResult> {
        let Query { status, search, sort } = &request.query;
        let is_default = matches!(status, StatusFilter::Active | StatusFilter::All)
            && search.is_empty()
            && *sort == Sort::default();
        if !is_default || !self.is_loading() {
            return None;
        }
        let recent = self.service.recently_issued(*status, request.at, PAGE).ok()?;
        let tokens: ResultRows = recent.iter().map(|pat| pat.id).collect();
        (!tokens.is_empty()).then(|| ListResult {
            number: request.number,
            total: tokens.len(),
            selected_row: request.selected.map(|id| (id, tokens.find(&id))),
            tokens,
            summary: self.summary(request.at, None),
            ..ListResult::default()
        })
    }

    /// The first rows that a search finds among many tokens.
    fn first_rows(&mut self, request: &ListRequest) -> Option<ListResult> {
        let is_long = self.index.len() >= MANY && !request.query.search.is_empty();
        if !is_long || self.is_loading() {
            return None;
        }
        let (tokens, selected_row) = self.index.first_rows(request, PAGE)?;
        Some(ListResult {
            number: request.number,
            total: tokens.len(),
            tokens,
            completeness: Completeness::Prefix,
            counts: None,
            selected_row: request.selected.map(|id| (id, selected_row)),
            summary: self.summary(request.at, self.index.stats(request.at)),
        })
    }

    fn summary(&mut self, at: Moment, stats: Option<TokenStats>) -> StoreSummary {
        let index = &self.index;
        let is_undelivered = |id: &&TokenId| index.is_undelivered(id, at);
        if index.is_loaded() && self.undelivered.is_none() {
            self.undelivered = Some(index.ids().filter(is_undelivered).copied().collect());
        }
        let mut undelivered = self.undelivered.iter().flatten().filter(is_undelivered);
        let undelivered = undelivered.next().map(|first| (*first, 1 + undelivered.count()));
        StoreSummary {
            total: index.total(),
            loaded: index.len(),
            at,
            stats,
            damaged: index.damaged().iter().map(ToString::to_string).collect(),
            clock_behind: index.clock_behind(),
            undelivered,
        }
    }
}
