//! Prompts in a terminal: destructive commands ask for the name or the count, a secret is typed
//! without echo, and Ctrl-C restores the terminal.

use std::ffi::OsString;

use crate::{Home, home::SIZE, issue, run, run_with_input, support::Pty};

fn launch(home: &Home, words: &[&str]) -> Pty {
    let words: Vec<_> = words.iter().map(OsString::from).collect();
    home.launch_with(&words, SIZE, &[])
}

#[test]
fn an_interrupted_prompt_restores_the_terminal() {
    let home = Home::new();
    issue(&home, &["ci"]);
    let mut pty = launch(&home, &["verify"]);
    pty.wait_for("Secret (not shown):");
    pty.type_text("half a sec");
    pty.keys("<C-c>");
    assert_eq!(pty.wait_exit(), 130);
    pty.assert_restored();
    assert!(!pty.screen().contains("half"), "{}", pty.screen());

    let mut pty = launch(&home, &["verify"]);
    pty.wait_for("Secret (not shown):");
    pty.signal("TERM");
    assert_eq!(pty.wait_exit(), 143);
    pty.assert_restored();
}

#[test]
fn a_secret_is_typed_without_echo() {
    let home = Home::new();
    let secret = issue(&home, &["ci"]);
    let mut pty = launch(&home, &["verify"]);
    pty.wait_for("Secret (not shown):");
    pty.type_text(&secret);
    pty.keys("<Enter>");
    pty.wait_for("valid: ci");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
    assert!(!pty.screen().contains(&secret[4..20]), "{}", pty.screen());
}

#[test]
fn lines_of_secrets_cannot_be_typed() {
    let home = crate::home_with_store();
    let mut pty = launch(&home, &["verify", "--lines"]);
    pty.wait_for("error: refusing to read secrets from a terminal that shows them");
    assert_eq!(pty.wait_exit(), 2);
    pty.assert_restored();
}

#[test]
fn destructive_commands_ask_for_the_name_or_the_count() {
    let home = Home::new();
    issue(&home, &["ci"]);
    issue(&home, &["cd"]);
    let answer_with = |words: &[&str], question: &str, answer: &str| {
        let mut pty = launch(&home, words);
        pty.wait_for(question);
        pty.type_text(answer);
        pty.keys("<Enter>");
        (pty.wait_exit(), pty.screen())
    };
    let question = "Revoke ci? Type its name or id to confirm:";
    let (code, screen) = answer_with(&["revoke", "ci"], question, "cd");
    assert_eq!(code, 1);
    assert!(screen.contains("error: cancelled: the answer does not match, nothing was changed"));
    assert_eq!(answer_with(&["revoke", "ci"], question, "ci").0, 0);
    let question = "Delete 2 tokens? Type 2 to confirm:";
    assert_eq!(answer_with(&["delete", "ci", "cd"], question, "yes").0, 1);
    let question = "Delete all 2 tokens? Type 2 to confirm:";
    assert_eq!(answer_with(&["delete", "--all"], question, "2").0, 0);
    assert_eq!(run(&home, &["list", "--status", "all"]).success(), "");
}

#[test]
fn a_question_names_the_last_use_and_both_secrets() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-1:read"]);
    issue(&home, &["cd"]);
    run_with_input(&home, &["verify", "--from", "192.0.2.7"], &secret).success();
    let shown = |words: &[&str]| {
        let result = run(&home, words);
        assert_eq!((result.code, result.out.as_str()), (2, ""), "{result:?}");
        result.err.split("error: refusing").next().unwrap().to_owned()
    };
    for words in [&["revoke", "ci"][..], &["delete", "ci"], &["scope", "clear", "ci"]] {
        assert_eq!(shown(words), "  ci  active    used just now from 192.0.2.7\n", "{words:?}");
    }
    let both = "  ci  active    used just now from 192.0.2.7\n  cd  active    never used\n";
    assert_eq!(shown(&["delete", "ci", "cd"]), both);
    run(&home, &["regenerate", "ci", "--overlap", "24h"]).success();
    let text = "Both secrets, the current and the old one, will stop working.";
    assert!(shown(&["revoke", "ci"]).contains(text), "{}", shown(&["revoke", "ci"]));
    assert!(shown(&["delete", "ci"]).ends_with(&format!("{text}\n")));
    assert!(!shown(&["revoke", "ci", "--old"]).contains(text));
    let text = "1 of them has two secrets, a current and an old one: both will stop working.\n";
    assert!(shown(&["delete", "ci", "cd"]).ends_with(text));
}

#[test]
fn a_prompt_states_the_overlap_that_would_end() {
    let home = Home::new();
    let first = issue(&home, &["ci"]);
    run(&home, &["regenerate", "ci", "--overlap", "24h"]).success();
    let ask = |texts: &[&str]| {
        for command in [&["regenerate", "ci"][..], &["revoke", "ci", "--old"], &["revoke", "ci"]] {
            let mut pty = launch(&home, command);
            pty.wait_for("Type its name or id to confirm:");
            let shown = pty.screen().replace('\n', "");
            assert!(texts.iter().all(|text| shown.contains(text)), "{texts:?} {shown}");
            pty.keys("no <Enter>");
            assert_eq!(pty.wait_exit(), 1);
        }
    };
    ask(&["the old secret would work until 20", "(not used since the regeneration)"]);
    run_with_input(&home, &["verify", "--from", "192.0.2.7"], &first).success();
    ask(&["(last used 20", "from 192.0.2.7). It will stop working immediately."]);
    run(&home, &["revoke", "ci", "--yes"]).success();
    let mut pty = launch(&home, &["regenerate", "ci"]);
    pty.wait_for("The token is revoked. It will become active again.");
    pty.keys("ci <Enter>");
    assert_eq!(pty.wait_exit(), 0);
}
