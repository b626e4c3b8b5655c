//! Keeps the table and its sorted orders in sync with the store: loads all tokens in batches, then
//! applies the changes of the store. The index can be queried while it is partly loaded. Called by
//! `engine`.

use super::{
    query::PreparedQuery,
    request::{Completeness, ListRequest, ListResult, StoreSummary},
    result_rows::ResultRows,
    sorted_orders::SortedOrders,
    status_classes::{ClassifiedRows, TokenStats},
    token_table::{RowId, TokenTable, to_index},
};
use crate::{
    domain::{Job, Timestamp, TokenId},
    service::{
        ChangeLogPosition, DamagedRecord, FeedChanges, Service, ServiceError, TokenBatch,
        TokenCursor,
    },
};

/// Maximum number of tokens per read transaction, which takes a few milliseconds.
const BATCH_SIZE: usize = 4_096;
/// Minimum number of loaded tokens for a prefix result. With this many tokens, a full scan may take
/// longer than a frame.
const MIN_ROWS_FOR_PREFIX: usize = 8_192;

/// The table and the orders, with the position in the change log up to which they are synced.
#[derive(Debug, Default)]
pub(super) struct SyncedIndex {
    table: TokenTable,
    orders: SortedOrders,
    /// The last loaded id. Batches are loaded in the order of ids.
    cursor: Option<TokenCursor>,
    pub(super) is_loaded: bool,
    position: Option<ChangeLogPosition>,
    damaged: Vec<DamagedRecord>,
    /// The number of tokens in the store, including damaged records.
    pub(super) total: usize,
    clock_behind: Option<Timestamp>,
    interrupted_job: Option<Job>,
    /// Whether another state of the store replaced the file since the start.
    is_history_replaced: bool,
    /// The status classes of all rows. They are kept until a row changes, or until a class changes
    /// with the time, so most requests reuse them.
    classified: Option<ClassifiedRows>,
    /// Statistics of the last full result, which a prefix result repeats.
    stats: Option<TokenStats>,
}

impl SyncedIndex {
    /// The number of tokens loaded.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Applies the store's changes since the last sync to the loaded rows. Starts to load the whole
    /// store again if the change log no longer contains all of these changes.
    pub(super) fn sync(&mut self, service: &Service) -> Result<(), ServiceError> {
        let update = service.update_since(self.position)?;
        if let FeedChanges::NeedsReload = update.changed {
            *self = Self { is_history_replaced: self.is_history_replaced, ..Self::default() };
        }
        self.is_history_replaced |= update.is_history_replaced;
        self.position = Some(update.position);
        self.total = update.total;
        self.clock_behind = update.clock_behind;
        self.interrupted_job = update.interrupted_job;
        let FeedChanges::Tokens(tokens) = update.changed else {
            return Ok(());
        };
        let mut rows: Vec<RowId> = Vec::new();
        for (id, token) in tokens {
            if !self.is_loaded && self.cursor.is_none_or(|cursor| !cursor.includes(&id)) {
                continue;
            }
            self.damaged.retain(|damage| damage.key != id.as_str());
            match token {
                Ok(Some(token)) => rows.push(self.table.insert_or_replace(&token)),
                Ok(None) => rows.extend(self.table.remove(&id)),
                Err(damage) => {
                    rows.extend(self.table.remove(&id));
                    self.damaged.push(damage);
                }
            }
        }
        if !rows.is_empty() {
            self.classified = None;
            self.orders.note_changed(&rows);
            self.table.release(rows);
        }
        Ok(())
    }

    /// Loads the next batch, unless all of the store is loaded.
    pub(super) fn load_next_batch(&mut self, service: &Service) -> Result<(), ServiceError> {
        self.sync(service)?;
        if self.is_loaded {
            return Ok(());
        }
        let TokenBatch { tokens, damaged, next } = service.load_batch(self.cursor, BATCH_SIZE)?;
        self.classified = None;
        self.table.reserve(self.total);
        for token in &tokens {
            self.table.insert_or_replace(token);
        }
        self.damaged.extend(damaged);
        (self.cursor, self.is_loaded) = (next, next.is_none());
        Ok(())
    }

    /// Builds or updates one sorted order that no request has needed yet. Returns `false` if all orders
    /// are ready or the store is not loaded. Takes up to 0.3 s for a million tokens.
    pub(super) fn build_next_order(&mut self) -> bool {
        let missing = self.orders.first_unready().filter(|_| self.is_loaded);
        missing.is_some_and(|column| {
            self.orders.build(&self.table, column);
            true
        })
    }

    /// All rows that `request` asks for. Returns `None` once `is_current` returns false.
    pub(super) fn query(
        &mut self,
        request: &ListRequest,
        is_current: impl Fn() -> bool + Sync,
    ) -> Option<ListResult> {
        let ListRequest { query, at, selected, .. } = request;
        if self.is_loaded {
            self.orders.build(&self.table, query.sort.column);
        }
        self.classified.take_if(|classified| !classified.holds_at(*at));
        let classify = || ClassifiedRows::of(&self.table, *at);
        let classified = self.classified.get_or_insert_with(classify);
        self.stats = self.is_loaded.then(|| classified.stats.clone());
        let scan = PreparedQuery::new(&self.table, query, *at);
        let matches = scan.matches(classified.classes.clone(), &is_current)?;
        let rows = matches.in_order(&self.table, &self.orders, query.sort);
        let selected = selected.and_then(|id| self.table.row_of(&id));
        let selected = selected.filter(|row| matches.shows(*row));
        let selected_row = selected.and_then(|row| rows.position(row));
        let result = self.result(request, rows, selected_row);
        if !self.is_loaded {
            return Some(result);
        }
        let completeness = Completeness::Complete;
        Some(ListResult { completeness, counts: Some(matches.counts), ..result })
    }

    /// The rows of a long list from its start to `page` rows after the selected row. Returns `None`
    /// for a short list, before the first full result, or if only a full scan would find these rows.
    pub(super) fn first_rows(&mut self, request: &ListRequest, page: usize) -> Option<ListResult> {
        self.stats.as_ref().filter(|_| self.table.len() >= MIN_ROWS_FOR_PREFIX)?;
        self.orders.update(&self.table, request.query.sort.column);
        let ListRequest { query, at, selected, row, .. } = request;
        let selected = selected.and_then(|id| self.table.row_of(&id));
        let scan = PreparedQuery::new(&self.table, query, *at);
        let (rows, selected_row) = scan.first_rows(&self.orders, selected, *row, page)?;
        let completeness = Completeness::Prefix;
        Some(ListResult { completeness, ..self.result(request, rows, selected_row) })
    }

    /// Returns a result with the rows `tokens` and the state of the store.
    pub(super) fn result(
        &self,
        request: &ListRequest,
        tokens: ResultRows,
        selected_row: Option<usize>,
    ) -> ListResult {
        let ListRequest { number, at, selected, .. } = *request;
        let summary = StoreSummary {
            total: self.total,
            loaded: self.table.len(),
            at,
            stats: self.stats.clone(),
            damaged: self.damaged.iter().map(ToString::to_string).collect(),
            clock_behind: self.clock_behind,
            interrupted_job: self.interrupted_job.clone(),
            is_history_replaced: self.is_history_replaced,
            undelivered: (Vec::new(), 0),
        };
        let (total, selected_row) = (tokens.len(), selected.map(|id| (id, selected_row)));
        ListResult { number, tokens, total, selected_row, summary, ..ListResult::default() }
    }

    /// Whether the token is active or not yet valid, and its secret has no recorded delivery.
    pub(super) fn is_undelivered(&self, id: &TokenId, at: Timestamp) -> bool {
        let facts = self.table.row_of(id).and_then(|row| self.table.facts(row, at));
        facts.is_some_and(|facts| !facts.delivered && !facts.status.is_ended())
    }

    /// The ids of all tokens.
    pub(super) fn ids(&self) -> impl Iterator<Item = &TokenId> {
        self.table.used_rows().into_iter().filter_map(|row| self.table.ids.get(to_index(row)))
    }
}
