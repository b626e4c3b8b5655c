//! `verify`: the contract with scripts. Exit 0 is allowed, 1 is denied, everything else is no
//! answer and must be read as denied. A denial tells nothing about a record whose secret did
//! not match.

use std::{fs::File, io, path::PathBuf};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    exit::{Exit, Failure},
    handed,
    print::{Output, tell},
    prompt,
};
use crate::{
    domain::{Decision, Denial, Domain, Pat, Request, Scope},
    json::time,
    service::{Handed, Service},
};

/// A secret to check: from standard input, from a file, or typed unseen on a terminal.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// What the bearer wants to do; without it the secret is only identified
    #[arg(long, value_name = "TYPE:ENTITY:OPERATION")]
    pub scope: Option<Scope>,

    /// Within which domain
    #[arg(long, value_name = "DOMAIN", requires = "scope", value_parser = domain)]
    pub domain: Option<Domain>,

    /// Read the secret from this file instead of standard input
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,

    /// Where the bearer calls from, for the record of its last use
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,

    /// Say which scope allows it, or what is missing and the command that would add it
    #[arg(long)]
    pub explain: bool,
}

fn domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|fault| fault.to_string())
}

/// What came out, whether a request was decided or a secret identified.
struct Answer {
    by: Option<Scope>,
    denial: Option<Denial>,
    pat: Option<Pat>,
}

/// Decides, prints and answers by the exit code.
pub(super) fn verify(service: &Service, args: &Verify, out: &Output) -> Result<Exit, Failure> {
    let request = request(args);
    // A prompt that nobody can see is no answer either; only a decision may end with 0.
    let secret = read(args).map_err(|failure| failure.or_exit(Exit::Usage))?;
    let from = args.from.clone().or_else(|| service.actor().from.clone());
    let from = from.as_deref();
    let (decided, pat, unrecorded) = if let Some(request) = &request {
        let verdict = service.verify(secret, request, from)?;
        let decided = match verdict.decision {
            Decision::Allow(scope) => Ok(Some(scope)),
            Decision::Deny(denial) => Err(denial),
        };
        (decided, verdict.token, verdict.unrecorded)
    } else {
        let verdict = service.identify(secret, from)?;
        (verdict.decision.map(|()| None), verdict.token, verdict.unrecorded)
    };
    if let Some(fault) = unrecorded {
        tell(&format!("the use was not recorded ({fault}); the decision stands"));
    }
    // From here on nothing changes the answer: what cannot be printed is left out, and the exit
    // code still says what was decided.
    let (by, denial) = match decided {
        Ok(by) => (by, None),
        Err(denial) => (None, Some(denial)),
    };
    let answer = Answer { by, denial, pat };
    let printed = if out.json { out.object(answer.as_json()) } else { answer.print(args, out) };
    if let Err(error) = printed
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        tell(&format!("the decision could not be printed ({error}): see the exit code"));
    }
    Ok(if answer.denial.is_none() { Exit::Done } else { Exit::No })
}

fn read(args: &Verify) -> Result<Zeroizing<String>, Failure> {
    let Some(path) = &args.secret_file else {
        return prompt::secret();
    };
    let file = File::open(path).map_err(|error| {
        let path = path.display();
        Failure::usage(format!("{path} could not be read ({error}): name a file that you may read"))
    })?;
    handed(&file, path, Handed::Secret)?;
    prompt::line(file)
}

fn request(args: &Verify) -> Option<Request> {
    let scope = args.scope.as_ref()?;
    let domain = args.domain.clone().or_else(|| scope.domain.clone());
    let Scope { entity_type, entity, operation, .. } = scope.clone();
    Some(Request { entity_type, entity, operation, domain })
}

/// The word for a denial that scripts can rely on.
fn code(denial: &Denial) -> &'static str {
    match denial {
        Denial::Malformed(_) => "malformed",
        Denial::Unknown => "unknown",
        Denial::Revoked(_) => "revoked",
        Denial::Expired(_) => "expired",
        Denial::NoScope(_) => "no-scope",
    }
}

impl Answer {
    fn as_json(&self) -> Value {
        let missing = match &self.denial {
            Some(Denial::NoScope(scope)) => Some(scope.to_string()),
            _ => None,
        };
        json!({
            "allowed": self.denial.is_none(),
            "token": self.pat.as_ref().map(|pat| json!({
                "id": pat.id.as_str(),
                "name": pat.name.as_str(),
                "expires": pat.expires.map(time),
            })),
            "by_scope": self.by.as_ref().map(ToString::to_string),
            "reason": self.denial.as_ref().map(code),
            "missing_scope": missing,
        })
    }

    fn print(&self, args: &Verify, out: &Output) -> io::Result<()> {
        let name = self.pat.as_ref().map_or("", |pat| pat.name.as_str());
        let word = if self.denial.is_some() { "denied" } else { "allowed" };
        match (&self.denial, &self.by) {
            (None, None) => out.line(&format!("valid: {name}")),
            (None, Some(scope)) if args.explain => {
                out.line(&format!("{word}: by {scope} of {name}"))
            }
            (Some(denial), _) if args.explain => {
                out.line(&format!("{word}: {denial}"))?;
                match (denial, &self.pat) {
                    (Denial::NoScope(scope), Some(pat)) => {
                        out.line(&format!("to allow it: patdeck scope add {} {scope}", pat.id))
                    }
                    _ => Ok(()),
                }
            }
            _ => out.line(word),
        }
    }
}
