//! `verify`: checks a secret. Scripts rely on the exit code: 0 is allowed, 1 is denied, and any other
//! code is no answer, which must be treated as denied. A denial reveals nothing about a token unless
//! its secret matched.

mod answer;
mod lines;
mod secret_lines;

use std::{io, net::IpAddr, path::PathBuf};

use zeroize::Zeroizing;

use self::answer::Answer;
use super::{
    exit::{CliError, Exit},
    input_file::open_input,
    path_args::{self, is_dash},
    print::{Output, print_hint, print_warning},
    prompt,
    scope_args::one_scope,
};
use crate::{
    domain::{AccessRequest, Domain, Scope, ScopeCatalogue},
    output::advice::{self, Diagnostic},
    service::{InputSensitivity, Service, StoreError, Verifier},
};

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// Access to check; without it, the secret is only identified
    #[arg(long, value_name = "TYPE:ENTITY:OPERATION", value_parser = one_scope)]
    pub scope: Option<Scope>,

    /// Domain of the access
    #[arg(long, value_name = "DOMAIN", requires = "scope", value_parser = domain)]
    pub domain: Option<Domain>,

    /// Read the secret from this file; - is standard input, the default
    #[arg(long, value_name = "FILE", value_parser = path_args::file_or_dash())]
    pub secret_file: Option<PathBuf>,

    /// Address of the bearer: recorded with the last use, and compared with the allowed networks
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,

    /// Explain the decision: the scope that allows it, or the missing scope and the command to add it
    #[arg(long)]
    pub explain: bool,

    // Not a doc comment, because rustdoc would read the brackets in the text as links.
    #[arg(
        help = "Answer each line of standard input, SECRET [TYPE:ENTITY:OPERATION] [ADDRESS], with one line",
        long,
        conflicts_with = "secret_file"
    )]
    pub lines: bool,
}

fn domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|fault| fault.to_string())
}

/// Checks the secret and prints the answer; the exit code is the answer.
pub(super) fn verify(service: &Service, args: &Verify, out: &Output) -> Result<Exit, CliError> {
    if args.lines {
        return lines::verify_lines(service, args, out);
    }
    let request = args.scope.as_ref().map(|scope| access_request(scope, args));
    let secret = read_secret(args)?;
    let mut verifier = verifier(service);
    let answer = Answer::check(&mut verifier, secret, request.as_ref(), args.from.as_deref())?;
    if let Err(fault) = verifier.flush_usage() {
        warn_unrecorded_use(&fault);
    }
    print_hint_on_address(args, out);
    print_answer(&answer, &service.policy().catalogue, args, out).map_err(|error| {
        CliError::usage(format!("cannot print the decision ({error})"))
            .with_hint("treat the access as denied")
    })?;
    Ok(answer.exit())
}

/// The verifier that records the address of the operator's session with each check that has no
/// address. The limits of a token ignore that address, because the bearer has another one.
fn verifier(service: &Service) -> Verifier {
    let from = service.actor().from.as_deref().map(str::to_owned);
    service.verifier().recording_from(from)
}

fn print_answer(
    answer: &Answer,
    catalogue: &ScopeCatalogue,
    args: &Verify,
    out: &Output,
) -> io::Result<()> {
    if out.json {
        return out.object(answer.as_json());
    }
    out.line(&answer.line(args.explain))?;
    match answer.remedy(catalogue).filter(|_| args.explain) {
        Some(remedy) => out.line(&remedy)?,
        // A mistyped scope must not look like a denial.
        None => answer.unknown_scope(catalogue).iter().for_each(|hint| print_hint(hint)),
    }
    Ok(())
}

/// Says that `--from` is not an IP address, which is recorded all the same: a mistyped address must not
/// look like one that is not allowed.
fn print_hint_on_address(args: &Verify, out: &Output) {
    if let Some(from) = args.from.as_deref().filter(|_| !out.json)
        && from.parse::<IpAddr>().is_err()
    {
        print_hint(&format!("{from} is no IP address: no allowed network contains it"));
    }
}

fn warn_unrecorded_use(fault: &StoreError) {
    let fault = advice::store_message(fault);
    print_warning(&Diagnostic::new(format!("the last use was not recorded ({fault})")));
}

fn read_secret(args: &Verify) -> Result<Zeroizing<String>, CliError> {
    let Some(path) = args.secret_file.as_deref().filter(|path| !is_dash(path)) else {
        return prompt::read_secret();
    };
    let file = open_input(path, InputSensitivity::Secret, |error| {
        let path = path.display();
        CliError::usage(format!("cannot read {path} ({error})"))
    })?;
    prompt::read_line(file)
}

/// Returns the access request for `scope`, within the domain of the arguments.
fn access_request(scope: &Scope, args: &Verify) -> AccessRequest {
    let mut request = AccessRequest::from(scope.clone());
    if let Some(domain) = &args.domain {
        request.domain = Some(domain.clone());
    }
    request
}
