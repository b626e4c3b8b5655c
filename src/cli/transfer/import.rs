//! Taking tokens in: reads every line before anything is written, and names everything that is
//! wrong at once.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::json;

use super::{
    Conflict, Import, KIND,
    progress::Progress,
    record::{self, Fields},
};
use crate::{
    cli::{
        exit::{Exit, Failure},
        handed,
        print::{Output, tell},
    },
    domain::{Pat, text::escape},
    json::SCHEMA,
    service::{
        Handed, Service,
        transfer::{Clash, Fate, Fault, ImportError, Incoming, OnConflict, Outcome},
    },
};

/// Most bytes of a line: the largest token that the domain allows, every character of it
/// escaped, has half of it.
const LINE_MAX: u64 = 4 << 20;
/// How many faults are told one by one.
const TOLD: usize = 20;

/// Imports, or says what an import would do.
pub(in crate::cli) fn import(
    service: &Service,
    args: &Import,
    out: &Output,
) -> Result<Exit, Failure> {
    let on_conflict = match args.on_conflict {
        Conflict::Skip => OnConflict::Skip,
        Conflict::Replace => OnConflict::Replace { revive: args.yes },
        Conflict::Fail => OnConflict::Fail,
    };
    let file = opened(args)?;
    let unreadable = |error: io::Error| {
        let path = args.file.to_string_lossy();
        Failure::usage(format!("{} cannot be read ({error})", escape(&path)))
    };
    let read = read(file).map_err(unreadable)?;
    if !read.faults.is_empty() {
        let mut faults = read.faults;
        faults.extend(service.faults(&read.incoming));
        return Err(refused(faults, args));
    }
    let done = Arc::new(AtomicU64::new(0));
    let total = u64::try_from(read.incoming.len()).unwrap_or(u64::MAX);
    let fates = if args.dry_run {
        service.preview(&read.incoming, on_conflict)
    } else {
        let _shown = Progress::new("imported", &done, total);
        service.import(&read.incoming, &read.store, on_conflict, &done)
    };
    match fates {
        Ok(fates) => {
            tell_fates(&read.incoming, &fates, args, out)?;
            Ok(Exit::Done)
        }
        Err(ImportError::Service(error)) => Err(error.into()),
        Err(ImportError::Faults(faults)) => Err(refused(faults, args)),
    }
}

fn opened(args: &Import) -> Result<Box<dyn BufRead>, Failure> {
    if args.file.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(&args.file).map_err(|error| {
        let path = args.file.to_string_lossy();
        Failure::usage(format!("{} cannot be read ({error})", escape(&path)))
    })?;
    handed(&file, &args.file, Handed::Content)?;
    Ok(Box::new(BufReader::new(file)))
}

/// What a file says.
#[derive(Default)]
struct Read {
    /// The id of the store that it came from.
    store: String,
    incoming: Vec<Incoming>,
    faults: Vec<Fault>,
}

impl Read {
    fn fault(&mut self, line: u64, field: &str, why: impl Into<String>) {
        self.faults.push(Fault { line, field: field.to_owned(), why: why.into() });
    }
}

fn read(mut input: Box<dyn BufRead>) -> io::Result<Read> {
    let mut read = Read::default();
    let done = Arc::new(AtomicU64::new(0));
    let mut bytes = Vec::new();
    if !next(&mut input, &mut bytes)? {
        read.fault(1, "", "the file is empty: an export starts with a header");
        return Ok(read);
    }
    let Some(total) = header(&bytes, &mut read) else {
        return Ok(read);
    };
    let _shown = Progress::new("read", &done, total);
    let mut line = 1;
    while next(&mut input, &mut bytes)? {
        line += 1;
        match text(&bytes) {
            Ok("") => {}
            Ok(text) => match record::read(line, text) {
                Ok(pat) => read.incoming.push(Incoming { line, pat }),
                Err(faults) => read.faults.extend(faults),
            },
            Err(why) => {
                read.fault(line, "", why);
                // The rest of a line that is too long is no line.
                if !bytes.ends_with(b"\n") {
                    return Ok(read);
                }
            }
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
    let found = u64::try_from(read.incoming.len()).unwrap_or(u64::MAX);
    if read.faults.is_empty() && found != total {
        let why = format!("{total} are announced and {found} are here: the file is not whole");
        read.fault(1, "tokens", why);
    }
    Ok(read)
}

/// The tokens of the export `text`, or all that is wrong with it: for the tests and fuzz targets
/// that stand outside.
pub fn import_text(text: Vec<u8>) -> Result<Vec<Pat>, Vec<Fault>> {
    let read = read(Box::new(io::Cursor::new(text))).unwrap_or_default();
    if !read.faults.is_empty() {
        return Err(read.faults);
    }
    Ok(read.incoming.into_iter().map(|incoming| incoming.pat).collect())
}

/// The next line with its end; false at the end of the file.
fn next(input: &mut dyn BufRead, bytes: &mut Vec<u8>) -> io::Result<bool> {
    bytes.clear();
    io::Read::take(input, LINE_MAX).read_until(b'\n', bytes)?;
    Ok(!bytes.is_empty())
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    if u64::try_from(bytes.len()).is_ok_and(|len| len >= LINE_MAX) {
        return Err("this line is too long for a token".to_owned());
    }
    std::str::from_utf8(bytes)
        .map(str::trim)
        .map_err(|error| format!("byte {} is no UTF-8", error.valid_up_to() + 1))
}

/// Reads the header; how many tokens it announces, or `None` if it is none of ours.
fn header(bytes: &[u8], read: &mut Read) -> Option<u64> {
    let none = "the first line must be the header that `patdeck export` writes";
    let fields = text(bytes).ok().map(|text| Fields::parse(1, text));
    let Some(Ok(mut fields)) = fields else {
        read.fault(1, "", none);
        return None;
    };
    let kind = fields.text("kind", |kind| Ok(kind == KIND));
    if kind != Ok(true) {
        read.fault(1, "", none);
        return None;
    }
    let schema = fields.number("schema");
    if schema.is_ok_and(|schema| schema != u64::from(SCHEMA)) {
        read.fault(1, "schema", "a later patdeck wrote it: update patdeck");
        return None;
    }
    let store = fields.text("store", |text| {
        let is_id = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let good = is_id.then(|| text.to_owned());
        good.ok_or_else(|| "32 hexadecimal digits are expected".to_owned())
    });
    let total = fields.number("tokens");
    // For people, who want to know.
    let _ = fields.text("exported", |_| Ok(()));
    read.faults.extend(fields.done());
    read.store = store.unwrap_or_default();
    total.ok()
}

fn refused(mut faults: Vec<Fault>, args: &Import) -> Failure {
    faults.sort_by_key(|fault| fault.line);
    let path = args.file.to_string_lossy();
    for fault in faults.iter().take(TOLD) {
        let field =
            if fault.field.is_empty() { String::new() } else { format!(" {}:", fault.field) };
        let told = format!("{path}:{}:{field} {}", fault.line, fault.why);
        tell(&escape(&told));
    }
    let more = faults.len().saturating_sub(TOLD);
    let more = if more > 0 { format!("and {more} more; ") } else { String::new() };
    Failure::Told(
        Exit::Refused,
        format!("{more}nothing was imported: mend these lines, or see --on-conflict"),
    )
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::New => "new",
        Outcome::Replaced => "replaced",
        Outcome::Skipped => "skipped",
        Outcome::Unchanged => "unchanged",
    }
}

/// Prints each token of a dry run, and of an import those that are not simply new; then how
/// many of each kind there are.
fn tell_fates(
    incoming: &[Incoming],
    fates: &[Fate],
    args: &Import,
    out: &Output,
) -> Result<(), Failure> {
    for (one, fate) in incoming.iter().zip(fates) {
        let why: Vec<_> = fate.clashes.iter().map(Clash::why).collect();
        let (id, name) = (one.pat.id.as_str(), one.pat.name.as_str());
        if out.json {
            out.object(json!({
                "line": one.line,
                "id": id,
                "name": name,
                "outcome": word(fate.outcome),
                "conflicts": why,
            }))?;
            continue;
        }
        let text =
            format!("line {}: {name} ({id}) {} {}", one.line, word(fate.outcome), why.join("; "));
        let text = text.trim_end();
        if args.dry_run {
            out.line(&escape(text))?;
        } else if !why.is_empty() {
            tell(&escape(text));
        }
    }
    let count = |kind| fates.iter().filter(|fate| fate.outcome == kind).count();
    let counts = [Outcome::New, Outcome::Replaced, Outcome::Skipped, Outcome::Unchanged]
        .map(|kind| format!("{} {}", word(kind), count(kind)));
    let what = if args.dry_run { "would be" } else { "are" };
    tell(&format!("tokens {what} {}", counts.join(", ")));
    Ok(())
}
