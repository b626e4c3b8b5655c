//! The inputs of the config from the process: environment variables, user directories and the
//! current directory. Read once, so that `Config::load` is a function of plain values. Called by the
//! library's `run`.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    error::ConfigError,
    paths::{UserDirs, absolute_path},
};
use crate::domain::file_path::file_path;

/// The inputs of the config from the process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// The value of `PATDECK_CONFIG`.
    pub config: Option<PathBuf>,
    /// The value of `PATDECK_STORE`.
    pub store: Option<PathBuf>,
    /// `PATDECK_READ_ONLY`: off for `0` and `false`, on for any other text.
    pub read_only: Option<bool>,
    /// Whether `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// The locale of characters, from the first variable that is set: `LC_ALL`, `LC_CTYPE`, `LANG`.
    pub locale: Option<String>,
    /// The directories of the user. `None` if the user has no home directory.
    pub user_dirs: Option<UserDirs>,
    /// The current directory, the base of relative paths on the command line.
    pub current: PathBuf,
}

impl Environment {
    pub fn of_process() -> Self {
        Self {
            user_dirs: UserDirs::detect(),
            // Without a current directory, relative paths stay relative and fail when opened.
            current: env::current_dir().unwrap_or_default(),
            ..Self::from_variables(|name| env::var_os(name))
        }
    }

    /// Returns the absolute path for `given`, the value of the flag or variable `by`.
    pub(super) fn resolve(&self, given: &Path, by: &'static str) -> Result<PathBuf, ConfigError> {
        let home = self.user_dirs.as_ref().map(|folders| folders.home.as_path());
        let path =
            file_path(given, home).map_err(|fault| ConfigError::InvalidPath { by, fault })?;
        Ok(absolute_path(&self.current, &path))
    }

    /// Reads the variables through `variable`. An empty variable counts as unset, as in POSIX.
    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        Self {
            config: set("PATDECK_CONFIG").map(PathBuf::from),
            store: set("PATDECK_STORE").map(PathBuf::from),
            read_only: set("PATDECK_READ_ONLY").map(|value| value != "0" && value != "false"),
            no_color: set("NO_COLOR").is_some(),
            locale: locale.map(|name| name.to_string_lossy().into_owned()),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locale(set: &[(&str, &str)]) -> Option<String> {
        of(set).locale
    }

    fn of(set: &[(&str, &str)]) -> Environment {
        Environment::from_variables(|name| {
            let (_, value) = set.iter().find(|(known, _)| *known == name)?;
            Some((*value).into())
        })
    }

    #[test]
    fn the_first_non_empty_locale_variable_wins() {
        let all = [("LC_ALL", "C"), ("LC_CTYPE", "x.UTF-8"), ("LANG", "y")];
        assert_eq!(locale(&all).unwrap(), "C");
        assert_eq!(locale(&all[1..]).unwrap(), "x.UTF-8");
        assert_eq!(locale(&[("LC_ALL", ""), ("LANG", "y")]).unwrap(), "y");
        assert_eq!(locale(&[]), None);
    }

    #[test]
    fn read_only_is_off_only_for_0_and_false() {
        let read = |text| of(&[("PATDECK_READ_ONLY", text)]).read_only;
        assert_eq!(
            ["1", "true", "yes", "0", "false"].map(read),
            [true, true, true, false, false].map(Some)
        );
        assert_eq!(read(""), None);
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let empty = of(&[("NO_COLOR", ""), ("PATDECK_STORE", "")]);
        assert_eq!(empty, Environment::default());
        assert!(of(&[("NO_COLOR", "0")]).no_color, "any value turns colours off");
    }
}
