//! Output in a locale without UTF-8: all text has an ASCII form, and JSON keeps its values.

use std::process::Output;

use crate::{Home, command};

/// Runs patdeck in the locale `C`.
fn run_in_c(home: &Home, arguments: &[&str]) -> Output {
    command(home, arguments).env("LC_ALL", "C").output().unwrap()
}

#[test]
fn a_locale_without_utf_8_gets_only_ascii() {
    let home = Home::new();
    let create = ["create", "café", "--description", "Füße 鍵", "--scope", "users:ü:read"];
    for arguments in [
        &create[..],
        &create,
        &["list", "--status", "all"],
        &["list", "--json"],
        &["show", "café"],
        &["show", "café", "--json"],
        &["show", "nosuch…"],
        &["scope", "add", "café", "users:ß:read"],
        &["edit", "café", "--name", "cafè", "--json"],
        &["audit"],
        &["audit", "--json"],
        &["export"],
        &["export", "--output", "ü.jsonl"],
        &["import", "ü.jsonl", "--dry-run"],
        &["list", "--store", "ö/store.redb"],
        &["lisü"],
        &["revoke", "cafè"],
        &["revoke", "cafè", "--yes"],
        &["regenerate", "cafè", "--yes", "--secret-file", "é.secret"],
        &["backup", "é.redb"],
        &["doctor"],
        &["scan", "é.secret"],
        &["config", "show"],
        &["man"],
        &["completions", "bash"],
        &["completions", "zsh"],
        &["completions", "fish"],
        &["help"],
        &["--help"],
        &["audit", "--help"],
    ] {
        let output = run_in_c(&home, arguments);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(text.is_ascii(), "{arguments:?} {text}");
    }
    let shown = run_in_c(&home, &["show", "cafè"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    for part in ["caf\\u{e8}", "F\\u{fc}\\u{df}e \\u{9375}", "_..."] {
        assert!(shown.contains(part), "{part} {shown}");
    }
    let json = run_in_c(&home, &["show", "cafè", "--json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["token"]["description"], "Füße 鍵");
}
