//! A damaged revocation register: what it still says is kept, nothing that was ended works again,
//! and `doctor` names the damage and repairs it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::{CommandResult, Home, issue, run, run_with_input, write_private};

/// Bytes of a page, and of the slot of one entry.
const PAGE: usize = 4096;
const SLOT: usize = 128;

/// A store with the tokens `t`, which was regenerated, and `r`, which was revoked, and its secrets.
struct Rotated {
    home: Home,
    current: String,
    replaced: String,
    revoked: String,
}

impl Rotated {
    fn new() -> Self {
        let home = Home::new();
        let (replaced, revoked) = (issue(&home, &["t"]), issue(&home, &["r"]));
        let current = run(&home, &["regenerate", "t", "--yes"]).success().trim_end().to_owned();
        run(&home, &["revoke", "r", "--yes"]).success();
        Self { home, current, replaced, revoked }
    }

    fn register(&self) -> PathBuf {
        self.home.store().with_file_name("store.redb.revoked")
    }

    fn verify(&self, secret: &str) -> CommandResult {
        run_with_input(&self.home, &["verify"], secret)
    }

    /// Asserts that only the current secret works.
    #[track_caller]
    fn decides_as_before(&self) {
        let secrets = [&self.current, &self.replaced, &self.revoked];
        let codes = secrets.map(|secret| self.verify(secret).code);
        assert_eq!(codes, [0, 1, 1], "{:?}", self.verify(&self.current));
    }

    /// The offsets of the slots with an entry.
    fn entries(&self) -> Vec<usize> {
        let bytes = fs::read(self.register()).unwrap();
        (PAGE..bytes.len()).step_by(SLOT).filter(|offset| bytes[*offset] != 0).collect()
    }

    fn flip(&self, offset: usize) {
        let mut bytes = fs::read(self.register()).unwrap();
        bytes[offset] ^= 4;
        fs::write(self.register(), bytes).unwrap();
    }
}

fn truncate(file: &Path, len: u64) {
    fs::File::options().write(true).open(file).unwrap().set_len(len).unwrap();
}

#[test]
fn a_truncated_register_is_rebuilt_by_the_next_command() {
    for len in [0, 50, 4_096, 100_000] {
        let it = Rotated::new();
        truncate(&it.register(), len);
        it.decides_as_before();
        run(&it.home, &["audit", "--check"]).success();
        let doctor = run(&it.home, &["doctor"]);
        assert_eq!(doctor.code, 0, "{len}: {doctor:?}");
    }
}

#[test]
fn an_older_store_with_a_damaged_header_revives_no_secret() {
    let home = Home::new();
    let secret = issue(&home, &["t"]);
    let old = fs::read(home.store()).unwrap();
    run(&home, &["revoke", "t", "--yes"]).success();
    fs::write(home.store(), old).unwrap();
    let register = home.store().with_file_name("store.redb.revoked");
    let mut bytes = fs::read(&register).unwrap();
    bytes[3] ^= 1;
    fs::write(&register, bytes).unwrap();
    assert_eq!(run_with_input(&home, &["verify"], &secret).code, 1);
    let listed = run(&home, &["list", "--status", "all", "--json"]).objects();
    assert_eq!(listed[0]["status"], "revoked");
}

#[test]
fn a_damaged_header_and_a_lost_store_revive_no_secret() {
    for damages_store in [false, true] {
        let it = Rotated::new();
        let home = &it.home;
        run(home, &["backup", "create", "b.redb"]).success();
        run(home, &["revoke", "t", "--yes"]).success();
        it.flip(3);
        if damages_store {
            fs::write(home.store(), [b'x'; 8_192]).unwrap();
        } else {
            fs::remove_file(home.store()).unwrap();
        }
        let restored = run(home, &["backup", "restore", "b.redb", "--yes"]);
        assert_eq!(restored.code, 0, "{restored:?}");
        assert_eq!(it.verify(&it.current).code, 1, "{damages_store}: {restored:?}");
    }
    // A new store takes over what is left of the register.
    let it = Rotated::new();
    let home = &it.home;
    let export = run(home, &["export"]).success();
    write_private(home, "t.jsonl", &export);
    run(home, &["revoke", "t", "--yes"]).success();
    it.flip(3);
    fs::remove_file(home.store()).unwrap();
    let refused = run(home, &["import", "t.jsonl"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    run(home, &["create", "another"]).success();
    assert_eq!(it.verify(&it.current).code, 1);
}

#[test]
fn a_damaged_entry_is_named_and_repaired() {
    let count = Rotated::new().entries().len();
    assert!(count >= 2);
    for number in 0..count {
        // In the id, in the middle and in the checksum of the entry.
        for byte in [1, 40, 126] {
            let it = Rotated::new();
            it.flip(it.entries()[number] + byte);
            assert_ne!(it.verify(&it.revoked).code, 0);
            assert_ne!(it.verify(&it.replaced).code, 0);
            let doctor = run(&it.home, &["doctor"]);
            assert_eq!(doctor.code, 1, "{doctor:?}");
            assert!(doctor.out.contains("the revocation register has 1 damaged record"));
            let repaired = run(&it.home, &["doctor", "--repair", "--yes"]);
            assert!(repaired.err.contains("rebuild the revocation register"), "{repaired:?}");
            it.decides_as_before();
            assert_eq!(run(&it.home, &["doctor"]).code, 0);
            run(&it.home, &["audit", "--check"]).success();
        }
    }
}

#[test]
fn damaged_entries_of_unknown_tokens_are_counted_and_repaired() {
    let it = Rotated::new();
    // Many entries, so that damaged and intact ones share pages.
    for name in 0..60 {
        issue(&it.home, &[&format!("n{name}")]);
    }
    run(&it.home, &["revoke", "--search", "name:n", "--yes"]).success();
    assert!(run(&it.home, &["status"]).out.starts_with("ok: "));
    let offsets = it.entries();
    let mut bytes = fs::read(it.register()).unwrap();
    for offset in offsets.iter().step_by(2) {
        // No token has such an id.
        bytes[*offset] = b'!';
    }
    fs::write(it.register(), bytes).unwrap();
    let damaged = format!("{} damaged records", offsets.len().div_ceil(2));
    let status = run(&it.home, &["status"]);
    assert_eq!(status.code, 1);
    let expected = format!("attention: {damaged} in the revocation register; 1 active token");
    assert!(status.out.starts_with(&expected), "{status:?}");
    let doctor = run(&it.home, &["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.out.contains(&format!("the revocation register has {damaged}")), "{doctor:?}");
    assert!(doctor.out.contains("pages                 intact"), "{doctor:?}");
    run(&it.home, &["doctor", "--repair", "--yes"]).success();
    it.decides_as_before();
    assert!(run(&it.home, &["status"]).out.starts_with("ok: "));
}

#[test]
fn no_secret_is_issued_that_a_damaged_entry_denies() {
    let it = Rotated::new();
    let id = run(&it.home, &["show", "t", "--json"]).objects()[0]["token"]["id"].clone();
    let bytes = fs::read(it.register()).unwrap();
    let is_own = |offset: &usize| bytes[*offset..].starts_with(id.as_str().unwrap().as_bytes());
    it.flip(it.entries().into_iter().find(is_own).unwrap() + 40);
    let refused = run(&it.home, &["regenerate", "t", "--yes"]);
    assert_eq!((refused.code, refused.out.as_str()), (4, ""), "{refused:?}");
    assert!(refused.err.contains("patdeck doctor --repair"), "{refused:?}");
    run(&it.home, &["doctor", "--repair", "--yes"]).success();
    it.decides_as_before();
}

#[test]
fn the_other_entries_of_a_damaged_register_count() {
    let home = Home::new();
    let secrets = ["a", "b", "c"].map(|name| issue(&home, &[name]));
    let old = fs::read(home.store()).unwrap();
    run(&home, &["revoke", "a", "b", "c", "--yes"]).success();
    fs::write(home.store(), old).unwrap();
    let register = home.store().with_file_name("store.redb.revoked");
    let mut bytes = fs::read(&register).unwrap();
    let first = (PAGE..bytes.len()).step_by(SLOT).find(|offset| bytes[*offset] != 0).unwrap();
    // No letter or digit any more: the entry can be that of any token.
    bytes[first] = 1;
    fs::write(&register, bytes).unwrap();
    for secret in secrets {
        assert_ne!(run_with_input(&home, &["verify"], &secret).code, 0);
    }
    let listed = run(&home, &["list", "--status", "all", "--json"]).objects();
    let revoked = listed.iter().filter(|token| token["status"] == "revoked").count();
    assert_eq!(revoked, 2, "{listed:?}");
}

#[test]
fn a_register_that_others_can_read_is_not_replaced() {
    let it = Rotated::new();
    let before = fs::read(it.register()).unwrap();
    fs::set_permissions(it.register(), fs::Permissions::from_mode(0o644)).unwrap();
    for command in [["list"].as_slice(), &["verify"], &["create", "x"]] {
        let result = run_with_input(&it.home, command, &it.revoked);
        assert_eq!(result.code, 4, "{result:?}");
        assert!(result.err.contains("chmod 600"), "{result:?}");
    }
    assert_eq!(fs::read(it.register()).unwrap(), before);
}
