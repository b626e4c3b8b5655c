//! The columnar table: for each token what it is filtered, searched and sorted by, about 120 bytes
//! instead of its record. A token keeps its row until it is removed; then the row is free for
//! another token. Refuses nothing; called by `synced`, which keeps it equal to the store.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use hashbrown::HashTable;
use indexmap::{IndexMap, IndexSet};
use rayon::prelude::*;

use super::{
    status::{Class, NEVER, NEVER_USED, class, to_nanos},
    text::{BLOCK_ROWS, TextBlock, fields},
};
use crate::domain::{
    Actor, Column, Scopes, Timestamp, Token, TokenId,
    name::fold,
    search::{Facts, Texts},
};

/// Where a token is in the table.
pub(super) type Row = u32;

/// The properties of a token that are true or false.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flags {
    pub(super) revoked: bool,
    pub(super) delivered: bool,
    /// The row is free.
    pub(super) removed: bool,
}

/// All tokens, column by column.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Shared with results, which stay valid while the table changes. A free row keeps its id.
    pub(super) ids: Arc<Vec<TokenId>>,
    rows: HashTable<Row>,
    /// Hashes `Option<&TokenId>`, which is what a lookup by row returns.
    hasher: RandomState,
    issued: Vec<i64>,
    pub(super) expires: Vec<i64>,
    last_used: Vec<i64>,
    flags: Vec<Flags>,
    /// The positions of the token's scopes in `scope_sets` and of its creator in `creators`.
    shared: Vec<(u32, u32)>,
    pub(super) texts: Vec<TextBlock>,
    /// Each distinct set of scopes, separated by blanks, with the number of scopes. Never shrinks.
    scope_sets: IndexMap<Box<str>, u64>,
    creators: IndexSet<Actor>,
    free: Vec<Row>,
}

impl Table {
    /// How many tokens it has.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Makes room for this many tokens in all: growing by doubling would leave holes in memory.
    pub(super) fn reserve(&mut self, total: usize) {
        let more = total.saturating_sub(self.row_count());
        if more > 0 {
            Arc::make_mut(&mut self.ids).reserve_exact(more);
            self.flags.reserve_exact(more);
            self.shared.reserve_exact(more);
            for times in [&mut self.issued, &mut self.expires, &mut self.last_used] {
                times.reserve_exact(more);
            }
        }
    }

    /// How many rows it has, free ones included.
    pub(super) fn row_count(&self) -> usize {
        self.ids.len()
    }

    /// The row of a token.
    pub(super) fn row_of(&self, id: &TokenId) -> Option<Row> {
        let hash = self.hasher.hash_one(Some(id));
        self.rows.find(hash, |row| self.ids.get(index(*row)) == Some(id)).copied()
    }

    /// Adds or replaces a token; its row.
    pub(super) fn put(&mut self, token: &Token) -> Row {
        let known = self.row_of(&token.id);
        let next = Row::try_from(self.row_count()).unwrap_or(Row::MAX);
        let row = known.or_else(|| self.free.pop()).unwrap_or(next);
        let at = index(row);
        if known.is_none() {
            set(Arc::make_mut(&mut self.ids), at, token.id);
            let Self { rows, hasher, ids, .. } = self;
            let hash = |row: &Row| hasher.hash_one(ids.get(index(*row)));
            rows.insert_unique(hash(&row), row, hash);
        }
        set(&mut self.issued, at, to_nanos(token.issued));
        set(&mut self.expires, at, token.expires.map_or(NEVER, to_nanos));
        let last_used = token.last_use().map_or(NEVER_USED, |used| to_nanos(used.at));
        set(&mut self.last_used, at, last_used);
        let flags =
            Flags { revoked: token.revoked.is_some(), delivered: token.delivered, removed: false };
        set(&mut self.flags, at, flags);
        let scopes: Vec<String> = token.scopes.iter().map(ToString::to_string).collect();
        let count = u64::try_from(scopes.len()).unwrap_or(u64::MAX);
        let scopes = self.scope_sets.insert_full(scopes.join(" ").into(), count).0;
        let creator = self.creators.insert_full(token.created_by.clone()).0;
        set(&mut self.shared, at, (position(scopes), position(creator)));
        let (block, in_block) = (at / BLOCK_ROWS, at % BLOCK_ROWS);
        if block == self.texts.len() {
            let last = self.texts.last();
            self.texts.push(last.map_or_else(TextBlock::default, TextBlock::like));
        }
        if let Some(block) = self.texts.get_mut(block) {
            let [name, description, id] =
                [token.name.as_str(), token.description.as_str(), token.id.as_str()].map(fold);
            block.set(in_block, [&*name, &description, &id]);
        }
        row
    }

    /// Removes a token; the row that it had, which is not free before [`Table::release`].
    pub(super) fn remove(&mut self, id: &TokenId) -> Option<Row> {
        let hash = self.hasher.hash_one(Some(id));
        let entry = self.rows.find_entry(hash, |row| self.ids.get(index(*row)) == Some(id));
        let (row, _) = entry.ok()?.remove();
        if let Some(flags) = self.flags.get_mut(index(row)) {
            flags.removed = true;
        }
        Some(row)
    }

    /// Lets other tokens have those of these rows that are not used, once no order contains them.
    pub(super) fn release(&mut self, rows: Vec<Row>) {
        let unused = rows.into_iter().filter(|row| !self.is_used(*row));
        self.free.extend(unused.collect::<Vec<_>>());
    }

    /// The rows that are used.
    pub(super) fn used(&self) -> Vec<Row> {
        (0..).take(self.row_count()).filter(|row| self.is_used(*row)).collect()
    }

    /// Whether a token is in this row.
    pub(super) fn is_used(&self, row: Row) -> bool {
        self.flags.get(index(row)).is_some_and(|flags| !flags.removed)
    }

    /// The text of a row that a search looks at.
    pub(super) fn text(&self, row: Row) -> &str {
        let at = index(row);
        self.texts.get(at / BLOCK_ROWS).map_or("", |block| block.get(at % BLOCK_ROWS))
    }

    /// The folded text by which a text column is sorted.
    pub(super) fn sort_text(&self, column: Column, row: Row) -> &str {
        let [name, description, _] = fields(self.text(row));
        if column == Column::Description { description } else { name }
    }

    /// The number by which a column of numbers or times is sorted, ascending; 0 for the others.
    pub(super) fn sort_number(&self, column: Column, row: Row) -> u64 {
        let times = match column {
            Column::Issued => &self.issued,
            Column::Expires => &self.expires,
            Column::LastUsed => &self.last_used,
            Column::Scopes => {
                let (set, _) = self.positions(row).unwrap_or((usize::MAX, 0));
                return self.scope_sets.get_index(set).map_or(0, |(_, count)| *count);
            }
            Column::Name | Column::Description | Column::Status => return 0,
        };
        // Flipping the sign bit gives an unsigned number of the same order.
        times.get(index(row)).map_or(0, |nanos| nanos.cast_unsigned() ^ (1 << 63))
    }

    /// Evaluates `matches` once for each distinct set of scopes, by position.
    pub(super) fn eval_scopes(&self, matches: impl Fn(&Scopes) -> bool + Sync) -> Vec<bool> {
        let scopes = |set: &str| {
            let scopes = set.split(' ').filter_map(|scope| scope.parse().ok()).collect();
            Scopes::from_stored(scopes).unwrap_or_default()
        };
        self.scope_sets.par_keys().map(|set| matches(&scopes(set))).collect()
    }

    /// Evaluates `matches` once for each creator, by position.
    pub(super) fn eval_creators(&self, matches: impl Fn(&Actor) -> bool) -> Vec<bool> {
        self.creators.iter().map(matches).collect()
    }

    /// The position of the token's scopes and of its creator in what these return.
    pub(super) fn positions(&self, row: Row) -> Option<(usize, usize)> {
        self.shared.get(index(row)).map(|(scopes, creator)| (index(*scopes), index(*creator)))
    }

    /// The status class of each row at `at`.
    pub(super) fn classes(&self, at: Timestamp) -> Vec<Class> {
        let now = to_nanos(at);
        let mut classes = vec![Class::Free; self.row_count()];
        let blocks = classes.par_chunks_mut(BLOCK_ROWS).zip(self.flags.par_chunks(BLOCK_ROWS));
        blocks.zip(self.expires.par_chunks(BLOCK_ROWS)).for_each(|((classes, flags), expires)| {
            for ((place, flags), expires) in classes.iter_mut().zip(flags).zip(expires) {
                *place = class(*flags, *expires, now);
            }
        });
        classes
    }

    /// The status class of one row at `at`.
    pub(super) fn class(&self, row: Row, at: Timestamp) -> Class {
        match (self.flags.get(index(row)), self.expires.get(index(row))) {
            (Some(flags), Some(expires)) => class(*flags, *expires, to_nanos(at)),
            _ => Class::Free,
        }
    }

    /// What a search is evaluated on, apart from texts, scopes and creator.
    pub(super) fn facts(&self, row: Row, at: Timestamp) -> Option<Facts> {
        let (status, _) = self.class(row, at).status()?;
        let time = |times: &[i64]| times.get(index(row)).copied();
        let moment = Timestamp::from_timestamp_nanos;
        let expires = time(&self.expires)?;
        Some(Facts {
            status,
            issued: moment(time(&self.issued)?),
            expires: (expires != NEVER).then(|| moment(expires)),
            last_used: time(&self.last_used).filter(|used| *used != NEVER_USED).map(moment),
            claimed: self.flags.get(index(row))?.delivered,
            at,
        })
    }

    /// The texts of a token.
    pub(super) fn texts_of(&self, row: Row) -> Texts<'_> {
        let [name, description, id] = fields(self.text(row)).map(Into::into);
        Texts { name, id, description }
    }
}

/// A row, a position or an offset as an index.
pub(super) fn index(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

pub(super) fn position(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Writes to a column at `at`, which may be the row after the last.
fn set<T>(column: &mut Vec<T>, at: usize, value: T) {
    match column.get_mut(at) {
        Some(place) => *place = value,
        None => column.push(value),
    }
}
