//! The form that makes a token. Its draft is kept while the program runs; faults stand beside
//! their fields and nothing typed is lost.

use std::cmp::Ordering;

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{Overlay, scopes::ScopeDialog, tokens::over};
use crate::{
    domain::{Description, Name, Scope, Scopes, sentence::permits},
    keymap::{Action, Mode},
    service::{NewPat, ServiceError},
    tui::{
        effect::Effect,
        places::Press,
        step::{Step, Tab},
        view::View,
        widget::{
            buttons,
            field::Field,
            form::{LABELS, Note, labelled, note},
            lifetime::LifetimeField,
            paint::{Pen, band, row_of, wrap},
            rows::Rows,
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
    scopes: Vec<Vec<Scope>>,
    rows: Rows,
    focus: Focus,
    name_fault: Option<String>,
    description_fault: Option<String>,
    scope_fault: Option<String>,
}

impl Create {
    /// An empty form.
    pub fn new(view: &View<'_>) -> Self {
        Self {
            name: Field::line(""),
            lifetime: LifetimeField::new(view),
            description: Field::lines(""),
            scopes: Vec::new(),
            rows: Rows::default(),
            focus: Focus::Name,
            name_fault: None,
            description_fault: None,
            scope_fault: None,
        }
    }

    /// In which mode its keys are looked up.
    pub fn mode(&self) -> Mode {
        if self.focus == Focus::Scopes { Mode::Rows } else { Mode::Form }
    }

    /// Whether something was typed that leaving would lose, were the draft not kept.
    pub fn is_dirty(&self) -> bool {
        !self.name.is_empty() || !self.description.is_empty() || !self.scopes.is_empty()
    }

    /// Whether `action` has something to do here.
    pub fn enables(&self, action: Action) -> bool {
        match action {
            Action::ChangeRow | Action::RemoveRow => !self.scopes.is_empty(),
            _ => true,
        }
    }

    fn go(&mut self, down: bool) -> Step {
        let stays = match self.focus {
            Focus::Lifetime => self.lifetime.go(down),
            Focus::Description if !self.description.at_edge(down) => {
                self.description.move_line(down);
                true
            }
            Focus::Scopes => {
                let action = if down { Action::Down } else { Action::Up };
                self.rows.on(action, self.scopes.len()) == Some(true)
            }
            _ => false,
        };
        if !stays {
            self.leave(down);
        }
        Step::Changed
    }

    fn leave(&mut self, down: bool) {
        let at = ORDER.iter().position(|focus| *focus == self.focus).unwrap_or(0);
        let to = if down { at + 1 } else { at.saturating_sub(1) };
        self.focus = ORDER.get(to).copied().unwrap_or(self.focus);
        match self.focus {
            Focus::Lifetime => self.lifetime.enter(down),
            Focus::Scopes => self.rows.select(if down { 0 } else { self.scopes.len() }),
            _ => {}
        }
    }

    fn submit(&mut self, view: &View<'_>) -> Step {
        let name = Name::parse(&self.name.text());
        let description = Description::parse(&self.description.text());
        self.name_fault = name.as_ref().err().map(ToString::to_string);
        self.description_fault = description.as_ref().err().map(ToString::to_string);
        let lifetime = self.lifetime.submit(view);
        match (name, lifetime, description) {
            (Err(_), _, _) => self.focus = Focus::Name,
            (_, None, _) => {
                self.focus = Focus::Lifetime;
                self.lifetime.enter(false);
            }
            (_, _, Err(_)) => self.focus = Focus::Description,
            (Ok(name), Some(lifetime), Ok(description)) => {
                let scopes = self.scopes.concat();
                return Step::Do(Effect::Create(NewPat { name, description, lifetime, scopes }));
            }
        }
        Step::Changed
    }

    /// What it asks for, once its fields are sound.
    pub fn effect(&self, view: &View<'_>) -> Option<Effect> {
        let name = Name::parse(&self.name.text()).ok()?;
        let description = Description::parse(&self.description.text()).ok()?;
        let lifetime = self.lifetime.named(view)?;
        let scopes = self.scopes.concat();
        Some(Effect::Create(NewPat { name, description, lifetime, scopes }))
    }

    /// Takes the scopes that the dialog named, as row `row` or as a new one. Refuses those that
    /// the other rows hold or cover already.
    pub fn take(&mut self, row: Option<usize>, scopes: Vec<Scope>) -> Result<(), String> {
        let mut rows = self.scopes.clone();
        match row.and_then(|row| rows.get_mut(row)) {
            Some(old) => *old = scopes,
            None => rows.push(scopes),
        }
        let mut set = Scopes::default();
        for scope in rows.iter().flatten() {
            set.add(scope.clone()).map_err(|fault| fault.to_string())?;
        }
        // A `*` may have made other rows needless: they go, as they will in the store.
        for row in &mut rows {
            row.retain(|scope| set.as_slice().contains(scope));
        }
        rows.retain(|row| !row.is_empty());
        self.scope_fault = None;
        self.rows.select(row.unwrap_or(rows.len().saturating_sub(1)));
        self.scopes = rows;
        self.focus = Focus::Scopes;
        Ok(())
    }

    fn on_rows(&mut self, action: Action, view: &View<'_>) -> Option<Step> {
        let at = self.rows.selected();
        match (action, self.scopes.get(at)) {
            (Action::AddRow, _) | (Action::ChangeRow, None) => {
                Some(over(Overlay::Scopes(ScopeDialog::row(None, &[], view))))
            }
            (Action::ChangeRow, Some(row)) => {
                Some(over(Overlay::Scopes(ScopeDialog::row(Some(at), row, view))))
            }
            (Action::RemoveRow, Some(_)) => {
                self.scopes.remove(at);
                self.scope_fault = None;
                Some(Step::Changed)
            }
            _ => None,
        }
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, view: &View<'_>) -> Step {
        if self.focus == Focus::Scopes
            && let Some(step) = self.on_rows(action, view)
        {
            return step;
        }
        match action {
            Action::NextField => self.go(true),
            Action::PreviousField => self.go(false),
            Action::Submit => self.submit(view),
            Action::Accept if self.focus == Focus::Submit => self.submit(view),
            Action::Accept => {
                self.leave(true);
                Step::Changed
            }
            Action::Cancel => Step::Go(Tab::Tokens),
            _ => Step::Ignored,
        }
    }

    /// Answers a key that is for the focused field.
    pub fn on_text(&mut self, key: KeyEvent, _: &View<'_>) -> Step {
        let changed = match self.focus {
            Focus::Name => self.name.press(key),
            Focus::Lifetime => self.lifetime.press(key),
            Focus::Description => self.description.press(key),
            Focus::Scopes | Focus::Submit => false,
        };
        if !changed {
            return Step::Ignored;
        }
        self.typed();
        Step::Changed
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

    /// Shows why it was refused, beside the field; gives back what belongs to none.
    pub fn refuse(&mut self, error: ServiceError) -> Option<ServiceError> {
        match &error {
            ServiceError::NameTaken(_) | ServiceError::Name(_) => {
                self.focus = Focus::Name;
                self.name_fault = Some(error.to_string());
            }
            ServiceError::Scope(_) => {
                self.focus = Focus::Scopes;
                self.scope_fault = Some(error.to_string());
            }
            _ => return Some(error),
        }
        None
    }

    /// Draws it into `area`; the place of the cursor.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let area =
            Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
        // Each field with its note, a row of scopes with its sentence, and the button.
        let needed = 2 + self.lifetime.height(area.width) + 2 + 3 + 1;
        let mut sheet = Sheet::new(area, needed, view);
        let (area, screen, buf) = (sheet.page.area, buf, &mut sheet.page);
        let focus = self.focus;
        let at = |this| focus == this;
        // Lines that only make it airy go first when the screen is low.
        let airy = area.height >= 20;
        let mut line = u16::from(airy);
        let place = labelled("Name *", at(Focus::Name), (line, 1), area, buf, view);
        let place = Rect { width: place.width.min(66), ..place };
        let mut cursor = self.name.draw(place, buf, look, at(Focus::Name));
        let hint = "how you will recognise it; unique";
        note(&Note::of(self.name_fault.as_ref(), hint), line + 1, area, buf, look);
        line += 2 + u16::from(airy);
        cursor = cursor.or(self.lifetime.draw(line, at(Focus::Lifetime), area, buf, view));
        line += self.lifetime.height(area.width) + u16::from(airy);
        let high = if area.height >= 16 { 2 } else { 1 };
        let place = labelled("Description", at(Focus::Description), (line, high), area, buf, view);
        let place = Rect { width: place.width.min(66), ..place };
        cursor = cursor.or(self.description.draw(place, buf, look, at(Focus::Description)));
        let hint = "optional; Ctrl-J starts a line";
        note(&Note::of(self.description_fault.as_ref(), hint), line + high, area, buf, look);
        line += high + 1 + u16::from(airy);
        cursor = cursor.or(self.draw_scopes(line, area, buf, view));
        let last = area.height.saturating_sub(1);
        let place = labelled("", false, (last, 1), area, buf, view);
        let chosen = at(Focus::Submit).then_some(0);
        let cursor = cursor.or(buttons::draw(&["Create token"], chosen, place, buf, view));
        sheet.lay(cursor, screen, view)
    }

    /// The rows, what they permit, and the fault of the last attempt.
    fn draw_scopes(
        &mut self,
        line: u16,
        area: Rect,
        buf: &mut Buffer,
        view: &View<'_>,
    ) -> Option<Position> {
        let look = &view.look;
        let focused = self.focus == Focus::Scopes;
        // Two lines stay for the sentence and one for the button.
        let page = area.height.saturating_sub(line + 3).max(1);
        let place = labelled("Scopes", focused, (line, page), area, buf, view);
        if self.scopes.is_empty() {
            let style = if focused { look.selected() } else { look.text() };
            self.note_row(0, row_of(place, 0), view);
            Pen::at(buf, place, 0, look).text("none yet: press a here to add some", style);
        }
        let top = self.rows.window(usize::from(page), self.scopes.len());
        let rows = self.scopes.iter().enumerate().skip(top).take(usize::from(page));
        for (at, (row, scopes)) in (0..).zip(rows) {
            draw_row(scopes, at, place, buf, view);
            self.note_row(row, row_of(place, at), view);
            if focused && row == self.rows.selected() {
                band(buf, place, at, look.selected());
            }
        }
        let shown = u16::try_from(self.scopes.len()).unwrap_or(u16::MAX).clamp(1, page);
        self.draw_sentence(line + shown, area, buf, view);
        let row = u16::try_from(self.rows.selected().saturating_sub(top)).unwrap_or(0);
        let y = place.y.saturating_add(row).min(area.bottom().saturating_sub(1));
        focused.then_some(Position::new(place.x, y))
    }

    /// A click goes to the row, and changes it if it is selected already.
    fn note_row(&self, row: usize, line: Rect, view: &View<'_>) {
        let selected = self.rows.selected();
        let press = |action| Press::Act(action);
        let (press, times) = match row.cmp(&selected) {
            Ordering::Less => (press(Action::PreviousField), selected - row),
            Ordering::Equal => (press(Action::ChangeRow), usize::from(self.focus == Focus::Scopes)),
            Ordering::Greater => (press(Action::NextField), row - selected),
        };
        view.places.click(line, press, times);
    }

    fn draw_sentence(&self, line: u16, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let look = &view.look;
        if let Some(fault) = &self.scope_fault {
            return note(&Note::Fault(fault.clone()), line, area, buf, look);
        }
        let style = if self.scopes.is_empty() { look.warning() } else { look.good() };
        let room = usize::from(area.height.saturating_sub(line + 1).min(2));
        let said = permits(self.scopes.iter().flatten());
        let parts = wrap(&said, area.width.saturating_sub(LABELS));
        for (at, part) in (line..).zip(parts).take(room) {
            Pen::at(buf, area, at, look).skip(LABELS).text(&part, style);
        }
    }
}

/// One row: scopes that differ in their operation only.
fn draw_row(scopes: &[Scope], line: u16, area: Rect, buf: &mut Buffer, view: &View<'_>) {
    let look = &view.look;
    let Some(first) = scopes.first() else { return };
    let operations: Vec<_> = scopes.iter().map(|scope| scope.operation.as_str()).collect();
    let domain = first.domain.as_ref().map_or_else(String::new, |d| format!(" in {d}"));
    Pen::at(buf, area, line, look)
        .column_of(first.entity_type.as_str(), 11, look.text())
        .skip(1)
        .column_of(&format!("{}{domain}", first.entity), 18, look.text())
        .skip(1)
        .text(&operations.join(", "), look.text());
}
