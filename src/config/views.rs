//! Named views: searches with a name, from the table `[views]` of the config file. Refuses a search
//! that cannot be parsed, a long name and too many views. Called by `file`.

use super::{
    file::ConfigFile,
    toml_reader::{TomlEntry, TomlReader},
};
use crate::domain::Search;

/// Maximum number of views.
const MAX_VIEWS: usize = 9;
/// Maximum length of a name, in characters.
const MAX_NAME: usize = 20;

/// A search with a name, which the list offers as a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedView {
    pub name: String,
    /// The text of the search.
    pub search: String,
}

impl<'a> TomlReader<'a> {
    /// Reads the views in the order of the file.
    pub(super) fn views(&mut self, entry: Option<&TomlEntry<'a>>, file: &mut ConfigFile) {
        let Some(table) = entry else { return };
        let mut views = Vec::new();
        for entry in self.table(Some(table)) {
            let name_length = entry.key.chars().count();
            if !(1..=MAX_NAME).contains(&name_length) || entry.key.chars().any(char::is_control) {
                self.invalid_value(&entry, "the name of a view must have 1 to 20 characters");
                continue;
            }
            let search = self.parsed_text(Some(&entry), "a search in quotes", |text| {
                Search::parse(text).map(|_| text.to_owned())
            });
            views.extend(search.map(|search| NamedView { name: entry.key.to_owned(), search }));
        }
        if views.len() > MAX_VIEWS {
            self.invalid_value(table, "at most 9 views are possible: remove some");
        }
        file.views = Some(views);
    }
}
