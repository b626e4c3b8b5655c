//! Writes text into a buffer: clipped to its area, truncated by display width with an ellipsis,
//! unsafe characters escaped. All text that patdeck's screens show goes through this module.

use std::borrow::Cow;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::{
    keymap::Action,
    tui::{app::model::Model, theme::Theme},
};

/// The display width of `text`, in columns.
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// Truncates `text` to `columns` at a grapheme boundary and appends an ellipsis if it did not fit.
/// A text that fits is not copied: it may be a secret, and the copy would stay in freed memory.
pub fn truncate<'a>(text: &'a str, columns: u16, theme: &Theme) -> Cow<'a, str> {
    let text = theme.printable(text);
    if width(&text) <= columns {
        return text;
    }
    let room = columns.saturating_sub(1);
    let mut out = String::new();
    let mut used = 0_u16;
    for grapheme in text.graphemes(true) {
        used = used.saturating_add(width(grapheme));
        if used > room {
            break;
        }
        out.push_str(grapheme);
    }
    if columns > 0 {
        out.push_str(theme.ellipsis());
    }
    Cow::Owned(out)
}

/// Wraps `text` at spaces into lines of at most `columns`; splits longer words at any grapheme.
/// Escapes the text first, because escaped text is wider.
pub fn wrap(text: &str, columns: u16, theme: &Theme) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let paragraph = theme.printable(paragraph);
        let (mut line, mut used) = (String::new(), 0_u16);
        for word in paragraph.split_inclusive(' ') {
            if used.saturating_add(width(word.trim_end())) > columns && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            for grapheme in word.graphemes(true) {
                let wide = width(grapheme);
                if used.saturating_add(wide) > columns && !grapheme.trim().is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push_str(grapheme);
                used = used.saturating_add(wide);
            }
        }
        lines.push(line);
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

/// Writes text from left to right on one line of an area, and cuts it at the end of the line.
#[derive(Debug)]
pub struct LineWriter<'a> {
    buf: &'a mut Buffer,
    area: Rect,
    at: Position,
    theme: Theme,
}

impl<'a> LineWriter<'a> {
    /// Starts at the left of line `line` of `area`. A writer below the area writes nothing.
    pub fn at(buf: &'a mut Buffer, area: Rect, line: u16, theme: &Theme) -> Self {
        let at = Position::new(area.x, area.y.saturating_add(line));
        Self { buf, area, at, theme: *theme }
    }

    /// Number of columns left on the line. It is 0 if the line is below the area.
    pub fn remaining(&self) -> u16 {
        let inside = self.at.y < self.area.bottom();
        if inside { self.area.right().saturating_sub(self.at.x) } else { 0 }
    }

    /// The current column, counted from the left of the area.
    pub fn column(&self) -> u16 {
        self.at.x.saturating_sub(self.area.x)
    }

    /// The rectangle from `column` of the area to the current position.
    pub fn rect_since(&self, column: u16) -> Rect {
        let x = self.area.x.saturating_add(column).min(self.at.x);
        let height = u16::from(self.at.y < self.area.bottom());
        Rect { x, y: self.at.y, width: self.at.x - x, height }
    }

    /// Writes `text`, truncated to the rest of the line.
    pub fn text(self, text: &str, style: Style) -> Self {
        let room = self.remaining();
        self.text_within(text, room, style)
    }

    /// Writes `text`, truncated to `columns`, and moves to the end of the written text.
    pub fn text_within(mut self, text: &str, columns: u16, style: Style) -> Self {
        let columns = columns.min(self.remaining());
        if columns == 0 {
            return self;
        }
        let text = truncate(text, columns, &self.theme);
        let (end, _) =
            self.buf.set_stringn(self.at.x, self.at.y, &text, usize::from(columns), style);
        self.at.x = end;
        self
    }

    /// Writes `text` into a table column of `columns`, and moves to the end of that column.
    pub fn write_column(self, text: &str, columns: u16, style: Style) -> Self {
        let end = self.at.x.saturating_add(columns);
        let mut writer = self.text_within(text, columns, style);
        writer.at.x = end.min(writer.area.right());
        writer
    }

    pub fn skip(mut self, columns: u16) -> Self {
        self.at.x = self.at.x.saturating_add(columns).min(self.area.right());
        self
    }

    /// Moves to `column` of the area.
    pub fn move_to(mut self, column: u16) -> Self {
        self.at.x = self.area.x.saturating_add(column).min(self.area.right());
        self
    }
}

/// Drawing surface: the buffer of a frame and the model to read from.
#[derive(Debug)]
pub struct Canvas<'a> {
    pub buf: &'a mut Buffer,
    /// The model, which widgets only read. The exception is its hit map, in which widgets register
    /// regions.
    pub ctx: &'a Model,
}

impl Canvas<'_> {
    /// A line writer at the start of line `line` of `area`.
    pub fn line(&mut self, area: Rect, line: u16) -> LineWriter<'_> {
        LineWriter::at(self.buf, area, line, &self.ctx.theme)
    }

    /// Writes the texts on the line numbers `lines`, one text per line. Stops when the texts or the
    /// line numbers run out.
    pub fn text_lines(
        &mut self,
        area: Rect,
        lines: impl IntoIterator<Item = u16>,
        texts: impl IntoIterator<Item = impl AsRef<str>>,
        style: Style,
    ) {
        for (line, text) in lines.into_iter().zip(texts) {
            self.line(area, line).text(text.as_ref(), style);
        }
    }

    /// Registers row `at` of a list on this line and highlights it if it is row `selected`. A click
    /// selects the row; a click on the selected row triggers `action`.
    pub fn list_row(
        &mut self,
        (area, line): (Rect, u16),
        (at, selected): (usize, usize),
        action: Action,
    ) {
        self.ctx.hit_map.menu_row(line_rect(area, line), at, selected, action);
        if at == selected {
            self.fill_line(area, line, self.ctx.theme.selected);
        }
    }

    /// Draws a horizontal rule across line `line` of `area`.
    pub fn rule(&mut self, area: Rect, line: u16) {
        let theme = &self.ctx.theme;
        let dashes = theme.dash().repeat(usize::from(area.width));
        self.line(area, line).text(&dashes, theme.rule);
    }

    /// Sets the style of every cell on line `line` of `area`.
    pub fn fill_line(&mut self, area: Rect, line: u16, style: Style) {
        self.buf.set_style(line_rect(area, line).intersection(self.buf.area), style);
    }
}

/// The rectangle of line `line` of `area`. It is empty if the line is below the area.
pub fn line_rect(area: Rect, line: u16) -> Rect {
    let height = u16::from(line < area.height);
    Rect { y: area.y.saturating_add(line), height, ..area }
}

/// The part of `area` from line `from` to its bottom.
pub fn rect_below(area: Rect, from: u16) -> Rect {
    let from = from.min(area.height);
    Rect { y: area.y + from, height: area.height - from, ..area }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{GlyphSet, ThemeName};

    fn theme() -> Theme {
        Theme::new(ThemeName::Default, GlyphSet::Unicode)
    }

    #[test]
    fn text_is_truncated_by_display_width() {
        assert_eq!(truncate("deploy", 6, &theme()), "deploy");
        assert_eq!(truncate("deploys", 6, &theme()), "deplo…");
        assert_eq!(truncate("鍵鍵鍵", 5, &theme()), "鍵鍵…");
        assert_eq!(truncate("鍵鍵鍵", 4, &theme()), "鍵…");
        assert_eq!(truncate("x", 0, &theme()), "");
        assert_eq!(truncate("a\u{1b}[2J", 80, &theme()), "a\\u{1b}[2J");
        assert_eq!(
            truncate("pat_4fKq_…", 80, &Theme::new(ThemeName::Default, GlyphSet::Ascii)),
            "pat_4fKq_~"
        );
        assert_eq!(
            truncate("café", 80, &Theme::new(ThemeName::Default, GlyphSet::Ascii)),
            "caf\\u{e9}"
        );
    }

    #[test]
    fn text_wraps_at_spaces_and_long_words_split() {
        let wrapped = |text, columns| wrap(text, columns, &theme());
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("a\n\nb", 4), ["a", "", "b"]);
    }

    proptest! {
        #[test]
        fn truncated_text_fits_its_columns(text in any::<String>(), columns in 0_u16..90) {
            prop_assert!(width(&truncate(&text, columns, &theme())) <= columns);
        }

        #[test]
        fn a_line_writer_stays_within_its_area(
            text in any::<String>(), x in 0_u16..12, y in 0_u16..4, w in 0_u16..12, line in 0_u16..5,
        ) {
            let whole = Rect::new(0, 0, 24, 8);
            let mut buf = Buffer::empty(whole);
            let area = Rect::new(x, y, w, 2);
            LineWriter::at(&mut buf, area, line, &theme()).text(&text, Style::new()).skip(2).text("x", Style::new());
            for spot in whole.positions().filter(|spot| !area.contains(*spot)) {
                prop_assert_eq!(buf[spot].symbol(), " ");
            }
        }
    }
}
