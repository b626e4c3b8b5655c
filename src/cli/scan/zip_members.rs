//! Searches the members of a zip archive (also .docx, .xlsx, .jar) in the order of the stream, by
//! the header before each member. An archive in another one cannot be read from its end, where its
//! directory is, without a copy. Members that the directory no longer lists are searched too. Used by
//! `nested.rs`.

use std::io::{self, BufRead as _, Read};

use flate2::{CrcReader, bufread::DeflateDecoder};

use super::{content::Content, format::ZIP_START, nested::Location};

/// Records after the members: directory, its end, extra data.
const AFTER_MEMBERS: [&[u8]; 4] = [b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x08"];
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
const HEADER_LEN: usize = 30;

const IS_ENCRYPTED: u16 = 1;
const HAS_DESCRIPTOR: u16 = 8;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Value of a size that is in the extra field instead.
const IN_EXTRA_FIELD: u32 = u32::MAX;

/// The header before a member.
struct Header {
    flags: u16,
    method: u16,
    checksum: u32,
    /// Number of bytes in the archive, if the header has it.
    stored_len: Option<u64>,
    name: String,
}

/// Searches the archive that begins at the next byte of `content`, up to its directory.
pub(super) fn search(content: &mut Content<'_>) {
    if let Err(error) = search_members(content) {
        content.report_not_searched(&format!("damaged zip archive ({error})"));
    }
}

fn search_members(content: &mut Content<'_>) -> io::Result<()> {
    let (start, _) = content.fill(8)?;
    if !start.starts_with(ZIP_START) {
        content.consume(4);
    }
    loop {
        let (start, is_last) = content.fill(HEADER_LEN)?;
        if AFTER_MEMBERS.iter().any(|signature| start.starts_with(signature)) {
            return Ok(());
        }
        if !start.starts_with(ZIP_START) || start.len() < HEADER_LEN {
            let reason = if is_last && start.len() < HEADER_LEN { "truncated" } else { "damaged" };
            content.report_not_searched(&format!("{reason} zip archive"));
            return Ok(());
        }
        let header = read_header(content)?;
        let path = format!("{}!{}", content.location.path, header.name);
        let member = Location { path: &path, enclosing: None };
        let is_passed = search_member(content, &header, member)?;
        if !is_passed || content.search.is_exhausted() {
            return Ok(());
        }
    }
}

/// Searches the member at `location`. Returns whether the next member can be read.
fn search_member(
    content: &mut Content<'_>,
    header: &Header,
    location: Location<'_>,
) -> io::Result<bool> {
    let (search, depth) = (content.search, content.depth);
    let reason = match (header.method, header.stored_len) {
        _ if header.flags & IS_ENCRYPTED != 0 => "encrypted".to_owned(),
        (STORED, Some(len)) => {
            content.pause();
            let mut data = CrcReader::new(content.by_ref().take(len));
            search.search(&mut data, location, depth + 1);
            let checksum = data.crc().sum();
            let missing = data.into_inner().limit();
            content.resume();
            return finish_member(content, header, location, (checksum, missing == 0));
        }
        (DEFLATED, _) => {
            content.begin_compressed();
            let mut data = CrcReader::new(DeflateDecoder::new(&mut *content));
            let is_complete = search.search_decompressed(&mut data, location, depth);
            let checksum = data.crc().sum();
            content.end_compressed(is_complete);
            return finish_member(content, header, location, (checksum, is_complete));
        }
        (STORED, None) => "stored without its length".to_owned(),
        (method, _) => format!("compression method {method} is not supported"),
    };
    search.report_not_searched(location.path, &reason);
    let Some(len) = header.stored_len else {
        return Ok(false);
    };
    let skipped = io::copy(&mut content.by_ref().take(len), &mut io::sink())?;
    if skipped == len && header.flags & HAS_DESCRIPTOR != 0 {
        read_descriptor(content)?;
    }
    Ok(skipped == len)
}

/// Reads what follows the data of a member, and compares the checksum of the data.
fn finish_member(
    content: &mut Content<'_>,
    header: &Header,
    location: Location<'_>,
    (checksum, is_complete): (u32, bool),
) -> io::Result<bool> {
    let search = content.search;
    if search.is_exhausted() {
        return Ok(false);
    }
    if !is_complete {
        search.report_not_searched(location.path, "damaged or truncated");
        return Ok(false);
    }
    let expected = if header.flags & HAS_DESCRIPTOR == 0 {
        Some(header.checksum)
    } else {
        read_descriptor(content)?
    };
    if expected != Some(checksum) {
        search.report_not_searched(location.path, "damaged: wrong checksum");
    }
    Ok(true)
}

/// Reads the record after a member that was written as a stream: a signature or none, checksum, and
/// two sizes of 4 or 8 bytes. Returns the checksum, or `None` if there is no such record.
fn read_descriptor(content: &mut Content<'_>) -> io::Result<Option<u32>> {
    let (bytes, _) = content.fill(28)?;
    let signature_len = if bytes.starts_with(DESCRIPTOR) { DESCRIPTOR.len() } else { 0 };
    let checksum = u32_at(bytes, signature_len);
    let len = [12, 20]
        .into_iter()
        .map(|len| signature_len + len)
        .find(|len| bytes.get(*len..).is_some_and(|rest| rest.starts_with(b"PK")));
    if let Some(len) = len {
        content.consume(len);
    }
    Ok(checksum.filter(|_| len.is_some()))
}

/// Reads the header of a member, its name and its extra field.
fn read_header(content: &mut Content<'_>) -> io::Result<Header> {
    let (bytes, _) = content.fill(HEADER_LEN)?;
    let flags = u16_at(bytes, 6).unwrap_or_default();
    let method = u16_at(bytes, 8).unwrap_or_default();
    let checksum = u32_at(bytes, 14).unwrap_or_default();
    let stored_len = u32_at(bytes, 18).unwrap_or_default();
    let name_len = usize::from(u16_at(bytes, 26).unwrap_or_default());
    let extra_len = usize::from(u16_at(bytes, 28).unwrap_or_default());
    content.consume(HEADER_LEN);
    let name = read_vec(content, name_len)?;
    let extra = read_vec(content, extra_len)?;
    let stored_len = match stored_len {
        IN_EXTRA_FIELD => zip64_stored_len(&extra),
        0 if flags & HAS_DESCRIPTOR != 0 => None,
        len => Some(u64::from(len)),
    };
    let name = String::from_utf8_lossy(&name).into_owned();
    Ok(Header { flags, method, checksum, stored_len, name })
}

fn read_vec(content: &mut Content<'_>, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    content.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The size in the extra field number 1: the original size, then the size in the archive.
fn zip64_stored_len(extra: &[u8]) -> Option<u64> {
    let mut rest = extra;
    loop {
        let (number, len) = (u16_at(rest, 0)?, usize::from(u16_at(rest, 2)?));
        let data = rest.get(4..4 + len)?;
        if number == 1 {
            let bytes = data.get(8..16)?.try_into().ok()?;
            return Some(u64::from_le_bytes(bytes)).filter(|len| *len != 0);
        }
        rest = rest.get(4 + len..)?;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
