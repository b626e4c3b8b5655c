//! Where each name and each description stands among all, as a number with room beside it for
//! those that come: sorting compares numbers, never texts. The numbers of a million tokens take
//! most of a second, so that they can be made on a copy of the index while it is used.

use std::sync::Arc;

use super::{Chunk, FEW, Index, TokenId};

/// The texts of an index as they once were, to be put in order elsewhere.
#[derive(Debug)]
pub struct Texts {
    version: u64,
    chunks: Vec<Arc<Chunk>>,
}

/// The places of all names and all descriptions of an index as it once was.
#[derive(Debug)]
pub struct Ranks {
    version: u64,
    names: Vec<u32>,
    descriptions: Vec<u32>,
}

/// A text of a row.
type Text = fn(&Chunk, usize) -> &str;

impl Ranks {
    /// Those of these texts.
    pub fn of(texts: Texts) -> Self {
        let Texts { version, chunks } = texts;
        let names = ranked(&chunks, Chunk::name);
        Self { version, names, descriptions: ranked(&chunks, Chunk::description) }
    }
}

fn ranked(chunks: &[Arc<Chunk>], text: Text) -> Vec<u32> {
    let mut texts = Vec::with_capacity(chunks.iter().map(|chunk| chunk.rows.len()).sum());
    for chunk in chunks {
        texts.extend((0..chunk.rows.len()).map(|at| text(chunk, at)));
    }
    let full = |at: u32| usize::try_from(at).ok().and_then(|at| texts.get(at)).copied();
    // Most are told apart by their first bytes, which are at hand.
    let mut order: Vec<(u128, u32)> = (0..).zip(&texts).map(|(at, it)| (head(it), at)).collect();
    order.sort_unstable_by(|(a, at), (b, other)| {
        a.cmp(b).then_with(|| full(*at).cmp(&full(*other)))
    });
    let step = u32::MAX / u32::try_from(texts.len() + 1).unwrap_or(u32::MAX).max(1);
    let mut ranks = vec![0; texts.len()];
    let (mut rank, mut before) = (0, None);
    for (_, at) in order {
        let text = full(at);
        if before != Some(text) {
            rank += step;
            before = Some(text);
        }
        if let Some(slot) = usize::try_from(at).ok().and_then(|at| ranks.get_mut(at)) {
            *slot = rank;
        }
    }
    ranks
}

/// The first bytes of a text, in an order that is the text's as far as they go.
fn head(text: &str) -> u128 {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    u128::from_be_bytes(bytes)
}

impl Index {
    /// Whether every token has its places, so that any order is exact.
    pub fn is_ranked(&self) -> bool {
        self.ranked && self.unranked.is_empty()
    }

    /// Its texts as they are.
    pub fn texts(&self) -> Texts {
        Texts { version: self.version, chunks: self.chunks.clone() }
    }

    /// Takes the places that were made of a copy; false if texts have changed since.
    pub fn rank(&mut self, ranks: &Ranks) -> bool {
        if ranks.version != self.version {
            return false;
        }
        let mut places = ranks.names.iter().zip(&ranks.descriptions);
        for chunk in &mut self.chunks {
            for row in &mut Arc::make_mut(chunk).rows {
                if let Some((name, description)) = places.next() {
                    (row.name, row.description) = (*name, *description);
                }
            }
        }
        self.ranked = true;
        self.unranked.clear();
        true
    }

    /// Finds places for the few tokens that have none yet, between those of their neighbours.
    /// Of many, or without room, the places of all must be made anew.
    pub fn rank_new(&mut self) {
        let new = std::mem::take(&mut self.unranked);
        if !self.ranked || new.is_empty() {
            return;
        }
        self.ranked = new.len() <= FEW && new.iter().all(|id| self.rank_one(id).is_some());
    }

    /// `None` if there is no room.
    fn rank_one(&mut self, id: &TokenId) -> Option<()> {
        let at = self.chunk_of(id);
        let Some(row) = self.chunks.get(at).and_then(|chunk| chunk.find(id).ok()) else {
            // It is gone again.
            return Some(());
        };
        let name = self.between(id, at, row, Chunk::name, |row| row.name)?;
        let description = self.between(id, at, row, Chunk::description, |row| row.description)?;
        let row = Arc::make_mut(self.chunks.get_mut(at)?).rows.get_mut(row)?;
        (row.name, row.description) = (name, description);
        Some(())
    }

    fn between(
        &self,
        id: &TokenId,
        at: usize,
        row: usize,
        text: Text,
        rank: fn(&super::Row) -> u32,
    ) -> Option<u32> {
        let own = text(self.chunks.get(at)?, row);
        let (mut low, mut high) = (0, u32::MAX);
        for chunk in &self.chunks {
            for (at, row) in chunk.rows.iter().enumerate() {
                // What has no place yet says nothing.
                if row.id == *id || rank(row) == 0 {
                    continue;
                }
                match text(chunk, at).cmp(own) {
                    std::cmp::Ordering::Equal => return Some(rank(row)),
                    std::cmp::Ordering::Less => low = low.max(rank(row)),
                    std::cmp::Ordering::Greater => high = high.min(rank(row)),
                }
            }
        }
        let middle = low + (high - low) / 2;
        (middle > low).then_some(middle)
    }
}
