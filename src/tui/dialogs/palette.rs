//! Every command by name: typed letters narrow the list, the best match first, and Enter runs
//! the selected one as its key would. What cannot be run here and now is listed with the reason.

use std::cmp::Reverse;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use crate::{
    keymap::{Action, Availability, Group, Mode, PaletteCommand, commands::BY_KEY},
    tui::{
        app::{
            effect::{Effect, UiAction},
            model::Model,
        },
        widgets::{
            field::Field,
            form::FormInput as _,
            list_selection::ListSelection,
            paint::{Canvas, cut, width},
            panel,
        },
    },
};

/// Columns of the menus, and most lines of the palette.
pub(super) const WIDE: u16 = 66;
const HIGH: u16 = 18;
/// By how much the match of a command that cannot be run must be the better one.
const HANDICAP: usize = 6;
/// Lines above the rows: what is typed, a rule.
pub(super) const ABOVE: u16 = 2;

#[derive(Debug)]
pub struct PaletteDialog {
    commands: Vec<PaletteCommand>,
    search: Field,
    /// Which commands match, best first, and which of their characters were typed.
    found: Vec<(usize, Vec<usize>)>,
    rows: ListSelection,
}

impl PaletteDialog {
    pub fn new(commands: Vec<PaletteCommand>) -> Self {
        let mut it = Self {
            commands,
            search: Field::line(""),
            found: Vec::new(),
            rows: ListSelection::default(),
        };
        it.find();
        it
    }

    fn find(&mut self) {
        let typed = self.search.text();
        let matches: Vec<_> = self
            .commands
            .iter()
            .enumerate()
            .filter_map(|(at, command)| Some((at, command, command.matched(&typed)?)))
            .collect();
        let scores = matches.iter().map(|(_, _, (score, _))| *score);
        // Letters strewn over a sentence mean little beside a word that was spelt.
        let least = scores.filter(|score| *score < BY_KEY).max().unwrap_or(0) / 2;
        let kept = matches.into_iter().filter(|(_, _, (score, _))| *score >= least);
        let mut ordered: Vec<_> = kept
            .map(|(at, command, (score, places))| {
                let ready = command.standing == Availability::Ready;
                let score = score.saturating_sub(if ready { 0 } else { HANDICAP });
                // Moving is what the keys at hand are for: it comes after everything else.
                let order = (Reverse(score), !ready, command.group == Group::Move);
                (order, (at, places))
            })
            .collect();
        ordered.sort_by_key(|(order, _)| *order);
        self.found = ordered.into_iter().map(|(_, found)| found).collect();
        self.rows.select(0);
    }

    fn selected(&self) -> Option<&PaletteCommand> {
        let (at, _) = self.found.get(self.rows.selected())?;
        self.commands.get(*at)
    }
}

impl Dialog for PaletteDialog {
    fn mode(&self) -> Mode {
        Mode::Menu
    }

    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        if self.rows.on(action, self.found.len()).is_some() {
            return None;
        }
        match (action, self.selected()) {
            (Action::Close, _) => Some(Effect::close()),
            (Action::Accept, Some(command)) => Some(match command.standing {
                Availability::Ready => Effect::Ui(UiAction::Run(command.action)),
                Availability::Idle => Effect::warn("there is nothing for it to do here now"),
                Availability::In(place) => {
                    Effect::warn(format!("that works {}", whereabouts(place)))
                }
            }),
            _ => None,
        }
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let high = HIGH.min(height(area));
        let inner = panel::draw("Commands", (WIDE, high), false, area, canvas);
        let page = usize::from(inner.height.saturating_sub(ABOVE));
        let top = self.rows.window(page, self.found.len());
        let last = (self.rows.selected() + 1).min(self.found.len());
        let count = format!("{last} of {}", self.found.len());
        let cursor = draw_search(&self.search, &count, inner, canvas);
        ctx.hit_map.wheel(inner, 3);
        let visible = self.found.iter().enumerate().skip(top).take(page);
        for (line, (row, (at, places))) in (ABOVE..).zip(visible) {
            if let Some(command) = self.commands.get(*at) {
                draw_command(command, places, line, inner, canvas);
            }
            canvas.list_row((inner, line), (row, self.rows.selected()), Action::Accept);
        }
        if self.found.is_empty() {
            let text = "No command is called so: type less of it.";
            canvas.line(inner, ABOVE).text(text, theme.text());
        }
        cursor
    }

    fn text(&mut self, key: KeyEvent) {
        let before = self.search.text();
        if self.search.press(key) && self.search.text() != before {
            self.find();
        }
    }
}

/// The lines inside a menu over `area`: where it is low, all of them.
pub(super) fn height(area: Rect) -> u16 {
    area.height.saturating_sub(if area.height < 16 { 2 } else { 4 })
}

/// The line that is typed in, with `count` at its end, and the rule below it.
pub(super) fn draw_search(
    search: &Field,
    count: &str,
    inner: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let theme = &canvas.ctx.theme;
    let room = width("9999 of 9999") + 1;
    let place = Rect {
        x: (inner.x + 2).min(inner.right()),
        width: inner.width.saturating_sub(2 + room),
        height: inner.height.min(1),
        ..inner
    };
    canvas.line(inner, 0).text(">", theme.accent);
    let from = inner.width.saturating_sub(width(count));
    canvas.line(inner, 0).to(from).text(count, theme.faint);
    canvas.rule(inner, 1);
    search.draw(place, canvas, true)
}

/// A command on a line: its sentence with the typed characters marked, its keys at the right.
pub(super) fn draw_command(
    command: &PaletteCommand,
    places: &[usize],
    line: u16,
    inner: Rect,
    canvas: &mut Canvas<'_>,
) {
    let theme = &canvas.ctx.theme;
    let ready = command.standing == Availability::Ready;
    let plain = if ready { theme.text() } else { theme.faint };
    let told = match command.standing {
        Availability::Ready => command.keys.clone(),
        Availability::Idle => "not now".to_owned(),
        Availability::In(place) => whereabouts(place).to_owned(),
    };
    let keys = width(&told).min(inner.width / 2);
    let from = inner.width.saturating_sub(keys + 1);
    // Sentences are of the table of keys: every character takes a column.
    let sentence = cut(command.sentence, from.saturating_sub(2), theme);
    let mut writer = canvas.line(inner, line).skip(1);
    for (at, c) in sentence.chars().enumerate() {
        let style = if places.contains(&at) { theme.accent } else { plain };
        writer = writer.text(c.encode_utf8(&mut [0; 4]), style);
    }
    writer.to(from).within(&told, keys, if ready { theme.key } else { theme.faint });
}

fn whereabouts(place: Mode) -> &'static str {
    match place {
        Mode::Detail => "in the detail of a token",
        Mode::Audit => "in the audit trail",
        _ => "in the list of tokens",
    }
}
