//! Form that creates a token. Its draft is kept while the program runs. Faults are shown beside
//! their fields, and a refused request loses no input.

use crate::tui::widgets::canvas::Canvas;
use ratatui::layout::{Position, Rect};

use crate::{
    domain::{Command, Description, Labels, LimitChanges, Name, NewToken, Owner, Refusal, Scope},
    keymap::{Action, Mode},
    service::ServiceError,
    tui::{
        app::{
            effect::{Effect, Tab, UiChange},
            model::Model,
            service_request::ServiceRequest,
        },
        dialogs::{
            Dialog, scope_preset::ScopePresetDialog, scopes::ScopeDialog, shared_text::name_hint,
        },
        widgets::{
            buttons,
            canvas::{line_rect, width},
            form::{
                self, FieldNote, Form, FormAction, FormField, FormFocus, FormInput, FormSpacing,
                LABEL_WIDTH,
            },
            labels_field::LabelsField,
            lifetime_field::LifetimeField,
            limits_field::LimitsField,
            offscreen_canvas::OffscreenCanvas,
            scope_rows::ScopeRows,
            text_input::TextInput,
        },
    },
};

/// Width of the buttons with the gap behind them, in columns.
const BUTTONS_WIDTH: u16 = 29;

/// Index of the name input.
const NAME: usize = 0;
/// Index of the lifetime input.
const LIFETIME: usize = 1;
/// Index of the description input.
const DESCRIPTION: usize = 2;
/// Index of the scope rows.
const SCOPES: usize = 3;
/// Index of the limits.
const LIMITS: usize = 4;
/// Index of the labels and the owner.
const LABELS: usize = 5;

/// The initial name, description, scopes, limits, and labels with the owner.
type Contents = (String, String, Vec<Scope>, [String; 3], [String; 2]);

#[derive(Debug)]
pub struct CreateForm {
    name: TextInput,
    lifetime: LifetimeField,
    description: TextInput,
    scopes: ScopeRows,
    limits: LimitsField,
    labels: LabelsField,
    /// Tells whether the form was edited.
    original: Contents,
    focus: FormFocus,
    name_fault: Option<String>,
    description_fault: Option<String>,
}

impl CreateForm {
    pub fn new(ctx: &Model) -> Self {
        let (name, description) = (TextInput::single_line(""), TextInput::multi_line(""));
        let lifetime = LifetimeField::with_lifetime(ctx.policy.default_lifetime, ctx);
        let limits = LimitsField::with_changes(&LimitChanges::default(), ctx.zone);
        let labels = LabelsField::of_new_token(&Labels::default(), &Owner::default());
        let scopes = ScopeRows::from_scopes(&[]);
        Self::with_inputs((name, description), lifetime, scopes, (limits, labels))
    }

    /// A form filled in from the template `new`, which is a clone of a token.
    pub fn from_template(new: &NewToken, ctx: &Model) -> Self {
        let NewToken { name, description, lifetime, scopes, limits, labels, owner } = new;
        let name = TextInput::preselected(name.as_str());
        let description = TextInput::multi_line(description.as_str());
        let lifetime = LifetimeField::with_lifetime(*lifetime, ctx);
        let (scopes, limits) =
            (ScopeRows::from_scopes(scopes), LimitsField::with_changes(limits, ctx.zone));
        let labels = LabelsField::of_new_token(labels, owner);
        Self::with_inputs((name, description), lifetime, scopes, (limits, labels))
    }

    fn with_inputs(
        (name, description): (TextInput, TextInput),
        lifetime: LifetimeField,
        scopes: ScopeRows,
        (limits, labels): (LimitsField, LabelsField),
    ) -> Self {
        let form = Self {
            original: Contents::default(),
            name,
            lifetime,
            description,
            scopes,
            limits,
            labels,
            focus: FormFocus::default(),
            name_fault: None,
            description_fault: None,
        };
        Self { original: form.contents(), ..form }
    }

    fn contents(&self) -> Contents {
        let (name, description) = (self.name.text(), self.description.text());
        (name, description, self.scopes.scopes(), self.limits.texts(), self.labels.texts())
    }

    /// Whether a field other than the lifetime differs from its initial value.
    pub fn is_dirty(&self) -> bool {
        self.contents() != self.original
    }

    /// The form with its inputs. The description is at least `description_height` lines high.
    fn inputs(&mut self, description_height: u16) -> Form<'_> {
        let (name_fault, fault) = (self.name_fault.as_ref(), self.description_fault.as_ref());
        let hint = name_hint(&self.name.text(), "Must be unique");
        self.limits.set_focused(self.focus.index == LIMITS);
        self.labels.set_focused(self.focus.index == LABELS);
        let fields = vec![
            FormField::new("Name *", &mut self.name).with_note(name_fault, hint).with_size(66, 1),
            FormField::new("Lifetime *", &mut self.lifetime).with_note(None, ""),
            FormField::new("Description", &mut self.description)
                .with_note(fault, "Optional. Ctrl-J inserts a line break.")
                .with_size(66, description_height),
            FormField::new("Scopes", &mut self.scopes),
            FormField::new("Limits", &mut self.limits),
            FormField::new("Labels", &mut self.labels),
        ];
        Form { focus: &mut self.focus, fields, buttons: &["Create token"] }
    }

    /// Empties the form.
    fn clear(&mut self, ctx: &Model) -> Effect {
        *self = Self::new(ctx);
        Effect::info("The form is empty.")
    }

    /// Puts `scopes` into row `row`, or into new rows if `row` is `None`. The error names a scope
    /// that another row already contains or covers.
    pub fn set_scopes(&mut self, row: Option<usize>, scopes: Vec<Scope>) -> Result<(), String> {
        self.scopes.insert_or_replace(row, scopes)?;
        self.focus.index = SCOPES;
        Ok(())
    }

    fn update_rows(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        let dialog = |row, scopes: &[Scope]| Effect::open(ScopeDialog::row(row, scopes, ctx));
        match (action, self.scopes.selected()) {
            (Action::AddRow, _) | (Action::ChangeRow, None) => Some(dialog(None, &[])),
            (Action::ChangeRow, Some((at, row))) => Some(dialog(Some(at), row)),
            (Action::Preset, _) => {
                Some(Effect::open(ScopePresetDialog::rows(self.scopes.to_scopes(), ctx)))
            }
            (Action::RemoveRow, _) => {
                self.scopes.remove();
                None
            }
            _ => None,
        }
    }
}

impl Dialog for CreateForm {
    fn mode(&self) -> Mode {
        if self.focus.index == SCOPES { Mode::Rows } else { Mode::Create }
    }

    fn enables(&self, action: Action) -> bool {
        match action {
            Action::ChangeRow | Action::RemoveRow => !self.scopes.is_empty(),
            _ => true,
        }
    }

    fn form(&mut self) -> Option<Form<'_>> {
        Some(self.inputs(1))
    }

    fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        if self.focus.index == SCOPES
            && let Some(effect) = self.update_rows(action, ctx)
        {
            return Some(effect);
        }
        let on_clear = self.focus.index > LABELS && self.focus.is_on_submit;
        match action {
            Action::GoToScopes => {
                self.focus.index = SCOPES;
                return None;
            }
            Action::ClearForm => return Some(self.clear(ctx)),
            Action::Accept if on_clear => return Some(self.clear(ctx)),
            _ => {}
        }
        match self.inputs(1).update(action)? {
            FormAction::Submit => self.submit(ctx),
            FormAction::Cancel => Some(Effect::Ui(UiChange::GoTo(Tab::Tokens))),
        }
    }

    fn submit(&mut self, ctx: &Model) -> Option<Effect> {
        let name = Name::parse(&self.name.text());
        let description = Description::parse(&self.description.text());
        self.name_fault = name.as_ref().err().map(ToString::to_string);
        self.description_fault = description.as_ref().err().map(ToString::to_string);
        let lifetime = self.lifetime.submit(ctx);
        let values = (self.limits.changes(ctx), self.labels.values());
        match (name, lifetime, description, values) {
            (Err(_), ..) => self.focus.index = NAME,
            (_, None, ..) => {
                self.focus.index = LIFETIME;
                self.lifetime.enter(false);
            }
            (_, _, Err(_), _) => self.focus.index = DESCRIPTION,
            (.., (None, _)) => {
                self.focus.index = LIMITS;
                self.limits.focus_fault(ctx);
            }
            (.., (_, None)) => {
                self.focus.index = LABELS;
                self.labels.focus_fault();
            }
            (Ok(_), Some(_), Ok(_), (Some(_), Some(_))) => {
                return self.request(ctx).map(Effect::request);
            }
        }
        None
    }

    fn request(&self, ctx: &Model) -> Option<ServiceRequest> {
        let name = Name::parse(&self.name.text()).ok()?;
        let description = Description::parse(&self.description.text()).ok()?;
        let lifetime = self.lifetime.valid_lifetime(ctx)?;
        let scopes = self.scopes.scopes();
        let limits = self.limits.changes(ctx)?;
        let (labels, owner) = self.labels.values()?;
        let token = NewToken { name, description, lifetime, scopes, limits, labels, owner };
        Some(create_request(token))
    }

    fn on_edit(&mut self) {
        match self.focus.index {
            NAME => self.name_fault = None,
            DESCRIPTION => self.description_fault = None,
            _ => {}
        }
    }

    /// Shows `error` beside the field that it concerns. Returns false if the error concerns no
    /// field.
    fn show_error(&mut self, error: &ServiceError) -> bool {
        match error {
            ServiceError::Refused(Refusal::NameTaken(_)) | ServiceError::Name(_) => {
                self.focus.index = NAME;
                self.name_fault = Some(error.to_string());
            }
            ServiceError::Refused(Refusal::Scope(_)) => {
                self.focus.index = SCOPES;
                self.scopes.set_fault(error.to_string());
            }
            ServiceError::Refused(Refusal::Limit(_)) => {
                self.focus.index = LIMITS;
                self.limits.set_fault(error.to_string());
            }
            ServiceError::Refused(Refusal::Label(_)) => {
                self.focus.index = LABELS;
                self.labels.set_fault(error.to_string());
            }
            _ => return false,
        }
        true
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let ctx = canvas.ctx;
        let area =
            Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
        // The minimum height for each field with its note, one row of scopes with its summary, and
        // the button.
        let needed = self.inputs(1).height(area.width, FormSpacing::default(), ctx) + 3;
        let is_low = area.height < 20;
        let mut offscreen_canvas = OffscreenCanvas::new(area, needed, ctx);
        let (area, page) = (offscreen_canvas.content.area, &mut offscreen_canvas.canvas(ctx));
        // If there is not enough height, the empty lines are dropped, and the scopes take the lines of
        // the notes above while they have the focus.
        let focused = self.focus.index == SCOPES;
        let airy = u16::from(!is_low);
        let mut form = self.inputs(if area.height >= 16 { 2 } else { 1 });
        // The scopes get the height that the other inputs and the buttons leave.
        form.fields.truncate(SCOPES);
        let layout = FormSpacing { top: airy, is_compact: is_low && focused, gap: airy };
        let (line, cursor) = form.draw(layout, area, page);
        let limits = self.group_height(LIMITS, &self.limits, area.width, ctx);
        let below = limits + self.group_height(LABELS, &self.labels, area.width, ctx) + airy;
        let room = area.height.saturating_sub(line + below + 1);
        let end = self.lifetime.end_text(ctx);
        let scopes = self.scopes.full_height(end.as_deref(), area.width, ctx).min(room);
        // `draw_rows` leaves the last line of its area free.
        let above = Rect { height: (line + scopes + 1).min(area.height), ..area };
        let input = (SCOPES, focused);
        let cursor = cursor.or(self.scopes.draw_rows(line, input, end.as_deref(), above, page));
        let next = line + scopes;
        let group = ("Limits", LIMITS);
        let cursor = cursor.or(self.draw_group(group, &self.limits, (next, area), page));
        let group = ("Labels", LABELS);
        let labels = (next + limits, area);
        let cursor = cursor.or(self.draw_group(group, &self.labels, labels, page));
        let buttons = line_rect(area, next + below);
        let cursor = cursor.or(self.draw_buttons(buttons, page));
        offscreen_canvas.blit(cursor, canvas)
    }
}

impl CreateForm {
    /// Draws the two buttons on the line `area`, with the key that submits beside them. Returns the
    /// cursor position if a button has the focus.
    fn draw_buttons(&self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let indent = LABEL_WIDTH.min(area.width);
        let rect = Rect { x: area.x + indent, width: area.width - indent, ..area };
        let buttons = [("Create token", Action::Submit), ("Clear", Action::ClearForm)];
        let focused = (self.focus.index > LABELS).then(|| usize::from(self.focus.is_on_submit));
        let cursor = buttons::draw_with_actions(&buttons, focused, rect, canvas);
        let key = canvas.ctx.key(Mode::Create, Action::Submit);
        let hint = format!("{key} creates it from any field");
        let faint = canvas.ctx.theme.faint;
        let writer = canvas.line(rect, 0).skip(BUTTONS_WIDTH);
        if writer.remaining() >= width(&hint) {
            writer.text(&hint, faint);
        }
        cursor
    }

    /// The note of the group `input` with the index `index`. A hint is shown while the group has the
    /// focus, a fault always.
    fn group_note(&self, index: usize, input: &dyn FormInput, ctx: &Model) -> Option<FieldNote> {
        let is_shown =
            |note: &FieldNote| self.focus.index == index || matches!(note, FieldNote::Fault(_));
        input.note(ctx).filter(is_shown)
    }

    /// Height of the group `input` with the index `index` and its note, in lines.
    fn group_height(&self, index: usize, input: &dyn FormInput, columns: u16, ctx: &Model) -> u16 {
        let note = self.group_note(index, input, ctx);
        input.height(columns) + note.map_or(0, |note| form::note_height(&note, columns, ctx))
    }

    /// Draws the group `input` from line `line` of `area`. Returns the cursor position if it has the
    /// focus.
    fn draw_group(
        &self,
        (label, index): (&'static str, usize),
        input: &dyn FormInput,
        (line, area): (u16, Rect),
        canvas: &mut Canvas<'_>,
    ) -> Option<Position> {
        let focused = self.focus.index == index;
        let height = input.height(area.width);
        let rect = form::draw_label(label, (index, focused), (line, height), area, canvas);
        if let Some(note) = self.group_note(index, input, canvas.ctx) {
            form::draw_note(&note, line + height, area, canvas);
        }
        input.draw(rect, canvas, focused)
    }
}

fn create_request(token: NewToken) -> ServiceRequest {
    ServiceRequest::execute(Command::Create { token, secret_file: None })
}
