//! `audit`: the trail as it is, as it grows, or checked.

use std::{io, thread, time::Duration};

use serde_json::json;

use super::{
    args::Audit,
    exit::{Exit, Failure},
    print::{Output, event, tell, time},
};
use crate::{
    domain::{Event, TokenId},
    service::Service,
};

/// How often a follower looks.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Prints events oldest first, and goes on with `--follow`; or checks the chain.
pub(super) fn audit(service: &Service, args: &Audit, out: &Output) -> Result<Exit, Failure> {
    if args.check {
        return check(service, out);
    }
    let token = args
        .token
        .as_deref()
        .map(|name| addressed(service, name))
        .transpose()?;
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
        thread::sleep(LOOK_EVERY);
    }
}

/// A token that is there, or the id of one that may be gone.
fn addressed(service: &Service, name: &str) -> Result<TokenId, Failure> {
    match service.find(name) {
        Ok(pat) => Ok(pat.id),
        Err(error) => TokenId::parse(name).ok_or_else(|| error.into()),
    }
}

fn print(each: &Event, out: &Output) -> Result<(), Failure> {
    if out.json {
        return Ok(out.object(event(each))?);
    }
    let what = &each.what;
    let line = format!(
        "{:>6}  {}  {:<14}  {:<24}  {}  {}",
        each.sequence,
        time(what.at),
        what.action.word(),
        what.name,
        what.actor,
        what.detail
    );
    Ok(out.line(crate::domain::text::escape(line.trim_end()).as_ref())?)
}

fn check(service: &Service, out: &Output) -> Result<Exit, Failure> {
    let chain = service.trail(0)?.chain;
    if out.json {
        let broken = chain.broken.as_ref();
        out.object(json!({
            "events": chain.events,
            "holds": broken.is_none(),
            "broken_at": broken.map(|(sequence, _)| sequence),
            "fault": broken.map(|(_, fault)| fault),
            "head": chain.head.to_string(),
        }))?;
    } else if chain.broken.is_none() {
        out.line(&format!(
            "the chain holds: {} events, head {}",
            chain.events, chain.head
        ))?;
    }
    match &chain.broken {
        None => Ok(Exit::Done),
        Some((sequence, fault)) => {
            tell(&format!("the chain is broken at event {sequence}: {fault}"));
            Ok(Exit::No)
        }
    }
}
