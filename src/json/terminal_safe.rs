//! JSON whose strings cannot change what a terminal shows: unsafe characters are written as JSON
//! escapes, so that the value stays the same. Called by `json` only.

use std::{fmt::Write as _, io};

use serde::Serialize;
use serde_json::{Serializer, ser::Formatter};

use crate::domain::text::{escape_with, first_unsafe};

/// Appends `value` to `to` on one line. Only a `Serialize` implementation of ours could fail.
pub(super) fn write(to: &mut Vec<u8>, value: &impl Serialize) -> io::Result<()> {
    Ok(value.serialize(&mut Serializer::with_formatter(to, TerminalSafe))?)
}

/// Compact JSON, as `serde_json` writes it by default, with more characters escaped. Bytes are
/// written as the UTF-8 string that they are.
struct TerminalSafe;

impl Formatter for TerminalSafe {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if is_plain(fragment.as_bytes()) || first_unsafe(fragment).is_none() {
            return writer.write_all(fragment.as_bytes());
        }
        // A quote or an escape comes before each fragment: a combining mark has a base there.
        let fragment = format!("\"{fragment}");
        let escaped = escape_with(&fragment, |c, out| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        });
        writer.write_all(escaped.as_bytes().get(1..).unwrap_or_default())
    }

    fn write_byte_array<W: ?Sized + io::Write>(
        &mut self,
        mut writer: &mut W,
        text: &[u8],
    ) -> io::Result<()> {
        if is_plain(text) {
            writer.write_all(b"\"")?;
            writer.write_all(text)?;
            return writer.write_all(b"\"");
        }
        let text = String::from_utf8_lossy(text);
        Ok(text.serialize(&mut Serializer::with_formatter(&mut writer, Self))?)
    }
}

/// A string that is serialized as bytes: `serde_json` looks for escapes byte by byte, which took
/// a sixth of a list, and almost every text of a token is plain.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Serialize for Text<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(self.0.as_bytes())
    }
}

/// Whether a JSON string may contain `text` as it is. It looks at every byte, which the compiler
/// vectorizes.
fn is_plain(text: &[u8]) -> bool {
    let plain = |byte: u8| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~');
    text.iter().fold(true, |all, byte| all & plain(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Text with what JSON escapes itself, what only a terminal needs escaped, and piles of marks.
    fn hostile() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "a",
            "\n",
            "\"",
            "\\",
            "\u{1b}",
            "\u{7f}",
            "\u{9b}",
            "\u{202e}",
            "\u{e0041}",
            "\u{301}",
            "\u{301}\u{301}\u{301}\u{301}\u{301}",
            "é",
            "🔑",
        ]);
        prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_string_reads_back_the_same_and_moves_no_cursor(
            text in prop_oneof![any::<String>(), hostile()],
        ) {
            let mut written = Vec::new();
            write(&mut written, &text).unwrap();
            let mut as_bytes = Vec::new();
            write(&mut as_bytes, &Text(&text)).unwrap();
            prop_assert_eq!(&as_bytes, &written);
            let written = String::from_utf8(written).unwrap();
            prop_assert_eq!(first_unsafe(&written), None);
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), Value::from(text.as_str()));
            // No more is escaped than a terminal needs, whatever JSON escapes itself.
            let plain = Value::from(text).to_string();
            if first_unsafe(&plain).is_none() {
                prop_assert_eq!(written, plain);
            }
        }
    }
}
