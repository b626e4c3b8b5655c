//! Dialog that edits the name, description and limits of a token. Cancelling with unsaved text needs
//! a second key press.

use crate::tui::widgets::canvas::Canvas;
use ratatui::layout::{Position, Rect};

use super::{Dialog, shared_text::name_hint};
use crate::{
    domain::{Command, Description, FieldChanges, LimitChanges, Name, Refusal, Token, TokenId},
    keymap::{Action, Mode},
    output::advice,
    service::ServiceError,
    tui::{
        app::{effect::Effect, model::Model, service_request::ServiceRequest},
        widgets::{
            form::{self, FieldNote, Form, FormField, FormFocus, FormSpacing},
            limits_field::LimitsField,
            offscreen_canvas::OffscreenCanvas,
            panel,
            text_input::TextInput,
        },
    },
};

/// Index of the name input.
const NAME: usize = 0;
/// Index of the description input.
const DESCRIPTION: usize = 1;
/// Index of the limits.
const LIMITS: usize = 2;

/// A form with the name, description and limits of one token.
#[derive(Debug)]
pub struct EditDialog {
    id: TokenId,
    title: String,
    original: (String, String, [String; 3]),
    name: TextInput,
    description: TextInput,
    limits: LimitsField,
    focus: FormFocus,
    name_fault: Option<String>,
    description_fault: Option<String>,
    has_warned: bool,
}

impl EditDialog {
    pub fn new(token: &Token, ctx: &Model) -> Self {
        let limits = LimitsField::with_limits(&token.limits, ctx.zone);
        let was = (token.name.to_string(), token.description.to_string(), limits.texts());
        Self {
            id: token.id,
            title: format!("Edit {}", token.name),
            name: TextInput::single_line(&was.0),
            description: TextInput::multi_line(&was.1),
            original: was,
            limits,
            focus: FormFocus::default(),
            name_fault: None,
            description_fault: None,
            has_warned: false,
        }
    }

    fn inputs(&mut self) -> Form<'_> {
        let (name_fault, fault) = (self.name_fault.as_ref(), self.description_fault.as_ref());
        let hint = name_hint(&self.name.text(), "");
        self.limits.set_open(self.focus.index == LIMITS);
        let fields = vec![
            FormField::new("Name *", &mut self.name).with_note(name_fault, hint),
            FormField::new("Description", &mut self.description)
                .with_note(fault, "Ctrl-J inserts a line break")
                .with_size(u16::MAX, 3),
            FormField::new("Limits", &mut self.limits).with_note(None, ""),
        ];
        Form { focus: &mut self.focus, fields, buttons: &["Save"] }
    }

    /// The request that saves the changed fields. `None` if no field changed.
    fn save(
        &self,
        name: Name,
        description: Description,
        limits: LimitChanges,
    ) -> Option<ServiceRequest> {
        let is_described = description.as_str() != self.original.1;
        let is_named = name.as_str() != self.original.0;
        let is_changed = is_named || is_described || !limits.is_empty();
        is_changed.then(|| {
            let changes = FieldChanges {
                name: is_named.then_some(name),
                description: is_described.then_some(description),
                limits,
                ..FieldChanges::default()
            };
            ServiceRequest::execute(Command::Edit { token: self.id, changes })
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
        match (name, description, self.limits.changes(ctx)) {
            (Ok(_), Ok(_), Some(_)) => {
                return Some(self.request(ctx).map_or_else(Effect::close, Effect::request));
            }
            (Err(_), ..) => self.focus.index = NAME,
            (_, Err(_), _) => self.focus.index = DESCRIPTION,
            (.., None) => {
                self.focus.index = LIMITS;
                self.limits.focus_fault(ctx);
            }
        }
        None
    }

    fn cancel(&mut self) -> Option<Effect> {
        let now = (self.name.text(), self.description.text(), self.limits.texts());
        let dirty = now != self.original;
        if !dirty || self.has_warned {
            return Some(Effect::close());
        }
        self.has_warned = true;
        None
    }

    fn on_edit(&mut self) {
        self.has_warned = false;
        match self.focus.index {
            NAME => self.name_fault = None,
            DESCRIPTION => self.description_fault = None,
            _ => {}
        }
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let ctx = canvas.ctx;
        let height = self.inputs().height(70, FormSpacing::default());
        let size = (70, height + 4);
        let inner = panel::draw(&self.title, size, false, area, canvas);
        let mut offscreen_canvas = OffscreenCanvas::new(inner, size.1, ctx);
        let (inner, page) = (offscreen_canvas.content.area, &mut offscreen_canvas.canvas(ctx));
        let form = self.inputs();
        let (line, cursor) =
            form.draw(FormSpacing { top: 1, ..FormSpacing::default() }, inner, page);
        let rect = form::field_rect((line + 1, 1), inner);
        let cursor = cursor.or(form.draw_buttons(rect, page));
        if self.has_warned {
            let key = |action| ctx.key(Mode::Form, action);
            let (leave, save) = (key(Action::Cancel), key(Action::Submit));
            let text = format!(
                "Not saved. Press {leave} again to discard the changes, {save} to save them"
            );
            form::draw_note(&FieldNote::Fault(text), line + 2, inner, page);
        }
        offscreen_canvas.blit(cursor, canvas)
    }

    fn request(&self, ctx: &Model) -> Option<ServiceRequest> {
        let name = Name::parse(&self.name.text()).ok()?;
        let description = Description::parse(&self.description.text()).ok()?;
        self.save(name, description, self.limits.changes(ctx)?)
    }

    fn show_error(&mut self, error: &ServiceError) -> bool {
        if matches!(error, ServiceError::Refused(Refusal::Limit(_))) {
            self.focus.index = LIMITS;
            self.limits.set_fault(error.to_string());
            return true;
        }
        self.show_fault(advice::message(error))
    }

    fn show_fault(&mut self, fault: String) -> bool {
        self.focus.index = NAME;
        self.name_fault = Some(fault);
        true
    }
}
