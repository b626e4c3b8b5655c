//! `scan`: secrets in files, what they are here, and the end of those that still work. Prints
//! the public part of a secret only. What cannot be read is told and left out.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use ignore::{DirEntry, WalkBuilder};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    examples,
    exit::{CliError, Exit},
    print::{Output, print_message},
    prompt,
};
use crate::{
    domain::{
        Command, Digest, LeakedSecret, Name, SecretMatch, SecretScanner, Token, TokenId,
        scan::PATTERN, terminal_text::escape,
    },
    output::advice,
    service::{
        Service, ServiceError,
        leaks::{SecretInfo, SecretStatus},
    },
};

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// Which files to search, and what to do about what is found.
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::SCAN)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
pub struct Scan {
    /// Files and folders to search; - is standard input
    #[arg(required_unless_present = "regex", value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Revoke the tokens of the active secrets that are found
    #[arg(long)]
    pub revoke: bool,

    /// Do not ask before revoking
    #[arg(long, requires = "revoke")]
    pub yes: bool,

    /// Search files that .gitignore and the like name, too
    #[arg(long)]
    pub no_ignore: bool,

    /// Leave out files and folders whose name starts with a dot
    #[arg(long)]
    pub skip_hidden: bool,

    /// Print a regular expression for other scanners, and do nothing else
    #[arg(long, conflicts_with_all = ["paths", "revoke"])]
    pub regex: bool,
}

/// Prints the regular expression.
pub(super) fn regex(json: bool) -> Result<Exit, CliError> {
    let out = Output::new(json, false);
    if json {
        out.object(json!({ "regex": PATTERN }))?;
    } else {
        out.line(PATTERN)?;
    }
    Ok(Exit::Done)
}

/// Searches, prints what is found, and revokes if asked.
pub(super) fn scan(service: &Service, args: &Scan, out: &Output) -> Result<Exit, CliError> {
    if args.revoke && !args.yes && !prompt::can_ask() {
        return Err(CliError::usage(
            "--revoke needs --yes here, where nobody can be asked: nothing was searched",
        ));
    }
    let mut search =
        Search { service, out, active: HashMap::new(), files: 0, secrets: 0, unread: 0 };
    for entry in walk(args)? {
        search.visit(entry)?;
    }
    search.conclude()?;
    if search.active.is_empty() {
        return Ok(Exit::Done);
    }
    if args.revoke {
        return search.revoke(args.yes);
    }
    print_message("revoke them with --revoke, or one by one with `patdeck revoke`");
    Ok(Exit::No)
}

fn walk(args: &Scan) -> Result<ignore::Walk, CliError> {
    for path in &args.paths {
        if path.as_os_str() != "-" {
            std::fs::symlink_metadata(path).map_err(|error| {
                let path = path.to_string_lossy();
                let path = escape(&path);
                CliError::usage(format!("{path} cannot be searched ({error}): name what is there"))
            })?;
        }
    }
    let mut paths = args.paths.iter();
    // clap has seen to it that there is one.
    let mut walk = WalkBuilder::new(paths.next().map_or(Path::new("."), PathBuf::as_path));
    for path in paths {
        walk.add(path);
    }
    walk.standard_filters(!args.no_ignore).hidden(args.skip_hidden);
    Ok(walk.build())
}

struct Search<'a> {
    service: &'a Service,
    out: &'a Output,
    /// The secrets that work, by token: its present one, its retiring one, or both.
    active: HashMap<TokenId, Vec<Digest>>,
    files: u64,
    secrets: u64,
    unread: u64,
}

impl Search<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> Result<(), CliError> {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                self.skip(&error.to_string());
                return Ok(());
            }
        };
        if entry.is_stdin() {
            return self.search("-", &mut io::stdin().lock());
        }
        let kind = entry.file_type();
        let named = entry.depth() == 0;
        // A pipe in a folder would keep us waiting; one that is named, as `<(…)` does, is meant.
        let wanted = kind.is_some_and(|kind| kind.is_file() || named && !kind.is_dir());
        if !wanted {
            return Ok(());
        }
        let path = entry.path().to_string_lossy().into_owned();
        match File::open(entry.path()) {
            Ok(mut file) => self.search(&path, &mut file),
            Err(error) => {
                self.skip(&format!("{path}: {error}"));
                Ok(())
            }
        }
    }

    /// Reads `input` to its end, however long it is, and prints what is found in it.
    fn search(&mut self, path: &str, input: &mut dyn Read) -> Result<(), CliError> {
        let mut chunk = Zeroizing::new(vec![0; CHUNK]);
        let mut finder = SecretScanner::default();
        let mut failed = None;
        self.files += 1;
        loop {
            let read = match input.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.skip(&format!("{path}: {error}"));
                    break;
                }
            };
            finder.feed(chunk.get(..read).unwrap_or_default(), |seen| {
                failed = failed.take().or_else(|| self.found(path, &seen).err());
            });
            if let Some(failure) = failed {
                return Err(failure);
            }
        }
        finder.finish(|seen| failed = self.found(path, &seen).err());
        failed.map_or(Ok(()), Err)
    }

    fn found(&mut self, path: &str, seen: &SecretMatch) -> Result<(), CliError> {
        let leaked = LeakedSecret::from(&seen.secret);
        let known = match self.service.classify(&leaked) {
            Ok(known) => known,
            // One damaged record must not hide what else is out.
            Err(ServiceError::Store(error)) if error.is_damage() => {
                print_message(&advice::store_message(&error));
                SecretInfo { status: SecretStatus::Unknown, name: None }
            }
            Err(error) => return Err(error.into()),
        };
        self.secrets += 1;
        if known.status == SecretStatus::Active {
            let digests = self.active.entry(leaked.id).or_default();
            if !digests.contains(&leaked.digest) {
                digests.push(leaked.digest);
            }
        }
        self.print(path, seen, &known)
    }

    fn print(&self, path: &str, seen: &SecretMatch, known: &SecretInfo) -> Result<(), CliError> {
        let name = known.name.as_ref().map(Name::as_str);
        let line = (!seen.binary).then_some(seen.line);
        let public = format!("{}…", seen.secret.public_part());
        if self.out.json {
            self.out.object(json!({
                "file": path,
                "line": line,
                "offset": seen.offset,
                "token": public,
                "id": seen.secret.id().as_str(),
                "name": name,
                "status": known.status.as_str(),
            }))?;
            return Ok(());
        }
        let place = line.map_or_else(|| format!("byte {}", seen.offset), |line| format!("{line}"));
        let text = format!(
            "{path}:{place}: {public}  {:<8}  {}",
            known.status.as_str(),
            name.unwrap_or_default()
        );
        Ok(self.out.line(&escape(text.trim_end()))?)
    }

    fn skip(&mut self, reason: &str) {
        self.unread += 1;
        print_message(&format!("not searched: {}", escape(reason)));
    }

    fn conclude(&self) -> Result<(), CliError> {
        let active = self.active.len();
        print_message(&format!(
            "files searched: {}, not searched: {}, secrets found: {}, active tokens: {active}",
            self.files, self.unread, self.secrets
        ));
        Ok(io::Write::flush(&mut io::stdout())?)
    }

    fn revoke(&self, yes: bool) -> Result<Exit, CliError> {
        let secrets = self
            .active
            .iter()
            .flat_map(|(id, digests)| digests.iter().map(|digest| (*id, *digest)))
            .map(|(id, digest)| LeakedSecret { id, digest })
            .collect();
        let command = Command::RevokeLeaked { secrets };
        let plan = self.service.preview(&command)?;
        prompt::confirm(&plan, yes)?;
        let committed = self.service.execute(&command, &plan.confirmed())?;
        for token in committed.plan.tokens() {
            if self.out.json {
                self.out.object(json!({ "revoked": revoked(token) }))?;
            } else {
                print_message(&format!("{} is revoked", token.name));
            }
        }
        Ok(Exit::Done)
    }
}

fn revoked(token: &Token) -> Value {
    json!({ "id": token.id.as_str(), "name": token.name.as_str() })
}
