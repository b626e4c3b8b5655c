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
    keymap::Action,
    service::ServiceError,
    tui::{
        effect::Effect,
        step::Step,
        view::View,
        widget::{
            field::Field,
            form,
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
        let mut text = vec![
            "Its secret is dead and its record is gone from the list. u brings both back for \
             24 hours; after that nothing does."
                .to_owned(),
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
        let count = view.pats.len();
        let active = view
            .pats
            .iter()
            .filter(|pat| pat.status(view.now) == Status::Active)
            .count();
        let day = chrono::TimeDelta::hours(24);
        let used = view
            .pats
            .iter()
            .filter(|pat| {
                pat.last_used
                    .as_ref()
                    .is_some_and(|used| view.now - used.at < day)
            })
            .count();
        Self {
            title: format!("Delete all {count} tokens?"),
            text: vec![
                format!(
                    "Every token of this store is deleted, whatever the filter shows: {active} \
                     active, {used} of them used in the last 24 hours. Their secrets are dead. \
                     u brings all back for 24 hours; after that nothing does."
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
        self.fault = Some(error.to_string());
    }

    /// Draws it over `area`.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let wide = 64.min(area.width.saturating_sub(6));
        let lines: Vec<_> = self
            .text
            .iter()
            .flat_map(|text| paragraph(text, wide))
            .collect();
        let fault = self.fault.clone().unwrap_or_default();
        let faults = u16::try_from(wrap(&fault, wide.saturating_sub(2)).len())
            .unwrap_or(1)
            .max(1);
        let body = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let size = (wide, body.saturating_add(4 + faults));
        let inner = panel::draw(&self.title, size, true, area, buf, look);
        // The field and the fault keep the last lines, whatever had to be cut above.
        let field_line = (body + 2).min(inner.height.saturating_sub(faults + 2));
        for (at, line) in (1..field_line).zip(&lines) {
            Pen::at(buf, inner, at, look).text(line, look.text());
        }
        Pen::at(buf, inner, field_line, look)
            .text(&format!("Type {} ", self.what), look.text())
            .text(&self.expected, look.heading())
            .text(" to delete", look.text());
        let line = Rect {
            y: inner.y + field_line + 1,
            height: 1,
            ..inner
        };
        let line = line.intersection(inner);
        let columns = (width(&self.expected) + 2).clamp(12, 64).min(line.width);
        let cursor = self.field.draw(
            Rect {
                width: columns,
                ..line
            },
            buf,
            look,
            true,
        );
        if self.matches() {
            Pen::at(buf, inner, field_line + 1, look)
                .skip(columns + 2)
                .text("Enter deletes", look.danger());
        }
        form::fault(&fault, field_line + 2, inner, buf, look);
        cursor
    }
}
