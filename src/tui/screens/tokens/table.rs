//! Table of tokens: choice of the columns that fit, headings and rows. The token list decides
//! which tokens are shown and in which order.

use ratatui::{layout::Rect, style::Style};

use super::highlight::split_matches;
use crate::{
    domain::{Column, Sort, Status, Token},
    keymap::Action,
    tui::{
        app::model::Model,
        theme::time_format::TimeFormat,
        widgets::canvas::{Canvas, truncate, width},
    },
};

/// Minimum width of the name column on a screen that shows more than the expiry and the last use.
const NAME_MIN: u16 = 20;
/// Minimum width of the name column on a narrow screen.
const NARROW_NAME_MIN: u16 = 16;
/// Minimum width of the description.
const DESCRIPTION_MIN: u16 = 16;
/// Width of the owner.
const OWNER_WIDTH: u16 = 10;
/// Width of the labels.
const LABELS_WIDTH: u16 = 20;
/// Width of the name column up to which it grows before the description does.
const NAME_MAX: u16 = 32;
/// The gauge is drawn again after this part of a lifetime at the latest.
const GAUGE_STEPS: i32 = 60;
/// Width of a relative expiry beside the gauge. A longer text uses the columns of the gauge, too.
const EXPIRES_BESIDE_GAUGE: u16 = 10;
/// Number of cells of the gauge.
const GAUGE_CELLS: u16 = 6;
/// Columns on the left for the mark and the status glyph.
const LEFT_MARGIN: u16 = 3;
/// Columns on the right for the scrollbar.
const RIGHT_MARGIN: u16 = 2;
/// Columns between two columns of the table.
const GAP: u16 = 2;

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TableColumn {
    Name,
    Description,
    Expires,
    /// The part of the lifetime that is left.
    Gauge,
    Scopes,
    LastUsed,
    Issued,
    Owner,
    Labels,
}

impl TableColumn {
    /// The columns from left to right.
    const ALL: [Self; 9] = [
        Self::Name,
        Self::Description,
        Self::Expires,
        Self::Gauge,
        Self::Scopes,
        Self::LastUsed,
        Self::Issued,
        Self::Owner,
        Self::Labels,
    ];

    /// The column of the sort order, if the list can be sorted by this column.
    fn sort_column(self) -> Option<Column> {
        Some(match self {
            Self::Name => Column::Name,
            Self::Description => Column::Description,
            Self::Expires => Column::Expires,
            Self::Scopes => Column::Scopes,
            Self::LastUsed => Column::LastUsed,
            Self::Issued => Column::Issued,
            Self::Gauge | Self::Owner | Self::Labels => return None,
        })
    }
}

/// The columns by which the list can be sorted, from left to right.
fn sort_columns() -> Vec<Column> {
    TableColumn::ALL.into_iter().filter_map(TableColumn::sort_column).collect()
}

/// The order after `sort`: by the next column of the table.
pub(super) fn next_sort(sort: Sort) -> Sort {
    let columns = sort_columns();
    let next = columns.iter().skip_while(|column| **column != sort.column).nth(1);
    Sort::by(next.or(columns.first()).copied().unwrap_or(Column::Name))
}

/// The columns of a time format: the width of the expiry and of the other times.
fn time_widths(times: TimeFormat) -> (u16, u16) {
    if times == TimeFormat::Relative { (15, 11) } else { (17, 17) }
}

/// The width of the expiry beside the gauge. A date needs the whole width.
fn expires_beside_gauge(times: TimeFormat) -> u16 {
    let (expires, _) = time_widths(times);
    if times == TimeFormat::Relative { EXPIRES_BESIDE_GAUGE } else { expires }
}

/// The width of the list beside the detail in `total` columns. The list keeps every column that it
/// has on 80 columns; with dates, which are wider, all except the gauge. Then the detail grows to 56
/// columns, the list to all of its columns, and the detail again. From 150 columns on, the detail is
/// narrower, so that the list has the owner.
pub(in crate::tui) fn width_beside_detail(total: u16, times: TimeFormat) -> u16 {
    const DETAIL: u16 = 56;
    const DETAIL_BESIDE_OWNER: u16 = 46;
    const LIST_MAX: u16 = 140;
    let detail = if total < 150 { DETAIL } else { DETAIL_BESIDE_OWNER };
    let (expires, time) = time_widths(times);
    let expires = match times {
        TimeFormat::Relative => EXPIRES_BESIDE_GAUGE + GAP + GAUGE_CELLS,
        TimeFormat::Local | TimeFormat::Utc => expires,
    };
    let list = LEFT_MARGIN + NAME_MIN + (GAP + expires) + (GAP + 8) + (GAP + time) + RIGHT_MARGIN;
    total.saturating_sub(detail + 2).clamp(list, LIST_MAX.max(list))
}

/// The table columns that fit into the width `area`, in table order, with their widths. Name and
/// expiry are always shown. The other columns are added by importance.
pub(super) fn fitting_columns(area: u16, times: TimeFormat) -> Vec<(TableColumn, u16)> {
    let (expires, time) = time_widths(times);
    let by_worth = [
        (TableColumn::LastUsed, time, NARROW_NAME_MIN),
        (TableColumn::Scopes, 8, NAME_MIN),
        (TableColumn::Gauge, GAUGE_CELLS, NAME_MIN),
        (TableColumn::Description, DESCRIPTION_MIN, NAME_MIN),
        (TableColumn::Owner, OWNER_WIDTH, NAME_MIN),
        (TableColumn::Issued, time, NAME_MIN),
        (TableColumn::Labels, LABELS_WIDTH, NAME_MIN),
    ];
    let mut left = area.saturating_sub(LEFT_MARGIN + RIGHT_MARGIN + GAP + expires);
    let mut columns = vec![TableColumn::Name, TableColumn::Expires];
    for (column, wide, name_min) in by_worth {
        let is_gauge = column == TableColumn::Gauge;
        let saved = if is_gauge { expires - expires_beside_gauge(times) } else { 0 };
        if left + saved < name_min + GAP + wide {
            break;
        }
        left = left + saved - (GAP + wide);
        columns.push(column);
    }
    // The name column gets the remaining width. If the description is shown, the name column gets
    // at most `NAME_MAX` columns, and the description column gets the rest.
    let has_gauge = columns.contains(&TableColumn::Gauge);
    let described = columns.contains(&TableColumn::Description);
    let (name, more) =
        if described && left > NAME_MAX { (NAME_MAX, left - NAME_MAX) } else { (left, 0) };
    let width_of = |column: TableColumn| match column {
        TableColumn::Name => name,
        TableColumn::Expires if has_gauge => expires_beside_gauge(times),
        TableColumn::Expires => expires,
        TableColumn::Description => DESCRIPTION_MIN + more,
        _ => by_worth.iter().find(|(other, ..)| *other == column).map_or(0, |(_, wide, _)| *wide),
    };
    let shown = TableColumn::ALL.into_iter().filter(|column| columns.contains(column));
    shown.map(|column| (column, width_of(column))).collect()
}

/// Draws the headings on line `line` of `area`, with an arrow at the sorted column. A sort key whose
/// column is not shown follows the first heading, as `sorted by issued`.
pub(super) fn draw_headings(
    columns: &[(TableColumn, u16)],
    sort: Sort,
    (line, area): (u16, Rect),
    canvas: &mut Canvas<'_>,
) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let order = sort_columns();
    let index_of = |column| order.iter().position(|other| *other == column).unwrap_or(0);
    let sorted_text = format!("{} {}", sort.column.as_str(), theme.arrow(sort.descending));
    let is_shown = columns.iter().any(|(column, _)| column.sort_column() == Some(sort.column));
    let mut from = LEFT_MARGIN;
    for (column, wide) in columns {
        let Some(key) = column.sort_column() else {
            let text = match column {
                TableColumn::Owner => "Owner",
                TableColumn::Labels => "Labels",
                _ => "",
            };
            canvas.line(area, line).move_to(from).text_within(text, *wide, theme.faint);
            from += wide + GAP;
            continue;
        };
        let is_sorted = key == sort.column;
        let (text, style) =
            if is_sorted { (&*sorted_text, theme.accent) } else { (key.as_str(), theme.faint) };
        let writer = canvas.line(area, line).move_to(from).write_column(text, *wide, style);
        let cell = writer.rect_since(from);
        let (now, to) = (index_of(sort.column), index_of(key));
        if is_sorted {
            ctx.hit_map.click_action(cell, Action::ReverseSort);
        } else {
            ctx.hit_map.cycle_to(cell, Action::NextSort, (now, to), order.len());
        }
        if *column == TableColumn::Name && !is_shown {
            let start = from + width(text) + 1;
            let room = wide.saturating_sub(width(text) + 1);
            let key = sorted_text.to_lowercase();
            let orders = [format!("sorted by {key}"), format!("by {key}"), key];
            let order = orders.into_iter().find(|order| width(order) <= room).unwrap_or_default();
            let writer = canvas.line(area, line).move_to(start);
            let writer = writer.text_within(&order, room, theme.accent);
            ctx.hit_map.click_action(writer.rect_since(start), Action::ReverseSort);
        }
        from += wide + GAP;
    }
}

/// Draws `token` on line `line` of `area`. `words` are the words of the search, which are
/// highlighted in name and description.
pub(super) fn draw_row(
    token: &Token,
    (marked, words): (bool, &[&str]),
    columns: &[(TableColumn, u16)],
    (line, area): (u16, Rect),
    canvas: &mut Canvas<'_>,
) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let (glyph, style) = glyph(token, ctx);
    canvas
        .line(area, line)
        .write_column(if marked { theme.mark_glyph() } else { "" }, 1, theme.accent)
        .write_column(glyph, 2, style);
    let mut from = LEFT_MARGIN;
    for (at, (column, wide)) in columns.iter().enumerate() {
        let mut room = *wide;
        if *column == TableColumn::Expires && !has_gauge(token, ctx) {
            // The gauge is empty, so that the expiry can use its columns.
            let gauge = columns.get(at + 1).filter(|(next, _)| *next == TableColumn::Gauge);
            room += gauge.map_or(0, |(_, wide)| GAP + wide);
        }
        let (text, mut style) = cell(token, *column, room, ctx);
        if marked && *column == TableColumn::Name {
            style = theme.accent;
        }
        let is_searched = matches!(column, TableColumn::Name | TableColumn::Description);
        if is_searched && !words.is_empty() {
            draw_matches(&text, words, (from, room, style), (line, area), canvas);
        } else {
            canvas.line(area, line).move_to(from).text_within(&text, room, style);
        }
        from += wide + GAP;
    }
}

/// Draws `text` at column `from` and underlines the matches of `words`.
fn draw_matches(
    text: &str,
    words: &[&str],
    (from, room, style): (u16, u16, Style),
    (line, area): (u16, Rect),
    canvas: &mut Canvas<'_>,
) {
    let highlight = canvas.ctx.theme.search_match;
    let text = truncate(text, room, &canvas.ctx.theme);
    let mut writer = canvas.line(area, line).move_to(from);
    for (run, is_match) in split_matches(&text, words) {
        let style = if is_match { style.patch(highlight) } else { style };
        writer = writer.text(run, style);
    }
}

/// The glyph of the status with its style. It is the only sign of the status in most rows.
fn glyph(token: &Token, ctx: &Model) -> (&'static str, Style) {
    let theme = &ctx.theme;
    let status = token.status(ctx.now);
    if let Some(change) = token.last_day_start().filter(|start| *start > ctx.now) {
        ctx.note_text_change(change);
    }
    if token.expires_within_a_day(ctx.now) {
        (theme.urgent_glyph(), theme.danger)
    } else if token.expires_soon(ctx.now) {
        (theme.soon_glyph(), theme.warning)
    } else {
        (theme.status_glyph(status), theme.status(status))
    }
}

/// The text of a cell with its style. `room` is the number of columns for the text.
fn cell(token: &Token, column: TableColumn, room: u16, ctx: &Model) -> (String, Style) {
    let theme = &ctx.theme;
    let text = theme.text();
    match column {
        TableColumn::Name if token.status(ctx.now).is_ended() => (token.name.to_string(), text),
        TableColumn::Name => (token.name.to_string(), theme.heading),
        TableColumn::Description => (token.description.first_line().to_owned(), theme.faint),
        TableColumn::Expires => expires(token, room, ctx),
        TableColumn::Gauge => {
            let level = token.lifetime_level(ctx.now).zip(token.remaining_permille(ctx.now));
            let level = level.filter(|_| has_gauge(token, ctx));
            level.map_or((String::new(), text), |(level, permille)| {
                if let Some(end) = token.expires {
                    ctx.note_text_change(ctx.now + (end - token.issued) / GAUGE_STEPS);
                }
                (theme.gauge(permille, GAUGE_CELLS), theme.lifetime(level))
            })
        }
        TableColumn::Scopes if token.scopes.is_empty() => ("none".to_owned(), theme.warning),
        TableColumn::Scopes => (token.scopes.len().to_string(), text),
        TableColumn::Issued => (ctx.short_time(token.issued), text),
        TableColumn::LastUsed => match token.last_use() {
            Some(used) => (ctx.short_time(used.at), text),
            None => ("never".to_owned(), theme.faint),
        },
        TableColumn::Owner => (token.owner_text(), theme.faint),
        TableColumn::Labels => (token.labels.to_string(), theme.faint),
    }
}

/// Whether the row of `token` shows the part of the lifetime that is left.
fn has_gauge(token: &Token, ctx: &Model) -> bool {
    token.status(ctx.now) == Status::Active && no_uses_left(token).is_none()
}

/// `used up`, if all uses of the token are taken.
fn no_uses_left(token: &Token) -> Option<&'static str> {
    token.is_used_up().then_some("used up")
}

/// The text of the expiry with its style. A token that has ended shows its status and since when,
/// or only the status if `room` columns are not enough. A token without uses left shows that.
fn expires(token: &Token, room: u16, ctx: &Model) -> (String, Style) {
    let theme = &ctx.theme;
    let status = token.status(ctx.now);
    let with_time = |word: &str, at| {
        let text = format!("{word} {}", ctx.short_time(at));
        if width(&text) <= room { text } else { word.to_owned() }
    };
    match (status, token.revoked, token.expires) {
        (Status::Revoked, Some(at), _) => (with_time("revoked", at), theme.danger),
        // The glyph says that the token has expired; only the time is nowhere else.
        (Status::Expired, _, Some(at)) => {
            let text = with_time("expired", at);
            (if text == "expired" { ctx.short_time(at) } else { text }, theme.faint)
        }
        _ if no_uses_left(token).is_some() => {
            (no_uses_left(token).unwrap_or_default().to_owned(), theme.warning)
        }
        (Status::NotYetValid, ..) => {
            let start = token.limits.not_before.unwrap_or(ctx.now);
            let time = ctx.short_time(start);
            let text = format!("starts {time}");
            // A date with its time of day is too wide beside the word.
            let day = || format!("from {}", time.split(' ').next().unwrap_or_default());
            let shorter =
                if ctx.time_format == TimeFormat::Relative { time.clone() } else { day() };
            (if width(&text) <= room { text } else { shorter }, theme.accent)
        }
        (_, _, None) => ("never".to_owned(), theme.text()),
        (_, _, Some(end)) => {
            let style = if token.expires_within_a_day(ctx.now) {
                theme.danger
            } else if token.expires_soon(ctx.now) {
                theme.warning
            } else {
                theme.text()
            };
            (ctx.short_time(end), style)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: u16) -> Vec<TableColumn> {
        let columns = fitting_columns(width, TimeFormat::Relative);
        columns.into_iter().map(|(column, _)| column).collect()
    }

    #[test]
    fn a_wide_screen_shows_every_column() {
        for times in [TimeFormat::Relative, TimeFormat::Utc] {
            let columns = fitting_columns(200, times);
            let columns: Vec<_> = columns.into_iter().map(|(column, _)| column).collect();
            assert_eq!(columns, TableColumn::ALL);
        }
    }

    #[test]
    fn a_wider_list_never_loses_a_column() {
        for times in [TimeFormat::Relative, TimeFormat::Local] {
            for width in 40..240 {
                let (narrow, wide) =
                    (fitting_columns(width, times), fitting_columns(width + 1, times));
                for (column, _) in narrow {
                    assert!(wide.iter().any(|(other, _)| *other == column), "{width}");
                }
            }
        }
    }

    #[test]
    fn the_split_list_keeps_the_columns_of_80() {
        for total in 120..240 {
            let split = width_beside_detail(total, TimeFormat::Relative);
            let columns = shown(split);
            for column in shown(80) {
                assert!(columns.contains(&column), "{total}: {column:?}");
            }
            assert!(total - split - 2 >= 40, "{total}");
        }
    }

    #[test]
    fn the_columns_fill_the_width() {
        for width in 40..200 {
            let columns = fitting_columns(width, TimeFormat::Relative);
            let used: u16 = columns.iter().map(|(_, wide)| wide + GAP).sum();
            assert_eq!(used - GAP + LEFT_MARGIN + RIGHT_MARGIN, width);
        }
    }
}
