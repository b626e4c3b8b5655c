//! The strip above the list: how many active tokens expire on each of the next days. It is left out on a
//! small screen. Called by the token list.

use chrono::TimeDelta;
use ratatui::layout::Rect;

use crate::{
    keymap::Action,
    tui::{
        app::{effect::Effect, model::Model},
        widgets::{
            bars::{LEVELS, level_glyph, scaled},
            canvas::{Canvas, width},
        },
    },
};

/// The lowest list that has a strip. The screen then has 20 rows.
const MIN_HEIGHT: u16 = 17;
/// The narrowest list that has a strip.
const MIN_WIDTH: u16 = 48;
/// The narrowest list that shows 180 days instead of 90.
const WIDE: u16 = 100;
/// Number of days within which an expiry is a warning.
const SOON_DAYS: usize = 7;

/// The label of the first cell.
const TODAY: &str = " today ";

/// Whether the strip is shown.
#[derive(Debug, Default)]
pub(super) struct StripState {
    /// Whether the operator has hidden the strip.
    is_hidden: bool,
    /// Whether the last frame had room for the strip.
    has_room: bool,
}

impl StripState {
    /// Hides or shows the strip. Says so if the terminal is too small for it.
    pub(super) fn toggle(&mut self, ctx: &Model) -> Option<Effect> {
        if !self.has_room {
            let (columns, lines) = (MIN_WIDTH, MIN_HEIGHT + 3);
            let text =
                format!("The strip of expiries needs a terminal of {columns}x{lines} or more.");
            return (ctx.summary.total > 0).then(|| Effect::info(text));
        }
        self.is_hidden ^= true;
        None
    }

    /// Draws the strip on a line of `area`, unless it is hidden or the area is too small. Returns the
    /// number of lines used.
    pub(super) fn draw(&mut self, line: u16, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
        let strip = ExpiryStrip::fitting(area, canvas.ctx);
        self.has_room = strip.is_some();
        let Some(strip) = strip.filter(|_| !self.is_hidden) else { return 0 };
        strip.draw(line, area, canvas);
        1
    }
}

/// The strip that fits into the width of the list.
struct ExpiryStrip {
    /// Number of days after today.
    days: usize,
    /// Number of days of a cell.
    step: usize,
    /// The number of tokens of each cell. Empty until the store is loaded.
    counts: Vec<u64>,
    /// The label behind the last cell.
    end: String,
}

impl ExpiryStrip {
    /// Returns the strip for a list of this size; `None` if the list is too small or the store is
    /// empty. Does not depend on the loaded tokens, so that the rows do not move.
    fn fitting(area: Rect, ctx: &Model) -> Option<Self> {
        if area.height < MIN_HEIGHT || area.width < MIN_WIDTH || ctx.summary.total == 0 {
            return None;
        }
        let days: usize = if area.width < WIDE { 90 } else { 180 };
        let last = ctx.now + TimeDelta::days(i64::try_from(days).ok()?);
        let end = ctx.zone.wall_time(last).format(" %-d %b ").to_string();
        let labels = width(&title(days)) + width(TODAY) + width(&end) + 3;
        let counted = days + 1;
        let step = counted.div_ceil(usize::from(area.width.saturating_sub(labels)).max(1));
        let stats = ctx.summary.stats.as_ref();
        let counts = stats.map(|stats| stats.expiries.periods(counted, step)).unwrap_or_default();
        Some(Self { days, step, counts, end })
    }

    /// Draws the strip on a line of `area`. A click shows the tokens that expire soon.
    fn draw(&self, line: u16, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        canvas.rule(area, line);
        let writer = canvas.line(area, line).skip(1).text(&title(self.days), theme.heading);
        let max = self.counts.iter().copied().max().unwrap_or_default();
        if max == 0 {
            let text = if self.counts.is_empty() { "" } else { " none " };
            writer.skip(1).text(text, theme.faint);
            return;
        }
        let mut writer = writer.skip(1).text(TODAY, theme.faint);
        let from = writer.column();
        for (at, count) in self.counts.iter().enumerate() {
            let style = match count {
                0 => theme.faint,
                _ if at * self.step < SOON_DAYS => theme.warning,
                _ => theme.text(),
            };
            // The lowest glyph is the base line.
            let level = 1 + scaled(*count, max, LEVELS - 1);
            writer = writer.text(level_glyph(level, theme), style);
        }
        ctx.hit_map.click_action(writer.rect_since(from), Action::Expiring);
        writer.text(&self.end, theme.faint);
    }
}

fn title(days: usize) -> String {
    format!(" expiries, next {days} days ")
}
