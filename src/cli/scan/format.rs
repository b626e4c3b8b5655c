//! Recognizes archives, compressed data and base64 by their bytes, at the start of a content or in
//! it. File names do not matter. Called by `nested.rs` for each buffer.

use memchr::memchr2_iter;

use crate::domain::scan::base64::{ARCHIVE_STARTS, BitStream, LOOKAHEAD, RunReader, find_run};

/// Number of bytes that decide the format of a content.
pub(super) const HEAD_LEN: usize = 512;

/// Data that is searched as a content of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Embedded {
    Base64,
    Gzip,
    Zlib,
    Zip,
    Tar,
    /// A format that is not decoded, and the reason that is reported.
    Unsupported(&'static str),
}

pub(super) const GZIP_START: &[u8; 3] = b"\x1f\x8b\x08";
pub(super) const ZIP_START: &[u8; 4] = b"PK\x03\x04";
/// First bytes of formats that are not decoded, and why.
const UNSUPPORTED: [(&[u8], &str); 8] = [
    (b"BZh", "bzip2 cannot be decompressed"),
    (b"\xfd7zXZ\0", "xz cannot be decompressed"),
    (b"\x28\xb5\x2f\xfd", "zstd cannot be decompressed"),
    (b"\x04\x22\x4d\x18", "lz4 cannot be decompressed"),
    (b"LZIP\x01", "lzip cannot be decompressed"),
    (b"7z\xbc\xaf\x27\x1c", "7z cannot be decompressed"),
    (b"Rar!\x1a\x07", "rar cannot be decompressed"),
    // An object in a pack can be stored as the difference from another one.
    (b"PACK\0\0\0", "a git pack; `git log -p --all | patdeck scan -` searches its history"),
];

/// The format of a content that begins with `bytes`, unless it is searched as it is.
pub(super) fn recognize(bytes: &[u8]) -> Option<Embedded> {
    let unsupported = || {
        let is_start = |(start, _): &&(&[u8], _)| bytes.starts_with(start);
        let (start, reason) = UNSUPPORTED.iter().find(is_start)?;
        // The block size and the magic number of the first block or of the end follow.
        let is_certain = start.len() > 3
            || matches!(bytes.get(4..10), Some(b"1AY&SY" | b"\x17\x72\x45\x38\x50\x90"));
        is_certain.then_some(Embedded::Unsupported(reason))
    };
    match bytes {
        // An archive in several parts begins with a marker.
        [b'P', b'K', 7, 8, b'P', b'K', 3, 4, ..]
        | [b'P', b'K', b'0', b'0', b'P', b'K', 3, 4, ..] => Some(Embedded::Zip),
        _ if bytes.starts_with(GZIP_START) => Some(Embedded::Gzip),
        _ if bytes.starts_with(ZIP_START) => Some(Embedded::Zip),
        _ if is_tar_header(bytes) => Some(Embedded::Tar),
        [0x78, 0x01 | 0x9c | 0xda, ..] => Some(Embedded::Zlib),
        _ => unsupported(),
    }
}

/// Whether the content is UTF-16 or UTF-32 text: a byte order mark, or a zero in each character.
pub(super) fn is_wide_text(bytes: &[u8]) -> bool {
    if !bytes.contains(&0) {
        return false;
    }
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 0, 0xfe, 0xff, ..] = bytes {
        return true;
    }
    let pairs = || bytes.chunks_exact(2).take(32);
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    pairs().count() >= 8
        && (pairs().all(|pair| matches!(pair, [text, 0] if is_text(text)))
            || pairs().all(|pair| matches!(pair, [0, text] if is_text(text))))
}

/// The first embedded data in `bytes` that is not at the start of a content, and its index. Without
/// embedded data, the index up to which the bytes contain none, whatever follows.
pub(super) fn find_embedded(bytes: &[u8], is_last: bool) -> (usize, Option<Embedded>) {
    // As many bytes decide whether data begins at an index.
    let decided = if is_last { bytes.len() } else { bytes.len().saturating_sub(LOOKAHEAD) };
    let (limit, run) = match find_run(bytes, is_last) {
        Ok(start) => (start.min(decided), (start <= decided).then_some(start)),
        Err(_) if is_last => (decided, None),
        Err(tail) => (decided.min(tail), None),
    };
    if let Some((at, embedded)) = find_archive(bytes, limit) {
        return (at, Some(embedded));
    }
    let Some(start) = run else { return (limit, None) };
    // Other characters of base64 can precede the start of an archive.
    let is_archive = |at: &usize| is_base64_of_archive(bytes.get(*at..).unwrap_or_default());
    let archive = (start..decided.min(start + LOOKAHEAD)).find(is_archive);
    (archive.unwrap_or(start), Some(Embedded::Base64))
}

/// The first archive in `bytes` that begins before `limit`, and its index.
fn find_archive(bytes: &[u8], limit: usize) -> Option<(usize, Embedded)> {
    let [gzip_mark, ..] = GZIP_START;
    let [.., zip_mark, _] = ZIP_START;
    let end = bytes.len().min(limit + ZIP_START.len());
    // Text contains neither of these bytes.
    memchr2_iter(*gzip_mark, *zip_mark, bytes.get(..end)?).find_map(|mark| {
        let from = |at: usize| bytes.get(at..).unwrap_or_default();
        let zip = mark.checked_sub(2).filter(|at| is_zip_header(from(*at)));
        let gzip = Some(mark).filter(|at| is_gzip_header(from(*at)));
        let found = zip.map(|at| (at, Embedded::Zip)).or(gzip.map(|at| (at, Embedded::Gzip)));
        found.filter(|(at, _)| *at < limit)
    })
}

/// Whether random bytes are unlikely to begin like this: the flags, the level and the system of a
/// gzip header have few values.
fn is_gzip_header(bytes: &[u8]) -> bool {
    matches!(bytes, [0x1f, 0x8b, 8, 0..=31, _, _, _, _, 0 | 2 | 4, 0..=13 | 255, ..])
}

/// As `is_gzip_header`: the version and the method of a zip member have few values.
fn is_zip_header(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [b'P', b'K', 3, 4, 0..=63, _, _, _, 0..=20 | 93..=99, 0, ..] if bytes.len() >= 30
    )
}

fn is_base64_of_archive(bytes: &[u8]) -> bool {
    if !ARCHIVE_STARTS.iter().any(|start| bytes.starts_with(start)) {
        return false;
    }
    let (mut stream, mut head) = (BitStream::default(), Vec::new());
    let bytes = bytes.get(..2 * LOOKAHEAD).unwrap_or(bytes);
    RunReader::default().read(bytes, true, 40, |value| head.extend(stream.push(value)));
    is_gzip_header(&head)
        || is_zip_header(&head)
        || is_zip_header(&[head.as_slice(), &[0; 30]].concat())
}

/// Whether `bytes` begin with the header of a tar member: its checksum is right. Archives from
/// before POSIX have no magic number.
fn is_tar_header(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..HEAD_LEN).filter(|header| header.first() != Some(&0)) else {
        return false;
    };
    let mut copy = tar::Header::new_old();
    copy.as_mut_bytes().copy_from_slice(header);
    let stored = copy.cksum().ok();
    copy.set_cksum();
    stored.is_some() && stored == copy.cksum().ok()
}
