//! The JSON of the figures of the whole store, which `patdeck status` prints. Pure.

use serde_json::{Map, Value, json};

use super::format_time;
use crate::{
    domain::{AttentionKind, Overview},
    output::overview::is_in_order,
    service::ChainCheckResult,
};

/// The figures as a JSON object.
pub fn overview_json(overview: &Overview, chain: &ChainCheckResult) -> Value {
    let attention: Map<_, _> = AttentionKind::ALL
        .into_iter()
        .map(|kind| (kind.as_str().to_owned(), overview.count(kind).into()))
        .collect();
    let most_denied = overview.most_denied.as_ref().map(|token| {
        json!({
            "id": token.id.as_str(),
            "name": token.name.as_str(),
            "denied": token.attempts,
            "from": token.from.as_deref(),
        })
    });
    let checks = overview.checks.iter().rev();
    let checks: Vec<_> = checks
        .map(|it| json!({ "day": it.day.date().to_string(), "used": it.used, "denied": it.denied }))
        .collect();
    let counts = overview.counts;
    json!({
        "at": format_time(overview.at),
        "ok": is_in_order(overview, chain),
        "attention": attention,
        "tokens": {
            "active": counts.active,
            "not-yet-valid": counts.not_yet_valid,
            "expired": counts.expired,
            "revoked": counts.revoked,
            "damaged": overview.damaged,
            "out-of-date": overview.register.out_of_date,
            "denied": overview.register.denied,
        },
        "register": {
            "missing": overview.register.is_missing,
            "damaged": overview.register.damaged,
            "store-older": overview.register.was_store_older,
        },
        "hook_runs": { "failed": overview.hook_runs.failed, "waiting": overview.hook_runs.waiting },
        "expiries_by_week": overview.expiries,
        "checks_by_day": checks,
        "most_denied_today": most_denied,
        "chain": { "holds": chain.first_fault.is_none(), "events": chain.events },
    })
}
