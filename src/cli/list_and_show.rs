//! `list` and `show`: print tokens.

use std::fmt::Display;

use super::{
    args::List,
    exit::{CliError, Exit},
    json_lines,
    print::{Output, print_warning},
};
use crate::{
    domain::{
        Column, LastUse, ListQuery, Sort, SourceNetworks, Status, Timestamp, Token,
        describe_scopes::{describe_scopes, wildcard_warning},
        lifetime::DurationMinutes,
        uses_left_text,
    },
    output::{
        advice::Diagnostic,
        json::{self, format_time, token_json},
    },
    service::Service,
};

/// Prints the tokens that match `args`. With `--expiring`, the exit code is 1 if there are none.
pub(super) fn list(service: &Service, args: &List, out: &Output) -> Result<Exit, CliError> {
    let (column, descending) = args.sort.unwrap_or((Column::Issued, true));
    let sort = Sort { column, descending };
    let query = ListQuery { status: args.status.into(), search: args.search.clone(), sort };
    let expires_soon = |token: &Token, now: Timestamp| {
        let within = args.expiring.map(DurationMinutes::as_delta);
        let ends = |within| token.expires.is_some_and(|end| end - now <= within);
        within.is_none_or(|within| ends(within) && token.status(now) == Status::Active)
    };
    let exit =
        |has_rows: bool| if args.expiring.is_some() && !has_rows { Exit::No } else { Exit::Done };
    if out.json && args.sort.is_none() {
        let now = service.now()?;
        return Ok(exit(json_lines::print_tokens(service, &query, now, |token| {
            expires_soon(token, now)
        })?));
    }
    let loaded = service.load_snapshot()?;
    let now = loaded.now;
    loaded.damaged.iter().for_each(warn_damaged);
    let (mut rows, _) = query.select(&loaded.tokens, now);
    rows.retain(|at| loaded.tokens.get(*at).is_some_and(|token| expires_soon(token, now)));
    let has_rows = !rows.is_empty();
    let shown = rows.iter().filter_map(|at| loaded.tokens.get(*at));
    if out.json {
        for token in shown {
            out.object(token_json(token, now))?;
        }
    } else if has_rows {
        let never = || "never".to_owned();
        let rows: Vec<_> = shown
            .map(|token| {
                [
                    token.id.to_string(),
                    token.name.to_string(),
                    token.status(now).as_str().to_owned(),
                    token.scopes.len().to_string(),
                    token.expires.map_or_else(never, format_time),
                    last_use_cell(token),
                ]
            })
            .collect();
        out.table(["ID", "NAME", "STATUS", "SCOPES", "EXPIRES", "LAST USED"], &rows)?;
    }
    Ok(exit(has_rows))
}

/// The last use of a token, and how many uses are left if it has a maximum.
fn last_use_cell(token: &Token) -> String {
    let used = token.last_use().map_or_else(|| "never".to_owned(), |used| format_time(used.at));
    match token.uses_left() {
        Some((left, max)) => format!("{used}, {}", uses_left_text(left, max)),
        None => used,
    }
}

/// Warns that a damaged record is missing from the output.
pub(super) fn warn_damaged(damage: &impl Display) {
    let message = format!("{damage} is damaged and left out");
    print_warning(&Diagnostic::new(message).with_hint("restore a backup, or delete this record"));
}

/// Prints a token in full, with its newest events.
pub(super) fn show(service: &Service, name: &str, out: &Output) -> Result<Exit, CliError> {
    let token = service.resolve(name)?;
    let now = service.now()?;
    let events = service.history(&token.id, json::MAX_EVENTS)?;
    if out.json {
        out.object(json::token_with_events(&token, &events, now))?;
        return Ok(Exit::Done);
    }
    let mut rows = fields(&token, now);
    for event in &events {
        let body = &event.body;
        let words = [format_time(body.at), body.action.as_str().to_owned(), body.actor.to_string()];
        rows.push(["event".to_owned(), format!("{} {}", words.join(" "), body.detail)]);
    }
    out.table(["FIELD", "VALUE"], &rows)?;
    Ok(Exit::Done)
}

fn fields(token: &Token, now: Timestamp) -> Vec<[String; 2]> {
    let mut rows = Vec::new();
    let mut row = |name: &str, text: &str| rows.push([name.to_owned(), text.to_owned()]);
    row("name", token.name.as_str());
    row("id", token.id.as_str());
    row("token", &token.secret_hint());
    row("status", token.status(now).as_str());
    for line in token.description.as_str().lines() {
        row("description", line);
    }
    row("issued", &format_time(token.issued));
    row("expires", &token.expires.map_or_else(|| "never".to_owned(), format_time));
    limit_fields(token, &mut row);
    if let (Some(at), Status::Revoked) = (token.revoked, token.status(now)) {
        row("revoked", &format_time(at));
    }
    if let Some(old) = token.active_overlap(now) {
        row("old secret", &format!("works until {}", format_time(old.until)));
        let unused = || "not used since the regeneration".to_owned();
        let last = |used: &LastUse| format!("last used {}", describe_use(used));
        row("old secret", &old.last_used.as_ref().map_or_else(unused, last));
    }
    row("last used", &token.last_use().map_or_else(|| "never".to_owned(), describe_use));
    row("created", &format!("{} by {}", format_time(token.created), token.created_by));
    row("allows", &describe_scopes(&token.scopes));
    if let Some(warning) = wildcard_warning(&token.scopes) {
        row("warning", &warning);
    }
    for scope in &token.scopes {
        row("scope", &scope.to_string());
    }
    rows
}

/// Adds a row for each limit of the token.
fn limit_fields(token: &Token, row: &mut impl FnMut(&str, &str)) {
    if let Some(start) = token.limits.not_before {
        row("not before", &format_time(start));
    }
    for network in token.limits.sources.iter().flat_map(SourceNetworks::iter) {
        row("allowed from", &network.to_string());
    }
    if let Some((left, max)) = token.uses_left() {
        row("uses", &uses_left_text(left, max));
    }
}

/// Describes a use: time, address and operation.
fn describe_use(used: &LastUse) -> String {
    let from = used.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    format!("{}{from}, {}", format_time(used.at), used.summary)
}
