//! The dialog that changes a token's name and description. Asks once more before it throws
//! typed text away.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use crate::{
    domain::{Command, Description, Name, Pat, TokenId},
    keymap::{Action, Mode},
    tui::{
        app::{effect::Effect, service_request::ServiceRequest, view_context::ViewContext},
        widgets::{
            buttons,
            field::Field,
            form::{Note, labelled, note, unlabelled},
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
pub struct EditDialog {
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

impl EditDialog {
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

    fn go(&mut self, down: bool) {
        if self.focus == Focus::Description && !self.description.at_edge(down) {
            self.description.move_line(down);
            return;
        }
        self.focus = match (self.focus, down) {
            (Focus::Name, true) | (Focus::Save, false) => Focus::Description,
            (Focus::Description | Focus::Save, true) => Focus::Save,
            (Focus::Description | Focus::Name, false) => Focus::Name,
        };
    }

    fn submit(&mut self, ctx: &ViewContext<'_>) -> Option<Effect> {
        let name = Name::parse(&self.name.text());
        let description = Description::parse(&self.description.text());
        self.name_fault = name.as_ref().err().map(ToString::to_string);
        self.description_fault = description.as_ref().err().map(ToString::to_string);
        match (name, description) {
            (Ok(_), Ok(_)) => return self.request(ctx).map(Effect::request),
            (Err(_), _) => self.focus = Focus::Name,
            (_, Err(_)) => self.focus = Focus::Description,
        }
        None
    }

    /// Saves what was changed; a name that was not changes nothing.
    fn save(&self, name: Name, description: Description) -> ServiceRequest {
        let is_described = description.as_str() != self.was.1;
        let is_named = name.as_str() != self.was.0 || !is_described;
        ServiceRequest::execute(Command::Edit {
            token: self.id,
            name: is_named.then_some(name),
            description: is_described.then_some(description),
        })
    }

    fn typed(&mut self) {
        self.warned = false;
        match self.focus {
            Focus::Name => self.name_fault = None,
            Focus::Description | Focus::Save => self.description_fault = None,
        }
    }
}

impl Dialog for EditDialog {
    fn update(&mut self, action: Action, ctx: &ViewContext<'_>) -> Option<Effect> {
        match action {
            Action::PreviousField => self.go(false),
            Action::Accept if self.focus == Focus::Save => return self.submit(ctx),
            Action::Accept if self.focus == Focus::Description => self.focus = Focus::Save,
            Action::NextField | Action::Accept => self.go(true),
            Action::Submit => return self.submit(ctx),
            Action::Cancel => {
                let dirty = (self.name.text(), self.description.text()) != self.was;
                if !dirty || self.warned {
                    return Some(Effect::close());
                }
                self.warned = true;
            }
            _ => {}
        }
        None
    }

    fn view(&mut self, area: Rect, buf: &mut Buffer, ctx: &ViewContext<'_>) -> Option<Position> {
        let look = &ctx.look;
        let size = (70, 10);
        let inner = panel::draw(&self.title, size, false, area, buf, look);
        let mut sheet = Sheet::new(inner, size.1, ctx);
        let (inner, screen, buf) = (sheet.page.area, buf, &mut sheet.page);
        let at = |focus| self.focus == focus;
        let place =
            labelled("Name *", (Focus::Name as usize, at(Focus::Name)), (1, 1), inner, buf, ctx);
        let mut cursor = self.name.draw(place, buf, look, at(Focus::Name));
        note(&Note::of(self.name_fault.as_ref(), ""), 2, inner, buf, look);
        let place = labelled(
            "Description",
            (Focus::Description as usize, at(Focus::Description)),
            (3, 3),
            inner,
            buf,
            ctx,
        );
        cursor = cursor.or(self.description.draw(place, buf, look, at(Focus::Description)));
        note(
            &Note::of(self.description_fault.as_ref(), "Ctrl-J starts a line"),
            6,
            inner,
            buf,
            look,
        );
        let chosen = at(Focus::Save).then_some(0);
        let place = unlabelled((8, 1), inner);
        cursor = cursor.or(buttons::draw(&["Save"], chosen, place, buf, ctx));
        if self.warned {
            let key = |action| ctx.key(Mode::Form, action);
            let (leave, save) = (key(Action::Cancel), key(Action::Submit));
            let text = format!("not saved: {leave} again throws it away, {save} saves");
            note(&Note::Fault(text), 9, inner, buf, look);
        }
        sheet.lay(cursor, screen, ctx)
    }

    fn text(&mut self, key: KeyEvent) {
        if self.field().is_some_and(|field| field.press(key)) {
            self.typed();
        }
    }

    fn paste(&mut self, text: &str) -> bool {
        let Some(field) = self.field() else {
            return false;
        };
        field.paste(text);
        self.typed();
        true
    }

    fn focus_field(&mut self, field: usize) {
        let on_name = field == Focus::Name as usize;
        self.focus = if on_name { Focus::Name } else { Focus::Description };
    }

    fn request(&self, _: &ViewContext<'_>) -> Option<ServiceRequest> {
        let name = Name::parse(&self.name.text()).ok()?;
        let description = Description::parse(&self.description.text()).ok()?;
        Some(self.save(name, description))
    }

    fn fail(&mut self, fault: String) -> bool {
        self.focus = Focus::Name;
        self.name_fault = Some(fault);
        true
    }
}
