//! Cells as bytes for the terminal, few of them: a style change says only what changes, in the
//! short codes of the sixteen colours, and a short gap in a line is stepped over. ratatui's own
//! writer says both colours anew at each change, which a link with a delay makes felt.
//!
//! Owns the style and the place that the terminal has within one frame. `diff_backend` calls it.

use std::borrow::Cow;
use std::io::{self, Write};

use crossterm::{cursor::MoveTo, queue};
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr as _};

/// The codes that turn a modifier on.
const CODES: [(Modifier, u8); 9] = [
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

/// Writes `cells`, each with its column and line, from the plain style and back to it.
pub(super) fn draw<'a>(
    out: &mut impl Write,
    cells: impl Iterator<Item = (u16, u16, &'a Cell)>,
) -> io::Result<()> {
    let mut style = Style::PLAIN;
    let mut writer: Option<CursorTracker> = None;
    for (x, y, cell) in cells {
        CursorTracker::go(writer, out, x, y)?;
        let next = Style::of(cell);
        style.turn_into(next, out)?;
        style = next;
        out.write_all(agreed(cell.symbol()).as_bytes())?;
        let moved = writer.is_none_or(|writer| (writer.x, writer.y) != (x, y));
        let sure = moved || writer.is_some_and(|writer| writer.sure);
        writer = Some(CursorTracker {
            x: x.saturating_add(1),
            y,
            sure: sure && cell.symbol().is_ascii(),
        });
    }
    style.turn_into(Style::PLAIN, out)
}

/// `symbol` as every terminal draws it in as many columns as it has cells. Of characters that some
/// join and some draw side by side, such as a hand and its colour, only the first is written:
/// what stuck out into the next cell would stay there for ever.
fn agreed(symbol: &str) -> Cow<'_, str> {
    let columns = symbol.width();
    // What stands before its letter would join the cell before it on many terminals.
    let symbol = symbol.trim_start_matches(|c: char| c.width() == Some(0));
    let apart: usize = symbol.chars().filter_map(UnicodeWidthChar::width).sum();
    let Some(first) = symbol.chars().next().filter(|_| apart != columns) else {
        return Cow::Borrowed(symbol);
    };
    let blanks = columns.saturating_sub(first.width().unwrap_or(0));
    Cow::Owned(format!("{first}{}", " ".repeat(blanks)))
}

/// Where the next symbol would land.
#[derive(Debug, Clone, Copy)]
struct CursorTracker {
    x: u16,
    y: u16,
    /// Whether the terminal must agree. Some draw two columns where we count one; until the next
    /// full address a step from such a place would carry the error on.
    sure: bool,
}

impl CursorTracker {
    fn go(from: Option<Self>, out: &mut impl Write, x: u16, y: u16) -> io::Result<()> {
        match from {
            Some(writer) if (writer.x, writer.y) == (x, y) => Ok(()),
            Some(writer) if writer.sure && writer.y == y && writer.x < x => match x - writer.x {
                1 => out.write_all(b"\x1b[C"),
                gap => write!(out, "\x1b[{gap}C"),
            },
            _ => queue!(out, MoveTo(x, y)),
        }
    }
}

/// What the terminal can be told about a cell beside its symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Style {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Style {
    const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// Writes what turns `self` into `next`, if anything does.
    fn turn_into(mut self, next: Self, out: &mut impl Write) -> io::Result<()> {
        if self == next {
            return Ok(());
        }
        if next == Self::PLAIN {
            return out.write_all(b"\x1b[m");
        }
        let mut lead = "\x1b[";
        // Turning off is different for each modifier (22 ends two of them): start anew instead.
        if !next.modifier.contains(self.modifier) {
            write!(out, "{lead}0")?;
            lead = ";";
            self = Self::PLAIN;
        }
        for (modifier, code) in CODES {
            if next.modifier.contains(modifier) && !self.modifier.contains(modifier) {
                write!(out, "{lead}{code}")?;
                lead = ";";
            }
        }
        if next.fg != self.fg {
            write!(out, "{lead}")?;
            colour(out, next.fg, 30)?;
            lead = ";";
        }
        if next.bg != self.bg {
            write!(out, "{lead}")?;
            colour(out, next.bg, 40)?;
        }
        out.write_all(b"m")
    }
}

/// Writes the code of `colour`; `base` is 30 for the text and 40 for what is behind it.
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

    /// A cell by numbers: symbol, colours, and the modifiers as bits.
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
        fn a_terminal_shows_what_was_painted_after_each_of_two_frames(
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
    fn only_what_changes_is_said() {
        let mut to = Buffer::empty(Rect::new(0, 0, 10, 1));
        to.set_string(0, 0, "a", ratatui::style::Style::new().fg(Color::Green));
        to.set_string(1, 0, "b", ratatui::style::Style::new());
        to.set_string(4, 0, "c", ratatui::style::Style::new());
        let sent = bytes(&Buffer::empty(to.area), &to);
        assert_eq!(sent, b"\x1b[1;1H\x1b[32ma\x1b[mb\x1b[2Cc");
    }

    #[test]
    fn of_what_terminals_join_or_not_only_the_first_character_is_written() {
        for (symbol, written) in [
            ("a", "a"),
            ("鍵", "鍵"),
            ("e\u{301}", "e\u{301}"),
            ("👍🏽", "👍"),
            ("👨\u{200d}👩", "👨"),
            ("❤\u{fe0f}", "❤ "),
            ("\u{113d1}0", "0"),
        ] {
            assert_eq!(agreed(symbol), written, "{symbol}");
        }
    }

    #[test]
    fn after_a_symbol_of_doubtful_width_a_gap_is_crossed_by_a_full_address() {
        let mut to = Buffer::empty(Rect::new(0, 0, 10, 1));
        to.set_string(0, 0, "● a b", ratatui::style::Style::new());
        let sent = bytes(&Buffer::empty(to.area), &to);
        let sent = String::from_utf8(sent).unwrap();
        assert_eq!(sent, "\x1b[1;1H●\x1b[1;3Ha\x1b[Cb");
    }
}
