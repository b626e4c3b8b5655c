//! A secret is written only to its requested destination: it is in no other output, file, debug
//! text or argument.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use patdeck::{
    domain::{Description, Labels, LimitChanges, Name, NewToken, Owner, SecretScanner},
    testing::ServiceTestExt as _,
    tui::terminal::input::TerminalInput,
};

use crate::{
    Home, issue, run, run_with_input,
    secret_encodings::{all_files, encodings, find_encoding},
};

#[test]
fn a_secret_is_printed_once_and_stored_nowhere() {
    let home = Home::new();
    let made = run(&home, &["create", "ci", "--scope", "channels:c-42:publish"]);
    let first = made.out.trim_end().to_owned();
    assert_eq!((first.len(), made.out.lines().count()), (55, 1));
    let renewed = run(&home, &["regenerate", "ci", "--overlap", "15m", "--json"]);
    let second = renewed.clone().objects()[0]["secret"].as_str().unwrap().to_owned();
    let mut output = vec![made.err, renewed.err];
    for secret in [&first, &second] {
        for words in [
            &["verify", "--explain", "--scope", "users:u:read"][..],
            &["verify"],
            &["verify", "--json"],
            &["verify", "--lines"],
        ] {
            let result = run_with_input(&home, words, secret);
            output.extend([result.out, result.err]);
        }
    }
    let words: [&[&str]; 12] = [
        &["list"],
        &["list", "--json"],
        &["show", "ci"],
        &["show", "ci", "--json"],
        &["edit", "ci", "--name", "cd", "--json"],
        &["audit"],
        &["audit", "--json"],
        &["audit", "--check"],
        &["doctor"],
        &["revoke", "cd", "--yes", "--json"],
        &["delete", "cd", "--yes", "--json"],
        &["restore", "cd", "--json"],
    ];
    for words in words {
        let result = run(&home, words);
        assert_eq!(result.code, 0, "{result:?}");
        output.extend([result.out, result.err]);
    }
    for words in [&["backup", "copy.redb"][..], &["export", "--output", "all.jsonl"]] {
        let result = run(&home, words);
        assert_eq!(result.code, 0, "{result:?}");
        output.extend([result.out, result.err]);
    }
    let files = all_files(&home.path());
    // The store and its register, the copy, the export.
    assert!(files.len() >= 4, "{files:?}");
    for secret in [&first, &second] {
        assert_absent(secret, &output, &files);
    }
    // The search finds the encodings in a text that contains them.
    fs::write(home.path().join("leak"), format!("x{first}")).unwrap();
    let leaked = fs::read(home.path().join("leak")).unwrap();
    assert_eq!(find_encoding(&leaked, &encodings(&first)), Some(0));
    let coded = BASE64_STANDARD.encode(&leaked);
    assert!(find_encoding(coded.as_bytes(), &encodings(&first)).is_some());
}

/// Fails if `secret` is in the output or in one of the files, in any encoding.
fn assert_absent(secret: &str, output: &[String], files: &[PathBuf]) {
    let encodings = encodings(secret);
    let is_absent = |text: &[u8]| find_encoding(text, &encodings).is_none();
    assert!(output.iter().all(|text| is_absent(text.as_bytes())), "{output:#?}");
    for path in files {
        assert!(is_absent(&fs::read(path).unwrap()), "{}", path.display());
    }
}

#[test]
fn debug_output_contains_no_secret() {
    let home = Home::new();
    let service = home.service(chrono::TimeDelta::zero());
    let issued = service
        .create(&NewToken {
            name: Name::parse("ci").unwrap(),
            description: Description::default(),
            lifetime: "30d".parse().unwrap(),
            scopes: Vec::new(),
            limits: LimitChanges::default(),
            labels: Labels::default(),
            owner: Owner::default(),
        })
        .unwrap();
    let text = issued.secret.reveal().to_owned();
    let fed = || {
        let mut scanner = SecretScanner::default();
        scanner.feed(text.as_bytes(), |_| {});
        scanner
    };
    let (scanner, mut matches) = (fed(), Vec::new());
    fed().finish(|found| matches.push(found));
    let verdict = service.check(text.clone().into(), None, None).unwrap();
    let pasted = TerminalInput::Paste(text.clone());
    let shown = format!("{issued:?} {scanner:?} {matches:?} {verdict:?} {pasted:?} {service:?}");
    assert_eq!(matches.len(), 1);
    assert_eq!(find_encoding(shown.as_bytes(), &encodings(&text)), None, "{shown}");
}

#[test]
fn a_secret_file_is_new_and_private() {
    let home = Home::new();
    let path = home.path().join("ci.secret");
    let made = run(&home, &["create", "ci", "--secret-file", "ci.secret"]);
    assert_eq!((made.code, made.out.as_str()), (0, ""));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let verified = run(&home, &["verify", "--secret-file", "ci.secret"]);
    assert_eq!((verified.code, verified.out.as_str()), (0, "valid: ci\n"));

    // The error comes before the old secret stops working.
    let before = fs::read(&path).unwrap();
    let renewed = run(&home, &["regenerate", "ci", "--yes", "--secret-file", "ci.secret"]);
    let message = "ci.secret already exists and was not changed";
    renewed.fails_with_hint(3, message, "choose another name");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(run(&home, &["verify", "--secret-file", "ci.secret"]).code, 0);

    // If a rule refuses the token, no empty file remains.
    let duplicate = run(&home, &["create", "ci", "--secret-file", "other.secret"]);
    duplicate.fails(3, "another token is already named ci: choose another name");
    assert!(!home.path().join("other.secret").exists());
}

#[test]
fn a_secret_in_an_argument_is_rejected() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    let id = &secret[4..16];
    let message = format!(
        "an argument contains the secret of {id}: other users can see arguments, and the shell \
         history keeps them"
    );
    let hint = format!(
        "the secret is exposed: replace it with `patdeck regenerate {id}`, and pass secrets on \
         standard input or with --secret-file"
    );
    let joined = format!("--secret-file={secret}");
    for words in [
        &["verify", &secret][..],
        &["show", &secret],
        &["verify", &joined],
        &["scan", &secret],
        &[&secret],
    ] {
        run(&home, words).fails_with_hint(2, &message, &hint);
    }
}

#[test]
fn a_token_whose_secret_cannot_be_printed_is_not_created() {
    let home = Home::new();
    let mut command = crate::command(&home, &["create", "ci"]);
    let piped = std::process::Stdio::piped;
    let mut child = command.stdout(piped()).stderr(piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.starts_with("error: cannot print the new secret (Broken pipe"), "{err}");
    assert_eq!(run(&home, &["show", "ci"]).code, 1);
}

#[test]
fn a_secret_is_printed_in_the_form_that_a_client_reads() {
    let home = Home::new();
    for (format, before, after) in [
        ("header", "Authorization: Bearer pat_", ""),
        ("env", "CI_TOKEN=pat_", ""),
        ("netrc", "machine HOST login ", ""),
        ("json", "{\"schema\":1,\"id\":\"", "\"}"),
        ("userpass", "", ""),
        ("secret", "pat_", ""),
    ] {
        run(&home, &["create", "ci", "--format", format]).success();
        let printed = run(&home, &["regenerate", "ci", "--yes", "--format", format]).success();
        let line = printed.trim_end();
        assert!(line.starts_with(before) && line.ends_with(after), "{format}: {line}");
        assert_eq!(line.matches("pat_").count(), 1, "{line}");
        let secret = &line[line.find("pat_").unwrap()..][..55];
        assert_eq!(run_with_input(&home, &["verify"], secret).code, 0, "{line}");
        run(&home, &["delete", "ci", "--yes"]).success();
    }
}

#[test]
fn a_form_is_refused_where_it_would_be_ignored() {
    let home = Home::new();
    for (arguments, error) in [
        (["--format", "env", "--json", "--lifetime=1d"], "--format cannot be combined with --json"),
        (["--format", "env", "--secret-file", "f"], "cannot be used with"),
        (["--format", "yaml", "--lifetime", "1d"], "yaml"),
    ] {
        let result = run(&home, &[&["create", "ci"], &arguments[..]].concat());
        assert!(result.code == 2 && result.err.contains(error), "{result:?}");
    }
    assert_eq!(run(&home, &["show", "ci"]).code, 1, "nothing was created");
}
