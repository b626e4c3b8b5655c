//! The orders that the list knows, one for each column that does not depend on the clock: they
//! take some seconds for a million tokens, so that they are worked out on a copy of the
//! index while it is used, and follow its changes from then on. Called by the roll.

use std::sync::Arc;

use super::{
    Chunks, Index,
    order::{Order, head, sort},
};
use crate::domain::Column;

/// An index as it once was, to be put in order elsewhere.
#[derive(Debug)]
pub struct Copied {
    of: Arc<()>,
    chunks: Chunks,
}

/// All tokens by name, and by every other column with those that are alike by name.
#[derive(Debug)]
pub struct Orders {
    of: Arc<()>,
    names: Order,
    descriptions: Order,
    scopes: Order,
    issued: Order,
    expires: Order,
    used: Order,
}

impl Orders {
    /// Those of this copy.
    pub fn of(copied: Copied) -> Self {
        let Copied { of, chunks } = copied;
        let names = by_name(&chunks);
        let descriptions = by_description(&chunks, &names);
        let by_number = |column| by_number(&chunks, &names, column);
        Self {
            of,
            scopes: by_number(Column::Scopes),
            issued: by_number(Column::Issued),
            expires: by_number(Column::Expires),
            used: by_number(Column::LastUsed),
            names,
            descriptions,
        }
    }

    /// Gives each of `moved` its place in every one of them.
    pub(super) fn settle(&mut self, moved: &[u32], chunks: &Chunks) {
        self.names.settle(moved, chunks, Some(Column::Name));
        self.descriptions.settle(moved, chunks, Some(Column::Description));
        self.scopes.settle(moved, chunks, Some(Column::Scopes));
        self.issued.settle(moved, chunks, Some(Column::Issued));
        self.expires.settle(moved, chunks, Some(Column::Expires));
        self.used.settle(moved, chunks, Some(Column::LastUsed));
    }

    /// The order of `column`; that of the names for the status, which is a matter of the clock.
    pub(super) fn by(&self, column: Column) -> &Order {
        match column {
            Column::Name | Column::Status => &self.names,
            Column::Scopes => &self.scopes,
            Column::Description => &self.descriptions,
            Column::Issued => &self.issued,
            Column::Expires => &self.expires,
            Column::LastUsed => &self.used,
        }
    }
}

/// A text, and its first bytes, by which most are told apart: they are at hand.
fn headed(text: &str) -> ([u64; 3], &str) {
    (head(text), text)
}

fn by_name(chunks: &Chunks) -> Order {
    let key = |number| (headed(chunks.name(number)), chunks.id(number));
    let numbers = sorted(chunks.numbers(), key);
    Order::of(numbers, |one, other| chunks.name(one) == chunks.name(other))
}

fn by_description(chunks: &Chunks, names: &Order) -> Order {
    let text = |number| chunks.description(number);
    let numbers = sorted(names.iter().collect(), |number| headed(text(number)));
    Order::of(numbers, |one, other| text(one) == text(other))
}

fn by_number(chunks: &Chunks, names: &Order, column: Column) -> Order {
    let key = |number| chunks.key(column, number);
    Order::of(sorted(names.iter().collect(), key), |one, other| key(one) == key(other))
}

fn sorted<K: Ord>(mut numbers: Vec<u32>, key: impl Fn(u32) -> K) -> Vec<u32> {
    sort(&mut numbers, key, || true);
    numbers
}

impl Index {
    /// Whether the orders are known.
    pub fn is_ordered(&self) -> bool {
        self.orders.is_some()
    }

    /// It as it is, to work out the orders elsewhere. What moves from now on is remembered
    /// until they come.
    pub fn copy(&mut self) -> Copied {
        let of = Arc::new(());
        self.copied = Some(Arc::clone(&of));
        self.since.clear();
        Copied { of, chunks: self.chunks.clone() }
    }

    /// Takes the orders that were worked out on its last copy, and has them follow what has
    /// moved since; false if they are of another one.
    pub fn order(&mut self, mut orders: Orders) -> bool {
        if !self.copied.as_ref().is_some_and(|copied| Arc::ptr_eq(copied, &orders.of)) {
            return false;
        }
        self.copied = None;
        let mut since = std::mem::take(&mut self.since);
        since.sort_unstable();
        since.dedup();
        orders.settle(&since, &self.chunks);
        self.orders = Some(orders);
        true
    }
}
