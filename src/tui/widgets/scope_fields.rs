//! Inputs for scopes: entity type, entity, operations and domain. Offers only the operations that
//! the catalogue lists for the entity type. The scope, preset and access-check dialogs share it.

use super::canvas::Canvas;
use ratatui::{
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::{Position, Rect},
};

use super::{
    checkbox_group::CheckboxGroup,
    entity_field::EntityField,
    form::{Form, FormField, FormFocus, FormInput, FormSpacing},
    offscreen_canvas::OffscreenCanvas,
    panel,
    radio_group::RadioGroup,
    text_input::TextInput,
};
use crate::domain::{Domain, Entity, EntityType, Operation, Scope, ScopeCatalogue, ScopeError};

/// Index of the entity type input in the form.
const ENTITY_TYPE: usize = 0;
/// Index of the domain input in the form.
const DOMAIN: usize = 3;
/// Number of inputs for a scope.
const INPUT_COUNT: usize = 4;

/// Input for the operations.
#[derive(Debug)]
enum OperationPicker {
    /// Any number of operations. Each selected operation becomes a scope.
    Multiple(CheckboxGroup),
    /// Exactly one operation, for an access request.
    Single(RadioGroup),
}

/// The inputs, their faults and the focus.
#[derive(Debug)]
pub struct ScopeFields {
    catalogue: ScopeCatalogue,
    entity_type: RadioGroup,
    entity: EntityField,
    /// The entity type and the entity at the start.
    original: (String, String),
    /// The entities that tokens of the store use for the selected type, most used first.
    used_entities: Vec<String>,
    operations: OperationPicker,
    domain: TextInput,
    /// The address of the bearer, for an access request to a token with allowed networks.
    source: Option<TextInput>,
    /// Fault of each input, by the index of the input.
    faults: [Option<String>; INPUT_COUNT],
    pub focus: FormFocus,
    /// Whether the last frame left out the note lines.
    is_compact: bool,
}

impl ScopeFields {
    /// Creates inputs for any number of scopes and fills them in from `scopes`. All `scopes` must
    /// have the same entity type, entity and domain. If `scopes` is empty, the inputs contain the
    /// first entity type and any entity. An input stays empty if its value can no longer be
    /// granted, because the value contains `*` beside other characters.
    pub fn for_scopes(catalogue: &ScopeCatalogue, scopes: &[Scope]) -> Self {
        let checked = scopes.iter().map(|scope| scope.operation.to_string()).collect::<Vec<_>>();
        Self::with_checked(catalogue, scopes.first(), &checked)
    }

    /// Creates inputs for more scopes like `scope`: without an operation, and otherwise as
    /// [`Self::for_scopes`] fills them in.
    pub fn for_more_scopes(catalogue: &ScopeCatalogue, scope: Option<&Scope>) -> Self {
        Self::with_checked(catalogue, scope, &[])
    }

    fn with_checked(catalogue: &ScopeCatalogue, scope: Option<&Scope>, checked: &[String]) -> Self {
        let mut fields = Self::with_scope(catalogue, scope, true);
        fields.operations =
            OperationPicker::Multiple(CheckboxGroup::new(fields.offered_operations(), checked));
        fields
    }

    /// Inputs for one access request, starting with `scope`, and for the address of the bearer if
    /// `has_source`.
    pub fn for_request(
        catalogue: &ScopeCatalogue,
        scope: Option<&Scope>,
        has_source: bool,
    ) -> Self {
        let mut fields = Self::with_scope(catalogue, scope, false);
        let mut choice = RadioGroup::new(fields.offered_operations(), 0);
        if let Some(scope) = scope {
            choice.select(scope.operation.as_str());
        }
        fields.operations = OperationPicker::Single(choice);
        fields.source = has_source.then(|| TextInput::single_line(""));
        fields
    }

    fn with_scope(catalogue: &ScopeCatalogue, scope: Option<&Scope>, is_list: bool) -> Self {
        let labels = catalogue.entity_types.iter().map(|offer| offer.entity_type.as_str());
        let mut entity_type = RadioGroup::new(labels, 0);
        if let Some(scope) = scope {
            entity_type.select(scope.entity_type.as_str());
        }
        let entity = scope.map_or("*", |scope| scope.entity.as_str());
        let domain = scope.and_then(|scope| scope.domain.as_ref()).map_or("", Domain::as_str);
        let entity = if Entity::parse(entity).is_ok() { entity } else { "" };
        let domain = if Domain::parse(domain).is_ok() { domain } else { "" };
        let original = (entity_type.selected_label().to_owned(), entity.to_owned());
        let mut fields = Self {
            catalogue: catalogue.clone(),
            entity_type,
            entity: EntityField::new(entity, is_list),
            original,
            used_entities: Vec::new(),
            operations: OperationPicker::Multiple(CheckboxGroup::default()),
            domain: TextInput::preselected(domain),
            source: None,
            faults: [const { None }; INPUT_COUNT],
            focus: FormFocus::default(),
            is_compact: false,
        };
        fields.refresh_suggestions();
        fields
    }

    /// The selected entity type.
    pub fn entity_type(&self) -> Option<EntityType> {
        EntityType::parse(self.entity_type.selected_label()).ok()
    }

    /// Offers `entities`, which tokens of the store use for `entity_type`, most used first. Ignores
    /// them if another type was selected meanwhile.
    pub fn set_used_entities(&mut self, entity_type: EntityType, entities: Vec<String>) {
        if self.entity_type() == Some(entity_type) {
            self.used_entities = entities;
            self.refresh_suggestions();
        }
    }

    /// Suggests the used entities, then the others that the catalogue lists for the selected type.
    fn refresh_suggestions(&mut self) {
        let offer = self.catalogue.entity_types.get(self.entity_type.selected_index());
        let mut all = self.used_entities.clone();
        let listed = offer.into_iter().flat_map(|offer| &offer.entities);
        all.extend(listed.filter(|entity| !self.used_entities.contains(entity)).cloned());
        self.entity.set_suggestions(all);
    }

    /// The number of inputs in the form.
    pub fn input_count(&self) -> usize {
        INPUT_COUNT + usize::from(self.source.is_some())
    }

    /// The entered address of the bearer. `None` if it is empty.
    pub fn source(&self) -> Option<String> {
        let text = self.source.as_ref()?.text().trim().to_owned();
        Some(text).filter(|text| !text.is_empty())
    }

    fn offered_operations(&self) -> Vec<&str> {
        let offer = self.catalogue.entity_types.get(self.entity_type.selected_index());
        offer
            .map_or_else(Vec::new, |offer| offer.operations.iter().map(Operation::as_str).collect())
    }

    /// Validates the inputs and returns the scopes. If an input is invalid, returns `None`, shows
    /// the fault below each invalid input and focuses the first invalid input.
    pub fn validate(&mut self) -> Option<Vec<Scope>> {
        let (entities, domain, operations) = self.parse_inputs();
        let text = |fault: &ScopeError| fault.to_string();
        self.entity.set_fault(entities.as_ref().err().map(text));
        self.faults = [
            None,
            entities.as_ref().err().map(text),
            operations.is_empty().then(|| "Select at least one operation with Space".to_owned()),
            domain.as_ref().err().map(text),
        ];
        let scopes = self.valid_scopes();
        if scopes.is_none() {
            self.focus.index = self.faults.iter().position(Option::is_some).unwrap_or(ENTITY_TYPE);
        }
        scopes
    }

    /// Returns the scopes if all inputs are valid. Does not change the faults or the focus.
    pub fn valid_scopes(&self) -> Option<Vec<Scope>> {
        let (entities, domain, operations) = self.parse_inputs();
        let entity_type = self.entity_type()?;
        let (entities, domain) = (entities.ok()?, domain.ok()?);
        let scope = |entity: &Entity, operation: &Operation| Scope {
            entity_type,
            entity: entity.clone(),
            operation: *operation,
            domain: domain.clone(),
        };
        let of_entity = |entity| operations.iter().map(move |operation| scope(entity, operation));
        let scopes: Vec<Scope> = entities.iter().flat_map(of_entity).collect();
        (!scopes.is_empty()).then_some(scopes)
    }

    #[expect(clippy::type_complexity, reason = "three independent results, used in two places")]
    fn parse_inputs(
        &self,
    ) -> (Result<Vec<Entity>, ScopeError>, Result<Option<Domain>, ScopeError>, Vec<Operation>) {
        let text = self.domain.text();
        let domain = if text.trim().is_empty() { Ok(None) } else { Domain::parse(&text).map(Some) };
        let labels = match &self.operations {
            OperationPicker::Multiple(checks) => checks.checked_labels(),
            OperationPicker::Single(choice) => vec![choice.selected_label().to_owned()],
        };
        let operations = labels.iter().filter_map(|label| Operation::parse(label).ok()).collect();
        (self.entity.entities(), domain, operations)
    }

    /// Builds the form from the inputs. `buttons` are the labels of its buttons.
    pub fn form<'a>(&'a mut self, buttons: &'a [&'static str]) -> Form<'a> {
        let domain_hint = self.domain_hint();
        let (entity_label, label, hint, operations): (_, _, _, &mut dyn FormInput) =
            match &mut self.operations {
                OperationPicker::Multiple(checks) => (
                    "Entities",
                    "Operations *",
                    "Space toggles, letters go to a name, * toggles all",
                    checks,
                ),
                OperationPicker::Single(choice) => {
                    ("Entity", "Operation *", "Choose with Left/Right or its first letters", choice)
                }
            };
        let [type_fault, _, operations_fault, domain_fault] =
            self.faults.each_ref().map(Option::as_ref);
        let mut fields = vec![
            FormField::new("Entity type", &mut self.entity_type).with_note(type_fault, ""),
            FormField::new(entity_label, &mut self.entity).with_note(None, "").with_size(40, 1),
            FormField::new(label, operations).with_note(operations_fault, hint),
            FormField::new("Domain", &mut self.domain)
                .with_note(domain_fault, domain_hint)
                .with_size(40, 1),
        ];
        let source = self.source.as_mut().map(|source| FormField::new("From", source));
        let hint = "Address of the bearer, e.g. 192.0.2.7";
        fields.extend(source.map(|field| field.with_note(None, hint).with_size(40, 1)));
        Form { focus: &mut self.focus, fields, buttons }
    }

    /// Handles a key; returns whether anything changed. `Ctrl-N` fills in the next suggested
    /// domain.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        self.faults = [const { None }; INPUT_COUNT];
        self.entity.set_fault(None);
        let at = self.focus.index;
        let is_next = key.code == KeyCode::Char('n') && key.modifiers == KeyModifiers::CONTROL;
        if is_next && at == DOMAIN {
            let suggestions = self.suggested_domains();
            return fill_next_suggestion(&mut self.domain, &suggestions);
        }
        let changed = self.form(&[]).press(key);
        if changed && at == ENTITY_TYPE {
            self.refresh_operations();
            let (entity_type, entity) = &self.original;
            let is_back = self.entity_type.selected_label() == entity_type;
            self.entity.replace_untouched(if is_back { entity } else { "" });
            self.used_entities.clear();
            self.refresh_suggestions();
        }
        changed
    }

    /// Offers the operations of the selected entity type. Operations that this type also offers
    /// stay selected.
    fn refresh_operations(&mut self) {
        self.operations = match &self.operations {
            OperationPicker::Multiple(checks) => OperationPicker::Multiple(CheckboxGroup::new(
                self.offered_operations(),
                &checks.checked_labels(),
            )),
            OperationPicker::Single(choice) => {
                let mut again = RadioGroup::new(self.offered_operations(), 0);
                again.select(choice.selected_label());
                OperationPicker::Single(again)
            }
        };
    }

    /// Returns the first fault if the last frame left out the note lines. The dialog then shows
    /// this fault elsewhere.
    pub fn hidden_fault(&self) -> Option<&str> {
        self.faults.iter().flatten().next().filter(|_| self.is_compact).map(String::as_str)
    }

    /// Draws a panel with the inputs, scrolled if needed, and `below` fixed lines under them. If the
    /// inputs do not fit, they get those of the fixed lines that are not `used`. Returns the inner area of the panel, the first fixed line and the cursor position.
    pub fn draw_panel(
        &mut self,
        title: &str,
        (below, used): (u16, u16),
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) -> (Rect, u16, Option<Position>) {
        let ctx = canvas.ctx;
        let wide = 70.min(area.width.saturating_sub(6));
        let form = self.form(&[]);
        let is_tight = area.height < form.height(wide, FormSpacing::default(), ctx) + below + 4;
        let layout = FormSpacing { top: u16::from(!is_tight), is_compact: is_tight, gap: 0 };
        let fields = form.height(wide, layout, ctx) + layout.top;
        let inner = panel::draw(title, (wide, fields + below + 1), false, area, canvas);
        let line = fields.min(inner.height - used.min(inner.height / 2));
        let mut view = OffscreenCanvas::new(Rect { height: line, ..inner }, fields, ctx);
        let (_, cursor) = form.draw(layout, view.content.area, &mut view.canvas(ctx));
        self.is_compact = is_tight;
        (inner, line, view.blit(cursor, canvas))
    }

    fn domain_hint(&self) -> String {
        match self.suggested_domains().as_slice() {
            [] => "Leave empty for any domain".to_owned(),
            known => format!("Leave empty for any domain. Ctrl-N fills in: {}", known.join(" ")),
        }
    }

    fn suggested_domains(&self) -> Vec<String> {
        self.catalogue.domains.iter().map(ToString::to_string).collect()
    }
}

/// Replaces the text of `field` by the suggestion after this text in the list, or by the first
/// suggestion if the text is not a suggestion. Returns `false` if there are no suggestions.
fn fill_next_suggestion(field: &mut TextInput, suggestions: &[String]) -> bool {
    let typed = field.text();
    let current = suggestions.iter().position(|text| *text == typed);
    let next = suggestions.get(current.map_or(0, |at| (at + 1) % suggestions.len().max(1)));
    if let Some(text) = next {
        field.set_text(text);
    }
    next.is_some()
}
