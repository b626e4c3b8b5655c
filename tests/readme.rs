//! The README tells the truth: the shell blocks below `<!-- run -->` are run, in their order at
//! one new home, with `sh -e`, and end (and print) as the comment says; the JSON examples have the keys of the real output.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

/// A block of the README below a comment of ours.
struct Block {
    comment: String,
    text: String,
}

/// The blocks in their order. A comment counts if a fence opens on the next line.
fn blocks(readme: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = readme.lines().peekable();
    while let Some(line) = lines.next() {
        let comment = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        let Some(comment) = comment else { continue };
        if lines.next_if(|next| next.starts_with("```")).is_none() {
            continue;
        }
        let inside: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(Block { comment: comment.to_owned(), text: inside.join("\n") });
    }
    blocks
}

/// The shell at `home`, which finds our binary first.
fn sh(home: &Path, script: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_patdeck"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("HOME", home).env("PATH", path).env("LANG", "C.UTF-8");
    command.current_dir(home).args(["-e", "-c", script]).output().unwrap()
}

/// Where the keys of `real` are not those of `told`. What the README shows `in_part` only has to
/// be there. Lists are compared by their first items; `null` stands for anything.
fn differences(told: &Value, real: &Value, in_part: bool, at: &str) -> Vec<String> {
    match (told, real) {
        (Value::Object(told), Value::Object(real)) => {
            let mut found = Vec::new();
            for (key, value) in told {
                let at = format!("{at}.{key}");
                match real.get(key) {
                    Some(real) => found.extend(differences(value, real, in_part, &at)),
                    None => found.push(format!("{at} is not printed")),
                }
            }
            let untold = real.keys().filter(|key| !in_part && !told.contains_key(*key));
            found.extend(untold.map(|key| format!("{at}.{key} is not told")));
            found
        }
        (Value::Array(told), Value::Array(real)) => match (told.first(), real.first()) {
            (Some(told), Some(real)) => differences(told, real, in_part, at),
            _ => Vec::new(),
        },
        (Value::Null, _) | (_, Value::Null) => Vec::new(),
        _ if std::mem::discriminant(told) == std::mem::discriminant(real) => Vec::new(),
        _ => vec![format!("{at} is told as {told} and printed as {real}")],
    }
}

#[test]
fn every_example_runs_and_every_json_object_is_as_told() {
    let readme = include_str!("../README.md");
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    let (mut run, mut compared) = (0, 0);
    for Block { comment, text } in blocks(readme) {
        let (kind, rest) = comment.split_once(':').unwrap_or((&comment, "0"));
        match kind {
            "run" => {
                let output = sh(&home, &text);
                let (code, words) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
                let printed = String::from_utf8_lossy(&output.stdout);
                assert_eq!(output.status.code(), code.parse().ok(), "{text}\n{output:?}");
                assert!(printed.contains(words), "{text}\n{output:?}");
                run += 1;
            }
            "json" | "json in part" => {
                let output = sh(&home, &format!("patdeck {rest}"));
                let printed = String::from_utf8(output.stdout).unwrap();
                let first = printed.lines().next().unwrap_or_default();
                let real = serde_json::from_str(first).unwrap_or_default();
                let told = serde_json::from_str(&text).unwrap();
                let found = differences(&told, &real, kind == "json in part", "");
                assert!(real.is_object() && found.is_empty(), "{rest}: {found:#?}\n{printed}");
                compared += 1;
            }
            _ => {}
        }
    }
    assert!(run >= 4 && compared >= 8, "{run} examples, {compared} objects");
}

#[test]
fn every_shell_block_of_the_part_on_scripting_is_run() {
    let readme = include_str!("../README.md");
    let (_, part) = readme.split_once("\n## Scripting\n").unwrap();
    let part = part.split("\n## ").next().unwrap();
    let shown = part.matches("\n```sh\n").count() + part.matches("\n```json\n").count();
    assert_eq!(blocks(part).len(), shown, "one has no comment above it");
}
