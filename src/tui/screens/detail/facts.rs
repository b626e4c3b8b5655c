//! The facts of a token as labelled lines: expiry, uses, secret, limits and origin. Each fact is
//! stated once, with the relative time first. Draws nothing; called by the detail screen.

use chrono::TimeDelta;
use ratatui::{style::Style, text::Span};

use crate::{
    domain::{
        AuditAction, AuditEvent, LastUse, Scope, Status, Timestamp, Token, UsageDays, UtcDay,
        grouped, uses_left_text,
    },
    tui::{
        app::model::Model,
        theme::{Theme, time_format::TimeFormat},
        widgets::{
            bars::sparkline,
            canvas::{truncate, width, wrap},
        },
    },
};

/// Number of cells of the gauge.
const GAUGE_CELLS: u16 = 18;
/// Number of days in the sparkline.
const SPARKLINE_DAYS: u32 = 7;

/// A label and the lines beside it.
#[derive(Debug)]
pub(super) struct Fact {
    pub label: &'static str,
    pub lines: Vec<FactLine>,
}

/// A line of a fact.
#[derive(Debug, Default)]
pub(super) struct FactLine {
    /// The start of the line, in its own style. It can be empty.
    pub lead: Span<'static>,
    pub text: String,
    pub style: Style,
    /// The end of the line, in its own style. It can be empty.
    pub tail: Span<'static>,
    /// If the height is short, lines with a high rank are left out first. The first line of a fact
    /// has the lowest rank of its lines.
    pub rank: u8,
}

impl FactLine {
    fn new(rank: u8, lead: Span<'static>, text: impl Into<String>) -> Self {
        Self { rank, lead, text: text.into(), ..Self::default() }
    }

    fn plain(rank: u8, text: impl Into<String>, style: Style) -> Self {
        Self { style, ..Self::new(rank, Span::default(), text) }
    }

    fn with_tail(self, tail: Span<'static>) -> Self {
        Self { tail, ..self }
    }

    pub fn full_text(&self) -> String {
        format!("{}{}{}", self.lead.content, self.text, self.tail.content)
    }
}

/// Wraps `text` to at most `most` lines of `room` columns. A truncated text ends with an ellipsis.
pub(super) fn wrap_lines(text: &str, room: u16, most: usize, theme: &Theme) -> Vec<String> {
    let mut lines = wrap(text, room, theme);
    let is_cut = lines.len() > most;
    lines.truncate(most);
    if let (true, Some(last)) = (is_cut, lines.last_mut()) {
        let room = room.saturating_sub(1);
        if width(last) > room {
            *last = truncate(last, room, theme).trim_end_matches(theme.ellipsis()).to_owned();
        }
        last.push_str(theme.ellipsis());
    }
    lines
}

/// The facts of the left and of the right column. `events` are those of the token, newest first.
pub(super) fn facts(
    token: &Token,
    events: &[AuditEvent],
    days: &UsageDays,
    ctx: &Model,
) -> [Vec<Fact>; 2] {
    let mut left = vec![end_fact(token, ctx)];
    left.extend(overlap_fact(token, ctx));
    left.push(last_use_fact(token, ctx));
    left.extend(limit_facts(token, ctx));
    let id = FactLine::plain(7, token.id.to_string(), ctx.theme.text());
    let mut right = vec![
        Fact { label: "ID", lines: vec![id] },
        secret_fact(token, events, ctx),
        time_fact("Created", token.created, ctx, |when| format!("{when} by {}", token.created_by)),
    ];
    right.extend(ownership_facts(token, ctx));
    if token.issued != token.created {
        right.push(time_fact("Issued", token.issued, ctx, str::to_owned));
    }
    right.extend(uses_fact(days, ctx));
    [left, right]
}

/// All facts with the description, for the zoomed view.
pub(super) fn all_facts(
    token: &Token,
    events: &[AuditEvent],
    days: &UsageDays,
    ctx: &Model,
) -> [Vec<Fact>; 2] {
    let [left, mut right] = facts(token, events, days, ctx);
    let lines = token.description.as_str().lines();
    let lines: Vec<_> = lines.map(|text| FactLine::plain(0, text, ctx.theme.text())).collect();
    if !lines.is_empty() {
        right.push(Fact { label: "Description", lines });
    }
    [left, right]
}

fn time_fact(
    label: &'static str,
    at: Timestamp,
    ctx: &Model,
    text: impl Fn(&str) -> String,
) -> Fact {
    let text = text(&ctx.relative_or_date(at));
    Fact { label, lines: vec![FactLine::plain(8, text, ctx.theme.text())] }
}

/// The owner, if it is another than the creator, and the labels.
fn ownership_facts(token: &Token, ctx: &Model) -> impl Iterator<Item = Fact> {
    let owner = (!token.owner.is_empty()).then(|| ("Owner", token.owner_text()));
    let labels = (!token.labels.is_empty()).then(|| ("Labels", token.labels.to_string()));
    let style = ctx.theme.text();
    let facts = [owner, labels].into_iter().flatten();
    facts.map(move |(label, text)| Fact { label, lines: vec![FactLine::plain(7, text, style)] })
}

/// When the token stops or stopped working, with a gauge while it works.
fn end_fact(token: &Token, ctx: &Model) -> Fact {
    let theme = &ctx.theme;
    let status = token.status(ctx.now);
    let (label, at, style) = match (status, token.revoked, token.expires) {
        (Status::Revoked, Some(at), _) => ("Revoked", at, theme.danger),
        (Status::Expired, _, Some(at)) => ("Expired", at, theme.warning),
        (_, _, None) => {
            let never = Span::styled("never", theme.heading);
            return Fact { label: "Expires", lines: vec![FactLine::new(0, never, "")] };
        }
        (_, _, Some(at)) if token.expires_soon(ctx.now) => ("Expires", at, theme.warning),
        (_, _, Some(at)) => ("Expires", at, theme.text()),
    };
    let lead = Span::styled(ctx.relative_or_date(at), style.patch(theme.heading));
    let date = match ctx.time_format {
        TimeFormat::Relative => format!(", {}", ctx.date(at)),
        TimeFormat::Local | TimeFormat::Utc => String::new(),
    };
    let mut lines = vec![FactLine::new(0, lead, date)];
    // Absolute times do not change with the time, so the screen needs no update before the expiry.
    let is_relative = ctx.time_format == TimeFormat::Relative;
    let remaining = token.remaining_permille(ctx.now).zip(token.lifetime_level(ctx.now));
    if let (true, Some((permille, level))) = (is_relative, remaining) {
        let gauge = Span::styled(theme.gauge(permille, GAUGE_CELLS), theme.lifetime(level));
        let text = format!(" {}", remaining_text(at - ctx.now, at - token.issued));
        lines.push(FactLine::new(5, gauge, text));
    }
    Fact { label, lines }
}

/// The remaining lifetime in the unit of the whole lifetime: `27 of 30 d`, `5 of 24 h`. Days are
/// rounded as in relative times.
fn remaining_text(left: TimeDelta, total: TimeDelta) -> String {
    let seconds = |span: TimeDelta| span.num_seconds().max(0);
    let rounded = |span: TimeDelta, unit: TimeDelta| {
        (seconds(span) + seconds(unit) / 2) / seconds(unit).max(1)
    };
    let (unit, name) = match () {
        () if total >= TimeDelta::hours(48) => (TimeDelta::days(1), "d"),
        () if total >= TimeDelta::hours(2) => (TimeDelta::hours(1), "h"),
        () => (TimeDelta::minutes(1), "min"),
    };
    format!("{} of {} {name}", rounded(left, unit), rounded(total, unit))
}

/// The previous secret during an overlap.
fn overlap_fact(token: &Token, ctx: &Model) -> Option<Fact> {
    let theme = &ctx.theme;
    let old = token.active_overlap(ctx.now)?;
    let ends = format!("stops {}", ctx.relative_or_date(old.until));
    let ends = Span::styled(ends, theme.warning.patch(theme.heading));
    let used = match &old.last_used {
        Some(used) => {
            FactLine::plain(1, format!("used {}", when_and_where(used, ctx)), theme.warning)
        }
        None => FactLine::plain(1, "not used since the regeneration", theme.good),
    };
    Some(Fact { label: "Old secret", lines: vec![FactLine::new(0, ends, ""), used] })
}

/// Time and origin of a use: `2 min ago from 10.0.0.7`.
fn when_and_where(used: &LastUse, ctx: &Model) -> String {
    format!("{}{}", ctx.relative_or_date(used.at), origin(used))
}

fn origin(used: &LastUse) -> String {
    used.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"))
}

/// The last allowed use, which is evidence that the token is still needed.
fn last_use_fact(token: &Token, ctx: &Model) -> Fact {
    let theme = &ctx.theme;
    let Some(used) = token.last_use() else {
        let never = FactLine::plain(3, "never", theme.text());
        return Fact { label: "Last used", lines: vec![never] };
    };
    let when = Span::styled(ctx.relative_or_date(used.at), theme.heading);
    let mut request = FactLine::plain(6, request_text(&used.summary), theme.text());
    if let Some(text) = request.text.strip_suffix("allowed").map(str::to_owned) {
        request = FactLine { text, ..request }.with_tail(Span::styled("allowed", theme.good));
    }
    let lines = vec![FactLine::new(3, when, origin(used)), request];
    Fact { label: "Last used", lines }
}

/// The text of a request in a use record: `publish on channels:c-7, allowed`. A summary that does
/// not contain a scope is returned as it is.
pub(super) fn request_text(summary: &str) -> String {
    let (request, outcome) = match summary.strip_suffix(" allowed") {
        Some(request) => (request, ", allowed"),
        None => (summary, ""),
    };
    let text = Scope::parse_stored(request).map_or_else(
        |_| request.to_owned(),
        |Scope { entity_type, entity, operation, domain }| {
            let domain = domain.map_or_else(String::new, |domain| format!(" in {domain}"));
            format!("{operation} on {entity_type}:{entity}{domain}")
        },
    );
    text + outcome
}

/// The facts about the limits of the token.
fn limit_facts(token: &Token, ctx: &Model) -> Vec<Fact> {
    let theme = &ctx.theme;
    let fact =
        |label, text: String, style| Fact { label, lines: vec![FactLine::plain(2, text, style)] };
    let mut facts = Vec::new();
    if let Some(start) = token.limits.not_before {
        let style = if ctx.now < start { theme.accent } else { theme.text() };
        let text = match ctx.time_format {
            TimeFormat::Relative => format!("{}, {}", ctx.relative_time(start), ctx.date(start)),
            TimeFormat::Local | TimeFormat::Utc => ctx.date(start),
        };
        facts.push(fact("Not before", text, style));
    }
    if let Some(sources) = &token.limits.sources {
        facts.push(fact("Allow from", sources.to_string(), theme.text()));
    }
    if let Some((left, max)) = token.uses_left() {
        let style = if left == 0 { theme.warning } else { theme.text() };
        facts.push(fact("Max uses", uses_left_text(left, max), style));
    }
    facts
}

/// The start of the secret, and whether the operator saved it. The id is in its own fact.
fn secret_fact(token: &Token, events: &[AuditEvent], ctx: &Model) -> Fact {
    let theme = &ctx.theme;
    let hint: String = token.secret_hint().chars().take(token.prefix.chars().count() + 5).collect();
    let hint = format!("{hint}… ");
    let saved_at = events
        .iter()
        .map(|event| &event.body)
        .find(|body| body.action == AuditAction::Delivered && body.at >= token.issued);
    let unsaved = if token.status(ctx.now).is_ended() {
        ""
    } else if ctx.secrets_to_print.contains(&token.id) {
        "printed on exit"
    } else {
        "not saved yet"
    };
    let first = match (token.delivered, saved_at) {
        (false, _) => {
            FactLine::plain(1, hint, theme.text()).with_tail(Span::styled(unsaved, theme.warning))
        }
        (true, Some(body)) => {
            let saved = format!("{hint}saved {}", ctx.relative_or_date(body.at));
            FactLine::plain(7, saved, theme.text())
        }
        (true, None) => FactLine::plain(7, format!("{hint}saved"), theme.text()),
    };
    let mut lines = vec![first];
    if token.has_overlap(ctx.now) && !token.is_in_use() {
        lines.push(FactLine::plain(7, "new secret not used yet", theme.warning));
    }
    Fact { label: "Secret", lines }
}

/// The uses by day, their number, and the number of denied attempts. `None` if no check was
/// counted.
fn uses_fact(days: &UsageDays, ctx: &Model) -> Option<Fact> {
    let theme = &ctx.theme;
    let (used, denied) = days.as_slice().iter().fold((0_u64, 0_u64), |(used, denied), day| {
        (used.saturating_add(day.used), denied.saturating_add(day.denied))
    });
    if (used, denied) == (0, 0) {
        return None;
    }
    let by_day = uses_by_day(days, ctx.now, SPARKLINE_DAYS);
    let bars = sparkline(&by_day, by_day.iter().copied().max().unwrap_or_default(), theme);
    let line = FactLine::new(8, Span::styled(bars, theme.accent), format!("  {}", grouped(used)));
    let denied = (denied > 0).then(|| format!("  {} denied", grouped(denied)));
    let tail = Span::styled(denied.unwrap_or_default(), theme.danger);
    Some(Fact { label: "Uses", lines: vec![line.with_tail(tail)] })
}

/// The number of uses on each of the `count` newest days up to the day of `now`.
fn uses_by_day(days: &UsageDays, now: Timestamp, count: u32) -> Vec<u64> {
    let last = UtcDay::of(now).number();
    let uses_on = |number| {
        let day = days.as_slice().iter().find(|count| count.day.number() == number);
        day.map_or(0, |count| count.used)
    };
    (0..count).rev().map(|back| last.checked_sub(back).map_or(0, uses_on)).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;
    use crate::domain::DayCount;

    #[test]
    fn the_remaining_time_has_the_unit_of_the_lifetime() {
        let text =
            |left, total| remaining_text(TimeDelta::minutes(left), TimeDelta::minutes(total));
        assert_eq!(text(27 * 1_440 - 5, 30 * 1_440), "27 of 30 d");
        assert_eq!(text(300, 1_440), "5 of 24 h");
        assert_eq!(text(30, 90), "30 of 90 min");
    }

    #[test]
    fn days_without_a_use_count_as_zero() {
        let now = chrono::Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap();
        let day = |back: i64, used| DayCount {
            day: UtcDay::of(now - TimeDelta::days(back)),
            used,
            denied: 1,
        };
        let days = UsageDays::from_stored(vec![day(9, 99), day(3, 700), day(1, 1), day(0, 350)]);
        assert_eq!(uses_by_day(&days.unwrap(), now, 5), [0, 700, 0, 1, 350]);
        assert_eq!(uses_by_day(&UsageDays::default(), now, 3), [0; 3]);
    }

    #[test]
    fn a_request_is_written_as_operation_and_object() {
        assert_eq!(
            request_text("channels:c-7:publish allowed"),
            "publish on channels:c-7, allowed"
        );
        assert_eq!(request_text("clients:*:read@factory"), "read on clients:* in factory");
        assert_eq!(request_text("identify allowed"), "identify, allowed");
        assert_eq!(request_text("identify"), "identify");
    }
}
