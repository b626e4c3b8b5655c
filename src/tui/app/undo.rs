//! What `u` undoes: the commands of this run, the latest first. One that cannot be undone says so
//! before anything older is. Owned by the app, which restores the operator's last deletion of the
//! past day once nothing is left here.

use super::model::Model;
use crate::{
    domain::counted,
    domain::{Command, Plan, Token},
    keymap::{Action, Mode},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoEntry {
    Undo(Command),
    /// Not at all; the sentence says why.
    Irreversible(String),
}

impl UndoEntry {
    /// How to undo what `plan` did; `None` if nobody would want to.
    pub fn of(plan: &Plan, ctx: &Model) -> Option<Self> {
        if let Some(command) = plan.inverse() {
            return Some(Self::Undo(command));
        }
        let mut tokens = plan.tokens();
        let whose = match (tokens.next(), tokens.next()) {
            (Some(Token { name, .. }), None) => name.to_string(),
            _ => counted(plan.changes.len(), "token"),
        };
        let key = |action| ctx.key(Mode::Tokens, action);
        let why = match &plan.command {
            Command::Create { .. } => {
                format!("{whose} was created; press {} to delete it", key(Action::Delete))
            }
            Command::Revoke { .. } | Command::RevokeLeaked { .. } => format!(
                "the secret of {whose} can't be restored; press {} for a new one",
                key(Action::Regenerate)
            ),
            Command::EndOverlap { .. } => format!("the old secret of {whose} can't be restored"),
            Command::Regenerate { .. } => {
                format!("the previous secret of {whose} can't be restored")
            }
            Command::Edit { .. }
            | Command::AddScopes { .. }
            | Command::RemoveScopes { .. }
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
