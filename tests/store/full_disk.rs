//! Full disks and read-only file systems: no partial changes, and a revocation succeeds by means of
//! the revocation register. Each test mounts a small file system, which requires root; otherwise it
//! is skipped.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use patdeck::{
    output::advice::store_message,
    store::{ReadOps, Store, StoreError},
};

use crate::add_token;

struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "none"])
            .arg(folder.path())
            .output()
            .is_ok_and(|done| done.status.success());
        if !mounted {
            println!("skipped: only root can mount a small disk");
        }
        mounted.then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn fill(&self) {
        let folder = self.path().join("fillers");
        fs::create_dir_all(&folder).unwrap();
        let number = fs::read_dir(&folder).unwrap().count();
        let Ok(mut file) = fs::File::create(folder.join(number.to_string())) else {
            return;
        };
        for block in [vec![1; 64 << 10], vec![1; 512]] {
            while file.write_all(&block).is_ok() {}
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

/// Runs the program. Returns its exit code and its output.
fn command(store: &Path, arguments: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_patdeck"))
        .arg("--store")
        .arg(store)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Fails if the program exits without reading.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let ended = child.wait_with_output().unwrap();
    (ended.status.code().unwrap(), String::from_utf8(ended.stdout).unwrap())
}

#[test]
fn tokens_can_be_revoked_on_a_disk_that_stays_full() {
    let Some(disk) = SmallDisk::mount("8m") else {
        return;
    };
    let path = disk.path().join("store.redb");
    let names: Vec<String> = (0..100).map(|n| format!("ci-{n}")).collect();
    let secrets: Vec<String> =
        names.iter().map(|name| command(&path, &["create", name], "").1).collect();
    let events = |path| command(path, &["audit", "--json"], "").1.lines().count();
    let before = events(&path);
    for (name, secret) in names.iter().zip(&secrets) {
        // Also the space that the last command gave back.
        disk.fill();
        assert_eq!(command(&path, &["revoke", name, "--yes"], "").0, 0, "{name}");
        assert_eq!(command(&path, &["verify"], secret).0, 1, "{name}");
    }
    let listed = command(&path, &["list", "--status", "revoked", "--json"], "").1;
    assert_eq!(listed.lines().count(), 100);
    fs::remove_dir_all(disk.path().join("fillers")).unwrap();
    // The next write stores what only the register had.
    assert_eq!(command(&path, &["create", "later"], "").0, 0);
    assert_eq!(events(&path), before + 102);
    assert_eq!(command(&path, &["audit", "--check"], "").0, 0);
    assert_eq!(command(&path, &["doctor"], "").0, 0);
}

#[test]
fn a_counted_check_on_a_full_disk_gives_no_answer() {
    let Some(disk) = SmallDisk::mount("8m") else {
        return;
    };
    let path = disk.path().join("store.redb");
    let secret = command(&path, &["create", "ci", "--max-uses", "1000"], "").1;
    let mut allowed = 0;
    let no_answer = loop {
        // Also the space that the last write gave back.
        disk.fill();
        match command(&path, &["verify"], &secret) {
            (0, _) => allowed += 1,
            other => break other,
        }
        assert!(allowed < 500, "the disk is never full");
    };
    assert_eq!(no_answer, (4, String::new()));
    let shown = command(&path, &["show", "ci", "--json"], "").1;
    assert!(shown.contains(&format!("\"uses_left\":{}", 1_000 - allowed)), "{allowed}: {shown}");
    fs::remove_dir_all(disk.path().join("fillers")).unwrap();
    // tmpfs counts freed pages with a delay.
    let is_full = |_: &u32| command(&path, &["verify"], &secret).0 == 4;
    assert!((0..1_000).take_while(is_full).count() < 1_000);
}

/// After `compact`, the file has no free pages, so that the last use that a check writes fails in the
/// middle, and the file needs a repair for which there is no space.
#[test]
fn checks_go_on_if_a_full_disk_prevents_a_repair() {
    let Some(disk) = SmallDisk::mount("1m") else {
        return;
    };
    let path = disk.path().join("store.redb");
    let names: Vec<String> = (0..12).map(|n| format!("ci-{n}")).collect();
    let scope = ["--scope", "channels:a:publish"];
    let create = |name: &String| command(&path, &["create", name, scope[0], scope[1]], "").1;
    let secrets: Vec<String> = names.iter().map(create).collect();
    for n in 0..40 {
        let scope = format!("clients:x{n}:read");
        assert_eq!(command(&path, &["scope", "add", "ci-1", &scope], "").0, 0);
    }
    assert_eq!(command(&path, &["compact"], "").0, 0);
    disk.fill();
    for secret in secrets.iter().cycle().take(30) {
        assert_eq!(command(&path, &["verify", scope[0], scope[1]], secret).0, 0);
        assert_eq!(command(&path, &["list"], "").0, 0);
        disk.fill();
    }
    assert_eq!(command(&path, &["revoke", "ci-2", "--yes"], "").0, 0);
    assert_eq!(command(&path, &["verify"], secrets.get(2).unwrap()).0, 1);
    fs::remove_dir_all(disk.path().join("fillers")).unwrap();
    assert_eq!(command(&path, &["create", "later"], "").0, 0);
    assert_eq!(command(&path, &["doctor"], "").0, 0);
}

/// A write of the register that failed leaves it as an older copy: it lacks what the store contains.
#[test]
fn an_older_register_is_completed_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount("8m") else {
        return;
    };
    let path = disk.path().join("store.redb");
    let register = disk.path().join("store.redb.revoked");
    let secrets = ["ci-0", "ci-1", "ci-2"].map(|name| command(&path, &["create", name], "").1);
    let older = fs::read(&register).unwrap();
    assert_eq!(command(&path, &["revoke", "ci-0", "--yes"], "").0, 0);
    fs::write(&register, &older).unwrap();
    let checks = || {
        disk.fill();
        secrets.each_ref().map(|secret| command(&path, &["verify"], secret).0)
    };
    let free = || fs::remove_dir_all(disk.path().join("fillers")).unwrap();
    assert_eq!(checks(), [1, 0, 0]);
    assert_eq!(command(&path, &["list"], "").0, 0);
    let rebuilt = || command(&path, &["audit", "--action", "register-rebuild", "--json"], "").1;
    assert_eq!(rebuilt(), "");
    free();
    // Now there is space for the event, once.
    for name in ["later", "last"] {
        assert_eq!(command(&path, &["create", name], "").0, 0);
        assert_eq!(rebuilt().lines().count(), 1);
    }
    fs::write(&register, &older).unwrap();
    assert_eq!(checks(), [1, 0, 0]);
    assert_eq!(command(&path, &["revoke", "ci-2", "--yes"], "").0, 0);
    assert_eq!(checks(), [1, 0, 1]);
    free();
    assert_eq!(command(&path, &["create", "final"], "").0, 0);
    assert_eq!(checks(), [1, 0, 1]);
    free();
    assert_eq!(command(&path, &["doctor"], "").0, 0);
}

#[test]
fn another_change_on_a_full_disk_changes_nothing() {
    let Some(disk) = SmallDisk::mount("8m") else {
        return;
    };
    let store = Store::open(&disk.path().join("store.redb")).unwrap();
    disk.fill();
    let mut kept = 0;
    let refused = loop {
        match add_token(&store, kept) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(kept < 5_000);
    assert_eq!(refused, StoreError::Full);
    assert_eq!(
        store_message(&StoreError::Full),
        "the disk is full; nothing was changed: free some space, then try again"
    );
    let fresh = Store::open(&disk.path().join("store.redb")).unwrap();
    for store in [&store, &fresh] {
        assert_eq!(store.read(ReadOps::token_count), Ok(kept as u64));
        let chain = store.read(ReadOps::verify_chain).unwrap();
        assert_eq!((chain.events, chain.first_fault), (kept as u64, None));
    }
    fs::remove_dir_all(disk.path().join("fillers")).unwrap();
    // tmpfs counts freed pages with a delay.
    let is_full = |_: &u32| add_token(&store, 9_000) == Err(StoreError::Full);
    assert!((0..1_000).take_while(is_full).count() < 1_000);
    assert_eq!(store.read(ReadOps::token_count), Ok(kept as u64 + 1));
}

#[test]
fn a_read_only_file_system_can_be_read_but_not_written() {
    let Some(disk) = SmallDisk::mount("8m") else {
        return;
    };
    let path = disk.path().join("store.redb");
    add_token(&Store::open(&path).unwrap(), 1).unwrap();
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(disk.path()).status();
    assert!(remounted.unwrap().success());
    let store = Store::open(&path).unwrap();
    assert_eq!(store.read(ReadOps::token_count), Ok(1));
    let refused = add_token(&store, 2).unwrap_err();
    assert_eq!(
        store_message(&refused),
        "the store's file system is read-only; nothing was changed: remount the file system as writable, or use another store"
    );
}
