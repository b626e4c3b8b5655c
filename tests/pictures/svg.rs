//! A screen as an SVG picture. Lines of boxes are drawn, not written, so that they join in any
//! font; every run of text is told its width, so that columns stay where they are.

use std::fmt::Write as _;

use ratatui::{
    buffer::{Buffer, Cell},
    layout::Position,
    style::{Color, Modifier},
};
use unicode_width::UnicodeWidthStr as _;

const CELL: (f32, f32) = (8.4, 18.0);
const MARGIN: f32 = 16.0;
const BAR: f32 = 36.0;
/// Where the letters of a line stand, from its top.
const BASE: f32 = 13.2;

const BACK: &str = "#11111b";
const FRONT: &str = "#cdd6f4";
const FONTS: &str = "ui-monospace,'SF Mono',Menlo,'DejaVu Sans Mono','Liberation Mono',Consolas,\
                     'Noto Sans Mono CJK JP',monospace";

/// The screen in a window, with the cursor where it has one.
pub(crate) fn picture(buffer: &Buffer, cursor: Option<Position>) -> String {
    let area = buffer.area;
    let wide = f32::from(area.width) * CELL.0 + 2.0 * MARGIN;
    let high = f32::from(area.height) * CELL.1 + BAR + MARGIN;
    let mut out = String::new();
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide:.0} {high:.0}\" \
         width=\"{wide:.0}\" height=\"{high:.0}\" role=\"img\" font-family=\"{FONTS}\" \
         font-size=\"14\" fill=\"{FRONT}\" xml:space=\"preserve\">"
    )
    .unwrap();
    writeln!(
        out,
        "<rect x=\".5\" y=\".5\" width=\"{:.0}\" height=\"{:.0}\" rx=\"10\" fill=\"{BACK}\" \
         stroke=\"#313244\"/>",
        wide - 1.0,
        high - 1.0
    )
    .unwrap();
    for (place, colour) in [(20, "#f38ba8"), (40, "#f9e2af"), (60, "#a6e3a1")] {
        writeln!(out, "<circle cx=\"{place}\" cy=\"18\" r=\"6\" fill=\"{colour}\"/>").unwrap();
    }
    for y in 0..area.height {
        line(&mut out, buffer, y);
    }
    if let Some(at) = cursor {
        let (x, y) = corner(at.x, at.y);
        writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"2\" height=\"{}\" fill=\"{FRONT}\"/>",
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
    front: &'static str,
    back: &'static str,
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
fn colour(colour: Color, usual: &'static str) -> &'static str {
    match colour {
        Color::Black => "#45475a",
        Color::DarkGray => "#7f849c",
        Color::Red | Color::LightRed => "#f38ba8",
        Color::Green | Color::LightGreen => "#a6e3a1",
        Color::Yellow | Color::LightYellow => "#f9e2af",
        Color::Blue | Color::LightBlue => "#89b4fa",
        Color::Magenta | Color::LightMagenta => "#f5c2e7",
        Color::Cyan | Color::LightCyan => "#94e2d5",
        Color::Gray | Color::White => "#bac2de",
        _ => usual,
    }
}

/// Cells of one look next to each other.
struct Run {
    text: String,
    ink: Ink,
    from: u16,
    cells: u16,
}

fn line(out: &mut String, buffer: &Buffer, y: u16) {
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
        behind(out, run, y);
    }
    for run in &runs {
        letters(out, run, y);
    }
}

fn behind(out: &mut String, run: &Run, y: u16) {
    let (left, top) = corner(run.from, y);
    let wide = f32::from(run.cells) * CELL.0;
    if run.ink.back != BACK {
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

fn letters(out: &mut String, run: &Run, y: u16) {
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
    let style = style(run.ink);
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

fn style(ink: Ink) -> String {
    let mut style = String::new();
    if ink.front != FRONT {
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
