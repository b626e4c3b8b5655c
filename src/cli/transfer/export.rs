//! Writing tokens down.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde_json::json;

use super::{Export, KIND, record};
use crate::{
    cli::{
        exit::{Exit, Failure},
        print::{Output, tell},
    },
    domain::Pat,
    json::{SCHEMA, text},
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
) -> Result<Exit, Failure> {
    let exported = service.export()?;
    if let Some(path) = &args.output {
        let written = new_file(path, |file| {
            let mut file = BufWriter::new(file);
            let written = write(&exported, &mut file).and_then(|()| file.get_ref().sync_all());
            written.map_err(|error| FileError::from(&error))
        });
        written.map_err(ServiceError::from)?;
        let (count, path) = (exported.pats.len(), path.to_string_lossy());
        if out.json {
            out.object(json!({ "file": path, "tokens": count }))?;
        } else {
            let path = crate::domain::text::escape(&path);
            tell(&format!("{path} is written, mode 0600: tokens {count}"));
        }
    } else {
        if io::stdout().is_terminal() {
            tell("this is what a store is moved with: send it to a file with --output");
        }
        write(&exported, &mut BufWriter::new(io::stdout().lock()))?;
    }
    for damage in &exported.damaged {
        tell(&format!("not exported: {damage} is damaged"));
    }
    Ok(if exported.damaged.is_empty() { Exit::Done } else { Exit::Store })
}

/// The line of an export that says `pat`: for the tests and fuzz targets that stand outside.
pub fn export_line(pat: &Pat) -> String {
    text(&record::written(pat))
}

fn write(exported: &Exported, to: &mut impl Write) -> io::Result<()> {
    let header = json!({
        "schema": SCHEMA,
        "kind": KIND,
        "store": exported.store,
        "exported": record::exact(exported.at),
        "tokens": exported.pats.len(),
    });
    writeln!(to, "{header}")?;
    for pat in &exported.pats {
        writeln!(to, "{}", export_line(pat))?;
    }
    to.flush()
}
