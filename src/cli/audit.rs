//! `audit`: the trail as it is, as it grows, or checked.

use std::{io, thread, time::Duration};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use super::{
    exit::{CliError, Exit},
    print::{Output, print_message},
};
use crate::{
    domain::{AuditEvent, EventHash, TokenId},
    output::json::{event_value, time},
    service::{ChainState, Service},
};

/// How often a follower looks.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 0, tv_nsec: 300_000_000 };

/// Which part of the trail.
#[derive(Debug, clap::Args)]
pub struct Audit {
    /// Only the events of this token; a deleted one by its id
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,

    /// Go on printing events as they happen
    #[arg(long, conflicts_with = "check")]
    pub follow: bool,

    /// Check that no event was changed, removed or put in; exit 1 if one was
    #[arg(long)]
    pub check: bool,

    /// With --check: what an earlier check printed as the head; exit 1 if the trail was cut off
    /// or written anew since
    #[arg(long, requires = "check", value_name = "HASH")]
    pub expect: Option<EventHash>,
}

/// Prints events oldest first, and goes on with `--follow`; or checks the chain.
pub(super) fn audit(service: &Service, args: &Audit, out: &Output) -> Result<Exit, CliError> {
    if args.check {
        return check(service, args.expect, out);
    }
    let token = args.token.as_deref().map(|name| addressed(service, name)).transpose()?;
    let mut seen = 0;
    loop {
        let events = service.events_after(seen)?;
        let more = !events.is_empty();
        for event in &events {
            seen = event.sequence;
            if token.is_none_or(|id| event.what.token == Some(id)) {
                print(event, out)?;
            }
        }
        if more {
            continue;
        }
        if !args.follow {
            return Ok(Exit::Done);
        }
        io::Write::flush(&mut io::stdout())?;
        if !still_read() {
            return Ok(Exit::Done);
        }
    }
}

/// Waits until it is time for the next look; whether anybody still reads the output. A reader
/// that went away must not leave a follower behind that waits for ever.
fn still_read() -> bool {
    let out = rustix::stdio::stdout();
    let mut watched = [PollFd::new(&out, PollFlags::empty())];
    let gone = PollFlags::ERR | PollFlags::HUP;
    match poll(&mut watched, Some(&LOOK_EVERY)) {
        Ok(0) => true,
        Ok(_) if watched.iter().any(|fd| fd.revents().intersects(gone)) => false,
        // What cannot be watched is not watched; the next line will tell.
        _ => {
            thread::sleep(Duration::from_millis(300));
            true
        }
    }
}

/// A token that is there, or the id of one that may be gone.
fn addressed(service: &Service, name: &str) -> Result<TokenId, CliError> {
    match service.find(name) {
        Ok(token) => Ok(token.id),
        Err(error) => TokenId::parse(name).ok_or_else(|| error.into()),
    }
}

fn print(each: &AuditEvent, out: &Output) -> Result<(), CliError> {
    if out.json {
        return Ok(out.object(event_value(each))?);
    }
    let what = &each.what;
    let line = format!(
        "{:>6}  {}  {:<14}  {:<24}  {}  {}",
        each.sequence,
        time(what.at),
        what.action.as_str(),
        what.name,
        what.actor,
        what.detail
    );
    Ok(out.line(crate::domain::terminal_text::escape(line.trim_end()).as_ref())?)
}

/// What to do about a chain that is broken.
pub(super) const KEEP: &str = "copy the file away as it is, and compare it with a backup";

/// What is told of a trail that holds but lacks the expected event.
const LOST: &str = "no event has the expected hash: the trail was cut off or written anew since \
    that check, compare with a backup from before it";

/// What a check found out.
struct Checked {
    chain: ChainState,
    /// Whether an event was expected, and where it is if the chain holds up to there.
    asked: bool,
    place: Option<u64>,
}

impl Checked {
    /// What is wrong, in words; where it is wrong stands apart.
    fn fault(&self) -> Option<&str> {
        let broken = self.chain.broken.as_ref().map(|(_, fault)| fault.as_str());
        broken.or_else(|| (self.asked && self.place.is_none()).then_some(LOST))
    }
}

fn check(service: &Service, expect: Option<EventHash>, out: &Output) -> Result<Exit, CliError> {
    let (chain, place) = match expect {
        None => (service.trail(0)?.chain, None),
        Some(hash) => service.trail_since(hash)?,
    };
    let checked = Checked { chain, asked: expect.is_some(), place };
    let Some(fault) = checked.fault() else {
        print_checked(&checked, out)?;
        return Ok(Exit::Done);
    };
    match &checked.chain.broken {
        Some((sequence, _)) => {
            print_message(&format!("the chain is broken at event {sequence} ({fault}): {KEEP}"));
        }
        None => print_message(fault),
    }
    // A closed pipe must not turn the finding into success.
    print_checked(&checked, out).map_err(|error| CliError::from(error).or_exit(Exit::No))?;
    Ok(Exit::No)
}

fn print_checked(checked: &Checked, out: &Output) -> io::Result<()> {
    let Checked { chain, place, .. } = checked;
    let broken = chain.broken.as_ref();
    if out.json {
        return out.object(json!({
            "events": chain.events,
            "holds": broken.is_none(),
            "broken_at": broken.map(|(sequence, _)| sequence),
            "fault": checked.fault(),
            "head": chain.head.to_string(),
            "expected_at": place,
        }));
    }
    if broken.is_some() {
        return Ok(());
    }
    let (events, head) = (chain.events, chain.head);
    out.line(&format!("the chain holds: {events} events, head {head}"))?;
    if let Some(place) = place {
        let since = events.saturating_sub(*place);
        out.line(&format!("the expected hash is that of event {place}: {since} events since"))?;
    }
    Ok(())
}
