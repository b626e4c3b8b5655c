//! The config: merges flags, environment variables, the config file and the defaults, in this order
//! of priority, and records the source of each value. Refuses a file with faults and reports all of
//! them. Called once at the start by the library's `run`.

pub mod appearance;
mod bounded_read;
pub mod clipboard_route;
pub mod environment;
pub mod error;
pub mod file;
mod hooks;
pub mod paths;
pub mod pipe_wait;
mod scope_catalogue;
mod toml_reader;
pub mod views;

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

pub use appearance::{GlyphSet, ThemeName};
pub use environment::Environment;
#[cfg(any(test, feature = "testing"))]
pub use error::FaultKind;
pub use error::{ConfigError, ConfigFault};
pub use file::ConfigFile;
pub use paths::UserDirs;
pub use views::NamedView;

use crate::domain::{
    Hooks, Lifetime, LifetimeLimits, ScopeCatalogue, SecretPrefix, labelled_enum::labels,
    lifetime::DurationMinutes,
};
use crate::keymap::Keymap;

/// The content of `config.example.toml`, which documents every setting with its default.
pub fn example() -> &'static str {
    include_str!("../../config.example.toml")
}

/// The flags of the command line that affect the config.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConfigFlags {
    pub config: Option<PathBuf>,
    pub store: Option<PathBuf>,
    pub read_only: bool,
    pub mouse: bool,
}

labels! {
    /// The layer that set a value, highest priority first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum SettingSource, as_str {
        Flag => "flag",
        Environment => "environment",
        File => "file",
        Default => "default",
    }
}

impl fmt::Display for SettingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The source of each setting, by its name in the config file.
pub type SettingSources = BTreeMap<&'static str, SettingSource>;

/// The effective settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The config file, if one was read.
    pub file: Option<PathBuf>,
    /// The absolute path of the store.
    pub store: PathBuf,
    pub read_only: bool,
    pub prefix: SecretPrefix,
    /// The default lifetime of new tokens, which is within `limits`.
    pub lifetime: Lifetime,
    pub limits: LifetimeLimits,
    pub catalogue: ScopeCatalogue,
    pub theme: ThemeName,
    pub glyphs: GlyphSet,
    /// Whether the app captures the mouse, which then no longer selects text in the terminal.
    pub mouse: bool,
    /// The clipboard program and its arguments. The program reads the copied text from standard
    /// input. If the list is empty, the route is chosen automatically, see
    /// [`clipboard_route::choose_route`].
    pub clipboard: Vec<String>,
    pub keymap: Keymap,
    /// Searches with names, in the order of the file.
    pub views: Vec<NamedView>,
    /// The programs that run after changes, in the order of the file.
    pub hooks: Hooks,
    /// The source of each value, by the name of the setting in the config file.
    pub sources: SettingSources,
}

impl Config {
    /// Loads the config. A missing file at the default path is not an error; a file named by a flag
    /// or a variable must exist.
    pub fn load(flags: &ConfigFlags, environment: &Environment) -> Result<Self, ConfigError> {
        let Some((path, by)) = Self::locate(flags, environment)? else {
            return Self::merge_layers(flags, environment, ConfigFile::default(), None);
        };
        let text = match (bounded_read::read_bounded(&path), by) {
            (Ok(bytes), _) => match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(_) => return Err(ConfigError::NotText { path }),
            },
            (Err(error), by) if error.kind() == io::ErrorKind::NotFound => match by {
                None => return Self::merge_layers(flags, environment, ConfigFile::default(), None),
                Some(by) => return Err(ConfigError::Missing { path, by }),
            },
            (Err(error), _) => return Err(ConfigError::Unreadable { path, error }),
        };
        let base = path.parent().unwrap_or(Path::new("/"));
        match ConfigFile::read(&text, base, environment.user_dirs.as_ref()) {
            Ok(file) => Self::merge_layers(flags, environment, file, Some(path)),
            Err(faults) => Err(ConfigError::Faults { path, faults }),
        }
    }

    /// The path of the config file, and the flag or variable that names the path. The flag or
    /// variable is `None` for the default path. Returns `None` if no file is named and the user has
    /// no config directory. Fails if the named path is refused, see [`crate::domain::file_path`].
    pub fn locate(
        flags: &ConfigFlags,
        environment: &Environment,
    ) -> Result<Option<(PathBuf, Option<&'static str>)>, ConfigError> {
        let named =
            [(flags.config.as_ref(), "--config"), (environment.config.as_ref(), "PATDECK_CONFIG")];
        let named = named.iter().find_map(|(path, by)| Some(((*path)?, *by)));
        let folders = environment.user_dirs.as_ref();
        match named {
            Some((path, by)) => Ok(Some((environment.resolve(path, by)?, Some(by)))),
            None => Ok(folders.map(|folders| (folders.config_file(), None))),
        }
    }

    fn merge_layers(
        flags: &ConfigFlags,
        environment: &Environment,
        file: ConfigFile,
        path: Option<PathBuf>,
    ) -> Result<Self, ConfigError> {
        let mut sources = SettingSources::new();
        let from = &mut sources;
        let default_store = environment.user_dirs.as_ref().map(UserDirs::store_file);
        let resolve = |path: &Option<PathBuf>, by| {
            path.as_ref().map(|path| environment.resolve(path, by)).transpose()
        };
        let flag = resolve(&flags.store, "--store")?;
        let variable = resolve(&environment.store, "PATDECK_STORE")?;
        let stores = [flag, variable, file.store].map(|path| path.map(Some));
        let store = first_set(from, "store", stores, default_store).ok_or(ConfigError::NoHome)?;
        let read_only = [flags.read_only.then_some(true), environment.read_only, file.read_only];
        let read_only = first_set(from, "read-only", read_only, false);
        let LifetimeLimits { max, allow_never } = LifetimeLimits::default();
        let limits = LifetimeLimits {
            max: first_set(from, "lifetime.max", file_only(file.max), max),
            allow_never: first_set(
                from,
                "lifetime.allow-never",
                file_only(file.allow_never),
                allow_never,
            ),
        };
        // If the config lowers only the maximum, the default lifetime is limited to the maximum.
        let default_lifetime =
            DurationMinutes::new(30 * 24 * 60).map_or(limits.max, |span| span.min(limits.max));
        let default_lifetime = Lifetime::For(default_lifetime);
        let no_color = environment.no_color.then_some(ThemeName::Mono);
        let themes = [None, no_color, file.theme];
        // The locale chooses only the default glyphs: the setting in the file has priority.
        let glyphs = GlyphSet::for_locale(environment.locale.as_deref());
        Ok(Self {
            file: path,
            store,
            read_only,
            prefix: first_set(from, "prefix", file_only(file.prefix), SecretPrefix::default()),
            lifetime: first_set(
                from,
                "lifetime.default",
                file_only(file.lifetime),
                default_lifetime,
            ),
            limits,
            catalogue: first_set(
                from,
                "catalogue",
                file_only(file.catalogue),
                ScopeCatalogue::default(),
            ),
            theme: first_set(from, "theme", themes, ThemeName::default()),
            glyphs: first_set(from, "glyphs", file_only(file.glyphs), glyphs),
            mouse: first_set(from, "mouse", [flags.mouse.then_some(true), None, file.mouse], false),
            clipboard: first_set(from, "clipboard.command", file_only(file.clipboard), Vec::new()),
            keymap: first_set(from, "keys", file_only(file.keymap), Keymap::default()),
            views: first_set(from, "views", file_only(file.views), Vec::new()),
            hooks: file.hooks,
            sources,
        })
    }
}

/// The value of the first layer that has one: flag, environment, file, default. Records the
/// layer in `sources`.
fn first_set<T>(
    sources: &mut SettingSources,
    name: &'static str,
    layers: [Option<T>; 3],
    default: T,
) -> T {
    let names = [SettingSource::Flag, SettingSource::Environment, SettingSource::File];
    let found = names.into_iter().zip(layers).find_map(|(source, value)| Some((source, value?)));
    let (source, value) = found.unwrap_or((SettingSource::Default, default));
    sources.insert(name, source);
    value
}

/// The layers of a setting that has neither a flag nor a variable.
fn file_only<T>(file: Option<T>) -> [Option<T>; 3] {
    [None, None, file]
}
