//! `export`, `import` and `backup` on the real binary and real files: secrets that stay valid on
//! another host, every refusal with its line, and a backup taken while others write.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

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

/// One host: a home with a store.
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
            .env("PATDECK_STORE", self.path("store.redb"))
            .current_dir(self.home.path())
            .args(arguments);
        command
    }

    fn output(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.patdeck(arguments);
        command.write_stdin(input).output().unwrap()
    }

    /// What succeeds prints on standard output.
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

    /// Imports `lines`: exit code and what is told.
    fn import(&self, lines: &str, arguments: &[&str]) -> (i32, String) {
        let mut all = vec!["import", "-"];
        all.extend(arguments);
        let output = self.output(&all, lines);
        let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
        (output.status.code().unwrap(), told)
    }

    /// The tokens as they would be exported, without the header, and the trail.
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
fn an_export_has_a_header_and_every_token_and_no_secret() {
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
fn an_export_to_a_file_is_new_private_and_whole() {
    let host = Host::new();
    host.create("ci");
    host.ok(&["export", "--output", "out.jsonl"]);
    let path = host.path("out.jsonl");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    let again = host.patdeck(&["export", "--output", "out.jsonl"]).assert();
    let expected = "patdeck: out.jsonl exists already and was left as it is: choose another name\n";
    again.code(4).stderr(expected);
    let nowhere = host.patdeck(&["export", "--output", "no/out"]).assert();
    let expected =
        "patdeck: the folder of no/out does not exist: make it first, or choose another\n";
    nowhere.code(4).stderr(expected);
    let left = fs::read_dir(host.home.path()).unwrap().count();
    assert_eq!(left, 3, "the store, its reserve and the export");
}

#[test]
fn issued_secrets_are_valid_on_the_new_host_and_everything_else_is_as_it_was() {
    let (old, new) = (Host::new(), Host::new());
    let plain = old.create("plain");
    let revoked = old.create("revoked");
    old.ok(&["revoke", "revoked", "--yes"]);
    let before = old.create("rotated");
    let after = old.ok(&["regenerate", "rotated", "--overlap", "1h"]);
    assert!(old.works(&plain));
    let export = old.ok(&["export"]);
    let (code, told) = new.import(&export, &[]);
    assert_eq!(code, 0, "{told}");
    let counts = "patdeck: tokens are new 3, replaced 0, skipped 0, unchanged 0\n";
    assert_eq!(told, counts);
    assert_eq!(new.state().0, old.state().0, "digests, times and last uses");
    assert!(new.works(&plain) && new.works(&before) && new.works(after.trim()));
    assert!(!new.works(&revoked));
    let trail = new.ok(&["audit"]);
    assert_eq!(trail.matches("  imported ").count(), 3);
    let store = objects(&export)[0]["store"].as_str().unwrap().to_owned();
    assert_eq!(trail.matches(&format!("from store {store}")).count(), 3);
    new.ok(&["audit", "--check"]);

    let (code, told) = new.import(&export, &[]);
    let counts = "patdeck: tokens are new 0, replaced 0, skipped 0, unchanged 3\n";
    assert_eq!((code, told.as_str()), (0, counts), "again is no conflict");
}

#[test]
fn every_wrong_line_is_named_and_nothing_is_imported() {
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
    let (code, told) = new.import(&lines(&all), &[]);
    assert_eq!(code, 3);
    let id = all[2]["id"].as_str().unwrap();
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [
            "patdeck: -:2: digest: sha256: and 64 hexadecimal digits are expected",
            "patdeck: -:3: scopes: `fly` is not offered for channels: choose one of create, read, \
             list, update, delete, share, unshare, publish, subscribe, or add it to the catalogue \
             in the settings",
            "patdeck: -:4: name: a text is expected",
            "patdeck: -:4: more: this patdeck does not know it: update patdeck",
            &format!("patdeck: -:5: id: {id} is in line 3 already"),
            "patdeck: nothing was imported: mend these lines, or see --on-conflict",
        ]
    );
    assert_eq!(new.ok(&["audit"]), "");
}

#[test]
fn of_many_faults_twenty_are_told_and_the_others_counted() {
    let host = Host::new();
    let mut all = objects(&host.ok(&["export"]));
    all[0]["tokens"] = json!(30);
    all.extend(vec![json!([]); 30]);
    let (code, told) = host.import(&lines(&all), &[]);
    assert_eq!((code, told.lines().count()), (3, 21));
    assert!(told.contains("patdeck: -:2: a JSON object is expected\n"));
    let end = "and 10 more; nothing was imported: mend these lines, or see --on-conflict\n";
    assert!(told.ends_with(end));
}

#[test]
fn what_is_no_export_is_refused() {
    let host = Host::new();
    host.create("ci");
    let mut all = objects(&host.ok(&["export"]));
    let whole = lines(&all);
    let first = |input: &str| {
        let (code, told) = host.import(input, &[]);
        (code, told.lines().next().unwrap_or_default().to_owned())
    };
    let header = "patdeck: -:1: the first line must be the header that `patdeck export` writes";
    for input in ["nonsense\n", "{}\n", whole.lines().nth(1).unwrap(), "\u{0}"] {
        assert_eq!(first(input), (3, header.to_owned()));
    }
    let empty = "patdeck: -:1: the file is empty: an export starts with a header";
    assert_eq!(first(""), (3, empty.to_owned()));
    let cut = whole.lines().next().unwrap();
    let told = "patdeck: -:1: tokens: 1 are announced and 0 are here: the file is not whole";
    assert_eq!(first(cut), (3, told.to_owned()));
    all[0]["schema"] = json!(2);
    let told = "patdeck: -:1: schema: a later patdeck wrote it: update patdeck";
    assert_eq!(first(&lines(&all)), (3, told.to_owned()));
    let missing = host.output(&["import", "no-such-file"], "");
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn a_conflict_fails_is_skipped_or_replaced_as_asked() {
    let (old, new) = (Host::new(), Host::new());
    let (theirs, moved) = (old.create("ci"), old.create("moved"));
    new.import(&old.ok(&["export"]), &[]);
    old.ok(&["edit", "moved", "--description", "newer"]);
    let mine = new.create("fresh");
    old.create("FRESH");
    let export = old.ok(&["export"]);
    let before = new.state();

    let (code, told) = new.import(&export, &[]);
    assert_eq!(code, 3);
    assert!(told.contains(": id: this token is here already, and differs\n"), "{told}");
    let id = mine.split('_').nth(1).unwrap();
    let taken = format!(": name: another token here, {id}, has this name\n");
    assert!(told.contains(&taken), "{told}");
    assert_eq!(new.state(), before);

    let (code, told) = new.import(&export, &["--on-conflict", "skip", "--dry-run"]);
    assert_eq!(code, 0);
    assert!(told.ends_with("tokens would be new 0, replaced 0, skipped 2, unchanged 1\n"));
    assert_eq!(new.state(), before, "a dry run changes nothing");
    let (code, _) = new.import(&export, &["--on-conflict", "skip"]);
    assert_eq!((code, new.state()), (0, before.clone()));

    let (code, told) = new.import(&export, &["--on-conflict", "replace"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.ends_with("tokens are new 0, replaced 2, skipped 0, unchanged 1\n"));
    assert_eq!(new.state().0, old.state().0);
    assert!(new.works(&theirs) && new.works(&moved) && !new.works(&mine));
    new.ok(&["edit", "FRESH", "--name", "other"]);
    new.ok(&["restore", "fresh"]);
    assert!(new.works(&mine), "who had the name can be brought back");
    new.ok(&["audit", "--check"]);
}

#[test]
fn tokens_that_exchanged_their_names_are_replaced() {
    let (old, new) = (Host::new(), Host::new());
    let secrets = [old.create("a"), old.create("b")];
    new.import(&old.ok(&["export"]), &[]);
    old.ok(&["edit", "a", "--name", "c"]);
    old.ok(&["edit", "b", "--name", "a"]);
    old.ok(&["edit", "c", "--name", "b"]);
    let (code, told) = new.import(&old.ok(&["export"]), &["--on-conflict", "replace"]);
    assert_eq!(code, 0, "{told}");
    assert_eq!(new.state().0, old.state().0);
    assert!(secrets.iter().all(|secret| new.works(secret)));
}

#[test]
fn nothing_that_was_ended_here_works_again_unless_that_is_said() {
    let host = Host::new();
    let secrets = ["revoked", "deleted", "rotated"].map(|name| host.create(name));
    let export = host.ok(&["export"]);
    host.ok(&["revoke", "revoked", "--yes"]);
    host.ok(&["delete", "deleted", "--yes"]);
    let newer = host.ok(&["regenerate", "rotated", "--yes"]);
    let before = host.state();
    for arguments in [&["--on-conflict", "replace"][..], &[]] {
        let (code, told) = host.import(&export, arguments);
        assert_eq!(code, 3);
        for ended in [
            "this token is revoked here: the import would make it work again",
            "this token was deleted here: the import would make it work again",
            "this token has another secret here, or is expired: the import would make it work \
             again",
        ] {
            assert!(told.contains(ended), "{told}");
        }
    }
    let (code, _) = host.import(&export, &["--on-conflict", "skip"]);
    assert_eq!((code, host.state()), (0, before));
    assert!(secrets.iter().all(|secret| !host.works(secret)));
    let (code, told) = host.import(&export, &["--on-conflict", "replace", "--yes"]);
    assert_eq!(code, 0, "{told}");
    assert!(secrets.iter().all(|secret| host.works(secret)));
    assert!(!host.works(newer.trim()));
    host.ok(&["audit", "--check"]);
}

#[test]
fn a_dry_run_says_what_would_happen_to_each() {
    let (old, new) = (Host::new(), Host::new());
    let secret = old.create("ci");
    let id = secret.split('_').nth(1).unwrap();
    let export = old.ok(&["export"]);
    let (code, told) = new.import(&export, &["--dry-run"]);
    let expected = format!(
        "line 2: ci ({id}) new\npatdeck: tokens would be new 1, replaced 0, skipped 0, unchanged 0\n"
    );
    assert_eq!((code, told), (0, expected));
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
fn a_backup_taken_while_others_write_opens_as_a_store_of_one_instant() {
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
            let told = &objects(&out)[0];
            let mode = fs::metadata(host.path(&name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o600);
            let copied = ["--store", &name];
            let list = host.ok(&[&["list", "--status", "all", "--json"][..], &copied].concat());
            assert_eq!(told["tokens"], list.lines().count());
            let check = host.ok(&[&["audit", "--check", "--json"][..], &copied].concat());
            assert_eq!(told["events"], objects(&check)[0]["events"]);
            let verify = [&["verify"][..], &copied].concat();
            assert!(host.output(&verify, &first).status.success());
        }
        stop.store(true, Ordering::SeqCst);
    });
    host.ok(&["audit", "--check"]);
    let again = host.patdeck(&["backup", "copy-0.redb"]).assert();
    let expected =
        "patdeck: copy-0.redb exists already and was left as it is: choose another name\n";
    again.code(4).stderr(expected);
    let odd = fs::read_dir(host.home.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".new")
    });
    assert_eq!(odd.count(), 0, "no draft stays behind");
}
