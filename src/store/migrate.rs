//! The schema number and the migration steps. Refuses a store with a newer schema and leaves it
//! unchanged. To add a schema, append a step to [`STEPS`]; if the encoding of a record changes, the
//! step adds a table with a new name. `file_db` copies the file before it calls this module.

use redb::WriteTransaction;

use super::{
    codec::decode,
    error::StoreError,
    migrate_v2,
    record::SchemaNumberV1,
    tables::{RecordTable, Tables, Transaction},
};

/// Migrates a store to the next schema within the given transaction.
pub(super) type MigrationStep = fn(&WriteTransaction) -> Result<(), StoreError>;

/// The step at index `n` migrates from schema `n + 1` to `n + 2`.
pub(super) const STEPS: &[MigrationStep] = &[migrate_v2::run];

/// The key of the schema number in the table `meta-1`.
pub(super) const SCHEMA: &[u8] = b"schema";

/// The schema number after all `steps`.
pub(super) fn latest_schema(steps: &[MigrationStep]) -> u32 {
    u32::try_from(steps.len()).map_or(u32::MAX, |n| n.saturating_add(1))
}

/// Returns the schema number of the store, or `None` if the table `meta-1` has no schema number.
/// Refuses a newer schema.
pub(super) fn schema<T: Transaction>(
    meta: &RecordTable<&'static [u8], T>,
) -> Result<Option<u32>, StoreError> {
    let Some(SchemaNumberV1(found)) = meta.get(SCHEMA, decode::<SchemaNumberV1>)? else {
        return Ok(None);
    };
    let supported = latest_schema(STEPS);
    if found > supported {
        return Err(StoreError::NewerFormat { found, supported });
    }
    Ok(Some(found))
}

/// Runs the steps that a store with schema `found` lacks, and writes the new schema number in the
/// same transaction. So an interrupted migration changes nothing. Returns the number of steps run.
pub(super) fn run(
    transaction: &WriteTransaction,
    found: u32,
    steps: &[MigrationStep],
) -> Result<usize, StoreError> {
    let done = usize::try_from(found.saturating_sub(1)).unwrap_or(usize::MAX);
    let missing = steps.get(done..).unwrap_or_default();
    for step in missing {
        step(transaction)?;
    }
    if !missing.is_empty() {
        let mut tables = Tables::open_to_write(transaction).map_err(StoreError::from)?;
        tables.meta.put(SCHEMA, &SchemaNumberV1(latest_schema(steps)))?;
    }
    Ok(missing.len())
}

#[cfg(test)]
mod tests {
    use redb::{Database, ReadableDatabase as _, backends::InMemoryBackend};

    use super::*;

    fn add_a_table(transaction: &WriteTransaction) -> Result<(), StoreError> {
        const NEW: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("new-1");
        transaction.open_table(NEW)?;
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the type of a step")]
    fn add_no_table(_: &WriteTransaction) -> Result<(), StoreError> {
        Ok(())
    }

    fn fail(_: &WriteTransaction) -> Result<(), StoreError> {
        Err(StoreError::Full)
    }

    fn store_of_schema_1() -> Database {
        let db = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        write(&db, |transaction| {
            let mut tables = Tables::open_to_write(transaction)?;
            tables.meta.put(SCHEMA, &SchemaNumberV1(1))
        })
        .unwrap();
        db
    }

    fn write<T>(
        db: &Database,
        work: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = db.begin_write().unwrap();
        let done = work(&transaction)?;
        transaction.commit().unwrap();
        Ok(done)
    }

    fn state(db: &Database) -> (Result<Option<u32>, StoreError>, usize) {
        let transaction = db.begin_read().unwrap();
        let count = transaction.list_tables().unwrap().count();
        (schema(&Tables::open(transaction).unwrap().meta), count)
    }

    #[test]
    fn a_new_store_needs_no_step() {
        let db = store_of_schema_1();
        let latest = latest_schema(STEPS);
        assert_eq!(write(&db, |t| run(t, latest, STEPS)), Ok(0));
        assert_eq!(state(&db), (Ok(Some(1)), 14));
    }

    #[test]
    fn missing_steps_run_once_and_raise_the_schema_number() {
        let db = store_of_schema_1();
        let steps: &[MigrationStep] = &[add_a_table, add_no_table, add_no_table];
        assert_eq!(write(&db, |t| run(t, 1, steps)), Ok(3));
        let newer = StoreError::NewerFormat { found: 4, supported: latest_schema(STEPS) };
        assert_eq!(state(&db), (Err(newer), 15));
        assert_eq!(write(&db, |t| run(t, 4, steps)), Ok(0));
    }

    #[test]
    fn a_failed_step_leaves_the_store_unchanged() {
        let db = store_of_schema_1();
        let steps: &[MigrationStep] = &[add_a_table, fail];
        assert_eq!(write(&db, |t| run(t, 1, steps)), Err(StoreError::Full));
        assert_eq!(state(&db), (Ok(Some(1)), 14));
    }
}
