//! The command line that does the same as what the app is about to do or shows: one pure function
//! for requests and one for each tab. Quotes as a shell needs it. It asks as the dialog does: none
//! says `--yes`. The tests read each with the command line's own definition.

use std::fmt;

use crate::{
    domain::{Overlap, Pat, Query, Request, Scope, StatusFilter, TokenId},
    service::{Bulk, Renewal},
    tui::app::{service_request::ServiceRequest, view_context::ViewContext},
};

/// A command line of patdeck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliEquivalent {
    words: Vec<String>,
    /// Operands that begin with `-`: they go last, behind `--`.
    last: Vec<String>,
}

impl CliEquivalent {
    fn of(command: &str) -> Self {
        Self { words: command.split(' ').map(str::to_owned).collect(), last: Vec::new() }
    }

    fn operand(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        let place = if text.starts_with('-') { &mut self.last } else { &mut self.words };
        place.push(text);
        self
    }

    fn option(mut self, name: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        if value.starts_with('-') {
            self.words.push(format!("{name}={value}"));
        } else {
            self.words.extend([name.to_owned(), value]);
        }
        self
    }

    /// The token by its name; by its id where the name could be taken for an option or for the
    /// id of another.
    fn token(self, pat: &Pat) -> Self {
        let name = pat.name.as_str();
        let is_plain = !name.starts_with('-') && TokenId::parse(name).is_none();
        self.operand(if is_plain { name } else { pat.id.as_str() })
    }

    fn scopes<'a>(
        mut self,
        scopes: impl IntoIterator<Item = &'a Scope>,
        add: impl Fn(Self, String) -> Self,
    ) -> Self {
        for text in joined(scopes) {
            self = add(self, text);
        }
        self
    }

    /// Lifetime and overlap of a new secret; no overlap is what the command does anyway.
    fn renewal(self, renewal: Renewal) -> Self {
        let line = self.option("--lifetime", renewal.lifetime);
        match renewal.overlap {
            Overlap::None => line,
            overlap => line.option("--overlap", overlap.word()),
        }
    }

    /// The same on the store and with the settings that these options name.
    pub fn with(mut self, options: &[(&str, String)]) -> Self {
        for (name, value) in options {
            self = self.option(name, value);
        }
        self
    }
}

impl fmt::Display for CliEquivalent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("patdeck")?;
        for word in &self.words {
            write!(f, " {}", quoted(word))?;
        }
        if !self.last.is_empty() {
            f.write_str(" --")?;
        }
        self.last.iter().try_for_each(|word| write!(f, " {}", quoted(word)))
    }
}

/// The command that does what `request` does; `None` where the app alone has a use for it, and
/// where the token is gone.
pub fn of(request: &ServiceRequest, view: &ViewContext<'_>) -> Option<CliEquivalent> {
    let on = |command, id| Some(CliEquivalent::of(command).token(view.pat(id)?));
    match request {
        ServiceRequest::Create(new) => {
            let line = CliEquivalent::of("create").operand(new.name.as_str());
            let line = line.option("--lifetime", new.lifetime);
            let line = match new.description.as_str() {
                "" => line,
                text => line.option("--description", text),
            };
            Some(line.scopes(&new.scopes, |line, scope| line.option("--scope", scope)))
        }
        ServiceRequest::Edit(id, name, description) => {
            let pat = view.pat(id)?;
            let mut line = CliEquivalent::of("edit").token(pat);
            if pat.name != *name || pat.description == *description {
                line = line.option("--name", name);
            }
            if pat.description != *description {
                line = line.option("--description", description);
            }
            Some(line)
        }
        ServiceRequest::AddScopes(id, scopes) => {
            Some(on("scope add", id)?.scopes(scopes, CliEquivalent::operand))
        }
        ServiceRequest::RemoveScope(id, scope) => {
            Some(on("scope remove", id)?.operand(scope.to_string()))
        }
        ServiceRequest::ClearScopes(id) => on("scope clear", id),
        ServiceRequest::Revoke(id) => on("revoke", id),
        ServiceRequest::Regenerate(id, renewal) => Some(on("regenerate", id)?.renewal(*renewal)),
        ServiceRequest::EndOverlap(id) => on("revoke --old", id),
        ServiceRequest::Delete(id) => on("delete", id),
        ServiceRequest::DeleteAll(_) => Some(CliEquivalent::of("delete --all")),
        // The secret of the token comes on its standard input.
        ServiceRequest::Test(_, access) => Some(test(access)),
        ServiceRequest::History(id) | ServiceRequest::Json(id) => Some(of_token(view.pat(id)?)),
        ServiceRequest::Trail => Some(of_trail(None)),
        ServiceRequest::Preview(bulk, ids) | ServiceRequest::Bulk(bulk, ids) => of_bulk(bulk, ids),
        // What fills the form in or the screen is nothing that anybody asks for. The command line
        // names what it brings back, hands a secret over as it makes it, and leaves the clock to
        // the app.
        ServiceRequest::Like(_)
        | ServiceRequest::Fetch(_)
        | ServiceRequest::RestoreLast
        | ServiceRequest::Undo(_)
        | ServiceRequest::Claim(..)
        | ServiceRequest::AcceptClock => None,
    }
}

/// The command that changes all of these tokens, which it names by their ids.
fn of_bulk(bulk: &Bulk, ids: &[TokenId]) -> Option<CliEquivalent> {
    let all = |line| ids.iter().fold(line, |line: CliEquivalent, id| line.operand(id.to_string()));
    Some(match bulk {
        Bulk::Revoke => all(CliEquivalent::of("revoke")),
        Bulk::Delete => all(CliEquivalent::of("delete")),
        Bulk::AddScopes(scopes) => {
            let (first, others) = ids.split_first()?;
            let line = CliEquivalent::of("scope add").operand(first.to_string());
            let line = line.scopes(scopes, CliEquivalent::operand);
            others.iter().fold(line, |line, id| line.option("--also", id))
        }
        Bulk::Regenerate { renewal, file } => {
            all(CliEquivalent::of("regenerate")).renewal(*renewal).option("--secret-file", file)
        }
    })
}

fn test(request: &Request) -> CliEquivalent {
    CliEquivalent::of("verify").option("--scope", request.as_scope())
}

/// The command that prints the token.
pub fn of_token(pat: &Pat) -> CliEquivalent {
    CliEquivalent::of("show").token(pat)
}

/// The command that prints the list.
pub fn of_list(query: &Query) -> CliEquivalent {
    let (option, shown) = match query.status {
        StatusFilter::Active => ("--status", "active"),
        StatusFilter::Expiring => ("--expiring", "7d"),
        StatusFilter::Expired => ("--status", "expired"),
        StatusFilter::Revoked => ("--status", "revoked"),
        StatusFilter::All => ("--status", "all"),
    };
    let mut line = CliEquivalent::of("list").option(option, shown);
    if !query.search.is_empty() {
        line = line.option("--search", &query.search);
    }
    let column = query.sort.column.word().to_lowercase().replace(' ', "-");
    let way = if query.sort.descending { "-" } else { "" };
    line.option("--sort", format!("{way}{column}"))
}

/// The command that prints the trail, of one token or of all. A deleted token has its id only.
pub fn of_trail(token: Option<TokenId>) -> CliEquivalent {
    let line = CliEquivalent::of("audit");
    match token {
        Some(id) => line.option("--token", id),
        None => line,
    }
}

/// `scopes` as arguments: those that differ in their operation only share one.
fn joined<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> Vec<String> {
    let mut groups: Vec<(&Scope, String)> = Vec::new();
    for scope in scopes {
        let alike = groups.iter_mut().find(|(first, _)| {
            (&first.entity_type, &first.entity, &first.domain)
                == (&scope.entity_type, &scope.entity, &scope.domain)
        });
        match alike {
            Some((_, operations)) => {
                operations.push(',');
                operations.push_str(scope.operation.as_str());
            }
            None => groups.push((scope, scope.operation.to_string())),
        }
    }
    let argument = |(scope, operations): (&Scope, String)| {
        let domain = scope.domain.as_ref().map_or_else(String::new, |d| format!("@{d}"));
        format!("{}:{}:{operations}{domain}", scope.entity_type, scope.entity)
    };
    groups.into_iter().map(argument).collect()
}

/// `text` as a shell takes it for one word.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,".contains(c);
    // An option with its value in one word is quoted from the value on, as people write it.
    if let Some((name, value)) = text.split_once('=').filter(|(name, _)| name.starts_with("--")) {
        return format!("{name}={}", quoted(value));
    }
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
