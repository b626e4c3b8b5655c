//! Argument lists and their outcomes, one line each, in `outcomes.txt`. The lines run in their
//! order at one home: what an earlier one made is there for the later ones.

use crate::{Ended, Home, run};

const OUTCOMES: &str = include_str!("outcomes.txt");

/// One line: `CODE  ARGUMENTS  => TEXT`. The text must stand in standard error; after `>` it
/// must stand in standard output, and standard error must be silent. `=> -` is silence on both.
struct Row<'a> {
    line: usize,
    code: i32,
    arguments: Vec<String>,
    expected: &'a str,
}

fn rows() -> Vec<Row<'static>> {
    let lines = OUTCOMES.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| {
            let (call, expected) = line.split_once("=>").unwrap_or_else(|| panic!("{line}"));
            let (code, arguments) = call.split_once(' ').unwrap();
            Row {
                line: index + 1,
                code: code.parse().unwrap(),
                arguments: words(arguments),
                expected: expected.trim(),
            }
        })
        .collect()
}

/// Words apart by blanks; blanks within single quotes belong to the word.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn holds(row: &Row<'_>, ended: &Ended) -> bool {
    let said = match (row.expected, row.expected.strip_prefix('>')) {
        ("-", _) => ended.out.is_empty() && ended.err.is_empty(),
        (_, Some(text)) => ended.out.contains(text.trim()) && ended.err.is_empty(),
        (text, None) => ended.err.contains(text),
    };
    // What is refused prints no data.
    said && ended.code == row.code && (ended.code < 2 || ended.out.is_empty())
}

#[test]
fn every_argument_list_ends_as_the_table_says() {
    let home = Home::new();
    let rows = rows();
    assert!(rows.len() >= 150, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let arguments: Vec<_> = row.arguments.iter().map(String::as_str).collect();
        let ended = run(&home, &arguments);
        if !holds(row, &ended) {
            let Row { line, code, expected, .. } = row;
            wrong.push(format!("line {line} {arguments:?} => {code} {expected}\n{ended:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
