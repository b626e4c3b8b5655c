//! A walk along an order that meets what is shown, piece by piece, so that several cores go it
//! and one that looks for a few rows passes by the others. Called by `pick`.

use super::{bits::Set, cores::spread, order::Order, piece::Piece};

/// Pieces that one core looks at alone, before all of them are: most of what a screen shows is
/// near the top.
const NEAR: usize = 4;

/// The pieces as they are met, and of which of their tokens it is said; of all, if of none.
#[derive(Debug)]
pub(super) struct Walk<'a>(Vec<(Piece<'a>, Option<&'a Set>)>);

/// Rows of a walk.
#[derive(Debug)]
pub(super) struct Rows {
    /// The row of the first of them.
    pub(super) start: usize,
    pub(super) numbers: Vec<u32>,
    /// The row that was wanted.
    pub(super) place: usize,
}

/// Which row is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// That of this token, which is met.
    Token(u32),
    /// This one.
    Row(usize),
}

impl<'a> Walk<'a> {
    /// The walk along `order` that meets what is in the first of `sets`, then what is in the next.
    pub(super) fn of(order: &'a Order, sets: &[&'a Set], backwards: bool) -> Self {
        let along = |set: &'a Set| {
            let less = (set.len() < order.len()).then_some(set);
            order.pieces(backwards).into_iter().map(move |piece| (piece, less))
        };
        Self(sets.iter().filter(|set| set.len() > 0).flat_map(|set| along(set)).collect())
    }

    /// All that it meets.
    pub(super) fn numbers(&self) -> Vec<u32> {
        each(&self.0, Piece::numbers).concat()
    }

    /// The row that is `wanted` and `ahead` on either side of it, of `count` that it meets.
    pub(super) fn rows(&self, wanted: Wanted, ahead: usize, count: usize) -> Option<Rows> {
        let near = self.0.get(..NEAR).and_then(|near| rows(near, wanted, ahead, count));
        near.or_else(|| rows(&self.0, wanted, ahead, count))
    }
}

/// What `work` makes of every one of `those`.
fn each<'a, T: Send>(
    those: &[(Piece<'a>, Option<&Set>)],
    work: impl Fn(&Piece<'a>, Option<&Set>) -> T + Sync,
) -> Vec<T> {
    let one = |(): &mut (), at: usize| those.get(at).map(|(piece, set)| work(piece, *set));
    spread(those.len(), those.len() > NEAR, || (), one).unwrap_or_default()
}

/// What [`Walk::rows`] returns, if `those`, with which the walk begins, are enough to tell.
fn rows(
    those: &[(Piece<'_>, Option<&Set>)],
    wanted: Wanted,
    ahead: usize,
    count: usize,
) -> Option<Rows> {
    let looked = each(those, |piece, set| {
        let meets = |token| set.is_none_or(|set| set.has(token)) && piece.has(token);
        (piece.count(set), matches!(wanted, Wanted::Token(token) if meets(token)))
    });
    let (mut met, mut place, mut ranges) = (0, None, Vec::with_capacity(those.len()));
    for ((more, is_there), (piece, set)) in looked.into_iter().zip(those) {
        if let (true, Wanted::Token(token)) = (is_there, wanted) {
            place = piece.numbers(*set).iter().position(|it| *it == token).map(|at| met + at);
        }
        ranges.push(met..met + more);
        met += more;
    }
    let place = match wanted {
        Wanted::Token(_) => place?,
        Wanted::Row(row) => row.min(count.checked_sub(1)?),
    };
    let (from, to) = (place.saturating_sub(ahead), (place + ahead + 1).min(count));
    if to > met {
        return None;
    }
    let mut numbers = Vec::with_capacity(to - from);
    for ((piece, set), own) in those.iter().zip(ranges) {
        if own.start < to && from < own.end {
            let left = to - from - numbers.len();
            numbers
                .extend(piece.numbers(*set).iter().skip(from.saturating_sub(own.start)).take(left));
        }
    }
    Some(Rows { start: from, numbers, place })
}
