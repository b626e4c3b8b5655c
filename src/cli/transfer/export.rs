//! Writing tokens down.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Seek as _, Write},
};

use serde_json::json;

use super::{Export, KIND, record};
use crate::{
    cli::{
        exit::{CliError, Exit},
        print::{Output, print_message},
    },
    domain::Token,
    output::json::{SCHEMA, text},
    service::{
        Service, ServiceError,
        transfer::{Exported, FileError, new_file},
    },
};

/// Writes every token to a new file or to standard output.
pub(in crate::cli) fn export(
    service: &Service,
    args: &Export,
    out: &Output,
) -> Result<Exit, CliError> {
    // The header says how many there are, and who reads the output may take their time.
    let mut lines = BufWriter::with_capacity(1 << 18, service.scratch()?);
    let exported = service.export(|tokens| {
        tokens.iter().try_for_each(|token| writeln!(lines, "{}", export_line(token)))
    })?;
    let lines = lines.into_inner().map_err(io::IntoInnerError::into_error)?;
    if let Some(path) = &args.output {
        let written = new_file(path, |mut file| {
            let written = write(&exported, lines, &mut file).and_then(|()| file.sync_all());
            written.map_err(|error| FileError::from(&error))
        });
        written.map_err(ServiceError::from)?;
        let (count, path) = (exported.tokens, path.to_string_lossy());
        if out.json {
            out.object(json!({ "file": path, "tokens": count }))?;
        } else {
            let path = crate::domain::terminal_text::escape(&path);
            print_message(&format!("{path} is written, mode 0600: tokens {count}"));
        }
    } else {
        if io::stdout().is_terminal() {
            print_message("this is what a store is moved with: send it to a file with --output");
        }
        write(&exported, lines, &mut io::stdout().lock())?;
    }
    for damage in &exported.damaged {
        print_message(&format!(
            "not exported: {damage} is damaged, restore a backup or delete this record"
        ));
    }
    Ok(if exported.damaged.is_empty() { Exit::Done } else { Exit::Store })
}

/// The line of an export that says `pat`: for the tests and fuzz targets that stand outside.
pub fn export_line(token: &Token) -> String {
    text(&record::written(token))
}

fn write(exported: &Exported, mut lines: File, to: &mut impl Write) -> io::Result<()> {
    let header = json!({
        "schema": SCHEMA,
        "kind": KIND,
        "store": exported.store,
        "exported": record::exact(exported.at),
        "tokens": exported.tokens,
    });
    writeln!(to, "{header}")?;
    lines.rewind()?;
    io::copy(&mut lines, to)?;
    to.flush()
}
