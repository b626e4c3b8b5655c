//! Taking tokens in: what is wrong is named at once, what happened to whom afterwards.

use std::{fs::File, io, ops::ControlFlow, sync::Arc};

use serde_json::json;

use super::{
    ConflictChoice, Import,
    lines::{Lines, at_hand},
    progress::Progress,
};
use crate::{
    cli::{
        exit::{CliError, Exit},
        handed,
        print::{Output, print_message},
        standard_input,
    },
    domain::terminal_text::escape,
    service::{
        InputTrust, Service,
        import::{
            Conflict, ImportAction, ImportActions, ImportError, ImportOutcome, ImportRow,
            ImportSource, LineFaults, OnConflict,
        },
    },
};

/// Imports, or says what an import would do.
pub(in crate::cli) fn import(
    service: &Service,
    args: &Import,
    out: &Output,
) -> Result<Exit, CliError> {
    let on_conflict = match args.on_conflict {
        ConflictChoice::Skip => OnConflict::Skip,
        ConflictChoice::Replace => OnConflict::Replace { reactivate: args.yes },
        ConflictChoice::Fail => OnConflict::Fail,
    };
    let unread = |error: io::Error| failed(ImportError::Source(error), args);
    let file = at_hand(service, opened(args)?).map_err(unread)?;
    let lines = Lines::of(file).map_err(unread)?.map_err(|header| {
        let mut faults = LineFaults::default();
        faults.extend(header);
        refused(&faults, args)
    })?;
    let (read, written) = (Arc::default(), Arc::default());
    let total = lines.declared_count();
    let shown = Progress::new("read", &read, total);
    let import =
        service.prepare_import(&lines, on_conflict, &read).map_err(|error| failed(error, args))?;
    drop(shown);
    let actions = if args.dry_run {
        import.dry_run()
    } else {
        let _shown = Progress::new("imported", &written, total);
        import.commit(&written)
    };
    let actions = actions.map_err(|error| failed(error, args))?;
    report_actions(&lines, &actions, args, out)?;
    Ok(Exit::Done)
}

fn opened(args: &Import) -> Result<File, CliError> {
    if args.file.as_os_str() == "-" {
        return standard_input().map_err(|error| failed(error.into(), args));
    }
    let file = File::open(&args.file).map_err(|error| failed(error.into(), args))?;
    handed(&file, &args.file, InputTrust::Content)?;
    Ok(file)
}

fn failed(error: ImportError, args: &Import) -> CliError {
    match error {
        ImportError::Service(error) => error.into(),
        ImportError::Lines(faults) => refused(&faults, args),
        ImportError::Source(error) => {
            let path = args.file.to_string_lossy();
            CliError::usage(format!(
                "{} cannot be read ({error}): see that it is there, yours to read, and left alone",
                escape(&path)
            ))
        }
    }
}

/// The tokens of the export `text`, or what is wrong with it: for the tests and fuzz targets that
/// stand outside.
#[cfg(any(test, feature = "testing"))]
pub fn import_text(
    text: Vec<u8>,
) -> Result<Vec<crate::domain::Token>, Vec<crate::service::import::LineFault>> {
    // A text is always there to be read.
    let unread = |_| Vec::new();
    let lines = Lines::of(io::Cursor::new(text)).map_err(unread)??;
    let (mut tokens, mut faults) = (Vec::new(), Vec::new());
    let each = lines.for_each_batch(
        |batch| batch,
        |batch| {
            tokens.extend(batch.rows.into_iter().map(|row| row.token));
            faults.extend(batch.faults);
            ControlFlow::Continue(())
        },
    );
    each.map_err(unread)?;
    if !faults.is_empty() {
        return Err(faults);
    }
    lines.check_complete(tokens.len()).map(|()| tokens).map_err(|fault| vec![fault])
}

fn refused(faults: &LineFaults, args: &Import) -> CliError {
    let path = args.file.to_string_lossy();
    for fault in faults.first() {
        let field =
            if fault.field.is_empty() { String::new() } else { format!(" {}:", fault.field) };
        let told = format!("{path}:{}:{field} {}", fault.line, fault.why);
        print_message(&escape(&told));
    }
    let more = match faults.count() - faults.first().len() {
        0 => String::new(),
        more => format!("and {more} more; "),
    };
    CliError::Exit(
        Exit::Refused,
        format!("{more}nothing was imported: mend these lines, or see --on-conflict"),
    )
}

/// Prints each token of a dry run, and of an import those that are not simply new; then how
/// many of each kind there are.
fn report_actions(
    lines: &impl ImportSource,
    actions: &ImportActions,
    args: &Import,
    out: &Output,
) -> Result<(), CliError> {
    if out.json || args.dry_run || actions.has_conflicts() {
        let (mut each, mut told) = (actions.iter(), Ok(()));
        let again = lines.for_each_batch(
            |batch| batch,
            |batch| {
                let mut tokens = batch.rows.iter().zip(&mut each);
                told = tokens.try_for_each(|(row, action)| report_action(row, &action, args, out));
                if told.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
        );
        told?;
        again.map_err(|error| failed(error.into(), args))?;
    }
    let counts = ImportOutcome::ALL.map(|it| format!("{} {}", it.as_str(), actions.count(it)));
    let what = if args.dry_run { "would be" } else { "are" };
    print_message(&format!("tokens {what} {}", counts.join(", ")));
    Ok(())
}

fn report_action(
    row: &ImportRow,
    action: &ImportAction,
    args: &Import,
    out: &Output,
) -> Result<(), CliError> {
    let why: Vec<_> = action.conflicts.iter().map(Conflict::describe).collect();
    let (id, name) = (row.token.id.as_str(), row.token.name.as_str());
    if out.json {
        return Ok(out.object(json!({
            "line": row.line,
            "id": id,
            "name": name,
            "outcome": action.outcome.as_str(),
            "conflicts": why,
        }))?);
    }
    let text =
        format!("line {}: {name} ({id}) {} {}", row.line, action.outcome.as_str(), why.join("; "));
    let text = text.trim_end();
    if args.dry_run {
        out.line(&escape(text))?;
    } else if !why.is_empty() {
        print_message(&escape(text));
    }
    Ok(())
}
