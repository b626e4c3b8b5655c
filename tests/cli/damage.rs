//! Damaged records can be removed: tokens by `delete`, everything else by `doctor --repair`.

use crate::{Home, issue, run, trail::flip};

/// A store with the tokens `ci`, whose record is damaged, and `cd`. Returns the id of `ci`.
fn with_damaged_token(home: &Home) -> String {
    issue(home, &["ci", "--description", "needle one"]);
    issue(home, &["cd"]);
    let shown = run(home, &["show", "ci", "--json"]).objects().remove(0);
    flip(home, "needle one");
    shown["token"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_damaged_token_can_be_deleted_and_frees_its_name() {
    for by_name in [false, true] {
        let home = Home::new();
        let id = with_damaged_token(&home);
        let token = if by_name { "ci" } else { &id };
        let hint = "pass --yes";
        let message = "refusing to delete 1 damaged record without confirmation: there is no terminal to ask on";
        run(&home, &["delete", token]).fails_with_hint(2, message, hint);
        let deleted = run(&home, &["delete", token, "--yes"]);
        assert_eq!(deleted.err, format!("Deleted the damaged record {id}\n"));
        assert_eq!(deleted.code, 0);
        let trail = run(&home, &["audit"]).success();
        let event = trail.lines().last().unwrap();
        assert!(event.contains("deleted") && event.ends_with("record was damaged"), "{trail}");
        assert!(event.contains(" ci "), "{trail}");
        let listed = run(&home, &["list", "--json"]);
        assert_eq!((listed.out.lines().count(), listed.err.as_str()), (1, ""));
        issue(&home, &["ci"]);
        let report = run(&home, &["doctor", "--json"]).objects().remove(0);
        assert_eq!(report["store"]["disagreements"], 0, "{report}");
        assert_eq!(report["store"]["repairs"], 0, "{report}");
    }
}

#[test]
fn delete_all_deletes_damaged_records_too() {
    let home = Home::new();
    with_damaged_token(&home);
    let deleted = run(&home, &["delete", "--all", "--yes"]);
    assert_eq!(deleted.err, "Deleted 1 token and 1 damaged record\n");
    let listed = run(&home, &["list", "--status", "all", "--json"]);
    assert_eq!((listed.code, listed.out.as_str(), listed.err.as_str()), (0, "", ""));
    run(&home, &["restore", "cd"]).success();
    run(&home, &["show", "cd"]).success();
}

#[test]
fn the_repair_rebuilds_the_trail_and_keeps_a_copy() {
    let home = Home::new();
    issue(&home, &["ci"]);
    run(&home, &["edit", "ci", "--name", "second"]).success();
    run(&home, &["edit", "second", "--name", "third"]).success();
    flip(&home, "name was second");
    let message = "refusing to make 1 repair without confirmation: there is no terminal to ask on";
    let refused = run(&home, &["doctor", "--repair"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.starts_with("rebuild the audit trail from event 4 on: "), "{refused:?}");
    assert!(refused.err.ends_with(&format!("error: {message}\nhint: pass --yes\n")), "{refused:?}");
    assert_eq!(run(&home, &["audit", "--check"]).code, 1);
    let repaired = run(&home, &["doctor", "--repair", "--yes"]);
    assert_eq!(repaired.code, 0, "{repaired:?}");
    let done = "Done: rebuild the audit trail from event 4 on: ";
    assert!(repaired.err.starts_with(done), "{repaired:?}");
    run(&home, &["audit", "--check"]).success();
    let trail = run(&home, &["audit"]).success();
    assert!(trail.trim_end().ends_with("1 repair made"), "{trail}");
    let copy = format!("{}.before-repair", home.store().display());
    assert_eq!(run(&home, &["audit", "--check", "--store", &copy]).code, 1);
    let again = run(&home, &["doctor", "--repair"]);
    assert_eq!((again.code, again.err.as_str()), (0, "Nothing to repair\n"));
}
