//! Draws the audit tab: the chips of the actions, the state of the chain or the search field, and
//! one row for each event with who, from where and what. Called by the audit tab.

use ratatui::layout::{Position, Rect};

use super::AuditScreen;
use crate::{
    domain::{AuditEvent, Timestamp, counted, grouped, search::EVENT_TERMS},
    keymap::{Action, Mode},
    tui::{
        app::model::Model,
        theme::time_format::with_times_in,
        widgets::{
            canvas::{Canvas, line_rect, width, wrap},
            scrollbar::draw_scrollbar,
        },
    },
};

/// Minimum height in lines for the line with the chips.
const MIN_CHIPS_HEIGHT: u16 = 10;
/// Minimum width in columns that the details keep before a column is left out.
const MIN_DETAIL_WIDTH: u16 = 14;
/// Width in columns to which the details can cut the names of the tokens.
const MIN_TOKEN_WIDTH: u16 = 12;
/// Minimum width in columns for dates with the name of the month.
const MIN_LONG_DATES: u16 = 80;
/// Columns that a chip adds to its text: the brackets, and the blank behind them.
const CHIP_FRAME: u16 = 3;
/// Number of digits of a store id that are shown.
const STORE_ID_DIGITS: usize = 8;

/// Number of lines above the rows: chips, if there is room, the state and the headings.
pub(super) fn header_lines(area: Rect) -> u16 {
    if area.height >= MIN_CHIPS_HEIGHT { 3 } else { 2 }
}

/// The width of each column, without the gap of two columns behind it. A width of 0 leaves the
/// column out.
#[derive(Debug, Clone, Copy)]
struct ColumnWidths {
    time: u16,
    action: u16,
    token: u16,
    who: u16,
    from: u16,
}

impl ColumnWidths {
    /// Fits the columns to the events, and to an area with `columns`.
    fn of<'a>(events: impl Iterator<Item = &'a AuditEvent>, columns: u16, ctx: &Model) -> Self {
        let mut widths = Self { time: 4, action: 6, token: 5, who: 3, from: 0 };
        for event in events {
            let (body, actor) = (&event.body, &event.body.actor);
            widths.time = widths.time.max(width(&time_text(body.at, columns, ctx)));
            widths.action = widths.action.max(width(body.action.as_str()));
            widths.token = widths.token.max(width(&body.name)).min(20);
            widths.who = widths.who.max(width(&actor.account())).min(14);
            widths.from = widths.from.max(actor.from.as_deref().map_or(0, width)).min(15);
        }
        if widths.from > 0 {
            widths.from = widths.from.max(4);
        }
        if widths.detail_room(columns) < MIN_DETAIL_WIDTH {
            widths.from = 0;
        }
        // A name is cut only as far as the details need its columns.
        let missing = MIN_DETAIL_WIDTH.saturating_sub(widths.detail_room(columns));
        widths.token = widths.token.saturating_sub(missing).max(widths.token.min(MIN_TOKEN_WIDTH));
        if widths.detail_room(columns) == 0 {
            // Its one or two letters say nothing. The selected event is shown in full below.
            widths.who = 0;
        }
        widths
    }

    /// The columns of the token in `table`.
    fn token_rect(self, table: Rect) -> Rect {
        let from = (1 + self.time + 2 + self.action + 2).min(table.width);
        Rect { x: table.x + from, width: self.token.min(table.width - from), ..table }
    }

    /// The number of columns that are left for the details.
    fn detail_room(&self, columns: u16) -> u16 {
        let shown = [self.time, self.action, self.token, self.who, self.from];
        let used: u16 = shown.iter().filter(|width| **width > 0).map(|width| width + 2).sum();
        // A blank at the left, and the scrollbar with a blank at the right.
        columns.saturating_sub(used + 3)
    }
}

/// The details without the rest of a store id: each row of an import repeats the id, and its first
/// digits identify it.
fn short_detail(detail: &str) -> String {
    let is_id = |word: &str| word.len() == 32 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let short = |word: &str| {
        let id = word.trim_end_matches(',');
        match id.get(..STORE_ID_DIGITS) {
            Some(digits) if is_id(id) => {
                format!("{digits}…{}", word.get(id.len()..).unwrap_or_default())
            }
            _ => word.to_owned(),
        }
    };
    detail.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// The first chip to draw, so that the chip `selected` fits into `columns`. `widths` contains those of the
/// chips with the blank behind each.
fn first_chip(widths: &[u16], selected: usize, columns: u16) -> usize {
    let until = |first: usize| -> u16 {
        widths.iter().skip(first).take((selected + 1).saturating_sub(first)).sum()
    };
    // A blank at the left, and the ellipses at both ends with a blank each.
    let fits = |first: &usize| until(*first) + if *first == 0 { 1 } else { 3 } < columns;
    (0..=selected).find(fits).unwrap_or(selected)
}

impl AuditScreen {
    /// The whole text of the selected event, wrapped to `columns`: a row shows only its start.
    pub(super) fn selected_text(&self, columns: u16, ctx: &Model) -> Vec<String> {
        let Some(body) = self.selected().map(|event| &event.body) else { return Vec::new() };
        let detail = with_times_in(&body.detail, ctx.shown_zone());
        let detail = if detail.is_empty() { detail } else { format!(": {detail}") };
        let name = if body.name.is_empty() { String::new() } else { format!(" {}", body.name) };
        let (at, action) = (ctx.date(body.at), body.action.as_str());
        let text = format!("{at} {action}{name} by {}{detail}", body.actor);
        let lines = wrap(&text, columns.saturating_sub(2), &ctx.theme).into_iter();
        lines.map(|line| format!(" {line}")).collect()
    }

    /// Draws the lines above the rows. Returns the cursor position while a search is typed.
    pub(super) fn draw_header(&self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let state = Rect { y: area.y + header_lines(area) - 2, height: 1, ..area };
        if state.y > area.y {
            self.draw_chips(area, canvas);
        }
        if self.search_field.is_typing() {
            let theme = &canvas.ctx.theme;
            let (note, style) = match self.search_field.fault() {
                Some(fault) => (format!("{} {fault}", theme.fault_glyph()), theme.danger),
                None if self.search_field.is_empty() => (EVENT_TERMS.to_owned(), theme.faint),
                None => {
                    let shown = grouped(self.visible.len());
                    (format!("{shown} of {}", grouped(self.events().len())), theme.faint)
                }
            };
            return self.search_field.draw(1, (&note, style), state, canvas);
        }
        self.draw_state(state, canvas);
        None
    }

    /// Draws a chip for each action that occurs, with its count. Leaves out those that do not fit, but
    /// never the selected one.
    fn draw_chips(&self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let all: usize = self.action_counts.iter().map(|(_, count)| count).sum();
        let counts = [all].into_iter().chain(self.action_counts.iter().map(|(_, count)| *count));
        let chips: Vec<_> = self.chips().zip(counts).collect();
        let at = |wanted| chips.iter().position(|(action, _)| *action == wanted);
        let selected = at(self.filter.action).unwrap_or_default();
        let texts = chips.iter().map(|(action, count)| {
            let label = action.map_or("All", |action| action.as_str());
            format!("{label} {}", grouped(count))
        });
        let texts: Vec<_> = texts.collect();
        let widths: Vec<_> = texts.iter().map(|text| width(text) + CHIP_FRAME).collect();
        let first = first_chip(&widths, selected, area.width);
        let mut column = 1;
        if first > 0 {
            column = canvas.line(area, 0).skip(1).text(theme.ellipsis(), theme.faint).column() + 1;
        }
        for (index, text) in texts.iter().enumerate().skip(first) {
            if column + width(text) + 2 > area.width {
                canvas.line(area, 0).move_to(column).text(theme.ellipsis(), theme.faint);
                break;
            }
            let is_selected = index == selected;
            let style = if is_selected { theme.accent } else { theme.faint };
            let (open, close) = if is_selected { ("[", "]") } else { (" ", " ") };
            let writer = canvas.line(area, 0).move_to(column);
            let writer = writer.text(open, style).text(text, style).text(close, style);
            let chip = writer.rect_since(column);
            ctx.hit_map.cycle_to(chip, Action::FilterAction, (selected, index), chips.len());
            column = writer.column() + 1;
        }
    }

    /// Draws the state of the chain, the number of shown events, and the active filters.
    fn draw_state(&self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let writer = canvas.line(area, 0).skip(1);
        let Some(trail) = &self.trail else {
            writer.text("Loading the audit trail", theme.faint);
            return;
        };
        let (chain, loaded) = (&trail.chain, trail.events.len());
        let filter = self.filter_text();
        let writer = match &chain.first_fault {
            None => {
                let is_limited = as_u64(loaded) < chain.events;
                let newest = if is_limited { "the newest " } else { "" };
                let mut state = format!("Chain verified, {}", counted(chain.events, "event"));
                if is_limited || !self.is_unfiltered() {
                    let visible = grouped(self.visible.len());
                    let shown = format!("{visible} of {newest}{} shown", grouped(loaded));
                    let both = format!("{state}, {shown}");
                    let needed = width(&both) + width(&filter) + 6;
                    // Without room for both, the filter is more important than the length of the
                    // chain. The glyph still says that the chain is intact.
                    state = if needed <= area.width { both } else { shown };
                }
                writer.text(theme.ok_glyph(), theme.good).skip(1).text(&state, theme.text())
            }
            Some((sequence, fault)) => writer.text(theme.fault_glyph(), theme.danger).skip(1).text(
                &format!("Chain broken at event {}: {fault}", grouped(sequence)),
                theme.danger,
            ),
        };
        if filter.is_empty() {
            return;
        }
        let from = writer.column();
        let mut writer = writer.skip(2).text(&filter, theme.accent);
        let all = format!("{} show all", ctx.key(Mode::Audit, Action::Back));
        if writer.remaining() > width(&all) {
            writer = writer.skip(1).text(&all, theme.faint);
        }
        ctx.hit_map.click_action(writer.rect_since(from), Action::Back);
    }

    /// The search and the filters by token and by actor. Empty if there are none.
    fn filter_text(&self) -> String {
        let search = self.search_field.text();
        let search = (!self.search_field.is_empty()).then(|| format!("/{search}"));
        let labels = self.filter.labels().join(", ");
        let labels = (!labels.is_empty()).then(|| format!("[{labels}]"));
        search.into_iter().chain(labels).collect::<Vec<_>>().join(" ")
    }

    /// Draws the headings and `page` rows from row `top` on, below the first `header` lines.
    pub(super) fn draw_rows(
        &self,
        (header, area): (u16, Rect),
        (top, page): (usize, usize),
        canvas: &mut Canvas<'_>,
    ) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        ctx.hit_map.wheel(area, 3);
        if self.visible.is_empty() {
            return self.draw_empty_state((header, area), canvas);
        }
        let shown = self.visible.iter().filter_map(|at| self.event(*at));
        let widths = ColumnWidths::of(shown, area.width, ctx);
        let table = Rect { width: area.width.saturating_sub(2), ..area };
        let headings = ["Time", "Action", "Token", "Who", "From", "What"].map(str::to_owned);
        draw_cells(&headings, widths, [theme.heading; 2], (header - 1, table), canvas);
        let visible = self.visible.iter().enumerate().skip(top).take(page);
        for (line, (at, index)) in (header..).zip(visible) {
            let Some(event) = self.event(*index) else { continue };
            let body = &event.body;
            let cells = [
                time_text(body.at, area.width, ctx),
                body.action.as_str().to_owned(),
                body.name.clone(),
                body.actor.account(),
                body.actor.from.as_deref().unwrap_or_default().to_owned(),
                with_times_in(&short_detail(&body.detail), ctx.shown_zone()),
            ];
            draw_cells(&cells, widths, [theme.text(), theme.faint], (line, table), canvas);
            ctx.hit_map.list_row(line_rect(table, line), at, self.rows.selected());
            if at == self.rows.selected() {
                // Only the name is highlighted, as in the token list, so that a move sends few bytes.
                canvas.fill_line(widths.token_rect(table), line, theme.selected);
            }
        }
        let bar = Rect {
            x: area.right() - 1,
            y: area.y + header,
            width: 1,
            height: area.height - header,
        };
        let page = usize::from(bar.height);
        draw_scrollbar(bar, (top, page, self.visible.len()), canvas);
    }

    fn draw_empty_state(&self, (header, area): (u16, Rect), canvas: &mut Canvas<'_>) {
        let ctx = canvas.ctx;
        if self.trail.is_none() {
            return;
        }
        let text = if self.events().is_empty() {
            "No events yet. Every change to a token is recorded here.".to_owned()
        } else {
            let clear = ctx.key(Mode::Audit, Action::Back);
            format!("No event matches the filter. Press {clear} to clear it.")
        };
        let lines = wrap(&text, area.width.saturating_sub(2), &ctx.theme);
        for (line, text) in (header + 1..).zip(lines) {
            canvas.line(area, line).skip(1).text(&text, ctx.theme.text());
        }
    }
}

/// The time of an event. A date is short on a narrow screen, where it would take the place of who did it.
fn time_text(at: Timestamp, columns: u16, ctx: &Model) -> String {
    if columns < MIN_LONG_DATES { ctx.short_time(at) } else { ctx.relative_or_date(at) }
}

/// Draws one line of the table. The last cell has the second style.
fn draw_cells(
    [time, action, token, who, from, detail]: &[String; 6],
    widths: ColumnWidths,
    [style, detail_style]: [ratatui::style::Style; 2],
    (line, area): (u16, Rect),
    canvas: &mut Canvas<'_>,
) {
    let mut writer = canvas.line(area, line).skip(1);
    let columns = [
        (time, widths.time),
        (action, widths.action),
        (token, widths.token),
        (who, widths.who),
        (from, widths.from),
    ];
    for (text, width) in columns.into_iter().filter(|(_, width)| *width > 0) {
        writer = writer.write_column(text, width, style).skip(2);
    }
    writer.text(detail, detail_style);
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::short_detail;

    #[test]
    fn a_store_id_in_the_details_is_shortened() {
        let detail = "active from store 29f992618b007eec29f992618b007eec, until 2027-01-01";
        assert_eq!(short_detail(detail), "active from store 29f99261…, until 2027-01-01");
        assert_eq!(short_detail("name was  a"), "name was  a");
    }
}
