//! Which tokens `revoke`, `regenerate` and `delete` change: those that the arguments name, those that
//! standard input names, or those that match a search. Refuses an empty search. Also describes the
//! tokens of a search before the change. Called by the commands that change tokens.

use std::{
    collections::HashSet,
    io::{self, Read as _},
};

use super::{
    completers,
    exit::{CliError, Exit},
    list_and_show::{collect, search_hint},
    list_args::search,
};
use crate::{
    domain::{ListQuery, Plan, Search, Sort, StatusFilter, Token, TokenId, counted, grouped},
    output::relative_time::relative,
    service::{Service, ServiceError},
};

/// Maximum number of bytes of the names on standard input.
const MAX_INPUT: u64 = 4 << 20;

/// Maximum number of tokens in the preview of a search.
const MAX_ROWS: usize = 20;

/// Arguments that select the tokens of a change.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct TokenSelection {
    /// Token ids, names, or unique prefixes of either; - reads them from standard input, one per line
    #[arg(
        value_name = "TOKEN",
        add = completers::tokens(),
        required_unless_present = "selection",
        conflicts_with = "selection"
    )]
    pub tokens: Vec<String>,

    /// The tokens that `patdeck list --search` shows with this search, instead of named ones
    #[arg(long, value_name = "SEARCH", value_parser = search, allow_hyphen_values = true, group = "selection", conflicts_with = "tokens", add = completers::search_terms())]
    pub search: Option<Search>,
}

impl TokenSelection {
    /// Returns the ids of the selected tokens, without duplicates. `find` finds a named token.
    pub(super) fn resolve(
        &self,
        service: &Service,
        find: impl Fn(&str) -> Result<TokenId, ServiceError>,
    ) -> Result<Vec<TokenId>, CliError> {
        match &self.search {
            Some(search) => find_matches(service, search),
            None if self.tokens == ["-"] => resolve_names(&read_names()?, find),
            None => resolve_names(&self.tokens, find),
        }
    }
}

/// Finds the tokens with these ids, names or prefixes, without duplicates.
pub(super) fn resolve_names(
    names: &[String],
    find: impl Fn(&str) -> Result<TokenId, ServiceError>,
) -> Result<Vec<TokenId>, CliError> {
    // Each search for a name reads the store, so look up repeated names once.
    let (mut seen_names, mut seen_ids) = (HashSet::new(), HashSet::new());
    let mut ids = Vec::new();
    for name in names.iter().filter(|name| seen_names.insert(*name)) {
        let id = find(name)?;
        if seen_ids.insert(id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Reads the names on standard input, one per line. Empty lines are skipped. Refuses more than
/// [`MAX_INPUT`] bytes: a part of the names, with the last one cut, must not be used.
fn read_names() -> Result<Vec<String>, CliError> {
    let mut text = String::new();
    let read = io::stdin().lock().take(MAX_INPUT + 1).read_to_string(&mut text);
    let length =
        read.map_err(|error| CliError::usage(format!("cannot read standard input ({error})")))?;
    if u64::try_from(length).unwrap_or(u64::MAX) > MAX_INPUT {
        let message = format!("standard input has more than {} MiB of names", MAX_INPUT >> 20);
        let hint = "name fewer tokens, or select them with --search";
        return Err(CliError::usage(message).with_hint(hint));
    }
    let names = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let names: Vec<_> = names.map(str::to_owned).collect();
    if names.is_empty() {
        return Err(CliError::new(Exit::No, "standard input contains no token"));
    }
    Ok(names)
}

/// Returns the ids of the tokens that `list --search` shows with this search, sorted by name.
fn find_matches(service: &Service, search: &Search) -> Result<Vec<TokenId>, CliError> {
    if search.is_empty() {
        return Err(CliError::usage("the search is empty: it would select every active token")
            .with_hint("to select every active token, search for status:active"));
    }
    let query = query_of(service, search);
    let now = service.now()?;
    let is_shown = |token: &Token| query.matches(token, now);
    let key = |token: &Token| is_shown(token).then(|| (token.name.folded(), token.id));
    let mut matches = collect(service, key)?;
    matches.sort_unstable();
    if matches.is_empty() {
        let hint = search_hint(service, search).unwrap_or_else(|| {
            "only active tokens are searched, unless the search has a status: term".into()
        });
        return Err(no_match().with_hint(hint));
    }
    Ok(matches.into_iter().map(|(_, id)| id).collect())
}

/// The list of the tokens that match `search`: the active ones, unless the search has a status.
pub(super) fn query_of(service: &Service, search: &Search) -> ListQuery {
    let search = search.clone().with_catalogue(&service.policy().catalogue);
    ListQuery { status: StatusFilter::Active, search, sort: Sort::default() }
}

/// The tokens that `plan` changes and that match `search` now. Another process can have changed some of
/// them since they were found: a token that was revoked meanwhile must not become active again. Fails if no
/// token matches.
pub(super) fn matching_ids(
    service: &Service,
    search: &Search,
    plan: &Plan,
) -> Result<Vec<TokenId>, CliError> {
    let query = query_of(service, search);
    let tokens = plan.tokens_before().filter(|token| query.matches(token, plan.at));
    let ids: Vec<_> = tokens.map(|token| token.id).collect();
    if ids.is_empty() { Err(no_match()) } else { Ok(ids) }
}

/// The error of a search that selects no token.
pub(super) fn no_match() -> CliError {
    CliError::new(Exit::No, "no tokens match")
}

/// Describes the tokens that `plan` changes, one per line with status and last use, and those that
/// it skips.
pub(super) fn preview(plan: &Plan) -> Vec<String> {
    let rows: Vec<_> = plan.tokens_before().take(MAX_ROWS).collect();
    let width = rows.iter().map(|token| token.name.as_str().chars().count()).max().unwrap_or(0);
    let mut lines: Vec<String> = rows
        .iter()
        .map(|token| {
            let used = token.last_use().map_or_else(
                || "never used".to_owned(),
                |used| {
                    let from = used.from.as_ref();
                    let from = from.map_or_else(String::new, |from| format!(" from {from}"));
                    format!("used {}{from}", relative(used.at, plan.at))
                },
            );
            format!(
                "  {:<width$}  {:<8}  {used}",
                token.name.as_str(),
                token.status(plan.at).as_str()
            )
        })
        .collect();
    let more = plan.change_count().saturating_sub(rows.len());
    if more > 0 && !rows.is_empty() {
        lines.push(format!("  and {} more", grouped(more)));
    }
    if let Some(skipped) = plan.skipped.first() {
        let name = skipped.token.as_ref().map_or(skipped.id.as_str(), |token| token.name.as_str());
        let count = counted(plan.skipped.len(), "token");
        lines.push(format!("Left out: {count}, such as {name}: {}", skipped.reason));
    }
    lines
}
