//! The schema number and the numbered steps from one to the next. A store that a later patdeck
//! wrote is refused and left as it is; an older file is kept beside the new one (see `file_db`). A
//! new schema adds a step at the end of [`STEPS`], raises
//! nothing else, and adds tables of new names where the bytes of a record change.

use redb::WriteTransaction;

use super::{
    codec::decode,
    error::StoreError,
    record::SchemaV1,
    tables::{AccessMode, RecordTable, Tables},
};

/// What leads from one schema to the next, in the transaction it is given.
pub(super) type Step = fn(&WriteTransaction) -> Result<(), StoreError>;

/// The step at place `n` leads from schema `n + 1` to `n + 2`. None yet: schema 1 is the first.
pub(super) const STEPS: &[Step] = &[];

/// Under which word the table `meta-1` holds the number.
pub(super) const SCHEMA: &[u8] = b"schema";

/// The schema that these steps lead to.
pub(super) fn known(steps: &[Step]) -> u32 {
    u32::try_from(steps.len()).map_or(u32::MAX, |n| n.saturating_add(1))
}

/// The schema number of the store; `None` for a table without one. Refuses a later one.
pub(super) fn schema<A: AccessMode>(
    meta: &RecordTable<&'static [u8], A>,
) -> Result<Option<u32>, StoreError> {
    let Some(SchemaV1(found)) = meta.get(SCHEMA, decode::<SchemaV1>)? else {
        return Ok(None);
    };
    let known = known(STEPS);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    Ok(Some(found))
}

/// Does the steps that a store of schema `found` lacks and notes the new number, all in one
/// transaction: killed half-way, the store has the schema it had. Says how many it did.
pub(super) fn run(
    transaction: &WriteTransaction,
    found: u32,
    steps: &[Step],
) -> Result<usize, StoreError> {
    let done = usize::try_from(found.saturating_sub(1)).unwrap_or(usize::MAX);
    let missing = steps.get(done..).unwrap_or_default();
    for step in missing {
        step(transaction)?;
    }
    if !missing.is_empty() {
        let mut tables = Tables::open_to_write(transaction).map_err(StoreError::from)?;
        tables.meta.put(SCHEMA, &SchemaV1(known(steps)))?;
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

    fn fail(_: &WriteTransaction) -> Result<(), StoreError> {
        Err(StoreError::Full)
    }

    fn old() -> Database {
        let db = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        write(&db, |transaction| {
            let mut tables = Tables::open_to_write(transaction)?;
            tables.meta.put(SCHEMA, &SchemaV1(1))
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
    fn a_fresh_store_needs_no_step() {
        let db = old();
        assert_eq!(write(&db, |t| run(t, 1, STEPS)), Ok(0));
        assert_eq!(state(&db), (Ok(Some(1)), 8));
    }

    #[test]
    fn the_missing_steps_are_done_once_and_the_number_follows() {
        let db = old();
        assert_eq!(write(&db, |t| run(t, 1, &[add_a_table])), Ok(1));
        let newer = StoreError::Newer { found: 2, known: 1 };
        assert_eq!(state(&db), (Err(newer), 9));
        assert_eq!(write(&db, |t| run(t, 2, &[add_a_table])), Ok(0));
    }

    #[test]
    fn a_step_that_fails_leaves_the_store_as_it_was() {
        let db = old();
        let steps: &[Step] = &[add_a_table, fail];
        assert_eq!(write(&db, |t| run(t, 1, steps)), Err(StoreError::Full));
        assert_eq!(state(&db), (Ok(Some(1)), 8));
    }
}
