//! What the dialog on a plan says: the consequence for one token or for many, the last uses that
//! it would break, and the reason for leaving a token out. Draws nothing.

use std::path::Path;

use chrono::TimeDelta;

use crate::{
    domain::counted,
    domain::{
        Change, Command, Overlap, Plan, Refusal, Scope, ScopeError, ScopeSelection, Scopes,
        SecretSlot, SkippedToken, Status, Token, TokenSelection, TransitionError,
        describe::describe_scopes,
    },
    keymap::{Action, Mode},
    tui::{
        app::model::Model,
        dialogs::text::{last_used, use_of},
        theme::time_format,
    },
};

/// The paragraphs above the input; an empty one is an empty line.
pub(super) fn paragraphs(plan: &Plan, ctx: &Model) -> Vec<String> {
    let is_all = matches!(plan.command, Command::Delete { tokens: TokenSelection::All });
    match (plan.tokens().next(), plan.changes.len()) {
        (None, _) => vec!["Every one of them is left out.".to_owned()],
        (Some(_), 1) if plan.command.tokens().len() == 1 => one(plan, ctx),
        _ if is_all => all(plan, ctx),
        _ => vec![many(plan, ctx), recent_use(plan, ctx)],
    }
}

fn one(plan: &Plan, ctx: &Model) -> Vec<String> {
    let Some(token) = plan.changes.first().and_then(|change| change.before.token()) else {
        return Vec::new();
    };
    let mut text = match &plan.command {
        Command::Revoke { .. } => vec![
            "Its secret will stop working immediately, everywhere.".to_owned(),
            "This secret can't be restored. The token keeps its name and scopes; regenerating it \
             issues a new secret."
                .to_owned(),
        ],
        Command::EndOverlap { .. } => return end_overlap(token, ctx),
        Command::RemoveScopes { scopes: ScopeSelection::Listed(scopes), .. } => {
            return remove_scopes(scopes, ctx);
        }
        Command::RemoveScopes { scopes: ScopeSelection::All, .. } => vec![format!(
            "{} will be removed. The token stays {}, but every operation is denied until you add \
             scopes. {}",
            match token.scopes.len() {
                1 => "Its only scope".to_owned(),
                scopes => format!("All {scopes} scopes"),
            },
            token.status(plan.at).as_str(),
            undo_hint(ctx, "")
        )],
        Command::Delete { .. } => {
            vec![format!(
                "This deletes the token and its secret. {}",
                undo_hint(ctx, "within 24 hours ")
            )]
        }
        _ => Vec::new(),
    };
    text.extend([String::new(), last_used(token, ctx)]);
    match (&plan.command, token.status(plan.at)) {
        (Command::Revoke { .. }, Status::Expired) => text.push(
            "It has expired already; revoking it records that it was ended on purpose.".to_owned(),
        ),
        (Command::Delete { .. }, Status::Active) => {
            text.push("It is active. To end it and keep its record, revoke it instead.".to_owned());
        }
        _ => {}
    }
    text
}

fn end_overlap(token: &Token, ctx: &Model) -> Vec<String> {
    let last_use = token.used_by(SecretSlot::Previous).map_or_else(
        || "The old secret has not been used since the rotation.".to_owned(),
        |used| format!("The old secret was last used {}.", use_of(used, ctx)),
    );
    let mut text = vec![
        "The old secret will stop working immediately. The new one keeps working.".to_owned(),
        "Make sure that every user of the old secret has the new one.".to_owned(),
        String::new(),
        last_use,
    ];
    if !token.is_in_use() {
        text.push("The new secret has not been used yet.".to_owned());
    }
    text
}

fn remove_scopes(scopes: &[Scope], ctx: &Model) -> Vec<String> {
    let lost = |scope: &Scope| {
        format!(
            "It will no longer be allowed to {} on {} {}.",
            scope.operation, scope.entity_type, scope.entity
        )
    };
    scopes.iter().map(lost).chain([undo_hint(ctx, "")]).collect()
}

/// `Press u within 24 hours to undo.`
fn undo_hint(ctx: &Model, within: &str) -> String {
    format!("Press {} {within}to undo.", ctx.key(Mode::Tokens, Action::Undo))
}

fn all(plan: &Plan, ctx: &Model) -> Vec<String> {
    let active = before(plan).filter(|token| token.status(plan.at) == Status::Active).count();
    let used = before(plan).filter(|token| is_recent(token, ctx)).count();
    vec![
        format!(
            "Every token of this store will be deleted, whatever the filter shows: {active} \
             active, {used} of them used in the last 24 hours. {}",
            undo_hint(ctx, "within 24 hours ")
        ),
        String::new(),
    ]
}

fn many(plan: &Plan, ctx: &Model) -> String {
    match &plan.command {
        Command::Revoke { .. } => "Their secrets will stop working immediately, everywhere. They \
                                   can't be restored."
            .to_owned(),
        Command::Delete { .. } => {
            format!(
                "This deletes the tokens and their secrets. {}",
                undo_hint(ctx, "within 24 hours ")
            )
        }
        Command::AddScopes { scopes, .. } => {
            let mut set = Scopes::default();
            // Only what no other scope covers is worth a word.
            drop(set.add_missing(scopes.iter().cloned()));
            format!("In addition to what it may do now, each {}.", describe_scopes(&set))
        }
        Command::Regenerate { secret_file: Some(file), overlap, .. } => {
            regenerate(plan, file, *overlap, ctx)
        }
        _ => String::new(),
    }
}

fn regenerate(plan: &Plan, file: &str, overlap: Overlap, ctx: &Model) -> String {
    let until = match plan.tokens().next().and_then(|token| token.expires) {
        Some(end) => format!("is valid until {}", time_format::full(end, ctx.zone)),
        None => "never expires".to_owned(),
    };
    let active = before(plan).filter(|token| token.status(plan.at) == Status::Active).count();
    let old = match (active, overlap) {
        (0, _) => "None of the old secrets works now.".to_owned(),
        (active, Overlap::None) => format!(
            "The old secrets of {} will stop working immediately.",
            counted(active, "active token")
        ),
        (active, overlap) => format!(
            "The old secrets of {} will keep working for {}.",
            counted(active, "active token"),
            overlap.as_str()
        ),
    };
    format!(
        "Each gets a new secret that {until}. All new secrets are saved to {file} (name, tab, \
         secret on each line) before any old secret stops working. {old}"
    )
}

/// How many were used recently: what the command may break.
fn recent_use(plan: &Plan, ctx: &Model) -> String {
    match (before(plan).filter(|token| is_recent(token, ctx)).count(), plan.changes.len()) {
        (0, _) => "None of them was used in the last 24 hours.".to_owned(),
        (used, all) => {
            format!("Used in the last 24 hours: {used} of {all}; the latest come first.")
        }
    }
}

fn before(plan: &Plan) -> impl Iterator<Item = &Token> {
    plan.changes.iter().filter_map(|change: &Change| change.before.token())
}

fn is_recent(token: &Token, ctx: &Model) -> bool {
    token.last_use().is_some_and(|used| ctx.now - used.at < TimeDelta::hours(24))
}

/// `revoke`, as in "To revoke, type the count", and `Revoke` on a button.
pub(super) fn verb(plan: &Plan) -> &'static str {
    match &plan.command {
        Command::Create { .. } => "create",
        Command::Edit { .. } => "save",
        Command::AddScopes { .. } => "add",
        Command::RemoveScopes { scopes: ScopeSelection::Listed(_), .. } => "remove",
        Command::RemoveScopes { scopes: ScopeSelection::All, .. } => "remove all",
        Command::Revoke { .. } | Command::RevokeLeaked { .. } => "revoke",
        Command::EndOverlap { .. } => "end it",
        Command::Regenerate { .. } => "regenerate",
        Command::Delete { .. } | Command::PurgeTrash => "delete",
        Command::Restore(_) => "restore",
        Command::Revert(_) => "undo",
        Command::RecordDelivery { .. } | Command::AcceptClock => "accept",
    }
}

/// The reason for leaving a token out, in the few words that its row has room for.
pub(super) fn reason(left_out: &SkippedToken) -> String {
    match &left_out.reason {
        Refusal::Transition(TransitionError::AlreadyRevoked) => "already revoked".to_owned(),
        Refusal::Scope(ScopeError::Duplicate(_) | ScopeError::Covered { .. }) => {
            "already has them".to_owned()
        }
        Refusal::Scope(ScopeError::TooMany) => {
            let scopes = left_out.token.as_ref().map_or(0, |token| token.scopes.len());
            format!("already has {}", counted(scopes, "scope"))
        }
        other => other.to_string(),
    }
}

/// What the operator must read once several tokens have new secrets.
pub(in crate::tui) fn delivery_text(tokens: usize, file: &Path) -> String {
    format!(
        "Wrote {} to {} (mode 0600).\n\nEach line has a name, a tab and a secret. Give each secret \
         to its owner, then delete the file. The secrets are stored nowhere else and can't be \
         shown again.",
        counted(tokens, "new secret"),
        file.display()
    )
}
