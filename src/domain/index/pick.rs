//! A query on the index: which tokens it shows, how many each status has among those that the
//! search finds, and their order. The first screenful is had long before the whole order, and
//! long work asks whether anybody still wants it.

use std::{ops::Range, thread};

use memchr::memmem::Finder;

use super::{
    Index, TokenId,
    chunk::{Chunk, Row, Shared, stamp},
};
use crate::domain::{Column, Counts, Moment, Query, Search};

/// Items that are sorted in one go; beyond, in pieces between which the work can end.
const PIECE: usize = 1 << 16;
/// Bits of a token's place within its chunk.
const WITHIN: u32 = 14;

/// What a query shows, not yet in order. Of each token one number, whose order is the wanted
/// one: what it is sorted by, then the place of its name, then where it is in the index.
#[derive(Debug)]
pub struct Picked {
    items: Vec<u128>,
    /// How many the search finds of each status.
    pub counts: Counts,
}

impl Query {
    /// The tokens of `index` to show, with statuses as of `at`. `None` as soon as `wanted` says
    /// that nobody waits for it any more.
    pub fn pick(&self, index: &Index, at: Moment, wanted: impl Fn() -> bool) -> Option<Picked> {
        let mut words: Vec<&str> = self.search.words().collect();
        // The longest is the rarest, as a rule.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let words: Vec<Finder<'_>> = words.into_iter().map(Finder::new).collect();
        let mut asked = Asked::of(&self.search);
        let now = stamp(at);
        let shown = self.shown();
        let mut picked = Picked { items: Vec::with_capacity(index.len), counts: Counts::default() };
        for (number, chunk) in (0_u32..).zip(&index.chunks) {
            if !wanted() {
                return None;
            }
            chunk.search(&words, |place| {
                let Some(row) = chunk.rows.get(place) else {
                    return;
                };
                let status = row.status_at(now);
                let fits = asked.fits_shared(index, row)
                    && (asked.nothing_else
                        || self.search.fits(&chunk.facts(place, row, status, at)));
                if !fits {
                    return;
                }
                let soon = row.expires_soon(now);
                picked.counts.add(status, soon);
                if shown.shows(status, soon) {
                    let key = self.key(index, chunk, place, now);
                    picked.items.push(item(key, row.name, number, place));
                }
            });
        }
        Some(picked)
    }

    /// What a token is sorted by, as a number.
    fn key(&self, index: &Index, chunk: &Chunk, at: usize, now: i64) -> u64 {
        let time = |stamp: i64| stamp.cast_unsigned() ^ (1 << 63);
        let Some(row) = chunk.rows.get(at) else {
            return 0;
        };
        let key = match self.sort.column {
            // As near as can be told until all have their places.
            Column::Name if !index.ranked => head(chunk.name(at)),
            Column::Description if !index.ranked => head(chunk.description(at)),
            Column::Name => u64::from(row.name),
            Column::Description => u64::from(row.description),
            Column::Status => row.status_at(now) as u64,
            Column::Scopes => index.scope_count(row),
            Column::Issued => time(row.issued),
            Column::Expires => time(row.expires),
            Column::LastUsed => time(row.used),
        };
        if self.sort.descending { !key } else { key }
    }

    /// Where `id` stands among what this picked.
    pub fn place(&self, picked: &Picked, index: &Index, id: &TokenId, at: Moment) -> Option<usize> {
        let number = index.chunk_of(id);
        let chunk = index.chunks.get(number)?;
        let at_row = chunk.find(id).ok()?;
        let row = chunk.rows.get(at_row)?;
        let key = self.key(index, chunk, at_row, stamp(at));
        let own = item(key, row.name, u32::try_from(number).ok()?, at_row);
        let mut there = false;
        let mut before = 0;
        for item in &picked.items {
            before += usize::from(*item < own);
            there |= *item == own;
        }
        there.then_some(before)
    }
}

/// What a search asks beside words, and what was found out about what many tokens share: each
/// set of scopes and each maker is looked at once.
struct Asked<'a> {
    search: &'a Search,
    nothing_else: bool,
    scopes: Option<Vec<Option<bool>>>,
    makers: Option<Vec<Option<bool>>>,
}

impl<'a> Asked<'a> {
    fn of(search: &'a Search) -> Self {
        Self {
            search,
            nothing_else: search.is_words(),
            scopes: search.asks_for_scopes().then(Vec::new),
            makers: search.asks_for_maker().then(Vec::new),
        }
    }

    fn fits_shared(&mut self, index: &Index, row: &Row) -> bool {
        let Shared { scopes, maker } = row.shared;
        let search = self.search;
        let scopes = self.scopes.as_mut().is_none_or(|known| {
            once(known, scopes, || search.fits_scopes(&index.scopes_of(scopes)))
        });
        scopes
            && self.makers.as_mut().is_none_or(|known| {
                let maker_of = || index.makers.get(maker).is_some_and(|it| search.fits_maker(it));
                once(known, maker, maker_of)
            })
    }
}

/// What is known of `number`, found out the first time.
fn once(known: &mut Vec<Option<bool>>, number: u32, find: impl FnOnce() -> bool) -> bool {
    let at = usize::try_from(number).unwrap_or(usize::MAX);
    if known.len() <= at {
        known.resize(at + 1, None);
    }
    known.get_mut(at).is_some_and(|known| *known.get_or_insert_with(find))
}

/// The first bytes of a text, in an order that is the text's as far as they go.
fn head(text: &str) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    u64::from_be_bytes(bytes)
}

fn item(key: u64, name: u32, chunk: u32, row: usize) -> u128 {
    let slot = (chunk << WITHIN) | u32::try_from(row).unwrap_or(0);
    (u128::from(key) << 64) | (u128::from(name) << 32) | u128::from(slot)
}

impl Picked {
    /// How many tokens are shown.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The tokens of the rows `window` of the order, without ordering the others.
    pub fn window(&mut self, index: &Index, window: Range<usize>) -> Vec<TokenId> {
        let end = window.end.min(self.items.len());
        let start = window.start.min(end);
        if start == 0 {
            return index.ids_of(&self.least(end));
        }
        let mut part = self.items.as_mut_slice();
        if end < part.len() {
            part = part.select_nth_unstable(end).0;
        }
        if start < part.len() {
            part.select_nth_unstable(start);
        }
        let part = part.get_mut(start..).unwrap_or_default();
        part.sort_unstable();
        index.ids_of(part)
    }

    /// The `count` least items in order, by one look at each: most are greater than all that
    /// were kept so far.
    fn least(&self, count: usize) -> Vec<u128> {
        let mut least = Vec::with_capacity(4 * count);
        let mut limit = u128::MAX;
        for item in &self.items {
            if *item < limit {
                least.push(*item);
                if least.len() == 4 * count {
                    limit = *least.select_nth_unstable(count).1;
                    least.truncate(count);
                }
            }
        }
        least.sort_unstable();
        least.truncate(count);
        least
    }

    /// All of them in order. `None` as soon as `wanted` says that nobody waits any more.
    #[expect(clippy::stable_sort_primitive, reason = "the stable one merges what is in order")]
    pub fn sorted(
        mut self,
        index: &Index,
        wanted: impl Fn() -> bool + Sync,
    ) -> Option<Vec<TokenId>> {
        let sort = |items: &mut [u128]| {
            items.chunks_mut(PIECE).all(|piece| {
                piece.sort_unstable();
                wanted()
            })
        };
        let middle = if self.items.len() > PIECE { self.items.len() / 2 } else { 0 };
        let (one, other) = self.items.split_at_mut(middle);
        let done = thread::scope(|scope| {
            // Half of the work is another core's.
            let beside = (!one.is_empty()).then(|| scope.spawn(|| sort(one)));
            sort(other) && beside.is_none_or(|beside| beside.join().unwrap_or(false))
        });
        if !done {
            return None;
        }
        // What is in order piece by piece is merged, which is a small part of the work.
        self.items.sort();
        wanted().then(|| index.ids_of(&self.items))
    }
}

impl Index {
    fn ids_of(&self, items: &[u128]) -> Vec<TokenId> {
        let mut ids = Vec::with_capacity(items.len());
        ids.extend(items.iter().filter_map(|item| self.id_of(*item)));
        ids
    }

    fn id_of(&self, item: u128) -> Option<TokenId> {
        let slot = u32::try_from(item & u128::from(u32::MAX)).ok()?;
        let chunk = self.chunks.get(usize::try_from(slot >> WITHIN).ok()?)?;
        let row = chunk.rows.get(usize::try_from(slot & ((1 << WITHIN) - 1)).ok()?)?;
        Some(row.id)
    }

    fn scope_count(&self, row: &Row) -> u64 {
        self.sets.get(row.shared.scopes).map_or(0, |set| {
            let blanks = set.bytes().filter(|byte| *byte == b' ').count();
            u64::try_from(blanks).unwrap_or(u64::MAX) + u64::from(!set.is_empty())
        })
    }
}
