//! The terminal, what lies between it and the operator, and the way to their clipboard.

use std::{
    env, fs,
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::Report;
use crate::config::{
    Config, Environment,
    clipboard::{self, Route, choose},
};

/// How long tmux may take to answer; there is more to tell than what it says.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn look(report: &mut Report, config: Option<&Config>, environment: &Environment) {
    report.part("terminal");
    report.fact("TERM", variable("TERM"));
    report.fact("COLORTERM", variable("COLORTERM"));
    report.fact("NO_COLOR", environment.no_color);
    let size = [rustix::stdio::stdout(), rustix::stdio::stderr(), rustix::stdio::stdin()]
        .into_iter()
        .find_map(|stream| rustix::termios::tcgetwinsize(stream).ok());
    let size = size.map(|size| format!("{}x{}", size.ws_col, size.ws_row));
    let on_terminal = size.is_some();
    report.either("size", size.ok_or_else(|| "not on a terminal".to_owned()));
    let term = env::var("TERM").unwrap_or_default();
    if on_terminal && ["", "dumb"].contains(&term.as_str()) {
        report.attend("TERM says that this terminal cannot show the app: set it, for example TERM=xterm-256color");
    }
    report.fact("locale", environment.locale.clone());
    let glyphs = config.map(|config| config.glyphs.as_str());
    report.either("glyphs", glyphs.ok_or_else(|| "the settings have mistakes".to_owned()));
    session(report);
    clipboard(report, config);
}

fn variable(name: &str) -> Value {
    env::var(name).map_or(Value::Null, Value::from)
}

fn set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn session(report: &mut Report) {
    report.part("session");
    // Whether, not from where: addresses do not belong into a report.
    report.fact("ssh", set("SSH_CONNECTION") || set("SSH_TTY") || set("SSH_CLIENT"));
    let mosh = under_mosh();
    report.either("mosh", mosh.clone());
    report.fact("screen", set("STY"));
    report.fact("tmux", set("TMUX"));
    if !set("TMUX") {
        return;
    }
    let Some(tmux) = clipboard::on_path("tmux") else {
        report.unknown("tmux version", "there is no tmux on the PATH");
        return;
    };
    let version = ask(&tmux, &["-V"]);
    if let Ok(told) = &version
        && is_before_3_2(told)
    {
        report.attend(format!(
            "{told} cannot hand a copy on to your terminal: use tmux 3.2 or later"
        ));
    }
    report.either("tmux version", version);
    report.either("set-clipboard", ask(&tmux, &["show-options", "-sv", "set-clipboard"]));
    let through = ask(&tmux, &["show-options", "-Apv", "allow-passthrough"]);
    report.either("allow-passthrough", through);
    if mosh == Ok(true) {
        report.attend("mosh drops what tmux copies: put `set -as terminal-overrides ',*:Ms=\\E]52;c;%p2%s\\7'` into your tmux.conf");
    }
}

/// Whether the version, as `tmux -V` tells it, lacks `load-buffer -w`. One that cannot be read,
/// as of a build from source, counts as new.
fn is_before_3_2(told: &str) -> bool {
    let number = told.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut parts = number.split(|c: char| !c.is_ascii_digit());
    let mut next = || parts.next().and_then(|part| part.parse::<u32>().ok());
    match (next(), next()) {
        (Some(major), Some(minor)) => (major, minor) < (3, 2),
        _ => false,
    }
}

/// Whether a parent of this process is mosh's. Behind tmux it cannot be seen: the server is
/// nobody's child.
fn under_mosh() -> Result<bool, String> {
    let unseen = || "there is no /proc to look into".to_owned();
    let mut process = std::process::id();
    for _ in 0..32 {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).map_err(|_| unseen())?;
        let (name, rest) = stat.rsplit_once(')').ok_or_else(unseen)?;
        if name.contains("(mosh-server") {
            return Ok(true);
        }
        let parent = rest.split_whitespace().nth(1).and_then(|id| id.parse().ok());
        match parent {
            Some(parent) if parent > 1 => process = parent,
            _ => break,
        }
    }
    Ok(false)
}

fn clipboard(report: &mut Report, config: Option<&Config>) {
    report.part("clipboard");
    let Some(config) = config else {
        report.unknown("route", "the settings have mistakes");
        return;
    };
    let command = (!config.clipboard.is_empty()).then(|| config.clipboard.clone());
    let route = choose(&clipboard::Environment::from_process(command));
    if let Route::Command(program, _) = &route
        && !program.contains('/')
        && clipboard::on_path(program).is_none()
    {
        report.attend(format!(
            "there is no {program} on the PATH, which clipboard.command names: install it, or correct the setting"
        ));
    }
    let (words, limits) = in_words(&route);
    report.fact("route", words);
    report.fact("note", limits);
}

fn in_words(route: &Route) -> (String, &'static str) {
    match route {
        Route::Command(program, _) => (
            format!("the configured program {program}"),
            "its failure is told, nothing else is tried",
        ),
        Route::Tmux(tmux) => (
            format!("{} load-buffer -w, then your terminal", tmux.display()),
            "works whatever set-clipboard says; your terminal must allow OSC 52",
        ),
        Route::Screen => (
            "OSC 52 through screen".to_owned(),
            "at most 250 bytes; your terminal must allow OSC 52",
        ),
        Route::Desktop(program, _) => {
            (program.display().to_string(), "the desktop of this machine")
        }
        Route::Terminal => (
            "OSC 52".to_owned(),
            "VTE terminals such as GNOME Terminal refuse it, kitty may ask, iTerm2 has a switch",
        ),
    }
}

/// What `program` answers in its first line, within the time that it has.
fn ask(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let deadline = Instant::now() + PATIENCE;
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(2)),
            _ => {
                drop(child.kill());
                drop(child.wait());
                return Err("tmux does not answer".to_owned());
            }
        }
    };
    let mut told = String::new();
    if let Some(out) = &mut child.stdout {
        drop(out.take(4_096).read_to_string(&mut told));
    }
    match told.lines().next() {
        Some(line) if ended.success() => Ok(line.to_owned()),
        _ => Err("tmux does not say".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::is_before_3_2;

    #[test]
    fn only_a_tmux_that_is_known_to_be_old_is_old() {
        for old in ["tmux 2.9a", "tmux 3.1c", "tmux 3.0"] {
            assert!(is_before_3_2(old), "{old}");
        }
        for new in ["tmux 3.2", "tmux 3.3a", "tmux next-3.6", "tmux master", "tmux 10.0"] {
            assert!(!is_before_3_2(new), "{new}");
        }
    }
}
