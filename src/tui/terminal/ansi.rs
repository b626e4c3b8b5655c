//! Encodes changed cells as ANSI sequences with as few bytes as possible. A short gap in a
//! line is written again and a longer one becomes a cursor movement, a long run of blanks is erased,
//! and a blank does not change the style.
//! ratatui's writer repeats both colours at each change, which is noticeably slower over SSH.
//!
//! Owns a copy of the terminal's screen, and the pen within one frame. `diff_backend` calls it.

use std::borrow::Cow;
use std::io::{self, Write};

use crossterm::{cursor::MoveTo, queue};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr as _};

use super::cell_style::CellStyle;

/// Number of blanks from which erasing them (ECH) and moving past them takes fewer bytes than
/// writing them.
const MIN_ERASED: u16 = 13;

/// What the terminal shows.
#[derive(Debug, Default)]
pub(super) struct TerminalScreen(Buffer);

impl TerminalScreen {
    /// Makes the screen blank and sets its size.
    pub(super) fn clear(&mut self, size: Size) {
        self.wipe();
        self.0.resize(Rect::from((Position::ORIGIN, size)));
        self.0.reset();
    }

    /// Overwrites all symbols, one of which may be part of a secret.
    pub(super) fn wipe(&mut self) {
        for cell in &mut self.0.content {
            // `Cell::reset` may change only the `Option` tag and leave the symbol in memory; a new
            // symbol overwrites the whole inline string.
            cell.set_symbol(" ");
        }
    }

    /// Writes `cells`, each with its column and line, from left to right in each line. The
    /// terminal's style is plain before and after the call.
    pub(super) fn draw<'a>(
        &mut self,
        out: &mut impl Write,
        cells: impl Iterator<Item = (u16, u16, &'a Cell)>,
    ) -> io::Result<()> {
        let mut pen = Pen { style: CellStyle::PLAIN, cursor: None };
        let mut cells = with_uncovered(cells, &self.0).into_iter().peekable();
        while let Some((x, y, cell)) = cells.next() {
            pen.go_to(out, x, y, &self.0)?;
            self.store(x, y, cell);
            if !is_blank(cell) {
                pen.write(out, cell)?;
                continue;
            }
            let mut count = 1_u16;
            let is_next = |count, (column, line, cell): &(u16, u16, &Cell)| {
                (*column, *line) == (x.saturating_add(count), y) && is_blank(cell)
            };
            while let Some((x, y, cell)) = cells.next_if(|next| is_next(count, next)) {
                self.store(x, y, cell);
                count = count.saturating_add(1);
            }
            pen.write_blanks(out, count)?;
        }
        pen.style.write_style_change(CellStyle::PLAIN, out)
    }

    fn store(&mut self, x: u16, y: u16, cell: &Cell) {
        if let Some(stored) = self.0.cell_mut((x, y)) {
            stored.clone_from(cell);
        }
        if is_wide(cell)
            && let Some(covered) = self.0.cell_mut((x.saturating_add(1), y))
        {
            covered.reset();
        }
    }
}

static BLANK: Cell = Cell::EMPTY;

/// Returns `cells`, and a blank for the second half of each wide symbol on `screen` that they replace by a
/// narrow one. ratatui leaves a blank there out, but some terminals then show what was below the symbol.
fn with_uncovered<'a>(
    cells: impl Iterator<Item = (u16, u16, &'a Cell)>,
    screen: &Buffer,
) -> Vec<(u16, u16, &'a Cell)> {
    let (mut all, mut cells) = (Vec::new(), cells.peekable());
    while let Some((x, y, cell)) = cells.next() {
        all.push((x, y, cell));
        let uncovers = !is_wide(cell) && screen.cell((x, y)).is_some_and(is_wide);
        let right = (x.saturating_add(1), y);
        if uncovers && cells.peek().is_none_or(|(x, y, _)| (*x, *y) != right) {
            all.push((right.0, right.1, &BLANK));
        }
    }
    all
}

fn is_wide(cell: &Cell) -> bool {
    cell.symbol().width() > 1
}

/// Whether an erased cell looks the same.
fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && CellStyle::of(cell).is_plain_on_blank()
}

/// Where and how the next symbol is written.
#[derive(Debug)]
struct Pen {
    style: CellStyle,
    /// `None` while the terminal's cursor may be on another line or column than expected.
    cursor: Option<Cursor>,
}

/// Position of the terminal's cursor.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    x: u16,
    y: u16,
    /// Whether the terminal's cursor is certainly in this column. Some terminals draw a symbol
    /// wider than expected. A relative movement would keep the error, while an absolute movement
    /// corrects it.
    is_exact: bool,
}

impl Pen {
    /// Moves the cursor. If this takes fewer bytes, writes what is on `screen` up to there again.
    fn go_to(&mut self, out: &mut impl Write, x: u16, y: u16, screen: &Buffer) -> io::Result<()> {
        match self.cursor {
            Some(cursor) if (cursor.x, cursor.y) == (x, y) => return Ok(()),
            Some(cursor) if cursor.y == y && cursor.x < x => {
                let gap = x - cursor.x;
                let digits = u16::from(gap > 1) + u16::from(gap > 9) + u16::from(gap > 99);
                let bytes = if cursor.is_exact { 3 + digits } else { 6 };
                let is_short = gap <= bytes;
                if let Some(text) = is_short.then(|| self.unchanged(cursor, gap, screen)).flatten()
                {
                    out.write_all(text.as_bytes())?;
                    self.cursor = Some(Cursor { x, ..cursor });
                    return Ok(());
                }
                match gap {
                    _ if !cursor.is_exact => write!(out, "\x1b[{}G", x.saturating_add(1))?,
                    1 => out.write_all(b"\x1b[C")?,
                    gap => write!(out, "\x1b[{gap}C")?,
                }
            }
            _ => queue!(out, MoveTo(x, y))?,
        }
        self.cursor = Some(Cursor { x, y, is_exact: true });
        Ok(())
    }

    /// The text of `count` cells from `cursor` on, if it can be written again with a byte for each
    /// cell and without a change of the style.
    fn unchanged(&self, cursor: Cursor, count: u16, screen: &Buffer) -> Option<String> {
        let symbol = |column| {
            let cell = screen.cell((column, cursor.y))?;
            let is_written_alike = CellStyle::of(cell) == self.style
                || is_blank(cell) && self.style.is_plain_on_blank();
            (is_written_alike && cell.symbol().len() == 1).then(|| cell.symbol())
        };
        (cursor.x..cursor.x.saturating_add(count)).map(symbol).collect()
    }

    fn write(&mut self, out: &mut impl Write, cell: &Cell) -> io::Result<()> {
        let next = CellStyle::of(cell);
        self.style.write_style_change(next, out)?;
        self.style = next;
        let symbol = cell.symbol();
        out.write_all(portable_symbol(symbol).as_bytes())?;
        let cursor = self.cursor.filter(|_| symbol.width() == 1);
        self.cursor = cursor.map(|at| Cursor {
            x: at.x.saturating_add(1),
            y: at.y,
            is_exact: at.is_exact && symbol.is_ascii(),
        });
        Ok(())
    }

    /// Writes `count` plain blanks or erases so many cells, which leaves the cursor where it is.
    fn write_blanks(&mut self, out: &mut impl Write, count: u16) -> io::Result<()> {
        if !self.style.is_plain_on_blank() {
            self.style.write_style_change(CellStyle::PLAIN, out)?;
            self.style = CellStyle::PLAIN;
        }
        if count >= MIN_ERASED {
            return write!(out, "\x1b[{count}X");
        }
        write!(out, "{:1$}", "", usize::from(count))?;
        self.cursor = self.cursor.map(|at| Cursor { x: at.x.saturating_add(count), ..at });
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::*;
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier};

    const COLUMNS: NonZero<u16> = NonZero::new(20).unwrap();
    const ROWS: NonZero<u16> = NonZero::new(3).unwrap();
    const AREA: Rect = Rect::new(0, 0, COLUMNS.get(), ROWS.get());
    const CELLS: usize = 60;
    const COLOURS: [Color; 6] = [
        Color::Reset,
        Color::Green,
        Color::DarkGray,
        Color::White,
        Color::Indexed(200),
        Color::Rgb(1, 2, 3),
    ];
    const MODIFIERS: [Modifier; 4] =
        [Modifier::UNDERLINED, Modifier::REVERSED, Modifier::BOLD, Modifier::ITALIC];

    /// A test cell: the indexes of its symbol, foreground and background, and its modifiers as
    /// bits.
    type Recipe = (usize, usize, usize, u8);

    /// Mostly plain blanks, so that there are long runs of them.
    fn screen() -> impl Strategy<Value = Vec<Recipe>> {
        let other = (0..4_usize, 0..6_usize, 0..6_usize, 0..16_u8);
        let cell = prop_oneof![6 => Just((2, 0, 0, 0)), 1 => other];
        proptest::collection::vec(cell, CELLS)
    }

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
            assert_eq!(seen.bgcolor(), shown(cell.bg), "at {x},{y}");
            let modifiers = [seen.underline(), seen.inverse(), seen.bold(), seen.italic()];
            // A blank looks the same in every colour and weight.
            let count = if is_blank(cell) { 2 } else { 4 };
            for (modifier, on) in MODIFIERS.into_iter().zip(modifiers).take(count) {
                assert_eq!(cell.modifier.contains(modifier), on, "{modifier:?} at {x},{y}");
            }
            if !is_blank(cell) {
                assert_eq!(seen.fgcolor(), shown(cell.fg), "at {x},{y}");
            }
        }
    }

    fn new_screen(area: Rect) -> TerminalScreen {
        let mut screen = TerminalScreen::default();
        screen.clear(area.as_size());
        screen
    }

    /// The bytes that change `screen` from one frame to the next.
    fn bytes(screen: &mut TerminalScreen, from: &Buffer, to: &Buffer) -> Vec<u8> {
        let mut out = Vec::new();
        screen.draw(&mut out, from.diff(to).into_iter()).unwrap();
        out
    }

    /// The bytes that change a screen with these lines of plain text.
    fn text_changes(from: &[&str], to: &[&str]) -> String {
        let (from, to) = (Buffer::with_lines(from.to_vec()), Buffer::with_lines(to.to_vec()));
        let mut screen = new_screen(from.area);
        bytes(&mut screen, &Buffer::empty(from.area), &from);
        String::from_utf8(bytes(&mut screen, &from, &to)).unwrap()
    }

    proptest! {
        #[test]
        fn a_terminal_shows_each_of_two_frames(
            first in screen(),
            changes in proptest::collection::vec(any::<bool>(), CELLS),
            second in screen(),
        ) {
            let mut parser = vt100::Parser::new(ROWS, COLUMNS, 0);
            let mut screen = new_screen(AREA);
            let blank = Buffer::empty(AREA);
            let one = painted(&first);
            parser.process(&bytes(&mut screen, &blank, &one));
            assert_shows(parser.screen(), &one);
            let mixed: Vec<Recipe> = first
                .iter()
                .zip(&second)
                .zip(changes)
                .map(|((old, new), changed)| if changed { *new } else { *old })
                .collect();
            let two = painted(&mixed);
            parser.process(&bytes(&mut screen, &one, &two));
            assert_eq!(screen.0, two);
            assert_shows(parser.screen(), &two);
        }
    }

    #[test]
    fn a_frame_contains_only_the_changes() {
        let mut to = Buffer::empty(Rect::new(0, 0, 20, 1));
        to.set_string(0, 0, "a", ratatui::style::Style::new().fg(Color::Green));
        to.set_string(1, 0, "b", ratatui::style::Style::new());
        to.set_string(14, 0, "c", ratatui::style::Style::new());
        let sent = bytes(&mut new_screen(to.area), &Buffer::empty(to.area), &to);
        assert_eq!(sent, b"\x1b[1;1H\x1b[32ma\x1b[mb\x1b[12Cc");
    }

    #[test]
    fn a_short_gap_is_written_again() {
        assert_eq!(text_changes(&["abcdefgh"], &["ABcdEFGh"]), "\x1b[1;1HABcdEFG");
        assert_eq!(text_changes(&["abcdefgh"], &["AbcdefgH"]), "\x1b[1;1HA\x1b[6CH");
        assert_eq!(text_changes(&["鍵x"], &["a y"]), "\x1b[1;1Ha y");
        assert_eq!(text_changes(&["鍵x"], &["  x"]), "\x1b[1;1H  ");
        assert_eq!(text_changes(&["a鍵鍵x"], &["a    x"]), "\x1b[1;2H    ");
        let wide = text_changes(&["鍵bcd鍵x"], &["錠bcD鍵y"]);
        assert_eq!(wide, "\x1b[1;1H錠\x1b[1;5HD\x1b[2Cy");
    }

    #[test]
    fn a_gap_after_a_non_ascii_symbol_uses_an_absolute_move() {
        let moved = text_changes(&["○ abcdefgh"], &["● abcdefgH"]);
        assert_eq!(moved, "\x1b[1;1H●\x1b[10GH");
        assert_eq!(text_changes(&["○ abcdefgh"], &["● aBcdefgh"]), "\x1b[1;1H● aB");
    }

    #[test]
    fn a_long_run_of_blanks_is_erased() {
        let from = ["abcdefghijklmnopqrst", "abcdefgh            "];
        let to = ["ab             pqrsT", "                    "];
        assert_eq!(text_changes(&from, &to), "\x1b[1;3H\x1b[13X\x1b[17CT\x1b[2;1H        ");
    }

    #[test]
    fn a_blank_needs_no_other_colour() {
        let mut to = Buffer::empty(Rect::new(0, 0, 8, 1));
        let dim = ratatui::style::Style::new().add_modifier(Modifier::DIM);
        for x in [0, 3, 6] {
            to.set_string(x, 0, "·", dim);
        }
        let from = Buffer::with_lines(["abcdefgh"]);
        let sent = bytes(&mut new_screen(to.area), &from, &to);
        assert_eq!(String::from_utf8(sent).unwrap(), "\x1b[1;1H\x1b[2m·  ·  · \x1b[m");
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
}
