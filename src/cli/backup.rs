//! `backup`: a copy of the store in a new file.

use std::path::PathBuf;

use serde_json::json;

use super::{
    examples,
    exit::{CliError, Exit},
    print::{Output, print_message},
};
use crate::{domain::terminal_text::escape, service::Service};

/// Where the copy goes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::BACKUP)]
pub struct Backup {
    /// The new file (mode 0600); an existing one is refused
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Copies, and says what the copy holds.
pub(super) fn backup(service: &Service, args: &Backup, out: &Output) -> Result<Exit, CliError> {
    let done = service.backup(&args.file)?;
    let path = args.file.to_string_lossy();
    for damage in &done.damaged {
        print_message(&format!("{damage} is damaged in the store, and so in the copy"));
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
            "{} is written, mode 0600: tokens {}, events {}",
            escape(&path),
            done.tokens,
            done.events
        ));
    }
    Ok(if done.damaged.is_empty() { Exit::Done } else { Exit::Store })
}
