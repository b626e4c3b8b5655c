//! The first rows of what a search finds: a walk from the top of the order that holds the search
//! against each token for itself, and ends as soon as a screen is full. What is searched for is
//! soon met, as a rule, and to look through all takes ten times as long. Called by the list,
//! before it [picks](Query::pick).

use memchr::memmem::Finder;

use super::{Index, Listed, TokenId, Window, chunks::place, pick::Asked};
use crate::domain::{Column, Moment, Query};

/// Tokens that are looked at: a small part of the time that all of a million take.
const MOST: usize = 4_096;

impl Query {
    /// The rows from the first on to that of `id`, or to `row` where `id` is not shown, and
    /// `ahead` behind it. `None` if they are not met soon: near the end of the list, where few
    /// are found, by status, which parts the order, and while the order is not known.
    pub fn first(
        &self,
        index: &Index,
        at: Moment,
        id: Option<&TokenId>,
        row: usize,
        ahead: usize,
    ) -> Option<Window> {
        let order = index.order_by(self.sort.column)?;
        if self.sort.column == Column::Status {
            return None;
        }
        let (mut asked, words) = (Asked::of(&self.search), self.finders());
        let mut shows = |number| self.shows_row(index, number, &words, &mut asked, at);
        let own = id.and_then(|id| index.number_of(id)).filter(|own| shows(*own));
        let top = order.pieces(self.sort.descending).into_iter().next()?.numbers(None);
        let (mut numbers, mut place) = (Vec::new(), None);
        for number in top.into_iter().take(MOST).filter(|number| shows(*number)) {
            if own == Some(number) {
                place = Some(numbers.len());
            }
            numbers.push(number);
            let last = if own.is_some() { place } else { Some(row) };
            if last.is_some_and(|last| numbers.len() > last.saturating_add(ahead)) {
                let tokens = Listed::of(numbers, &index.chunks);
                return Some(Window { start: 0, tokens, place });
            }
        }
        None
    }

    /// Whether it shows the token with this number.
    fn shows_row(
        &self,
        index: &Index,
        number: u32,
        words: &[Finder<'_>],
        asked: &mut Asked<'_>,
        at: Moment,
    ) -> bool {
        let (chunk, row) = place(number);
        index.chunks.as_slice().get(chunk).is_some_and(|chunk| {
            chunk.row(row).is_some_and(|row| row.is_in(self.shown(), at))
                && chunk.holds(row, words)
                && (asked.nothing_else || asked.fits(index, chunk, row, at))
        })
    }
}
