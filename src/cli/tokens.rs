//! `list` and `show`: reading tokens.

use std::fmt::Display;

use super::{
    args::List,
    exit::{Exit, Failure},
    print::{Output, tell},
    stream,
};
use crate::{
    domain::{
        Column, LastUse, Moment, Pat, Query, Sort, Status,
        lifetime::Span,
        sentence::{permits, wildcards},
    },
    json::{self, time, token},
    service::Service,
};

/// Prints the tokens that `args` ask for. With `--expiring` it says by its exit code whether
/// there is one.
pub(super) fn list(service: &Service, args: &List, out: &Output) -> Result<Exit, Failure> {
    let (column, descending) = args.sort.unwrap_or((Column::Issued, true));
    let sort = Sort { column, descending };
    let query = Query { status: args.status.into(), search: args.search.clone(), sort };
    let soon = |pat: &Pat, now: Moment| {
        let within = args.expiring.map(Span::as_delta);
        let ends = |within| pat.expires.is_some_and(|end| end - now <= within);
        within.is_none_or(|within| ends(within) && pat.status(now) == Status::Active)
    };
    let exit = |found: bool| if args.expiring.is_some() && !found { Exit::No } else { Exit::Done };
    if out.json && args.sort.is_none() {
        let now = service.now()?;
        return Ok(exit(stream::print(service, &query, now, |pat| soon(pat, now))?));
    }
    let loaded = service.load()?;
    let now = loaded.now;
    loaded.damaged.iter().for_each(tell_left_out);
    let (mut rows, _) = query.select(&loaded.pats, now);
    rows.retain(|at| loaded.pats.get(*at).is_some_and(|pat| soon(pat, now)));
    let found = !rows.is_empty();
    let shown = rows.iter().filter_map(|at| loaded.pats.get(*at));
    if out.json {
        for pat in shown {
            out.object(token(pat, now))?;
        }
    } else if found {
        let never = || "never".to_owned();
        let rows: Vec<_> = shown
            .map(|pat| {
                [
                    pat.id.to_string(),
                    pat.name.to_string(),
                    pat.status(now).word().to_owned(),
                    pat.scopes.len().to_string(),
                    pat.expires.map_or_else(never, time),
                    pat.last_use().map_or_else(never, |used| time(used.at)),
                ]
            })
            .collect();
        out.table(["ID", "NAME", "STATUS", "SCOPES", "EXPIRES", "LAST USED"], &rows)?;
    }
    Ok(exit(found))
}

/// Says that a record is not in the list, and what to do.
pub(super) fn tell_left_out(damage: &impl Display) {
    tell(&format!("{damage} is damaged and left out: restore a backup, or delete this record"));
}

/// Prints one token whole, with its newest events.
pub(super) fn show(service: &Service, name: &str, out: &Output) -> Result<Exit, Failure> {
    let pat = service.find(name)?;
    let now = service.now()?;
    let events = service.history(&pat.id, json::EVENTS)?;
    if out.json {
        out.object(json::shown(&pat, &events, now))?;
        return Ok(Exit::Done);
    }
    let mut rows = fields(&pat, now);
    for event in &events {
        let what = &event.what;
        let said = [time(what.at), what.action.word().to_owned(), what.actor.to_string()];
        rows.push(["event".to_owned(), format!("{} {}", said.join(" "), what.detail)]);
    }
    out.table(["FIELD", "VALUE"], &rows)?;
    Ok(Exit::Done)
}

fn fields(pat: &Pat, now: Moment) -> Vec<[String; 2]> {
    let mut rows = Vec::new();
    let mut row = |name: &str, text: &str| rows.push([name.to_owned(), text.to_owned()]);
    row("name", pat.name.as_str());
    row("id", pat.id.as_str());
    row("token", &pat.hint());
    row("status", pat.status(now).word());
    for line in pat.description.as_str().lines() {
        row("description", line);
    }
    row("issued", &time(pat.issued));
    row("expires", &pat.expires.map_or_else(|| "never".to_owned(), time));
    if let (Some(at), Status::Revoked) = (pat.revoked, pat.status(now)) {
        row("revoked", &time(at));
    }
    if let Some(old) = pat.overlap(now) {
        row("old secret", &format!("works until {}", time(old.until)));
        let unused = || "not used since the rotation".to_owned();
        let last = |used: &LastUse| format!("last used {}", told(used));
        row("old secret", &old.last_used.as_ref().map_or_else(unused, last));
    }
    row("last used", &pat.last_use().map_or_else(|| "never".to_owned(), told));
    row("created", &format!("{} by {}", time(pat.created), pat.created_by));
    row("in words", &permits(&pat.scopes));
    if let Some(warning) = wildcards(&pat.scopes) {
        row("warning", &warning);
    }
    for scope in &pat.scopes {
        row("scope", &scope.to_string());
    }
    rows
}

/// When, from where and what for.
fn told(used: &LastUse) -> String {
    let from = used.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    format!("{}{from}, {}", time(used.at), used.what)
}
