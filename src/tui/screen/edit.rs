//! The dialog that changes a token's name and description. Asks once more before it throws
//! typed text away.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use crate::{
    domain::{Description, Name, Pat, TokenId},
    keymap::{Action, Mode},
    output::advice,
    service::ServiceError,
    tui::{
        effect::Effect,
        step::Step,
        view::View,
        widget::{
            buttons,
            field::Field,
            form::{Note, labelled, note},
            panel,
            sheet::Sheet,
        },
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Name,
    Description,
    Save,
}

/// Name and description of one token, being changed.
#[derive(Debug)]
pub struct Edit {
    id: TokenId,
    title: String,
    was: (String, String),
    name: Field,
    description: Field,
    focus: Focus,
    name_fault: Option<String>,
    description_fault: Option<String>,
    warned: bool,
}

impl Edit {
    /// The dialog on `pat`.
    pub fn new(pat: &Pat) -> Self {
        let was = (pat.name.to_string(), pat.description.to_string());
        Self {
            id: pat.id,
            title: format!("Edit {}", pat.name),
            name: Field::line(&was.0),
            description: Field::lines(&was.1),
            was,
            focus: Focus::Name,
            name_fault: None,
            description_fault: None,
            warned: false,
        }
    }

    fn field(&mut self) -> Option<&mut Field> {
        match self.focus {
            Focus::Name => Some(&mut self.name),
            Focus::Description => Some(&mut self.description),
            Focus::Save => None,
        }
    }

    fn go(&mut self, down: bool) -> Step {
        if self.focus == Focus::Description && !self.description.at_edge(down) {
            self.description.move_line(down);
            return Step::Changed;
        }
        self.focus = match (self.focus, down) {
            (Focus::Name, true) | (Focus::Save, false) => Focus::Description,
            (Focus::Description | Focus::Save, true) => Focus::Save,
            (Focus::Description | Focus::Name, false) => Focus::Name,
        };
        Step::Changed
    }

    /// What it asks for, once its fields are sound.
    pub fn effect(&self) -> Option<Effect> {
        let name = Name::parse(&self.name.text()).ok()?;
        let description = Description::parse(&self.description.text()).ok()?;
        Some(Effect::Edit(self.id, name, description))
    }

    fn submit(&mut self) -> Step {
        let name = Name::parse(&self.name.text());
        let description = Description::parse(&self.description.text());
        self.name_fault = name.as_ref().err().map(ToString::to_string);
        self.description_fault = description.as_ref().err().map(ToString::to_string);
        match (name, description) {
            (Ok(name), Ok(description)) => Step::Do(Effect::Edit(self.id, name, description)),
            (Err(_), _) => {
                self.focus = Focus::Name;
                Step::Changed
            }
            (_, Err(_)) => {
                self.focus = Focus::Description;
                Step::Changed
            }
        }
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, _: &View<'_>) -> Step {
        match action {
            Action::PreviousField => self.go(false),
            Action::Accept if self.focus == Focus::Save => self.submit(),
            Action::Accept if self.focus == Focus::Description => {
                self.focus = Focus::Save;
                Step::Changed
            }
            Action::NextField | Action::Accept => self.go(true),
            Action::Submit => self.submit(),
            Action::Cancel => {
                let dirty = (self.name.text(), self.description.text()) != self.was;
                if dirty && !self.warned {
                    self.warned = true;
                    return Step::Changed;
                }
                Step::Close
            }
            _ => Step::Ignored,
        }
    }

    /// Answers a key that is text.
    pub fn on_text(&mut self, key: KeyEvent, _: &View<'_>) -> Step {
        let Some(field) = self.field() else {
            return Step::Ignored;
        };
        if !field.press(key) {
            return Step::Ignored;
        }
        self.typed()
    }

    fn typed(&mut self) -> Step {
        self.warned = false;
        match self.focus {
            Focus::Name => self.name_fault = None,
            _ => self.description_fault = None,
        }
        Step::Changed
    }

    /// Takes a paste into the field that has the focus.
    pub fn paste(&mut self, text: &str) -> bool {
        let Some(field) = self.field() else {
            return false;
        };
        field.paste(text);
        self.typed();
        true
    }

    /// Shows why the change was refused, beside its field.
    pub fn refuse(&mut self, error: &ServiceError) {
        self.focus = Focus::Name;
        self.name_fault = Some(advice::message(error));
    }

    /// Draws it over `area`.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let size = (70, 10);
        let inner = panel::draw(&self.title, size, false, area, buf, look);
        let mut sheet = Sheet::new(inner, size.1, view);
        let (inner, screen, buf) = (sheet.page.area, buf, &mut sheet.page);
        let at = |focus| self.focus == focus;
        let place = labelled("Name *", at(Focus::Name), (1, 1), inner, buf, view);
        let mut cursor = self.name.draw(place, buf, look, at(Focus::Name));
        note(&Note::of(self.name_fault.as_ref(), ""), 2, inner, buf, look);
        let place = labelled("Description", at(Focus::Description), (3, 3), inner, buf, view);
        cursor = cursor.or(self.description.draw(place, buf, look, at(Focus::Description)));
        note(
            &Note::of(self.description_fault.as_ref(), "Ctrl-J starts a line"),
            6,
            inner,
            buf,
            look,
        );
        let chosen = at(Focus::Save).then_some(0);
        let place = labelled("", false, (8, 1), inner, buf, view);
        cursor = cursor.or(buttons::draw(&["Save"], chosen, place, buf, view));
        if self.warned {
            let key = |action| view.key(Mode::Form, action);
            let (leave, save) = (key(Action::Cancel), key(Action::Submit));
            let text = format!("not saved: {leave} again throws it away, {save} saves");
            note(&Note::Fault(text), 9, inner, buf, look);
        }
        sheet.lay(cursor, screen, view)
    }
}
