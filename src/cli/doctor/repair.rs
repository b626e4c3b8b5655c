//! `doctor --repair`: lists the repairs and the interrupted jobs, asks for confirmation, keeps a copy
//! of the store before a repair, makes the repairs and finishes the jobs.

use serde_json::json;

use crate::{
    cli::{
        exit::{CliError, Exit},
        print::{Output, print_message},
        prompt,
    },
    domain::{counted, plan::is_confirmed_by, terminal_text::escape},
    output::advice,
    service::Service,
};

/// Repairs the store after a confirmation, which `yes` skips.
pub(in crate::cli) fn repair(service: &Service, yes: bool, out: &Output) -> Result<Exit, CliError> {
    let planned = service.find_repairs()?;
    let mut jobs = service.jobs()?;
    jobs.retain(|stored| !stored.is_running);
    if planned.is_empty() && jobs.is_empty() {
        if out.json {
            out.object(json!({ "repairs": [] }))?;
        } else {
            print_message("Nothing to repair");
        }
        return Ok(Exit::Done);
    }
    let job_lines = jobs.iter().map(|stored| advice::job_repair(&stored.job));
    let lines: Vec<_> = planned.iter().map(ToString::to_string).chain(job_lines).collect();
    if !yes {
        let count = counted(lines.len(), "repair");
        prompt::ask(&lines, &format!("Make {count}?"), "repair", |answer| {
            is_confirmed_by("repair", answer)
        })?;
    }
    let (copy, made) = if planned.is_empty() { (None, Vec::new()) } else { service.repair()? };
    let mut made: Vec<_> = made.iter().map(ToString::to_string).collect();
    for stored in &jobs {
        service.finish_job(stored.number)?;
        made.push(advice::job_repair(&stored.job));
    }
    if out.json {
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
