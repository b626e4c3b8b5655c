//! A clock that ran ahead and was set back: nothing is granted, restricting changes work, and
//! `clock accept` ends it. The store is filled by a service whose clock is ahead.

use chrono::TimeDelta;
use serde_json::json;

use crate::{Home, issue, run, run_with_input};

/// A home with the token `ci`, and one change of a clock that was 9 years ahead.
fn home_after_a_fast_clock() -> (Home, String) {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--lifetime", "30d"]);
    home.seed("glitch", "", "1d", TimeDelta::days(-9 * 365));
    (home, secret)
}

#[test]
fn a_clock_that_once_ran_ahead_grants_nothing() {
    let (home, _) = home_after_a_fast_clock();
    let export = run(&home, &["export"]).success();
    run(&home, &["backup", "b.redb"]).success();
    let delete = run(&home, &["delete", "glitch", "--yes"]);
    assert_eq!(delete.code, 0, "{delete:?}");
    let commands: [&[&str]; 7] = [
        &["create", "new"],
        &["create", "clone", "--like", "ci"],
        &["regenerate", "ci", "--yes", "--lifetime", "1h"],
        &["regenerate", "ci", "--yes", "--overlap", "1h"],
        &["restore", "glitch"],
        &["import", "-"],
        &["backup", "restore", "b.redb", "--yes"],
    ];
    for command in commands {
        let result = run_with_input(&home, command, &export);
        assert_eq!(result.code, 3, "{command:?}: {result:?}");
        assert!(result.err.contains("is behind the newest time in the store ("), "{result:?}");
        assert!(result.err.contains("patdeck clock accept"), "{result:?}");
    }
    for command in [["edit", "ci", "--description", "x"].as_slice(), &["revoke", "ci", "--yes"]] {
        assert_eq!(run(&home, command).code, 0, "{command:?}");
    }
    assert_eq!(run(&home, &["audit", "--check"]).code, 0);
}

#[test]
fn accepting_the_clock_lets_it_decide_again() {
    let (home, secret) = home_after_a_fast_clock();
    let shown = run(&home, &["clock", "--json"]);
    assert_eq!(shown.code, 1, "{shown:?}");
    let facts = &shown.objects()[0];
    assert_eq!(facts["behind"], true);
    assert_eq!(facts["expired_early"].as_array().unwrap().len(), 1);
    assert_eq!(facts["issued_in_future"].as_array().unwrap().len(), 1);
    let refused = run(&home, &["clock", "accept"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    for line in [
        "1 expired token will become valid again.",
        "refusing to accept this machine's clock without confirmation: there is no terminal to ask on",
        "hint: pass --yes",
    ] {
        assert!(refused.err.contains(line), "{line}\n{}", refused.err);
    }
    let verify =
        |arguments: &[&str]| run_with_input(&home, &[&["verify"], arguments].concat(), &secret);
    let denied = verify(&["--explain"]);
    assert_eq!(denied.code, 1);
    assert!(
        denied.out.contains("only because the clock is behind the newest time in the store"),
        "{denied:?}"
    );
    assert!(denied.out.contains("patdeck clock"), "{denied:?}");
    assert_eq!(verify(&["--json"]).objects()[0]["clock_behind"], true);
    let doctor = run(&home, &["doctor"]).out;
    for problem in [
        "expired according to the newest time in the store, although not according to the clock",
        "issued after the time of the clock",
        "is behind the newest time in the store",
    ] {
        assert!(doctor.contains(problem), "{problem}\n{doctor}");
    }
    assert_eq!(run(&home, &["clock", "accept", "--yes"]).code, 0);
    assert_eq!(verify(&[]).code, 0);
    assert_eq!(verify(&["--json"]).objects()[0]["clock_behind"], false);
    let created = run(&home, &["create", "new", "--lifetime", "1h", "--json"]);
    assert_eq!(created.code, 0, "{created:?}");
    let again = run(&home, &["clock", "accept", "--yes", "--json"]).objects();
    assert_eq!(again[0]["accepted"], json!(false));
    assert_eq!(run(&home, &["clock"]).code, 0);
    assert!(run(&home, &["audit"]).out.contains("clock accepted"));
}

#[test]
fn a_denied_secret_stays_denied_after_the_clock_went_back() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--lifetime", "1h"]);
    let ahead = home.service(TimeDelta::hours(-2));
    let denied = ahead.check(secret.clone().into(), None, None).unwrap();
    assert!(!denied.decision.is_allowed());
    drop(ahead);
    let result = run_with_input(&home, &["verify"], &secret);
    assert_eq!(result.code, 1, "{result:?}");
}

#[test]
fn doctor_lists_tokens_beyond_the_maximum_lifetime() {
    let home = Home::new();
    issue(&home, &["ci", "--lifetime", "30d"]);
    std::fs::write(home.path().join("own.toml"), "[lifetime]\nmax = \"7d\"\n").unwrap();
    let report = run(&home, &["doctor", "--config", "own.toml"]);
    assert_eq!(report.code, 1, "{report:?}");
    assert!(report.out.contains("valid for longer than lifetime.max allows"), "{report:?}");
    run(&home, &["delete", "ci", "--yes"]).success();
    std::fs::write(home.path().join("own.toml"), "[lifetime]\nallow-never = true\n").unwrap();
    run(&home, &["create", "never", "--lifetime", "never", "--config", "own.toml"]).success();
    assert_eq!(run(&home, &["doctor", "--config", "own.toml"]).code, 0);
    let report = run(&home, &["doctor"]);
    assert!(report.out.contains("valid for longer than lifetime.max allows"), "{report:?}");
}
