//! Actions on one token that the list and the detail screen share.

use crate::{
    domain::{Command, Scope, SecretOverlap, Status, Token, TokensToDelete},
    keymap::{Action, Mode},
    tui::{
        app::{
            effect::{Effect, UiChange},
            model::Model,
            service_request::ServiceRequest,
        },
        dialogs::{
            access_check::AccessCheckDialog, edit::EditDialog, scope_preset::ScopePresetDialog,
            scopes::ScopeDialog,
        },
    },
};

/// Returns the effect of `action` on `token`, which is selected or shown. `scope` is its selected
/// scope, with which the dialogs about scopes start. Returns `None` if the action does not concern a
/// token.
pub(super) fn token_effect(
    action: Action,
    token: &Token,
    scope: Option<&Scope>,
    ctx: &Model,
) -> Option<Effect> {
    match action {
        Action::Open => Some(Effect::Ui(UiChange::ShowToken(token.id))),
        Action::Clone => Some(Effect::request(ServiceRequest::Template(token.id))),
        Action::Edit => Some(Effect::open(EditDialog::new(token, ctx))),
        Action::AddScope => Some(Effect::open(ScopeDialog::add(token, scope, ctx))),
        Action::Revoke if token.status(ctx.now) == Status::Revoked => {
            let key = ctx.key(Mode::Tokens, Action::Regenerate);
            Some(Effect::warn(format!("{} is already revoked. {key} regenerates it.", token.name)))
        }
        Action::Revoke => Some(preview(Command::Revoke { tokens: vec![token.id] })),
        Action::Regenerate => Some(preview(Command::Regenerate {
            tokens: vec![token.id],
            lifetime: Some(ctx.own_lifetime(token)),
            overlap: SecretOverlap::None,
            secret_file: None,
        })),
        Action::Delete => {
            let tokens = TokensToDelete::Listed(vec![token.id]);
            Some(preview(Command::Delete { tokens }))
        }
        Action::EndOverlap if token.has_overlap(ctx.now) => {
            Some(preview(Command::EndOverlap { tokens: vec![token.id] }))
        }
        Action::EndOverlap => Some(Effect::warn(format!("{} has no overlap to end", token.name))),
        Action::Preset => Some(Effect::open(ScopePresetDialog::add(token, ctx))),
        Action::Test => Some(Effect::open(AccessCheckDialog::new(token, scope, ctx))),
        Action::CopyId => Some(Effect::copy("id", token.id.to_string())),
        Action::CopyName => Some(Effect::copy("name", token.name.to_string())),
        Action::CopyJson => Some(Effect::request(ServiceRequest::Json(token.id))),
        _ => None,
    }
}

/// Requests the plan of `command`. The response opens the plan dialog.
pub(super) fn preview(command: Command) -> Effect {
    Effect::request(ServiceRequest::Preview(command))
}
