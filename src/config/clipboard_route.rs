//! Chooses how to reach the operator's clipboard, from the environment and the config. Runs no
//! program and does not query the terminal. Called by the app, which copies by this route, and by
//! `doctor`, which prints it.

use std::{env, path::PathBuf};

/// The facts about the environment of the process that decide the route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClipboardEnvironment {
    /// `clipboard.command` from the config: a program and its arguments.
    pub command: Option<Vec<String>>,
    /// Whether the process runs inside GNU screen.
    pub in_screen: bool,
    /// Whether the operator connects over SSH. In this case, the clipboard of this host is not the
    /// operator's clipboard.
    pub over_ssh: bool,
    /// The `tmux` program, if the process runs inside tmux.
    pub tmux: Option<PathBuf>,
    /// The `wl-copy` program, if a Wayland desktop is available.
    pub wl_copy: Option<PathBuf>,
    /// The `xclip` program, if an X11 desktop is available.
    pub xclip: Option<PathBuf>,
}

impl ClipboardEnvironment {
    /// Reads the environment variables of this process. `command` is the clipboard program from the
    /// config.
    pub fn from_process(command: Option<Vec<String>>) -> Self {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let program_if =
            |name: &str, program: &str| set(name).then(|| find_in_path(program)).flatten();
        Self {
            command,
            in_screen: set("STY"),
            over_ssh: set("SSH_CONNECTION") || set("SSH_TTY") || set("SSH_CLIENT"),
            tmux: program_if("TMUX", "tmux"),
            wl_copy: program_if("WAYLAND_DISPLAY", "wl-copy"),
            xclip: program_if("DISPLAY", "xclip"),
        }
    }
}

/// Finds the program `name` in `PATH`. Relative entries are skipped, because a program in the current
/// directory could belong to another user and would receive secrets.
pub fn find_in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// How to reach the operator's clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClipboardRoute {
    Command(String, Vec<String>),
    /// `tmux load-buffer -w`, which works with any clipboard options of tmux.
    Tmux(PathBuf),
    /// The escape sequence OSC 52, wrapped for GNU screen.
    Screen,
    /// A program of the local desktop.
    Desktop(PathBuf, Vec<String>),
    /// The escape sequence OSC 52, which the terminal handles.
    Terminal,
}

/// Returns the best available route. The order is: the configured command, tmux, GNU screen, the
/// local desktop, the terminal.
pub fn choose_route(environment: &ClipboardEnvironment) -> ClipboardRoute {
    if let Some((program, args)) = environment.command.as_deref().and_then(<[String]>::split_first)
    {
        return ClipboardRoute::Command(program.clone(), args.to_vec());
    }
    if let Some(tmux) = &environment.tmux {
        return ClipboardRoute::Tmux(tmux.clone());
    }
    if environment.in_screen {
        return ClipboardRoute::Screen;
    }
    if !environment.over_ssh {
        if let Some(wl_copy) = &environment.wl_copy {
            return ClipboardRoute::Desktop(wl_copy.clone(), Vec::new());
        }
        if let Some(xclip) = &environment.xclip {
            return ClipboardRoute::Desktop(
                xclip.clone(),
                vec!["-selection".into(), "clipboard".into()],
            );
        }
    }
    ClipboardRoute::Terminal
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every route is available; the test removes them one by one.
    fn everything() -> ClipboardEnvironment {
        ClipboardEnvironment {
            command: Some(vec!["clip".into(), "-i".into()]),
            in_screen: true,
            over_ssh: false,
            tmux: Some("/bin/tmux".into()),
            wl_copy: Some("/bin/wl-copy".into()),
            xclip: Some("/bin/xclip".into()),
        }
    }

    #[test]
    fn the_best_available_route_is_chosen() {
        let mut environment = everything();
        assert_eq!(
            choose_route(&environment),
            ClipboardRoute::Command("clip".into(), vec!["-i".into()])
        );
        environment.command = Some(Vec::new());
        assert_eq!(choose_route(&environment), ClipboardRoute::Tmux("/bin/tmux".into()));
        environment.tmux = None;
        assert_eq!(choose_route(&environment), ClipboardRoute::Screen);
        environment.in_screen = false;
        assert_eq!(
            choose_route(&environment),
            ClipboardRoute::Desktop("/bin/wl-copy".into(), Vec::new())
        );
        environment.wl_copy = None;
        let args = vec!["-selection".into(), "clipboard".into()];
        assert_eq!(choose_route(&environment), ClipboardRoute::Desktop("/bin/xclip".into(), args));
        environment.over_ssh = true;
        assert_eq!(choose_route(&environment), ClipboardRoute::Terminal);
        assert_eq!(choose_route(&ClipboardEnvironment::default()), ClipboardRoute::Terminal);
    }
}
