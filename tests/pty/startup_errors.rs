//! Startup errors: unusable terminal, faulty config, or a store that cannot be opened. Each prints
//! an error and a hint, sets the exit code, and changes neither the terminal nor the file.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use chrono::TimeDelta;
use redb::{Database, TableDefinition};
use sha2::{Digest as _, Sha256};

use super::home::{Home, SIZE};
use super::support::Pty;

#[test]
fn a_failed_start_prints_an_error_and_changes_nothing() {
    let home = Home::new();
    let refused = |env: &[(&str, &str)], code| exit_message(home.launch(SIZE, env), code);
    assert_eq!(
        refused(&[("TERM", "dumb")], 2),
        "error: TERM is `dumb`, with which the app cannot run; set TERM, for example \
         TERM=xterm-256color, or use a subcommand such as `patdeck list`"
    );
    assert!(!home.store().exists(), "no store is created before the terminal check");

    let settings = home.path().join("settings.toml");
    let named = settings.to_str().unwrap();
    fs::write(&settings, "theme = \"mono\"\nthemes = \"mono\"\n").unwrap();
    assert_eq!(
        refused(&[("PATDECK_CONFIG", named)], 2),
        format!("error: {named}:2: unknown setting `themes`: did you mean `theme`?")
    );
    assert!(!home.store().exists());

    home.seed("edge gateway", "", "30d", TimeDelta::zero());
    let store = home.store();
    let shown = store.display();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o644)).unwrap();
    let sentence = format!(
        "error: {shown} is accessible to other users (mode 0644)\nhint: run `chmod 600 {shown}`"
    );
    assert_eq!(refused(&[], 4), sentence);
    // Following the hint fixes the problem.
    fs::set_permissions(&store, fs::Permissions::from_mode(0o600)).unwrap();
    let mut pty = home.start(SIZE, &[]);
    pty.wait_for("edge gateway");
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);

    raise_schema(&store);
    let before = fs::read(&store).unwrap();
    let sentence = "error: the store has format 7, but this patdeck supports only formats up to 2\n\
                    hint: update patdeck; the file was not changed";
    assert_eq!(refused(&[], 4), sentence);
    assert_eq!(fs::read(&store).unwrap(), before);

    fs::write(&store, "shopping list\n").unwrap();
    let sentence = format!(
        "error: {shown} is not a patdeck store\nhint: use another path; the file was not changed"
    );
    assert_eq!(refused(&[], 4), sentence);
    assert_eq!(fs::read(&store).unwrap(), b"shopping list\n");

    let flag = ["--store", "/dev/null"].map(OsString::from);
    let refused = exit_message(home.launch_with(&flag, SIZE, &[]), 4);
    assert_eq!(refused, "error: /dev/null is not a regular file\nhint: use another path");
}

/// Waits until the program exits with `code` and returns its output: an error and at most one hint,
/// without escape sequences.
fn exit_message(mut pty: Pty, code: u32) -> String {
    assert_eq!(pty.wait_exit(), code, "{}", pty.screen());
    pty.assert_restored();
    let output = String::from_utf8(pty.raw()).unwrap().replace("\r\n", "\n");
    let message = output.strip_suffix('\n').unwrap_or(&output);
    assert!(message.lines().count() <= 2 && !message.contains('\x1b'), "{output:?}");
    message.to_owned()
}

/// Sets the schema of the store to 7, as a later patdeck would. The bytes are spelt out, because
/// every later version must keep this format: record version, schema, then a checksum over the
/// table, the key and both numbers.
fn raise_schema(path: &Path) {
    let (table, key, body) = ("meta-1", b"schema", [1, 7]);
    let mut hasher = Sha256::new();
    for part in [table.as_bytes(), key] {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.update(body);
    let sum = hasher.finalize();
    let value = [&body[..], &sum[..8]].concat();
    let database = Database::builder().open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(table);
    let mut rows = transaction.open_table(meta).unwrap();
    rows.insert(&key[..], value.as_slice()).unwrap();
    drop(rows);
    transaction.commit().unwrap();
}
