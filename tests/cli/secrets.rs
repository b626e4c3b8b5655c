//! A secret goes to the one place that was asked for and to no other.

use std::{fs, os::unix::fs::PermissionsExt as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use patdeck::{
    domain::{Description, Name, NewToken, SecretScanner},
    testing::Changes as _,
    tui::terminal::input::Input,
};

use crate::{
    Home, fed, issue, run,
    traces::{all_files, forms, holds},
};

#[test]
fn a_secret_is_printed_once_and_is_nowhere_afterwards() {
    let home = Home::new();
    let made = run(&home, &["create", "ci", "--scope", "channels:c-42:publish"]);
    let first = made.out.trim_end().to_owned();
    assert_eq!((first.len(), made.out.lines().count()), (55, 1));
    let renewed = run(&home, &["regenerate", "ci", "--overlap", "15m", "--json"]);
    let second = renewed.clone().objects()[0]["secret"].as_str().unwrap().to_owned();
    let mut told = vec![made.err, renewed.err];
    for secret in [&first, &second] {
        for words in [
            &["verify", "--explain", "--scope", "users:u:read"][..],
            &["verify"],
            &["verify", "--json"],
            &["verify", "--lines"],
        ] {
            let ended = fed(&home, words, secret);
            told.extend([ended.out, ended.err]);
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
        let ended = run(&home, words);
        assert_eq!(ended.code, 0, "{ended:?}");
        told.extend([ended.out, ended.err]);
    }
    for words in [&["backup", "copy.redb"][..], &["export", "--output", "all.jsonl"]] {
        let ended = run(&home, words);
        assert_eq!(ended.code, 0, "{ended:?}");
        told.extend([ended.out, ended.err]);
    }
    let files = all_files(&home.path());
    // The store and its reserve, the copy, the export.
    assert!(files.len() >= 4, "{files:?}");
    for secret in [&first, &second] {
        let forms = forms(secret);
        assert!(told.iter().all(|text| holds(text.as_bytes(), &forms).is_none()), "{told:#?}");
        for path in &files {
            assert_eq!(holds(&fs::read(path).unwrap(), &forms), None, "{}", path.display());
        }
    }
    // What looks for the forms finds them where they are.
    fs::write(home.path().join("leak"), format!("x{first}")).unwrap();
    let leaked = fs::read(home.path().join("leak")).unwrap();
    assert_eq!(holds(&leaked, &forms(&first)), Some(0));
    let coded = BASE64_STANDARD.encode(&leaked);
    assert!(holds(coded.as_bytes(), &forms(&first)).is_some());
}

#[test]
fn no_debug_text_of_what_holds_a_secret_tells_it() {
    let home = Home::new();
    let service = home.service(chrono::TimeDelta::zero());
    let issued = service
        .create(&NewToken {
            name: Name::parse("ci").unwrap(),
            description: Description::default(),
            lifetime: "30d".parse().unwrap(),
            scopes: Vec::new(),
        })
        .unwrap();
    let text = issued.secret.reveal().to_owned();
    let mut finder = SecretScanner::default();
    let mut seen = Vec::new();
    finder.feed(format!("{text} {text}").as_bytes(), |sighting| seen.push(sighting));
    let verdict = service.check(text.clone().into(), None, None).unwrap();
    let pasted = Input::Paste(text.clone());
    let shown = format!("{issued:?} {finder:?} {seen:?} {verdict:?} {pasted:?} {service:?}");
    assert_eq!(seen.len(), 1);
    assert_eq!(holds(shown.as_bytes(), &forms(&text)), None, "{shown}");
}

#[test]
fn a_secret_file_is_new_and_its_owners_alone() {
    let home = Home::new();
    let path = home.path().join("ci.secret");
    let made = run(&home, &["create", "ci", "--secret-file", "ci.secret"]);
    assert_eq!((made.code, made.out.as_str()), (0, ""));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let verified = run(&home, &["verify", "--secret-file", "ci.secret"]);
    assert_eq!((verified.code, verified.out.as_str()), (0, "valid: ci\n"));

    // Refused before the old secret dies, not after.
    let before = fs::read(&path).unwrap();
    let renewed = run(&home, &["regenerate", "ci", "--yes", "--secret-file", "ci.secret"]);
    renewed.refused(3, "ci.secret exists already and was left as it is: choose another name");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(run(&home, &["verify", "--secret-file", "ci.secret"]).code, 0);

    // A rule that refuses the token leaves no empty file behind.
    let refused = run(&home, &["create", "ci", "--secret-file", "other.secret"]);
    refused.refused(3, "another token is called ci: choose another name");
    assert!(!home.path().join("other.secret").exists());
}

#[test]
fn a_secret_in_an_argument_is_refused_with_the_way_to_rotate_it() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    let id = &secret[4..16];
    let sentence = format!(
        "an argument holds the secret of {id}: every user of this machine can read arguments, and \
         your shell's history keeps them. Take the secret as leaked, run `patdeck regenerate \
         {id}`, and pass secrets on standard input or with --secret-file"
    );
    let joined = format!("--secret-file={secret}");
    for words in [
        &["verify", &secret][..],
        &["show", &secret],
        &["verify", &joined],
        &["scan", &secret],
        &[&secret],
    ] {
        run(&home, words).refused(2, &sentence);
    }
}

#[test]
fn a_secret_that_nobody_read_is_told_as_lost() {
    let home = Home::new();
    let mut command = crate::command(&home, &["create", "ci"]);
    let piped = std::process::Stdio::piped;
    let mut child = command.stdout(piped()).stderr(piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.ends_with("; nobody has the secret of ci: regenerate or delete ci\n"), "{told}");
    assert_eq!(run(&home, &["show", "ci", "--json"]).objects()[0]["token"]["claimed"], false);
}
