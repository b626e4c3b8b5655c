//! The lines around every screen: tabs and status at the top, message line and footer with the
//! available keys at the bottom. Called by the app for each frame.

use ratatui::{layout::Rect, style::Style};

use crate::{
    domain::grouped,
    keymap::{self, Action, HintChange, Key, Mode},
    tui::{
        app::{effect::Tab, model::Model},
        widgets::canvas::{Canvas, width, wrap},
    },
};

/// Minimum terminal size for the screens, in columns and lines.
pub const MIN_SIZE: (u16, u16) = (40, 10);

/// Draws the top line: the tabs, then the number of active tokens, the number of tokens that expire
/// soon, and at the right end user and host. Leaves out what does not fit.
pub fn draw_top_line(tab: Tab, who: &str, area: Rect, canvas: &mut Canvas<'_>) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let mut writer = canvas.line(area, 0);
    if area.width >= 100 {
        writer = writer.skip(1).text("patdeck", theme.heading).skip(2);
    }
    if ctx.is_demo {
        writer = writer.text(" DEMO ", theme.warning.patch(theme.heading));
    }
    let tabs = ctx.tabs();
    for (number, shown_tab) in (1..).zip(Tab::ALL) {
        if !tabs.contains(&shown_tab) {
            continue;
        }
        let style = if shown_tab == tab { theme.tab } else { theme.text() };
        let from = writer.column();
        let is_unsaved = match shown_tab {
            Tab::Create => ctx.has_draft,
            Tab::Detail => ctx.has_scope_changes,
            Tab::Tokens | Tab::Audit | Tab::Overview => false,
        };
        let draft = if is_unsaved { theme.draft_mark() } else { " " };
        let label = tab_label(shown_tab, shown_tab == tab, area.width, ctx.is_demo);
        let text = if label.is_empty() {
            format!(" {number}{draft}")
        } else {
            format!(" {number} {label}{draft}")
        };
        writer = writer.text(&text, style);
        ctx.hit_map.click_action(writer.rect_since(from), shown_tab.action());
    }
    let shown = facts(who, writer.remaining().saturating_sub(2), ctx);
    let wide: u16 = shown.iter().map(|(text, _)| width(text)).sum();
    writer = writer.move_to(area.width.saturating_sub(wide + 1));
    for (text, style) in shown {
        writer = writer.text(&text, style);
    }
}

/// Minimum width in columns for the full names of all tabs.
const MIN_TABS_WIDTH: u16 = 52;

/// The label of a tab. On a narrow screen, only the selected tab has its full name. The demo needs
/// room for its sign, so that the other tabs have only their numbers there.
fn tab_label(tab: Tab, is_selected: bool, columns: u16, is_demo: bool) -> &'static str {
    let label = tab.as_str();
    let short = if is_demo { "" } else { label.get(..3).unwrap_or(label) };
    let needed = if is_demo { MIN_TABS_WIDTH + 6 } else { MIN_TABS_WIDTH };
    if is_selected || columns >= needed { label } else { short }
}

/// The facts in the top line: the number of active tokens, the number of tokens that expire within
/// 7 days, read-only mode, user and host. Drops facts from the front until the rest fits into `room`
/// columns.
fn facts(who: &str, room: u16, ctx: &Model) -> Vec<(String, Style)> {
    let theme = &ctx.theme;
    let dot = format!(" {} ", theme.dot());
    let mut facts = Vec::new();
    if let Some(numbers) = &ctx.summary.stats {
        facts.push((format!("{} active", grouped(numbers.counts.active)), theme.faint));
    }
    let soon = ctx.summary.stats.as_ref().map_or(0, |numbers| numbers.counts.expiring);
    if soon > 0 {
        facts.push((
            format!("{} expire{} in 7d", grouped(soon), if soon == 1 { "s" } else { "" }),
            theme.warning,
        ));
    }
    let identity = (who.to_owned(), theme.faint);
    // A narrow screen shows read-only mode instead of user and host.
    let read_only = ctx.read_only.then(|| ("read-only".to_owned(), theme.warning));
    let wide = |facts: &[(String, Style)]| {
        facts.iter().map(|(text, _)| width(text) + width(&dot)).sum::<u16>()
    };
    let last: Vec<_> = read_only.clone().into_iter().chain([identity]).collect();
    facts.extend(if wide(&last) <= room + width(&dot) {
        last
    } else {
        read_only.into_iter().collect()
    });
    while !facts.is_empty() && wide(&facts).saturating_sub(width(&dot)) > room {
        facts.remove(0);
    }
    facts.into_iter().flat_map(|fact| [(dot.clone(), theme.faint), fact]).skip(1).collect()
}

/// The progress of loading the store, in percent once the total is known.
pub fn loading_text(ctx: &Model) -> String {
    match (ctx.summary.loaded, ctx.summary.total) {
        (0, _) => "Loading the store".to_owned(),
        (loaded, total) => format!("Loading the store: {}%", loaded * 100 / total.max(1)),
    }
}

/// Maximum number of lines of one message.
const MAX_MESSAGE_LINES: usize = 3;

/// Wraps a message to the width of a screen with `columns` columns. If `bad` is true, the message
/// starts with the fault sign.
pub fn wrap_message(text: &str, bad: bool, columns: u16, ctx: &Model) -> Vec<String> {
    let text = if bad { format!("{} {text}", ctx.theme.fault_glyph()) } else { text.to_owned() };
    let mut parts = wrap(&text, columns.saturating_sub(2), &ctx.theme);
    parts.truncate(MAX_MESSAGE_LINES);
    parts
}

/// Draws a message at the bottom of `area`, on as many lines as the message needs.
pub fn draw_message(text: &str, bad: bool, area: Rect, canvas: &mut Canvas<'_>) {
    let parts = wrap_message(text, bad, area.width, canvas.ctx);
    draw_message_lines(&parts, bad, area, canvas);
}

/// Draws the error of a search at the bottom of `area`. Unlike a message, it is never cut, because it
/// lists the valid terms.
pub fn draw_search_fault(fault: &str, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    let text = format!("{} {fault}", theme.fault_glyph());
    let parts = wrap(&text, area.width.saturating_sub(2), theme);
    draw_message_lines(&parts, true, area, canvas);
}

fn draw_message_lines(parts: &[String], bad: bool, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    let style = if bad { theme.danger } else { theme.good };
    let lines = u16::try_from(parts.len()).unwrap_or(1);
    let from = area.height.saturating_sub(lines);
    for (line, part) in (from..area.height).zip(parts) {
        let blank = " ".repeat(usize::from(area.width));
        canvas.line(area, line).text(&blank, theme.blank());
        canvas.line(area, line).skip(1).text(part, style);
    }
}

/// Draws the key hints of `mode` whose actions are `enabled`, as many as fit. `change` gives the hints
/// that the state of the screen changes.
pub fn draw_footer(
    mode: Mode,
    enabled: impl Fn(Action) -> bool,
    change: impl Fn(Action) -> Option<HintChange>,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let columns = usize::from(area.width.saturating_sub(2));
    let hints = keymap::footer(&ctx.keymap, mode, enabled, change, columns, theme.is_ascii());
    let mut writer = canvas.line(area, 0).skip(1);
    for hint in hints {
        let from = writer.column();
        let style = if hint.is_general() { theme.faint } else { theme.key };
        writer = writer.text(&hint.keys, style);
        if !hint.label.is_empty() {
            writer = writer.skip(1).text(&hint.label, theme.faint);
        }
        if let Some(action) = hint.action {
            ctx.hit_map.click_action(writer.rect_since(from), action);
        }
        writer = writer.skip(2);
    }
}

/// Draws `text`, the command line equivalent to the screen or dialog.
pub fn draw_cli_equivalent(text: &str, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    // Draw the line breaks of a description as spaces, because the command has only one line here.
    // The copied command keeps the line breaks.
    let text = text.replace('\n', " ");
    canvas.line(area, 0).text(&" ".repeat(usize::from(area.width)), theme.blank());
    canvas.line(area, 0).skip(1).text("$", theme.faint).skip(1).text(&text, theme.text());
}

/// Draws the keys that continue the pressed key sequence and whose actions are `enabled`.
pub fn draw_continuations(
    (mode, pressed): (Mode, &[Key]),
    enabled: impl Fn(Action) -> bool,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let ascii = theme.is_ascii();
    let mut writer = canvas.line(area, 0).skip(1);
    for key in pressed {
        writer = writer.text(&key.label(ascii), theme.accent).skip(1);
    }
    let next = ctx.keymap.continuations(mode, pressed).into_iter();
    let next = next.filter(|(_, binding)| enabled(binding.action));
    let mut next: Vec<_> =
        next.map(|(key, binding)| (key.label(ascii), binding.hint, binding.action)).collect();
    let wide = |(key, label, _): &(String, &str, Action)| width(key) + 1 + width(label) + 2;
    let total = |next: &[(String, &str, Action)]| next.iter().map(wide).sum::<u16>();
    let room = writer.remaining();
    // The key that cancels is always shown, its label only if there is room.
    let cancel = if total(&next) + width("Esc cancel") <= room { "cancel" } else { "" };
    let is_cut = total(&next) + width("Esc") > room;
    while !next.is_empty() && total(&next) + width("…  Esc") > room && is_cut {
        next.pop();
    }
    for (key, label, action) in &next {
        let from = writer.column();
        writer = writer.text(key, theme.key).skip(1).text(label, theme.faint);
        ctx.hit_map.click_action(writer.rect_since(from), *action);
        writer = writer.skip(2);
    }
    if is_cut {
        writer = writer.text(theme.ellipsis(), theme.faint).skip(2);
    }
    writer.text("Esc", theme.key).skip(1).text(cancel, theme.faint);
}

/// Draws the message for a terminal that is smaller than `MIN_SIZE`.
pub fn draw_too_small(area: Rect, canvas: &mut Canvas<'_>) {
    let ctx = canvas.ctx;
    let (columns, lines) = MIN_SIZE;
    let text = format!(
        "{}x{} is too small: patdeck needs {columns}x{lines}. {} quit, {} help",
        area.width,
        area.height,
        ctx.key(Mode::Global, Action::Quit),
        ctx.key(Mode::Global, Action::Help),
    );
    canvas.line(area, 0).text(&text, ctx.theme.text());
    canvas.fill_line(area, 0, ctx.theme.warning);
}
