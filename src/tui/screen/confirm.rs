//! A dialog that wants a name or a count typed before it destroys: Enter does nothing until the
//! text matches, and a paste is refused, for this box exists to slow people down.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::ask::{last_used, paragraph};
use crate::{
    domain::{Pat, Status},
    keymap::{Action, Mode},
    output::advice,
    service::ServiceError,
    tui::{
        effect::Effect,
        step::Step,
        view::View,
        widget::{
            field::Field,
            paint::{Pen, width, wrap},
            panel,
        },
    },
};

/// A destruction and the text that confirms it.
#[derive(Debug)]
pub struct Confirm {
    title: String,
    text: Vec<String>,
    what: &'static str,
    expected: String,
    field: Field,
    effect: Effect,
    fault: Option<String>,
}

impl Confirm {
    /// Deleting `pat`, by its name.
    pub fn delete(pat: &Pat, view: &View<'_>) -> Self {
        let undo = view.key(Mode::Tokens, Action::Undo);
        let mut text = vec![
            format!(
                "Its secret is dead and its record is gone from the list. {undo} brings both back \
                 for 24 hours; after that nothing does."
            ),
            String::new(),
            last_used(pat, view),
        ];
        if pat.status(view.now) == Status::Active {
            text.push("It is active. To end it and keep its record, revoke it instead.".into());
        }
        Self {
            title: format!("Delete {}?", pat.name),
            text,
            what: "its name",
            expected: pat.name.to_string(),
            field: Field::line(""),
            effect: Effect::Delete(pat.id),
            fault: None,
        }
    }

    /// Deleting all tokens, by their count.
    pub fn delete_all(view: &View<'_>) -> Self {
        let count = view.census.total;
        let undo = view.key(Mode::Tokens, Action::Undo);
        let (active, used) =
            view.numbers().map_or((count, count), |numbers| (numbers.counts.active, numbers.used));
        Self {
            title: format!("Delete all {count} tokens?"),
            text: vec![
                format!(
                    "Every token of this store is deleted, whatever the filter shows: {active} \
                     active, {used} of them used in the last 24 hours. Their secrets are dead. \
                     {undo} brings all back for 24 hours; after that nothing does."
                ),
                String::new(),
            ],
            what: "the count",
            expected: count.to_string(),
            field: Field::line(""),
            effect: Effect::DeleteAll(count),
            fault: None,
        }
    }

    fn matches(&self) -> bool {
        self.field.text().trim() == self.expected
    }

    /// What it asks for.
    pub fn effect(&self) -> &Effect {
        &self.effect
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, _: &View<'_>) -> Step {
        match action {
            Action::Accept if self.matches() => Step::Do(self.effect.clone()),
            Action::Accept => {
                self.fault = Some(format!("type {} exactly: {}", self.what, self.expected));
                Step::Changed
            }
            Action::Cancel => Step::Close,
            _ => Step::Ignored,
        }
    }

    /// Answers a key that is text.
    pub fn on_text(&mut self, key: KeyEvent, _: &View<'_>) -> Step {
        if self.field.press(key) {
            self.fault = None;
            return Step::Changed;
        }
        Step::Ignored
    }

    /// Shows why what it asked for was refused.
    pub fn refuse(&mut self, error: &ServiceError) {
        self.fault = Some(advice::message(error));
    }

    /// Draws it over `area`. What is to be typed, the field and the fault keep their lines,
    /// whatever has to be cut of the words above.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let wide = 64.min(area.width.saturating_sub(6));
        let words = self.text.iter().flat_map(|text| paragraph(text, wide));
        let words: Vec<_> = words.map(|line| (line, look.text())).collect();
        let mut fixed = vec![(format!("To delete, type {}:", self.what), look.text())];
        fixed.extend(wrap(&self.expected, wide).into_iter().map(|line| (line, look.heading())));
        let fault = self.fault.as_ref().map(|fault| format!("{} {fault}", look.fault()));
        let fault = wrap(&fault.unwrap_or_else(|| " ".into()), wide);
        let lines = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let below = lines(fixed.len() + 1 + fault.len());
        let size = (wide, lines(words.len()).saturating_add(below + 2));
        let inner = panel::draw(&self.title, size, true, area, buf, look);

        let mut line = (lines(words.len()) + 2).min(inner.height.saturating_sub(below));
        for (at, (text, style)) in (1..line).zip(&words) {
            Pen::at(buf, inner, at, look).text(text, *style);
        }
        for (text, style) in &fixed {
            Pen::at(buf, inner, line, look).text(text, *style);
            line += 1;
        }
        let place = Rect { y: inner.y + line, height: 1, ..inner }.intersection(inner);
        let columns = (width(&self.expected) + 2).clamp(12, place.width.max(12));
        let place = Rect { width: columns.min(place.width), ..place };
        let cursor = self.field.draw(place, buf, look, true);
        if self.matches() {
            let pen = Pen::at(buf, inner, line, look).skip(columns + 2);
            pen.text("Enter deletes", look.danger());
        }
        for (at, text) in (line + 1..).zip(&fault) {
            Pen::at(buf, inner, at, look).text(text, look.danger());
        }
        cursor
    }
}
