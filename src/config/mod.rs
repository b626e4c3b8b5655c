//! Settings: flag over environment over file over default, as plain values, each with the layer
//! it came from. Refuses a file with any mistake in it, naming all of them. Called by `main`
//! once at the start; nothing reads a setting anywhere else.

mod catalogue;
pub mod clipboard;
pub mod environment;
pub mod fault;
pub mod file;
pub mod paths;
mod table;
pub mod theme;

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use paths::full;

pub use environment::Environment;
#[cfg(any(test, feature = "testing"))]
pub use fault::Problem;
pub use fault::{ConfigError, Fault};
pub use file::File;
pub use paths::Folders;
pub use theme::{Glyphs, ThemeName};

use crate::domain::{Catalogue, Lifetime, LifetimeLimits, Prefix, labels::labels, lifetime::Span};
use crate::keymap::Keymap;

/// The commented file with every setting and its default.
pub fn example() -> &'static str {
    include_str!("../../config.example.toml")
}

/// What the command line says about settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub store: Option<PathBuf>,
    pub read_only: bool,
    pub mouse: bool,
}

labels! {
    /// The layer that a value came from, strongest first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Origin, as_str {
        Flag => "flag",
        Environment => "environment",
        File => "file",
        Default => "default",
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The layer of each setting, by its name in the file.
pub type Origins = BTreeMap<&'static str, Origin>;

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file they were read from, if there is one.
    pub file: Option<PathBuf>,
    /// Where the store is, as a full path.
    pub store: PathBuf,
    pub read_only: bool,
    pub prefix: Prefix,
    /// The lifetime that is offered first; within `limits`.
    pub lifetime: Lifetime,
    pub limits: LifetimeLimits,
    pub catalogue: Catalogue,
    pub theme: ThemeName,
    pub glyphs: Glyphs,
    /// Whether the app listens to the mouse, which then no longer selects the terminal's text.
    pub mouse: bool,
    /// The program that takes what is copied on its standard input; empty for the terminal's own
    /// clipboard.
    pub clipboard: Vec<String>,
    pub keymap: Keymap,
    /// Where each value came from, by the name of its setting in the file.
    pub origins: Origins,
}

impl Config {
    /// The settings in force for this command line in these surroundings. A file that is not at
    /// its default place is no fault; one that was named must be there.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self, ConfigError> {
        let Some((path, by)) = Self::place(flags, environment) else {
            return Self::settle(flags, environment, File::default(), None);
        };
        let text = match (fs::read(&path), by) {
            (Ok(bytes), _) => match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(_) => return Err(ConfigError::NotText { path }),
            },
            (Err(error), by) if error.kind() == io::ErrorKind::NotFound => match by {
                None => return Self::settle(flags, environment, File::default(), None),
                Some(by) => return Err(ConfigError::Missing { path, by }),
            },
            (Err(error), _) => return Err(ConfigError::Unreadable { path, error }),
        };
        let base = path.parent().unwrap_or(Path::new("/"));
        match File::read(&text, base, environment.folders.as_ref()) {
            Ok(file) => Self::settle(flags, environment, file, Some(path)),
            Err(faults) => Err(ConfigError::Faults { path, faults }),
        }
    }

    /// Which file is read, if it is there, and who names it: nobody for the one in the user's own
    /// folder. `None` without such a folder.
    pub fn place(
        flags: &Flags,
        environment: &Environment,
    ) -> Option<(PathBuf, Option<&'static str>)> {
        let named =
            [(flags.config.as_ref(), "--config"), (environment.config.as_ref(), "PATDECK_CONFIG")];
        let named = named.iter().find_map(|(path, by)| Some(((*path)?, *by)));
        match (named, &environment.folders) {
            (Some((path, by)), _) => Some((full(&environment.current, path), Some(by))),
            (None, folders) => Some((folders.as_ref()?.config_file(), None)),
        }
    }

    fn settle(
        flags: &Flags,
        environment: &Environment,
        file: File,
        path: Option<PathBuf>,
    ) -> Result<Self, ConfigError> {
        let mut from = Origins::new();
        let here = |path: &PathBuf| full(&environment.current, path);
        let home = environment.folders.as_ref().map(Folders::store_file);
        let [flag, variable] =
            [&flags.store, &environment.store].map(|path| path.as_ref().map(here));
        let stores = [flag, variable, file.store].map(|path| path.map(Some));
        let store = layered(&mut from, "store", stores, home).ok_or(ConfigError::NoHome)?;
        let sealed = [flags.read_only.then_some(true), environment.read_only, file.read_only];
        let read_only = layered(&mut from, "read-only", sealed, false);
        let LifetimeLimits { max, allow_never } = LifetimeLimits::default();
        let limits = LifetimeLimits {
            max: layered(&mut from, "lifetime.max", only(file.max), max),
            allow_never: layered(
                &mut from,
                "lifetime.allow-never",
                only(file.allow_never),
                allow_never,
            ),
        };
        // Someone who only lowers the maximum means the default to follow.
        let usual = Span::minutes(30 * 24 * 60).map_or(limits.max, |span| span.min(limits.max));
        let usual = Lifetime::For(usual);
        let no_color = environment.no_color.then_some(ThemeName::Mono);
        let themes = [None, no_color, file.theme];
        // A file that names glyphs knows better than the locale, so that is the default only.
        let glyphs = Glyphs::of_locale(environment.locale.as_deref());
        Ok(Self {
            file: path,
            store,
            read_only,
            prefix: layered(&mut from, "prefix", only(file.prefix), Prefix::default()),
            lifetime: layered(&mut from, "lifetime.default", only(file.lifetime), usual),
            limits,
            catalogue: layered(&mut from, "catalogue", only(file.catalogue), Catalogue::default()),
            theme: layered(&mut from, "theme", themes, ThemeName::default()),
            glyphs: layered(&mut from, "glyphs", only(file.glyphs), glyphs),
            mouse: layered(
                &mut from,
                "mouse",
                [flags.mouse.then_some(true), None, file.mouse],
                false,
            ),
            clipboard: layered(&mut from, "clipboard.command", only(file.clipboard), Vec::new()),
            keymap: layered(&mut from, "keys", only(file.keymap), Keymap::default()),
            origins: from,
        })
    }
}

/// The value of the strongest layer that has one: flag, environment, file, default. Notes which.
fn layered<T>(origins: &mut Origins, name: &'static str, layers: [Option<T>; 3], default: T) -> T {
    let names = [Origin::Flag, Origin::Environment, Origin::File];
    let strongest =
        names.into_iter().zip(layers).find_map(|(origin, value)| Some((origin, value?)));
    let (origin, value) = strongest.unwrap_or((Origin::Default, default));
    origins.insert(name, origin);
    value
}

/// The layers of a setting that neither a flag nor a variable sets.
fn only<T>(file: Option<T>) -> [Option<T>; 3] {
    [None, None, file]
}
