//! The form that makes a token. Its draft is kept while the program runs; faults stand beside
//! their fields and nothing typed is lost.

use crate::tui::widgets::paint::Canvas;
use ratatui::layout::{Position, Rect};

use crate::{
    domain::{Command, Description, Lifetime, Name, NewToken, Refusal, Scope},
    keymap::{Action, Mode},
    service::ServiceError,
    tui::{
        app::{
            effect::{Effect, Tab, UiAction},
            model::Model,
            service_request::ServiceRequest,
        },
        dialogs::{Dialog, preset::PresetDialog, scopes::ScopeDialog},
        widgets::{
            field::Field,
            form::{Focus, Form, FormAction, FormField, FormInput as _, LABELS, Layout},
            lifetime::LifetimeField,
            scope_rows::ScopeRows,
            scroll_view::ScrollView,
        },
    },
};

/// The numbers of the inputs.
const NAME: usize = 0;
const LIFETIME: usize = 1;
const DESCRIPTION: usize = 2;
const SCOPES: usize = 3;

#[derive(Debug)]
pub struct Create {
    name: Field,
    lifetime: LifetimeField,
    description: Field,
    scopes: ScopeRows,
    /// What it started with: only what differs from that would be lost.
    start: (String, String, Vec<Scope>),
    focus: Focus,
    name_fault: Option<String>,
    description_fault: Option<String>,
}

impl Create {
    pub fn new(ctx: &Model) -> Self {
        Self::starting("", ctx.policy.default_lifetime, "", &[], ctx)
    }

    /// A form that is filled in with what a token like another one is made of.
    pub fn filled(new: &NewToken, ctx: &Model) -> Self {
        let NewToken { name, description, lifetime, scopes } = new;
        Self::starting(name.as_str(), *lifetime, description.as_str(), scopes, ctx)
    }

    fn starting(
        name: &str,
        lifetime: Lifetime,
        description: &str,
        scopes: &[Scope],
        ctx: &Model,
    ) -> Self {
        let scopes = ScopeRows::holding(scopes);
        Self {
            name: Field::line(name),
            lifetime: LifetimeField::with(lifetime, ctx),
            description: Field::lines(description),
            start: (name.to_owned(), description.to_owned(), scopes.scopes()),
            scopes,
            focus: Focus::default(),
            name_fault: None,
            description_fault: None,
        }
    }

    /// Whether something was typed that leaving would lose, were the draft not kept.
    pub fn is_dirty(&self) -> bool {
        (self.name.text(), self.description.text(), self.scopes.scopes()) != self.start
    }

    /// The inputs, the description at least so many lines high.
    fn inputs(&mut self, description_height: u16) -> Form<'_> {
        let (name_fault, fault) = (self.name_fault.as_ref(), self.description_fault.as_ref());
        let fields = vec![
            FormField::new("Name *", &mut self.name)
                .note(name_fault, "how you will recognise it; unique")
                .sized(66, 1),
            FormField::new("Lifetime *", &mut self.lifetime).note(None, ""),
            FormField::new("Description", &mut self.description)
                .note(fault, "optional; Ctrl-J starts a line")
                .sized(66, description_height),
            FormField::new("Scopes", &mut self.scopes),
        ];
        Form { focus: &mut self.focus, fields, buttons: &["Create token"] }
    }

    /// Takes the scopes that the dialog named, as row `row` or as a new one. Refuses those that
    /// the other rows hold or cover already.
    pub fn take(&mut self, row: Option<usize>, scopes: Vec<Scope>) -> Result<(), String> {
        self.scopes.take(row, scopes)?;
        self.focus.at = SCOPES;
        Ok(())
    }

    fn on_rows(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        let dialog = |row, scopes: &[Scope]| Effect::open(ScopeDialog::row(row, scopes, ctx));
        match (action, self.scopes.selected()) {
            (Action::AddRow, _) | (Action::ChangeRow, None) => Some(dialog(None, &[])),
            (Action::ChangeRow, Some((at, row))) => Some(dialog(Some(at), row)),
            (Action::Preset, _) => Some(Effect::open(PresetDialog::rows(self.scopes.set(), ctx))),
            (Action::RemoveRow, _) => {
                self.scopes.remove();
                None
            }
            _ => None,
        }
    }
}

impl Dialog for Create {
    fn mode(&self) -> Mode {
        if self.focus.at == SCOPES { Mode::Rows } else { Mode::Form }
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
        if self.focus.at == SCOPES
            && let Some(effect) = self.on_rows(action, ctx)
        {
            return Some(effect);
        }
        match self.inputs(1).update(action)? {
            FormAction::Submit => self.submit(ctx),
            FormAction::Cancel => Some(Effect::Ui(UiAction::GoTo(Tab::Tokens))),
        }
    }

    fn submit(&mut self, ctx: &Model) -> Option<Effect> {
        let name = Name::parse(&self.name.text());
        let description = Description::parse(&self.description.text());
        self.name_fault = name.as_ref().err().map(ToString::to_string);
        self.description_fault = description.as_ref().err().map(ToString::to_string);
        let lifetime = self.lifetime.submit(ctx);
        match (name, lifetime, description) {
            (Err(_), _, _) => self.focus.at = NAME,
            (_, None, _) => {
                self.focus.at = LIFETIME;
                self.lifetime.enter(false);
            }
            (_, _, Err(_)) => self.focus.at = DESCRIPTION,
            (Ok(_), Some(_), Ok(_)) => return self.request(ctx).map(Effect::request),
        }
        None
    }

    fn request(&self, ctx: &Model) -> Option<ServiceRequest> {
        let name = Name::parse(&self.name.text()).ok()?;
        let description = Description::parse(&self.description.text()).ok()?;
        let lifetime = self.lifetime.named(ctx)?;
        let scopes = self.scopes.scopes();
        Some(create(NewToken { name, description, lifetime, scopes }))
    }

    fn edited(&mut self) {
        match self.focus.at {
            NAME => self.name_fault = None,
            DESCRIPTION => self.description_fault = None,
            _ => {}
        }
    }

    /// Shows why it was refused, beside the field; false if it belongs to none.
    fn refuse(&mut self, error: &ServiceError) -> bool {
        match error {
            ServiceError::Refused(Refusal::NameTaken(_)) | ServiceError::Name(_) => {
                self.focus.at = NAME;
                self.name_fault = Some(error.to_string());
            }
            ServiceError::Refused(Refusal::Scope(_)) => {
                self.focus.at = SCOPES;
                self.scopes.refuse(error.to_string());
            }
            _ => return false,
        }
        true
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let ctx = canvas.ctx;
        let area =
            Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
        // Each field with its note, a row of scopes with its sentence, and the button.
        let needed = self.inputs(1).height(area.width, Layout::default()) + 3;
        let mut sheet = ScrollView::new(area, needed, ctx);
        let (area, page) = (sheet.page.area, &mut sheet.canvas(ctx));
        // Lines that only make it airy go first when the screen is low.
        let airy = u16::from(area.height >= 20);
        let mut form = self.inputs(if area.height >= 16 { 2 } else { 1 });
        // The rows of scopes take the lines that are left.
        form.fields.truncate(SCOPES);
        let layout = Layout { top: airy, is_tight: false, gap: airy };
        let (line, cursor) = form.draw(layout, area, page);
        let focused = self.focus.at == SCOPES;
        let cursor = cursor.or(self.scopes.draw_rows(line, (SCOPES, focused), area, page));
        let indent = LABELS.min(area.width);
        let place = Rect { x: area.x + indent, width: area.width - indent, ..area };
        let cursor = cursor.or(self.inputs(1).draw_buttons(place, page));
        sheet.lay(cursor, canvas)
    }
}

fn create(token: NewToken) -> ServiceRequest {
    ServiceRequest::execute(Command::Create { token, secret_file: None })
}
