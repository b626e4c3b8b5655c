//! `scan` and folders: ignore rules, links, special files, and files that cannot be read.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

#[test]
fn ignore_rules_hidden_files_and_links() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    for name in [".env", "build/out", "kept", ".config/x"] {
        fixture.write(name, &secret);
    }
    fixture.write(".ignore", "build/\n");
    symlink("kept", fixture.folder().join("link")).unwrap();
    let files = |arguments: &[&str]| {
        let (_, out, _) = fixture.scan(arguments);
        let files = out.lines().map(|line| line.split(':').next().unwrap().to_owned());
        let mut files: Vec<_> = files.collect();
        files.sort_unstable();
        files
    };
    assert_eq!(files(&["."]), ["./.config/x", "./.env", "./kept"]);
    assert_eq!(files(&[".", "--skip-hidden"]), ["./kept"]);
    let all = ["./.config/x", "./.env", "./build/out", "./kept"];
    assert_eq!(files(&[".", "--no-ignore"]), all);
    assert_eq!(files(&["build/out", "link"]), ["build/out", "link"], "explicit paths");
}

#[test]
fn files_without_read_permission_are_named() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    for name in ["a", "closed/b", "z"] {
        fixture.write(name, &secret);
    }
    let chmod = |mode| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(fixture.folder().join("closed"), permissions.clone()).unwrap();
        fs::set_permissions(fixture.folder().join("a"), permissions).unwrap();
    };
    chmod(0);
    let is_root = fs::File::open(fixture.folder().join("a")).is_ok();
    let (code, out, err) = fixture.scan(&["."]);
    chmod(0o700);
    if !is_root {
        assert_eq!((code, out.lines().count()), (1, 1));
        assert_eq!(err.matches("warning: not searched: ").count(), 2, "{err}");
        assert!(err.contains(", 2 not searched: 1 secret found"));
    }
    let (code, out, err) = fixture.scan(&["z", "no-such-file"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("error: cannot search no-such-file ("), "{err}");
}

#[test]
fn a_file_that_vanishes_is_named() {
    let fixture = Fixture::new();
    fixture.create("ci");
    fixture.write("a", "x");
    symlink("gone", fixture.folder().join("link")).unwrap();
    let (code, _, err) = fixture.scan(&["."]);
    assert_eq!(code, 5);
    assert!(err.starts_with("warning: not searched: ./link: No such file or directory"), "{err}");
}

#[test]
fn links_to_folders_are_searched_once() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    let elsewhere = fixture.home.path().join("elsewhere");
    fs::create_dir_all(elsewhere.join("deep")).unwrap();
    fs::write(elsewhere.join("deep/x"), &secret).unwrap();
    fixture.write("in/a", &secret);
    let link = |target: &Path, name: &str| symlink(target, fixture.folder().join(name)).unwrap();
    link(&elsewhere, "out");
    link(&elsewhere, "again");
    link(Path::new("."), "loop");
    link(Path::new(".."), "in/up");
    fs::hard_link(fixture.folder().join("in/a"), fixture.folder().join("in/b")).unwrap();
    symlink(fixture.folder(), elsewhere.join("back")).unwrap();
    let (code, out, err) = fixture.scan(&["."]);
    assert_eq!((code, out.lines().count()), (1, 2), "{out}{err}");
    assert!(out.contains("/deep/x:1: "), "{out}");
    assert!(err.contains("Searched 2 files: 2 secrets found"), "{err}");
    let (_, out, _) = fixture.scan(&["out", "out", "again"]);
    assert_eq!(out.matches("/deep/x:1: ").count(), 1, "a link as an argument: {out}");
}

#[test]
fn files_of_the_kernel_and_devices_are_named() {
    let fixture = Fixture::new();
    fixture.create("ci");
    symlink("/proc/self", fixture.folder().join("process")).unwrap();
    symlink("/dev/zero", fixture.folder().join("zeros")).unwrap();
    let (code, _, err) = fixture.scan(&[".", "/proc/self", "/dev/zero", "/proc"]);
    assert_eq!(code, 5);
    for path in ["./process", "/proc/self", "/proc"] {
        let named = format!("not searched: {path}: files of the kernel, not of a disk\n");
        assert!(err.contains(&named), "{path}: {err}");
    }
    assert!(err.contains("not searched: ./zeros: a device\n"), "{err}");
    assert!(err.contains("not searched: /dev/zero: a device\n"), "{err}");
}

#[test]
fn a_pipe_in_a_folder_does_not_block() {
    let fixture = Fixture::new();
    fixture.create("ci");
    let status = std::process::Command::new("mkfifo").arg(fixture.folder().join("pipe")).status();
    if status.is_ok_and(|status| status.success()) {
        assert_eq!(fixture.scan(&["."]).0, 0);
    }
}
