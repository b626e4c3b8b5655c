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
    env::{EnvCompleter, Fish, Zsh},
};

use super::{
    args::Args,
    bash_completion,
    exit::{CliError, Exit},
    list_args::ListSort,
};
use crate::{
    config::{Config, ConfigFlags, Environment},
    domain::{
        AuditAction, Entity, EntityTypeEntry, SecretOverlap, Timestamp, Token, search::TERMS,
    },
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
    let registration = |shell: &dyn EnvCompleter| {
        let mut script = Vec::new();
        shell.write_registration(VARIABLE, "patdeck", "patdeck", "patdeck", &mut script).ok()?;
        Some(script)
    };
    match shell {
        clap_complete::Shell::Bash => Some(bash_completion::SCRIPT.into()),
        clap_complete::Shell::Zsh => {
            let script = String::from_utf8(registration(&Zsh)?).ok()?;
            let script = script.replace(ZSH_VALUES, ZSH_VALUES_WITHOUT_BLANK);
            Some(script.replace(ZSH_REGISTRATION, ZSH_REGISTRATION_OR_CALL).into())
        }
        clap_complete::Shell::Fish => registration(&Fish),
        _ => None,
    }
}

/// The line of clap's script that offers values, and its replacement, which adds no blank after a
/// value that needs more.
const ZSH_VALUES: &str = "[[ -n $other ]] && _describe -V 'values' other\n";
const ZSH_VALUES_WITHOUT_BLANK: &str = "\
local -a begun=(\"${(@M)other:#*[=:]}\")
        other=(\"${(@)other:#*[=:]}\")
        [[ -n $begun ]] && _describe -V 'values' begun -S ''
        [[ -n $other ]] && _describe -V 'values' other
";

/// The line of clap's script that registers the function, and its replacement. If zsh loads the script
/// as the function itself, from a folder of `fpath`, that first call must answer, too.
const ZSH_REGISTRATION: &str = "compdef _clap_dynamic_completer_patdeck patdeck\n";
const ZSH_REGISTRATION_OR_CALL: &str = "\
if [[ $funcstack[1] == _patdeck ]]; then
    _clap_dynamic_completer_patdeck \"$@\"
fi
compdef _clap_dynamic_completer_patdeck patdeck
";

/// Names of tokens, and ids once one is begun or if the name needs quotes.
pub(super) fn tokens() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let Some(current) = current.to_str() else { return Vec::new() };
        from_tokens(|token, now| token_candidate(token, current, token.status(now).as_str()))
    })
}

/// Names and ids of the deleted tokens that can be restored.
pub(super) fn deleted_tokens() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let Some(current) = current.to_str() else { return Vec::new() };
        let deleted = service().and_then(|service| service.restorable_tokens().ok());
        let deleted = deleted.unwrap_or_default();
        let candidates =
            deleted.iter().filter_map(|token| token_candidate(token, current, "deleted"));
        candidates.take(MAX_CANDIDATES).collect()
    })
}

/// The name of the token if it begins with `current` and needs no quotes, else its id.
fn token_candidate(token: &Token, current: &str, help: &str) -> Option<CompletionCandidate> {
    let (name, id) = (token.name.as_str(), token.id.as_str());
    let is_plain = |c: char| c.is_alphanumeric() || "._-+".contains(c);
    if name.chars().all(is_plain) && !name.starts_with('-') && name.starts_with(current) {
        return Some(candidate(name, help));
    }
    id.starts_with(current).then(|| candidate(id, name))
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
                entities(entry, current, |entity| format!("{}:{entity}:", entry.entity_type))
            }
            (3, Some(entry)) => {
                let end = current.rfind([':', ',']).map_or(0, |at| at + 1);
                let begun = current.get(..end).unwrap_or_default();
                entry.operations.iter().map(|it| format!("{begun}{}", it.as_str())).collect()
            }
            _ => Vec::new(),
        };
        beginning_with(current, all)
    })
}

/// What `form` makes of the entities of this type: those in scopes of the store and in the config,
/// and `*`.
fn entities(
    entry: &EntityTypeEntry,
    current: &str,
    form: impl Fn(&str) -> String + Sync,
) -> Vec<String> {
    let of_type = |token: &Token, _| {
        let scopes = token.scopes.iter();
        let scopes = scopes.filter(|scope| scope.entity_type == entry.entity_type);
        let entities = scopes.filter_map(|scope| match &scope.entity {
            Entity::Id(id) => Some(form(id)),
            Entity::Any => None,
        });
        entities.filter(|text| text.starts_with(current)).collect::<Vec<_>>()
    };
    let listed = entry.entities.iter().map(|id| form(id));
    from_tokens(of_type).into_iter().chain(listed).chain([form("*")]).collect()
}

/// The scopes of the token that the command line names after `scope remove` or `scope change`.
pub(super) fn held_scopes() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let Some(current) = current.to_str() else { return Vec::new() };
        let words: Vec<_> = env::args().skip_while(|word| word != "scope").collect();
        let token = words.get(2).and_then(|token| service()?.resolve(token).ok());
        let scopes = token.map(|token| token.scopes).unwrap_or_default();
        beginning_with(current, scopes.iter().map(ToString::to_string))
    })
}

/// The different texts of `all` that begin with the word that was begun.
fn beginning_with(
    current: &str,
    all: impl IntoIterator<Item = String>,
) -> Vec<CompletionCandidate> {
    let all = all.into_iter().filter(|text| text.starts_with(current));
    all.collect::<BTreeSet<_>>().into_iter().map(CompletionCandidate::new).collect()
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
    from_texts_and([], select)
}

/// Like [`from_texts`], and also offers `fixed` texts.
fn from_texts_and(
    fixed: impl IntoIterator<Item = &'static str>,
    select: impl Fn(&Token, &str) -> Vec<String> + Send + Sync + 'static,
) -> ArgValueCompleter {
    let fixed: Vec<_> = fixed.into_iter().map(str::to_owned).collect();
    ArgValueCompleter::new(move |current: &OsStr| {
        let Some(current) = current.to_str() else { return Vec::new() };
        let texts = from_tokens(|token, _| {
            let mut texts = select(token, current);
            texts.retain(|text| text.starts_with(current) && !text.contains(char::is_whitespace));
            texts
        });
        beginning_with(current, texts.into_iter().chain(fixed.clone()))
    })
}

/// `PRESET:`, then `PRESET:TYPE:` and `PRESET:*`, then `PRESET:TYPE:ENTITY`.
pub(super) fn presets() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let Some(current) = current.to_str() else { return Vec::new() };
        let Some(config) = config() else { return Vec::new() };
        let catalogue = &config.catalogue;
        let parts: Vec<_> = current.split(':').collect();
        let preset = parts.first().and_then(|name| catalogue.preset(name).ok());
        let all: Vec<String> = match (parts.as_slice(), preset) {
            ([_], _) => catalogue.presets.iter().map(|it| format!("{}:", it.name)).collect(),
            ([name, _], Some(preset)) => {
                let types = preset.types(catalogue).map(|it| format!("{name}:{it}:"));
                types.chain([format!("{name}:*")]).collect()
            }
            ([name, given, _], Some(preset)) => {
                let is_of_preset = preset.types(catalogue).any(|it| it.as_str() == *given);
                let mut entries = catalogue.entity_types.iter().filter(|_| is_of_preset);
                let entry = entries.find(|entry| entry.entity_type.as_str() == *given);
                let form = |entity: &str| format!("{name}:{given}:{entity}");
                entry.map(|entry| entities(entry, current, form)).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        beginning_with(current, all)
    })
}

/// Search terms; after `label:` and `owner:` the labels and owners of the store.
pub(super) fn search_terms() -> ArgValueCompleter {
    from_texts_and(TERMS.split(' '), |token, current| {
        let has_value = current.contains('=');
        let labels = token.labels.iter().map(|label| {
            if has_value { format!("label:{label}") } else { format!("label:{}", label.key()) }
        });
        let owner = current.starts_with("owner:").then(|| format!("owner:{}", token.owner_text()));
        labels.filter(|_| current.starts_with("label:")).chain(owner).collect()
    })
}

/// Names of the searches in the config.
pub(super) fn views() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let views = config().map(|config| config.views).unwrap_or_default();
        views.iter().map(|view| candidate(&view.name, &view.search)).collect()
    })
}

/// How long an old secret can keep working.
pub(super) fn overlaps() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        SecretOverlap::ALL.into_iter().map(|it| CompletionCandidate::new(it.as_str())).collect()
    })
}

/// The hooks with runs that wait.
pub(super) fn hooks_with_runs() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let runs = service().and_then(|service| service.hook_runs().ok()).unwrap_or_default();
        beginning_with("", runs.into_iter().map(|stored| stored.run.hook))
    })
}

/// Sort keys of `list`.
pub(super) fn sort_keys() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        ListSort::words()
            .flat_map(|word| [word.clone(), format!("-{word}")])
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
fn from_tokens<T: Ord + Send, I: IntoIterator<Item = T>>(
    select: impl Fn(&Token, Timestamp) -> I + Sync,
) -> Vec<T> {
    let mut all = BTreeSet::new();
    let Some(service) = service() else { return Vec::new() };
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

/// The store of the command line that is being typed, in read-only mode.
fn service() -> Option<Service> {
    config().and_then(|config| OPEN.get()?(&config).ok())
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
