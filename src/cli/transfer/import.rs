//! `import`: reads an export, reports its faults and conflicts, imports the tokens, and prints what
//! happened to each. Up to 5,000 tokens are imported all or none, more are saved in batches.

use std::{fs::File, io, ops::ControlFlow, sync::Arc};

use serde_json::json;

use super::{
    ConflictChoice, Import,
    import_file::{ImportFile, ensure_rereadable},
    progress::Progress,
};
use crate::{
    cli::{
        exit::{CliError, Exit},
        input_file::open_input,
        open_stdin,
        path_args::is_dash,
        print::{Output, is_output_closed, print_message},
    },
    domain::{counted, grouped, terminal_text::escape},
    service::{
        InputSensitivity, Service,
        import::{
            Conflict, ImportError, ImportFaults, ImportRow, ImportSource, OnConflict, RowOutcome,
            RowPlan, RowPlans,
        },
    },
};

/// Imports, or with `--dry-run` prints what an import would do.
pub(in crate::cli) fn import(
    service: &Service,
    args: &Import,
    out: &Output,
) -> Result<Exit, CliError> {
    let on_conflict = match args.on_conflict {
        ConflictChoice::Skip => OnConflict::Skip,
        ConflictChoice::Replace => OnConflict::Replace { is_confirmed: args.yes },
        ConflictChoice::Fail => OnConflict::Fail,
    };
    let read_error = |error: io::Error| import_error(ImportError::Source(error), args);
    if !args.dry_run {
        service.store_pending_endings()?;
    }
    let file = ensure_rereadable(service, open_source(args)?).map_err(read_error)?;
    let lines = ImportFile::open(file).map_err(read_error)?.map_err(|header_faults| {
        let mut faults = ImportFaults::default();
        faults.extend(header_faults);
        print_faults(&faults, args)
    })?;
    let (read, written) = (Arc::default(), Arc::default());
    let total = lines.declared_count();
    let progress = Progress::new("Reading", &read, total);
    let import = service
        .prepare_import(&lines, on_conflict, &read)
        .map_err(|error| import_error(error, args))?;
    drop(progress);
    let actions = if args.dry_run {
        import.dry_run()
    } else {
        let _progress = Progress::new("Importing", &written, total);
        import.commit(&written)
    };
    let actions = actions.map_err(|error| import_error(error, args))?;
    report_actions(&lines, &actions, args, out)?;
    match actions.refused() {
        0 => Ok(Exit::Done),
        refused => Err(CliError::new(
            Exit::Incomplete,
            format!(
                "skipped {} because of conflicts that arose during the import",
                counted(refused, "token")
            ),
        )
        .with_hint("look at these tokens, then run the same import again")),
    }
}

/// Opens standard input or the file. Returns an error if other users can change the file.
fn open_source(args: &Import) -> Result<File, CliError> {
    if is_dash(&args.file) {
        return open_stdin().map_err(|error| import_error(error.into(), args));
    }
    open_input(&args.file, InputSensitivity::Content, |error| import_error(error.into(), args))
}

fn import_error(error: ImportError, args: &Import) -> CliError {
    match error {
        ImportError::Service(error) => error.into(),
        ImportError::InvalidLines(faults) => print_faults(&faults, args),
        ImportError::Interrupted { cause, done, total } => {
            let cause = import_error(*cause, args).diagnostic;
            CliError::new(
                Exit::Incomplete,
                format!("{cause}; {} of {} are saved", grouped(done), counted(total, "token")),
            )
            .with_hint("run the same import again: it continues where it stopped")
        }
        ImportError::Source(error) => {
            let path = args.file.to_string_lossy();
            CliError::usage(format!("cannot read {} ({error})", escape(&path)))
                .with_hint("check that the file exists, is readable and is not being changed")
        }
    }
}

/// Returns the tokens of the export `text`, or its faults, for tests and fuzz targets outside the
/// crate.
#[cfg(any(test, feature = "testing"))]
pub fn import_text(
    text: Vec<u8>,
) -> Result<Vec<crate::domain::Token>, Vec<crate::service::import::LineFault>> {
    // Reading from memory cannot fail.
    let read_error = |_| Vec::new();
    let lines = ImportFile::open(io::Cursor::new(text)).map_err(read_error)??;
    let (mut tokens, mut faults) = (Vec::new(), Vec::new());
    let each = lines.for_each_batch(
        |batch| batch,
        |batch| {
            tokens.extend(batch.rows.into_iter().map(|row| row.token));
            faults.extend(batch.faults);
            ControlFlow::Continue(())
        },
    );
    each.map_err(read_error)?;
    if !faults.is_empty() {
        return Err(faults);
    }
    lines.check_complete(tokens.len()).map(|()| tokens).map_err(|fault| vec![fault])
}

/// Prints the first faults, and returns the error that ends the import.
fn print_faults(faults: &ImportFaults, args: &Import) -> CliError {
    let path = args.file.to_string_lossy();
    for fault in faults.first() {
        let field =
            if fault.field.is_empty() { String::new() } else { format!(" {}:", fault.field) };
        let line = format!("{path}:{}:{field} {}", fault.line, fault.reason);
        print_message(&escape(&line));
    }
    let message = match faults.count() - faults.first().len() {
        0 => "nothing imported".to_owned(),
        more => format!("nothing imported; {} not shown", counted(more, "more fault")),
    };
    let hint = match args.on_conflict {
        // A fault of the header, or the file is cut: its header has the number of its lines.
        _ if faults.first().iter().all(|fault| fault.line == 1) => {
            "use the complete output of `patdeck export`"
        }
        ConflictChoice::Replace if !args.yes => {
            "fix these lines; --yes permits replacements that widen access"
        }
        _ => "fix these lines, or see --on-conflict",
    };
    CliError::new(Exit::Refused, message).with_hint(hint)
}

/// Prints the action on each token (without `--dry-run` only the conflicts), then the counts.
fn report_actions(
    lines: &impl ImportSource,
    actions: &RowPlans,
    args: &Import,
    out: &Output,
) -> Result<(), CliError> {
    if out.json || args.dry_run || actions.has_conflicts() {
        let (mut remaining, mut printed) = (actions.iter(), Ok(()));
        let reread = lines.for_each_batch(
            |batch| batch,
            |batch| {
                let mut tokens = batch.rows.iter().zip(&mut remaining);
                printed =
                    tokens.try_for_each(|(row, action)| report_action(row, &action, args, out));
                let goes_on = printed.is_ok() && !is_output_closed();
                if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
        );
        printed?;
        reread.map_err(|error| import_error(error.into(), args))?;
    }
    let verb = if args.dry_run { "Would import" } else { "Imported" };
    let count = |outcome| actions.count(outcome);
    let wider = match actions.widened() {
        0 => String::new(),
        wider => format!(", {} of them with wider access", grouped(wider)),
    };
    print_message(&format!(
        "{verb} {} ({} replaced{wider}, {} skipped, {} unchanged)",
        counted(count(RowOutcome::New), "new token"),
        grouped(count(RowOutcome::Replaced)),
        grouped(count(RowOutcome::Skipped)),
        grouped(count(RowOutcome::Unchanged)),
    ));
    Ok(())
}

fn report_action(
    row: &ImportRow,
    action: &RowPlan,
    args: &Import,
    out: &Output,
) -> Result<(), CliError> {
    let conflicts: Vec<_> = action.conflicts.iter().map(Conflict::describe).collect();
    let (id, name) = (row.token.id.as_str(), row.token.name.as_str());
    if out.json {
        let value = json!({
            "line": row.line,
            "id": id,
            "name": name,
            "outcome": action.outcome.as_str(),
            "conflicts": conflicts,
        });
        return if args.dry_run { Ok(out.object(value)?) } else { out.result(value) };
    }
    let text = format!(
        "line {}: {name} ({id}) {} {}",
        row.line,
        action.outcome.as_str(),
        conflicts.join("; ")
    );
    let text = text.trim_end();
    if args.dry_run {
        out.line(&escape(text))?;
    } else if !conflicts.is_empty() {
        print_message(&escape(text));
    }
    Ok(())
}
