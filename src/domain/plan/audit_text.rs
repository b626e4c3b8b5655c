//! Texts shared by the audit events of several commands, in English. They are stored with the
//! events, so they must not change.

use chrono::{Datelike as _, Timelike as _};

use crate::domain::{
    Timestamp,
    label::{LabelChanges, Labels},
    limits::TokenLimits,
    scope::Scope,
    source_networks::SourceNetworks,
    time_text::minute_text,
    token::Token,
};

/// `until 2026-12-24 13:05 UTC`, or `never expires` for `None`.
pub fn expiry_text(end: Option<Timestamp>) -> String {
    end.map_or_else(
        || "never expires".to_owned(),
        |end| {
            let end = end.naive_utc();
            let (year, month, day) = (end.year(), end.month(), end.day());
            format!("until {year:04}-{month:02}-{day:02} {:02}:{:02} UTC", end.hour(), end.minute())
        },
    )
}

/// The limits that differ, in words and with their values: `max uses was none, now 5`.
pub(super) fn limits_text(before: &TokenLimits, after: &TokenLimits) -> Vec<String> {
    // Values that differ can have the same text.
    let differs = [
        before.sources != after.sources,
        before.not_before != after.not_before,
        before.max_uses != after.max_uses,
    ];
    let values = limit_values(before).into_iter().zip(limit_values(after));
    let limits = LIMIT_NAMES.into_iter().zip(["any", "none", "none"]).zip(values);
    let differing = limits.zip(differs).filter(|(_, differs)| *differs);
    differing
        .map(|(((name, none), (before, after)), _)| {
            let text = |value: Option<String>| value.unwrap_or_else(|| none.to_owned());
            format!("{name} was {}, now {}", text(before), text(after))
        })
        .collect()
}

/// The limits of a new token: `allow from 10.0.0.0/8`, `max uses 5`.
pub(super) fn new_limits_text(limits: &TokenLimits) -> Vec<String> {
    let values = LIMIT_NAMES.into_iter().zip(limit_values(limits));
    values.filter_map(|(name, value)| Some(format!("{name} {}", value?))).collect()
}

const LIMIT_NAMES: [&str; 3] = ["allow from", "not before", "max uses"];

/// The values of the limits in the order of [`LIMIT_NAMES`].
fn limit_values(limits: &TokenLimits) -> [Option<String>; 3] {
    [
        limits.sources.as_ref().map(source_list),
        limits.not_before.map(|at| minute_text(at).to_string()),
        limits.max_uses.map(|max| max.to_string()),
    ]
}

/// The first three networks and the number of the others.
fn source_list(sources: &SourceNetworks) -> String {
    let all: Vec<_> = sources.iter().map(|network| network.to_string()).collect();
    let first = all.get(..3).unwrap_or(&all).join(" ");
    match all.len().saturating_sub(3) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// `owner was alice, now ann`, if the owner differs.
pub(super) fn owner_text(before: &Token, after: &Token) -> Option<String> {
    let text = || format!("owner was {}, now {}", before.owner_text(), after.owner_text());
    (before.owner != after.owner).then(text)
}

/// The labels that differ: `label env was test, now prod`, `label team=edge`, `label x=1 removed`.
/// After the first three, only the number of the others.
pub(super) fn labels_text(before: &Labels, after: &Labels) -> Vec<String> {
    let changes = LabelChanges::between(before, after);
    let set = changes.set.iter().map(|label| match before.get(label.key()) {
        Some(old) => format!("label {} was {}, now {}", label.key(), old.value(), label.value()),
        None => format!("label {label}"),
    });
    let removed = changes.removed.iter().filter_map(|key| before.get(key));
    let mut all: Vec<_> =
        set.chain(removed.map(|label| format!("label {label} removed"))).collect();
    let more = all.len().saturating_sub(3);
    if more > 0 {
        all.truncate(3);
        all.push(format!("{more} more label{}", if more == 1 { "" } else { "s" }));
    }
    all
}

/// The number of scopes with its noun, without a thousands separator: `1 scope`, `3 scopes`.
pub(super) fn scope_count(count: usize) -> String {
    format!("{count} scope{}", if count == 1 { "" } else { "s" })
}

/// The first three scopes and the number of the others: `a:*:read b:*:read c:*:read and 2 more`.
pub(super) fn scope_list(scopes: &[Scope]) -> String {
    let first: Vec<_> = scopes.iter().take(3).map(ToString::to_string).collect();
    match scopes.len().saturating_sub(3) {
        0 => first.join(" "),
        more => format!("{} and {more} more", first.join(" ")),
    }
}
