//! The compact index behind the list: of each token what it is filtered, searched and sorted by,
//! a few dozen bytes instead of its record. In chunks, so that a change touches a few thousand
//! rows, and a copy to think about on another thread costs nothing. Owned by whoever lists.

mod chunk;
mod numbers;
mod pick;
mod ranks;

use std::sync::Arc;

pub use self::{
    chunk::Row,
    pick::Picked,
    ranks::{Ranks, Texts},
};
use self::{
    chunk::{Chunk, NEVER, Shared, stamp},
    numbers::Numbers,
};
use super::{Actor, Counts, Moment, Pat, Scopes, Status, TokenId};

/// Rows of a chunk when it is filled in the order of ids.
const FILLED: usize = 4_096;
/// Rows at which a chunk is divided.
const FULL: usize = 2 * FILLED;
/// New texts for which a place among all is looked for one by one.
const FEW: usize = 16;
/// Within which a token is said to expire soon, and to have been used of late.
const WEEK: i64 = 7 * DAY;
const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;

/// Every token, as far as the list must know it.
#[derive(Debug, Default)]
pub struct Index {
    chunks: Vec<Arc<Chunk>>,
    len: usize,
    /// The sets of scopes, each once however many tokens have it.
    sets: Numbers<Arc<str>>,
    /// Those who made tokens.
    makers: Numbers<Actor>,
    /// Tokens whose texts have no place among all yet.
    unranked: Vec<TokenId>,
    ranked: bool,
    /// Grows when a text changes.
    version: u64,
}

/// All tokens in numbers, as of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many have each status.
    pub counts: Counts,
    /// How many of the active ones expire within a week.
    pub soon: usize,
    /// How many were used within a day.
    pub used: usize,
    /// When one of these numbers changes by the passing of time, at the earliest.
    pub until: Option<Moment>,
}

impl Index {
    /// How many tokens it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds tokens whose ids are above all that it has, in their order.
    pub fn extend(&mut self, pats: &[Pat]) {
        for part in pats.chunks(FILLED) {
            let mut chunk = Chunk::with_capacity(part.len());
            for pat in part {
                let shared = self.shared(pat);
                chunk.push(pat, shared);
            }
            chunk.shrink();
            self.len += part.len();
            self.chunks.push(Arc::new(chunk));
        }
        self.ranked = false;
        self.version += 1;
    }

    /// Takes a token as it is now, new or changed.
    pub fn put(&mut self, pat: &Pat) {
        let shared = self.shared(pat);
        let at = self.chunk_of(&pat.id);
        let Some(chunk) = self.chunks.get_mut(at).map(Arc::make_mut) else {
            return self.extend(std::slice::from_ref(pat));
        };
        let found = chunk.find(&pat.id);
        let same = chunk.put(found.unwrap_or_else(|at| at), pat, shared);
        self.len += usize::from(found.is_err());
        if !same {
            self.unranked.push(pat.id);
            self.version += 1;
        }
        if chunk.rows.len() > FULL {
            let half = chunk.split();
            self.chunks.insert(at + 1, Arc::new(half));
        }
    }

    /// Forgets a token.
    pub fn remove(&mut self, id: &TokenId) {
        let at = self.chunk_of(id);
        let Some(chunk) = self.chunks.get_mut(at) else {
            return;
        };
        let Ok(row) = chunk.find(id) else {
            return;
        };
        Arc::make_mut(chunk).remove(row);
        self.len -= 1;
        self.version += 1;
        if chunk.rows.is_empty() {
            self.chunks.remove(at);
        }
    }

    /// What is known of a token.
    pub fn get(&self, id: &TokenId) -> Option<&Row> {
        let chunk = self.chunks.get(self.chunk_of(id))?;
        chunk.rows.get(chunk.find(id).ok()?)
    }

    /// Every token in numbers, as of `at`.
    pub fn summary(&self, at: Moment) -> Summary {
        let now = stamp(at);
        let mut summary = Summary::default();
        let mut until = NEVER;
        for row in self.rows() {
            let status = row.status_at(now);
            summary.counts.add(status, row.expires_soon(now));
            summary.used += usize::from(now.saturating_sub(row.used) < DAY);
            if status == Status::Active && row.expires != NEVER {
                let soon = row.expires.saturating_sub(WEEK);
                until = until.min(if soon < now { row.expires } else { soon.saturating_add(1) });
            }
        }
        summary.soon = summary.counts.soon;
        summary.until = (until != NEVER).then(|| Moment::from_timestamp_nanos(until));
        summary
    }

    /// Every row in the order of ids.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.chunks.iter().flat_map(|chunk| &chunk.rows)
    }

    /// The scopes of the set with this number.
    fn scopes_of(&self, number: u32) -> Scopes {
        let set = self.sets.get(number).map_or("", |set| set);
        let scopes = set.split(' ').filter_map(|scope| scope.parse().ok()).collect();
        Scopes::from_stored(scopes).unwrap_or_default()
    }

    /// The chunk that has `id`, or would.
    fn chunk_of(&self, id: &TokenId) -> usize {
        let after = self.chunks.partition_point(|chunk| chunk.first().is_some_and(|it| it <= *id));
        after.saturating_sub(1)
    }

    /// The numbers of what the token shares with others.
    fn shared(&mut self, pat: &Pat) -> Shared {
        let mut text = String::new();
        for scope in &pat.scopes {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&scope.to_string());
        }
        let scopes = self.sets.of(&Arc::from(text));
        Shared { scopes, maker: self.makers.of(&pat.created_by) }
    }
}

#[cfg(test)]
mod tests;
