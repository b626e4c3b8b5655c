//! The keys that work here, by what they are for, narrowed as one types; Enter runs the selected
//! one.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use super::palette::{ABOVE, WIDE, draw_command, draw_search, height};
use crate::{
    keymap::{Action, Availability, Group, Mode, PaletteCommand},
    tui::{
        app::{
            effect::{Effect, UiAction},
            model::Model,
        },
        widgets::{
            field::Field, form::FormInput as _, list_selection::ListSelection, paint::Canvas, panel,
        },
    },
};

#[derive(Debug)]
pub struct HelpDialog {
    commands: Vec<PaletteCommand>,
    search: Field,
    selected: usize,
    rows: ListSelection,
}

#[derive(Clone, Copy)]
enum Line<'a> {
    Heading(&'static str),
    Command(usize, &'a PaletteCommand),
    Gap,
}

impl HelpDialog {
    /// The help on those of `commands` that can be run here by a key.
    pub fn new(mut commands: Vec<PaletteCommand>) -> Self {
        commands
            .retain(|command| command.standing == Availability::Ready && !command.keys.is_empty());
        Self { commands, search: Field::line(""), selected: 0, rows: ListSelection::default() }
    }

    /// The commands that are shown, by group.
    fn found(&self) -> Vec<(Group, Vec<&PaletteCommand>)> {
        let typed = self.search.text().trim().to_lowercase();
        let shows = |command: &&PaletteCommand| {
            let is_key = command.keys.split(", ").any(|key| key.to_lowercase() == typed);
            is_key || command.sentence.contains(&typed) || command.action.as_str().contains(&typed)
        };
        let of = |group| {
            let those = self.commands.iter().filter(|command| command.group == group);
            (group, those.filter(shows).collect::<Vec<_>>())
        };
        let groups = Group::ALL.into_iter().map(of);
        groups.filter(|(_, commands)| !commands.is_empty()).collect()
    }

    /// The lines, the commands numbered.
    fn lines(&self) -> Vec<Line<'_>> {
        let mut lines = Vec::new();
        let mut number = 0;
        for (group, commands) in self.found() {
            if !lines.is_empty() {
                lines.push(Line::Gap);
            }
            lines.push(Line::Heading(group.heading()));
            for command in commands {
                lines.push(Line::Command(number, command));
                number += 1;
            }
        }
        lines
    }
}

impl Dialog for HelpDialog {
    fn mode(&self) -> Mode {
        Mode::Menu
    }

    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        let found: Vec<_> = self.found().into_iter().flat_map(|(_, commands)| commands).collect();
        match (action, found.get(self.selected)) {
            (Action::Close, _) => return Some(Effect::close()),
            (Action::Accept, Some(command)) => {
                return Some(Effect::Ui(UiAction::Run(command.action)));
            }
            _ => {}
        }
        let count = found.len();
        // The rows are lines; what moves is the number of the command.
        let mut rows = self.rows;
        rows.select(self.selected);
        if rows.on(action, count).is_some() {
            self.selected = rows.selected();
        }
        None
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let inner = panel::draw("Keys that work here", (WIDE, height(area)), false, area, canvas);
        let page = usize::from(inner.height.saturating_sub(ABOVE));
        let mut rows = self.rows;
        let lines = self.lines();
        let is_selected =
            |line: &Line<'_>| matches!(line, Line::Command(n, _) if *n == self.selected);
        let at = lines.iter().position(is_selected).unwrap_or(0);
        // The heading of the very first command must come into view again, too.
        rows.select(if self.selected == 0 { 0 } else { at });
        let top = rows.window(page, lines.len());
        let total = lines.iter().filter(|line| matches!(line, Line::Command(..))).count();
        let count = format!("{} of {total}", (self.selected + 1).min(total));
        let cursor = draw_search(&self.search, &count, inner, canvas);
        ctx.hit_map.wheel(inner, 3);
        for (line, content) in (ABOVE..).zip(lines.iter().skip(top).take(page)) {
            match content {
                Line::Heading(text) => {
                    canvas.line(inner, line).text(text, theme.heading);
                }
                Line::Command(number, command) => {
                    draw_command(command, &[], line, inner, canvas);
                    canvas.list_row((inner, line), (*number, self.selected), Action::Accept);
                }
                Line::Gap => {}
            }
        }
        if lines.is_empty() {
            let text = "No key here does that.";
            canvas.line(inner, ABOVE).text(text, theme.text());
        }
        self.rows = rows;
        cursor
    }

    fn text(&mut self, key: KeyEvent) {
        if self.search.press(key) {
            self.selected = 0;
        }
    }
}
