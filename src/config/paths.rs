//! Where the settings and the store are: the user's own folders, and how a path that someone
//! wrote becomes a full one. Touches no file. Called by `Config::load`.

use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy as _, base_strategy::Xdg};

/// The user's own folders, by the XDG rules on every system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// The home directory, for `~/` in the file.
    pub home: PathBuf,
    pub config: PathBuf,
    pub data: PathBuf,
}

impl Folders {
    /// Those of the user who runs this process; `None` without a home directory.
    pub fn of_user() -> Option<Self> {
        let xdg = Xdg::new().ok()?;
        // An empty or relative HOME would put the store wherever the program was started.
        xdg.home_dir().is_absolute().then(|| Self {
            home: xdg.home_dir().to_owned(),
            config: xdg.config_dir(),
            data: xdg.data_dir(),
        })
    }

    /// The settings file that is read when no other is named.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("patdeck").join("config.toml")
    }

    /// The store that is used when no other is named.
    pub fn store_file(&self) -> PathBuf {
        self.data.join("patdeck").join("store.redb")
    }
}

/// `given` as a full path, seen from `base`, without `.` in it; links and `..` stay as they are.
pub fn full(base: &Path, given: &Path) -> PathBuf {
    base.join(given).components().collect()
}

/// `given` with a leading `~/` replaced by the home directory; `None` for the home of another
/// user, or when there is no home.
pub fn from_home(folders: Option<&Folders>, given: &str) -> Option<PathBuf> {
    match given.strip_prefix('~') {
        None => Some(PathBuf::from(given)),
        Some(rest) => Some(folders?.home.join(rest.strip_prefix('/')?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_where_it_was_written() {
        let base = Path::new("/srv/ops");
        assert_eq!(full(base, Path::new("./a/b.redb")), Path::new("/srv/ops/a/b.redb"));
        assert_eq!(full(base, Path::new("/x.redb")), Path::new("/x.redb"));
    }

    #[test]
    fn only_the_own_home_is_understood() {
        let folders = Folders {
            home: "/home/op".into(),
            config: "/home/op/.config".into(),
            data: "/home/op/.local/share".into(),
        };
        let read = |text| from_home(Some(&folders), text);
        assert_eq!(read("~/x.redb"), Some("/home/op/x.redb".into()));
        assert_eq!(read("x.redb"), Some("x.redb".into()));
        assert_eq!(read("~root/x.redb"), None);
        assert_eq!(from_home(None, "~/x.redb"), None);
        assert_eq!(folders.store_file(), Path::new("/home/op/.local/share/patdeck/store.redb"));
    }
}
