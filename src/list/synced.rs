//! The table and its orders in sync with the store: loaded in batches, then updated with what
//! changed. It can be queried at any time, however much is loaded. Called by `engine`.

use super::{
    execute::Scan,
    order::Orders,
    request::{Completeness, ListRequest, ListResult, StoreSummary},
    result::ResultRows,
    status::{ClassifiedRows, TokenStats},
    table::{Row, Table, index},
};
use crate::{
    domain::{Status, Timestamp, TokenId},
    service::{Changed, Damage, Position, Service, ServiceError, TokenBatch, TokenCursor},
};

/// Tokens that are read in one transaction: a few milliseconds.
const BATCH: usize = 4_096;
/// Tokens from which on a full scan may take longer than a frame.
const MANY: usize = 8_192;

/// All tokens of a store, as far as a list needs them.
#[derive(Debug, Default)]
pub(super) struct SyncedIndex {
    table: Table,
    orders: Orders,
    /// How far the store has been loaded, in the order of ids.
    cursor: Option<TokenCursor>,
    pub(super) is_loaded: bool,
    position: Option<Position>,
    damaged: Vec<Damage>,
    /// How many tokens the store has, damaged ones included.
    pub(super) total: usize,
    clock_behind: Option<Timestamp>,
    /// Kept while neither a row nor the clock changes a class; most requests need no new ones.
    classified: Option<ClassifiedRows>,
    /// Those of the last full result: a prefix repeats them.
    stats: Option<TokenStats>,
}

impl SyncedIndex {
    /// How many tokens have been loaded.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Takes over what changed in the store, as far as it has been loaded. What changed too much
    /// must be loaded again.
    pub(super) fn sync(&mut self, service: &Service) -> Result<(), ServiceError> {
        let update = service.update_since(self.position)?;
        if let Changed::Everything = update.changed {
            *self = Self::default();
        }
        self.position = Some(update.position);
        self.total = update.total;
        self.clock_behind = update.clock_behind;
        let Changed::Tokens(tokens) = update.changed else {
            return Ok(());
        };
        let mut rows: Vec<Row> = Vec::new();
        for (id, token) in tokens {
            if !self.is_loaded && self.cursor.is_none_or(|cursor| !cursor.includes(&id)) {
                continue;
            }
            self.damaged.retain(|damage| damage.key != id.as_str());
            match token {
                Ok(Some(token)) => rows.push(self.table.put(&token)),
                Ok(None) => rows.extend(self.table.remove(&id)),
                Err(damage) => {
                    rows.extend(self.table.remove(&id));
                    self.damaged.push(damage);
                }
            }
        }
        if !rows.is_empty() {
            self.classified = None;
            self.orders.update(&self.table, &rows);
            self.table.release(rows);
        }
        Ok(())
    }

    /// Loads the next batch, if there is more.
    pub(super) fn load_next_batch(&mut self, service: &Service) -> Result<(), ServiceError> {
        self.sync(service)?;
        if self.is_loaded {
            return Ok(());
        }
        let TokenBatch { tokens, damaged, next } = service.load_batch(self.cursor, BATCH)?;
        self.classified = None;
        self.table.reserve(self.total);
        for token in &tokens {
            self.table.put(token);
        }
        self.damaged.extend(damaged);
        (self.cursor, self.is_loaded) = (next, next.is_none());
        Ok(())
    }

    /// Builds an order that no request has needed yet; false if there is none. Takes up to 0.3 s
    /// for a million tokens.
    pub(super) fn build_next_order(&mut self) -> bool {
        let missing = self.orders.missing().filter(|_| self.is_loaded);
        missing.is_some_and(|column| {
            self.orders.build(&self.table, column);
            true
        })
    }

    /// All rows that `request` asks for. `None` as soon as the request is not current.
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
        self.stats = self.is_loaded.then_some(classified.stats);
        let scan = Scan::new(&self.table, query, *at);
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

    /// The first rows of a long list, `page` of them after the selected one. `None` if a full scan
    /// is needed to find them, and before the first full result.
    pub(super) fn first_rows(&self, request: &ListRequest, page: usize) -> Option<ListResult> {
        self.stats.filter(|_| self.table.len() >= MANY)?;
        let ListRequest { query, at, selected, row, .. } = request;
        let selected = selected.and_then(|id| self.table.row_of(&id));
        let scan = Scan::new(&self.table, query, *at);
        let (rows, selected_row) = scan.first_rows(&self.orders, selected, *row, page)?;
        let completeness = Completeness::Prefix;
        Some(ListResult { completeness, ..self.result(request, rows, selected_row) })
    }

    /// A result with these rows and with the state of the store.
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
            stats: self.stats,
            damaged: self.damaged.iter().map(ToString::to_string).collect(),
            clock_behind: self.clock_behind,
            undelivered: None,
        };
        let (total, selected_row) = (tokens.len(), selected.map(|id| (id, selected_row)));
        ListResult { number, tokens, total, selected_row, summary, ..ListResult::default() }
    }

    /// Whether the token is active and its secret has no recorded delivery.
    pub(super) fn is_undelivered(&self, id: &TokenId, at: Timestamp) -> bool {
        let facts = self.table.row_of(id).and_then(|row| self.table.facts(row, at));
        facts.is_some_and(|facts| !facts.claimed && facts.status == Status::Active)
    }

    /// The ids of all tokens.
    pub(super) fn ids(&self) -> impl Iterator<Item = &TokenId> {
        self.table.used().into_iter().filter_map(|row| self.table.ids.get(index(row)))
    }
}
