//! `doctor`: looks over the program, the terminal, the settings and the store, and says what
//! needs attention. Prints no secret and no name of a token; never fails as a whole: what cannot
//! be found out says why.

mod processes;
mod store;
mod terminal;

use std::{os::unix::fs::MetadataExt as _, path::Path};

use serde_json::{Map, Value, json};

use super::{
    exit::{CliError, Exit},
    print::Output,
    settings,
};
use crate::{
    config::{Config, ConfigError, Environment, Flags},
    output::json::SCHEMA,
    service::Service,
};

pub type Open<'a> = &'a dyn Fn(&Config) -> Result<Service, CliError>;

/// What was found, part by part, and what needs attention.
#[derive(Debug, Default)]
struct Report {
    parts: Vec<(&'static str, Vec<(&'static str, Value)>)>,
    attention: Vec<String>,
}

impl Report {
    fn part(&mut self, name: &'static str) {
        self.parts.push((name, Vec::new()));
    }

    /// A fact of the part that was begun last.
    fn fact(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some((_, facts)) = self.parts.last_mut() {
            facts.push((name, value.into()));
        }
    }

    /// A fact that could not be found out.
    fn unknown(&mut self, name: &'static str, why: &str) {
        self.fact(name, json!({ "unknown": why }));
    }

    /// A fact, or why it could not be found out.
    fn either(&mut self, name: &'static str, found: Result<impl Into<Value>, String>) {
        match found {
            Ok(value) => self.fact(name, value),
            Err(why) => self.unknown(name, &why),
        }
    }

    fn attend(&mut self, sentence: impl Into<String>) {
        self.attention.push(sentence.into());
    }
}

/// Looks, prints, and answers by the exit code.
pub(super) fn doctor(
    flags: &Flags,
    environment: &Environment,
    open: Open<'_>,
    out: &Output,
) -> Result<Exit, CliError> {
    let config = Config::load(flags, environment);
    let mut report = Report::default();
    program(&mut report);
    terminal::look(&mut report, config.as_ref().ok(), environment);
    settings_file(&mut report, flags, environment, &config);
    store::look(&mut report, config.as_ref().ok(), open);
    let exit = if report.attention.is_empty() { Exit::Done } else { Exit::No };
    let printed = if out.json { out.object(as_json(report)) } else { print(&report, out) };
    printed.map_err(|error| match exit {
        Exit::Done => CliError::from(error),
        other => CliError::from(error).or_exit(other),
    })?;
    Ok(exit)
}

fn program(report: &mut Report) {
    report.part("patdeck");
    report.fact("version", env!("CARGO_PKG_VERSION"));
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    report.fact("system", system);
    report.fact("uid", rustix::process::geteuid().as_raw());
    report.fact("json schema", SCHEMA);
}

fn settings_file(
    report: &mut Report,
    flags: &Flags,
    environment: &Environment,
    config: &Result<Config, ConfigError>,
) {
    report.part("settings");
    match Config::place(flags, environment) {
        None => report.unknown("file", "there is no home directory"),
        Some((path, _)) => {
            report.fact("file", path.to_string_lossy());
            report.fact("exists", path.exists());
            if let Ok(found) = std::fs::metadata(&path) {
                report.fact("mode", mode(&found));
                judge_settings(report, &path, &found);
            }
        }
    }
    let faults = match config {
        Ok(_) => Vec::new(),
        Err(ConfigError::Faults { faults, .. }) => faults.iter().map(settings::fault).collect(),
        Err(error) => vec![json!({ "problem": error.to_string() })],
    };
    report.fact("mistakes", faults.len());
    if let Err(error) = config {
        report.attend(format!("the settings: {error}"));
        report.fact("faults", faults);
    }
}

/// The settings can name a program that is handed secrets: whoever may change them has these.
fn judge_settings(report: &mut Report, path: &Path, found: &std::fs::Metadata) {
    let shown = path.display();
    let mine = found.uid() == rustix::process::geteuid().as_raw() || found.uid() == 0;
    if !mine {
        report.attend(format!(
            "{shown} belongs to user {}, who can change your settings: make it your own",
            found.uid()
        ));
    }
    if found.mode() & 0o022 != 0 {
        report.attend(format!("{shown} can be changed by others: run `chmod go-w {shown}`"));
    }
}

fn mode(found: &std::fs::Metadata) -> String {
    format!("{:04o}", found.mode() & 0o7777)
}

fn as_json(report: Report) -> Value {
    let mut whole = Map::new();
    whole.insert("ok".into(), report.attention.is_empty().into());
    whole.insert("attention".into(), report.attention.into());
    for (part, facts) in report.parts {
        let facts: Map<_, _> =
            facts.into_iter().map(|(name, value)| (name.replace(' ', "_"), value)).collect();
        whole.insert(part.into(), facts.into());
    }
    whole.into()
}

fn print(report: &Report, out: &Output) -> std::io::Result<()> {
    let mut rows = Vec::new();
    for (part, facts) in &report.parts {
        for (index, (name, value)) in facts.iter().enumerate() {
            let part = if index == 0 { *part } else { "" };
            rows.push([part.to_owned(), (*name).to_owned(), words(value)]);
        }
    }
    out.table(["PART", "FACT", "FOUND"], &rows)?;
    if report.attention.is_empty() {
        return out.line("\nall is well");
    }
    out.line("\nattention:")?;
    for sentence in &report.attention {
        for line in sentence.lines() {
            out.line(&format!("  {}", crate::domain::terminal_text::escape(line)))?;
        }
    }
    Ok(())
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Null => "not set".to_owned(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(inside) => {
            if let Some(why) = inside.get("unknown") {
                return format!("unknown: {}", words(why));
            }
            let told = |(name, value): (&String, &Value)| format!("{name} {}", words(value));
            inside.iter().map(told).collect::<Vec<_>>().join(", ")
        }
        Value::Number(number) => number.to_string(),
    }
}
