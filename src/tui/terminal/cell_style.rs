//! The style of a cell, and the shortest SGR sequence that changes one style into another: only the
//! changed attributes, and the short codes of the 16 colours. `ansi` calls it.

use std::io::{self, Write};

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

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

/// Colours and modifiers of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CellStyle {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl CellStyle {
    pub(super) const PLAIN: Self =
        Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    pub(super) fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// Whether a blank in this style looks like a plain one.
    pub(super) fn is_plain_on_blank(self) -> bool {
        let visible = Modifier::REVERSED | Modifier::UNDERLINED | Modifier::CROSSED_OUT;
        self.bg == Color::Reset && !self.modifier.intersects(visible)
    }

    /// Writes the SGR sequence that changes the style `self` into `next`. Writes nothing if both
    /// styles are equal.
    pub(super) fn write_style_change(mut self, next: Self, out: &mut impl Write) -> io::Result<()> {
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
