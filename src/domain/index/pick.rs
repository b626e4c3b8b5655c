//! A query on the index: which tokens it shows, how many each status has among those that the
//! search finds, and their order, which is a walk along one that is known. Long work asks
//! whether anybody still wants it, and half of it is another core's.

use std::cmp::Reverse;

use memchr::memmem::Finder;

use super::{
    Index, Listed, STANDINGS, TokenId, Unsorted,
    bits::{Bits, Set},
    chunk::{Chunk, Shared, Tally, add, counted, stamp},
    chunks::Chunks,
    cores::spread,
    order::Order,
    walk::{Walk, Wanted},
};
use crate::domain::{Column, Counts, Moment, Query, Search, Sort};

/// Chunks for which no other core is asked.
const FEW: usize = 16;
/// Entries of an order that are walked along in the time that it takes to sort one.
const WALKED: usize = 512;

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

/// What was found in a chunk.
#[derive(Debug)]
struct Part {
    statuses: [Bits; 3],
    tally: Tally,
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
        let words = self.finders();
        let chunks = index.chunks.as_slice();
        let begin = || Asked::of(&self.search);
        let parts = spread(chunks.len(), chunks.len() > FEW, begin, |asked, number| {
            let chunk = chunks.get(number).filter(|_| wanted())?;
            Some(self.pick_part(index, number, chunk, &words, asked, at))
        })?;
        let (mut statuses, mut shown) = (<[Set; 3]>::default(), Set::default());
        let mut tally = Tally::default();
        for part in parts {
            let [active, expired, revoked] = &part.statuses;
            shown.push(&active.clone().or(expired).or(revoked));
            for (set, those) in statuses.iter_mut().zip(&part.statuses) {
                set.push(those);
            }
            add(&mut tally, part.tally);
        }
        Some(Picked { shown, statuses, counts: counted(tally), sort: self.sort, now: stamp(at) })
    }

    /// What looks for its words, the longest first: that is the rarest, as a rule.
    pub(super) fn finders(&self) -> Vec<Finder<'_>> {
        let mut words: Vec<&str> = self.search.words().collect();
        words.sort_by_key(|word| Reverse(word.len()));
        words.into_iter().map(Finder::new).collect()
    }

    fn pick_part(
        &self,
        index: &Index,
        number: usize,
        chunk: &Chunk,
        words: &[Finder<'_>],
        asked: &mut Asked<'_>,
        at: Moment,
    ) -> Part {
        let mut found = chunk.search(words);
        if !asked.nothing_else {
            let mut fitting = Bits::default();
            for row in found.iter().filter(|row| asked.fits(index, chunk, *row, at)) {
                fitting.set(row);
            }
            found = fitting;
        }
        let judged = index.judged(number, chunk, stamp(at));
        let standings = judged.standings.each_ref().map(|those| those.clone().and(&found));
        let tally = standings.each_ref().map(Bits::count);
        let shown = self.shown();
        let [lasting, soon, expired, revoked] =
            STANDINGS.map(|(status, soon)| shown.shows(status, soon));
        let [those_lasting, those_soon, those_expired, those_revoked] = standings;
        let active = those_lasting.only_if(lasting).or(&those_soon.only_if(soon));
        Part {
            statuses: [active, those_expired.only_if(expired), those_revoked.only_if(revoked)],
            tally,
        }
    }
}

/// What a search asks beside words, and what was found out about what many tokens share: each
/// set of scopes and each maker is looked at once.
pub(super) struct Asked<'a> {
    search: &'a Search,
    pub(super) nothing_else: bool,
    scopes: Option<Vec<Option<bool>>>,
    makers: Option<Vec<Option<bool>>>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(search: &'a Search) -> Self {
        Self {
            search,
            nothing_else: search.is_words(),
            scopes: search.asks_for_scopes().then(Vec::new),
            makers: search.asks_for_maker().then(Vec::new),
        }
    }

    pub(super) fn fits(&mut self, index: &Index, chunk: &Chunk, row: usize, at: Moment) -> bool {
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

    /// The rows on either side of that of `id`, or of `row` where `id` is not shown, `ahead` of
    /// them: what a screen shows, before [all of them](Picked::in_order) are in order. `None` if
    /// there is none, or the order is not known.
    pub fn window(
        &self,
        index: &Index,
        id: Option<&TokenId>,
        row: usize,
        ahead: usize,
    ) -> Option<Window> {
        let own = id.and_then(|id| index.number_of(id)).filter(|it| self.shown.has(*it));
        let wanted = own.map_or(Wanted::Row(row), Wanted::Token);
        let rows = self.walk(index.order_by(self.sort.column)?).rows(wanted, ahead, self.len())?;
        let tokens = Listed::of(rows.numbers, &index.chunks);
        Some(Window { start: rows.start, tokens, place: own.and(Some(rows.place)) })
    }

    fn walk<'p>(&'p self, order: &'p Order) -> Walk<'p> {
        let backwards = self.sort.descending && self.sort.column != Column::Status;
        Walk::of(order, &self.in_turn(), backwards)
    }

    /// Those that are shown one after the other, each set in order for itself: by status, they
    /// are those of each status, by name.
    fn in_turn(&self) -> Vec<&Set> {
        let mut statuses = self.statuses.each_ref();
        match (self.sort.column, self.sort.descending) {
            (Column::Status, true) => statuses.reverse(),
            (Column::Status, false) => {}
            _ => return vec![&self.shown],
        }
        statuses.to_vec()
    }

    /// All of them in order, at once; `None` while the order is not known: then they can be
    /// [sorted](Picked::unsorted).
    pub fn in_order(&self, index: &Index) -> Option<Listed> {
        let order = index.order_by(self.sort.column)?;
        let is_little = self.len() * WALKED < order.len();
        let numbers =
            if is_little { self.few_in_order(&index.chunks) } else { self.walk(order).numbers() };
        Some(Listed::of(numbers, &index.chunks))
    }

    /// All of them in the same order, by what they are sorted by.
    fn few_in_order(&self, chunks: &Chunks) -> Vec<u32> {
        let Sort { column, descending } = self.sort;
        let compare = |one: &u32, other: &u32| {
            let keys = chunks.key(column, *one).cmp(&chunks.key(column, *other));
            let keys = if descending { keys.reverse() } else { keys };
            keys.then_with(|| chunks.by_name(*one, *other))
        };
        let mut all = Vec::with_capacity(self.len());
        for set in self.in_turn() {
            let start = all.len();
            all.extend(set.iter());
            all.get_mut(start..).unwrap_or_default().sort_unstable_by(compare);
        }
        all
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
