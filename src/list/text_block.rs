//! The searchable text of a block of rows: the case-folded name, description and id of each row,
//! concatenated in one string. A search reads memory sequentially; an edit moves at most one block.
//! Called by `token_table`.

use memchr::memmem::Finder;

use super::token_table::{to_index, to_u32};
use crate::domain::{TokenId, search::MIN_ID_CHARS};

/// Number of rows per block. A block has about 300 KiB of text: the search in it outweighs the cost
/// of scheduling a parallel task.
pub(super) const BLOCK_ROWS: usize = 4_096;
/// The character that ends each field. No token text contains this character, because names,
/// descriptions and ids must not contain control characters.
const END: char = '\0';

/// Text of up to [`BLOCK_ROWS`] rows.
#[derive(Debug, Default)]
pub(super) struct TextBlock {
    text: String,
    /// The end offset of each row, where the next row starts.
    ends: Vec<u32>,
}

impl TextBlock {
    /// Creates an empty block with capacity for as much text as `other` has, because growth by
    /// doubling would fragment memory.
    pub(super) fn with_capacity_of(other: &Self) -> Self {
        let capacity = other.text.len() + other.text.len() / 32;
        Self { text: String::with_capacity(capacity), ends: Vec::with_capacity(other.ends.len()) }
    }

    /// The fields of a row, each followed by [`END`]. Returns an empty text if the row does not
    /// exist.
    pub(super) fn get(&self, row: usize) -> &str {
        self.text.get(self.start(row)..self.end(row)).unwrap_or_default()
    }

    /// Replaces the text of `row`. If `row` is the number of rows, appends a new row.
    pub(super) fn set<'t>(&mut self, row: usize, fields: impl IntoIterator<Item = &'t str>) {
        if row >= self.ends.len() {
            fields.into_iter().for_each(|field| push_field(&mut self.text, field));
            self.ends.push(to_u32(self.text.len()));
            if self.ends.len() == BLOCK_ROWS {
                self.text.shrink_to_fit();
            }
            return;
        }
        let mut text = String::new();
        fields.into_iter().for_each(|field| push_field(&mut text, field));
        let (start, end) = (self.start(row), self.end(row));
        self.text.replace_range(start..end, &text);
        for later in self.ends.iter_mut().skip(row) {
            *later = to_u32(to_index(*later) + text.len() - (end - start));
        }
    }

    fn start(&self, row: usize) -> usize {
        row.checked_sub(1).map_or(0, |before| self.end(before))
    }

    fn end(&self, row: usize) -> usize {
        self.ends.get(row).map_or(self.text.len(), |end| to_index(*end))
    }
}

/// Splits a row's text into name, description and id.
pub(super) fn split_fields(text: &str) -> [&str; 3] {
    let mut fields = text.split(END);
    [(); 3].map(|()| fields.next().unwrap_or_default())
}

/// Whether the name or description in a row's text contains the word that `finder` finds, or the id begins
/// with it. The same rule as that of a search on a token, in one pass.
pub(super) fn matches_word(text: &str, finder: &Finder<'_>) -> bool {
    let id_start = text.len().saturating_sub(TokenId::LEN + END.len_utf8());
    finder
        .find(text.as_bytes())
        .is_some_and(|at| at < id_start || at == id_start && finder.needle().len() >= MIN_ID_CHARS)
}

fn push_field(text: &mut String, field: &str) {
    text.push_str(field);
    text.push(END);
}
