//! A form: labels in one column, inputs in the next, a note under each input for its fault or
//! hint, in a line that is kept free so that nothing jumps. Moves the focus from input to input
//! and on to the buttons, and passes keys, pastes and clicks to the input with the focus. The
//! inputs belong to the dialogs and screens that call it.

use std::fmt::Debug;

use ratatui::{
    crossterm::event::{KeyCode, KeyEvent},
    layout::{Position, Rect},
    style::Style,
};

use super::{
    buttons,
    paint::{Canvas, cut, width, wrap},
};
use crate::{keymap::Action, tui::app::model::Model};

pub const LABELS: u16 = 14;

pub trait FormInput: Debug {
    /// Answers a key; whether anything changed.
    fn press(&mut self, _key: KeyEvent) -> bool {
        false
    }

    /// Takes a paste; false where there is no text field for it.
    fn paste(&mut self, _text: &str) -> bool {
        false
    }

    /// Moves within the input; false at its end, where the focus leaves it.
    fn step(&mut self, _down: bool) -> bool {
        false
    }

    /// Takes the focus from the input above, or from the one below.
    fn enter(&mut self, _from_above: bool) {}

    /// Whether number `field` is a field within this input, which then has the focus in it.
    fn focus_part(&mut self, _field: usize) -> bool {
        false
    }

    /// The note under it, if it is the input that knows it.
    fn note(&self, _ctx: &Model) -> Option<Note> {
        None
    }

    /// The lines that it takes at `columns`, without its note.
    fn height(&self, _columns: u16) -> u16 {
        1
    }

    /// Draws it; the place of the cursor when it has the focus.
    fn draw(&self, _area: Rect, _canvas: &mut Canvas<'_>, _focused: bool) -> Option<Position> {
        None
    }
}

/// An input with its label and note.
#[derive(Debug)]
pub struct FormField<'a> {
    label: &'static str,
    input: &'a mut dyn FormInput,
    note: Option<Note>,
    max_width: u16,
    min_height: u16,
}

impl<'a> FormField<'a> {
    /// An input without a line for notes.
    pub fn new(label: &'static str, input: &'a mut dyn FormInput) -> Self {
        Self { label, input, note: None, max_width: u16::MAX, min_height: 1 }
    }

    /// The same with a line under it for `fault`, or else for `hint`.
    pub fn note(self, fault: Option<&String>, hint: impl Into<String>) -> Self {
        Self { note: Some(Note::of(fault, hint)), ..self }
    }

    /// The same, at most so many columns wide and at least so many lines high.
    pub fn sized(self, max_width: u16, min_height: u16) -> Self {
        Self { max_width, min_height, ..self }
    }

    fn height(&self, columns: u16) -> u16 {
        self.input.height(columns.saturating_sub(LABELS)).max(self.min_height)
    }
}

/// What has the focus of a form: the input of this number, or the buttons after the last one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Focus {
    pub at: usize,
    /// Whether the second of two buttons is chosen, the one that submits.
    pub accepts: bool,
}

/// What the form was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormAction {
    Submit,
    Cancel,
}

/// How a form is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    pub top: u16,
    pub is_tight: bool,
    /// Empty lines between the inputs.
    pub gap: u16,
}

/// The inputs of a form and which of them has the focus.
#[derive(Debug)]
pub struct Form<'a> {
    pub focus: &'a mut Focus,
    /// The inputs, in their order on the screen.
    pub fields: Vec<FormField<'a>>,
    /// The words of its buttons: one that submits, or before it one that cancels.
    pub buttons: &'a [&'static str],
}

impl Form<'_> {
    fn input(&mut self) -> Option<&mut dyn FormInput> {
        self.fields.get_mut(self.focus.at).map(|field| &mut *field.input as _)
    }

    /// Moves the focus; what else was asked for. Enter leaves an input, and on the buttons does
    /// what the chosen one says.
    pub fn update(&mut self, action: Action) -> Option<FormAction> {
        let on_buttons = self.focus.at >= self.fields.len();
        match action {
            Action::NextField => self.go(true),
            Action::PreviousField => self.go(false),
            Action::Accept if !on_buttons => self.leave(true),
            Action::Accept if self.button() == 0 && self.buttons.len() > 1 => {
                return Some(FormAction::Cancel);
            }
            Action::Accept | Action::Submit => return Some(FormAction::Submit),
            Action::Cancel => return Some(FormAction::Cancel),
            _ => {}
        }
        None
    }

    fn button(&self) -> usize {
        usize::from(self.focus.accepts && self.buttons.len() > 1)
    }

    fn go(&mut self, down: bool) {
        if !self.input().is_some_and(|input| input.step(down)) {
            self.leave(down);
        }
    }

    fn leave(&mut self, down: bool) {
        let at = self.focus.at;
        let to = if down { at + 1 } else { at.saturating_sub(1) };
        self.focus.at = to.min(self.fields.len());
        if let Some(input) = self.input() {
            input.enter(down);
        }
    }

    /// Passes a key on; whether an input changed.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        if let Some(input) = self.input() {
            return input.press(key);
        }
        self.focus.accepts ^= matches!(key.code, KeyCode::Left | KeyCode::Right);
        false
    }

    /// Passes a paste on; false where there is no field for it.
    pub fn paste(&mut self, text: &str) -> bool {
        self.input().is_some_and(|input| input.paste(text))
    }

    /// Gives the focus to the input that drew itself under this number.
    pub fn focus_field(&mut self, number: usize) {
        for (at, field) in self.fields.iter_mut().enumerate() {
            if field.input.focus_part(number) || at == number {
                self.focus.at = at;
            }
        }
    }

    /// The lines that the inputs take at `columns`.
    pub fn height(&self, columns: u16, layout: Layout) -> u16 {
        let noted = |field: &FormField<'_>| u16::from(!layout.is_tight && field.note.is_some());
        self.fields.iter().map(|field| field.height(columns) + noted(field) + layout.gap).sum()
    }

    /// Draws the inputs into `area`; the line after them and the place of the cursor.
    pub fn draw(
        &self,
        layout: Layout,
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) -> (u16, Option<Position>) {
        let ctx = canvas.ctx;
        let (mut line, mut cursor) = (layout.top, None);
        for (at, field) in self.fields.iter().enumerate() {
            let focused = self.focus.at == at;
            let height = field.height(area.width);
            let place = labelled(field.label, (at, focused), (line, height), area, canvas);
            let place = Rect { width: place.width.min(field.max_width), ..place };
            cursor = cursor.or(field.input.draw(place, canvas, focused));
            line += height;
            if let Some(default) = field.note.as_ref().filter(|_| !layout.is_tight) {
                let own = field.input.note(ctx);
                note(own.as_ref().unwrap_or(default), line, area, canvas);
                line += 1;
            }
            line += layout.gap;
        }
        (line, cursor)
    }

    /// Draws the buttons in the last line of `area`; the place of the cursor when one has it.
    pub fn draw_buttons(&self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let chosen = (self.focus.at >= self.fields.len()).then(|| self.button());
        buttons::draw(self.buttons, chosen, last_line(area), canvas)
    }
}

pub fn last_line(area: Rect) -> Rect {
    Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Something is wrong with the field above.
    Fault(String),
    Hint(String),
}

impl Note {
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
    canvas: &mut Canvas<'_>,
) -> Rect {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let style = if focused { theme.accent } else { theme.text() };
    canvas.line(area, line).column_of(label, LABELS, style);
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
pub fn note(note: &Note, line: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    let wide = match note {
        Note::Fault(text) => width(text) + 2,
        Note::Hint(text) => width(text),
    };
    let aligned = wide <= area.width.saturating_sub(LABELS);
    let writer = canvas.line(area, line).skip(if aligned { LABELS } else { 0 });
    match note {
        Note::Fault(text) => {
            writer.text(theme.fault(), theme.danger).skip(1).text(text, theme.danger);
        }
        Note::Hint(text) => {
            writer.text(text, theme.faint);
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
    canvas: &mut Canvas<'_>,
) -> u16 {
    let theme = &canvas.ctx.theme;
    let mut parts = wrap(text, area.width);
    if parts.len() > usize::from(most) {
        parts.truncate(most.into());
        if let Some(last) = parts.last_mut() {
            *last = cut(&format!("{last}   "), area.width, theme).into_owned();
            last.push_str(theme.ellipsis());
        }
    }
    let mut next = line;
    for part in parts {
        canvas.line(area, next).text(&part, style);
        next += 1;
    }
    next
}

/// Writes `text` on line `line` with the sign of a warning: told by more than its colour.
pub fn warning(text: &str, line: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    let style = theme.warning;
    canvas.line(area, line).text(theme.fault(), style).skip(1).text(text, style);
}

/// Writes `fault` from line `line` on, wrapped, in the danger style.
pub fn fault(text: &str, line: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    for (at, part) in (line..).zip(wrap(text, area.width.saturating_sub(2))) {
        let sign = if at == line { theme.fault() } else { " " };
        canvas.line(area, at).text(sign, theme.danger).skip(1).text(&part, theme.danger);
    }
}
