//! The searchable text of a block of rows: name, description and id of each row, case-folded, side
//! by side in one string. A search reads memory in order, and an edit moves at most one block.
//! Called by `table`.

use super::table::{index, position};

/// Rows of a block: about 300 KiB of text, a unit of work that outweighs handing it to a thread.
pub(super) const BLOCK_ROWS: usize = 4_096;
/// Ends each field. No text of a token contains it, because control characters are refused.
const END: char = '\0';

/// Text of up to [`BLOCK_ROWS`] rows.
#[derive(Debug, Default)]
pub(super) struct TextBlock {
    text: String,
    /// Where the text of each row ends; that of the next row starts there.
    ends: Vec<u32>,
}

impl TextBlock {
    /// An empty block with room for as much text as `other` has: growing by doubling would leave
    /// holes in memory.
    pub(super) fn like(other: &Self) -> Self {
        let room = other.text.len() + other.text.len() / 32;
        Self { text: String::with_capacity(room), ends: Vec::with_capacity(other.ends.len()) }
    }

    /// The fields of a row, each followed by a separator.
    pub(super) fn get(&self, row: usize) -> &str {
        self.text.get(self.start(row)..self.end(row)).unwrap_or_default()
    }

    /// Replaces the text of `row`, which may be the row after the last.
    pub(super) fn set<'t>(&mut self, row: usize, fields: impl IntoIterator<Item = &'t str>) {
        if row >= self.ends.len() {
            fields.into_iter().for_each(|field| push(&mut self.text, field));
            self.ends.push(position(self.text.len()));
            if self.ends.len() == BLOCK_ROWS {
                self.text.shrink_to_fit();
            }
            return;
        }
        let mut text = String::new();
        fields.into_iter().for_each(|field| push(&mut text, field));
        let (start, end) = (self.start(row), self.end(row));
        self.text.replace_range(start..end, &text);
        for later in self.ends.iter_mut().skip(row) {
            *later = position(index(*later) + text.len() - (end - start));
        }
    }

    fn start(&self, row: usize) -> usize {
        row.checked_sub(1).map_or(0, |before| self.end(before))
    }

    fn end(&self, row: usize) -> usize {
        self.ends.get(row).map_or(self.text.len(), |end| index(*end))
    }
}

/// The fields of a row's text: name, description, id.
pub(super) fn fields(text: &str) -> [&str; 3] {
    let mut fields = text.split(END);
    [(); 3].map(|()| fields.next().unwrap_or_default())
}

fn push(text: &mut String, field: &str) {
    text.push_str(field);
    text.push(END);
}
