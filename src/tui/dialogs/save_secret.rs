//! The dialog that asks for the file to write a secret to. The file must be new; the refusal of
//! the file system stands under the field.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use crate::{
    domain::Name,
    keymap::{Action, Mode},
    tui::{
        app::{
            effect::{Effect, HostAction},
            model::Model,
        },
        widgets::{
            field::Field,
            form::{self, FormInput as _, labelled},
            paint::{Canvas, wrap},
            panel,
        },
    },
};

#[derive(Debug)]
pub struct SaveSecretDialog {
    path: Field,
    fault: Option<String>,
}

impl SaveSecretDialog {
    /// The dialog for the secret of the token called `name`, with a file name made of it.
    pub fn new(name: &Name) -> Self {
        let safe = |c: char| {
            if c.is_alphanumeric() || c == '-' { c } else { '_' }
        };
        let stem: String = name.as_str().chars().map(safe).collect();
        Self { path: Field::line(&format!("./{stem}.secret")), fault: None }
    }
}

impl Dialog for SaveSecretDialog {
    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        match action {
            Action::Accept | Action::Submit => {
                let path = self.path.text().trim().to_owned();
                if path.is_empty() {
                    self.fail("a file name is needed".into());
                    return None;
                }
                Some(Effect::Host(HostAction::WriteSecret(path)))
            }
            Action::Cancel => Some(Effect::close()),
            _ => None,
        }
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let wide = 64.min(area.width.saturating_sub(6));
        let inner = panel::draw("Write the secret to a file", (wide, 6), false, area, canvas);
        let place = labelled("New file", (0, true), (1, 1), inner, canvas);
        let cursor = self.path.draw(place, canvas, true);
        if let Some(fault) = &self.fault {
            form::fault(fault, 3, inner, canvas);
        } else {
            let key = |action| ctx.key(Mode::Form, action);
            let (write, leave) = (key(Action::Accept), key(Action::Cancel));
            let hint = format!("only you can read it (0600); {write} writes, {leave} goes back");
            canvas.text_lines(inner, 3.., wrap(&hint, inner.width), theme.faint);
        }
        cursor
    }

    fn enables(&self, action: Action) -> bool {
        action != Action::CopyCommand
    }

    fn text(&mut self, key: KeyEvent) {
        if self.path.press(key) {
            self.fault = None;
        }
    }

    fn paste(&mut self, text: &str) -> bool {
        self.path.paste(text);
        true
    }

    fn fail(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}
