//! The panes of the overview: what needs attention, the expiries of the next weeks, the checks of
//! the last days and the statuses. A pane without room is left out. Called by the overview.

use ratatui::{layout::Rect, style::Style};

use super::{AttentionRow, VerifiedAt};
use crate::{
    domain::{AttentionKind, Overview, Status, grouped},
    keymap::Action,
    output::overview::{attention_text, hook_runs_text, register_faults_text},
    tui::{
        theme::Theme,
        widgets::{
            bars::{LEVELS, level_glyph, scaled, sparkline},
            canvas::{Canvas, rect_below, width, wrap},
        },
    },
};

/// Minimum width in columns for the expiries beside what needs attention.
const MIN_SPLIT_WIDTH: u16 = 76;
/// Lines of the panes with the checks and with the statuses, without the empty line below.
const SMALL_PANE: u16 = 3;
/// Minimum number of lines of the chart, with its title and its axis.
const MIN_CHART_LINES: u16 = 6;
/// Smallest number of tokens at the top of the chart.
const MIN_CHART_MAX: usize = 4;
/// Minimum width in columns for a gap between the days.
const MIN_GAP_WIDTH: u16 = 56;
/// Columns of the label and of the figures beside the bars of the checks.
const CHECK_FIGURES: u16 = 34;
/// Widest bar of the chart in columns, with the gap beside it.
const MAX_BAR: u16 = 6;

/// Where the panes are. A pane without room has no height.
#[derive(Debug, Clone, Copy)]
pub(super) struct Panes {
    pub(super) attention: Rect,
    pub(super) expiries: Rect,
    pub(super) checks: Rect,
    pub(super) statuses: Rect,
}

impl Panes {
    /// Divides `area` for this number of rows that need attention. Without checks, they need no high
    /// bars.
    pub(super) fn of(area: Rect, rows: usize, has_checks: bool) -> Self {
        let needed = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(1);
        // The charts grow with the screen, but two fifths and a fifth of it are enough to read them.
        let chart = (area.height * 2 / 5).max(16);
        let check_lines = (area.height / 5).max(6);
        let is_wide = area.width >= MIN_SPLIT_WIDTH;
        let small = 2 * (SMALL_PANE + 1);
        let first = if is_wide {
            area.height.saturating_sub(small).clamp(needed, chart.max(needed))
        } else {
            needed
        };
        let band = Rect { height: first.min(area.height), ..area };
        let left = area.width * 9 / 20;
        let right = left + 2;
        let attention = if is_wide {
            Rect { x: area.x + right, width: area.width - right, ..band }
        } else {
            band
        };
        // The next pane, below an empty line if there is room for one.
        let mut from = first;
        let mut next = |wanted: u16| {
            let gap = u16::from(area.height >= first.saturating_add(small));
            let below = rect_below(area, from.saturating_add(gap));
            let height = if below.height < SMALL_PANE { 0 } else { wanted.min(below.height) };
            from = from.saturating_add(gap + height);
            Rect { height, ..below }
        };
        // What is left below makes the bars of the checks higher, both by the same number of lines.
        let others = if is_wide { first } else { first.saturating_add(chart + 1) };
        let spare = area.height.saturating_sub(others.saturating_add(small + 1));
        let higher = if has_checks { (spare / 2).min(check_lines - 1) * 2 } else { 0 };
        let checks = next(SMALL_PANE + higher);
        let statuses = next(SMALL_PANE);
        let expiries = if is_wide { Rect { width: left, ..band } } else { next(chart) };
        let has_room = expiries.height >= MIN_CHART_LINES;
        let expiries = Rect { height: if has_room { expiries.height } else { 0 }, ..expiries };
        Self { attention, expiries, checks, statuses }
    }
}

/// Draws a title on the first line of `area`, then a rule up to its right edge.
fn title(text: &str, area: Rect, canvas: &mut Canvas<'_>) {
    if area.height == 0 {
        return;
    }
    let theme = canvas.ctx.theme;
    let line = canvas.line(area, 0).text(theme.dash(), theme.rule).skip(1);
    let line = line.text(text, theme.heading).skip(1);
    let rule = theme.dash().repeat(usize::from(line.remaining().saturating_sub(1)));
    line.text(&rule, theme.rule);
}

/// The glyph and the style of a row: whether it needs attention, and how much.
fn sign(
    row: AttentionRow,
    overview: &Overview,
    is_broken: bool,
    theme: &Theme,
) -> (&'static str, Style) {
    let ok = (theme.ok_glyph(), theme.good);
    let bad = |style| (theme.fault_glyph(), style);
    match row {
        AttentionRow::Tokens(kind) if overview.count(kind) == 0 => ok,
        AttentionRow::Chain if !is_broken => ok,
        AttentionRow::Tokens(AttentionKind::ExpiringSoon | AttentionKind::Undelivered)
        | AttentionRow::Damaged
        | AttentionRow::Register
        | AttentionRow::HookRuns
        | AttentionRow::Chain => bad(theme.danger),
        AttentionRow::Tokens(_) => bad(theme.warning),
    }
}

/// Draws the visible rows of what needs attention; `selected` is the number of the selected row.
pub(super) fn attention(
    overview: &Overview,
    chain: Option<VerifiedAt<'_>>,
    (rows, selected): (impl Iterator<Item = (usize, AttentionRow)>, usize),
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let ctx = canvas.ctx;
    let is_broken = chain.is_some_and(|(chain, _)| chain.first_fault.is_some());
    let is_in_order = !overview.needs_attention() && !is_broken;
    let text = if is_in_order { "Nothing needs attention" } else { "Needs attention" };
    title(text, area, canvas);
    ctx.hit_map.wheel(area, 1);
    for (line, (at, row)) in (1..area.height).zip(rows) {
        let (glyph, style) = sign(row, overview, is_broken, &ctx.theme);
        let text = match row {
            AttentionRow::Tokens(kind) => attention_text(kind, overview),
            AttentionRow::Damaged => format!("{} damaged", grouped(overview.damaged)),
            AttentionRow::Register => register_faults_text(overview.register),
            AttentionRow::HookRuns => hook_runs_text(overview.hook_runs),
            AttentionRow::Chain => chain_text(chain, canvas),
        };
        let is_ok = glyph == ctx.theme.ok_glyph();
        let text_style = if is_ok { ctx.theme.faint } else { ctx.theme.text() };
        // The last column stays empty. The address of denied checks is left out before it is cut.
        let room = Rect { width: area.width.saturating_sub(1), ..area };
        let writer = canvas.line(room, line).skip(1).text(glyph, style).skip(1);
        let text = match text.rsplit_once(", ") {
            Some((start, _)) if width(&text) > writer.remaining() => start,
            _ => &text,
        };
        writer.text(text, text_style);
        canvas.list_row((area, line), (at, selected), Action::Open);
    }
}

fn chain_text(chain: Option<VerifiedAt<'_>>, canvas: &Canvas<'_>) -> String {
    match chain {
        None => "verifying the audit chain".to_owned(),
        Some((chain, at)) => match &chain.first_fault {
            None => format!("audit chain verified {}", canvas.ctx.relative_time(at)),
            Some((sequence, _)) => format!("audit chain broken at event {}", grouped(sequence)),
        },
    }
}

/// Draws the active tokens that expire in each of the next weeks, as a column chart.
pub(super) fn expiries(overview: &Overview, area: Rect, canvas: &mut Canvas<'_>) {
    title("Expiries by week", area, canvas);
    let theme = canvas.ctx.theme;
    let max = overview.expiries.iter().copied().max().unwrap_or_default();
    if area.height == 0 {
        return;
    }
    if max == 0 {
        let text = "No active token expires in the next 13 weeks.";
        let lines = wrap(text, area.width.saturating_sub(2), &theme);
        let lines = lines.into_iter().map(|line| format!(" {line}"));
        canvas.text_lines(area, 2.., lines, theme.faint);
        return;
    }
    // A single token must not fill the chart.
    let max = max.max(MIN_CHART_MAX);
    let label = grouped(max);
    let axis = width(&label) + 2;
    let weeks = u16::try_from(overview.expiries.len()).unwrap_or(1);
    let step = (area.width.saturating_sub(axis + 1) / weeks).clamp(1, MAX_BAR);
    // A title, the axis and its labels.
    let lines = area.height.saturating_sub(3);
    let steps = u64::from(lines) * LEVELS;
    for line in 0..lines {
        let text = if line == 0 { label.as_str() } else { "" };
        let left = axis.saturating_sub(2 + width(text));
        let writer = canvas.line(area, line + 1).skip(left + 1).text(text, theme.faint);
        writer.move_to(axis).text(theme.bar(), theme.rule);
    }
    let axis_line = theme.dash().repeat(usize::from(step * weeks));
    let zero = canvas.line(area, lines + 1).move_to(axis.saturating_sub(2)).text("0", theme.faint);
    zero.move_to(axis).text(theme.corners()[2], theme.rule).text(&axis_line, theme.rule);
    for (week, count) in (0..weeks).zip(overview.expiries) {
        let height = scaled(as_u64(count), as_u64(max), steps);
        let style = if week == 0 { theme.warning } else { theme.accent };
        let at = axis + 1 + week * step;
        for line in 0..lines {
            let below = u64::from(lines - 1 - line) * LEVELS;
            let level = height.saturating_sub(below).min(LEVELS);
            if level > 0 {
                let bar = level_glyph(level, &theme).repeat(usize::from(step.max(2) - 1));
                canvas.line(area, line + 1).move_to(at).text(&bar, style);
            }
        }
        if week % 4 == 0 {
            let text = if week == 0 { "now".to_owned() } else { format!("+{week}w") };
            canvas.line(area, lines + 2).move_to(at).text(&text, theme.faint);
        }
    }
}

/// Draws the allowed and the denied checks of the last days.
pub(super) fn checks(overview: &Overview, area: Rect, canvas: &mut Canvas<'_>) {
    title("Checks, last 14 days", area, canvas);
    let theme = canvas.ctx.theme;
    let (allowed, denied) = overview.checks_total();
    let values = |pick: fn(&crate::domain::DayCount) -> u64| -> Vec<u64> {
        overview.checks.iter().map(pick).collect()
    };
    let gap = if area.width >= MIN_GAP_WIDTH { " " } else { "" };
    let rows = [
        ("allowed", values(|day| day.used), allowed, theme.good),
        ("denied", values(|day| day.denied), denied, theme.danger),
    ];
    // Both have the same scale, so that they can be compared. A single check must not fill the bars.
    let all = rows.iter().flat_map(|(_, values, ..)| values.iter().copied());
    let max = all.max().unwrap_or_default().max(as_u64(MIN_CHART_MAX));
    let lines = (area.height.saturating_sub(1) / 2).max(1);
    if lines > 1 {
        for (at, (label, values, total, style)) in (0..).zip(rows) {
            let rows = Rect { height: lines, ..rect_below(area, 1 + at * lines) };
            draw_check_bars((label, &values, total, style), max, rows, canvas);
        }
        return;
    }
    for (line, (label, values, total, style)) in (1..area.height).zip(rows) {
        let today = values.last().copied().unwrap_or_default();
        let total = grouped(total);
        let writer = canvas.line(area, line).skip(1).write_column(label, 8, theme.faint);
        let cells: Vec<_> = sparkline(&values, max, &theme).chars().map(String::from).collect();
        let writer = writer.text(&cells.join(gap), style);
        let writer = writer.skip(11_u16.saturating_sub(width(&total)).max(1));
        let writer = writer.text(&total, theme.heading).skip(2);
        writer.text(&format!("today {}", grouped(today)), theme.faint);
    }
}

/// Draws the checks of one kind as columns over all lines of `area`, which are full at `max`, with the
/// figures on the last line.
fn draw_check_bars(
    (label, values, total, style): (&str, &[u64], u64, Style),
    max: u64,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let theme = canvas.ctx.theme;
    let last = area.height.saturating_sub(1);
    let days = u16::try_from(values.len()).unwrap_or(1).max(1);
    let step = (area.width.saturating_sub(CHECK_FIGURES) / days).clamp(1, MAX_BAR);
    let bar = usize::from(step.max(2) - 1);
    // An empty line above separates the two kinds.
    let steps = u64::from(last.max(1)) * LEVELS;
    canvas.line(area, last).skip(1).write_column(label, 8, theme.faint);
    for (day, value) in (0..days).zip(values) {
        let height = scaled(*value, max, steps);
        let at = 9 + day * step;
        if height == 0 {
            canvas.line(area, last).move_to(at).text(&theme.dot().repeat(bar), style);
        }
        for line in 0..last.max(1) {
            let level = height.saturating_sub(u64::from(line) * LEVELS).min(LEVELS);
            if level > 0 {
                let text = level_glyph(level, &theme).repeat(bar);
                canvas.line(area, last - line).move_to(at).text(&text, style);
            }
        }
    }
    let today = values.last().copied().unwrap_or_default();
    let figures = canvas.line(area, last).move_to(9 + days * step + 1);
    let figures = figures.text(&grouped(total), theme.heading).skip(2);
    figures.text(&format!("today {}", grouped(today)), theme.faint);
}

/// Draws the number of tokens of each status as parts of one bar, and names the parts.
pub(super) fn statuses(overview: &Overview, area: Rect, canvas: &mut Canvas<'_>) {
    let counts = overview.counts;
    let all = counts.active + counts.not_yet_valid + counts.expired + counts.revoked;
    title(&format!("Tokens {}", grouped(all)), area, canvas);
    let theme = canvas.ctx.theme;
    let parts = [
        (counts.active - counts.expiring, "active", theme.status_glyph(Status::Active), theme.good),
        (counts.expiring, "expiring", theme.soon_glyph(), theme.warning),
        (
            counts.not_yet_valid,
            "not yet valid",
            theme.status_glyph(Status::NotYetValid),
            theme.accent,
        ),
        (counts.expired, "expired", theme.status_glyph(Status::Expired), theme.faint),
        (counts.revoked, "revoked", theme.status_glyph(Status::Revoked), theme.danger),
    ];
    let shades = if theme.is_ascii() {
        ["*", "!", "-", "o", "x"]
    } else {
        ["█", "▓", "▚", "▒", "░"]
    };
    let room = u64::from(area.width.saturating_sub(2));
    let mut bar = canvas.line(area, 1).skip(1);
    for ((count, _, _, style), shade) in parts.into_iter().zip(shades) {
        let cells = scaled(as_u64(count), as_u64(all), room);
        bar = bar.text(&shade.repeat(usize::try_from(cells).unwrap_or_default()), style);
    }
    let mut legend = canvas.line(area, 2).skip(1);
    for ((count, name, _, style), shade) in parts.into_iter().zip(shades) {
        // The list counts the expiring tokens as active, too.
        let (before, count) = match name {
            "active" => ("", counts.active),
            "expiring" => ("incl. ", count),
            _ => ("", count),
        };
        if count > 0 {
            let text = format!("{before}{} {name}", grouped(count));
            legend = legend.text(shade, style).skip(1).text(&text, theme.text()).skip(2);
        }
    }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
