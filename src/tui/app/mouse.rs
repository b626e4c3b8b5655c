//! What a click and the wheel do: the presses that `hit_map` noted for where they fall. A click
//! into a form first goes to the part that it meets, as a person does: one key, one look. Part of
//! the app.

use ratatui::{buffer::Buffer, crossterm::event::KeyEvent, layout::Position};

use super::App;
use crate::{
    keymap::Action,
    tui::{
        terminal::input::Mouse,
        widgets::hit_map::{Press, Presses},
    },
};

/// More keys than it takes to go through any form.
const FURTHEST: usize = 200;

impl App {
    /// Does what `mouse` did.
    pub(super) fn point(&mut self, mouse: Mouse) {
        self.voice.hush();
        self.pressed.clear();
        let presses = match mouse {
            Mouse::Click(at) if self.reaches(at) => self.world.places.presses(at),
            Mouse::Click(_) => return,
            Mouse::Wheel { at, down } => self.world.places.notch(at, down),
        };
        self.press(presses);
    }

    fn press(&mut self, presses: Presses) {
        for (press, times) in presses {
            for _ in 0..times {
                match press {
                    Press::Act(action) => self.act(action),
                    Press::Key(code) => self.text(KeyEvent::from(code)),
                }
            }
        }
    }

    /// Goes to the part of the form that lies at `at`, if one does; false if no key leads there.
    fn reaches(&mut self, at: Position) -> bool {
        let Some(wanted) = self.world.places.part_at(at) else {
            return true;
        };
        for _ in 0..FURTHEST {
            let (focused, count) = self.world.places.focused();
            if focused == Some(wanted) {
                return true;
            }
            // What is behind the last part, such as a button, counts as the end.
            let down = focused.unwrap_or(count) < wanted;
            self.act(if down { Action::NextField } else { Action::PreviousField });
            self.look();
        }
        false
    }

    /// Draws for nobody, to note the places anew.
    fn look(&mut self) {
        let area = self.world.places.frame();
        self.paint(area, &mut Buffer::empty(area));
    }
}
