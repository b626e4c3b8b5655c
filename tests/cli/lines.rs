//! `verify --lines`: one line of answer for each line of input, in its order and at once, with the
//! same decisions as a process for each; and nothing but yes for all ends with 0.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use crate::{Home, fed, issue, run};

const LINES: [&str; 2] = ["verify", "--lines"];

/// A gateway's side of the conversation.
struct Gateway {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Gateway {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut command = crate::command(home, &[&LINES[..], arguments].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (questions, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, questions, answers: BufReader::new(answers) }
    }

    /// Waits for the answer, as a gateway does that holds a caller meanwhile.
    fn ask(&mut self, line: &str) -> String {
        writeln!(self.questions, "{line}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    fn end(mut self) -> i32 {
        drop(self.questions);
        self.child.wait().unwrap().code().unwrap()
    }
}

#[test]
fn each_line_is_answered_before_the_next_one_is_asked() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-42:publish@eu"]);
    let mut gateway = Gateway::start(&home, &[]);
    assert_eq!(gateway.ask(&secret), "valid: ci");
    assert_eq!(gateway.ask(&format!("{secret} channels:c-42:publish@eu")), "allowed");
    assert_eq!(gateway.ask(&format!("{secret}\tusers:u-1:read  10.0.0.7\r")), "denied");
    assert_eq!(gateway.ask("pat_nonsense users:u-1:read"), "denied");
    assert_eq!(gateway.ask(""), "denied");
    run(&home, &["revoke", "ci", "--yes"]).done();
    assert_eq!(gateway.ask(&secret), "denied", "revoked while it ran");
    assert_eq!(gateway.end(), 1);
}

#[test]
fn the_answers_are_those_of_a_process_for_each() {
    let home = Home::new();
    let good = issue(&home, &["ci", "--scope", "channels:*:publish", "--scope", "clients:c1:read"]);
    let revoked = issue(&home, &["old"]);
    run(&home, &["revoke", "old", "--yes"]).done();
    let unknown = issue(&home, &["gone"]);
    run(&home, &["delete", "gone", "--yes"]).done();
    let scopes = ["channels:c-1:publish", "clients:c2:read", "clients:c1:read@eu", "users:*:list"];
    for flags in [&[][..], &["--json"]] {
        let (mut questions, mut expected) = (String::new(), String::new());
        for secret in [&good, &revoked, &unknown, "rubbish"] {
            for scope in scopes {
                let alone = ["verify", "--scope", scope];
                expected.push_str(&fed(&home, &[&alone, flags].concat(), secret).out);
                questions.extend([secret, " ", scope, "\n"]);
            }
        }
        let ended = fed(&home, &[&LINES, flags].concat(), &questions);
        assert_eq!((ended.code, ended.err.as_str()), (1, ""));
        assert_eq!(ended.out, expected);
    }
}

#[test]
fn only_yes_to_every_line_ends_with_0() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-42:publish"]);
    let yes = format!("{secret} channels:c-42:publish\n");
    let no = format!("{secret} users:u-1:read\n");
    let unclear = format!("{secret} users\n");
    for (input, code) in [
        ("", 1),
        (&yes, 0),
        (secret.as_str(), 0),
        (&format!("{yes}{no}{yes}"), 1),
        (&format!("{no}{unclear}{yes}"), 2),
        (&format!("{unclear}{no}"), 2),
    ] {
        assert_eq!(fed(&home, &LINES, input).code, code, "{input}");
    }
}

#[test]
fn a_line_without_an_answer_says_why_and_the_next_one_is_answered() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    let other = issue(&home, &["cd"]);
    let id = &other[4..16];
    let long = "x".repeat(5_000);
    let typo = format!("{}{}", &other[..54], if other.ends_with('0') { "1" } else { "0" });
    let input = format!(
        "{secret} {typo}\n{secret} users:u:read here there\n{long}\nusers:u:read {other}\n{secret}\n"
    );
    let ended = fed(&home, &LINES, &input);
    let expected = format!(
        "error: the second word of a line is a scope: write TYPE:ENTITY:OPERATION, such as \
         channels:c-42:publish\n\
         error: a line has a secret, a scope and an address, no more\n\
         error: a line has at most 4096 bytes\n\
         error: the secret of {id} stands behind another word: a line begins with its secret\n\
         valid: ci\n"
    );
    assert_eq!((ended.code, ended.out), (2, expected));
    let told = fed(&home, &["verify", "--lines", "--json"], &input).objects();
    assert_eq!(told.len(), 5);
    assert!(told[..4].iter().all(|it| it["allowed"] == false && it["error"].is_string()));
    assert_eq!((&told[4]["allowed"], &told[4]["token"]["name"]), (&true.into(), &"ci".into()));
}

#[test]
fn what_a_line_leaves_out_is_taken_from_the_arguments() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-42:publish"]);
    let words = [&LINES[..], &["--scope", "channels:c-42:publish", "--from", "10.0.0.1"]].concat();
    let ended = fed(&home, &words, &format!("{secret}\n{secret} users:u-1:read 10.0.0.2\n"));
    assert_eq!((ended.code, ended.out.as_str()), (1, "allowed\ndenied\n"));
    // The first use of the two is the one that is written, when the answers are out.
    let token = run(&home, &["show", "ci", "--json"]).objects()[0]["token"].clone();
    assert_eq!(token["last_used"]["from"], "10.0.0.1");
    assert_eq!(token["last_used"]["what"], "channels:c-42:publish allowed");
    let explained =
        fed(&home, &["verify", "--lines", "--explain"], &format!("{secret} users:u:read"));
    assert_eq!(explained.out, "denied: no scope allows it: users:u:read is missing\n");
}

#[test]
fn a_gateway_that_is_gone_is_no_yes() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    let mut gateway = Gateway::start(&home, &[]);
    assert_eq!(gateway.ask(&secret), "valid: ci");
    drop(gateway.answers);
    // The first one may still fit; what is asked then finds nobody.
    let _ = writeln!(gateway.questions, "{secret}");
    drop(gateway.questions);
    assert_eq!(gateway.child.wait().unwrap().code(), Some(2));
}

#[test]
fn lines_are_not_read_from_the_file_of_one_secret() {
    let home = Home::new();
    let both = run(&home, &["verify", "--lines", "--secret-file", "x"]);
    assert_eq!(both.code, 2);
    assert!(both.err.contains("cannot be used with"), "{both:?}");
}
