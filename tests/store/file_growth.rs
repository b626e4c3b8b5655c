//! A long-running process must not let the file grow: it keeps a handle open, but no transaction.
//! `PATDECK_COMMITS` sets the number of commits during which another handle reads.

use std::fs;

use patdeck::store::ReadOps;

use crate::{TempStore, add_token, at, token, write_to};

const TOKENS: usize = 200;

#[test]
fn an_open_process_does_not_let_the_file_grow() {
    let temp = TempStore::in_memory();
    let (open, other) = (temp.store(), temp.store());
    for n in 0..TOKENS {
        add_token(&other, n).unwrap();
    }
    let requested = std::env::var("PATDECK_COMMITS").ok();
    let commits: usize = requested.map_or(300, |text| text.parse().unwrap());
    for n in 0..commits {
        let mut changed = token(n % TOKENS);
        changed.revoked = (n / TOKENS).is_multiple_of(2).then(|| at(1));
        write_to(&other, |rows| rows.put_token(&changed)).unwrap();
        // Reads like the app: the changes, and sometimes the list and the audit trail.
        open.read(|rows| rows.changes_after(0)).unwrap();
        if n % 50 == 0 {
            assert_eq!(open.read(ReadOps::tokens).unwrap().rows.len(), TOKENS);
            open.read(ReadOps::verify_chain).unwrap();
        }
    }
    let grown = fs::metadata(temp.path()).unwrap().len();
    // A compacted copy has the minimum size for the same rows.
    let copy = temp.folder.path().join("copy.redb");
    open.backup(&copy).unwrap();
    let mut db = redb::Database::open(&copy).unwrap();
    db.compact().unwrap();
    drop(db);
    let small = fs::metadata(&copy).unwrap().len();
    println!("{grown} bytes after {commits} commits, {small} when compacted");
    assert!(grown <= 2 * small + (4 << 20), "{grown} of {small}");
}
