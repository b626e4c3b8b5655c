//! The commands that change tokens. Builds a [`Command`] from the arguments, previews it, asks for
//! the confirmation that the plan requires, executes it, and delivers new secrets. The rules are in
//! `domain`, the messages about the result in `change_results`.

use std::io;

use serde_json::json;

use super::{
    args::{Create, Delete, Edit, Regenerate, Revoke, ScopeSubcommand},
    change_results::print_committed,
    confirmation_args::ConfirmationArgs,
    exit::{CliError, Exit},
    label_args::LabelArgs,
    print::{Output, json_line, print_message},
    prompt::{act, confirm_after},
    scope_args::{ScopeList, merge_scopes},
    token_selection::{matching_ids, no_match, preview, query_of, resolve_names},
};
use crate::{
    domain::{
        Command, Description, FieldChanges, LabelChanges, Name, NameError, NewToken, Plan, Refusal,
        Scope, ScopePresetError, Scopes, ScopesToRemove, Search, Secret, Token, TokensToDelete,
        TokensToRestore,
    },
    output::{
        advice,
        json::{format_time, token_json},
        question::{immediate_effects, question},
        secret_format::SecretFormat,
    },
    service::{Service, ServiceError},
};

/// How often the tokens of a search are selected if other processes change them meanwhile.
const MAX_SELECTIONS: usize = 10;

/// Executes the change that `arguments` describe, after the operator has confirmed it.
pub(super) fn change(
    service: &Service,
    arguments: &super::CliCommand,
    out: &Output,
) -> Result<Exit, CliError> {
    let ConfirmationArgs { yes, dry_run } = confirmation(arguments);
    let only_ends =
        matches!(arguments, super::CliCommand::Revoke(_) | super::CliCommand::Delete(_));
    if !only_ends && !dry_run {
        service.store_pending_endings()?;
    }
    // Without a question, the tokens are meant that match when the change is made.
    let selects_again = yes && search_of(arguments).is_some();
    let mut selections = 1..MAX_SELECTIONS;
    loop {
        let command = match command(service, arguments) {
            Err(error) => return end_stale_deletion(service, arguments, error),
            command => command?.ok_or_else(CliError::not_run)?,
        };
        let format = secret_format(arguments);
        if out.json && format != SecretFormat::Secret {
            return Err(CliError::usage("--format cannot be combined with --json"));
        }
        let Selected { command, plan, lines } = select(service, arguments, command)?;
        if dry_run {
            return print_dry_run(&plan, lines, out);
        }
        if plan.job.is_some() && !yes {
            print_message(&advice::job_notice());
        }
        confirm_after(&plan, lines, yes)?;
        let printing =
            &mut |token: &Token, secret: &Secret| print_secret(token, secret, format, out);
        let mut proof = plan.confirm();
        if let Some(search) = search_of(arguments) {
            proof = proof.for_matches_of(query_of(service, search));
        }
        match service.execute_printing(&command, &proof, printing) {
            Err(
                ServiceError::ChangedMeanwhile { .. } | ServiceError::Refused(Refusal::NotFound(_)),
            ) if selects_again && selections.next().is_some() => {}
            committed => return print_committed(&committed?, out),
        }
    }
}

/// A command with its plan.
struct Selected {
    command: Command,
    plan: Plan,
    /// Describes the tokens that a search has selected.
    lines: Vec<String>,
}

/// Plans `command`. A search selects the tokens that can be changed; each named token must be changed.
fn select(
    service: &Service,
    arguments: &super::CliCommand,
    mut command: Command,
) -> Result<Selected, CliError> {
    let mut plan = service.preview(&command)?;
    let Some(search) = search_of(arguments) else {
        plan.require_all().map_err(ServiceError::from)?;
        return Ok(Selected { command, plan, lines: Vec::new() });
    };
    let lines = preview(&plan);
    let mut selections = 0..MAX_SELECTIONS;
    // Another process can change or delete a selected token before it is in the plan.
    while plan.change_count() > 0 && selections.next().is_some() {
        command = command.for_tokens(matching_ids(service, search, &plan)?);
        plan = service.preview(&command)?;
        if plan.require_all().is_ok() {
            return Ok(Selected { command, plan, lines });
        }
    }
    match plan.require_all() {
        Ok(()) => Ok(Selected { command, plan, lines }),
        Err(Refusal::NotFound(_)) => Err(no_match()),
        Err(refusal) => Err(ServiceError::from(refusal).into()),
    }
}

/// Ends a deleted token that `arguments` revoke or delete for good, if its record is out of date. Returns
/// `error`, the error of the command, for any other token.
fn end_stale_deletion(
    service: &Service,
    arguments: &super::CliCommand,
    error: CliError,
) -> Result<Exit, CliError> {
    let names = match arguments {
        super::CliCommand::Revoke(args) => &args.tokens.tokens,
        super::CliCommand::Delete(args) => &args.tokens.tokens,
        _ => return Err(error),
    };
    let [name] = names.as_slice() else { return Err(error) };
    let Some(token) = service.stale_deletion(name)? else { return Err(error) };
    if !confirmation(arguments).yes {
        let hint = "an older copy of the store was put back, and the token was restored since: add --yes to \
                    end it for good, also in the newer store";
        return Err(error.with_hint(hint));
    }
    service.end_stale_deletion(&token)?;
    print_message(&format!("Ended {} for good, also in the newer store", token.name));
    Ok(Exit::Done)
}

/// Returns the change that `arguments` describe, or `None` for a command that changes no token.
fn command(service: &Service, arguments: &super::CliCommand) -> Result<Option<Command>, CliError> {
    Ok(Some(match arguments {
        super::CliCommand::Create(args) => create(service, args)?,
        super::CliCommand::Edit(args) => edit(service, args)?,
        super::CliCommand::Scope(args) => scope(service, args)?,
        super::CliCommand::Revoke(args) => revoke(service, args)?,
        super::CliCommand::Regenerate(args) => regenerate(service, args)?,
        super::CliCommand::Delete(args) => delete(service, args)?,
        super::CliCommand::Restore { token } => {
            Command::Restore(TokensToRestore::Token(service.resolve_deleted(token)?.id))
        }
        super::CliCommand::List(_)
        | super::CliCommand::Show { .. }
        | super::CliCommand::Status
        | super::CliCommand::Demo
        | super::CliCommand::Verify(_)
        | super::CliCommand::Audit(_)
        | super::CliCommand::Scan(_)
        | super::CliCommand::Export(_)
        | super::CliCommand::Import(_)
        | super::CliCommand::Compact
        | super::CliCommand::Backup(_)
        | super::CliCommand::Clock(_)
        | super::CliCommand::Hooks(_)
        | super::CliCommand::Completions { .. }
        | super::CliCommand::Help { .. }
        | super::CliCommand::Man
        | super::CliCommand::Config(_)
        | super::CliCommand::Doctor(_) => return Ok(None),
    }))
}

/// The form in which a new secret is printed.
fn secret_format(arguments: &super::CliCommand) -> SecretFormat {
    match arguments {
        super::CliCommand::Create(args) => args.secret_output.format,
        super::CliCommand::Regenerate(args) => args.secret_output.format,
        _ => SecretFormat::default(),
    }
}

/// How the change is to be confirmed.
fn confirmation(arguments: &super::CliCommand) -> ConfirmationArgs {
    match arguments {
        super::CliCommand::Scope(ScopeSubcommand::Clear { confirmation, .. }) => *confirmation,
        super::CliCommand::Revoke(args) => args.confirmation,
        super::CliCommand::Regenerate(args) => args.confirmation,
        super::CliCommand::Delete(args) => args.confirmation,
        _ => ConfirmationArgs::default(),
    }
}

/// Prints what `plan` would change: each token as JSON, or the lines of the confirmation. `lines`
/// describes the tokens that a search has selected; it is empty for named tokens.
fn print_dry_run(plan: &Plan, lines: Vec<String>, out: &Output) -> Result<Exit, CliError> {
    if out.json {
        plan.tokens_before().try_for_each(|token| out.object(token_json(token, plan.at)))?;
    } else {
        out.line(&format!("Would {}:", act(&question(plan))))?;
        let tokens = if lines.is_empty() { preview(plan) } else { lines };
        let mut lines = tokens.into_iter().chain(immediate_effects(plan, format_time));
        lines.try_for_each(|line| out.line(&line))?;
    }
    print_message("Nothing was changed");
    Ok(Exit::Done)
}

/// The search that selects the tokens.
fn search_of(arguments: &super::CliCommand) -> Option<&Search> {
    let selection = match arguments {
        super::CliCommand::Revoke(args) => &args.tokens,
        super::CliCommand::Regenerate(args) => &args.tokens,
        super::CliCommand::Delete(args) => &args.tokens,
        _ => return None,
    };
    selection.search.as_ref()
}

fn create(service: &Service, args: &Create) -> Result<Command, CliError> {
    let template = args.like.as_deref().map(|source| {
        let id = service.resolve(source)?.id;
        service.template_from(&id)
    });
    let template = template.transpose()?;
    let given = args.description.as_deref().map(Description::parse).transpose();
    let inherited = || template.as_ref().map(|template| template.description.clone());
    let default = service.policy().default_lifetime;
    let lifetime = template.as_ref().map_or(default, |template| template.lifetime);
    let inherited_limits = template.as_ref().map(|template| template.limits.clone());
    let inherited_limits = inherited_limits.unwrap_or_default();
    let inherited_owner = || template.as_ref().map(|template| template.owner.clone());
    let inherited_labels = template.as_ref().map(|template| template.labels.clone());
    let LabelArgs { labels, owner } = &args.labels;
    let labels = LabelChanges { set: labels.clone(), removed: Vec::new() };
    let labels = inherited_labels.unwrap_or_default().changed(&labels).map_err(Refusal::from);
    let inherited_scopes = template.iter().flat_map(|template| template.scopes.clone());
    let presets = expand_presets(service, &args.presets)?;
    let scopes = merge_scopes(inherited_scopes.chain(presets), flatten(&args.scopes))
        .map_err(ServiceError::from)?;
    let token = NewToken {
        name: Name::parse(&args.name).map_err(|error| text_error("name", error))?,
        description: given
            .map_err(|error| text_error("description", error))?
            .or_else(inherited)
            .unwrap_or_default(),
        lifetime: args.lifetime.unwrap_or(lifetime),
        scopes,
        limits: args.limits.changes().map_err(CliError::usage)?.or(inherited_limits),
        labels: labels.map_err(ServiceError::from)?,
        owner: owner.clone().or_else(inherited_owner).unwrap_or_default(),
    };
    Ok(Command::Create { token, secret_file: args.secret_output.file() })
}

/// The error for a text of an argument, which names the argument if its text is too long.
fn text_error(argument: &str, error: NameError) -> CliError {
    match error {
        NameError::TooLong { .. } => {
            CliError::new(Exit::Refused, format!("the {argument} is {error}"))
        }
        error => ServiceError::from(error).into(),
    }
}

fn edit(service: &Service, args: &Edit) -> Result<Command, CliError> {
    let token = service.resolve(&args.token)?.id;
    let name = args.name.as_deref().map(Name::parse).transpose();
    let description = args.description.as_deref().map(Description::parse).transpose();
    let LabelArgs { labels, owner } = &args.labels;
    let changes = FieldChanges {
        name: name.map_err(|error| text_error("name", error))?,
        description: description.map_err(|error| text_error("description", error))?,
        limits: args.limits.changes().map_err(CliError::usage)?,
        labels: LabelChanges { set: labels.clone(), removed: args.removed_labels.clone() },
        owner: owner.clone(),
    };
    Ok(Command::Edit { token, changes })
}

fn scope(service: &Service, args: &ScopeSubcommand) -> Result<Command, CliError> {
    Ok(match args {
        ScopeSubcommand::Add { token, scopes, presets, also } => {
            let names: Vec<_> = [token].into_iter().chain(also).cloned().collect();
            let tokens = resolve_names(&names, |name| Ok(service.resolve(name)?.id))?;
            let scopes = [expand_presets(service, presets)?, flatten(scopes)].concat();
            if scopes.is_empty() {
                return Err(ServiceError::from(ScopePresetError::NothingToAdd).into());
            }
            Command::AddScopes { tokens, scopes }
        }
        ScopeSubcommand::Remove { token, scopes } => Command::RemoveScopes {
            tokens: vec![service.resolve(token)?.id],
            scopes: ScopesToRemove::Listed(flatten(scopes)),
        },
        ScopeSubcommand::Change { token, added, removed } => Command::ChangeScopes {
            token: service.resolve(token)?.id,
            added: flatten(added),
            removed: flatten(removed),
        },
        ScopeSubcommand::Clear { token, .. } => Command::RemoveScopes {
            tokens: vec![service.resolve(token)?.id],
            scopes: ScopesToRemove::All,
        },
    })
}

fn revoke(service: &Service, args: &Revoke) -> Result<Command, CliError> {
    let tokens = args.tokens.resolve(service, |name| Ok(service.resolve(name)?.id))?;
    Ok(if args.old { Command::EndOverlap { tokens } } else { Command::Revoke { tokens } })
}

fn regenerate(service: &Service, args: &Regenerate) -> Result<Command, CliError> {
    let tokens = args.tokens.resolve(service, |name| Ok(service.resolve(name)?.id))?;
    let secret_file = args.secret_output.file();
    if tokens.len() > 1 && secret_file.is_none() {
        return Err(CliError::usage("cannot print the secrets of more than one token").with_hint(
            "write them to a new file with --secret-file (name, tab, secret on each line)",
        ));
    }
    Ok(Command::Regenerate { tokens, lifetime: args.lifetime, overlap: args.overlap, secret_file })
}

fn delete(service: &Service, args: &Delete) -> Result<Command, CliError> {
    let tokens = if args.all {
        TokensToDelete::All
    } else {
        TokensToDelete::Listed(args.tokens.resolve(service, |name| service.resolve_id(name))?)
    };
    Ok(Command::Delete { tokens })
}

/// Returns the scopes that the presets grant, without duplicates.
fn expand_presets(service: &Service, presets: &[String]) -> Result<Vec<Scope>, ServiceError> {
    let mut scopes = Scopes::default();
    for preset in presets {
        scopes.add_missing(service.policy().catalogue.expand_preset(preset)?)?;
    }
    Ok(scopes.as_slice().to_vec())
}

fn flatten(lists: &[ScopeList]) -> Vec<Scope> {
    lists.iter().flat_map(|list| list.0.iter().cloned()).collect()
}

/// Prints the new secret of `token` on standard output in the form `format`. Returns an error if the
/// reader closed the output, so that the secret is not issued.
fn print_secret(
    token: &Token,
    secret: &Secret,
    format: SecretFormat,
    out: &Output,
) -> io::Result<()> {
    if out.json {
        let token = token_json(token, token.issued);
        out.deliver(&json_line(json!({ "token": token, "secret": secret.reveal() })))
    } else {
        out.deliver(&format.text(secret, &token.name))
    }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
