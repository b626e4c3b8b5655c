//! A screen as an SVG picture. Lines of boxes are drawn, not written, so that they join in any
//! font; every run of text is told its width, so that columns stay where they are.

use std::fmt::{self, Write as _};

use ratatui::{
    buffer::{Buffer, Cell},
    layout::Position,
    style::{Color, Modifier, Style},
};
use unicode_width::UnicodeWidthStr as _;

const CELL: (f32, f32) = (8.4, 18.0);
const MARGIN: f32 = 16.0;
const BAR: f32 = 36.0;
/// Where the letters of a line stand, from its top.
const BASE: f32 = 13.2;

/// What a terminal shows where it is told no colour.
const FRONT: Shade = Shade(0xcd, 0xd6, 0xf4);
const BACK: Shade = Shade(0x11, 0x11, 0x1b);
const FONTS: &str = "ui-monospace,'SF Mono',Menlo,'DejaVu Sans Mono','Liberation Mono',Consolas,\
                     'Noto Sans Mono CJK JP',monospace";

/// A colour by its red, green and blue.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shade(u8, u8, u8);

impl fmt::Display for Shade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl Shade {
    /// Faint on `back`: three fifths of the way from it.
    fn dimmed(self, back: Self) -> Self {
        let mix = |front: u8, back: u8| {
            u8::try_from((u16::from(front) * 3 + u16::from(back) * 2) / 5).unwrap()
        };
        Self(mix(self.0, back.0), mix(self.1, back.1), mix(self.2, back.2))
    }

    /// What every terminal shows for an index above the sixteen of its own.
    fn indexed(index: u8) -> Self {
        let Some(cube) = index.checked_sub(16).filter(|cube| *cube < 216) else {
            let grey = 8 + 10 * (index - 232);
            return Self(grey, grey, grey);
        };
        let level = |at: u8| [0, 95, 135, 175, 215, 255][usize::from(at % 6)];
        Self(level(cube / 36), level(cube / 6), level(cube))
    }
}

/// The screen in a window, with the cursor where it has one; `base` is what it is drawn on.
pub(crate) fn picture(buffer: &Buffer, cursor: Option<Position>, base: Style) -> String {
    let area = buffer.area;
    let front = colour(base.fg.unwrap_or_default(), FRONT);
    let back = colour(base.bg.unwrap_or_default(), BACK);
    let wide = f32::from(area.width) * CELL.0 + 2.0 * MARGIN;
    let high = f32::from(area.height) * CELL.1 + BAR + MARGIN;
    let mut out = String::new();
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide:.0} {high:.0}\" \
         width=\"{wide:.0}\" height=\"{high:.0}\" role=\"img\" font-family=\"{FONTS}\" \
         font-size=\"14\" fill=\"{front}\" xml:space=\"preserve\">"
    )
    .unwrap();
    writeln!(
        out,
        "<rect x=\".5\" y=\".5\" width=\"{:.0}\" height=\"{:.0}\" rx=\"10\" fill=\"{back}\" \
         stroke=\"#313244\"/>",
        wide - 1.0,
        high - 1.0
    )
    .unwrap();
    for (place, colour) in [(20, "#f38ba8"), (40, "#f9e2af"), (60, "#a6e3a1")] {
        writeln!(out, "<circle cx=\"{place}\" cy=\"18\" r=\"6\" fill=\"{colour}\"/>").unwrap();
    }
    for y in 0..area.height {
        line(&mut out, buffer, y, (front, back));
    }
    if let Some(at) = cursor {
        let (x, y) = corner(at.x, at.y);
        writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"2\" height=\"{}\" fill=\"{front}\"/>",
            CELL.1
        )
        .unwrap();
    }
    out.push_str("</svg>\n");
    out
}

/// The upper left corner of a cell.
fn corner(column: u16, line: u16) -> (f32, f32) {
    (MARGIN + f32::from(column) * CELL.0, BAR + f32::from(line) * CELL.1)
}

/// How a cell looks: colour of the letter, of what is behind it, and its weight.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ink {
    front: Shade,
    back: Shade,
    bold: bool,
    italic: bool,
    underlined: bool,
}

impl Ink {
    fn of(cell: &Cell) -> Self {
        let (mut front, mut back) = (colour(cell.fg, FRONT), colour(cell.bg, BACK));
        if cell.modifier.contains(Modifier::REVERSED) {
            (front, back) = (back, front);
        }
        if cell.modifier.contains(Modifier::DIM) {
            front = front.dimmed(back);
        }
        Self {
            front,
            back,
            bold: cell.modifier.contains(Modifier::BOLD),
            italic: cell.modifier.contains(Modifier::ITALIC),
            underlined: cell.modifier.contains(Modifier::UNDERLINED),
        }
    }
}

/// A colour of the palette that many terminals have today.
fn colour(colour: Color, usual: Shade) -> Shade {
    match colour {
        Color::Reset => usual,
        Color::Red => Shade(0xf3, 0x8b, 0xa8),
        Color::Green => Shade(0xa6, 0xe3, 0xa1),
        Color::Yellow => Shade(0xf9, 0xe2, 0xaf),
        Color::Cyan => Shade(0x94, 0xe2, 0xd5),
        Color::Indexed(index @ 16..) => Shade::indexed(index),
        other => panic!("no theme has the colour {other}"),
    }
}

/// Cells of one look next to each other.
struct Run {
    text: String,
    ink: Ink,
    from: u16,
    cells: u16,
}

fn line(out: &mut String, buffer: &Buffer, y: u16, (front, back): (Shade, Shade)) {
    let mut runs: Vec<Run> = Vec::new();
    let mut x = 0;
    while x < buffer.area.width {
        let cell = &buffer[(x, y)];
        let symbol = cell.symbol();
        let ink = Ink::of(cell);
        let cells = u16::try_from(symbol.width()).unwrap().max(1);
        // Whatever is not ASCII may be wider or narrower in the font at hand: it stands alone.
        match runs.last_mut() {
            Some(run) if run.ink == ink && run.text.is_ascii() && symbol.is_ascii() => {
                run.text.push_str(symbol);
                run.cells += cells;
            }
            _ => runs.push(Run { text: symbol.to_owned(), ink, from: x, cells }),
        }
        x += cells;
    }
    // What is behind comes first: letters may reach into the next cell.
    for run in &runs {
        behind(out, run, y, back);
    }
    for run in &runs {
        letters(out, run, y, front);
    }
}

fn behind(out: &mut String, run: &Run, y: u16, back: Shade) {
    let (left, top) = corner(run.from, y);
    let wide = f32::from(run.cells) * CELL.0;
    if run.ink.back != back {
        writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{}\" fill=\"{}\"/>",
            wide + 0.1,
            CELL.1,
            run.ink.back
        )
        .unwrap();
    }
    if run.ink.underlined {
        let under = top + CELL.1 - 2.5;
        writeln!(out, "<path d=\"M{left:.1} {under:.1}h{wide:.1}\" stroke=\"{}\"/>", run.ink.front)
            .unwrap();
    }
}

fn letters(out: &mut String, run: &Run, y: u16, front: Shade) {
    let (left, top) = corner(run.from, y);
    if let Some(path) = strokes(&run.text) {
        writeln!(
            out,
            "<path d=\"M{left:.1} {top:.1}{path}\" stroke=\"{}\" fill=\"none\"/>",
            run.ink.front
        )
        .unwrap();
        return;
    }
    let style = style(run.ink, front);
    // Columns stand apart by two blanks: each has its own place, whatever the font.
    let mut from = 0;
    for column in run.text.split("  ") {
        let blanks = column.len() - column.trim_start().len();
        let text = column.trim();
        let at = left + cells(from + blanks);
        from += column.len() + 2;
        if !text.is_empty() {
            word(out, text, (at, top + BASE), &style);
        }
    }
}

fn style(ink: Ink, front: Shade) -> String {
    let mut style = String::new();
    if ink.front != front {
        write!(style, " fill=\"{}\"", ink.front).unwrap();
    }
    if ink.bold {
        style.push_str(" font-weight=\"700\"");
    }
    if ink.italic {
        style.push_str(" font-style=\"italic\"");
    }
    style
}

fn cells(count: usize) -> f32 {
    f32::from(u16::try_from(count).unwrap()) * CELL.0
}

fn word(out: &mut String, text: &str, (left, base): (f32, f32), style: &str) {
    let wide = cells(text.width());
    let written = text.replace('&', "&amp;").replace('<', "&lt;");
    if text.is_ascii() {
        writeln!(
            out,
            "<text x=\"{left:.1}\" y=\"{base:.1}\" textLength=\"{wide:.1}\"{style}>{written}</text>"
        )
    } else {
        let middle = left + wide / 2.0;
        writeln!(
            out,
            "<text x=\"{middle:.1}\" y=\"{base:.1}\" text-anchor=\"middle\"{style}>{written}</text>"
        )
    }
    .unwrap();
}

/// The lines of a piece of a box, from the upper left corner of its cell.
fn strokes(symbol: &str) -> Option<String> {
    let (half_x, half_y) = (CELL.0 / 2.0, CELL.1 / 2.0);
    let [left, right, up, down] = match symbol {
        "─" | "━" => [true, true, false, false],
        "│" | "┃" => [false, false, true, true],
        "┌" | "╭" => [false, true, false, true],
        "┐" | "╮" => [true, false, false, true],
        "└" | "╰" => [false, true, true, false],
        "┘" | "╯" => [true, false, true, false],
        "├" => [false, true, true, true],
        "┤" => [true, false, true, true],
        "┬" => [true, true, false, true],
        "┴" => [true, true, true, false],
        "┼" => [true; 4],
        _ => return None,
    };
    let mut path = format!("m{half_x} {half_y}");
    for (there, x, y) in
        [(left, -half_x, 0.0), (right, half_x, 0.0), (up, 0.0, -half_y), (down, 0.0, half_y)]
    {
        if there {
            write!(path, "l{x} {y}m{} {}", -x, -y).unwrap();
        }
    }
    Some(path)
}
