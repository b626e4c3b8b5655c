//! The way to the operator's clipboard: decided from the environment and the settings alone,
//! nothing is run or asked. The app copies by it, `doctor` names it.

use std::{env, path::PathBuf};

/// What is known about the place where the process runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `clipboard.command` from the config: a program and its arguments.
    pub command: Option<Vec<String>>,
    pub in_screen: bool,
    /// Reached over SSH: a desktop here would not be the operator's.
    pub over_ssh: bool,
    /// The `tmux` program, if the process runs inside tmux.
    pub tmux: Option<PathBuf>,
    /// The `wl-copy` program, if a Wayland desktop is at hand.
    pub wl_copy: Option<PathBuf>,
    /// The `xclip` program, if an X11 desktop is at hand.
    pub xclip: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process, with the configured command, if there is one.
    pub fn from_process(command: Option<Vec<String>>) -> Self {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let program_if = |name: &str, program: &str| set(name).then(|| on_path(program)).flatten();
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

/// The program on the path. Relative entries are passed over: whoever owns the current directory
/// must not be handed a secret.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// A way to the operator's clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    Command(String, Vec<String>),
    /// `tmux load-buffer -w`, which works whatever tmux's clipboard options are.
    Tmux(PathBuf),
    /// OSC 52, wrapped for GNU screen.
    Screen,
    /// A program of the local desktop.
    Desktop(PathBuf, Vec<String>),
    /// OSC 52, which the terminal itself takes.
    Terminal,
}

/// The best route from here. Decides by the environment alone: nothing is run or asked.
pub fn choose(environment: &Environment) -> Route {
    if let Some((program, args)) = environment.command.as_deref().and_then(<[String]>::split_first)
    {
        return Route::Command(program.clone(), args.to_vec());
    }
    if let Some(tmux) = &environment.tmux {
        return Route::Tmux(tmux.clone());
    }
    if environment.in_screen {
        return Route::Screen;
    }
    if !environment.over_ssh {
        if let Some(wl_copy) = &environment.wl_copy {
            return Route::Desktop(wl_copy.clone(), Vec::new());
        }
        if let Some(xclip) = &environment.xclip {
            return Route::Desktop(xclip.clone(), vec!["-selection".into(), "clipboard".into()]);
        }
    }
    Route::Terminal
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything at hand at once; each case takes something away.
    fn everything() -> Environment {
        Environment {
            command: Some(vec!["clip".into(), "-i".into()]),
            in_screen: true,
            over_ssh: false,
            tmux: Some("/bin/tmux".into()),
            wl_copy: Some("/bin/wl-copy".into()),
            xclip: Some("/bin/xclip".into()),
        }
    }

    #[test]
    fn routes_are_taken_in_the_order_of_what_works_best() {
        let mut place = everything();
        assert_eq!(choose(&place), Route::Command("clip".into(), vec!["-i".into()]));
        place.command = Some(Vec::new());
        assert_eq!(choose(&place), Route::Tmux("/bin/tmux".into()));
        place.tmux = None;
        assert_eq!(choose(&place), Route::Screen);
        place.in_screen = false;
        assert_eq!(choose(&place), Route::Desktop("/bin/wl-copy".into(), Vec::new()));
        place.wl_copy = None;
        let args = vec!["-selection".into(), "clipboard".into()];
        assert_eq!(choose(&place), Route::Desktop("/bin/xclip".into(), args));
        place.over_ssh = true;
        assert_eq!(choose(&place), Route::Terminal);
        assert_eq!(choose(&Environment::default()), Route::Terminal);
    }
}
