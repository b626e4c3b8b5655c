//! The fields that name scopes: entity type, entity, operations, domain. Only operations that
//! the type offers can be ticked. Shared by the dialog that adds scopes and the one that tests.

use super::paint::Canvas;
use ratatui::{
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::{Position, Rect},
};

use super::{
    checkbox_group::CheckboxGroup,
    field::Field,
    form::{Focus, Form, FormField, FormInput, Layout},
    panel,
    radio_group::RadioGroup,
    scroll_view::ScrollView,
};
use crate::domain::{Catalogue, Domain, Entity, EntityType, Operation, Scope, ScopeError};

/// The numbers of the inputs.
const ENTITY_TYPE: usize = 0;
const ENTITY: usize = 1;
const DOMAIN: usize = 3;
pub const COUNT: usize = 4;

/// How many operations are asked for.
#[derive(Debug)]
enum Operations {
    /// Any number: one scope each.
    Several(CheckboxGroup),
    /// Just one: a request.
    One(RadioGroup),
}

#[derive(Debug)]
pub struct ScopeFields {
    catalogue: Catalogue,
    entity_type: RadioGroup,
    entity: Field,
    operations: Operations,
    domain: Field,
    /// By the number of the input.
    faults: [Option<String>; COUNT],
    /// Which input has the focus.
    pub focus: Focus,
    /// Whether the last frame had no room for notes.
    is_tight: bool,
}

impl ScopeFields {
    /// Fields for any number of scopes, starting with those of `scopes`, which name the same
    /// entity; with none of them, on the first type and `*`.
    pub fn several(catalogue: &Catalogue, scopes: &[Scope]) -> Self {
        let ticked = scopes.iter().map(|scope| scope.operation.to_string()).collect::<Vec<_>>();
        let mut fields = Self::made(catalogue, scopes.first());
        fields.operations = Operations::Several(CheckboxGroup::new(fields.offered(), &ticked));
        fields
    }

    /// Fields for just one request, starting with `scope`.
    pub fn one(catalogue: &Catalogue, scope: Option<&Scope>) -> Self {
        let mut fields = Self::made(catalogue, scope);
        let mut choice = RadioGroup::new(fields.offered(), 0);
        if let Some(scope) = scope {
            choice.choose(scope.operation.as_str());
        }
        fields.operations = Operations::One(choice);
        fields
    }

    fn made(catalogue: &Catalogue, scope: Option<&Scope>) -> Self {
        let words = catalogue.offers.iter().map(|offer| offer.entity_type.as_str());
        let mut entity_type = RadioGroup::new(words, 0);
        if let Some(scope) = scope {
            entity_type.choose(scope.entity_type.as_str());
        }
        let domain = scope.and_then(|scope| scope.domain.as_ref()).map_or("", Domain::as_str);
        Self {
            catalogue: catalogue.clone(),
            entity_type,
            entity: Field::line(scope.map_or("*", |scope| scope.entity.as_str())),
            operations: Operations::Several(CheckboxGroup::default()),
            domain: Field::line(domain),
            faults: [const { None }; COUNT],
            focus: Focus::default(),
            is_tight: false,
        }
    }

    fn offered(&self) -> Vec<&str> {
        let offer = self.catalogue.offers.get(self.entity_type.chosen());
        offer
            .map_or_else(Vec::new, |offer| offer.operations.iter().map(Operation::as_str).collect())
    }

    /// The entities of the chosen type that are known by name, those first that start with
    /// what is typed.
    fn known(&self) -> Vec<String> {
        let offer = self.catalogue.offers.get(self.entity_type.chosen());
        let typed = self.entity.text();
        let mut known = offer.map_or_else(Vec::new, |offer| offer.entities.clone());
        known.sort_by_key(|entity| !entity.starts_with(typed.trim()));
        known
    }

    /// The scopes that the fields name; else each fault is noted beside its field, and the first
    /// one has the focus.
    pub fn scopes(&mut self) -> Option<Vec<Scope>> {
        let (entity, domain, operations) = self.parsed();
        let text = |fault: &ScopeError| fault.to_string();
        self.faults = [
            None,
            entity.as_ref().err().map(text),
            operations.is_empty().then(|| "tick at least one operation with Space".to_owned()),
            domain.as_ref().err().map(text),
        ];
        let scopes = self.named();
        if scopes.is_none() {
            self.focus.at = self.faults.iter().position(Option::is_some).unwrap_or(ENTITY_TYPE);
        }
        scopes
    }

    /// The scopes that the fields name, if nothing is wrong with them.
    pub fn named(&self) -> Option<Vec<Scope>> {
        let (entity, domain, operations) = self.parsed();
        let entity_type = EntityType::parse(self.entity_type.as_str()).ok()?;
        let (entity, domain) = (entity.ok()?, domain.ok()?);
        let scopes: Vec<Scope> = operations
            .into_iter()
            .map(|operation| Scope {
                entity_type,
                entity: entity.clone(),
                operation,
                domain: domain.clone(),
            })
            .collect();
        (!scopes.is_empty()).then_some(scopes)
    }

    #[expect(clippy::type_complexity, reason = "the three parts, each as it was read")]
    fn parsed(
        &self,
    ) -> (Result<Entity, ScopeError>, Result<Option<Domain>, ScopeError>, Vec<Operation>) {
        let text = self.domain.text();
        let domain = if text.trim().is_empty() { Ok(None) } else { Domain::parse(&text).map(Some) };
        let words = match &self.operations {
            Operations::Several(checks) => checks.ticked(),
            Operations::One(choice) => vec![choice.as_str().to_owned()],
        };
        let operations = words.iter().filter_map(|word| Operation::parse(word).ok()).collect();
        (Entity::parse(&self.entity.text()), domain, operations)
    }

    /// The form of the inputs, with these buttons.
    pub fn form<'a>(&'a mut self, buttons: &'a [&'static str]) -> Form<'a> {
        let (entity_hint, domain_hint) = (self.entity_hint(), self.domain_hint());
        let (label, hint, operations): (_, _, &mut dyn FormInput) = match &mut self.operations {
            Operations::Several(checks) => {
                ("Operations *", "Space ticks, * ticks all; one scope for each", checks)
            }
            Operations::One(choice) => ("Operation *", "arrows or its first letter choose", choice),
        };
        let [type_fault, entity_fault, operations_fault, domain_fault] =
            self.faults.each_ref().map(Option::as_ref);
        let fields = vec![
            FormField::new("Entity type", &mut self.entity_type).note(type_fault, ""),
            FormField::new("Entity *", &mut self.entity)
                .note(entity_fault, entity_hint)
                .sized(40, 1),
            FormField::new(label, operations).note(operations_fault, hint),
            FormField::new("Domain", &mut self.domain).note(domain_fault, domain_hint).sized(40, 1),
        ];
        Form { focus: &mut self.focus, fields, buttons }
    }

    /// Answers a key; whether anything changed. `Ctrl-N` takes the next known entity or domain.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        self.faults = [const { None }; COUNT];
        let at = self.focus.at;
        if key.code == KeyCode::Char('n') && key.modifiers == KeyModifiers::CONTROL {
            let known = if at == ENTITY { self.known() } else { self.domains() };
            return match at {
                ENTITY => take_next(&mut self.entity, &known),
                DOMAIN => take_next(&mut self.domain, &known),
                _ => false,
            };
        }
        let changed = self.form(&[]).press(key);
        if changed && at == ENTITY_TYPE {
            self.offer_again();
        }
        changed
    }

    /// Another type offers other operations: those ticked that it has stay ticked.
    fn offer_again(&mut self) {
        self.operations = match &self.operations {
            Operations::Several(checks) => {
                Operations::Several(CheckboxGroup::new(self.offered(), &checks.ticked()))
            }
            Operations::One(choice) => {
                let mut again = RadioGroup::new(self.offered(), 0);
                again.choose(choice.as_str());
                Operations::One(again)
            }
        };
    }

    /// The first fault, where there is no room for it beside its field.
    pub fn hidden_fault(&self) -> Option<&str> {
        self.faults.iter().flatten().next().filter(|_| self.is_tight).map(String::as_str)
    }

    /// Draws a panel with the inputs, which may be scrolled, and `below` lines under them that
    /// stay in sight; the area in the panel, the first of those lines and the place of the cursor.
    pub fn draw_panel(
        &mut self,
        title: &str,
        below: u16,
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) -> (Rect, u16, Option<Position>) {
        let ctx = canvas.ctx;
        let wide = 70.min(area.width.saturating_sub(6));
        let form = self.form(&[]);
        let is_tight = area.height < form.height(wide, Layout::default()) + below + 4;
        let layout = Layout { top: u16::from(!is_tight), is_tight, gap: 0 };
        let fields = form.height(wide, layout) + layout.top;
        let inner = panel::draw(title, (wide, fields + below + 1), false, area, canvas);
        let line = fields.min(inner.height - below.min(inner.height / 2));
        let mut sheet = ScrollView::new(Rect { height: line, ..inner }, fields, ctx);
        let (_, cursor) = form.draw(layout, sheet.page.area, &mut sheet.canvas(ctx));
        self.is_tight = is_tight;
        (inner, line, sheet.lay(cursor, canvas))
    }

    fn entity_hint(&self) -> String {
        match self.known().as_slice() {
            [] => "an id, or * for any of this type".to_owned(),
            known => format!("* for any; Ctrl-N takes: {}", known.join(" ")),
        }
    }

    fn domain_hint(&self) -> String {
        match self.domains().as_slice() {
            [] => "leave it empty to hold in every domain".to_owned(),
            known => format!("empty: every domain; Ctrl-N takes: {}", known.join(" ")),
        }
    }

    fn domains(&self) -> Vec<String> {
        self.catalogue.domains.iter().map(ToString::to_string).collect()
    }
}

/// Puts the one of `known` into `field` that follows what stands in it; whether there is one.
fn take_next(field: &mut Field, known: &[String]) -> bool {
    let typed = field.text();
    let current = known.iter().position(|text| *text == typed);
    let next = known.get(current.map_or(0, |at| (at + 1) % known.len().max(1)));
    if let Some(text) = next {
        field.set(text);
    }
    next.is_some()
}
