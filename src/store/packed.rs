//! Many small values side by side in one piece of memory, each with its key: what is about to be
//! put into a table or to become a row of one, and rows that were copied out. Called by `bulk`,
//! `chain` and `stretch`.

use super::error::StoreError;

/// Values in the order in which they were added.
#[derive(Debug)]
pub(super) struct Packed<K> {
    bytes: Vec<u8>,
    /// The key of each of them, and where it ends.
    each: Vec<(K, usize)>,
}

impl<K> Default for Packed<K> {
    fn default() -> Self {
        Self { bytes: Vec::new(), each: Vec::new() }
    }
}

impl<K: Copy> Packed<K> {
    /// Has room for this many values, and for this many bytes of them.
    pub(super) fn with_room(values: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), each: Vec::with_capacity(values) }
    }

    /// Adds the value that `write` writes behind the others. An error adds nothing.
    pub(super) fn add(
        &mut self,
        key: K,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), StoreError>,
    ) -> Result<&[u8], StoreError> {
        let start = self.bytes.len();
        if let Err(error) = write(&mut self.bytes) {
            self.bytes.truncate(start);
            return Err(error);
        }
        self.each.push((key, self.bytes.len()));
        Ok(self.bytes.get(start..).unwrap_or_default())
    }

    pub(super) fn len(&self) -> usize {
        self.each.len()
    }

    /// Each value with its key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &[u8])> {
        let mut start = 0;
        self.each.iter().map(move |(key, end)| {
            let value = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            (*key, value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were_added() {
        let mut packed = Packed::default();
        for (key, value) in [(1, "one"), (2, ""), (3, "three")] {
            let added = packed.add(key, |bytes| {
                bytes.extend_from_slice(value.as_bytes());
                Ok(())
            });
            assert_eq!(added, Ok(value.as_bytes()));
        }
        let failed = packed.add(4, |bytes| {
            bytes.push(7);
            Err(StoreError::Full)
        });
        assert_eq!(failed, Err(StoreError::Full));
        let all: Vec<_> = packed.iter().collect();
        assert_eq!(all, [(1, &b"one"[..]), (2, b""), (3, b"three")]);
    }
}
