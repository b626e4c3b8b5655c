//! What `u` takes back: what was done in this run, the newest first. What cannot be taken back
//! says so before anything older is. Owned by the app, which asks for the operator's last delete
//! of the past day once nothing is left here.

use crate::service::{Change, Undo, Undone};

/// What leads back from something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoEntry {
    /// Nothing was changed that anybody would take back.
    None,
    /// This.
    Undo(Undo),
    /// Nothing does; the sentence says so, and what to do instead.
    Irreversible(String),
}

/// What was done in this run.
#[derive(Debug, Default)]
pub(super) struct UndoHistory(Vec<UndoEntry>);

impl UndoHistory {
    /// Remembers what was done; what changed nothing needs no memory.
    pub(super) fn push(&mut self, entry: UndoEntry) {
        let empty = match &entry {
            UndoEntry::None => true,
            UndoEntry::Undo(undo) => undo.is_empty(),
            UndoEntry::Irreversible(_) => false,
        };
        if !empty {
            self.0.push(entry);
        }
    }

    /// What was done last; no longer remembered.
    pub(super) fn pop(&mut self) -> UndoEntry {
        self.0.pop().unwrap_or(UndoEntry::None)
    }
}

/// What came back, as a sentence.
pub(super) fn undone_text(undone: &Undone) -> String {
    match undone {
        Undone::Restored(pats) => match pats.as_slice() {
            [pat] => format!("{} is back, with its secret", pat.name),
            many => format!("{} tokens are back, with their secrets", many.len()),
        },
        Undone::Changes(changes) => match changes.as_slice() {
            [change] => format!("undone: {}", change_text(change)),
            many => format!("undone: {} tokens are as they were", many.len()),
        },
    }
}

/// `now` is what the token is again, `before` what it was until then.
fn change_text(Change { before: now, after: before }: &Change) -> String {
    if now.scopes != before.scopes {
        let count = match now.scopes.len() {
            0 => "no scopes".to_owned(),
            1 => "1 scope".to_owned(),
            many => format!("{many} scopes"),
        };
        return format!("{} has {count} again", now.name);
    }
    if now.name != before.name {
        return format!("{} is called {} again", before.name, now.name);
    }
    format!("the description of {} is as it was", now.name)
}
