//! Help: the keys that work on the current screen, grouped by purpose. Typed text filters the
//! list; accepting a row runs its command.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use super::palette::{HEADER_LINES, MENU_WIDTH, draw_command, draw_search, menu_height};
use crate::{
    keymap::{Action, CommandAvailability, HelpSection, Mode, OPTION_KEYS, PaletteCommand},
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

#[derive(Debug)]
pub struct HelpDialog {
    commands: Vec<PaletteCommand>,
    /// The keys that the form below reads itself, and what they do.
    option_keys: &'static [(&'static str, &'static str)],
    search: TextInput,
    selected: usize,
    rows: ListSelection,
}

#[derive(Clone, Copy)]
enum HelpLine<'a> {
    Heading(&'static str),
    Command(usize, &'a PaletteCommand),
    /// A key of an option, and what it does.
    Option(&'static str, &'static str),
    Gap,
}

impl HelpDialog {
    /// The help dialog for those of the `commands` of `mode` that are available and have a key.
    pub fn new(mut commands: Vec<PaletteCommand>, mode: Mode) -> Self {
        commands.retain(|command| {
            command.availability == CommandAvailability::Available && !command.keys.is_empty()
        });
        Self {
            commands,
            option_keys: if mode.is_form() { &OPTION_KEYS } else { &[] },
            search: TextInput::single_line(""),
            selected: 0,
            rows: ListSelection::default(),
        }
    }

    /// The matching commands by group, without empty groups.
    fn matching_groups(&self) -> Vec<(HelpSection, Vec<&PaletteCommand>)> {
        let typed = self.search.text().trim().to_lowercase();
        let shows = |command: &&PaletteCommand| {
            let is_key = command.keys.split(", ").any(|key| key.to_lowercase() == typed);
            is_key
                || command.help.to_lowercase().contains(&typed)
                || command.action.as_str().contains(&typed)
        };
        let of = |group| {
            let commands = self.commands.iter().filter(|command| command.section == group);
            (group, commands.filter(shows).collect::<Vec<_>>())
        };
        let groups = HelpSection::ALL.into_iter().map(of);
        groups.filter(|(_, commands)| !commands.is_empty()).collect()
    }

    /// The lines to draw. Each command line contains the number of the command, counted from 0.
    fn lines(&self) -> Vec<HelpLine<'_>> {
        let mut lines = Vec::new();
        let mut number = 0;
        for (group, commands) in self.matching_groups() {
            if !lines.is_empty() {
                lines.push(HelpLine::Gap);
            }
            lines.push(HelpLine::Heading(group.heading()));
            for command in commands {
                lines.push(HelpLine::Command(number, command));
                number += 1;
            }
        }
        let typed = self.search.text().trim().to_lowercase();
        let shows = |(keys, help): &&(&str, &str)| {
            keys.to_lowercase().contains(&typed) || help.contains(&typed)
        };
        let mut options = self.option_keys.iter().filter(shows).peekable();
        if options.peek().is_some() {
            lines.extend((!lines.is_empty()).then_some(HelpLine::Gap));
            lines.push(HelpLine::Heading("Options"));
            lines.extend(options.map(|(keys, help)| HelpLine::Option(keys, help)));
        }
        lines
    }
}

impl Dialog for HelpDialog {
    fn mode(&self) -> Mode {
        Mode::Menu
    }

    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        let commands: Vec<_> =
            self.matching_groups().into_iter().flat_map(|(_, commands)| commands).collect();
        match (action, commands.get(self.selected)) {
            (Action::Close, _) => return Some(Effect::close()),
            (Action::Accept, Some(command)) => {
                return Some(Effect::Ui(UiChange::Run(command.action)));
            }
            _ => {}
        }
        let count = commands.len();
        // `rows` counts all lines, including headings. Move the selection by command numbers, which
        // skip the headings.
        let mut rows = self.rows;
        rows.select(self.selected);
        if rows.apply_movement(action, count).is_some() {
            self.selected = rows.selected();
        }
        None
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let inner = panel::draw(
            "Keys on this screen",
            (MENU_WIDTH, menu_height(area)),
            false,
            area,
            canvas,
        );
        let page = usize::from(inner.height.saturating_sub(HEADER_LINES));
        let mut rows = self.rows;
        let lines = self.lines();
        let is_selected =
            |line: &HelpLine<'_>| matches!(line, HelpLine::Command(n, _) if *n == self.selected);
        let at = lines.iter().position(is_selected).unwrap_or(0);
        // If the first command is selected, scroll up to the first line, so that its heading is
        // visible.
        rows.select(if self.selected == 0 { 0 } else { at });
        let top = rows.scroll_to_selection(page, lines.len());
        let total = lines.iter().filter(|line| matches!(line, HelpLine::Command(..))).count();
        let count = format!("{} of {total}", (self.selected + 1).min(total));
        let cursor = draw_search(&self.search, &count, inner, canvas);
        ctx.hit_map.wheel(inner, 3);
        for (line, content) in (HEADER_LINES..).zip(lines.iter().skip(top).take(page)) {
            match content {
                HelpLine::Heading(text) => {
                    canvas.line(inner, line).text(text, theme.heading);
                }
                HelpLine::Command(number, command) => {
                    draw_command(command, &[], line, inner, canvas);
                    canvas.list_row((inner, line), (*number, self.selected), Action::Accept);
                }
                HelpLine::Option(keys, help) => {
                    let from = inner.width.saturating_sub(width(keys) + 1);
                    let help = truncate(help, from.saturating_sub(2), theme);
                    let writer = canvas.line(inner, line).skip(1).text(&help, theme.text());
                    writer.move_to(from).text(keys, theme.key);
                }
                HelpLine::Gap => {}
            }
        }
        if lines.is_empty() {
            let text = "No key matches.";
            canvas.line(inner, HEADER_LINES).text(text, theme.text());
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
