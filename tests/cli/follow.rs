//! `audit --follow`: prints the changes of other processes, and ends when its reader closes the pipe.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    time::{Duration, Instant},
};

use crate::{Home, command, issue, run};

#[test]
fn a_follower_prints_new_events_until_its_reader_is_gone() {
    let home = Home::new();
    issue(&home, &["before"]);
    let mut follow = command(&home, &["audit", "--follow", "--json"]);
    let mut child = follow.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || {
        let line = lines.next().unwrap().unwrap();
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        format!("{} {}", event["action"], event["name"])
    };
    assert_eq!(next(), r#""created" "before""#);
    assert_eq!(next(), r#""claimed" "before""#);
    issue(&home, &["after"]);
    assert_eq!(next(), r#""created" "after""#);
    assert_eq!(next(), r#""claimed" "after""#);
    // No further event happens, so that only the closed pipe can end it.
    drop(lines);
    let deadline = Instant::now() + Duration::from_secs(10);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the follower did not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn a_follower_reports_a_replaced_history() {
    let home = Home::new();
    issue(&home, &["t1"]);
    run(&home, &["backup", "old"]).success();
    issue(&home, &["t2"]);
    let mut follow = command(&home, &["audit", "--follow"]);
    let mut child = follow.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The headings and four events.
    for _ in 0..5 {
        lines.next().unwrap().unwrap();
    }
    // The same file with an older state, as after a restore in place.
    std::fs::copy(home.path().join("old"), home.store()).unwrap();
    issue(&home, &["t3"]);
    assert!(lines.next().is_none(), "the follower printed an event of the other history");
    let output = child.wait_with_output().unwrap();
    let error = "error: the audit trail was replaced: event 4 differs from the event that was \
                 printed\nhint: keep an unchanged copy of the file, and compare it with a backup\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), error);
    assert_eq!(output.status.code(), Some(1));
}
