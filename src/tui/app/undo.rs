//! What `u` takes back: what was done in this run, the newest first. What cannot be taken back
//! says so before anything older is. When nothing is left, the operator's own last delete of
//! the past day comes back, whichever run it was done in. Part of the app.

use super::{App, Asker, service_request::Effect};
use crate::service::{Change, Undo, Undone};

/// What leads back from something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// Nothing was changed that anybody would take back.
    Unneeded,
    /// This.
    By(Undo),
    /// Nothing does; the sentence says so, and what to do instead.
    Closed(String),
}

impl App {
    /// Remembers what was done; what was not done needs no memory.
    pub(super) fn remember(&mut self, back: Back) {
        let empty = match &back {
            Back::Unneeded => true,
            Back::By(undo) => undo.is_empty(),
            Back::Closed(_) => false,
        };
        if !empty {
            self.past.push(back);
        }
    }

    /// Takes back what was done last.
    pub(super) fn undo(&mut self) {
        match self.past.pop() {
            Some(Back::By(undo)) => self.ask(Asker::App, Effect::Undo(undo)),
            Some(Back::Closed(why)) => self.warn(why),
            Some(Back::Unneeded) | None => self.ask(Asker::App, Effect::RestoreLast),
        }
    }
}

/// What came back, as a sentence.
pub(super) fn told(undone: &Undone) -> String {
    match undone {
        Undone::Restored(pats) => match pats.as_slice() {
            [pat] => format!("{} is back, with its secret", pat.name),
            many => format!("{} tokens are back, with their secrets", many.len()),
        },
        Undone::Changes(changes) => match changes.as_slice() {
            [change] => format!("undone: {}", told_change(change)),
            many => format!("undone: {} tokens are as they were", many.len()),
        },
    }
}

/// `now` is what the token is again, `before` what it was until then.
fn told_change(Change { before: now, after: before }: &Change) -> String {
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
