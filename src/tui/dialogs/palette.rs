//! Command palette: all commands with a fuzzy filter, best match first. Accepting a command runs
//! the same action as its key. An unavailable command is listed with the reason.

use std::cmp::Reverse;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use crate::{
    keymap::{
        Action, CommandAvailability, HelpSection, Mode, PaletteCommand,
        palette_commands::EXACT_KEY_SCORE,
    },
    tui::{
        app::{
            effect::{Effect, UiChange},
            model::Model,
        },
        widgets::{
            canvas::{Canvas, truncate, width},
            form::FormInput as _,
            list_selection::ListSelection,
            panel,
            text_input::TextInput,
        },
    },
};

/// Width of the menus in columns.
pub(super) const MENU_WIDTH: u16 = 66;
/// Maximum height of the palette in lines.
const MAX_HEIGHT: u16 = 18;
/// Number of points that are subtracted from the match score of an unavailable command.
const UNAVAILABLE_PENALTY: usize = 6;
/// Number of lines above the rows: the search field and a rule.
pub(super) const HEADER_LINES: u16 = 2;

#[derive(Debug)]
pub struct PaletteDialog {
    commands: Vec<PaletteCommand>,
    search: TextInput,
    /// For each matching command, its index in `commands` and the indexes of the matched
    /// characters. The best match is first.
    matches: Vec<(usize, Vec<usize>)>,
    rows: ListSelection,
}

impl PaletteDialog {
    pub fn new(commands: Vec<PaletteCommand>) -> Self {
        let mut it = Self {
            commands,
            search: TextInput::single_line(""),
            matches: Vec::new(),
            rows: ListSelection::default(),
        };
        it.update_matches();
        it
    }

    fn update_matches(&mut self) {
        let typed = self.search.text();
        let matches: Vec<_> = self
            .commands
            .iter()
            .enumerate()
            .filter_map(|(at, command)| Some((at, command, command.score(&typed)?)))
            .collect();
        let scores = matches.iter().map(|(_, _, (score, _))| *score);
        // Drop matches that score less than three quarters of the best match. In such matches, the
        // typed letters are scattered over the sentence.
        let least = scores.filter(|score| *score < EXACT_KEY_SCORE).max().unwrap_or(0) * 3 / 4;
        let kept = matches.into_iter().filter(|(_, _, (score, _))| *score >= least);
        let mut ordered: Vec<_> = kept
            .map(|(at, command, (score, positions))| {
                let is_available = command.availability == CommandAvailability::Available;
                let score =
                    score.saturating_sub(if is_available { 0 } else { UNAVAILABLE_PENALTY });
                // Among equally good matches, movement commands come last, because their keys are
                // well known.
                let order = (Reverse(score), !is_available, command.section == HelpSection::Move);
                (order, (at, positions))
            })
            .collect();
        ordered.sort_by_key(|(order, _)| *order);
        self.matches = ordered.into_iter().map(|(_, entry)| entry).collect();
        self.rows.select(0);
    }

    fn selected(&self) -> Option<&PaletteCommand> {
        let (at, _) = self.matches.get(self.rows.selected())?;
        self.commands.get(*at)
    }
}

impl Dialog for PaletteDialog {
    fn mode(&self) -> Mode {
        Mode::Menu
    }

    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        if self.rows.apply_movement(action, self.matches.len()).is_some() {
            return None;
        }
        match (action, self.selected()) {
            (Action::Close, _) => Some(Effect::close()),
            (Action::Accept, Some(command)) => Some(match command.availability {
                CommandAvailability::Available => Effect::Ui(UiChange::Run(command.action)),
                CommandAvailability::Disabled => Effect::warn("Not available at the moment"),
                CommandAvailability::OtherMode(mode) => {
                    Effect::warn(format!("Only available {}", mode.place()))
                }
            }),
            _ => None,
        }
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let high = MAX_HEIGHT.min(menu_height(area));
        let inner = panel::draw("Commands", (MENU_WIDTH, high), false, area, canvas);
        let page = usize::from(inner.height.saturating_sub(HEADER_LINES));
        let top = self.rows.scroll_to_selection(page, self.matches.len());
        let last = (self.rows.selected() + 1).min(self.matches.len());
        let count = format!("{last} of {}", self.matches.len());
        let cursor = draw_search(&self.search, &count, inner, canvas);
        ctx.hit_map.wheel(inner, 3);
        let visible = self.matches.iter().enumerate().skip(top).take(page);
        for (line, (row, (at, positions))) in (HEADER_LINES..).zip(visible) {
            if let Some(command) = self.commands.get(*at) {
                draw_command(command, positions, line, inner, canvas);
            }
            canvas.list_row((inner, line), (row, self.rows.selected()), Action::Accept);
        }
        if self.matches.is_empty() {
            let text = "No command matches.";
            canvas.line(inner, HEADER_LINES).text(text, theme.text());
        }
        cursor
    }

    fn text(&mut self, key: KeyEvent) {
        let before = self.search.text();
        if self.search.press(key) && self.search.text() != before {
            self.update_matches();
        }
    }
}

/// The height of a menu over `area`, with a smaller margin if the area is short.
pub(super) fn menu_height(area: Rect) -> u16 {
    area.height.saturating_sub(if area.height < 16 { 2 } else { 4 })
}

/// Draws the search field with `count` at the end of its line, and the rule below it.
pub(super) fn draw_search(
    search: &TextInput,
    count: &str,
    inner: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let theme = &canvas.ctx.theme;
    let room = width("9999 of 9999") + 1;
    let mode = Rect {
        x: (inner.x + 2).min(inner.right()),
        width: inner.width.saturating_sub(2 + room),
        height: inner.height.min(1),
        ..inner
    };
    canvas.line(inner, 0).text(">", theme.accent);
    let from = inner.width.saturating_sub(width(count));
    canvas.line(inner, 0).move_to(from).text(count, theme.faint);
    canvas.rule(inner, 1);
    search.draw(mode, canvas, true)
}

/// Draws a command on one line: at the left its help sentence with the matched characters
/// highlighted, at the right its keys. For an unavailable command, the reason replaces the keys.
pub(super) fn draw_command(
    command: &PaletteCommand,
    positions: &[usize],
    line: u16,
    inner: Rect,
    canvas: &mut Canvas<'_>,
) {
    let theme = &canvas.ctx.theme;
    let is_available = command.availability == CommandAvailability::Available;
    let plain = if is_available { theme.text() } else { theme.faint };
    let note = match command.availability {
        CommandAvailability::Available => command.keys.clone(),
        CommandAvailability::Disabled => "not now".to_owned(),
        CommandAvailability::OtherMode(mode) => mode.place().to_owned(),
    };
    let keys = width(&note).min(inner.width / 2);
    let from = inner.width.saturating_sub(keys + 1);
    // Draw the sentence character by character to highlight the matches. This is possible because
    // help sentences contain only characters that are one column wide.
    let sentence = truncate(command.help, from.saturating_sub(2), theme);
    let mut writer = canvas.line(inner, line).skip(1);
    for (at, c) in sentence.chars().enumerate() {
        let style = if positions.contains(&at) { theme.accent } else { plain };
        writer = writer.text(c.encode_utf8(&mut [0; 4]), style);
    }
    writer.move_to(from).text_within(
        &note,
        keys,
        if is_available { theme.key } else { theme.faint },
    );
}
