//! How a form is laid out: labels in one column, fields in the next, a note under each field
//! for its fault or hint, in a place that is kept free so that nothing jumps.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::paint::{Pen, cut, width, wrap};
use crate::tui::{app::view_context::ViewContext, theme::Look};

/// Columns of the labels.
pub const LABELS: u16 = 14;

/// What a note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Something is wrong with the field above.
    Fault(String),
    /// Something good to know.
    Hint(String),
}

impl Note {
    /// The fault if there is one, else the hint.
    pub fn of(fault: Option<&String>, hint: impl Into<String>) -> Self {
        fault.map_or_else(|| Self::Hint(hint.into()), |fault| Self::Fault(fault.clone()))
    }
}

/// Writes `label` at the start of line `line` and gives the place of its field, `height` lines
/// high. A click on either gives the focus to field number `field`.
pub fn labelled(
    label: &str,
    (field, focused): (usize, bool),
    (line, height): (u16, u16),
    area: Rect,
    buf: &mut Buffer,
    ctx: &ViewContext<'_>,
) -> Rect {
    let look = &ctx.look;
    let style = if focused { look.accent() } else { look.text() };
    Pen::at(buf, area, line, look).column_of(label, LABELS, style);
    let place = unlabelled((line, height), area);
    ctx.hit_map.field(Rect { x: area.x, width: area.width, ..place }, field);
    place
}

/// The place in the column of the fields at line `line`, `height` lines high.
pub fn unlabelled((line, height): (u16, u16), area: Rect) -> Rect {
    let indent = LABELS.min(area.width);
    Rect {
        x: area.x + indent,
        width: area.width - indent,
        y: area.y.saturating_add(line).min(area.bottom()),
        height: height.min(area.height.saturating_sub(line)),
    }
}

/// Writes `note` on line `line`, under the field; one that is too long for that place starts
/// at the left edge, for what matters may stand at its end.
pub fn note(note: &Note, line: u16, area: Rect, buf: &mut Buffer, look: &Look) {
    let wide = match note {
        Note::Fault(text) => width(text) + 2,
        Note::Hint(text) => width(text),
    };
    let aligned = wide <= area.width.saturating_sub(LABELS);
    let pen = Pen::at(buf, area, line, look).skip(if aligned { LABELS } else { 0 });
    match note {
        Note::Fault(text) => {
            pen.text(look.fault(), look.danger()).skip(1).text(text, look.danger());
        }
        Note::Hint(text) => {
            pen.text(text, look.faint());
        }
    }
}

/// Writes `text` from line `line` on, in at most `most` lines; what is left out leaves a mark.
/// Gives the line after it.
pub fn said(
    text: &str,
    (line, most): (u16, u16),
    style: Style,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) -> u16 {
    let mut parts = wrap(text, area.width);
    if parts.len() > usize::from(most) {
        parts.truncate(most.into());
        if let Some(last) = parts.last_mut() {
            *last = cut(&format!("{last}   "), area.width, look).into_owned();
            last.push_str(look.ellipsis());
        }
    }
    let mut next = line;
    for part in parts {
        Pen::at(buf, area, next, look).text(&part, style);
        next += 1;
    }
    next
}

/// Writes `text` on line `line` with the sign of a warning: told by more than its colour.
pub fn warning(text: &str, line: u16, area: Rect, buf: &mut Buffer, look: &Look) {
    let style = look.warning();
    Pen::at(buf, area, line, look).text(look.fault(), style).skip(1).text(text, style);
}

/// Writes `fault` from line `line` on, wrapped, in the danger style.
pub fn fault(text: &str, line: u16, area: Rect, buf: &mut Buffer, look: &Look) {
    for (at, part) in (line..).zip(wrap(text, area.width.saturating_sub(2))) {
        let sign = if at == line { look.fault() } else { " " };
        Pen::at(buf, area, at, look).text(sign, look.danger()).skip(1).text(&part, look.danger());
    }
}
