//! Text of the plan dialog: the consequence for one or several tokens, the recent uses that the
//! command may break, and the reason for skipping a token. Draws nothing.

use std::path::Path;

use crate::{
    domain::{
        Command, Lifetime, Plan, Refusal, Scope, ScopeError, Scopes, ScopesToRemove, SecretOverlap,
        SecretSlot, SkippedToken, Status, Token, TokensToDelete, TransitionError, Warning, counted,
        describe_scopes::describe_scopes, grouped, scope_matrix::describe_by_operation,
        time_text::minute_text,
    },
    keymap::{Action, Mode},
    output::{
        advice::job_notice,
        question::{clock_effects, overlap_effect, reactivation_effect},
    },
    tui::{
        app::model::Model,
        dialogs::shared_text::{describe_use, last_use_sentence, short_last_use},
        theme::time_format,
    },
};

/// The paragraphs above the input. An empty paragraph is an empty line.
pub(super) fn paragraphs(plan: &Plan, ctx: &Model) -> Vec<String> {
    let is_all = matches!(plan.command, Command::Delete { tokens: TokensToDelete::All });
    if plan.command == Command::AcceptClock {
        return clock_text(plan, ctx);
    }
    let mut text = match (plan.tokens().next(), plan.change_count()) {
        (None, 0) => vec!["None of these tokens can be changed.".to_owned()],
        (None, _) => Vec::new(),
        (Some(_), 1) if plan.command.tokens().len() == 1 => one_token_text(plan, ctx),
        _ if is_all => all_tokens_text(plan, ctx),
        _ => {
            let texts = [several_tokens_text(plan, ctx), recent_use_text(plan, ctx)];
            hidden_marks_text(ctx).into_iter().chain(texts).chain(job_text(plan)).collect()
        }
    };
    match plan.damaged_count() {
        0 => {}
        1 => text.push("1 record is damaged. It will be removed and can't be restored.".to_owned()),
        many => text.push(format!(
            "{} records are damaged. They will be removed and can't be restored.",
            grouped(many)
        )),
    }
    text
}

fn clock_text(plan: &Plan, ctx: &Model) -> Vec<String> {
    let behind = ctx.summary.clock_behind.unwrap_or(plan.at);
    let mut text = vec![
        format!(
            "The clock is at {}; the newest time in the store is {}.",
            minute_text(plan.at),
            minute_text(behind)
        ),
        "Accept the clock only if it is right now: it will decide again when tokens expire."
            .to_owned(),
        String::new(),
    ];
    text.extend(clock_effects(plan));
    text
}

fn one_token_text(plan: &Plan, ctx: &Model) -> Vec<String> {
    let Some(token) = plan.changes.first().and_then(|change| change.before.token()) else {
        return Vec::new();
    };
    let mut text = match &plan.command {
        Command::Revoke { .. } => vec![
            "Its secret will immediately stop working everywhere.".to_owned(),
            "This secret can't be restored. The token keeps its name and scopes; regenerating it \
             issues a new secret."
                .to_owned(),
        ],
        Command::EndOverlap { .. } => return end_overlap_text(token, ctx),
        Command::RemoveScopes { scopes: ScopesToRemove::Listed(scopes), .. } => {
            return remove_scopes_text(scopes, ctx);
        }
        Command::ChangeScopes { added, removed, .. } => {
            return change_scopes_text(plan, (added, removed), ctx);
        }
        Command::RemoveScopes { scopes: ScopesToRemove::All, .. } => vec![format!(
            "{} will be removed. The token stays {}, but every operation is denied until you add \
             scopes. {}",
            match token.scopes.len() {
                1 => "Its only scope".to_owned(),
                scopes => format!("All {}", counted(scopes, "scope")),
            },
            token.status(plan.at).as_str(),
            undo_hint(ctx, "")
        )],
        Command::Delete { .. } => {
            vec![format!(
                "This deletes the token and its secret. {}",
                undo_hint(ctx, " within 24 hours")
            )]
        }
        Command::RecordDelivery { .. } => {
            return vec![
                "Only if you have its current secret: patdeck cannot show it again.".to_owned(),
            ];
        }
        _ => Vec::new(),
    };
    text.extend(overlap_effect(plan, |at| ctx.detailed_time(at)));
    let scopes = match token.scopes.len() {
        0 => "no scopes".to_owned(),
        count => counted(count, "scope"),
    };
    text.extend([String::new(), format!("{} It has {scopes}.", last_use_sentence(token, ctx))]);
    match (&plan.command, token.status(plan.at)) {
        (Command::Revoke { .. }, Status::Expired) => text.push(
            "The token has already expired. Revoking it only records that it was ended on purpose."
                .to_owned(),
        ),
        (Command::Delete { .. }, Status::Active) => {
            text.push(
                "The token is active. To disable it but keep its record, revoke it instead."
                    .to_owned(),
            );
        }
        _ => {}
    }
    text
}

/// The text of a revoke or deletion of one token for a small screen; `None` for other plans.
pub(super) fn short_paragraphs(plan: &Plan, ctx: &Model) -> Option<Vec<String>> {
    let token = plan.changes.first().and_then(|change| change.before.token())?;
    let is_one = plan.command.tokens().len() == 1;
    let consequence = match &plan.command {
        Command::Revoke { .. } if is_one && plan.ended_overlaps().next().is_some() => {
            "Both its secrets stop working at once and can't be restored.".to_owned()
        }
        Command::Revoke { .. } if is_one => {
            "Its secret stops working at once and can't be restored.".to_owned()
        }
        Command::Delete { .. } if is_one => undo_hint(ctx, " within 24 hours"),
        _ => return None,
    };
    Some(vec![consequence, short_last_use(token, ctx)])
}

fn end_overlap_text(token: &Token, ctx: &Model) -> Vec<String> {
    let until = token.previous.as_ref().map_or_else(String::new, |previous| {
        format!("It would keep working until {}.", ctx.detailed_time(previous.until))
    });
    let last_use = token.last_use_of(SecretSlot::Previous).map_or_else(
        || "The old secret has not been used since the regeneration.".to_owned(),
        |used| format!("The old secret was last used {}.", describe_use(used, ctx)),
    );
    let mut text = vec![
        "The old secret will stop working immediately. The new one keeps working.".to_owned(),
        until,
        "Make sure that every user of the old secret has the new one.".to_owned(),
        String::new(),
        last_use,
    ];
    if !token.is_in_use() {
        text.push("The new secret has not been used yet.".to_owned());
    }
    text
}

fn remove_scopes_text(scopes: &[Scope], ctx: &Model) -> Vec<String> {
    let lost = |scope: &Scope| {
        format!(
            "It will no longer be allowed to {} on {} {}.",
            scope.operation, scope.entity_type, scope.entity
        )
    };
    scopes.iter().map(lost).chain([undo_hint(ctx, "")]).collect()
}

fn change_scopes_text(
    plan: &Plan,
    (added, removed): (&[Scope], &[Scope]),
    ctx: &Model,
) -> Vec<String> {
    let sentence = |label: &str, scopes: &[Scope]| {
        let count = grouped(scopes.len());
        let text = describe_by_operation(scopes).join("; ");
        (!scopes.is_empty()).then(|| format!("{label} {count}: {text}."))
    };
    let absorbed: usize = plan.warnings.iter().map(Warning::absorbed_count).sum();
    let has_none = plan.tokens().all(|token| token.scopes.is_empty());
    [
        sentence("Adds", added),
        sentence("Removes", removed),
        (absorbed > 0).then(|| {
            format!("Also removes {} that a new scope covers.", counted(absorbed, "narrower scope"))
        }),
        has_none.then(|| "Every operation will be denied until you add scopes.".to_owned()),
        Some(undo_hint(ctx, "")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The hint "Afterwards, u undoes it." or "u undoes it within 24 hours.", if `limit` is ` within 24 hours`.
fn undo_hint(ctx: &Model, limit: &str) -> String {
    let start = if limit.is_empty() { "Afterwards, " } else { "" };
    format!("{start}{} undoes it{limit}.", ctx.key(Mode::Tokens, Action::Undo))
}

fn all_tokens_text(plan: &Plan, ctx: &Model) -> Vec<String> {
    let active = plan.active_count();
    let used = || recent_use_count(plan, ctx);
    let used = plan.job.as_ref().map_or_else(used, |job| job.recently_used);
    let text = format!(
        "Every token in this store will be deleted, including those hidden by the filter. \
         Active: {}. Used in the last 24 hours: {}. {}",
        grouped(active),
        grouped(used),
        undo_hint(ctx, " within 24 hours")
    );
    [Some(text), job_text(plan)].into_iter().flatten().collect()
}

/// A sentence about marked tokens that the filter of the list hides; `None` if it hides none. It
/// comes first, so that a small screen does not cut it.
fn hidden_marks_text(ctx: &Model) -> Option<String> {
    let verb = if ctx.hidden_marks == 1 { "is" } else { "are" };
    let count = grouped(ctx.hidden_marks);
    (ctx.hidden_marks > 0)
        .then(|| format!("{count} of the marked tokens {verb} not in the shown list."))
}

/// A sentence about a change that is saved in batches; `None` for any other.
fn job_text(plan: &Plan) -> Option<String> {
    plan.job.is_some().then(job_notice)
}

fn several_tokens_text(plan: &Plan, ctx: &Model) -> String {
    match &plan.command {
        Command::Revoke { .. } => {
            let overlap = overlap_effect(plan, |at| ctx.detailed_time(at));
            let text = "Their secrets will immediately stop working everywhere. The secrets can't be \
                        restored.";
            overlap.map_or_else(|| text.to_owned(), |overlap| format!("{text} {overlap}"))
        }
        Command::Delete { .. } => {
            format!(
                "This deletes the tokens and their secrets. {}",
                undo_hint(ctx, " within 24 hours")
            )
        }
        Command::AddScopes { scopes, .. } => {
            let mut set = Scopes::default();
            // Describe only the scopes that no other scope covers.
            drop(set.add_missing(scopes.iter().cloned()));
            format!("In addition to its current scopes, each token {}.", describe_scopes(&set))
        }
        Command::Regenerate { secret_file: Some(file), overlap, lifetime, .. } => {
            regenerate_text(plan, file, (*lifetime, *overlap), ctx)
        }
        _ => String::new(),
    }
}

fn regenerate_text(
    plan: &Plan,
    file: &str,
    (lifetime, overlap): (Option<Lifetime>, SecretOverlap),
    ctx: &Model,
) -> String {
    let first = plan.tokens().next().and_then(|token| token.expires);
    let until = match (lifetime, first) {
        (None, _) => "has the last lifetime of its token, from now on".to_owned(),
        (Some(_), Some(end)) => {
            format!("is valid until {}", time_format::date(end, ctx.shown_zone()))
        }
        (Some(_), None) => "never expires".to_owned(),
    };
    let active =
        plan.tokens_before().filter(|token| token.status(plan.at) == Status::Active).count();
    let old = match (active, overlap) {
        (0, _) => "None of these tokens is active: no working secret is replaced.".to_owned(),
        (active, SecretOverlap::None) => format!(
            "The old secrets of {} will stop working immediately.",
            counted(active, "active token")
        ),
        (active, overlap) => format!(
            "The old secrets of {} will keep working for {}.",
            counted(active, "active token"),
            overlap.as_str()
        ),
    };
    let others = [reactivation_effect(plan), overlap_effect(plan, |at| ctx.detailed_time(at))];
    let others = others.into_iter().flatten().fold(String::new(), |all, text| all + " " + &text);
    format!(
        "Each token gets a new secret that {until}. All new secrets are saved to {file} (name, tab, \
         secret on each line) before any old secret stops working. {old}{others}"
    )
}

/// A sentence with the number of tokens that were used in the last 24 hours, and so may still be
/// needed.
fn recent_use_text(plan: &Plan, ctx: &Model) -> String {
    match (recent_use_count(plan, ctx), plan.changes.len()) {
        (0, _) => "None of them was used in the last 24 hours.".to_owned(),
        (used, all) => {
            let (used, all) = (grouped(used), grouped(all));
            format!("Used in the last 24 hours: {used} of {all}, latest first.")
        }
    }
}

fn recent_use_count(plan: &Plan, ctx: &Model) -> usize {
    plan.tokens_before().filter(|token| token.is_recently_used(ctx.now)).count()
}

/// The verb of the command, as in "To revoke, type the count". The label of the accept button is
/// the capitalised verb: `Revoke`.
pub(super) fn verb(plan: &Plan) -> &'static str {
    match &plan.command {
        Command::Create { .. } => "create",
        Command::Edit { .. } => "save",
        Command::AddScopes { .. } => "add",
        Command::RemoveScopes { scopes: ScopesToRemove::Listed(_), .. } => "remove",
        Command::ChangeScopes { .. } => "apply",
        Command::RemoveScopes { scopes: ScopesToRemove::All, .. } => "remove all",
        Command::Revoke { .. } | Command::RevokeLeaked { .. } => "revoke",
        Command::EndOverlap { .. } => "end the overlap",
        Command::Regenerate { .. } => "regenerate",
        Command::Delete { .. } | Command::PurgeTrash => "delete",
        Command::Restore(_) => "restore",
        Command::Revert(_) => "undo",
        Command::RecordDelivery { .. } => "mark as saved",
        Command::AcceptClock => "accept",
    }
}

/// What the app says after the operator cancelled a command; `None` if the screen shows it anyway.
pub(in crate::tui::dialogs) fn cancelled(command: &Command) -> Option<&'static str> {
    match command {
        Command::Revoke { .. } => Some("Not revoked."),
        Command::Delete { .. } => Some("Not deleted."),
        Command::Regenerate { .. } => Some("Not regenerated."),
        Command::EndOverlap { .. } | Command::RemoveScopes { .. } => Some("Nothing was changed."),
        Command::ChangeScopes { .. } => Some("Not applied. The changes stay marked."),
        Command::RecordDelivery { .. } => Some("Not marked as saved."),
        _ => None,
    }
}

/// The reason for skipping a token, short enough for its row.
pub(super) fn skip_label(left_out: &SkippedToken) -> String {
    match &left_out.reason {
        Refusal::Transition(TransitionError::AlreadyRevoked) => "already revoked".to_owned(),
        Refusal::Scope(ScopeError::Duplicate(_) | ScopeError::Covered { .. }) => {
            "already has these scopes".to_owned()
        }
        Refusal::Scope(ScopeError::TooMany) => {
            let scopes = left_out.token.as_ref().map_or(0, |token| token.scopes.len());
            format!("already has {}", counted(scopes, "scope"))
        }
        other => other.to_string(),
    }
}

/// The text after tokens got new secrets: the file with the secrets, and what to do with them.
pub(in crate::tui) fn delivery_text(tokens: usize, file: &Path, is_demo: bool) -> String {
    let (secrets, file) = (counted(tokens, "new secret"), file.display());
    if is_demo {
        return format!(
            "Issued {secrets}. The demo writes no file. Otherwise, {file} (mode 0600) would now have a \
             line with name, tab and secret for each token."
        );
    }
    format!(
        "Wrote {secrets} to {file} (mode 0600).\n\nEach line has a name, a tab and a secret. Give \
         each secret to its owner, then delete the file. The secrets are stored nowhere else and \
         can't be shown again."
    )
}
