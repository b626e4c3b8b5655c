//! The scopes of a token as a table: a row for each entity type, entity and domain, a column for
//! each operation. Decides no access. Called by the detail screen.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use super::{
    catalogue::ScopeCatalogue,
    pending_scopes::PendingScopes,
    scope::{Domain, Entity, EntityType, Operation, Scope},
};

/// The object of a scope: everything except the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeTarget {
    pub entity_type: EntityType,
    pub entity: Entity,
    pub domain: Option<Domain>,
}

impl ScopeTarget {
    /// The object of `scope`.
    pub fn of(scope: &Scope) -> Self {
        Self {
            entity_type: scope.entity_type,
            entity: scope.entity.clone(),
            domain: scope.domain.clone(),
        }
    }

    /// The scope that allows `operation` on this object.
    pub fn scope(&self, operation: Operation) -> Scope {
        let Self { entity_type, entity, domain } = self.clone();
        Scope { entity_type, entity, operation, domain }
    }
}

/// Compares two objects by type, then `*` before ids, then ids with numbers by value (`c-2` before
/// `c-11`), then by domain.
fn compare_targets(one: &ScopeTarget, other: &ScopeTarget) -> Ordering {
    let is_id = |target: &ScopeTarget| target.entity != Entity::Any;
    one.entity_type
        .cmp(&other.entity_type)
        .then_with(|| is_id(one).cmp(&is_id(other)))
        .then_with(|| compare_numeric(one.entity.as_str(), other.entity.as_str()))
        .then_with(|| one.domain.cmp(&other.domain))
}

/// Compares two scopes by their objects, as in the table, then by operation.
pub fn compare_scopes(one: &Scope, other: &Scope) -> Ordering {
    compare_targets(&ScopeTarget::of(one), &ScopeTarget::of(other))
        .then_with(|| one.operation.cmp(&other.operation))
}

/// Compares two texts and takes runs of digits as numbers: `c-2` is before `c-11`.
pub fn compare_numeric(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one, other);
    loop {
        let (left_run, right_run) = (first_run(left), first_run(right));
        let order = match (is_number(left_run), is_number(right_run)) {
            (true, true) => compare_numbers(left_run, right_run),
            _ => left_run.cmp(right_run),
        };
        if order != Ordering::Equal || left_run.is_empty() {
            // Numbers that differ only in leading zeros are equal until here.
            return order.then_with(|| one.cmp(other));
        }
        left = left.strip_prefix(left_run).unwrap_or_default();
        right = right.strip_prefix(right_run).unwrap_or_default();
    }
}

fn is_number(run: &str) -> bool {
    run.starts_with(|c: char| c.is_ascii_digit())
}

/// The digits or the other characters with which `text` starts.
fn first_run(text: &str) -> &str {
    let is_digit = is_number(text);
    let end = text.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

fn compare_numbers(one: &str, other: &str) -> Ordering {
    let digits = |run: &'_ str| run.trim_start_matches('0').len();
    let value = |run| (digits(run), str::trim_start_matches(run, '0'));
    value(one).cmp(&value(other))
}

/// What a cell of the table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellState {
    /// The catalogue does not offer the operation for the entity type.
    Unavailable,
    /// Offered, but not granted.
    Offered,
    Granted,
    /// Granted by another scope: on `*`, or in any domain.
    Implied,
    /// Not granted yet; a pending change adds it.
    Added,
    /// Granted until a pending change removes it.
    Removed,
}

/// The rows and columns for the scopes of one token, with the state of each cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeMatrix {
    /// The columns, in the order of the catalogue.
    pub operations: Vec<Operation>,
    /// The rows; those of one type are together.
    pub rows: Vec<ScopeTarget>,
    cells: Vec<Vec<CellState>>,
}

impl ScopeMatrix {
    /// The table of the scopes `held` with the changes `pending`. It has the columns that the
    /// catalogue offers for the types of the scopes, and one for each operation that only they have.
    pub fn new(held: &[Scope], pending: &PendingScopes, catalogue: &ScopeCatalogue) -> Self {
        let chosen = pending.chosen(held);
        let scopes: BTreeSet<&Scope> = held.iter().chain(&chosen).collect();
        let mut rows: Vec<ScopeTarget> = scopes.iter().map(|it| ScopeTarget::of(it)).collect();
        rows.sort_by(compare_targets);
        rows.dedup();
        let mut operations: Vec<Operation> = Vec::new();
        let types: BTreeSet<EntityType> = rows.iter().map(|row| row.entity_type).collect();
        let offered = catalogue.entity_types.iter().filter(|it| types.contains(&it.entity_type));
        // The type with the most operations gives the order of the columns.
        let mut offered: Vec<_> = offered.map(|entry| entry.operations.as_slice()).collect();
        offered.sort_by_key(|operations| std::cmp::Reverse(operations.len()));
        let granted = scopes.iter().map(|scope| scope.operation);
        for operation in offered.into_iter().flatten().copied().chain(granted) {
            if !operations.contains(&operation) {
                operations.push(operation);
            }
        }
        let held: HashSet<&Scope> = held.iter().collect();
        let state = |row: &ScopeTarget, operation: Operation| {
            cell_state(&row.scope(operation), (&held, &chosen), catalogue)
        };
        let cells = rows.iter().map(|row| operations.iter().map(|op| state(row, *op)).collect());
        Self { cells: cells.collect(), operations, rows }
    }

    /// The state of a cell; `Unavailable` outside the table.
    pub fn cell(&self, row: usize, column: usize) -> CellState {
        let cell = self.cells.get(row).and_then(|cells| cells.get(column));
        cell.copied().unwrap_or(CellState::Unavailable)
    }

    /// The scope that a cell stands for.
    pub fn scope(&self, row: usize, column: usize) -> Option<Scope> {
        Some(self.rows.get(row)?.scope(*self.operations.get(column)?))
    }
}

/// The state of the cell for `scope`. `held` contains the scopes that the token has, `chosen` those
/// that it has after the pending changes.
fn cell_state(
    scope: &Scope,
    (held, chosen): (&HashSet<&Scope>, &BTreeSet<Scope>),
    catalogue: &ScopeCatalogue,
) -> CellState {
    let is_covered = || chosen.iter().any(|it| it != scope && it.covers(scope));
    match (held.contains(scope), chosen.contains(scope)) {
        (true, true) => return CellState::Granted,
        (true, false) => return CellState::Removed,
        (false, true) if !is_covered() => return CellState::Added,
        (false, _) => {}
    }
    let entry = catalogue.entry(&scope.entity_type);
    if wider_scopes(scope).iter().any(|wider| chosen.contains(wider)) {
        CellState::Implied
    } else if entry.is_some_and(|entry| entry.operations.contains(&scope.operation)) {
        CellState::Offered
    } else {
        CellState::Unavailable
    }
}

/// The scopes that allow everything that `scope` allows: on `*`, in any domain, or both.
fn wider_scopes(scope: &Scope) -> [Scope; 3] {
    let any_entity = Scope { entity: Entity::Any, ..scope.clone() };
    let any_domain = Scope { domain: None, ..scope.clone() };
    let both = Scope { domain: None, ..any_entity.clone() };
    [any_entity, any_domain, both]
}

/// The entities of one type in one domain.
type EntityGroup<'a> = (EntityType, Option<Domain>, Vec<&'a Entity>);

/// Describes each operation in one sentence, with the entities merged: `may publish to channels c-0
/// to c-9, c-12`. The sentences are in the order of the operations.
pub fn describe_by_operation(scopes: &[Scope]) -> Vec<String> {
    let objects = objects_by_operation(scopes).into_iter();
    objects.map(|(operation, objects)| format!("may {}", clause(&[operation], &objects))).collect()
}

/// Describes all scopes in one sentence, with the entities and the operations merged: `may publish
/// and subscribe to channels c-1, c-2; read all clients`. Empty without scopes.
pub fn describe_merged(scopes: &[Scope]) -> String {
    let mut clauses: Vec<(String, Vec<Operation>)> = Vec::new();
    for (operation, objects) in objects_by_operation(scopes) {
        match clauses.iter_mut().find(|(other, _)| *other == objects) {
            Some((_, operations)) => operations.push(operation),
            None => clauses.push((objects, vec![operation])),
        }
    }
    let clauses = clauses.iter().map(|(objects, operations)| clause(operations, objects));
    match clauses.collect::<Vec<_>>().join("; ") {
        empty if empty.is_empty() => empty,
        text => format!("may {text}"),
    }
}

/// `publish and subscribe to channels c-1, c-2`.
fn clause(operations: &[Operation], objects: &str) -> String {
    let words: Vec<_> = operations.iter().map(Operation::as_str).collect();
    let preposition = super::describe_scopes::preposition(&words);
    let words = match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    };
    format!("{words}{preposition} {objects}")
}

/// The objects of each operation, with the entities merged: `channels c-0 to c-9, c-12`.
fn objects_by_operation(scopes: &[Scope]) -> BTreeMap<Operation, String> {
    let mut sorted: Vec<&Scope> = scopes.iter().collect();
    sorted.sort_by(|one, other| compare_scopes(one, other));
    let mut objects: BTreeMap<Operation, Vec<EntityGroup<'_>>> = BTreeMap::new();
    for scope in sorted {
        let groups = objects.entry(scope.operation).or_default();
        let group = groups
            .iter_mut()
            .find(|(kind, domain, _)| *kind == scope.entity_type && *domain == scope.domain);
        match group {
            Some((.., entities)) => entities.push(&scope.entity),
            None => groups.push((scope.entity_type, scope.domain.clone(), vec![&scope.entity])),
        }
    }
    let describe = |(kind, domain, entities): &EntityGroup<'_>| {
        let domain = domain.as_ref().map_or_else(String::new, |it| format!(" in domain {it}"));
        format!("{}{domain}", describe_entities(*kind, entities))
    };
    let describe_all =
        |groups: Vec<EntityGroup<'_>>| groups.iter().map(describe).collect::<Vec<_>>().join("; ");
    objects.into_iter().map(|(operation, groups)| (operation, describe_all(groups))).collect()
}

/// `all channels`, or `channels c-0 to c-9, c-12`. `entities` are sorted.
fn describe_entities(entity_type: EntityType, entities: &[&Entity]) -> String {
    let mut ids: &[&Entity] = entities;
    let mut texts = Vec::new();
    if let Some((Entity::Any, others)) = entities.split_first() {
        texts.push(format!("all {entity_type}"));
        ids = others;
    }
    let mut runs = Vec::new();
    while !ids.is_empty() {
        let is_consecutive = |pair: &[&Entity]| match pair {
            [one, next] => is_next(one.as_str(), next.as_str()),
            _ => false,
        };
        let count = ids.windows(2).take_while(|pair| is_consecutive(pair)).count() + 1;
        let (run, others) = ids.split_at(count.min(ids.len()));
        match run {
            [first, _, .., last] => runs.push(format!("{first} to {last}")),
            few => runs.extend(few.iter().map(ToString::to_string)),
        }
        ids = others;
    }
    if !runs.is_empty() {
        texts.push(format!("{entity_type} {}", runs.join(", ")));
    }
    texts.join(", ")
}

/// Whether both end in a number without leading zeros after the same text, and the number of `next`
/// is one more.
fn is_next(one: &str, next: &str) -> bool {
    let split = |text: &str| {
        let end = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (words, digits) = text.split_at_checked(end)?;
        let number: u64 = digits.parse().ok()?;
        (number.to_string() == digits).then(|| (words.to_owned(), number))
    };
    match (split(one), split(next)) {
        (Some((words, number)), Some((others, following))) => {
            words == others && number.checked_add(1) == Some(following)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scopes(texts: &[&str]) -> Vec<Scope> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn matrix(texts: &[&str]) -> ScopeMatrix {
        pending_matrix(texts, &[])
    }

    fn pending_matrix(texts: &[&str], toggled: &[&str]) -> ScopeMatrix {
        let (held, catalogue) = (scopes(texts), ScopeCatalogue::default());
        let mut pending = PendingScopes::default();
        for scope in scopes(toggled) {
            pending.toggle(scope, &held, &catalogue).unwrap();
        }
        ScopeMatrix::new(&held, &pending, &catalogue)
    }

    fn row_text(matrix: &ScopeMatrix, row: usize) -> String {
        let glyph = |column| match matrix.cell(row, column) {
            CellState::Unavailable => ' ',
            CellState::Offered => '.',
            CellState::Granted => 'x',
            CellState::Implied => '*',
            CellState::Added => '+',
            CellState::Removed => '-',
        };
        (0..matrix.operations.len()).map(glyph).collect()
    }

    #[test]
    fn rows_are_sorted_by_type_and_number() {
        let ids = ["channels:c-11:read", "clients:*:read", "channels:c-2:read", "channels:*:list"];
        let matrix = matrix(&ids);
        let rows: Vec<_> = matrix.rows.iter().map(|row| row.entity.to_string()).collect();
        assert_eq!(rows, ["*", "c-2", "c-11", "*"]);
    }

    #[test]
    fn cells_show_offers_and_grants() {
        let held = ["channels:*:publish", "channels:c-42:subscribe", "clients:*:read@factory"];
        let matrix = matrix(&held);
        assert_eq!(matrix.operations.len(), 9);
        assert_eq!(row_text(&matrix, 0), ".......x.");
        assert_eq!(row_text(&matrix, 1), ".......*x");
        assert_eq!(row_text(&matrix, 2), ".x.....  ");
    }

    #[test]
    fn cells_show_pending_changes_and_what_they_imply() {
        let held = ["channels:*:publish", "channels:c-1:read"];
        let toggled = ["channels:*:publish", "channels:c-1:publish", "channels:c-1:read"];
        let matrix = pending_matrix(&held, &toggled);
        assert_eq!(row_text(&matrix, 0), ".......-.");
        assert_eq!(row_text(&matrix, 1), ".-.....+.");
        let matrix = pending_matrix(&held, &["channels:*:list"]);
        assert_eq!(row_text(&matrix, 1), ".x*....*.");
    }

    #[test]
    fn only_operations_of_the_shown_types_have_columns() {
        let matrix = matrix(&["messages:*:publish"]);
        let columns: Vec<_> = matrix.operations.iter().map(Operation::as_str).collect();
        assert_eq!(columns, ["publish", "subscribe"]);
        assert_eq!(matrix.scope(0, 1).unwrap().to_string(), "messages:*:subscribe");
        assert_eq!(matrix.scope(0, 2), None);
    }

    #[test]
    fn a_scope_in_any_domain_implies_one_in_a_domain() {
        let held = ["channels:c-1:read", "channels:c-1:list@d1"];
        let matrix = matrix(&held);
        assert_eq!(row_text(&matrix, 0), ".x.......");
        assert_eq!(row_text(&matrix, 1), ".*x......");
    }

    #[test]
    fn sentences_merge_consecutive_entities() {
        let held = scopes(&[
            "channels:*:publish",
            "channels:c-0:subscribe",
            "channels:c-1:subscribe",
            "channels:c-2:subscribe",
            "channels:c-10:subscribe",
            "channels:c-11:subscribe",
            "channels:c-03:subscribe",
            "clients:*:read@factory",
            "clients:k:read",
        ]);
        assert_eq!(
            describe_by_operation(&held),
            [
                "may publish to all channels",
                "may read all clients in domain factory; clients k",
                "may subscribe to channels c-0 to c-2, c-03, c-10, c-11",
            ]
        );
        assert_eq!(describe_by_operation(&[]), Vec::<String>::new());
    }

    #[test]
    fn operations_on_the_same_objects_share_a_clause() {
        let both =
            |id: &str| [format!("channels:{id}:publish"), format!("channels:{id}:subscribe")];
        let texts = [both("c-1"), both("c-2"), ["users:*:read".into(), "users:*:list".into()]];
        let held: Vec<Scope> = texts.iter().flatten().map(|text| text.parse().unwrap()).collect();
        let text = "may list and read all users; publish and subscribe to channels c-1, c-2";
        assert_eq!(describe_merged(&held), text);
        assert_eq!(describe_merged(&[]), "");
    }

    proptest! {
        #[test]
        fn numeric_order_is_a_total_order(texts in prop::array::uniform3("[a0-2é-]{0,6}")) {
            let [one, two, three] = texts.each_ref().map(String::as_str);
            prop_assert_eq!(compare_numeric(one, two), compare_numeric(two, one).reverse());
            prop_assert_eq!(compare_numeric(one, two) == Ordering::Equal, one == two);
            if compare_numeric(one, two).is_le() && compare_numeric(two, three).is_le() {
                prop_assert!(compare_numeric(one, three).is_le());
            }
        }
    }
}
