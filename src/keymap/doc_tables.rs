//! The key tables of the documents: the `[keys]` part of `config.example.toml` and the table in
//! `docs/guide.md`. Both are generated from the bindings and compared by tests; `UPDATE=1` rewrites
//! them.

use std::fmt::Write as _;

use super::{BINDINGS, KeyBinding, Mode, OPTION_KEYS};

/// The `[keys]` part of `config.example.toml`: every default as a line that can be uncommented.
pub fn to_toml() -> String {
    let mut text = String::new();
    for (mode, rows) in by_mode() {
        let _ = writeln!(text, "\n[keys.{}]", mode.as_str());
        let lines: Vec<_> = rows
            .iter()
            .map(|row| (format!("# {} = {}", row.action.as_str(), value(row)), row.help))
            .collect();
        let widest = lines.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
        for (line, help) in lines {
            let _ = writeln!(text, "{line:widest$}  # {help}");
        }
    }
    text.trim_start().to_owned()
}

/// The Markdown table between `<!-- keys -->` and `<!-- /keys -->` in `docs/guide.md`.
pub fn to_markdown() -> String {
    let mut text = String::from("| Mode | Keys | Action |\n|---|---|---|\n");
    for (mode, rows) in by_mode() {
        for (index, row) in rows.iter().enumerate() {
            let heading = if index == 0 { mode.as_str() } else { "" };
            let keys: Vec<_> = row.keys.iter().map(|key| format!("`{key}`")).collect();
            let _ = writeln!(text, "| {heading} | {} | {} |", keys.join(" "), row.help);
        }
    }
    for (index, (keys, help)) in OPTION_KEYS.iter().enumerate() {
        let heading = if index == 0 { "options of a form" } else { "" };
        let _ = writeln!(text, "| {heading} | {keys} | {help} |");
    }
    text
}

fn by_mode() -> impl Iterator<Item = (Mode, Vec<&'static KeyBinding>)> {
    Mode::ALL.into_iter().map(|mode| {
        let rows = BINDINGS.iter().filter(|row| row.mode == mode).collect();
        (mode, rows)
    })
}

/// The keys as a TOML value: one key as a string, several as a list.
fn value(row: &KeyBinding) -> String {
    let quoted: Vec<_> = row.keys.iter().map(|key| format!("\"{key}\"")).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        _ => format!("[{}]", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binding_is_in_both_documents() {
        let (toml, markdown) = (to_toml(), to_markdown());
        for row in BINDINGS {
            assert!(toml.contains(&format!("# {} = {}", row.action.as_str(), value(row))));
            assert!(markdown.contains(row.help));
        }
        assert_eq!(markdown.lines().count(), BINDINGS.len() + OPTION_KEYS.len() + 2);
    }

    #[test]
    fn no_default_key_needs_escaping() {
        for key in BINDINGS.iter().flat_map(|row| row.keys) {
            assert!(!key.contains(['"', '\\', '|', '`']), "{key}");
        }
    }
}
