//! Where the program does not start in a terminal that could show it: one sentence, an exit
//! code, a terminal that was never touched, and a file left as it is.

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
fn what_cannot_be_opened_gets_one_sentence_and_is_left_as_it_is() {
    let home = Home::new();
    let refused = |env: &[(&str, &str)], code| ended(home.launch(SIZE, env), code);
    assert_eq!(
        refused(&[("TERM", "dumb")], 2),
        "patdeck: TERM is `dumb`, which cannot show the app; set it, for example \
         TERM=xterm-256color, or use a subcommand such as `patdeck list`"
    );
    assert!(!home.store().exists(), "nothing is made before it can be shown");

    let settings = home.path().join("settings.toml");
    let named = settings.to_str().unwrap();
    fs::write(&settings, "theme = \"mono\"\nthemes = \"mono\"\n").unwrap();
    assert_eq!(
        refused(&[("PATDECK_CONFIG", named)], 2),
        format!("patdeck: {named}:2: there is no setting `themes`: did you mean `theme`?")
    );
    assert!(!home.store().exists());

    home.seed("edge gateway", "", "30d", TimeDelta::zero());
    let store = home.store();
    let shown = store.display();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o644)).unwrap();
    let sentence =
        format!("patdeck: {shown} is open to others (mode 0644): run `chmod 600 {shown}`");
    assert_eq!(refused(&[], 4), sentence);
    // The advice in the sentence is all it takes.
    fs::set_permissions(&store, fs::Permissions::from_mode(0o600)).unwrap();
    let mut pty = home.start(SIZE, &[]);
    pty.wait_for("edge gateway");
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);

    raise_schema(&store);
    let before = fs::read(&store).unwrap();
    let sentence = "patdeck: the store has format 7 and this patdeck knows 1: update patdeck, \
                    the file was left as it is";
    assert_eq!(refused(&[], 4), sentence);
    assert_eq!(fs::read(&store).unwrap(), before);

    fs::write(&store, "shopping list\n").unwrap();
    let sentence = format!(
        "patdeck: {shown} is not a patdeck store: it was left as it is, move it away or name \
         another path"
    );
    assert_eq!(refused(&[], 4), sentence);
    assert_eq!(fs::read(&store).unwrap(), b"shopping list\n");

    let flag = ["--store", "/dev/null"].map(OsString::from);
    let refused = ended(home.launch_with(&flag, SIZE, &[]), 4);
    assert_eq!(refused, "patdeck: /dev/null is not a regular file: name another path");
}

/// What the program said before it ended with `code`: one line, and not a single escape.
fn ended(mut pty: Pty, code: u32) -> String {
    assert_eq!(pty.wait_exit(), code, "{}", pty.screen());
    pty.assert_restored();
    let said = String::from_utf8(pty.raw()).unwrap();
    let line = said.strip_suffix("\r\n").unwrap_or(&said);
    assert!(!line.contains(['\n', '\x1b']), "{said:?}");
    line.to_owned()
}

/// Makes the store one that a later patdeck wrote. Spells the stored bytes out, for this is what
/// every later patdeck must keep: version, number, then the sum over table, key and both.
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
