//! Searches a content and all that is nested in it: base64, gzip, zip and tar, up to a depth and a
//! number of decompressed bytes. Names all content that it cannot search. Knows no store and no
//! folders: `report.rs` receives the secrets, `file_walk.rs` passes the files.

use std::{
    cell::{Cell, RefCell},
    io::{self, BufRead as _, Read},
};

use zeroize::Zeroizing;

use flate2::bufread::{GzDecoder, ZlibDecoder};

use super::{
    base64_run::Base64Run,
    content::Content,
    format::{Embedded, GZIP_START, HEAD_LEN, find_embedded, is_wide_text, recognize},
    tar_members, zip_members,
};
use crate::domain::{FoundSecret, SecretScanner, StreamPosition};

/// How many levels of base64, compression and archives are searched in a file.
pub(super) const MAX_DEPTH: usize = 6;
/// How many bytes are decompressed in one file.
const MAX_DECOMPRESSED_BYTES: u64 = 1 << 30;
/// Bytes that a search for embedded data needs at least.
const MIN_WINDOW: usize = 1 << 10;

/// Receives the results of a search.
pub(super) trait ResultSink {
    fn secret(&self, location: &Location<'_>, found: &FoundSecret);
    /// The content at `path` was not searched, or not completely.
    fn not_searched(&self, path: &str, reason: &str);
    /// Whether the search must end.
    fn is_stopped(&self) -> bool;
}

/// Where a content is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Location<'a> {
    /// Path of the file, then for each archive `!` and the name of the member.
    pub path: &'a str,
    /// Where the content is in that file or member, if it is only a part of it.
    pub enclosing: Option<StreamPosition>,
}

/// Buffers that are used again for the next content, because allocating them takes longer than to
/// search a short content.
#[derive(Default)]
pub(super) struct Buffers {
    pub bytes: RefCell<Vec<Zeroizing<Vec<u8>>>>,
    pub scanners: RefCell<Vec<SecretScanner>>,
}

/// Search of one file.
pub(super) struct FileSearch<'a> {
    sink: &'a dyn ResultSink,
    pub buffers: &'a Buffers,
    path: &'a str,
    decompressed_bytes: Cell<u64>,
    /// Whether the limit was reached: nothing more is decompressed.
    is_exhausted: Cell<bool>,
}

impl<'a> FileSearch<'a> {
    pub fn new(sink: &'a dyn ResultSink, buffers: &'a Buffers, path: &'a str) -> Self {
        Self {
            sink,
            buffers,
            path,
            decompressed_bytes: Cell::new(0),
            is_exhausted: Cell::new(false),
        }
    }

    /// Searches the file from its start to its end.
    pub fn search_file(&self, input: &mut dyn Read) {
        self.search(input, Location { path: self.path, enclosing: None }, 0);
    }

    /// Searches a content at `depth`. Reads it to its end or to an error, which is reported. Returns
    /// whether it was read to its end.
    pub fn search(&self, input: &mut dyn Read, location: Location<'_>, depth: usize) -> bool {
        let mut content = Content::new(self, input, location, depth);
        let result = self.search_content(&mut content);
        content.finish();
        if let Err(error) = &result {
            let reason = if depth == 0 { error.to_string() } else { format!("damaged ({error})") };
            self.report_not_searched(location.path, &reason);
        }
        result.is_ok()
    }

    fn search_content(&self, content: &mut Content<'_>) -> io::Result<()> {
        let (head, _) = content.fill(HEAD_LEN)?;
        if is_wide_text(head) {
            content.pause();
            let (location, depth) = (content.location, content.depth);
            self.search(&mut WithoutZeros { content }, location, depth);
            return Ok(());
        }
        if let Some(embedded) = recognize(head) {
            self.search_embedded(embedded, content)?;
        }
        loop {
            let (bytes, is_last) = content.fill(MIN_WINDOW)?;
            if bytes.is_empty() {
                return Ok(());
            }
            let (len, embedded) = if self.is_exhausted.get() {
                (bytes.len(), None)
            } else {
                find_embedded(bytes, is_last)
            };
            content.consume(len);
            if let Some(embedded) = embedded {
                self.search_embedded(embedded, content)?;
            }
        }
    }

    /// Searches the embedded data that begins at the next byte of `content`. Reads at least one byte of
    /// data that [`find_embedded`] finds, so that it is not found again.
    fn search_embedded(&self, embedded: Embedded, content: &mut Content<'_>) -> io::Result<()> {
        let (location, depth) = (content.location, content.depth);
        match embedded {
            Embedded::Unsupported(reason) => content.report_not_searched(reason),
            Embedded::Base64 => self.search_base64(content)?,
            Embedded::Zlib if depth == MAX_DEPTH => {}
            Embedded::Gzip | Embedded::Zip | Embedded::Tar if depth == MAX_DEPTH => {
                content.report_not_searched(&format!("nested deeper than {MAX_DEPTH} levels"));
                content.consume(1);
            }
            Embedded::Gzip => {
                content.begin_compressed();
                let mut members = GzipMembers { decoder: Some(GzDecoder::new(&mut *content)) };
                let is_decompressed = self.search_decompressed(&mut members, location, depth);
                content.end_compressed(is_decompressed);
            }
            Embedded::Zlib => {
                content.begin_compressed();
                let decoder = ZlibDecoder::new(&mut *content);
                let mut output = ZlibOrNot { decoder, count: 0, is_refused: false };
                let is_read = self.search_decompressed(&mut output, location, depth);
                let is_decompressed = is_read && !output.is_refused;
                content.end_compressed(is_decompressed);
            }
            Embedded::Zip => zip_members::search(content),
            Embedded::Tar => tar_members::search(content),
        }
        Ok(())
    }

    /// Searches the output of a decompressor, and reads it to its end or to an error.
    pub fn search_decompressed(
        &self,
        input: &mut dyn Read,
        location: Location<'_>,
        depth: usize,
    ) -> bool {
        let mut input = Limited { input, search: self };
        self.search(&mut input, location, depth + 1)
    }

    fn search_base64(&self, content: &mut Content<'_>) -> io::Result<()> {
        let (Location { path, enclosing }, depth) = (content.location, content.depth);
        let location = Location { path, enclosing: enclosing.or(Some(content.position())) };
        let mut run = Base64Run::new(content, location);
        if depth < MAX_DEPTH {
            self.search(&mut run, location, depth + 1);
        }
        run.finish()
    }

    pub fn report_secret(&self, location: &Location<'_>, found: &FoundSecret) {
        self.sink.secret(location, found);
    }

    pub fn report_not_searched(&self, path: &str, reason: &str) {
        if !self.is_exhausted.get() {
            self.sink.not_searched(path, reason);
        }
    }

    /// Whether no archive must be read further.
    pub fn is_exhausted(&self) -> bool {
        self.is_exhausted.get() || self.is_stopped()
    }

    pub fn is_stopped(&self) -> bool {
        self.sink.is_stopped()
    }

    pub fn take_scanner(&self) -> SecretScanner {
        self.buffers.scanners.borrow_mut().pop().unwrap_or_default()
    }

    pub fn give_scanner(&self, scanner: SecretScanner) {
        self.buffers.scanners.borrow_mut().push(scanner);
    }

    /// Counts decompressed bytes. Returns an error beyond the limit, which is reported once.
    fn count_decompressed(&self, count: usize) -> io::Result<()> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let total = self.decompressed_bytes.get().saturating_add(count);
        self.decompressed_bytes.set(total);
        if total > MAX_DECOMPRESSED_BYTES {
            self.report_not_searched(
                self.path,
                "its decompressed content beyond 1 GiB was not searched",
            );
            self.is_exhausted.set(true);
            return Err(io::Error::other("too many decompressed bytes"));
        }
        Ok(())
    }
}

/// A reader whose bytes count as decompressed.
struct Limited<'a> {
    input: &'a mut dyn Read,
    search: &'a FileSearch<'a>,
}

impl Read for Limited<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.search.is_exhausted() {
            return Err(io::Error::other("the limit was reached before"));
        }
        let count = self.input.read(out)?;
        self.search.count_decompressed(count)?;
        Ok(count)
    }
}

/// The members of a gzip file, which are parts of one content.
struct GzipMembers<'c, 'a> {
    decoder: Option<GzDecoder<&'c mut Content<'a>>>,
}

impl Read for GzipMembers<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let count = decoder.read(out)?;
            if count > 0 || out.is_empty() {
                return Ok(count);
            }
            let content = self.decoder.take().map(GzDecoder::into_inner);
            if let Some(content) = content
                && content.fill(GZIP_START.len())?.0.starts_with(GZIP_START)
            {
                self.decoder = Some(GzDecoder::new(content));
            }
        }
        Ok(0)
    }
}

/// Output of zlib data, which two bytes at the start announced. They are a weak sign: an error soon
/// after the start shows that the data is something else.
struct ZlibOrNot<'c, 'a> {
    decoder: ZlibDecoder<&'c mut Content<'a>>,
    count: usize,
    is_refused: bool,
}

impl Read for ZlibOrNot<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.decoder.read(out) {
            Ok(count) => {
                self.count = self.count.saturating_add(count);
                Ok(count)
            }
            Err(_) if self.count < MIN_WINDOW => {
                self.is_refused = true;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }
}

/// Text in UTF-16 or UTF-32 without its zero bytes: its ASCII characters are then single bytes. Bytes
/// in another encoding stay as they are.
struct WithoutZeros<'c, 'a> {
    content: &'c mut Content<'a>,
}

impl Read for WithoutZeros<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.content.read(out)?;
            let mut kept = 0;
            for at in 0..count {
                if let Some(byte) = out.get(at).copied().filter(|byte| *byte != 0)
                    && let Some(target) = out.get_mut(kept)
                {
                    *target = byte;
                    kept += 1;
                }
            }
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}
