//! `config`: prints the path of the config, creates a commented file, lists its mistakes, and shows
//! the values in effect. Does not open the store, so that it works when the store cannot be opened.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::{
    exit::{CliError, Exit},
    help_footers,
    print::{Output, print_error, print_hint, print_message, print_warning},
};
use crate::{
    config::{
        Config, ConfigError, ConfigFault, ConfigFlags, Environment, SettingSource, example,
        pipe_wait::open_without_waiting,
    },
    domain::{Domain, Hook, Operation, ScopeCatalogue, counted, scan::redact_secrets},
    keymap::Keymap,
    output::{advice::Diagnostic, json::hook_json},
    service::{InputSensitivity, check_input_file, create_private_folder},
};

/// Maximum length of a value that `config show` aligns with the others, so that the few long ones do
/// not move the sources out of the terminal.
const MAX_ALIGNED: usize = 36;

/// Subcommands of `config`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigSubcommand {
    /// Print the path of the config file
    #[command(after_help = help_footers::CONFIG_PATH)]
    Path,
    /// Create a commented config file with all defaults
    #[command(after_help = help_footers::CONFIG_INIT)]
    Init,
    /// Check the config file and list all mistakes; exit 2 if there are any
    #[command(after_help = help_footers::CONFIG_CHECK)]
    Check,
    /// Show the settings in effect and the source of each
    #[command(after_help = help_footers::CONFIG_SHOW)]
    Show,
}

pub(super) fn config(
    command: ConfigSubcommand,
    flags: &ConfigFlags,
    environment: &Environment,
    out: &Output,
) -> Result<Exit, CliError> {
    match command {
        ConfigSubcommand::Path => path(flags, environment, out),
        ConfigSubcommand::Init => init(flags, environment, out),
        ConfigSubcommand::Check => check(flags, environment, out),
        ConfigSubcommand::Show => {
            let config = Config::load(flags, environment).map_err(CliError::usage)?;
            show(&config, out)
        }
    }
}

fn config_path(flags: &ConfigFlags, environment: &Environment) -> Result<PathBuf, CliError> {
    let path = Config::locate(flags, environment).map_err(CliError::usage)?;
    path.map(|(path, _)| path).ok_or_else(|| {
        CliError::usage("there is no home directory for the config")
            .with_hint("set HOME, or pass --config")
    })
}

fn path(flags: &ConfigFlags, environment: &Environment, out: &Output) -> Result<Exit, CliError> {
    let path = config_path(flags, environment)?;
    let exists = path.exists();
    if out.json {
        out.object(json!({ "path": path.to_string_lossy(), "exists": exists }))?;
    } else {
        out.line(&path.to_string_lossy())?;
        if !exists {
            print_hint("the file does not exist yet; create it with `patdeck config init`");
        }
    }
    Ok(Exit::Done)
}

fn init(flags: &ConfigFlags, environment: &Environment, out: &Output) -> Result<Exit, CliError> {
    let path = config_path(flags, environment)?;
    if let Some(folder) = path.parent() {
        create_private_folder(folder).map_err(|error| CliError::file(&error))?;
    }
    write_new(&path).map_err(|error| {
        let shown = path.display();
        match error.kind() {
            io::ErrorKind::AlreadyExists => {
                CliError::new(Exit::Refused, format!("{shown} already exists and was not changed"))
                    .with_hint("edit the file, or choose another with --config")
            }
            _ => CliError::usage(format!("cannot write {shown} ({error})"))
                .with_hint("choose another path with --config"),
        }
    })?;
    if out.json {
        out.result(json!({ "path": path.to_string_lossy(), "created": true }))?;
    } else {
        print_message(&format!("Created {} (every setting is commented out)", path.display()));
    }
    Ok(Exit::Done)
}

/// Writes the example config to a new file that only its owner can access: a setting can name a
/// program that receives secrets, so other users must not be able to change the file.
fn write_new(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(example().as_bytes())
}

fn check(flags: &ConfigFlags, environment: &Environment, out: &Output) -> Result<Exit, CliError> {
    match Config::load(flags, environment) {
        Ok(config) => {
            let file = config.file.as_deref();
            if let Err(error) = require_own_file(&config) {
                print_refused_file(file, &error, out)?;
                return Ok(Exit::Usage);
            }
            let warnings: Vec<_> = config.hooks.iter().filter_map(program_warning).collect();
            if !out.json {
                warnings.iter().for_each(print_warning);
            }
            if out.json {
                let path = file.map(Path::to_string_lossy);
                let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
                out.object(
                    json!({ "path": path, "ok": true, "faults": [], "warnings": warnings }),
                )?;
            } else if let Some(path) = file {
                out.line(&format!("{}: no mistakes", path.display()))?;
            } else {
                out.line("no config file: all settings use their defaults")?;
            }
            Ok(Exit::Done)
        }
        Err(error) => {
            print_faults(&error, out)?;
            Ok(Exit::Usage)
        }
    }
}

/// Refuses a config file that other users can change: the config names programs, and the one for the
/// clipboard receives secrets.
pub fn require_own_file(config: &Config) -> Result<(), CliError> {
    // The program must not wait for the writer of a pipe, whose content it has read already.
    let open = |path: &Path| open_without_waiting(path).ok();
    let opened = config.file.as_deref().and_then(|path| Some((path, open(path)?)));
    opened.map_or(Ok(()), |(path, file)| {
        check_input_file(path, &file, InputSensitivity::Content)
            .map_err(|error| CliError::file(&error))
    })
}

/// Prints that other users can change the config file.
fn print_refused_file(path: Option<&Path>, error: &CliError, out: &Output) -> io::Result<()> {
    if !out.json {
        print_error(&error.diagnostic);
        return Ok(());
    }
    let path = path.map(Path::to_string_lossy);
    let problem = error.diagnostic.to_string();
    let fault = json!({ "line": null, "setting": null, "problem": problem });
    out.object(json!({ "path": path, "ok": false, "faults": [fault], "warnings": [] }))
}

/// Warns of a program that cannot run, or that other accounts can change: it runs with the rights of
/// the operator.
fn program_warning(hook: &Hook) -> Option<Diagnostic> {
    let (name, program) = (hook.name(), hook.command().next()?);
    let warning = |text: String, hint: &str| Some(Diagnostic::new(text).with_hint(hint));
    match fs::metadata(program) {
        Err(error) => warning(
            format!("hook {name} cannot run {program} ({error})"),
            "correct `run` of this hook",
        ),
        Ok(found) if !found.is_file() || found.mode() & 0o111 == 0 => {
            let text = format!("hook {name} cannot run {program}: it is not an executable file");
            warning(text, "correct `run` of this hook")
        }
        Ok(found) if found.mode() & 0o022 != 0 => {
            let text = format!("other accounts can change {program}, which hook {name} runs");
            warning(text, "remove their right to write to it, for example with `chmod go-w`")
        }
        Ok(_) => None,
    }
}

fn print_faults(error: &ConfigError, out: &Output) -> io::Result<()> {
    if out.json {
        let (path, faults) = match error {
            ConfigError::Faults { path, faults } => {
                (Some(path), faults.iter().map(fault_value).collect())
            }
            ConfigError::Missing { path, .. }
            | ConfigError::Unreadable { path, .. }
            | ConfigError::NotText { path } => (Some(path), vec![file_fault_value(error)]),
            ConfigError::NoHome | ConfigError::InvalidPath { .. } => {
                (None, vec![file_fault_value(error)])
            }
        };
        let path = path.map(|path| path.to_string_lossy());
        return out.object(json!({ "path": path, "ok": false, "faults": faults, "warnings": [] }));
    }
    let ConfigError::Faults { faults, .. } = error else {
        print_error(&Diagnostic::new(error));
        return Ok(());
    };
    out.line(&redact_secrets(&error.to_string()))?;
    let message = format!("{} in the config", counted(faults.len(), "mistake"));
    print_error(
        &Diagnostic::new(message)
            .with_hint("fix them; patdeck does not start with a faulty config"),
    );
    Ok(())
}

/// Returns the JSON of a fault in a line of the file.
pub(super) fn fault_value(fault: &ConfigFault) -> Value {
    json!({
        "line": fault.line,
        "setting": fault.kind.setting().map(|it| redact_secrets(&it)),
        "problem": redact_secrets(&fault.kind.to_string()),
    })
}

/// Returns the JSON of a fault that concerns the file as a whole.
fn file_fault_value(error: &ConfigError) -> Value {
    json!({ "line": null, "setting": null, "problem": error.to_string() })
}

fn show(config: &Config, out: &Output) -> Result<Exit, CliError> {
    let rows = setting_rows(config);
    if out.json {
        let settings: Map<_, _> = rows
            .into_iter()
            .map(|(name, value, from)| (name, json!({ "value": value, "from": from.to_string() })))
            .collect();
        let file = config.file.as_deref().map(Path::to_string_lossy);
        out.object(json!({ "file": file, "settings": settings }))?;
    } else {
        let rows: Vec<_> = rows
            .into_iter()
            .map(|(name, value, from)| [name, value_text(&value), from.to_string()])
            .collect();
        out.table_with_long_cells(["SETTING", "VALUE", "FROM"], &rows, MAX_ALIGNED)?;
    }
    Ok(Exit::Done)
}

/// Formats a value as in the config file, except that a string outside a list has no quotes.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Returns the name, the value and the source of every setting.
fn setting_rows(config: &Config) -> Vec<(String, Value, SettingSource)> {
    let from = |name: &str| config.sources.get(name).copied().unwrap_or(SettingSource::Default);
    let mut rows = Vec::new();
    let mut row = |name: &str, value: Value| rows.push((name.to_owned(), value, from(name)));
    row("store", json!(config.store.to_string_lossy()));
    row("read-only", json!(config.read_only));
    row("prefix", json!(config.prefix.as_str()));
    row("theme", json!(config.theme.as_str()));
    row("glyphs", json!(config.glyphs.as_str()));
    row("mouse", json!(config.mouse));
    row("lifetime.default", json!(config.lifetime.to_string()));
    row("lifetime.max", json!(config.limits.max.to_string()));
    row("lifetime.allow-never", json!(config.limits.allow_never));
    row("clipboard.command", json!(config.clipboard));
    let views = config.views.iter().map(|view| (view.name.clone(), json!(view.search)));
    row("views", Value::Object(views.collect()));
    push_catalogue(config, &mut rows);
    push_hooks(config, &mut rows);
    push_keys(config, &mut rows);
    rows
}

/// Adds the rows of the catalogue. The config file changes single entity types; all other types are
/// built in.
fn push_catalogue(config: &Config, rows: &mut Vec<(String, Value, SettingSource)>) {
    let built_in = ScopeCatalogue::default();
    let from = |is_built_in: bool| {
        if is_built_in { SettingSource::Default } else { SettingSource::File }
    };
    let domains = &config.catalogue.domains;
    let words: Vec<_> = domains.iter().map(Domain::as_str).collect();
    let same = *domains == built_in.domains;
    rows.push(("catalogue.domains".into(), json!(words), from(same)));
    for offer in &config.catalogue.entity_types {
        let name = format!("catalogue.types.{}", offer.entity_type.as_str());
        let operations: Vec<_> = offer.operations.iter().map(Operation::as_str).collect();
        let value = json!({ "operations": operations, "entities": offer.entities });
        let same = built_in.entity_types.contains(offer);
        rows.push((name, value, from(same)));
    }
    for preset in &config.catalogue.presets {
        let grants: Vec<_> = preset.grants.iter().map(ToString::to_string).collect();
        let same = built_in.presets.contains(preset);
        rows.push((format!("presets.{}", preset.name), json!(grants), from(same)));
    }
}

/// Adds a row for each hook. There is no built-in hook.
fn push_hooks(config: &Config, rows: &mut Vec<(String, Value, SettingSource)>) {
    for hook in config.hooks.iter() {
        rows.push((format!("hook.{}", hook.name()), hook_json(hook), SettingSource::File));
    }
}

/// Adds the rows of the key bindings. `[keys]` changes single bindings, so that the source is the
/// file only where a binding differs from the default.
fn push_keys(config: &Config, rows: &mut Vec<(String, Value, SettingSource)>) {
    let defaults = Keymap::default();
    for ((mode, action, keys), (.., default_keys)) in config.keymap.iter().zip(defaults.iter()) {
        let name = format!("keys.{}.{}", mode.as_str(), action.as_str());
        let shown: Vec<_> = keys.iter().map(ToString::to_string).collect();
        let from = if keys == default_keys { SettingSource::Default } else { SettingSource::File };
        rows.push((name, json!(shown), from));
    }
}
