//! Converts a screen buffer to text: its characters, and its styles as readable runs such as
//! `r3 c2..14 bold cyan`. Snapshots and the harness use it.

use ratatui::{
    buffer::{Buffer, Cell},
    layout::Position,
    style::{Color, Modifier},
};
use unicode_width::UnicodeWidthStr as _;

/// The cells of line `y` that contain a character. The cell after a wide character is skipped.
fn cells(buf: &Buffer, y: u16) -> Vec<(u16, &Cell)> {
    let mut cells = Vec::new();
    let mut x = buf.area.left();
    while x < buf.area.right() {
        let cell = &buf[(x, y)];
        cells.push((x, cell));
        x += u16::try_from(cell.symbol().width()).unwrap().max(1);
    }
    cells
}

/// The characters, without trailing spaces.
pub(crate) fn text(buf: &Buffer) -> String {
    let line = |y| {
        let cells = cells(buf, y);
        let text: String = cells.iter().map(|(_, cell)| cell.symbol()).collect();
        text.trim_end().to_owned()
    };
    let lines: Vec<_> = (buf.area.top()..buf.area.bottom()).map(line).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Position of the first occurrence of `text` within a line.
pub(crate) fn find(buf: &Buffer, text: &str) -> Option<Position> {
    (buf.area.top()..buf.area.bottom()).find_map(|y| {
        let cells = cells(buf, y);
        let line: String = cells.iter().map(|(_, cell)| cell.symbol()).collect();
        let mut at = line.find(text)?;
        let (x, _) = cells.iter().find(|(_, cell)| match at.checked_sub(cell.symbol().len()) {
            Some(left) => {
                at = left;
                false
            }
            None => true,
        })?;
        Some(Position::new(*x, y))
    })
}

/// The text in reverse video below the tabs, without surrounding spaces.
pub(crate) fn highlighted_text(buf: &Buffer) -> String {
    let lines = (buf.area.top() + 1..buf.area.bottom()).map(|y| {
        let bar = |(_, cell): &(u16, &Cell)| cell.modifier.contains(Modifier::REVERSED);
        let bar: String =
            cells(buf, y).into_iter().filter(bar).map(|(_, cell)| cell.symbol()).collect();
        bar.trim().to_owned()
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Removes borders and line breaks and collapses spaces, so that a wrapped sentence can be found.
pub(crate) fn unwrapped(screen: &str) -> String {
    let words = screen.split(|c: char| c.is_whitespace() || "│|╭╮╰╯─".contains(c));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// The styles of the screen, one line per run of equally styled cells.
fn style_runs(buf: &Buffer) -> Vec<String> {
    let mut runs = Vec::new();
    for y in buf.area.top()..buf.area.bottom() {
        let mut open: Option<(u16, String)> = None;
        let drawn = cells(buf, y).into_iter().map(|(x, cell)| (x, style(cell)));
        for (x, style) in drawn.chain([(buf.area.right(), String::new())]) {
            if open.as_ref().is_some_and(|(_, before)| *before == style) {
                continue;
            }
            if let Some((from, before)) = open.replace((x, style))
                && !before.is_empty()
            {
                runs.push(format!("r{y} c{from}..{x} {before}"));
            }
        }
    }
    runs
}

fn style(cell: &Cell) -> String {
    let mut words = Vec::new();
    let modifiers = [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::ITALIC, "italic"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ];
    for (modifier, word) in modifiers {
        if cell.modifier.contains(modifier) {
            words.push(word.to_owned());
        }
    }
    if cell.fg != Color::Reset {
        words.push(cell.fg.to_string().to_lowercase());
    }
    if cell.bg != Color::Reset {
        words.push(format!("on {}", cell.bg.to_string().to_lowercase()));
    }
    words.join(" ")
}

/// Text, cursor and styles of a screen, for a snapshot.
pub(crate) fn text_with_styles(buf: &Buffer, cursor: Option<Position>) -> String {
    let cursor = cursor.map_or("no cursor".to_owned(), |at| format!("cursor r{} c{}", at.y, at.x));
    let mut parts = vec![text(buf), String::new(), cursor];
    parts.extend(style_runs(buf));
    parts.join("\n")
}

#[test]
fn the_dump_contains_text_cursor_and_styles() {
    use ratatui::style::Style;
    let mut buf = Buffer::empty(ratatui::layout::Rect::new(0, 0, 10, 2));
    buf.set_string(0, 0, "日本 ok", Style::new().fg(Color::Cyan));
    buf.set_string(3, 1, "x", Style::new().add_modifier(Modifier::BOLD));
    assert_eq!(
        text_with_styles(&buf, Some(Position::new(4, 1))),
        "日本 ok\n   x\n\ncursor r1 c4\nr0 c0..7 cyan\nr1 c3..4 bold"
    );
}
