//! Names are compared in their folded form: every encoding and case of a name is the same name. A name
//! that deceives a reader gives a warning.

use std::os::unix::fs::PermissionsExt as _;

use redb::ReadableTable as _;
use sha2::{Digest as _, Sha256};

use crate::{Home, home_with_store, issue, run, run_with_input, support::Pty};

/// `café` with one character for the last letter, and with a combining accent.
const COMPOSED: &str = "caf\u{e9}";
const DECOMPOSED: &str = "cafe\u{301}";
/// Two tokens of the store of version 0.1.0.
const ACTIVE: &[u8; 12] = b"U8m3qJYC3R7t";
const NO_SCOPES: &[u8; 12] = b"v0aICe3RE9I0";

#[test]
fn both_forms_of_a_name_are_one_name() {
    let home = home_with_store();
    issue(&home, &[COMPOSED]);
    for taken in [DECOMPOSED, "CAF\u{c9}", "\u{ff43}af\u{e9}"] {
        let refused = run(&home, &["create", taken]);
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.err.contains("is already named"), "{refused:?}");
    }
    issue(&home, &["stra\u{df}e"]);
    assert_eq!(run(&home, &["create", "STRASSE"]).code, 3);
    assert_eq!(run(&home, &["list", "--json"]).objects().len(), 2);
}

#[test]
fn a_token_is_found_by_either_form_of_its_name() {
    let home = home_with_store();
    issue(&home, &[DECOMPOSED]);
    for form in [COMPOSED, DECOMPOSED, "Caf\u{c9}"] {
        assert_eq!(run(&home, &["show", form, "--json"]).objects()[0]["token"]["name"], DECOMPOSED);
        let found = run(&home, &["list", "--search", &format!("name:{form}"), "--json"]);
        assert_eq!(found.objects().len(), 1, "{form}");
    }
    run(&home, &["delete", COMPOSED, "--yes"]).success();
    run(&home, &["restore", COMPOSED]).success();
}

#[test]
fn a_name_is_confirmed_in_either_form() {
    let home = Home::new();
    issue(&home, &[COMPOSED]);
    let mut pty = home.launch_with(&["revoke".into(), COMPOSED.into()], crate::home::SIZE, &[]);
    Pty::wait_for(&mut pty, "Type its name or id to confirm:");
    pty.type_text(DECOMPOSED);
    pty.keys("<Enter>");
    assert_eq!(pty.wait_exit(), 0, "{}", pty.screen());
}

#[test]
fn an_imported_name_conflicts_in_either_form() {
    let (from, to) = (home_with_store(), home_with_store());
    issue(&from, &[COMPOSED]);
    issue(&to, &[DECOMPOSED]);
    let export = run(&from, &["export"]).success();
    let refused = run_with_input(&to, &["import", "-"], &export);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.err.contains("already has this name"), "{refused:?}");
    assert_eq!(run(&to, &["list", "--json"]).objects().len(), 1);
}

#[test]
fn a_deceptive_name_gives_a_warning() {
    let home = home_with_store();
    let create = |name: &str| run(&home, &["create", name, "--scope", "channels:c-1:read"]);
    issue(&home, &["paypal"]);
    let made = create("p\u{430}ypal");
    assert_eq!(made.code, 0, "{made:?}");
    for text in ["mixes scripts", "looks like paypal, the name of another token"] {
        assert!(made.err.contains(text), "{made:?}");
    }
    let whole = create("\u{441}\u{43e}\u{441}\u{43e}");
    assert!(!whole.err.contains("warning: "), "{whole:?}");
    let ascii = create("coco");
    assert!(ascii.err.contains("warning: coco looks like \u{441}"), "{ascii:?}");
    let renamed = run(&home, &["edit", "coco", "--name", "\u{440}aypal"]);
    assert!(renamed.err.contains("mixes scripts"), "{renamed:?}");
    for usual in ["h\u{e9}llo", "\u{9375} prod", "ci-prod-1"] {
        let made = create(usual);
        assert!(!made.err.contains("warning: "), "{made:?}");
    }
}

/// Writes the store of version 0.1.0 with two names that differ only in their encoding.
fn write_store_with_clashing_names(path: &std::path::Path) {
    type Rows = redb::TableDefinition<'static, &'static [u8; 12], &'static [u8]>;
    const TOKENS: Rows = redb::TableDefinition::new("pats-1");
    let fixture =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/0.1.0.redb");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::copy(fixture, path).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let db = redb::Database::open(path).unwrap();
    let transaction = db.begin_write().unwrap();
    {
        let mut tokens = transaction.open_table(TOKENS).unwrap();
        for (id, name) in [(ACTIVE, COMPOSED), (NO_SCOPES, DECOMPOSED)] {
            let row = tokens.get(id).unwrap().unwrap().value().to_vec();
            // The version, the id, the name with its length, the other fields, then the checksum.
            let after = 14 + usize::from(row[13]);
            let length = u8::try_from(name.len()).unwrap();
            let rest = &row[after..row.len() - 8];
            let body = [&row[..13], &[length], name.as_bytes(), rest].concat();
            let checksum = checksum("pats-1", id, &body);
            tokens.insert(id, [&body[..], &checksum].concat().as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

fn checksum(table: &str, key: &[u8], body: &[u8]) -> [u8; 8] {
    let mut hash = Sha256::new();
    for part in [table.as_bytes(), key] {
        hash.update(u64::try_from(part.len()).unwrap().to_le_bytes());
        hash.update(part);
    }
    hash.update(body);
    hash.finalize()[..8].try_into().unwrap()
}

#[test]
fn names_that_clash_in_an_older_store_are_reported() {
    let home = Home::new();
    let path = home.path().join("old/store.redb");
    write_store_with_clashing_names(&path);
    let patdeck = |arguments: &[&str]| {
        run(&home, &[&["--store", path.to_str().unwrap()], arguments].concat())
    };
    let [one, other] = [ACTIVE, NO_SCOPES].map(|id| std::str::from_utf8(id).unwrap());
    let doctor = patdeck(&["doctor"]);
    let clash = format!("tokens {one} and {other} have the same name");
    assert!(doctor.out.contains(&clash), "{doctor:?}");
    assert!(!doctor.out.contains("inconsistent"), "{doctor:?}");
    let ambiguous = patdeck(&["revoke", COMPOSED, "--yes"]);
    assert!(ambiguous.err.contains(one) && ambiguous.err.contains(other), "{ambiguous:?}");
    for id in [one, other] {
        patdeck(&["revoke", id, "--yes"]).success();
    }
    patdeck(&["edit", other, "--name", "renamed-now"]).success();
    let doctor = patdeck(&["doctor"]);
    assert!(!doctor.out.contains("have the same name"), "{doctor:?}");
    assert!(!doctor.out.contains("inconsistent"), "{doctor:?}");
    assert_eq!(patdeck(&["show", DECOMPOSED, "--json"]).objects()[0]["token"]["id"], one);
}
