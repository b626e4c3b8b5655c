//! `list` and `show`: print tokens.

use std::{fmt::Display, ops::ControlFlow};

use super::{
    exit::{CliError, Exit},
    json_lines,
    list_args::List,
    list_table::{ListPlace, ListTable},
    print::{Output, print_message, print_warning},
};
use crate::{
    domain::{
        LastUse, ListQuery, Sort, SourceNetworks, Status, Timestamp, Token, UsageDays,
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

/// Number of tokens that are read at once for a sorted list in JSON.
const PAGE: usize = 512;

/// Prints the tokens that match `args`. With `--expiring`, the exit code is 1 if there are none.
pub(super) fn list(service: &Service, args: &List, out: &Output) -> Result<Exit, CliError> {
    if out.json && (args.quiet || args.no_header || !args.columns.is_empty()) {
        let text = "--json cannot be combined with --quiet, --columns or --no-header";
        return Err(CliError::usage(text));
    }
    let search = args.search.clone().with_catalogue(&service.policy().catalogue);
    let query = ListQuery { status: args.status.into(), search, sort: Sort::default() };
    let now = service.now()?;
    let expires_soon = |token: &Token| {
        let within = args.expiring.map(DurationMinutes::as_delta);
        let ends = |within| token.expires.is_some_and(|end| end - now <= within);
        within.is_none_or(|within| ends(within) && token.status(now) == Status::Active)
    };
    let is_shown = |token: &Token| query.matches(token, now) && expires_soon(token);
    let has_rows = if !out.json {
        print_table(service, args, now, is_shown, out)?
    } else if args.sort.is_empty() {
        json_lines::print_tokens(service, now, args.limit, is_shown)?
    } else {
        print_sorted_json(service, args, now, is_shown, out)?
    };
    // A message with `--expiring` would be mail from cron each day on which nothing expires.
    if !has_rows && !out.json && args.expiring.is_none() {
        print_message("No tokens match");
    }
    Ok(if args.expiring.is_some() && !has_rows { Exit::No } else { Exit::Done })
}

/// Prints the tokens that `is_shown` selects as a table. Returns whether there are any.
fn print_table(
    service: &Service,
    args: &List,
    now: Timestamp,
    is_shown: impl Fn(&Token) -> bool + Sync,
    out: &Output,
) -> Result<bool, CliError> {
    let table = ListTable::new(args, out, now);
    let rows = collect(service, |token| is_shown(token).then(|| table.row(token)))?;
    Ok(table.print(rows, args.limit, out)?)
}

/// Prints the tokens that `is_shown` selects as JSON, in the order of `--sort`. Returns whether
/// there are any. Keeps only their places in memory and reads them again.
fn print_sorted_json(
    service: &Service,
    args: &List,
    now: Timestamp,
    is_shown: impl Fn(&Token) -> bool + Sync,
    out: &Output,
) -> Result<bool, CliError> {
    let place = |token: &Token| is_shown(token).then(|| ListPlace::new(token, &args.sort, now));
    let mut places = collect(service, place)?;
    places.sort_unstable();
    places.truncate(args.limit.unwrap_or(usize::MAX));
    for page in places.chunks(PAGE) {
        let ids: Vec<_> = page.iter().map(ListPlace::id).collect();
        let tokens = service.get_many(&ids)?.into_iter().filter_map(|(_, token)| token);
        // A token that another process has changed meanwhile may no longer match.
        for token in tokens.filter(&is_shown) {
            out.object(token_json(&token, now))?;
        }
    }
    Ok(!places.is_empty())
}

/// Returns what `select` makes of each token, in the order of the ids. Warns of damaged records.
pub(super) fn collect<T: Send>(
    service: &Service,
    select: impl Fn(&Token) -> Option<T> + Sync,
) -> Result<Vec<T>, CliError> {
    let mut all = Vec::new();
    service.for_each_batch(
        || (Vec::new(), Vec::new()),
        |(selected, damaged), token| match token {
            Ok(token) => selected.extend(select(&token)),
            Err(damage) => damaged.push(damage),
        },
        |(selected, damaged)| {
            damaged.iter().for_each(warn_damaged);
            all.extend(selected);
            ControlFlow::Continue(())
        },
    )?;
    Ok(all)
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
    let days = service.usage_days(&token.id)?;
    let events = service.history(&token.id, json::MAX_EVENTS)?;
    if out.json {
        out.object(json::token_details(&token, &days, &events, now))?;
        return Ok(Exit::Done);
    }
    let mut rows = fields(&token, &days, now);
    for event in &events {
        let body = &event.body;
        let words = [format_time(body.at), body.action.as_str().to_owned(), body.actor.to_string()];
        rows.push(["event".to_owned(), format!("{} {}", words.join(" "), body.detail)]);
    }
    out.table(["FIELD", "VALUE"], &rows)?;
    Ok(Exit::Done)
}

fn fields(token: &Token, days: &UsageDays, now: Timestamp) -> Vec<[String; 2]> {
    let mut rows = Vec::new();
    let mut row = |name: &str, text: &str| rows.push([name.to_owned(), text.to_owned()]);
    row("name", token.name.as_str());
    row("id", token.id.as_str());
    row("token", &token.secret_hint());
    row("status", token.status(now).as_str());
    for line in token.description.as_str().lines() {
        row("description", line);
    }
    row("owner", &token.owner_text());
    for label in token.labels.iter() {
        row("label", &label.to_string());
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
    if let Some(denied) = token.last_denial() {
        row("last denied", &describe_denial(denied));
    }
    if let Some(today) = days.on_day_of(now) {
        row("used today", &today.describe());
    }
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
    format!("{}, {}", time_and_address(used), used.summary)
}

/// Describes a denied attempt: time, address and request.
fn describe_denial(denied: &LastUse) -> String {
    format!("{}: {}", time_and_address(denied), denied.summary)
}

fn time_and_address(used: &LastUse) -> String {
    let from = used.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    format!("{}{from}", format_time(used.at))
}
