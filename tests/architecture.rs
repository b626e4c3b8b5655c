//! The shape of the source, held by a test: who imports whom, where each outside crate lives,
//! how long a file may be, how every file opens, and what may stand at the top level. It reads
//! the sources as text; `source` tells code from comments and strings.

// `cfg(test)` tells clippy that panicking is the point here.
#[cfg(test)]
#[path = "architecture/source.rs"]
mod source;

use std::{collections::BTreeSet, fs, path::Path};

use source::{Source, all_sources, root};

/// Each layer with the layers that it may import beside itself. `lib.rs` and `main.rs` put the
/// layers together and may import all of them.
const LAYERS: [(&str, &[&str]); 11] = [
    ("domain", &[]),
    ("process_hardening", &["service"]),
    ("store", &["domain"]),
    ("service", &["domain", "store"]),
    ("list", &["domain", "service"]),
    ("keymap", &["domain"]),
    ("output", &["domain", "service"]),
    ("config", &["domain", "keymap"]),
    ("cli", &["domain", "service", "list", "keymap", "config", "output"]),
    ("tui", &["domain", "service", "list", "keymap", "config", "output"]),
    ("testing", &["domain", "service", "store"]),
];

/// Outside crates that have a home, with every path below `src` that may name them.
const HOMES: [(&str, &[&str]); 14] = [
    ("caseless", &["domain/name.rs"]),
    ("unicode_normalization", &["domain/name.rs"]),
    ("unicode_security", &["domain/lookalike.rs"]),
    ("ipnet", &["domain/source_networks.rs"]),
    ("bincode", &["store/codec.rs", "store/record/"]),
    ("flate2", &["cli/scan/"]),
    ("redb", &["store/"]),
    ("serde", &["config/", "cli/transfer/field_reader.rs", "output/json/"]),
    ("serde_json", &["cli/", "output/json.rs", "output/json/"]),
    ("toml", &["config/"]),
    ("crossterm", &["tui/", "keymap/key.rs"]),
    ("ratatui", &["tui/"]),
    ("ratatui_textarea", &["tui/"]),
    // The store draws how long it waits for its turn, and the name of a file in the making.
    (
        "rand",
        &[
            "service/entropy.rs",
            "store/register/mod.rs",
            "store/temp_file.rs",
            "store/lock_timeout_backend.rs",
            "store/power_tests.rs",
            "domain/scan/tests.rs",
        ],
    ),
];

/// Lines beyond which a file is to be divided.
const LONGEST: usize = 430;

/// What may stand beside the dotfiles. `examples` holds what fills a store for a demonstration.
const TOP_LEVEL: [&str; 16] = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "assets",
    "benches",
    "config.example.toml",
    "deny.toml",
    "docs",
    "examples",
    "rustfmt.toml",
    "src",
    "tests",
];

fn assert_none(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

fn layer_of(source: &Source) -> Option<(&'static str, &'static [&'static str])> {
    let inside = source.path.strip_prefix("src/")?;
    let first = inside.split(['/', '.']).next()?;
    LAYERS.into_iter().find(|(layer, _)| *layer == first)
}

#[test]
fn imports_point_down_only() {
    let mut faults = Vec::new();
    for source in all_sources() {
        let Some((layer, below)) = layer_of(&source) else {
            continue;
        };
        for import in source.crate_paths() {
            let is_layer = LAYERS.iter().any(|(name, _)| *name == import.name);
            // Tests of every layer use it; the program has none of it.
            let is_support = import.name == "testing" && source.path.contains("test");
            let is_below = import.name == layer || below.contains(&import.name.as_str());
            if is_layer && !is_below && !is_support {
                faults.push(format!("{}:{}: {}", source.path, import.line, import.name));
            }
        }
    }
    assert_none("a layer imports what is above or beside it", &faults);
}

#[test]
fn every_file_of_the_library_belongs_to_a_layer() {
    let apart = ["src/lib.rs", "src/main.rs"];
    let strays: Vec<String> = all_sources()
        .into_iter()
        .filter(|source| source.path.starts_with("src/") && layer_of(source).is_none())
        .map(|source| source.path)
        .filter(|path| !apart.contains(&path.as_str()))
        .collect();
    assert_none("these files have no place in the import table", &strays);
}

#[test]
fn each_outside_crate_stays_at_home() {
    let mut faults = Vec::new();
    for source in all_sources() {
        let Some(inside) = source.path.strip_prefix("src/") else {
            continue;
        };
        for (name, homes) in HOMES {
            if homes.iter().any(|home| inside.starts_with(home)) {
                continue;
            }
            for line in source.lines_naming_crate(name) {
                faults.push(format!("{}:{line}: {name}", source.path));
            }
        }
    }
    assert_none("a crate is used away from its home", &faults);
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    let silent: Vec<String> = all_sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path)
        .collect();
    assert_none("these files do not start with `//! `", &silent);
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let mut faults = Vec::new();
    for source in all_sources() {
        let lines = source.text.lines().count();
        if lines > LONGEST {
            faults.push(format!("{}: {lines} of {LONGEST} lines", source.path));
        }
    }
    assert_none("files that are too long", &faults);
}

/// Whether a name says nothing about what it names.
fn is_vague(name: &str) -> bool {
    const PARTS: [&str; 3] = ["manager", "helper", "util"];
    const NAMES: [&str; 10] =
        ["what", "which", "part", "told", "look", "row", "place", "thing", "known", "found"];
    let name = name.to_lowercase();
    NAMES.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

#[test]
fn no_type_or_file_has_a_vague_name() {
    let mut faults = Vec::new();
    for source in all_sources() {
        let mut parts = source.path.split(['/', '.']);
        if parts.any(is_vague) {
            faults.push(source.path.clone());
        }
        let types = source.names_after(&["struct", "enum", "trait", "type", "union"]);
        for name in types.into_iter().filter(|name| is_vague(name)) {
            faults.push(format!("{}: {name}", source.path));
        }
    }
    assert_none("vague names", &faults);
}

#[test]
fn no_doc_comment_has_a_single_word() {
    let mut faults = Vec::new();
    for source in all_sources() {
        let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
        let is_doc = |line: Option<&&str>| line.is_some_and(|line| line.starts_with("///"));
        for (at, line) in lines.iter().enumerate() {
            let is_alone = !is_doc(lines.get(at + 1)) && (at == 0 || !is_doc(lines.get(at - 1)));
            let Some(text) = line.strip_prefix("///").filter(|_| is_alone) else {
                continue;
            };
            if text.split_whitespace().count() < 2 {
                faults.push(format!("{}:{}: {line}", source.path, at + 1));
            }
        }
    }
    assert_none("doc comments that say nothing", &faults);
}

#[test]
fn test_names_are_short() {
    const LONGEST: usize = 60;
    let mut faults = Vec::new();
    for source in all_sources() {
        let names = source.names_after(&["fn"]);
        for name in names.into_iter().filter(|name| name.len() > LONGEST) {
            faults.push(format!("{}: {name} has {} characters", source.path, name.len()));
        }
    }
    assert_none(&format!("names of more than {LONGEST} characters"), &faults);
}

#[test]
fn nothing_is_left_for_later() {
    let mut faults = Vec::new();
    for source in all_sources() {
        for (number, line) in (1..).zip(source.text.lines()) {
            if [concat!("FIX", "ME"), concat!("XX", "X")].iter().any(|mark| line.contains(mark)) {
                faults.push(format!("{}:{number}", source.path));
            }
        }
        for (number, line) in (1..).zip(source.code.lines()) {
            if ["todo!", "unimplemented!", "dbg!"].iter().any(|mark| line.contains(mark)) {
                faults.push(format!("{}:{number}", source.path));
            }
        }
    }
    assert_none("marks of unfinished work", &faults);
}

#[test]
fn the_pages_name_tests_that_exist() {
    let tests: BTreeSet<String> = all_sources().iter().flat_map(test_names).collect();
    for (page, at_least) in [("README.md", 0), ("SECURITY.md", 10), ("docs/testing.md", 10)] {
        let text = fs::read_to_string(Path::new(root()).join(page)).unwrap();
        // Fenced blocks have backticks of their own, three at a time.
        let prose = text.split("```").step_by(2);
        let quoted = prose.flat_map(|part| part.split('`').skip(1).step_by(2));
        let is_name = |text: &&str| {
            text.matches('_').count() > 2 && text.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        let named: Vec<&str> = quoted.filter(is_name).collect();
        assert!(named.len() >= at_least, "{page} names too few tests: {named:?}");
        let missing: Vec<String> =
            named.into_iter().filter(|name| !tests.contains(*name)).map(str::to_owned).collect();
        assert_none(&format!("{page} names tests that do not exist"), &missing);
    }
}

/// The functions that `cargo test NAME` runs: those with the attribute `#[test]`, which stands
/// inside `proptest!` too.
fn test_names(source: &Source) -> Vec<String> {
    let mut lines = source.code.lines().map(str::trim);
    let mut names = Vec::new();
    while lines.any(|line| line == "#[test]") {
        // Other attributes may stand between; comments are blank here.
        let declaration = lines.find_map(|line| line.strip_prefix("fn "));
        let name = declaration.and_then(|rest| rest.split(['(', '<']).next());
        names.extend(name.map(str::to_owned));
    }
    names
}

/// Paths that `docs/architecture.md` quotes: a folder with `/` at its end, or a Rust file.
#[test]
fn the_architecture_page_names_files_that_exist() {
    let page = fs::read_to_string(Path::new(root()).join("docs/architecture.md")).unwrap();
    let quoted = page.split('`').skip(1).step_by(2);
    let is_rust = |text: &str| Path::new(text).extension().is_some_and(|ending| ending == "rs");
    let is_path = |text: &&str| !text.contains(' ') && (is_rust(text) || text.ends_with('/'));
    let named: Vec<&str> = quoted.filter(is_path).collect();
    assert!(named.len() > 60, "{named:?}");
    let exists = |path: &str| {
        let top = Path::new(root());
        let at_top = path.starts_with("tests/") || path.starts_with("docs/");
        if at_top { top.join(path).exists() } else { top.join("src").join(path).exists() }
    };
    let missing: Vec<String> =
        named.into_iter().filter(|path| !exists(path)).map(str::to_owned).collect();
    assert_none("docs/architecture.md names files that do not exist", &missing);
}

#[test]
fn the_glossary_names_types_that_exist() {
    let types: BTreeSet<String> = all_sources()
        .iter()
        .flat_map(|source| source.names_after(&["struct", "enum", "trait", "type"]))
        .collect();
    let page = fs::read_to_string(Path::new(root()).join("docs/glossary.md")).unwrap();
    let cells = page.lines().filter_map(|line| line.strip_prefix('|')?.split('|').nth(2));
    let named: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(named.len() > 30, "{named:?}");
    let missing: Vec<String> =
        named.into_iter().filter(|name| !types.contains(*name)).map(str::to_owned).collect();
    assert_none("docs/glossary.md names types that do not exist", &missing);
}

#[test]
fn the_top_level_holds_what_the_design_lists() {
    let mut strays = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.starts_with('.') && name != "target" && !TOP_LEVEL.contains(&name.as_str()) {
            strays.push(name);
        }
    }
    assert_none("unexpected at the top level", &strays);
}

#[test]
fn this_test_sees_the_whole_source() {
    let seen: BTreeSet<String> = all_sources().into_iter().map(|each| each.path).collect();
    for path in [
        "src/domain/token.rs",
        "src/tui/screens/tokens.rs",
        "benches/wire.rs",
        "tests/architecture.rs",
    ] {
        assert!(seen.contains(path), "{path} was not looked at");
    }
}
