//! One bit for each row of a chunk: which were found, which are shown. Called by the index alone.

/// Rows whose bits are held in one word.
const WORD: usize = 64;

/// A yes or no for each of [`Bits::LEN`] rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bits([u64; Self::LEN / WORD]);

impl Default for Bits {
    fn default() -> Self {
        Self([0; Self::LEN / WORD])
    }
}

impl FromIterator<bool> for Bits {
    fn from_iter<I: IntoIterator<Item = bool>>(rows: I) -> Self {
        let mut bits = Self::default();
        let mut rows = rows.into_iter();
        for word in &mut bits.0 {
            for (at, row) in (0..WORD).zip(&mut rows) {
                *word |= u64::from(row) << at;
            }
        }
        bits
    }
}

impl Bits {
    /// How many there are.
    pub(super) const LEN: usize = 4_096;

    pub(super) fn has(&self, row: usize) -> bool {
        self.0.get(row / WORD).is_some_and(|word| word >> (row % WORD) & 1 == 1)
    }

    pub(super) fn set(&mut self, row: usize) {
        if let Some(word) = self.0.get_mut(row / WORD) {
            *word |= 1 << (row % WORD);
        }
    }

    /// Those of both.
    pub(super) fn and(self, other: Self) -> Self {
        let mut both = self;
        for (word, other) in both.0.iter_mut().zip(other.0) {
            *word &= other;
        }
        both
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
