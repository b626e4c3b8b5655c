//! The form that makes a token. Its draft is kept while the program runs; faults stand beside
//! their fields and nothing typed is lost.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use crate::{
    domain::{Command, Description, Lifetime, Name, NewToken, Refusal, Scope},
    keymap::{Action, Mode},
    service::ServiceError,
    tui::{
        app::{
            effect::{Effect, Tab, UiAction},
            service_request::ServiceRequest,
            view_context::ViewContext,
        },
        dialogs::{preset::PresetDialog, scopes::ScopeDialog},
        widgets::{
            buttons,
            field::Field,
            form::{Note, labelled, note, unlabelled},
            lifetime::LifetimeField,
            scope_rows::ScopeRows,
            sheet::Sheet,
        },
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Name,
    Lifetime,
    Description,
    Scopes,
    Submit,
}

const ORDER: [Focus; 5] =
    [Focus::Name, Focus::Lifetime, Focus::Description, Focus::Scopes, Focus::Submit];

/// A token that is being described.
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
    /// An empty form.
    pub fn new(ctx: &ViewContext<'_>) -> Self {
        Self::starting("", ctx.policy.default_lifetime, "", &[], ctx)
    }

    /// A form that is filled in with what a token like another one is made of.
    pub fn filled(new: &NewToken, ctx: &ViewContext<'_>) -> Self {
        let NewToken { name, description, lifetime, scopes } = new;
        Self::starting(name.as_str(), *lifetime, description.as_str(), scopes, ctx)
    }

    fn starting(
        name: &str,
        lifetime: Lifetime,
        description: &str,
        scopes: &[Scope],
        ctx: &ViewContext<'_>,
    ) -> Self {
        let scopes = ScopeRows::holding(scopes);
        Self {
            name: Field::line(name),
            lifetime: LifetimeField::with(lifetime, ctx),
            description: Field::lines(description),
            start: (name.to_owned(), description.to_owned(), scopes.scopes()),
            scopes,
            focus: Focus::Name,
            name_fault: None,
            description_fault: None,
        }
    }

    /// In which mode its keys are looked up.
    pub fn mode(&self) -> Mode {
        if self.focus == Focus::Scopes { Mode::Rows } else { Mode::Form }
    }

    /// Whether something was typed that leaving would lose, were the draft not kept.
    pub fn is_dirty(&self) -> bool {
        (self.name.text(), self.description.text(), self.scopes.scopes()) != self.start
    }

    /// Whether `action` has something to do here.
    pub fn enables(&self, action: Action) -> bool {
        match action {
            Action::ChangeRow | Action::RemoveRow => !self.scopes.is_empty(),
            _ => true,
        }
    }

    fn go(&mut self, down: bool) {
        let stays = match self.focus {
            Focus::Lifetime => self.lifetime.go(down),
            Focus::Description if !self.description.at_edge(down) => {
                self.description.move_line(down);
                true
            }
            Focus::Scopes => self.scopes.go(down),
            _ => false,
        };
        if !stays {
            self.leave(down);
        }
    }

    fn leave(&mut self, down: bool) {
        let at = ORDER.iter().position(|focus| *focus == self.focus).unwrap_or(0);
        let to = if down { at + 1 } else { at.saturating_sub(1) };
        self.focus = ORDER.get(to).copied().unwrap_or(self.focus);
        match self.focus {
            Focus::Lifetime => self.lifetime.enter(down),
            Focus::Scopes => self.scopes.enter(down),
            _ => {}
        }
    }

    fn submit(&mut self, ctx: &ViewContext<'_>) -> Option<Effect> {
        let name = Name::parse(&self.name.text());
        let description = Description::parse(&self.description.text());
        self.name_fault = name.as_ref().err().map(ToString::to_string);
        self.description_fault = description.as_ref().err().map(ToString::to_string);
        let lifetime = self.lifetime.submit(ctx);
        match (name, lifetime, description) {
            (Err(_), _, _) => self.focus = Focus::Name,
            (_, None, _) => {
                self.focus = Focus::Lifetime;
                self.lifetime.enter(false);
            }
            (_, _, Err(_)) => self.focus = Focus::Description,
            (Ok(_), Some(_), Ok(_)) => return self.request(ctx).map(Effect::request),
        }
        None
    }

    /// What it asks for, once its fields are sound.
    pub fn request(&self, ctx: &ViewContext<'_>) -> Option<ServiceRequest> {
        let name = Name::parse(&self.name.text()).ok()?;
        let description = Description::parse(&self.description.text()).ok()?;
        let lifetime = self.lifetime.named(ctx)?;
        let scopes = self.scopes.scopes();
        Some(create(NewToken { name, description, lifetime, scopes }))
    }

    /// Takes the scopes that the dialog named, as row `row` or as a new one. Refuses those that
    /// the other rows hold or cover already.
    pub fn take(&mut self, row: Option<usize>, scopes: Vec<Scope>) -> Result<(), String> {
        self.scopes.take(row, scopes)?;
        self.focus = Focus::Scopes;
        Ok(())
    }

    fn on_rows(&mut self, action: Action, ctx: &ViewContext<'_>) -> Option<Effect> {
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

    /// Answers an action.
    pub fn update(&mut self, action: Action, ctx: &ViewContext<'_>) -> Option<Effect> {
        if self.focus == Focus::Scopes
            && let Some(effect) = self.on_rows(action, ctx)
        {
            return Some(effect);
        }
        match action {
            Action::NextField => self.go(true),
            Action::PreviousField => self.go(false),
            Action::Accept if self.focus != Focus::Submit => self.leave(true),
            Action::Accept | Action::Submit => return self.submit(ctx),
            Action::Cancel => return Some(Effect::Ui(UiAction::GoTo(Tab::Tokens))),
            _ => {}
        }
        None
    }

    /// Gives the focus to a field, by the number under which it drew it.
    pub fn focus_field(&mut self, field: usize) {
        self.focus = ORDER.get(field).copied().unwrap_or(Focus::Lifetime);
        self.lifetime.focus_field(field);
    }

    /// Takes a key that is text for the field with the focus.
    pub fn text(&mut self, key: KeyEvent) {
        let changed = match self.focus {
            Focus::Name => self.name.press(key),
            Focus::Lifetime => self.lifetime.press(key),
            Focus::Description => self.description.press(key),
            Focus::Scopes | Focus::Submit => false,
        };
        if changed {
            self.typed();
        }
    }

    fn typed(&mut self) {
        match self.focus {
            Focus::Name => self.name_fault = None,
            Focus::Description => self.description_fault = None,
            _ => {}
        }
    }

    /// Takes a paste into the field that has the focus.
    pub fn paste(&mut self, text: &str) -> bool {
        match self.focus {
            Focus::Name => self.name.paste(text),
            Focus::Description => self.description.paste(text),
            Focus::Lifetime => return self.lifetime.paste(text),
            Focus::Scopes | Focus::Submit => return false,
        }
        self.typed();
        true
    }

    /// Shows why it was refused, beside the field; false if it belongs to none.
    pub fn refuse(&mut self, error: &ServiceError) -> bool {
        match error {
            ServiceError::Refused(Refusal::NameTaken(_)) | ServiceError::Name(_) => {
                self.focus = Focus::Name;
                self.name_fault = Some(error.to_string());
            }
            ServiceError::Refused(Refusal::Scope(_)) => {
                self.focus = Focus::Scopes;
                self.scopes.refuse(error.to_string());
            }
            _ => return false,
        }
        true
    }

    /// Draws it into `area`; the place of the cursor.
    pub fn view(
        &mut self,
        area: Rect,
        buf: &mut Buffer,
        ctx: &ViewContext<'_>,
    ) -> Option<Position> {
        let look = &ctx.look;
        let area =
            Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
        // Each field with its note, a row of scopes with its sentence, and the button.
        let needed = 2 + self.lifetime.height(area.width) + 2 + 3 + 1;
        let mut sheet = Sheet::new(area, needed, ctx);
        let (area, screen, buf) = (sheet.page.area, buf, &mut sheet.page);
        let focus = self.focus;
        let at = |this| focus == this;
        // Lines that only make it airy go first when the screen is low.
        let airy = area.height >= 20;
        let mut line = u16::from(airy);
        let place =
            labelled("Name *", (Focus::Name as usize, at(Focus::Name)), (line, 1), area, buf, ctx);
        let place = Rect { width: place.width.min(66), ..place };
        let mut cursor = self.name.draw(place, buf, look, at(Focus::Name));
        let hint = "how you will recognise it; unique";
        note(&Note::of(self.name_fault.as_ref(), hint), line + 1, area, buf, look);
        line += 2 + u16::from(airy);
        cursor = cursor.or(self.lifetime.draw(
            line,
            (Focus::Lifetime as usize, at(Focus::Lifetime)),
            area,
            buf,
            ctx,
        ));
        line += self.lifetime.height(area.width) + u16::from(airy);
        let high = if area.height >= 16 { 2 } else { 1 };
        let place = labelled(
            "Description",
            (Focus::Description as usize, at(Focus::Description)),
            (line, high),
            area,
            buf,
            ctx,
        );
        let place = Rect { width: place.width.min(66), ..place };
        cursor = cursor.or(self.description.draw(place, buf, look, at(Focus::Description)));
        let hint = "optional; Ctrl-J starts a line";
        note(&Note::of(self.description_fault.as_ref(), hint), line + high, area, buf, look);
        line += high + 1 + u16::from(airy);
        cursor = cursor.or(self.scopes.draw(
            line,
            (Focus::Scopes as usize, at(Focus::Scopes)),
            area,
            buf,
            ctx,
        ));
        let last = area.height.saturating_sub(1);
        let place = unlabelled((last, 1), area);
        let chosen = at(Focus::Submit).then_some(0);
        let cursor = cursor.or(buttons::draw(&["Create token"], chosen, place, buf, ctx));
        sheet.lay(cursor, screen, ctx)
    }
}

fn create(token: NewToken) -> ServiceRequest {
    ServiceRequest::execute(Command::Create { token, secret_file: None })
}
