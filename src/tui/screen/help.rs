//! The keys that work here, from the table of keys, narrowed as one types.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use crate::{
    keymap::{self, Action, Group, Mode},
    tui::{
        step::Step,
        view::View,
        widget::{
            field::Field,
            paint::{Pen, width},
            panel,
        },
    },
};

/// The help on one mode.
#[derive(Debug)]
pub struct Help {
    groups: Vec<(Group, Vec<(String, &'static str)>)>,
    search: Field,
    top: usize,
    page: usize,
}

/// A line of the help.
enum Line<'a> {
    Heading(&'static str),
    Key(&'a str, &'static str),
    Gap,
}

impl Help {
    /// The help on `mode`, with the actions that are `enabled` there.
    pub fn new(mode: Mode, enabled: impl Fn(Action) -> bool, view: &View<'_>) -> Self {
        let groups = keymap::help(view.keymap, mode, enabled, view.look.is_ascii());
        Self { groups, search: Field::line(""), top: 0, page: 1 }
    }

    fn lines(&self) -> Vec<Line<'_>> {
        let typed = self.search.text().to_lowercase();
        let mut lines = Vec::new();
        for (group, keys) in &self.groups {
            let found: Vec<_> = keys
                .iter()
                .filter(|(key, help)| help.contains(&typed) || key.to_lowercase() == typed)
                .collect();
            if found.is_empty() {
                continue;
            }
            if !lines.is_empty() {
                lines.push(Line::Gap);
            }
            lines.push(Line::Heading(group.heading()));
            lines.extend(found.into_iter().map(|(key, help)| Line::Key(key, help)));
        }
        lines
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, _: &View<'_>) -> Step {
        let furthest = self.lines().len().saturating_sub(self.page);
        let by = (self.page / 2).max(1);
        let before = self.top;
        match action {
            Action::Down => self.top = (self.top + by).min(furthest),
            Action::Up => self.top = self.top.saturating_sub(by),
            Action::Close => return Step::Close,
            _ => return Step::Ignored,
        }
        if self.top == before { Step::Ignored } else { Step::Changed }
    }

    /// Answers a key that is text of the search.
    pub fn on_text(&mut self, key: KeyEvent, _: &View<'_>) -> Step {
        if !self.search.press(key) {
            return Step::Ignored;
        }
        self.top = 0;
        Step::Changed
    }

    /// Draws it over `area`.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let high = area.height.saturating_sub(4);
        let inner = panel::draw("Keys that work here", (70, high), false, area, buf, look);
        Pen::at(buf, inner, 0, look).text("type to search: ", look.faint());
        let place =
            Rect { x: (inner.x + 16).min(inner.right()), height: inner.height.min(1), ..inner };
        let place = Rect { width: inner.right() - place.x, ..place };
        let cursor = self.search.draw(place, buf, look, true);
        self.page = usize::from(inner.height.saturating_sub(2)).max(1);
        view.places.wheel(inner, 1);
        let lines = self.lines();
        let wide = self.groups.iter().flat_map(|(_, keys)| keys).map(|(key, _)| width(key)).max();
        let wide = wide.unwrap_or(0).min(24);
        for (line, content) in (2..).zip(lines.iter().skip(self.top).take(self.page)) {
            let pen = Pen::at(buf, inner, line, look);
            match content {
                Line::Heading(text) => drop(pen.text(text, look.heading())),
                Line::Key(key, help) => drop(
                    pen.skip(2).column_of(key, wide, look.key()).skip(2).text(help, look.text()),
                ),
                Line::Gap => {}
            }
        }
        if lines.len() > self.page {
            let last = (self.top + self.page).min(lines.len());
            let told = format!("{last} of {} lines, Down scrolls", lines.len());
            let x = inner.width.saturating_sub(width(&told));
            Pen::at(buf, inner, 1, look).to(x).text(&told, look.faint());
        }
        cursor
    }
}
