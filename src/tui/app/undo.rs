//! The undo history: the commands of this session, newest last. If the newest command cannot be
//! undone, the undo key shows the reason and removes the command from the history. While the
//! history is empty, an undo restores the operator's last deletion of the past 24 hours. Owned by
//! the app.

use super::{App, effect::Tab, pending_requests::RequestOrigin, service_request::ServiceRequest};
use crate::{
    domain::{Command, Plan, Token, TokensToRestore, counted},
    keymap::{Action, Mode},
};

impl App {
    /// Undoes the last command of this session. If there is none, restores the operator's last
    /// deletion.
    pub(super) fn undo(&mut self) {
        // The marks are what the operator sees; the last command can have changed another token.
        if self.tab == Tab::Detail && self.detail.has_marks(&self.model) {
            let key = |action| self.model.key(Mode::Detail, action);
            let (apply, discard) = (key(Action::Submit), key(Action::Back));
            let text =
                format!("{apply} applies the marked scopes, {discard} discards them. Then undo.");
            return self.warn(text);
        }
        if self.pending.contains(RequestOrigin::Undo) {
            return;
        }
        match self.undo_history.last() {
            Some(UndoEntry::Undo(command)) => {
                let request = ServiceRequest::execute(command.clone());
                self.request(RequestOrigin::Undo, request);
            }
            Some(UndoEntry::Irreversible(why)) => {
                let why = why.clone();
                self.undo_history.pop();
                self.warn(why);
            }
            None => {
                let last = Command::Restore(TokensToRestore::LastDeletion);
                self.request(RequestOrigin::App, ServiceRequest::execute(last));
            }
        }
    }
}

/// How to undo an executed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoEntry {
    /// The command that undoes the executed command.
    Undo(Command),
    /// The executed command cannot be undone. Contains the message with the reason.
    Irreversible(String),
}

impl UndoEntry {
    /// Returns the entry for an executed `plan`, or `None` if its command has no meaningful undo.
    pub fn for_plan(plan: &Plan) -> Option<Self> {
        if let Some(command) = plan.inverse() {
            return Some(Self::Undo(command));
        }
        let mut tokens = plan.tokens();
        let name = match (tokens.next(), tokens.next()) {
            (Some(Token { name, .. }), None) => name.to_string(),
            _ => counted(plan.change_count(), "token"),
        };
        let why = match &plan.command {
            // The selection can be on another token, so that no key is named.
            Command::Create { .. } => format!("{name} was created; delete it instead"),
            Command::Revoke { .. } | Command::RevokeLeaked { .. } => {
                format!("the secret of {name} can't be restored; regenerate {name} for a new one")
            }
            Command::EndOverlap { .. } => format!("the old secret of {name} can't be restored"),
            Command::Regenerate { .. } => {
                format!("the old secret of {name} can't be restored")
            }
            Command::AddScopes { .. } | Command::RemoveScopes { .. } if plan.job.is_some() => {
                format!("{name} were changed, which is too many to undo")
            }
            Command::Edit { .. }
            | Command::AddScopes { .. }
            | Command::RemoveScopes { .. }
            | Command::ChangeScopes { .. }
            | Command::Delete { .. }
            | Command::Restore(_)
            | Command::Revert(_)
            | Command::RecordDelivery { .. }
            | Command::AcceptClock
            | Command::PurgeTrash => return None,
        };
        Some(Self::Irreversible(format!("Can't undo: {why}.")))
    }
}
