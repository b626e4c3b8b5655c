//! The table of `list`. On a terminal, it fits the width: texts that are too long end with an
//! ellipsis, times are relative, and columns that do not fit are left out. Elsewhere, all texts and
//! times are complete and the columns are always the same. Called by `list`.

use std::{cmp::Ordering, io};

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::{
    list_args::{List, ListColumn, ListSort},
    print::{Output, printable},
};
use crate::{
    domain::{Sort, SortPlace, Status, Timestamp, Token, TokenId, uses_left_text},
    output::{json::format_time, relative_time::relative},
};

/// The columns of the table if none are given.
const USUAL: [ListColumn; 6] = [
    ListColumn::Id,
    ListColumn::Name,
    ListColumn::Status,
    ListColumn::Scopes,
    ListColumn::Expires,
    ListColumn::LastUsed,
];

/// The columns to leave out on a narrow terminal, first to last.
const LEFT_OUT: [ListColumn; 5] = [
    ListColumn::Description,
    ListColumn::LastUsed,
    ListColumn::Scopes,
    ListColumn::Status,
    ListColumn::Id,
];

/// Columns between two cells.
const GAP: usize = 2;

/// The place of a token in the list, by several sort keys, then by name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ListPlace {
    first: SortPlace,
    others: Box<[SortPlace]>,
}

impl ListPlace {
    /// The place of `token` by `keys`, or by the default key if there are none.
    pub(super) fn new(token: &Token, keys: &[ListSort], now: Timestamp) -> Self {
        let mut places = keys.iter().map(|key| key.place(token, now));
        let first = places.next().unwrap_or_else(|| Sort::default().place(token, now));
        Self { first, others: places.collect() }
    }

    pub(super) fn id(&self) -> TokenId {
        self.first.id
    }
}

impl Ord for ListPlace {
    fn cmp(&self, other: &Self) -> Ordering {
        let keys = self.others.iter().zip(&other.others);
        let others = || keys.map(|(one, other)| one.cmp_key(other)).find(|order| order.is_ne());
        self.first
            .cmp_key(&other.first)
            .then_with(|| others().unwrap_or(Ordering::Equal))
            .then_with(|| self.first.cmp(&other.first))
    }
}

impl PartialOrd for ListPlace {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The columns of the table and how they are printed. The tokens are passed twice: first to
/// [`measure`](Self::measure), then to [`print`](Self::print), so that none is kept in memory.
#[derive(Debug)]
pub(super) struct ListTable {
    columns: Vec<MeasuredColumn>,
    /// Whether the operator chose the columns: then none is left out.
    has_own_columns: bool,
    has_headings: bool,
    /// The columns of the terminal; `None` prints everything in full.
    width: Option<usize>,
    separator: Separator,
    now: Timestamp,
}

/// What is between two cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    /// As many spaces as align the columns; an empty cell at the end of a line has none.
    Spaces,
    Tab,
}

/// A column with the width of its widest cell, not of its heading.
#[derive(Debug)]
struct MeasuredColumn {
    column: ListColumn,
    width: usize,
}

impl ListTable {
    pub(super) fn new(args: &List, out: &Output, now: Timestamp) -> Self {
        let columns = match (args.quiet, args.columns.as_slice()) {
            (true, _) => vec![ListColumn::Id],
            (false, []) if out.width.is_some() && !args.tsv => {
                USUAL.into_iter().chain([ListColumn::Description]).collect()
            }
            (false, []) => USUAL.to_vec(),
            (false, columns) => columns.to_vec(),
        };
        Self {
            columns: columns
                .into_iter()
                .map(|column| MeasuredColumn { column, width: 0 })
                .collect(),
            has_own_columns: args.quiet || !args.columns.is_empty(),
            has_headings: !args.quiet && !args.no_header,
            width: out.width.filter(|_| !args.tsv),
            separator: if args.tsv { Separator::Tab } else { Separator::Spaces },
            now,
        }
    }

    /// Widens the columns to the cells of `token`.
    pub(super) fn measure(&mut self, token: &Token) {
        let widths: Vec<_> = self
            .columns
            .iter()
            .map(|it| it.width.max(printable(&self.cell(token, it.column)).width()))
            .collect();
        for (measured, width) in self.columns.iter_mut().zip(widths) {
            measured.width = width;
        }
    }

    /// Leaves out columns that do not fit on the terminal, cuts others, and prints the headings.
    /// Called after all tokens were measured.
    pub(super) fn begin(&mut self, to: &mut impl io::Write, styled: bool) -> io::Result<()> {
        if !self.has_own_columns {
            self.columns.retain(|it| it.column != ListColumn::Description || it.width > 0);
        }
        if self.has_headings {
            for it in &mut self.columns {
                it.width = it.width.max(it.column.heading().width());
            }
        }
        if let Some(width) = self.width {
            self.fit(width);
        }
        if self.has_headings {
            let headings =
                self.columns.iter().map(|it| (it.column.heading().to_owned(), "1", it.width));
            self.write_line(to, headings, styled)?;
        }
        Ok(())
    }

    /// Prints the row of `token`.
    pub(super) fn print(
        &self,
        to: &mut impl io::Write,
        token: &Token,
        styled: bool,
    ) -> io::Result<()> {
        let cells = self.columns.iter().map(|it| {
            let (text, style) = self.styled_cell(token, it.column);
            (text, style, it.width)
        });
        self.write_line(to, cells, styled)
    }

    /// Leaves out and cuts columns until the table has at most `width` columns of the terminal.
    fn fit(&mut self, width: usize) {
        let mut left_out = LEFT_OUT.iter();
        while !self.has_own_columns && self.total(MeasuredColumn::least_width) > width {
            let Some(column) = left_out.next() else { break };
            self.columns.retain(|it| it.column != *column);
        }
        let cut_first = [ListColumn::Description, ListColumn::Labels, ListColumn::Owner];
        for column in cut_first.into_iter().chain([ListColumn::Name]) {
            let excess = self.total(|it| it.width).saturating_sub(width);
            for it in self.columns.iter_mut().filter(|it| it.column == column) {
                it.width = it.width.saturating_sub(excess).max(it.least_width());
            }
        }
    }

    /// The width of a line, if each column has the width that `width` returns.
    fn total(&self, width: impl Fn(&MeasuredColumn) -> usize) -> usize {
        let cells: usize = self.columns.iter().map(width).sum();
        cells + GAP * self.columns.len().saturating_sub(1)
    }

    /// The text of a cell, and the code of its style, which is empty for plain text.
    fn styled_cell(&self, token: &Token, column: ListColumn) -> (String, &'static str) {
        let style = match (column, token.status(self.now)) {
            (ListColumn::Id, _) => "2",
            (ListColumn::Status, Status::Active) => "32",
            (ListColumn::Status, Status::NotYetValid) => "33",
            (ListColumn::Status, Status::Expired | Status::Revoked) => "31",
            (ListColumn::Expires, _) if token.expires_soon(self.now) => "33",
            _ => "",
        };
        (self.cell(token, column), style)
    }

    fn cell(&self, token: &Token, column: ListColumn) -> String {
        let time = |at: Timestamp| match self.width {
            Some(_) => relative(at, self.now),
            None => format_time(at),
        };
        let time_or_never = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), time);
        match column {
            ListColumn::Id => token.id.to_string(),
            ListColumn::Name => token.name.to_string(),
            ListColumn::Status => token.status(self.now).as_str().to_owned(),
            ListColumn::Scopes => token.scopes.len().to_string(),
            ListColumn::Expires => time_or_never(token.expires),
            ListColumn::LastUsed => {
                let last = time_or_never(token.last_use().map(|used| used.at));
                match token.uses_left() {
                    Some((left, max)) => format!("{last}, {}", uses_left_text(left, max)),
                    None => last,
                }
            }
            ListColumn::Issued => time(token.issued),
            ListColumn::Created => time(token.created),
            ListColumn::Owner => token.owner_text(),
            ListColumn::Labels => token.labels.to_string(),
            ListColumn::Description => {
                token.description.as_str().lines().collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// Writes `cells` as a line, each a text with the code of its style and the width of its
    /// column. Without a terminal, a text wider than its column is not cut: its token was changed
    /// after it was measured.
    fn write_line(
        &self,
        to: &mut impl io::Write,
        cells: impl Iterator<Item = (String, &'static str, usize)>,
        styled: bool,
    ) -> io::Result<()> {
        let mut padding = 0;
        for (index, (text, style, width)) in cells.enumerate() {
            let text = printable(&text);
            if self.separator == Separator::Tab {
                write!(to, "{}{text}", if index == 0 { "" } else { "\t" })?;
                continue;
            }
            let text = if self.width.is_some() { cut(&text, width) } else { text };
            // Written before the next cell only, so that no line ends with spaces.
            if !text.is_empty() {
                write!(to, "{:padding$}", "")?;
                padding = 0;
            }
            let used = text.width();
            match style {
                code if styled && !code.is_empty() => write!(to, "\x1b[{code}m{text}\x1b[0m")?,
                _ => to.write_all(text.as_bytes())?,
            }
            padding += width.saturating_sub(used) + GAP;
        }
        to.write_all(b"\n")
    }
}

impl MeasuredColumn {
    /// The least width to which the column may be cut.
    fn least_width(&self) -> usize {
        match self.column {
            ListColumn::Name => self.width.min(20),
            ListColumn::Description => self.width.min(11),
            ListColumn::Owner | ListColumn::Labels => self.width.min(8),
            _ => self.width,
        }
    }
}

/// Returns `text`, or its beginning and an ellipsis if it is wider than `width`.
fn cut(text: &str, width: usize) -> std::borrow::Cow<'_, str> {
    if text.width() <= width {
        return text.into();
    }
    let ellipsis = printable("…");
    let room = width.saturating_sub(ellipsis.width());
    let mut kept = String::new();
    for grapheme in text.graphemes(true) {
        if kept.width() + grapheme.width() > room {
            break;
        }
        kept.push_str(grapheme);
    }
    kept.push_str(&ellipsis);
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_wide_ends_with_an_ellipsis() {
        for (text, width, expected) in [
            ("ci-prod", 7, "ci-prod"),
            ("ci-prod", 6, "ci-pr…"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("cafe\u{301}s", 4, "caf…"),
        ] {
            let shown = cut(text, width);
            assert!(shown == expected || shown.ends_with("..."), "{text} {width}: {shown}");
        }
    }
}
