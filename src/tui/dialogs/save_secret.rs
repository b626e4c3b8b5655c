//! Dialog that asks for the path of a new file for a secret. File system errors are shown under
//! the field. Opened by the secret panel.

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
            effect::{Effect, OutputAction},
            model::Model,
        },
        widgets::{
            canvas::{Canvas, wrap},
            form::{self, FormInput as _, draw_label},
            panel,
            text_input::TextInput,
        },
    },
};

/// A form with the path of the new file.
#[derive(Debug)]
pub struct SaveSecretDialog {
    path: TextInput,
    fault: Option<String>,
}

impl SaveSecretDialog {
    /// A dialog that suggests a file name derived from the token name and from `suffix`.
    pub fn new(name: &Name, suffix: &str) -> Self {
        let safe = |c: char| {
            if c.is_alphanumeric() || c == '-' { c } else { '_' }
        };
        let stem: String = name.as_str().chars().map(safe).collect();
        Self { path: TextInput::single_line(&format!("./{stem}{suffix}.secret")), fault: None }
    }
}

impl Dialog for SaveSecretDialog {
    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        match action {
            Action::Accept | Action::Submit => {
                let path = self.path.text().trim().to_owned();
                if path.is_empty() {
                    self.show_fault("Enter a file name".into());
                    return None;
                }
                Some(Effect::Host(OutputAction::WriteSecret(path)))
            }
            Action::Cancel => Some(Effect::close()),
            _ => None,
        }
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let wide = 64.min(area.width.saturating_sub(6));
        let inner = panel::draw("Write secret to file", (wide, 6), false, area, canvas);
        let rect = draw_label("New file", (0, true), (1, 1), inner, canvas);
        let cursor = self.path.draw(rect, canvas, true);
        if let Some(fault) = &self.fault {
            form::draw_fault(fault, 3, inner, canvas);
        } else {
            let key = |action| ctx.key(Mode::Form, action);
            let (write, leave) = (key(Action::Accept), key(Action::Cancel));
            let hint = format!(
                "Only you can read the file (mode 0600). {write} writes it, {leave} goes back"
            );
            canvas.text_lines(inner, 3.., wrap(&hint, inner.width, theme), theme.faint);
        }
        cursor
    }

    fn enables(&self, action: Action) -> bool {
        // The text names the key that writes the file; the footer would call it `next`.
        !matches!(action, Action::CopyCommand | Action::Accept)
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

    fn show_fault(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}
