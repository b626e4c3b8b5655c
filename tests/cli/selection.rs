//! Changes of the tokens of a search or of standard input, with a preview, and what the commands say
//! about the access of a token.

use chrono::TimeDelta;

use crate::{Home, issue, run, run_with_input};

fn home_with_tokens() -> Home {
    let home = Home::new();
    for name in ["ci-oslo", "ci-lyon", "web"] {
        home.seed(name, "", "90d", TimeDelta::hours(3));
    }
    home.seed("ci-old", "", "90d", TimeDelta::hours(3));
    run(&home, &["revoke", "ci-old", "--yes"]).success();
    home
}

fn names(home: &Home, status: &str) -> Vec<String> {
    let table = run(
        home,
        &["list", "--status", status, "--columns", "name", "--no-header", "--sort", "name"],
    );
    table.out.lines().map(str::to_owned).collect()
}

#[test]
fn a_search_selects_the_tokens_that_the_list_shows() {
    let home = home_with_tokens();
    let refused = run(&home, &["revoke", "--search", "ci-"]);
    assert_eq!((refused.code, &*refused.out), (2, ""));
    let preview =
        "  ci-lyon  active    never used\n  ci-oslo  active    never used\nerror: refusing";
    assert!(refused.err.starts_with(preview), "{refused:?}");
    assert_eq!(names(&home, "active"), ["ci-lyon", "ci-oslo", "web"]);
    let done = run(&home, &["revoke", "--search", "ci-", "--yes"]);
    assert_eq!(done.err, "Revoked ci-lyon\nRevoked ci-oslo\n");
    assert_eq!(names(&home, "active"), ["web"]);
    let deleted = run(&home, &["delete", "--search", "status:revoked ci-", "--yes"]);
    assert_eq!((deleted.code, deleted.err.lines().count()), (0, 3), "{deleted:?}");
    assert_eq!(names(&home, "all"), ["web"]);
}

#[test]
fn a_search_leaves_out_what_cannot_be_changed() {
    let home = home_with_tokens();
    let refused = run(&home, &["revoke", "--search", "status:all ci-"]);
    let left_out = "Left out: 1 token, such as ci-old: the token is already revoked";
    assert!(refused.err.contains(left_out), "{refused:?}");
    assert!(refused.err.contains("refusing to revoke 2 tokens"), "{refused:?}");
    run(&home, &["revoke", "--search", "status:all ci-", "--yes"]).success();
    let nothing = run(&home, &["revoke", "--search", "status:revoked ci-", "--yes"]);
    assert_eq!(nothing.code, 3, "{nothing:?}");
}

#[test]
fn a_search_without_matches_and_an_empty_one_change_nothing() {
    let home = home_with_tokens();
    let hint = "only active tokens are searched, unless the search has a status: term";
    run(&home, &["delete", "--search", "zebra", "--yes"]).fails_with_hint(
        1,
        "no tokens match",
        hint,
    );
    for search in ["", "  "] {
        let refused = run(&home, &["revoke", "--search", search, "--yes"]);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains("the search is empty"), "{refused:?}");
    }
    for arguments in
        [&["revoke", "web", "--search", "ci-"][..], &["delete", "--all", "--search", "ci-"]]
    {
        let refused = run(&home, arguments);
        assert!(refused.err.contains("cannot be used with"), "{refused:?}");
    }
    assert_eq!(names(&home, "active").len(), 3);
}

#[test]
fn secrets_of_a_search_go_to_one_file() {
    let home = home_with_tokens();
    let arguments =
        ["regenerate", "--search", "ci-", "--overlap", "1h", "--secret-file", "new.tsv"];
    run(&home, &arguments).success();
    let file = std::fs::read_to_string(home.path().join("new.tsv")).unwrap();
    let written: Vec<_> = file.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(written, ["ci-lyon", "ci-oslo"]);
}

#[test]
fn names_can_come_from_standard_input() {
    let home = home_with_tokens();
    let ids = run(&home, &["list", "-q", "--search", "ci-"]).success();
    run_with_input(&home, &["revoke", "-", "--yes"], &ids).success();
    assert_eq!(names(&home, "active"), ["web"]);
    let unknown = run_with_input(&home, &["delete", "-", "--yes"], "web\n\nnosuch\n");
    assert_eq!((unknown.code, names(&home, "active").len()), (1, 1), "{unknown:?}");
    run_with_input(&home, &["delete", "-", "--yes"], "")
        .fails(1, "standard input contains no token");
}

#[test]
fn no_message_quotes_a_secret_of_the_input() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    let secret = secret.trim();
    let random = secret.rsplit('_').next().unwrap();
    for line in [secret.to_owned(), format!("Bearer {secret}"), format!("ci\t{secret}")] {
        for command in ["revoke", "delete", "regenerate"] {
            let refused = run_with_input(&home, &[command, "-", "--yes"], &line);
            assert_eq!(refused.code, 1, "{refused:?}");
            assert!(!refused.err.contains(random), "{refused:?}");
            assert!(refused.err.contains("the secret of"), "{refused:?}");
        }
    }
    let missing = run(&home, &["list", "--config", &format!("{secret}.toml")]);
    assert!(!missing.err.contains(random), "{missing:?}");
    let mut doctor = crate::command(&home, &["doctor"]);
    let report = doctor.env("TERM", secret).env("PATDECK_STORE", secret).output().unwrap();
    assert!(!String::from_utf8_lossy(&report.stdout).contains(random));
}

#[test]
fn an_import_refuses_a_secret_in_every_text() {
    let home = Home::new();
    let options = ["--description", "d", "--owner", "o", "--label", "k=v"];
    let scope = ["--scope", "channels:c-1:read@eu"];
    let secret = issue(&home, &[["ci"].as_slice(), &options, &scope].concat());
    let secret = secret.trim();
    run_with_input(&home, &["verify", "--scope", scope[1], "--from", "10.0.0.1"], secret).success();
    let export = run(&home, &["export"]).success();
    let (header, row) = export.split_once('\n').unwrap();
    let texts = [
        ("\"ci\"", "name"),
        ("\"d\"", "description"),
        ("\"o\"", "owner"),
        ("\"k\"", "labels"),
        ("\"v\"", "k"),
        ("c-1:read@eu\"]", "scopes"),
        ("read@eu\"]", "scopes"),
        ("10.0.0.1\"", "last_used"),
    ];
    for (text, field) in texts {
        assert!(row.contains(text), "{text}: {row}");
        let replaced = match text {
            "read@eu\"]" => format!("read@{secret}\"]"),
            "c-1:read@eu\"]" => format!("{secret}:read@eu\"]"),
            _ => format!("\"{secret}\""),
        };
        let text = if field == "last_used" { "\"10.0.0.1\"" } else { text };
        let row = row.replacen(text, &replaced, 1);
        crate::write_private(&home, "in.jsonl", &format!("{header}\n{row}"));
        let refused = run(&home, &["import", "in.jsonl", "--on-conflict", "replace", "--yes"]);
        assert_ne!(refused.code, 0, "{field}: {refused:?}");
        assert!(refused.err.contains("contains the secret of a token"), "{field}: {refused:?}");
        assert!(!refused.err.contains(secret), "{field}: {refused:?}");
    }
}

#[test]
fn a_dash_as_secret_file_is_standard_output() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--secret-file", "-", "--scope", "channels:c-1:read"]);
    run_with_input(&home, &["verify"], &secret).success();
    let next = run(&home, &["regenerate", "ci", "--yes", "--secret-file", "-"]).success();
    run_with_input(&home, &["verify"], &next).success();
}

#[test]
fn commands_print_what_the_token_may_do() {
    let home = Home::new();
    let created = run(&home, &["create", "ci", "--scope", "channels:c-1:publish"]);
    assert!(created.err.contains("it expires at 20"), "{created:?}");
    assert!(created.err.ends_with("It may publish to c-1 (channels)\n"), "{created:?}");
    let edited = run(&home, &["edit", "ci", "--description", "x"]);
    assert!(edited.err.starts_with("Saved ci; it expires at 20"), "{edited:?}");
    assert!(edited.err.ends_with("It may publish to c-1 (channels)\n"), "{edited:?}");
    let warning = "warning: ci has no scopes: every operation is denied\n";
    assert!(run(&home, &["scope", "clear", "ci", "--yes"]).err.contains(warning));
    assert!(run(&home, &["regenerate", "ci", "--yes"]).err.contains(warning));
    let bare = run(&home, &["create", "bare"]);
    assert!(bare.err.contains("warning: bare has no scopes"), "{bare:?}");
    let many: Vec<_> = (0..40).map(|n| format!("channels:channel-{n}:publish")).collect();
    let mut arguments = vec!["scope", "add", "ci"];
    arguments.extend(many.iter().map(String::as_str));
    let added = run(&home, &arguments);
    assert!(added.err.contains("It has 40 scopes: `patdeck show "), "{added:?}");
}

#[test]
fn names_on_standard_input_are_used_whole_or_not_at_all() {
    let home = Home::new();
    issue(&home, &["t"]);
    issue(&home, &["other"]);
    // The last name is the start of another name if the input is cut.
    let endless = "t\n".repeat(3 << 20);
    let refused = run_with_input(&home, &["revoke", "-", "--yes"], &endless);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("more than 4 MiB of names"), "{}", refused.err);
    let listed = run(&home, &["list", "--status", "active", "-q"]).success();
    assert_eq!(listed.lines().count(), 2, "{listed}");
    // A name that is repeated is looked up once.
    let repeated = "t\n".repeat(1 << 20);
    run_with_input(&home, &["revoke", "-", "--yes"], &repeated);
    let listed = run(&home, &["list", "--status", "active", "-q"]).success();
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

#[test]
fn a_dry_run_prints_the_tokens_and_changes_nothing() {
    let home = Home::new();
    for name in ["gw-1", "gw-2", "other"] {
        issue(&home, &[name]);
    }
    let events = run(&home, &["audit"]).out;
    let commands: [(&[&str], &str); 4] = [
        (&["revoke", "--search", "name:gw"], "Would revoke 2 tokens:"),
        (&["delete", "gw-1"], "Would delete gw-1:"),
        (&["regenerate", "gw-1"], "Would regenerate gw-1:"),
        (&["delete", "--all"], "Would delete all 3 tokens:"),
    ];
    for (command, expected) in commands {
        let arguments = [command, &["--dry-run"]].concat();
        let shown = run(&home, &arguments);
        assert!(shown.code == 0 && shown.out.starts_with(expected), "{shown:?}");
        assert_eq!(shown.err, "Nothing was changed\n");
        assert_eq!(run(&home, &[&["--read-only"], arguments.as_slice()].concat()).code, 3);
        let listed = run(&home, &[&["--json"], arguments.as_slice()].concat()).objects();
        assert!(listed.iter().all(|token| token["status"] == "active"), "{listed:?}");
    }
    assert!(
        run(&home, &["revoke", "gw-1", "--dry-run"]).out.contains("gw-1  active    never used")
    );
    assert_eq!(run(&home, &["revoke", "no-such", "--dry-run"]).code, 1);
    assert!(
        run(&home, &["revoke", "gw-1", "--dry-run", "--yes"]).err.contains("Nothing was changed")
    );
    assert_eq!(run(&home, &["audit"]).out, events);
    run(&home, &["revoke", "gw-2", "--yes"]).success();
    let searched = run(&home, &["revoke", "--search", "name:gw status:all", "--dry-run"]);
    assert!(searched.out.contains("Left out: 1 token, such as gw-2"), "{searched:?}");
}
