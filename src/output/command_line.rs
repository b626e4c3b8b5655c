//! The command line that is equivalent to a [`Command`] or to a view of the app, quoted for a shell.
//! It never contains `--yes`, so that the command line asks the same question as the app. A property
//! test parses each command line back to an equal command. Called by the app.

use std::fmt;

use crate::domain::{
    AccessRequest, AuditAction, Command, Description, Label, LimitChange, LimitChanges, ListQuery,
    NewToken, Owner, Scope, ScopesToRemove, SecretOverlap, StatusFilter, Token, TokenId,
    TokensToDelete, TokensToRestore,
};

/// The value of an option that removes a limit.
pub const NO_LIMIT: &str = "none";

/// A `patdeck` command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    arguments: Vec<Argument>,
    /// Operands that start with `-`. They are printed after `--`.
    dash_operands: Vec<Argument>,
}

/// An option or a value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Argument {
    /// The text `--name=` if the value starts with `-`, otherwise empty. It is printed without
    /// quotes.
    option: String,
    text: String,
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self { option: String::new(), text }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.option, quote(&self.text))
    }
}

impl CommandLine {
    fn new(command: &str) -> Self {
        let words = command.split(' ').map(|word| word.to_owned().into());
        Self { arguments: words.collect(), dash_operands: Vec::new() }
    }

    fn operand(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        let words =
            if text.starts_with('-') { &mut self.dash_operands } else { &mut self.arguments };
        words.push(text.into());
        self
    }

    fn operands(self, texts: impl IntoIterator<Item = String>) -> Self {
        texts.into_iter().fold(self, Self::operand)
    }

    fn option(mut self, name: &str, value: impl fmt::Display) -> Self {
        let text = value.to_string();
        if text.starts_with('-') {
            self.arguments.push(Argument { option: format!("{name}="), text });
        } else {
            self.arguments.extend([Argument::from(name.to_owned()), text.into()]);
        }
        self
    }

    fn optional(self, name: &str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.option(name, value),
            None => self,
        }
    }

    fn repeated<'v>(
        self,
        name: &str,
        values: impl IntoIterator<Item = &'v (impl fmt::Display + 'v)>,
    ) -> Self {
        values.into_iter().fold(self, |line, value| line.option(name, value))
    }

    fn labels<'l>(self, labels: impl IntoIterator<Item = &'l Label>) -> Self {
        self.repeated("--label", labels)
    }

    /// Adds the options that change limits.
    fn limits(self, limits: &LimitChanges) -> Self {
        let line = match &limits.sources {
            LimitChange::Keep => self,
            LimitChange::Remove => self.option("--allow-from", NO_LIMIT),
            LimitChange::Set(sources) => {
                sources.iter().fold(self, |line, network| line.option("--allow-from", network))
            }
        };
        line.limit("--not-before", limits.not_before).limit("--max-uses", limits.max_uses)
    }

    fn limit(self, name: &str, limit: LimitChange<impl fmt::Display>) -> Self {
        match limit {
            LimitChange::Keep => self,
            LimitChange::Remove => self.option(name, NO_LIMIT),
            LimitChange::Set(value) => self.option(name, value),
        }
    }

    /// Adds the options that name the store and the config.
    #[must_use]
    pub fn with_options(self, options: &[(&str, String)]) -> Self {
        options.iter().fold(self, |line, (name, value)| line.option(name, value))
    }

    fn all_arguments(&self) -> impl Iterator<Item = Argument> {
        let end = (!self.dash_operands.is_empty()).then(|| Argument::from("--".to_owned()));
        let program = [Argument::from("patdeck".to_owned())].into_iter();
        program.chain(self.arguments.clone()).chain(end).chain(self.dash_operands.clone())
    }
}

impl fmt::Display for CommandLine {
    /// Prints the line with quotes for a POSIX shell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.all_arguments().map(|word| word.to_string()).collect();
        f.write_str(&words.join(" "))
    }
}

/// Returns the command line for `command`, or `None` if only the app has this command. A single
/// token that `token` finds is given by name. All other tokens are given by id.
pub fn of_command<'a>(
    command: &Command,
    token: impl Fn(&TokenId) -> Option<&'a Token>,
) -> Option<CommandLine> {
    let names = |ids: &[TokenId]| -> Vec<String> {
        match ids {
            [id] => vec![token(id).map_or_else(|| id.to_string(), name_or_id)],
            several => several.iter().map(ToString::to_string).collect(),
        }
    };
    let on = |text: &str, ids: &[TokenId]| CommandLine::new(text).operands(names(ids));
    Some(match command {
        Command::Create { token, secret_file } => {
            of_create(token).optional("--secret-file", secret_file.as_ref())
        }
        Command::Edit { token, changes } => on("edit", &[*token])
            .optional("--name", changes.name.as_ref())
            .optional("--description", changes.description.as_ref().map(Description::as_str))
            .optional("--owner", changes.owner.as_ref().map(Owner::as_str))
            .labels(&changes.labels.set)
            .repeated("--remove-label", &changes.labels.removed)
            .limits(&changes.limits),
        Command::AddScopes { tokens, scopes } => {
            let names = names(tokens);
            let (first, others) = names.split_first()?;
            let line =
                CommandLine::new("scope add").operand(first).operands(scope_arguments(scopes));
            others.iter().fold(line, |line, other| line.option("--also", other))
        }
        Command::RemoveScopes { tokens, scopes } => {
            let [token] = tokens.as_slice() else { return None };
            match scopes {
                ScopesToRemove::Listed(scopes) => {
                    on("scope remove", &[*token]).operands(scope_arguments(scopes))
                }
                ScopesToRemove::All => on("scope clear", &[*token]),
            }
        }
        Command::ChangeScopes { token, added, removed } => {
            let line = on("scope change", &[*token]).repeated("--add", &scope_arguments(added));
            line.repeated("--remove", &scope_arguments(removed))
        }
        Command::Revoke { tokens } => on("revoke", tokens),
        Command::EndOverlap { tokens } => on("revoke --old", tokens),
        Command::Regenerate { tokens, lifetime, overlap, secret_file } => {
            let line = on("regenerate", tokens).optional("--lifetime", lifetime.as_ref());
            let overlap = (*overlap != SecretOverlap::None).then(|| overlap.as_str());
            line.optional("--overlap", overlap).optional("--secret-file", secret_file.as_ref())
        }
        Command::Delete { tokens: TokensToDelete::Listed(tokens) } => on("delete", tokens),
        Command::Delete { tokens: TokensToDelete::All } => CommandLine::new("delete --all"),
        Command::AcceptClock => CommandLine::new("clock accept"),
        Command::Restore(TokensToRestore::Token(id)) => {
            CommandLine::new("restore").operand(id.to_string())
        }
        Command::Restore(TokensToRestore::Deletion(_) | TokensToRestore::LastDeletion)
        | Command::RevokeLeaked { .. }
        | Command::Revert(_)
        | Command::RecordDelivery { .. }
        | Command::PurgeTrash => return None,
    })
}

fn of_create(token: &NewToken) -> CommandLine {
    let description = Some(token.description.as_str()).filter(|text| !text.is_empty());
    let owner = Some(token.owner.as_str()).filter(|text| !text.is_empty());
    let line = CommandLine::new("create")
        .operand(token.name.as_str())
        .option("--lifetime", token.lifetime)
        .optional("--description", description)
        .optional("--owner", owner)
        .labels(token.labels.iter())
        .limits(&token.limits);
    scope_arguments(&token.scopes)
        .into_iter()
        .fold(line, |line, scopes| line.option("--scope", scopes))
}

/// The command line that checks an access request. It reads the secret from standard input.
pub fn of_check(request: &AccessRequest, from: Option<&str>) -> CommandLine {
    let line = CommandLine::new("verify").option("--scope", request.as_scope());
    line.optional("--from", from)
}

/// The command line that prints the token.
pub fn of_token(token: &Token) -> CommandLine {
    CommandLine::new("show").operand(name_or_id(token))
}

/// The command line that prints the list.
pub fn of_list(query: &ListQuery) -> CommandLine {
    let (option, shown) = match query.status {
        StatusFilter::Active => ("--status", "active"),
        StatusFilter::Expiring => ("--expiring", "7d"),
        StatusFilter::NotYetValid => ("--status", "not-yet-valid"),
        StatusFilter::Expired => ("--status", "expired"),
        StatusFilter::Revoked => ("--status", "revoked"),
        StatusFilter::All => ("--status", "all"),
    };
    let search = (!query.search.is_empty()).then_some(&query.search);
    let column = query.sort.column.as_str().to_lowercase().replace(' ', "-");
    let descending = if query.sort.descending { "-" } else { "" };
    CommandLine::new("list")
        .option(option, shown)
        .optional("--search", search)
        .option("--sort", format!("{descending}{column}"))
}

/// The command line that prints the figures of the overview.
pub fn of_status() -> CommandLine {
    CommandLine::new("status")
}

/// The command line that prints the events of a token, of an action and of an actor, and those that `search`
/// matches; `None` is any. A token is given by id, because it may be deleted.
pub fn of_trail(
    token: Option<TokenId>,
    action: Option<AuditAction>,
    (actor, search): (Option<&str>, Option<&str>),
) -> CommandLine {
    let trail = CommandLine::new("audit").optional("--token", token);
    let trail = trail.optional("--action", action.map(AuditAction::verb));
    trail.optional("--actor", actor).optional("--search", search)
}

/// The name of the token, or its id if the name looks like an option or an id.
fn name_or_id(token: &Token) -> String {
    let name = token.name.as_str();
    let is_plain = !name.starts_with('-') && TokenId::parse(name).is_none();
    if is_plain { name } else { token.id.as_str() }.to_owned()
}

/// Formats `scopes` as arguments. Adjacent scopes that differ only in the operation share one
/// argument.
fn scope_arguments(scopes: &[Scope]) -> Vec<String> {
    let same = |a: &Scope, b: &Scope| {
        (a.entity_type, &a.entity, &a.domain) == (b.entity_type, &b.entity, &b.domain)
    };
    let argument = |group: &[Scope]| {
        let first = group.first()?;
        let operations: Vec<_> = group.iter().map(|scope| scope.operation.as_str()).collect();
        let domain = first.domain.as_ref().map_or_else(String::new, |d| format!("@{d}"));
        let operations = operations.join(",");
        Some(format!("{}:{}:{operations}{domain}", first.entity_type, first.entity))
    };
    scopes.chunk_by(same).filter_map(argument).collect()
}

/// Quotes `text` as a single word for a POSIX shell.
fn quote(text: &str) -> String {
    // A shell may expand a word that begins with `=`.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,=".contains(c);
    if !text.is_empty() && !text.starts_with('=') && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
