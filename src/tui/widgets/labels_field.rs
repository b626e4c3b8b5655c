//! Input for the labels and the owner of a token: two text fields, which take one line while another
//! input has the focus. The note below shows the fault or a hint. The create form and the edit dialog
//! share it.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{
    canvas::Canvas,
    form::{FieldNote, FormInput},
    text_group::TextGroup,
};
use crate::{
    domain::{Actor, LabelChanges, Labels, Owner, Token},
    tui::app::model::Model,
};

/// Hit-map number of the first text field, far from those of the other inputs.
const FIRST_FIELD: usize = usize::MAX - 20;

/// Index of the labels.
const LABELS: usize = 0;
/// Index of the owner.
const OWNER: usize = 1;

/// The text fields of labels and owner.
#[derive(Debug)]
pub struct LabelsField {
    fields: TextGroup<2>,
    /// The values at the start.
    original: (Labels, Owner),
    /// The owner if no owner is entered.
    creator: String,
}

impl LabelsField {
    /// Starts with the labels and the owner of an existing token.
    pub fn of_token(token: &Token) -> Self {
        let creator = Actor::account(&token.created_by);
        Self::new(token.labels.clone(), token.owner.clone(), creator)
    }

    /// Starts with those of a new token.
    pub fn of_new_token(labels: &Labels, owner: &Owner) -> Self {
        Self::new(labels.clone(), owner.clone(), "you".to_owned())
    }

    fn new(labels: Labels, owner: Owner, creator: String) -> Self {
        let texts = [labels.to_string(), owner.as_str().to_owned()];
        let fields = TextGroup::new(["labels", "owner"], texts, FIRST_FIELD);
        Self { fields, original: (labels, owner), creator }
    }

    /// The entered texts, without surrounding blanks.
    pub fn texts(&self) -> [String; 2] {
        self.fields.texts()
    }

    /// Tells the input whether it has the focus. Without it, the input takes one line.
    pub fn set_focused(&mut self, is_focused: bool) {
        self.fields.set_focused(is_focused);
    }

    /// Shows `fault` below the fields until the next change.
    pub fn set_fault(&mut self, fault: String) {
        self.fields.set_fault(fault);
    }

    /// The entered labels and the owner. `None` while a text is invalid.
    pub fn values(&self) -> Option<(Labels, Owner)> {
        self.parse().ok()
    }

    /// The changes of the labels and the new owner, if it changed. `None` while a text is invalid.
    pub fn changes(&self) -> Option<(LabelChanges, Option<Owner>)> {
        let (labels, owner) = self.values()?;
        let changes = LabelChanges::between(&self.original.0, &labels);
        Some((changes, Some(owner).filter(|owner| *owner != self.original.1)))
    }

    /// Moves the focus to the first text field with a fault.
    pub fn focus_fault(&mut self) {
        if let Err((field, _)) = self.parse() {
            self.fields.select(field);
        }
    }

    /// Parses the texts. An error contains the index of the text field.
    fn parse(&self) -> Result<(Labels, Owner), (usize, String)> {
        let [labels, owner] = self.texts();
        let labels = labels.parse::<Labels>().map_err(|error| (LABELS, error.to_string()))?;
        let owner = Owner::parse(&owner).map_err(|error| (OWNER, error.to_string()))?;
        Ok((labels, owner))
    }

    fn hint(&self) -> String {
        if self.fields.selected() == OWNER {
            format!("owner: a person or a team. Empty: {}", self.creator)
        } else {
            "labels: KEY=VALUE with commas between, e.g. team=edge, env=prod".to_owned()
        }
    }

    /// Labels and owner in one line.
    fn summary(&self) -> String {
        let [labels, owner] = self.texts();
        let labels = if labels.is_empty() { "none" } else { &labels };
        let owner = if owner.is_empty() { &self.creator } else { &owner };
        format!("{labels}; owned by {owner}")
    }
}

impl FormInput for LabelsField {
    fn step(&mut self, down: bool) -> bool {
        self.fields.step(down)
    }

    fn enter(&mut self, _from_above: bool) {
        self.fields.enter();
    }

    fn open(&mut self) -> bool {
        self.fields.open()
    }

    fn focus_inner_field(&mut self, field: usize) -> bool {
        self.fields.focus_inner_field(field)
    }

    fn press(&mut self, key: KeyEvent) -> bool {
        self.fields.press(key)
    }

    fn paste(&mut self, text: &str) -> bool {
        self.fields.paste(text)
    }

    fn note(&self, _ctx: &Model) -> Option<FieldNote> {
        Some(self.fields.note(self.parse().err(), || self.hint()))
    }

    fn height(&self, _columns: u16) -> u16 {
        self.fields.height()
    }

    fn draw(&self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        self.fields.draw(&self.summary(), area, canvas, focused)
    }
}
