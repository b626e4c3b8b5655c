//! Results of `scan`: looks up each secret in the store and prints it, names what was not searched,
//! prints the summary, and revokes. The search (`nested.rs`) and `file_walk.rs` call it.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    io,
};

use serde_json::json;

use super::{
    super::{
        exit::{CliError, Exit},
        print::{
            Output, is_output_closed, print_failed_steps, print_hint, print_message, print_warning,
        },
        prompt,
    },
    nested::{Location, ResultSink},
};
use crate::{
    domain::{
        Command, Digest, FoundSecret, LeakedSecret, Name, TokenId, counted, grouped,
        terminal_text::escape, time_text::minute_text,
    },
    output::{
        advice::{self, Diagnostic},
        json::format_time,
    },
    service::{
        Service, ServiceError,
        leaked_secret::{LeakedSecretInfo, LeakedSecretStatus},
    },
};

/// How many contents that were not searched are named on standard error.
const MAX_NAMED: u64 = 20;

/// Prints and counts the results of a search over all paths.
pub(super) struct Report<'a> {
    service: &'a Service,
    out: &'a Output,
    /// Whether to revoke what is found. Then no fault of the output ends the search.
    revokes: bool,
    counts: RefCell<Counts>,
}

#[derive(Default)]
struct Counts {
    /// Digests of the active secrets that were found, by token. A token can have two active
    /// secrets: the current and the previous secret.
    active: HashMap<TokenId, Vec<Digest>>,
    /// Tokens with an active secret that is not the old secret of an overlap.
    current: HashSet<TokenId>,
    /// Tokens whose records are out of date, so that a secret that was found may work in the newer store.
    out_of_date: HashSet<TokenId>,
    files: u64,
    secrets: u64,
    not_searched: u64,
    /// Path of the last content that was not searched, which is named once.
    last_not_searched: String,
    /// The error that ends the search.
    failure: Option<CliError>,
    /// The first error of the output. It ends the search, except before a revoke.
    unprinted: Option<io::Error>,
}

impl<'a> Report<'a> {
    pub fn new(service: &'a Service, out: &'a Output, revokes: bool) -> Self {
        Self { service, out, revokes, counts: RefCell::default() }
    }

    pub fn count_file(&self) {
        self.counts.borrow_mut().files += 1;
    }

    /// Prints the summary, revokes the active secrets if that was requested, and returns the exit
    /// code: an active secret is more important than a content that was not searched.
    pub fn finish(self, yes: bool) -> Result<Exit, CliError> {
        if self.is_answered() {
            return Ok(Exit::No);
        }
        let Self { service, out, revokes, counts } = self;
        let mut counts = counts.into_inner();
        if let Some(failure) = counts.failure.take() {
            return Err(failure);
        }
        if let Some(error) = counts.unprinted.take_if(|_| !revokes) {
            return Err(error.into());
        }
        counts.print_summary(out);
        if !counts.active.is_empty() {
            if !revokes {
                print_hint(if counts.current.is_empty() {
                    "only old secrets work still: end them with --revoke, or one at a time with \
                     `patdeck revoke --old NAME`; the current secrets keep working"
                } else {
                    "revoke them with --revoke, or one at a time with `patdeck revoke`"
                });
                return Ok(Exit::No);
            }
            counts.revoke(service, out, yes)?;
        }
        match counts.unprinted {
            Some(error) if !counts.active.is_empty() => Err(CliError::not_delivered(&error)),
            Some(error) => Err(error.into()),
            None if counts.not_searched > 0 || !counts.out_of_date.is_empty() => {
                Ok(Exit::Incomplete)
            }
            None => Ok(Exit::Done),
        }
    }

    /// Whether the exit code is known and nobody reads the rest of the output.
    fn is_answered(&self) -> bool {
        !self.revokes && is_output_closed() && !self.counts.borrow().active.is_empty()
    }

    fn record_secret(&self, location: &Location<'_>, found: &FoundSecret) -> Result<(), CliError> {
        let leaked = LeakedSecret::from(&found.secret);
        let info = match self.service.classify(&leaked) {
            Ok(info) => info,
            // One damaged record must not hide the other leaks.
            Err(ServiceError::Store(error)) if error.is_damage() => {
                print_warning(&advice::diagnose_store(&error));
                LeakedSecretInfo::UNKNOWN
            }
            Err(error) => return Err(error.into()),
        };
        let mut counts = self.counts.borrow_mut();
        counts.secrets += 1;
        if info.status == LeakedSecretStatus::OutOfDate {
            counts.out_of_date.insert(leaked.id);
        }
        if info.status == LeakedSecretStatus::Active {
            let digests = counts.active.entry(leaked.id).or_default();
            if !digests.contains(&leaked.digest) {
                digests.push(leaked.digest);
            }
            if info.old_until.is_none() {
                counts.current.insert(leaked.id);
            }
        }
        counts.keep_error(self.print_secret(location, found, &info));
        Ok(())
    }

    fn print_secret(
        &self,
        location: &Location<'_>,
        found: &FoundSecret,
        info: &LeakedSecretInfo,
    ) -> io::Result<()> {
        let path = location.path;
        let name = info.name.as_ref().map(Name::as_str);
        let (offset, line, is_binary) = match location.enclosing {
            Some(enclosing) => (enclosing.offset, enclosing.lines + 1, enclosing.is_binary),
            None => (found.offset, found.line, found.is_binary),
        };
        let line = (!is_binary).then_some(line);
        let public = format!("{}…", found.secret.public_part());
        if self.out.json {
            return self.out.object(json!({
                "file": path,
                "line": line,
                "offset": offset,
                "token": public,
                "id": found.secret.id().as_str(),
                "name": name,
                "status": info.status.as_str(),
                "retiring_until": info.old_until.map(format_time),
            }));
        }
        let position = line.map_or_else(|| format!("byte {offset}"), |line| format!("{line}"));
        let status = info.status.as_str();
        let status = info.old_until.map_or_else(
            || status.to_owned(),
            |until| format!("{status} (old secret, until {})", minute_text(until)),
        );
        let name = name.unwrap_or_default();
        let text = format!("{path}:{position}: {public}  {status:<8}  {name}");
        self.out.line(&escape(text.trim_end()))
    }

    fn record_not_searched(&self, path: &str, reason: &str) {
        let mut counts = self.counts.borrow_mut();
        if counts.last_not_searched == path {
            return;
        }
        path.clone_into(&mut counts.last_not_searched);
        counts.not_searched += 1;
        if self.out.json {
            let printed = self.out.object(json!({ "not_searched": path, "reason": reason }));
            counts.keep_error(printed);
        }
        if counts.not_searched <= MAX_NAMED {
            print_warning(&Diagnostic::new(format!("not searched: {path}: {reason}")));
        }
    }
}

impl ResultSink for Report<'_> {
    fn secret(&self, location: &Location<'_>, found: &FoundSecret) {
        if !self.is_stopped() {
            let recorded = self.record_secret(location, found);
            if let Err(failure) = recorded {
                self.counts.borrow_mut().failure.get_or_insert(failure);
            }
        }
    }

    fn not_searched(&self, path: &str, reason: &str) {
        if !self.is_stopped() {
            self.record_not_searched(path, reason);
        }
    }

    fn is_stopped(&self) -> bool {
        let counts = self.counts.borrow();
        let is_unprinted = counts.unprinted.is_some() && !self.revokes;
        counts.failure.is_some() || is_unprinted || self.is_answered()
    }
}

impl Counts {
    /// Keeps the error of an output that failed.
    fn keep_error(&mut self, printed: io::Result<()>) {
        if let Err(error) = printed {
            self.unprinted.get_or_insert(error);
        }
    }

    fn print_summary(&mut self, out: &Output) {
        if self.not_searched > MAX_NAMED {
            let more = grouped(self.not_searched - MAX_NAMED);
            print_warning(&Diagnostic::new(format!("not searched: {more} more")));
        }
        let not_searched = match self.not_searched {
            0 => String::new(),
            count => format!(", {} not searched", grouped(count)),
        };
        if !self.out_of_date.is_empty() {
            let tokens = counted(self.out_of_date.len(), "token");
            let text = format!("an older copy of the store was put back: {tokens} out of date");
            let hint = "the secret may work in the newer store: revoke or delete the token, which ends \
                        it there, too";
            print_warning(&Diagnostic::new(text).with_hint(hint));
        }
        print_message(&format!(
            "Searched {}{not_searched}: {} found, {} exposed",
            counted(self.files, "file"),
            counted(self.secrets, "secret"),
            counted(self.active.len(), "active token")
        ));
        if out.json {
            self.keep_error(out.object(json!({
                "files_searched": self.files,
                "not_searched": self.not_searched,
                "secrets": self.secrets,
                "active_tokens": self.active.len(),
            })));
        }
    }

    /// Revokes the tokens with an active secret. If only the old secret of an overlap was found, ends
    /// the overlap: the current secret keeps working.
    fn revoke(&self, service: &Service, out: &Output, yes: bool) -> Result<(), CliError> {
        let secrets: Vec<_> = self
            .active
            .iter()
            .flat_map(|(id, digests)| {
                digests.iter().map(|digest| LeakedSecret { id: *id, digest: *digest })
            })
            .collect();
        if secrets.is_empty() {
            return Ok(());
        }
        end_secrets(service, &Command::RevokeLeaked { secrets }, out, yes)
    }
}

/// How often the end of the secrets is planned if other processes change the tokens meanwhile.
const MAX_ATTEMPTS: usize = 10;

/// Executes `command`, which ends secrets, after the operator has confirmed it.
fn end_secrets(
    service: &Service,
    command: &Command,
    out: &Output,
    yes: bool,
) -> Result<(), CliError> {
    let mut attempts = 1..MAX_ATTEMPTS;
    let committed = loop {
        let plan = service.preview(command)?;
        prompt::confirm(&plan, yes)?;
        match service.execute(command, &plan.confirm()) {
            // The secrets that were found must end, whatever other processes do to their tokens.
            Err(ServiceError::ChangedMeanwhile { .. }) if yes && attempts.next().is_some() => {}
            result => break result?,
        }
    };
    print_failed_steps(&committed);
    for token in committed.plan.tokens() {
        let (name, is_overlap) = (&token.name, token.revoked.is_none());
        if out.json {
            let token = json!({ "id": token.id.as_str(), "name": name.as_str() });
            let key = if is_overlap { "ended_overlap" } else { "revoked" };
            out.result(json!({ key: token }))?;
        } else if is_overlap {
            print_message(&format!(
                "Ended the old secret of {name}; its current secret was not found and keeps working"
            ));
        } else {
            print_message(&format!("Revoked {name}"));
        }
    }
    Ok(())
}
