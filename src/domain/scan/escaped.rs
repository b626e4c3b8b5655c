//! Finds secrets that are written with escape sequences or cut by line breaks: percent-encoding
//! (`%5F`), quoted-printable (`=5F`, a line that ends with `=`), backslashes (`\u005f`, `\x5f`, a
//! line that ends with `\`) and HTML entities (`&#95;`). Sequences may be nested, e.g. JSON in a
//! URL. Only sequences that can be part of a secret are decoded, so that a secret directly after
//! `=` or `%` remains whole. Called by the scanner for each window.

use memchr::{memchr, memchr3};
use zeroize::Zeroizing;

use super::{MAX_SECRET_LEN, SecretMatch, plain};

/// Maximum number of decoding passes after the removal of folds. Each pass decodes one level of
/// nested sequences.
const MAX_PASSES: usize = 3;
/// Maximum number of digits of a numeric sequence, such as `\u{00005f}`.
const MAX_DIGITS: usize = 8;
/// Maximum number of blanks that indent a continued line, or a line of base64.
pub(super) const MAX_INDENT: usize = 64;

/// An escape sequence: its length in bytes and the character that it encodes. The character is
/// `None` for a line break that continues the line.
struct Escape {
    len: usize,
    character: Option<u8>,
}

/// A part of the window after the decoding passes made so far.
#[derive(Default)]
struct Unescaped {
    text: Zeroizing<Vec<u8>>,
    /// For each byte of `text`, its index in the window.
    origins: Vec<usize>,
}

/// The length of the escape sequence at the start of `bytes`, and the character that it encodes
/// after up to [`MAX_PASSES`] decodings. A folded line has no character.
pub(super) fn first_character(bytes: &[u8]) -> Option<(usize, Option<u8>)> {
    let first = first_of_one_level(bytes);
    let is_complete = match first {
        Some((_, character)) => !character.is_some_and(is_mark),
        // A fold can cut the sequence.
        None => memchr(b'\n', bytes.get(..MAX_DIGITS).unwrap_or(bytes)).is_none(),
    };
    if is_complete { first } else { first_nested_character(bytes).or(first) }
}

fn first_nested_character(bytes: &[u8]) -> Option<(usize, Option<u8>)> {
    let mut text =
        Unescaped { text: Zeroizing::new(bytes.to_vec()), origins: (0..bytes.len()).collect() };
    for _ in 1..MAX_PASSES {
        text = text.decode_with(|_| true)?;
        if let Some((len, character)) = first_of_one_level(&text.text)
            && !character.is_some_and(is_mark)
        {
            return Some((text.origins.get(len).copied().unwrap_or(bytes.len()), character));
        }
    }
    None
}

/// As [`first_character`], after one decoding.
fn first_of_one_level(bytes: &[u8]) -> Option<(usize, Option<u8>)> {
    match bytes {
        [b'\\', b'n' | b'r', ..] => Some((2, Some(b'\n'))),
        [b'\\', b'/', ..] => Some((2, Some(b'/'))),
        _ => sequence_at(bytes).map(|escape| (escape.len, escape.character)),
    }
}

/// Whether an escape sequence can begin with `character`.
fn is_mark(character: u8) -> bool {
    b"%=\\&".contains(&character)
}

/// Calls `on_match` for each secret in `bytes` that contains an escape sequence.
pub(super) fn find(bytes: &[u8], mut on_match: impl FnMut(SecretMatch)) {
    let mut from = 0;
    while let Some((at, _)) = next_escape(bytes, from) {
        let start = at.saturating_sub(MAX_SECRET_LEN);
        let end = run_end(bytes, at);
        find_in_run(bytes.get(start..end).unwrap_or_default(), start, &mut on_match);
        from = end;
    }
}

/// Returns the end of the run of escape sequences that begins at `at`. The run includes
/// [`MAX_SECRET_LEN`] bytes after its last sequence, unless the window ends there.
fn run_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    loop {
        let near = bytes.get(..bytes.len().min(end + MAX_SECRET_LEN)).unwrap_or_default();
        match next_escape_before(bytes, end, near.len(), is_decoded) {
            Some((at, escape)) => end = at + escape.len,
            None => return near.len(),
        }
    }
}

/// Decodes `run`, which begins at index `start` of the window, one level of sequences per pass.
/// Calls `on_match` for each secret that a pass reveals.
fn find_in_run(run: &[u8], start: usize, on_match: &mut impl FnMut(SecretMatch)) {
    let mut current = Unescaped {
        text: Zeroizing::new(run.to_vec()),
        origins: (start..start + run.len()).collect(),
    };
    for pass in 0..=MAX_PASSES {
        // A fold can cut a sequence, so the folds are removed first.
        let is_decoded = if pass == 0 { |_| false } else { is_decoded };
        let Some(decoded) = current.decode_with(is_decoded) else { continue };
        plain::find(&decoded.text, |found| {
            let span = decoded.origins.get(found.start..found.start + found.secret.reveal().len());
            let Some([first, .., last]) = span else {
                return;
            };
            let was_found = current.is_contiguous(*first, *last, found.secret.reveal().len());
            if !was_found {
                on_match(SecretMatch { start: *first, secret: found.secret });
            }
        });
        current = decoded;
    }
}

impl Unescaped {
    /// Decodes the sequences of one level whose characters `is_decoded` accepts. Returns `None` if
    /// there are none.
    fn decode_with(&self, is_decoded: fn(u8) -> bool) -> Option<Self> {
        let next_escape =
            |bytes, from| next_escape_before(bytes, from, self.text.len(), is_decoded);
        next_escape(&self.text, 0)?;
        let mut decoded = Self {
            // A sequence is longer than its character, so the buffer is never reallocated.
            text: Zeroizing::new(Vec::with_capacity(self.text.len())),
            origins: Vec::with_capacity(self.text.len()),
        };
        let mut from = 0;
        while let Some((at, escape)) = next_escape(&self.text, from) {
            decoded.append(self, from, at);
            decoded.text.extend(escape.character);
            decoded.origins.extend(escape.character.and(self.origins.get(at)).copied());
            from = at + escape.len;
        }
        decoded.append(self, from, self.text.len());
        Some(decoded)
    }

    fn append(&mut self, other: &Self, from: usize, to: usize) {
        self.text.extend_from_slice(other.text.get(from..to).unwrap_or_default());
        self.origins.extend_from_slice(other.origins.get(from..to).unwrap_or_default());
    }

    /// Whether the span from index `first` to index `last` of the window has exactly `len` bytes in
    /// this text. A secret of `len` bytes in such a span contains no escape sequence, so it was
    /// found before this pass.
    fn is_contiguous(&self, first: usize, last: usize, len: usize) -> bool {
        let index = |origin| self.origins.partition_point(|other| *other < origin);
        index(last) - index(first) + 1 == len
    }
}

fn next_escape(bytes: &[u8], from: usize) -> Option<(usize, Escape)> {
    next_escape_before(bytes, from, bytes.len(), is_decoded)
}

/// Returns the first escape sequence that begins in `from..limit`, with its index.
fn next_escape_before(
    bytes: &[u8],
    from: usize,
    limit: usize,
    is_decoded: fn(u8) -> bool,
) -> Option<(usize, Escape)> {
    // `mark` is the next byte at or after `at` with which a sequence can begin, except `&`.
    let (mut at, mut mark) = (from, from);
    loop {
        if mark <= at {
            let rest = bytes.get(at..limit)?;
            mark = at + memchr3(b'%', b'=', b'\\', rest).unwrap_or(rest.len());
        }
        at += memchr(b'&', bytes.get(at..mark)?).unwrap_or(mark - at);
        let rest = bytes.get(at..).filter(|_| at < limit)?;
        if can_begin_sequence(rest)
            && let Some(escape) = escape_at(rest, is_decoded)
        {
            return Some((at, escape));
        }
        at += 1;
    }
}

/// Whether the first two bytes can begin an escape sequence. Most marks in text begin none.
fn can_begin_sequence(bytes: &[u8]) -> bool {
    match bytes {
        [b'%', next, ..] => next.is_ascii_hexdigit(),
        [b'=', next, ..] => next.is_ascii_hexdigit() || b"\r\n\\".contains(next),
        [b'\\', next, ..] => b"\r\nxuU\\".contains(next),
        [b'&', next, ..] => b"#la".contains(next),
        _ => false,
    }
}

/// The escape sequence at the start of `bytes`, if `is_decoded` accepts its character.
fn escape_at(bytes: &[u8], is_decoded: fn(u8) -> bool) -> Option<Escape> {
    sequence_at(bytes).filter(|escape| escape.character.is_none_or(is_decoded))
}

fn sequence_at(bytes: &[u8]) -> Option<Escape> {
    match bytes {
        [b'=' | b'\\', b'\r' | b'\n', ..] | [b'=', b'\\', b'n' | b'r', ..] => fold(bytes),
        [b'%' | b'=', rest @ ..] => fixed_digits(1, rest, 2),
        [b'\\', b'x' | b'u', b'{', rest @ ..] => delimited_digits(3, rest, 16, b'}'),
        [b'\\', b'x', rest @ ..] => fixed_digits(2, rest, 2),
        [b'\\', b'u', rest @ ..] => fixed_digits(2, rest, 4),
        [b'\\', b'U', rest @ ..] => fixed_digits(2, rest, 8),
        [b'\\', b'\\', ..] => Some(Escape { len: 2, character: Some(b'\\') }),
        [b'&', b'#', b'x' | b'X', rest @ ..] => delimited_digits(3, rest, 16, b';'),
        [b'&', b'#', rest @ ..] => delimited_digits(2, rest, 10, b';'),
        _ if bytes.starts_with(b"&lowbar;") => Some(Escape { len: 8, character: Some(b'_') }),
        _ if bytes.starts_with(b"&amp;") => Some(Escape { len: 5, character: Some(b'&') }),
        _ => None,
    }
}

/// A line break after `=` or `\`, and the indentation of the next line. After `=`, the line break can
/// be written as `\n`, because quoted-printable text can be in a JSON string.
fn fold(bytes: &[u8]) -> Option<Escape> {
    let break_len = match bytes {
        [_, b'\r', b'\n', ..] | [b'=', b'\\', b'n', ..] => 3,
        [_, b'\n', ..] => 2,
        [b'=', b'\\', b'r', b'\\', b'n', ..] => 5,
        _ => return None,
    };
    let blanks = bytes.get(break_len..)?.iter().take(MAX_INDENT);
    let indent = blanks.take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    Some(Escape { len: break_len + indent, character: None })
}

/// A sequence of `lead` bytes and exactly `count` hexadecimal digits.
fn fixed_digits(lead: usize, rest: &[u8], count: usize) -> Option<Escape> {
    numeric(rest.get(..count)?, 16, lead + count)
}

/// A sequence of `lead` bytes, digits and a delimiter.
fn delimited_digits(lead: usize, rest: &[u8], radix: u32, delimiter: u8) -> Option<Escape> {
    let count = rest.iter().take(MAX_DIGITS + 1).position(|byte| *byte == delimiter)?;
    numeric(rest.get(..count)?, radix, lead + count + 1)
}

fn numeric(digits: &[u8], radix: u32, len: usize) -> Option<Escape> {
    // `from_str_radix` also accepts a sign.
    if !digits.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
    let character = u8::try_from(code).ok()?;
    Some(Escape { len, character: Some(character) })
}

/// Whether a sequence that encodes `character` is decoded. This is the case if the character can be
/// part of a secret or of another sequence.
fn is_decoded(character: u8) -> bool {
    character.is_ascii_alphanumeric() || b"_%=\\&#;{}\r\n".contains(&character)
}
