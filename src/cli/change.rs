//! The commands that change tokens. Each is one call of the service, asked for by the typed
//! name where it destroys.

use std::io;

use serde_json::json;

use super::{
    args::{Create, Delete, Edit, Handout, Regenerate, Revoke, ScopeCommand, ScopeList},
    exit::{Exit, Failure},
    print::{Output, tell},
    prompt::confirm,
};
use crate::{
    domain::{Description, Name, Overlap, Pat, PresetError, Scope, Scopes, Status, TokenId},
    json::token,
    output::advice,
    service::{
        Claim, Issued, NewPat, Renewal, Service, ServiceError,
        handout::{HandoutError, Waiting},
    },
};

/// Makes a token and hands its secret over.
pub(super) fn create(service: &Service, args: &Create, out: &Output) -> Result<Exit, Failure> {
    let like = args.like.as_deref().map(|model| {
        let id = service.find(model)?.id;
        service.like(&id)
    });
    let like = like.transpose()?;
    let given = args.description.as_deref().map(Description::parse).transpose();
    let described = || like.as_ref().map(|like| like.description.clone());
    let usual = like.as_ref().map_or(service.policy().default_lifetime, |like| like.lifetime);
    let mut scopes = Scopes::default();
    let held = like.iter().flat_map(|like| like.scopes.clone());
    scopes.add_missing(held).map_err(ServiceError::from)?;
    granted(service, &args.presets, &mut scopes)?;
    let new = NewPat {
        name: Name::parse(&args.name).map_err(ServiceError::from)?,
        description: given.map_err(ServiceError::from)?.or_else(described).unwrap_or_default(),
        lifetime: args.lifetime.unwrap_or(usual),
        scopes: scopes.iter().cloned().chain(flat(&args.scopes)).collect(),
    };
    let waiting = waiting(&args.handout)?;
    let issued = service.create(&new)?;
    tell(&format!("{} is created, id {}", issued.pat.name, issued.pat.id));
    hand_over(service, &issued, waiting, out)
}

/// Gives tokens a new secret and hands it over: one as it is, several in a file.
pub(super) fn regenerate(
    service: &Service,
    args: &Regenerate,
    out: &Output,
) -> Result<Exit, Failure> {
    let pats = found(service, &args.tokens)?;
    let [pat] = pats.as_slice() else {
        return regenerate_many(service, &pats, args, out);
    };
    let now = service.now()?;
    if pat.status(now) == Status::Active && args.overlap == Overlap::None {
        let what = format!("The old secret of {} stops working at once", pat.name);
        confirm(&what, pat.name.as_str(), args.yes)?;
    }
    let lifetime = args.lifetime.unwrap_or(service.policy().default_lifetime);
    let waiting = waiting(&args.handout)?;
    let issued = service.regenerate(&pat.id, Renewal { lifetime, overlap: args.overlap })?;
    tell(&format!("{} has a new secret", issued.pat.name));
    hand_over(service, &issued, waiting, out)
}

fn regenerate_many(
    service: &Service,
    pats: &[Pat],
    args: &Regenerate,
    out: &Output,
) -> Result<Exit, Failure> {
    let file = args.handout.secret_file.as_deref().ok_or_else(|| {
        Failure::usage(
            "several secrets need a file: name a new one with --secret-file, it gets a name, a \
             tab and a secret in each line",
        )
    })?;
    let now = service.now()?;
    let active = pats.iter().filter(|pat| pat.status(now) == Status::Active).count();
    if active > 0 && args.overlap == Overlap::None {
        let what = format!("The old secrets of {active} active tokens stop working at once");
        confirm(&what, &pats.len().to_string(), args.yes)?;
    }
    let lifetime = args.lifetime.unwrap_or(service.policy().default_lifetime);
    let ids: Vec<_> = pats.iter().map(|pat| pat.id).collect();
    let renewal = Renewal { lifetime, overlap: args.overlap };
    let (renewed, file) = service.regenerate_many(&ids, renewal, file)?;
    tell(&format!("{} secrets are written to {}, mode 0600", renewed.len(), file.display()));
    done(service, out, &renewed, "regenerated")
}

/// The file that is to take the secret, made before anything is changed: one that is refused
/// costs no secret.
fn waiting(to: &Handout) -> Result<Option<Waiting>, Failure> {
    let refused = |error: HandoutError| Failure::Told(Exit::Refused, error.to_string());
    to.secret_file.as_deref().map(Waiting::at).transpose().map_err(refused)
}

/// Prints the bare secret, or writes it to the file that waits for it; then the token counts as
/// claimed. A secret that could not be handed over stays unclaimed, and the failure says what to
/// do.
fn hand_over(
    service: &Service,
    issued: &Issued,
    to: Option<Waiting>,
    out: &Output,
) -> Result<Exit, Failure> {
    let Issued { pat, secret } = issued;
    let lost = |reason: String| {
        let advice = format!("nobody has the secret of {0}: regenerate or delete {0}", pat.name);
        Failure::Told(Exit::Refused, format!("{reason}; {advice}"))
    };
    let unprinted = |error: io::Error| lost(format!("the secret could not be printed ({error})"));
    let object = |secret: Option<&str>| {
        out.object(json!({ "token": token(pat, pat.issued), "secret": secret }))
    };
    let how = if let Some(waiting) = to {
        let path = waiting.fill(secret).map_err(|error| lost(error.to_string()))?;
        tell(&format!("the secret is written to {}, mode 0600", path.display()));
        Claim::Written
    } else if out.json {
        object(Some(secret.reveal())).map_err(unprinted)?;
        Claim::Printed
    } else {
        out.line(secret.reveal()).map_err(unprinted)?;
        Claim::Printed
    };
    // The secret is out: from here on nothing may look like a failure to make it.
    if let Err(error) = service.claim(&pat.id, &pat.digest, how) {
        tell(&format!(
            "that the secret was taken could not be noted ({}): the app will ask about {}",
            advice::message(&error),
            pat.name
        ));
    }
    if out.json && how == Claim::Written {
        object(None)?;
    }
    Ok(Exit::Done)
}

/// Changes name and description.
pub(super) fn edit(service: &Service, args: &Edit, out: &Output) -> Result<Exit, Failure> {
    let pat = service.find(&args.token)?;
    let name = args.name.as_deref().map_or(Ok(pat.name.clone()), Name::parse);
    let description =
        args.description.as_deref().map_or(Ok(pat.description.clone()), Description::parse);
    let name = name.map_err(ServiceError::from)?;
    let description = description.map_err(ServiceError::from)?;
    let (pat, _) = service.edit(&pat.id, &name, &description)?;
    done(service, out, &[pat], "saved")
}

/// Adds, removes or clears scopes.
pub(super) fn scope(
    service: &Service,
    command: &ScopeCommand,
    out: &Output,
) -> Result<Exit, Failure> {
    let pat = match command {
        ScopeCommand::Add { token, scopes, presets, also } if !also.is_empty() => {
            let names: Vec<_> = [token].into_iter().chain(also).cloned().collect();
            let ids: Vec<_> = found(service, &names)?.iter().map(|pat| pat.id).collect();
            let mut wanted = granted(service, presets, &mut Scopes::default())?;
            wanted.extend(flat(scopes));
            let pats = service.add_scopes_many(&ids, &wanted)?;
            return done(service, out, &pats, "saved");
        }
        ScopeCommand::Add { token, scopes, presets, .. } => {
            let Pat { id, scopes: mut held, .. } = service.find(token)?;
            let mut wanted = granted(service, presets, &mut held)?;
            wanted.extend(flat(scopes));
            if wanted.is_empty() {
                return Err(ServiceError::from(PresetError::Nothing).into());
            }
            let (pat, added, _) = service.add_scopes(&id, &wanted)?;
            for gone in &added.absorbed {
                tell(&format!("{gone} went: * covers it"));
            }
            pat
        }
        ScopeCommand::Remove { token, scopes } => {
            let id = service.find(token)?.id;
            service.remove_scopes(&id, &flat(scopes))?.0
        }
        ScopeCommand::Clear { token, yes } => {
            let pat = service.find(token)?;
            let what = format!("Every scope of {} is removed", pat.name);
            confirm(&what, pat.name.as_str(), *yes)?;
            service.clear_scopes(&pat.id)?.0
        }
    };
    done(service, out, &[pat], "saved")
}

/// Ends tokens, all of them or none.
pub(super) fn revoke(service: &Service, args: &Revoke, out: &Output) -> Result<Exit, Failure> {
    if args.old {
        let verb = "without its old secret";
        let ids = chosen(service, &args.tokens, verb, args.yes)?;
        // Ending one twice does no harm, so a run that broke off can be done again.
        let ended: Result<Vec<_>, _> = ids.iter().map(|id| service.end_overlap(id)).collect();
        return done(service, out, &ended?, verb);
    }
    let ids = chosen(service, &args.tokens, "revoked", args.yes)?;
    let pats = service.revoke_many(&ids)?;
    done(service, out, &pats, "revoked")
}

/// Deletes tokens, all of them or none.
pub(super) fn delete(service: &Service, args: &Delete, out: &Output) -> Result<Exit, Failure> {
    if args.all {
        let count = service.load()?.pats.len();
        let what = match count {
            1 => "The only token is deleted".to_owned(),
            _ => format!("All {count} tokens are deleted"),
        };
        confirm(&what, &count.to_string(), args.yes)?;
        let (count, _) = service.delete_all(count)?;
        if out.json {
            out.object(json!({ "deleted": count }))?;
        } else {
            tell(&format!("{count} tokens are deleted"));
        }
        return Ok(Exit::Done);
    }
    let ids = chosen(service, &args.tokens, "deleted", args.yes)?;
    let (pats, _) = service.delete_many(&ids)?;
    done(service, out, &pats, "deleted")
}

/// Brings back a deleted token.
pub(super) fn restore(service: &Service, name: &str, out: &Output) -> Result<Exit, Failure> {
    let pat = service.restore(name)?;
    done(service, out, &[pat], "back, with its secret")
}

/// The tokens that `names` name, once the operator has confirmed them: one by its name, several
/// by their count.
fn chosen(
    service: &Service,
    names: &[String],
    verb: &str,
    yes: bool,
) -> Result<Vec<TokenId>, Failure> {
    let pats = found(service, names)?;
    match pats.as_slice() {
        [pat] => confirm(&format!("{} is {verb}", pat.name), pat.name.as_str(), yes)?,
        several => {
            let names: Vec<_> = several.iter().map(|pat| pat.name.as_str()).collect();
            let what = format!("{} are {verb}", names.join(", "));
            confirm(&what, &several.len().to_string(), yes)?;
        }
    }
    Ok(pats.iter().map(|pat| pat.id).collect())
}

/// The tokens that `names` name, each once.
fn found(service: &Service, names: &[String]) -> Result<Vec<Pat>, Failure> {
    let mut pats: Vec<Pat> = Vec::new();
    for name in names {
        let pat = service.find(name)?;
        if !pats.iter().any(|other| other.id == pat.id) {
            pats.push(pat);
        }
    }
    Ok(pats)
}

fn done(service: &Service, out: &Output, pats: &[Pat], verb: &str) -> Result<Exit, Failure> {
    let now = service.now()?;
    for pat in pats {
        if out.json {
            out.object(json!({ "token": token(pat, now) }))?;
        } else {
            tell(&format!("{} is {verb}", pat.name));
        }
    }
    Ok(Exit::Done)
}

/// Adds to `held` what it misses of what these presets grant; what that was.
fn granted(
    service: &Service,
    presets: &[String],
    held: &mut Scopes,
) -> Result<Vec<Scope>, ServiceError> {
    let mut missing = Vec::new();
    for preset in presets {
        let granted = service.policy().catalogue.by_preset(preset)?;
        missing.extend(held.add_missing(granted)?);
    }
    Ok(missing)
}

fn flat(lists: &[ScopeList]) -> Vec<Scope> {
    lists.iter().flat_map(|list| list.0.iter().cloned()).collect()
}
