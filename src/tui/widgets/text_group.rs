//! A group of labelled one-line text fields that a form treats as one input: it shows all of them
//! while the input has the focus, otherwise one line. Does not check the texts. Used by the inputs of
//! limits, labels and owner.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{
    canvas::{Canvas, line_rect, width},
    form::{FieldNote, FormInput as _},
    text_input::TextInput,
};

/// Columns between a label and its text field.
const GAP: u16 = 2;

/// The text fields of a group.
#[derive(Debug)]
pub struct TextGroup<const N: usize> {
    labels: [&'static str; N],
    inputs: [TextInput; N],
    /// Hit-map number of the first text field; the others follow.
    first_field: usize,
    /// The index of the text field that has the focus.
    selected: usize,
    /// Whether all text fields are shown.
    is_open: bool,
    /// A fault that the service found; shown until the next change.
    fault: Option<String>,
}

impl<const N: usize> TextGroup<N> {
    /// A group with `texts`. No other input of a form may have one of the hit-map numbers from
    /// `first_field` on.
    pub fn new(labels: [&'static str; N], texts: [String; N], first_field: usize) -> Self {
        let inputs = texts.map(|text| TextInput::single_line(&text));
        Self { labels, inputs, first_field, selected: 0, is_open: false, fault: None }
    }

    /// The entered texts, without surrounding blanks.
    pub fn texts(&self) -> [String; N] {
        self.inputs.each_ref().map(|input| input.text().trim().to_owned())
    }

    /// The index of the text field that has the focus.
    pub fn selected(&self) -> usize {
        self.selected
    }

    pub fn select(&mut self, field: usize) {
        self.selected = field;
    }

    /// Shows all text fields if the input has the focus, otherwise one line.
    pub fn set_open(&mut self, is_open: bool) {
        self.is_open = is_open;
    }

    /// Moves the focus to the next or the previous text field. Returns `false` at the end.
    pub fn step(&mut self, down: bool) -> bool {
        let next = if down { self.selected + 1 } else { self.selected.wrapping_sub(1) };
        let can_move = next < N;
        if can_move {
            self.selected = next;
        }
        can_move
    }

    /// Selects the text field at which the focus arrives.
    pub fn enter(&mut self, from_above: bool) {
        self.selected = if from_above { 0 } else { N.saturating_sub(1) };
    }

    /// Selects the text field with this hit-map number. Returns `false` if there is none.
    pub fn focus_inner_field(&mut self, field: usize) -> bool {
        let inner = field.checked_sub(self.first_field).filter(|inner| *inner < N);
        self.selected = inner.unwrap_or(self.selected);
        inner.is_some()
    }

    /// Shows `fault` below the fields until the next change.
    pub fn set_fault(&mut self, fault: String) {
        self.fault = Some(fault);
    }

    /// The note below the fields: a fault that the service found, otherwise `invalid`, the fault of a
    /// text, otherwise `hint` if the fields are shown.
    pub fn note(&self, invalid: Option<String>, hint: impl FnOnce() -> String) -> FieldNote {
        match self.fault.clone().or(invalid) {
            Some(fault) => FieldNote::Fault(fault),
            None if self.is_open => FieldNote::Hint(hint()),
            None => FieldNote::Hint(String::new()),
        }
    }

    pub fn press(&mut self, key: KeyEvent) -> bool {
        self.fault = None;
        self.inputs.get_mut(self.selected).is_some_and(|input| input.press(key))
    }

    pub fn paste(&mut self, text: &str) -> bool {
        self.fault = None;
        self.inputs.get_mut(self.selected).is_some_and(|input| input.paste(text))
    }

    /// Height in lines, without the note.
    pub fn height(&self) -> u16 {
        if self.is_open { u16::try_from(N).unwrap_or(u16::MAX) } else { 1 }
    }

    /// Draws the text fields or, if the group is closed, `summary`. Returns the cursor position if
    /// the group has the focus.
    pub fn draw(
        &self,
        summary: &str,
        area: Rect,
        canvas: &mut Canvas<'_>,
        focused: bool,
    ) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        if !self.is_open {
            canvas.line(area, 0).text(summary, theme.text());
            return None;
        }
        let widest = self.labels.iter().map(|label| width(label)).max();
        let label_width = widest.unwrap_or(0) + GAP;
        let mut cursor = None;
        for (at, (label, input)) in self.labels.iter().zip(&self.inputs).enumerate() {
            let line = u16::try_from(at).unwrap_or(u16::MAX);
            if line >= area.height {
                break;
            }
            let is_selected = focused && self.selected == at;
            let style = if is_selected { theme.accent } else { theme.faint };
            canvas.line(area, line).write_column(label, label_width, style);
            let rect = line_rect(area, line);
            let indent = label_width.min(rect.width);
            let rect = Rect { x: rect.x + indent, width: rect.width - indent, ..rect };
            ctx.hit_map.field(rect, self.first_field + at);
            cursor = cursor.or(input.draw(rect, canvas, is_selected));
        }
        cursor
    }
}
