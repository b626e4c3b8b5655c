//! A group of labelled one-line text fields that a form treats as one input. It is one line until the
//! operator opens it, and closes when it loses the focus, so that the focus passes it in one step.
//! Does not check the texts. Used by the inputs of limits, labels and owner.

use ratatui::{
    crossterm::event::{KeyCode, KeyEvent},
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
    is_focused: bool,
    /// Whether all text fields are shown.
    is_open: bool,
    /// Whether the selected text was changed and the focus has not moved since: it may be incomplete.
    is_typing: bool,
    /// A fault that the service found; shown until the next change.
    fault: Option<String>,
}

/// The labels as part of a sentence.
fn join(labels: &[&str]) -> String {
    match labels {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        labels => labels.concat(),
    }
}

impl<const N: usize> TextGroup<N> {
    /// A group with `texts`. No other input of a form may have one of the hit-map numbers from
    /// `first_field` on.
    pub fn new(labels: [&'static str; N], texts: [String; N], first_field: usize) -> Self {
        let inputs = texts.map(|text| TextInput::single_line(&text));
        Self {
            labels,
            inputs,
            first_field,
            selected: 0,
            is_focused: false,
            is_open: false,
            is_typing: false,
            fault: None,
        }
    }

    /// The entered texts, without surrounding blanks.
    pub fn texts(&self) -> [String; N] {
        self.inputs.each_ref().map(|input| input.text().trim().to_owned())
    }

    /// The index of the text field that has the focus.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Opens the group at this text field.
    pub fn select(&mut self, field: usize) {
        self.selected = field;
        self.is_open = true;
        self.is_typing = false;
    }

    /// Tells the group whether it has the focus. Without it, the group is closed.
    pub fn set_focused(&mut self, is_focused: bool) {
        self.is_focused = is_focused;
        self.is_open &= is_focused;
        self.is_typing &= is_focused;
    }

    /// Opens the group. Returns `false` if it is open.
    pub fn open(&mut self) -> bool {
        !std::mem::replace(&mut self.is_open, true)
    }

    /// Moves the focus to the next or the previous text field. Returns `false` at the end, and if the
    /// group is closed.
    pub fn step(&mut self, down: bool) -> bool {
        let next = if down { self.selected + 1 } else { self.selected.wrapping_sub(1) };
        let can_move = self.is_open && next < N;
        if can_move {
            self.selected = next;
            self.is_typing = false;
        }
        can_move
    }

    /// Selects the first text field, for a focus that arrives.
    pub fn enter(&mut self) {
        self.selected = 0;
    }

    /// Selects the text field with this hit-map number. Returns `false` if there is none.
    pub fn focus_inner_field(&mut self, field: usize) -> bool {
        let inner = field.checked_sub(self.first_field).filter(|inner| *inner < N);
        inner.map(|field| self.select(field)).is_some()
    }

    /// Shows `fault` below the fields until the next change.
    pub fn set_fault(&mut self, fault: String) {
        self.fault = Some(fault);
    }

    /// The note below the fields: a fault that the service found, otherwise `invalid`, the index of a
    /// text that is not being typed and its fault, otherwise `hint` if the fields are shown. While the
    /// group has the focus and is closed, how to open it.
    pub fn note(
        &self,
        invalid: Option<(usize, String)>,
        hint: impl FnOnce() -> String,
    ) -> FieldNote {
        let is_complete = |(field, _): &(usize, _)| !(self.is_typing && *field == self.selected);
        let invalid = invalid.filter(is_complete).map(|(_, fault)| fault);
        match self.fault.clone().or(invalid) {
            Some(fault) => FieldNote::Fault(fault),
            None if self.is_open => FieldNote::Hint(hint()),
            None if self.is_focused => {
                FieldNote::Hint(format!("Enter sets {}", join(&self.labels)))
            }
            None => FieldNote::Hint(String::new()),
        }
    }

    /// Passes a key to the selected text field. The first letter opens the group.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        self.fault = None;
        if !self.is_open
            && (key.code == KeyCode::Char(' ') || !matches!(key.code, KeyCode::Char(_)))
        {
            return false;
        }
        self.is_open = true;
        self.is_typing = true;
        self.inputs.get_mut(self.selected).is_some_and(|input| input.press(key))
    }

    pub fn paste(&mut self, text: &str) -> bool {
        self.fault = None;
        self.is_open = true;
        self.is_typing = true;
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
            let style = if focused { theme.selected } else { theme.text() };
            canvas.line(area, 0).text(summary, style);
            return focused.then_some(area.as_position());
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
