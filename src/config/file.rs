//! Parses the text of the config file. Refuses unknown keys and invalid values, and reports all of
//! them at once. Does not open files; called by `Config::load`.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::appearance::{GlyphSet, ThemeName};
use super::error::{ConfigFault, FaultKind};
use super::hooks;
use super::paths::{UserDirs, absolute_path};
use super::scope_catalogue;
use super::toml_reader::{TomlEntry, TomlReader, entries};
use super::views::NamedView;
use crate::domain::{
    Hooks, Lifetime, LifetimeLimits, ScopeCatalogue, SecretPrefix,
    file_path::{PathFault, file_path},
    lifetime::DurationMinutes,
};
use crate::keymap::{KeyOverride, Keymap, overrides, suggest::advice};

/// The settings of a config file. A field is `None` if the file does not set it.
#[derive(Debug, Default, PartialEq)]
pub struct ConfigFile {
    /// The absolute path of the store.
    pub store: Option<PathBuf>,
    pub read_only: Option<bool>,
    pub prefix: Option<SecretPrefix>,
    pub lifetime: Option<Lifetime>,
    pub max: Option<DurationMinutes>,
    pub allow_never: Option<bool>,
    /// The built-in catalogue with the additions of the file.
    pub catalogue: Option<ScopeCatalogue>,
    pub theme: Option<ThemeName>,
    /// The glyph set. `None` if the file does not set it or sets `auto`.
    pub glyphs: Option<GlyphSet>,
    pub mouse: Option<bool>,
    pub clipboard: Option<Vec<String>>,
    pub keymap: Option<Keymap>,
    pub views: Option<Vec<NamedView>>,
    pub hooks: Hooks,
}

const SETTINGS: [&str; 13] = [
    "store",
    "read-only",
    "prefix",
    "lifetime",
    "catalogue",
    "presets",
    "theme",
    "glyphs",
    "mouse",
    "clipboard",
    "keys",
    "views",
    "hook",
];

impl ConfigFile {
    /// Parses `text`, the content of a file in the directory `base`. Returns all faults, sorted by
    /// line.
    pub fn read(
        text: &str,
        base: &Path,
        folders: Option<&UserDirs>,
    ) -> Result<Self, Vec<ConfigFault>> {
        let mut reader = TomlReader::new(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            reader.fault(at, FaultKind::Syntax(error.message().to_owned()));
        }
        let file = if errors.is_empty() {
            reader.file(entries("", root.get_ref()), base, folders)
        } else {
            Self::default()
        };
        let mut faults = reader.faults;
        faults.sort_by_key(|fault| fault.line);
        // Drop a syntax error after another fault on the same line, because it usually follows from
        // the first fault.
        faults.dedup_by(|next, first| {
            matches!(next.kind, FaultKind::Syntax(_)) && next.line == first.line
        });
        if faults.is_empty() { Ok(file) } else { Err(faults) }
    }
}

impl<'a> TomlReader<'a> {
    fn file(
        &mut self,
        root: Vec<TomlEntry<'a>>,
        base: &Path,
        folders: Option<&UserDirs>,
    ) -> ConfigFile {
        let picked = self.take_known(root, SETTINGS);
        let [
            store,
            read_only,
            prefix,
            lifetime,
            catalogue,
            presets,
            theme,
            glyphs,
            mouse,
            clipboard,
            keys,
            views,
            hook,
        ] = &picked;
        let mut file = ConfigFile {
            store: self.parsed_text(store.as_ref(), "a path in quotes", |text| {
                parse_store_path(text, base, folders)
            }),
            prefix: self.parsed_text(prefix.as_ref(), "a text such as \"pat\"", |text| {
                SecretPrefix::parse(text).ok_or_else(|| {
                    format!(
                        "`{text}` is not a valid prefix: use 2 to 12 lower-case letters and digits, starting with a letter"
                    )
                })
            }),
            read_only: self.boolean(read_only.as_ref()),
            theme: self.parsed_text(theme.as_ref(), "a theme in quotes such as \"dark\"", |text| {
                parse_choice(text, ThemeName::ALL.map(|theme| (theme.as_str(), theme)))
            }),
            glyphs: self.glyphs(glyphs.as_ref()),
            mouse: self.boolean(mouse.as_ref()),
            catalogue: catalogue
                .as_ref()
                .map(|entry| scope_catalogue::read_catalogue(self, entry)),
            ..ConfigFile::default()
        };
        if let Some(entry) = presets {
            let catalogue = file.catalogue.get_or_insert_default();
            scope_catalogue::read_presets(self, entry, catalogue);
        }
        if let Some(entry) = hook {
            file.hooks = hooks::read_hooks(self, entry);
        }
        self.lifetimes(lifetime.as_ref(), &mut file);
        file.clipboard = self.clipboard(clipboard.as_ref());
        self.views(views.as_ref(), &mut file);
        file.keymap = keys.as_ref().and_then(|entry| self.keys(entry));
        file
    }

    fn glyphs(&mut self, entry: Option<&TomlEntry<'a>>) -> Option<GlyphSet> {
        let (unicode, ascii) = (GlyphSet::Unicode, GlyphSet::Ascii);
        let choices =
            [("auto", None), (unicode.as_str(), Some(unicode)), (ascii.as_str(), Some(ascii))];
        let picked = self.parsed_text(entry, "\"auto\", \"unicode\" or \"ascii\"", |text| {
            parse_choice(text, choices)
        });
        picked.flatten()
    }

    fn lifetimes(&mut self, entry: Option<&TomlEntry<'a>>, file: &mut ConfigFile) {
        const LIKE: &str = "a duration in quotes such as \"30d\"";
        let entries = self.table(entry);
        let [default, max, never] = self.take_known(entries, ["default", "max", "allow-never"]);
        let allow_never = self.boolean(never.as_ref());
        let max_lifetime = self.parsed_text(max.as_ref(), LIKE, |text| {
            let (max, longest) = (parse_duration(text)?, LifetimeLimits::LONGEST_MAX);
            let too_long =
                || format!("{max} exceeds {longest} (100 years): use a shorter duration");
            (max <= longest).then_some(max).ok_or_else(too_long)
        });
        let default_lifetime = self.parsed_text(default.as_ref(), LIKE, |text| match text.trim() {
            "never" if allow_never == Some(true) => Ok(Lifetime::Never),
            "never" => {
                Err("`never` is not allowed: set allow-never = true, or use a duration such as 30d"
                    .to_owned())
            }
            text => parse_duration(text).map(Lifetime::For),
        });
        // If the maximum is invalid, the default cannot be compared with it.
        let limit = max_lifetime.or(max.is_none().then(|| LifetimeLimits::default().max));
        if let (Some(entry), Some(Lifetime::For(span)), Some(limit)) =
            (&default, default_lifetime, limit)
            && span > limit
        {
            self.invalid_value(
                entry,
                &format!("{span} exceeds the lifetime.max of {limit}: use a shorter lifetime, or raise lifetime.max"),
            );
        }
        file.lifetime = default_lifetime;
        file.max = max_lifetime;
        file.allow_never = allow_never;
    }

    fn clipboard(&mut self, entry: Option<&TomlEntry<'a>>) -> Option<Vec<String>> {
        let entries = self.table(entry);
        let [command] = self.take_known(entries, ["command"]);
        let parts = self.list(command.as_ref(), "a list of texts such as [\"xclip\", \"-in\"]")?;
        let parts: Vec<_> = parts.iter().filter_map(TomlEntry::text).map(str::to_owned).collect();
        if let (Some(entry), Some("")) = (&command, parts.first().map(|part| part.trim())) {
            self.invalid_value(
                entry,
                "the first item must be the name of a program: add it, or leave the list empty",
            );
            return None;
        }
        Some(parts)
    }

    fn keys(&mut self, entry: &TomlEntry<'a>) -> Option<Keymap> {
        const LIKE: &str = "a key in quotes, or a list of them";
        let before = self.faults.len();
        let mut lines = Vec::new();
        let mut positions = Vec::new();
        for mode in self.table(Some(entry)) {
            if let Err(fault) = overrides::parse_mode(mode.key) {
                self.fault(mode.at, FaultKind::InvalidKeyBinding(fault));
                continue;
            }
            for action in self.table(Some(&mode)) {
                let keys = match action.text() {
                    Some(key) => Some(vec![key.to_owned()]),
                    None => self.list(Some(&action), LIKE).map(|keys| {
                        let texts = keys.iter().filter_map(TomlEntry::text);
                        texts.map(str::to_owned).collect()
                    }),
                };
                lines.extend(keys.map(|keys| KeyOverride {
                    mode: mode.key.to_owned(),
                    action: action.key.to_owned(),
                    keys,
                }));
                if lines.len() > positions.len() {
                    positions.push(action.at);
                }
            }
        }
        match Keymap::new(&lines) {
            Ok(keymap) => (self.faults.len() == before).then_some(keymap),
            Err(faults) => {
                for (index, fault) in faults {
                    let at = positions.get(index).copied().unwrap_or(entry.at);
                    self.fault(at, FaultKind::InvalidKeyBinding(fault));
                }
                None
            }
        }
    }
}

fn parse_store_path(
    text: &str,
    base: &Path,
    folders: Option<&UserDirs>,
) -> Result<PathBuf, PathFault> {
    let home = folders.map(|folders| folders.home.as_path());
    Ok(absolute_path(base, &file_path(Path::new(text), home)?))
}

fn parse_duration(text: &str) -> Result<DurationMinutes, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is not a duration of at least 1 minute: use for example 24h, 30d or 1y")
    })
}

/// Returns the value whose name in `known` is `text`.
fn parse_choice<T, const N: usize>(text: &str, known: [(&str, T); N]) -> Result<T, String> {
    let words = known.each_ref().map(|(word, _)| *word);
    known
        .into_iter()
        .find(|(word, _)| *word == text)
        .map(|(_, value)| value)
        .ok_or_else(|| format!("unknown value `{text}`: {}", advice(text, words)))
}
