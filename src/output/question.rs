//! The question that an operator confirms before a plan is executed, and its consequences. Both
//! front ends show the same texts.

use crate::domain::{
    Command, Plan, ScopesToRemove, SecretOverlap, Status, StoredToken, Timestamp, TokenChange,
    TokensToDelete, Warning, counted, grouped, list_first,
};

/// The question, such as `Revoke ci-prod?`.
pub fn question(plan: &Plan) -> String {
    let tokens = describe_tokens(plan);
    match &plan.command {
        Command::Create { token, .. } => format!("Create {}?", token.name),
        Command::Edit { .. } => format!("Change {tokens}?"),
        Command::AddScopes { .. } => format!("Add scopes to {tokens}?"),
        Command::RemoveScopes { scopes: ScopesToRemove::Listed(scopes), .. } => {
            let scopes = if scopes.len() == 1 { "a scope" } else { "scopes" };
            format!("Remove {scopes} from {tokens}?")
        }
        Command::RemoveScopes { scopes: ScopesToRemove::All, .. } => {
            format!("Remove every scope from {tokens}?")
        }
        Command::ChangeScopes { .. } => format!("Change the scopes of {tokens}?"),
        Command::RevokeLeaked { .. } if plan.tokens().all(|token| token.revoked.is_none()) => {
            format!("End the old secret of {tokens}?")
        }
        Command::Revoke { .. } | Command::RevokeLeaked { .. } => format!("Revoke {tokens}?"),
        Command::EndOverlap { .. } => format!("End the old secret of {tokens}?"),
        Command::Regenerate { .. } => format!("Regenerate {tokens}?"),
        Command::Delete { tokens: TokensToDelete::All }
            if plan.change_count() == 1 && plan.tokens().count() == 1 =>
        {
            "Delete the only token?".to_owned()
        }
        Command::Delete { tokens: TokensToDelete::All } => format!("Delete all {tokens}?"),
        Command::Delete { .. } => format!("Delete {tokens}?"),
        Command::Restore(_) => format!("Restore {tokens}?"),
        Command::Revert(_) => format!("Undo the change of {tokens}?"),
        Command::RecordDelivery { .. } => format!("Mark the secret of {tokens} as saved?"),
        Command::AcceptClock => "Accept this machine's clock?".to_owned(),
        Command::PurgeTrash => "Purge deleted tokens?".to_owned(),
    }
}

/// Returns one sentence for each effect that the question does not state: the secrets that a
/// regeneration stops immediately, both secrets of an overlap that a revoke or a deletion stops, the
/// revoked tokens that become active again, and the overlaps that end early. `time` formats a time.
pub fn immediate_effects(plan: &Plan, time: impl Fn(Timestamp) -> String) -> Vec<String> {
    if plan.command == Command::AcceptClock {
        return clock_effects(plan);
    }
    let Command::Regenerate { overlap, .. } = &plan.command else {
        return overlap_effect(plan, time).into_iter().chain(both_secrets_effect(plan)).collect();
    };
    let early = count_with_status(plan, Status::NotYetValid);
    let active = count_with_status(plan, Status::Active) + early;
    let ended = if plan.changes.len() == 1 && early == 1 {
        "The old secret will never be valid.".to_owned()
    } else if plan.changes.len() == 1 {
        "The old secret will stop working immediately.".to_owned()
    } else {
        let tokens = counted(active, "active token");
        format!("The old secrets of {tokens} will stop working immediately.")
    };
    let ended = (*overlap == SecretOverlap::None && active > 0).then_some(ended);
    let effects = [ended, reactivation_effect(plan), overlap_effect(plan, time)];
    effects.into_iter().flatten().collect()
}

/// A sentence about the tokens of which a revoke or a deletion stops two secrets.
fn both_secrets_effect(plan: &Plan) -> Option<String> {
    if !matches!(
        plan.command,
        Command::Revoke { .. } | Command::RevokeLeaked { .. } | Command::Delete { .. }
    ) {
        return None;
    }
    // Of a leaked token whose current secret was not found, only the old secret ends.
    let ends_both = |change: &&TokenChange| {
        let has_overlap = change.before.token().is_some_and(|token| token.has_overlap(plan.at));
        has_overlap && !matches!(&change.after, StoredToken::Live(after) if after.revoked.is_none())
    };
    match plan.changes.iter().filter(ends_both).count() {
        0 => None,
        1 if plan.changes.len() == 1 => {
            Some("Both secrets, the current and the old one, will stop working.".to_owned())
        }
        1 => Some(
            "1 of them has two secrets, a current and an old one: both will stop working."
                .to_owned(),
        ),
        many => Some(format!(
            "{} of them have two secrets, a current and an old one: both will stop working.",
            grouped(many)
        )),
    }
}

/// Sentences about the tokens that become valid again when the clock is accepted, and about those
/// whose secrets last too long because they were issued while the clock was fast.
pub fn clock_effects(plan: &Plan) -> Vec<String> {
    const SHOWN: usize = 10;
    let effects = plan.warnings.iter().find_map(|warning| match warning {
        Warning::Clock(effects) => Some(effects),
        Warning::Absorbs(_) | Warning::MixesScripts(_) | Warning::LooksLike(..) => None,
    });
    let Some(effects) = effects else { return Vec::new() };
    let mut text = vec![match effects.reactivated.len() {
        0 => "No expired token will become valid again.".to_owned(),
        count => format!("{} will become valid again.", counted(count, "expired token")),
    }];
    if !effects.issued_in_future.is_empty() {
        let count = effects.issued_in_future.len();
        let names = effects.issued_in_future.iter().map(|(_, name)| name.as_str());
        text.push(format!(
            "{} issued in the future: {}. Revoke or regenerate what you did not expect.",
            counted(count, "token"),
            list_first(names, SHOWN, count)
        ));
    }
    text
}

/// A sentence about the revoked tokens that a regeneration makes active again.
pub fn reactivation_effect(plan: &Plan) -> Option<String> {
    let is_regeneration = matches!(plan.command, Command::Regenerate { .. });
    match count_with_status(plan, Status::Revoked) {
        revoked if revoked == 0 || !is_regeneration => None,
        _ if plan.changes.len() == 1 => {
            Some("The token is revoked. It will become active again.".to_owned())
        }
        revoked => Some(format!("{} will become active again.", counted(revoked, "revoked token"))),
    }
}

/// A sentence about the overlaps that the plan ends early: the time until which they would last,
/// and the latest use of a previous secret. A deletion ends no overlap, because the deletion can be
/// undone.
pub fn overlap_effect(plan: &Plan, time: impl Fn(Timestamp) -> String) -> Option<String> {
    if matches!(plan.command, Command::Delete { .. }) {
        return None;
    }
    let count = plan.ended_overlaps().count();
    let until = time(plan.ended_overlaps().map(|previous| previous.until).max()?);
    let uses = plan.ended_overlaps().filter_map(|previous| previous.last_used.as_ref());
    let last_use = uses.max_by_key(|used| used.at).map_or_else(
        || "not used since the regeneration".to_owned(),
        |used| {
            let from = used.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
            format!("last used {}{from}", time(used.at))
        },
    );
    Some(match count {
        1 => {
            let subject = if plan.changes.len() == 1 { "the old secret" } else { "1 old secret" };
            format!(
                "Without this change, {subject} would work until {until} ({last_use}). It will \
                 stop working immediately."
            )
        }
        many => format!(
            "Without this change, {} would still work, the last one until {until} ({last_use}). \
             They will stop working immediately.",
            counted(many, "old secret")
        ),
    })
}

fn count_with_status(plan: &Plan, status: Status) -> usize {
    plan.tokens_before().filter(|token| token.status(plan.at) == status).count()
}

/// The name of a single token, or the number of tokens.
fn describe_tokens(plan: &Plan) -> String {
    match (plan.tokens().next(), plan.command.tokens().len()) {
        (Some(token), 1) => token.name.to_string(),
        _ => plan.counted_tokens(),
    }
}
