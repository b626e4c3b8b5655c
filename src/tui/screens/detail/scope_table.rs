//! The scopes of a token as rows: a table with a column for each operation, or one row for each
//! scope if the operator chose this form or the table does not fit. Maps the cursor to a scope and
//! explains the selected cell. Draws nothing; called by the detail screen.

use crate::{
    domain::{
        CellState, Entity, Operation, PendingScopes, Scope, ScopeCatalogue, ScopeMatrix,
        ScopeTarget, compare_scopes, describe_scopes::describe_scope,
    },
    tui::widgets::canvas::width,
};

/// Maximum width of the column of entity types.
pub(super) const MAX_TYPE_WIDTH: u16 = 12;

/// How the scopes of a token are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum TableForm {
    /// A row for each entity, a column for each operation.
    #[default]
    Matrix,
    /// A row for each scope.
    List,
}

/// The rows of the scope section.
#[derive(Debug)]
pub(super) struct ScopeTable {
    pub matrix: ScopeMatrix,
    /// The rows of the form `List` with their states. Empty in the form `Matrix`.
    pub listed: Vec<(Scope, CellState)>,
    pub form: TableForm,
}

/// The widths of a matrix, in columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MatrixWidths {
    /// Number of letters of a heading. A shorter word is shown whole.
    letters: u16,
    /// The room for type, entity and domain.
    pub labels: u16,
}

impl MatrixWidths {
    /// The widest headings that leave `wanted` columns of `room` for the labels. If there are none,
    /// the widest that fit at all, or `None` if a matrix does not fit.
    pub fn fitting(operations: &[Operation], room: u16, wanted: u16) -> Option<Self> {
        // Full words, three letters, two letters: each with the minimum width of the labels.
        let fitting = |(letters, min_labels): (u16, u16)| {
            let cells = Self { letters, labels: 0 };
            let wide = operations.iter().map(|operation| cells.cell(operation)).sum();
            let labels = room.checked_sub(wide)?;
            (labels >= min_labels).then_some(Self { letters, labels })
        };
        let sizes = [(u16::MAX, 28), (3, 20), (2, 16)];
        let uncut = sizes.into_iter().filter_map(fitting).find(|widths| widths.labels >= wanted);
        uncut.or_else(|| sizes.into_iter().find_map(fitting))
    }

    /// Whether some headings are cut.
    pub fn is_cut(&self) -> bool {
        self.letters < u16::MAX
    }

    /// The heading of a column.
    pub fn heading<'a>(&self, operation: &'a Operation) -> &'a str {
        let word = operation.as_str();
        word.get(..usize::from(self.letters)).unwrap_or(word)
    }

    /// The width of a cell with the space before it.
    pub fn cell(&self, operation: &Operation) -> u16 {
        width(self.heading(operation)).max(2) + 1
    }
}

impl ScopeTable {
    /// The width of the longest labels with the domain behind the entity: `clients  c-7@factory`.
    pub fn label_width(&self) -> u16 {
        let rows = &self.matrix.rows;
        let domain = |row: &ScopeTarget| row.domain.as_ref().map_or(0, |it| 1 + width(it.as_str()));
        let types = rows.iter().map(|row| width(row.entity_type.as_str()));
        let names = rows.iter().map(|row| width(row.entity.as_str()).saturating_add(domain(row)));
        let types = types.max().unwrap_or(0).min(MAX_TYPE_WIDTH);
        types.saturating_add(2).saturating_add(names.max().unwrap_or(0))
    }

    /// The table of the scopes `held` by a token, with the changes `pending`.
    pub fn new(
        held: &[Scope],
        pending: &PendingScopes,
        catalogue: &ScopeCatalogue,
        form: TableForm,
    ) -> Self {
        let matrix = ScopeMatrix::new(held, pending, catalogue);
        let mut listed = Vec::new();
        if form == TableForm::List {
            let removed = pending.removed(held);
            let state = |scope: &Scope| {
                if removed.contains(scope) { CellState::Removed } else { CellState::Granted }
            };
            let added = pending.added(held).into_iter().map(|scope| (scope, CellState::Added));
            listed.extend(held.iter().map(|scope| (scope.clone(), state(scope))).chain(added));
            listed.sort_by(|(one, _), (other, _)| compare_scopes(one, other));
        }
        Self { matrix, listed, form }
    }

    pub fn row_count(&self) -> usize {
        match self.form {
            TableForm::Matrix => self.matrix.rows.len(),
            TableForm::List => self.listed.len(),
        }
    }

    pub fn column_count(&self) -> usize {
        match self.form {
            TableForm::Matrix => self.matrix.operations.len(),
            TableForm::List => 1,
        }
    }

    /// The selected column of `row`: `chosen`, or the first cell with a scope of the token if the
    /// operator has chosen none.
    pub fn column(&self, row: usize, chosen: Option<usize>) -> usize {
        let last = self.column_count().saturating_sub(1);
        let is_held = |column: &usize| {
            matches!(self.state(row, *column), CellState::Granted | CellState::Removed)
        };
        chosen.or_else(|| (0..=last).find(is_held)).unwrap_or(0).min(last)
    }

    pub fn state(&self, row: usize, column: usize) -> CellState {
        match self.form {
            TableForm::Matrix => self.matrix.cell(row, column),
            TableForm::List => {
                self.listed.get(row).map_or(CellState::Unavailable, |(_, state)| *state)
            }
        }
    }

    /// Whether a row of the matrix has a scope in `column`, or a pending change.
    pub fn has_scope(&self, column: usize) -> bool {
        (0..self.matrix.rows.len()).any(|row| {
            let state = self.matrix.cell(row, column);
            !matches!(state, CellState::Unavailable | CellState::Offered)
        })
    }

    pub fn scope(&self, row: usize, column: usize) -> Option<Scope> {
        match self.form {
            TableForm::Matrix => self.matrix.scope(row, column),
            TableForm::List => Some(self.listed.get(row)?.0.clone()),
        }
    }

    /// The scopes of the row, whether the token has them or not. In the form `List`, the only one.
    pub fn row_scopes(&self, row: usize) -> Vec<Scope> {
        (0..self.column_count()).filter_map(|column| self.scope(row, column)).collect()
    }

    /// The scopes of the column, from the first row to the last. In the form `List`, none.
    pub fn column_scopes(&self, column: usize) -> Vec<Scope> {
        match self.form {
            TableForm::Matrix => {
                (0..self.row_count()).filter_map(|row| self.scope(row, column)).collect()
            }
            TableForm::List => Vec::new(),
        }
    }

    /// The scopes to remove with the cursor on this cell: its scope if it is granted, else all
    /// scopes of `held` in the row.
    pub fn removable(&self, (row, column): (usize, usize), held: &[Scope]) -> Vec<Scope> {
        match self.scope(row, column) {
            Some(scope) if held.contains(&scope) => vec![scope],
            Some(scope) => {
                let target = ScopeTarget::of(&scope);
                held.iter().filter(|scope| ScopeTarget::of(scope) == target).cloned().collect()
            }
            None => Vec::new(),
        }
    }

    /// The row that contains `scope`, or the first row.
    pub fn row_of(&self, scope: &Scope) -> usize {
        let row = match self.form {
            TableForm::Matrix => {
                let target = ScopeTarget::of(scope);
                self.matrix.rows.iter().position(|row| *row == target)
            }
            TableForm::List => {
                let target = ScopeTarget::of(scope);
                let exact = self.listed.iter().position(|(listed, _)| listed == scope);
                let same_target =
                    |(listed, _): &(Scope, CellState)| ScopeTarget::of(listed) == target;
                exact.or_else(|| self.listed.iter().position(same_target))
            }
        };
        row.unwrap_or(0)
    }

    /// A sentence about the selected cell.
    pub fn explanation(&self, row: usize, column: usize) -> Option<String> {
        let scope = self.scope(row, column)?;
        let text = describe_scope(&scope);
        let later = match scope.entity {
            Entity::Any => format!("; also covers {} created later", scope.entity_type),
            Entity::Id(_) => String::new(),
        };
        Some(match self.state(row, column) {
            CellState::Granted => format!("May {text}{later}."),
            CellState::Implied => format!("May {text}, because a wider scope covers it."),
            // The token may have the operation for some entities.
            CellState::Offered if scope.entity == Entity::Any => format!("No scope to {text}."),
            CellState::Offered => format!("May not {text}."),
            CellState::Added => format!("Will be allowed to {text}{later}."),
            CellState::Removed => format!("Will no longer be allowed to {text}."),
            CellState::Unavailable => {
                format!("{} does not exist for {}.", scope.operation, scope.entity_type)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(texts: &[&str], form: TableForm) -> ScopeTable {
        let held: Vec<Scope> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let pending = PendingScopes::default();
        ScopeTable::new(&held, &pending, &ScopeCatalogue::default(), form)
    }

    #[test]
    fn headings_get_shorter_in_a_narrow_area() {
        let table = table(&["channels:*:publish"], TableForm::Matrix);
        let operations = &table.matrix.operations;
        let headings = |room| {
            let widths = MatrixWidths::fitting(operations, room, 0)?;
            let words: Vec<_> = operations.iter().map(|it| widths.heading(it)).collect();
            Some((words.join(" "), widths.labels))
        };
        let three = "cre rea lis upd del sha uns pub sub".to_owned();
        assert_eq!(headings(78), Some((three, 42)));
        assert_eq!(headings(50), Some(("cr re li up de sh un pu su".to_owned(), 23)));
        assert_eq!(headings(38), None);
        let (full, _) = headings(100).unwrap();
        assert_eq!(full, "create read list update delete share unshare publish subscribe");
        let labels = |wanted| MatrixWidths::fitting(operations, 56, wanted).unwrap().labels;
        assert_eq!([labels(20), labels(24), labels(99)], [20, 29, 20], "room for the names first");
    }

    #[test]
    fn the_selected_cell_is_explained() {
        let scopes = ["channels:*:publish", "channels:c-42:subscribe@factory", "users:u:read"];
        let table = table(&scopes, TableForm::Matrix);
        let text = |row, column| table.explanation(row, column).unwrap();
        assert_eq!(text(0, 7), "May publish to all channels; also covers channels created later.");
        assert_eq!(text(1, 8), "May subscribe to c-42 (channels) in domain factory.");
        assert_eq!(
            text(1, 7),
            "May publish to c-42 (channels) in domain factory, because a wider scope covers it."
        );
        assert_eq!(text(0, 1), "No scope to read all channels.");
        assert_eq!(text(2, 7), "publish does not exist for users.");
    }

    #[test]
    fn without_a_choice_the_first_granted_cell_is_selected() {
        let table = table(&["channels:*:publish", "channels:c-1:read"], TableForm::Matrix);
        assert_eq!((table.column(0, None), table.column(1, None)), (7, 1));
        assert_eq!((table.column(1, Some(3)), table.column(1, Some(30))), (3, 8));
    }
}
