//! The file of an import: parses its header, then its tokens in batches on all cores. The
//! tokens can be read several times. Input that can block or cannot be read twice is copied to a
//! scratch file first. Called by `import`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write as _},
    ops::ControlFlow,
    sync::{Mutex, OnceLock, PoisonError},
};

use super::{KIND, field_reader::FieldReader, record};
use crate::{
    domain::counted,
    output::json::SCHEMA_VERSION,
    service::{
        Service,
        import::{ImportRow, ImportSource, LineFault, ParsedBatch},
        is_local_regular_file, par_map_ordered,
    },
};

/// Maximum size of a line in bytes: twice the largest valid token with all characters escaped.
const MAX_LINE_BYTES: usize = 4 << 20;
/// Maximum number of lines of an export that contain no token.
const MAX_BLANK_LINES: u64 = 1_024;
/// Size of a chunk in bytes: some hundred tokens, which fit into the cache of a core.
const CHUNK_BYTES: usize = 1 << 18;
/// Size of the read buffer in bytes.
const BUFFER_BYTES: usize = 1 << 18;

/// A file to import, with its parsed header.
#[derive(Debug)]
pub(super) struct ImportFile<F> {
    file: Mutex<F>,
    header: ImportHeader,
    /// Checksum of the lines after the header, set by the first complete read.
    checksum: OnceLock<u32>,
}

#[derive(Debug)]
struct ImportHeader {
    /// Id of the store that the tokens come from.
    store: String,
    /// Declared number of tokens.
    tokens: u64,
    faults: Vec<LineFault>,
}

/// Returns `file` if it is a local regular file, otherwise an anonymous copy. The input may be
/// endless: copying stops after an invalid header and after a line that is too long. It is an error
/// if the input has more lines than the header declares.
pub(super) fn ensure_rereadable(service: &Service, file: File) -> io::Result<File> {
    if is_local_regular_file(&file) {
        return Ok(file);
    }
    let mut input = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut copy =
        BufWriter::with_capacity(BUFFER_BYTES, service.scratch_file().map_err(io::Error::other)?);
    let mut line = Vec::new();
    append_line(&mut input, &mut line)?;
    copy.write_all(&line)?;
    let Ok(ImportHeader { tokens, .. }) = parse_header(&line) else {
        return copy.into_inner().map_err(io::IntoInnerError::into_error);
    };
    for _ in 0..tokens.saturating_add(MAX_BLANK_LINES) {
        line.clear();
        let read = append_line(&mut input, &mut line)?;
        copy.write_all(&line)?;
        if read == 0 || is_cut(&line, read) {
            return copy.into_inner().map_err(io::IntoInnerError::into_error);
        }
    }
    Err(io::Error::other(format!(
        "the header declares {}, but the file has more lines",
        counted(usize::try_from(tokens).unwrap_or(usize::MAX), "token")
    )))
}

impl<F: Read + Seek + Send> ImportFile<F> {
    /// Parses the header. Returns its faults if it is invalid.
    pub(super) fn open(mut file: F) -> io::Result<Result<Self, Vec<LineFault>>> {
        let mut bytes = Vec::new();
        let header = match append_line(&mut rewound(&mut file)?, &mut bytes)? {
            0 => Err(vec![header_fault("", "the file is empty; an export starts with a header")]),
            _ => parse_header(&bytes),
        };
        Ok(header.map(|header| Self { file: Mutex::new(file), header, checksum: OnceLock::new() }))
    }
}

/// Returns a reader of `file` from its start.
fn rewound<F: Read + Seek>(file: &mut F) -> io::Result<BufReader<&mut F>> {
    file.rewind()?;
    Ok(BufReader::with_capacity(BUFFER_BYTES, file))
}

impl<F: Read + Seek + Send> ImportSource for ImportFile<F> {
    fn store_id(&self) -> &str {
        &self.header.store
    }

    fn declared_count(&self) -> u64 {
        self.header.tokens
    }

    fn for_each_batch<T: Send>(
        &self,
        work: impl Fn(ParsedBatch) -> T + Sync,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut input = rewound(&mut *file)?;
        append_line(&mut input, &mut Vec::new())?;
        let mut chunks =
            ChunkReader { input, line: 1, is_over: false, hasher: crc32fast::Hasher::new() };
        let mut end = Ok(());
        if !self.header.faults.is_empty() {
            let batch =
                ParsedBatch { faults: self.header.faults.clone(), ..ParsedBatch::default() };
            if take(work(batch)).is_break() {
                return Ok(());
            }
        }
        par_map_ordered(
            || chunks.next_chunk(),
            |chunk| chunk.map(|chunk| work(chunk.parse())),
            |result| match result {
                Ok(result) => take(result),
                Err(error) => {
                    end = Err(error);
                    ControlFlow::Break(())
                }
            },
        );
        let ChunkReader { is_over, hasher, .. } = chunks;
        let checksum = hasher.finalize();
        if end.is_ok() && is_over && *self.checksum.get_or_init(|| checksum) != checksum {
            return Err(io::Error::other("the file was changed while it was read"));
        }
        end
    }
}

/// Reads whole lines in chunks, and computes the checksum of all lines.
struct ChunkReader<R> {
    input: R,
    /// Number of lines read so far.
    line: u64,
    is_over: bool,
    hasher: crc32fast::Hasher,
}

impl<R: BufRead> ChunkReader<R> {
    /// Returns the next lines, or `None` after the last one.
    fn next_chunk(&mut self) -> Option<io::Result<LineChunk>> {
        let mut chunk = LineChunk {
            line: self.line,
            bytes: Vec::with_capacity(CHUNK_BYTES + (CHUNK_BYTES >> 2)),
        };
        while !self.is_over && chunk.bytes.len() < CHUNK_BYTES {
            match append_line(&mut self.input, &mut chunk.bytes) {
                Ok(read) => {
                    self.line += 1;
                    // Stop after a line that is too long: its rest would be parsed as the next
                    // line.
                    self.is_over = read == 0 || is_cut(&chunk.bytes, read);
                }
                Err(error) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
            }
        }
        self.hasher.update(&chunk.bytes);
        (!chunk.bytes.is_empty()).then_some(Ok(chunk))
    }
}

/// Whether the last line of `bytes` was cut off because it is too long. `read` is the number of its
/// bytes.
fn is_cut(bytes: &[u8], read: usize) -> bool {
    read >= MAX_LINE_BYTES && !bytes.ends_with(b"\n")
}

/// The lines that follow line number `line`.
struct LineChunk {
    line: u64,
    bytes: Vec<u8>,
}

impl LineChunk {
    fn parse(&self) -> ParsedBatch {
        let (mut batch, mut line) = (ParsedBatch::default(), self.line);
        let mut rest = self.bytes.as_slice();
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (bytes, after) = rest.split_at(end);
            (rest, line) = (after, line + 1);
            match line_text(bytes) {
                Ok("") => {}
                Ok(text) => match record::parse(line, text) {
                    Ok(token) => batch.rows.push(ImportRow { line, token }),
                    Err(faults) => batch.faults.extend(faults),
                },
                Err(why) => {
                    batch.faults.push(LineFault { line, field: String::new(), reason: why });
                }
            }
        }
        batch
    }
}

/// Appends the next line and its line feed to `bytes`. Appends only the first [`MAX_LINE_BYTES`]
/// bytes of a line that is longer. Returns the number of bytes appended.
fn append_line(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
    Read::take(input, limit).read_until(b'\n', bytes)
}

/// Returns a line as text, without white space around it.
fn line_text(bytes: &[u8]) -> Result<&str, String> {
    if bytes.len() >= MAX_LINE_BYTES {
        return Err("the line is too long for a token".to_owned());
    }
    std::str::from_utf8(bytes)
        .map(str::trim_ascii)
        .map_err(|error| format!("byte {} is not UTF-8", error.valid_up_to() + 1))
}

fn header_fault(field: &str, why: &str) -> LineFault {
    LineFault { line: 1, field: field.to_owned(), reason: why.to_owned() }
}

/// Names the encoding of a file that is no UTF-8 text, by the first bytes of the file.
fn foreign_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'{', ..] | [b'{', 0, ..] => {
            Some("the file is UTF-16: convert it, e.g. with `iconv -f UTF-16 -t UTF-8`")
        }
        [0x1f, 0x8b, ..] => {
            Some("the file is compressed with gzip: decompress it first, e.g. with `gunzip`")
        }
        _ => None,
    }
}

/// Parses the header. The returned header contains the faults that do not prevent parsing the
/// other lines; any other fault is an error.
fn parse_header(bytes: &[u8]) -> Result<ImportHeader, Vec<LineFault>> {
    if let Some(reason) = foreign_encoding(bytes) {
        return Err(vec![header_fault("", reason)]);
    }
    // Windows programs put a byte order mark before UTF-8 text.
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let no_header = || vec![header_fault("", "expected the header that `patdeck export` writes")];
    let fields = line_text(bytes).ok().and_then(|text| FieldReader::parse(1, text).ok());
    let mut fields = fields.ok_or_else(no_header)?;
    if fields.text("kind", |kind| Ok(kind == KIND)) != Ok(true) {
        return Err(no_header());
    }
    let schema = fields.number("schema");
    if schema.is_ok_and(|schema| schema != u64::from(SCHEMA_VERSION)) {
        return Err(vec![header_fault("schema", "written by a newer patdeck: update patdeck")]);
    }
    let store = fields.text("store", |text| {
        let is_id = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let id = is_id.then(|| text.to_owned());
        id.ok_or_else(|| "expected 32 hexadecimal digits".to_owned())
    });
    let tokens = fields.number("tokens");
    // The field `exported` is only for people who read the file.
    let _ = fields.text("exported", |_| Ok(()));
    match (tokens, fields.finish()) {
        (Ok(tokens), faults) => {
            Ok(ImportHeader { store: store.unwrap_or_default(), tokens, faults })
        }
        (Err(_), faults) => Err(faults),
    }
}
