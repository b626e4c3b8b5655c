//! Full disks and read-only file systems: no partial changes, and a revocation succeeds by means of
//! the reserve. Each test mounts a small file system, which requires root; otherwise it is skipped.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use patdeck::{
    domain::Token,
    output::advice::store_message,
    store::{ReadOps, Store, StoreError},
};

use crate::{add_token, at, token, write_to};

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
        let mut file = fs::File::create(self.path().join("filler")).unwrap();
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
fn a_token_can_be_revoked_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount("8m") else {
        return;
    };
    let path = disk.path().join("store.redb");
    let reserve = disk.path().join("store.redb.reserve");
    let secret = command(&path, &["create", "ci"], "").1;
    let store = Store::open(&path).unwrap();
    (0..100).for_each(|n| add_token(&store, n).unwrap());
    assert!(reserve.exists());
    disk.fill();
    // Changes of existing records fit into free pages. New records use the free pages up.
    let new = (1_000..6_000).take_while(|n| {
        add_token(&store, *n).unwrap();
        reserve.exists()
    });
    let new = new.count();
    assert!(!reserve.exists(), "it was released");
    for n in 0..100 {
        let revoked: Token = token(n).revoke(at(1)).unwrap();
        write_to(&store, |rows| rows.put_token(&revoked)).unwrap();
        let found = store.read(|rows| rows.token(&revoked.id)).unwrap();
        assert_eq!(found, Some(revoked));
    }
    let (code, listed) = command(&path, &["list", "--status", "all", "--json"], "");
    assert_eq!((code, listed.lines().count()), (0, 102 + new));
    assert_eq!(command(&path, &["verify"], &secret), (0, "valid: ci\n".to_owned()));
    assert_eq!(command(&path, &["revoke", "ci", "--yes"], "").0, 0);
    assert_eq!(command(&path, &["verify"], &secret).0, 1);
    fs::remove_file(disk.path().join("filler")).unwrap();
    add_token(&store, 9_000).unwrap();
    assert!(reserve.exists());
}

#[test]
fn without_a_reserve_a_full_disk_is_an_error_without_changes() {
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
    assert!((1..5_000).contains(&kept));
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
    fs::remove_file(disk.path().join("filler")).unwrap();
    add_token(&store, 9_000).unwrap();
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
