//! A full disk: nothing half done, and what is urgent still goes through with the reserve. Needs
//! a small file system of its own, which only root can mount; skipped elsewhere.

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

use crate::{add, at, token, write};

struct Small(tempfile::TempDir);

impl Small {
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

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

/// What the program answers: its exit code and its output.
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
    // One that does not read has ended.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let ended = child.wait_with_output().unwrap();
    (ended.status.code().unwrap(), String::from_utf8(ended.stdout).unwrap())
}

#[test]
fn a_token_can_be_revoked_on_a_full_disk_and_the_reserve_comes_back() {
    let Some(disk) = Small::mount("8m") else {
        return;
    };
    let path = disk.path().join("store.redb");
    let reserve = disk.path().join("store.redb.reserve");
    let secret = command(&path, &["create", "ci"], "").1;
    let store = Store::open(&path).unwrap();
    (0..100).for_each(|n| add(&store, n).unwrap());
    assert!(reserve.exists());
    disk.fill();
    // Changes of old records fit into pages given free before; new ones use those up.
    let new = (1_000..6_000).take_while(|n| {
        add(&store, *n).unwrap();
        reserve.exists()
    });
    let new = new.count();
    assert!(!reserve.exists(), "it was needed");
    for n in 0..100 {
        let revoked: Token = token(n).revoke(at(1)).unwrap();
        write(&store, |rows| rows.put_token(&revoked)).unwrap();
        let found = store.read(|rows| rows.token(&revoked.id)).unwrap();
        assert_eq!(found, Some(revoked));
    }
    let (code, listed) = command(&path, &["list", "--status", "all", "--json"], "");
    assert_eq!((code, listed.lines().count()), (0, 102 + new));
    assert_eq!(command(&path, &["verify"], &secret), (0, "valid: ci\n".to_owned()));
    assert_eq!(command(&path, &["revoke", "ci", "--yes"], "").0, 0);
    assert_eq!(command(&path, &["verify"], &secret).0, 1);
    fs::remove_file(disk.path().join("filler")).unwrap();
    add(&store, 9_000).unwrap();
    assert!(reserve.exists());
}

#[test]
fn when_even_the_reserve_is_used_up_the_store_says_so_and_stays_whole() {
    let Some(disk) = Small::mount("8m") else {
        return;
    };
    let store = Store::open(&disk.path().join("store.redb")).unwrap();
    disk.fill();
    let mut kept = 0;
    let refused = loop {
        match add(&store, kept) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!((1..5_000).contains(&kept));
    assert_eq!(refused, StoreError::Full);
    assert_eq!(
        store_message(&StoreError::Full),
        "the disk is full and nothing was changed: free some space, then try again"
    );
    let fresh = Store::open(&disk.path().join("store.redb")).unwrap();
    for store in [&store, &fresh] {
        assert_eq!(store.read(ReadOps::token_count), Ok(kept as u64));
        let chain = store.read(ReadOps::verify_chain).unwrap();
        assert_eq!((chain.events, chain.broken), (kept as u64, None));
    }
    fs::remove_file(disk.path().join("filler")).unwrap();
    add(&store, 9_000).unwrap();
}

#[test]
fn a_read_only_file_system_can_be_read_and_says_why_it_cannot_be_written() {
    let Some(disk) = Small::mount("8m") else {
        return;
    };
    let path = disk.path().join("store.redb");
    add(&Store::open(&path).unwrap(), 1).unwrap();
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(disk.path()).status();
    assert!(remounted.unwrap().success());
    let store = Store::open(&path).unwrap();
    assert_eq!(store.read(ReadOps::token_count), Ok(1));
    let refused = add(&store, 2).unwrap_err();
    assert_eq!(
        store_message(&refused),
        "the store's file system is read-only and nothing was changed: remount it, or name another store"
    );
}
