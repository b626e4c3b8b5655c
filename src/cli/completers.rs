//! Completion of token names and ids, scopes, presets, sort keys and actions while the operator types a
//! command in a shell. The shell runs patdeck, which reads the store in read-only mode. A missing,
//! damaged or busy store offers nothing; no store is created or changed. `patdeck::run` calls
//! [`complete`] first, the definition of the arguments names the candidates.

use std::{
    collections::BTreeSet,
    env,
    ffi::{OsStr, OsString},
    ops::ControlFlow,
    path::PathBuf,
    sync::OnceLock,
};

use clap::CommandFactory as _;
use clap_complete::{
    ArgValueCandidates, ArgValueCompleter, CompleteEnv,
    engine::CompletionCandidate,
    env::{Bash, EnvCompleter, Fish, Zsh},
};

use super::{
    args::Args,
    exit::{CliError, Exit},
    list_args,
};
use crate::{
    config::{Config, ConfigFlags, Environment},
    domain::{AuditAction, Column, Entity, Timestamp, Token},
    service::{Service, ServiceError},
};

/// The variable in which the script of a shell gives the name of the shell.
const VARIABLE: &str = "PATDECK_COMPLETE";

/// Maximum number of candidates that the store offers. More cannot be chosen from in a shell.
const MAX_CANDIDATES: usize = 200;

/// Opens the store of a config.
type Open = fn(&Config) -> Result<Service, ServiceError>;

static OPEN: OnceLock<Open> = OnceLock::new();

/// Prints the candidates if a shell asks for them. Returns `None` if no shell asks.
pub fn complete(arguments: &[OsString], open: Open) -> Option<Result<Exit, CliError>> {
    env::var_os(VARIABLE)?;
    OPEN.get_or_init(|| open);
    let folder = env::current_dir().ok();
    let complete = CompleteEnv::with_factory(Args::command).var(VARIABLE);
    match complete.try_complete(arguments, folder.as_deref()) {
        Ok(true) => Some(Ok(Exit::Done)),
        Ok(false) => None,
        Err(error) => Some(Err(CliError::usage(error))),
    }
}

/// The script that makes `shell` ask for candidates, or `None` for a shell without such a script.
pub(super) fn script(shell: clap_complete::Shell) -> Option<Vec<u8>> {
    let shell: &dyn EnvCompleter = match shell {
        clap_complete::Shell::Bash => &Bash,
        clap_complete::Shell::Zsh => &Zsh,
        clap_complete::Shell::Fish => &Fish,
        _ => return None,
    };
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, "patdeck", "patdeck", "patdeck", &mut script).ok()?;
    Some(script)
}

/// Names of tokens, and ids once one is begun or if the name needs quotes.
pub(super) fn tokens() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let Some(current) = current.to_str() else { return Vec::new() };
        from_tokens(|token, now| {
            let name = token.name.as_str();
            let is_plain = |c: char| c.is_alphanumeric() || "._-+".contains(c);
            if name.chars().all(is_plain) && !name.starts_with('-') && name.starts_with(current) {
                return vec![candidate(name, token.status(now).as_str())];
            }
            let id = token.id.as_str();
            if id.starts_with(current) { vec![candidate(id, name)] } else { Vec::new() }
        })
    })
}

/// `TYPE:`, then `TYPE:ENTITY:` with the entities of the store, then `TYPE:ENTITY:OPERATION`.
pub(super) fn scopes() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let Some(current) = current.to_str() else { return Vec::new() };
        let Some(config) = config() else { return Vec::new() };
        let entries = &config.catalogue.entity_types;
        let parts: Vec<_> = current.split(':').collect();
        let entry = entries.iter().find(|entry| Some(&entry.entity_type.as_str()) == parts.first());
        let all: Vec<String> = match (parts.len(), entry) {
            (1, _) => entries.iter().map(|entry| format!("{}:", entry.entity_type)).collect(),
            (2, Some(entry)) => {
                let of_type = |token: &Token, _| {
                    let scopes = token.scopes.iter();
                    let scopes = scopes.filter(|scope| scope.entity_type == entry.entity_type);
                    let entities = scopes.filter_map(|scope| match &scope.entity {
                        Entity::Id(id) => Some(format!("{}:{id}:", entry.entity_type)),
                        Entity::Any => None,
                    });
                    entities.filter(|text| text.starts_with(current)).collect::<Vec<_>>()
                };
                let any = format!("{}:*:", entry.entity_type);
                let listed = entry.entities.iter().map(|id| format!("{}:{id}:", entry.entity_type));
                from_tokens(of_type).into_iter().chain(listed).chain([any]).collect()
            }
            (3, Some(entry)) => {
                let target = current.rsplit_once(':').map_or(current, |(target, _)| target);
                entry.operations.iter().map(|it| format!("{target}:{}", it.as_str())).collect()
            }
            _ => Vec::new(),
        };
        let all = all.into_iter().filter(|text| text.starts_with(current));
        all.collect::<BTreeSet<_>>().into_iter().map(CompletionCandidate::new).collect()
    })
}

/// `KEY=`, then `KEY=VALUE` with the values of the store.
pub(super) fn labels() -> ArgValueCompleter {
    from_texts(|token, current| {
        let begins_value = current.contains('=');
        let labels = token.labels.iter();
        labels
            .map(|label| if begins_value { label.to_string() } else { format!("{}=", label.key()) })
            .collect()
    })
}

/// The keys of labels in the store.
pub(super) fn label_keys() -> ArgValueCompleter {
    from_texts(|token, _| token.labels.iter().map(|label| label.key().to_string()).collect())
}

/// Owners of tokens of the store.
pub(super) fn owners() -> ArgValueCompleter {
    from_texts(|token, _| vec![token.owner_text()])
}

/// The texts that `select` makes of the tokens of the store and of the word that was begun, as far as
/// they begin with this word. Leaves out texts with blanks, because a shell would split them.
fn from_texts(
    select: impl Fn(&Token, &str) -> Vec<String> + Send + Sync + 'static,
) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let Some(current) = current.to_str() else { return Vec::new() };
        let texts = from_tokens(|token, _| {
            let mut texts = select(token, current);
            texts.retain(|text| text.starts_with(current) && !text.contains(char::is_whitespace));
            texts
        });
        texts.into_iter().map(CompletionCandidate::new).collect()
    })
}

/// Presets, each with the colon before its entity.
pub(super) fn presets() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let presets = config().map(|config| config.catalogue.presets).unwrap_or_default();
        presets.iter().map(|it| CompletionCandidate::new(format!("{}:", it.name))).collect()
    })
}

/// Sort keys of `list`.
pub(super) fn sort_keys() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let labels = Column::ALL.into_iter().map(list_args::label);
        labels
            .flat_map(|label| [label.clone(), format!("-{label}")])
            .map(CompletionCandidate::new)
            .collect()
    })
}

/// Actions of events.
pub(super) fn actions() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        AuditAction::ALL.into_iter().map(|it| CompletionCandidate::new(it.verb())).collect()
    })
}

fn candidate(text: &str, help: &str) -> CompletionCandidate {
    CompletionCandidate::new(text).help(Some(help.to_owned().into()))
}

/// The distinct values that `select` makes of the tokens of the store, at most [`MAX_CANDIDATES`].
fn from_tokens<T: Ord + Send>(select: impl Fn(&Token, Timestamp) -> Vec<T> + Sync) -> Vec<T> {
    let mut all = BTreeSet::new();
    let service = config().and_then(|config| OPEN.get()?(&config).ok());
    let Some(service) = service else { return Vec::new() };
    let Ok(now) = service.now() else { return Vec::new() };
    let read = service.for_each_batch(
        Vec::new,
        |selected, token| selected.extend(token.iter().flat_map(|token| select(token, now))),
        |selected| {
            all.extend(selected);
            let is_full = all.len() >= MAX_CANDIDATES;
            if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    );
    if read.is_err() {
        return Vec::new();
    }
    all.into_iter().take(MAX_CANDIDATES).collect()
}

/// The config of the command line that is being typed, in read-only mode.
fn config() -> Option<Config> {
    let words: Vec<_> = env::args_os().collect();
    let option = |name: &str| {
        let value = words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
        value.map(PathBuf::from)
    };
    let flags = ConfigFlags {
        config: option("--config"),
        store: option("--store"),
        read_only: true,
        mouse: false,
    };
    Config::load(&flags, &Environment::of_process()).ok()
}
