//! `hooks`: lists the hooks of the config and the runs that wait, runs those, or discards those of one
//! hook. [`run_after_change`] runs hooks after a command that changes the store; it prints failures,
//! and never changes the exit code of the command. The library's `run` calls it.

use serde_json::json;

use super::{
    completers,
    exit::{CliError, Exit},
    print::{Output, print_message, print_warning},
};
use crate::{
    domain::{Hook, counted},
    output::{
        advice,
        json::{format_time, hook_json, hook_run_json},
    },
    service::{HookSelection, HookSummary, Service, StoredHookRun},
};

/// Maximum number of runs that the table shows.
const MAX_SHOWN: usize = 50;

const HELP: &str = "\
Examples:
  patdeck hooks
  patdeck hooks run
  patdeck hooks discard close-connections

A hook is a program that runs after changes, see [[hook]] in the config. The change queues its runs, \
so that no crash loses one: the command that made the change runs them after it has printed its \
result. What is left, because that command was killed, runs with the next change. A run that failed \
stays until `hooks run` runs it with success, or `hooks discard` removes it. A crash can cause a second \
run. Each outcome is in the audit trail.

Exit codes:
  0 success   1 nothing to discard   4 store error   5 a run has failed";

const RUN_HELP: &str = "\
Example:
  patdeck hooks run

Exit 0, 4 if the store cannot be used, 5 if a run failed; its reason is printed.";

const DISCARD_HELP: &str = "\
Example:
  patdeck hooks discard close-connections

Exit 0, 1 if no run of this hook waits. A run that another process has started ends as usual.";

/// Arguments of `hooks`.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct HooksArgs {
    /// What to do; if omitted, lists the hooks of the config and the runs that wait
    #[command(subcommand)]
    pub command: Option<HooksSubcommand>,
}

/// The commands of `hooks`.
#[derive(Debug, clap::Subcommand)]
pub enum HooksSubcommand {
    /// Run the hooks that wait, also those that failed before; exit 5 if one fails
    #[command(after_help = RUN_HELP)]
    Run,
    /// Remove the runs of a hook that wait, without running them
    #[command(after_help = DISCARD_HELP)]
    Discard {
        /// Name of the hook; it need not be in the config
        #[arg(add = completers::hooks_with_runs())]
        hook: String,
    },
}

pub(super) fn hooks(service: &Service, args: &HooksArgs, out: &Output) -> Result<Exit, CliError> {
    match &args.command {
        None => list(service, out),
        Some(HooksSubcommand::Run) => run(service, out),
        Some(HooksSubcommand::Discard { hook }) => discard(service, hook, out),
    }
}

/// Runs the hooks after a change. Prints a warning for each failure.
pub fn run_after_change(service: &Service) {
    let selection = HookSelection::New;
    print_failures(&service.run_hooks(selection), selection);
}

fn list(service: &Service, out: &Output) -> Result<Exit, CliError> {
    let runs = service.hook_runs()?;
    if out.json {
        let hooks: Vec<_> = service.hooks().iter().map(hook_json).collect();
        let waiting: Vec<_> = runs.iter().map(hook_run_json).collect();
        out.object(json!({ "hooks": hooks, "waiting": waiting }))?;
        return Ok(Exit::Done);
    }
    if service.hooks().is_empty() {
        print_message("The config has no hooks");
    } else {
        let rows: Vec<_> = service.hooks().iter().map(hook_row).collect();
        out.table(["HOOK", "AFTER", "TIMEOUT", "COMMAND"], &rows)?;
    }
    if !runs.is_empty() {
        out.line("")?;
        let rows: Vec<_> = runs.iter().take(MAX_SHOWN).map(run_row).collect();
        out.table(["HOOK", "EVENT", "ACTION", "TOKEN", "STATE"], &rows)?;
        let more = runs.len().saturating_sub(MAX_SHOWN);
        if more > 0 {
            print_message(&format!("and {}; --json prints all", counted(more, "more run")));
        }
    }
    Ok(Exit::Done)
}

fn hook_row(hook: &Hook) -> [String; 4] {
    let actions: Vec<_> = hook.actions().iter().map(|action| action.verb()).collect();
    let timeout = format!("{}s", hook.timeout().as_secs());
    let command: Vec<_> = hook.command().collect();
    [hook.name().to_owned(), actions.join(","), timeout, command.join(" ")]
}

fn run_row(stored: &StoredHookRun) -> [String; 5] {
    let run = &stored.run;
    let state = match &run.failure {
        Some(failure) => {
            let (state, at) = (stored.state.as_str(), format_time(failure.at));
            format!("{state}: {} at {at}, attempt {}", failure.reason, failure.attempts)
        }
        None => stored.state.as_str().to_owned(),
    };
    let (event, action) = (run.event.to_string(), run.action.verb().to_owned());
    [run.hook.clone(), event, action, run.name.clone(), state]
}

fn run(service: &Service, out: &Output) -> Result<Exit, CliError> {
    let selection = HookSelection::All;
    let mut summary = service.run_hooks(selection);
    if let Some(error) = summary.error.take() {
        print_failures(&summary, selection);
        return Err(CliError::from(error));
    }
    print_failures(&summary, selection);
    let HookSummary { succeeded, failed, .. } = summary;
    if out.json {
        out.result(json!({ "succeeded": succeeded, "failed": failed }))?;
    } else if succeeded + failed == 0 {
        print_message("No hook waits");
    } else {
        let runs = counted(succeeded + failed, "run");
        print_message(&format!("Ended {runs}: {succeeded} succeeded, {failed} failed"));
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Incomplete })
}

fn discard(service: &Service, hook: &str, out: &Output) -> Result<Exit, CliError> {
    let count = service.discard_hook_runs(hook)?;
    if out.json {
        out.result(json!({ "discarded": count }))?;
    } else {
        print_message(&format!("Discarded {} of {hook}", counted(count, "run")));
    }
    Ok(if count == 0 { Exit::No } else { Exit::Done })
}

fn print_failures(summary: &HookSummary, selection: HookSelection) {
    for warning in advice::hook_warnings(summary, selection) {
        print_warning(&warning);
    }
}
