//! A query on the index: which tokens it shows, how many each status has among those that the
//! search finds, and their order, which is a walk along one that is known. Long work asks
//! whether anybody still wants it, and half of it is another core's.

use std::{sync::Arc, thread};

use memchr::memmem::Finder;

use super::{
    Index, Listed, STANDINGS, TokenId, Unsorted,
    bits::Bits,
    chunk::{Chunk, Shared, counted, stamp, standing},
    chunks::{number, place},
};
use crate::domain::{Column, Counts, Moment, Query, Search, Sort};

/// Chunks for which no other core is asked.
const FEW: usize = 16;

/// Which tokens a query shows, not yet in order.
#[derive(Debug)]
pub struct Picked {
    shown: Vec<Bits>,
    len: usize,
    /// How many the search finds of each status.
    pub counts: Counts,
    pub(super) sort: Sort,
    pub(super) now: i64,
}

/// What was found in some chunks.
#[derive(Debug, Default)]
struct Part {
    shown: Vec<Bits>,
    tally: [usize; STANDINGS.len()],
}

impl Query {
    /// The tokens of `index` to show, with statuses as of `at`. `None` as soon as `wanted` says
    /// that nobody waits for it any more.
    pub fn pick(
        &self,
        index: &Index,
        at: Moment,
        wanted: impl Fn() -> bool + Sync,
    ) -> Option<Picked> {
        let chunks = index.chunks.as_slice();
        let middle = if chunks.len() > FEW { chunks.len() / 2 } else { 0 };
        let (one, other) = chunks.split_at_checked(middle)?;
        let (one, other) = thread::scope(|scope| {
            let beside =
                (!one.is_empty()).then(|| scope.spawn(|| self.pick_part(index, one, at, &wanted)));
            let other = self.pick_part(index, other, at, &wanted);
            let one = beside.map_or(Some(Part::default()), |beside| beside.join().ok().flatten());
            Some((one?, other?))
        })?;
        let Part { mut shown, mut tally } = one;
        shown.extend(other.shown);
        for (sum, more) in tally.iter_mut().zip(other.tally) {
            *sum += more;
        }
        let len = shown.iter().map(Bits::count).sum();
        Some(Picked { shown, len, counts: counted(tally), sort: self.sort, now: stamp(at) })
    }

    fn pick_part(
        &self,
        index: &Index,
        chunks: &[Arc<Chunk>],
        at: Moment,
        wanted: impl Fn() -> bool,
    ) -> Option<Part> {
        let mut words: Vec<&str> = self.search.words().collect();
        // The longest is the rarest, as a rule.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let words: Vec<Finder<'_>> = words.into_iter().map(Finder::new).collect();
        let mut asked = Asked::of(&self.search);
        let shown = self.shown();
        let shown = STANDINGS.map(|(status, soon)| shown.shows(status, soon));
        let mut part = Part::default();
        for chunk in chunks {
            if !wanted() {
                return None;
            }
            let mut found = chunk.search(&words);
            if !asked.nothing_else {
                let fits = |row: usize| found.has(row) && asked.fits(index, chunk, row, at);
                found = (0..chunk.len()).map(fits).collect();
            }
            let now = stamp(at);
            let rows = chunk.marks.iter().zip(&chunk.expires).enumerate();
            let bits = rows.map(|(row, (marks, expires))| {
                let standing = standing(marks.revoked, *expires, now);
                if let Some(tally) = part.tally.get_mut(standing) {
                    *tally += usize::from(found.has(row));
                }
                shown.get(standing).copied().unwrap_or(false)
            });
            let bits: Bits = bits.collect();
            part.shown.push(bits.and(found));
        }
        Some(part)
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

    fn fits(&mut self, index: &Index, chunk: &Chunk, row: usize, at: Moment) -> bool {
        let shared = chunk.shared.get(row).is_some_and(|shared| self.fits_shared(index, *shared));
        shared && chunk.facts(row, at).is_some_and(|facts| self.search.fits(&facts))
    }

    fn fits_shared(&mut self, index: &Index, shared: Shared) -> bool {
        let Shared { scopes, maker } = shared;
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

impl Picked {
    /// How many tokens are shown.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn shows(&self, number: u32) -> bool {
        let (chunk, row) = place(number);
        self.shown.get(chunk).is_some_and(|bits| bits.has(row))
    }

    /// The numbers of what is shown.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        let chunks = self.shown.iter().enumerate();
        chunks.flat_map(|(at, bits)| bits.iter().map(move |row| number(at, row)))
    }

    /// All of them in order, at once; `None` while the order is not known: then they can be
    /// [sorted](Picked::unsorted).
    pub fn in_order(&self, index: &Index) -> Option<Listed> {
        let order = index.orders.as_ref().filter(|_| index.moved.is_empty())?.by(self.sort.column);
        let numbers = match (self.sort.column, self.sort.descending) {
            (Column::Status | Column::Scopes, descending) => {
                // Each of the few keys has its own list, in the order of names.
                let mut lists: Vec<Vec<u32>> = Vec::new();
                for number in order.iter().filter(|number| self.shows(*number)) {
                    let key = index.small_key(self.sort.column, number, self.now);
                    if lists.len() <= key {
                        lists.resize_with(key + 1, Vec::new);
                    }
                    lists.get_mut(key)?.push(number);
                }
                if descending {
                    lists.reverse();
                }
                lists.concat()
            }
            (_, false) => self.those_of(order.iter()),
            (_, true) => self.those_of(order.backwards()),
        };
        Some(Listed::of(numbers, &index.chunks))
    }

    /// Those of `order` that are shown. Without branches: nobody can foretell them.
    fn those_of(&self, order: impl Iterator<Item = u32>) -> Vec<u32> {
        let mut numbers = vec![0; self.len + 1];
        let mut at = 0;
        for number in order {
            if let Some(place) = numbers.get_mut(at) {
                *place = number;
            }
            at += usize::from(self.shows(number));
        }
        numbers.truncate(self.len);
        numbers
    }

    /// Where `id` stands among `listed`.
    pub fn place(&self, listed: &Listed, index: &Index, id: &TokenId) -> Option<usize> {
        listed.row_of(index.number_of(id).filter(|number| self.shows(*number))?)
    }

    /// All of them, to be sorted.
    pub fn unsorted(&self) -> Unsorted {
        Unsorted::of(self)
    }
}
