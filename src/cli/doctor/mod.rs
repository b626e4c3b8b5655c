//! `doctor`: reports facts about the program, the terminal, the config and the store, and lists what
//! needs attention. Prints no secret and no token name. A fact that cannot be determined is reported
//! with the reason and does not stop the report.

mod hooks;
mod jobs;
mod processes;
mod repair;
mod store;
mod terminal;

use std::{fmt::Display, os::unix::fs::MetadataExt as _, path::Path};

use serde_json::{Map, Value, json};

pub(super) use repair::repair;

use super::{
    config,
    exit::{CliError, Exit},
    print::Output,
};
use crate::{
    config::{Config, ConfigError, ConfigFlags, Environment},
    domain::scan::redact_secrets,
    output::json::SCHEMA_VERSION,
    service::{Service, ServiceError},
};

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// List and make the repairs of damaged names, events, last uses and deleted tokens, and finish
    /// interrupted jobs; before a repair, a copy of the store is kept
    #[arg(long)]
    pub repair: bool,

    /// With --repair: skip the confirmation
    #[arg(long, requires = "repair")]
    pub yes: bool,
}

/// Function that opens the store of a config.
pub type OpenStore<'a> = &'a dyn Fn(&Config) -> Result<Service, ServiceError>;

/// Facts in sections, and the problems that need attention.
#[derive(Debug, Default)]
struct DoctorReport {
    sections: Vec<(&'static str, Vec<(&'static str, Value)>)>,
    problems: Vec<String>,
    /// Whether the store is missing or cannot be read.
    is_store_unavailable: bool,
}

impl DoctorReport {
    fn section(&mut self, name: &'static str) {
        self.sections.push((name, Vec::new()));
    }

    /// Adds a fact to the last section.
    fn fact(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some((_, facts)) = self.sections.last_mut() {
            facts.push((name, without_secrets(value.into())));
        }
    }

    /// Adds a fact that cannot be determined, with the reason.
    fn unknown(&mut self, name: &'static str, why: &str) {
        self.fact(name, json!({ "unknown": why }));
    }

    /// Adds a fact, or the reason for which it cannot be determined.
    fn fact_or_unknown(&mut self, name: &'static str, fact: Result<impl Into<Value>, String>) {
        match fact {
            Ok(value) => self.fact(name, value),
            Err(why) => self.unknown(name, &why),
        }
    }

    /// Adds a problem that needs attention.
    fn warn(&mut self, problem: impl Display) {
        self.problems.push(redact_secrets(&problem.to_string()));
    }
}

/// Collects and prints the report; the exit code is 4 if the store is missing or cannot be read,
/// and 1 if something else needs attention.
pub(super) fn doctor(
    flags: &ConfigFlags,
    environment: &Environment,
    open: OpenStore<'_>,
    out: &Output,
) -> Result<Exit, CliError> {
    let config = Config::load(flags, environment);
    let mut report = DoctorReport::default();
    collect_program(&mut report);
    terminal::collect(&mut report, config.as_ref().ok(), environment);
    collect_config(&mut report, flags, environment, &config);
    store::collect(&mut report, config.as_ref().ok(), open);
    let exit = match (report.is_store_unavailable, report.problems.as_slice()) {
        (true, _) => Exit::Store,
        (false, []) => Exit::Done,
        (false, _) => Exit::No,
    };
    if out.json {
        out.object(as_json(report))?;
    } else {
        print(&report, out)?;
    }
    Ok(exit)
}

fn collect_program(report: &mut DoctorReport) {
    report.section("patdeck");
    report.fact("version", env!("CARGO_PKG_VERSION"));
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    report.fact("system", system);
    report.fact("uid", rustix::process::geteuid().as_raw());
    report.fact("json schema", SCHEMA_VERSION);
}

fn collect_config(
    report: &mut DoctorReport,
    flags: &ConfigFlags,
    environment: &Environment,
    config: &Result<Config, ConfigError>,
) {
    report.section("settings");
    match Config::locate(flags, environment) {
        Err(error) => report.unknown("file", &error.to_string()),
        Ok(None) => report.unknown("file", "there is no home directory"),
        Ok(Some((path, _))) => {
            report.fact("file", path.to_string_lossy());
            report.fact("exists", path.exists());
            if let Ok(metadata) = std::fs::metadata(&path) {
                report.fact("mode", mode(&metadata));
                check_permissions(report, &path, &metadata, "your config");
            }
        }
    }
    let faults = match config {
        Ok(_) => Vec::new(),
        Err(ConfigError::Faults { faults, .. }) => faults.iter().map(config::fault_value).collect(),
        Err(error) => vec![json!({ "problem": error.to_string() })],
    };
    report.fact("mistakes", faults.len());
    if let Err(error) = config {
        report.warn(format!("config: {error}"));
        report.fact("faults", faults);
    }
}

/// Warns if another user can change the file at `path`, which is `what`: the config, which can name a
/// program that receives secrets, or the program of a hook.
fn check_permissions(
    report: &mut DoctorReport,
    path: &Path,
    metadata: &std::fs::Metadata,
    what: &str,
) {
    let shown = path.display();
    let owner = metadata.uid();
    if owner != rustix::process::geteuid().as_raw() && owner != 0 {
        report.warn(format!(
            "{shown} belongs to user {owner}, who can change {what}: take ownership with chown"
        ));
    }
    if metadata.mode() & 0o022 != 0 {
        report.warn(format!("{shown} is writable by other users: run `chmod go-w {shown}`"));
    }
}

fn mode(metadata: &std::fs::Metadata) -> String {
    format!("{:04o}", metadata.mode() & 0o7777)
}

fn as_json(report: DoctorReport) -> Value {
    let mut object = Map::new();
    object.insert("ok".into(), report.problems.is_empty().into());
    object.insert("attention".into(), report.problems.into());
    for (section, facts) in report.sections {
        let facts: Map<_, _> =
            facts.into_iter().map(|(name, value)| (name.replace(' ', "_"), value)).collect();
        object.insert(section.into(), facts.into());
    }
    object.into()
}

fn print(report: &DoctorReport, out: &Output) -> std::io::Result<()> {
    let mut rows = Vec::new();
    for (section, facts) in &report.sections {
        for (index, (name, value)) in facts.iter().enumerate() {
            let section = if index == 0 { *section } else { "" };
            rows.push([section.to_owned(), (*name).to_owned(), fact_text(value)]);
        }
    }
    out.table(["SECTION", "FACT", "VALUE"], &rows)?;
    if report.problems.is_empty() {
        return out.line("\nNo problems found");
    }
    out.line("\nNeeds attention:")?;
    for problem in &report.problems {
        for line in problem.lines() {
            out.line(&format!("  {}", crate::domain::terminal_text::escape(line)))?;
        }
    }
    Ok(())
}

/// Returns `value` without the secrets in its text: a variable or a path can contain one by mistake.
fn without_secrets(value: Value) -> Value {
    match value {
        Value::String(text) => redact_secrets(&text).into(),
        Value::Array(items) => items.into_iter().map(without_secrets).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, without_secrets(value))).collect()
        }
        other => other,
    }
}

/// Formats a value for people. A fact that could not be determined becomes `unknown: REASON`.
fn fact_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Null => "not set".to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(fact_text).collect::<Vec<_>>().join(", "),
        Value::Object(object) => {
            if let Some(why) = object.get("unknown") {
                return format!("unknown: {}", fact_text(why));
            }
            let field = |(name, value): (&String, &Value)| format!("{name} {}", fact_text(value));
            object.iter().map(field).collect::<Vec<_>>().join(", ")
        }
        Value::Number(number) => number.to_string(),
    }
}
