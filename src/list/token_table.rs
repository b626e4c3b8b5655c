//! The columnar table: the properties by which tokens are filtered, searched and sorted. It takes
//! about 130 bytes per token and holds no records. A token keeps its row until the token is
//! removed; then another token can use the row. Called by `synced_index`, which keeps the table
//! equal to the store.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use hashbrown::HashTable;
use indexmap::{IndexMap, IndexSet};
use rayon::prelude::*;

use super::{
    status_classes::{NEVER, NEVER_USED, NO_START, RowValidity, StatusClass, classify, to_nanos},
    text_block::{BLOCK_ROWS, TextBlock, split_fields},
};
use crate::domain::{
    Actor, Column, Labels, Owner, Scopes, Timestamp, Token, TokenId,
    name::fold,
    search::{Ownership, SearchableTexts, TokenFacts},
};

/// The position of a token in the table.
pub(super) type RowId = u32;

/// The boolean properties of a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowFlags {
    pub(super) revoked: bool,
    pub(super) delivered: bool,
    /// Whether the token was removed, so that the row contains no token.
    pub(super) removed: bool,
}

/// All tokens, column by column.
#[derive(Debug, Default)]
pub(super) struct TokenTable {
    /// The id of the token in each row. Results share this column, so that they stay valid while
    /// the table changes. A free row keeps the id of its last token.
    pub(super) ids: Arc<Vec<TokenId>>,
    rows: HashTable<RowId>,
    /// Hashes `Option<&TokenId>`, the type that a lookup by row returns.
    hasher: RandomState,
    issued: Vec<i64>,
    pub(super) validity: Vec<RowValidity>,
    last_used: Vec<i64>,
    flags: Vec<RowFlags>,
    /// The positions of the token's scopes in `scope_sets` and of its ownership in `ownerships`.
    shared: Vec<(u32, u32)>,
    pub(super) texts: Vec<TextBlock>,
    /// Each distinct set of scopes as text (separated by blanks), with the number of its scopes. No
    /// set is ever removed.
    scope_sets: IndexMap<Box<str>, u64>,
    /// Each distinct combination of creator, owner and labels. None is ever removed.
    ownerships: IndexSet<(Actor, Owner, Labels)>,
    free: Vec<RowId>,
}

impl TokenTable {
    /// The number of tokens.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Reserves space for `total` tokens, because growth by doubling would fragment memory.
    pub(super) fn reserve(&mut self, total: usize) {
        let more = total.saturating_sub(self.row_count());
        if more > 0 {
            Arc::make_mut(&mut self.ids).reserve_exact(more);
            self.flags.reserve_exact(more);
            self.shared.reserve_exact(more);
            self.validity.reserve_exact(more);
            for times in [&mut self.issued, &mut self.last_used] {
                times.reserve_exact(more);
            }
        }
    }

    /// The number of rows, including free rows.
    pub(super) fn row_count(&self) -> usize {
        self.ids.len()
    }

    /// The row of a token.
    pub(super) fn row_of(&self, id: &TokenId) -> Option<RowId> {
        let hash = self.hasher.hash_one(Some(id));
        self.rows.find(hash, |row| self.ids.get(to_index(*row)) == Some(id)).copied()
    }

    /// Adds or replaces a token and returns its row.
    pub(super) fn insert_or_replace(&mut self, token: &Token) -> RowId {
        let existing = self.row_of(&token.id);
        let next = RowId::try_from(self.row_count()).unwrap_or(RowId::MAX);
        let row = existing.or_else(|| self.free.pop()).unwrap_or(next);
        let at = to_index(row);
        if existing.is_none() {
            set_or_push(Arc::make_mut(&mut self.ids), at, token.id);
            let Self { rows, hasher, ids, .. } = self;
            let hash = |row: &RowId| hasher.hash_one(ids.get(to_index(*row)));
            rows.insert_unique(hash(&row), row, hash);
        }
        set_or_push(&mut self.issued, at, to_nanos(token.issued));
        let validity = RowValidity {
            not_before: token.limits.not_before.map_or(NO_START, to_nanos),
            expires: token.expires.map_or(NEVER, to_nanos),
        };
        set_or_push(&mut self.validity, at, validity);
        let last_used = token.last_use().map_or(NEVER_USED, |used| to_nanos(used.at));
        set_or_push(&mut self.last_used, at, last_used);
        let flags = RowFlags {
            revoked: token.revoked.is_some(),
            delivered: token.delivered,
            removed: false,
        };
        set_or_push(&mut self.flags, at, flags);
        let scopes: Vec<String> = token.scopes.iter().map(ToString::to_string).collect();
        let count = u64::try_from(scopes.len()).unwrap_or(u64::MAX);
        let scopes = self.scope_sets.insert_full(scopes.join(" ").into(), count).0;
        let ownership = (token.created_by.clone(), token.owner.clone(), token.labels.clone());
        let ownership = self.ownerships.insert_full(ownership).0;
        set_or_push(&mut self.shared, at, (to_u32(scopes), to_u32(ownership)));
        let (block, in_block) = (at / BLOCK_ROWS, at % BLOCK_ROWS);
        if block == self.texts.len() {
            let last = self.texts.last();
            self.texts.push(last.map_or_else(TextBlock::default, TextBlock::with_capacity_of));
        }
        if let Some(block) = self.texts.get_mut(block) {
            let [name, description, id] =
                [token.name.as_str(), token.description.as_str(), token.id.as_str()].map(fold);
            block.set(in_block, [&*name, &description, &id]);
        }
        row
    }

    /// Removes a token and returns its row, which is not reused before [`TokenTable::release`].
    pub(super) fn remove(&mut self, id: &TokenId) -> Option<RowId> {
        let hash = self.hasher.hash_one(Some(id));
        let entry = self.rows.find_entry(hash, |row| self.ids.get(to_index(*row)) == Some(id));
        let (row, _) = entry.ok()?.remove();
        if let Some(flags) = self.flags.get_mut(to_index(row)) {
            flags.removed = true;
        }
        Some(row)
    }

    /// Makes the rows in `rows` that contain no token available for new tokens. Call this function
    /// only after these rows were removed from all sorted orders.
    pub(super) fn release(&mut self, rows: Vec<RowId>) {
        let unused = rows.into_iter().filter(|row| !self.is_used(*row));
        self.free.extend(unused.collect::<Vec<_>>());
    }

    /// The rows that contain a token.
    pub(super) fn used_rows(&self) -> Vec<RowId> {
        (0..).take(self.row_count()).filter(|row| self.is_used(*row)).collect()
    }

    /// Whether the row contains a token.
    pub(super) fn is_used(&self, row: RowId) -> bool {
        self.flags.get(to_index(row)).is_some_and(|flags| !flags.removed)
    }

    /// The searchable text of a row.
    pub(super) fn text(&self, row: RowId) -> &str {
        let at = to_index(row);
        self.texts.get(at / BLOCK_ROWS).map_or("", |block| block.get(at % BLOCK_ROWS))
    }

    /// The case-folded text by which a text column is sorted.
    pub(super) fn sort_text(&self, column: Column, row: RowId) -> &str {
        let [name, description, _] = split_fields(self.text(row));
        if column == Column::Description { description } else { name }
    }

    /// The number by which `row` is sorted in a column of numbers or times. Returns 0 for other
    /// columns.
    pub(super) fn sort_number(&self, column: Column, row: RowId) -> u64 {
        let at = to_index(row);
        let time = match column {
            Column::Issued => self.issued.get(at),
            Column::Expires => self.validity.get(at).map(|validity| &validity.expires),
            Column::LastUsed => self.last_used.get(at),
            Column::Scopes => {
                let (set, _) = self.positions(row).unwrap_or((usize::MAX, 0));
                return self.scope_sets.get_index(set).map_or(0, |(_, count)| *count);
            }
            Column::Name | Column::Description | Column::Status => return 0,
        };
        // Flipping the sign bit maps signed to unsigned numbers of the same order.
        time.map_or(0, |nanos| nanos.cast_unsigned() ^ (1 << 63))
    }

    /// Evaluates `matches` once for each distinct set of scopes. Returns the results in the order
    /// of `scope_sets`.
    pub(super) fn eval_scopes(&self, matches: impl Fn(&Scopes) -> bool + Sync) -> Vec<bool> {
        let scopes = |set: &str| {
            let scopes = set.split(' ').filter_map(|scope| scope.parse().ok()).collect();
            Scopes::from_stored(scopes).unwrap_or_default()
        };
        self.scope_sets.par_keys().map(|set| matches(&scopes(set))).collect()
    }

    /// Evaluates `matches` once for each distinct ownership. Returns the results in the order of
    /// `ownerships`.
    pub(super) fn eval_ownerships(
        &self,
        matches: impl Fn(Ownership<'_>) -> bool + Sync,
    ) -> Vec<bool> {
        let ownerships = self.ownerships.par_iter();
        ownerships
            .map(|(created_by, owner, labels)| matches(Ownership { created_by, owner, labels }))
            .collect()
    }

    /// The positions of the token's scope set and ownership in the results of
    /// [`TokenTable::eval_scopes`] and [`TokenTable::eval_ownerships`].
    pub(super) fn positions(&self, row: RowId) -> Option<(usize, usize)> {
        self.shared
            .get(to_index(row))
            .map(|(scopes, ownership)| (to_index(*scopes), to_index(*ownership)))
    }

    /// The status class of each row at `at`.
    pub(super) fn classes(&self, at: Timestamp) -> Vec<StatusClass> {
        let now = to_nanos(at);
        let mut classes = vec![StatusClass::Free; self.row_count()];
        let blocks = classes.par_chunks_mut(BLOCK_ROWS).zip(self.flags.par_chunks(BLOCK_ROWS));
        blocks.zip(self.validity.par_chunks(BLOCK_ROWS)).for_each(
            |((classes, flags), validity)| {
                for ((class, flags), validity) in classes.iter_mut().zip(flags).zip(validity) {
                    *class = classify(*flags, *validity, now);
                }
            },
        );
        classes
    }

    /// The status class of one row at `at`.
    pub(super) fn class(&self, row: RowId, at: Timestamp) -> StatusClass {
        match (self.flags.get(to_index(row)), self.validity.get(to_index(row))) {
            (Some(flags), Some(validity)) => classify(*flags, *validity, to_nanos(at)),
            _ => StatusClass::Free,
        }
    }

    /// The properties that search terms test, except texts, scopes and ownership. Returns `None` for
    /// a free row.
    pub(super) fn facts(&self, row: RowId, at: Timestamp) -> Option<TokenFacts> {
        let (status, _) = self.class(row, at).status()?;
        let time = |times: &[i64]| times.get(to_index(row)).copied();
        let timestamp = Timestamp::from_timestamp_nanos;
        let expires = self.validity.get(to_index(row))?.expires;
        Some(TokenFacts {
            status,
            issued: timestamp(time(&self.issued)?),
            expires: (expires != NEVER).then(|| timestamp(expires)),
            last_used: time(&self.last_used).filter(|used| *used != NEVER_USED).map(timestamp),
            delivered: self.flags.get(to_index(row))?.delivered,
            at,
        })
    }

    /// The case-folded texts of a token.
    pub(super) fn texts_of(&self, row: RowId) -> SearchableTexts<'_> {
        let [name, description, id] = split_fields(self.text(row)).map(Into::into);
        SearchableTexts { name, id, description }
    }
}

/// Converts a row, a position or an offset to an index.
pub(super) fn to_index(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

pub(super) fn to_u32(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Sets the value of row `at` in a column. If `at` is the number of rows, appends the value.
fn set_or_push<T>(column: &mut Vec<T>, at: usize, value: T) {
    match column.get_mut(at) {
        Some(slot) => *slot = value,
        None => column.push(value),
    }
}
