//! `verify`: the contract with scripts. Exit 0 is allowed, 1 is denied, everything else is no
//! answer and must be read as denied. A denial tells nothing about a record whose secret did
//! not match.

mod answer;
mod lines;
mod questions;

use std::{fs::File, io, path::PathBuf};

use zeroize::Zeroizing;

use self::answer::Answer;
use super::{
    exit::{CliError, Exit},
    handed,
    print::{Output, print_message},
    prompt,
};
use crate::{
    domain::{AccessRequest, Domain, Scope},
    output::advice,
    service::{InputTrust, Service, StoreError},
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

    /// Answer a line for each line of standard input: SECRET [TYPE:ENTITY:OPERATION] [ADDRESS]
    #[arg(long, conflicts_with = "secret_file")]
    pub lines: bool,
}

fn domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|fault| fault.to_string())
}

/// Decides, prints and answers by the exit code.
pub(super) fn verify(service: &Service, args: &Verify, out: &Output) -> Result<Exit, CliError> {
    if args.lines {
        // A reader that is gone is no answer either.
        return lines::answer(service, args, out).map_err(|failure| failure.or_exit(Exit::Usage));
    }
    let request = args.scope.as_ref().map(|scope| request(scope, args));
    // A prompt that nobody can see is no answer either; only a decision may end with 0.
    let secret = read(args).map_err(|failure| failure.or_exit(Exit::Usage))?;
    let from = args.from.as_deref().or(service.actor().from.as_deref());
    let mut verifier = service.verifier();
    let answer = Answer::of(&mut verifier, secret, request.as_ref(), from)?;
    if let Err(fault) = verifier.flush_usage() {
        tell_unrecorded(&fault);
    }
    // From here on nothing changes the answer: what cannot be printed is left out, and the exit
    // code still says what was decided.
    let printed = print(&answer, args, out);
    if let Err(error) = printed
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        print_message(&format!("the decision could not be printed ({error}): see the exit code"));
    }
    Ok(answer.exit())
}

fn print(answer: &Answer, args: &Verify, out: &Output) -> io::Result<()> {
    if out.json {
        return out.object(answer.as_json());
    }
    out.line(&answer.line(args.explain))?;
    match answer.advice().filter(|_| args.explain) {
        Some(advice) => out.line(&advice),
        None => Ok(()),
    }
}

fn tell_unrecorded(fault: &StoreError) {
    let fault = advice::store_message(fault);
    print_message(&format!("the use was not recorded ({fault}); the decision stands"));
}

fn read(args: &Verify) -> Result<Zeroizing<String>, CliError> {
    let Some(path) = &args.secret_file else {
        return prompt::secret();
    };
    let file = File::open(path).map_err(|error| {
        let path = path.display();
        CliError::usage(format!(
            "{path} could not be read ({error}): name a file that you may read"
        ))
    })?;
    handed(&file, path, InputTrust::Secret)?;
    prompt::line(file)
}

/// What is asked for by `scope`, within the domain that the arguments name.
fn request(scope: &Scope, args: &Verify) -> AccessRequest {
    let mut request = AccessRequest::from(scope.clone());
    if let Some(domain) = &args.domain {
        request.domain = Some(domain.clone());
    }
    request
}
