//! The dialog that adds the scopes of a preset on one entity or on any: to a token at once, or
//! as rows of the create form. Adds only what is missing, and says in plain words what that is.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use crate::{
    domain::{
        Catalogue, Command, Entity, EntityType, Pat, PresetError, Scope, Scopes, TokenId,
        sentence::{permits, wildcards},
    },
    keymap::Action,
    tui::{
        app::{
            effect::{Effect, UiAction},
            service_request::ServiceRequest,
            view_context::ViewContext,
        },
        widgets::{
            buttons,
            choice::Choice,
            field::Field,
            form::{self, LABELS, Note, labelled, note},
            panel,
        },
    },
};

/// Chosen in the place of one entity type.
const EVERY: &str = "all";
/// Lines for the sentence; the warning has one below.
const SAID: u16 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Preset,
    EntityType,
    Entity,
    Add,
}

const ORDER: [Focus; 4] = [Focus::Preset, Focus::EntityType, Focus::Entity, Focus::Add];

/// A preset and the entity that it is for.
#[derive(Debug)]
pub struct PresetDialog {
    title: String,
    token: Option<TokenId>,
    held: Scopes,
    catalogue: Catalogue,
    preset: Choice,
    entity_type: Choice,
    entity: Field,
    focus: Focus,
    fault: Option<String>,
}

impl PresetDialog {
    /// A preset to add to `pat`.
    pub fn add(pat: &Pat, ctx: &ViewContext<'_>) -> Self {
        let title = format!("Add a preset to {}", pat.name);
        Self::new(title, Some(pat.id), pat.scopes.clone(), ctx)
    }

    /// A preset to add to the rows of the create form, which hold `held`.
    pub fn rows(held: Scopes, ctx: &ViewContext<'_>) -> Self {
        Self::new("Add a preset".to_owned(), None, held, ctx)
    }

    fn new(title: String, token: Option<TokenId>, held: Scopes, ctx: &ViewContext<'_>) -> Self {
        let catalogue = ctx.policy.catalogue.clone();
        let names = catalogue.presets.iter().map(|preset| preset.name.clone());
        let mut dialog = Self {
            title,
            token,
            held,
            preset: Choice::new(names, 0),
            entity_type: Choice::new([EVERY], 0),
            entity: Field::line("*"),
            catalogue,
            focus: Focus::Preset,
            fault: None,
        };
        dialog.offer_types();
        dialog
    }

    /// Another preset is for other types; the chosen one stays where it can.
    fn offer_types(&mut self) {
        let Ok(preset) = self.catalogue.preset(self.preset.word()) else {
            return;
        };
        let types = preset.types(&self.catalogue).map(EntityType::as_str);
        let mut choice = Choice::new([EVERY].into_iter().chain(types), 0);
        choice.choose(self.entity_type.word());
        self.entity_type = choice;
    }

    /// What it would add.
    fn missing(&self) -> Result<Vec<Scope>, PresetError> {
        let preset = self.catalogue.preset(self.preset.word())?;
        let entity_type = match self.entity_type.word() {
            EVERY => None,
            word => Some(EntityType::parse(word)?),
        };
        let entity = Entity::parse(&self.entity.text())?;
        let scopes = preset.scopes(entity_type.as_ref(), &entity, &self.catalogue)?;
        let missing = self.held.clone().add_missing(scopes)?;
        if missing.is_empty() { Err(PresetError::Nothing) } else { Ok(missing) }
    }

    fn go(&mut self, down: bool) {
        let at = ORDER.iter().position(|focus| *focus == self.focus).unwrap_or(0);
        let to = if down { at + 1 } else { at.saturating_sub(1) };
        self.focus = ORDER.get(to).copied().unwrap_or(self.focus);
    }

    fn submit(&mut self) -> Option<Effect> {
        match (self.missing(), self.token) {
            (Ok(scopes), Some(id)) => Some(Effect::request(add(id, scopes))),
            (Ok(scopes), None) => Some(Effect::Ui(UiAction::FillScopes { row: None, scopes })),
            (Err(error), _) => {
                self.focus = match error {
                    PresetError::NeedsType { .. } => Focus::EntityType,
                    PresetError::Scope(_) => Focus::Entity,
                    _ => self.focus,
                };
                self.fail(error.to_string());
                None
            }
        }
    }

    /// The fault, or what it would add and what to know of `*`.
    fn draw_said(&self, line: u16, area: Rect, buf: &mut Buffer, ctx: &ViewContext<'_>) {
        let look = &ctx.look;
        if let Some(fault) = &self.fault {
            return form::fault(fault, line, area, buf, look);
        }
        let missing = match self.missing() {
            Ok(missing) => missing,
            Err(error) => {
                // Not a fault yet: the entity may just be half typed.
                let lines = (line, SAID + 1);
                form::said(&error.to_string(), lines, look.faint(), area, buf, look);
                return;
            }
        };
        form::said(&permits(&missing), (line, SAID), look.good(), area, buf, look);
        if let Some(warning) = wildcards(&missing) {
            form::warning(&warning, line + SAID, area, buf, look);
        }
    }
}

impl Dialog for PresetDialog {
    fn update(&mut self, action: Action, _: &ViewContext<'_>) -> Option<Effect> {
        match action {
            Action::NextField => self.go(true),
            Action::PreviousField => self.go(false),
            Action::Accept if self.focus != Focus::Add => self.go(true),
            Action::Accept | Action::Submit => return self.submit(),
            Action::Cancel => return Some(Effect::close()),
            _ => {}
        }
        None
    }

    fn view(&mut self, area: Rect, buf: &mut Buffer, ctx: &ViewContext<'_>) -> Option<Position> {
        let look = &ctx.look;
        let wide = 70.min(area.width.saturating_sub(6));
        let room = wide.saturating_sub(LABELS);
        let (presets, types) = (self.preset.height(room), self.entity_type.height(room));
        let airy = u16::from(area.height >= presets + types + SAID + 9);
        let high = airy + presets + types + 2 + airy * 2 + SAID + 2;
        let inner = panel::draw(&self.title, (wide, high), false, area, buf, look);
        let at = |focus| self.focus == focus;
        let mut line = airy;
        let place = labelled("Preset", (0, at(Focus::Preset)), (line, presets), inner, buf, ctx);
        let mut cursor = self.preset.draw(place, buf, ctx, at(Focus::Preset));
        line += presets;
        let focused = at(Focus::EntityType);
        let place = labelled("Entity type", (1, focused), (line, types), inner, buf, ctx);
        cursor = cursor.or(self.entity_type.draw(place, buf, ctx, focused));
        line += types;
        let place = labelled("Entity *", (2, at(Focus::Entity)), (line, 1), inner, buf, ctx);
        let place = Rect { width: place.width.min(40), ..place };
        cursor = cursor.or(self.entity.draw(place, buf, look, at(Focus::Entity)));
        line += 1;
        if airy > 0 {
            let hint = "an id, or * for any";
            note(&Note::Hint(hint.to_owned()), line, inner, buf, look);
            line += 1;
        }
        self.draw_said(line, inner, buf, ctx);
        let last =
            Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
        cursor.or(buttons::draw(&["Add"], at(Focus::Add).then_some(0), last, buf, ctx))
    }

    /// Rows of the create form are no command of their own.
    fn enables(&self, action: Action) -> bool {
        action != Action::CopyCommand || self.token.is_some()
    }

    fn text(&mut self, key: KeyEvent) {
        let changed = match self.focus {
            Focus::Preset => self.preset.press(key),
            Focus::EntityType => self.entity_type.press(key),
            Focus::Entity => self.entity.press(key),
            Focus::Add => false,
        };
        if changed {
            if self.focus == Focus::Preset {
                self.offer_types();
            }
            self.fault = None;
        }
    }

    fn paste(&mut self, text: &str) -> bool {
        let taken = self.focus == Focus::Entity;
        if taken {
            self.entity.paste(text);
            self.fault = None;
        }
        taken
    }

    fn focus_field(&mut self, field: usize) {
        self.focus = ORDER.get(field).copied().unwrap_or(self.focus);
    }

    fn request(&self, _: &ViewContext<'_>) -> Option<ServiceRequest> {
        Some(add(self.token?, self.missing().ok()?))
    }

    fn fail(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}

fn add(token: TokenId, scopes: Vec<Scope>) -> ServiceRequest {
    ServiceRequest::execute(Command::AddScopes { tokens: vec![token], scopes })
}
