//! Completion in shells: what the store offers, and that a missing or damaged store offers nothing
//! and is not created.

use std::{
    env, fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use chrono::TimeDelta;

use crate::{Home, command, hooks::HookedHome, run};

/// The candidates that fish gets for the last of `words`, without their descriptions.
fn candidates(home: &Home, words: &[&str]) -> Vec<String> {
    let mut command = command(home, &[&["--", "patdeck"], words].concat());
    let output = command.env("PATDECK_COMPLETE", "fish").output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{words:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut all: Vec<_> =
        text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    all.sort();
    all
}

fn home_with_tokens() -> Home {
    let home = Home::new();
    for name in ["ci-oslo", "ci-lyon", "two words"] {
        home.seed(name, "", "90d", TimeDelta::hours(3));
    }
    home
}

#[test]
fn names_and_ids_of_the_store_are_offered() {
    let home = home_with_tokens();
    for words in [
        &["show", "ci"][..],
        &["revoke", "ci-lyon", "ci"],
        &["scope", "clear", "ci"],
        &["create", "x", "--like", "ci"],
        &["audit", "--token", "ci"],
        &["rm", "ci"],
    ] {
        assert_eq!(candidates(&home, words), ["ci-lyon", "ci-oslo"], "{words:?}");
    }
    let service = home.service(TimeDelta::zero());
    let id = service.resolve("two words").unwrap().id.to_string();
    assert_eq!(candidates(&home, &["show", &id[..6]]), [id]);
    let other = home.path().join("other.redb");
    let store = other.to_str().unwrap();
    assert_eq!(candidates(&home, &["show", "--store", store, "ci"]), [""; 0]);
}

#[test]
fn scopes_presets_columns_and_actions_are_offered() {
    let home = home_with_tokens();
    for (words, expected) in [
        (&["create", "x", "--scope", "chan"][..], "channels:"),
        (&["create", "x", "--scope", "channels:c"], "channels:c-42:"),
        (&["scope", "add", "ci-oslo", "channels:c-42:pub"], "channels:c-42:publish"),
        (&["scope", "add", "ci-oslo", "channels:c-42:read,pub"], "channels:c-42:read,publish"),
        (&["create", "x", "--preset", "pub"], "publisher:"),
        (&["create", "x", "--preset", "publisher:mes"], "publisher:messages:"),
        (&["create", "x", "--preset", "publisher:channels:c"], "publisher:channels:c-42"),
        (&["regenerate", "ci-oslo", "--overlap", "2"], "24h"),
        (&["scope", "remove", "ci-oslo", "c"], "channels:c-42:publish"),
        (&["scope", "change", "ci-oslo", "--remove", "ch"], "channels:c-42:publish"),
        (&["list", "--sort", "exp"], "expires"),
        (&["list", "--columns", "own"], "owner"),
        (&["audit", "--action", "rev"], "revoke"),
    ] {
        assert_eq!(candidates(&home, words), [expected], "{words:?}");
    }
}

#[test]
fn labels_and_owners_of_the_store_are_offered() {
    let home = home_with_tokens();
    for (name, label, owner) in [("ci-oslo", "team=edge", "Ann"), ("ci-lyon", "tier=1", "Bob")] {
        let edit = ["edit", name, "--label", label, "--label", "env=prod", "--owner", owner];
        run(&home, &edit).success();
    }
    // A shell would split a text with blanks.
    let edit = ["edit", "two words", "--label", "team=edge nord", "--owner", "Bo Lie"];
    run(&home, &edit).success();
    for (words, expected) in [
        (&["create", "x", "--label", "t"][..], &["team=", "tier="][..]),
        (&["create", "x", "--label", "team="], &["team=edge"]),
        (&["edit", "ci-oslo", "--label", "env"], &["env="]),
        (&["edit", "ci-oslo", "--remove-label", ""], &["env", "team", "tier"]),
        (&["edit", "ci-oslo", "--owner", "B"], &["Bob"]),
        (&["create", "x", "--owner", "A"], &["Ann"]),
        (&["list", "--search", "label:t"], &["label:team", "label:tier"]),
        (&["list", "--search", "label:team="], &["label:team=edge"]),
        (&["revoke", "--search", "owner:B"], &["owner:Bob"]),
        (&["list", "--search", "expi"], &["expires<", "expires>"]),
    ] {
        assert_eq!(candidates(&home, words), expected, "{words:?}");
    }
}

#[test]
fn a_missing_or_damaged_store_offers_nothing_and_stays() {
    let home = Home::new();
    assert_eq!(candidates(&home, &["show", "ci"]), [""; 0]);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    fs::create_dir_all(home.store().parent().unwrap()).unwrap();
    fs::write(home.store(), "no store").unwrap();
    assert_eq!(candidates(&home, &["show", "ci"]), [""; 0]);
    assert_eq!(fs::read(home.store()).unwrap(), b"no store");
}

#[test]
fn a_completion_changes_no_byte_of_the_store() {
    let home = home_with_tokens();
    let before = fs::read(home.store()).unwrap();
    assert_eq!(candidates(&home, &["show", "ci"]).len(), 2);
    assert!(fs::read(home.store()).unwrap() == before);
}

#[test]
fn deleted_tokens_are_offered_to_restore() {
    let home = home_with_tokens();
    run(&home, &["delete", "ci-oslo", "--yes"]).success();
    assert_eq!(candidates(&home, &["restore", "ci"]), ["ci-oslo"]);
    assert_eq!(candidates(&home, &["show", "ci"]), ["ci-lyon"]);
}

#[test]
fn hooks_with_runs_that_wait_are_offered() {
    let hooked = HookedHome::new(&["revoke"], "exit 7");
    assert_eq!(candidates(&hooked.home, &["hooks", "discard", "l"]), [""; 0]);
    hooked.revoke_and_die("ci");
    assert_eq!(candidates(&hooked.home, &["hooks", "discard", "l"]), ["log"]);
}

/// What bash has on its line after `line` and Tab. The words of the line are printed, each in
/// brackets.
fn completed_by_bash(home: &Home, line: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_patdeck"));
    let path = env::join_paths([program.parent().unwrap(), "/usr/bin".as_ref(), "/bin".as_ref()]);
    let mut shell = Command::new("bash");
    shell.args(["--norc", "--noprofile", "-i"]).current_dir(home.path());
    shell.env_clear().env("HOME", home.path()).env("LANG", "C.UTF-8").env("TERM", "dumb");
    shell.env("PATH", path.unwrap()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = shell.stderr(Stdio::null()).spawn().unwrap();
    // Ctrl-A puts the cursor at the start: the line is printed instead of run.
    let input =
        format!("source <(patdeck completions bash)\n{line}\t\u{1}printf '[%s]' \u{5}$'\\x0a'\n");
    shell.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = shell.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find(|line| line.starts_with("[patdeck]")).unwrap_or(&text).to_owned()
}

#[test]
fn bash_completes_words_with_colons_and_equals_signs() {
    let home = home_with_tokens();
    run(&home, &["edit", "ci-oslo", "--label", "team=edge", "--owner", "Ann"]).success();
    for (line, completed) in [
        ("patdeck create x --label t", "[patdeck][create][x][--label][team=\n]"),
        ("patdeck create x --label team=", "[patdeck][create][x][--label][team=edge][\n]"),
        ("patdeck create x --scope chan", "[patdeck][create][x][--scope][channels:\n]"),
        ("patdeck create x --scope=channels:c", "[patdeck][create][x][--scope=channels:c-42:\n]"),
        (
            "patdeck scope remove ci-oslo channels:c-42:",
            "[patdeck][scope][remove][ci-oslo][channels:c-42:publish][\n]",
        ),
        (
            "patdeck create x --preset publisher:m",
            "[patdeck][create][x][--preset][publisher:messages:\n]",
        ),
        ("patdeck list --search label:team=", "[patdeck][list][--search][label:team=edge][\n]"),
        ("patdeck list --search owner:A", "[patdeck][list][--search][owner:Ann][\n]"),
        (
            "patdeck scope remove ci-oslo ",
            "[patdeck][scope][remove][ci-oslo][channels:c-42:publish][\n]",
        ),
        ("patdeck show ci-o", "[patdeck][show][ci-oslo][\n]"),
    ] {
        let completed = completed.split_once('\n').unwrap().0;
        assert_eq!(completed_by_bash(&home, line), completed, "{line}");
    }
}
