//! A query on the index: which tokens it shows, how many each status has among those that the
//! search finds, and their order, which is a walk along one that is known. Long work asks
//! whether anybody still wants it, and half of it is another core's.

use std::{collections::VecDeque, ops::Range};

use memchr::memmem::Finder;

use super::{
    Index, Listed, STANDINGS, TokenId, Unsorted,
    bits::{Bits, Set},
    chunk::{Chunk, Shared, counted, stamp},
    halves::both,
    order::Order,
};
use crate::domain::{Column, Counts, Moment, Query, Search, Sort};

/// Chunks for which no other core is asked.
const FEW: usize = 16;
/// Entries of an order that a [`Window`] may cost: a fifth of a millisecond.
const NEAR: usize = 1 << 15;

/// Which tokens a query shows, not yet in order.
#[derive(Debug)]
pub struct Picked {
    shown: Set,
    /// Those of each status.
    statuses: [Set; 3],
    /// How many the search finds of each status.
    pub counts: Counts,
    pub(super) sort: Sort,
    pub(super) now: i64,
}

/// Rows of what a query shows that lie side by side.
#[derive(Debug)]
pub struct Window {
    /// The row of the first of them.
    pub start: usize,
    /// Their tokens.
    pub tokens: Listed,
    /// The row of the token that was asked for, if it is shown.
    pub place: Option<usize>,
}

/// What was found in some chunks.
#[derive(Debug, Default)]
struct Part {
    statuses: [Set; 3],
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
        let count = index.chunks.as_slice().len();
        let half = |chunks| self.pick_part(index, chunks, at, &wanted);
        let (one, other) = both(count > FEW, || half(0..count / 2), || half(count / 2..count));
        let (one, other) = (one?, other?);
        let Part { mut statuses, mut tally } = one;
        for (set, more) in statuses.iter_mut().zip(other.statuses) {
            set.extend(more);
        }
        for (sum, more) in tally.iter_mut().zip(other.tally) {
            *sum += more;
        }
        let [active, expired, revoked] = &statuses;
        let shown = active.or(expired).or(revoked);
        Some(Picked { shown, statuses, counts: counted(tally), sort: self.sort, now: stamp(at) })
    }

    fn pick_part(
        &self,
        index: &Index,
        chunks: Range<usize>,
        at: Moment,
        wanted: impl Fn() -> bool,
    ) -> Option<Part> {
        let mut words: Vec<&str> = self.search.words().collect();
        // The longest is the rarest, as a rule.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let words: Vec<Finder<'_>> = words.into_iter().map(Finder::new).collect();
        let mut asked = Asked::of(&self.search);
        let shown = self.shown();
        let [shows_lasting, shows_soon, shows_expired, shows_revoked] =
            STANDINGS.map(|(status, soon)| shown.shows(status, soon));
        let (now, mut part) = (stamp(at), Part::default());
        let those = index.chunks.as_slice().get(chunks.clone()).unwrap_or_default();
        for (number, chunk) in chunks.zip(those) {
            if !wanted() {
                return None;
            }
            let mut found = chunk.search(&words);
            if !asked.nothing_else {
                let mut fitting = Bits::default();
                for row in found.iter().filter(|row| asked.fits(index, chunk, *row, at)) {
                    fitting.set(row);
                }
                found = fitting;
            }
            let judged = index.judged(number, chunk, now);
            let standings = judged.standings.each_ref().map(|those| those.clone().and(&found));
            for (tally, those) in part.tally.iter_mut().zip(&standings) {
                *tally += those.count();
            }
            let [lasting, soon, expired, revoked] = standings;
            let active = lasting.only_if(shows_lasting).or(&soon.only_if(shows_soon));
            let (expired, revoked) =
                (expired.only_if(shows_expired), revoked.only_if(shows_revoked));
            for (set, those) in part.statuses.iter_mut().zip([active, expired, revoked]) {
                set.push(&those);
            }
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
        shared
            && chunk
                .facts(row, at)
                .is_some_and(|facts| self.search.fits(&facts, || chunk.texts(row)))
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
        self.shown.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers of what is shown.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.shown.iter()
    }

    fn order<'i>(&self, index: &'i Index) -> Option<&'i Order> {
        let orders = index.orders.as_ref().filter(|_| index.moved.is_empty())?;
        Some(orders.by(self.sort.column))
    }

    /// The rows on either side of that of `id`, or of `row` where `id` is not shown, `ahead` of
    /// them: what a screen shows, long before [all of them](Picked::in_order) are in order. `None`
    /// if they are far down, or the order is not known.
    pub fn window(
        &self,
        index: &Index,
        id: Option<&TokenId>,
        row: usize,
        ahead: usize,
    ) -> Option<Window> {
        let own = id.and_then(|id| index.number_of(id)).filter(|it| self.shown.has(*it));
        let last = self.len().checked_sub(1)?;
        let mut place = if own.is_some() { None } else { Some(row.min(last)) };
        let (mut around, mut start) = (VecDeque::with_capacity(2 * ahead), 0);
        for (at, number) in self.walk(self.order(index)?, NEAR).enumerate() {
            if Some(number) == own {
                place = Some(at);
            }
            around.push_back(number);
            match place {
                Some(place) if at >= last.min(place + ahead) => {
                    let tokens = Listed::of(around.into(), &index.chunks);
                    return Some(Window { start, tokens, place: own.and(Some(place)) });
                }
                Some(place) if place <= start + ahead => {}
                _ if around.len() > ahead => {
                    around.pop_front();
                    start += 1;
                }
                _ => {}
            }
        }
        None
    }

    /// Those that are shown, in order, as far as `most` entries of it tell.
    fn walk<'p>(&'p self, order: &'p Order, most: usize) -> Box<dyn Iterator<Item = u32> + 'p> {
        let in_set = |set: &'p Set| move |number: u32| set.has(number).then_some(number);
        match (self.sort.column, self.sort.descending) {
            (Column::Status, _) => {
                let each = self.in_turn().into_iter();
                Box::new(
                    each.flat_map(move |set| order.iter().map(in_set(set))).take(most).flatten(),
                )
            }
            (_, false) => Box::new(order.iter().map(in_set(&self.shown)).take(most).flatten()),
            (_, true) => {
                Box::new(order.iter_backwards().map(in_set(&self.shown)).take(most).flatten())
            }
        }
    }

    /// Those of each status, in the order of the statuses: each is sorted by name.
    fn in_turn(&self) -> [&Set; 3] {
        let mut sets = self.statuses.each_ref();
        if self.sort.descending {
            sets.reverse();
        }
        sets
    }

    /// All of them in order, at once; `None` while the order is not known: then they can be
    /// [sorted](Picked::unsorted).
    pub fn in_order(&self, index: &Index) -> Option<Listed> {
        let order = self.order(index)?;
        let numbers = match (self.sort.column, self.sort.descending) {
            (Column::Status, _) => self.in_turn().map(|set| order.those_of(set)).concat(),
            (_, false) => order.those_of(&self.shown),
            (_, true) => order.those_of_backwards(&self.shown),
        };
        Some(Listed::of(numbers, &index.chunks))
    }

    /// Where `id` stands among `listed`.
    pub fn place(&self, listed: &Listed, index: &Index, id: &TokenId) -> Option<usize> {
        listed.row_of(index.number_of(id).filter(|number| self.shown.has(*number))?)
    }

    /// All of them, to be sorted.
    pub fn unsorted(&self) -> Unsorted {
        Unsorted::of(self)
    }
}
