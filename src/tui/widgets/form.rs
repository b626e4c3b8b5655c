//! A form: labels in one column, inputs in the next, and a note below each input for its fault or
//! hint. The note's line is always reserved, so that only a fault of several lines shifts the layout. The form moves the
//! focus between inputs and buttons, and passes keys, pastes and clicks to the focused input.
//! Dialogs and screens own the inputs and build the form for each event.

use std::fmt::Debug;

use ratatui::{
    crossterm::event::{KeyCode, KeyEvent},
    layout::{Position, Rect},
    style::Style,
};

use super::{
    buttons,
    canvas::{Canvas, truncate, width, wrap},
};
use crate::{keymap::Action, tui::app::model::Model};

/// Width of the labels at the left of a form, in columns.
pub const LABEL_WIDTH: u16 = 14;

/// An input of a form: text field, radio group, checkbox group or a composite of them.
pub trait FormInput: Debug {
    /// Handles a key; returns whether anything changed.
    fn press(&mut self, _key: KeyEvent) -> bool {
        false
    }

    /// Inserts pasted text; returns `false` if no text field has the focus.
    fn paste(&mut self, _text: &str) -> bool {
        false
    }

    /// Moves the focus within the input. Returns `false` if the focus cannot move further in this
    /// direction and must leave the input.
    fn step(&mut self, _down: bool) -> bool {
        false
    }

    /// Moves up or down within the input for an arrow key. Returns `false` if the focus must leave
    /// the input in this direction.
    fn arrow(&mut self, down: bool) -> bool {
        self.step(down)
    }

    /// Shows the inner fields of the input. Returns `false` if it has none, or shows them already.
    fn open(&mut self) -> bool {
        false
    }

    /// Closes the open list of the input, and takes the selected row if `accepts` is true. Returns
    /// `false` if no list is open.
    fn close_list(&mut self, _accepts: bool) -> bool {
        false
    }

    /// Called when the focus arrives from the input above or below.
    fn enter(&mut self, _from_above: bool) {}

    /// Focuses inner field number `field`; returns `false` if this input does not contain it.
    fn focus_inner_field(&mut self, _field: usize) -> bool {
        false
    }

    /// The note that the input generates. Returns `None` if the form must show the note of the
    /// field instead.
    fn note(&self, _ctx: &Model) -> Option<FieldNote> {
        None
    }

    /// Height in lines at a width of `columns`, without the note.
    fn height(&self, _columns: u16) -> u16 {
        1
    }

    /// Draws the input; returns the cursor position if it has the focus.
    fn draw(&self, _area: Rect, _canvas: &mut Canvas<'_>, _focused: bool) -> Option<Position> {
        None
    }

    /// Draws the open list over `area`, the part of the form below the input.
    fn draw_list(&self, _area: Rect, _canvas: &mut Canvas<'_>) {}
}

/// An input with its label, note and size limits.
#[derive(Debug)]
pub struct FormField<'a> {
    label: &'static str,
    input: &'a mut dyn FormInput,
    note: Option<FieldNote>,
    max_width: u16,
    min_height: u16,
}

impl<'a> FormField<'a> {
    /// An input without a note line.
    pub fn new(label: &'static str, input: &'a mut dyn FormInput) -> Self {
        Self { label, input, note: None, max_width: u16::MAX, min_height: 1 }
    }

    /// Adds a note line that shows `fault` or, without a fault, `hint`.
    pub fn with_note(self, fault: Option<&String>, hint: impl Into<String>) -> Self {
        Self { note: Some(FieldNote::fault_or_hint(fault, hint)), ..self }
    }

    /// Limits the input to `max_width` columns and gives it at least `min_height` lines.
    pub fn with_size(self, max_width: u16, min_height: u16) -> Self {
        Self { max_width, min_height, ..self }
    }

    fn height(&self, columns: u16) -> u16 {
        self.input.height(columns.saturating_sub(LABEL_WIDTH)).max(self.min_height)
    }

    /// The note of the input, or that of the field. `None` if the field has no note line.
    fn shown_note(&self, ctx: &Model) -> Option<FieldNote> {
        let default = self.note.as_ref()?;
        Some(self.input.note(ctx).unwrap_or_else(|| default.clone()))
    }
}

/// Focus position in a form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FormFocus {
    /// Index of the input with the focus. An index past the last input means the buttons.
    pub index: usize,
    /// Whether the second of two buttons, which submits, is selected.
    pub is_on_submit: bool,
}

/// Action that a form returns to its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormAction {
    Submit,
    Cancel,
}

/// Layout options of a form.
#[derive(Debug, Clone, Copy, Default)]
pub struct FormSpacing {
    /// Number of empty lines above the first input.
    pub top: u16,
    /// Whether note lines are left out.
    pub is_compact: bool,
    /// Number of empty lines below each input.
    pub gap: u16,
}

/// The inputs of a form, its focus and its buttons.
#[derive(Debug)]
pub struct Form<'a> {
    pub focus: &'a mut FormFocus,
    /// The inputs, from top to bottom.
    pub fields: Vec<FormField<'a>>,
    /// Button labels. The last button submits. If there are two buttons, the first one cancels.
    pub buttons: &'a [&'static str],
}

impl Form<'_> {
    fn input(&mut self) -> Option<&mut dyn FormInput> {
        self.fields.get_mut(self.focus.index).map(|field| &mut *field.input as _)
    }

    /// Handles a form action: moves the focus, or returns what the owner must do. `Accept` opens a
    /// closed input, and moves the focus from any other input to the next one. On the buttons,
    /// `Accept` presses the selected button.
    pub fn update(&mut self, action: Action) -> Option<FormAction> {
        let on_buttons = self.focus.index >= self.fields.len();
        match action {
            Action::Accept | Action::Cancel if self.close_list(action == Action::Accept) => {}
            Action::NextField => self.step_focus(true),
            Action::PreviousField => self.step_focus(false),
            Action::Down | Action::Up => {
                let down = action == Action::Down;
                if !self.input().is_some_and(|input| input.arrow(down)) {
                    self.move_focus(down);
                }
            }
            Action::Accept if !on_buttons && self.input().is_some_and(FormInput::open) => {}
            Action::Accept if !on_buttons => self.step_focus(true),
            Action::Accept if self.selected_button() == 0 && self.buttons.len() > 1 => {
                return Some(FormAction::Cancel);
            }
            Action::Accept | Action::Submit => return Some(FormAction::Submit),
            Action::Cancel => return Some(FormAction::Cancel),
            _ => {}
        }
        None
    }

    fn close_list(&mut self, accepts: bool) -> bool {
        self.input().is_some_and(|input| input.close_list(accepts))
    }

    fn selected_button(&self) -> usize {
        usize::from(self.focus.is_on_submit && self.buttons.len() > 1)
    }

    fn step_focus(&mut self, down: bool) {
        if !self.input().is_some_and(|input| input.step(down)) {
            self.move_focus(down);
        }
    }

    fn move_focus(&mut self, down: bool) {
        self.close_list(false);
        let at = self.focus.index;
        let to = if down { at + 1 } else { at.saturating_sub(1) };
        self.focus.index = to.min(self.fields.len());
        if let Some(input) = self.input() {
            input.enter(down);
        }
    }

    /// Passes a key to the focused input or the buttons; returns whether an input changed.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        if let Some(input) = self.input() {
            return input.press(key);
        }
        self.focus.is_on_submit ^= matches!(key.code, KeyCode::Left | KeyCode::Right);
        false
    }

    /// Passes a paste to the focused input; returns `false` if no text field has the focus.
    pub fn paste(&mut self, text: &str) -> bool {
        self.input().is_some_and(|input| input.paste(text))
    }

    /// Focuses the input or the inner field that is registered in the hit map as `number`, and opens
    /// the input.
    pub fn focus_field(&mut self, number: usize) {
        for (at, field) in self.fields.iter_mut().enumerate() {
            if field.input.focus_inner_field(number) || at == number {
                self.focus.index = at;
                field.input.open();
            }
        }
    }

    /// Height of all inputs with their notes in lines at a width of `columns`.
    pub fn height(&self, columns: u16, layout: FormSpacing, ctx: &Model) -> u16 {
        let note_height = |field: &FormField<'_>| {
            let note = field.shown_note(ctx).filter(|_| !layout.is_compact);
            note.map_or(0, |note| note_height(&note, columns, ctx))
        };
        self.fields
            .iter()
            .map(|field| field.height(columns) + note_height(field) + layout.gap)
            .sum()
    }

    /// Draws the inputs into `area`. Returns the number of the line below the last input, and the
    /// cursor position.
    pub fn draw(
        &self,
        layout: FormSpacing,
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) -> (u16, Option<Position>) {
        let ctx = canvas.ctx;
        let (mut line, mut cursor, mut list) = (layout.top, None, None);
        for (at, field) in self.fields.iter().enumerate() {
            let focused = self.focus.index == at;
            let height = field.height(area.width);
            let rect = draw_label(field.label, (at, focused), (line, height), area, canvas);
            if focused {
                let below = area.bottom().saturating_sub(rect.bottom());
                list = Some((field, Rect { y: rect.bottom(), height: below, ..rect }));
            }
            let rect = Rect { width: rect.width.min(field.max_width), ..rect };
            cursor = cursor.or(field.input.draw(rect, canvas, focused));
            line += height;
            if let Some(note) = field.shown_note(ctx).filter(|_| !layout.is_compact) {
                draw_note(&note, line, area, canvas);
                line += note_height(&note, area.width, ctx);
            }
            line += layout.gap;
        }
        // An open list covers the inputs below, so it is drawn last.
        if let Some((field, below)) = list {
            field.input.draw_list(below, canvas);
        }
        (line, cursor)
    }

    /// Draws the buttons on the last line of `area`. Returns the cursor position if a button has
    /// the focus.
    pub fn draw_buttons(&self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let focused = (self.focus.index >= self.fields.len()).then(|| self.selected_button());
        buttons::draw(self.buttons, focused, last_line(area), canvas)
    }
}

/// The rectangle of the last line of `area`.
pub fn last_line(area: Rect) -> Rect {
    Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area }
}

/// Text below an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldNote {
    /// Reason for which the value of the input above the note is invalid.
    Fault(String),
    Hint(String),
}

impl FieldNote {
    pub fn fault_or_hint(fault: Option<&String>, hint: impl Into<String>) -> Self {
        fault.map_or_else(|| Self::Hint(hint.into()), |fault| Self::Fault(fault.clone()))
    }
}

/// Writes `label` at the start of line `line` and returns the rectangle of its field, `height`
/// lines high. A click on the label or the field focuses field number `field`.
pub fn draw_label(
    label: &str,
    (field, focused): (usize, bool),
    (line, height): (u16, u16),
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Rect {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let style = if focused { theme.accent } else { theme.text() };
    canvas.line(area, line).write_column(label, LABEL_WIDTH, style);
    let rect = field_rect((line, height), area);
    ctx.hit_map.field(Rect { x: area.x, width: area.width, ..rect }, field);
    rect
}

/// The rectangle in the field column at line `line`, `height` lines high.
pub fn field_rect((line, height): (u16, u16), area: Rect) -> Rect {
    let indent = LABEL_WIDTH.min(area.width);
    Rect {
        x: area.x + indent,
        width: area.width - indent,
        y: area.y.saturating_add(line).min(area.bottom()),
        height: height.min(area.height.saturating_sub(line)),
    }
}

/// Height of `note` in lines at a width of `columns`. A hint has one line, a fault as many as it needs.
pub fn note_height(note: &FieldNote, columns: u16, ctx: &Model) -> u16 {
    match note {
        FieldNote::Hint(_) => 1,
        FieldNote::Fault(text) => {
            let lines = wrap(text, columns.saturating_sub(2), &ctx.theme).len();
            u16::try_from(lines).unwrap_or(1).max(1)
        }
    }
}

/// Writes `note` from line `line` on, aligned with the fields. A note that does not fit into the field
/// column starts at the left edge, because the end of the note may be the important part.
pub fn draw_note(note: &FieldNote, line: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    let wide = match note {
        FieldNote::Fault(text) => width(text) + 2,
        FieldNote::Hint(text) => width(text),
    };
    let aligned = wide <= area.width.saturating_sub(LABEL_WIDTH);
    let writer = canvas.line(area, line).skip(if aligned { LABEL_WIDTH } else { 0 });
    match note {
        FieldNote::Fault(text) if aligned => {
            writer.text(theme.fault_glyph(), theme.danger).skip(1).text(text, theme.danger);
        }
        FieldNote::Fault(text) => draw_fault(text, line, area, canvas),
        FieldNote::Hint(text) => {
            writer.text(text, theme.faint);
        }
    }
}

/// Wraps `text` and writes it from line `line` on at most `max_lines` lines. An ellipsis marks
/// omitted text. Returns the number of the line below the text.
pub fn draw_wrapped(
    text: &str,
    (line, max_lines): (u16, u16),
    style: Style,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> u16 {
    let theme = &canvas.ctx.theme;
    let mut rows = wrap(text, area.width, theme);
    if rows.len() > usize::from(max_lines) {
        rows.truncate(max_lines.into());
        if let Some(last) = rows.last_mut() {
            let room = area.width.saturating_sub(width(theme.ellipsis()));
            let kept = truncate(last, room, theme);
            *last = format!("{}{}", kept.trim_end_matches(theme.ellipsis()), theme.ellipsis());
        }
    }
    let mut next = line;
    for row in rows {
        canvas.line(area, next).text(&row, style);
        next += 1;
    }
    next
}

/// Writes `text` on line `line` in the warning style, with a sign before the text.
pub fn draw_warning(text: &str, line: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    let style = theme.warning;
    canvas.line(area, line).text(theme.fault_glyph(), style).skip(1).text(text, style);
}

/// Wraps `text` and writes it from line `line` in the danger style, with a sign before the text.
pub fn draw_fault(text: &str, line: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    for (at, part) in (line..).zip(wrap(text, area.width.saturating_sub(2), theme)) {
        let sign = if at == line { theme.fault_glyph() } else { " " };
        canvas.line(area, at).text(sign, theme.danger).skip(1).text(&part, theme.danger);
    }
}
