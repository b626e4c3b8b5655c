//! `verify --lines`: each line of input gets one line of answer, in order and immediately, with the
//! same decision as a separate process. The exit code is 0 only if every line was allowed.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use serde_json::Value;

use crate::{Home, issue, run, run_with_input};

const LINES: [&str; 2] = ["verify", "--lines"];

/// A gateway that sends requests to a running `verify --lines`.
struct Gateway {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Gateway {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut command = crate::command(home, &[&LINES[..], arguments].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (requests, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, requests, answers: BufReader::new(answers) }
    }

    /// Sends a request and waits for its answer.
    fn ask(&mut self, line: &str) -> String {
        writeln!(self.requests, "{line}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    fn end(mut self) -> i32 {
        drop(self.requests);
        self.child.wait().unwrap().code().unwrap()
    }
}

#[test]
fn each_line_is_answered_immediately() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-42:publish@eu"]);
    let mut gateway = Gateway::start(&home, &[]);
    assert_eq!(gateway.ask(&secret), "valid: ci");
    assert_eq!(gateway.ask(&format!("{secret} channels:c-42:publish@eu")), "allowed");
    assert_eq!(gateway.ask(&format!("{secret}\tusers:u-1:read  10.0.0.7\r")), "denied");
    assert_eq!(gateway.ask("pat_nonsense users:u-1:read"), "denied");
    assert_eq!(gateway.ask(""), "denied");
    run(&home, &["revoke", "ci", "--yes"]).success();
    assert_eq!(gateway.ask(&secret), "denied", "revoked while verify was running");
    assert_eq!(gateway.end(), 1);
}

#[test]
fn answers_equal_those_of_separate_processes() {
    let home = Home::new();
    let good = issue(&home, &["ci", "--scope", "channels:*:publish", "--scope", "clients:c1:read"]);
    let revoked = issue(&home, &["old"]);
    run(&home, &["revoke", "old", "--yes"]).success();
    let unknown = issue(&home, &["gone"]);
    run(&home, &["delete", "gone", "--yes"]).success();
    let scopes = ["channels:c-1:publish", "clients:c2:read", "clients:c1:read@eu", "users:*:list"];
    for flags in [&[][..], &["--json"]] {
        let (mut requests, mut expected) = (String::new(), String::new());
        for secret in [&good, &revoked, &unknown, "rubbish"] {
            for scope in scopes {
                let alone = ["verify", "--scope", scope];
                expected.push_str(&run_with_input(&home, &[&alone, flags].concat(), secret).out);
                requests.extend([secret, " ", scope, "\n"]);
            }
        }
        let result = run_with_input(&home, &[&LINES, flags].concat(), &requests);
        assert_eq!((result.code, result.err.as_str()), (1, ""));
        assert_eq!(result.out, expected);
    }
}

#[test]
fn exit_0_means_that_every_line_was_allowed() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-42:publish"]);
    let allowed = format!("{secret} channels:c-42:publish\n");
    let denied = format!("{secret} users:u-1:read\n");
    let invalid = format!("{secret} users\n");
    for (input, code) in [
        ("", 1),
        (&allowed, 0),
        (secret.as_str(), 0),
        (&format!("{allowed}{denied}{allowed}"), 1),
        (&format!("{denied}{invalid}{allowed}"), 2),
        (&format!("{invalid}{denied}"), 2),
    ] {
        assert_eq!(run_with_input(&home, &LINES, input).code, code, "{input}");
    }
}

#[test]
fn an_invalid_line_gets_an_error_and_the_next_an_answer() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    let other = issue(&home, &["cd"]);
    let id = &other[4..16];
    let long = "x".repeat(5_000);
    let typo = format!("{}{}", &other[..54], if other.ends_with('0') { "1" } else { "0" });
    let input = format!(
        "{secret} {typo}\n{secret} users:u:read here there\n{long}\nusers:u:read {other}\n{secret}\n"
    );
    let result = run_with_input(&home, &LINES, &input);
    let expected = format!(
        "error: the second word is not a scope: write TYPE:ENTITY:OPERATION, e.g. \
         channels:c-42:publish\n\
         error: too many words: a line is SECRET [SCOPE] [ADDRESS]\n\
         error: the line is longer than 4096 bytes\n\
         error: the secret of {id} must be the first word of the line\n\
         valid: ci\n"
    );
    assert_eq!((result.code, result.out), (2, expected));
    let answers = run_with_input(&home, &["verify", "--lines", "--json"], &input).objects();
    assert_eq!(answers.len(), 5);
    assert!(answers[..4].iter().all(|it| it["allowed"] == false && it["error"].is_string()));
    assert_eq!(
        (&answers[4]["allowed"], &answers[4]["valid"], &answers[4]["token"]["name"]),
        (&Value::Null, &true.into(), &"ci".into()),
        "without a scope, nothing is allowed"
    );
}

/// A gateway that writes `SECRET SCOPE`, and a bearer who sends a secret with a scope behind it.
#[test]
fn a_bearer_cannot_choose_the_scope_of_a_line() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-42:publish"]);
    let sent = format!("{secret} channels:c-42:publish");
    for line in [format!("{sent} users:u-1:delete"), format!("{sent} users:u-1:delete 192.0.2.7")] {
        let result = run_with_input(&home, &LINES, &format!("{line}\n"));
        assert_eq!(result.code, 2, "{result:?}");
        assert!(result.out.starts_with("error: t"), "{result:?}");
    }
}

#[test]
fn arguments_are_the_defaults_of_a_line() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-42:publish"]);
    let words = [&LINES[..], &["--scope", "channels:c-42:publish", "--from", "10.0.0.1"]].concat();
    let result =
        run_with_input(&home, &words, &format!("{secret}\n{secret} users:u-1:read 10.0.0.2\n"));
    assert_eq!((result.code, result.out.as_str()), (1, "allowed\ndenied\n"));
    // Both uses are recorded after the answers were written, because they differ.
    let token = run(&home, &["show", "ci", "--json"]).objects()[0]["token"].clone();
    assert_eq!(token["last_used"]["from"], "10.0.0.1");
    assert_eq!(token["last_denied"]["from"], "10.0.0.2");
    assert_eq!(token["last_denied"]["what"], "users:u-1:read");
    let explained = run_with_input(
        &home,
        &["verify", "--lines", "--explain"],
        &format!("{secret} users:u:read"),
    );
    assert_eq!(explained.out, "denied: missing scope users:u:read\n");
}

#[test]
fn a_closed_pipe_is_an_error() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    let mut gateway = Gateway::start(&home, &[]);
    assert_eq!(gateway.ask(&secret), "valid: ci");
    drop(gateway.answers);
    // This write may still fit into the pipe; the answer to it cannot be written.
    let _ = writeln!(gateway.requests, "{secret}");
    drop(gateway.requests);
    assert_eq!(gateway.child.wait().unwrap().code(), Some(2));
}

#[test]
fn lines_and_secret_file_are_exclusive() {
    let home = Home::new();
    let both = run(&home, &["verify", "--lines", "--secret-file", "x"]);
    assert_eq!(both.code, 2);
    assert!(both.err.contains("cannot be used with"), "{both:?}");
}
