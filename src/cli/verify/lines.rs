//! Checks that come line by line, for a gateway that keeps one process instead of starting one for
//! each: every line of standard input is a question and gets one line of answer, in its order.
//! All lines that were read at once are answered in one write, and uses are recorded after the
//! answers. Called by `verify --lines`.

use std::io::{self, IsTerminal as _, Write as _};

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    super::{
        exit::{CliError, Exit},
        print::{Output, write_lines},
        secret_in, standard_input,
    },
    Answer, Verify,
    questions::{LONGEST, Line, RequestLines},
    request, tell_unrecorded,
};
use crate::{
    domain::{AccessRequest, Scope},
    output::json,
    service::{Service, Verifier},
};

/// Answers until the input ends. 0 if everything was allowed, 1 if something was denied or nothing
/// asked, else the code of the first question that has no answer.
pub(super) fn answer(service: &Service, args: &Verify, out: &Output) -> Result<Exit, CliError> {
    if io::stdin().is_terminal() {
        let reason = "lines hold secrets, which a terminal would show: pipe them in, or leave \
                      out --lines to type one unseen";
        return Err(CliError::usage(reason));
    }
    // Not the standard library's own reader, whose memory nobody wipes.
    let unread = |error| CliError::usage(format!("the lines could not be read ({error})"));
    let mut questions = RequestLines::of(standard_input().map_err(unread)?);
    let asking = LineVerifier::new(service, args);
    let mut verifier = service.verifier();
    let (mut answers, mut ended) = (Vec::new(), None);
    while questions.read().map_err(unread)? {
        while let Some(line) = questions.next() {
            let answered = asking.answer(&mut verifier, &line);
            ended = worse(ended, push(&mut answers, &answered, args, out)?);
        }
        if answers.is_empty() {
            continue;
        }
        verifier.release();
        let mut stdout = io::stdout().lock();
        stdout.write_all(&answers)?;
        stdout.flush()?;
        answers.clear();
        if let Err(fault) = verifier.flush_usage() {
            tell_unrecorded(&fault);
        }
    }
    Ok(ended.unwrap_or(Exit::No))
}

/// Adds the one line of an answer, or of why there is none; how it would end the process.
fn push(
    answers: &mut Vec<u8>,
    answered: &Result<Answer, CliError>,
    args: &Verify,
    out: &Output,
) -> io::Result<Exit> {
    let (exit, line) = match answered {
        Ok(answer) if out.json => (answer.exit(), json::object(answer.as_json())),
        Ok(answer) => (answer.exit(), answer.line(args.explain)),
        Err(CliError::Exit(exit, reason)) if out.json => {
            (*exit, json::object(json!({ "allowed": false, "error": reason })))
        }
        Err(CliError::Exit(exit, reason)) => {
            (*exit, format!("error: {}", reason.replace('\n', " ")))
        }
        Err(CliError::BrokenPipe) => (Exit::Usage, "error".to_owned()),
    };
    write_lines(answers, &line)?;
    Ok(exit)
}

/// No answer weighs more than a denial, and the first of its kind stays.
fn worse(so_far: Option<Exit>, exit: Exit) -> Option<Exit> {
    match (so_far, exit) {
        (None | Some(Exit::Done), exit) => Some(exit),
        (Some(Exit::No), exit) if exit != Exit::Done => Some(exit),
        (so_far, _) => so_far,
    }
}

/// What a line leaves out.
struct LineVerifier<'a> {
    args: &'a Verify,
    request: Option<AccessRequest>,
    from: Option<&'a str>,
}

impl<'a> LineVerifier<'a> {
    fn new(service: &'a Service, args: &'a Verify) -> Self {
        let request = args.scope.as_ref().map(|scope| request(scope, args));
        let from = args.from.as_deref().or(service.actor().from.as_deref());
        Self { args, request, from }
    }

    fn answer(&self, verifier: &mut Verifier, line: &Line<'_>) -> Result<Answer, CliError> {
        let Line::Whole(line) = line else {
            return Err(CliError::usage(format!("a line has at most {LONGEST} bytes")));
        };
        // Not UTF-8 is no secret of ours, and is denied as one.
        let line = str::from_utf8(line).unwrap_or_default();
        let line = line.trim_ascii();
        let (secret, rest) =
            line.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((line, ""));
        // What is asked is written into the store.
        if let Some(id) = secret_in(rest) {
            return Err(CliError::usage(format!(
                "the secret of {id} stands behind another word: a line begins with its secret"
            )));
        }
        let secret = Zeroizing::new(secret.to_owned());
        let mut words = rest.split_ascii_whitespace();
        let asked = words.next().map(|scope| self.asked(scope)).transpose()?;
        let request = asked.as_ref().or(self.request.as_ref());
        let from = words.next().or(self.from);
        if words.next().is_some() {
            return Err(CliError::usage("a line has a secret, a scope and an address, no more"));
        }
        Ok(Answer::of(verifier, secret, request, from)?)
    }

    fn asked(&self, text: &str) -> Result<AccessRequest, CliError> {
        // Not repeated: it may be a secret with a typo, in the wrong place.
        let reason = "the second word of a line is a scope: write TYPE:ENTITY:OPERATION, such as \
                      channels:c-42:publish";
        let scope: Scope = text.parse().map_err(|_| CliError::usage(reason))?;
        Ok(request(&scope, self.args))
    }
}
