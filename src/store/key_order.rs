//! Detects a scan that leaves its range or whose keys do not ascend. redb follows page references
//! without checking what they refer to, so a swapped or duplicated page would repeat rows, in the
//! worst case without end. Called by every scan of `tables` and `backup`.

use std::ops::{Bound, RangeBounds};

use redb::{Key, StorageError};

/// The range in which the next key of a scan must be. It shrinks with each key.
pub(super) struct KeyOrder {
    lower: Bound<Vec<u8>>,
    upper: Bound<Vec<u8>>,
    backwards: bool,
}

impl KeyOrder {
    /// The order of a scan of `range` in key order, or in reverse order.
    pub(super) fn new<'a, K: Key + 'static>(
        range: &impl RangeBounds<K::SelfType<'a>>,
        backwards: bool,
    ) -> Self {
        let encode = |key: &K::SelfType<'a>| K::as_bytes(key).as_ref().to_vec();
        let (lower, upper) = (range.start_bound().map(encode), range.end_bound().map(encode));
        Self { lower, upper, backwards }
    }

    /// Checks the next `key` of the scan.
    pub(super) fn check<K: Key>(&mut self, key: &[u8]) -> Result<(), StorageError> {
        let is_above = match &self.lower {
            Bound::Included(lower) => K::compare(key, lower).is_ge(),
            Bound::Excluded(lower) => K::compare(key, lower).is_gt(),
            Bound::Unbounded => true,
        };
        let is_below = match &self.upper {
            Bound::Included(upper) => K::compare(key, upper).is_le(),
            Bound::Excluded(upper) => K::compare(key, upper).is_lt(),
            Bound::Unbounded => true,
        };
        if !is_above || !is_below {
            return Err(StorageError::Corrupted("the keys of a table are out of order".to_owned()));
        }
        let passed = if self.backwards { &mut self.upper } else { &mut self.lower };
        match passed {
            Bound::Excluded(last) => {
                last.clear();
                last.extend_from_slice(key);
            }
            bound => *bound = Bound::Excluded(key.to_vec()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(range: impl RangeBounds<u64>, backwards: bool, keys: &[u64]) -> bool {
        let mut order = KeyOrder::new::<u64>(&range, backwards);
        keys.iter().all(|key| order.check::<u64>(&key.to_le_bytes()).is_ok())
    }

    #[test]
    fn only_ascending_keys_of_the_range_are_accepted() {
        assert!(accepts(.., false, &[1, 2, 300]));
        assert!(accepts(.., true, &[300, 2, 1]));
        assert!(accepts(2..=3, false, &[2, 3]));
        for (backwards, keys) in
            [(false, [1, 1]), (false, [300, 2]), (true, [1, 1]), (true, [2, 300])]
        {
            assert!(!accepts(.., backwards, &keys), "{keys:?}");
        }
        assert!(!accepts(2.., false, &[1]));
        assert!(!accepts(..2, false, &[1, 2]));
        assert!(!accepts(..=300, true, &[301]));
    }
}
