//! `scan` with the real binary on real files: which secrets it finds and with which status, that it
//! never prints a whole secret, which files it skips, and what it revokes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

// `cfg(test)` tells clippy that panicking is the point here.
#[cfg(test)]
mod content;
#[cfg(test)]
mod folders;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Output,
};

use assert_cmd::Command;
use tempfile::TempDir;

/// A home with a store, and a folder to search.
struct Fixture {
    home: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { home: tempfile::tempdir().unwrap() };
        fs::create_dir(fixture.folder()).unwrap();
        fixture
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
            .env("LANG", "C.UTF-8")
            .env("PATDECK_STORE", self.home.path().join("store.redb"))
            .current_dir(self.folder())
            .args(arguments);
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.patdeck(arguments).output().unwrap()
    }

    /// Asserts success, and returns the standard output.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        text(&output.stdout)
    }

    fn create(&self, name: &str) -> String {
        self.ok(&["create", name]).trim().to_owned()
    }

    /// Runs `scan`, and returns exit code, standard output and standard error.
    fn scan(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut all = vec!["scan"];
        all.extend(arguments);
        let output = self.output(&all);
        let code = output.status.code().unwrap();
        (code, text(&output.stdout), text(&output.stderr))
    }

    fn is_valid(&self, secret: &str) -> bool {
        let mut verify = self.patdeck(&["verify"]);
        let output = verify.write_stdin(secret).output().unwrap();
        output.status.success()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn public_part(secret: &str) -> String {
    format!("{}_…", secret.rsplit_once('_').unwrap().0)
}

#[test]
fn each_secret_has_a_position_and_status_and_is_never_whole() {
    let fixture = Fixture::new();
    let active = fixture.create("active");
    let revoked = fixture.create("revoked");
    fixture.ok(&["revoke", "revoked", "--yes"]);
    let deleted = fixture.create("deleted");
    fixture.ok(&["delete", "deleted", "--yes"]);
    let replaced = fixture.create("replaced");
    fixture.ok(&["regenerate", "replaced", "--yes"]);
    let foreign = Fixture::new().create("elsewhere");
    let mut truncated = active.clone();
    truncated.pop();
    fixture.write("a.env", format!("x\nTOKEN={active}\nBAD={truncated}\n"));
    fixture.write("b.txt", format!("{revoked}\n{deleted} {replaced}\n\n{foreign}"));
    let (code, out, err) = fixture.scan(&["."]);
    let mut lines: Vec<_> = out.lines().collect();
    lines.sort_unstable();
    let line =
        |path: &str, secret: &str, rest: &str| format!("{path} {}  {rest}", public_part(secret));
    let expected = [
        line("./a.env:2:", &active, "active    active"),
        line("./b.txt:1:", &revoked, "revoked   revoked"),
        line("./b.txt:2:", &deleted, "deleted   deleted"),
        line("./b.txt:2:", &replaced, "replaced  replaced"),
        line("./b.txt:4:", &foreign, "unknown"),
    ];
    let mut expected: Vec<_> = expected.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert_eq!(code, 1, "one of them is active");
    assert!(err.contains("Searched 2 files: 5 secrets found, 1 active token exposed\n"), "{err}");
    for secret in [&active, &revoked, &deleted, &replaced, &foreign] {
        let hidden = secret.rsplit_once('_').unwrap().1;
        assert!(!out.contains(hidden) && !err.contains(hidden));
    }
}

#[test]
fn no_active_secret_is_exit_0() {
    let fixture = Fixture::new();
    fixture.create("ci");
    fixture.write("a", "nothing here");
    let (code, out, err) = fixture.scan(&["."]);
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(err, "Searched 1 file: 0 secrets found, 0 active tokens exposed\n");
    fixture.write("b", Fixture::new().create("elsewhere"));
    assert_eq!(fixture.scan(&["."]).0, 0);
}

#[test]
fn an_expired_secret_has_its_own_status() {
    let fixture = Fixture::new();
    let secret = fixture.create("short");
    let line = fixture.ok(&["export"]);
    let line = line.lines().nth(1).unwrap();
    let time = |field: &str| {
        let value = line.split(&format!("\"{field}\":\"")).nth(1).unwrap();
        value.split('"').next().unwrap()
    };
    let other = Fixture::new();
    let past = line.replace(time("expires"), "2020-01-02T00:00:00Z");
    let past = past.replace(time("issued"), "2020-01-01T00:00:00Z");
    let past = past.replace(time("created"), "2020-01-01T00:00:00Z");
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
fn revoke_revokes_only_tokens_with_active_secrets() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.create("one"), fixture.create("two"));
    let old = fixture.create("rotated");
    let new = fixture.ok(&["regenerate", "rotated", "--yes"]);
    fixture.write("a", format!("{one}\n{one}\n{old}"));
    let refused = fixture.scan(&[".", "--revoke"]);
    assert_eq!(
        (refused.0, refused.2.as_str()),
        (
            2,
            "error: refusing to revoke without confirmation: there is no terminal to ask on, nothing was searched\n\
             hint: pass --yes\n"
        )
    );
    assert!(fixture.is_valid(&one));
    let (code, out, err) = fixture.scan(&[".", "--revoke", "--yes"]);
    assert_eq!((code, out.lines().count()), (0, 3));
    assert!(err.ends_with("1 active token exposed\nRevoked one\n"), "{err}");
    assert!(!fixture.is_valid(&one) && fixture.is_valid(&two) && fixture.is_valid(new.trim()));
    let trail = fixture.ok(&["audit", "--token", "one"]);
    assert_eq!(trail.matches("its secret was found by a scan").count(), 1);
    assert_eq!(fixture.scan(&[".", "--revoke", "--yes"]).0, 0);
}

/// Runs `scan` in a shell that gives its output to `end`, and returns exit code and standard error.
fn scan_in_shell(fixture: &Fixture, arguments: &str, end: &str) -> (i32, String) {
    let patdeck = env!("CARGO_BIN_EXE_patdeck");
    let script = format!("set -o pipefail; {patdeck} scan {arguments} {end}");
    let mut shell = Command::new("bash");
    shell.env_clear().env("HOME", fixture.home.path()).current_dir(fixture.folder());
    shell.env("PATDECK_STORE", fixture.home.path().join("store.redb"));
    let output = shell.args(["-c", &script]).output().unwrap();
    (output.status.code().unwrap(), text(&output.stderr))
}

#[test]
fn a_scan_without_a_reader_has_the_same_effect() {
    let fixture = Fixture::new();
    let (ended, active) = (fixture.create("ended"), fixture.create("active"));
    fixture.ok(&["revoke", "ended", "--yes"]);
    // The reader is gone after the first of many secrets. The active one is the last.
    fixture.write("a", format!("{ended}\n").repeat(5_000));
    fixture.write("b", &active);
    let closed = "| head -1 >/dev/null";
    for format in ["", "--json"] {
        assert_eq!(scan_in_shell(&fixture, &format!("a b {format}"), closed).0, 1);
        assert_eq!(scan_in_shell(&fixture, &format!("a {format}"), closed).0, 0);
        let (code, err) = scan_in_shell(&fixture, &format!("a missing {format}"), closed);
        assert_eq!(code, 2, "{err}");
    }
    let (code, err) = scan_in_shell(&fixture, "a b --revoke --yes", closed);
    assert!(err.ends_with("Revoked active\n"), "{err}");
    assert_eq!((code, fixture.is_valid(&active)), (0, false));
    // An output that is full is an error, after the revoke.
    let active = fixture.create("second");
    fixture.write("b", &active);
    let (code, err) = scan_in_shell(&fixture, "a b --revoke --yes --json", ">/dev/full");
    assert!(err.contains("the change was made, but cannot write the output"), "{err}");
    assert_eq!((code, fixture.is_valid(&active)), (5, false));
    assert_eq!(scan_in_shell(&fixture, "a b --revoke --yes", ">/dev/full").0, 2);
}

#[test]
fn the_old_secret_is_active_during_the_overlap() {
    let fixture = Fixture::new();
    let old = fixture.create("ci");
    let new = fixture.ok(&["regenerate", "ci", "--overlap", "1h"]);
    fixture.write("a", &old);
    let (code, out, err) = fixture.scan(&["a"]);
    let line = format!("a:1: {}  active (old secret, until 20", public_part(&old));
    assert!(code == 1 && out.starts_with(&line) && out.ends_with(" UTC)  ci\n"), "{out}");
    assert!(err.contains("`patdeck revoke --old NAME`"), "{err}");
    let (code, _, err) = fixture.scan(&["a", "--revoke", "--yes"]);
    let ended = "Ended the old secret of ci; its current secret was not found and keeps working\n";
    assert!(code == 0 && err.ends_with(ended), "{err}");
    assert!(!fixture.is_valid(&old) && fixture.is_valid(new.trim()));

    // Both secrets are exposed.
    let newest = fixture.ok(&["regenerate", "ci", "--overlap", "1h"]);
    fixture.write("a", format!("{new}{newest}"));
    let (code, _, err) = fixture.scan(&["a"]);
    assert!(code == 1 && err.contains("revoke them with --revoke"), "{err}");
    assert!(fixture.scan(&["a", "--revoke", "--yes"]).2.ends_with("Revoked ci\n"));
    assert!(!fixture.is_valid(new.trim()) && !fixture.is_valid(newest.trim()));
}

#[test]
fn binary_matches_have_a_byte_offset() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    let id = secret.split('_').nth(1).unwrap();
    fixture.write("blob", format!("\0\n\u{1}{secret}\0"));
    let (_, out, _) = fixture.scan(&["blob"]);
    assert!(out.starts_with(&format!("blob:byte 3: {}", public_part(&secret))), "{out}");
    let (_, out, _) = fixture.scan(&["blob", "--json", "--revoke", "--yes"]);
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines,
        [
            serde_json::json!({
                "schema": 1, "file": "blob", "line": null, "offset": 3,
                "token": public_part(&secret), "id": id, "name": "ci", "status": "active",
                "retiring_until": null,
            }),
            serde_json::json!({
                "schema": 1, "files_searched": 1, "not_searched": 0, "secrets": 1,
                "active_tokens": 1,
            }),
            serde_json::json!({ "schema": 1, "revoked": { "id": id, "name": "ci" } }),
        ]
    );
}

#[test]
fn standard_input_is_searched() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    let mut scan = fixture.patdeck(&["scan", "-"]);
    let found = scan.write_stdin(format!("\n\n+{secret}")).assert().code(1);
    let expected = format!("-:3: {}  active    ci\n", public_part(&secret));
    found.stdout(expected);
    let empty = fixture.patdeck(&["scan", "-"]).write_stdin("").output().unwrap();
    assert_eq!(empty.status.code(), Some(0));
    let hint = "hint: standard input was empty: check that the command before the pipe succeeded\n";
    assert!(text(&empty.stderr).starts_with(hint), "{empty:?}");
}

#[test]
fn a_file_of_a_gibibyte_is_searched_to_its_end() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    let path = fixture.write("large", "");
    // The file is sparse: it uses no disk space and reads as zeros. Debug builds use 64 MiB.
    let length = if cfg!(debug_assertions) { 64 << 20 } else { 1 << 30 };
    append_far(&path, length, &secret);
    let (code, out, _) = fixture.scan(&["large"]);
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
    let fixture = Fixture::new();
    let out = fixture.ok(&["scan", "--regex"]);
    let expected = "(?:^|[^0-9A-Za-z])([a-z][0-9a-z]{1,11}_[0-9A-Za-z]{12}_[0-9A-Za-z]{38})\
                    (?:$|[^0-9A-Za-z])\n";
    assert_eq!(out, expected);
    assert!(!fixture.home.path().join("store.redb").exists());
    assert_eq!(fixture.scan(&[]).0, 2, "a path is needed");
    assert_eq!(fixture.scan(&["--regex", "."]).0, 2);
}

#[test]
fn a_search_of_a_pipe_or_device_without_an_end_ends() {
    let fixture = Fixture::new();
    fixture.ok(&["create", "ci"]);
    let pipe = fixture.folder().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in ["pipe", "/dev/zero"] {
        let mut command = fixture.patdeck(&["scan", path]);
        let output = command.timeout(std::time::Duration::from_secs(20)).output().unwrap();
        assert_eq!(output.status.code(), Some(5), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(path), "{output:?}");
    }
}
