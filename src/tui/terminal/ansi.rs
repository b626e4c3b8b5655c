//! Encodes changed cells as ANSI sequences with as few bytes as possible. A style change contains
//! only the changed attributes, colours use the short 16-colour codes, and a gap in a line becomes
//! a relative cursor movement. ratatui's writer repeats both colours at each change, which is
//! noticeably slower over SSH.
//!
//! Owns the current style and cursor position within one frame. `diff_backend` calls it.

use std::borrow::Cow;
use std::io::{self, Write};

use crossterm::{cursor::MoveTo, queue};
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr as _};

/// SGR codes that enable a modifier.
const MODIFIER_CODES: [(Modifier, u8); 9] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::RAPID_BLINK, 6),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

/// Writes `cells`, each with its column and line. The terminal's style is plain before and after
/// the call.
pub(super) fn draw<'a>(
    out: &mut impl Write,
    cells: impl Iterator<Item = (u16, u16, &'a Cell)>,
) -> io::Result<()> {
    let mut style = CellStyle::PLAIN;
    let mut cursor: Option<CursorTracker> = None;
    for (x, y, cell) in cells {
        CursorTracker::move_to(cursor, out, x, y)?;
        let next = CellStyle::of(cell);
        style.write_style_change(next, out)?;
        style = next;
        out.write_all(portable_symbol(cell.symbol()).as_bytes())?;
        let moved = cursor.is_none_or(|cursor| (cursor.x, cursor.y) != (x, y));
        let was_exact = moved || cursor.is_some_and(|cursor| cursor.is_exact);
        cursor = Some(CursorTracker {
            x: x.saturating_add(1),
            y,
            is_exact: was_exact && cell.symbol().is_ascii(),
        });
    }
    style.write_style_change(CellStyle::PLAIN, out)
}

/// Returns `symbol` in a form that all terminals draw with the same width. Some terminals join the
/// characters of a sequence, such as an emoji and its skin tone; other terminals draw them side by
/// side. Only the first character of such a sequence is written, because the others could overwrite
/// the next cell.
fn portable_symbol(symbol: &str) -> Cow<'_, str> {
    let columns = symbol.width();
    // Many terminals would join leading zero-width characters with the previous cell.
    let symbol = symbol.trim_start_matches(|c: char| c.width() == Some(0));
    let separate_width: usize = symbol.chars().filter_map(UnicodeWidthChar::width).sum();
    let Some(first) = symbol.chars().next().filter(|_| separate_width != columns) else {
        return Cow::Borrowed(symbol);
    };
    let blanks = columns.saturating_sub(first.width().unwrap_or(0));
    Cow::Owned(format!("{first}{}", " ".repeat(blanks)))
}

/// Position of the terminal's cursor after the last symbol.
#[derive(Debug, Clone, Copy)]
struct CursorTracker {
    x: u16,
    y: u16,
    /// Whether the terminal's cursor is certainly at this position. Some terminals draw a symbol
    /// wider than expected. A relative movement would keep the error, while an absolute movement
    /// corrects it.
    is_exact: bool,
}

impl CursorTracker {
    fn move_to(from: Option<Self>, out: &mut impl Write, x: u16, y: u16) -> io::Result<()> {
        match from {
            Some(cursor) if (cursor.x, cursor.y) == (x, y) => Ok(()),
            Some(cursor) if cursor.is_exact && cursor.y == y && cursor.x < x => {
                match x - cursor.x {
                    1 => out.write_all(b"\x1b[C"),
                    gap => write!(out, "\x1b[{gap}C"),
                }
            }
            _ => queue!(out, MoveTo(x, y)),
        }
    }
}

/// Colours and modifiers of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CellStyle {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl CellStyle {
    const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// Writes the SGR sequence that changes the style `self` into `next`. Writes nothing if both
    /// styles are equal.
    fn write_style_change(mut self, next: Self, out: &mut impl Write) -> io::Result<()> {
        if self == next {
            return Ok(());
        }
        if next == Self::PLAIN {
            return out.write_all(b"\x1b[m");
        }
        let mut separator = "\x1b[";
        // Reset the whole style instead of disabling single modifiers, because code 22 disables
        // both bold and dim.
        if !next.modifier.contains(self.modifier) {
            write!(out, "{separator}0")?;
            separator = ";";
            self = Self::PLAIN;
        }
        for (modifier, code) in MODIFIER_CODES {
            if next.modifier.contains(modifier) && !self.modifier.contains(modifier) {
                write!(out, "{separator}{code}")?;
                separator = ";";
            }
        }
        if next.fg != self.fg {
            write!(out, "{separator}")?;
            colour(out, next.fg, 30)?;
            separator = ";";
        }
        if next.bg != self.bg {
            write!(out, "{separator}")?;
            colour(out, next.bg, 40)?;
        }
        out.write_all(b"m")
    }
}

/// Writes the SGR code of `colour`; `base` is 30 for the foreground and 40 for the background.
fn colour(out: &mut impl Write, colour: Color, base: u8) -> io::Result<()> {
    let dark = |number| (base, number);
    let bright = |number| (base + 60, number);
    let (base, number) = match colour {
        Color::Reset => dark(9),
        Color::Black => dark(0),
        Color::Red => dark(1),
        Color::Green => dark(2),
        Color::Yellow => dark(3),
        Color::Blue => dark(4),
        Color::Magenta => dark(5),
        Color::Cyan => dark(6),
        Color::Gray => dark(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(index) => return write!(out, "{};5;{index}", base + 8),
        Color::Rgb(r, g, b) => return write!(out, "{};2;{r};{g};{b}", base + 8),
    };
    write!(out, "{}", base + number)
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use proptest::prelude::*;
    use ratatui::{buffer::Buffer, layout::Rect};

    use super::*;

    const COLUMNS: NonZero<u16> = NonZero::new(12).unwrap();
    const ROWS: NonZero<u16> = NonZero::new(3).unwrap();
    const AREA: Rect = Rect::new(0, 0, COLUMNS.get(), ROWS.get());
    const COLOURS: [Color; 6] = [
        Color::Reset,
        Color::Green,
        Color::DarkGray,
        Color::White,
        Color::Indexed(200),
        Color::Rgb(1, 2, 3),
    ];
    const MODIFIERS: [Modifier; 4] =
        [Modifier::BOLD, Modifier::ITALIC, Modifier::UNDERLINED, Modifier::REVERSED];

    /// A test cell: the indexes of its symbol, foreground and background, and its modifiers as
    /// bits.
    type Recipe = (usize, usize, usize, u8);

    fn painted(recipes: &[Recipe]) -> Buffer {
        let mut buf = Buffer::empty(AREA);
        for (cell, (symbol, fg, bg, bits)) in buf.content.iter_mut().zip(recipes) {
            cell.set_symbol(["a", "b", " ", "●"][*symbol]);
            cell.fg = COLOURS[*fg];
            cell.bg = COLOURS[*bg];
            for (at, modifier) in MODIFIERS.into_iter().enumerate() {
                cell.modifier.set(modifier, bits >> at & 1 == 1);
            }
        }
        buf
    }

    fn shown(colour: Color) -> vt100::Color {
        match colour {
            Color::Green => vt100::Color::Idx(2),
            Color::DarkGray => vt100::Color::Idx(8),
            Color::White => vt100::Color::Idx(15),
            Color::Indexed(index) => vt100::Color::Idx(index),
            Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
            _ => vt100::Color::Default,
        }
    }

    fn assert_shows(screen: &vt100::Screen, buf: &Buffer) {
        for (at, cell) in buf.content.iter().enumerate() {
            let (x, y) = buf.pos_of(at);
            let seen = screen.cell(y, x).unwrap();
            let symbol = match seen.contents() {
                "" => " ",
                other => other,
            };
            assert_eq!(symbol, cell.symbol(), "at {x},{y}");
            assert_eq!(seen.fgcolor(), shown(cell.fg), "at {x},{y}");
            assert_eq!(seen.bgcolor(), shown(cell.bg), "at {x},{y}");
            let modifiers = [seen.bold(), seen.italic(), seen.underline(), seen.inverse()];
            for (modifier, on) in MODIFIERS.into_iter().zip(modifiers) {
                assert_eq!(cell.modifier.contains(modifier), on, "{modifier:?} at {x},{y}");
            }
        }
    }

    fn bytes(from: &Buffer, to: &Buffer) -> Vec<u8> {
        let mut out = Vec::new();
        draw(&mut out, from.diff(to).into_iter()).unwrap();
        out
    }

    proptest! {
        #[test]
        fn a_terminal_shows_each_of_two_frames(
            first in proptest::collection::vec((0..4_usize, 0..6_usize, 0..6_usize, 0..16_u8), 36),
            changes in proptest::collection::vec(any::<bool>(), 36),
            second in proptest::collection::vec((0..4_usize, 0..6_usize, 0..6_usize, 0..16_u8), 36),
        ) {
            let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
            let blank = Buffer::empty(AREA);
            let one = painted(&first);
            parser.process(&bytes(&blank, &one));
            assert_shows(parser.screen(), &one);
            let mixed: Vec<Recipe> = first
                .iter()
                .zip(&second)
                .zip(changes)
                .map(|((old, new), changed)| if changed { *new } else { *old })
                .collect();
            let two = painted(&mixed);
            parser.process(&bytes(&one, &two));
            assert_shows(parser.screen(), &two);
        }
    }

    #[test]
    fn a_frame_contains_only_the_changes() {
        let mut to = Buffer::empty(Rect::new(0, 0, 10, 1));
        to.set_string(0, 0, "a", ratatui::style::Style::new().fg(Color::Green));
        to.set_string(1, 0, "b", ratatui::style::Style::new());
        to.set_string(4, 0, "c", ratatui::style::Style::new());
        let sent = bytes(&Buffer::empty(to.area), &to);
        assert_eq!(sent, b"\x1b[1;1H\x1b[32ma\x1b[mb\x1b[2Cc");
    }

    #[test]
    fn only_the_first_of_joined_characters_is_written() {
        for (symbol, written) in [
            ("a", "a"),
            ("鍵", "鍵"),
            ("e\u{301}", "e\u{301}"),
            ("👍🏽", "👍"),
            ("👨\u{200d}👩", "👨"),
            ("❤\u{fe0f}", "❤ "),
            ("\u{113d1}0", "0"),
        ] {
            assert_eq!(portable_symbol(symbol), written, "{symbol}");
        }
    }

    #[test]
    fn a_gap_after_a_non_ascii_symbol_uses_an_absolute_move() {
        let mut to = Buffer::empty(Rect::new(0, 0, 10, 1));
        to.set_string(0, 0, "● a b", ratatui::style::Style::new());
        let sent = bytes(&Buffer::empty(to.area), &to);
        let sent = String::from_utf8(sent).unwrap();
        assert_eq!(sent, "\x1b[1;1H●\x1b[1;3Ha\x1b[Cb");
    }
}
