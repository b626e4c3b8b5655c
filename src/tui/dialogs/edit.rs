//! The dialog that changes a token's name and description. Asks once more before it throws
//! typed text away.

use crate::tui::widgets::paint::Canvas;
use ratatui::layout::{Position, Rect};

use super::Dialog;
use crate::{
    domain::{Command, Description, Name, Token, TokenId},
    keymap::{Action, Mode},
    tui::{
        app::{effect::Effect, model::Model, service_request::ServiceRequest},
        widgets::{
            field::Field,
            form::{self, Focus, Form, FormField, Layout, Note},
            panel,
            scroll_view::ScrollView,
        },
    },
};

/// The numbers of the inputs.
const NAME: usize = 0;
const DESCRIPTION: usize = 1;

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
    pub fn new(token: &Token) -> Self {
        let was = (token.name.to_string(), token.description.to_string());
        Self {
            id: token.id,
            title: format!("Edit {}", token.name),
            name: Field::line(&was.0),
            description: Field::lines(&was.1),
            was,
            focus: Focus::default(),
            name_fault: None,
            description_fault: None,
            warned: false,
        }
    }

    fn inputs(&mut self) -> Form<'_> {
        let (name_fault, fault) = (self.name_fault.as_ref(), self.description_fault.as_ref());
        let fields = vec![
            FormField::new("Name *", &mut self.name).note(name_fault, ""),
            FormField::new("Description", &mut self.description)
                .note(fault, "Ctrl-J starts a line")
                .sized(u16::MAX, 3),
        ];
        Form { focus: &mut self.focus, fields, buttons: &["Save"] }
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
}

impl Dialog for EditDialog {
    fn form(&mut self) -> Option<Form<'_>> {
        Some(self.inputs())
    }

    fn submit(&mut self, ctx: &Model) -> Option<Effect> {
        let name = Name::parse(&self.name.text());
        let description = Description::parse(&self.description.text());
        self.name_fault = name.as_ref().err().map(ToString::to_string);
        self.description_fault = description.as_ref().err().map(ToString::to_string);
        match (name, description) {
            (Ok(_), Ok(_)) => return self.request(ctx).map(Effect::request),
            (Err(_), _) => self.focus.at = NAME,
            (_, Err(_)) => self.focus.at = DESCRIPTION,
        }
        None
    }

    fn cancel(&mut self) -> Option<Effect> {
        let dirty = (self.name.text(), self.description.text()) != self.was;
        if !dirty || self.warned {
            return Some(Effect::close());
        }
        self.warned = true;
        None
    }

    fn edited(&mut self) {
        self.warned = false;
        let on_name = self.focus.at == NAME;
        *(if on_name { &mut self.name_fault } else { &mut self.description_fault }) = None;
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let ctx = canvas.ctx;
        let size = (70, 10);
        let inner = panel::draw(&self.title, size, false, area, canvas);
        let mut sheet = ScrollView::new(inner, size.1, ctx);
        let (inner, page) = (sheet.page.area, &mut sheet.canvas(ctx));
        let form = self.inputs();
        let (line, cursor) = form.draw(Layout { top: 1, ..Layout::default() }, inner, page);
        let place = form::unlabelled((line + 1, 1), inner);
        let cursor = cursor.or(form.draw_buttons(place, page));
        if self.warned {
            let key = |action| ctx.key(Mode::Form, action);
            let (leave, save) = (key(Action::Cancel), key(Action::Submit));
            let text = format!("not saved: {leave} again throws it away, {save} saves");
            form::note(&Note::Fault(text), 9, inner, page);
        }
        sheet.lay(cursor, canvas)
    }

    fn request(&self, _: &Model) -> Option<ServiceRequest> {
        let name = Name::parse(&self.name.text()).ok()?;
        let description = Description::parse(&self.description.text()).ok()?;
        Some(self.save(name, description))
    }

    fn fail(&mut self, fault: String) -> bool {
        self.focus.at = NAME;
        self.name_fault = Some(fault);
        true
    }
}
