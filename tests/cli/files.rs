//! Files: what the program makes is its owner's alone whatever the umask, and what it is handed
//! is refused when others could have read or changed it, with the command that mends it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Ended, Home, issue, run};

/// Every file and folder below `folder`.
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
fn whatever_is_made_is_its_owners_alone_under_any_umask() {
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
            // `.local`, `.config` and what is in them on the way are made by us, too.
            let expected = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&path), expected, "{} under {umask}", path.display());
        }
    }
}

#[test]
fn what_others_could_have_read_or_changed_is_not_believed() {
    let home = Home::new();
    let at = |name: &str| home.path().join(name);
    issue(&home, &["ci", "--secret-file", "ci.secret"]);
    run(&home, &["export", "--output", "tokens.jsonl"]).done();
    fs::write(at("own.toml"), "").unwrap();
    let commands: [(&str, &[&str], u32, &str); 3] = [
        ("ci.secret", &["verify", "--secret-file", "ci.secret"], 0o640, "chmod 600"),
        ("tokens.jsonl", &["import", "tokens.jsonl", "--dry-run"], 0o666, "chmod go-w"),
        ("own.toml", &["list", "--config", "own.toml"], 0o664, "chmod go-w"),
    ];
    for (name, command, loose, fix) in commands {
        let path = at(name);
        let refused = |sentence: &str| {
            let Ended { code, out, err } = run(&home, command);
            assert_eq!((code, out.as_str()), (4, ""), "{name}: {err}");
            assert!(err.contains(sentence), "{name}: {err}");
        };
        chmod(&path, loose);
        refused(&format!("{name} is open to others (mode {loose:04o}): run `{fix} "));
        chmod(&path, 0o600);
        if chown(&path, Some(4_242), None).is_ok() {
            refused("belongs to user 4242");
            chown(&path, Some(rustix::process::geteuid().as_raw()), None).unwrap();
        }
        let ended = run(&home, command);
        assert_ne!(ended.code, 4, "{ended:?}");
    }
}

#[test]
fn nothing_is_written_through_a_link_or_over_a_file() {
    let home = Home::new();
    let at = |name: &str| home.path().join(name);
    run(&home, &["create", "ci"]).done();
    fs::write(at("kept"), "mine").unwrap();
    symlink(at("kept"), at("link")).unwrap();
    symlink(at("nowhere"), at("loose-end")).unwrap();
    for to in ["kept", "link", "loose-end"] {
        for command in [
            &["backup", to][..],
            &["export", "--output", to],
            &["create", "new", "--secret-file", to],
        ] {
            let ended = run(&home, command);
            assert_ne!(ended.code, 0, "{command:?}");
            assert!(ended.err.contains("exists already and was left as it is"), "{ended:?}");
        }
    }
    assert_eq!(fs::read_to_string(at("kept")).unwrap(), "mine");
    assert!(!at("nowhere").exists());
    assert_eq!(run(&home, &["list", "--json"]).objects().len(), 1, "no secret was lost");
}
