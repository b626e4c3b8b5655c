//! Damage is named: a broken event by `audit --check`, a damaged token by `list`; and a start of
//! an id that several tokens have is answered with all of them.

use std::{fs, process::Stdio};

use chrono::Utc;
use patdeck::{
    domain::{Actor, Description, Digest, Name, Scopes, Token, TokenId},
    store::{Store, StoreError},
};
use serde_json::json;

use crate::{Home, command, issue, run};

/// Flips a bit wherever `needle` stands in the store.
fn flip(home: &Home, needle: &str) {
    let mut bytes = fs::read(home.store()).unwrap();
    for at in 0..bytes.len() - needle.len() {
        if bytes[at..].starts_with(needle.as_bytes()) {
            bytes[at] ^= 1;
        }
    }
    fs::write(home.store(), bytes).unwrap();
}

#[test]
fn the_check_names_the_first_broken_event() {
    let home = Home::new();
    issue(&home, &["ci"]);
    assert_eq!(run(&home, &["edit", "ci", "--name", "second"]).code, 0);
    assert_eq!(run(&home, &["edit", "second", "--name", "third"]).code, 0);
    assert_eq!(run(&home, &["audit", "--check"]).code, 0);
    flip(&home, "name was second");
    let sentence = "the chain is broken at event 4 (4 in events-1 is damaged): copy the file away \
                    as it is, and compare it with a backup";
    run(&home, &["audit", "--check"]).refused(1, sentence);
    let ended = run(&home, &["audit", "--check", "--json"]);
    assert_eq!((ended.code, ended.err.as_str()), (1, format!("patdeck: {sentence}\n").as_str()));
    let told = &ended.objects()[0];
    assert_eq!((&told["holds"], &told["broken_at"]), (&json!(false), &json!(4)));
    let ended = run(&home, &["doctor"]);
    assert_eq!(ended.code, 1);
    assert!(ended.out.contains("the trail is broken at event 4"), "{ended:?}");

    let mut command = command(&home, &["audit", "--check", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1), "a lost reader is no sound chain");
}

#[test]
fn an_earlier_hash_shows_that_the_end_of_the_trail_was_cut_off() {
    let head = |home: &Home| {
        let told = run(home, &["audit", "--check"]).done();
        told.trim_end().rsplit(' ').next().unwrap().to_owned()
    };
    let home = Home::new();
    let none = head(&home);
    issue(&home, &["ci"]);
    let (first, before) = (head(&home), fs::read(home.store()).unwrap());
    assert_eq!(run(&home, &["edit", "ci", "--name", "cd"]).code, 0);
    let second = head(&home);
    let place = |hash: &str| {
        let ended = run(&home, &["audit", "--check", "--expect", hash, "--json"]);
        (ended.code, ended.objects()[0]["expected_at"].as_u64())
    };
    assert_eq!([&none, &first, &second].map(|hash| place(hash)), [0, 2, 3].map(|n| (0, Some(n))));
    let told = run(&home, &["audit", "--check", "--expect", &first]).done();
    assert!(told.ends_with("\nthe expected hash is that of event 2: 1 events since\n"), "{told}");

    // An older copy in the place of the store is a trail without its end.
    fs::write(home.store(), before).unwrap();
    assert_eq!(run(&home, &["audit", "--check"]).code, 0);
    assert_eq!((place(&first), place(&second)), ((0, Some(2)), (1, None)));
    let ended = run(&home, &["audit", "--check", "--expect", &second]);
    let sentence = "patdeck: no event has the expected hash: the trail was cut off or written anew \
                    since that check, compare with a backup from before it\n";
    assert_eq!((ended.code, ended.err.as_str()), (1, sentence));
}

#[test]
fn a_damaged_token_is_named_and_hides_no_other() {
    let home = Home::new();
    issue(&home, &["ci", "--description", "needle one"]);
    issue(&home, &["cd"]);
    flip(&home, "needle one");
    let ended = run(&home, &["list", "--json"]);
    assert_eq!((ended.code, ended.out.lines().count()), (0, 1));
    let advice = " in pats-1 is damaged and left out: restore a backup, or delete this record\n";
    assert!(ended.err.ends_with(advice), "{ended:?}");
}

fn token(id: &str, name: &str) -> Token {
    let at = Utc::now();
    Token {
        id: TokenId::parse(id).unwrap(),
        name: Name::parse(name).unwrap(),
        description: Description::parse("").unwrap(),
        scopes: Scopes::default(),
        prefix: "pat".into(),
        digest: Digest::from_bytes([7; 32]),
        previous: None,
        created: at,
        created_by: Actor::named("alice"),
        issued: at,
        expires: None,
        revoked: None,
        delivered: true,
        last_used: None,
    }
}

#[test]
fn the_start_of_an_id_names_a_token_unless_it_names_several() {
    let home = Home::new();
    let store = Store::open(&home.store()).unwrap();
    for (id, name) in [("abcdX0000001", "one"), ("abcdX0000002", "two"), ("abcdY0000003", "three")]
    {
        store.write::<_, StoreError>(|rows| rows.put_token(&token(id, name))).unwrap();
    }
    let shown = run(&home, &["show", "abcdY"]).done();
    assert!(shown.contains("three"), "{shown}");
    let candidates = "it may be abcdX0000001 (one), abcdX0000002 (two)";
    let sentence = format!("abcdX is the start of several ids: write more of it; {candidates}");
    for words in
        [&["show", "abcdX"][..], &["revoke", "abcdX", "--yes"], &["delete", "abcdX", "--yes"]]
    {
        run(&home, words).refused(2, &sentence);
    }
    run(&home, &["show", "abc"])
        .refused(1, "there is no token abc: `patdeck list --status all` shows them");
}

#[test]
fn a_lost_reader_ends_a_list_quietly() {
    let home = Home::new();
    for n in 0..3 {
        issue(&home, &[&format!("token {n}")]);
    }
    for words in [
        &["list"][..],
        &["list", "--json"],
        &["audit"],
        &["show", "token 1"],
        &["config", "show"],
        &["man"],
    ] {
        let mut command = command(&home, words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{words:?}");
    }
}
