//! The lines of an import, read as often as needed: its header, then its tokens part by part,
//! parsed on all cores. What could keep a reader waiting, or cannot be read twice, is copied first.
//! Called by `import`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek},
    ops::ControlFlow,
    sync::{Mutex, OnceLock, PoisonError},
};

use super::{KIND, fields::Fields, record};
use crate::{
    output::json::SCHEMA,
    service::{
        Service,
        import::{ImportBatch, ImportRow, ImportSource, LineFault},
        is_at_hand, par_map_ordered,
    },
};

/// Most bytes of a line: the largest token that the domain allows, every character of it
/// escaped, has half of it.
const LINE_MAX: usize = 4 << 20;
/// Bytes of a part: some hundred tokens, so few that they stay in the core's cache.
const PART: usize = 1 << 18;
/// Bytes that are read at once.
const PIECE: usize = 1 << 18;

/// The lines of an import, the first of which was read.
#[derive(Debug)]
pub(super) struct Lines<F> {
    file: Mutex<F>,
    header: Header,
    /// The checksum of the lines behind the header, from when they were first read.
    sum: OnceLock<u32>,
}

#[derive(Debug)]
struct Header {
    /// The id of the store that they come from.
    store: String,
    tokens: u64,
    faults: Vec<LineFault>,
}

/// `file`, or a copy of it that has no name, unless all of it is here and stays.
pub(super) fn at_hand(service: &Service, mut file: File) -> io::Result<File> {
    if is_at_hand(&file) {
        return Ok(file);
    }
    let mut copy = service.scratch().map_err(io::Error::other)?;
    io::copy(&mut file, &mut copy)?;
    Ok(copy)
}

impl<F: Read + Seek + Send> Lines<F> {
    /// Reads the header, or says what is wrong with it.
    pub(super) fn of(mut file: F) -> io::Result<Result<Self, Vec<LineFault>>> {
        let mut bytes = Vec::new();
        let header = match next(&mut begun(&mut file)?, &mut bytes)? {
            0 => Err(vec![fault("", "the file is empty: an export starts with a header")]),
            _ => header(&bytes),
        };
        Ok(header.map(|header| Self { file: Mutex::new(file), header, sum: OnceLock::new() }))
    }
}

/// `file` from its start on.
fn begun<F: Read + Seek>(file: &mut F) -> io::Result<BufReader<&mut F>> {
    file.rewind()?;
    Ok(BufReader::with_capacity(PIECE, file))
}

impl<F: Read + Seek + Send> ImportSource for Lines<F> {
    fn store_id(&self) -> &str {
        &self.header.store
    }

    fn declared_count(&self) -> u64 {
        self.header.tokens
    }

    fn for_each_batch<T: Send>(
        &self,
        work: impl Fn(ImportBatch) -> T + Sync,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut input = begun(&mut *file)?;
        next(&mut input, &mut Vec::new())?;
        let mut reading = Reading { input, line: 1, over: false, sum: crc32fast::Hasher::new() };
        let mut end = Ok(());
        if !self.header.faults.is_empty() {
            let batch =
                ImportBatch { faults: self.header.faults.clone(), ..ImportBatch::default() };
            if take(work(batch)).is_break() {
                return Ok(());
            }
        }
        par_map_ordered(
            || reading.part(),
            |piece| piece.map(|piece| work(piece.parsed())),
            |made| match made {
                Ok(made) => take(made),
                Err(error) => {
                    end = Err(error);
                    ControlFlow::Break(())
                }
            },
        );
        let Reading { over, sum, .. } = reading;
        let sum = sum.finalize();
        if end.is_ok() && over && *self.sum.get_or_init(|| sum) != sum {
            return Err(io::Error::other("it changed meanwhile"));
        }
        end
    }
}

struct Reading<R> {
    input: R,
    line: u64,
    over: bool,
    sum: crc32fast::Hasher,
}

impl<R: BufRead> Reading<R> {
    /// The next lines; `None` behind the last one.
    fn part(&mut self) -> Option<io::Result<Piece>> {
        let mut piece = Piece { line: self.line, bytes: Vec::with_capacity(PART + (PART >> 2)) };
        while !self.over && piece.bytes.len() < PART {
            match next(&mut self.input, &mut piece.bytes) {
                Ok(read) => {
                    self.line += 1;
                    // The rest of a line that is too long is no line.
                    self.over = read == 0 || is_cut(&piece.bytes, read);
                }
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        self.sum.update(&piece.bytes);
        (!piece.bytes.is_empty()).then_some(Ok(piece))
    }
}

/// Whether the line of `read` bytes at the end of `bytes` goes on.
fn is_cut(bytes: &[u8], read: usize) -> bool {
    read >= LINE_MAX && !bytes.ends_with(b"\n")
}

/// Lines behind line `line`.
struct Piece {
    line: u64,
    bytes: Vec<u8>,
}

impl Piece {
    fn parsed(&self) -> ImportBatch {
        let (mut batch, mut line) = (ImportBatch::default(), self.line);
        let mut rest = self.bytes.as_slice();
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (bytes, behind) = rest.split_at(end);
            (rest, line) = (behind, line + 1);
            match text(bytes) {
                Ok("") => {}
                Ok(text) => match record::read(line, text) {
                    Ok(token) => batch.rows.push(ImportRow { line, token }),
                    Err(faults) => batch.faults.extend(faults),
                },
                Err(why) => batch.faults.push(LineFault { line, field: String::new(), why }),
            }
        }
        batch
    }
}

/// Adds the next line with its end to `bytes`, or its start if it is too long; how long it is.
fn next(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let most = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
    Read::take(input, most).read_until(b'\n', bytes)
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    if bytes.len() >= LINE_MAX {
        return Err("this line is too long for a token".to_owned());
    }
    std::str::from_utf8(bytes)
        .map(str::trim)
        .map_err(|error| format!("byte {} is no UTF-8", error.valid_up_to() + 1))
}

fn fault(field: &str, why: &str) -> LineFault {
    LineFault { line: 1, field: field.to_owned(), why: why.to_owned() }
}

/// Reads the header; it may have faults that do not keep the other lines from being read.
fn header(bytes: &[u8]) -> Result<Header, Vec<LineFault>> {
    let none = || vec![fault("", "the first line must be the header that `patdeck export` writes")];
    let fields = text(bytes).ok().and_then(|text| Fields::parse(1, text).ok());
    let mut fields = fields.ok_or_else(none)?;
    if fields.text("kind", |kind| Ok(kind == KIND)) != Ok(true) {
        return Err(none());
    }
    let schema = fields.number("schema");
    if schema.is_ok_and(|schema| schema != u64::from(SCHEMA)) {
        return Err(vec![fault("schema", "a later patdeck wrote it: update patdeck")]);
    }
    let store = fields.text("store", |text| {
        let is_id = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let good = is_id.then(|| text.to_owned());
        good.ok_or_else(|| "32 hexadecimal digits are expected".to_owned())
    });
    let tokens = fields.number("tokens");
    // For people, who want to know.
    let _ = fields.text("exported", |_| Ok(()));
    match (tokens, fields.finish()) {
        (Ok(tokens), faults) => Ok(Header { store: store.unwrap_or_default(), tokens, faults }),
        (Err(_), faults) => Err(faults),
    }
}
