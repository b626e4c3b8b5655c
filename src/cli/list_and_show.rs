//! `list` and `show`: print tokens.

use std::{fmt::Display, ops::ControlFlow};

use super::{
    args::List,
    exit::{CliError, Exit},
    json_lines,
    print::{Output, print_warning},
};
use crate::{
    domain::{
        Column, LastUse, ListQuery, MaxUses, Name, Sort, SortPlace, SourceNetworks, Status,
        Timestamp, Token, UsageDays,
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
    let (column, descending) = args.sort.unwrap_or((Column::Issued, true));
    let sort = Sort { column, descending };
    let search = args.search.clone().with_catalogue(&service.policy().catalogue);
    let query = ListQuery { status: args.status.into(), search, sort };
    let now = service.now()?;
    let expires_soon = |token: &Token| {
        let within = args.expiring.map(DurationMinutes::as_delta);
        let ends = |within| token.expires.is_some_and(|end| end - now <= within);
        within.is_none_or(|within| ends(within) && token.status(now) == Status::Active)
    };
    let is_shown = |token: &Token| query.matches(token, now) && expires_soon(token);
    let has_rows = if !out.json {
        print_table(service, sort, now, is_shown, out)?
    } else if args.sort.is_some() {
        print_sorted_json(service, sort, now, is_shown, out)?
    } else {
        json_lines::print_tokens(service, now, is_shown)?
    };
    Ok(if args.expiring.is_some() && !has_rows { Exit::No } else { Exit::Done })
}

/// Prints the tokens that `is_shown` selects as a table. Returns whether there are any.
fn print_table(
    service: &Service,
    sort: Sort,
    now: Timestamp,
    is_shown: impl Fn(&Token) -> bool + Sync,
    out: &Output,
) -> Result<bool, CliError> {
    let row = |token: &Token| ListRow::of(token, sort, now);
    let mut rows = collect(service, |token| is_shown(token).then(|| row(token)))?;
    rows.sort_unstable_by(|one, other| one.place.cmp(&other.place));
    if !rows.is_empty() {
        let headings = ["ID", "NAME", "STATUS", "SCOPES", "EXPIRES", "LAST USED"];
        out.streamed_table(headings, rows.iter().map(ListRow::cells))?;
    }
    Ok(!rows.is_empty())
}

/// Prints the tokens that `is_shown` selects as JSON, in the order of `sort`. Returns whether there
/// are any. Keeps only their places in memory and reads them again.
fn print_sorted_json(
    service: &Service,
    sort: Sort,
    now: Timestamp,
    is_shown: impl Fn(&Token) -> bool + Sync,
    out: &Output,
) -> Result<bool, CliError> {
    let place = |token: &Token| is_shown(token).then(|| sort.place(token, now));
    let mut places = collect(service, place)?;
    places.sort_unstable();
    for page in places.chunks(PAGE) {
        let ids: Vec<_> = page.iter().map(|place| place.id).collect();
        let tokens = service.get_many(&ids)?.into_iter().filter_map(|(_, token)| token);
        // A token that another process has changed meanwhile may no longer match.
        for token in tokens.filter(&is_shown) {
            out.object(token_json(&token, now))?;
        }
    }
    Ok(!places.is_empty())
}

/// Returns what `select` makes of each token, in the order of the ids. Warns of damaged records.
fn collect<T: Send>(
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

/// What the table shows of a token, in less than 150 bytes.
struct ListRow {
    place: SortPlace,
    name: Name,
    status: Status,
    scopes: usize,
    expires: Option<Timestamp>,
    last_used: Option<Timestamp>,
    /// The uses left, and their maximum if the token has one.
    uses_left: Option<(u32, MaxUses)>,
}

impl ListRow {
    fn of(token: &Token, sort: Sort, now: Timestamp) -> Self {
        Self {
            place: sort.place(token, now),
            name: token.name.clone(),
            status: token.status(now),
            scopes: token.scopes.len(),
            expires: token.expires,
            last_used: token.last_use().map(|used| used.at),
            uses_left: token.uses_left(),
        }
    }

    fn cells(&self) -> [String; 6] {
        let time = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), format_time);
        [
            self.place.id.to_string(),
            self.name.to_string(),
            self.status.as_str().to_owned(),
            self.scopes.to_string(),
            time(self.expires),
            match self.uses_left {
                Some((left, max)) => {
                    format!("{}, {}", time(self.last_used), uses_left_text(left, max))
                }
                None => time(self.last_used),
            },
        ]
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
