//! Draws the plan dialog: paragraphs, the list of tokens if there are several, the input and the
//! fault. If there is not enough height, paragraphs are cut first, then the list.

use ratatui::layout::{Position, Rect};

use super::{ConfirmInput, PlanDialog, TokenRow, text};
use crate::{
    domain::{Confirmation, counted, grouped},
    keymap::Action,
    tui::{
        app::model::Model,
        dialogs::Dialog as _,
        dialogs::shared_text::{cut_lines, wrap_paragraph},
        widgets::{
            buttons,
            canvas::{Canvas, rect_below, width, wrap},
            form::FormInput as _,
            panel,
            text_input::TextInput,
        },
    },
};

/// Maximum text width in columns if the plan is for one token.
const ONE_WIDTH: u16 = 64;
/// Maximum text width in columns if the plan is for several tokens.
const MANY_WIDTH: u16 = 100;
/// Minimum number of list rows. Paragraphs are cut to make room for these rows.
const MIN_ROWS: u16 = 3;
/// Height of the dialog from which the list has `MIN_ROWS` rows, in lines.
const ROOMY: u16 = 9;
/// Number of lines between the list and the fault: the scroll position and the input.
const UNDER_LIST: u16 = 2;
/// Width of a row without the token name, in columns.
const REST_WIDTH: u16 = 2 + 2 + 30;
/// Minimum width of the token name beside the word of the status, in columns.
const MIN_NAME_WIDTH: u16 = 16;
/// Maximum width of the token name, in columns.
const MAX_NAME_WIDTH: u16 = 40;

pub(super) fn draw(
    dialog: &mut PlanDialog,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let ctx = canvas.ctx;
    let of_many = !dialog.rows.is_empty();
    let wide = if of_many { MANY_WIDTH } else { ONE_WIDTH }.min(area.width.saturating_sub(6));
    if let Some(finished) = &dialog.result_text {
        draw_result(dialog, finished, wide, area, canvas);
        return None;
    }
    let paragraphs = fitting_paragraphs(dialog, wide, area.height, ctx);
    let wrapped = paragraphs.iter().flat_map(|text| wrap_paragraph(text, wide, &ctx.theme));
    let lines: Vec<_> = wrapped.collect();
    match &dialog.input {
        ConfirmInput::Typed(description, expected, field) if !of_many => {
            draw_typed(dialog, (description, expected, field), &lines, wide, area, canvas)
        }
        ConfirmInput::Buttons(accepts) if !of_many => {
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

/// The paragraphs, or a shorter text if they do not fit above the input of the dialog: what the
/// operator must know before the answer is never cut.
fn fitting_paragraphs(dialog: &PlanDialog, wide: u16, height: u16, ctx: &Model) -> Vec<String> {
    let all = text::paragraphs(&dialog.plan, ctx);
    let input = match &dialog.input {
        // Prompt, expected text, field.
        ConfirmInput::Typed(..) => 4,
        _ => 1,
    };
    let room = usize::from(height.saturating_sub(2 + input));
    let lines = all.iter().map(|text| wrap_paragraph(text, wide, &ctx.theme).len()).sum::<usize>();
    let short = (lines > room).then(|| text::short_paragraphs(&dialog.plan, ctx)).flatten();
    short.unwrap_or(all)
}

fn fault_text(dialog: &PlanDialog, ctx: &Model) -> Option<String> {
    dialog.fault.as_ref().map(|fault| format!("{} {fault}", ctx.theme.fault_glyph()))
}

/// Draws a question with its paragraphs and a fault, and two buttons: Cancel and the accept
/// button, which has the focus if `accepts` is true.
pub(in crate::tui::dialogs) fn draw_buttons(
    (title, text, fault): (&str, &[String], Option<&str>),
    (button, accepts): (&str, bool),
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let theme = &canvas.ctx.theme;
    let wide = ONE_WIDTH.min(area.width.saturating_sub(6));
    let lines = text.iter().flat_map(|text| wrap_paragraph(text, wide, theme));
    let mut lines: Vec<_> = lines.map(|line| (line, theme.text())).collect();
    if let Some(fault) = fault {
        lines.push((String::new(), theme.text()));
        let fault = wrap_paragraph(fault, wide, theme).into_iter();
        lines.extend(fault.map(|line| (line, theme.danger)));
    }
    let body = line_count(lines.len());
    let inner = panel::draw(title, (wide, body.saturating_add(3)), true, area, canvas);
    let last = inner.height.saturating_sub(1);
    // If there is not enough height, drop the empty line above the text first.
    let top = u16::from(body + 3 <= inner.height);
    let room = usize::from(last.saturating_sub(top));
    if lines.len() > room {
        let texts: Vec<_> = lines.iter().map(|(text, _)| text.clone()).collect();
        let cut = cut_lines(&texts, last.saturating_sub(top), wide, theme);
        lines = cut.into_iter().zip(lines).map(|(text, (_, style))| (text, style)).collect();
    }
    for (at, (line, style)) in (top..last).zip(&lines) {
        canvas.line(inner, at).text(line, *style);
    }
    let last = Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
    buttons::draw(&["Cancel", button], Some(usize::from(accepts)), last, canvas)
}

/// The hint `Enter to revoke`, with the key from the keymap and the verb of the plan.
fn accept_hint(dialog: &PlanDialog, ctx: &Model) -> String {
    let key = ctx.key(dialog.mode(), Action::Accept);
    format!("{key} to {}", text::verb(&dialog.plan))
}

fn draw_typed(
    dialog: &PlanDialog,
    (description, expected, field): (&str, &str, &TextInput),
    words: &[String],
    wide: u16,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let verb = text::verb(&dialog.plan);
    let takes_id = matches!(dialog.plan.confirmation(), Confirmation::TypeName(_));
    let id = dialog.plan.ids().first().copied().filter(|_| takes_id);
    let id = id.map_or_else(String::new, |id| format!(" or id {id}"));
    let prompt = wrap(&format!("To {verb}, type {description}{id}:"), wide, theme);
    let mut fixed: Vec<_> = prompt.into_iter().map(|line| (line, theme.text())).collect();
    // Indented, so that it does not look like text that was typed already.
    let indented = wrap(expected, wide.saturating_sub(2), theme).into_iter();
    fixed.extend(indented.map(|line| (format!("  {line}"), theme.heading)));
    let fault = wrap(&fault_text(dialog, ctx).unwrap_or_default(), wide, theme);
    let input_height = line_count(fixed.len() + 1 + fault.len());
    let size = (wide, line_count(words.len()).saturating_add(input_height + 2));
    let inner = panel::draw(&dialog.title, size, true, area, canvas);

    let mut line = (line_count(words.len()) + 2).min(inner.height.saturating_sub(input_height));
    // If there is not enough height, drop the empty line above the text first.
    let top = u16::from(line > line_count(words.len()));
    let words = cut_lines(words, line.saturating_sub(top), wide, theme);
    canvas.text_lines(inner, top..line, words, theme.text());
    for (text, style) in &fixed {
        canvas.line(inner, line).text(text, *style);
        line += 1;
    }
    let rect = Rect { y: inner.y + line, height: 1, ..inner }.intersection(inner);
    canvas.line(rect, 0).text(">", theme.accent);
    let columns = (width(expected) + 2).clamp(12, rect.width.max(12));
    let rect = Rect { x: rect.x + 2, width: columns.min(rect.width.saturating_sub(2)), ..rect };
    let cursor = field.draw(rect.intersection(inner), canvas, true);
    if dialog.plan.is_confirmed_by(&field.text()) {
        let writer = canvas.line(inner, line).skip(columns + 4);
        writer.text(&accept_hint(dialog, ctx), theme.danger);
    }
    canvas.text_lines(inner, line + 1.., &fault, theme.danger);
    cursor
}

/// Draws the dialog for several tokens. The list gets the height that the paragraphs leave, but at
/// least `MIN_ROWS`.
fn draw_many(
    dialog: &mut PlanDialog,
    words: &[String],
    wide: u16,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let fault = wrap(fault_text(dialog, ctx).as_deref().unwrap_or_default(), wide, theme);
    let all = line_count(dialog.rows.len());
    let room = area.height.saturating_sub(2 + line_count(fault.len()));
    let min_rows = all.min(if room < ROOMY { MIN_ROWS - 1 } else { MIN_ROWS });
    let above = line_count(words.len() + 1).min(room.saturating_sub(UNDER_LIST + min_rows));
    let rows = all.min(room.saturating_sub(above + UNDER_LIST));
    let size = (wide, above + rows + UNDER_LIST + line_count(fault.len()));
    let inner = panel::draw(&dialog.title, size, true, area, canvas);
    // Text that is cut uses the empty line between the text and the list, too.
    let words = cut_lines(words, above, wide, theme);
    canvas.text_lines(inner, 0..above, words, theme.text());
    draw_rows(dialog, Rect { height: rows, ..rect_below(inner, above) }, canvas);
    let under = above + rows + UNDER_LIST;
    canvas.text_lines(inner, under.., &fault, theme.danger);
    draw_input(dialog, rect_below(inner, above + rows), canvas)
}

fn draw_rows(dialog: &mut PlanDialog, area: Rect, canvas: &mut Canvas<'_>) {
    dialog.visible_rows = usize::from(area.height);
    dialog.scroll_top =
        dialog.scroll_top.min(dialog.rows.len().saturating_sub(dialog.visible_rows));
    let shown = dialog.rows.iter().skip(dialog.scroll_top).take(dialog.visible_rows);
    for (line, row) in (0..).zip(shown) {
        draw_row(row, dialog.name_width, (line, area), canvas);
    }
}

/// Draws the scroll position and the input that confirms the plan.
fn draw_input(dialog: &PlanDialog, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let all = dialog.rows.len();
    if dialog.visible_rows < all {
        let last = (dialog.scroll_top + dialog.visible_rows).min(all);
        let first = grouped(dialog.scroll_top + 1);
        let position = format!("{first} to {} of {}, arrows scroll", grouped(last), grouped(all));
        canvas.line(area, 0).text(&position, theme.faint);
    }
    let verb = text::verb(&dialog.plan);
    let ConfirmInput::Typed(description, expected, field) = &dialog.input else {
        let hint = match dialog.input {
            ConfirmInput::Nothing => format!("{} to close", ctx.key(dialog.mode(), Action::Cancel)),
            _ => accept_hint(dialog, ctx),
        };
        canvas.line(area, 1).text(&hint, theme.heading);
        return None;
    };
    let prompt = format!("To {verb}, type {description} ({expected}): ");
    let writer = canvas.line(area, 1).text(&prompt, theme.heading);
    let (at, wide) = (writer.column(), (width(expected) + 2).max(4));
    if dialog.plan.is_confirmed_by(&field.text()) {
        writer.skip(wide).text(&accept_hint(dialog, ctx), theme.danger);
    }
    let rect =
        Rect { x: area.x.saturating_add(at), y: area.y.saturating_add(1), width: wide, height: 1 };
    field.draw(rect.intersection(area), canvas, true)
}

/// Draws one token: its status, name and last use, or the reason for skipping it.
fn draw_row(row: &TokenRow, name_width: u16, (line, area): (u16, Rect), canvas: &mut Canvas<'_>) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let style = theme.status(row.status);
    // On a narrow screen, the name replaces the word of the status; the glyph stays.
    let is_narrow = area.width < REST_WIDTH + MIN_NAME_WIDTH;
    let room = if is_narrow { area.width / 2 } else { area.width.saturating_sub(REST_WIDTH) };
    let name = name_width.min(room).min(MAX_NAME_WIDTH);
    let name_style = if row.skip_label.is_some() { theme.faint } else { theme.text() };
    let writer = canvas
        .line(area, line)
        .write_column(theme.status_glyph(row.status), 2, style)
        .write_column(row.name.as_str(), name, name_style)
        .skip(2);
    if let Some(reason) = &row.skip_label {
        writer.text(&format!("skipped: {reason}"), theme.warning);
        return;
    }
    let status_width = if is_narrow { 0 } else { 9 };
    let writer = writer.write_column(row.status.as_str(), status_width, style);
    let Some(used) = &row.last_used else {
        writer.text("never used", theme.faint);
        return;
    };
    let ago = format!("used {}", ctx.relative_time(used.at));
    let writer = writer.write_column(&ago, 19, theme.text());
    let from = used.from.as_ref().map_or_else(String::new, |from| format!("from {from} "));
    if writer.remaining() >= width(&from) {
        writer.text(&format!("{from}{}", used.summary), theme.faint);
    }
}

fn draw_result(dialog: &PlanDialog, text: &str, wide: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    let wide = wide.min(70);
    let title = format!("Regenerated {}", counted(dialog.plan.changes.len(), "token"));
    let text: Vec<_> =
        text.lines().flat_map(|text| wrap_paragraph(text, wide, &canvas.ctx.theme)).collect();
    let inner = panel::draw(&title, (wide, line_count(text.len() + 4)), false, area, canvas);
    canvas.text_lines(inner, 1.., &text, theme.text());
    let hint = format!("{} to close", canvas.ctx.key(dialog.mode(), Action::Accept));
    canvas.line(inner, inner.height.saturating_sub(1)).text(&hint, theme.faint);
}

fn line_count(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(u16::MAX)
}
