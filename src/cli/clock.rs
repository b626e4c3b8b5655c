//! `clock`: shows the clock and the time that decides expiry. `clock accept` accepts the clock
//! after it ran ahead and was set back. The rules are in the plan of [`Command::AcceptClock`].

use serde_json::json;

use super::{
    exit::{CliError, Exit},
    help_footers,
    print::{Output, print_message},
    prompt::confirm,
};
use crate::{
    domain::Command,
    output::json::format_time,
    service::{ClockReport, Service},
};

/// Arguments of `clock`.
#[derive(Debug, clap::Args)]
#[command(after_help = help_footers::CLOCK)]
pub struct ClockArgs {
    /// What to do; if omitted, shows the clock and the newest time in the store
    #[command(subcommand)]
    pub command: Option<ClockSubcommand>,
}

/// The commands of `clock`.
#[derive(Debug, clap::Subcommand)]
pub enum ClockSubcommand {
    /// Let the clock decide again when tokens expire, after it ran ahead and was set back
    #[command(after_help = help_footers::CLOCK)]
    Accept {
        /// Skip the confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// Shows the times, or accepts the clock.
pub(super) fn clock(service: &Service, args: &ClockArgs, out: &Output) -> Result<Exit, CliError> {
    match args.command {
        Some(ClockSubcommand::Accept { yes }) => accept(service, yes, out),
        None => show(&service.clock_report()?, out),
    }
}

fn accept(service: &Service, yes: bool, out: &Output) -> Result<Exit, CliError> {
    let plan = service.preview(&Command::AcceptClock)?;
    confirm(&plan, yes)?;
    let is_accepted = !plan.changes.is_empty()
        && !service.execute(&Command::AcceptClock, &plan.confirm())?.plan.changes.is_empty();
    if out.json {
        out.result(json!({ "accepted": is_accepted, "clock": format_time(service.now()?) }))?;
    } else if is_accepted {
        print_message("Accepted the clock: tokens expire by this clock again");
    } else {
        print_message(
            "The clock is not behind the newest time in the store; there is nothing to accept",
        );
    }
    Ok(Exit::Done)
}

/// Prints the report. The exit code is 1 if the clock is behind.
fn show(report: &ClockReport, out: &Output) -> Result<Exit, CliError> {
    let ClockReport { clock, denial, recorded, behind, effects } = report;
    let exit = if behind.is_some() { Exit::No } else { Exit::Done };
    if out.json {
        let ids = |tokens: &[(crate::domain::TokenId, _)]| -> Vec<String> {
            tokens.iter().map(|(id, _): &(_, crate::domain::Name)| id.to_string()).collect()
        };
        out.object(json!({
            "clock": format_time(*clock),
            "denial": format_time(*denial),
            "newest_event": recorded.newest_event.map(format_time),
            "newest_use": recorded.newest_use.map(format_time),
            "behind": behind.is_some(),
            "expired_early": ids(&effects.reactivated),
            "issued_in_future": ids(&effects.issued_in_future),
            "beyond_maximum": ids(&effects.beyond_maximum),
        }))?;
        return Ok(exit);
    }
    let time = |at: Option<_>| at.map_or_else(|| "none".to_owned(), format_time);
    let count = |tokens: &[_]| tokens.len().to_string();
    let rows = [
        ["time of this clock, at which secrets are issued".to_owned(), format_time(*clock)],
        ["time used for expiry".to_owned(), format_time(*denial)],
        ["newest event in the store".to_owned(), time(recorded.newest_event)],
        ["newest use in the store".to_owned(), time(recorded.newest_use)],
        [
            "tokens that expired by the newest time in the store".to_owned(),
            count(&effects.reactivated),
        ],
        ["tokens issued in the future".to_owned(), count(&effects.issued_in_future)],
        ["tokens beyond lifetime.max".to_owned(), count(&effects.beyond_maximum)],
    ];
    out.table(["FACT", "VALUE"], &rows)?;
    if behind.is_some() {
        print_message(
            "The clock is behind the newest time in the store, so no secret is issued: correct the \
             clock, or accept it with `patdeck clock accept`",
        );
    }
    Ok(exit)
}
