//! Renders a screen buffer as SVG. Box-drawing characters become paths, so that they join in any
//! font. Each run of text has an explicit width, so that columns stay aligned.

use std::fmt::{self, Write as _};

use ratatui::{
    buffer::{Buffer, Cell},
    layout::Position,
    style::{Color, Modifier, Style},
};
use unicode_width::UnicodeWidthStr as _;

/// Width and height of a cell, in pixels, as all lengths here.
const CELL: (f32, f32) = (8.4, 18.0);
const MARGIN: f32 = 16.0;
const TITLE_BAR: f32 = 36.0;
/// Distance of the text baseline from the top of its line.
const BASELINE: f32 = 13.2;

/// Default foreground and background.
const FRONT: Rgb = Rgb(0xcd, 0xd6, 0xf4);
const BACK: Rgb = Rgb(0x11, 0x11, 0x1b);
const FONTS: &str = "ui-monospace,'SF Mono',Menlo,'DejaVu Sans Mono','Liberation Mono',Consolas,\
                     'Noto Sans Mono CJK JP',monospace";

/// Red, green and blue.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Rgb(u8, u8, u8);

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl Rgb {
    /// Dimmed on `back`: 60 % foreground, 40 % background.
    fn dimmed(self, back: Self) -> Self {
        let mix = |front: u8, back: u8| {
            u8::try_from((u16::from(front) * 3 + u16::from(back) * 2) / 5).unwrap()
        };
        Self(mix(self.0, back.0), mix(self.1, back.1), mix(self.2, back.2))
    }

    /// The standard colour of an index from 16 to 255.
    fn indexed(index: u8) -> Self {
        let Some(cube) = index.checked_sub(16).filter(|cube| *cube < 216) else {
            let grey = 8 + 10 * (index - 232);
            return Self(grey, grey, grey);
        };
        let level = |at: u8| [0, 95, 135, 175, 215, 255][usize::from(at % 6)];
        Self(level(cube / 36), level(cube / 6), level(cube))
    }
}

/// The screen in a window frame, with the cursor if it is shown; `base` is the default style.
pub(crate) fn render_svg(buffer: &Buffer, cursor: Option<Position>, base: Style) -> String {
    let area = buffer.area;
    let front = colour(base.fg.unwrap_or_default(), FRONT);
    let back = colour(base.bg.unwrap_or_default(), BACK);
    let wide = f32::from(area.width) * CELL.0 + 2.0 * MARGIN;
    let high = f32::from(area.height) * CELL.1 + TITLE_BAR + MARGIN;
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
    for (x, colour) in [(20, "#f38ba8"), (40, "#f9e2af"), (60, "#a6e3a1")] {
        writeln!(out, "<circle cx=\"{x}\" cy=\"18\" r=\"6\" fill=\"{colour}\"/>").unwrap();
    }
    for y in 0..area.height {
        write_line(&mut out, buffer, y, (front, back));
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
    (MARGIN + f32::from(column) * CELL.0, TITLE_BAR + f32::from(line) * CELL.1)
}

/// Resolved style of a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
struct CellStyle {
    front: Rgb,
    back: Rgb,
    bold: bool,
    italic: bool,
    underlined: bool,
}

impl CellStyle {
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

/// The RGB value of a theme colour; `default` for a reset.
fn colour(colour: Color, default: Rgb) -> Rgb {
    match colour {
        Color::Reset => default,
        Color::Red => Rgb(0xf3, 0x8b, 0xa8),
        Color::Green => Rgb(0xa6, 0xe3, 0xa1),
        Color::Yellow => Rgb(0xf9, 0xe2, 0xaf),
        Color::Cyan => Rgb(0x94, 0xe2, 0xd5),
        Color::Indexed(index @ 16..) => Rgb::indexed(index),
        other => panic!("no theme has the colour {other}"),
    }
}

/// Adjacent cells with the same style.
struct StyledRun {
    text: String,
    style: CellStyle,
    from: u16,
    cells: u16,
}

fn write_line(out: &mut String, buffer: &Buffer, y: u16, (front, back): (Rgb, Rgb)) {
    let mut runs: Vec<StyledRun> = Vec::new();
    let mut x = 0;
    while x < buffer.area.width {
        let cell = &buffer[(x, y)];
        let symbol = cell.symbol();
        let style = CellStyle::of(cell);
        let cells = u16::try_from(symbol.width()).unwrap().max(1);
        // A non-ASCII character may have another width in the font, so it is a run of its own.
        match runs.last_mut() {
            Some(run) if run.style == style && run.text.is_ascii() && symbol.is_ascii() => {
                run.text.push_str(symbol);
                run.cells += cells;
            }
            _ => runs.push(StyledRun { text: symbol.to_owned(), style, from: x, cells }),
        }
        x += cells;
    }
    // Backgrounds first, because glyphs may extend into the next cell.
    for run in &runs {
        write_background(out, run, y, back);
    }
    for run in &runs {
        write_text(out, run, y, front);
    }
}

fn write_background(out: &mut String, run: &StyledRun, y: u16, back: Rgb) {
    let (left, top) = corner(run.from, y);
    let wide = f32::from(run.cells) * CELL.0;
    if run.style.back != back {
        writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{}\" fill=\"{}\"/>",
            wide + 0.1,
            CELL.1,
            run.style.back
        )
        .unwrap();
    }
    if run.style.underlined {
        let under = top + CELL.1 - 2.5;
        writeln!(
            out,
            "<path d=\"M{left:.1} {under:.1}h{wide:.1}\" stroke=\"{}\"/>",
            run.style.front
        )
        .unwrap();
    }
}

fn write_text(out: &mut String, run: &StyledRun, y: u16, front: Rgb) {
    let (left, top) = corner(run.from, y);
    if let Some(path) = box_path(&run.text) {
        writeln!(
            out,
            "<path d=\"M{left:.1} {top:.1}{path}\" stroke=\"{}\" fill=\"none\"/>",
            run.style.front
        )
        .unwrap();
        return;
    }
    let style = style_attributes(run.style, front);
    // Two spaces separate columns: position each column explicitly.
    let mut from = 0;
    for column in run.text.split("  ") {
        let blanks = column.len() - column.trim_start().len();
        let text = column.trim();
        let at = left + cells(from + blanks);
        from += column.len() + 2;
        if !text.is_empty() {
            write_word(out, text, (at, top + BASELINE), &style);
        }
    }
}

fn style_attributes(cell: CellStyle, front: Rgb) -> String {
    let mut style = String::new();
    if cell.front != front {
        write!(style, " fill=\"{}\"", cell.front).unwrap();
    }
    if cell.bold {
        style.push_str(" font-weight=\"700\"");
    }
    if cell.italic {
        style.push_str(" font-style=\"italic\"");
    }
    style
}

fn cells(count: usize) -> f32 {
    f32::from(u16::try_from(count).unwrap()) * CELL.0
}

fn write_word(out: &mut String, text: &str, (left, base): (f32, f32), style: &str) {
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

/// The path of a box-drawing character, relative to the upper left corner of its cell.
fn box_path(symbol: &str) -> Option<String> {
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
    for (has_line, x, y) in
        [(left, -half_x, 0.0), (right, half_x, 0.0), (up, 0.0, -half_y), (down, 0.0, half_y)]
    {
        if has_line {
            write!(path, "l{x} {y}m{} {}", -x, -y).unwrap();
        }
    }
    Some(path)
}
