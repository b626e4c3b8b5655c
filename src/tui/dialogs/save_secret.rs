//! The dialog that asks for the file to write a secret to. The file must be new; the refusal of
//! the file system stands under the field.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use crate::{
    domain::Name,
    keymap::{Action, Mode},
    tui::{
        app::{
            effect::{Errand, Step},
            view_context::View,
        },
        widgets::{
            field::Field,
            form::{self, labelled},
            paint::{Pen, wrap},
            panel,
        },
    },
};

/// A file name, being typed.
#[derive(Debug)]
pub struct Write {
    path: Field,
    fault: Option<String>,
}

impl Write {
    /// The dialog for the secret of the token called `name`, with a file name made of it.
    pub fn new(name: &Name) -> Self {
        let safe = |c: char| {
            if c.is_alphanumeric() || c == '-' { c } else { '_' }
        };
        let stem: String = name.as_str().chars().map(safe).collect();
        Self { path: Field::line(&format!("./{stem}.secret")), fault: None }
    }

    /// Shows why the file was not written.
    pub fn fail(&mut self, fault: String) {
        self.fault = Some(fault);
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, _: &View<'_>) -> Step {
        match action {
            Action::Accept | Action::Submit => {
                let path = self.path.text().trim().to_owned();
                if path.is_empty() {
                    self.fail("a file name is needed".into());
                    return Step::Changed;
                }
                Step::Run(Errand::WriteSecret(path))
            }
            Action::Cancel => Step::Close,
            _ => Step::Ignored,
        }
    }

    /// Answers a key that is text.
    pub fn on_text(&mut self, key: KeyEvent, _: &View<'_>) -> Step {
        if self.path.press(key) {
            self.fault = None;
            return Step::Changed;
        }
        Step::Ignored
    }

    /// Takes a paste.
    pub fn paste(&mut self, text: &str) -> bool {
        self.path.paste(text);
        true
    }

    /// Draws it over `area`.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let wide = 64.min(area.width.saturating_sub(6));
        let inner = panel::draw("Write the secret to a file", (wide, 6), false, area, buf, look);
        let place = labelled("New file", true, (1, 1), inner, buf, view);
        let cursor = self.path.draw(place, buf, look, true);
        if let Some(fault) = &self.fault {
            form::fault(fault, 3, inner, buf, look);
        } else {
            let key = |action| view.key(Mode::Form, action);
            let (write, leave) = (key(Action::Accept), key(Action::Cancel));
            let hint = format!("only you can read it (0600); {write} writes, {leave} goes back");
            for (line, part) in (3..).zip(wrap(&hint, inner.width)) {
                Pen::at(buf, inner, line, look).text(&part, look.faint());
            }
        }
        cursor
    }
}
