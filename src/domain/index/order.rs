//! Tokens in an order: their numbers one after the other. Of those with the same key it is known
//! that they are, so that the order can be walked backwards with ties as they were. Follows
//! changes by one walk. Called by the index alone.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, binary_heap::PeekMut},
};

use super::{chunks::Chunks, piece::Piece};
use crate::domain::Column;

/// Numbers that are sorted at once.
const PIECE: usize = 1 << 17;
/// Marks a number whose key is that of the one before.
const TIED: u32 = 1 << 31;

/// The numbers of all tokens in an order.
#[derive(Debug, Clone, Default)]
pub(super) struct Order(Vec<u32>);

/// The number of the token that an entry stands for.
pub(super) fn number(entry: u32) -> u32 {
    entry & !TIED
}

/// Whether its key is that of the entry before it.
pub(super) fn is_tied(entry: u32) -> bool {
    entry & TIED != 0
}

/// The first bytes of a text, in an order that is the text's as far as they go.
pub(super) fn head<const WORDS: usize>(text: &str) -> [u64; WORDS] {
    let mut bytes = [[0; 8]; WORDS];
    for (to, from) in bytes.as_flattened_mut().iter_mut().zip(text.bytes()) {
        *to = from;
    }
    bytes.map(u64::from_be_bytes)
}

/// Puts `numbers` in order by their keys; those with the same key stay as they stand. In pieces
/// beside which their keys are laid, then merged: a tenth of the memory that all at once would
/// take, which an allocator does not always give back. False as soon as `wanted` says that nobody
/// waits any more.
pub(super) fn sort<K: Ord>(
    numbers: &mut Vec<u32>,
    key: impl Fn(u32) -> K,
    wanted: impl Fn() -> bool,
) -> bool {
    let mut items = Vec::new();
    for piece in numbers.chunks_mut(PIECE) {
        items.clear();
        items.extend(piece.iter().map(|number| (key(*number), *number)));
        items.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (place, (_, number)) in piece.iter_mut().zip(&items) {
            *place = *number;
        }
        if !wanted() {
            return false;
        }
    }
    drop(items);
    if numbers.len() > PIECE {
        *numbers = merged(numbers.chunks(PIECE), key);
    }
    wanted()
}

/// What is in order piece by piece, in order. Of the same keys those of the first piece go first.
fn merged<'n, K: Ord>(
    pieces: impl ExactSizeIterator<Item = &'n [u32]>,
    key: impl Fn(u32) -> K,
) -> Vec<u32> {
    let mut rest: Vec<_> = pieces.map(|piece| piece.iter().copied()).collect();
    let mut merged = Vec::with_capacity(rest.iter().map(ExactSizeIterator::len).sum());
    let firsts = rest.iter_mut().enumerate();
    let mut heads: BinaryHeap<_> = firsts
        .filter_map(|(piece, rest)| rest.next().map(|number| Reverse((key(number), piece, number))))
        .collect();
    while let Some(mut head) = heads.peek_mut() {
        let Reverse((_, piece, number)) = *head;
        merged.push(number);
        match rest.get_mut(piece).and_then(Iterator::next) {
            Some(next) => *head = Reverse((key(next), piece, next)),
            None => drop(PeekMut::pop(head)),
        }
    }
    merged
}

impl Order {
    /// The order in which `numbers` stand, of which two that are `alike` have the same key.
    pub(super) fn of(mut numbers: Vec<u32>, alike: impl Fn(u32, u32) -> bool) -> Self {
        let mut before = None;
        for entry in &mut numbers {
            let number = *entry;
            if before.is_some_and(|before| alike(before, number)) {
                *entry |= TIED;
            }
            before = Some(number);
        }
        Self(numbers)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn push(&mut self, number: u32) {
        self.0.push(number);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied().map(number)
    }

    /// It in pieces that are met one after the other on the way from the first key to the last, or
    /// from the last to the first; those with the same key as they stand.
    pub(super) fn pieces(&self, backwards: bool) -> Vec<Piece<'_>> {
        if backwards { Piece::backwards(&self.0) } else { Piece::forwards(&self.0) }
    }

    /// The number for which `compare` says that it is equal, in this order.
    pub(super) fn find(&self, compare: impl Fn(u32) -> Ordering) -> Option<u32> {
        let at = self.0.binary_search_by(|entry| compare(number(*entry))).ok()?;
        self.0.get(at).copied().map(number)
    }

    /// Takes `moved` out, in order of their numbers, and those that are there in again, at
    /// their places by `column`, else by id.
    pub(super) fn settle(&mut self, moved: &[u32], chunks: &Chunks, column: Option<Column>) {
        self.take_out(moved);
        let compare = |one: u32, other: u32| match column {
            None => chunks.id(one).cmp(&chunks.id(other)),
            Some(column) => chunks
                .key(column, one)
                .cmp(&chunks.key(column, other))
                .then_with(|| chunks.by_name(one, other)),
        };
        let there = moved.iter().copied().filter(|number| chunks.is_there(*number));
        let mut seats: Vec<(usize, u32)> = there
            .map(|new| (self.0.partition_point(|old| compare(number(*old), new).is_lt()), new))
            .collect();
        seats.sort_unstable_by(|(a, one), (b, other)| a.cmp(b).then_with(|| compare(*one, *other)));
        self.take_in(&seats);
        let Some(column) = column else {
            return;
        };
        // Only beside a new one it is not known yet who is tied to whom.
        for (before, (seat, _)) in seats.iter().enumerate() {
            for at in [seat + before, seat + before + 1] {
                let pair = at.checked_sub(1).and_then(|before| self.0.get(before..=at));
                let Some(&[one, other]) = pair else { continue };
                let key = |entry: u32| chunks.key(column, number(entry));
                let tied = key(one) == key(other);
                if let Some(entry) = self.0.get_mut(at) {
                    *entry = if tied { other | TIED } else { number(other) };
                }
            }
        }
    }

    fn take_out(&mut self, moved: &[u32]) {
        let last = moved.last().copied().unwrap_or_default();
        let mut is_out = vec![false; usize::try_from(last).unwrap_or(0) + 1];
        for number in moved {
            if let Some(out) = usize::try_from(*number).ok().and_then(|at| is_out.get_mut(at)) {
                *out = true;
            }
        }
        // Who was tied to one that goes is tied to the one before, unless that was the first.
        let mut first_is_out = false;
        self.0.retain_mut(|entry| {
            let at = usize::try_from(number(*entry)).unwrap_or(usize::MAX);
            if is_out.get(at).copied().unwrap_or(false) {
                first_is_out |= !is_tied(*entry);
                return false;
            }
            if first_is_out {
                *entry = number(*entry);
            }
            first_is_out = false;
            true
        });
    }

    /// Puts each of `seats` before what stands at its place now.
    fn take_in(&mut self, seats: &[(usize, u32)]) {
        let mut end = self.0.len();
        if self.0.capacity() < end + seats.len() {
            // Not twice as much, which is what it would take of itself.
            self.0.reserve_exact(seats.len() + end / 64);
        }
        self.0.resize(end + seats.len(), 0);
        for (before, (seat, number)) in seats.iter().enumerate().rev() {
            // As many as stand before it come beside those that were there.
            self.0.copy_within(*seat..end, seat + before + 1);
            if let Some(place) = self.0.get_mut(seat + before) {
                *place = *number;
            }
            end = *seat;
        }
    }
}
