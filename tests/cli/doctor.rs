//! `doctor`: finds no problems on a new host, names each problem with its remedy, and reports the
//! other sections if one of them fails.

use std::{fs, os::unix::fs::PermissionsExt as _};

use chrono::TimeDelta;
use serde_json::json;

use crate::{Home, command, issue, run};

#[test]
fn the_report_has_counts_but_no_names_or_secrets() {
    let home = Home::new();
    let secret = issue(&home, &["deploy-shop"]);
    issue(&home, &["other"]);
    assert_eq!(run(&home, &["revoke", "other", "--yes"]).code, 0);
    let result = run(&home, &["doctor", "--json"]);
    assert_eq!((result.code, result.err.as_str()), (0, ""));
    assert!(!result.out.contains(&secret[17..]));
    assert!(!result.out.contains("deploy-shop"));
    let facts = &result.objects()[0];
    assert_eq!((&facts["ok"], &facts["schema"]), (&json!(true), &json!(1)));
    let store = &facts["store"];
    assert_eq!(store["mode"], "0600");
    assert_eq!(store["folder_mode"], "0700");
    assert_eq!(store["owner"], rustix::process::geteuid().as_raw());
    let tokens = json!({
        "active": 1,
        "not-yet-valid": 0,
        "expired": 0,
        "revoked": 1,
        "unsaved": 0,
        "deleted": 0,
    });
    assert_eq!(store["tokens"], tokens);
    assert_eq!((&store["events"], &store["chain"]), (&json!(5), &json!("holds")));
    assert_eq!((&store["register"], &store["format"]), (&json!("usable"), &json!(2)));
    assert_eq!(facts["terminal"]["glyphs"], "unicode");
    assert_eq!(facts["clipboard"]["route"], "OSC 52");
}

#[test]
fn each_problem_is_named_with_its_remedy() {
    let home = Home::new();
    home.seed("ahead", "", "30d", TimeDelta::hours(-2));
    let settings = home.path().join("own.toml");
    fs::write(&settings, "[clipboard]\ncommand = [\"no-such-program\"]\n").unwrap();
    fs::set_permissions(&settings, fs::Permissions::from_mode(0o666)).unwrap();
    let result = run(&home, &["doctor", "--config", "own.toml"]);
    assert_eq!(result.code, 1, "{result:?}");
    let (_, attention) = result.out.split_once("\nNeeds attention:\n").unwrap();
    let shown = settings.display().to_string();
    let problems = [
        "no-such-program, which clipboard.command names, is not on the PATH".to_owned(),
        format!("{shown} is writable by other users: run `chmod go-w {shown}`"),
        "is behind the newest time in the store".to_owned(),
    ];
    for problem in problems {
        assert!(attention.contains(&problem), "{problem}\n{attention}");
    }
}

#[test]
fn a_store_that_cannot_be_opened_is_reported() {
    let home = Home::new();
    issue(&home, &["ci"]);
    let store = home.store();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o644)).unwrap();
    let facts = &run(&home, &["doctor", "--json"]).objects()[0];
    let shown = store.display();
    let problem =
        format!("{shown} is accessible to other users (mode 0644): run `chmod 600 {shown}`");
    assert_eq!(facts["attention"], json!([problem]));
    assert_eq!(facts["store"]["state"], json!({ "unknown": problem }));
    assert_eq!(facts["store"]["mode"], "0644");
    assert_eq!(facts["settings"]["mistakes"], 0);
}

#[test]
fn a_faulty_config_is_reported() {
    let home = Home::new();
    fs::write(home.path().join("own.toml"), "colour = 1\ntheme = 2\n").unwrap();
    let result = run(&home, &["doctor", "--json", "--config", "own.toml"]);
    assert_eq!(result.code, 1);
    let facts = &result.objects()[0];
    assert_eq!(facts["settings"]["faults"][1]["setting"], "theme");
    assert_eq!(facts["store"]["file"], json!({ "unknown": "the config is invalid" }));
    assert_eq!(facts["terminal"]["NO_COLOR"], false);
}

#[test]
fn the_environment_determines_glyphs_and_clipboard_route() {
    let home = crate::home_with_store();
    let report = |variables: &[(&str, &str)]| {
        let mut command = command(&home, &["doctor", "--json"]);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let facts =
        report(&[("LC_ALL", "C"), ("NO_COLOR", "1"), ("STY", "1.pts"), ("SSH_TTY", "/dev/pts/1")]);
    assert_eq!(facts["terminal"]["glyphs"], "ascii");
    assert_eq!(facts["terminal"]["NO_COLOR"], true);
    assert_eq!(facts["clipboard"]["route"], "OSC 52 through GNU screen");
    assert_eq!(
        (&facts["session"]["ssh"], &facts["session"]["screen"]),
        (&json!(true), &json!(true))
    );

    // A script that answers like an old tmux.
    let tools = home.path().join("bin");
    fs::create_dir(&tools).unwrap();
    let tmux = tools.join("tmux");
    let answers = "#!/bin/sh\ncase \"$*\" in -V) echo tmux 3.1c;; *set-clipboard) echo external;; *) echo off;; esac\n";
    fs::write(&tmux, answers).unwrap();
    fs::set_permissions(&tmux, fs::Permissions::from_mode(0o755)).unwrap();
    let path = tools.to_str().unwrap();
    let facts = report(&[("TMUX", "/tmp/t,1,0"), ("PATH", path)]);
    let session = &facts["session"];
    assert_eq!(session["tmux_version"], "tmux 3.1c");
    assert_eq!(session["set-clipboard"], "external");
    assert_eq!(session["allow-passthrough"], "off");
    let route = format!("{} load-buffer -w, then your terminal", tmux.display());
    assert_eq!(facts["clipboard"]["route"], route);
    let old = "tmux 3.1c cannot copy to your terminal: use tmux 3.2 or later";
    assert_eq!(facts["attention"], json!([old]));
}

#[test]
fn a_store_without_changes_has_no_problems() {
    let home = crate::home_with_store();
    assert_eq!(run(&home, &["doctor"]).code, 0);
}

#[test]
fn programs_of_hooks_are_checked() {
    let home = crate::home_with_store();
    let program = home.path().join("hook");
    let hook = format!("[[hook]]\nname = \"log\"\non = [\"revoke\"]\nrun = [{program:?}]\n");
    crate::write_private(&home, "own.toml", &hook);
    let attention = || {
        let result = run(&home, &["doctor", "--config", "own.toml", "--json"]);
        (result.code, result.objects()[0]["attention"].to_string())
    };
    let is_reported = |text: &str| attention().0 == 1 && attention().1.contains(text);
    assert!(is_reported("hook log cannot run"), "missing: {:?}", attention());
    crate::write_private(&home, "hook", "#!/bin/sh\n");
    assert!(is_reported("chmod u+x"), "{:?}", attention());
    let set_mode = |mode| fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
    set_mode(0o722);
    assert!(is_reported("writable by other users"), "{:?}", attention());
    set_mode(0o700);
    assert_eq!(attention(), (0, "[]".to_owned()));
}
