//! The exit codes for files other than the store, and for the standard descriptors: 3 if a file to
//! write exists, 2 if a file or the output cannot be read or written, and 2 before anything is done
//! if a descriptor is closed. If a change was made but its result cannot be printed: 5.

use std::{
    fs, io,
    os::unix::fs::symlink,
    process::{Command, Stdio},
};

use chrono::TimeDelta;

use crate::{CommandResult, Home, issue, run, trail::flip_in};

/// Each command that writes a file, with `FILE` for its path.
const WRITERS: &[&[&str]] = &[
    &["create", "new", "--secret-file", "FILE"],
    &["regenerate", "ci", "--yes", "--secret-file", "FILE"],
    &["export", "--output", "FILE"],
    &["backup", "FILE"],
];

/// Each command that reads a file, with `FILE` for its path.
const READERS: &[&[&str]] = &[
    &["verify", "--secret-file", "FILE"],
    &["import", "FILE"],
    &["scan", "FILE"],
    &["list", "--config", "FILE"],
    &["config", "check", "--config", "FILE"],
];

/// A command line of every command, including those that change the store.
const COMMANDS: &[&str] = &[
    "list",
    "list --json",
    "show ci",
    "create new",
    "edit ci --name ci --json",
    "scope add ci channels:c-1:read --json",
    "scope remove ci channels:c-1:read --json",
    "scope clear ci --yes --json",
    "regenerate ci --yes",
    "revoke old --yes --json",
    "delete old --yes --json",
    "restore old --json",
    "delete old --yes --json",
    "backup create \"$(mktemp -u)\" --json",
    "backup check b.redb --json",
    "backup restore b.redb --yes --json",
    "import export.jsonl --on-conflict skip --json",
    "scan ci.secret --json",
    "compact --json",
    "clock --json",
    "verify --secret-file ci.secret",
    "verify --secret-file ci.secret --json",
    "verify --lines <requests",
    "audit",
    "audit --check",
    "scan --regex",
    "export",
    "completions bash",
    "man",
    "config path",
    "config check",
    "config show",
    "doctor",
    "--help",
    "--version",
    "list --help",
];

fn with_file(arguments: &[&str], file: &str) -> Vec<String> {
    let word = |word: &&str| if *word == "FILE" { file } else { word }.to_owned();
    arguments.iter().map(word).collect()
}

fn run_on(home: &Home, arguments: &[&str], file: &str) -> CommandResult {
    let words = with_file(arguments, file);
    run(home, &words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn shell(home: &Home, line: &str) -> (i32, String) {
    let mut command = Command::new("sh");
    command.args(["-c", line]).env_clear().env("HOME", home.path()).current_dir(home.path());
    command.env("P", env!("CARGO_BIN_EXE_patdeck")).env("LANG", "C.UTF-8");
    let done = command.output().unwrap();
    (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap())
}

#[test]
fn a_file_to_write_has_the_same_exit_code_in_every_command() {
    let home = Home::new();
    issue(&home, &["ci"]);
    fs::write(home.path().join("kept"), "mine").unwrap();
    symlink(home.path().join("nowhere"), home.path().join("dangling")).unwrap();
    for arguments in WRITERS {
        for (file, code) in [("kept", 3), ("dangling", 3), ("no/such/file", 2), ("nosuch/", 2)] {
            let result = run_on(&home, arguments, file);
            assert_eq!(result.code, code, "{arguments:?} {file}: {result:?}");
            assert!(!result.err.contains("start patdeck again"), "{result:?}");
        }
    }
}

#[test]
fn a_file_to_read_has_the_same_exit_code_in_every_command() {
    let home = Home::new();
    issue(&home, &["ci"]);
    fs::create_dir(home.path().join("folder")).unwrap();
    for arguments in READERS {
        let result = run_on(&home, arguments, "missing");
        assert_eq!(result.code, 2, "{arguments:?}: {result:?}");
        let result = run_on(&home, arguments, "folder");
        let is_scan = arguments[0] == "scan";
        assert_eq!(result.code, if is_scan { 0 } else { 2 }, "{arguments:?}: {result:?}");
    }
}

#[test]
fn a_full_output_is_an_error_of_every_command() {
    let home = Home::new();
    issue(&home, &["ci", "--secret-file", "ci.secret"]);
    issue(&home, &["old"]);
    fs::copy(home.path().join("ci.secret"), home.path().join("requests")).unwrap();
    run(&home, &["backup", "b.redb"]).success();
    run(&home, &["export", "--output", "export.jsonl"]).success();
    for line in COMMANDS {
        let (code, err) = shell(&home, &format!("\"$P\" {line} >/dev/full"));
        // 5: the change was made. A secret is printed before the change.
        let changes = [
            "edit",
            "scope",
            "revoke",
            "delete",
            "restore",
            "backup cr",
            "backup r",
            "import",
            "compact",
        ];
        let is_change = changes.iter().any(|change| line.starts_with(change));
        assert_eq!(code, if is_change { 5 } else { 2 }, "{line}: {err}");
        assert!(err.contains("cannot "), "{line}: {err}");
    }
}

#[test]
fn a_closed_descriptor_is_an_error_before_anything_is_done() {
    let home = Home::new();
    issue(&home, &["ci", "--secret-file", "ci.secret"]);
    let before = run(&home, &["audit"]).success();
    for line in COMMANDS {
        if line.contains('<') {
            continue;
        }
        let closed = [
            ("<&-", "input"),
            (">&-", "output"),
            ("1</dev/null", "output"),
            ("2>&-", "error"),
            ("2</dev/null", "error"),
        ];
        for (closed, name) in closed {
            let (code, err) = shell(&home, &format!("\"$P\" {line} {closed}"));
            assert_eq!(code, 2, "{line} {closed}: {err}");
            let message = format!("error: standard {name} is closed");
            assert!(closed.starts_with('2') || err.starts_with(&message), "{line}: {err}");
        }
    }
    assert_eq!(run(&home, &["audit"]).success(), before);
    assert_eq!(shell(&home, "\"$P\" list </dev/null >/dev/null 2>/dev/null").0, 0);
    assert_eq!(shell(&home, "\"$P\" list <>/dev/null 1<>/dev/null").0, 0);
}

#[test]
fn the_file_size_limit_is_an_error_without_changes() {
    let home = Home::new();
    // The largest file may have 2 blocks of 512 bytes, so that no store fits.
    let (code, err) = shell(&home, "ulimit -f 2; \"$P\" create ci --lifetime 1d");
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("the file size limit is reached; nothing was changed"), "{err}");
    assert!(!home.store().exists());
    // A write that fails after the first block leaves a file that needs a repair, which fails too.
    issue(&home, &["ci"]);
    for line in ["create other", "list", "revoke ci --yes", "doctor"] {
        let (_, err) = shell(&home, &format!("ulimit -f 1; \"$P\" {line}"));
        assert!(!err.contains("damaged"), "{line}: {err}");
    }
    assert_eq!(run(&home, &["list", "--json"]).objects().len(), 1);
    run(&home, &["doctor"]).success();
}

/// A backup is checked in a copy, in the temporary folder.
#[test]
fn without_space_for_the_copy_a_backup_is_not_called_faulty() {
    let home = Home::new();
    issue(&home, &["ci"]);
    run(&home, &["backup", "b.redb"]).success();
    for line in ["backup check b.redb", "backup restore b.redb --yes"] {
        let (code, err) = shell(&home, &format!("ulimit -f 1; TMPDIR=$PWD \"$P\" {line}"));
        assert!(code == 2 || code == 4, "{line}: {code} {err}");
        assert!(err.contains("cannot write "), "{line}: {err}");
        assert!(!err.contains("fault") && !err.contains("refusing"), "{line}: {err}");
    }
}

/// Runs `arguments` with an output whose reader has gone, and returns the exit code.
fn code_without_reader(home: &Home, arguments: &[&str]) -> i32 {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = crate::command(home, arguments);
    let done = command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    let err = String::from_utf8(done.stderr).unwrap();
    assert!(!err.contains("cannot write"), "{arguments:?}: {err}");
    done.status.code().unwrap()
}

#[test]
fn a_reader_that_is_gone_does_not_change_the_exit_code() {
    let home = Home::new();
    issue(&home, &["ci", "--lifetime", "60d"]);
    run(&home, &["backup", "intact"]).success();
    let damaged = home.path().join("damaged");
    fs::copy(home.path().join("intact"), &damaged).unwrap();
    flip_in(&damaged, "created");
    fs::write(home.path().join("faulty.toml"), "colour = 1\n").unwrap();
    let hook = "[[hook]]\nname = \"fails\"\non = [\"edit\"]\nrun = [\"/no/such/program\"]\n";
    fs::write(home.path().join("hooked.toml"), hook).unwrap();
    let config = ["--config", "hooked.toml"];
    run(&home, &[&["edit", "ci", "--description", "x"], &config[..]].concat()).success();
    home.seed("ahead", "", "30d", TimeDelta::days(-9));
    let same_with_reader: &[(&[&str], i32)] = &[
        (&["clock"], 1),
        (&["backup", "check", "damaged"], 1),
        (&["backup", "check", "intact"], 0),
        (&["config", "check", "--config", "faulty.toml"], 2),
        (&["status"], 1),
        (&["doctor"], 1),
        (&["list", "--expiring", "1d"], 1),
        (&["list", "--expiring", "90d"], 0),
        (&["hooks", "run", "--config", "hooked.toml"], 5),
        (&["export"], 0),
        (&["help"], 0),
    ];
    for &(arguments, code) in same_with_reader {
        for format in [&[][..], &["--json"]] {
            let arguments = [arguments, format].concat();
            let result = run(&home, &arguments);
            assert_eq!(result.code, code, "{arguments:?}: {result:?}");
            assert_eq!(code_without_reader(&home, &arguments), code, "{arguments:?}");
        }
    }
}

#[test]
fn a_secret_that_nobody_can_read_is_not_issued() {
    let home = Home::new();
    for format in ["secret", "env"] {
        let arguments = ["create", "new", "--format", format];
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let done = crate::command(&home, &arguments).stdout(writer).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{done:?}");
        assert_eq!(run(&home, &["show", "new"]).code, 1);
    }
}
