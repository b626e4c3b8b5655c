//! `verify --lines`: a gateway keeps one process and sends one request per line of standard input.
//! Each request gets one line of answer, in order. All requests of one read are answered in one
//! write, and their last uses are recorded after it.

use std::io::{self, IsTerminal as _, Write as _};

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    super::{
        exit::{CliError, Exit},
        find_secret, open_stdin,
        print::{Output, json_line, print_warning, write_lines},
        prompt,
    },
    Answer, Verify, access_request,
    secret_lines::{MAX_LINE_BYTES, SecretLine, SecretLines},
    warn_unrecorded_use,
};
use crate::{
    domain::{AccessRequest, Scope},
    output::advice::Diagnostic,
    service::{Service, Verifier},
};

/// Answers requests until the input ends. The exit code is 0 if all were allowed, 1 if one was denied
/// or there was none, and otherwise the code of the first request without an answer.
pub(super) fn verify_lines(
    service: &Service,
    args: &Verify,
    out: &Output,
) -> Result<Exit, CliError> {
    if io::stdin().is_terminal() {
        let message = "refusing to read secrets from a terminal that shows them";
        let hint = "pipe the lines in, or omit --lines to type one secret without echo";
        return Err(CliError::usage(message).with_hint(hint));
    }
    // `io::stdin()` is not used, because its buffer is never wiped.
    let read_error = |error| CliError::usage(format!("cannot read standard input ({error})"));
    let mut requests = SecretLines::new(open_stdin().map_err(read_error)?);
    let line_verifier = LineVerifier::new(service, args);
    let mut verifier = service.verifier();
    let (mut answers, mut exit) = (Vec::new(), None);
    while requests.read().map_err(read_error)? {
        while let Some(line) = requests.next() {
            let answer = line_verifier.verify(&mut verifier, &line);
            exit = worst_exit(exit, write_answer(&mut answers, &answer, args, out)?);
        }
        if answers.is_empty() {
            continue;
        }
        verifier.release();
        let mut stdout = io::stdout().lock();
        stdout.write_all(&answers)?;
        stdout.flush()?;
        answers.clear();
        if service.take_rewound() {
            let text = "the store was replaced by an older state";
            let hint = "secrets that were ended since stay denied; compare it with `patdeck audit`";
            print_warning(&Diagnostic::new(text).with_hint(hint));
        }
        if let Err(fault) = verifier.flush_usage() {
            warn_unrecorded_use(&fault);
        }
    }
    Ok(exit.unwrap_or(Exit::No))
}

/// Appends the line of an answer, or of the error. Returns the exit code for this request alone.
fn write_answer(
    answers: &mut Vec<u8>,
    answer: &Result<Answer, CliError>,
    args: &Verify,
    out: &Output,
) -> io::Result<Exit> {
    let (exit, line) = match answer {
        Ok(answer) if out.json => (answer.exit(), json_line(answer.as_json())),
        Ok(answer) => (answer.exit(), answer.line(args.explain)),
        Err(CliError::Exit(exit, error)) if out.json => {
            let error = error.to_string();
            (*exit, json_line(json!({ "allowed": false, "error": error })))
        }
        Err(CliError::Exit(exit, error)) => {
            (*exit, format!("error: {}", error.to_string().replace('\n', " ")))
        }
        Err(CliError::BrokenPipe) => (Exit::Usage, "error".to_owned()),
    };
    write_lines(answers, &line)?;
    Ok(exit)
}

/// Combines exit codes: an error outweighs a denial, and the first error counts.
fn worst_exit(so_far: Option<Exit>, exit: Exit) -> Option<Exit> {
    match (so_far, exit) {
        (None | Some(Exit::Done), exit) => Some(exit),
        (Some(Exit::No), exit) if exit != Exit::Done => Some(exit),
        (so_far, _) => so_far,
    }
}

/// Verifies the request lines. The arguments of the command are the defaults for a missing scope or
/// address.
struct LineVerifier<'a> {
    args: &'a Verify,
    request: Option<AccessRequest>,
    from: Option<&'a str>,
}

impl<'a> LineVerifier<'a> {
    fn new(service: &'a Service, args: &'a Verify) -> Self {
        let request = args.scope.as_ref().map(|scope| access_request(scope, args));
        let from = args.from.as_deref().or(service.actor().from.as_deref());
        Self { args, request, from }
    }

    fn verify(&self, verifier: &mut Verifier, line: &SecretLine<'_>) -> Result<Answer, CliError> {
        let SecretLine::Complete(line) = line else {
            return Err(CliError::usage(format!("the line is longer than {MAX_LINE_BYTES} bytes")));
        };
        let line = prompt::presented_text(line);
        let (secret, rest) =
            line.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((&line, ""));
        // The scope must not contain a secret, because the scope is recorded with the last use.
        if let Some(id) = find_secret(rest) {
            return Err(CliError::usage(format!(
                "the secret of {id} must be the first word of the line"
            )));
        }
        let secret = Zeroizing::new(secret.to_owned());
        let mut words = rest.split_ascii_whitespace();
        let own_request = words.next().map(|scope| self.parse_request(scope)).transpose()?;
        let request = own_request.as_ref().or(self.request.as_ref());
        let from = words.next().or(self.from);
        if words.next().is_some() {
            return Err(CliError::usage("too many words: a line is SECRET [SCOPE] [ADDRESS]"));
        }
        Ok(Answer::check(verifier, secret, request, from)?)
    }

    fn parse_request(&self, text: &str) -> Result<AccessRequest, CliError> {
        // The word is not quoted: it can be a misplaced secret with a typo.
        let message = "the second word is not a scope: write TYPE:ENTITY:OPERATION, e.g. \
                       channels:c-42:publish";
        let scope: Scope = text.parse().map_err(|_| CliError::usage(message))?;
        Ok(access_request(&scope, self.args))
    }
}
