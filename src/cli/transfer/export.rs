//! `export`: writes a header and one line per token to a new file or to standard output. The lines
//! go to a scratch file first, because the header contains their number.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Seek as _, Write},
};

use serde_json::json;

use super::{Export, KIND, record};
use crate::{
    cli::{
        exit::{CliError, Exit},
        path_args::is_dash,
        print::{Output, ok_if_closed, print_hint, print_message, print_warning},
    },
    domain::{Token, counted},
    output::{
        advice::Diagnostic,
        json::{SCHEMA_VERSION, to_line},
    },
    service::{
        Service,
        export_and_backup::{ExportSummary, FileError, create_output_file},
    },
};

/// Exports all tokens. Damaged tokens are reported and left out, and the exit code is then 4.
pub(in crate::cli) fn export(
    service: &Service,
    args: &Export,
    out: &Output,
) -> Result<Exit, CliError> {
    // The scratch file keeps the read transaction short if the reader of the output is slow.
    let mut lines = BufWriter::with_capacity(1 << 18, service.scratch_file()?);
    let exported = service.export(|tokens| {
        tokens.iter().try_for_each(|token| writeln!(lines, "{}", export_line(token)))
    })?;
    let lines = lines.into_inner().map_err(io::IntoInnerError::into_error)?;
    if let Some(path) = args.output.as_deref().filter(|path| !is_dash(path)) {
        let written = create_output_file(path, |mut file| {
            let written = write_export(&exported, lines, &mut file).and_then(|()| file.sync_all());
            written.map_err(|error| FileError::from(&error))
        });
        written.map_err(|error| CliError::output_file(&error, path))?;
        let (count, path) = (exported.tokens, path.to_string_lossy());
        if out.json {
            out.result(json!({ "file": path, "tokens": count }))?;
        } else {
            let path = crate::domain::terminal_text::escape(&path);
            print_message(&format!("Wrote {} to {path} (mode 0600)", counted(count, "token")));
        }
    } else {
        if io::stdout().is_terminal() {
            print_hint("write the export to a file with --output FILE");
        }
        ok_if_closed(write_export(&exported, lines, &mut io::stdout().lock()))?;
    }
    for damage in &exported.damaged {
        let message = format!("{damage} is damaged and was not exported");
        let hint = "restore a backup, or delete this record";
        print_warning(&Diagnostic::new(message).with_hint(hint));
    }
    Ok(if exported.damaged.is_empty() { Exit::Done } else { Exit::Store })
}

/// Returns the line of an export for `token`, for tests and fuzz targets outside the crate.
pub fn export_line(token: &Token) -> String {
    crate::cli::print::printable_json(to_line(&record::to_value(token)))
}

fn write_export(exported: &ExportSummary, mut lines: File, to: &mut impl Write) -> io::Result<()> {
    let header = json!({
        "schema": SCHEMA_VERSION,
        "kind": KIND,
        "store": exported.store,
        "exported": record::nanos_text(exported.at),
        "tokens": exported.tokens,
    });
    writeln!(to, "{header}")?;
    lines.rewind()?;
    io::copy(&mut lines, to)?;
    to.flush()
}
