//! A program that stays open must not make the file grow: it keeps a handle, never a
//! transaction. `PATDECK_COMMITS` makes that many commits beside one that looks all the time.

use std::fs;

use patdeck::store::ReadOps;

use crate::{Place, add, at, token, write};

const TOKENS: usize = 200;

#[test]
fn beside_an_open_program_commits_by_others_leave_the_file_small() {
    let place = Place::in_memory();
    let (open, other) = (place.store(), place.store());
    for n in 0..TOKENS {
        add(&other, n).unwrap();
    }
    let asked = std::env::var("PATDECK_COMMITS").ok();
    let commits: usize = asked.map_or(300, |text| text.parse().unwrap());
    for n in 0..commits {
        let mut changed = token(n % TOKENS);
        changed.revoked = (n / TOKENS).is_multiple_of(2).then(|| at(1));
        write(&other, |rows| rows.put_token(&changed)).unwrap();
        // As the app does: what changed, the list, and the trail now and then.
        open.read(|rows| rows.changes_after(0)).unwrap();
        if n % 50 == 0 {
            assert_eq!(open.read(ReadOps::tokens).unwrap().rows.len(), TOKENS);
            open.read(ReadOps::verify_chain).unwrap();
        }
    }
    let grown = fs::metadata(place.path()).unwrap().len();
    // A copy is as small as the same rows can be.
    let copy = place.folder.path().join("copy.redb");
    open.backup(&copy).unwrap();
    let mut db = redb::Database::open(&copy).unwrap();
    db.compact().unwrap();
    drop(db);
    let small = fs::metadata(&copy).unwrap().len();
    println!("{grown} bytes after {commits} commits, {small} when compacted");
    assert!(grown <= 2 * small + (4 << 20), "{grown} of {small}");
}
