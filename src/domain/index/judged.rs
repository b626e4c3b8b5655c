//! The standings of a chunk's tokens, kept for as long as they hold: the passing of time changes
//! few of them, so that a question need not look at a million tokens to know who is active.
//! Called by the index and what picks from it.

use super::{
    bits::Bits,
    chunk::{Chunk, STANDINGS},
};

/// Which tokens of a chunk have each of the [`STANDINGS`].
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) standings: [Bits; STANDINGS.len()],
    /// The instants for which that holds.
    from: i64,
    pub(super) until: i64,
}

impl Judged {
    /// Those of `chunk` as it is, at `now`.
    pub(super) fn of(chunk: &Chunk, now: i64) -> Self {
        let (standings, until) = (chunk.standings(now), chunk.next_standing(now));
        Self { standings, from: now, until }
    }

    /// Whether they are the same at `now`.
    pub(super) fn holds(&self, now: i64) -> bool {
        self.from <= now && now < self.until
    }
}
