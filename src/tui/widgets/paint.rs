//! Writing text into a buffer: clipped to its area, cut by display width with an ellipsis,
//! unsafe characters escaped. The only way in which patdeck's screens put text on the terminal.

use std::borrow::Cow;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::{
    domain::terminal_text::escape,
    keymap::Action,
    tui::{app::model::Model, theme::Theme},
};

/// The columns that `text` takes.
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// `text` cut to `columns` at a grapheme, ending in an ellipsis if anything was cut. What fits
/// is not copied: it may be a secret, and a copy of it would stay behind in freed memory.
pub fn cut<'a>(text: &'a str, columns: u16, theme: &Theme) -> Cow<'a, str> {
    let mut text = escape(text);
    // The hint of a token has one in it, whatever the alphabet.
    if theme.is_ascii() && text.contains('…') {
        text = Cow::Owned(text.replace('…', theme.ellipsis()));
    }
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

/// `text` broken at blanks into lines of at most `columns`; a longer word is broken anywhere.
pub fn wrap(text: &str, columns: u16) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
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

/// A pen at a place in an area: writes from left to right and stays within its line.
#[derive(Debug)]
pub struct LineWriter<'a> {
    buf: &'a mut Buffer,
    area: Rect,
    at: Position,
    theme: Theme,
}

impl<'a> LineWriter<'a> {
    /// A pen at the start of line `line` of `area`; past its end it writes nothing.
    pub fn at(buf: &'a mut Buffer, area: Rect, line: u16, theme: &Theme) -> Self {
        let at = Position::new(area.x, area.y.saturating_add(line));
        Self { buf, area, at, theme: *theme }
    }

    pub fn room(&self) -> u16 {
        let inside = self.at.y < self.area.bottom();
        if inside { self.area.right().saturating_sub(self.at.x) } else { 0 }
    }

    /// The column where it stands, counted from the left of the area.
    pub fn column(&self) -> u16 {
        self.at.x.saturating_sub(self.area.x)
    }

    /// The place of what was written on the line from `column` on.
    pub fn since(&self, column: u16) -> Rect {
        let x = self.area.x.saturating_add(column).min(self.at.x);
        let height = u16::from(self.at.y < self.area.bottom());
        Rect { x, y: self.at.y, width: self.at.x - x, height }
    }

    /// Writes `text`, cut to what is left of the line.
    pub fn text(self, text: &str, style: Style) -> Self {
        let room = self.room();
        self.within(text, room, style)
    }

    /// Writes `text` cut to `columns` and moves just past what was written.
    pub fn within(mut self, text: &str, columns: u16, style: Style) -> Self {
        let columns = columns.min(self.room());
        if columns == 0 {
            return self;
        }
        let cut = cut(text, columns, &self.theme);
        let (end, _) =
            self.buf.set_stringn(self.at.x, self.at.y, &cut, usize::from(columns), style);
        self.at.x = end;
        self
    }

    /// Writes `text` into a column of `columns`, and moves past the column.
    pub fn column_of(self, text: &str, columns: u16, style: Style) -> Self {
        let end = self.at.x.saturating_add(columns);
        let mut writer = self.within(text, columns, style);
        writer.at.x = end.min(writer.area.right());
        writer
    }

    pub fn skip(mut self, columns: u16) -> Self {
        self.at.x = self.at.x.saturating_add(columns).min(self.area.right());
        self
    }

    pub fn to(mut self, column: u16) -> Self {
        self.at.x = self.area.x.saturating_add(column).min(self.area.right());
        self
    }
}

/// What is drawn on: the buffer of a frame, with what drawing needs to know.
#[derive(Debug)]
pub struct Canvas<'a> {
    pub buf: &'a mut Buffer,
    /// What may be seen and noted while drawing.
    pub ctx: &'a Model,
}

impl Canvas<'_> {
    /// A pen at the start of line `line` of `area`.
    pub fn line(&mut self, area: Rect, line: u16) -> LineWriter<'_> {
        LineWriter::at(self.buf, area, line, &self.ctx.theme)
    }

    /// Writes each of `texts` on a line of its own, as long as there are `lines`.
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

    /// Shows that row `at` of a list stands on this line, of which row `selected` is selected: a
    /// click selects it, or does `action` if it is selected already.
    pub fn list_row(
        &mut self,
        (area, line): (Rect, u16),
        (at, selected): (usize, usize),
        action: Action,
    ) {
        self.ctx.hit_map.entry(row_of(area, line), at, selected, action);
        if at == selected {
            self.band(area, line, self.ctx.theme.selected);
        }
    }

    /// Draws a rule across line `line` of `area`.
    pub fn rule(&mut self, area: Rect, line: u16) {
        let theme = &self.ctx.theme;
        let dashes = theme.dash().repeat(usize::from(area.width));
        self.line(area, line).text(&dashes, theme.rule);
    }

    /// Gives every cell of line `line` of `area` the style `style`.
    pub fn band(&mut self, area: Rect, line: u16, style: Style) {
        self.buf.set_style(row_of(area, line).intersection(self.buf.area), style);
    }
}

/// Line `line` of `area`; nothing past its end.
pub fn row_of(area: Rect, line: u16) -> Rect {
    let height = u16::from(line < area.height);
    Rect { y: area.y.saturating_add(line), height, ..area }
}

/// The part of `area` from line `from` on.
pub fn below(area: Rect, from: u16) -> Rect {
    let from = from.min(area.height);
    Rect { y: area.y + from, height: area.height - from, ..area }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{Glyphs, ThemeName};

    fn theme() -> Theme {
        Theme::new(ThemeName::Default, Glyphs::Unicode)
    }

    #[test]
    fn text_is_cut_by_display_width_and_says_so() {
        assert_eq!(cut("deploy", 6, &theme()), "deploy");
        assert_eq!(cut("deploys", 6, &theme()), "deplo…");
        assert_eq!(cut("鍵鍵鍵", 5, &theme()), "鍵鍵…");
        assert_eq!(cut("鍵鍵鍵", 4, &theme()), "鍵…");
        assert_eq!(cut("x", 0, &theme()), "");
        assert_eq!(cut("a\u{1b}[2J", 80, &theme()), "a\\u{1b}[2J");
        assert_eq!(
            cut("pat_4fKq_…", 80, &Theme::new(ThemeName::Default, Glyphs::Ascii)),
            "pat_4fKq_~"
        );
    }

    #[test]
    fn text_is_wrapped_at_blanks_and_long_words_are_broken() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
    }

    proptest! {
        #[test]
        fn nothing_is_ever_wider_than_its_room(text in any::<String>(), columns in 0_u16..90) {
            prop_assert!(width(&cut(&text, columns, &theme())) <= columns);
        }

        #[test]
        fn a_pen_writes_into_its_area_only(
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
