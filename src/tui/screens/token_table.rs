//! The table of the list: which columns fit, their headings, and one token in a row. Draws what
//! it is given; the list decides what is shown and in which order.

use ratatui::{layout::Rect, style::Style};

use crate::{
    domain::{Column, Pat, Sort},
    keymap::Action,
    tui::{app::model::Model, theme::time_format::TimeFormat, widgets::paint::Canvas},
};

/// Fewest columns that a name is given before another column is shown.
const NAME_MIN: u16 = 20;

/// Writes the headings on line 1 of `area`, an arrow at the one that sorts.
pub(super) fn draw_headings(
    columns: &[(Column, u16)],
    sort: Sort,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let (ctx, look) = (canvas.ctx, &canvas.ctx.look);
    let mut pen = canvas.line(area, 1).skip(3);
    for (column, wide) in columns {
        let (arrow, style) = if *column == sort.column {
            (look.arrow(sort.descending), look.accent)
        } else {
            ("", look.heading)
        };
        let text = format!("{} {arrow}", column.word());
        let from = pen.column();
        pen = pen.column_of(text.trim_end(), *wide, style);
        let (now, to) = (place_of(sort.column), place_of(*column));
        if now == to {
            ctx.hit_map.act(pen.since(from), Action::ReverseSort);
        } else {
            ctx.hit_map.cycle_to(pen.since(from), Action::NextSort, (now, to), Column::ALL.len());
        }
        pen = pen.skip(2);
    }
}

fn place_of(column: Column) -> usize {
    Column::ALL.iter().position(|each| *each == column).unwrap_or(0)
}

/// The columns that fit, in the order of the table, with their widths: the name always, the
/// others by their worth as long as the name keeps its room.
pub(super) fn fitting(area: u16, times: TimeFormat) -> Vec<(Column, u16)> {
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
    let mut chosen = vec![Column::Name];
    for (column, wide) in by_worth {
        if left < NAME_MIN + 2 + wide {
            break;
        }
        left -= 2 + wide;
        chosen.push(column);
    }
    // What is left over goes to the name, and to the description once the name has plenty.
    let described = chosen.contains(&Column::Description);
    let (name, more) = if described && left > 32 { (32, left - 32) } else { (left, 0) };
    Column::ALL
        .into_iter()
        .filter(|column| chosen.contains(column))
        .map(|column| match column {
            Column::Name => (column, name),
            Column::Description => (column, 24 + more),
            _ => (column, by_worth.iter().find(|(c, _)| *c == column).map_or(0, |(_, w)| *w)),
        })
        .collect()
}

pub(super) fn draw_row(
    pat: &Pat,
    marked: bool,
    columns: &[(Column, u16)],
    (line, area): (u16, Rect),
    canvas: &mut Canvas<'_>,
) {
    let (ctx, look) = (canvas.ctx, &canvas.ctx.look);
    let status = pat.status(ctx.now);
    let near = pat.expires_soon(ctx.now);
    let glyph = if near { look.soon_glyph() } else { look.status_glyph(status) };
    let mut pen = canvas
        .line(area, line)
        .column_of(if marked { look.mark() } else { "" }, 1, look.accent)
        .column_of(glyph, 2, if near { look.warning } else { look.status(status) });
    for (column, wide) in columns {
        let (text, mut style) = cell(pat, *column, ctx);
        if marked && *column == Column::Name {
            style = look.accent;
        }
        pen = pen.column_of(&text, *wide, style).skip(2);
    }
}

fn cell(pat: &Pat, column: Column, ctx: &Model) -> (String, Style) {
    let look = &ctx.look;
    let text = look.text();
    let short = |at| ctx.short(at);
    match column {
        Column::Name => (pat.name.to_string(), text),
        Column::Description => (pat.description.first_line().to_owned(), look.faint),
        Column::Status => {
            let status = pat.status(ctx.now);
            (status.word().to_owned(), look.status(status))
        }
        Column::Scopes if pat.scopes.is_empty() => ("none".to_owned(), look.warning),
        Column::Scopes => (pat.scopes.len().to_string(), text),
        Column::Issued => (short(pat.issued), text),
        Column::Expires => expires(pat, ctx),
        Column::LastUsed => match pat.last_use() {
            Some(used) => (short(used.at), text),
            None => ("never used".to_owned(), look.faint),
        },
    }
}

/// When it expires; what expires within a week carries a sign as well as a colour.
fn expires(pat: &Pat, ctx: &Model) -> (String, Style) {
    let look = &ctx.look;
    let text = pat.expires.map_or_else(|| "never".to_owned(), |end| ctx.short(end));
    if pat.expires_soon(ctx.now) {
        (format!("{text} !"), look.warning)
    } else {
        (text, look.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_screen_shows_every_column() {
        let shown: Vec<Column> =
            fitting(200, TimeFormat::Utc).into_iter().map(|(column, _)| column).collect();
        assert_eq!(shown, Column::ALL);
    }
}
