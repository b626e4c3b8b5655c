//! Which tokens a query shows, for the list that asks: question and answer, and how the answer
//! is worked out. No threads here: `lister` runs it on one, tests may do so at once.

use std::sync::Arc;

use crate::{
    domain::{
        Copied, Counts, Listed, Moment, Orders, Query, Row, Sort, Status, StatusFilter, Summary,
        TokenId, Window,
    },
    service::{Roll, Service, ServiceError},
};

/// Tokens that are read and listed whole at once.
const AT_ONCE: usize = 512;
/// Rows that are told before all else is read or looked through: more than a screen has.
const FIRST: usize = 100;
/// Tokens from which on it takes a while to look through all for a search.
const MANY: usize = 8_192;
/// Rows that are known before the whole order is, on either side of the selected one.
const AHEAD: usize = 200;

/// What a list wants to show.
#[derive(Debug, Clone)]
pub struct Question {
    /// Grows from question to question.
    pub number: u64,
    /// Which tokens, in which order.
    pub query: Query,
    /// The instant by which statuses are judged.
    pub at: Moment,
    /// The token whose row is wanted first.
    pub selected: Option<TokenId>,
    /// The row that is, where that token is not shown.
    pub row: usize,
}

/// How much of what a query shows is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// The first rows; how many there are is told a moment later.
    Beginning,
    /// Some rows side by side.
    #[default]
    Part,
    /// All rows.
    Whole,
}

/// The rows that a query shows, or as many of them as are known so far.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Which question this answers.
    pub number: u64,
    /// The row of the first of `tokens`.
    pub start: usize,
    /// The tokens of the rows that are known.
    pub tokens: Listed,
    /// How many rows there are.
    pub total: usize,
    /// How many of them are known.
    pub extent: Extent,
    /// How many the search finds of each status, if everything was looked at.
    pub counts: Option<Counts>,
    /// The token that was asked for, and its row, if it is shown.
    pub place: Option<(TokenId, Option<usize>)>,
    /// The store as it was then.
    pub census: Census,
}

impl Listing {
    /// Whether all rows are known.
    pub fn is_whole(&self) -> bool {
        self.extent == Extent::Whole
    }

    /// It, as what is known after `before`: where it does not know how many there are, that is as
    /// it was until it is told, a moment later.
    #[must_use]
    pub fn after(self, before: &Self) -> Self {
        if self.extent != Extent::Beginning {
            return self;
        }
        Self { total: self.tokens.len().max(before.total), counts: before.counts, ..self }
    }
}

/// The whole store in a few words.
#[derive(Debug, Clone, Default)]
pub struct Census {
    /// How many tokens it has.
    pub total: usize,
    /// How many of them have been read.
    pub read: usize,
    /// The instant by which statuses were judged.
    pub at: Moment,
    /// All in numbers, once everything is read.
    pub numbers: Option<Summary>,
    /// The records that could not be read, by name.
    pub damaged: Vec<String>,
    /// The time of the last change, if the clock stands well before it.
    pub clock_behind: Option<Moment>,
    /// Active tokens whose secrets nobody confirmed, left behind by a session that ended too
    /// early: the first, and how many.
    pub left: Option<(TokenId, usize)>,
}

/// Answers questions about the tokens of one store, of which it reads as much as it is given
/// time for.
#[derive(Debug)]
pub struct Lists {
    service: Arc<Service>,
    roll: Roll,
    /// The tokens that were left unclaimed when everything was read for the first time.
    left: Option<Vec<TokenId>>,
}

impl Lists {
    /// Nothing is read yet.
    pub fn new(service: Arc<Service>) -> Self {
        Self { service, roll: Roll::default(), left: None }
    }

    /// Whether a part of the store is still to be read.
    pub fn has_more(&self) -> bool {
        !self.roll.is_whole()
    }

    /// Reads the next part of the store.
    pub fn read_on(&mut self) -> Result<(), ServiceError> {
        self.service.read_on(&mut self.roll)
    }

    /// What it knows, to work out the orders elsewhere; `None` when they are known.
    pub fn unordered(&mut self) -> Option<Copied> {
        let lacking = self.roll.is_whole() && !self.roll.index().is_ordered();
        lacking.then(|| self.roll.copy())
    }

    /// Takes the orders; false if they are of what it does not know any more.
    pub fn take_orders(&mut self, orders: Orders) -> bool {
        self.roll.order(orders)
    }

    /// Tells what `question` shows: at once what is on the screen, then, where that takes
    /// longer, everything; nothing more as soon as it is not `wanted` any more. Fails only if
    /// nothing could ever be read: else the last that is known is shown, and what the operator
    /// does next reports the failure.
    pub fn answer(
        &mut self,
        question: &Question,
        wanted: impl Fn() -> bool + Sync,
        mut tell: impl FnMut(Listing),
    ) -> Result<(), ServiceError> {
        let kept_up = self.service.keep_up(&mut self.roll);
        let read = match kept_up {
            Ok(()) if self.roll.total() <= AT_ONCE && self.has_more() => self.read_on(),
            kept_up => kept_up,
        };
        if self.roll.index().is_empty() {
            read?;
        }
        if self.has_more()
            && let Some(listing) = self.newest(question)
        {
            tell(listing);
            return Ok(());
        }
        self.roll.judge(question.at);
        if let Some(listing) = self.beginning(question) {
            tell(listing);
        }
        let Some(picked) = question.query.pick(self.roll.index(), question.at, &wanted) else {
            return Ok(());
        };
        let selected = question.selected;
        let extent = if self.roll.is_whole() { Extent::Whole } else { Extent::Part };
        let listing = Listing {
            number: question.number,
            total: picked.len(),
            counts: (extent == Extent::Whole).then_some(picked.counts),
            census: self.census(question.at),
            ..Listing::default()
        };
        let index = self.roll.index();
        if picked.len() > AT_ONCE
            && let Some(window) = picked.window(index, selected.as_ref(), question.row, AHEAD)
        {
            let Window { start, tokens, place } = window;
            let place = selected.map(|id| (id, place));
            tell(Listing { start, tokens, place, ..listing.clone() });
        }
        if let Some(tokens) = picked.in_order(index) {
            let place = selected.map(|id| (id, picked.place(&tokens, index, &id)));
            tell(Listing { tokens, extent, place, ..listing });
            return Ok(());
        }
        let mut unsorted = picked.unsorted();
        let place = selected.map(|id| (id, unsorted.place(index, &id)));
        if picked.len() > AT_ONCE {
            let start = place.and_then(|(_, row)| row).unwrap_or(0).saturating_sub(AHEAD);
            let tokens = unsorted.window(index, start..start + 2 * AHEAD);
            tell(Listing { start, tokens, place, ..listing.clone() });
        }
        if let Some(tokens) = unsorted.sorted(index, wanted) {
            tell(Listing { tokens, extent, place, ..listing });
        }
        Ok(())
    }

    /// What the trail tells of the default order before the tokens are read.
    fn newest(&mut self, question: &Question) -> Option<Listing> {
        let Query { status, search, sort } = &question.query;
        let told = matches!(status, StatusFilter::Active | StatusFilter::All)
            && search.is_empty()
            && *sort == Sort::default();
        if !told {
            return None;
        }
        let pats = self.service.newest(*status, question.at, FIRST).ok()?;
        let tokens: Listed = pats.iter().map(|pat| pat.id).collect();
        (!tokens.is_empty()).then(|| Listing {
            number: question.number,
            total: tokens.len(),
            place: question.selected.map(|id| (id, tokens.find(&id))),
            tokens,
            census: self.census(question.at),
            ..Listing::default()
        })
    }

    /// What a search finds first, before all is looked through.
    fn beginning(&mut self, question: &Question) -> Option<Listing> {
        let Question { query, at, selected, row, .. } = question;
        let index = self.roll.index();
        if query.search.is_empty() || index.len() < MANY || self.has_more() {
            return None;
        }
        let Window { start, tokens, place } =
            query.first(index, *at, selected.as_ref(), *row, FIRST)?;
        Some(Listing {
            number: question.number,
            start,
            tokens,
            extent: Extent::Beginning,
            place: selected.map(|id| (id, place)),
            census: self.census(*at),
            ..Listing::default()
        })
    }

    /// The store as far as it is known.
    pub fn census(&mut self, at: Moment) -> Census {
        let whole = self.roll.is_whole();
        let index = self.roll.index();
        let is_left = |row: &Row| !row.is_claimed() && row.status(at) == Status::Active;
        if whole && self.left.is_none() {
            self.left = Some(index.rows().filter(is_left).map(|row| row.id()).collect());
        }
        let left = self.left.iter().flatten();
        let mut left = left.filter(|id| index.get(id).is_some_and(|row| is_left(&row)));
        let left = left.next().map(|first| (*first, 1 + left.count()));
        Census {
            total: self.roll.total(),
            read: index.len(),
            at,
            numbers: whole.then(|| index.summary(at)),
            damaged: self.roll.damaged().iter().map(ToString::to_string).collect(),
            clock_behind: self.roll.clock_behind(),
            left,
        }
    }
}
