//! Regeneration and overlaps: the lifetime that a token keeps, and the confirmation before an overlap
//! ends early or a revoked token becomes active again.

use std::fs;

use crate::{Home, issue, run, run_with_input};

/// Whether `secret` is valid.
fn works(home: &Home, secret: &str) -> bool {
    run_with_input(home, &["verify"], secret).code == 0
}

/// Regenerates token `name` with an overlap, and returns the new secret.
fn overlap(home: &Home, name: &str) -> String {
    let result = run(home, &["regenerate", name, "--overlap", "24h"]);
    result.success().trim_end().to_owned()
}

/// The lifetime of the token in days, rounded.
fn days(home: &Home, name: &str) -> i64 {
    let token = &run(home, &["show", name, "--json"]).objects()[0]["token"];
    let at = |field: &str| -> chrono::DateTime<chrono::Utc> {
        token[field].as_str().unwrap().parse().unwrap()
    };
    ((at("expires") - at("issued")).num_hours() + 12) / 24
}

#[test]
fn regenerate_keeps_the_last_lifetime_of_each_token() {
    let home = Home::new();
    issue(&home, &["year", "--lifetime", "365d"]);
    issue(&home, &["week", "--lifetime", "7d"]);
    run(&home, &["regenerate", "year", "--yes"]).success();
    assert_eq!(days(&home, "year"), 365);
    run(&home, &["regenerate", "year", "week", "--yes", "--secret-file", "new.tsv"]).success();
    assert_eq!((days(&home, "year"), days(&home, "week")), (365, 7));
    run(&home, &["regenerate", "year", "--yes", "--lifetime", "30d"]).success();
    assert_eq!(days(&home, "year"), 30);
    fs::write(home.path().join("c.toml"), "[lifetime]\nmax = \"20d\"\ndefault = \"5d\"\n").unwrap();
    run(&home, &["--config", "c.toml", "regenerate", "year", "--yes"])
        .fails(3, "year: lifetime exceeds the maximum of 20d: choose a shorter one");
    assert_eq!(days(&home, "year"), 30);
}

#[test]
fn a_command_that_sets_an_end_prints_it() {
    let home = Home::new();
    for arguments in [
        &["create", "a", "--lifetime", "2d"][..],
        &["create", "b", "--like", "a", "--secret-file", "b.secret"],
        &["regenerate", "a", "--yes"],
        &["regenerate", "a", "--overlap", "1h"],
        &["regenerate", "a", "b", "--yes", "--secret-file", "both.tsv"],
    ] {
        let result = run(&home, arguments);
        assert_eq!(result.code, 0, "{result:?}");
        let end = run(&home, &["show", "a", "--json"]).objects()[0]["token"]["expires"].clone();
        let day = end.as_str().unwrap()[..10].to_owned();
        assert!(result.err.contains(&format!("it expires at {day}")), "{result:?}");
    }
    assert!(run(&home, &["create", "--help"]).out.contains("ends at 23:59 local time"));
}

#[test]
fn an_overlap_ends_early_only_with_a_confirmation() {
    for renewal in [
        &["regenerate", "ci", "--overlap", "1h"][..],
        &["regenerate", "ci"],
        &["regenerate", "ci", "cd", "--overlap", "1h", "--secret-file", "new.tsv"],
        &["revoke", "ci", "--old"],
    ] {
        let home = Home::new();
        let (first, _) = (issue(&home, &["ci"]), issue(&home, &["cd"]));
        overlap(&home, "ci");
        let refused = run(&home, renewal);
        assert_eq!((refused.code, works(&home, &first)), (2, true), "{refused:?}");
        let confirmed = run(&home, &[renewal, &["--yes"]].concat());
        assert_eq!((confirmed.code, works(&home, &first)), (0, false), "{confirmed:?}");
        let events = run(&home, &["audit"]).success();
        let texts = ["ended the overlap of a secret that would have", "the old secret would have"];
        let is_recorded =
            texts.iter().any(|text| events.contains(&format!("{text} worked until 20")));
        assert!(is_recorded, "{events}");
    }
}

#[test]
fn an_import_ends_an_overlap_only_with_yes() {
    let home = Home::new();
    let first = issue(&home, &["ci"]);
    overlap(&home, "ci");
    run(&home, &["export", "--output", "all.jsonl"]).success();
    let text = fs::read_to_string(home.path().join("all.jsonl")).unwrap();
    let without = text.lines().map(|line| {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        if value.get("retiring").is_some() {
            value["retiring"] = serde_json::Value::Null;
        }
        value.to_string() + "\n"
    });
    fs::write(home.path().join("all.jsonl"), without.collect::<String>()).unwrap();
    let replace = ["import", "all.jsonl", "--on-conflict", "replace"];
    let refused = run(&home, &replace);
    assert_eq!((refused.code, works(&home, &first)), (3, true), "{refused:?}");
    assert!(refused.err.contains("the import would end it early"), "{refused:?}");
    run(&home, &[&replace[..], &["--yes"]].concat()).success();
    assert!(!works(&home, &first));
    let events = run(&home, &["audit"]).success();
    assert!(events.contains("ended the overlap of a secret"), "{events}");
}

#[test]
fn a_revoked_token_is_reactivated_only_with_a_confirmation() {
    let home = Home::new();
    issue(&home, &["ci"]);
    run(&home, &["revoke", "ci", "--yes"]).success();
    assert_eq!(run(&home, &["regenerate", "ci"]).code, 2);
    assert!(run(&home, &["show", "ci"]).success().contains("revoked"));
    let regenerated = run(&home, &["regenerate", "ci", "--yes"]);
    assert!(regenerated.err.contains("Regenerated ci, which was revoked; it expires"));
    assert!(works(&home, &regenerated.success()));
}

#[test]
fn revoke_old_ends_every_overlap_or_none() {
    let home = Home::new();
    let first = issue(&home, &["ci"]);
    let second = issue(&home, &["cd"]);
    overlap(&home, "ci");
    overlap(&home, "cd");
    let refused = run(&home, &["revoke", "--old", "ci", "nosuch", "cd", "--yes"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(works(&home, &first) && works(&home, &second));
    let before = run(&home, &["audit"]).success().lines().count();
    run(&home, &["revoke", "--old", "ci", "cd", "--yes"]).success();
    assert!(!works(&home, &first) && !works(&home, &second));
    assert_eq!(run(&home, &["audit"]).success().lines().count(), before + 2);
}
