//! A field to type in, of one line or several, with the terminal's own cursor in it and its
//! fault below. Holds ordinary text only: a secret must never enter it, for the editor behind
//! it keeps an undo history.

use super::paint::Canvas;
use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
    style::Style,
    widgets::Widget as _,
};
use ratatui_textarea::{CursorMove, Input, Key, TextArea, WrapMode};

use super::form::FormInput;
use crate::tui::{terminal::paste::clean_paste, theme::Theme};

/// Longest text that a field takes, in characters: well above every rule, so that a rule can
/// say what is wrong instead of keys going dead.
const MAX_CHARS: usize = 4_096;

#[derive(Debug, Clone)]
pub struct Field {
    area: TextArea<'static>,
    lines: bool,
}

impl Field {
    /// A field of one line that starts with `text`.
    pub fn line(text: &str) -> Self {
        Self::made(vec![text.to_owned()], false)
    }

    /// A field of several lines that starts with `text`.
    pub fn lines(text: &str) -> Self {
        Self::made(text.lines().map(str::to_owned).collect(), true)
    }

    fn made(text: Vec<String>, lines: bool) -> Self {
        let mut area = TextArea::new(text);
        area.set_cursor_line_style(Style::new());
        // The terminal's cursor is placed instead: magnifiers and braille displays follow it.
        area.set_cursor_style(Style::new());
        if lines {
            area.set_wrap_mode(WrapMode::WordOrGlyph);
            area.move_cursor(CursorMove::Bottom);
        }
        area.move_cursor(CursorMove::End);
        Self { area, lines }
    }

    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// Puts `text` in the place of what stands in it.
    pub fn set(&mut self, text: &str) {
        *self = if self.lines { Self::lines(text) } else { Self::line(text) };
    }

    fn is_full(&self) -> bool {
        self.area.lines().iter().map(|line| line.chars().count() + 1).sum::<usize>() > MAX_CHARS
    }

    /// Draws it over the whole of `area`; the place of the cursor when it has the focus.
    fn render(
        &self,
        area: Rect,
        buf: &mut Buffer,
        theme: &Theme,
        focused: bool,
    ) -> Option<Position> {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return None;
        }
        // One column stays free for the cursor behind the last character.
        (&self.area).render(area, buf);
        buf.set_style(area, theme.field);
        if !focused {
            return None;
        }
        let (top, left) = self.area.scroll_offset();
        let cursor = self.area.screen_cursor();
        let column = u16::try_from(cursor.col).ok()?.saturating_sub(left);
        let row = u16::try_from(cursor.row).ok()?.saturating_sub(top);
        let last = Position::new(area.right() - 1, area.bottom() - 1);
        Some(Position::new((area.x + column).min(last.x), (area.y + row).min(last.y)))
    }
}

impl FormInput for Field {
    /// Types `key`; `Ctrl-J` starts a line where there may be several, `Ctrl-U` deletes to the
    /// start of the line. Returns whether the text or the cursor changed.
    fn press(&mut self, key: KeyEvent) -> bool {
        let input = Input::from(key);
        match input.key {
            Key::Char('j') if input.ctrl => {
                if self.lines {
                    self.area.insert_newline();
                }
                self.lines
            }
            // As a shell has it; the editor behind the field would undo instead.
            Key::Char('u') if input.ctrl => self.area.delete_line_by_head(),
            Key::Enter | Key::Tab | Key::Char('m') if input.ctrl || input.key != Key::Char('m') => {
                false
            }
            Key::Char(_) if !input.ctrl && !input.alt && self.is_full() => false,
            _ => {
                let cursor = self.area.cursor();
                self.area.input(input) || self.area.cursor() != cursor
            }
        }
    }

    /// Puts pasted text at the cursor, cleaned of what is no text; line ends become blanks
    /// where there is one line. Never submits.
    fn paste(&mut self, text: &str) -> bool {
        let room = MAX_CHARS.saturating_sub(self.text().chars().count());
        let text: String = clean_paste(text, self.lines).chars().take(room).collect();
        self.area.insert_str(text);
        true
    }

    /// Moves the cursor a line up or down.
    fn step(&mut self, down: bool) -> bool {
        let row = self.area.cursor().0;
        let stays = if down { row + 1 < self.area.lines().len() } else { row > 0 };
        if stays {
            self.area.move_cursor(if down { CursorMove::Down } else { CursorMove::Up });
        }
        stays
    }

    fn draw(&self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        self.render(area, canvas.buf, &canvas.ctx.theme, focused)
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{KeyCode, KeyModifiers};

    use super::*;
    use crate::config::{Glyphs, ThemeName};

    fn key(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
    }

    fn ctrl(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)
    }

    #[test]
    fn it_takes_characters_and_the_cursor_follows() {
        let mut field = Field::line("ci");
        assert!(field.press(key('m')));
        assert_eq!(field.text(), "cim");
        let area = Rect::new(2, 1, 10, 1);
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 3));
        let cursor =
            field.render(area, &mut buf, &Theme::new(ThemeName::Default, Glyphs::Unicode), true);
        assert_eq!(cursor, Some(Position::new(5, 1)));
    }

    #[test]
    fn only_a_field_of_several_lines_takes_a_line_end() {
        let mut one = Field::line("a");
        assert!(!one.press(ctrl('j')));
        one.paste("b\nc");
        assert_eq!(one.text(), "ab c");
        let mut many = Field::lines("a");
        assert!(many.press(ctrl('j')));
        many.paste("b\nc");
        assert_eq!(many.text(), "a\nb\nc");
        assert!(!many.step(true) && many.step(false));
    }

    #[test]
    fn ctrl_u_deletes_to_the_start_of_the_line() {
        let mut field = Field::line("edge");
        field.press(key('s'));
        assert!(field.press(ctrl('u')));
        assert_eq!(field.text(), "");
    }

    #[test]
    fn what_is_pasted_is_cleaned_and_bounded() {
        let mut field = Field::line("");
        field.paste("x\u{1b}[31m\u{202e}y");
        assert!(!field.text().contains(['\u{1b}', '\u{202e}']));
        field.set("");
        field.paste(&"z".repeat(1 << 20));
        assert_eq!(field.text().chars().count(), MAX_CHARS);
        assert!(!field.press(key('z')));
    }
}
