//! Results of `scan`: looks up each secret in the store and prints it, names what was not searched,
//! prints the summary, and revokes. The search (`nested.rs`) and `file_walk.rs` call it.

use std::{
    cell::RefCell,
    collections::HashMap,
    io::{self, Write as _},
};

use serde_json::json;

use super::{
    super::{
        exit::{CliError, Exit},
        print::{Output, print_failed_steps, print_hint, print_message, print_warning},
        prompt,
    },
    nested::{Location, ResultSink},
};
use crate::{
    domain::{
        Command, Digest, FoundSecret, LeakedSecret, Name, TokenId, counted, grouped,
        terminal_text::escape,
    },
    output::advice::{self, Diagnostic},
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
    counts: RefCell<Counts>,
}

#[derive(Default)]
struct Counts {
    /// Digests of the active secrets that were found, by token. A token can have two active
    /// secrets: the current and the previous secret.
    active: HashMap<TokenId, Vec<Digest>>,
    files: u64,
    secrets: u64,
    not_searched: u64,
    /// Path of the last content that was not searched, which is named once.
    last_not_searched: String,
    /// The error that ends the search.
    failure: Option<CliError>,
}

impl<'a> Report<'a> {
    pub fn new(service: &'a Service, out: &'a Output) -> Self {
        Self { service, out, counts: RefCell::default() }
    }

    pub fn count_file(&self) {
        self.counts.borrow_mut().files += 1;
    }

    /// Prints the summary, revokes the active secrets if `is_revoked`, and returns the exit code: an
    /// active secret is more important than a content that was not searched.
    pub fn finish(self, is_revoked: bool, yes: bool) -> Result<Exit, CliError> {
        let Self { service, out, counts } = self;
        let mut counts = counts.into_inner();
        if let Some(failure) = counts.failure.take() {
            return Err(failure);
        }
        counts.print_summary(out)?;
        if !counts.active.is_empty() {
            if !is_revoked {
                print_hint("revoke them with --revoke, or one at a time with `patdeck revoke`");
                return Ok(Exit::No);
            }
            counts.revoke(service, out, yes)?;
        }
        Ok(if counts.not_searched == 0 { Exit::Done } else { Exit::Incomplete })
    }

    fn record_secret(&self, location: &Location<'_>, found: &FoundSecret) -> Result<(), CliError> {
        let leaked = LeakedSecret::from(&found.secret);
        let info = match self.service.classify(&leaked) {
            Ok(info) => info,
            // One damaged record must not hide the other leaks.
            Err(ServiceError::Store(error)) if error.is_damage() => {
                print_warning(&advice::diagnose_store(&error));
                LeakedSecretInfo { status: LeakedSecretStatus::Unknown, name: None }
            }
            Err(error) => return Err(error.into()),
        };
        let mut counts = self.counts.borrow_mut();
        counts.secrets += 1;
        if info.status == LeakedSecretStatus::Active {
            let digests = counts.active.entry(leaked.id).or_default();
            if !digests.contains(&leaked.digest) {
                digests.push(leaked.digest);
            }
        }
        self.print_secret(location, found, &info)
    }

    fn print_secret(
        &self,
        location: &Location<'_>,
        found: &FoundSecret,
        info: &LeakedSecretInfo,
    ) -> Result<(), CliError> {
        let path = location.path;
        let name = info.name.as_ref().map(Name::as_str);
        let (offset, line, is_binary) = match location.enclosing {
            Some(enclosing) => (enclosing.offset, enclosing.lines + 1, enclosing.is_binary),
            None => (found.offset, found.line, found.is_binary),
        };
        let line = (!is_binary).then_some(line);
        let public = format!("{}…", found.secret.public_part());
        if self.out.json {
            self.out.object(json!({
                "file": path,
                "line": line,
                "offset": offset,
                "token": public,
                "id": found.secret.id().as_str(),
                "name": name,
                "status": info.status.as_str(),
            }))?;
            return Ok(());
        }
        let position = line.map_or_else(|| format!("byte {offset}"), |line| format!("{line}"));
        let text = format!(
            "{path}:{position}: {public}  {:<8}  {}",
            info.status.as_str(),
            name.unwrap_or_default()
        );
        Ok(self.out.line(&escape(text.trim_end()))?)
    }

    fn record_not_searched(&self, path: &str, reason: &str) -> Result<(), CliError> {
        let mut counts = self.counts.borrow_mut();
        if counts.last_not_searched == path {
            return Ok(());
        }
        path.clone_into(&mut counts.last_not_searched);
        counts.not_searched += 1;
        if self.out.json {
            self.out.object(json!({ "not_searched": path, "reason": reason }))?;
        }
        if counts.not_searched <= MAX_NAMED {
            print_warning(&Diagnostic::new(format!("not searched: {path}: {reason}")));
        }
        Ok(())
    }

    fn keep_failure(&self, result: Result<(), CliError>) {
        if let Err(failure) = result {
            self.counts.borrow_mut().failure.get_or_insert(failure);
        }
    }
}

impl ResultSink for Report<'_> {
    fn secret(&self, location: &Location<'_>, found: &FoundSecret) {
        if !self.is_stopped() {
            self.keep_failure(self.record_secret(location, found));
        }
    }

    fn not_searched(&self, path: &str, reason: &str) {
        if !self.is_stopped() {
            self.keep_failure(self.record_not_searched(path, reason));
        }
    }

    fn is_stopped(&self) -> bool {
        self.counts.borrow().failure.is_some()
    }
}

impl Counts {
    fn print_summary(&self, out: &Output) -> Result<(), CliError> {
        if self.not_searched > MAX_NAMED {
            let more = grouped(self.not_searched - MAX_NAMED);
            print_warning(&Diagnostic::new(format!("not searched: {more} more")));
        }
        let not_searched = match self.not_searched {
            0 => String::new(),
            count => format!(", {} not searched", grouped(count)),
        };
        print_message(&format!(
            "Searched {}{not_searched}: {} found, {} exposed",
            counted(self.files, "file"),
            counted(self.secrets, "secret"),
            counted(self.active.len(), "active token")
        ));
        if out.json {
            out.object(json!({
                "files_searched": self.files,
                "not_searched": self.not_searched,
                "secrets": self.secrets,
                "active_tokens": self.active.len(),
            }))?;
        }
        Ok(io::stdout().flush()?)
    }

    fn revoke(&self, service: &Service, out: &Output, yes: bool) -> Result<(), CliError> {
        let secrets = self
            .active
            .iter()
            .flat_map(|(id, digests)| digests.iter().map(|digest| (*id, *digest)))
            .map(|(id, digest)| LeakedSecret { id, digest })
            .collect();
        let command = Command::RevokeLeaked { secrets };
        let plan = service.preview(&command)?;
        prompt::confirm(&plan, yes)?;
        let committed = service.execute(&command, &plan.confirm())?;
        print_failed_steps(&committed);
        for token in committed.plan.tokens() {
            if out.json {
                let token = json!({ "id": token.id.as_str(), "name": token.name.as_str() });
                out.result(json!({ "revoked": token }))?;
            } else {
                print_message(&format!("Revoked {}", token.name));
            }
        }
        Ok(())
    }
}
