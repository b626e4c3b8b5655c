//! File permissions: files that patdeck creates are private under any umask, and input files that
//! other users could read or change are rejected with the command that fixes them.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{CommandResult, Home, issue, run};

/// Returns every file and folder below `folder`.
fn below(folder: &Path) -> Vec<PathBuf> {
    let inside = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    inside
        .flat_map(|path| {
            let inner = if path.is_dir() { below(&path) } else { vec![] };
            [vec![path], inner].concat()
        })
        .collect()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn created_files_are_private_under_any_umask() {
    for umask in ["000", "022", "077"] {
        let home = Home::new();
        let program = env!("CARGO_BIN_EXE_patdeck");
        let script = format!(
            "umask {umask}; set -e; p={program}
             $p create ci --secret-file ci.secret; $p export --output tokens.jsonl
             $p backup copy.redb; $p config init; $p regenerate ci --yes --secret-file new.secret
             $p verify --secret-file new.secret; $p import tokens.jsonl --on-conflict skip"
        );
        let done = Command::new("sh")
            .args(["-c", &script])
            .env_clear()
            .env("HOME", home.path())
            .current_dir(home.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let all = below(&home.path());
        assert!(all.len() >= 9, "{all:?}");
        for path in all {
            // patdeck also creates `.local`, `.config` and the folders below them.
            let expected = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&path), expected, "{} under {umask}", path.display());
        }
    }
}

#[test]
fn input_files_with_insecure_permissions_are_rejected() {
    let home = Home::new();
    let at = |name: &str| home.path().join(name);
    issue(&home, &["ci", "--secret-file", "ci.secret"]);
    run(&home, &["export", "--output", "tokens.jsonl"]).success();
    fs::write(at("own.toml"), "").unwrap();
    let commands: [(&str, &[&str], u32, &str); 3] = [
        ("ci.secret", &["verify", "--secret-file", "ci.secret"], 0o640, "chmod 600"),
        ("tokens.jsonl", &["import", "tokens.jsonl", "--dry-run"], 0o666, "chmod go-w"),
        ("own.toml", &["list", "--config", "own.toml"], 0o664, "chmod go-w"),
    ];
    for (name, command, insecure_mode, fix) in commands {
        let path = at(name);
        let is_rejected = |message: &str| {
            let CommandResult { code, out, err } = run(&home, command);
            assert_eq!((code, out.as_str()), (2, ""), "{name}: {err}");
            assert!(err.contains(message), "{name}: {err}");
        };
        chmod(&path, insecure_mode);
        is_rejected(&format!(
            "{name} is accessible to other users (mode {insecure_mode:04o})\nhint: run `{fix} "
        ));
        chmod(&path, 0o600);
        if chown(&path, Some(4_242), None).is_ok() {
            is_rejected("belongs to user 4242");
            chown(&path, Some(rustix::process::geteuid().as_raw()), None).unwrap();
        }
        let result = run(&home, command);
        assert_ne!(result.code, 2, "{result:?}");
    }
}

#[test]
fn existing_files_and_links_are_never_overwritten() {
    let home = Home::new();
    let at = |name: &str| home.path().join(name);
    run(&home, &["create", "ci"]).success();
    fs::write(at("kept"), "mine").unwrap();
    symlink(at("kept"), at("link")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    for to in ["kept", "link", "dangling"] {
        for command in [
            &["backup", to][..],
            &["export", "--output", to],
            &["create", "new", "--secret-file", to],
        ] {
            let result = run(&home, command);
            assert_ne!(result.code, 0, "{command:?}");
            assert!(result.err.contains("already exists and was not changed"), "{result:?}");
        }
    }
    assert_eq!(fs::read_to_string(at("kept")).unwrap(), "mine");
    assert!(!at("nowhere").exists());
    assert_eq!(run(&home, &["list", "--json"]).objects().len(), 1, "no token was created");
}
