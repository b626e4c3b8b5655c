//! Draws the app: the chrome, the tab (list and detail side by side where there is room), and
//! what lies over them.

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::{App, effect::Tab};
use crate::{
    keymap::Action,
    output::command_line::CommandLine,
    tui::{
        dialogs::Dialog as _,
        screens::{chrome, detail::Focus},
        widgets::paint::{Canvas, width},
    },
};

/// Fewest columns at which the detail stands beside the list.
const SIDE_BY_SIDE: u16 = 120;

impl App {
    /// Draws everything, and places the cursor where keys go.
    pub fn view(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        if let Some(cursor) = self.paint(area, frame.buffer_mut()) {
            frame.set_cursor_position(cursor);
        }
    }

    /// Draws everything into `area`; the place of the cursor.
    pub fn paint(&mut self, area: Rect, buf: &mut Buffer) -> Option<Position> {
        let (columns, lines) = chrome::SMALLEST;
        self.wide = area.width >= SIDE_BY_SIDE;
        self.model.begin_frame();
        buf.set_style(area, self.model.theme.base);
        // At the first frame, and at one that became wide, the detail has nothing to show yet.
        self.follow_selection();
        let mut cursor = None;
        if area.width < columns || area.height < lines {
            chrome::too_small(area, &mut Canvas { buf, ctx: &self.model });
        } else {
            cursor = self.paint_tab(area, buf);
            self.paint_foot(area, buf);
        }
        let body = Rect { height: area.height.saturating_sub(2).max(area.height.min(8)), ..area };
        let ctx = &self.model;
        let canvas = &mut Canvas { buf, ctx };
        for open in &mut self.dialogs {
            ctx.hit_map.clear_under(body);
            cursor = open.dialog.view(body, canvas);
        }
        for panel in &mut self.secrets {
            ctx.hit_map.clear_under(body);
            cursor = panel.view(body, canvas);
        }
        cursor
    }

    fn paint_tab(&mut self, area: Rect, buf: &mut Buffer) -> Option<Position> {
        let ctx = &self.model;
        let canvas = &mut Canvas { buf, ctx };
        let top = Rect { height: 1, ..area };
        chrome::top(self.tab, &self.who, top, canvas);
        // What stands at the foot until something is done about it must not hide a button.
        let banner = self.model.banner();
        let stands =
            banner.map_or(1, |text| chrome::wrap_message(&text, true, area.width, ctx).len());
        let stands = u16::try_from(stands).unwrap_or(1).max(1);
        let body = Rect { y: area.y + 1, height: area.height - 2 - stands, ..area };
        // What lies over a screen has the keys.
        let keys = self.top().is_none();
        let focus = if keys { Focus::Here } else { Focus::Above };
        match self.tab {
            Tab::Tokens | Tab::Detail if self.wide => {
                let list = Rect { width: body.width * 11 / 20, ..body };
                let rest = Rect { x: list.right() + 1, width: body.width - list.width - 1, ..body };
                for line in 0..body.height {
                    canvas.line(rest, line).text(ctx.theme.bar(), ctx.theme.rule);
                }
                let pane = Rect { x: rest.x + 1, width: rest.width - 1, ..rest };
                let on_list = self.tab == Tab::Tokens;
                ctx.hit_map.prefix(on_list.then_some(Action::DetailTab));
                self.detail.view(pane, canvas, if on_list { Focus::List } else { focus });
                ctx.hit_map.prefix((!on_list).then_some(Action::TokensTab));
                let cursor = self.tokens.view(list, canvas, keys && on_list);
                ctx.hit_map.prefix(None);
                cursor
            }
            Tab::Tokens => self.tokens.view(body, canvas, keys),
            Tab::Create => self.create.view(body, canvas),
            Tab::Detail => {
                self.detail.view(body, canvas, focus);
                None
            }
            Tab::Audit => {
                self.audit.view(body, canvas);
                None
            }
        }
    }

    /// The command line that stands at the foot: that of a dialog, of the form, or the one that
    /// the next key may copy.
    fn shown_equivalent(&self) -> Option<CommandLine> {
        let dialog = self.top().is_some() || self.tab == Tab::Create;
        let copies = || {
            let next = self.model.keymap.continuations(self.mode(), &self.pressed);
            next.iter().any(|(_, binding)| binding.action == Action::CopyCommand)
        };
        let wanted = dialog || !self.pressed.is_empty() && copies();
        self.cli_equivalent().filter(|_| wanted)
    }

    fn paint_foot(&self, area: Rect, buf: &mut Buffer) {
        let ctx = &self.model;
        let canvas = &mut Canvas { buf, ctx };
        let line = Rect { y: area.bottom() - 2, height: 1, ..area };
        let above = Rect { height: area.height - 1, ..area };
        let banner = self.model.banner();
        if let Some(said) = self.messages.current() {
            chrome::message(&said.text, said.bad, above, canvas);
        } else if let Some(equivalent) = self.shown_equivalent() {
            chrome::cli_equivalent(&equivalent.to_string(), line, canvas);
        } else if let Some(text) = &banner {
            chrome::message(text, true, above, canvas);
        } else {
            if !self.model.is_loaded() {
                let text = chrome::reading(ctx);
                canvas.line(line, 0).skip(1).text(&text, ctx.theme.faint);
            }
            if self.tab == Tab::Tokens {
                let place = self.tokens.place();
                let at = area.width.saturating_sub(width(&place) + 1);
                canvas.line(line, 0).to(at).text(&place, ctx.theme.faint);
            }
        }
        let line = Rect { y: area.bottom() - 1, ..line };
        if self.pressed.is_empty() {
            chrome::footer(self.mode(), |action| self.enables(action), line, canvas);
        } else {
            chrome::continuations(
                (self.mode(), &self.pressed),
                |action| self.enables(action),
                line,
                canvas,
            );
        }
    }
}
