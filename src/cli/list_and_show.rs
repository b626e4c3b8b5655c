//! `list` and `show`: print tokens.

use std::{
    fmt::Display,
    io::{self, Write as _},
    ops::ControlFlow,
};

use unicode_width::UnicodeWidthStr as _;

use super::{
    exit::{CliError, Exit},
    json_lines,
    list_args::{self, List},
    list_table::{ListPlace, ListTable},
    print::{Output, is_output_closed, ok_if_closed, print_hint, print_message, print_warning},
};
use crate::{
    config::NamedView,
    domain::{
        AuditEvent, DeniedAttempt, DeniedAttempts, LastUse, ListQuery, Search, SecretSlot, Sort,
        SourceNetworks, Status, Timestamp, Token, UsageDays,
        describe_scopes::{describe_scopes, wildcard_warning},
        scope_matrix::describe_by_operation,
        search::UnknownWord,
        terminal_text::escape,
        uses_left_text,
    },
    keymap::suggest,
    output::{
        advice::Diagnostic,
        json::{self, format_time, token_json},
        relative_time::relative,
    },
    service::Service,
};

/// Number of tokens that are read at once for a sorted list.
const PAGE: usize = 512;

/// Prints the tokens that match `args`. With `--expiring`, the exit code is 1 if there are none.
pub(super) fn list(
    service: &Service,
    views: &[NamedView],
    args: &List,
    out: &Output,
) -> Result<Exit, CliError> {
    if out.json && (args.quiet || args.no_header || args.tsv || !args.columns.is_empty()) {
        let text = "--json cannot be combined with --quiet, --columns, --tsv or --no-header";
        return Err(CliError::usage(text));
    }
    let search = match &args.view {
        Some(name) => search_of_view(views, name)?,
        None => args.search.clone(),
    };
    let search = search.with_catalogue(&service.policy().catalogue);
    let query = ListQuery { status: args.status.into(), search, sort: Sort::default() };
    let now = service.now()?;
    let expiring = args.expiring.map(|time| time.end(now));
    let expires_soon = |token: &Token| {
        let ends =
            |last: Option<_>| token.expires.is_some_and(|end| last.is_none_or(|it| end <= it));
        expiring.is_none_or(|last| ends(last) && token.status(now) == Status::Active)
    };
    let is_shown = |token: &Token| query.matches(token, now) && expires_soon(token);
    let has_rows = if out.json && args.sort.is_empty() {
        json_lines::print_tokens(service, now, args.limit, is_shown)?
    } else {
        let place = |token: &Token| is_shown(token).then(|| ListPlace::new(token, &args.sort, now));
        let mut places = collect(service, place)?;
        places.sort_unstable();
        places.truncate(args.limit.unwrap_or(usize::MAX));
        let tokens = PlacedTokens { service, places, is_shown };
        if out.json {
            tokens.for_each(|token| Ok(out.object(token_json(token, now))?))?;
        } else if !tokens.places.is_empty() {
            print_table(&tokens, ListTable::new(args, out, now), out)?;
        }
        !tokens.places.is_empty()
    };
    // A message with `--expiring` would be mail from cron each day on which nothing expires.
    if !has_rows && !out.json && args.expiring.is_none() && args.limit != Some(0) {
        print_message("No tokens match");
        if let Some(hint) = search_hint(service, &query.search) {
            print_hint(&hint);
        }
    }
    Ok(if args.expiring.is_some() && !has_rows { Exit::No } else { Exit::Done })
}

/// Why `search` finds nothing, if a term was probably mistyped.
pub(super) fn search_hint(service: &Service, search: &Search) -> Option<String> {
    let meant = search.meant_term().map(|term| format!("did you mean {term}?"));
    meant.or_else(|| {
        let UnknownWord { kind, start, known } =
            search.unknown_word(&service.policy().catalogue)?;
        Some(format!("no {kind} begins with {start}: use one of {known}"))
    })
}

/// Returns the search of the view with this name.
fn search_of_view(views: &[NamedView], name: &str) -> Result<Search, CliError> {
    if let Some(view) = views.iter().find(|view| view.name == name) {
        return list_args::search(&view.search).map_err(CliError::usage);
    }
    let names: Vec<_> = views.iter().map(|view| view.name.as_str()).collect();
    let advice = match names.as_slice() {
        [] => "name searches in the table [views] of the config".to_owned(),
        names => suggest::advice(name, names.iter().copied()),
    };
    Err(CliError::usage(format!("the config has no view `{}`", escape(name))).with_hint(advice))
}

/// The tokens of a sorted list. Only their places are in memory.
struct PlacedTokens<'a, F> {
    service: &'a Service,
    places: Vec<ListPlace>,
    is_shown: F,
}

impl<F: Fn(&Token) -> bool> PlacedTokens<'_, F> {
    /// Reads the tokens and passes each to `take`, until the reader closes the output. Leaves out
    /// those that another process has changed meanwhile so that they no longer match.
    fn for_each(
        &self,
        mut take: impl FnMut(&Token) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        for page in self.places.chunks(PAGE) {
            if is_output_closed() {
                break;
            }
            let ids: Vec<_> = page.iter().map(ListPlace::id).collect();
            let tokens = self.service.get_many(&ids)?.into_iter().filter_map(|(_, token)| token);
            tokens.filter(&self.is_shown).try_for_each(|token| take(&token))?;
        }
        Ok(())
    }
}

/// Prints `tokens` as a table. Reads them twice, because the widths of the columns come first.
fn print_table<F: Fn(&Token) -> bool>(
    tokens: &PlacedTokens<'_, F>,
    mut table: ListTable,
    out: &Output,
) -> Result<(), CliError> {
    tokens.for_each(|token| {
        table.measure(token);
        Ok(())
    })?;
    let mut to = io::BufWriter::new(io::stdout().lock());
    ok_if_closed(table.begin(&mut to, out.styled))?;
    tokens.for_each(|token| Ok(ok_if_closed(table.print(&mut to, token, out.styled))?))?;
    Ok(ok_if_closed(to.flush())?)
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
    let denied = service.denied_attempts(&token.id)?;
    let events = service.history(&token.id, json::MAX_EVENTS)?;
    if out.json {
        out.object(json::token_details(&token, &days, &denied, &events, now))?;
        return Ok(Exit::Done);
    }
    // On a terminal, each time has its distance from now.
    let time = |at: Timestamp| {
        let distance = out.width.map(|_| format!(" ({})", relative(at, now)));
        format_time(at) + &distance.unwrap_or_default()
    };
    let mut rows = fields(&token, &days, &denied, now, &time);
    rows.extend(event_fields(&events));
    out.fields(&rows)?;
    Ok(Exit::Done)
}

/// A field for each event; their times, actions and actors are aligned.
fn event_fields(events: &[AuditEvent]) -> Vec<[String; 2]> {
    let columns = |event: &AuditEvent| {
        let body = &event.body;
        [format_time(body.at), body.action.as_str().to_owned(), body.actor.to_string()]
    };
    let width_of = |column: usize| {
        let cells =
            events.iter().filter_map(|event| columns(event).get(column).map(|it| it.width()));
        cells.max().unwrap_or_default()
    };
    let widths = [width_of(0), width_of(1), width_of(2)];
    let field = |event: &AuditEvent| {
        let cells = columns(event).into_iter().zip(widths).map(|(cell, wide)| {
            let padding = " ".repeat(wide.saturating_sub(cell.width()));
            format!("{cell}{padding}")
        });
        let words: Vec<_> = cells.chain([event.body.detail.clone()]).collect();
        ["event".to_owned(), words.join("  ").trim_end().to_owned()]
    };
    events.iter().map(field).collect()
}

fn fields(
    token: &Token,
    days: &UsageDays,
    denied: &DeniedAttempts,
    now: Timestamp,
    time: &dyn Fn(Timestamp) -> String,
) -> Vec<[String; 2]> {
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
    row("issued", &time(token.issued));
    row("expires", &token.expires.map_or_else(|| "never".to_owned(), time));
    limit_fields(token, time, &mut row);
    if let (Some(at), Status::Revoked) = (token.revoked, token.status(now)) {
        row("revoked", &time(at));
    }
    if let Some(old) = token.active_overlap(now) {
        row("old secret", &format!("works until {}", time(old.until)));
        let unused = || "not used since the regeneration".to_owned();
        let last = |used: &LastUse| format!("last used {}", describe_use(used, time));
        row("old secret", &old.last_used.as_ref().map_or_else(unused, last));
    }
    row(
        "last used",
        &token.last_use().map_or_else(|| "never".to_owned(), |used| describe_use(used, time)),
    );
    let last = denied.as_slice().first();
    // The reason of an imported or restored denial is not known.
    let other = token.last_denial().filter(|it| last.is_none_or(|last| last.at < it.at));
    let other = other.map(|it| format!("{}: {}", time_and_address(it, time), it.summary));
    let attempts = denied.as_slice().iter().map(|it| describe_attempt(it, time));
    for (index, text) in other.into_iter().chain(attempts).enumerate() {
        row(if index == 0 { "last denied" } else { "denied" }, &text);
    }
    if let Some(today) = days.on_day_of(now) {
        row("used today", &today.describe());
    }
    row("created", &format!("{} by {}", time(token.created), token.created_by));
    if token.scopes.is_empty() {
        row("allows", &describe_scopes(&token.scopes));
    }
    for sentence in describe_by_operation(&token.scopes) {
        row("allows", &sentence);
    }
    if let Some(warning) = wildcard_warning(&token.scopes) {
        row("warning", &warning);
    }
    for scope in &token.scopes {
        row("scope", &scope.to_string());
    }
    rows
}

/// Adds a row for each limit of the token.
fn limit_fields(
    token: &Token,
    time: &dyn Fn(Timestamp) -> String,
    row: &mut impl FnMut(&str, &str),
) {
    if let Some(start) = token.limits.not_before {
        row("not before", &time(start));
    }
    for network in token.limits.sources.iter().flat_map(SourceNetworks::iter) {
        row("allow from", &network.to_string());
    }
    if let Some((left, max)) = token.uses_left() {
        row("max uses", &uses_left_text(left, max));
    }
}

/// Describes a use: time, address and operation.
fn describe_use(used: &LastUse, time: &dyn Fn(Timestamp) -> String) -> String {
    format!("{}, {}", time_and_address(used, time), used.summary)
}

/// Describes a denied attempt: time, address, request and reason.
fn describe_attempt(attempt: &DeniedAttempt, time: &dyn Fn(Timestamp) -> String) -> String {
    let from = attempt.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    let secret = if attempt.slot == SecretSlot::Previous { ", with the old secret" } else { "" };
    let (at, reason) = (time(attempt.at), attempt.reason.words());
    format!("{at}{from}: {}{secret} ({reason})", attempt.request)
}

fn time_and_address(used: &LastUse, time: &dyn Fn(Timestamp) -> String) -> String {
    let from = used.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    format!("{}{from}", time(used.at))
}
