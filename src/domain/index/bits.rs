//! One bit for each row of a chunk, and one for each token: which were found, which are shown.
//! Called by the index alone.

use super::chunks::{number, place};

/// Rows whose bits are held in one word.
const WORD: usize = 64;

/// A yes or no for each of [`Bits::LEN`] rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits([u64; Self::LEN / WORD]);

impl Default for Bits {
    fn default() -> Self {
        Self([0; Self::LEN / WORD])
    }
}

impl Bits {
    /// How many there are.
    pub(super) const LEN: usize = 4_096;
    /// Every row, and what is behind the last.
    pub(super) const ALL: Self = Self([u64::MAX; Self::LEN / WORD]);

    /// The rows of `column` that are so.
    pub(super) fn of<T>(column: &[T], is: impl Fn(&T) -> bool) -> Self {
        let mut bits = Self::default();
        for (word, rows) in bits.0.iter_mut().zip(column.chunks(WORD)) {
            for (at, row) in rows.iter().enumerate() {
                *word |= u64::from(is(row)) << at;
            }
        }
        bits
    }

    pub(super) fn has(&self, row: usize) -> bool {
        self.0.get(row / WORD).is_some_and(|word| word >> (row % WORD) & 1 == 1)
    }

    pub(super) fn set(&mut self, row: usize) {
        if let Some(word) = self.0.get_mut(row / WORD) {
            *word |= 1 << (row % WORD);
        }
    }

    /// Those of both.
    pub(super) fn and(self, other: &Self) -> Self {
        self.with(other, |one, other| one & other)
    }

    /// Those of either.
    pub(super) fn or(self, other: &Self) -> Self {
        self.with(other, |one, other| one | other)
    }

    /// Those that are not of the other.
    pub(super) fn without(self, other: &Self) -> Self {
        self.with(other, |one, other| one & !other)
    }

    /// All of them, or none.
    pub(super) fn only_if(self, so: bool) -> Self {
        if so { self } else { Self::default() }
    }

    fn with(mut self, other: &Self, word: impl Fn(u64, u64) -> u64) -> Self {
        for (one, other) in self.0.iter_mut().zip(&other.0) {
            *one = word(*one, *other);
        }
        self
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|word| usize::try_from(word.count_ones()).unwrap_or(0)).sum()
    }

    /// The rows that are set, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let row = usize::try_from(left.trailing_zeros()).ok()?;
                (left != 0).then(|| {
                    left &= left - 1;
                    at * WORD + row
                })
            })
        })
    }
}

/// Tokens by their numbers, chunk by chunk.
#[derive(Debug, Clone, Default)]
pub(super) struct Set {
    chunks: Vec<Bits>,
    len: usize,
}

impl Set {
    /// Adds those of the next chunk.
    pub(super) fn push(&mut self, rows: &Bits) {
        self.len += rows.count();
        self.chunks.push(rows.clone());
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn has(&self, number: u32) -> bool {
        let (chunk, row) = place(number);
        self.chunks.get(chunk).is_some_and(|rows| rows.has(row))
    }

    /// Their numbers, from the lowest.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let chunks = self.chunks.iter().enumerate();
        chunks.flat_map(|(at, rows)| rows.iter().map(move |row| number(at, row)))
    }
}
