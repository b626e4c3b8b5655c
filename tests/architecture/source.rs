//! Source files for the architecture test: the text, the code with comments and literals blanked
//! out, and the module paths in the code. A minimal scanner instead of a parser.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One source file.
pub(crate) struct Source {
    /// The path relative to the package, with slashes.
    pub(crate) path: String,
    /// The full text.
    pub(crate) text: String,
    /// The text with comments and literals replaced by blanks; line numbers are the same.
    pub(crate) code: String,
}

/// A reference to a top-level module of the package.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedModule {
    pub(crate) line: usize,
    pub(crate) name: String,
}

/// The folder of the package.
pub(crate) fn root() -> &'static str {
    env!("CARGO_MANIFEST_DIR")
}

/// Every Rust file of the package.
pub(crate) fn all_sources() -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in ["src", "tests", "benches", "examples"] {
        collect(&Path::new(root()).join(folder), &mut paths);
    }
    paths.sort();
    paths.iter().map(|path| Source::read(path)).collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.ends_with("target") {
            // Build output of the fuzz targets.
        } else if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let inside = path.strip_prefix(root()).unwrap();
        Self { path: inside.to_str().unwrap().replace('\\', "/"), code: blank_out(&text), text }
    }

    /// The modules named by `crate::` and `patdeck::` paths, grouped ones included, and by
    /// `super::` paths that climb to the root of the package.
    pub(crate) fn crate_paths(&self) -> Vec<NamedModule> {
        let mut found = Vec::new();
        for lead in ["crate::", "patdeck::"] {
            for at in find_words(&self.code, lead) {
                self.push_names(at + lead.len(), at, &mut found);
            }
        }
        let module_depth =
            self.path.matches('/').count() - usize::from(self.path.ends_with("/mod.rs"));
        let to_root = "super::".repeat(module_depth.max(1));
        for at in find_words(&self.code, &to_root) {
            self.push_names(at + to_root.len(), at, &mut found);
        }
        found
    }

    /// The first name of a path that starts at `from`, or of each path of a group there.
    fn push_names(&self, from: usize, at: usize, found: &mut Vec<NamedModule>) {
        let line = self.code[..at].matches('\n').count() + 1;
        let rest = &self.code[from..];
        let mut push = |name: String| found.push(NamedModule { line, name });
        let Some(group) = rest.strip_prefix('{') else {
            return push(name_at(rest));
        };
        let mut depth = 0;
        let mut is_path_start = true;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => return,
                '}' => depth -= 1,
                ',' if depth == 0 => is_path_start = true,
                _ if is_path_start && !c.is_whitespace() => {
                    push(name_at(&group[at..]));
                    is_path_start = false;
                }
                _ => {}
            }
        }
    }

    /// The lines that contain a path into the external crate `name` or import the crate itself.
    pub(crate) fn lines_naming_crate(&self, name: &str) -> Vec<usize> {
        let path = format!("{name}::");
        let plain = [format!("use {name};"), format!("use {name} as")];
        let line = |at: &usize| self.code[..*at].matches('\n').count() + 1;
        let paths = find_words(&self.code, &path);
        let plains = plain.iter().flat_map(|text| find_words(&self.code, text));
        paths.iter().copied().chain(plains).map(|at| line(&at)).collect()
    }

    /// The names that follow any of `keywords`.
    pub(crate) fn names_after(&self, keywords: &[&str]) -> Vec<String> {
        keywords
            .iter()
            .flat_map(|keyword| {
                let lead = format!("{keyword} ");
                find_words(&self.code, &lead).into_iter().map(move |at| at + lead.len())
            })
            .map(|at| name_at(&self.code[at..]))
            .collect()
    }
}

/// The offsets of `text` in `code` where it does not continue a longer word or path.
fn find_words(code: &str, text: &str) -> Vec<usize> {
    code.match_indices(text)
        .map(|(at, _)| at)
        .filter(|at| {
            let before = code[..*at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || "_:.$".contains(c))
        })
        .collect()
}

fn name_at(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// Replaces comments, strings and character literals in `text` by blanks.
fn blank_out(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let blank_len = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment_len(rest),
            '"' => string_len(rest),
            'r' if !after_word => raw_string_len(rest).unwrap_or(0),
            '\'' => char_literal_len(rest).unwrap_or(0),
            _ => 0,
        };
        if blank_len == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let blanks = rest[..blank_len].chars();
            code.extend(blanks.map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[blank_len..];
        }
    }
    code
}

fn block_comment_len(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn string_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string_len(text: &str) -> Option<usize> {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    let body = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let found = body.find(&end).map(|at| 2 + hashes + at + end.len());
    Some(found.unwrap_or(text.len()))
}

/// The length of a character literal; `None` for a lifetime.
fn char_literal_len(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        chars.next();
        return chars.find(|(_, c)| *c == '\'').map(|(at, _)| at + 1);
    }
    let (at, second) = chars.next()?;
    (second == '\'').then_some(at + 1)
}

#[test]
fn paths_in_code_are_found_but_not_in_strings_and_comments() {
    let text = r##"
use crate::{
    domain::{Token, store},
    keymap,
};
// crate::comment
fn f<'a>(x: &'a str) -> char { patdeck::service::go("crate::text", r#"crate::"raw"#, '"'); 'x' }
use super::super::cli::Args;
macro_rules! m { () => { $crate::hidden::x() } }
"##;
    let source = Source { path: "src/tui/app.rs".into(), code: blank_out(text), text: text.into() };
    let names: Vec<_> = source.crate_paths().into_iter().map(|i| (i.line, i.name)).collect();
    let expected = [(2, "domain"), (2, "keymap"), (7, "service"), (8, "cli")];
    assert_eq!(names, expected.map(|(line, name)| (line, name.to_owned())));
}
