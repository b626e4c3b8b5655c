//! Runs the command lines of `outcomes.txt`, one per line with its exit code and output. All lines
//! run in order in the same home, so that later lines see the changes of earlier ones.

use crate::{CommandResult, run};

const OUTCOMES: &str = include_str!("outcomes.txt");

/// One line: `CODE  ARGUMENTS  => TEXT`. Standard error must contain the text. After `>`, standard
/// output must contain it and standard error must be empty. `=> -` means that both are empty. `\n` is a
/// line break.
struct Case {
    line: usize,
    code: i32,
    arguments: Vec<String>,
    expected: String,
}

fn cases() -> Vec<Case> {
    let lines = OUTCOMES.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| {
            let (call, expected) = line.split_once("=>").unwrap_or_else(|| panic!("{line}"));
            let (code, arguments) = call.split_once(' ').unwrap();
            Case {
                line: index + 1,
                code: code.parse().unwrap(),
                arguments: split_words(arguments),
                expected: expected.trim().replace("\\n", "\n"),
            }
        })
        .collect()
}

/// Splits `text` at spaces that are not in single quotes.
fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    for c in text.chars() {
        match c {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' if !is_quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn is_as_expected(case: &Case, result: &CommandResult) -> bool {
    let has_output = match (case.expected.as_str(), case.expected.strip_prefix('>')) {
        ("-", _) => result.out.is_empty() && result.err.is_empty(),
        (_, Some(text)) => result.out.contains(text.trim()) && result.err.is_empty(),
        (text, None) => result.err.contains(text),
    };
    // A failed command prints no data, except a report of what failed.
    let is_report = case.arguments.first().is_some_and(|command| command == "doctor");
    has_output
        && result.code == case.code
        && (result.code < 2 || is_report || result.out.is_empty())
}

#[test]
fn every_command_line_has_its_expected_outcome() {
    let home = crate::home_with_store();
    let cases = cases();
    assert!(cases.len() >= 150, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let arguments: Vec<_> = case.arguments.iter().map(String::as_str).collect();
        let result = run(&home, &arguments);
        if !is_as_expected(case, &result) {
            let Case { line, code, expected, .. } = case;
            wrong.push(format!("line {line} {arguments:?} => {code} {expected}\n{result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
