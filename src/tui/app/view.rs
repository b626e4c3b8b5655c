//! Draws the app: the top line, the tab (list and detail side by side on a wide terminal), the
//! dialogs and secret panels over it, the message line and the footer. Called by the event loop.

use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::{App, effect::Tab, undo::UndoEntry};
use crate::{
    domain::Command,
    keymap::{Action, HintChange},
    output::command_line::CommandLine,
    tui::{
        dialogs::Dialog as _,
        screens::{chrome, detail::KeyReceiver, tokens::width_beside_detail},
        widgets::{
            canvas::{Canvas, width, wrap},
            form,
        },
    },
};

/// The minimum width in columns for list and detail side by side.
const MIN_SPLIT_WIDTH: u16 = 120;
/// The minimum height in lines for a text of three lines about the selected event.
const MIN_LONG_TEXT_HEIGHT: u16 = 14;

impl App {
    /// Draws the frame and positions the cursor in the focused field.
    pub fn view(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        if let Some(cursor) = self.paint(area, frame.buffer_mut()) {
            frame.set_cursor_position(cursor);
        }
    }

    /// Draws everything into `area`. Returns the cursor position, if a field has the focus.
    pub fn paint(&mut self, area: Rect, buf: &mut Buffer) -> Option<Position> {
        let (columns, lines) = chrome::MIN_SIZE;
        self.is_wide = area.width >= MIN_SPLIT_WIDTH;
        self.model.begin_frame();
        let newest_undo = self.undo_history.last();
        self.model.has_deleted_tokens =
            matches!(newest_undo, Some(UndoEntry::Undo(Command::Restore(_))));
        buf.set_style(area, self.model.theme.base);
        // Show the selected token in the detail. In the first frame, and after the terminal became
        // wide, the detail can be empty or show another token.
        self.follow_selection();
        let is_too_small = area.width < columns || area.height < lines;
        let mut cursor = None;
        if is_too_small {
            chrome::draw_too_small(area, &mut Canvas { buf, ctx: &self.model });
        } else {
            cursor = self.paint_tab(area, buf);
            self.paint_bottom_lines(area, buf);
        }
        let ctx = &self.model;
        // A dialog must not cover a part of the text under it.
        let below = 1 + self.message_lines(area.width);
        let body =
            Rect { height: area.height.saturating_sub(below).max(area.height.min(8)), ..area };
        let canvas = &mut Canvas { buf, ctx };
        for open in &mut self.dialogs {
            canvas.buf.set_style(body, ctx.theme.behind);
            ctx.hit_map.clear_under(body);
            cursor = open.dialog.view(body, canvas);
        }
        for panel in &mut self.secrets {
            canvas.buf.set_style(body, ctx.theme.behind);
            ctx.hit_map.clear_under(body);
            cursor = panel.view(body, canvas);
        }
        // On a small screen, a dialog can cover a line of the message.
        if let Some(message) = self.messages.current().filter(|_| !is_too_small) {
            let above = Rect { height: area.height - 1, ..area };
            chrome::draw_message(&message.text, message.is_warning, above, canvas);
        }
        if ctx.theme.is_ascii() {
            replace_non_ascii(buf);
        }
        cursor
    }

    /// The number of lines of the message or the banner, whichever is longer, at least 1.
    fn message_lines(&self, columns: u16) -> u16 {
        let ctx = &self.model;
        let lines = |text: &str, bad| chrome::wrap_message(text, bad, columns, ctx).len();
        let message = self.messages.current().map(|it| lines(&it.text, it.is_warning));
        let banner = ctx.banner().map(|text| lines(&text, true));
        u16::try_from(message.max(banner).unwrap_or(1)).unwrap_or(1).max(1)
    }

    fn paint_tab(&mut self, area: Rect, buf: &mut Buffer) -> Option<Position> {
        let ctx = &self.model;
        let canvas = &mut Canvas { buf, ctx };
        let top = Rect { height: 1, ..area };
        chrome::draw_top_line(self.tab, &self.identity, top, canvas);
        // Reserve the lines of the persistent banner, so that the banner does not cover a button.
        let banner = self.model.banner();
        let lines = banner
            .as_ref()
            .map_or(1, |text| chrome::wrap_message(text, true, area.width, ctx).len());
        let lines = u16::try_from(lines).unwrap_or(1).max(self.explanation(area).1);
        let body = Rect { y: area.y + 1, height: area.height - 2 - lines, ..area };
        // A dialog or panel over the tab takes the keys.
        let has_focus = self.top_dialog().is_none();
        let focus = if has_focus { KeyReceiver::Detail } else { KeyReceiver::Overlay };
        match self.tab {
            Tab::Tokens | Tab::Detail if self.is_wide => {
                let width = width_beside_detail(body.width, ctx.time_format);
                let list = Rect { width, ..body };
                let rest = Rect { x: list.right() + 1, width: body.width - list.width - 1, ..body };
                for line in 0..body.height {
                    canvas.line(rest, line).text(ctx.theme.bar(), ctx.theme.rule);
                }
                let pane = Rect { x: rest.x + 1, width: rest.width - 1, ..rest };
                let on_list = self.tab == Tab::Tokens;
                ctx.hit_map.set_prefix(on_list.then_some(Action::DetailTab));
                self.detail.view(pane, canvas, if on_list { KeyReceiver::List } else { focus });
                ctx.hit_map.set_prefix((!on_list).then_some(Action::TokensTab));
                let cursor = self.tokens.view(list, canvas, has_focus && on_list);
                ctx.hit_map.set_prefix(None);
                cursor
            }
            Tab::Tokens => self.tokens.view(body, canvas, has_focus),
            Tab::Create => self.create.view(body, canvas),
            Tab::Detail => {
                self.detail.view(body, canvas, focus);
                None
            }
            Tab::Audit => {
                // The text of the selected event has the message line, too.
                let message_line = u16::from(banner.is_none());
                self.audit.view(Rect { height: body.height + message_line, ..body }, canvas)
            }
            Tab::Overview => {
                self.overview.view(body, self.audit.chain(), canvas);
                None
            }
        }
    }

    /// The equivalent command line that is shown above the footer: always for a dialog and the
    /// create form, otherwise only while the next key can copy the command line.
    fn shown_equivalent(&self) -> Option<CommandLine> {
        let dialog = self.top_dialog().is_some() || self.tab == Tab::Create;
        let copies = || {
            let next = self.model.keymap.continuations(self.mode(), &self.pending_keys);
            next.iter().any(|(_, binding)| binding.action == Action::CopyCommand)
        };
        let is_shown = dialog || !self.pending_keys.is_empty() && copies();
        self.cli_equivalent().filter(|_| is_shown)
    }

    /// What the state of the focused dialog or tab changes in the hint of `action`.
    fn hint_change(&self, action: Action) -> Option<HintChange> {
        match (self.top_dialog(), self.tab) {
            (Some(dialog), _) => dialog.hint_change(action),
            (None, Tab::Tokens) => self.tokens.hint_change(action),
            (None, Tab::Detail) => self.detail.hint_change(action),
            (None, Tab::Audit) => self.audit.hint_change(action),
            (None, Tab::Create) => {
                (action == Action::Submit).then(|| HintChange::new("create token", 1))
            }
            (None, Tab::Overview) => None,
        }
    }

    /// The line under the list: the token whose secret may be lost, and the visible rows.
    fn paint_list_line(&self, line: Rect, canvas: &mut Canvas<'_>) {
        const GAP: u16 = 2;
        let theme = &canvas.ctx.theme;
        let position = self.tokens.position_text();
        let at = line.width.saturating_sub(width(&position) + 1);
        let sign = theme.fault_glyph();
        let room = at.saturating_sub(width(sign) + 2 + GAP);
        let lost = self.lost_secret_line(room).map(|text| format!("{sign} {text}"));
        if let Some(text) = &lost {
            canvas.line(line, 0).skip(1).text(text, theme.danger);
        }
        // Under a panel or dialog, the position would seem to belong to it.
        let is_covered = self.top_dialog().is_some();
        if !is_covered && lost.is_none_or(|text| 1 + width(&text) + GAP <= at) {
            canvas.line(line, 0).move_to(at).text(&position, theme.faint);
        }
    }

    /// The text about the selected cell or event of the detail, and its number of lines: the message
    /// line, and the lines above it that a long event needs.
    fn explanation(&self, area: Rect) -> (String, u16) {
        let room = area.width.saturating_sub(2);
        let text = match self.tab {
            Tab::Detail => self.detail.explanation(room, &self.model).unwrap_or_default(),
            Tab::Tokens | Tab::Create | Tab::Audit | Tab::Overview => String::new(),
        };
        let lines = wrap(&text, room, &self.model.theme).len();
        let max = if area.height < MIN_LONG_TEXT_HEIGHT { 2 } else { 3 };
        (text, u16::try_from(lines).unwrap_or(max).clamp(1, max))
    }

    fn paint_bottom_lines(&self, area: Rect, buf: &mut Buffer) {
        let ctx = &self.model;
        let canvas = &mut Canvas { buf, ctx };
        let line = Rect { y: area.bottom() - 2, height: 1, ..area };
        let above = Rect { height: area.height - 1, ..area };
        let banner = self.model.banner();
        let fault = self.tokens.search_fault().filter(|_| self.tab == Tab::Tokens);
        if let Some(fault) = fault.filter(|_| self.top_dialog().is_none()) {
            chrome::draw_search_fault(&fault, above, canvas);
        } else if let Some(message) = self.messages.current() {
            chrome::draw_message(&message.text, message.is_warning, above, canvas);
        } else if let Some(equivalent) = self.shown_equivalent() {
            chrome::draw_cli_equivalent(&equivalent.to_string(), line, canvas);
        } else if let Some(text) = &banner {
            chrome::draw_message(text, true, above, canvas);
        } else {
            if !self.model.is_loaded() {
                let text = chrome::loading_text(ctx);
                canvas.line(line, 0).skip(1).text(&text, ctx.theme.faint);
            }
            // Under a panel or dialog, the line about the selected cell would seem to belong to it.
            if self.top_dialog().is_none() {
                let (text, lines) = self.explanation(area);
                let y = area.bottom() - 1 - lines;
                let at = Rect { x: area.x + 1, width: area.width - 2, y, height: lines };
                form::draw_wrapped(&text, (0, lines), ctx.theme.text(), at, canvas);
            }
            if self.tab == Tab::Tokens {
                self.paint_list_line(line, canvas);
            }
        }
        let line = Rect { y: area.bottom() - 1, ..line };
        if self.pending_keys.is_empty() {
            let is_offered = |action| self.is_offered(action);
            let change = |action| self.hint_change(action);
            chrome::draw_footer(self.mode(), is_offered, change, line, canvas);
        } else {
            chrome::draw_continuations(
                (self.mode(), &self.pending_keys),
                |action| self.enables(action),
                line,
                canvas,
            );
        }
    }
}

/// Replaces the characters that text fields have drawn, for a terminal without UTF-8. All other
/// text has an ASCII form already.
fn replace_non_ascii(buf: &mut Buffer) {
    for cell in buf.content.iter_mut().filter(|cell| !cell.symbol().is_ascii()) {
        cell.set_symbol("?");
    }
}
