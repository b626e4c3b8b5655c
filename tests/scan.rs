//! `scan` on the real binary and real files: what it finds and tells, what it never tells, what
//! it leaves out, and what it revokes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Output,
};

use assert_cmd::Command;
use tempfile::TempDir;

/// A home with a store, and a folder to search.
struct Place {
    home: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { home: tempfile::tempdir().unwrap() };
        fs::create_dir(place.folder()).unwrap();
        place
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("searched")
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn patdeck(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patdeck"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATDECK_STORE", self.home.path().join("store.redb"))
            .current_dir(self.folder())
            .args(arguments);
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.patdeck(arguments).output().unwrap()
    }

    /// What succeeds prints on standard output.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        text(&output.stdout)
    }

    fn create(&self, name: &str) -> String {
        self.ok(&["create", name]).trim().to_owned()
    }

    /// Exit code, data, and the rest.
    fn scan(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut all = vec!["scan"];
        all.extend(arguments);
        let output = self.output(&all);
        let code = output.status.code().unwrap();
        (code, text(&output.stdout), text(&output.stderr))
    }

    fn works(&self, secret: &str) -> bool {
        let mut verify = self.patdeck(&["verify"]);
        let output = verify.write_stdin(secret).output().unwrap();
        output.status.success()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn public(secret: &str) -> String {
    format!("{}_…", secret.rsplit_once('_').unwrap().0)
}

#[test]
fn each_secret_is_told_with_its_place_and_standing_and_never_whole() {
    let place = Place::new();
    let active = place.create("active");
    let revoked = place.create("revoked");
    place.ok(&["revoke", "revoked", "--yes"]);
    let deleted = place.create("deleted");
    place.ok(&["delete", "deleted", "--yes"]);
    let replaced = place.create("replaced");
    place.ok(&["regenerate", "replaced", "--yes"]);
    let stranger = Place::new().create("elsewhere");
    let mut spoiled = active.clone();
    spoiled.pop();
    place.write("a.env", format!("x\nTOKEN={active}\nBAD={spoiled}\n"));
    place.write("b.txt", format!("{revoked}\n{deleted} {replaced}\n\n{stranger}"));
    let (code, out, err) = place.scan(&["."]);
    let mut lines: Vec<_> = out.lines().collect();
    lines.sort_unstable();
    let line = |path: &str, secret: &str, rest: &str| format!("{path} {}  {rest}", public(secret));
    let expected = [
        line("./a.env:2:", &active, "active    active"),
        line("./b.txt:1:", &revoked, "revoked   revoked"),
        line("./b.txt:2:", &deleted, "deleted   deleted"),
        line("./b.txt:2:", &replaced, "replaced  replaced"),
        line("./b.txt:4:", &stranger, "unknown"),
    ];
    let mut expected: Vec<_> = expected.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert_eq!(code, 1, "one of them works");
    assert!(err.contains("secrets found: 5, active tokens: 1\n"), "{err}");
    for secret in [&active, &revoked, &deleted, &replaced, &stranger] {
        let hidden = secret.rsplit_once('_').unwrap().1;
        assert!(!out.contains(hidden) && !err.contains(hidden));
    }
}

#[test]
fn nothing_active_is_exit_0() {
    let place = Place::new();
    place.write("a", "nothing here");
    let (code, out, err) = place.scan(&["."]);
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(
        err,
        "patdeck: files searched: 1, not searched: 0, secrets found: 0, active tokens: 0\n"
    );
    place.write("b", Place::new().create("elsewhere"));
    assert_eq!(place.scan(&["."]).0, 0);
}

#[test]
fn expired_is_told_apart() {
    let place = Place::new();
    let secret = place.create("short");
    let line = place.ok(&["export"]);
    let line = line.lines().nth(1).unwrap();
    let expires = line.split("\"expires\":\"").nth(1).unwrap();
    let expires = expires.split('"').next().unwrap();
    let other = Place::new();
    let past = line.replace(expires, "2020-01-01T00:00:00Z");
    let header = "{\"kind\":\"patdeck export\",\"schema\":1,\"store\":\"\
                  00000000000000000000000000000000\",\"exported\":\"\",\"tokens\":1}";
    let mut import = other.patdeck(&["import", "-"]);
    import.write_stdin(format!("{header}\n{past}\n")).assert().success();
    other.write("a", secret);
    let (code, out, _) = other.scan(&["a"]);
    assert!(out.ends_with("expired   short\n"), "{out}");
    assert_eq!(code, 0);
}

#[test]
fn revoking_ends_what_works_once_and_nothing_else() {
    let place = Place::new();
    let (one, two) = (place.create("one"), place.create("two"));
    let old = place.create("rotated");
    let new = place.ok(&["regenerate", "rotated", "--yes"]);
    place.write("a", format!("{one}\n{one}\n{old}"));
    let refused = place.scan(&[".", "--revoke"]);
    assert_eq!(
        (refused.0, refused.2.as_str()),
        (
            2,
            "patdeck: --revoke needs --yes here, where nobody can be asked: nothing was searched\n"
        )
    );
    assert!(place.works(&one));
    let (code, out, err) = place.scan(&[".", "--revoke", "--yes"]);
    assert_eq!((code, out.lines().count()), (0, 3));
    assert!(err.ends_with("active tokens: 1\npatdeck: one is revoked\n"), "{err}");
    assert!(!place.works(&one) && place.works(&two) && place.works(new.trim()));
    let trail = place.ok(&["audit", "--token", "one"]);
    assert_eq!(trail.matches("its secret was found by a scan").count(), 1);
    assert_eq!(place.scan(&[".", "--revoke", "--yes"]).0, 0);
}

#[test]
fn the_old_secret_of_a_rotation_counts_while_it_works() {
    let place = Place::new();
    let old = place.create("ci");
    let new = place.ok(&["regenerate", "ci", "--overlap", "1h"]);
    place.write("a", &old);
    assert_eq!(place.scan(&["a"]).0, 1);
    assert_eq!(place.scan(&["a", "--revoke", "--yes"]).0, 0);
    assert!(!place.works(&old) && !place.works(new.trim()));
}

#[test]
fn ignore_rules_hidden_files_and_links() {
    let place = Place::new();
    let secret = place.create("ci");
    for name in [".env", "build/out", "kept", ".config/x"] {
        place.write(name, &secret);
    }
    place.write(".ignore", "build/\n");
    std::os::unix::fs::symlink("kept", place.folder().join("link")).unwrap();
    let files = |arguments: &[&str]| {
        let (_, out, _) = place.scan(arguments);
        let files = out.lines().map(|line| line.split(':').next().unwrap().to_owned());
        let mut files: Vec<_> = files.collect();
        files.sort_unstable();
        files
    };
    assert_eq!(files(&["."]), ["./.config/x", "./.env", "./kept"]);
    assert_eq!(files(&[".", "--skip-hidden"]), ["./kept"]);
    let all = ["./.config/x", "./.env", "./build/out", "./kept"];
    assert_eq!(files(&[".", "--no-ignore"]), all);
    assert_eq!(files(&["build/out", "link"]), ["build/out", "link"], "named");
}

#[test]
fn binary_files_are_told_by_the_byte_and_json_has_everything() {
    let place = Place::new();
    let secret = place.create("ci");
    let id = secret.split('_').nth(1).unwrap();
    place.write("blob", format!("\0\n\u{1}{secret}\0"));
    let (_, out, _) = place.scan(&["blob"]);
    assert!(out.starts_with(&format!("blob:byte 3: {}", public(&secret))), "{out}");
    let (_, out, _) = place.scan(&["blob", "--json", "--revoke", "--yes"]);
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines,
        [
            serde_json::json!({
                "schema": 1, "file": "blob", "line": null, "offset": 3,
                "token": public(&secret), "id": id, "name": "ci", "status": "active",
            }),
            serde_json::json!({ "schema": 1, "revoked": { "id": id, "name": "ci" } }),
        ]
    );
}

#[test]
fn what_cannot_be_read_is_told_and_stops_nothing() {
    let place = Place::new();
    let secret = place.create("ci");
    for name in ["a", "closed/b", "z"] {
        place.write(name, &secret);
    }
    let closed = |mode| {
        let shut = fs::Permissions::from_mode(mode);
        fs::set_permissions(place.folder().join("closed"), shut.clone()).unwrap();
        fs::set_permissions(place.folder().join("a"), shut).unwrap();
    };
    closed(0);
    let open_to_root = fs::File::open(place.folder().join("a")).is_ok();
    let (code, out, err) = place.scan(&["."]);
    closed(0o700);
    if !open_to_root {
        assert_eq!((code, out.lines().count()), (1, 1));
        assert_eq!(err.matches("patdeck: not searched: ").count(), 2, "{err}");
        assert!(err.contains("not searched: 2, secrets found: 1"));
    }
    let (code, out, err) = place.scan(&["z", "no-such-file"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("patdeck: no-such-file cannot be searched ("), "{err}");
}

#[test]
fn standard_input_is_searched() {
    let place = Place::new();
    let secret = place.create("ci");
    let mut scan = place.patdeck(&["scan", "-"]);
    let found = scan.write_stdin(format!("\n\n+{secret}")).assert().code(1);
    let expected = format!("-:3: {}  active    ci\n", public(&secret));
    found.stdout(expected);
}

#[test]
fn a_file_of_a_gibibyte_is_searched_to_its_end() {
    let place = Place::new();
    let secret = place.create("ci");
    let path = place.write("large", "");
    // Sparse: it takes no room, and reads as zeros. 64 MiB here, which takes the same way.
    let length = if cfg!(debug_assertions) { 64 << 20 } else { 1 << 30 };
    append_far(&path, length, &secret);
    let (code, out, _) = place.scan(&["large"]);
    assert_eq!(code, 1);
    assert!(out.starts_with(&format!("large:byte {length}: ")), "{out}");
}

fn append_far(path: &Path, length: u64, secret: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.set_len(length).unwrap();
    file.write_all(secret.as_bytes()).unwrap();
}

#[test]
fn the_regular_expression_needs_no_store() {
    let place = Place::new();
    let out = place.ok(&["scan", "--regex"]);
    let expected = "(?:^|[^0-9A-Za-z])([a-z][0-9a-z]{1,11}_[0-9A-Za-z]{12}_[0-9A-Za-z]{38})\
                    (?:$|[^0-9A-Za-z])\n";
    assert_eq!(out, expected);
    assert!(!place.home.path().join("store.redb").exists());
    assert_eq!(place.scan(&[]).0, 2, "a path is needed");
    assert_eq!(place.scan(&["--regex", "."]).0, 2);
}
