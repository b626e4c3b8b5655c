//! `scan`: searches files for secrets, shows the status of each secret in this store, and on
//! request revokes the tokens of active secrets. Prints only the public part of a secret.
//! Unreadable files are reported and skipped.

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
    exit::{CliError, Exit},
    help_footers, path_args,
    print::{Output, print_hint, print_message, print_warning},
    prompt,
};
use crate::{
    domain::{
        Command, Digest, FoundSecret, LeakedSecret, Name, SecretScanner, Token, TokenId, counted,
        grouped, scan::PATTERN, terminal_text::escape,
    },
    output::advice::{self, Diagnostic},
    service::{
        Service, ServiceError,
        leaked_secret::{LeakedSecretInfo, LeakedSecretStatus},
    },
};

/// Size of the read buffer in bytes.
const CHUNK_BYTES: usize = 256 << 10;

/// Arguments of `scan`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help_footers::SCAN)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent flag of the command line"
)]
pub struct Scan {
    /// Files and folders to search; - reads standard input
    #[arg(required_unless_present = "regex", value_name = "PATH", value_parser = path_args::file_or_folder())]
    pub paths: Vec<PathBuf>,

    /// Revoke the tokens whose active secrets are found
    #[arg(long)]
    pub revoke: bool,

    /// Skip the confirmation
    #[arg(long, requires = "revoke")]
    pub yes: bool,

    /// Also search files that .gitignore and similar files exclude
    #[arg(long)]
    pub no_ignore: bool,

    /// Skip hidden files and folders
    #[arg(long)]
    pub skip_hidden: bool,

    /// Print a regular expression for other scanners and exit
    #[arg(long, conflicts_with_all = ["paths", "revoke"])]
    pub regex: bool,
}

/// Prints the regular expression for `--regex`.
pub(super) fn regex(json: bool) -> Result<Exit, CliError> {
    let out = Output::new(json, false);
    if json {
        out.object(json!({ "regex": PATTERN }))?;
    } else {
        out.line(PATTERN)?;
    }
    Ok(Exit::Done)
}

/// Searches the paths, prints the matches, and with `--revoke` revokes their tokens.
pub(super) fn scan(service: &Service, args: &Scan, out: &Output) -> Result<Exit, CliError> {
    if args.revoke && !args.yes && !prompt::is_interactive() {
        let message = "refusing to revoke without confirmation: there is no terminal to ask on, nothing was searched";
        return Err(CliError::usage(message).with_hint("pass --yes"));
    }
    let mut search =
        FileSearch { service, out, active: HashMap::new(), files: 0, secrets: 0, skipped: 0 };
    for entry in walk_paths(args)? {
        search.visit(entry)?;
    }
    search.print_summary()?;
    if search.active.is_empty() {
        return Ok(Exit::Done);
    }
    if args.revoke {
        return search.revoke(args.yes);
    }
    print_hint("revoke them with --revoke, or one at a time with `patdeck revoke`");
    Ok(Exit::No)
}

/// Walks the paths and applies the ignore rules. Returns an error if a path does not exist.
fn walk_paths(args: &Scan) -> Result<ignore::Walk, CliError> {
    for path in &args.paths {
        if path.as_os_str() != "-" {
            std::fs::symlink_metadata(path).map_err(|error| {
                let path = path.to_string_lossy();
                let path = escape(&path);
                CliError::usage(format!("cannot search {path} ({error})"))
            })?;
        }
    }
    let mut paths = args.paths.iter();
    // clap guarantees at least one path.
    let mut walk = WalkBuilder::new(paths.next().map_or(Path::new("."), PathBuf::as_path));
    for path in paths {
        walk.add(path);
    }
    walk.standard_filters(!args.no_ignore).hidden(args.skip_hidden);
    Ok(walk.build())
}

/// A search over all paths, and its counts.
struct FileSearch<'a> {
    service: &'a Service,
    out: &'a Output,
    /// Digests of the active secrets that were found, by token. A token can have two active
    /// secrets: the current and the previous secret.
    active: HashMap<TokenId, Vec<Digest>>,
    files: u64,
    secrets: u64,
    /// Files that could not be read.
    skipped: u64,
}

impl FileSearch<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> Result<(), CliError> {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                self.skip(&error.to_string());
                return Ok(());
            }
        };
        if entry.is_stdin() {
            return self.search_input("-", &mut io::stdin().lock());
        }
        let kind = entry.file_type();
        let is_argument = entry.depth() == 0;
        // A pipe in a folder could block forever. A pipe as an argument, e.g. `<(…)`, is read.
        let is_searched = kind.is_some_and(|kind| kind.is_file() || is_argument && !kind.is_dir());
        if !is_searched {
            return Ok(());
        }
        let path = entry.path().to_string_lossy().into_owned();
        match File::open(entry.path()) {
            Ok(mut file) => self.search_input(&path, &mut file),
            Err(error) => {
                self.skip(&format!("{path}: {error}"));
                Ok(())
            }
        }
    }

    /// Reads `input` to its end in constant memory, and prints the matches.
    fn search_input(&mut self, path: &str, input: &mut dyn Read) -> Result<(), CliError> {
        let mut chunk = Zeroizing::new(vec![0; CHUNK_BYTES]);
        let mut scanner = SecretScanner::default();
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
            scanner.feed(chunk.get(..read).unwrap_or_default(), |found| {
                failed = failed.take().or_else(|| self.record_match(path, &found).err());
            });
            if let Some(failure) = failed {
                return Err(failure);
            }
        }
        scanner.finish(|found| failed = self.record_match(path, &found).err());
        failed.map_or(Ok(()), Err)
    }

    fn record_match(&mut self, path: &str, found: &FoundSecret) -> Result<(), CliError> {
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
        self.secrets += 1;
        if info.status == LeakedSecretStatus::Active {
            let digests = self.active.entry(leaked.id).or_default();
            if !digests.contains(&leaked.digest) {
                digests.push(leaked.digest);
            }
        }
        self.print_match(path, found, &info)
    }

    fn print_match(
        &self,
        path: &str,
        found: &FoundSecret,
        info: &LeakedSecretInfo,
    ) -> Result<(), CliError> {
        let name = info.name.as_ref().map(Name::as_str);
        let line = (!found.is_binary).then_some(found.line);
        let public = format!("{}…", found.secret.public_part());
        if self.out.json {
            self.out.object(json!({
                "file": path,
                "line": line,
                "offset": found.offset,
                "token": public,
                "id": found.secret.id().as_str(),
                "name": name,
                "status": info.status.as_str(),
            }))?;
            return Ok(());
        }
        let position =
            line.map_or_else(|| format!("byte {}", found.offset), |line| format!("{line}"));
        let text = format!(
            "{path}:{position}: {public}  {:<8}  {}",
            info.status.as_str(),
            name.unwrap_or_default()
        );
        Ok(self.out.line(&escape(text.trim_end()))?)
    }

    fn skip(&mut self, reason: &str) {
        self.skipped += 1;
        print_warning(&Diagnostic::new(format!("skipped {reason}")));
    }

    fn print_summary(&self) -> Result<(), CliError> {
        let skipped = match self.skipped {
            0 => String::new(),
            skipped => format!(" ({} skipped)", grouped(skipped)),
        };
        print_message(&format!(
            "Searched {}{skipped}: {} found, {} exposed",
            counted(self.files, "file"),
            counted(self.secrets, "secret"),
            counted(self.active.len(), "active token")
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
        let committed = self.service.execute(&command, &plan.confirm())?;
        if let Some(error) = &committed.deferred {
            print_message(&advice::deferred_sentence(error));
        }
        for token in committed.plan.tokens() {
            if self.out.json {
                self.out.result(json!({ "revoked": token_reference(token) }))?;
            } else {
                print_message(&format!("Revoked {}", token.name));
            }
        }
        Ok(Exit::Done)
    }
}

fn token_reference(token: &Token) -> Value {
    json!({ "id": token.id.as_str(), "name": token.name.as_str() })
}
