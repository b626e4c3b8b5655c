//! The commands that change tokens: builds a [`Command`] from the arguments, shows its plan,
//! asks what the plan says, executes it, and delivers new secrets. Contains no rule.

use std::io;

use serde_json::json;

use super::{
    args::{Create, Delete, Edit, Regenerate, Revoke, ScopeList, ScopeSubcommand},
    exit::{CliError, Exit},
    print::{Output, print_message},
    prompt::confirm,
};
use crate::{
    domain::counted,
    domain::{
        Command, Confirmed, Delivery, Description, Name, NewToken, Plan, PresetError,
        RestoreTarget, Scope, ScopeSelection, Scopes, Token, TokenId, TokenSelection, Warning,
    },
    output::advice,
    output::json::token_value,
    service::{Committed, Issued, Service, ServiceError},
};

/// Executes the change that `arguments` describe, once the operator has confirmed it.
pub(super) fn change(
    service: &Service,
    arguments: &super::CliCommand,
    out: &Output,
) -> Result<Exit, CliError> {
    let Some(command) = command(service, arguments)? else {
        return Ok(Exit::Done);
    };
    let plan = service.preview(&command)?;
    plan.require_all().map_err(ServiceError::from)?;
    confirm(&plan, has_yes(arguments))?;
    let committed = service.execute(&command, &plan.confirmed())?;
    print_committed(service, committed, out)
}

/// The change that `arguments` describe; `None` if they describe none.
fn command(service: &Service, arguments: &super::CliCommand) -> Result<Option<Command>, CliError> {
    Ok(Some(match arguments {
        super::CliCommand::Create(args) => create(service, args)?,
        super::CliCommand::Edit(args) => edit(service, args)?,
        super::CliCommand::Scope(args) => scope(service, args)?,
        super::CliCommand::Revoke(args) => revoke(service, args)?,
        super::CliCommand::Regenerate(args) => regenerate(service, args)?,
        super::CliCommand::Delete(args) => delete(service, args)?,
        super::CliCommand::Restore { token } => {
            Command::Restore(RestoreTarget::Token(service.find_deleted(token)?.id))
        }
        super::CliCommand::List(_)
        | super::CliCommand::Show { .. }
        | super::CliCommand::Verify(_)
        | super::CliCommand::Audit(_)
        | super::CliCommand::Scan(_)
        | super::CliCommand::Export(_)
        | super::CliCommand::Import(_)
        | super::CliCommand::Backup(_)
        | super::CliCommand::Completions { .. }
        | super::CliCommand::Man
        | super::CliCommand::Config(_)
        | super::CliCommand::Doctor => return Ok(None),
    }))
}

/// Whether the arguments confirm the change.
fn has_yes(arguments: &super::CliCommand) -> bool {
    match arguments {
        super::CliCommand::Scope(ScopeSubcommand::Clear { yes, .. }) => *yes,
        super::CliCommand::Revoke(args) => args.yes,
        super::CliCommand::Regenerate(args) => args.yes,
        super::CliCommand::Delete(args) => args.yes,
        _ => false,
    }
}

fn create(service: &Service, args: &Create) -> Result<Command, CliError> {
    let template = args.like.as_deref().map(|model| {
        let id = service.find(model)?.id;
        service.template_from(&id)
    });
    let template = template.transpose()?;
    let given = args.description.as_deref().map(Description::parse).transpose();
    let inherited = || template.as_ref().map(|template| template.description.clone());
    let default = service.policy().default_lifetime;
    let lifetime = template.as_ref().map_or(default, |template| template.lifetime);
    let mut scopes = Scopes::default();
    let inherited_scopes = template.iter().flat_map(|template| template.scopes.clone());
    let presets = expand_presets(service, &args.presets)?;
    scopes.add_missing(inherited_scopes.chain(presets)).map_err(ServiceError::from)?;
    let token = NewToken {
        name: Name::parse(&args.name).map_err(ServiceError::from)?,
        description: given.map_err(ServiceError::from)?.or_else(inherited).unwrap_or_default(),
        lifetime: args.lifetime.unwrap_or(lifetime),
        scopes: scopes.iter().cloned().chain(flatten(&args.scopes)).collect(),
    };
    Ok(Command::Create { token, secret_file: args.handout.secret_file.clone() })
}

fn edit(service: &Service, args: &Edit) -> Result<Command, CliError> {
    let token = service.find(&args.token)?.id;
    let name = args.name.as_deref().map(Name::parse).transpose();
    let description = args.description.as_deref().map(Description::parse).transpose();
    Ok(Command::Edit {
        token,
        name: name.map_err(ServiceError::from)?,
        description: description.map_err(ServiceError::from)?,
    })
}

fn scope(service: &Service, args: &ScopeSubcommand) -> Result<Command, CliError> {
    Ok(match args {
        ScopeSubcommand::Add { token, scopes, presets, also } => {
            let names: Vec<_> = [token].into_iter().chain(also).cloned().collect();
            let tokens = resolve(service, &names)?;
            let scopes = [expand_presets(service, presets)?, flatten(scopes)].concat();
            if scopes.is_empty() {
                return Err(ServiceError::from(PresetError::Nothing).into());
            }
            Command::AddScopes { tokens, scopes }
        }
        ScopeSubcommand::Remove { token, scopes } => Command::RemoveScopes {
            tokens: vec![service.find(token)?.id],
            scopes: ScopeSelection::Listed(flatten(scopes)),
        },
        ScopeSubcommand::Clear { token, .. } => Command::RemoveScopes {
            tokens: vec![service.find(token)?.id],
            scopes: ScopeSelection::All,
        },
    })
}

fn revoke(service: &Service, args: &Revoke) -> Result<Command, CliError> {
    let tokens = resolve(service, &args.tokens)?;
    Ok(if args.old { Command::EndOverlap { tokens } } else { Command::Revoke { tokens } })
}

fn regenerate(service: &Service, args: &Regenerate) -> Result<Command, CliError> {
    let tokens = resolve(service, &args.tokens)?;
    let secret_file = args.handout.secret_file.clone();
    if tokens.len() > 1 && secret_file.is_none() {
        return Err(CliError::usage(
            "several secrets need a file: name a new one with --secret-file, it gets a name, a \
             tab and a secret in each line",
        ));
    }
    let lifetime = args.lifetime.unwrap_or(service.policy().default_lifetime);
    Ok(Command::Regenerate { tokens, lifetime, overlap: args.overlap, secret_file })
}

fn delete(service: &Service, args: &Delete) -> Result<Command, CliError> {
    let tokens = if args.all {
        TokenSelection::All
    } else {
        TokenSelection::Listed(resolve(service, &args.tokens)?)
    };
    Ok(Command::Delete { tokens })
}

/// The tokens with these names, each once.
fn resolve(service: &Service, names: &[String]) -> Result<Vec<TokenId>, CliError> {
    let mut ids = Vec::new();
    for name in names {
        let id = service.find(name)?.id;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// What these presets grant, without repetition.
fn expand_presets(service: &Service, presets: &[String]) -> Result<Vec<Scope>, ServiceError> {
    let mut scopes = Scopes::default();
    for preset in presets {
        scopes.add_missing(service.policy().catalogue.by_preset(preset)?)?;
    }
    Ok(scopes.as_slice().to_vec())
}

fn flatten(lists: &[ScopeList]) -> Vec<Scope> {
    lists.iter().flat_map(|list| list.0.iter().cloned()).collect()
}

/// Prints what was done, and delivers a new secret.
fn print_committed(
    service: &Service,
    mut committed: Committed,
    out: &Output,
) -> Result<Exit, CliError> {
    print_warnings(&committed.plan);
    if let Some(issued) = committed.issued.pop() {
        print_message(&done(&committed.plan, &issued.token));
        return deliver_secret(service, &issued, out);
    }
    let plan = &committed.plan;
    if plan.command == (Command::Delete { tokens: TokenSelection::All }) {
        let deleted = plan.changes.len();
        if out.json {
            out.object(json!({ "deleted": deleted }))?;
        } else {
            print_message(&format!("{} are deleted", counted(deleted, "token")));
        }
        return Ok(Exit::Done);
    }
    let one_secret = committed.secret_file.is_some() && plan.changes.len() == 1;
    if let (Some(file), false) = (&committed.secret_file, one_secret) {
        let secrets = counted(plan.changes.len(), "secret");
        print_message(&format!("{secrets} are written to {}, mode 0600", file.display()));
    }
    let now = service.now()?;
    for each in plan.tokens() {
        if one_secret || !out.json {
            print_message(&done(plan, each));
        }
        if let (Some(file), true) = (&committed.secret_file, one_secret) {
            print_message(&format!("the secret is written to {}, mode 0600", file.display()));
        }
        if out.json {
            let mut value = json!({ "token": token_value(each, now) });
            if one_secret && let Some(fields) = value.as_object_mut() {
                fields.insert("secret".to_owned(), serde_json::Value::Null);
            }
            out.object(value)?;
        }
    }
    Ok(Exit::Done)
}

fn print_warnings(plan: &Plan) {
    for warning in &plan.warnings {
        if let Warning::Absorbs(scopes) = warning {
            for scope in scopes {
                print_message(&format!("{scope} went: * covers it"));
            }
        }
    }
}

/// What was done to `token`, in a sentence.
fn done(plan: &Plan, token: &Token) -> String {
    let name = &token.name;
    match &plan.command {
        Command::Create { .. } => format!("{name} is created, id {}", token.id),
        Command::Revoke { .. } | Command::RevokeLeaked { .. } => format!("{name} is revoked"),
        Command::EndOverlap { .. } => format!("{name} is without its old secret"),
        Command::Regenerate { .. } if plan.changes.len() == 1 => {
            format!("{name} has a new secret")
        }
        Command::Regenerate { .. } => format!("{name} is regenerated"),
        Command::Delete { .. } => format!("{name} is deleted"),
        Command::Restore(_) => format!("{name} is back, with its secret"),
        Command::Edit { .. }
        | Command::AddScopes { .. }
        | Command::RemoveScopes { .. }
        | Command::Revert(_)
        | Command::RecordDelivery { .. }
        | Command::AcceptClock
        | Command::PurgeTrash => format!("{name} is saved"),
    }
}

/// Prints the secret on standard output and records the delivery. If it cannot be printed,
/// nobody has it: the token stays undelivered, and the error says what to do.
fn deliver_secret(service: &Service, issued: &Issued, out: &Output) -> Result<Exit, CliError> {
    let Issued { token, secret } = issued;
    let printed = if out.json {
        let token = token_value(token, token.issued);
        out.object(json!({ "token": token, "secret": secret.reveal() }))
    } else {
        out.line(secret.reveal())
    };
    let lost = |error: io::Error| {
        let advice = format!("nobody has the secret of {0}: regenerate or delete {0}", token.name);
        let reason = format!("the secret could not be printed ({error}); {advice}");
        CliError::Exit(Exit::Refused, reason)
    };
    printed.map_err(lost)?;
    let delivery =
        Command::RecordDelivery { token: token.id, digest: token.digest, how: Delivery::Printed };
    // The secret is out: an error here must not look like a failure to issue it.
    if let Err(error) = service.execute(&delivery, &Confirmed::NOTHING) {
        print_message(&format!(
            "that the secret was taken could not be noted ({}): the app will ask about {}",
            advice::message(&error),
            token.name
        ));
    }
    Ok(Exit::Done)
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
