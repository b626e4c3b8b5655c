//! The events of one token: its audit trail and its last denied checks, newest first. Draws the
//! section and gives the full text of the selected event. Called by the detail screen.

use ratatui::{layout::Rect, style::Style};

use super::{
    facts::request_text,
    scope_section::{Cursor, draw_title},
};
use crate::{
    domain::{
        AuditEvent, DenialReason, DeniedAttempt, DeniedAttempts, SecretSlot, Timestamp, Token,
        grouped,
    },
    tui::{
        app::model::Model,
        theme::time_format::with_times_in,
        widgets::{
            canvas::{Canvas, line_rect, rect_below, width},
            scrollbar::draw_scrollbar,
        },
    },
};

/// Minimum width of the section in columns for the address of an actor.
const MIN_WIDTH_FOR_ADDRESS: u16 = 76;

/// One row of the section.
#[derive(Debug)]
pub(super) struct EventRow {
    at: Timestamp,
    action: &'static str,
    /// The actor of a change, or the origin of a denied check.
    who: String,
    detail: String,
    is_denial: bool,
}

/// The rows for `events` and for the last denied checks of `token`, newest first. The reasons of
/// imported and restored denials are not known.
pub(super) fn event_rows(
    token: &Token,
    events: &[AuditEvent],
    denied: &DeniedAttempts,
    ctx: &Model,
) -> Vec<EventRow> {
    let changes = events.iter().map(|event| EventRow {
        at: event.body.at,
        action: event.body.action.as_str(),
        who: event.body.actor.to_string(),
        detail: with_times_in(&event.body.detail, ctx.shown_zone()),
        is_denial: false,
    });
    let attempts = denied.as_slice();
    let with_reason = attempts.iter().map(|attempt| {
        let DeniedAttempt { at, reason, request, from, slot } = attempt;
        denial_row(*at, request, Some(*reason), from.as_deref(), *slot)
    });
    let without_reason =
        [SecretSlot::Current, SecretSlot::Previous].into_iter().filter_map(|slot| {
            let last = token.last_denial_of(slot)?;
            let is_new = attempts.iter().all(|attempt| attempt.at != last.at);
            is_new.then(|| denial_row(last.at, &last.summary, None, last.from.as_deref(), slot))
        });
    let mut rows: Vec<EventRow> = with_reason.chain(without_reason).chain(changes).collect();
    // A stable sort keeps events of the same second in the order of the trail.
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    rows
}

fn denial_row(
    at: Timestamp,
    request: &str,
    reason: Option<DenialReason>,
    from: Option<&str>,
    slot: SecretSlot,
) -> EventRow {
    let secret = if slot == SecretSlot::Previous { ", with the old secret" } else { "" };
    let reason = reason.map_or_else(String::new, |reason| format!(" ({})", reason.words()));
    EventRow {
        at,
        action: "denied",
        who: from.unwrap_or("-").to_owned(),
        detail: format!("{}{secret}{reason}", request_text(request)),
        is_denial: true,
    }
}

impl EventRow {
    /// The whole text, for the line that explains the selected row.
    pub fn explanation(&self, ctx: &Model) -> String {
        let Self { action, who, detail, .. } = self;
        let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        let by = match (self.is_denial, who.as_str()) {
            (true, "-") => String::new(),
            (true, _) => format!(" from {who}"),
            (false, _) => format!(" by {who}"),
        };
        format!("{} {action}{by}{detail}", ctx.date(self.at))
    }
}

/// Draws the title and the rows from `top` on. `first` is the number of the first event among the
/// rows of the cursor.
pub(super) fn draw_events(
    rows: &[EventRow],
    (first, top): (usize, usize),
    cursor: Cursor,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let (ctx, theme) = (canvas.ctx, canvas.ctx.theme);
    let page = usize::from(area.height.saturating_sub(1));
    let count = rows.len();
    let title = if count > page && page > 0 {
        format!(" Events {}-{} of {} ", top + 1, (top + page).min(count), grouped(count))
    } else {
        format!(" Events {} ", grouped(count))
    };
    draw_title(&title, area, canvas);
    let widest = |text: fn(&EventRow) -> &str, least, most| {
        rows.iter().map(|row| width(text(row))).max().unwrap_or(0).clamp(least, most)
    };
    let inner = Rect { width: area.width.saturating_sub(2), ..area };
    let action_width = widest(|row| row.action, 7, 14);
    // A narrow section names the account without its address, to show more of the detail. The line
    // that explains the selected row has both.
    let who: fn(&EventRow) -> &str = if area.width < MIN_WIDTH_FOR_ADDRESS {
        |row| row.who.split(" from ").next().unwrap_or(&row.who)
    } else {
        |row| &row.who
    };
    let who_width = widest(who, 3, (area.width / 4).max(5));
    let time_width = rows.iter().map(|row| width(&ctx.short_time(row.at))).max().unwrap_or(0);
    for (line, (at, row)) in (1..).zip(rows.iter().enumerate().skip(top).take(page)) {
        let when = ctx.short_time(row.at);
        let style: Style = if row.is_denial { theme.danger } else { theme.text() };
        let writer = canvas
            .line(inner, line)
            .write_column(&when, time_width, theme.faint)
            .skip(2)
            .write_column(row.action, action_width, style);
        let label = writer.rect_since(0);
        writer
            .skip(2)
            .write_column(who(row), who_width, theme.text())
            .skip(2)
            .text(&row.detail, theme.faint);
        ctx.hit_map.list_row(line_rect(inner, line), first + at, cursor.row);
        if cursor.is_shown() && first + at == cursor.row {
            // Only the label is highlighted, so that a move sends few bytes.
            canvas.buf.set_style(label, theme.selected);
        }
    }
    draw_scrollbar(rect_below(area, 1), (top, page, count), canvas);
}
