//! The fields that name scopes: entity type, entity, operations, domain. Only operations that
//! the type offers can be ticked. Shared by the dialog that adds scopes and the one that tests.

use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent},
    layout::{Position, Rect},
};

use super::{
    checks::Checks,
    choice::Choice,
    field::Field,
    form::{LABELS, Note, labelled, note},
};
use crate::{
    domain::{Catalogue, Domain, Entity, EntityType, Operation, Scope, ScopeError},
    tui::app::view_context::ViewContext,
};

/// Which field has the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The entity type.
    EntityType,
    /// The entity.
    Entity,
    /// The operations.
    Operations,
    /// The domain.
    Domain,
}

/// How many operations are asked for.
#[derive(Debug)]
enum Operations {
    /// Any number: one scope each.
    Several(Checks),
    /// Just one: a request.
    One(Choice),
}

/// A few scopes, being named.
#[derive(Debug)]
pub struct ScopeFields {
    catalogue: Catalogue,
    entity_type: Choice,
    entity: Field,
    operations: Operations,
    domain: Field,
    faults: [Option<String>; 4],
}

impl ScopeFields {
    /// Fields for any number of scopes, starting with those of `scopes`, which name the same
    /// entity; with none of them, on the first type and `*`.
    pub fn several(catalogue: &Catalogue, scopes: &[Scope]) -> Self {
        let ticked = scopes.iter().map(|scope| scope.operation.to_string()).collect::<Vec<_>>();
        let mut fields = Self::made(catalogue, scopes.first());
        fields.operations = Operations::Several(Checks::new(fields.offered(), &ticked));
        fields
    }

    /// Fields for just one request, starting with `scope`.
    pub fn one(catalogue: &Catalogue, scope: Option<&Scope>) -> Self {
        let mut fields = Self::made(catalogue, scope);
        let mut choice = Choice::new(fields.offered(), 0);
        if let Some(scope) = scope {
            choice.choose(scope.operation.as_str());
        }
        fields.operations = Operations::One(choice);
        fields
    }

    fn made(catalogue: &Catalogue, scope: Option<&Scope>) -> Self {
        let words = catalogue.offers.iter().map(|offer| offer.entity_type.as_str());
        let mut entity_type = Choice::new(words, 0);
        if let Some(scope) = scope {
            entity_type.choose(scope.entity_type.as_str());
        }
        let domain = scope.and_then(|scope| scope.domain.as_ref()).map_or("", Domain::as_str);
        Self {
            catalogue: catalogue.clone(),
            entity_type,
            entity: Field::line(scope.map_or("*", |scope| scope.entity.as_str())),
            operations: Operations::Several(Checks::default()),
            domain: Field::line(domain),
            faults: [const { None }; 4],
        }
    }

    fn offered(&self) -> Vec<&str> {
        let offer = self.catalogue.offers.get(self.entity_type.chosen());
        offer
            .map_or_else(Vec::new, |offer| offer.operations.iter().map(Operation::as_str).collect())
    }

    /// The entities of the chosen type that are known by name, those first that start with
    /// what is typed.
    fn known(&self) -> Vec<&str> {
        let offer = self.catalogue.offers.get(self.entity_type.chosen());
        let typed = self.entity.text();
        let mut known: Vec<&str> = offer
            .map_or_else(Vec::new, |offer| offer.entities.iter().map(String::as_str).collect());
        known.sort_by_key(|entity| !entity.starts_with(typed.trim()));
        known
    }

    /// The scopes that the fields name; else the first faulty part, with each fault noted
    /// beside its field.
    pub fn scopes(&mut self) -> Result<Vec<Scope>, Part> {
        let (entity, domain, operations) = self.parsed();
        let say = |fault: &ScopeError| Some(fault.to_string());
        self.faults = [
            None,
            entity.as_ref().err().and_then(say),
            operations.is_empty().then(|| "tick at least one operation with Space".to_owned()),
            domain.as_ref().err().and_then(say),
        ];
        let faulty = [Part::Entity, Part::Operations, Part::Domain]
            .into_iter()
            .find(|part| self.fault(*part).is_some());
        self.named().ok_or(faulty.unwrap_or(Part::EntityType))
    }

    /// The scopes that the fields name, if nothing is wrong with them.
    pub fn named(&self) -> Option<Vec<Scope>> {
        let (entity, domain, operations) = self.parsed();
        let entity_type = EntityType::parse(self.entity_type.word()).ok()?;
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
            Operations::One(choice) => vec![choice.word().to_owned()],
        };
        let operations = words.iter().filter_map(|word| Operation::parse(word).ok()).collect();
        (Entity::parse(&self.entity.text()), domain, operations)
    }

    fn fault(&self, part: Part) -> Option<&String> {
        let [entity_type, entity, operations, domain] = &self.faults;
        match part {
            Part::EntityType => entity_type.as_ref(),
            Part::Entity => entity.as_ref(),
            Part::Operations => operations.as_ref(),
            Part::Domain => domain.as_ref(),
        }
    }

    /// Answers a key on `part`; whether anything changed. `Ctrl-N` takes the next known entity
    /// or domain.
    pub fn press(&mut self, part: Part, key: KeyEvent) -> bool {
        self.faults = [const { None }; 4];
        let next = key.code == KeyCode::Char('n')
            && key.modifiers == ratatui::crossterm::event::KeyModifiers::CONTROL;
        match part {
            Part::EntityType => {
                let changed = self.entity_type.press(key);
                if changed {
                    self.offer_again();
                }
                changed
            }
            Part::Entity if next => {
                let known = self.known();
                let typed = self.entity.text();
                let following = known.iter().position(|entity| *entity == typed);
                let at = following.map_or(0, |at| (at + 1) % known.len().max(1));
                let text = known.get(at).map(|entity| (*entity).to_owned());
                text.map(|text| self.entity.set(&text)).is_some()
            }
            Part::Domain if next => {
                let typed = self.domain.text();
                let domains = &self.catalogue.domains;
                let following = domains.iter().position(|domain| domain.as_str() == typed);
                let at = following.map_or(0, |at| (at + 1) % domains.len().max(1));
                let text = domains.get(at).map(ToString::to_string);
                text.map(|text| self.domain.set(&text)).is_some()
            }
            Part::Entity => self.entity.press(key),
            Part::Operations => match &mut self.operations {
                Operations::Several(checks) => checks.press(key),
                Operations::One(choice) => choice.press(key),
            },
            Part::Domain => self.domain.press(key),
        }
    }

    /// Another type offers other operations: those ticked that it has stay ticked.
    fn offer_again(&mut self) {
        self.operations = match &self.operations {
            Operations::Several(checks) => {
                Operations::Several(Checks::new(self.offered(), &checks.ticked()))
            }
            Operations::One(choice) => {
                let mut again = Choice::new(self.offered(), 0);
                again.choose(choice.word());
                Operations::One(again)
            }
        };
    }

    /// Takes a paste into `part`, if it is a text.
    pub fn paste(&mut self, part: Part, text: &str) -> bool {
        match part {
            Part::Entity => self.entity.paste(text),
            Part::Domain => self.domain.paste(text),
            Part::EntityType | Part::Operations => return false,
        }
        true
    }

    /// The lines that they take at `columns`; `tight` leaves out what is under and between.
    pub fn height(&self, columns: u16, tight: bool) -> u16 {
        let room = columns.saturating_sub(LABELS);
        let choices = self.entity_type.height(room) + self.operations_height(room);
        choices + if tight { 2 } else { 6 }
    }

    /// The first fault, for a place of its own where they are drawn tight.
    pub fn first_fault(&self) -> Option<&str> {
        self.faults.iter().flatten().next().map(String::as_str)
    }

    fn operations_height(&self, room: u16) -> u16 {
        match &self.operations {
            Operations::Several(checks) => checks.height(room),
            Operations::One(choice) => choice.height(room),
        }
    }

    /// Draws them from line `line` of `area` on, `tight` as in [`ScopeFields::height`]; the
    /// place of the cursor.
    pub fn draw(
        &self,
        mut line: u16,
        (part, tight): (Option<Part>, bool),
        area: Rect,
        buf: &mut Buffer,
        ctx: &ViewContext<'_>,
    ) -> Option<Position> {
        let look = &ctx.look;
        let room = area.width.saturating_sub(LABELS);
        let gap = u16::from(!tight);
        let mut cursor = None;
        let rows = [
            (Part::EntityType, "Entity type", self.entity_type.height(room), String::new()),
            (Part::Entity, "Entity *", 1, self.entity_hint()),
            (
                Part::Operations,
                self.operations_label(),
                self.operations_height(room),
                self.operations_hint(),
            ),
            (Part::Domain, "Domain", 1, self.domain_hint()),
        ];
        for (this, label, high, hint) in rows {
            let focused = part == Some(this);
            let place = labelled(label, (this as usize, focused), (line, high), area, buf, ctx);
            cursor = cursor.or(self.draw_part(this, focused, place, buf, ctx));
            if !tight {
                note(&Note::of(self.fault(this), hint), line + high, area, buf, look);
            }
            line += high + gap;
        }
        cursor
    }

    fn draw_part(
        &self,
        part: Part,
        focused: bool,
        place: Rect,
        buf: &mut Buffer,
        ctx: &ViewContext<'_>,
    ) -> Option<Position> {
        let look = &ctx.look;
        let short = Rect { width: place.width.min(40), ..place };
        match (part, &self.operations) {
            (Part::EntityType, _) => self.entity_type.draw(place, buf, ctx, focused),
            (Part::Entity, _) => self.entity.draw(short, buf, look, focused),
            (Part::Operations, Operations::Several(it)) => it.draw(place, buf, ctx, focused),
            (Part::Operations, Operations::One(it)) => it.draw(place, buf, ctx, focused),
            (Part::Domain, _) => self.domain.draw(short, buf, look, focused),
        }
    }

    fn operations_label(&self) -> &'static str {
        match self.operations {
            Operations::Several(_) => "Operations *",
            Operations::One(_) => "Operation *",
        }
    }

    fn operations_hint(&self) -> String {
        match self.operations {
            Operations::Several(_) => "Space ticks, * ticks all; one scope for each",
            Operations::One(_) => "arrows or its first letter choose",
        }
        .to_owned()
    }

    fn entity_hint(&self) -> String {
        match self.known().as_slice() {
            [] => "an id, or * for any of this type".to_owned(),
            known => format!("* for any; Ctrl-N takes: {}", known.join(" ")),
        }
    }

    fn domain_hint(&self) -> String {
        match self.catalogue.domains.as_slice() {
            [] => "leave it empty to hold in every domain".to_owned(),
            known => {
                let known: Vec<_> = known.iter().map(Domain::as_str).collect();
                format!("empty: every domain; Ctrl-N takes: {}", known.join(" "))
            }
        }
    }
}

impl Part {
    /// All of them, in their order on the screen.
    pub const ALL: [Self; 4] = [Self::EntityType, Self::Entity, Self::Operations, Self::Domain];

    /// The part after this one, or before it; `None` past the ends.
    pub fn next(self, down: bool) -> Option<Self> {
        let at = Self::ALL.iter().position(|part| *part == self)?;
        let at = if down { at.checked_add(1)? } else { at.checked_sub(1)? };
        Self::ALL.get(at).copied()
    }
}
