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
    assert!(report.out.contains("regenerate it, or delete and restore it"), "{report:?}");
    let import = ["import", "a.jsonl", "--on-conflict", "replace"];
    let refused = run(&home, &import);
    assert!(refused.code == 3 && refused.err.contains("was ended in this store"), "{refused:?}");
    // The repetition of an import completes it.
    run(&home, &[import.as_slice(), &["--yes"]].concat()).success();
    assert_eq!(run_with_input(&home, &["verify"], &secret).code, 0);
    assert_eq!(run(&home, &["doctor"]).code, 0);
}
