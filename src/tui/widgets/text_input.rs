//! A text input of one or several lines, edited with the terminal's own cursor. Forms, search
//! boxes and dialogs use it. It must never contain a secret, because the underlying editor keeps an
//! undo history.

use super::canvas::Canvas;
use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
    style::{Modifier, Style},
    widgets::Widget as _,
};
use ratatui_textarea::{CursorMove, Input, Key, TextArea, WrapMode};

use super::form::FormInput;
use crate::tui::{terminal::sanitize_paste::clean_paste, theme::Theme};

/// Maximum length of the text in a field, in characters. It is larger than the limit of every
/// value, so that validation can report a text that is too long. With a smaller maximum, keys would
/// just stop working.
pub(in crate::tui) const MAX_CHARS: usize = 4_096;

/// A text editor for a form, of one line or several.
#[derive(Debug, Clone)]
pub struct TextInput {
    editor: TextArea<'static>,
    is_multi_line: bool,
}

impl TextInput {
    /// A one-line field that contains `text`.
    pub fn single_line(text: &str) -> Self {
        Self::with_lines(vec![text.to_owned()], false)
    }

    /// A one-line field in which all of `text` is selected. The first typed or pasted text replaces
    /// `text`, because the operator did not type `text` and may want another value.
    pub fn preselected(text: &str) -> Self {
        let mut field = Self::single_line(text);
        if !text.is_empty() {
            field.editor.select_all();
        }
        field
    }

    /// A multi-line field that contains `text`.
    pub fn multi_line(text: &str) -> Self {
        Self::with_lines(text.lines().map(str::to_owned).collect(), true)
    }

    fn with_lines(text: Vec<String>, is_multi_line: bool) -> Self {
        let mut editor = TextArea::new(text);
        editor.set_cursor_line_style(Style::new());
        // Do not draw the editor's cursor. The field shows the terminal's own cursor, which
        // magnifiers and braille displays follow.
        editor.set_cursor_style(Style::new());
        editor.set_selection_style(Style::new().add_modifier(Modifier::REVERSED));
        if is_multi_line {
            editor.set_wrap_mode(WrapMode::WordOrGlyph);
            editor.move_cursor(CursorMove::Bottom);
        }
        editor.move_cursor(CursorMove::End);
        Self { editor, is_multi_line }
    }

    pub fn text(&self) -> String {
        self.editor.lines().join("\n")
    }

    pub fn is_empty(&self) -> bool {
        self.editor.is_empty()
    }

    /// Replaces the content with `text` and moves the cursor to the end of the text.
    pub fn set_text(&mut self, text: &str) {
        *self = if self.is_multi_line { Self::multi_line(text) } else { Self::single_line(text) };
    }

    fn is_full(&self) -> bool {
        self.editor.lines().iter().map(|line| line.chars().count() + 1).sum::<usize>() > MAX_CHARS
    }

    /// Fills `area` with the field. Returns the cursor position if the field has the focus.
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
        (&self.editor).render(area, buf);
        buf.set_style(area, theme.field);
        if !focused {
            buf.set_style(area, Style::new().remove_modifier(Modifier::REVERSED));
            return None;
        }
        let (top, left) = self.editor.scroll_offset();
        let cursor = self.editor.screen_cursor();
        let column = u16::try_from(cursor.col).ok()?.saturating_sub(left);
        let row = u16::try_from(cursor.row).ok()?.saturating_sub(top);
        let last = Position::new(area.right() - 1, area.bottom() - 1);
        Some(Position::new((area.x + column).min(last.x), (area.y + row).min(last.y)))
    }
}

impl FormInput for TextInput {
    /// Applies a key to the text. `Ctrl-J` inserts a line break in a multi-line field, `Ctrl-U`
    /// deletes to the start of the line. Returns whether the text or the cursor changed.
    fn press(&mut self, key: KeyEvent) -> bool {
        let input = Input::from(key);
        match input.key {
            Key::Char('j') if input.ctrl => {
                if self.is_multi_line {
                    self.editor.insert_newline();
                }
                self.is_multi_line
            }
            // `Ctrl-U` deletes as in a shell. The underlying editor would undo a change instead.
            Key::Char('u') if input.ctrl => self.editor.delete_line_by_head(),
            Key::Enter | Key::Tab | Key::Char('m') if input.ctrl || input.key != Key::Char('m') => {
                false
            }
            Key::Char(_) if !input.ctrl && !input.alt && self.is_full() => false,
            _ => {
                let cursor = self.editor.cursor();
                self.editor.input(input) || self.editor.cursor() != cursor
            }
        }
    }

    /// Inserts pasted text at the cursor, without control characters. In a one-line field, line
    /// breaks become spaces. A paste never submits the form.
    fn paste(&mut self, text: &str) -> bool {
        let room = MAX_CHARS.saturating_sub(self.text().chars().count());
        let text: String = clean_paste(text, self.is_multi_line).chars().take(room).collect();
        self.editor.insert_str(text);
        true
    }

    /// Moves the cursor one line up or down; returns `false` at the first or last line.
    fn step(&mut self, down: bool) -> bool {
        let row = self.editor.cursor().0;
        let stays = if down { row + 1 < self.editor.lines().len() } else { row > 0 };
        if stays {
            self.editor.move_cursor(if down { CursorMove::Down } else { CursorMove::Up });
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
    use crate::config::{GlyphSet, ThemeName};

    fn key(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)
    }

    fn ctrl(c: char) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)
    }

    #[test]
    fn the_cursor_follows_typed_characters() {
        let mut field = TextInput::single_line("ci");
        assert!(field.press(key('m')));
        assert_eq!(field.text(), "cim");
        let area = Rect::new(2, 1, 10, 1);
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 3));
        let cursor =
            field.render(area, &mut buf, &Theme::new(ThemeName::Default, GlyphSet::Unicode), true);
        assert_eq!(cursor, Some(Position::new(5, 1)));
    }

    #[test]
    fn only_a_multi_line_field_accepts_line_breaks() {
        let mut one = TextInput::single_line("a");
        assert!(!one.press(ctrl('j')));
        one.paste("b\nc");
        assert_eq!(one.text(), "ab c");
        let mut many = TextInput::multi_line("a");
        assert!(many.press(ctrl('j')));
        many.paste("b\nc");
        assert_eq!(many.text(), "a\nb\nc");
        assert!(!many.step(true) && many.step(false));
    }

    #[test]
    fn ctrl_u_deletes_to_the_start_of_the_line() {
        let mut field = TextInput::single_line("edge");
        field.press(key('s'));
        assert!(field.press(ctrl('u')));
        assert_eq!(field.text(), "");
    }

    #[test]
    fn pasted_text_is_cleaned_and_bounded() {
        let mut field = TextInput::single_line("");
        field.paste("x\u{1b}[31m\u{202e}y");
        assert!(!field.text().contains(['\u{1b}', '\u{202e}']));
        field.set_text("");
        field.paste(&"z".repeat(1 << 20));
        assert_eq!(field.text().chars().count(), MAX_CHARS);
        assert!(!field.press(key('z')));
    }
}
