//! `audit`: prints the audit trail, follows it, or verifies its hash chain.

use std::{collections::VecDeque, io, thread, time::Duration};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use super::{
    audit_filter::{EventFilter, EventFilterArgs},
    exit::{CliError, Exit},
    list_args::number,
    print::{Output, is_output_closed, print_error, print_message},
};
use crate::{
    domain::{AuditAction, AuditEvent, EventHash, TokenId, counted, terminal_text::escape},
    output::{
        advice::Diagnostic,
        json::{event_json, format_time},
    },
    service::{ChainCheckResult, Service, ServiceError},
};

/// Time between two polls of `--follow`.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// Number of failed reads in a row after which the command gives up.
const MAX_FAILURES: u32 = 5;

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct Audit {
    /// Which events to show
    #[command(flatten)]
    pub filter: EventFilterArgs,

    /// Show only this number of events, the newest ones
    #[arg(long, value_name = "N", value_parser = number, allow_negative_numbers = true)]
    pub limit: Option<usize>,

    /// Leave out the line with the headings
    #[arg(long)]
    pub no_header: bool,

    /// Keep printing new events as they happen
    #[arg(long, conflicts_with = "check")]
    pub follow: bool,

    /// Check that no event was changed, removed or inserted; exit 1 otherwise
    #[arg(long)]
    pub check: bool,

    /// With --check: hash that an earlier check printed as the head; exit 1 if the trail was
    /// truncated or rewritten since
    #[arg(long, requires = "check", value_name = "HASH")]
    pub expect: Option<EventHash>,
}

/// Prints the events, oldest first. With `--follow`, also prints new events. With `--check`, checks
/// the hash chain instead.
pub(super) fn audit(service: &Service, args: &Audit, out: &Output) -> Result<Exit, CliError> {
    if args.check {
        return check(service, args.expect, out);
    }
    let token = args.filter.token.as_deref().map(|name| resolve_id(service, name)).transpose()?;
    let filter = EventFilter::new(&args.filter, token, service.now()?);
    let mut printer = EventPrinter::new(args, out);
    let (mut last_sequence, mut head, mut failures) = (0, EventHash::NONE, 0);
    loop {
        let events = match service.events_following(last_sequence, head) {
            Ok(Some(events)) => events,
            Ok(None) => return Err(replaced_error(last_sequence)),
            // Retry: while another program copies a file over the store, the file is incomplete for
            // a moment.
            Err(ServiceError::Store(_)) if last_sequence > 0 && failures < MAX_FAILURES => {
                failures += 1;
                if !wait_for_next_poll() {
                    return Ok(Exit::Done);
                }
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        failures = 0;
        let has_more = !events.is_empty();
        for event in &events {
            (last_sequence, head) = (event.sequence, event.hash);
            if filter.matches(&event.body) {
                printer.push(event)?;
            }
        }
        if is_output_closed() {
            return Ok(Exit::Done);
        }
        if has_more {
            continue;
        }
        printer.print_newest()?;
        if !args.follow {
            if !printer.has_printed && !out.json {
                print_message("No events match");
            }
            return Ok(Exit::Done);
        }
        if !wait_for_next_poll() {
            return Ok(Exit::Done);
        }
    }
}

/// The error for a trail that no longer contains the last event that was printed.
fn replaced_error(last_sequence: u64) -> CliError {
    let message = format!(
        "the audit trail was replaced: event {last_sequence} differs from the event that was printed"
    );
    CliError::new(Exit::No, message).with_hint(BROKEN_CHAIN_HINT)
}

/// Waits for [`POLL_INTERVAL`]. Returns `false` if the reader closed the output. Without this
/// check, `--follow` would never end if no further event happens.
fn wait_for_next_poll() -> bool {
    let out = rustix::stdio::stdout();
    let mut watched = [PollFd::new(&out, PollFlags::empty())];
    let closed = PollFlags::ERR | PollFlags::HUP;
    let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(POLL_INTERVAL.subsec_nanos()) };
    match poll(&mut watched, Some(&timeout)) {
        Ok(0) => true,
        Ok(_) if watched.iter().any(|fd| fd.revents().intersects(closed)) => false,
        // If the output cannot be polled, the next write reports a closed pipe.
        _ => {
            thread::sleep(POLL_INTERVAL);
            true
        }
    }
}

/// Finds an existing token, or a deleted one by its id or its name.
fn resolve_id(service: &Service, name: &str) -> Result<TokenId, CliError> {
    match (service.resolve_id(name), TokenId::parse(name)) {
        (Ok(id), _) | (Err(_), Some(id)) => Ok(id),
        (Err(error), None) => service.resolve_in_trail(name)?.ok_or_else(|| error.into()),
    }
}

/// Prints events below one line of headings.
struct EventPrinter<'a> {
    out: &'a Output,
    /// Whether the headings are still to be printed.
    needs_headings: bool,
    has_printed: bool,
    /// With `--limit`, the newest events until all stored events are read.
    newest: Option<VecDeque<AuditEvent>>,
    limit: usize,
}

impl<'a> EventPrinter<'a> {
    fn new(args: &Audit, out: &'a Output) -> Self {
        Self {
            out,
            needs_headings: !args.no_header && !out.json,
            has_printed: false,
            newest: args.limit.map(|_| VecDeque::new()),
            limit: args.limit.unwrap_or_default(),
        }
    }

    /// Prints the event, or keeps it until [`EventPrinter::print_newest`].
    fn push(&mut self, event: &AuditEvent) -> Result<(), CliError> {
        let Some(newest) = &mut self.newest else { return self.print(event) };
        newest.push_back(event.clone());
        if newest.len() > self.limit {
            newest.pop_front();
        }
        Ok(())
    }

    /// Prints the newest events that were kept. Later events are printed at once.
    fn print_newest(&mut self) -> Result<(), CliError> {
        let newest = self.newest.take().unwrap_or_default();
        newest.iter().try_for_each(|event| self.print(event))
    }

    fn print(&mut self, event: &AuditEvent) -> Result<(), CliError> {
        self.has_printed = true;
        if self.out.json {
            return Ok(self.out.object(event_json(event))?);
        }
        if std::mem::take(&mut self.needs_headings) {
            self.print_line(["EVENT", "TIME", "ACTION", "TOKEN", "ACTOR", "DETAIL"])?;
        }
        let body = &event.body;
        let (sequence, time) = (event.sequence.to_string(), format_time(body.at));
        let actor = body.actor.to_string();
        let action = body.action.as_str();
        self.print_line([&sequence, &time, action, &body.name, &actor, &body.detail])
    }

    fn print_line(&self, cells: [&str; 6]) -> Result<(), CliError> {
        let [sequence, time, action, name, actor, detail] = cells;
        let line =
            format!("{sequence:>6}  {time:<20}  {action:<14}  {name:<24}  {actor:<20}  {detail}");
        // A line break in a detail must not look like another event.
        Ok(self.out.line(&escape(line.trim_end()))?)
    }
}

/// Hint for a broken chain.
pub(super) const BROKEN_CHAIN_HINT: &str =
    "keep an unchanged copy of the file, and compare it with a backup";

/// Error for an intact chain that lacks the expected event.
const EXPECTED_EVENT_MISSING: &str =
    "no event has the expected hash; the trail was truncated or rewritten since that check";

/// Result of `--check`.
struct ChainCheck {
    chain: ChainCheckResult,
    /// Whether `--expect` is given.
    has_expectation: bool,
    /// Sequence number of the expected event, if the chain is intact up to this event.
    expected_at: Option<u64>,
}

impl ChainCheck {
    /// Describes the fault, without its position.
    fn fault(&self) -> Option<&str> {
        let broken = self.chain.first_fault.as_ref().map(|(_, fault)| fault.as_str());
        broken.or_else(|| {
            (self.has_expectation && self.expected_at.is_none()).then_some(EXPECTED_EVENT_MISSING)
        })
    }
}

fn check(service: &Service, expect: Option<EventHash>, out: &Output) -> Result<Exit, CliError> {
    let (chain, expected_at) = match expect {
        None => (service.audit_trail(0)?.chain, None),
        Some(hash) => service.verify_chain_since(hash)?,
    };
    let checked = ChainCheck { chain, has_expectation: expect.is_some(), expected_at };
    let Some(fault) = checked.fault() else {
        print_checked(&checked, out)?;
        return Ok(Exit::Done);
    };
    print_error(&match &checked.chain.first_fault {
        Some((sequence, _)) => {
            Diagnostic::new(format!("the audit trail is broken at event {sequence} ({fault})"))
                .with_hint(BROKEN_CHAIN_HINT)
        }
        None => Diagnostic::new(fault).with_hint(missing_event_hint(last_restore(service)?)),
    });
    print_checked(&checked, out)?;
    Ok(Exit::No)
}

/// What to do if the expected event is missing, if `restore` is the last event that restored a backup.
fn missing_event_hint(restore: Option<u64>) -> String {
    match restore {
        Some(event) => format!(
            "event {event} restored a backup, which removes newer events: if that was later than \
             the check, compare with the store that it replaced"
        ),
        None => "compare the store with a backup made soon after that check".to_owned(),
    }
}

/// The sequence number of the last event that restored a backup.
fn last_restore(service: &Service) -> Result<Option<u64>, ServiceError> {
    let (mut last_sequence, mut head, mut restore) = (0, EventHash::NONE, None);
    while let Some(events) = service.events_following(last_sequence, head)?
        && let Some(last) = events.last()
    {
        (last_sequence, head) = (last.sequence, last.hash);
        let is_restore = |event: &&AuditEvent| event.body.action == AuditAction::RestoredFromBackup;
        restore = events.iter().rev().find(is_restore).map(|event| event.sequence).or(restore);
    }
    Ok(restore)
}

fn print_checked(checked: &ChainCheck, out: &Output) -> io::Result<()> {
    let ChainCheck { chain, expected_at, .. } = checked;
    let broken = chain.first_fault.as_ref();
    if out.json {
        return out.object(json!({
            "events": chain.events,
            "holds": broken.is_none(),
            "broken_at": broken.map(|(sequence, _)| sequence),
            "fault": checked.fault(),
            "head": chain.head.to_string(),
            "expected_at": expected_at,
        }));
    }
    if broken.is_some() {
        return Ok(());
    }
    let (events, head) = (chain.events, chain.head);
    out.line(&format!("chain intact: {}, head {head}", counted(events, "event")))?;
    if let Some(expected_at) = expected_at {
        let since = counted(events.saturating_sub(*expected_at), "event");
        out.line(&format!("expected hash found at event {expected_at}, {since} since"))?;
    }
    Ok(())
}
