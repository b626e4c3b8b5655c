//! `doctor --repair`: lists the repairs, asks for confirmation, keeps a copy of the store, and
//! makes the repairs.

use serde_json::json;

use crate::{
    cli::{
        exit::{CliError, Exit},
        print::{Output, print_message},
        prompt,
    },
    domain::{counted, terminal_text::escape},
    service::Service,
};

/// Repairs the store after a confirmation, which `yes` skips.
pub(in crate::cli) fn repair(service: &Service, yes: bool, out: &Output) -> Result<Exit, CliError> {
    let planned = service.find_repairs()?;
    if planned.is_empty() {
        if out.json {
            out.object(json!({ "repairs": [] }))?;
        } else {
            print_message("Nothing to repair");
        }
        return Ok(Exit::Done);
    }
    let lines: Vec<_> = planned.iter().map(ToString::to_string).collect();
    if !yes {
        let count = counted(planned.len(), "repair");
        prompt::ask(&lines, &format!("Make {count}?"), "repair", "repair")?;
    }
    let (copy, made) = service.repair()?;
    if out.json {
        let made: Vec<_> = made.iter().map(ToString::to_string).collect();
        out.result(json!({ "repairs": made, "copy": copy }))?;
        return Ok(Exit::Done);
    }
    for repair in &made {
        print_message(&format!("Done: {repair}"));
    }
    if let Some(copy) = copy {
        let copy = copy.to_string_lossy();
        print_message(&format!("Wrote a copy of the unrepaired store to {}", escape(&copy)));
    }
    Ok(Exit::Done)
}
