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
    tui::{
        cli_equivalent::Twin,
        screens::{chrome, detail::Focus},
        widgets::paint::{Pen, width},
    },
};

/// Fewest columns at which the detail stands beside the list.
const SIDE_BY_SIDE: u16 = 120;

impl App {
    /// Draws everything, and places the cursor where keys go.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        if let Some(cursor) = self.paint(area, frame.buffer_mut()) {
            frame.set_cursor_position(cursor);
        }
    }

    /// Draws everything into `area`; the place of the cursor.
    pub fn paint(&mut self, area: Rect, buf: &mut Buffer) -> Option<Position> {
        let (columns, lines) = chrome::SMALLEST;
        self.wide = area.width >= SIDE_BY_SIDE;
        self.world.places.clear(area);
        buf.set_style(area, self.world.view().look.base());
        // At the first frame, and at one that became wide, the detail has nothing to show yet.
        self.follow_selection();
        let mut cursor = None;
        if area.width < columns || area.height < lines {
            chrome::too_small(area, buf, &self.world.view());
        } else {
            cursor = self.paint_tab(area, buf);
            self.paint_foot(area, buf);
        }
        let body = Rect { height: area.height.saturating_sub(2).max(area.height.min(8)), ..area };
        let view = self.world.view();
        for (_, overlay) in &mut self.overlays {
            view.places.cover(body);
            cursor = overlay.draw(body, buf, &view);
        }
        cursor
    }

    fn paint_tab(&mut self, area: Rect, buf: &mut Buffer) -> Option<Position> {
        let view = self.world.view();
        let top = Rect { height: 1, ..area };
        chrome::top(self.tab, &self.who, top, buf, &view);
        // What stands at the foot until something is done about it must not hide a button.
        let banner = self.world.banner();
        let stands = banner.map_or(1, |text| chrome::spoken(&text, true, area.width, &view).len());
        let stands = u16::try_from(stands).unwrap_or(1).max(1);
        let body = Rect { y: area.y + 1, height: area.height - 2 - stands, ..area };
        // What lies over a screen has the keys.
        let keys = self.overlays.is_empty();
        let focus = if keys { Focus::Here } else { Focus::Above };
        match self.tab {
            Tab::Tokens | Tab::Detail if self.wide => {
                let list = Rect { width: body.width * 11 / 20, ..body };
                let rest = Rect { x: list.right() + 1, width: body.width - list.width - 1, ..body };
                for line in 0..body.height {
                    Pen::at(buf, rest, line, &view.look).text(view.look.bar(), view.look.rule());
                }
                let pane = Rect { x: rest.x + 1, width: rest.width - 1, ..rest };
                let on_list = self.tab == Tab::Tokens;
                view.places.lead(on_list.then_some(Action::DetailTab));
                self.detail.draw(pane, buf, &view, if on_list { Focus::List } else { focus });
                view.places.lead((!on_list).then_some(Action::TokensTab));
                let cursor = self.tokens.draw(list, buf, &view, keys && on_list);
                view.places.lead(None);
                cursor
            }
            Tab::Tokens => self.tokens.draw(body, buf, &view, keys),
            Tab::Create => self.create.draw(body, buf, &view),
            Tab::Detail => {
                self.detail.draw(body, buf, &view, focus);
                None
            }
            Tab::Audit => {
                self.audit.draw(body, buf, &view);
                None
            }
        }
    }

    /// The command line that stands at the foot: that of a dialog, of the form, or the one that
    /// the next key may copy.
    fn shown_twin(&self) -> Option<Twin> {
        let dialog = !self.overlays.is_empty() || self.tab == Tab::Create;
        let copies = || {
            let next = self.world.view().keymap.continuations(self.mode(), &self.pressed);
            next.iter().any(|(_, binding)| binding.action == Action::CopyCommand)
        };
        let wanted = dialog || !self.pressed.is_empty() && copies();
        self.twin().filter(|_| wanted)
    }

    fn paint_foot(&self, area: Rect, buf: &mut Buffer) {
        let view = self.world.view();
        let line = Rect { y: area.bottom() - 2, height: 1, ..area };
        let above = Rect { height: area.height - 1, ..area };
        let banner = self.world.banner();
        if let Some(said) = self.said() {
            chrome::said(&said.text, said.bad, above, buf, &view);
        } else if let Some(twin) = self.shown_twin() {
            chrome::twin(&twin.to_string(), line, buf, &view);
        } else if let Some(text) = &banner {
            chrome::said(text, true, above, buf, &view);
        } else {
            if !self.world.is_loaded() {
                let text = chrome::reading(&view);
                Pen::at(buf, line, 0, &view.look).skip(1).text(&text, view.look.faint());
            }
            if self.tab == Tab::Tokens {
                let place = self.tokens.place();
                let at = area.width.saturating_sub(width(&place) + 1);
                Pen::at(buf, line, 0, &view.look).to(at).text(&place, view.look.faint());
            }
        }
        let line = Rect { y: area.bottom() - 1, ..line };
        if self.pressed.is_empty() {
            chrome::footer(self.mode(), |action| self.enables(action), line, buf, &view);
        } else {
            chrome::continuations(
                (self.mode(), &self.pressed),
                |action| self.enables(action),
                line,
                buf,
                &view,
            );
        }
    }
}
