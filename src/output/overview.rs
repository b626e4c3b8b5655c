//! The figures of the overview as sentences. The app and `patdeck status` print the same text.
//! Pure.

use crate::{
    domain::{AttentionKind, HookRunCounts, Overview, RegisterFaults, count::counted, grouped},
    service::ChainCheckResult,
};

/// One state that needs attention, or its absence, as a row: `6 expire within 7 days`, `none
/// expires within 7 days`.
pub fn attention_text(kind: AttentionKind, overview: &Overview) -> String {
    let count = overview.count(kind);
    let (number, is_one) = (grouped(count), count == 1);
    match kind {
        AttentionKind::ExpiringSoon if count == 0 => "none expires within 7 days".to_owned(),
        AttentionKind::Undelivered if count == 0 => "every secret was saved".to_owned(),
        AttentionKind::Idle if count == 0 => "none unused for 90 days".to_owned(),
        AttentionKind::Unrestricted if count == 0 => {
            "none may do everything on everything".to_owned()
        }
        AttentionKind::ExpiringSoon if is_one => "1 expires within 7 days".to_owned(),
        AttentionKind::ExpiringSoon => format!("{number} expire within 7 days"),
        AttentionKind::Undelivered if is_one => "1 secret was never saved".to_owned(),
        AttentionKind::Undelivered => format!("{number} secrets were never saved"),
        AttentionKind::Idle => format!("{number} not used for 90 days"),
        AttentionKind::Unrestricted => format!("{number} may do everything on everything"),
        AttentionKind::Denied => match overview.most_denied.as_ref().filter(|_| count > 0) {
            Some(token) => {
                let from = token.from.as_ref().map_or(String::new(), |it| format!(", {it}"));
                format!("{}: {number} denied today{from}", token.name)
            }
            None => "none denied often today".to_owned(),
        },
    }
}

/// The runs of hooks that need attention: `2 hook runs failed, 1 hook run waits`.
pub fn hook_runs_text(runs: HookRunCounts) -> String {
    let failed = (runs.failed > 0).then(|| format!("{} failed", counted(runs.failed, "hook run")));
    let waiting = (runs.waiting > 0).then(|| {
        let verb = if runs.waiting == 1 { "waits" } else { "wait" };
        format!("{} {verb}", counted(runs.waiting, "hook run"))
    });
    failed.into_iter().chain(waiting).collect::<Vec<_>>().join(", ")
}

/// What is wrong with the revocation register: `2 tokens out of date, 1 active token denied`.
pub fn register_faults_text(faults: RegisterFaults) -> String {
    let count = |number: usize, noun, rest| {
        (number > 0).then(|| format!("{} {rest}", counted(number, noun)))
    };
    let missing = faults.is_missing.then(|| "the revocation register is missing".to_owned());
    let older =
        faults.was_store_older.then(|| "an older copy of the store was put back".to_owned());
    let parts = [
        missing,
        older,
        count(faults.damaged, "damaged record", "in the revocation register"),
        count(faults.out_of_date, "token", "out of date"),
        count(faults.denied, "active token", "denied"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Whether nothing needs attention and the audit chain holds.
pub fn is_in_order(overview: &Overview, chain: &ChainCheckResult) -> bool {
    !overview.needs_attention() && chain.first_fault.is_none()
}

/// The figures in one line for a monitoring system. Starts with `ok:` or `attention:`.
pub fn status_line(overview: &Overview, chain: &ChainCheckResult) -> String {
    let kinds = AttentionKind::ALL.into_iter().filter(|kind| overview.count(*kind) > 0);
    let mut problems: Vec<_> = kinds.map(|kind| attention_text(kind, overview)).collect();
    if overview.damaged > 0 {
        problems.push(counted(overview.damaged, "damaged record"));
    }
    if !overview.register.is_empty() {
        problems.push(register_faults_text(overview.register));
    }
    if !overview.hook_runs.is_empty() {
        problems.push(hook_runs_text(overview.hook_runs));
    }
    if let Some((sequence, _)) = &chain.first_fault {
        problems.push(format!("audit chain broken at event {}", grouped(sequence)));
    }
    let (allowed, denied) = overview.checks_total();
    let totals = format!(
        "{}, {} allowed and {} denied in 14 days",
        counted(overview.counts.active, "active token"),
        counted(allowed, "check"),
        grouped(denied)
    );
    if problems.is_empty() {
        let events = counted(chain.events, "event");
        return format!("ok: {totals}, audit chain verified ({events})");
    }
    format!("attention: {}; {totals}", problems.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{EventHash, MostDenied, token::tests::sample_token},
        service::ChainCheckResult,
    };

    fn chain() -> ChainCheckResult {
        ChainCheckResult { events: 1_204, first_fault: None, head: EventHash::NONE }
    }

    #[test]
    fn the_line_names_each_problem_and_the_totals() {
        let token = sample_token();
        let mut overview = Overview::empty(token.created);
        assert_eq!(
            status_line(&overview, &chain()),
            "ok: 0 active tokens, 0 checks allowed and 0 denied in 14 days, audit chain verified \
             (1,204 events)"
        );
        overview.most_denied = Some(MostDenied {
            id: token.id,
            name: token.name,
            attempts: 412,
            from: Some("10.0.0.7".into()),
        });
        overview.damaged = 1;
        overview.hook_runs = HookRunCounts { failed: 2, waiting: 1 };
        let broken = ChainCheckResult { first_fault: Some((9, String::new())), ..chain() };
        let line = status_line(&overview, &broken);
        let start = "attention: ci-prod: 412 denied today, 10.0.0.7, 1 damaged record, 2 hook runs failed, \
                     1 hook run waits, audit chain broken at event 9; 0 active tokens";
        assert!(line.starts_with(start), "{line}");
    }
}
