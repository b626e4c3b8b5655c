//! The dialog that adds the scopes of a preset on one entity or on any: to a token at once, or
//! as rows of the create form. Adds only what is missing, and says in plain words what that is.

use crate::tui::widgets::paint::Canvas;
use ratatui::layout::{Position, Rect};

use super::Dialog;
use crate::{
    domain::{
        Catalogue, Command, Entity, EntityType, PresetError, Scope, Scopes, Token, TokenId,
        describe::{describe_scopes, wildcard_warning},
    },
    keymap::Action,
    tui::{
        app::{
            effect::{Effect, UiAction},
            model::Model,
            service_request::ServiceRequest,
        },
        widgets::{
            field::Field,
            form::{self, Focus, Form, FormField, Layout},
            panel,
            radio_group::RadioGroup,
        },
    },
};

/// Chosen in the place of one entity type.
const EVERY: &str = "all";
/// Lines for the sentence; the warning has one below.
const SAID: u16 = 2;

/// The numbers of the inputs.
const PRESET: usize = 0;
const ENTITY_TYPE: usize = 1;
const ENTITY: usize = 2;

/// A preset and the entity that it is for.
#[derive(Debug)]
pub struct PresetDialog {
    title: String,
    token: Option<TokenId>,
    held: Scopes,
    catalogue: Catalogue,
    preset: RadioGroup,
    entity_type: RadioGroup,
    entity: Field,
    focus: Focus,
    fault: Option<String>,
}

impl PresetDialog {
    pub fn add(token: &Token, ctx: &Model) -> Self {
        let title = format!("Add a preset to {}", token.name);
        Self::new(title, Some(token.id), token.scopes.clone(), ctx)
    }

    /// A preset to add to the rows of the create form, which hold `held`.
    pub fn rows(held: Scopes, ctx: &Model) -> Self {
        Self::new("Add a preset".to_owned(), None, held, ctx)
    }

    fn new(title: String, token: Option<TokenId>, held: Scopes, ctx: &Model) -> Self {
        let catalogue = ctx.policy.catalogue.clone();
        let names = catalogue.presets.iter().map(|preset| preset.name.clone());
        let mut dialog = Self {
            title,
            token,
            held,
            preset: RadioGroup::new(names, 0),
            entity_type: RadioGroup::new([EVERY], 0),
            entity: Field::line("*"),
            catalogue,
            focus: Focus::default(),
            fault: None,
        };
        dialog.offer_types();
        dialog
    }

    /// Another preset is for other types; the chosen one stays where it can.
    fn offer_types(&mut self) {
        let Ok(preset) = self.catalogue.preset(self.preset.as_str()) else {
            return;
        };
        let types = preset.types(&self.catalogue).map(EntityType::as_str);
        let mut choice = RadioGroup::new([EVERY].into_iter().chain(types), 0);
        choice.choose(self.entity_type.as_str());
        self.entity_type = choice;
    }

    /// What it would add.
    fn missing(&self) -> Result<Vec<Scope>, PresetError> {
        let preset = self.catalogue.preset(self.preset.as_str())?;
        let entity_type = match self.entity_type.as_str() {
            EVERY => None,
            word => Some(EntityType::parse(word)?),
        };
        let entity = Entity::parse(&self.entity.text())?;
        let scopes = preset.scopes(entity_type.as_ref(), &entity, &self.catalogue)?;
        let missing = self.held.clone().add_missing(scopes)?;
        if missing.is_empty() { Err(PresetError::Nothing) } else { Ok(missing) }
    }

    fn inputs(&mut self) -> Form<'_> {
        let fields = vec![
            FormField::new("Preset", &mut self.preset),
            FormField::new("Entity type", &mut self.entity_type),
            FormField::new("Entity *", &mut self.entity)
                .note(None, "an id, or * for any")
                .sized(40, 1),
        ];
        Form { focus: &mut self.focus, fields, buttons: &["Add"] }
    }

    /// The fault, or what it would add and what to know of `*`.
    fn draw_said(&self, line: u16, area: Rect, canvas: &mut Canvas<'_>) {
        let theme = &canvas.ctx.theme;
        if let Some(fault) = &self.fault {
            return form::fault(fault, line, area, canvas);
        }
        let missing = match self.missing() {
            Ok(missing) => missing,
            Err(error) => {
                // Not a fault yet: the entity may just be half typed.
                let lines = (line, SAID + 1);
                form::said(&error.to_string(), lines, theme.faint, area, canvas);
                return;
            }
        };
        form::said(&describe_scopes(&missing), (line, SAID), theme.good, area, canvas);
        if let Some(warning) = wildcard_warning(&missing) {
            form::warning(&warning, line + SAID, area, canvas);
        }
    }
}

impl Dialog for PresetDialog {
    fn form(&mut self) -> Option<Form<'_>> {
        Some(self.inputs())
    }

    fn submit(&mut self, _: &Model) -> Option<Effect> {
        match (self.missing(), self.token) {
            (Ok(scopes), Some(id)) => Some(Effect::request(add(id, scopes))),
            (Ok(scopes), None) => Some(Effect::Ui(UiAction::FillScopes { row: None, scopes })),
            (Err(error), _) => {
                self.focus.at = match error {
                    PresetError::NeedsType { .. } => ENTITY_TYPE,
                    PresetError::Scope(_) => ENTITY,
                    _ => self.focus.at,
                };
                self.fail(error.to_string());
                None
            }
        }
    }

    fn edited(&mut self) {
        if self.focus.at == PRESET {
            self.offer_types();
        }
        self.fault = None;
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let wide = 70.min(area.width.saturating_sub(6));
        let form = self.inputs();
        let tight = Layout { is_tight: true, ..Layout::default() };
        let is_tight = area.height < form.height(wide, tight) + SAID + 8;
        let layout = Layout { top: u16::from(!is_tight), is_tight, gap: 0 };
        let high = layout.top * 2 + form.height(wide, layout) + SAID + 3;
        let inner = panel::draw(&self.title, (wide, high), false, area, canvas);
        let form = self.inputs();
        let (line, cursor) = form.draw(layout, inner, canvas);
        let cursor = cursor.or(form.draw_buttons(inner, canvas));
        self.draw_said(line, inner, canvas);
        cursor
    }

    /// Rows of the create form are no command of their own.
    fn enables(&self, action: Action) -> bool {
        action != Action::CopyCommand || self.token.is_some()
    }

    fn request(&self, _: &Model) -> Option<ServiceRequest> {
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
