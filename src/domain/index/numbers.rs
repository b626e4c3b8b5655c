//! Things that many tokens share, each kept once and known by a number: the sets of scopes and
//! the makers of tokens. A number is never given again. Called by the index alone.

use std::{collections::HashMap, hash::Hash};

/// Values by their numbers.
#[derive(Debug, Clone)]
pub(super) struct Numbers<T> {
    all: Vec<T>,
    number_of: HashMap<T, u32>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { all: Vec::new(), number_of: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Numbers<T> {
    /// The number of `value`, which is new or not.
    pub(super) fn of(&mut self, value: &T) -> u32 {
        if let Some(known) = self.number_of.get(value) {
            return *known;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(value.clone());
        self.number_of.insert(value.clone(), number);
        number
    }

    /// The value with this number.
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.all.get(usize::try_from(number).ok()?)
    }
}
