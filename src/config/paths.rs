//! The directories of the user, the default paths of the config and the store, and the conversion to
//! absolute paths. Does not access files. Called by `Config::load`.

use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy as _, base_strategy::Xdg};

/// The directories of the user, by the XDG rules on every system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDirs {
    /// The home directory, for `~/` in the file.
    pub home: PathBuf,
    pub config: PathBuf,
    pub data: PathBuf,
}

impl UserDirs {
    /// Returns the directories of the user of this process, or `None` if the home directory is not
    /// an absolute path.
    pub fn detect() -> Option<Self> {
        let xdg = Xdg::new().ok()?;
        // With an empty or relative HOME, the store would depend on the current directory.
        xdg.home_dir().is_absolute().then(|| Self {
            home: xdg.home_dir().to_owned(),
            config: xdg.config_dir(),
            data: xdg.data_dir(),
        })
    }

    /// The default path of the config file.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("patdeck").join("config.toml")
    }

    /// The default path of the store.
    pub fn store_file(&self) -> PathBuf {
        self.data.join("patdeck").join("store.redb")
    }
}

/// Joins `given` to `base` and removes `.` components. Symbolic links and `..` are not resolved.
pub fn absolute_path(base: &Path, given: &Path) -> PathBuf {
    base.join(given).components().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_joined_to_the_base() {
        let base = Path::new("/srv/ops");
        assert_eq!(absolute_path(base, Path::new("./a/b.redb")), Path::new("/srv/ops/a/b.redb"));
        assert_eq!(absolute_path(base, Path::new("/x.redb")), Path::new("/x.redb"));
    }

    #[test]
    fn the_store_has_a_default_path() {
        let folders = UserDirs {
            home: "/home/op".into(),
            config: "/home/op/.config".into(),
            data: "/home/op/.local/share".into(),
        };
        assert_eq!(folders.store_file(), Path::new("/home/op/.local/share/patdeck/store.redb"));
    }
}
