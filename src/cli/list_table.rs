//! The table of `list`. On a terminal, it fits the width: texts that are too long end with an
//! ellipsis, times are relative, and columns that do not fit are left out. Elsewhere, all texts and
//! times are complete and the columns are always the same. Called by `list`.

use std::{
    cmp::Ordering,
    io::{self, Write as _},
};

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::{
    list_args::{List, ListColumn},
    print::{Output, printable},
};
use crate::{
    domain::{Description, Labels, Name, Sort, SortPlace, Status, Timestamp, Token, TokenId},
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
    pub(super) fn new(token: &Token, keys: &[Sort], now: Timestamp) -> Self {
        let (first, others) = match keys.split_first() {
            Some((first, others)) => (*first, others),
            None => (Sort::default(), &[][..]),
        };
        let others = others.iter().map(|key| key.place(token, now)).collect();
        Self { first: first.place(token, now), others }
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

/// What the table shows of a token, in less than 200 bytes without a description.
pub(super) struct ListRow {
    place: ListPlace,
    name: Name,
    status: Status,
    expires_soon: bool,
    scopes: usize,
    expires: Option<Timestamp>,
    last_used: Option<Timestamp>,
    /// The uses left and their maximum, as text, if the token has a maximum.
    uses_left: Option<Box<str>>,
    issued: Timestamp,
    created: Timestamp,
    /// Set only if the table has the column.
    owner: Option<Box<str>>,
    /// Set only if the table has the column.
    labels: Option<Labels>,
    /// Set only if the table has the column.
    description: Option<Description>,
}

/// How the table is printed.
#[derive(Debug)]
pub(super) struct ListTable<'a> {
    keys: &'a [Sort],
    columns: Vec<ListColumn>,
    /// Whether the operator chose the columns: then none is left out.
    has_own_columns: bool,
    has_headings: bool,
    /// The columns of the terminal; `None` prints everything in full.
    width: Option<usize>,
    now: Timestamp,
}

impl<'a> ListTable<'a> {
    pub(super) fn new(args: &'a List, out: &Output, now: Timestamp) -> Self {
        let columns = match (args.quiet, args.columns.as_slice()) {
            (true, _) => vec![ListColumn::Id],
            (false, []) if out.width.is_some() => {
                USUAL.into_iter().chain([ListColumn::Description]).collect()
            }
            (false, []) => USUAL.to_vec(),
            (false, columns) => columns.to_vec(),
        };
        Self {
            keys: &args.sort,
            columns,
            has_own_columns: args.quiet || !args.columns.is_empty(),
            has_headings: !args.quiet && !args.no_header,
            width: out.width,
            now,
        }
    }

    /// What the table needs of `token`.
    pub(super) fn row(&self, token: &Token) -> ListRow {
        let has = |column| self.columns.contains(&column);
        let uses_left =
            token.uses_left().map(|(left, max)| crate::domain::uses_left_text(left, max));
        ListRow {
            place: ListPlace::new(token, self.keys, self.now),
            name: token.name.clone(),
            status: token.status(self.now),
            expires_soon: token.expires_soon(self.now),
            scopes: token.scopes.len(),
            expires: token.expires,
            last_used: token.last_use().map(|used| used.at),
            uses_left: uses_left.map(Into::into),
            issued: token.issued,
            created: token.created,
            owner: has(ListColumn::Owner).then(|| token.owner_text().into()),
            labels: has(ListColumn::Labels).then(|| token.labels.clone()),
            description: has(ListColumn::Description).then(|| token.description.clone()),
        }
    }

    /// Sorts `rows` and prints the first `limit` of them. Returns whether there are any.
    pub(super) fn print(
        mut self,
        mut rows: Vec<ListRow>,
        limit: Option<usize>,
        out: &Output,
    ) -> io::Result<bool> {
        rows.sort_unstable_by(|one, other| one.place.cmp(&other.place));
        rows.truncate(limit.unwrap_or(usize::MAX));
        if rows.is_empty() {
            return Ok(false);
        }
        let widths = self.fit(&rows);
        let mut to = io::BufWriter::new(io::stdout().lock());
        if self.has_headings {
            let headings = self.columns.iter().map(|column| (column.heading().to_owned(), "1"));
            write_line(&mut to, headings, &widths, out.styled)?;
        }
        for row in &rows {
            let cells = self.columns.iter().map(|column| self.styled_cell(row, *column));
            write_line(&mut to, cells, &widths, out.styled)?;
        }
        to.flush()?;
        Ok(true)
    }

    /// Returns the width of each column. Leaves out columns that do not fit on the terminal.
    fn fit(&mut self, rows: &[ListRow]) -> Vec<usize> {
        if !self.has_own_columns && rows.iter().all(|row| is_empty(row.description.as_ref())) {
            self.columns.retain(|column| *column != ListColumn::Description);
        }
        let natural = |column: &ListColumn| {
            let cells = rows.iter().map(|row| printable(&self.cell(row, *column)).width());
            let heading = if self.has_headings { column.heading().width() } else { 0 };
            cells.fold(heading, usize::max)
        };
        let mut widths: Vec<(ListColumn, usize)> =
            self.columns.iter().map(|column| (*column, natural(column))).collect();
        if let Some(width) = self.width {
            let mut left_out = LEFT_OUT.iter();
            while !self.has_own_columns && total(&widths, least_width) > width {
                let Some(column) = left_out.next() else { break };
                widths.retain(|(other, _)| other != column);
            }
            let cut_first = [ListColumn::Description, ListColumn::Labels, ListColumn::Owner];
            for column in cut_first.into_iter().chain([ListColumn::Name]) {
                let excess = total(&widths, |_, natural| natural).saturating_sub(width);
                for (_, natural) in widths.iter_mut().filter(|(other, _)| *other == column) {
                    *natural = natural.saturating_sub(excess).max(least_width(column, *natural));
                }
            }
        }
        self.columns = widths.iter().map(|(column, _)| *column).collect();
        widths.into_iter().map(|(_, width)| width).collect()
    }

    /// The text of a cell, and the code of its style, which is empty for plain text.
    fn styled_cell(&self, row: &ListRow, column: ListColumn) -> (String, &'static str) {
        let style = match (column, row.status) {
            (ListColumn::Id, _) => "2",
            (ListColumn::Status, Status::Active) => "32",
            (ListColumn::Status, Status::NotYetValid) => "33",
            (ListColumn::Status, Status::Expired | Status::Revoked) => "31",
            (ListColumn::Expires, _) if row.expires_soon => "33",
            _ => "",
        };
        (self.cell(row, column), style)
    }

    fn cell(&self, row: &ListRow, column: ListColumn) -> String {
        let time = |at: Timestamp| match self.width {
            Some(_) => relative(at, self.now),
            None => format_time(at),
        };
        let time_or_never = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), time);
        match column {
            ListColumn::Id => row.place.id().to_string(),
            ListColumn::Name => row.name.to_string(),
            ListColumn::Status => row.status.as_str().to_owned(),
            ListColumn::Scopes => row.scopes.to_string(),
            ListColumn::Expires => time_or_never(row.expires),
            ListColumn::LastUsed => match &row.uses_left {
                Some(left) => format!("{}, {left}", time_or_never(row.last_used)),
                None => time_or_never(row.last_used),
            },
            ListColumn::Issued => time(row.issued),
            ListColumn::Created => time(row.created),
            ListColumn::Owner => row.owner.as_deref().unwrap_or_default().to_owned(),
            ListColumn::Labels => row.labels.as_ref().map_or_else(String::new, Labels::to_string),
            ListColumn::Description => {
                let text = row.description.as_ref().map_or("", Description::as_str);
                text.lines().collect::<Vec<_>>().join(" ")
            }
        }
    }
}

fn is_empty(description: Option<&Description>) -> bool {
    description.is_none_or(|text| text.as_str().is_empty())
}

/// The least width to which a column may be cut.
fn least_width(column: ListColumn, natural: usize) -> usize {
    match column {
        ListColumn::Name => natural.min(20),
        ListColumn::Description => natural.min(11),
        ListColumn::Owner | ListColumn::Labels => natural.min(8),
        _ => natural,
    }
}

/// The width of a line, if each column has the width that `width` returns.
fn total(columns: &[(ListColumn, usize)], width: impl Fn(ListColumn, usize) -> usize) -> usize {
    let cells: usize = columns.iter().map(|(column, natural)| width(*column, *natural)).sum();
    cells + GAP * columns.len().saturating_sub(1)
}

/// Writes `cells`, each a text with the code of its style, in columns of these widths.
fn write_line(
    to: &mut impl io::Write,
    cells: impl Iterator<Item = (String, &'static str)>,
    widths: &[usize],
    styled: bool,
) -> io::Result<()> {
    let mut padding = 0;
    for ((text, style), width) in cells.zip(widths) {
        let text = printable(&text);
        let text = cut(&text, *width);
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
