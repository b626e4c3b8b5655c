//! Entries of an order that lie side by side, few enough to stay in a core's cache: what a walk
//! along the order does one after the other, or on several cores. Called by `walk`.

use std::iter;

use super::{
    bits::Set,
    order::{is_tied, number},
};

/// Entries of a piece, at most.
const MOST: usize = 1 << 13;

/// Entries, as they stand or from the greatest key to the least.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'o> {
    entries: &'o [u32],
    backwards: bool,
}

impl<'o> Piece<'o> {
    /// The pieces of `entries` from the first to the last.
    pub(super) fn forwards(entries: &'o [u32]) -> Vec<Self> {
        entries.chunks(MOST).map(|entries| Self { entries, backwards: false }).collect()
    }

    /// The pieces of `entries` from the last to the first. Those with the same key are in one of
    /// them; if they are too many for that, in some that stand as they do.
    pub(super) fn backwards(entries: &'o [u32]) -> Vec<Self> {
        let (mut all, mut left) = (Vec::new(), entries);
        while !left.is_empty() {
            let most = left.len().saturating_sub(MOST);
            let tied = left.iter().skip(most).take_while(|entry| is_tied(**entry)).count();
            let (before, entries) = left.split_at(left.len().min(most + tied));
            left = before;
            if entries.is_empty() {
                let (before, group) = left.split_at(last_group(left));
                all.extend(Self::forwards(group));
                left = before;
            } else {
                all.push(Self { entries, backwards: true });
            }
        }
        all
    }

    /// How many are in `set`; all, if there is none.
    pub(super) fn count(&self, set: Option<&Set>) -> usize {
        let has = |set: &Set| self.entries.iter().map(|it| usize::from(set.has(number(*it)))).sum();
        set.map_or(self.entries.len(), has)
    }

    /// Whether one is that of `wanted`. Looks at all of them, which is quicker than to ask after
    /// each whether it was.
    pub(super) fn has(&self, wanted: u32) -> bool {
        self.entries.iter().fold(false, |found, entry| found | (number(*entry) == wanted))
    }

    /// The tokens of those in `set`; of all, if there is none.
    pub(super) fn numbers(&self, set: Option<&Set>) -> Vec<u32> {
        let forwards = || self.entries.iter().map(|entry| number(*entry));
        match (set, self.backwards) {
            (None, false) => forwards().collect(),
            (None, true) => backwards(self.entries).collect(),
            (Some(set), false) => filtered(forwards(), set, self.entries.len()),
            (Some(set), true) => filtered(backwards(self.entries), set, self.entries.len()),
        }
    }
}

/// Where the last of those with the same key begin.
fn last_group(entries: &[u32]) -> usize {
    entries.iter().rposition(|entry| !is_tied(*entry)).unwrap_or(0)
}

/// From the last group of tied entries to the first; those of a group as they stand.
fn backwards(mut left: &[u32]) -> impl Iterator<Item = u32> {
    let groups = iter::from_fn(move || {
        let (before, group) = left.split_at(last_group(left));
        left = before;
        (!group.is_empty()).then_some(group)
    });
    groups.flatten().map(|entry| number(*entry))
}

/// Those of `numbers`, `most` at most, that are in `set`. Without branches: nobody can foretell
/// them.
fn filtered(numbers: impl Iterator<Item = u32>, set: &Set, most: usize) -> Vec<u32> {
    let mut those = vec![0; most + 1];
    let mut at = 0;
    for number in numbers {
        if let Some(place) = those.get_mut(at) {
            *place = number;
        }
        at += usize::from(set.has(number));
    }
    those.truncate(at);
    those
}

#[cfg(test)]
mod tests {
    use super::{super::order::Order, *};

    #[test]
    fn all_pieces_backwards_are_the_whole_backwards() {
        let most = u32::try_from(MOST).unwrap();
        // Groups of one, of some, and of more than a piece has, at every end.
        for lengths in [
            vec![],
            vec![1; 3 * MOST + 5],
            vec![3; 2 * MOST],
            vec![most],
            vec![most + 1],
            vec![3 * most + 7, 1, 1, 2 * most, 5],
            vec![1, most - 1, most, most + 1, 2, 4 * most],
        ] {
            let keys: Vec<u32> =
                (0..).zip(&lengths).flat_map(|(key, n)| vec![key; *n as usize]).collect();
            let key = |number: u32| keys[number as usize];
            let order = Order::of((0..).take(keys.len()).collect(), |a, b| key(a) == key(b));
            let met: Vec<u32> =
                order.pieces(true).iter().flat_map(|piece| piece.numbers(None)).collect();
            let mut wanted: Vec<u32> = order.iter().collect();
            wanted.sort_by_key(|number| std::cmp::Reverse(key(*number)));
            assert_eq!(met.len(), keys.len());
            assert!(met == wanted, "{:?}", &lengths[..lengths.len().min(6)]);
            assert!(order.pieces(true).iter().all(|piece| piece.count(None) <= MOST));
        }
    }
}
