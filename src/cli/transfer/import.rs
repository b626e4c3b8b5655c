//! Taking tokens in: what is wrong is named at once, what happened to whom afterwards.

use std::{fs::File, io, ops::ControlFlow, sync::Arc};

use serde_json::json;

use super::{
    Conflict, Import,
    lines::{Lines, at_hand},
    progress::Progress,
};
use crate::{
    cli::{
        exit::{Exit, Failure},
        handed,
        print::{Output, tell},
        standard_input,
    },
    domain::{Pat, text::escape},
    service::{
        Handed, Service,
        transfer::{
            Clash, Coming, Fate, Fates, Fault, Faults, ImportError, Incoming, OnConflict, Outcome,
        },
    },
};

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
    let unread = |error: io::Error| failed(ImportError::Unread(error), args);
    let file = at_hand(service, opened(args)?).map_err(unread)?;
    let lines = Lines::of(file).map_err(unread)?.map_err(|header| {
        let mut faults = Faults::default();
        faults.extend(header);
        refused(&faults, args)
    })?;
    let (read, written) = (Arc::default(), Arc::default());
    let total = lines.announced();
    let shown = Progress::new("read", &read, total);
    let import =
        service.prepare(&lines, on_conflict, &read).map_err(|error| failed(error, args))?;
    drop(shown);
    let fates = if args.dry_run {
        import.foresee()
    } else {
        let _shown = Progress::new("imported", &written, total);
        import.perform(&written)
    };
    let fates = fates.map_err(|error| failed(error, args))?;
    tell_fates(&lines, &fates, args, out)?;
    Ok(Exit::Done)
}

fn opened(args: &Import) -> Result<File, Failure> {
    if args.file.as_os_str() == "-" {
        return standard_input().map_err(|error| failed(error.into(), args));
    }
    let file = File::open(&args.file).map_err(|error| failed(error.into(), args))?;
    handed(&file, &args.file, Handed::Content)?;
    Ok(file)
}

fn failed(error: ImportError, args: &Import) -> Failure {
    match error {
        ImportError::Service(error) => error.into(),
        ImportError::Faults(faults) => refused(&faults, args),
        ImportError::Unread(error) => {
            let path = args.file.to_string_lossy();
            Failure::usage(format!(
                "{} cannot be read ({error}): see that it is there, yours to read, and left alone",
                escape(&path)
            ))
        }
    }
}

/// The tokens of the export `text`, or what is wrong with it: for the tests and fuzz targets that
/// stand outside.
pub fn import_text(text: Vec<u8>) -> Result<Vec<Pat>, Vec<Fault>> {
    // A text is always there to be read.
    let unread = |_| Vec::new();
    let lines = Lines::of(io::Cursor::new(text)).map_err(unread)??;
    let (mut pats, mut faults) = (Vec::new(), Vec::new());
    let each = lines.each(
        |part| part,
        |part| {
            pats.extend(part.incoming.into_iter().map(|incoming| incoming.pat));
            faults.extend(part.faults);
            ControlFlow::Continue(())
        },
    );
    each.map_err(unread)?;
    if !faults.is_empty() {
        return Err(faults);
    }
    lines.whole(pats.len()).map(|()| pats).map_err(|fault| vec![fault])
}

fn refused(faults: &Faults, args: &Import) -> Failure {
    let path = args.file.to_string_lossy();
    for fault in faults.first() {
        let field =
            if fault.field.is_empty() { String::new() } else { format!(" {}:", fault.field) };
        let told = format!("{path}:{}:{field} {}", fault.line, fault.why);
        tell(&escape(&told));
    }
    let more = match faults.more() {
        0 => String::new(),
        more => format!("and {more} more; "),
    };
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
    lines: &impl Coming,
    fates: &Fates,
    args: &Import,
    out: &Output,
) -> Result<(), Failure> {
    if out.json || args.dry_run || !fates.are_smooth() {
        let (mut each, mut told) = (fates.iter(), Ok(()));
        let again = lines.each(
            |part| part,
            |part| {
                let mut tokens = part.incoming.iter().zip(&mut each);
                told = tokens.try_for_each(|(one, fate)| tell_fate(one, &fate, args, out));
                if told.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
        );
        told?;
        again.map_err(|error| failed(error.into(), args))?;
    }
    let counts = [Outcome::New, Outcome::Replaced, Outcome::Skipped, Outcome::Unchanged]
        .map(|kind| format!("{} {}", word(kind), fates.count(kind)));
    let what = if args.dry_run { "would be" } else { "are" };
    tell(&format!("tokens {what} {}", counts.join(", ")));
    Ok(())
}

fn tell_fate(one: &Incoming, fate: &Fate, args: &Import, out: &Output) -> Result<(), Failure> {
    let why: Vec<_> = fate.clashes.iter().map(Clash::why).collect();
    let (id, name) = (one.pat.id.as_str(), one.pat.name.as_str());
    if out.json {
        return Ok(out.object(json!({
            "line": one.line,
            "id": id,
            "name": name,
            "outcome": word(fate.outcome),
            "conflicts": why,
        }))?);
    }
    let text =
        format!("line {}: {name} ({id}) {} {}", one.line, word(fate.outcome), why.join("; "));
    let text = text.trim_end();
    if args.dry_run {
        out.line(&escape(text))?;
    } else if !why.is_empty() {
        tell(&escape(text));
    }
    Ok(())
}
