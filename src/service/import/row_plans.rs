//! The outcome of each row of an import with its conflicts, and the counts that a front end shows.
//! Called by `conflicts`, `prepared` and `batches`.

use std::collections::BTreeSet;

use super::conflicts::Conflict;
use crate::domain::labelled_enum::labels;

labels! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum RowOutcome, as_str {
        New => "new",
        Replaced => "replaced",
        Skipped => "skipped",
        Unchanged => "unchanged",
    }
}

impl RowOutcome {
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::New | Self::Replaced)
    }
}

/// The outcome of a row, and its conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPlan {
    pub outcome: RowOutcome,
    pub conflicts: Vec<Conflict>,
}

impl RowPlan {
    /// The action for a token that conflicts with nothing in the store.
    pub(super) const INSERT: Self = Self { outcome: RowOutcome::New, conflicts: Vec::new() };
}

/// The actions of all rows in the order of their lines. Memory use is one byte per row, plus the
/// conflicts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowPlans {
    outcomes: Vec<RowOutcome>,
    conflicts: Vec<(usize, Conflict)>,
    refused: usize,
}

impl RowPlans {
    pub fn iter(&self) -> impl Iterator<Item = RowPlan> {
        let mut conflicts = self.conflicts.iter().peekable();
        self.outcomes.iter().enumerate().map(move |(at, outcome)| {
            let mut action = RowPlan { outcome: *outcome, conflicts: Vec::new() };
            while let Some((_, conflict)) = conflicts.next_if(|(row, _)| *row == at) {
                action.conflicts.push(conflict.clone());
            }
            action
        })
    }

    pub fn count(&self, outcome: RowOutcome) -> usize {
        self.outcomes.iter().filter(|it| **it == outcome).count()
    }

    /// The number of replaced tokens that are allowed more than before.
    pub fn widened(&self) -> usize {
        let wider = self.conflicts.iter().filter(|(_, conflict)| conflict.widens_access());
        let rows: BTreeSet<usize> = wider.map(|(row, _)| *row).collect();
        let is_replaced = |row: &&usize| self.outcomes.get(**row) == Some(&RowOutcome::Replaced);
        rows.iter().filter(is_replaced).count()
    }

    /// The number of rows that a job skipped because a conflict arose after its start.
    pub fn refused(&self) -> usize {
        self.refused
    }

    pub(super) fn len(&self) -> usize {
        self.outcomes.len()
    }

    pub(super) fn add_refused(&mut self, count: usize) {
        self.refused = self.refused.saturating_add(count);
    }

    pub fn has_conflicts(&self) -> bool {
        !self.conflicts.is_empty()
    }
}

impl Extend<RowPlan> for RowPlans {
    fn extend<I: IntoIterator<Item = RowPlan>>(&mut self, actions: I) {
        for action in actions {
            let at = self.outcomes.len();
            self.outcomes.push(action.outcome);
            self.conflicts.extend(action.conflicts.into_iter().map(|conflict| (at, conflict)));
        }
    }
}
