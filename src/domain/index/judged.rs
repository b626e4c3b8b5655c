//! What time makes of a chunk's tokens, kept for as long as it holds: the passing of time changes
//! few of them, so that a question need not look at a million tokens to know who is active.
//! Called by the index and what picks from it.

use super::{
    DAY,
    bits::Bits,
    chunk::{Chunk, NEVER, STANDINGS, Tally},
};

/// The standings of a chunk's tokens, and how many were used of late.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// Which have each of the [`STANDINGS`].
    pub(super) standings: [Bits; STANDINGS.len()],
    /// How many those are.
    pub(super) tally: Tally,
    /// How many were used within a day.
    pub(super) used: usize,
    /// The instants for which that holds, but for the uses.
    from: i64,
    pub(super) until: i64,
    /// When the first of the uses is a day ago.
    used_until: i64,
}

impl Judged {
    /// Those of `chunk` as it is, at `now`.
    pub(super) fn of(chunk: &Chunk, now: i64) -> Self {
        let (standings, until) = (chunk.standings(now), chunk.next_standing(now));
        let tally = standings.each_ref().map(Bits::count);
        let lately = Bits::of(&chunk.used, |last| now.saturating_sub(*last) < DAY);
        let lately = lately.and(&chunk.there());
        let uses = lately.iter().filter_map(|row| chunk.used.get(row));
        let used_until = uses.map(|last| last.saturating_add(DAY)).min().unwrap_or(NEVER);
        Self { standings, tally, used: lately.count(), from: now, until, used_until }
    }

    /// Whether they are the same at `now`.
    pub(super) fn holds(&self, now: i64) -> bool {
        self.from <= now && now < self.until.min(self.used_until)
    }
}
