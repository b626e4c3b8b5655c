//! A store that is moved away at any write of a regenerate, with an older copy or nothing in its
//! place until the command ends. Whoever puts the newer store back has a secret that works: the old one, or the new one in
//! the file, which the command must not remove.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use patdeck::{service::Clock, store::Store, testing::ServiceTestExt as _};

use crate::{
    subject::{memory_folder, new_token, run, service_on, write_store},
    tracer::{TracedProcess, can_trace},
};

const OPTIONS: [&[&str]; 2] = [&[], &["--overlap", "1h"]];

/// Writes a store with the token `ci` and an older copy of it to `folder`. Returns its path and the
/// secret.
fn write_stores(folder: &Path) -> (PathBuf, String) {
    let path = folder.join("store.redb");
    let service = service_on(Store::open(&path).unwrap(), Clock::System);
    let secret = service.create(&new_token("ci")).unwrap().secret.reveal().to_owned();
    drop(service);
    fs::copy(&path, folder.join("older.redb")).unwrap();
    run("edit", &path, &["edit", "ci", "--description", "later"], "");
    (path, secret)
}

fn is_allowed(case: &str, store: &Path, secret: &str) -> bool {
    run(case, store, &["verify"], secret).status.code() == Some(0)
}

/// Runs one case, with an older copy in the place of the store if `is_replaced`. Returns whether the command
/// has a write number `write`.
fn move_away(options: &[&str], is_replaced: bool, write: usize) -> bool {
    let case = format!("{options:?}, {is_replaced}, write {write}");
    let folder = memory_folder();
    let (store, secret) = write_stores(folder.path());
    let arguments = ["regenerate", "ci", "--yes", "--secret-file", "new.token"];
    let arguments = [&arguments, options].concat();
    let mut process = TracedProcess::start(&store, &arguments, Stdio::null()).unwrap();
    if !process.run_until_write(write) {
        return false;
    }
    let aside = folder.path().join("aside.redb");
    fs::rename(&store, &aside).unwrap();
    if is_replaced {
        write_store(&store, &fs::read(folder.path().join("older.redb")).unwrap());
    }
    process.run_until(usize::MAX);
    let exit = process.exit_code();
    let new = || fs::read_to_string(folder.path().join("new.token")).unwrap_or_default();
    if exit == Some(0) && is_replaced && is_allowed(&case, &store, new().trim()) {
        // It opened the older copy.
        return true;
    }
    fs::rename(&aside, &store).unwrap();
    let is_old_allowed = is_allowed(&case, &store, &secret);
    let is_new_allowed = is_allowed(&case, &store, new().trim());
    assert!(is_old_allowed || is_new_allowed, "{case}: exit {exit:?}: no secret works");
    if exit == Some(0) {
        assert!(is_new_allowed, "{case}");
    } else if exit != Some(5) {
        assert!(is_old_allowed && !is_new_allowed, "{case}: exit {exit:?}");
    }
    true
}

#[test]
fn a_store_moved_away_during_a_regenerate_loses_no_secret() {
    if !can_trace() {
        return;
    }
    for options in OPTIONS {
        for is_replaced in [true, false] {
            let writes = (1..1_000).take_while(|write| move_away(options, is_replaced, *write));
            assert!(writes.count() > 5);
        }
    }
}
