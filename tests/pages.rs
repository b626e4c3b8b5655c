//! Checks the pages: runs their shell blocks, compares their JSON with the real output, resolves
//! their links, and limits the length of README.md.
//!
//! A comment on the line above a fence says what to check. All blocks of a page run in order in
//! one new home directory, shell blocks with `sh -e`:
//!
//! - `<!-- run -->`, `<!-- run: CODE -->`, `<!-- run: CODE TEXT -->`: exit code (default 0), and
//!   text that standard output contains.
//! - `<!-- json: ARGUMENTS -->`: `patdeck ARGUMENTS` prints an object with exactly these keys.
//! - `<!-- json in part: ARGUMENTS -->`: it prints an object with at least these keys.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// The pages with blocks to run.
const CLI_PAGE: &str = "docs/cli.md";
const README: &str = "README.md";

/// The sections of README.md in which every block must be run.
const RUN_SECTIONS: [&str; 2] = ["Scripting", "Checking from a gateway"];

const README_MAX_LINES: usize = 160;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

/// Paths of the pages whose examples and links are checked, relative to the package.
fn pages() -> Vec<String> {
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let docs = docs.map(|entry| format!("docs/{}", entry.unwrap().file_name().to_str().unwrap()));
    let docs = docs.filter(|path| Path::new(path).extension().is_some_and(|kind| kind == "md"));
    let top = [README, "SECURITY.md", "CONTRIBUTING.md"].map(str::to_owned);
    let mut pages: Vec<_> = top.into_iter().chain(docs).collect();
    pages.sort();
    pages
}

/// A fenced block below a comment.
struct Block {
    comment: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().peekable();
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

/// Runs `script` in `home`, with the tested binary first on the path.
fn sh(home: &Path, script: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_patdeck"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("HOME", home).env("PATH", path).env("LANG", "C.UTF-8");
    command.current_dir(home).args(["-e", "-c", script]).output().unwrap()
}

/// The paths of keys that differ between a documented and a printed value. `in_part` allows
/// undocumented keys. Lists are compared by their first items; `null` matches anything.
fn differences(documented: &Value, printed: &Value, in_part: bool, path: &str) -> Vec<String> {
    match (documented, printed) {
        (Value::Object(documented), Value::Object(printed)) => {
            let mut found = Vec::new();
            for (key, value) in documented {
                let path = format!("{path}.{key}");
                match printed.get(key) {
                    Some(printed) => found.extend(differences(value, printed, in_part, &path)),
                    None => found.push(format!("{path} is not printed")),
                }
            }
            let undocumented = |key: &&String| !in_part && !documented.contains_key(*key);
            let undocumented = printed.keys().filter(undocumented);
            found.extend(undocumented.map(|key| format!("{path}.{key} is not documented")));
            found
        }
        (Value::Array(documented), Value::Array(printed)) => {
            match (documented.first(), printed.first()) {
                (Some(documented), Some(printed)) => {
                    differences(documented, printed, in_part, path)
                }
                _ => Vec::new(),
            }
        }
        (Value::Null, _) | (_, Value::Null) => Vec::new(),
        _ if std::mem::discriminant(documented) == std::mem::discriminant(printed) => Vec::new(),
        _ => vec![format!("{path} is documented as {documented} and printed as {printed}")],
    }
}

/// Runs the blocks of a page. Returns how many shell blocks ran and how many objects were
/// compared.
fn check_blocks(page: &str) -> (usize, usize) {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    let (mut ran, mut compared) = (0, 0);
    for Block { comment, text } in blocks(&read(page)) {
        let (kind, rest) = comment.split_once(':').unwrap_or((&comment, "0"));
        match kind {
            "run" => {
                let output = sh(&home, &text);
                let (code, expected) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
                let printed = String::from_utf8_lossy(&output.stdout);
                assert_eq!(output.status.code(), code.parse().ok(), "{page}: {text}\n{output:?}");
                assert!(printed.contains(expected), "{page}: {text}\n{output:?}");
                ran += 1;
            }
            "json" | "json in part" => {
                let output = sh(&home, &format!("patdeck {rest}"));
                let printed = String::from_utf8(output.stdout).unwrap();
                let first = printed.lines().next().unwrap_or_default();
                let object = serde_json::from_str(first).unwrap_or_default();
                let documented = serde_json::from_str(&text).unwrap();
                let found = differences(&documented, &object, kind == "json in part", "");
                let ok = object.is_object() && found.is_empty();
                assert!(ok, "{page}: {rest}: {found:#?}\n{printed}");
                compared += 1;
            }
            _ => {}
        }
    }
    (ran, compared)
}

#[test]
fn shell_blocks_run_and_json_objects_have_the_printed_keys() {
    let (mut ran, mut compared) = (0, 0);
    for page in pages() {
        let (more_ran, more_compared) = check_blocks(&page);
        ran += more_ran;
        compared += more_compared;
    }
    assert!(ran >= 12 && compared >= 10, "{ran} shell blocks, {compared} objects");
}

#[test]
fn every_block_about_scripting_is_checked() {
    let readme = read(README);
    let sections = RUN_SECTIONS.map(|title| {
        let (_, section) = readme.split_once(&format!("\n## {title}\n")).unwrap();
        section.split("\n## ").next().unwrap().to_owned()
    });
    for text in sections.into_iter().chain([read(CLI_PAGE)]) {
        let fences = text.matches("\n```sh\n").count() + text.matches("\n```json\n").count();
        assert!(fences > 0 && blocks(&text).len() == fences, "a block has no comment:\n{text}");
    }
}

#[test]
fn relative_links_point_to_a_file_or_a_heading() {
    let mut broken = Vec::new();
    let mut count = 0;
    for page in pages() {
        for target in links(&read(&page)) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = match file {
                "" => root().join(&page),
                _ => root().join(&page).parent().unwrap().join(file),
            };
            if !points_into_the_package(&path) || !has_heading(&path, anchor) {
                broken.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n  {}", broken.join("\n  "));
    assert!(count > 40, "{count} links");
}

#[test]
fn the_readme_is_short() {
    let lines = read(README).lines().count();
    assert!(lines <= README_MAX_LINES, "{lines} lines, at most {README_MAX_LINES}");
}

fn points_into_the_package(path: &PathBuf) -> bool {
    fs::canonicalize(path).is_ok_and(|path| path.starts_with(root().canonicalize().unwrap()))
}

fn has_heading(path: &PathBuf, anchor: &str) -> bool {
    anchor.is_empty()
        || fs::read_to_string(path).is_ok_and(|text| anchors(&text).iter().any(|it| it == anchor))
}

/// The text of a page without fenced blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_fenced = false;
    page.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        is_fenced ^= is_fence;
        !is_fence && !is_fenced
    })
}

/// The targets of the links and pictures of a page, code spans aside.
fn links(page: &str) -> Vec<String> {
    let text: Vec<_> = prose(page).collect();
    let text: String = text.join("\n").split('`').step_by(2).collect();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

/// The anchors that GitHub gives to the headings of a page.
fn anchors(page: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    let headings = prose(page).filter(|line| line.trim_start_matches('#').starts_with(' '));
    for heading in headings.filter(|line| line.starts_with('#')) {
        let title = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let same = anchors.iter().filter(|it| **it == anchor).count();
        anchors.push(if same == 0 { anchor } else { format!("{anchor}-{same}") });
    }
    anchors
}

#[test]
fn links_in_code_are_ignored_and_repeated_headings_are_numbered() {
    let page = "# One `two`\n[a](b.md#c) `[no](x)` ![d](e.svg)\n```sh\n# no\n[no](y)\n```\n## Files & co.\n## One two\n";
    assert_eq!(links(page), ["b.md#c", "e.svg"]);
    assert_eq!(anchors(page), ["one-two", "files--co", "one-two-1"]);
}
