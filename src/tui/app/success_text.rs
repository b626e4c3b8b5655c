//! The text of the message line after a command was executed. Called by `request_handling`.

use super::{effect::Tab, model::Model};
use crate::{
    domain::{
        Command, DeliveryMethod, Plan, Scope, ScopesToRemove, Status, StoredToken, Token, Warning,
        added_and_removed, counted,
    },
    keymap::{Action, Mode},
    output::restored::restored_state,
};

/// Returns the success message for an executed `plan`, or `None` if a panel or the screen already
/// shows the result.
pub(super) fn success_text(plan: &Plan, tab: Tab, ctx: &Model) -> Option<String> {
    let mut tokens = plan.tokens();
    let tokens = match (tokens.next(), tokens.next()) {
        (Some(token), None) => token.name.to_string(),
        _ => plan.counted_tokens(),
    };
    let is_one = plan.change_count() == 1;
    let key = |action| ctx.key(Mode::Tokens, action);
    Some(match &plan.command {
        Command::Edit { .. } => match plan.warnings.iter().find_map(Warning::name_text) {
            Some(warning) => format!("Saved. {warning}."),
            None => format!("Saved {tokens}."),
        },
        Command::AddScopes { scopes, .. } => format!(
            "Added {} to {tokens}{}. Press {} to undo.",
            scopes_text(scopes),
            absorbed_text(plan),
            key(Action::Undo)
        ),
        Command::RemoveScopes { scopes: ScopesToRemove::All, .. } => {
            format!("Removed every scope from {tokens}. Every operation is now denied.")
        }
        Command::RemoveScopes { scopes: ScopesToRemove::Listed(scopes), .. } => {
            format!("Removed {} from {tokens}.", scopes_text(scopes))
        }
        Command::ChangeScopes { added, removed, .. } => format!(
            "Saved the scopes of {tokens}: {}{}.",
            added_and_removed(added.len(), removed.len()),
            absorbed_text(plan)
        ),
        Command::Revoke { .. } if is_one => {
            // In the list, another token can be selected now.
            let next = (tab == Tab::Detail).then(|| key(Action::Regenerate));
            let next = next.map(|key| format!("; press {key} to issue a new one"));
            format!("Revoked {tokens}. Its secret no longer works{}.", next.unwrap_or_default())
        }
        Command::Revoke { .. } | Command::RevokeLeaked { .. } => {
            format!("Revoked {tokens}. Their secrets no longer work.")
        }
        Command::EndOverlap { .. } => {
            format!("Ended the old secret of {tokens}. The new one keeps working.")
        }
        Command::Delete { .. } if plan.inverse().is_none() => {
            format!("Deleted {tokens}. A damaged record can't be restored.")
        }
        Command::Delete { .. } => {
            format!("Deleted {tokens}. Press {} within 24 hours to undo.", key(Action::Undo))
        }
        Command::Restore(_) => restored_text(plan, &tokens),
        Command::Revert(_) if is_one => undo_text(plan)?,
        Command::Revert(_) => format!("Undid the change of {tokens}."),
        Command::AcceptClock => "Accepted the clock: tokens expire by this clock again.".to_owned(),
        Command::RecordDelivery { method: DeliveryMethod::Acknowledged, .. } => {
            format!("The secret of {tokens} is marked as saved.")
        }
        Command::Create { .. }
        | Command::Regenerate { .. }
        | Command::RecordDelivery { .. }
        | Command::PurgeTrash => return None,
    })
}

/// The only scope, or the number of scopes.
fn scopes_text(scopes: &[Scope]) -> String {
    match scopes {
        [scope] => scope.to_string(),
        many => counted(many.len(), "scope"),
    }
}

/// A text with the number of scopes that a new scope on `*` made redundant. The text is empty if no
/// scope became redundant.
fn absorbed_text(plan: &Plan) -> String {
    match plan.warnings.iter().map(Warning::absorbed_count).sum() {
        0 => String::new(),
        narrower => format!("; removed {} covered by *", counted(narrower, "narrower scope")),
    }
}

/// The success message for restored tokens.
fn restored_text(plan: &Plan, tokens: &str) -> String {
    let statuses: Vec<_> = plan.tokens().map(|token| token.status(plan.at)).collect();
    if let [status] = statuses[..] {
        return format!("Restored {tokens}; {}.", restored_state(status));
    }
    match statuses.iter().filter(|status| **status == Status::Active).count() {
        active if active == statuses.len() => {
            format!("Restored {tokens}; their secrets work as before.")
        }
        active => format!("Restored {tokens}; {active} of them active."),
    }
}

/// The success message for an undone change of one token.
fn undo_text(plan: &Plan) -> Option<String> {
    let change = plan.changes.first()?;
    let (StoredToken::Live(before), StoredToken::Live(now)) = (&change.before, &change.after)
    else {
        return None;
    };
    let Token { name, scopes, limits, labels, .. } = &**now;
    Some(if *scopes != before.scopes {
        let scopes = match scopes.len() {
            0 => "no scopes".to_owned(),
            some => counted(some, "scope"),
        };
        format!("Undone: {name} has {scopes} again.")
    } else if *limits != before.limits {
        format!("Undone: {name} has its previous limits again.")
    } else if *labels != before.labels {
        format!("Undone: {name} has its previous labels again.")
    } else if now.owner != before.owner {
        format!("Undone: {name} belongs to {} again.", now.owner_text())
    } else if *name != before.name {
        format!("Undone: {} is named {name} again.", before.name)
    } else {
        format!("Undone: restored the description of {name}.")
    })
}
