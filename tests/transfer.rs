//! `export`, `import` and `backup` with the real binary and files: secrets keep working on another
//! host, each fault names its line, and a backup during writes is consistent.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

#[path = "transfer/import_faults.rs"]
mod import_faults;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Output,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A simulated host: a home directory with a store.
struct Host {
    home: TempDir,
}

impl Host {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn patdeck(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patdeck"));
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("LANG", "C.UTF-8")
            .env("PATDECK_STORE", self.path("store.redb"))
            .current_dir(self.home.path())
            .args(arguments);
        command
    }

    fn output(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.patdeck(arguments);
        command.write_stdin(input).output().unwrap()
    }

    /// Runs a command, which must succeed, and returns its standard output.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments, "");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        text(&output.stdout)
    }

    fn create(&self, name: &str) -> String {
        let scope = "channels:*:publish";
        let secret = self.ok(&["create", name, "--scope", scope]);
        secret.trim().to_owned()
    }

    fn works(&self, secret: &str) -> bool {
        let arguments = ["verify", "--scope", "channels:c1:publish"];
        self.output(&arguments, secret).status.success()
    }

    /// Imports `lines`: returns the exit code and the output.
    fn import(&self, lines: &str, arguments: &[&str]) -> (i32, String) {
        let mut all = vec!["import", "-"];
        all.extend(arguments);
        let output = self.output(&all, lines);
        let messages = format!("{}{}", text(&output.stdout), text(&output.stderr));
        (output.status.code().unwrap(), messages)
    }

    /// Returns the exported tokens without the header, and the audit trail.
    fn state(&self) -> (Vec<String>, String) {
        let lines = self.ok(&["export"]);
        let lines = lines.lines().skip(1).map(str::to_owned).collect();
        (lines, self.ok(&["audit"]))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn objects(lines: &str) -> Vec<Value> {
    let objects = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    objects.collect()
}

fn lines(objects: &[Value]) -> String {
    let lines: Vec<_> = objects.iter().map(Value::to_string).collect();
    lines.join("\n") + "\n"
}

#[test]
fn export_contains_every_token_and_no_secret() {
    let host = Host::new();
    let secret = host.create("ci");
    assert!(host.works(&secret));
    let out = host.ok(&["export"]);
    assert!(!out.contains(secret.rsplit_once('_').unwrap().1));
    let objects = objects(&out);
    assert_eq!(objects.len(), 2);
    let header = &objects[0];
    assert_eq!(header["schema"], 1);
    assert_eq!(header["kind"], "patdeck export");
    assert_eq!(header["tokens"], 1);
    assert_eq!(header["store"].as_str().unwrap().len(), 32);
    let token = &objects[1];
    assert_eq!(token["name"], "ci");
    assert_eq!(token["scopes"], json!(["channels:*:publish"]));
    assert!(token["digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(token["last_used"]["what"], "channels:c1:publish allowed");
}

#[test]
fn export_file_is_new_complete_and_mode_0600() {
    let host = Host::new();
    host.create("ci");
    host.ok(&["export", "--output", "out.jsonl"]);
    let path = host.path("out.jsonl");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    let again = host.patdeck(&["export", "--output", "out.jsonl"]).assert();
    let expected =
        "error: out.jsonl already exists and was not changed\nhint: choose another name\n";
    again.code(3).stderr(expected);
    let missing_folder = host.patdeck(&["export", "--output", "no/out"]).assert();
    let expected = "error: the folder of no/out does not exist\nhint: create the folder, or choose another path\n";
    missing_folder.code(2).stderr(expected);
    let file_count = fs::read_dir(host.home.path()).unwrap().count();
    assert_eq!(file_count, 3, "the store, its register and the export");
}

#[test]
fn imported_secrets_work_on_the_new_host() {
    let (old, new) = (Host::new(), Host::new());
    let plain = old.create("plain");
    let revoked = old.create("revoked");
    old.ok(&["revoke", "revoked", "--yes"]);
    let before = old.create("rotated");
    let after = old.ok(&["regenerate", "rotated", "--overlap", "1h"]);
    assert!(old.works(&plain));
    let export = old.ok(&["export"]);
    let (code, messages) = new.import(&export, &[]);
    assert_eq!(code, 0, "{messages}");
    let counts = "Imported 3 new tokens (0 replaced, 0 skipped, 0 unchanged)\n";
    assert_eq!(messages, counts);
    assert_eq!(new.state().0, old.state().0, "digests, times and last uses");
    assert!(new.works(&plain) && new.works(&before) && new.works(after.trim()));
    assert!(!new.works(&revoked));
    let trail = new.ok(&["audit"]);
    assert_eq!(trail.matches("  imported ").count(), 3);
    let store = objects(&export)[0]["store"].as_str().unwrap().to_owned();
    assert_eq!(trail.matches(&format!("from store {store}")).count(), 3);
    new.ok(&["audit", "--check"]);

    let (code, messages) = new.import(&export, &[]);
    let counts = "Imported 0 new tokens (0 replaced, 0 skipped, 3 unchanged)\n";
    assert_eq!((code, messages.as_str()), (0, counts), "a repeated import has no conflict");
}

#[test]
fn invalid_lines_are_all_reported_and_nothing_is_imported() {
    let (old, new) = (Host::new(), Host::new());
    for name in ["a", "b", "c", "d"] {
        old.create(name);
    }
    let mut all = objects(&old.ok(&["export"]));
    all[1]["digest"] = json!("sha256:7");
    all[2]["scopes"] = json!(["channels:*:fly"]);
    all[3]["name"] = json!(5);
    all[3]["more"] = json!(5);
    all[4]["id"] = all[2]["id"].clone();
    let (code, messages) = new.import(&lines(&all), &[]);
    assert_eq!(code, 3);
    let id = all[2]["id"].as_str().unwrap();
    assert_eq!(
        messages.lines().collect::<Vec<_>>(),
        [
            "-:2: digest: expected sha256: and 64 hexadecimal digits",
            "-:3: scopes: operation `fly` is not available for channels: use one of create, read, \
             list, update, delete, share, unshare, publish, subscribe; or add this scope to the catalogue \
             in the config",
            "-:4: name: expected a string",
            "-:4: more: unknown field; a newer patdeck may support it",
            &format!("-:5: id: {id} already occurs in line 3"),
            "error: nothing imported",
            "hint: fix these lines, or see --on-conflict",
        ]
    );
    assert_eq!(new.ok(&["audit"]), "");
}

#[test]
fn only_20_faults_are_listed_and_the_rest_counted() {
    let host = Host::new();
    host.create("ci");
    host.ok(&["delete", "ci", "--yes"]);
    let mut all = objects(&host.ok(&["export"]));
    all[0]["tokens"] = json!(30);
    all.extend(vec![json!([]); 30]);
    let (code, messages) = host.import(&lines(&all), &[]);
    assert_eq!((code, messages.lines().count()), (3, 22));
    assert!(messages.contains("-:2: expected a JSON object\n"));
    let end = "\nerror: nothing imported; 10 more faults not shown\nhint: fix these lines, or see --on-conflict\n";
    assert!(messages.ends_with(end));
}

#[test]
fn input_other_than_an_export_is_refused() {
    let host = Host::new();
    host.create("ci");
    let mut all = objects(&host.ok(&["export"]));
    let export = lines(&all);
    let first = |input: &str| {
        let (code, messages) = host.import(input, &[]);
        (code, messages.lines().next().unwrap_or_default().to_owned())
    };
    let header = "-:1: expected the header that `patdeck export` writes";
    for input in ["nonsense\n", "{}\n", export.lines().nth(1).unwrap(), "\u{0}"] {
        assert_eq!(first(input), (3, header.to_owned()));
    }
    let empty = "-:1: the file is empty; an export starts with a header";
    assert_eq!(first(""), (3, empty.to_owned()));
    let header_only = export.lines().next().unwrap();
    let messages = "-:1: tokens: the header declares 1, but the file has 0: the file is incomplete";
    assert_eq!(first(header_only), (3, messages.to_owned()));
    all[0]["schema"] = json!(2);
    let messages = "-:1: schema: written by a newer patdeck: update patdeck";
    assert_eq!(first(&lines(&all)), (3, messages.to_owned()));
    let missing = host.output(&["import", "no-such-file"], "");
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn on_conflict_fails_skips_or_replaces() {
    let (old, new) = (Host::new(), Host::new());
    let (theirs, moved) = (old.create("ci"), old.create("moved"));
    new.import(&old.ok(&["export"]), &[]);
    old.ok(&["edit", "moved", "--description", "newer"]);
    let displaced = new.create("fresh");
    old.create("FRESH");
    let export = old.ok(&["export"]);
    let before = new.state();

    let (code, messages) = new.import(&export, &[]);
    assert_eq!(code, 3);
    assert!(
        messages.contains(": id: a different version of this token is already in the store\n"),
        "{messages}"
    );
    let id = displaced.split('_').nth(1).unwrap();
    let taken = format!(": name: token {id} in the store already has this name\n");
    assert!(messages.contains(&taken), "{messages}");
    assert_eq!(new.state(), before);

    let (code, messages) = new.import(&export, &["--on-conflict", "skip", "--dry-run"]);
    assert_eq!(code, 0);
    assert!(messages.ends_with("Would import 0 new tokens (0 replaced, 2 skipped, 1 unchanged)\n"));
    assert_eq!(new.state(), before, "a dry run changes nothing");
    let (code, _) = new.import(&export, &["--on-conflict", "skip"]);
    assert_eq!((code, new.state()), (0, before.clone()));

    let (code, messages) = new.import(&export, &["--on-conflict", "replace"]);
    assert_eq!(code, 0, "{messages}");
    assert!(messages.ends_with("Imported 0 new tokens (2 replaced, 0 skipped, 1 unchanged)\n"));
    assert_eq!(new.state().0, old.state().0);
    assert!(new.works(&theirs) && new.works(&moved) && !new.works(&displaced));
    new.ok(&["edit", "FRESH", "--name", "other"]);
    new.ok(&["restore", "fresh"]);
    assert!(new.works(&displaced), "the displaced token can be restored");
    new.ok(&["audit", "--check"]);
}

#[test]
fn tokens_with_swapped_names_are_replaced() {
    let (old, new) = (Host::new(), Host::new());
    let secrets = [old.create("a"), old.create("b")];
    new.import(&old.ok(&["export"]), &[]);
    old.ok(&["edit", "a", "--name", "c"]);
    old.ok(&["edit", "b", "--name", "a"]);
    old.ok(&["edit", "c", "--name", "b"]);
    let (code, messages) = new.import(&old.ok(&["export"]), &["--on-conflict", "replace"]);
    assert_eq!(code, 0, "{messages}");
    assert_eq!(new.state().0, old.state().0);
    assert!(secrets.iter().all(|secret| new.works(secret)));
}

#[test]
fn import_reactivates_only_with_explicit_consent() {
    let host = Host::new();
    let secrets = ["revoked", "deleted", "rotated"].map(|name| host.create(name));
    let export = host.ok(&["export"]);
    host.ok(&["revoke", "revoked", "--yes"]);
    host.ok(&["delete", "deleted", "--yes"]);
    let newer = host.ok(&["regenerate", "rotated", "--yes"]);
    let before = host.state();
    for arguments in [&["--on-conflict", "replace"][..], &[]] {
        let (code, messages) = host.import(&export, arguments);
        assert_eq!(code, 3);
        for ended in [
            "this token is revoked in this store: the import would make its secret work again",
            "this token was deleted in this store: the import would make its secret work again",
            "in this store, this token has another secret or has expired: the import would make its \
             secret work again",
        ] {
            assert!(messages.contains(ended), "{messages}");
        }
    }
    let (code, _) = host.import(&export, &["--on-conflict", "skip"]);
    assert_eq!((code, host.state()), (0, before));
    assert!(secrets.iter().all(|secret| !host.works(secret)));
    let (code, messages) = host.import(&export, &["--on-conflict", "replace", "--yes"]);
    assert_eq!(code, 0, "{messages}");
    assert!(secrets.iter().all(|secret| host.works(secret)));
    assert!(!host.works(newer.trim()));
    host.ok(&["audit", "--check"]);
}

#[test]
fn dry_run_reports_the_outcome_of_each_token() {
    let (old, new) = (Host::new(), Host::new());
    new.create("other");
    let secret = old.create("ci");
    let id = secret.split('_').nth(1).unwrap();
    let export = old.ok(&["export"]);
    let (code, messages) = new.import(&export, &["--dry-run"]);
    let expected = format!(
        "line 2: ci ({id}) new\nWould import 1 new token (0 replaced, 0 skipped, 0 unchanged)\n"
    );
    assert_eq!((code, messages), (0, expected));
    let output = new.output(&["import", "-", "--dry-run", "--json"], &export);
    assert_eq!(
        objects(&text(&output.stdout)),
        [
            json!({ "schema": 1, "line": 2, "id": id, "name": "ci", "outcome": "new", "conflicts": [] })
        ]
    );
    assert!(!new.works(&secret));
}

#[test]
fn backup_during_writes_is_a_consistent_snapshot() {
    let host = Host::new();
    let first = host.create("first");
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !stop.load(Ordering::SeqCst) {
                n += 1;
                host.create(&format!("more-{n}"));
            }
        });
        for n in 0..5 {
            let name = format!("copy-{n}.redb");
            let out = host.ok(&["backup", &name, "--json"]);
            let report = &objects(&out)[0];
            let mode = fs::metadata(host.path(&name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o600);
            let copied = ["--store", &name];
            let list = host.ok(&[&["list", "--status", "all", "--json"][..], &copied].concat());
            assert_eq!(report["tokens"], list.lines().count());
            let check = host.ok(&[&["audit", "--check", "--json"][..], &copied].concat());
            assert_eq!(report["events"], objects(&check)[0]["events"]);
            let verify = [&["verify"][..], &copied].concat();
            assert!(host.output(&verify, &first).status.success());
        }
        stop.store(true, Ordering::SeqCst);
    });
    host.ok(&["audit", "--check"]);
    let again = host.patdeck(&["backup", "copy-0.redb"]).assert();
    let expected =
        "error: copy-0.redb already exists and was not changed\nhint: choose another name\n";
    again.code(3).stderr(expected);
    let temporary = fs::read_dir(host.home.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".new")
    });
    assert_eq!(temporary.count(), 0, "no temporary file remains");
}
