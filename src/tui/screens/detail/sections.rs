//! Draws the detail of a token: head and facts, then scopes and events, which share the rest of the
//! height by their numbers of rows. Called by the detail screen.

use ratatui::layout::Rect;

use super::{
    DetailScreen, KeyReceiver, Zoom,
    event_section::draw_events,
    fact_columns::{draw_all_facts, draw_facts, fit},
    facts::{all_facts, facts, wrap_lines},
    head::{Head, MIN_FACTS_HEIGHT, draw_name},
    scope_section::{Cursor, draw_scopes, draw_title},
    scope_table::{MatrixWidths, TableForm},
};
use crate::{
    domain::{Token, scope_matrix::describe_merged},
    tui::{
        app::model::Model,
        widgets::{
            canvas::{Canvas, rect_below},
            scrollbar::draw_scrollbar,
        },
    },
};

/// Minimum height, in lines, for empty lines between head, facts and scopes.
const MIN_SPACED_HEIGHT: u16 = 18;
/// Number of lines that the facts leave for scopes and events.
const SECTION_LINES: u16 = 8;
/// Below this number of lines, only the section with the cursor is shown.
const MIN_BOTH_HEIGHT: u16 = 6;

impl DetailScreen {
    pub(super) fn draw_token(
        &mut self,
        token: &Token,
        area: Rect,
        canvas: &mut Canvas<'_>,
        focus: KeyReceiver,
    ) {
        let ctx = canvas.ctx;
        ctx.hit_map.wheel(area, 3);
        if self.zoom == Zoom::Facts {
            return self.draw_zoomed_facts(token, area, canvas);
        }
        let rest = rect_below(area, self.draw_head_and_facts(token, area, canvas));
        let matrix = self.table_in_form(token, TableForm::Matrix, ctx).matrix;
        let room = rest.width.saturating_sub(2);
        self.is_narrow = MatrixWidths::fitting(&matrix.operations, room, 0).is_none();
        let table = self.table(token, ctx);
        let events = self.event_rows(token, ctx);
        let (scope_count, event_count) = (table.row_count(), events.len());
        let last = (scope_count + event_count).saturating_sub(1);
        self.cursor.select(self.cursor.selected().min(last));
        let row = self.cursor.selected();
        let is_in_scopes = row < scope_count || event_count == 0;
        let is_zoomed = self.zoom == Zoom::Section;
        let words = (is_zoomed && is_in_scopes).then(|| scope_words(token, ctx));
        let rest = draw_words(&words.unwrap_or_default(), scope_count, rest, canvas);
        let scope_height = if is_zoomed || rest.height < MIN_BOTH_HEIGHT {
            if is_in_scopes { rest.height } else { 0 }
        } else {
            scope_height(rest.height, scope_count, event_count)
        };
        let scope_area = Rect { height: scope_height, ..rest };
        let event_area = rect_below(rest, scope_height);
        let cursor = Cursor { row, column: self.column, focus };
        let page = |area: Rect| usize::from(area.height.saturating_sub(1));
        if is_in_scopes {
            self.scope_view.select(row);
            self.cursor.scroll_to_selection(page(scope_area), last + 1);
        } else {
            self.event_view.select(row - scope_count);
            self.cursor.scroll_to_selection(page(event_area), last + 1);
        }
        if scope_area.height > 0 {
            let top = self.scope_view.scroll_to_selection(page(scope_area), scope_count);
            let count = self.scope_edit.count_text(token);
            draw_scopes(&table, (&count, top), cursor, scope_area, canvas);
        }
        if event_area.height > 0 {
            let top = self.event_view.scroll_to_selection(page(event_area), event_count);
            draw_events(&events, (scope_count, top), cursor, event_area, canvas);
        }
    }

    /// Draws the head and, unless a section is zoomed, the facts. Returns the number of lines used.
    fn draw_head_and_facts(&mut self, token: &Token, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
        let ctx = canvas.ctx;
        let facts = facts(token, &self.events, &self.days, ctx);
        let gap = u16::from(area.height >= MIN_SPACED_HEIGHT);
        let facts_area = |head: &Head| {
            let below = rect_below(area, head.height() + gap);
            let height = below.height.saturating_sub(gap + SECTION_LINES).max(2);
            Rect { height, ..below }
        };
        let has_facts = area.height >= MIN_FACTS_HEIGHT;
        let mut head = Head::new(token, false, area, ctx);
        self.hides_facts = !(has_facts && fit(&facts, facts_area(&head), &ctx.theme));
        if self.hides_facts && self.zoom == Zoom::None {
            head = Head::new(token, true, area, ctx);
        }
        head.draw(token, area, canvas);
        if !has_facts || self.zoom != Zoom::None {
            return head.height() + gap;
        }
        head.height() + gap + draw_facts(&facts, facts_area(&head), canvas) + gap
    }

    /// Draws the name and all facts with the description, as far as they are scrolled into view.
    fn draw_zoomed_facts(&mut self, token: &Token, area: Rect, canvas: &mut Canvas<'_>) {
        let facts = all_facts(token, &self.events, &self.days, canvas.ctx);
        draw_name(token, area, canvas);
        let section = rect_below(area, 1);
        let lines = rect_below(section, 1);
        let inner = Rect { width: lines.width.saturating_sub(2), ..lines };
        let (top, count) = draw_all_facts(&facts, &mut self.fact_view, inner, canvas);
        let page = usize::from(lines.height);
        self.fact_tops = count.saturating_sub(page) + 1;
        let title = if count > page && page > 0 {
            format!(" Facts {}-{} of {count} ", top + 1, (top + page).min(count))
        } else {
            " Facts ".to_owned()
        };
        draw_title(&title, section, canvas);
        draw_scrollbar(lines, (top, page, count), canvas);
    }
}

/// What the scopes of `token` allow, in as few words as possible.
fn scope_words(token: &Token, ctx: &Model) -> String {
    if ctx.policy.catalogue.is_all_allowed_by(&token.scopes) {
        return "May do everything on everything.".to_owned();
    }
    let words = describe_merged(&token.scopes);
    if words.is_empty() { words } else { format!("In all: {words}.") }
}

/// Draws the sentences about the scopes at the bottom of `area`, in at most half of its height.
/// Returns the rest of the area.
fn draw_words(words: &str, scope_count: usize, area: Rect, canvas: &mut Canvas<'_>) -> Rect {
    let theme = canvas.ctx.theme;
    if words.is_empty() {
        return area;
    }
    let rows = u16::try_from(scope_count).unwrap_or(u16::MAX).saturating_add(2);
    let most = area.height.saturating_sub(rows).max(area.height / 2);
    let lines = wrap_lines(words, area.width, usize::from(most.max(1)), &theme);
    let height = u16::try_from(lines.len()).unwrap_or(most).min(area.height);
    let below = rect_below(area, area.height - height);
    canvas.text_lines(below, 0.., lines, theme.text());
    Rect { height: area.height - height, ..area }
}

/// The height of the scopes, in lines. If not all rows fit, the events get at least a third.
fn scope_height(height: u16, scopes: usize, events: usize) -> u16 {
    let wanted = |rows: usize| u16::try_from(rows.max(1)).unwrap_or(u16::MAX).saturating_add(1);
    let (scopes, events) = (wanted(scopes), wanted(events));
    let with_gap = scopes.saturating_add(1);
    if with_gap.saturating_add(events) <= height {
        return with_gap;
    }
    let least = events.min((height / 3).max(3));
    scopes.min(height.saturating_sub(least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sections_share_the_height_by_content() {
        assert_eq!(scope_height(12, 3, 2), 5);
        assert_eq!(scope_height(12, 40, 2), 9);
        assert_eq!(scope_height(12, 40, 30), 8);
        assert_eq!(scope_height(12, 3, 30), 4);
        assert_eq!(scope_height(8, 40, 30), 5);
        assert_eq!(scope_height(6, 0, 1), 3);
    }
}
