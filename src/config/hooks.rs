//! Reads the tables `[[hook]]` of the config file. Refuses unknown actions, a timeout out of range, a
//! name that occurs twice and a definition that `domain::hook` refuses. Called by `file`.

use std::time::Duration;

use super::toml_reader::{TomlEntry, TomlReader};
use crate::{
    domain::{AuditAction, Hook, HookError, Hooks},
    keymap::suggest::advice,
};

/// Returns the hooks of the file. Records faults in `reader`.
pub(super) fn read_hooks<'a>(reader: &mut TomlReader<'a>, entry: &TomlEntry<'a>) -> Hooks {
    let mut hooks: Vec<Hook> = Vec::new();
    for table in reader.tables(entry) {
        let before = reader.faults.len();
        let hook = read_hook(reader, &table);
        if let Some(hook) = hook.filter(|_| reader.faults.len() == before) {
            if hooks.iter().any(|other| other.name() == hook.name()) {
                let text =
                    format!("two hooks have the name `{}`: set `name` of one of them", hook.name());
                reader.invalid_value(&table, &text);
            }
            hooks.push(hook);
        }
    }
    hooks.into()
}

fn read_hook<'a>(reader: &mut TomlReader<'a>, table: &TomlEntry<'a>) -> Option<Hook> {
    let entries = reader.table(Some(table));
    let [name, on, run, timeout] = reader.take_known(entries, ["name", "on", "run", "timeout"]);
    let name_text = reader.parsed_text(name.as_ref(), "a text such as \"log\"", Ok::<_, String>);
    let timeout =
        reader.parsed_text(timeout.as_ref(), "a duration in quotes such as \"10s\"", parse_timeout);
    for (entry, key) in [(&on, "on"), (&run, "run")] {
        if entry.is_none() {
            reader.invalid_value(table, &format!("`{key}` is missing: add it"));
        }
    }
    let actions = reader.list(on.as_ref(), "a list of actions such as [\"revoke\"]")?;
    let listed = actions.len();
    let actions: Vec<_> = actions
        .iter()
        .filter_map(|item| reader.value_or_fault(item, parse_action(item.text()?)))
        .collect();
    if let Some(on) = on.as_ref().filter(|_| listed == 0) {
        reader.invalid_value(on, "the list is empty: add an action, or remove the hook");
    }
    let items = reader.list(run.as_ref(), "a list such as [\"/usr/bin/logger\", \"{id}\"]")?;
    let command: Vec<_> = items.iter().filter_map(TomlEntry::text).collect();
    let timeout = timeout.unwrap_or(Hook::DEFAULT_TIMEOUT);
    let hook = Hook::new(name_text, actions, &command, timeout);
    let faulty = match &hook {
        Err(HookError::InvalidName(_)) => name.or(run),
        _ => run,
    };
    reader.value_or_fault(&faulty?, hook)
}

fn parse_action(text: &str) -> Result<AuditAction, String> {
    let action = AuditAction::from_word(text);
    if action == Some(AuditAction::HookRan) {
        return Err(HookError::RunsAfterHooks.to_string());
    }
    action.ok_or_else(|| {
        let all = AuditAction::ALL.into_iter().filter(|action| *action != AuditAction::HookRan);
        let words: Vec<_> = all.map(AuditAction::verb).collect();
        format!("unknown action `{text}`: {}", advice(text, words))
    })
}

/// Parses a number of seconds or minutes, from 1 second to [`Hook::MAX_TIMEOUT`].
fn parse_timeout(text: &str) -> Result<Duration, String> {
    let seconds = match text.trim().strip_suffix('m') {
        Some(minutes) => minutes.parse().ok().and_then(|minutes: u64| minutes.checked_mul(60)),
        None => text.trim().strip_suffix('s').and_then(|seconds| seconds.parse().ok()),
    };
    let timeout = seconds.map(Duration::from_secs);
    let is_in_range = |it: &Duration| !it.is_zero() && *it <= Hook::MAX_TIMEOUT;
    timeout
        .filter(is_in_range)
        .ok_or_else(|| format!("`{text}` is not a time from 1s to 5m: use for example 10s"))
}
