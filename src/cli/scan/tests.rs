//! Tests of the search of nested content, without files and store: chains of encodings, damage and
//! limits.

use std::{
    cell::RefCell,
    io::{self, Read, Write as _},
};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use flate2::{Compression, write::GzEncoder, write::ZlibEncoder};
use proptest::prelude::*;

use super::nested::{Buffers, FileSearch, Location, ResultSink};
use crate::domain::{FoundSecret, Secret, SecretPrefix, TokenId};

/// A secret, different for each seed.
fn secret(seed: u8) -> String {
    let mut next = seed;
    let mut fill = |out: &mut [u8]| {
        for byte in out {
            next = next.wrapping_mul(5).wrapping_add(seed | 1);
            *byte = next.rotate_left(3);
        }
        Ok::<_, ()>(())
    };
    let id = TokenId::generate(&mut fill).unwrap();
    Secret::generate(&SecretPrefix::parse("pat").unwrap(), id, fill).unwrap().reveal().to_owned()
}

/// Results of a search.
#[derive(Default)]
struct Results {
    /// Path, line or enclosing line, and text of each secret.
    secrets: RefCell<Vec<(String, u64, String)>>,
    not_searched: RefCell<Vec<(String, String)>>,
}

impl ResultSink for Results {
    fn secret(&self, location: &Location<'_>, found: &FoundSecret) {
        let line = location.enclosing.map_or(found.line, |enclosing| enclosing.lines + 1);
        let found = (location.path.to_owned(), line, found.secret.reveal().to_owned());
        self.secrets.borrow_mut().push(found);
    }

    fn not_searched(&self, path: &str, reason: &str) {
        self.not_searched.borrow_mut().push((path.to_owned(), reason.to_owned()));
    }

    fn is_stopped(&self) -> bool {
        false
    }
}

fn search(mut input: impl Read) -> Results {
    let results = Results::default();
    FileSearch::new(&results, &Buffers::default(), "f").search_file(&mut input);
    results
}

/// The secrets in `bytes`, all of which must be searched.
fn secrets_in(bytes: &[u8]) -> Vec<String> {
    let results = search(bytes);
    assert_eq!(results.not_searched.into_inner(), []);
    results.secrets.into_inner().into_iter().map(|(_, _, secret)| secret).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let zlib = zlib(bytes);
    zlib[2..zlib.len() - 4].to_vec()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

/// How a member of a zip archive is written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Member {
    Stored,
    Deflated,
    /// Written as a stream: the sizes follow the data.
    Streamed,
    Encrypted,
    Lzma,
}

fn zip(members: &[(&str, &[u8], Member)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes, member) in members {
        let data = match member {
            Member::Deflated | Member::Streamed => deflate(bytes),
            _ => bytes.to_vec(),
        };
        let (flags, method): (u16, u16) = match member {
            Member::Stored => (0, 0),
            Member::Deflated => (0, 8),
            Member::Streamed => (8, 8),
            Member::Encrypted => (1, 0),
            Member::Lzma => (0, 14),
        };
        let len = u32::try_from(data.len()).unwrap();
        let sizes = [crc32fast::hash(bytes), len, u32::try_from(bytes.len()).unwrap()];
        let sizes: Vec<u8> = sizes.iter().flat_map(|it| it.to_le_bytes()).collect();
        out.extend(b"PK\x03\x04\x14\0");
        out.extend(flags.to_le_bytes());
        out.extend(method.to_le_bytes());
        out.extend([0; 4]);
        out.extend(if *member == Member::Streamed { vec![0; 12] } else { sizes.clone() });
        out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        out.extend([0; 2]);
        out.extend(name.as_bytes());
        out.extend(data);
        if *member == Member::Streamed {
            out.extend(b"PK\x07\x08");
            out.extend(sizes);
        }
    }
    // The search ends at the directory.
    out.extend(b"PK\x05\x06");
    out.extend([0; 18]);
    out
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Encoding {
    Base64,
    Base64Url,
    /// With line breaks, as in a mail.
    Base64Lines,
    Gzip,
    Zlib,
    Zip(Member),
    Tar,
    Utf16,
    Utf16WithMark,
    Percent,
    Json,
    Html,
    QuotedPrintable,
}

impl Encoding {
    /// `None` if the encoding is for text and `bytes` are none.
    fn encode(self, bytes: &[u8]) -> Option<Vec<u8>> {
        let characters = || String::from_utf8(bytes.to_vec()).ok().filter(|text| text.is_ascii());
        let text = || characters().filter(|text| !text.contains('\0'));
        Some(match self {
            Self::Base64 => BASE64_STANDARD.encode(bytes).into_bytes(),
            Self::Base64Url => BASE64_URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
            Self::Base64Lines => {
                let text = BASE64_STANDARD.encode(bytes);
                text.as_bytes().chunks(76).collect::<Vec<_>>().join(&b"\r\n"[..])
            }
            Self::Gzip => gzip(bytes),
            Self::Zlib => zlib(bytes),
            Self::Zip(member) => zip(&[("a", b"-", Member::Deflated), ("b", bytes, member)]),
            Self::Tar => tar(&[("a", b"-"), ("b", bytes)]),
            Self::Utf16 => text()?.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Utf16WithMark => {
                let text = format!("\u{feff}{}", text()?);
                text.encode_utf16().flat_map(u16::to_le_bytes).collect()
            }
            Self::Percent => escape(&text()?, |c| format!("%{:02X}", u32::from(c))).into_bytes(),
            Self::Json => escape(&text()?, |c| match c {
                '\n' => "\\n".to_owned(),
                '/' => "\\/".to_owned(),
                '+' | '=' | '_' => format!("\\u{:04x}", u32::from(c)),
                '\\' | '"' => format!("\\{c}"),
                c => c.to_string(),
            })
            .into_bytes(),
            Self::Html => escape(&text()?, |c| format!("&#{};", u32::from(c))).into_bytes(),
            Self::QuotedPrintable => {
                let text = text()?.replace('=', "=3D");
                let lines = text
                    .split('\n')
                    .map(|line| line.as_bytes().chunks(73).collect::<Vec<_>>().join(&b"=\n"[..]));
                lines.collect::<Vec<_>>().join(&b'\n')
            }
        })
    }
}

fn escape(text: &str, write: impl Fn(char) -> String) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() { out.push(c) } else { out.push_str(&write(c)) }
    }
    out
}

fn any_encoding() -> impl Strategy<Value = Encoding> {
    prop::sample::select(vec![
        Encoding::Base64,
        Encoding::Base64Url,
        Encoding::Base64Lines,
        Encoding::Gzip,
        Encoding::Zlib,
        Encoding::Zip(Member::Stored),
        Encoding::Zip(Member::Deflated),
        Encoding::Zip(Member::Streamed),
        Encoding::Tar,
        Encoding::Utf16,
        Encoding::Utf16WithMark,
        Encoding::Percent,
        Encoding::Json,
        Encoding::Html,
        Encoding::QuotedPrintable,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_secret_in_any_chain_of_3_encodings_is_found(
        seed in any::<u8>(),
        before in "([ -~]{0,60}\n)?([ -~]{0,20}[ ,:;\"'])?",
        after in "([ ,;\"'\n][ -~\n]{0,80})?",
        chain in prop::collection::vec(any_encoding(), 0..=3),
    ) {
        let secret = secret(seed);
        let mut bytes = format!("{before}{secret}{after}").into_bytes();
        for encoding in &chain {
            let Some(encoded) = encoding.encode(&bytes) else { return Ok(()) };
            bytes = encoded;
        }
        let results = search(bytes.as_slice());
        let secrets = results.secrets.into_inner();
        prop_assert!(secrets.iter().any(|(_, _, it)| *it == secret), "{chain:?} {before:?} {after:?}");
        prop_assert_eq!(results.not_searched.into_inner(), []);
    }

    #[test]
    fn any_bytes_after_a_header_end_the_search(
        chain in prop::collection::vec(any_encoding(), 1..=3),
        cut in 0_usize..600,
        flip in any::<(usize, u8)>(),
    ) {
        let mut bytes = secret(1).into_bytes();
        for encoding in &chain {
            let Some(encoded) = encoding.encode(&bytes) else { return Ok(()) };
            bytes = encoded;
        }
        let at = flip.0 % bytes.len();
        bytes[at] ^= flip.1;
        bytes.truncate(bytes.len().saturating_sub(cut).max(1));
        search(bytes.as_slice());
    }
}

#[test]
fn base64_is_found_at_each_alignment() {
    let secret = secret(2);
    for inner in ["", "x", "xy", "xyz"] {
        for outer in ["", "k=", "/", "ab", "abc", "data:x;base64,"] {
            let text = BASE64_STANDARD.encode(format!("{inner}{secret}"));
            assert_eq!(secrets_in(format!("{outer}{text}\n").as_bytes()), [secret.as_str()]);
        }
    }
}

#[test]
fn base64_with_many_escape_sequences_is_found() {
    let secret = secret(0);
    // `>` at each third byte is a `+` in base64. A line break cuts the secret.
    let before = ["AA0AA  A  A>A Aa Aa0 aaaaaaAaaAAAA0>\n", &"aa>".repeat(12), &"~?>".repeat(15)];
    let escapes = [Encoding::Percent, Encoding::Json, Encoding::QuotedPrintable, Encoding::Html];
    for before in before {
        let text = format!("{before}{secret}");
        for base64 in [Encoding::Base64, Encoding::Base64Lines] {
            let encoded = base64.encode(text.as_bytes()).unwrap();
            for escape in escapes {
                let text = escape.encode(&encoded).unwrap();
                assert_eq!(secrets_in(&text), [secret.as_str()], "{base64:?} {escape:?}");
                let again = Encoding::Percent.encode(&text).unwrap();
                assert_eq!(secrets_in(&again), [secret.as_str()], "{base64:?} {escape:?} twice");
            }
        }
    }
}

#[test]
fn base64_after_other_text_on_its_line_is_found() {
    let secret = secret(0);
    let base64 = BASE64_STANDARD.encode(&secret);
    let twice = BASE64_STANDARD.encode(&base64);
    for before in ["%20", "a%0A", "%22", "k%3D", "k\\n", "&#34;", "\\u0022", "=20", "a=20"] {
        let found = secrets_in(format!("{before}{twice}").as_bytes());
        assert_eq!(found, [secret.as_str()], "{before}");
    }
    // Lines that are folded once more, also in an escape sequence.
    let folds = [(20, "=\n"), (20, "=\r\n"), (20, "\\\n"), (20, "%3D%0A")];
    let cut_breaks = [(40, "&#=\n13;&#10;"), (40, "%0=\nD%=\n0A")];
    for (at, fold) in folds.into_iter().chain(cut_breaks) {
        let (one, two) = base64.split_at(at);
        let found = secrets_in(format!("key: {one}{fold}{two}").as_bytes());
        assert_eq!(found, [secret.as_str()], "{fold:?}");
    }
}

#[test]
fn base64_of_a_large_archive_is_found_after_other_text() {
    let secret = secret(3);
    let mut large = Vec::new();
    for n in 0_u32..200_000 {
        large.extend(n.wrapping_mul(2_654_435_761).to_le_bytes());
    }
    large.extend(secret.as_bytes());
    let archive = gzip(&tar(&[("large", large.as_slice())]));
    let lines = BASE64_STANDARD.encode(archive);
    let lines: Vec<&[u8]> = lines.as_bytes().chunks(76).collect();
    for fold in ["\n", "\r\n", "\n    "] {
        let text = lines.join(fold.as_bytes());
        let mail = [b"Subject: x\n\nattached\n\n", text.as_slice(), b"\n\n-- \nend\n"].concat();
        let results = search(mail.as_slice());
        assert_eq!(results.not_searched.into_inner(), []);
        let secrets = results.secrets.into_inner();
        assert_eq!(secrets.len(), 1, "{fold:?}");
        assert_eq!((&secrets[0].0, &secrets[0].2), (&"f!large".to_owned(), &secret));
    }
}

#[test]
fn positions_are_those_of_the_member_or_of_the_base64() {
    let text = format!("\n\n{}", secret(4));
    let line_in = |bytes: &[u8]| {
        let secrets = search(bytes).secrets.into_inner();
        secrets.into_iter().map(|(path, line, _)| (path, line)).collect::<Vec<_>>()
    };
    let found = |path: &str, line| vec![(path.to_owned(), line)];
    assert_eq!(line_in(text.as_bytes()), found("f", 3));
    assert_eq!(line_in(&gzip(text.as_bytes())), found("f", 3));
    assert_eq!(line_in(&tar(&[("a/b", text.as_bytes())])), found("f!a/b", 3));
    let jar = zip(&[("x/y", text.as_bytes(), Member::Streamed)]);
    assert_eq!(line_in(&zip(&[("lib.jar", &jar, Member::Stored)])), found("f!lib.jar!x/y", 3));
    let base64 = BASE64_STANDARD.encode(&text);
    assert_eq!(line_in(format!("a\nb\nc\nk: {base64}").as_bytes()), found("f", 4));
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(line_in(&[&[0xff, 0xfe], wide.as_slice()].concat()), found("f", 3));
}

#[test]
fn archives_in_other_data_are_found() {
    let secret = secret(5);
    let archive = zip(&[("a", secret.as_bytes(), Member::Deflated)]);
    for before in [b"#!/bin/sh\n".as_slice(), &[0x7f; 3000], &vec![0; 70_000]] {
        let bytes = [before, &archive, b"rest"].concat();
        assert_eq!(secrets_in(&bytes), [secret.as_str()]);
        let bytes = [before, &gzip(secret.as_bytes()), b"rest"].concat();
        assert_eq!(secrets_in(&bytes), [secret.as_str()]);
    }
    let (one, two) = secret.split_at(20);
    let members = [gzip(one.as_bytes()), gzip(two.as_bytes())].concat();
    assert_eq!(secrets_in(&members), [secret], "the members of a gzip file are one content");
}

#[test]
fn content_that_cannot_be_searched_is_named() {
    let text = secret(6).repeat(50);
    let archive = gzip(text.as_bytes());
    let cut = &archive[..archive.len() - 20];
    let members = [("a", text.as_bytes(), Member::Lzma), ("b", b"x", Member::Encrypted)];
    let mut wrong = zip(&[("c", text.as_bytes(), Member::Stored)]);
    wrong[60] ^= 1;
    let nested = (0..8).fold(b"x".to_vec(), |bytes, _| gzip(&bytes));
    let tar = tar(&[("d", text.as_bytes())]);
    let cases: [(&[u8], &[&str]); 9] = [
        (cut, &["f: damaged"]),
        (&zip(&members), &["f!a: compression method 14", "f!b: encrypted"]),
        (&wrong, &["f!c: damaged: wrong checksum"]),
        (&zip(&members[..1])[..60], &["f!a: compression method 14"]),
        (&nested, &["f: nested deeper than 6 levels"]),
        (&tar[..700], &["f: damaged tar archive"]),
        (b"\xfd7zXZ\0\0\0", &["f: xz cannot be decompressed"]),
        (b"BZh91AY&SYxx", &["f: bzip2 cannot be decompressed"]),
        (b"PACK\0\0\0\x02\0\0\0\x03", &["f: a git pack"]),
    ];
    for (bytes, expected) in cases {
        let named = search(bytes).not_searched.into_inner();
        let named: Vec<_> =
            named.iter().map(|(path, reason)| format!("{path}: {reason}")).collect();
        let is_expected = named.len() >= expected.len()
            && named.iter().zip(expected).all(|(named, start)| named.starts_with(start));
        assert!(is_expected, "{named:?} {expected:?}");
    }
}

#[test]
fn a_read_error_is_named_once() {
    let failing = io::Cursor::new(b"text").chain(FailingReader);
    let named = search(failing).not_searched.into_inner();
    assert_eq!(named, [("f".to_owned(), "the disk failed".to_owned())]);
}

struct FailingReader;

impl Read for FailingReader {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk failed"))
    }
}
