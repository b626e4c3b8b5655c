//! `verify --lines`: a gateway keeps one process and sends one request per line of standard input.
//! Each request gets one line of answer, in order. The answers are printed every millisecond, before
//! any wait for a lock, and at the end of the lines that were read at once. Then the last uses are
//! recorded.

use std::{
    io::{self, IsTerminal as _, Write as _},
    net::IpAddr,
    time::{Duration, Instant},
};

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    super::{
        exit::{CliError, Exit},
        find_secret, open_stdin,
        print::{Output, json_line, print_warning, write_lines},
        prompt,
        scope_args::one_operation_advice,
    },
    Answer, Verify, access_request,
    secret_lines::{MAX_LINE_BYTES, SecretLine, SecretLines},
    verifier, warn_unrecorded_use,
};
use crate::{
    domain::{AccessRequest, Scope},
    output::advice::Diagnostic,
    service::{Service, ServiceError, StoreError, Verifier},
};

/// How long a decided answer waits for others, so that they are printed in one write.
const PRINT_INTERVAL: Duration = Duration::from_millis(1);

/// How long a lock counts as held after a timeout, so that the lines sent at once wait for it once.
const TIMEOUT_VALIDITY: Duration = Duration::from_secs(1);

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
    let mut line_verifier = LineVerifier::new(service, args);
    let (mut answers, mut exit) = (Answers::default(), None);
    while requests.read().map_err(read_error)? {
        let mut is_empty = true;
        while let Some(line) = requests.next() {
            is_empty = false;
            if answers.are_due() {
                answers.print(&mut line_verifier.verifier)?;
            }
            let is_ready = line_verifier.verifier.begin_without_wait();
            if !is_ready {
                answers.print(&mut line_verifier.verifier)?;
            }
            let answer = line_verifier.verify(&line, is_ready);
            exit = worst_exit(exit, answers.push(&answer, args, out)?);
        }
        if is_empty {
            continue;
        }
        answers.print(&mut line_verifier.verifier)?;
        if service.take_rewound() {
            let text = "the store was replaced by an older state";
            let hint = "secrets that were ended since stay denied; compare it with `patdeck audit`";
            print_warning(&Diagnostic::new(text).with_hint(hint));
        }
        if let Err(fault) = line_verifier.verifier.flush_usage() {
            warn_unrecorded_use(&fault);
        }
    }
    Ok(exit.unwrap_or(Exit::No))
}

/// The answers that are decided but not printed.
#[derive(Default)]
struct Answers {
    lines: Vec<u8>,
    /// When the first of them was added.
    since: Option<Instant>,
}

impl Answers {
    /// Whether they have waited long enough for other answers.
    fn are_due(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= PRINT_INTERVAL)
    }

    /// Appends the line of an answer, or of the error. Returns the exit code for this request alone.
    fn push(
        &mut self,
        answer: &Result<Answer, CliError>,
        args: &Verify,
        out: &Output,
    ) -> io::Result<Exit> {
        let (exit, line) = match answer {
            Ok(answer) if out.json => (answer.exit(), json_line(answer.as_json())),
            Ok(answer) => (answer.exit(), answer.line(args.explain)),
            Err(CliError { exit, diagnostic }) if out.json => {
                let error = diagnostic.to_string();
                (*exit, json_line(json!({ "allowed": false, "error": error })))
            }
            Err(CliError { exit, diagnostic }) => {
                (*exit, format!("error: {}", diagnostic.to_string().replace('\n', " ")))
            }
        };
        write_lines(&mut self.lines, &line)?;
        self.since.get_or_insert_with(Instant::now);
        Ok(exit)
    }

    /// Prints the answers. Ends the read of `verifier` first, because the output can block.
    fn print(&mut self, verifier: &mut Verifier) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        verifier.release();
        let mut stdout = io::stdout().lock();
        stdout.write_all(&self.lines)?;
        stdout.flush()?;
        self.lines.clear();
        self.since = None;
        Ok(())
    }
}

/// Combines exit codes: an error outweighs a denial, and the first error counts.
fn worst_exit(so_far: Option<Exit>, exit: Exit) -> Option<Exit> {
    match (so_far, exit) {
        (None | Some(Exit::Done), exit) => Some(exit),
        (Some(Exit::No), exit) if exit != Exit::Done => Some(exit),
        (so_far, _) => so_far,
    }
}

/// Returns `word`, which must be an IP address. A bearer who sends blanks in the secret would otherwise
/// choose the scope, and the scope of the caller would count as the address.
fn ip_address(word: &str) -> Result<&str, CliError> {
    // The word is not quoted: it can be a misplaced secret with a typo.
    let is_address = word.parse::<IpAddr>().is_ok();
    is_address
        .then_some(word)
        .ok_or_else(|| CliError::usage("the third word is not an IP address, e.g. 192.0.2.7"))
}

/// Verifies the request lines. The arguments of the command are the defaults for a missing scope or
/// address.
struct LineVerifier<'a> {
    args: &'a Verify,
    request: Option<AccessRequest>,
    from: Option<&'a str>,
    verifier: Verifier,
    /// The last lock timeout and its time.
    timeout: Option<(Instant, StoreError)>,
}

impl<'a> LineVerifier<'a> {
    fn new(service: &Service, args: &'a Verify) -> Self {
        let request = args.scope.as_ref().map(|scope| access_request(scope, args));
        let verifier = verifier(service);
        Self { args, request, from: args.from.as_deref(), verifier, timeout: None }
    }

    /// `is_ready` is whether the check need not wait for a lock. Otherwise it waits, unless the lock
    /// was not released in time for an earlier line.
    fn verify(&mut self, line: &SecretLine<'_>, is_ready: bool) -> Result<Answer, CliError> {
        let SecretLine::Complete(line) = line else {
            return Err(CliError::usage(format!("the line is longer than {MAX_LINE_BYTES} bytes")));
        };
        let line = prompt::presented_text(line);
        let (secret, rest) =
            line.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((&line, ""));
        // The scope must not contain a secret, because the scope is recorded with the last use.
        if let Some(id) = find_secret(rest.as_bytes()) {
            return Err(CliError::usage(format!(
                "the secret of {id} must be the first word of the line"
            )));
        }
        let secret = Zeroizing::new(secret.to_owned());
        let mut words = rest.split_ascii_whitespace();
        let own_request = words.next().map(|scope| self.parse_request(scope)).transpose()?;
        let request = own_request.as_ref().or(self.request.as_ref());
        let address = words.next();
        if words.next().is_some() {
            return Err(CliError::usage("too many words: a line is SECRET [SCOPE] [ADDRESS]"));
        }
        let from = address.map(ip_address).transpose()?.or(self.from);
        let timeout = self.timeout.as_ref().filter(|(at, _)| at.elapsed() < TIMEOUT_VALIDITY);
        if let Some((_, error)) = timeout.filter(|_| !is_ready) {
            return Err(ServiceError::Store(error.clone()).into());
        }
        let answer = Answer::check(&mut self.verifier, secret, request, from);
        if let Err(ServiceError::Store(error @ StoreError::Busy { .. })) = &answer {
            self.timeout = Some((Instant::now(), error.clone()));
        }
        Ok(answer?)
    }

    fn parse_request(&self, text: &str) -> Result<AccessRequest, CliError> {
        // The word is not quoted: it can be a misplaced secret with a typo.
        let message = "the second word is not a scope: write TYPE:ENTITY:OPERATION, e.g. \
                       channels:c-42:publish";
        let scope: Scope = text.parse().map_err(|_| match one_operation_advice(text) {
            Some(_) => {
                CliError::usage("the second word lists several operations: a check takes one")
            }
            None => CliError::usage(message),
        })?;
        Ok(access_request(&scope, self.args))
    }
}
