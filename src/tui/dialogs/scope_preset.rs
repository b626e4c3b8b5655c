//! Dialog that adds the scopes of a preset to a token or to the create form. The scopes apply to
//! one entity or to any entity. The dialog adds only missing scopes, and describes these scopes
//! before it adds them.

use crate::tui::widgets::canvas::Canvas;
use ratatui::layout::{Position, Rect};

use super::Dialog;
use crate::{
    domain::{
        Command, Entity, EntityType, Scope, ScopeCatalogue, ScopePreset, ScopePresetError, Scopes,
        Token, TokenId,
        describe_scopes::{describe_scopes, wildcard_warning},
    },
    keymap::Action,
    tui::{
        app::{
            effect::{Effect, UiChange},
            model::Model,
            service_request::ServiceRequest,
        },
        widgets::{
            entity_field::EntityField,
            form::{self, Form, FormField, FormFocus, FormInput as _, FormSpacing},
            offscreen_canvas::OffscreenCanvas,
            panel,
            radio_group::RadioGroup,
        },
    },
};

/// The label that selects all entity types of the preset.
const BUTTONS: [&str; 1] = ["Add"];
const EVERY: &str = "all";
/// Number of lines for the summary. The warning is shown on one more line below the summary.
const SUMMARY_LINES: u16 = 2;

/// Index of the preset input.
const PRESET: usize = 0;
/// Index of the entity type input.
const ENTITY_TYPE: usize = 1;
/// Index of the entity input.
const ENTITY: usize = 2;

/// Where the scopes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PresetTarget {
    Token(TokenId),
    /// The changes in the detail that are not applied yet.
    Changes,
    /// New rows of the create form.
    FormRows,
}

/// A form with a preset, an entity type and an entity.
#[derive(Debug)]
pub struct ScopePresetDialog {
    title: String,
    target: PresetTarget,
    existing: Scopes,
    catalogue: ScopeCatalogue,
    preset: RadioGroup,
    entity_type: RadioGroup,
    /// The number of lines of the entity types of any preset, so that another preset does not move
    /// the inputs.
    type_lines: u16,
    entity: EntityField,
    focus: FormFocus,
    fault: Option<String>,
}

impl ScopePresetDialog {
    pub fn add(token: &Token, ctx: &Model) -> Self {
        let title = format!("Add a preset to {}", token.name);
        Self::new(title, PresetTarget::Token(token.id), token.scopes.clone(), ctx)
    }

    /// Adds a preset to the changes of `token` in the detail that are not applied yet. With these, the
    /// token will have the scopes `existing`.
    pub fn add_to_changes(token: &Token, existing: Scopes, ctx: &Model) -> Self {
        let title = format!("Add a preset to the changes of {}", token.name);
        Self::new(title, PresetTarget::Changes, existing, ctx)
    }

    /// Adds a preset to the create form, which already contains the scopes `existing`.
    pub fn rows(existing: Scopes, ctx: &Model) -> Self {
        Self::new("Add a preset".to_owned(), PresetTarget::FormRows, existing, ctx)
    }

    fn new(title: String, target: PresetTarget, existing: Scopes, ctx: &Model) -> Self {
        let catalogue = ctx.policy.catalogue.clone();
        let names = catalogue.presets.iter().map(|preset| preset.name.clone());
        let mut dialog = Self {
            title,
            target,
            existing,
            preset: RadioGroup::new(names, 0),
            entity_type: RadioGroup::new([EVERY], 0),
            type_lines: 1,
            entity: EntityField::new("", false),
            catalogue,
            focus: FormFocus::default(),
            fault: None,
        };
        dialog.update_types();
        dialog
    }

    /// Offers the entity types of the selected preset, and keeps the selected type if possible.
    fn update_types(&mut self) {
        let Ok(preset) = self.catalogue.preset(self.preset.selected_label()) else {
            return;
        };
        let mut choice = type_choice(preset, &self.catalogue);
        choice.select(self.entity_type.selected_label());
        self.entity_type = choice;
    }

    /// The largest number of lines that the entity types of a preset need in `columns`.
    fn max_type_lines(&self, columns: u16) -> u16 {
        let presets = self.catalogue.presets.iter();
        let lines = presets.map(|preset| type_choice(preset, &self.catalogue).height(columns));
        lines.max().unwrap_or(1)
    }

    /// Returns the scopes of the preset that the token or form lacks. Returns an error if no scope
    /// is missing.
    fn missing_scopes(&self) -> Result<Vec<Scope>, ScopePresetError> {
        let preset = self.catalogue.preset(self.preset.selected_label())?;
        let entity_type = match self.entity_type.selected_label() {
            EVERY => None,
            word => Some(EntityType::parse(word)?),
        };
        let entities = self.entity.entities()?;
        let entity = entities.first().unwrap_or(&Entity::Any);
        let scopes = preset.scopes(entity_type.as_ref(), entity, &self.catalogue)?;
        let missing = self.existing.clone().add_missing(scopes)?;
        if missing.is_empty() { Err(ScopePresetError::NothingToAdd) } else { Ok(missing) }
    }

    fn inputs(&mut self) -> Form<'_> {
        let fields = vec![
            FormField::new("Preset", &mut self.preset),
            FormField::new("Entity type", &mut self.entity_type)
                .with_size(u16::MAX, self.type_lines),
            FormField::new("Entity", &mut self.entity)
                .with_note(None, "Id, or empty for any")
                .with_size(40, 1),
        ];
        Form { focus: &mut self.focus, fields, buttons: &BUTTONS }
    }

    /// Draws the fault, or the scopes to add with the warning about `*`.
    fn draw_summary(&self, line: u16, area: Rect, canvas: &mut Canvas<'_>) {
        let theme = &canvas.ctx.theme;
        if let Some(fault) = &self.fault {
            return form::draw_fault(fault, line, area, canvas);
        }
        let missing = match self.missing_scopes() {
            Ok(missing) => missing,
            Err(error) => {
                // Do not draw the error as a fault, because the operator may still be typing the
                // entity.
                let lines = (line, SUMMARY_LINES + 1);
                form::draw_wrapped(&error.to_string(), lines, theme.faint, area, canvas);
                return;
            }
        };
        form::draw_wrapped(
            &describe_scopes(&missing),
            (line, SUMMARY_LINES),
            theme.good,
            area,
            canvas,
        );
        if let Some(warning) = wildcard_warning(&missing) {
            form::draw_warning(&warning, line + SUMMARY_LINES, area, canvas);
        }
    }
}

impl Dialog for ScopePresetDialog {
    fn form(&mut self) -> Option<Form<'_>> {
        Some(self.inputs())
    }

    fn buttons(&self) -> &[&'static str] {
        &BUTTONS
    }

    fn submit(&mut self, _: &Model) -> Option<Effect> {
        let scopes = self.missing_scopes();
        match (scopes, self.target) {
            (Ok(scopes), PresetTarget::Token(id)) => Some(Effect::request(add(id, scopes))),
            (Ok(scopes), PresetTarget::Changes) => Some(Effect::Ui(UiChange::AddToChanges(scopes))),
            (Ok(scopes), PresetTarget::FormRows) => {
                Some(Effect::Ui(UiChange::FillScopes { row: None, scopes }))
            }
            (Err(error), _) => {
                self.focus.index = match error {
                    ScopePresetError::NeedsType { .. } => ENTITY_TYPE,
                    ScopePresetError::Scope(_) => ENTITY,
                    _ => self.focus.index,
                };
                self.show_fault(error.to_string());
                None
            }
        }
    }

    fn on_edit(&mut self) {
        if self.focus.index == PRESET {
            self.update_types();
        }
        self.fault = None;
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let ctx = canvas.ctx;
        let wide = 70.min(area.width.saturating_sub(6));
        self.type_lines = self.max_type_lines(wide.saturating_sub(form::LABEL_WIDTH));
        let tight = FormSpacing { is_compact: true, ..FormSpacing::default() };
        if area.height < self.inputs().height(wide, tight, ctx) + SUMMARY_LINES + 4 {
            // Too few lines to keep any free.
            self.type_lines = 1;
        }
        let form = self.inputs();
        let is_tight = area.height < form.height(wide, tight, ctx) + SUMMARY_LINES + 8;
        let layout = FormSpacing { top: u16::from(!is_tight), is_compact: is_tight, gap: 0 };
        let content = layout.top + form.height(wide, layout, ctx) + SUMMARY_LINES + 2;
        let high = layout.top + content + 1;
        let inner = panel::draw(&self.title, (wide, high), false, area, canvas);
        let mut offscreen_canvas = OffscreenCanvas::new(inner, content, ctx);
        let (inner, page) = (offscreen_canvas.content.area, &mut offscreen_canvas.canvas(ctx));
        let form = self.inputs();
        let (line, cursor) = form.draw(layout, inner, page);
        let cursor = cursor.or(form.draw_buttons(inner, page));
        self.draw_summary(line, inner, page);
        offscreen_canvas.blit(cursor, canvas)
    }

    /// Disables [`Action::CopyCommand`] for scopes that go to another screen, because that is no command.
    fn enables(&self, action: Action) -> bool {
        action != Action::CopyCommand || matches!(self.target, PresetTarget::Token(_))
    }

    fn request(&self, _: &Model) -> Option<ServiceRequest> {
        match self.target {
            PresetTarget::Token(id) => Some(add(id, self.missing_scopes().ok()?)),
            PresetTarget::Changes | PresetTarget::FormRows => None,
        }
    }

    fn show_fault(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}

/// The entity types of `preset`, of which the first stands for all.
fn type_choice(preset: &ScopePreset, catalogue: &ScopeCatalogue) -> RadioGroup {
    let types = preset.types(catalogue).map(EntityType::as_str);
    RadioGroup::new([EVERY].into_iter().chain(types), 0)
}

fn add(token: TokenId, scopes: Vec<Scope>) -> ServiceRequest {
    ServiceRequest::execute(Command::AddScopes { tokens: vec![token], scopes })
}
