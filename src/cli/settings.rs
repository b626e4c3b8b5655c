//! `config`: where the settings are, a commented file of them, what is wrong with them, and what
//! is in force. Opens no store, so that it helps when there is none that opens.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::{
    examples,
    exit::{CliError, Exit},
    print::{Output, print_message},
};
use crate::{
    config::{Config, ConfigError, Environment, Fault, Flags, Origin, example},
    domain::{Catalogue, Domain, Operation},
    keymap::Keymap,
};

/// What to do with the settings.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigSubcommand {
    /// Print the path of the file that is read
    #[command(after_help = examples::CONFIG_PATH)]
    Path,
    /// Write a commented file with every default, if there is none
    #[command(after_help = examples::CONFIG_INIT)]
    Init,
    /// List every mistake in the file; exit 2 if there is one
    #[command(after_help = examples::CONFIG_CHECK)]
    Check,
    /// Show the settings in force and where each came from
    #[command(after_help = examples::CONFIG_SHOW)]
    Show,
}

pub(super) fn config(
    command: ConfigSubcommand,
    flags: &Flags,
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

fn place(flags: &Flags, environment: &Environment) -> Result<PathBuf, CliError> {
    let place = Config::place(flags, environment).map(|(path, _)| path);
    place.ok_or_else(|| {
        CliError::usage(
            "there is no home directory to keep settings in: set HOME, or name a file with --config",
        )
    })
}

fn path(flags: &Flags, environment: &Environment, out: &Output) -> Result<Exit, CliError> {
    let path = place(flags, environment)?;
    let exists = path.exists();
    if out.json {
        out.object(json!({ "path": path.to_string_lossy(), "exists": exists }))?;
    } else {
        out.line(&path.to_string_lossy())?;
        if !exists {
            print_message("there is no such file yet: `patdeck config init` makes it");
        }
    }
    Ok(Exit::Done)
}

fn init(flags: &Flags, environment: &Environment, out: &Output) -> Result<Exit, CliError> {
    let path = place(flags, environment)?;
    write_new(&path).map_err(|error| {
        let shown = path.display();
        match error.kind() {
            io::ErrorKind::AlreadyExists => CliError::Exit(
                Exit::Refused,
                format!("{shown} exists already and was left as it is: edit it, or name another with --config"),
            ),
            _ => CliError::usage(format!("{shown} was not written ({error}): name another place with --config")),
        }
    })?;
    if out.json {
        out.object(json!({ "path": path.to_string_lossy(), "created": true }))?;
    } else {
        print_message(&format!("{} is written, all of it comments", path.display()));
    }
    Ok(Exit::Done)
}

/// The example as a new file for its owner alone: a setting can name a program that is handed
/// secrets, so nobody else may change it.
fn write_new(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(example().as_bytes())
}

fn check(flags: &Flags, environment: &Environment, out: &Output) -> Result<Exit, CliError> {
    match Config::load(flags, environment) {
        Ok(config) => {
            let file = config.file.as_deref();
            if out.json {
                let path = file.map(Path::to_string_lossy);
                out.object(json!({ "path": path, "ok": true, "faults": [] }))?;
            } else if let Some(path) = file {
                out.line(&format!("{}: no mistakes", path.display()))?;
            } else {
                out.line("there is no settings file: every setting has its default")?;
            }
            Ok(Exit::Done)
        }
        Err(error) => {
            // Nothing that goes wrong with the printing may turn a mistake into success.
            let printed = mistakes(&error, out);
            printed.map_err(|error| CliError::from(error).or_exit(Exit::Usage))?;
            Ok(Exit::Usage)
        }
    }
}

fn mistakes(error: &ConfigError, out: &Output) -> io::Result<()> {
    if out.json {
        let (path, faults) = match error {
            ConfigError::Faults { path, faults } => {
                (Some(path), faults.iter().map(fault).collect())
            }
            ConfigError::Missing { path, .. }
            | ConfigError::Unreadable { path, .. }
            | ConfigError::NotText { path } => (Some(path), vec![whole(error)]),
            ConfigError::NoHome => (None, vec![whole(error)]),
        };
        let path = path.map(|path| path.to_string_lossy());
        return out.object(json!({ "path": path, "ok": false, "faults": faults }));
    }
    let ConfigError::Faults { faults, .. } = error else {
        print_message(&error.to_string());
        return Ok(());
    };
    out.line(&error.to_string())?;
    let (count, s) = (faults.len(), if faults.len() == 1 { "" } else { "s" });
    print_message(&format!("{count} mistake{s}: nothing runs with these settings until mended"));
    Ok(())
}

/// A mistake in a line as JSON.
pub(super) fn fault(fault: &Fault) -> Value {
    json!({
        "line": fault.line,
        "setting": fault.problem.setting(),
        "problem": fault.problem.to_string(),
    })
}

fn whole(error: &ConfigError) -> Value {
    json!({ "line": null, "setting": null, "problem": error.to_string() })
}

fn show(config: &Config, out: &Output) -> Result<Exit, CliError> {
    let rows = rows(config);
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
            .map(|(name, value, from)| [name, words(&value), from.to_string()])
            .collect();
        out.table(["SETTING", "VALUE", "FROM"], &rows)?;
    }
    Ok(Exit::Done)
}

/// A value as the settings file spells it, without quotes around a single text.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Every setting by its name in the file, its value, and its layer.
fn rows(config: &Config) -> Vec<(String, Value, Origin)> {
    let from = |name: &str| config.origins.get(name).copied().unwrap_or(Origin::Default);
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
    catalogue(config, &mut rows);
    keys(config, &mut rows);
    rows
}

/// The file adds to single types; each one that it leaves alone is as built in.
fn catalogue(config: &Config, rows: &mut Vec<(String, Value, Origin)>) {
    let built_in = Catalogue::default();
    let from = |same: bool| {
        if same { Origin::Default } else { Origin::File }
    };
    let domains = &config.catalogue.domains;
    let words: Vec<_> = domains.iter().map(Domain::as_str).collect();
    let same = *domains == built_in.domains;
    rows.push(("catalogue.domains".into(), json!(words), from(same)));
    for offer in &config.catalogue.offers {
        let name = format!("catalogue.types.{}", offer.entity_type.as_str());
        let operations: Vec<_> = offer.operations.iter().map(Operation::as_str).collect();
        let value = json!({ "operations": operations, "entities": offer.entities });
        let same = built_in.offers.contains(offer);
        rows.push((name, value, from(same)));
    }
    for preset in &config.catalogue.presets {
        let grants: Vec<_> = preset.grants.iter().map(ToString::to_string).collect();
        let same = built_in.presets.contains(preset);
        rows.push((format!("presets.{}", preset.name), json!(grants), from(same)));
    }
}

/// A key counts as from the file only where it differs from the table: `[keys]` changes single
/// lines.
fn keys(config: &Config, rows: &mut Vec<(String, Value, Origin)>) {
    let standard = Keymap::default();
    for ((mode, action, keys), (.., usual)) in config.keymap.each().zip(standard.each()) {
        let name = format!("keys.{}.{}", mode.as_str(), action.as_str());
        let shown: Vec<_> = keys.iter().map(ToString::to_string).collect();
        let from = if keys == usual { Origin::Default } else { Origin::File };
        rows.push((name, json!(shown), from));
    }
}
