//! Table of tokens: choice of the columns that fit, headings and rows. The token list decides
//! which tokens are shown and in which order.

use ratatui::{layout::Rect, style::Style};

use crate::{
    domain::{Column, Sort, Status, Token, grouped},
    keymap::Action,
    tui::{app::model::Model, theme::time_format::TimeFormat, widgets::canvas::Canvas},
};

/// Minimum width of the name column. Another column is shown only if the name column keeps this
/// width.
const NAME_MIN: u16 = 20;

/// Draws the headings on line 1 of `area`, with an arrow at the sorted column.
pub(super) fn draw_headings(
    columns: &[(Column, u16)],
    sort: Sort,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let mut writer = canvas.line(area, 1).skip(3);
    for (column, wide) in columns {
        let (arrow, style) = if *column == sort.column {
            (theme.arrow(sort.descending), theme.accent)
        } else {
            ("", theme.heading)
        };
        let text = format!("{} {arrow}", column.as_str());
        let from = writer.column();
        writer = writer.write_column(text.trim_end(), *wide, style);
        let (now, to) = (column_index(sort.column), column_index(*column));
        if now == to {
            ctx.hit_map.click_action(writer.rect_since(from), Action::ReverseSort);
        } else {
            ctx.hit_map.cycle_to(
                writer.rect_since(from),
                Action::NextSort,
                (now, to),
                Column::ALL.len(),
            );
        }
        writer = writer.skip(2);
    }
}

fn column_index(column: Column) -> usize {
    Column::ALL.iter().position(|other| *other == column).unwrap_or(0)
}

/// The table columns that fit into the width `area`, in table order, with their widths. The name is
/// always shown. The other columns are added by importance while the name column keeps `NAME_MIN`.
pub(super) fn fitting_columns(area: u16, times: TimeFormat) -> Vec<(Column, u16)> {
    let time = if times == TimeFormat::Relative { 12 } else { 17 };
    let by_worth = [
        (Column::Status, 9),
        (Column::Expires, time),
        (Column::LastUsed, time),
        (Column::Scopes, 8),
        (Column::Issued, time),
        (Column::Description, 24),
    ];
    let mut left = area.saturating_sub(3 + 1);
    let mut columns = vec![Column::Name];
    for (column, wide) in by_worth {
        if left < NAME_MIN + 2 + wide {
            break;
        }
        left -= 2 + wide;
        columns.push(column);
    }
    // The name column gets the remaining width. If the description is shown, the name column gets
    // at most 32 columns, and the description column gets the rest.
    let described = columns.contains(&Column::Description);
    let (name, more) = if described && left > 32 { (32, left - 32) } else { (left, 0) };
    Column::ALL
        .into_iter()
        .filter(|column| columns.contains(column))
        .map(|column| match column {
            Column::Name => (column, name),
            Column::Description => (column, 24 + more),
            _ => (column, by_worth.iter().find(|(c, _)| *c == column).map_or(0, |(_, w)| *w)),
        })
        .collect()
}

pub(super) fn draw_row(
    token: &Token,
    marked: bool,
    columns: &[(Column, u16)],
    (line, area): (u16, Rect),
    canvas: &mut Canvas<'_>,
) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let status = token.status(ctx.now);
    let expires_soon = token.expires_soon(ctx.now);
    let glyph = if expires_soon { theme.soon_glyph() } else { theme.status_glyph(status) };
    let mut writer = canvas
        .line(area, line)
        .write_column(if marked { theme.mark_glyph() } else { "" }, 1, theme.accent)
        .write_column(glyph, 2, if expires_soon { theme.warning } else { theme.status(status) });
    for (column, wide) in columns {
        let (text, mut style) = cell(token, *column, ctx);
        if marked && *column == Column::Name {
            style = theme.accent;
        }
        writer = writer.write_column(&text, *wide, style).skip(2);
    }
}

fn cell(token: &Token, column: Column, ctx: &Model) -> (String, Style) {
    let theme = &ctx.theme;
    let text = theme.text();
    let short = |at| ctx.short_time(at);
    match column {
        Column::Name => (token.name.to_string(), text),
        Column::Description => (token.description.first_line().to_owned(), theme.faint),
        Column::Status => {
            let status = token.status(ctx.now);
            // The column is narrower than the status.
            let text = if status == Status::NotYetValid { "not yet" } else { status.as_str() };
            (text.to_owned(), theme.status(status))
        }
        Column::Scopes if token.scopes.is_empty() => ("none".to_owned(), theme.warning),
        Column::Scopes => (token.scopes.len().to_string(), text),
        Column::Issued => (short(token.issued), text),
        Column::Expires => expires(token, ctx),
        Column::LastUsed => match token.last_use() {
            Some(used) => (short(used.at), text),
            None => ("never used".to_owned(), theme.faint),
        },
    }
}

/// `0 of 5 left`, if all uses of the token are taken. The column is too narrow for more words.
fn no_uses_left(token: &Token) -> Option<String> {
    let (_, max) = token.uses_left().filter(|(left, _)| *left == 0)?;
    Some(format!("0 of {} left", grouped(max.get())))
}

/// The text of the expiry with its style. A token without uses left shows that instead, because it
/// has ended before its expiry. A `!` marks tokens that expire within 7 days, so that
/// they can be recognised without colour.
fn expires(token: &Token, ctx: &Model) -> (String, Style) {
    let theme = &ctx.theme;
    if let Some(text) = no_uses_left(token) {
        return (text, theme.warning);
    }
    let text = token.expires.map_or_else(|| "never".to_owned(), |end| ctx.short_time(end));
    if token.expires_soon(ctx.now) {
        (format!("{text} !"), theme.warning)
    } else {
        (text, theme.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_screen_shows_every_column() {
        let shown: Vec<Column> =
            fitting_columns(200, TimeFormat::Utc).into_iter().map(|(column, _)| column).collect();
        assert_eq!(shown, Column::ALL);
    }
}
