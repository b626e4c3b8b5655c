//! Slips of an operator: what a command refuses with advice, and what it accepts in the place of the
//! usual form.

use std::{fs, os::unix::fs::PermissionsExt as _};

use chrono::TimeDelta;
use serde_json::json;

use crate::{Home, issue, run};

#[test]
fn a_backup_is_not_named_like_a_subcommand() {
    let home = crate::home_with_store();
    for (word, meant) in [("list", "check"), ("restor", "restore"), ("crate", "create")] {
        let result = run(&home, &["backup", word]);
        assert_eq!(result.code, 2, "{result:?}");
        let advice = format!(
            "did you mean the command `{meant}`? for a file with this name, write ./{word}\n"
        );
        assert!(result.err.contains(&advice), "{result:?}");
        assert!(!home.path().join(word).exists());
        run(&home, &["backup", &format!("./{word}")]).success();
    }
    let result = run(&home, &["backup", "restor", "./list"]);
    assert_eq!(result.code, 2, "{result:?}");
    assert!(result.err.contains("hint: use `backup create FILE`, "), "{result:?}");
    for name in ["monday", "list.redb"] {
        run(&home, &["backup", name]).success();
        assert!(home.path().join(name).exists(), "{name}");
    }
}

#[test]
fn a_hint_of_a_secret_names_its_token() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    let hint = &secret[..16];
    for end in ["", "_", "_…"] {
        let name = format!("{hint}{end}");
        run(&home, &["show", &name]).success();
        run(&home, &["edit", &name, "--description", "x"]).success();
        run(&home, &["scope", "add", &name, &format!("channels:c-{}:read", end.len())]).success();
        run(&home, &["audit", "--token", &name]).success();
        run(&home, &["delete", &name, "--yes"]).success();
        let deleted = run(&home, &["show", &name]);
        assert!(deleted.err.contains("was deleted"), "{deleted:?}");
        run(&home, &["restore", &name]).success();
    }
    assert_eq!(run(&home, &["show", "pat_000000000000"]).code, 1);
    // A name has priority.
    issue(&home, &[hint]);
    assert!(run(&home, &["show", hint]).success().contains(&format!("  {hint}\n")));
}

#[test]
fn tokens_that_expire_up_to_a_date_are_listed() {
    let home = Home::new();
    home.seed("soon", "", "90d", TimeDelta::hours(3));
    for lifetime in ["2099-01-31", "2099-02-01"] {
        let config = "[lifetime]\nmax = \"100y\"\n";
        crate::write_private(&home, "long.toml", config);
        let create = ["create", lifetime, "--lifetime", lifetime, "--config", "long.toml"];
        run(&home, &create).success();
    }
    let listed = |date: &str| {
        let columns = ["--columns", "name", "--no-header", "--sort", "name"];
        let result = run(&home, &[&["list", "--expiring", date], &columns[..]].concat());
        (result.code, result.out)
    };
    assert_eq!(listed("2099-01-30"), (0, "soon\n".to_owned()));
    assert_eq!(listed("2099-01-31"), (0, "2099-01-31\nsoon\n".to_owned()));
    assert_eq!(listed("2001-01-31"), (1, String::new()));
}

#[test]
fn scopes_that_repeat_each_other_are_merged() {
    let home = Home::new();
    let scopes_of =
        |name: &str| run(&home, &["show", name, "--json"]).objects()[0]["token"]["scopes"].clone();
    let read = ["--scope", "channels:c-1:read", "--scope", "channels:c-1:read"];
    issue(&home, &[&["one"], &read[..]].concat());
    assert_eq!(scopes_of("one"), json!(["channels:c-1:read"]));
    issue(&home, &["two", "--like", "one", "--scope", "channels:c-1:read,list"]);
    assert_eq!(scopes_of("two"), json!(["channels:c-1:list", "channels:c-1:read"]));
    issue(
        &home,
        &["three", "--preset", "subscriber:channels:*", "--scope", "channels:c:subscribe"],
    );
    assert_eq!(scopes_of("three"), json!(["channels:*:subscribe"]));
    issue(&home, &["four", "--scope", "channels:c:read", "--scope", "channels:*:read"]);
    assert_eq!(scopes_of("four"), json!(["channels:*:read"]));
}

#[test]
fn the_check_refuses_a_config_that_others_can_write() {
    let home = Home::new();
    let path = home.path().join("own.toml");
    fs::write(&path, "mouse = true\n").unwrap();
    let check = |words: &[&str]| {
        run(&home, &[&["config", "check", "--config", "own.toml"], words].concat())
    };
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    check(&[]).success();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let result = check(&[]);
    let other = run(&home, &["list", "--config", "own.toml"]);
    assert_eq!((result.code, &result.err), (2, &other.err), "{result:?}");
    assert!(result.err.contains("other users"), "{result:?}");
    let result = check(&["--json"]);
    assert_eq!(result.code, 2);
    let result = &result.objects()[0];
    assert_eq!((&result["ok"], &result["faults"][0]["line"]), (&json!(false), &json!(null)));
}

#[test]
fn an_unknown_action_of_a_hook_is_one_mistake() {
    let home = Home::new();
    let check = |on: &str| {
        let hook = format!("[[hook]]\nname = \"log\"\non = [{on}]\nrun = [\"/bin/true\"]\n");
        crate::write_private(&home, "own.toml", &hook);
        run(&home, &["config", "check", "--config", "own.toml"])
    };
    let unknown = check("\"revok\"");
    assert_eq!((unknown.code, unknown.out.lines().count()), (2, 1), "{unknown:?}");
    assert!(unknown.out.contains("unknown action `revok`"), "{unknown:?}");
    assert!(check("").out.contains("the list is empty"));
}

#[test]
fn a_long_value_does_not_move_the_sources_of_others() {
    let home = Home::new();
    let config = format!("[views]\nlong = \"{}\"\n", "x".repeat(100));
    crate::write_private(&home, "own.toml", &config);
    let shown = run(&home, &["config", "show", "--config", "own.toml"]).success();
    let lines = || shown.lines().filter(|line| line.ends_with("default"));
    let theme = lines().find(|line| line.starts_with("theme ")).unwrap();
    assert!(theme.len() < 100, "{theme}");
    assert!(shown.contains(&"x".repeat(100)));
}
