//! Draws the dialog on a plan: paragraphs, the list of tokens if there are several, the input and
//! the fault. Where it is low, the paragraphs give way first and the list next.

use ratatui::layout::{Position, Rect};

use super::{Input, PlanDialog, TokenRow, text};
use crate::tui::{
    app::model::Model,
    dialogs::text::paragraph,
    widgets::{
        buttons,
        field::Field,
        form::FormInput as _,
        paint::{Canvas, below, width, wrap},
        panel,
    },
};

/// Widest text of the dialog on one token, and on several.
const ONE_WIDTH: u16 = 64;
const MANY_WIDTH: u16 = 100;
/// Fewest rows of the list before the paragraphs above it give way.
const MIN_ROWS: u16 = 3;
/// Lines under the list: the position in it, and the input; the fault comes below.
const UNDER_LIST: u16 = 2;
/// Columns of a row beside its name, and the most for the name.
const REST_WIDTH: u16 = 2 + 2 + 30;
const MAX_NAME_WIDTH: u16 = 40;

pub(super) fn draw(
    dialog: &mut PlanDialog,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let ctx = canvas.ctx;
    let of_many = !dialog.rows.is_empty();
    let wide = if of_many { MANY_WIDTH } else { ONE_WIDTH }.min(area.width.saturating_sub(6));
    if let Some(finished) = &dialog.finished {
        draw_finished(dialog, finished, wide, area, canvas);
        return None;
    }
    let paragraphs = text::paragraphs(&dialog.plan, ctx);
    let lines = paragraphs.iter().flat_map(|text| paragraph(text, wide)).collect::<Vec<_>>();
    match &dialog.input {
        Input::Typed(what, expected, field) if !of_many => {
            draw_typed(dialog, (what, expected, field), &lines, wide, area, canvas)
        }
        Input::Buttons(accepts) if !of_many => {
            let verb = text::verb(&dialog.plan);
            let first = verb.chars().take(1).flat_map(char::to_uppercase);
            let button: String = first.chain(verb.chars().skip(1)).collect();
            let fault = fault_text(dialog, ctx);
            let text = (dialog.title.as_str(), paragraphs.as_slice(), fault.as_deref());
            draw_buttons(text, (&button, *accepts), area, canvas)
        }
        _ => draw_many(dialog, &lines, wide, area, canvas),
    }
}

fn fault_text(dialog: &PlanDialog, ctx: &Model) -> Option<String> {
    dialog.fault.as_ref().map(|fault| format!("{} {fault}", ctx.theme.fault()))
}

/// Draws a question with its paragraphs and a fault, and two buttons: Cancel and the one that
/// accepts, which may have the focus.
pub(in crate::tui::dialogs) fn draw_buttons(
    (title, text, fault): (&str, &[String], Option<&str>),
    (button, accepts): (&str, bool),
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let theme = &canvas.ctx.theme;
    let wide = ONE_WIDTH.min(area.width.saturating_sub(6));
    let lines = text.iter().flat_map(|text| paragraph(text, wide));
    let mut lines: Vec<_> = lines.map(|line| (line, theme.text())).collect();
    if let Some(fault) = fault {
        lines.push((String::new(), theme.text()));
        lines.extend(paragraph(fault, wide).into_iter().map(|line| (line, theme.danger)));
    }
    let body = count(lines.len());
    let inner = panel::draw(title, (wide, body.saturating_add(3)), true, area, canvas);
    let last = inner.height.saturating_sub(1);
    // Where it is low, the empty line above the text goes first.
    let top = u16::from(body + 3 <= inner.height);
    for (at, (line, style)) in (top..last).zip(&lines) {
        canvas.line(inner, at).text(line, *style);
    }
    let last = Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
    buttons::draw(&["Cancel", button], Some(usize::from(accepts)), last, canvas)
}

fn draw_typed(
    dialog: &PlanDialog,
    (what, expected, field): (&str, &str, &Field),
    words: &[String],
    wide: u16,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let verb = text::verb(&dialog.plan);
    let mut fixed = vec![(format!("To {verb}, type {what}:"), theme.text())];
    fixed.extend(wrap(expected, wide).into_iter().map(|line| (line, theme.heading)));
    let fault = wrap(&fault_text(dialog, ctx).unwrap_or_else(|| " ".into()), wide);
    let below = count(fixed.len() + 1 + fault.len());
    let size = (wide, count(words.len()).saturating_add(below + 2));
    let inner = panel::draw(&dialog.title, size, true, area, canvas);

    let mut line = (count(words.len()) + 2).min(inner.height.saturating_sub(below));
    canvas.text_lines(inner, 1..line, words, theme.text());
    for (text, style) in &fixed {
        canvas.line(inner, line).text(text, *style);
        line += 1;
    }
    let place = Rect { y: inner.y + line, height: 1, ..inner }.intersection(inner);
    let columns = (width(expected) + 2).clamp(12, place.width.max(12));
    let place = Rect { width: columns.min(place.width), ..place };
    let cursor = field.draw(place, canvas, true);
    if field.text().trim() == expected {
        let writer = canvas.line(inner, line).skip(columns + 2);
        writer.text(&format!("Enter {verb}s"), theme.danger);
    }
    canvas.text_lines(inner, line + 1.., &fault, theme.danger);
    cursor
}

/// The list has what the paragraphs leave of the room, the paragraphs what the first rows of the
/// list leave.
fn draw_many(
    dialog: &mut PlanDialog,
    words: &[String],
    wide: u16,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let fault = wrap(fault_text(dialog, ctx).as_deref().unwrap_or(" "), wide);
    let all = count(dialog.rows.len());
    let room = area.height.saturating_sub(2 + count(fault.len()));
    let above = count(words.len() + 1).min(room.saturating_sub(UNDER_LIST + all.min(MIN_ROWS)));
    let rows = all.min(room.saturating_sub(above + UNDER_LIST));
    let size = (wide, above + rows + UNDER_LIST + count(fault.len()));
    let inner = panel::draw(&dialog.title, size, true, area, canvas);
    canvas.text_lines(inner, 0..above.saturating_sub(1), words, theme.text());
    draw_rows(dialog, Rect { height: rows, ..below(inner, above) }, canvas);
    let under = above + rows + UNDER_LIST;
    canvas.text_lines(inner, under.., &fault, theme.danger);
    draw_input(dialog, below(inner, above + rows), canvas)
}

fn draw_rows(dialog: &mut PlanDialog, area: Rect, canvas: &mut Canvas<'_>) {
    dialog.page = usize::from(area.height);
    dialog.top = dialog.top.min(dialog.rows.len().saturating_sub(dialog.page));
    let shown = dialog.rows.iter().skip(dialog.top).take(dialog.page);
    for (line, row) in (0..).zip(shown) {
        draw_row(row, dialog.name_width, (line, area), canvas);
    }
}

/// The position in the list, and what confirms the plan.
fn draw_input(dialog: &PlanDialog, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
    let theme = &canvas.ctx.theme;
    let all = dialog.rows.len();
    if dialog.page < all {
        let last = (dialog.top + dialog.page).min(all);
        let position = format!("{} to {last} of {all}, arrows scroll", dialog.top + 1);
        canvas.line(area, 0).text(&position, theme.faint);
    }
    let verb = text::verb(&dialog.plan);
    let Input::Typed(what, expected, field) = &dialog.input else {
        let hint = match dialog.input {
            Input::Nothing => "Esc goes back".to_owned(),
            _ => format!("Enter {verb}s"),
        };
        canvas.line(area, 1).text(&hint, theme.heading);
        return None;
    };
    let asked = format!("To {verb}, type {what}, {expected}: ");
    let writer = canvas.line(area, 1).text(&asked, theme.heading);
    let at = writer.column();
    if field.text().trim() == expected {
        writer.skip(10).text(&format!("Enter {verb}s"), theme.danger);
    }
    let place =
        Rect { x: area.x.saturating_add(at), y: area.y.saturating_add(1), width: 8, height: 1 };
    field.draw(place.intersection(area), canvas, true)
}

/// One token: its status, name and last use, or the reason for leaving it out.
fn draw_row(row: &TokenRow, name_width: u16, (line, area): (u16, Rect), canvas: &mut Canvas<'_>) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let style = theme.status(row.status);
    let name = name_width.min(area.width.saturating_sub(REST_WIDTH)).min(MAX_NAME_WIDTH);
    let name_style = if row.left_out.is_some() { theme.faint } else { theme.text() };
    let writer = canvas
        .line(area, line)
        .column_of(theme.status_glyph(row.status), 2, style)
        .column_of(row.name.as_str(), name, name_style)
        .skip(2);
    if let Some(reason) = &row.left_out {
        writer.text(&format!("left out: {reason}"), theme.warning);
        return;
    }
    let writer = writer.column_of(row.status.as_str(), 9, style);
    let Some(used) = &row.last_used else {
        writer.text("never used", theme.faint);
        return;
    };
    let ago = format!("used {}", ctx.relative(used.at));
    let writer = writer.column_of(&ago, 19, theme.text());
    let from = used.from.as_ref().map_or_else(String::new, |from| format!("from {from} "));
    if writer.room() >= width(&from) {
        writer.text(&format!("{from}{}", used.what), theme.faint);
    }
}

fn draw_finished(dialog: &PlanDialog, text: &str, wide: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    let wide = wide.min(70);
    let title =
        format!("{} regenerated", crate::domain::counted(dialog.plan.changes.len(), "token"));
    let text: Vec<_> = text.lines().flat_map(|text| paragraph(text, wide)).collect();
    let inner = panel::draw(&title, (wide, count(text.len() + 4)), false, area, canvas);
    canvas.text_lines(inner, 1.., &text, theme.text());
    canvas.line(inner, inner.height.saturating_sub(1)).text("Enter closes", theme.faint);
}

fn count(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX)
}
