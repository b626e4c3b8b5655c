//! Dialog that edits the name, description, limits, labels and owner of a token. Cancelling with
//! unsaved text needs a second key press.

use crate::tui::widgets::canvas::Canvas;
use ratatui::layout::{Constraint, Layout, Position, Rect};

use super::{Dialog, shared_text::name_hint};
use crate::{
    domain::{Command, Description, FieldChanges, Name, Refusal, Token, TokenId},
    keymap::{Action, Mode},
    output::advice,
    service::ServiceError,
    tui::{
        app::{effect::Effect, model::Model, service_request::ServiceRequest},
        widgets::{
            form::{self, FieldNote, Form, FormField, FormFocus, FormSpacing},
            labels_field::LabelsField,
            limits_field::LimitsField,
            offscreen_canvas::OffscreenCanvas,
            panel,
            text_input::TextInput,
        },
    },
};

const BUTTONS: [&str; 1] = ["Save"];
/// Number of lines of the description, and on a low terminal.
const DESCRIPTION_LINES: u16 = 3;
const MIN_DESCRIPTION_LINES: u16 = 2;
/// Index of the name input.
const NAME: usize = 0;
/// Index of the description input.
const DESCRIPTION: usize = 1;
/// Index of the limits.
const LIMITS: usize = 2;
/// Index of the labels and the owner.
const LABELS: usize = 3;

/// The texts of a form: name, description, limits, labels and owner.
type Texts = (String, String, [String; 3], [String; 2]);

/// A form with the properties of one token.
#[derive(Debug)]
pub struct EditDialog {
    id: TokenId,
    title: String,
    original: Texts,
    name: TextInput,
    description: TextInput,
    limits: LimitsField,
    labels: LabelsField,
    focus: FormFocus,
    name_fault: Option<String>,
    description_fault: Option<String>,
    has_warned: bool,
}

impl EditDialog {
    pub fn new(token: &Token, ctx: &Model) -> Self {
        let limits = LimitsField::with_limits(&token.limits, ctx.zone);
        let labels = LabelsField::of_token(token);
        let (name, description) = (token.name.to_string(), token.description.to_string());
        let was = (name, description, limits.texts(), labels.texts());
        Self {
            id: token.id,
            title: format!("Edit {}", token.name),
            name: TextInput::single_line(&was.0),
            description: TextInput::multi_line(&was.1),
            original: was,
            limits,
            labels,
            focus: FormFocus::default(),
            name_fault: None,
            description_fault: None,
            has_warned: false,
        }
    }

    /// The inputs; the description has at least `description_lines` lines.
    fn inputs(&mut self, description_lines: u16) -> Form<'_> {
        let (name_fault, fault) = (self.name_fault.as_ref(), self.description_fault.as_ref());
        let hint = name_hint(&self.name.text(), "");
        self.limits.set_focused(self.focus.index == LIMITS);
        self.labels.set_focused(self.focus.index == LABELS);
        let fields = vec![
            FormField::new("Name *", &mut self.name).with_note(name_fault, hint),
            FormField::new("Description", &mut self.description)
                .with_note(fault, "Ctrl-J inserts a line break")
                .with_size(u16::MAX, description_lines),
            FormField::new("Limits", &mut self.limits).with_note(None, ""),
            FormField::new("Labels", &mut self.labels).with_note(None, ""),
        ];
        Form { focus: &mut self.focus, fields, buttons: &BUTTONS }
    }

    fn texts(&self) -> Texts {
        (self.name.text(), self.description.text(), self.limits.texts(), self.labels.texts())
    }

    /// The warning after the first press of the key that discards the changes.
    fn warning(&self, ctx: &Model) -> Option<FieldNote> {
        let key = |action| ctx.key(Mode::Form, action);
        let (leave, save) = (key(Action::Cancel), key(Action::Submit));
        let text =
            format!("Not saved. Press {leave} again to discard the changes, {save} to save them");
        self.has_warned.then_some(FieldNote::Fault(text))
    }
}

impl Dialog for EditDialog {
    fn form(&mut self) -> Option<Form<'_>> {
        Some(self.inputs(DESCRIPTION_LINES))
    }

    fn buttons(&self) -> &[&'static str] {
        &BUTTONS
    }

    fn submit(&mut self, ctx: &Model) -> Option<Effect> {
        let name = Name::parse(&self.name.text());
        let description = Description::parse(&self.description.text());
        self.name_fault = name.as_ref().err().map(ToString::to_string);
        self.description_fault = description.as_ref().err().map(ToString::to_string);
        match (name, description, self.limits.changes(ctx), self.labels.values()) {
            (Ok(_), Ok(_), Some(_), Some(_)) => {
                return Some(self.request(ctx).map_or_else(Effect::close, Effect::request));
            }
            (Err(_), ..) => self.focus.index = NAME,
            (_, Err(_), ..) => self.focus.index = DESCRIPTION,
            (_, _, None, _) => {
                self.focus.index = LIMITS;
                self.limits.focus_fault(ctx);
            }
            (.., None) => {
                self.focus.index = LABELS;
                self.labels.focus_fault();
            }
        }
        None
    }

    fn cancel(&mut self) -> Option<Effect> {
        let dirty = self.texts() != self.original;
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
        let wide = 70.min(area.width.saturating_sub(4));
        let warning = self.warning(ctx);
        let bottom = warning.as_ref().map_or(0, |note| form::note_height(note, wide, ctx));
        // An empty line and the buttons are below the inputs.
        let mut height =
            |lines| self.inputs(lines).height(wide, FormSpacing::default(), ctx) + 2 + bottom;
        // On a low terminal, there are no other empty lines.
        let is_low = area.height < height(DESCRIPTION_LINES) + 4;
        let (lines, top) = if is_low { (MIN_DESCRIPTION_LINES, 0) } else { (DESCRIPTION_LINES, 1) };
        let size = (70, height(lines) + top + if warning.is_none() { top } else { 0 });
        let inner = panel::draw(&self.title, size, false, area, canvas);
        // The warning stays in sight while the form scrolls.
        let [inner, below] =
            Layout::vertical([Constraint::Min(1), Constraint::Length(bottom)]).areas(inner);
        if let Some(warning) = &warning {
            form::draw_note(warning, 0, below, canvas);
        }
        let mut offscreen_canvas = OffscreenCanvas::new(inner, size.1 - bottom, ctx);
        let (inner, page) = (offscreen_canvas.content.area, &mut offscreen_canvas.canvas(ctx));
        let form = self.inputs(lines);
        let (line, cursor) = form.draw(FormSpacing { top, ..FormSpacing::default() }, inner, page);
        let rect = form::field_rect((line + 1, 1), inner);
        let cursor = cursor.or(form.draw_buttons(rect, page));
        offscreen_canvas.blit(cursor, canvas)
    }

    fn request(&self, ctx: &Model) -> Option<ServiceRequest> {
        let name = Name::parse(&self.name.text()).ok()?;
        let description = Description::parse(&self.description.text()).ok()?;
        let (labels, owner) = self.labels.changes()?;
        let changes = FieldChanges {
            name: (name.as_str() != self.original.0).then_some(name),
            description: (description.as_str() != self.original.1).then_some(description),
            limits: self.limits.changes(ctx)?,
            labels,
            owner,
        };
        let is_changed = !changes.is_empty();
        is_changed.then(|| ServiceRequest::execute(Command::Edit { token: self.id, changes }))
    }

    fn show_error(&mut self, error: &ServiceError) -> bool {
        if matches!(error, ServiceError::Refused(Refusal::Limit(_))) {
            self.focus.index = LIMITS;
            self.limits.set_fault(error.to_string());
            return true;
        }
        if matches!(error, ServiceError::Refused(Refusal::Label(_))) {
            self.focus.index = LABELS;
            self.labels.set_fault(error.to_string());
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
