//! `backup`: copies the store to a new file.

use std::path::PathBuf;

use serde_json::json;

use super::{
    exit::{CliError, Exit},
    help_footers, path_args,
    print::{Output, print_message, print_warning},
};
use crate::{
    domain::{counted, terminal_text::escape},
    output::advice::Diagnostic,
    service::{Service, ServiceError},
};

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help_footers::BACKUP)]
pub struct Backup {
    /// New file (mode 0600); an existing file is never overwritten
    #[arg(value_name = "FILE", value_parser = path_args::file())]
    pub file: PathBuf,
}

/// Copies the store, and prints what the copy contains.
pub(super) fn backup(service: &Service, args: &Backup, out: &Output) -> Result<Exit, CliError> {
    let done = service.backup(&args.file);
    let done = done.map_err(|error| match error {
        ServiceError::Store(error) => CliError::output_file(&error, &args.file),
        other => other.into(),
    })?;
    let path = args.file.to_string_lossy();
    for damage in &done.damaged {
        let message = format!("{damage} is damaged in the store and in the copy");
        print_warning(&Diagnostic::new(message));
    }
    if out.json {
        let damaged: Vec<_> = done.damaged.iter().map(ToString::to_string).collect();
        out.object(json!({
            "file": path,
            "tokens": done.tokens,
            "events": done.events,
            "damaged": damaged,
        }))?;
    } else {
        print_message(&format!(
            "Wrote {} and {} to {} (mode 0600)",
            counted(done.tokens, "token"),
            counted(done.events, "event"),
            escape(&path)
        ));
    }
    Ok(if done.damaged.is_empty() { Exit::Done } else { Exit::Store })
}
