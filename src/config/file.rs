//! The config file: its settings, each `None` where the file is silent. Refuses unknown keys and
//! values that cannot be, all of them at once. Opens no file; called by `Config::load`.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::catalogue;
use super::fault::{Fault, Problem};
use super::paths::{Folders, from_home, full};
use super::table::{Entry, Reader, entries};
use super::theme::{Glyphs, ThemeName};
use crate::domain::{Catalogue, Lifetime, LifetimeLimits, Prefix, lifetime::Span};
use crate::keymap::{Keymap, Override, overrides, suggest::advice};

/// What the file says.
#[derive(Debug, Default, PartialEq)]
pub struct File {
    /// Where the store is, as a full path.
    pub store: Option<PathBuf>,
    pub read_only: Option<bool>,
    pub prefix: Option<Prefix>,
    pub lifetime: Option<Lifetime>,
    pub max: Option<Span>,
    pub allow_never: Option<bool>,
    /// The built-in catalogue with what the file adds.
    pub catalogue: Option<Catalogue>,
    pub theme: Option<ThemeName>,
    /// The characters; `auto` is like saying nothing.
    pub glyphs: Option<Glyphs>,
    pub mouse: Option<bool>,
    pub clipboard: Option<Vec<String>>,
    pub keymap: Option<Keymap>,
}

const SETTINGS: [&str; 11] = [
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
];

impl File {
    /// Reads `text`, the content of a file in the folder `base`; or every mistake, by line.
    pub fn read(text: &str, base: &Path, folders: Option<&Folders>) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            reader.fault(at, Problem::Syntax(error.message().to_owned()));
        }
        let file = if errors.is_empty() {
            reader.file(entries("", root.get_ref()), base, folders)
        } else {
            Self::default()
        };
        let mut faults = reader.faults;
        faults.sort_by_key(|fault| fault.line);
        // What follows from a mistake in the grammar is no news.
        faults.dedup_by(|next, first| {
            matches!(next.problem, Problem::Syntax(_)) && next.line == first.line
        });
        if faults.is_empty() { Ok(file) } else { Err(faults) }
    }
}

impl<'a> Reader<'a> {
    fn file(&mut self, root: Vec<Entry<'a>>, base: &Path, folders: Option<&Folders>) -> File {
        let picked = self.pick(root, SETTINGS);
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
        ] = &picked;
        let mut file = File {
            store: self.parsed(store.as_ref(), "a path in quotes", |text| {
                path(text, base, folders)
            }),
            prefix: self.parsed(prefix.as_ref(), "a text such as \"pat\"", |text| {
                Prefix::parse(text).ok_or_else(|| {
                    format!(
                        "`{text}` cannot begin a secret: use 2 to 12 lower-case letters and digits, a letter first"
                    )
                })
            }),
            read_only: self.switch(read_only.as_ref()),
            theme: self.parsed(theme.as_ref(), "a theme in quotes such as \"dark\"", |text| {
                word(text, ThemeName::ALL.map(|theme| (theme.as_str(), theme)))
            }),
            glyphs: self
                .parsed(glyphs.as_ref(), "\"auto\", \"unicode\" or \"ascii\"", |text| {
                    let (unicode, ascii) = (Glyphs::Unicode, Glyphs::Ascii);
                    word(
                        text,
                        [
                            ("auto", None),
                            (unicode.as_str(), Some(unicode)),
                            (ascii.as_str(), Some(ascii)),
                        ],
                    )
                })
                .flatten(),
            mouse: self.switch(mouse.as_ref()),
            catalogue: catalogue
                .as_ref()
                .map(|entry| catalogue::read(self, entry)),
            ..File::default()
        };
        if let Some(entry) = presets {
            let catalogue = file.catalogue.get_or_insert_default();
            catalogue::presets(self, entry, catalogue);
        }
        self.lifetimes(lifetime.as_ref(), &mut file);
        file.clipboard = self.clipboard(clipboard.as_ref());
        file.keymap = keys.as_ref().and_then(|entry| self.keys(entry));
        file
    }

    fn lifetimes(&mut self, entry: Option<&Entry<'a>>, file: &mut File) {
        const LIKE: &str = "a duration in quotes such as \"30d\"";
        let inside = self.table(entry);
        let [default, max, never] = self.pick(inside, ["default", "max", "allow-never"]);
        let allow_never = self.switch(never.as_ref());
        let longest = self.parsed(max.as_ref(), LIKE, duration);
        let usual = self.parsed(default.as_ref(), LIKE, |text| match text.trim() {
            "never" if allow_never == Some(true) => Ok(Lifetime::Never),
            "never" => Err(
                "`never` is not allowed: set allow-never = true, or write a duration such as 30d"
                    .to_owned(),
            ),
            text => duration(text).map(Lifetime::For),
        });
        // With a faulty maximum there is nothing to compare with.
        let limit = longest.or(max.is_none().then(|| LifetimeLimits::default().max));
        if let (Some(entry), Some(Lifetime::For(span)), Some(limit)) = (&default, usual, limit)
            && span > limit
        {
            self.refuse(
                entry,
                &format!("{span} is longer than lifetime.max, which is {limit}: choose less, or raise lifetime.max"),
            );
        }
        file.lifetime = usual;
        file.max = longest;
        file.allow_never = allow_never;
    }

    fn clipboard(&mut self, entry: Option<&Entry<'a>>) -> Option<Vec<String>> {
        let inside = self.table(entry);
        let [command] = self.pick(inside, ["command"]);
        let parts = self.list(command.as_ref(), "a list of texts such as [\"xclip\", \"-in\"]")?;
        let parts: Vec<_> = parts.iter().filter_map(Entry::text).map(str::to_owned).collect();
        if let (Some(entry), Some("")) = (&command, parts.first().map(|part| part.trim())) {
            self.refuse(entry, "the program has no name: write it first, or leave the list empty");
            return None;
        }
        Some(parts)
    }

    fn keys(&mut self, entry: &Entry<'a>) -> Option<Keymap> {
        const LIKE: &str = "a key in quotes, or a list of them";
        let before = self.faults.len();
        let mut lines = Vec::new();
        let mut places = Vec::new();
        for mode in self.table(Some(entry)) {
            if let Err(fault) = overrides::mode(mode.word) {
                self.fault(mode.at, Problem::Key(fault));
                continue;
            }
            for action in self.table(Some(&mode)) {
                let keys = match action.text() {
                    Some(key) => Some(vec![key.to_owned()]),
                    None => self.list(Some(&action), LIKE).map(|keys| {
                        let texts = keys.iter().filter_map(Entry::text);
                        texts.map(str::to_owned).collect()
                    }),
                };
                lines.extend(keys.map(|keys| Override {
                    mode: mode.word.to_owned(),
                    action: action.word.to_owned(),
                    keys,
                }));
                if lines.len() > places.len() {
                    places.push(action.at);
                }
            }
        }
        match Keymap::new(&lines) {
            Ok(keymap) => (self.faults.len() == before).then_some(keymap),
            Err(faults) => {
                for (index, fault) in faults {
                    let at = places.get(index).copied().unwrap_or(entry.at);
                    self.fault(at, Problem::Key(fault));
                }
                None
            }
        }
    }
}

fn path(text: &str, base: &Path, folders: Option<&Folders>) -> Result<PathBuf, &'static str> {
    if text.is_empty() {
        return Err("a file is needed: write its path, or leave the setting out");
    }
    match from_home(folders, text) {
        Some(path) => Ok(full(base, &path)),
        None => Err("only `~/` stands for a home directory, that of your own: write the full path"),
    }
}

fn duration(text: &str) -> Result<Span, String> {
    text.parse().map_err(|_| {
        format!(
            "`{text}` is not a duration of at least 1 minute: write for instance 24h, 30d or 1y"
        )
    })
}

/// What `text` stands for among `known`.
fn word<T, const N: usize>(text: &str, known: [(&str, T); N]) -> Result<T, String> {
    let words = known.each_ref().map(|(word, _)| *word);
    known
        .into_iter()
        .find(|(word, _)| *word == text)
        .map(|(_, value)| value)
        .ok_or_else(|| format!("there is no `{text}`: {}", advice(text, words)))
}
