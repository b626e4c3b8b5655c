//! `verify`: exit 0 means allowed, 1 means denied, any other code is an error. A denial reveals nothing
//! about a token unless its secret was presented.

use std::{fs, io::Write as _, os::unix::fs::PermissionsExt as _, process::Stdio};

use chrono::TimeDelta;
use patdeck::{
    domain::{Secret, SecretOverlap, SecretPrefix, TokenId},
    testing::{RegenerateOptions, ServiceTestExt as _},
};
use serde_json::json;

use crate::{Home, issue, run, run_with_input};

const PUBLISH: [&str; 3] = ["verify", "--scope", "channels:c-42:publish"];

/// Returns a well-formed secret with the id of a token, but with other random characters.
fn forged(id: &str) -> String {
    let zeros = |out: &mut [u8]| {
        out.fill(7);
        Ok::<_, ()>(())
    };
    let secret =
        Secret::generate(&SecretPrefix::default(), TokenId::parse(id).unwrap(), zeros).unwrap();
    secret.reveal().to_owned()
}

#[test]
fn the_answer_is_the_exit_code_and_one_word() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-42:publish@eu"]);
    let answer = |words: &[&str]| {
        let result = run_with_input(&home, words, &format!("{secret}\n"));
        assert_eq!(result.err, "");
        (result.code, result.out)
    };
    assert_eq!(answer(&["verify"]), (0, "valid: ci\n".into()));
    assert_eq!(answer(&["verify", "--scope", "channels:c-42:publish@eu"]), (0, "allowed\n".into()));
    assert_eq!(answer(&[&PUBLISH[..], &["--domain", "eu"]].concat()), (0, "allowed\n".into()));
    assert_eq!(answer(&[&PUBLISH[..], &["--domain", "us"]].concat()), (1, "denied\n".into()));
    assert_eq!(answer(&PUBLISH), (1, "denied\n".into()));
    let (code, out) = answer(&[&PUBLISH[..], &["--domain", "eu", "--explain"]].concat());
    assert_eq!((code, out.as_str()), (0, "allowed: by channels:c-42:publish@eu of ci\n"));

    // The command in the hint is sufficient.
    let (code, out) = answer(&["verify", "--scope", "users:u-1:read", "--explain"]);
    let (denial, hint) = out.split_once('\n').unwrap();
    assert_eq!((code, denial), (1, "denied: missing scope users:u-1:read"));
    let command = hint.trim_end().strip_prefix("hint: allow it with `patdeck ").unwrap();
    let command = command.strip_suffix('`').unwrap();
    let words: Vec<_> = command.split(' ').collect();
    assert_eq!(run(&home, &words).code, 0, "{command}");
    assert_eq!(answer(&["verify", "--scope", "users:u-1:read"]), (0, "allowed\n".into()));
}

#[test]
fn blanks_and_a_bom_around_a_secret_are_ignored() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    let answers = |text: &str| {
        ["verify", "verify --lines", "verify --secret-file s"].map(|words| {
            let file = home.path().join("s");
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            let words: Vec<_> = words.split(' ').chain(["--explain"]).collect();
            let result = run_with_input(&home, &words, text);
            assert_eq!(result.err, "", "{text:?}");
            result.out
        })
    };
    for around in [" ", "\t ", "\u{feff}", "\u{feff} "] {
        assert_eq!(answers(&format!("{around}{secret} \t\r\n")), ["valid: ci\n"; 3], "{around:?}");
    }
    for (odd, name) in
        [("\u{a0}", "U+00A0"), ("\u{200b}", "U+200B"), ("\"", "`\"`"), ("\0", "U+0000")]
    {
        let expected = format!("denied: malformed: not a secret: it contains {name}, remove it\n");
        for text in [format!("{odd}{secret}\n"), format!("{secret}{odd}\n")] {
            assert_eq!(answers(&text), [expected.as_str(); 3], "{odd:?}");
        }
    }
}

#[test]
fn a_named_pipe_without_a_writer_is_an_error() {
    let home = Home::new();
    let made = std::process::Command::new("mkfifo").arg(home.path().join("q")).status();
    assert!(made.unwrap().success());
    let secret = issue(&home, &["ci"]);
    let reason = "cannot read q (nothing was written to this pipe for 5 s)";
    run(&home, &["verify", "--secret-file", "q"]).fails(2, reason);
    let writer = std::thread::spawn({
        let pipe = home.path().join("q");
        move || fs::write(pipe, secret).unwrap()
    });
    assert_eq!(run(&home, &["verify", "--secret-file", "q"]).success(), "valid: ci\n");
    writer.join().unwrap();
}

#[test]
fn a_denial_without_the_secret_reveals_nothing() {
    let home = Home::new();
    home.seed("expired", "", "1h", TimeDelta::hours(2));
    let active = issue(&home, &["active"]);
    let revoked = issue(&home, &["revoked"]);
    let deleted = issue(&home, &["deleted"]);
    assert_eq!(run(&home, &["revoke", "revoked", "--yes"]).code, 0);
    assert_eq!(run(&home, &["delete", "deleted", "--yes"]).code, 0);
    let expired = run(&home, &["show", "expired", "--json"]).objects()[0]["token"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for words in [
        &["verify"][..],
        &["verify", "--explain"],
        &["verify", "--json"],
        &PUBLISH,
        &["verify", "--scope", "channels:c-42:publish", "--explain"],
    ] {
        let unknown = run_with_input(&home, words, &forged("000000000000"));
        assert_eq!((unknown.code, unknown.err.as_str()), (1, ""));
        for id in [&active[4..16], &revoked[4..16], &deleted[4..16], &expired] {
            assert_eq!(run_with_input(&home, words, &forged(id)), unknown, "{words:?}");
        }
        let denied = run_with_input(&home, words, &deleted);
        assert_eq!((denied.code, denied.err.as_str()), (1, ""), "{words:?}");
    }
    let explained = run_with_input(&home, &["verify", "--explain"], &revoked);
    assert_eq!(explained.code, 1);
    assert!(explained.out.starts_with("denied: revoked on "), "{explained:?}");
    let denied = &run_with_input(&home, &["verify", "--json"], &revoked).objects()[0];
    assert_eq!(
        (&denied["reason"], &denied["token"]["name"]),
        (&json!("revoked"), &json!("revoked"))
    );
}

/// Returns a secret of a token whose overlap is over.
fn replaced_secret(home: &Home) -> String {
    home.seed("ci", "", "90d", TimeDelta::hours(4));
    let renew = |hours, overlap| {
        let service = home.service(TimeDelta::hours(hours));
        let id = service.resolve("ci").unwrap().id;
        let lifetime = "90d".parse().unwrap();
        service.regenerate(&id, RegenerateOptions { lifetime, overlap }).unwrap().secret
    };
    let old = renew(3, SecretOverlap::None);
    renew(2, SecretOverlap::QuarterHour);
    old.reveal().to_owned()
}

#[test]
fn an_ended_secret_is_explained_only_to_its_bearer() {
    let home = Home::new();
    let old = replaced_secret(&home);
    let mut deleted = issue(&home, &["deleted"]);
    run(&home, &["delete", "deleted", "--yes"]).success();
    for (secret, reason, text) in [
        (&deleted, "deleted", "denied: deleted: the token was deleted on 20"),
        (&old, "replaced", "denied: replaced: a newer secret was issued on 20"),
    ] {
        let answer = |words: &[&str]| run_with_input(&home, words, secret);
        assert_eq!((answer(&PUBLISH).code, answer(&PUBLISH).out.as_str()), (1, "denied\n"));
        assert!(answer(&["verify", "--explain"]).out.starts_with(text), "{reason}");
        let denied = &answer(&["verify", "--json"]).objects()[0];
        assert_eq!((&denied["reason"], &denied["token"]), (&json!(reason), &json!(null)));
        let guessed = run_with_input(&home, &["verify", "--explain"], &forged(&secret[4..16]));
        let unknown = "denied: unknown: no token has this secret, or it was replaced or deleted\n";
        assert_eq!(guessed.out, unknown);
    }
    deleted.truncate(54);
    assert!(run_with_input(&home, &["verify", "--explain"], &deleted).out.contains("malformed"));
}

#[test]
fn a_check_names_the_old_secret_of_an_overlap() {
    let home = Home::new();
    let old = issue(&home, &["ci"]);
    let new = run(&home, &["regenerate", "ci", "--overlap", "1h"]).success();
    let explained = run_with_input(&home, &["verify", "--explain"], &old).success();
    assert!(explained.starts_with("valid: ci (old secret, until 20"), "{explained}");
    let words = [&PUBLISH[..], &["--explain"]].concat();
    let denied = run_with_input(&home, &words, &old).out;
    let expected = "denied: missing scope channels:c-42:publish (old secret, until 20";
    assert!(denied.starts_with(expected), "{denied}");
    assert_eq!(run_with_input(&home, &["verify"], &old).success(), "valid: ci\n");
    assert_eq!(run_with_input(&home, &["verify", "--explain"], &new).success(), "valid: ci\n");
    let until = |secret: &str| {
        run_with_input(&home, &["verify", "--json"], secret).objects()[0]["retiring_until"].clone()
    };
    assert!(until(&old).as_str().unwrap().starts_with("20"));
    assert_eq!(until(&new), json!(null));
}

#[test]
fn a_closed_pipe_does_not_change_the_exit_code() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    for (words, code) in [
        (&PUBLISH[..], 1),
        (&["verify", "--scope", "channels:c-42:publish", "--json"], 1),
        (&["verify", "--scope", "channels:c-42:publish", "--explain"], 1),
        (&["verify"], 0),
    ] {
        let mut command = crate::command(&home, words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        drop(child.stderr.take());
        child.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{words:?}");
    }
}

#[test]
fn a_faulty_config_or_store_is_an_error() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-42:publish"]);
    let faulty = home.path().join("faulty.toml");
    fs::write(&faulty, "colour = 1\n").unwrap();
    let result =
        run_with_input(&home, &[&PUBLISH[..], &["--config", "faulty.toml"]].concat(), &secret);
    assert_eq!((result.code, result.out.as_str()), (2, ""));
    let store = home.store();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o644)).unwrap();
    let shown = store.display();
    let result = run_with_input(&home, &PUBLISH, &secret);
    let message = format!("{shown} is accessible to other users (mode 0644)");
    result.fails_with_hint(4, &message, &format!("run `chmod 600 {shown}`"));
    fs::set_permissions(&store, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&store, "not a store").unwrap();
    let result = run_with_input(&home, &PUBLISH, &secret);
    assert_eq!((result.code, result.out.as_str()), (4, ""), "{result:?}");
}

#[test]
fn the_last_use_of_the_old_secret_is_shown() {
    let home = Home::new();
    let old = issue(&home, &["ci", "--scope", "channels:c-42:publish"]);
    run(&home, &["regenerate", "ci", "--overlap", "1h"]).success();
    let words = [&PUBLISH[..], &["--from", "10.0.0.7"]].concat();
    assert_eq!(run_with_input(&home, &words, &old).code, 0);
    let shown = run(&home, &["show", "ci"]).success();
    let line = shown.lines().find(|line| line.starts_with("old secret  last used ")).unwrap();
    assert!(line.ends_with(" from 10.0.0.7, channels:c-42:publish allowed"), "{shown}");
    let token = run(&home, &["show", "ci", "--json"]).objects()[0]["token"].clone();
    assert_eq!(token["retiring_last_used"]["from"], "10.0.0.7");
    run(&home, &["revoke", "ci", "--old", "--yes"]).success();
    let token = run(&home, &["show", "ci", "--json"]).objects()[0]["token"].clone();
    assert!(token["retiring_last_used"].is_null());
    assert_eq!(token["last_used"]["from"], "10.0.0.7");
}

#[test]
fn a_last_use_has_its_address_and_operation() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-42:publish"]);
    let words = [&PUBLISH[..], &["--from", "192.0.2.7"]].concat();
    assert_eq!(run_with_input(&home, &words, &secret).code, 0);
    let used = || run(&home, &["show", "ci", "--json"]).objects()[0]["token"]["last_used"].clone();
    assert_eq!(used()["from"], "192.0.2.7");
    assert_eq!(used()["what"], "channels:c-42:publish allowed");

    let other = issue(&home, &["cd"]);
    let mut command = crate::command(&home, &["verify"]);
    command.env("SSH_CONNECTION", "198.51.100.9 50000 203.0.113.1 22").stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(other.as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let shown = run(&home, &["show", "cd"]).success();
    assert!(shown.contains(" from 198.51.100.9, identify allowed"), "{shown}");
}

#[test]
fn a_use_from_another_address_is_recorded_within_30_seconds() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-1:read"]);
    let token = || run(&home, &["show", "ci", "--json"]).objects()[0]["token"].clone();
    for (line, field, what, from) in [
        ("channels:c-1:read 192.0.2.1", "last_used", "channels:c-1:read allowed", "192.0.2.1"),
        ("channels:c-1:read 192.0.2.2", "last_used", "channels:c-1:read allowed", "192.0.2.2"),
        ("channels:c-1:publish 192.0.2.2", "last_denied", "channels:c-1:publish", "192.0.2.2"),
        ("channels:c-1:publish 192.0.2.3", "last_denied", "channels:c-1:publish", "192.0.2.3"),
    ] {
        run_with_input(&home, &["verify", "--lines"], &format!("{secret} {line}\n"));
        let last = token()[field].clone();
        assert_eq!((&last["what"], &last["from"]), (&json!(what), &json!(from)));
    }
}

#[test]
fn show_counts_the_uses_and_denials_of_today() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-1:read"]);
    let allowed = format!("{secret} channels:c-1:read\n").repeat(5);
    let lines = allowed + &format!("{secret} channels:c-1:publish\n").repeat(3);
    run_with_input(&home, &["verify", "--lines"], &lines);
    let shown = || run(&home, &["show", "ci", "--json"]).objects().remove(0);
    let day = shown()["days"][0].clone();
    assert_eq!((&day["used"], &day["denied"]), (&json!(5), &json!(3)));
    let text = run(&home, &["show", "ci"]).success();
    assert!(text.lines().any(|line| line == "used today   5 times, denied 3 times"), "{text}");
    // A restored token keeps them.
    run(&home, &["delete", "ci", "--yes"]).success();
    run(&home, &["restore", "ci"]).success();
    assert_eq!(shown()["days"][0], day);
}

#[test]
fn show_lists_the_last_denials_with_their_reasons() {
    let home = Home::new();
    let limits = ["ci", "--scope", "channels:c-1:read", "--allow-from", "192.0.2.0/24"];
    let old = issue(&home, &limits);
    let lines = |secret: &str, rest: &[&str]| {
        let input: Vec<_> = rest.iter().map(|it| format!("{secret} {it}\n")).collect();
        run_with_input(&home, &["verify", "--lines"], &input.concat());
    };
    lines(&old, &["users:u-1:read 192.0.2.1", "users:u-2:read 192.0.2.1"]);
    let new = run(&home, &["regenerate", "ci", "--overlap", "1h"]).success();
    lines(&old, &["users:u-3:read 192.0.2.1", "channels:c-1:read 192.0.2.1"]);
    lines(new.trim_end(), &["channels:c-1:read 10.0.0.1", "users:u-4:read 192.0.2.9"]);
    run(&home, &["revoke", "ci", "--yes"]).success();
    lines(new.trim_end(), &["channels:c-1:read 192.0.2.1", "channels:c-1:read 192.0.2.1"]);
    let shown = run(&home, &["show", "ci", "--json"]).objects().remove(0);
    let denied: Vec<_> = shown["denied"].as_array().unwrap().iter().collect();
    let facts = |field: &str| denied.iter().map(|it| it[field].clone()).collect::<Vec<_>>();
    assert_eq!(
        facts("reason"),
        ["revoked", "no-scope", "source-not-allowed", "no-scope", "no-scope"]
    );
    assert_eq!(facts("retiring"), [false, false, false, true, false]);
    assert_eq!(facts("from"), ["192.0.2.1", "192.0.2.9", "10.0.0.1", "192.0.2.1", "192.0.2.1"]);
    assert_eq!(facts("what")[3..], ["users:u-3:read", "users:u-2:read"]);
    let text = run(&home, &["show", "ci"]).success();
    let rows: Vec<_> = text.lines().filter(|line| line.contains("denied  ")).collect();
    assert_eq!(rows.len(), 5, "{text}");
    assert!(rows[0].starts_with("last denied  "), "{text}");
    assert!(rows[0].ends_with(" from 192.0.2.1: channels:c-1:read (revoked)"), "{text}");
    assert!(rows[3].starts_with("denied  "), "{text}");
    assert!(rows[3].ends_with(": users:u-3:read, with the old secret (no scope)"), "{text}");
    // A restored token keeps them.
    run(&home, &["delete", "ci", "--yes"]).success();
    run(&home, &["restore", "ci"]).success();
    let restored = run(&home, &["show", "ci", "--json"]).objects().remove(0);
    assert_eq!(restored["denied"], shown["denied"]);
    assert_eq!(restored["token"]["last_denied"], shown["token"]["last_denied"]);
}

#[test]
fn a_denied_attempt_is_not_the_last_use() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-1:read"]);
    let identify = ["verify", "--from", "10.0.0.6"];
    let denied = [&PUBLISH[..], &["--from", "10.0.0.7"]].concat();
    assert_eq!(run_with_input(&home, &denied, &secret).code, 1);
    let shown = run(&home, &["show", "ci"]).success();
    assert!(shown.lines().any(|line| line == "last used    never"), "{shown}");
    assert!(run(&home, &["list"]).success().contains("never"));
    assert!(run(&home, &["list", "--search", "unused"]).success().contains("ci"));
    assert_eq!(run_with_input(&home, &identify, &secret).code, 0);
    run(&home, &["revoke", "ci", "--yes"]).success();
    assert_eq!(run_with_input(&home, &identify, &secret).code, 1);
    let shown = run(&home, &["show", "ci"]).success();
    let line = |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(line("last used").ends_with(" from 10.0.0.6, identify allowed"), "{shown}");
    assert!(line("last denied").ends_with(" from 10.0.0.6: identify (revoked)"), "{shown}");
    assert!(
        line("denied").ends_with(" from 10.0.0.7: channels:c-42:publish (no scope)"),
        "{shown}"
    );
    assert_eq!(run(&home, &["list", "--search", "unused"]).success(), "");
}

#[test]
fn a_mistyped_scope_does_not_look_like_a_denial() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    let answer = |scope| run_with_input(&home, &["verify", "--scope", scope], &secret);
    let denied = answer("channels:c-1:read");
    assert_eq!((denied.code, denied.err.as_str()), (1, ""));
    let mistyped = answer("channels:c-1:write");
    assert_eq!((mistyped.code, mistyped.out.as_str()), (1, "denied\n"));
    assert!(mistyped.err.starts_with("hint: "), "{mistyped:?}");
    assert!(mistyped.err.contains("create, read, list"), "{mistyped:?}");
}

#[test]
fn a_mistyped_address_does_not_look_like_a_denial() {
    let home = Home::new();
    let limited = issue(&home, &["limited", "--allow-from", "10.0.0.0/8"]);
    let open = issue(&home, &["open"]);
    let answer = |secret: &str, from| run_with_input(&home, &["verify", "--from", from], secret);
    let hint = "hint: 10.0.0 is no IP address: no allowed network contains it\n";
    for (secret, from, code, err) in [
        (&limited, "10.0.0", 1, hint),
        (&open, "10.0.0", 0, hint),
        (&limited, "10.0.0.1", 0, ""),
        (&limited, "192.0.2.1", 1, ""),
    ] {
        let result = answer(secret, from);
        assert_eq!((result.code, result.err.as_str()), (code, err), "{from}");
    }
}
