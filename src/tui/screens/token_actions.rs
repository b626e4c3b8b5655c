//! What a key does to one token, in the list as in the detail.

use crate::{
    domain::{Command, Overlap, Status, Token, TokenSelection},
    keymap::Action,
    tui::{
        app::{
            effect::{Effect, UiAction},
            model::Model,
            service_request::ServiceRequest,
        },
        dialogs::{edit::EditDialog, scopes::ScopeDialog},
    },
};

/// What a key does to the token that the list or the detail shows.
pub(super) fn on_token(action: Action, token: &Token, ctx: &Model) -> Option<Effect> {
    match action {
        Action::Open => Some(Effect::Ui(UiAction::Show(token.id))),
        Action::Clone => Some(Effect::request(ServiceRequest::Template(token.id))),
        Action::Edit => Some(Effect::open(EditDialog::new(token))),
        Action::AddScope => Some(Effect::open(ScopeDialog::add(token, ctx))),
        Action::Revoke if token.status(ctx.now) == Status::Revoked => {
            Some(Effect::warn(format!("{} is revoked already: R regenerates it", token.name)))
        }
        Action::Revoke => Some(preview(Command::Revoke { tokens: vec![token.id] })),
        Action::Regenerate => Some(preview(Command::Regenerate {
            tokens: vec![token.id],
            lifetime: ctx.policy.default_lifetime,
            overlap: Overlap::None,
            secret_file: None,
        })),
        Action::Delete => {
            let tokens = TokenSelection::Listed(vec![token.id]);
            Some(preview(Command::Delete { tokens }))
        }
        Action::CopyId => Some(Effect::copy("id", token.id.to_string())),
        Action::CopyName => Some(Effect::copy("name", token.name.to_string())),
        Action::CopyJson => Some(Effect::request(ServiceRequest::Json(token.id))),
        _ => None,
    }
}

/// Asks what `command` would do; a dialog on the answer follows.
pub(super) fn preview(command: Command) -> Effect {
    Effect::request(ServiceRequest::Preview(command))
}
