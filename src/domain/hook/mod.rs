//! Hooks: programs of the operator that run after a change. Owns the definition of a hook, one queued
//! run of it and the outcome. Refuses a definition that could run the name of a token as code. The
//! config reads hooks, the store queues runs, the service executes them.

mod template;

use std::{fmt, sync::Arc, time::Duration};

use template::Template;

use super::{
    Timestamp,
    event::{AuditAction, EventBody},
    id::TokenId,
    scan::secrets_in,
    terminal_text::escape,
};

/// A program that runs after each change of certain kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    name: String,
    actions: Vec<AuditAction>,
    command: Vec<Template>,
    timeout: Duration,
}

/// Why a definition of a hook is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    #[error("`{0}` is not a valid name: use at most 32 letters, digits, `.`, `-` and `_`")]
    InvalidName(String),
    #[error("the first item must be the absolute path of a program, such as \"/usr/bin/logger\"")]
    NoProgram,
    #[error("`{0}` is not a placeholder: use {{id}}, {{name}}, {{action}} or {{event}}")]
    UnknownPlaceholder(String),
    #[error(
        "a name can look like an option: put \"--\" before the item with {{name}}, or use {{id}}"
    )]
    NameAsOption,
    #[error(
        "the shell would run {{name}} as code: pass it as an item after the script, or use {{id}}"
    )]
    NameInScript,
    #[error(
        "it contains a secret, which other users could read: remove it, and regenerate its token"
    )]
    ContainsSecret,
    #[error("a hook cannot run after the runs of hooks: remove `hook`")]
    RunsAfterHooks,
}

impl Hook {
    /// The time after which a run is killed, if the config sets no other.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
    /// The longest timeout.
    pub const MAX_TIMEOUT: Duration = Duration::from_secs(300);
    /// Maximum length of a name, in bytes.
    const MAX_NAME_LEN: usize = 32;

    /// Returns the hook that runs `command`, a program with its arguments, after each of `actions`.
    /// Without a `name`, it has the file name of the program.
    pub fn new(
        name: Option<&str>,
        actions: Vec<AuditAction>,
        command: &[&str],
        timeout: Duration,
    ) -> Result<Self, HookError> {
        let program = command.first().filter(|path| path.starts_with('/') && !path.contains('{'));
        let file_name = program.and_then(|path| path.rsplit('/').next());
        let file_name = file_name.filter(|name| !name.is_empty()).ok_or(HookError::NoProgram)?;
        let name = name.unwrap_or(file_name);
        let is_name = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        if name.is_empty() || name.len() > Self::MAX_NAME_LEN || !name.chars().all(is_name) {
            return Err(HookError::InvalidName(name.to_owned()));
        }
        if actions.contains(&AuditAction::HookRan) {
            return Err(HookError::RunsAfterHooks);
        }
        if command.iter().any(|text| secrets_in(text.as_bytes()).next().is_some()) {
            return Err(HookError::ContainsSecret);
        }
        let command = template::parse_command(command)?;
        Ok(Self { name: name.to_owned(), actions, command, timeout })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kinds of events after which the hook runs.
    pub fn actions(&self) -> &[AuditAction] {
        &self.actions
    }

    /// The time after which a run is killed.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The program with its arguments as they are in the config.
    pub fn command(&self) -> impl Iterator<Item = &str> {
        self.command.iter().map(Template::as_str)
    }

    /// The program with its arguments for `run`. Returns `None` if an argument would contain a secret,
    /// for example because a token has a secret as its name: other users can read arguments.
    pub fn arguments(&self, run: &HookRun) -> Option<Vec<String>> {
        let arguments: Vec<_> = self.command.iter().map(|item| item.fill(run)).collect();
        let has_secret = |text: &String| secrets_in(text.as_bytes()).next().is_some();
        (!arguments.iter().any(has_secret)).then_some(arguments)
    }
}

/// The hooks of a config, in its order. A clone shares them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks(Arc<[Hook]>);

impl Default for Hooks {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl From<Vec<Hook>> for Hooks {
    fn from(hooks: Vec<Hook>) -> Self {
        Self(hooks.into())
    }
}

impl Hooks {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Hook> {
        self.0.iter()
    }

    /// The hook with this name.
    pub fn get(&self, name: &str) -> Option<&Hook> {
        self.iter().find(|hook| hook.name == name)
    }

    /// The runs that the event with this number requires, one for each hook that runs after it.
    pub fn runs_after(&self, event: u64, body: &EventBody) -> impl Iterator<Item = HookRun> {
        let is_required = |hook: &&Hook| hook.actions.contains(&body.action);
        self.iter().filter(is_required).map(move |hook| HookRun {
            hook: hook.name.clone(),
            event,
            at: body.at,
            action: body.action,
            token: body.token,
            name: body.name.clone(),
            lock: 0,
            failure: None,
        })
    }
}

/// One run of a hook, queued in the store until it has succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRun {
    /// The name of the hook. Its command is read from the config when it runs.
    pub hook: String,
    /// The number of the event after which it runs, and the time of that event.
    pub event: u64,
    pub at: Timestamp,
    pub action: AuditAction,
    /// The token of the event, and its name at that time. `None` for an event of the whole store.
    pub token: Option<TokenId>,
    pub name: String,
    /// Names the lock of the process that has taken the run; 0 if none has.
    pub lock: u64,
    /// The last attempt, if it failed.
    pub failure: Option<HookFailure>,
}

/// Numbers of queued runs that no process is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HookRunCounts {
    /// Runs whose last attempt has failed.
    pub failed: usize,
    /// Runs that were not tried yet, or whose hook is not in the config.
    pub waiting: usize,
}

impl HookRunCounts {
    pub fn is_empty(self) -> bool {
        self.failed == 0 && self.waiting == 0
    }
}

/// A failed attempt to run a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookFailure {
    /// Number of attempts that have failed.
    pub attempts: u32,
    /// The time of the last attempt.
    pub at: Timestamp,
    /// The outcome of the last attempt.
    pub reason: String,
}

impl HookRun {
    /// Records an attempt that failed at `at` with `outcome`, and releases the run.
    pub fn fail(&mut self, at: Timestamp, outcome: &HookOutcome) {
        let attempts = self.failure.as_ref().map_or(0, |failure| failure.attempts);
        let reason = outcome.to_string();
        self.failure = Some(HookFailure { attempts: attempts.saturating_add(1), at, reason });
        self.lock = 0;
    }

    /// The event after which the hook runs: `event 12 (revoke)`.
    pub fn describe_event(&self) -> String {
        format!("event {} ({})", self.event, self.action.verb())
    }
}

/// How a run of a hook ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookOutcome {
    Succeeded,
    /// The program exited with a status other than 0.
    Exited(i32),
    /// A signal ended the program.
    Killed(i32),
    /// The program ran longer than the timeout, and was killed with its process group.
    TimedOut(Duration),
    /// The program could not be started or awaited, for this reason.
    NotRun(String),
}

impl fmt::Display for HookOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeded => f.write_str("succeeded"),
            Self::Exited(status) => write!(f, "exit status {status}"),
            Self::Killed(signal) => write!(f, "ended by signal {signal}"),
            Self::TimedOut(timeout) => write!(f, "killed after {} s", timeout.as_secs()),
            Self::NotRun(reason) => write!(f, "not run: {}", escape(reason)),
        }
    }
}

#[cfg(test)]
mod tests;
