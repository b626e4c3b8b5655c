//! What commands say about an older copy of the store, and about a token that only the revocation
//! register denies: no command says that all is well.

use std::fs;

use crate::{Home, issue, run, run_with_input, write_private};

#[test]
fn a_scan_on_an_older_copy_does_not_say_that_all_is_well() {
    let home = Home::new();
    issue(&home, &["a"]);
    let old = fs::read(home.store()).unwrap();
    let secret = run(&home, &["regenerate", "a", "--yes"]).success();
    fs::write(home.store(), old).unwrap();
    write_private(&home, "leak", &secret);
    let scanned = run(&home, &["scan", "leak"]);
    assert_eq!(scanned.code, 5, "{scanned:?}");
    assert!(scanned.out.contains("out-of-date  a"), "{scanned:?}");
    assert!(scanned.err.contains("revoke or delete the token"), "{scanned:?}");
    let status = run(&home, &["status"]);
    assert_eq!(status.code, 1, "{status:?}");
    assert!(status.out.contains("1 token out of date"), "{status:?}");
}

/// Puts an older copy of the store back, from before `a` was revoked, or before it was created.
fn put_back_older_copy(is_in_copy: bool) -> Home {
    let home = Home::new();
    issue(&home, &["other"]);
    let before = fs::read(home.store()).unwrap();
    issue(&home, &["a"]);
    let with_token = fs::read(home.store()).unwrap();
    run(&home, &["revoke", "a", "--yes"]).success();
    assert!(run(&home, &["status"]).out.starts_with("ok: "));
    fs::write(home.store(), if is_in_copy { with_token } else { before }).unwrap();
    home
}

#[test]
fn every_older_copy_that_lacks_an_ending_is_reported() {
    for is_in_copy in [true, false] {
        let home = put_back_older_copy(is_in_copy);
        let status = run(&home, &["status"]);
        assert_eq!(status.code, 1, "{status:?}");
        assert!(status.out.contains("an older copy of the store was put back"), "{status:?}");
        let listed = run(&home, &["list"]);
        assert!(listed.err.contains("an older copy was put back"), "{listed:?}");
        assert_eq!(run(&home, &["doctor"]).code, 1);
        // A change takes over what the copy lacks.
        issue(&home, &["next"]);
        let status = run(&home, &["status"]);
        assert!(status.out.starts_with("ok: "), "{status:?}");
        assert_eq!(run(&home, &["doctor"]).code, 0);
    }
}

#[test]
fn a_token_deleted_in_an_older_copy_is_reported_and_ended() {
    let home = Home::new();
    issue(&home, &["a"]);
    run(&home, &["delete", "a", "--yes"]).success();
    let old = fs::read(home.store()).unwrap();
    run(&home, &["restore", "a"]).success();
    let secret = run(&home, &["regenerate", "a", "--yes"]).success();
    let newer = fs::read(home.store()).unwrap();
    fs::write(home.store(), old).unwrap();
    for report in ["status", "doctor"] {
        let reported = run(&home, &[report]);
        assert!(reported.code == 1 && reported.out.contains("out of date"), "{reported:?}");
    }
    write_private(&home, "leak", &secret);
    let scanned = run(&home, &["scan", "leak", "--revoke", "--yes"]);
    assert!(scanned.code == 5 && scanned.out.contains("out-of-date  a"), "{scanned:?}");
    assert_eq!(run(&home, &["restore", "a"]).code, 3);
    let asked = run(&home, &["revoke", "a"]);
    assert!(asked.code == 1 && asked.err.contains("add --yes to end it for good"), "{asked:?}");
    let ended = run(&home, &["revoke", "a", "--yes"]);
    assert!(ended.code == 0 && ended.err.contains("Ended a for good"), "{ended:?}");
    assert!(run(&home, &["status"]).out.starts_with("ok: "));
    assert_eq!(run(&home, &["doctor"]).code, 0);
    assert_eq!(run(&home, &["restore", "a"]).code, 3);
    fs::write(home.store(), newer).unwrap();
    assert_eq!(run_with_input(&home, &["verify"], &secret).code, 1);
}

#[test]
fn a_revoke_on_an_older_copy_is_not_refused_as_already_done() {
    let home = Home::new();
    let secret = issue(&home, &["a"]);
    let old = fs::read(home.store()).unwrap();
    run(&home, &["delete", "a", "--yes"]).success();
    let newer = fs::read(home.store()).unwrap();
    fs::write(home.store(), old).unwrap();
    let refused = run(&home, &["revoke", "a", "--yes"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("delete it to end it in both"), "{refused:?}");
    run(&home, &["delete", "a", "--yes"]).success();
    fs::write(home.store(), newer).unwrap();
    run(&home, &["restore", "a"]);
    assert_eq!(run_with_input(&home, &["verify"], &secret).code, 1);
}

#[test]
fn a_token_that_only_the_register_denies_is_reported() {
    let home = Home::new();
    let register = format!("{}.revoked", home.store().display());
    let secret = issue(&home, &["a"]);
    write_private(&home, "a.jsonl", &run(&home, &["export"]).success());
    run(&home, &["delete", "a", "--yes"]).success();
    // The state after a restore that was killed before it wrote the register.
    let before = fs::read(&register).unwrap();
    run(&home, &["restore", "a"]).success();
    fs::write(&register, before).unwrap();
    assert_eq!(run_with_input(&home, &["verify"], &secret).code, 1);
    let report = run(&home, &["doctor"]);
    assert_eq!(report.code, 1, "{report:?}");
    assert!(report.out.contains("regenerate it, or revoke it"), "{report:?}");
    let status = run(&home, &["status"]);
    assert!(status.code == 1 && status.out.starts_with("attention: 1 active token denied;"));
    let import = ["import", "a.jsonl", "--on-conflict", "replace"];
    let refused = run(&home, &import);
    assert!(refused.code == 3 && refused.err.contains("was ended in this store"), "{refused:?}");
    // The repetition of an import completes it.
    run(&home, &[import.as_slice(), &["--yes"]].concat()).success();
    assert_eq!(run_with_input(&home, &["verify"], &secret).code, 0);
    assert_eq!(run(&home, &["doctor"]).code, 0);
}

/// Offset of the mark in the start of the register.
const MARK: usize = 82;

#[test]
fn a_damaged_mark_is_no_older_copy_and_hides_none() {
    let home = Home::new();
    issue(&home, &["a"]);
    let older = fs::read(home.store()).unwrap();
    run(&home, &["revoke", "a", "--yes"]).success();
    let register = format!("{}.revoked", home.store().display());
    let mut bytes = fs::read(&register).unwrap();
    bytes[MARK + 20] ^= 1;
    fs::write(&register, &bytes).unwrap();
    let newest = fs::read(home.store()).unwrap();
    fs::write(home.store(), older).unwrap();
    assert!(run(&home, &["status"]).out.contains("an older copy of the store was put back"));
    fs::write(home.store(), newest).unwrap();
    let status = run(&home, &["status"]);
    assert!(status.out.starts_with("ok: "), "{status:?}");
    assert!(status.err.contains("the revocation register was missing, damaged or older"));
    assert!(run(&home, &["status"]).err.is_empty(), "it was rebuilt");
}

#[test]
fn a_copy_is_reported_also_after_its_register_was_rebuilt() {
    let home = Home::new();
    let secret = issue(&home, &["checked"]);
    for name in ["before", "after"] {
        issue(&home, &[name]);
    }
    // The copy has an ending: its register is not that of a new store.
    run(&home, &["revoke", "before", "--yes"]).success();
    let older = fs::read(home.store()).unwrap();
    run(&home, &["revoke", "after", "--yes"]).success();
    let register = format!("{}.revoked", home.store().display());
    let mut bytes = fs::read(&register).unwrap();
    bytes[MARK + 20] ^= 1;
    fs::write(&register, &bytes).unwrap();
    fs::write(home.store(), older).unwrap();
    // A check rebuilds the register, and reports nothing itself.
    assert_eq!(run_with_input(&home, &["verify"], &secret).code, 0);
    let is_reported = || {
        let status = run(&home, &["status"]);
        status.code == 1 && status.out.contains("an older copy of the store was put back")
    };
    assert!(is_reported() && is_reported());
    // The next change stores the ending.
    issue(&home, &["later"]);
    assert!(!is_reported());
    assert!(run(&home, &["show", "after"]).success().contains("revoked"));
}

#[test]
fn the_newest_store_is_no_older_copy_when_it_returns() {
    let home = Home::new();
    issue(&home, &["a"]);
    let older = fs::read(home.store()).unwrap();
    run(&home, &["revoke", "a", "--yes"]).success();
    let newest = fs::read(home.store()).unwrap();
    fs::write(home.store(), older).unwrap();
    // The copy stores the ending, and the register marks its state.
    issue(&home, &["beside"]);
    fs::write(home.store(), newest).unwrap();
    let status = run(&home, &["status"]);
    assert!(status.out.starts_with("ok: ") && status.err.is_empty(), "{status:?}");
}
