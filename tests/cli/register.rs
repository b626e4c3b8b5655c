//! The revocation register, as an operator meets it: an older store revives no secret, and a store
//! without its register gives no answer until it is rebuilt.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::{Home, issue, run, run_with_input, write_private};

fn register(home: &Home) -> PathBuf {
    home.store().with_file_name("store.redb.revoked")
}

/// A running `verify --lines` that writes no last uses, so that it never writes to the store.
pub(crate) struct RunningCheck {
    pub(crate) process: Child,
    answers: BufReader<ChildStdout>,
}

impl RunningCheck {
    pub(crate) fn start(home: &Home) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_patdeck"))
            .args(["--read-only", "verify", "--lines", "--store"])
            .arg(home.store())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, answers }
    }

    pub(crate) fn check(&mut self, secret: &str) -> String {
        writeln!(self.process.stdin.as_mut().unwrap(), "{secret}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl RunningCheck {
    /// Ends the input and returns the messages.
    pub(crate) fn finish(mut self) -> String {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
        let mut messages = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut messages).unwrap();
        messages
    }
}

impl Drop for RunningCheck {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn an_older_store_in_place_revives_no_secret() {
    for replaces_file in [false, true] {
        let home = Home::new();
        let secret = issue(&home, &["t"]);
        let old = fs::read(home.store()).unwrap();
        let put_back = || {
            if replaces_file {
                fs::remove_file(home.store()).unwrap();
            }
            fs::write(home.store(), &old).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(home.store(), mode).unwrap();
        };
        let mut running = RunningCheck::start(&home);
        run(&home, &["edit", "t", "--name", "t2"]).success();
        assert_eq!(running.check(&secret), "valid: t2");
        // The revoke is a later commit than the old copy, or takes the place of a commit that the
        // running check has seen.
        put_back();
        run(&home, &["revoke", "t", "--yes"]).success();
        let answer = running.check(&secret);
        assert_eq!(answer, "denied", "{replaces_file}");
        put_back();
        let answer = running.check(&secret);
        assert_eq!(answer, "denied", "{replaces_file}");
        assert_eq!(run_with_input(&home, &["verify"], &secret).code, 1);
    }
}

#[test]
fn an_older_store_is_reported_and_shows_what_was_ended() {
    let home = Home::new();
    let secrets = ["revoked", "deleted", "rotated", "kept"].map(|name| issue(&home, &[name]));
    let rotated = run(&home, &["regenerate", "rotated", "--overlap", "24h"]).success();
    let old = fs::read(home.store()).unwrap();
    run(&home, &["revoke", "rotated", "--old", "--yes"]).success();
    run(&home, &["delete", "deleted", "--yes"]).success();
    run(&home, &["revoke", "revoked", "--yes"]).success();
    assert!(!run(&home, &["list"]).err.contains("older copy"));
    fs::write(home.store(), &old).unwrap();
    let status = |name: &str| {
        let shown = run(&home, &["show", name, "--json"]);
        assert_eq!(shown.code, 0, "{shown:?}");
        shown.objects()[0]["token"]["status"].as_str().unwrap().to_owned()
    };
    let statuses = ["revoked", "deleted", "rotated", "kept"].map(status);
    assert_eq!(statuses, ["revoked", "revoked", "active", "active"]);
    let listed = run(&home, &["list", "--status", "active"]);
    assert!(listed.err.contains("an older copy was put back"), "{listed:?}");
    assert!(!listed.out.contains("deleted"), "{listed:?}");
    let report = run(&home, &["doctor"]);
    assert_eq!(report.code, 1, "{report:?}");
    assert!(report.out.contains("the store is older than its revocation register"), "{report:?}");
    // The next change stores the endings, and the trail stays intact.
    run(&home, &["edit", "kept", "--description", "x"]).success();
    let trail = run(&home, &["audit"]).success();
    assert_eq!(trail.matches("recorded later").count(), 3, "{trail}");
    run(&home, &["audit", "--check"]).success();
    let report = run(&home, &["doctor"]);
    assert_eq!(report.code, 0, "{report:?}");
    for (secret, code) in secrets.iter().zip([1, 1, 1, 0]) {
        assert_eq!(run_with_input(&home, &["verify"], secret).code, code);
    }
    assert_eq!(run_with_input(&home, &["verify"], rotated.trim()).code, 0);
}

#[test]
fn a_running_check_reads_the_history_that_was_put_back() {
    for changes in [0, 1, 2] {
        let home = Home::new();
        let secret = issue(&home, &["t"]);
        let id = secret.split('_').nth(1).unwrap();
        let old = fs::read(home.store()).unwrap();
        let mut running = RunningCheck::start(&home);
        run(&home, &["edit", id, "--name", "t2"]).success();
        assert_eq!(running.check(&secret), "valid: t2");
        fs::write(home.store(), &old).unwrap();
        // Without a change, the transaction id is lower; with one, it is the same; with two, higher.
        for change in 0..changes {
            run(&home, &["edit", id, "--name", &format!("later{change}")]).success();
        }
        let name = if changes == 0 { "t".to_owned() } else { format!("later{}", changes - 1) };
        for _ in 0..2 {
            assert_eq!(running.check(&secret), format!("valid: {name}"), "{changes}");
        }
        let messages = running.finish();
        let count = messages.matches("the store was replaced by an older state").count();
        assert_eq!(count, usize::from(changes < 2), "{changes}: {messages}");
    }
}

#[test]
fn a_running_check_reports_a_restored_backup_once() {
    let home = Home::new();
    let secret = issue(&home, &["t"]);
    let id = secret.split('_').nth(1).unwrap();
    run(&home, &["backup", "b.redb"]).success();
    let mut running = RunningCheck::start(&home);
    for name in ["t2", "t3", "t4"] {
        run(&home, &["edit", id, "--name", name]).success();
        assert_eq!(running.check(&secret), format!("valid: {name}"));
    }
    run(&home, &["backup", "restore", "b.redb", "--yes"]).success();
    for _ in 0..2 {
        assert_eq!(running.check(&secret), "valid: t");
    }
    let messages = running.finish();
    assert_eq!(messages.matches("replaced by an older state").count(), 1, "{messages}");
}

#[test]
fn a_missing_register_gives_no_answer_until_it_is_rebuilt() {
    let home = Home::new();
    let (secret, revoked) = (issue(&home, &["ci"]), issue(&home, &["old"]));
    run(&home, &["revoke", "old", "--yes"]).success();
    fs::remove_file(register(&home)).unwrap();
    for secret in [&secret, &revoked] {
        let result = run_with_input(&home, &["--read-only", "verify"], secret);
        assert_eq!((result.code, result.out.as_str()), (4, ""), "{result:?}");
        assert!(result.err.contains("revocation register"), "{result:?}");
    }
    let result = run(&home, &["list", "--json"]);
    assert!(result.err.contains("revocation register"), "{result:?}");
    assert_eq!(result.code, 0);
    assert_eq!(run_with_input(&home, &["verify"], &secret).code, 0);
    assert_eq!(run_with_input(&home, &["verify"], &revoked).code, 1);
    let trail = run(&home, &["audit"]).success();
    assert!(trail.contains("register rebuilt"), "{trail}");
    run(&home, &["audit", "--check"]).success();
}

#[test]
fn a_register_of_another_store_is_neither_believed_nor_replaced() {
    let (home, other) = (Home::new(), Home::new());
    let secret = issue(&home, &["ci"]);
    let revoked = issue(&other, &["ci"]);
    let old = fs::read(other.store()).unwrap();
    run(&other, &["revoke", "ci", "--yes"]).success();
    // The wrong store is put in the place of another one.
    fs::copy(home.store(), other.store()).unwrap();
    for command in [["verify"].as_slice(), &["--read-only", "verify"], &["list"], &["create", "x"]]
    {
        let refused = run_with_input(&other, command, &secret);
        assert_eq!((refused.code, refused.out.as_str()), (4, ""), "{command:?} {refused:?}");
        let text = "is the revocation register of another store";
        assert!(refused.err.contains(text), "{command:?} {refused:?}");
    }
    // The right one comes back, in an older state.
    fs::write(other.store(), old).unwrap();
    assert_eq!(run_with_input(&other, &["verify"], &revoked).code, 1);
    // Without the other register, a new one is built.
    fs::copy(home.store(), other.store()).unwrap();
    fs::remove_file(register(&other)).unwrap();
    assert_eq!(run_with_input(&other, &["verify"], &secret).code, 0);
}

#[test]
fn a_stale_record_can_be_changed_by_revoke_and_delete_only() {
    let restrictions: [&[&str]; 5] = [
        &["scope", "remove", "t", "channels:c-1:read"],
        &["scope", "clear", "t", "--yes"],
        &["edit", "t", "--allow-from", "10.0.0.0/8"],
        &["edit", "t", "--max-uses", "3"],
        &["regenerate", "t", "--overlap", "1h", "--secret-file", "new"],
    ];
    let changes: [&[&str]; 7] = [
        &["edit", "t", "--description", "x"],
        &["edit", "t", "--name", "t2"],
        &["edit", "t", "--max-uses", "9"],
        &["scope", "add", "t", "channels:c-9:read"],
        &["scope", "remove", "t", "channels:c-2:read"],
        &["regenerate", "t", "--overlap", "1h"],
        &["regenerate", "t", "--yes"],
    ];
    for restriction in restrictions {
        let home = Home::new();
        let scopes = ["--scope", "channels:c-1:read", "--scope", "channels:c-2:read"];
        let secret = issue(&home, &[["t"].as_slice(), &scopes].concat());
        let old = fs::read(home.store()).unwrap();
        let export = run(&home, &["export"]).success();
        let edited = export.replace("\"description\":\"\"", "\"description\":\"x\"");
        assert_ne!(edited, export);
        write_private(&home, "changed.jsonl", &edited);
        run(&home, restriction).success();
        fs::write(home.store(), old).unwrap();
        for change in changes {
            let refused = run(&home, change);
            assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{change:?} {refused:?}");
            assert!(refused.err.contains("t is out of date"), "{change:?} {refused:?}");
        }
        let import = ["import", "changed.jsonl", "--on-conflict", "replace", "--yes"];
        let refused = run(&home, &import);
        assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{refused:?}");
        assert!(refused.err.contains("the store has an older record"), "{refused:?}");
        for copy in [["export"].as_slice(), &["backup", "create", "b.redb"]] {
            let refused = run(&home, copy);
            assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{copy:?} {refused:?}");
        }
        let doctor = run(&home, &["doctor"]);
        assert_eq!(doctor.code, 1, "{doctor:?}");
        assert!(doctor.out.contains("took the place of a newer one: 1 token,"), "{doctor:?}");
        let check = ["verify", "--scope", "channels:c-1:read", "--from", "192.0.2.1"];
        assert_eq!(run_with_input(&home, &check, &secret).code, 1, "{restriction:?}");
        run(&home, &["revoke", "t", "--yes"]).success();
        run(&home, &["delete", "t", "--yes"]).success();
    }
}

#[test]
fn the_old_secret_of_a_stale_record_is_not_ended_alone() {
    let home = Home::new();
    issue(&home, &["t", "--scope", "channels:c-1:read"]);
    run(&home, &["regenerate", "t", "--overlap", "1h"]).success();
    let old = fs::read(home.store()).unwrap();
    run(&home, &["scope", "clear", "t", "--yes"]).success();
    fs::write(home.store(), old).unwrap();
    let refused = run(&home, &["revoke", "t", "--old", "--yes"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("t is out of date"), "{refused:?}");
}

#[test]
fn what_an_import_took_stays_taken_in_an_older_store() {
    // Each import takes something from the token: the field and its new value.
    let day = (chrono::Utc::now() + chrono::TimeDelta::days(1)).date_naive();
    let changes = [
        ("expires", serde_json::json!(format!("{day}T23:59:59Z"))),
        ("revoked", serde_json::json!("issued")),
        ("scopes", serde_json::json!([])),
        (
            "limits",
            serde_json::json!({ "allow_from": ["10.0.0.0/8"], "max_uses": null, "not_before": null }),
        ),
    ];
    for (field, value) in changes {
        let home = Home::new();
        let secret = issue(&home, &["t", "--scope", "channels:c-1:read"]);
        let old = fs::read(home.store()).unwrap();
        let export = run(&home, &["export"]).success();
        let lines = export.lines().map(|line| {
            let mut row: serde_json::Value = serde_json::from_str(line).unwrap();
            if row.get("name").is_some() {
                row[field] = if value == "issued" { row["issued"].clone() } else { value.clone() };
            }
            format!("{row}\n")
        });
        write_private(&home, "changed.jsonl", &lines.collect::<String>());
        run(&home, &["import", "changed.jsonl", "--on-conflict", "replace"]).success();
        fs::write(home.store(), old).unwrap();
        let check = ["verify", "--scope", "channels:c-1:read", "--from", "192.0.2.1"];
        let checked = run_with_input(&home, &check, &secret);
        assert_eq!(checked.code, 1, "{field}: {checked:?}");
        assert!(!checked.out.contains("expired"), "{field}: {checked:?}");
    }
}

#[test]
fn a_revoke_on_an_older_store_stores_the_other_endings() {
    for first in ["revoke", "delete"] {
        let home = Home::new();
        let ended = issue(&home, &["ended"]);
        issue(&home, &["other"]);
        let old = fs::read(home.store()).unwrap();
        run(&home, &["revoke", "ended", "--yes"]).success();
        fs::write(home.store(), old).unwrap();
        run(&home, &[first, "other", "--yes"]).success();
        let listed = run(&home, &["list", "--status", "revoked", "--columns", "name"]);
        assert!(listed.clone().success().contains("ended"), "{first}: {listed:?}");
        run(&home, &["delete", "ended", "--yes"]).success();
        run(&home, &["restore", "ended"]).success();
        assert_eq!(run_with_input(&home, &["verify"], &ended).code, 1, "{first}");
    }
}

#[test]
fn a_stale_token_that_was_deleted_is_not_restored() {
    for restriction in ["channels:c-1:read", "--all"] {
        let home = Home::new();
        let secret = issue(&home, &["t", "--scope", "channels:c-1:read"]);
        let old = fs::read(home.store()).unwrap();
        if restriction == "--all" {
            run(&home, &["regenerate", "t", "--yes"]).success();
        } else {
            run(&home, &["scope", "remove", "t", restriction]).success();
        }
        fs::write(home.store(), old).unwrap();
        for _ in 0..2 {
            run(&home, &["delete", "t", "--yes"]);
            let restored = run(&home, &["restore", "t"]);
            assert_ne!(restored.code, 0, "{restriction}: {restored:?}");
            let check = ["verify", "--scope", "channels:c-1:read"];
            assert_ne!(run_with_input(&home, &check, &secret).code, 0, "{restriction}");
        }
    }
}

#[test]
fn a_rebuilt_register_protects_from_copies_before_the_rebuild() {
    let damage: [fn(&Home); 2] = [
        |home| fs::remove_file(register(home)).unwrap(),
        |home| {
            let mut bytes = fs::read(register(home)).unwrap();
            bytes[12] ^= 1;
            fs::write(register(home), bytes).unwrap();
        },
    ];
    for damage in damage {
        let home = Home::new();
        let secret = issue(&home, &["t"]);
        let old = fs::read(home.store()).unwrap();
        damage(&home);
        run(&home, &["list"]).success();
        run(&home, &["revoke", "t", "--yes"]).success();
        fs::write(home.store(), old).unwrap();
        assert_eq!(run_with_input(&home, &["verify"], &secret).code, 1);
    }
}

#[test]
fn the_register_of_a_lost_store_stays_in_force() {
    let home = Home::new();
    let secret = issue(&home, &["t"]);
    let old = fs::read(home.store()).unwrap();
    write_private(&home, "changed.jsonl", &run(&home, &["export"]).success());
    run(&home, &["revoke", "t", "--yes"]).success();
    fs::remove_file(home.store()).unwrap();
    let refused = run(&home, &["import", "changed.jsonl"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("was ended in this store"), "{refused:?}");
    run(&home, &["create", "new"]).success();
    fs::write(home.store(), old).unwrap();
    assert_eq!(run_with_input(&home, &["verify"], &secret).code, 1);
}
