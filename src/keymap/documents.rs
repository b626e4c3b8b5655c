//! The keys in the documents: the `[keys]` part of `config.example.toml` and the table of the
//! README. Both are generated from the table and compared by tests; `UPDATE=1` rewrites them.

use std::fmt::Write as _;

use super::{BINDINGS, Binding, Mode};

/// The `[keys]` part of the example file: every default as a comment that can be uncommented.
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

/// The README's table, to stand between `<!-- keys -->` and `<!-- /keys -->`.
pub fn to_markdown() -> String {
    let mut text = String::from("| Where | Key | What it does |\n|---|---|---|\n");
    for (mode, rows) in by_mode() {
        for (index, row) in rows.iter().enumerate() {
            let place = if index == 0 { mode.as_str() } else { "" };
            let keys: Vec<_> = row.keys.iter().map(|key| format!("`{key}`")).collect();
            let _ = writeln!(text, "| {place} | {} | {} |", keys.join(" "), row.help);
        }
    }
    text
}

fn by_mode() -> impl Iterator<Item = (Mode, Vec<&'static Binding>)> {
    Mode::ALL.into_iter().map(|mode| {
        let rows = BINDINGS.iter().filter(|row| row.mode == mode).collect();
        (mode, rows)
    })
}

/// The keys as TOML: one as a string, more as a list.
fn value(row: &Binding) -> String {
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
    fn every_row_of_the_table_is_in_both_documents() {
        let (toml, markdown) = (to_toml(), to_markdown());
        for row in BINDINGS {
            assert!(toml.contains(&format!("# {} = {}", row.action.as_str(), value(row))));
            assert!(markdown.contains(row.help));
        }
        assert_eq!(markdown.lines().count(), BINDINGS.len() + 2);
    }

    #[test]
    fn a_key_needs_no_escape_in_either_document() {
        for key in BINDINGS.iter().flat_map(|row| row.keys) {
            assert!(!key.contains(['"', '\\', '|', '`']), "{key}");
        }
    }
}
