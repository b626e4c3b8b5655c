//! All that the settings take from the process: variables, folders, the current directory. Read
//! once, so that the resolution itself is a function of plain values. Called by `main`.

use std::{env, ffi::OsString, path::PathBuf};

use super::paths::Folders;

/// What surrounds the program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    pub config: Option<PathBuf>,
    pub store: Option<PathBuf>,
    /// `PATDECK_READ_ONLY`: off for `0` and `false`, on for any other text.
    pub read_only: Option<bool>,
    /// Whether `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// The locale of characters: `LC_ALL`, else `LC_CTYPE`, else `LANG`.
    pub locale: Option<String>,
    /// The user's folders; `None` without a home directory.
    pub folders: Option<Folders>,
    /// The directory from which relative paths on the command line are seen.
    pub current: PathBuf,
}

impl Environment {
    pub fn of_process() -> Self {
        Self {
            folders: Folders::of_user(),
            // Without a current directory a relative path stays relative, and opening it says so.
            current: env::current_dir().unwrap_or_default(),
            ..Self::from_variables(|name| env::var_os(name))
        }
    }

    /// The part that `variable` answers. An empty variable counts as unset, as POSIX has it.
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
    fn the_first_locale_variable_that_is_not_empty_decides() {
        let all = [("LC_ALL", "C"), ("LC_CTYPE", "x.UTF-8"), ("LANG", "y")];
        assert_eq!(locale(&all).unwrap(), "C");
        assert_eq!(locale(&all[1..]).unwrap(), "x.UTF-8");
        assert_eq!(locale(&[("LC_ALL", ""), ("LANG", "y")]).unwrap(), "y");
        assert_eq!(locale(&[]), None);
    }

    #[test]
    fn read_only_is_on_for_any_text_that_does_not_say_no() {
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
        assert!(of(&[("NO_COLOR", "0")]).no_color, "any text counts");
    }
}
