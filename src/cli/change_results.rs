//! What a command prints after it has changed tokens: a line or a JSON object for each token, what the
//! token may do now, and warnings. Called by `change_commands`.

use serde_json::json;

use super::{
    exit::{CliError, Exit},
    print::{Output, print_failed_steps, print_message, print_warning},
    scope_args::print_held_scopes,
};
use crate::{
    domain::{
        Command, Name, Plan, Status, Timestamp, Token, TokenChange, TokensToDelete, Warning,
        counted,
        describe_scopes::{NO_SCOPES, describe_scopes},
    },
    output::{
        advice,
        json::{format_time, token_json},
        restored::restored_state,
    },
    service::CommandResult,
};

/// Maximum length of the description of scopes that a command prints, in characters.
const MAX_ACCESS_LENGTH: usize = 300;

/// With more changes than this, a line says how many they were: a terminal shows only the last lines.
const MANY_CHANGES: usize = 10;

/// Prints the result. A new secret was printed or written before the change.
pub(super) fn print_committed(committed: &CommandResult, out: &Output) -> Result<Exit, CliError> {
    print_plan_warnings(&committed.plan);
    if !out.json {
        print_held_scopes(&committed.plan);
    }
    print_failed_steps(committed);
    let plan = &committed.plan;
    for left_out in &plan.skipped {
        if let Some(token) = &left_out.token {
            print_message(&format!("Left out {}: {}", token.name, left_out.reason));
        }
    }
    let is_printed = committed.secret_file.is_none() && plan.command.issues_secrets();
    if plan.job.is_some() || plan.command == (Command::Delete { tokens: TokensToDelete::All }) {
        return print_counts(plan, out);
    }
    let one_secret = committed.secret_file.is_some() && plan.changes.len() == 1;
    if let (Some(file), false) = (&committed.secret_file, one_secret) {
        let secrets = counted(plan.changes.len(), "secret");
        print_message(&format!("Wrote {secrets} to {} (mode 0600)", file.display()));
    }
    for change in plan.changes.iter().filter(|change| change.token().is_none()) {
        let Some(id) = change.id() else { continue };
        if out.json {
            out.result(json!({ "deleted_damaged": id.as_str() }))?;
        } else {
            print_message(&format!("Deleted the damaged record {id}"));
        }
    }
    for change in &plan.changes {
        let Some(each) = change.token() else { continue };
        if one_secret || is_printed || !out.json {
            print_message(&describe_change(plan, change, each));
            if plan.changes.len() == 1 {
                print_access(plan, each);
            }
        }
        if let (Some(file), true) = (&committed.secret_file, one_secret) {
            print_message(&format!("Wrote the secret to {} (mode 0600)", file.display()));
        }
        if out.json && !is_printed {
            let mut value = json!({ "token": token_json(each, plan.at) });
            if one_secret && let Some(fields) = value.as_object_mut() {
                fields.insert("secret".to_owned(), serde_json::Value::Null);
            }
            out.result(value)?;
        }
    }
    if !out.json && plan.changes.len() > MANY_CHANGES {
        print_message(&format!("{} in all", plan.counted_tokens()));
    }
    Ok(Exit::Done)
}

/// Prints what `token` may do after a change of its scopes, its secret or its other properties.
fn print_access(plan: &Plan, token: &Token) {
    match &plan.command {
        Command::Create { .. }
        | Command::Regenerate { .. }
        | Command::Edit { .. }
        | Command::AddScopes { .. }
        | Command::RemoveScopes { .. }
        | Command::ChangeScopes { .. } => {}
        _ => return,
    }
    if token.scopes.is_empty() {
        let text = format!("{} has {NO_SCOPES}", token.name);
        print_warning(
            &advice::Diagnostic::new(text).with_hint("add scopes with `patdeck scope add`"),
        );
        return;
    }
    let text = describe_scopes(&token.scopes);
    if text.chars().count() <= MAX_ACCESS_LENGTH {
        print_message(&format!("It {text}"));
    } else {
        let scopes = counted(token.scopes.len(), "scope");
        print_message(&format!("It has {scopes}: `patdeck show {}` lists them", token.id));
    }
}

/// Prints how many tokens a job or the deletion of all tokens has changed, and how many it skipped.
pub(super) fn print_counts(plan: &Plan, out: &Output) -> Result<Exit, CliError> {
    let is_deletion = matches!(plan.command, Command::Delete { .. });
    let (field, verb) = if is_deletion { ("deleted", "Deleted") } else { ("changed", "Changed") };
    let skipped = plan.job.as_ref().map_or(0, |job| job.skipped);
    let exit = if skipped == 0 { Exit::Done } else { Exit::Incomplete };
    if out.json {
        let mut counts = json!({ field: plan.change_count() });
        if let (Some(_), Some(fields)) = (&plan.job, counts.as_object_mut()) {
            fields.insert("skipped".to_owned(), skipped.into());
        }
        out.result(counts)?;
        return Ok(exit);
    }
    print_message(&format!("{verb} {}", plan.counted_tokens()));
    if skipped > 0 {
        let tokens = counted(skipped, "token");
        print_message(&format!("Skipped {tokens}, changed or created after you were asked"));
    }
    Ok(exit)
}

/// Prints the scopes that the plan replaced by a wildcard, and what is suspicious about a name.
fn print_plan_warnings(plan: &Plan) {
    for warning in &plan.warnings {
        if let Warning::Absorbs(scopes) = warning {
            for scope in scopes {
                print_message(&format!("Removed {scope}: the new * scope covers it"));
            }
        }
        if let Some(text) = warning.name_text() {
            print_warning(&advice::Diagnostic::new(text));
        }
    }
}

/// Describes what the executed plan did to `token`, whose change this is.
fn describe_change(plan: &Plan, change: &TokenChange, token: &Token) -> String {
    let name = &token.name;
    match &plan.command {
        Command::Create { .. } => {
            format!("Created {name} ({}); {}{}", token.id, start_text(token), end_text(token))
        }
        Command::RevokeLeaked { .. } if token.revoked.is_none() => ended_overlap_text(name),
        Command::Revoke { .. } | Command::RevokeLeaked { .. } => format!("Revoked {name}"),
        Command::EndOverlap { .. } => ended_overlap_text(name),
        Command::Regenerate { .. } => {
            let overlap = token.previous.as_ref().map_or_else(String::new, |previous| {
                format!("; the old secret works until {}", format_time(previous.until))
            });
            let before = inactive_text(change, plan.at);
            format!("Regenerated {name}{before}; {}{overlap}", end_text(token))
        }
        Command::Delete { .. } => format!("Deleted {name}"),
        Command::Restore(_) => {
            format!("Restored {name}; {}", restored_state(token.status(plan.at)))
        }
        Command::Edit { .. } => {
            format!("Saved {name}; {}{}", start_text(token), end_text(token))
        }
        Command::AddScopes { .. }
        | Command::RemoveScopes { .. }
        | Command::ChangeScopes { .. }
        | Command::Revert(_)
        | Command::RecordDelivery { .. }
        | Command::AcceptClock
        | Command::PurgeTrash => format!("Saved {name}"),
    }
}

/// What a token was that did not work before the change and works now.
fn inactive_text(change: &TokenChange, at: Timestamp) -> String {
    let status = change.before.token().map(|token| token.status(at));
    let status = status.filter(|status| matches!(status, Status::Revoked | Status::Expired));
    status.map_or_else(String::new, |status| format!(", which was {}", status.as_str()))
}

fn ended_overlap_text(name: &Name) -> String {
    format!("Ended the old secret of {name}")
}

/// When the token becomes valid, before the text of its end. Empty if it has no such time.
fn start_text(token: &Token) -> String {
    let start = token.limits.not_before;
    start.map_or_else(String::new, |start| format!("it is valid from {} on; ", format_time(start)))
}

/// When the token expires.
fn end_text(token: &Token) -> String {
    let end = token.expires.map(|end| format!("it expires at {}", format_time(end)));
    end.unwrap_or_else(|| "it never expires".to_owned())
}
