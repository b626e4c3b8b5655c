//! The three lines around every screen: tabs and where one is, the line that speaks, and the
//! keys that work now.

use ratatui::{layout::Rect, style::Style};

use crate::{
    domain::terminal_text::escape,
    keymap::{self, Action, Key, Mode},
    tui::{
        app::{effect::Tab, model::Model},
        widgets::paint::{Canvas, width, wrap},
    },
};

/// Fewest columns and lines in which the screens are drawn.
pub const SMALLEST: (u16, u16) = (40, 10);

/// Draws the top line: the tabs, then who and where, what is active and what expires soon, as
/// far as there is room.
pub fn top(tab: Tab, who: &str, area: Rect, canvas: &mut Canvas<'_>) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let mut writer = canvas.line(area, 0);
    if area.width >= 100 {
        writer = writer.skip(1).text("patdeck", theme.heading).skip(2);
    }
    let tabs = ctx.tabs();
    for (number, each) in (1..).zip(Tab::ALL) {
        if !tabs.contains(&each) {
            continue;
        }
        let style = if each == tab { theme.tab } else { theme.text() };
        let from = writer.column();
        writer = writer.text(&format!(" {number} {} ", each.as_str()), style);
        ctx.hit_map.act(writer.since(from), each.action());
    }
    let told = facts(who, writer.room().saturating_sub(2), ctx);
    let wide: u16 = told.iter().map(|(text, _)| width(text)).sum();
    writer = writer.to(area.width.saturating_sub(wide + 1));
    for (text, style) in told {
        writer = writer.text(&text, style);
    }
}

/// Who and where, what is active and what expires within a week: as much as fits `room`.
fn facts(who: &str, room: u16, ctx: &Model) -> Vec<(String, Style)> {
    let theme = &ctx.theme;
    let dot = format!(" {} ", theme.dot());
    let mut told = vec![(who.to_owned(), theme.faint)];
    if let Some(numbers) = ctx.census.stats {
        told.push((format!("{} active", numbers.counts.active), theme.faint));
    }
    let soon = ctx.census.stats.map_or(0, |numbers| numbers.counts.soon);
    if soon > 0 {
        told.push((
            format!("{soon} expire{} in 7d", if soon == 1 { "s" } else { "" }),
            theme.warning,
        ));
    }
    if ctx.read_only {
        told.push(("read-only".to_owned(), theme.warning));
    }
    // The counts stay longest: where one is stands in the prompt one came from as well.
    let wide = |told: &[(String, Style)]| {
        told.iter().map(|(text, _)| width(text) + width(&dot)).sum::<u16>()
    };
    while !told.is_empty() && wide(&told).saturating_sub(width(&dot)) > room {
        told.remove(0);
    }
    told.into_iter().flat_map(|fact| [(dot.clone(), theme.faint), fact]).skip(1).collect()
}

/// How much of a large store has been read.
pub fn reading(ctx: &Model) -> String {
    match (ctx.census.loaded, ctx.census.total) {
        (0, _) => "reading the store".to_owned(),
        (read, total) => format!("reading the store: {}%", read * 100 / total.max(1)),
    }
}

/// Most lines that speak at once.
const SAID: usize = 3;

/// The lines of what is said at the foot of a screen of `columns`.
pub fn wrap_message(text: &str, bad: bool, columns: u16, ctx: &Model) -> Vec<String> {
    let text = if bad { format!("{} {text}", ctx.theme.fault()) } else { text.to_owned() };
    let mut parts = wrap(&escape(&text), columns.saturating_sub(2));
    parts.truncate(SAID);
    parts
}

/// Speaks at the foot of `area`: on as many lines as it takes, over what is there.
pub fn message(text: &str, bad: bool, area: Rect, canvas: &mut Canvas<'_>) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let style = if bad { theme.danger } else { theme.good };
    let parts = wrap_message(text, bad, area.width, ctx);
    let lines = u16::try_from(parts.len()).unwrap_or(1);
    let from = area.height.saturating_sub(lines);
    for (line, part) in (from..area.height).zip(&parts) {
        let whole = " ".repeat(usize::from(area.width));
        canvas.line(area, line).text(&whole, theme.blank());
        canvas.line(area, line).skip(1).text(part, style);
    }
}

/// Draws the keys of `mode` whose actions are `enabled`, as many as fit.
pub fn footer(mode: Mode, enabled: impl Fn(Action) -> bool, area: Rect, canvas: &mut Canvas<'_>) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let columns = usize::from(area.width.saturating_sub(2));
    let hints = keymap::footer(&ctx.keymap, mode, enabled, columns, theme.is_ascii());
    let mut writer = canvas.line(area, 0).skip(1);
    for hint in hints {
        let from = writer.column();
        writer = writer.text(&hint.keys, theme.key).skip(1).text(&hint.word, theme.faint);
        if let Some(action) = hint.action {
            ctx.hit_map.act(writer.since(from), action);
        }
        writer = writer.skip(2);
    }
}

/// Draws the command line that does the same as the screen.
pub fn cli_equivalent(text: &str, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    // A description may have lines: what is copied keeps them.
    let text = text.replace('\n', " ");
    canvas.line(area, 0).skip(1).text("$", theme.faint).skip(1).text(&text, theme.text());
}

/// Draws which keys may follow those pressed in a mode, of those whose actions are `enabled`.
pub fn continuations(
    (mode, pressed): (Mode, &[Key]),
    enabled: impl Fn(Action) -> bool,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let ascii = theme.is_ascii();
    let mut writer = canvas.line(area, 0).skip(1);
    for key in pressed {
        writer = writer.text(&key.shown(ascii), theme.accent).skip(1);
    }
    let next = ctx.keymap.continuations(mode, pressed).into_iter();
    for (key, binding) in next.filter(|(_, binding)| enabled(binding.action)) {
        let from = writer.column();
        writer = writer.text(&key.shown(ascii), theme.key).skip(1).text(binding.hint, theme.faint);
        ctx.hit_map.act(writer.since(from), binding.action);
        writer = writer.skip(2);
    }
    writer.text("Esc", theme.key).skip(1).text("cancel", theme.faint);
}

/// Draws the one line of a terminal that is too small.
pub fn too_small(area: Rect, canvas: &mut Canvas<'_>) {
    let ctx = canvas.ctx;
    let (columns, lines) = SMALLEST;
    let text = format!(
        "{}x{} is too small: patdeck needs {columns}x{lines}. {} quits, {} helps",
        area.width,
        area.height,
        ctx.key(Mode::Global, Action::Quit),
        ctx.key(Mode::Global, Action::Help),
    );
    canvas.line(area, 0).text(&text, ctx.theme.text());
    canvas.band(area, 0, ctx.theme.warning);
}
