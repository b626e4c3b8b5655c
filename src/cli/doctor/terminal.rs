//! The sections about the terminal, the session (SSH, mosh, screen, tmux) and the route to the
//! clipboard.

use std::{
    env, fs,
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::DoctorReport;
use crate::{
    config::{
        Config, Environment,
        clipboard_route::{self, ClipboardRoute, choose_route},
    },
    service::wait_for_exit,
};

/// Timeout for a tmux command; the report continues without the answer.
const TMUX_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) fn collect(
    report: &mut DoctorReport,
    config: Option<&Config>,
    environment: &Environment,
) {
    report.section("terminal");
    report.fact("TERM", variable("TERM"));
    report.fact("COLORTERM", variable("COLORTERM"));
    report.fact("NO_COLOR", environment.no_color);
    let size = [rustix::stdio::stdout(), rustix::stdio::stderr(), rustix::stdio::stdin()]
        .into_iter()
        .find_map(|stream| rustix::termios::tcgetwinsize(stream).ok());
    let size = size.map(|size| format!("{}x{}", size.ws_col, size.ws_row));
    let on_terminal = size.is_some();
    report.fact_or_unknown("size", size.ok_or_else(|| "not on a terminal".to_owned()));
    let term = env::var("TERM").unwrap_or_default();
    if on_terminal && ["", "dumb"].contains(&term.as_str()) {
        report
            .warn("the app does not run with this value of TERM: set it, e.g. TERM=xterm-256color");
    }
    report.fact("locale", environment.locale.clone());
    let glyphs = config.map(|config| config.glyphs.as_str());
    report.fact_or_unknown("glyphs", glyphs.ok_or_else(|| "the config is invalid".to_owned()));
    collect_session(report);
    collect_clipboard(report, config);
}

fn variable(name: &str) -> Value {
    env::var(name).map_or(Value::Null, Value::from)
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn collect_session(report: &mut DoctorReport) {
    report.section("session");
    // Report only whether SSH is used, because a report must not contain addresses.
    report.fact("ssh", is_set("SSH_CONNECTION") || is_set("SSH_TTY") || is_set("SSH_CLIENT"));
    let mosh = under_mosh();
    report.fact_or_unknown("mosh", mosh.clone());
    report.fact("screen", is_set("STY"));
    report.fact("tmux", is_set("TMUX"));
    if !is_set("TMUX") {
        return;
    }
    let Some(tmux) = clipboard_route::find_in_path("tmux") else {
        report.unknown("tmux version", "tmux is not on the PATH");
        return;
    };
    let version = first_line_of(&tmux, &["-V"]);
    if let Ok(version) = &version
        && is_before_3_2(version)
    {
        report.warn(format!("{version} cannot copy to your terminal: use tmux 3.2 or later"));
    }
    report.fact_or_unknown("tmux version", version);
    report.fact_or_unknown(
        "set-clipboard",
        first_line_of(&tmux, &["show-options", "-sv", "set-clipboard"]),
    );
    let passthrough = first_line_of(&tmux, &["show-options", "-Apv", "allow-passthrough"]);
    report.fact_or_unknown("allow-passthrough", passthrough);
    if mosh == Ok(true) {
        report.warn("mosh drops what tmux copies: add `set -as terminal-overrides ',*:Ms=\\E]52;c;%p2%s\\7'` to your tmux.conf");
    }
}

/// Whether the output of `tmux -V` is a version without `load-buffer -w`. A version that cannot be
/// parsed, e.g. of a development build, counts as recent.
fn is_before_3_2(version: &str) -> bool {
    let number = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut parts = number.split(|c: char| !c.is_ascii_digit());
    let mut next = || parts.next().and_then(|part| part.parse::<u32>().ok());
    match (next(), next()) {
        (Some(major), Some(minor)) => (major, minor) < (3, 2),
        _ => false,
    }
}

/// Whether a parent of this process is a mosh server. Inside tmux this cannot be detected, because
/// the tmux server is not a child of the login session.
fn under_mosh() -> Result<bool, String> {
    let unavailable = || "/proc is not available".to_owned();
    let mut process = std::process::id();
    for _ in 0..32 {
        let stat =
            fs::read_to_string(format!("/proc/{process}/stat")).map_err(|_| unavailable())?;
        let (name, rest) = stat.rsplit_once(')').ok_or_else(unavailable)?;
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

fn collect_clipboard(report: &mut DoctorReport, config: Option<&Config>) {
    report.section("clipboard");
    let Some(config) = config else {
        report.unknown("route", "the config is invalid");
        return;
    };
    let command = (!config.clipboard.is_empty()).then(|| config.clipboard.clone());
    let route = choose_route(&clipboard_route::ClipboardEnvironment::from_process(command));
    if let ClipboardRoute::Command(program, _) = &route
        && !program.contains('/')
        && clipboard_route::find_in_path(program).is_none()
    {
        report.warn(format!(
            "{program}, which clipboard.command names, is not on the PATH: install it, or correct the setting"
        ));
    }
    let (text, limits) = describe_route(&route);
    report.fact("route", text);
    report.fact("note", limits);
}

/// Returns the name of the route and a note about its limits.
fn describe_route(route: &ClipboardRoute) -> (String, &'static str) {
    match route {
        ClipboardRoute::Command(program, _) => (
            format!("the configured program {program}"),
            "if that program fails, the error is shown and no other way to copy is tried",
        ),
        ClipboardRoute::Tmux(tmux) => (
            format!("{} load-buffer -w, then your terminal", tmux.display()),
            "works with any value of set-clipboard; your terminal must allow OSC 52",
        ),
        ClipboardRoute::Screen => (
            "OSC 52 through GNU screen".to_owned(),
            "at most 250 bytes; your terminal must allow OSC 52",
        ),
        ClipboardRoute::Desktop(program, _) => {
            (program.display().to_string(), "the desktop of this host")
        }
        ClipboardRoute::Terminal => (
            "OSC 52".to_owned(),
            "VTE terminals such as GNOME Terminal ignore OSC 52; kitty may ask first; iTerm2 needs a setting",
        ),
    }
}

/// Returns the first line that `program` prints; fails after [`TMUX_TIMEOUT`].
fn first_line_of(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let deadline = Instant::now() + TMUX_TIMEOUT;
    let Ok(Some(status)) = wait_for_exit(&mut child, deadline) else {
        drop(child.kill());
        drop(child.wait());
        return Err("tmux does not respond".to_owned());
    };
    let mut output = String::new();
    if let Some(out) = &mut child.stdout {
        drop(out.take(4_096).read_to_string(&mut output));
    }
    match output.lines().next() {
        Some(line) if status.success() => Ok(line.to_owned()),
        _ => Err("tmux reports no value".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::is_before_3_2;

    #[test]
    fn an_unknown_tmux_version_counts_as_recent() {
        for old in ["tmux 2.9a", "tmux 3.1c", "tmux 3.0"] {
            assert!(is_before_3_2(old), "{old}");
        }
        for new in ["tmux 3.2", "tmux 3.3a", "tmux next-3.6", "tmux master", "tmux 10.0"] {
            assert!(!is_before_3_2(new), "{new}");
        }
    }
}
