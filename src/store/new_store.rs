//! Creates the file of a new store: an empty redb database, then the first records. The caller puts
//! the file in place under its final name. Called by `file_db`, and by the copies of a store.

use std::{fs::File, time::SystemTime};

use redb::{Database, DatabaseError};

use super::{
    error::{IoOperation, StoreError},
    file_db::{begin_write, open_backend},
    lock_timeout_backend::InnerBackend,
    migrate,
    panic_guard::catch_redb_panic,
    read_ops::STORE_INFO,
    record::{SchemaNumberV1, StoreInfoV1},
    recorded_time::reset_newest_use,
    register,
    tables::Tables,
};
use crate::domain::time_range::from_system_time;

/// Creates a store in an empty file.
pub(super) fn create_store(file: File) -> Result<(), StoreError> {
    catch_redb_panic(|| {
        let db = create_db(file)?;
        init_schema(&db)?;
        close_checked(db)
    })?
}

/// Creates a database without tables in an empty file.
pub(super) fn create_db(file: File) -> Result<Database, StoreError> {
    InnerBackend::new(file).and_then(open_backend).map_err(|error| match error {
        DatabaseError::Storage(error) => error.into(),
        other => StoreError::failed(IoOperation::Create, other),
    })
}

/// Closes a new database. Its file is complete only if this succeeds.
pub(super) fn close_checked(db: Database) -> Result<(), StoreError> {
    db.close().map_err(|error| StoreError::failed(IoOperation::Close, error))
}

/// Writes the first records of a new store: its schema, id and creation time.
pub(super) fn init_schema(db: &Database) -> Result<(), StoreError> {
    let id = register::random_bytes()?;
    let created = from_system_time(SystemTime::now()).into();
    let transaction = begin_write(db)?;
    let mut tables = Tables::open_to_write(&transaction)?;
    let schema = SchemaNumberV1(migrate::latest_schema(migrate::STEPS));
    tables.meta.put(migrate::SCHEMA, &schema)?;
    tables.meta.put(STORE_INFO, &StoreInfoV1 { id, created })?;
    reset_newest_use(&mut tables)?;
    register::assign_id(&mut tables)?;
    drop(tables);
    Ok(transaction.commit()?)
}
