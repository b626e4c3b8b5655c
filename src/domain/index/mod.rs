//! The compact index behind the list: of each token what it is filtered, searched and sorted by,
//! a few dozen bytes instead of its record. A token has a number for as long as it lives, and
//! every order that the list knows is kept as a sequence of numbers, so that no question sorts
//! anything. In chunks, so that a copy to think about elsewhere costs nothing. Owned by the roll.

mod bits;
mod chunk;
mod chunks;
mod cores;
mod first;
mod judged;
mod letters;
mod listed;
mod numbers;
mod order;
mod orders;
mod pick;
mod piece;
mod row;
mod unsorted;
mod walk;

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _, sync::Arc};

use self::{
    chunk::{Chunk, NEVER, STANDINGS, Shared, Tally, add, counted, stamp},
    chunks::{Chunks, place},
    judged::Judged,
    numbers::Numbers,
    order::Order,
};
pub use self::{
    listed::Listed,
    orders::{Copied, Orders},
    pick::{Picked, Window},
    row::Row,
    unsorted::Unsorted,
};
use super::{Actor, Column, Counts, Moment, Pat, Scopes, TokenId};

/// Within which a token is said to expire soon, and to have been used of late.
const WEEK: i64 = 7 * DAY;
const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;

/// Every token, as far as the list must know it.
#[derive(Debug, Default)]
pub struct Index {
    chunks: Chunks,
    len: usize,
    /// What is known of each chunk's standings.
    judged: Vec<Option<Judged>>,
    /// The sets of scopes, each once however many tokens have it.
    sets: Numbers<Arc<str>>,
    /// Those who made tokens.
    makers: Numbers<Actor>,
    by_id: Order,
    /// The orders of the columns, once they were worked out.
    orders: Option<Orders>,
    /// Numbers of tokens that are gone, to be given again.
    free: Vec<u32>,
    /// Numbers whose places in the orders are not what they were, and those of new tokens.
    moved: Vec<u32>,
    fresh: BTreeMap<TokenId, u32>,
    /// Known by the copy that the orders are worked out on, and what has moved since.
    copied: Option<Arc<()>>,
    since: Vec<u32>,
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
        for part in pats.chunks(chunk::ROWS) {
            self.chunks.expect(part);
            for pat in part {
                let number = self.write_next(pat);
                self.by_id.push(number);
            }
        }
    }

    /// Takes a token as it is now, new or changed. What has changed has its place in every
    /// order once it is [settled](Index::settle).
    pub fn put(&mut self, pat: &Pat) {
        let known = self.number_of(&pat.id);
        let number = match known.or_else(|| self.free.pop()) {
            Some(number) => {
                self.len += usize::from(!self.chunks.is_there(number));
                let shared = self.shared(pat);
                self.chunks.put(number, pat, shared);
                self.unjudge(number);
                number
            }
            None => self.write_next(pat),
        };
        if known.is_none() {
            self.fresh.insert(pat.id, number);
        }
        self.moves(number);
    }

    /// Forgets a token.
    pub fn remove(&mut self, id: &TokenId) {
        let Some(number) = self.number_of(id).filter(|number| self.chunks.is_there(*number)) else {
            return;
        };
        self.chunks.remove(number);
        self.unjudge(number);
        self.len -= 1;
        self.moves(number);
    }

    fn write_next(&mut self, pat: &Pat) -> u32 {
        let shared = self.shared(pat);
        self.len += 1;
        let number = self.chunks.push(pat, shared);
        self.unjudge(number);
        number
    }

    /// Finds out who is what at `at`, where that is not known. A question that nobody has
    /// prepared so finds out for itself.
    pub fn judge(&mut self, at: Moment) {
        let now = stamp(at);
        self.judged.resize(self.chunks.as_slice().len(), None);
        for (judged, chunk) in self.judged.iter_mut().zip(self.chunks.iter()) {
            if !judged.as_ref().is_some_and(|judged| judged.holds(now)) {
                *judged = Some(Judged::of(chunk, now));
            }
        }
    }

    /// The standings at `now` of the tokens in `chunk`, which has this number.
    fn judged(&self, number: usize, chunk: &Chunk, now: i64) -> Cow<'_, Judged> {
        let known = self.judged.get(number).and_then(Option::as_ref);
        match known.filter(|judged| judged.holds(now)) {
            Some(judged) => Cow::Borrowed(judged),
            None => Cow::Owned(Judged::of(chunk, now)),
        }
    }

    fn unjudge(&mut self, number: u32) {
        if let Some(judged) = self.judged.get_mut(place(number).0) {
            *judged = None;
        }
    }

    fn moves(&mut self, number: u32) {
        self.moved.push(number);
        if self.copied.is_some() {
            self.since.push(number);
        }
    }

    /// Gives what was put its place in every order, and what was removed none. One walk
    /// through each, however much has changed.
    pub fn settle(&mut self) {
        let mut moved = std::mem::take(&mut self.moved);
        if moved.is_empty() {
            return;
        }
        moved.sort_unstable();
        moved.dedup();
        self.by_id.settle(&moved, &self.chunks, None);
        self.fresh.clear();
        if let Some(orders) = &mut self.orders {
            orders.settle(&moved, &self.chunks);
        }
        self.free.extend(moved.into_iter().filter(|number| !self.chunks.is_there(*number)));
    }

    /// The order by `column`, once it is known and everything has its place in it.
    fn order_by(&self, column: Column) -> Option<&Order> {
        let orders = self.orders.as_ref().filter(|_| self.moved.is_empty())?;
        Some(orders.by(column))
    }

    /// The number of the token with this id, which may have been removed a moment ago.
    fn number_of(&self, id: &TokenId) -> Option<u32> {
        let settled = || self.by_id.find(|number| self.chunks.id(number).cmp(&Some(*id)));
        self.fresh.get(id).copied().or_else(settled)
    }

    /// What is known of a token.
    pub fn get(&self, id: &TokenId) -> Option<Row> {
        self.chunks.row(self.number_of(id)?)
    }

    /// Every token in numbers, as of `at`.
    pub fn summary(&self, at: Moment) -> Summary {
        let now = stamp(at);
        let mut tally = Tally::default();
        let (mut used, mut until) = (0, NEVER);
        for (at, chunk) in self.chunks.iter().enumerate() {
            let judged = self.judged(at, chunk, now);
            add(&mut tally, judged.tally);
            used += judged.used;
            until = until.min(judged.until);
        }
        let counts = counted(tally);
        let until = (until != NEVER).then(|| Moment::from_timestamp_nanos(until));
        Summary { counts, soon: counts.soon, used, until }
    }

    /// Every row in the order of ids, as far as it is settled.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.by_id.iter().filter_map(|number| self.chunks.row(number))
    }

    /// The scopes of the set with this number.
    fn scopes_of(&self, number: u32) -> Scopes {
        let set = self.sets.get(number).map_or("", |set| set);
        let scopes = set.split(' ').filter_map(|scope| scope.parse().ok()).collect();
        Scopes::from_stored(scopes).unwrap_or_default()
    }

    /// The numbers of what the token shares with others.
    fn shared(&mut self, pat: &Pat) -> Shared {
        let mut text = String::new();
        for scope in &pat.scopes {
            if !text.is_empty() {
                text.push(' ');
            }
            // A string takes whatever is written to it.
            let _ = write!(text, "{scope}");
        }
        let scopes = self.sets.of(&Arc::from(text));
        Shared { scopes, maker: self.makers.of(&pat.created_by) }
    }
}

#[cfg(test)]
mod tests;
