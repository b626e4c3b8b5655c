//! What a key does to one token, in the list as in the detail.

use crate::{
    domain::{Command, Overlap, Pat, Status, TokenSelection},
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
pub(super) fn on_token(action: Action, pat: &Pat, ctx: &Model) -> Option<Effect> {
    match action {
        Action::Open => Some(Effect::Ui(UiAction::Show(pat.id))),
        Action::Clone => Some(Effect::request(ServiceRequest::Template(pat.id))),
        Action::Edit => Some(Effect::open(EditDialog::new(pat))),
        Action::AddScope => Some(Effect::open(ScopeDialog::add(pat, ctx))),
        Action::Revoke if pat.status(ctx.now) == Status::Revoked => {
            Some(Effect::warn(format!("{} is revoked already: R regenerates it", pat.name)))
        }
        Action::Revoke => Some(preview(Command::Revoke { tokens: vec![pat.id] })),
        Action::Regenerate => Some(preview(Command::Regenerate {
            tokens: vec![pat.id],
            lifetime: ctx.policy.default_lifetime,
            overlap: Overlap::None,
            secret_file: None,
        })),
        Action::Delete => {
            let tokens = TokenSelection::Listed(vec![pat.id]);
            Some(preview(Command::Delete { tokens }))
        }
        Action::CopyId => Some(Effect::copy("id", pat.id.to_string())),
        Action::CopyName => Some(Effect::copy("name", pat.name.to_string())),
        Action::CopyJson => Some(Effect::request(ServiceRequest::Json(pat.id))),
        _ => None,
    }
}

/// Asks what `command` would do; a dialog on the answer follows.
pub(super) fn preview(command: Command) -> Effect {
    Effect::request(ServiceRequest::Preview(command))
}
