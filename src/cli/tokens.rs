//! `list` and `show`: reading tokens.

use std::fmt::Display;

use super::{
    args::List,
    exit::{CliError, Exit},
    print::{Output, print_message},
    stream,
};
use crate::{
    domain::{
        Column, LastUse, Query, Sort, Status, Timestamp, Token,
        describe::{describe_scopes, wildcard_warning},
        lifetime::Span,
    },
    output::json::{self, time, token_value},
    service::Service,
};

/// Prints the tokens that `args` ask for. With `--expiring` it says by its exit code whether
/// there is one.
pub(super) fn list(service: &Service, args: &List, out: &Output) -> Result<Exit, CliError> {
    let (column, descending) = args.sort.unwrap_or((Column::Issued, true));
    let sort = Sort { column, descending };
    let query = Query { status: args.status.into(), search: args.search.clone(), sort };
    let soon = |token: &Token, now: Timestamp| {
        let within = args.expiring.map(Span::as_delta);
        let ends = |within| token.expires.is_some_and(|end| end - now <= within);
        within.is_none_or(|within| ends(within) && token.status(now) == Status::Active)
    };
    let exit = |found: bool| if args.expiring.is_some() && !found { Exit::No } else { Exit::Done };
    if out.json && args.sort.is_none() {
        let now = service.now()?;
        return Ok(exit(stream::print(service, &query, now, |token| soon(token, now))?));
    }
    let loaded = service.load()?;
    let now = loaded.now;
    loaded.damaged.iter().for_each(tell_left_out);
    let (mut rows, _) = query.select(&loaded.tokens, now);
    rows.retain(|at| loaded.tokens.get(*at).is_some_and(|token| soon(token, now)));
    let found = !rows.is_empty();
    let shown = rows.iter().filter_map(|at| loaded.tokens.get(*at));
    if out.json {
        for token in shown {
            out.object(token_value(token, now))?;
        }
    } else if found {
        let never = || "never".to_owned();
        let rows: Vec<_> = shown
            .map(|token| {
                [
                    token.id.to_string(),
                    token.name.to_string(),
                    token.status(now).as_str().to_owned(),
                    token.scopes.len().to_string(),
                    token.expires.map_or_else(never, time),
                    token.last_use().map_or_else(never, |used| time(used.at)),
                ]
            })
            .collect();
        out.table(["ID", "NAME", "STATUS", "SCOPES", "EXPIRES", "LAST USED"], &rows)?;
    }
    Ok(exit(found))
}

/// Says that a record is not in the list, and what to do.
pub(super) fn tell_left_out(damage: &impl Display) {
    print_message(&format!(
        "{damage} is damaged and left out: restore a backup, or delete this record"
    ));
}

/// Prints one token whole, with its newest events.
pub(super) fn show(service: &Service, name: &str, out: &Output) -> Result<Exit, CliError> {
    let token = service.find(name)?;
    let now = service.now()?;
    let events = service.history(&token.id, json::EVENTS)?;
    if out.json {
        out.object(json::token_with_events(&token, &events, now))?;
        return Ok(Exit::Done);
    }
    let mut rows = fields(&token, now);
    for event in &events {
        let what = &event.what;
        let said = [time(what.at), what.action.as_str().to_owned(), what.actor.to_string()];
        rows.push(["event".to_owned(), format!("{} {}", said.join(" "), what.detail)]);
    }
    out.table(["FIELD", "VALUE"], &rows)?;
    Ok(Exit::Done)
}

fn fields(token: &Token, now: Timestamp) -> Vec<[String; 2]> {
    let mut rows = Vec::new();
    let mut row = |name: &str, text: &str| rows.push([name.to_owned(), text.to_owned()]);
    row("name", token.name.as_str());
    row("id", token.id.as_str());
    row("token", &token.hint());
    row("status", token.status(now).as_str());
    for line in token.description.as_str().lines() {
        row("description", line);
    }
    row("issued", &time(token.issued));
    row("expires", &token.expires.map_or_else(|| "never".to_owned(), time));
    if let (Some(at), Status::Revoked) = (token.revoked, token.status(now)) {
        row("revoked", &time(at));
    }
    if let Some(old) = token.overlap(now) {
        row("old secret", &format!("works until {}", time(old.until)));
        let unused = || "not used since the rotation".to_owned();
        let last = |used: &LastUse| format!("last used {}", told(used));
        row("old secret", &old.last_used.as_ref().map_or_else(unused, last));
    }
    row("last used", &token.last_use().map_or_else(|| "never".to_owned(), told));
    row("created", &format!("{} by {}", time(token.created), token.created_by));
    row("in words", &describe_scopes(&token.scopes));
    if let Some(warning) = wildcard_warning(&token.scopes) {
        row("warning", &warning);
    }
    for scope in &token.scopes {
        row("scope", &scope.to_string());
    }
    rows
}

/// When, from where and what for.
fn told(used: &LastUse) -> String {
    let from = used.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    format!("{}{from}, {}", time(used.at), used.what)
}
