//! Whether the tables tell one story: names lead to their tokens and back, nothing is here and
//! deleted at once, and what is here, gone or revoked is so by the trail. A change that was cut
//! in half would show here, and nowhere else. Says nothing of damaged records, which others name.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use super::{
    codec::{Body, decode},
    error::StoreError,
    record::{EventV1, PatV1, RefV1, TrashV1},
    tables::{AccessMode, Tables, display_key},
};
use crate::domain::{Action, Pat, TokenId};

type Key = [u8; TokenId::LEN];

/// Where a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Here,
    Trash,
    Gone,
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Trash => "deleted",
            Self::Gone => "gone",
        }
    }
}

/// What the trail says last of a token; `None` where it says nothing.
#[derive(Debug, Default, Clone, Copy)]
struct Told {
    place: Option<Place>,
    revoked: Option<bool>,
}

impl Told {
    fn take(&mut self, action: Action) {
        self.place = match action {
            Action::Deleted => Some(Place::Trash),
            Action::Purged => Some(Place::Gone),
            Action::ClockAccepted => self.place,
            _ => Some(Place::Here),
        };
        match action {
            Action::Revoked => self.revoked = Some(true),
            Action::Created | Action::Regenerated => self.revoked = Some(false),
            // It may have come either way.
            Action::Imported => self.revoked = None,
            _ => {}
        }
    }
}

/// Where the tables contradict each other, a sentence for each place.
pub(super) fn disagreements<A: AccessMode>(tables: &Tables<A>) -> Result<Vec<String>, StoreError> {
    let mut look = Look::default();
    look.tokens(tables)?;
    look.names(tables)?;
    look.trail(tables)?;
    look.feed(tables)?;
    Ok(look.faults)
}

#[derive(Default)]
struct Look {
    pats: BTreeMap<Key, Pat>,
    damaged: BTreeSet<Key>,
    trash: BTreeMap<Key, Option<bool>>,
    faults: Vec<String>,
}

impl Look {
    fn fault(&mut self, key: &[u8], what: &str) {
        self.faults.push(format!("{} {what}", display_key(key)));
    }

    fn tokens<A: AccessMode>(&mut self, tables: &Tables<A>) -> Result<(), StoreError> {
        tables.pats.each(|key: &Key, row| {
            let pat = |body: Body<'_>| body.decode::<PatV1<'_>>()?.pat(key);
            match row.ok().and_then(pat) {
                Some(pat) => drop(self.pats.insert(*key, pat)),
                None => drop(self.damaged.insert(*key)),
            }
            ControlFlow::Continue(())
        })?;
        tables.uses.each(|key: &Key, _| {
            if !self.pats.contains_key(key) && !self.damaged.contains(key) {
                self.fault(key, "has a last use and is not here");
            }
            ControlFlow::Continue(())
        })?;
        tables.trash.each(|key: &Key, row| {
            if self.pats.contains_key(key) || self.damaged.contains(key) {
                self.fault(key, "is deleted and here at once");
            }
            let pat = |body: Body<'_>| body.decode::<TrashV1<'_>>()?.trashed(key);
            let pat = row.ok().and_then(pat);
            self.trash.insert(*key, pat.map(|(pat, _)| pat.revoked.is_some()));
            ControlFlow::Continue(())
        })
    }

    fn names<A: AccessMode>(&mut self, tables: &Tables<A>) -> Result<(), StoreError> {
        let mut nameless: BTreeSet<Key> = self.pats.keys().copied().collect();
        tables.names.each(|name: &[u8], row| {
            let Some(RefV1(key)) = row.ok().and_then(decode) else {
                return ControlFlow::Continue(());
            };
            match self.pats.get(&key) {
                Some(pat) if pat.name.folded().as_bytes() == name => drop(nameless.remove(&key)),
                Some(_) => self.fault(name, "leads to a token of another name"),
                None if self.damaged.contains(&key) => {}
                None => self.fault(name, "is the name of a token that is not here"),
            }
            ControlFlow::Continue(())
        })?;
        for key in nameless {
            self.fault(&key, "is not found by its name");
        }
        Ok(())
    }

    fn trail<A: AccessMode>(&mut self, tables: &Tables<A>) -> Result<(), StoreError> {
        let mut told: BTreeMap<Key, Told> = BTreeMap::new();
        let mut readable = true;
        tables.events.each(|_, row| {
            let what = row.ok().and_then(|body| body.decode::<EventV1<'_>>()?.what());
            readable &= what.is_some();
            if let Some(what) = what
                && let Some(id) = what.token
            {
                told.entry(*id.as_bytes()).or_default().take(what.action);
            }
            ControlFlow::Continue(())
        })?;
        if !readable {
            // A trail with a hole proves nothing, and the check of the chain names the hole.
            return Ok(());
        }
        let unknown: Vec<Key> = self
            .pats
            .keys()
            .chain(self.trash.keys())
            .filter(|key| !told.contains_key(*key))
            .copied()
            .collect();
        for key in unknown {
            self.fault(&key, "is nowhere in the trail");
        }
        for (key, told) in told {
            let (place, revoked) = match (self.pats.get(&key), self.trash.get(&key)) {
                (Some(pat), _) => (Place::Here, Some(pat.revoked.is_some())),
                (None, _) if self.damaged.contains(&key) => continue,
                (None, Some(revoked)) => (Place::Trash, *revoked),
                (None, None) => (Place::Gone, None),
            };
            if let Some(said) = told.place.filter(|said| *said != place) {
                self.fault(&key, &format!("is {} and {} by the trail", place.word(), said.word()));
            } else if let (Some(is), Some(said)) = (revoked, told.revoked)
                && is != said
            {
                let word = |revoked| if revoked { "revoked" } else { "not revoked" };
                self.fault(&key, &format!("is {} and {} by the trail", word(is), word(said)));
            }
        }
        Ok(())
    }

    fn feed<A: AccessMode>(&mut self, tables: &Tables<A>) -> Result<(), StoreError> {
        let (first, last) = (tables.changes.first_key()?, tables.changes.last_key()?);
        let expected = first.map_or(0, |first| last.saturating_sub(first).saturating_add(1));
        if tables.changes.len()? != expected {
            self.faults.push(format!("the feed of changes has a gap before {last}"));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "agree_tests.rs"]
mod tests;
