//! The commands that change tokens: builds a [`Command`] from the arguments, shows its plan,
//! asks what the plan says, executes it, and delivers new secrets. Contains no rule.

use std::io;

use serde_json::json;

use super::{
    args::{Create, Delete, Edit, Regenerate, Revoke, ScopeCommand, ScopeList},
    exit::{Exit, Failure},
    print::{Output, tell},
    prompt::confirm,
};
use crate::{
    domain::{
        Command, Confirmed, Delivery, Description, Name, NewToken, Pat, Plan, PresetError,
        RestoreTarget, Scope, ScopeSelection, Scopes, TokenId, TokenSelection, Warning,
    },
    json::token,
    output::{advice, question::count},
    service::{Committed, Issued, Service, ServiceError},
};

/// Executes the change that `arguments` describe, once the operator has confirmed it.
pub(super) fn change(
    service: &Service,
    arguments: &super::Command,
    out: &Output,
) -> Result<Exit, Failure> {
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
fn command(service: &Service, arguments: &super::Command) -> Result<Option<Command>, Failure> {
    Ok(Some(match arguments {
        super::Command::Create(args) => create(service, args)?,
        super::Command::Edit(args) => edit(service, args)?,
        super::Command::Scope(args) => scope(service, args)?,
        super::Command::Revoke(args) => revoke(service, args)?,
        super::Command::Regenerate(args) => regenerate(service, args)?,
        super::Command::Delete(args) => delete(service, args)?,
        super::Command::Restore { token } => {
            Command::Restore(RestoreTarget::Token(service.find_deleted(token)?.id))
        }
        super::Command::List(_)
        | super::Command::Show { .. }
        | super::Command::Verify(_)
        | super::Command::Audit(_)
        | super::Command::Scan(_)
        | super::Command::Export(_)
        | super::Command::Import(_)
        | super::Command::Backup(_)
        | super::Command::Completions { .. }
        | super::Command::Man
        | super::Command::Config(_)
        | super::Command::Doctor => return Ok(None),
    }))
}

/// Whether the arguments confirm the change.
fn has_yes(arguments: &super::Command) -> bool {
    match arguments {
        super::Command::Scope(ScopeCommand::Clear { yes, .. }) => *yes,
        super::Command::Revoke(args) => args.yes,
        super::Command::Regenerate(args) => args.yes,
        super::Command::Delete(args) => args.yes,
        _ => false,
    }
}

fn create(service: &Service, args: &Create) -> Result<Command, Failure> {
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

fn edit(service: &Service, args: &Edit) -> Result<Command, Failure> {
    let token = service.find(&args.token)?.id;
    let name = args.name.as_deref().map(Name::parse).transpose();
    let description = args.description.as_deref().map(Description::parse).transpose();
    Ok(Command::Edit {
        token,
        name: name.map_err(ServiceError::from)?,
        description: description.map_err(ServiceError::from)?,
    })
}

fn scope(service: &Service, args: &ScopeCommand) -> Result<Command, Failure> {
    Ok(match args {
        ScopeCommand::Add { token, scopes, presets, also } => {
            let names: Vec<_> = [token].into_iter().chain(also).cloned().collect();
            let tokens = resolve(service, &names)?;
            let scopes = [expand_presets(service, presets)?, flatten(scopes)].concat();
            if scopes.is_empty() {
                return Err(ServiceError::from(PresetError::Nothing).into());
            }
            Command::AddScopes { tokens, scopes }
        }
        ScopeCommand::Remove { token, scopes } => Command::RemoveScopes {
            tokens: vec![service.find(token)?.id],
            scopes: ScopeSelection::Listed(flatten(scopes)),
        },
        ScopeCommand::Clear { token, .. } => Command::RemoveScopes {
            tokens: vec![service.find(token)?.id],
            scopes: ScopeSelection::All,
        },
    })
}

fn revoke(service: &Service, args: &Revoke) -> Result<Command, Failure> {
    let tokens = resolve(service, &args.tokens)?;
    Ok(if args.old { Command::EndOverlap { tokens } } else { Command::Revoke { tokens } })
}

fn regenerate(service: &Service, args: &Regenerate) -> Result<Command, Failure> {
    let tokens = resolve(service, &args.tokens)?;
    let secret_file = args.handout.secret_file.clone();
    if tokens.len() > 1 && secret_file.is_none() {
        return Err(Failure::usage(
            "several secrets need a file: name a new one with --secret-file, it gets a name, a \
             tab and a secret in each line",
        ));
    }
    let lifetime = args.lifetime.unwrap_or(service.policy().default_lifetime);
    Ok(Command::Regenerate { tokens, lifetime, overlap: args.overlap, secret_file })
}

fn delete(service: &Service, args: &Delete) -> Result<Command, Failure> {
    let tokens = if args.all {
        TokenSelection::All
    } else {
        TokenSelection::Listed(resolve(service, &args.tokens)?)
    };
    Ok(Command::Delete { tokens })
}

/// The tokens with these names, each once.
fn resolve(service: &Service, names: &[String]) -> Result<Vec<TokenId>, Failure> {
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
) -> Result<Exit, Failure> {
    print_warnings(&committed.plan);
    if let Some(issued) = committed.issued.pop() {
        tell(&done(&committed.plan, &issued.pat));
        return deliver_secret(service, &issued, out);
    }
    let plan = &committed.plan;
    if plan.command == (Command::Delete { tokens: TokenSelection::All }) {
        let deleted = plan.changes.len();
        if out.json {
            out.object(json!({ "deleted": deleted }))?;
        } else {
            tell(&format!("{} are deleted", count(deleted, "token")));
        }
        return Ok(Exit::Done);
    }
    let one_secret = committed.secret_file.is_some() && plan.changes.len() == 1;
    if let (Some(file), false) = (&committed.secret_file, one_secret) {
        let secrets = count(plan.changes.len(), "secret");
        tell(&format!("{secrets} are written to {}, mode 0600", file.display()));
    }
    let now = service.now()?;
    for each in plan.tokens() {
        if one_secret || !out.json {
            tell(&done(plan, each));
        }
        if let (Some(file), true) = (&committed.secret_file, one_secret) {
            tell(&format!("the secret is written to {}, mode 0600", file.display()));
        }
        if out.json {
            let mut value = json!({ "token": token(each, now) });
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
                tell(&format!("{scope} went: * covers it"));
            }
        }
    }
}

/// What was done to `token`, in a sentence.
fn done(plan: &Plan, token: &Pat) -> String {
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
fn deliver_secret(service: &Service, issued: &Issued, out: &Output) -> Result<Exit, Failure> {
    let Issued { pat, secret } = issued;
    let printed = if out.json {
        let token = token(pat, pat.issued);
        out.object(json!({ "token": token, "secret": secret.reveal() }))
    } else {
        out.line(secret.reveal())
    };
    let lost = |error: io::Error| {
        let advice = format!("nobody has the secret of {0}: regenerate or delete {0}", pat.name);
        let reason = format!("the secret could not be printed ({error}); {advice}");
        Failure::Told(Exit::Refused, reason)
    };
    printed.map_err(lost)?;
    let delivery =
        Command::RecordDelivery { token: pat.id, digest: pat.digest, how: Delivery::Printed };
    // The secret is out: an error here must not look like a failure to issue it.
    if let Err(error) = service.execute(&delivery, &Confirmed::NOTHING) {
        tell(&format!(
            "that the secret was taken could not be noted ({}): the app will ask about {}",
            advice::message(&error),
            pat.name
        ));
    }
    Ok(Exit::Done)
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
