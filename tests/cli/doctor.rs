//! `doctor`: all is well on a new machine, and each thing that is not is named; no part that
//! cannot be found out keeps the others from being told.

use std::{fs, os::unix::fs::PermissionsExt as _};

use chrono::TimeDelta;
use serde_json::json;

use crate::{Home, command, issue, run};

#[test]
fn a_sound_store_is_told_in_numbers_and_without_secrets() {
    let home = Home::new();
    assert_eq!(run(&home, &["doctor"]).code, 0, "nothing is there yet");
    assert!(!home.store().exists(), "a look makes nothing");
    let secret = issue(&home, &["deploy-shop"]);
    issue(&home, &["other"]);
    assert_eq!(run(&home, &["revoke", "other", "--yes"]).code, 0);
    let ended = run(&home, &["doctor", "--json"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    assert!(!ended.out.contains(&secret[17..]));
    assert!(!ended.out.contains("deploy-shop"));
    let found = &ended.objects()[0];
    assert_eq!((&found["ok"], &found["schema"]), (&json!(true), &json!(1)));
    let store = &found["store"];
    assert_eq!(store["mode"], "0600");
    assert_eq!(store["folder_mode"], "0700");
    assert_eq!(store["owner"], rustix::process::geteuid().as_raw());
    let tokens = json!({ "active": 1, "expired": 0, "revoked": 1, "unclaimed": 0, "deleted": 0 });
    assert_eq!(store["tokens"], tokens);
    assert_eq!((&store["events"], &store["chain"]), (&json!(5), &json!("holds")));
    assert_eq!((&store["reserve"], &store["format"]), (&json!(true), &json!(1)));
    assert_eq!(found["terminal"]["glyphs"], "unicode");
    assert_eq!(found["clipboard"]["route"], "OSC 52");
}

#[test]
fn what_needs_attention_is_named_with_what_to_do() {
    let home = Home::new();
    home.seed("ahead", "", "30d", TimeDelta::hours(-2));
    let settings = home.path().join("own.toml");
    fs::write(&settings, "[clipboard]\ncommand = [\"no-such-program\"]\n").unwrap();
    fs::set_permissions(&settings, fs::Permissions::from_mode(0o666)).unwrap();
    fs::remove_file(home.store().with_extension("redb.reserve")).unwrap();
    let ended = run(&home, &["doctor", "--config", "own.toml"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let (_, attention) = ended.out.split_once("\nattention:\n").unwrap();
    let shown = settings.display().to_string();
    let sentences = [
        "there is no no-such-program on the PATH, which clipboard.command names".to_owned(),
        format!("{shown} can be changed by others: run `chmod go-w {shown}`"),
        "the reserve beside the store is not there".to_owned(),
        "the clock stands before the last change".to_owned(),
    ];
    for sentence in sentences {
        assert!(attention.contains(&sentence), "{sentence}\n{attention}");
    }
}

#[test]
fn a_store_that_does_not_open_still_gets_a_report() {
    let home = Home::new();
    issue(&home, &["ci"]);
    let store = home.store();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o644)).unwrap();
    let found = &run(&home, &["doctor", "--json"]).objects()[0];
    let shown = store.display();
    let refused = format!("{shown} is open to others (mode 0644): run `chmod 600 {shown}`");
    assert_eq!(found["attention"], json!([refused]));
    assert_eq!(found["store"]["state"], json!({ "unknown": refused }));
    assert_eq!(found["store"]["mode"], "0644");
    assert_eq!(found["settings"]["mistakes"], 0);
}

#[test]
fn faulty_settings_still_get_a_report() {
    let home = Home::new();
    fs::write(home.path().join("own.toml"), "colour = 1\ntheme = 2\n").unwrap();
    let ended = run(&home, &["doctor", "--json", "--config", "own.toml"]);
    assert_eq!(ended.code, 1);
    let found = &ended.objects()[0];
    assert_eq!(found["settings"]["faults"][1]["setting"], "theme");
    assert_eq!(found["store"]["file"], json!({ "unknown": "the settings have mistakes" }));
    assert_eq!(found["terminal"]["NO_COLOR"], false);
}

#[test]
fn the_surroundings_decide_glyphs_and_the_way_to_the_clipboard() {
    let home = Home::new();
    let told = |variables: &[(&str, &str)]| {
        let mut command = command(&home, &["doctor", "--json"]);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let found =
        told(&[("LC_ALL", "C"), ("NO_COLOR", "1"), ("STY", "1.pts"), ("SSH_TTY", "/dev/pts/1")]);
    assert_eq!(found["terminal"]["glyphs"], "ascii");
    assert_eq!(found["terminal"]["NO_COLOR"], true);
    assert_eq!(found["clipboard"]["route"], "OSC 52 through screen");
    assert_eq!(
        (&found["session"]["ssh"], &found["session"]["screen"]),
        (&json!(true), &json!(true))
    );

    // A tmux that answers like tmux.
    let tools = home.path().join("bin");
    fs::create_dir(&tools).unwrap();
    let tmux = tools.join("tmux");
    let answers = "#!/bin/sh\ncase \"$*\" in -V) echo tmux 3.1c;; *set-clipboard) echo external;; *) echo off;; esac\n";
    fs::write(&tmux, answers).unwrap();
    fs::set_permissions(&tmux, fs::Permissions::from_mode(0o755)).unwrap();
    let path = tools.to_str().unwrap();
    let found = told(&[("TMUX", "/tmp/t,1,0"), ("PATH", path)]);
    let session = &found["session"];
    assert_eq!(session["tmux_version"], "tmux 3.1c");
    assert_eq!(session["set-clipboard"], "external");
    assert_eq!(session["allow-passthrough"], "off");
    let route = format!("{} load-buffer -w, then your terminal", tmux.display());
    assert_eq!(found["clipboard"]["route"], route);
    let old = "tmux 3.1c cannot hand a copy on to your terminal: use tmux 3.2 or later";
    assert_eq!(found["attention"], json!([old]));
}

#[test]
fn a_store_that_was_only_looked_at_is_in_order() {
    let home = Home::new();
    run(&home, &["list"]).done();
    assert_eq!(run(&home, &["doctor"]).code, 0);
}
