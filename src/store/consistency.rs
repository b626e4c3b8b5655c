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
    record::{EventV1, RefV1, TokenV1, TrashV1},
    tables::{AccessMode, Tables, display_key},
};
use crate::domain::{AuditAction, Token, TokenId};

type Key = [u8; TokenId::LEN];

/// Where a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenLocation {
    Here,
    Trash,
    Gone,
}

impl TokenLocation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Trash => "deleted",
            Self::Gone => "gone",
        }
    }
}

/// What the trail says last of a token; `None` where it says nothing.
#[derive(Debug, Default, Clone, Copy)]
struct AuditedState {
    place: Option<TokenLocation>,
    revoked: Option<bool>,
}

impl AuditedState {
    fn take(&mut self, action: AuditAction) {
        self.place = match action {
            AuditAction::Deleted => Some(TokenLocation::Trash),
            AuditAction::Purged => Some(TokenLocation::Gone),
            AuditAction::ClockAccepted => self.place,
            _ => Some(TokenLocation::Here),
        };
        match action {
            AuditAction::Revoked => self.revoked = Some(true),
            AuditAction::Created | AuditAction::Regenerated => self.revoked = Some(false),
            // It may have come either way.
            AuditAction::Imported => self.revoked = None,
            _ => {}
        }
    }
}

/// Where the tables contradict each other, a sentence for each place.
pub(super) fn find_inconsistencies<A: AccessMode>(
    tables: &Tables<A>,
) -> Result<Vec<String>, StoreError> {
    let mut look = ConsistencyCheck::default();
    look.tokens(tables)?;
    look.names(tables)?;
    look.trail(tables)?;
    look.feed(tables)?;
    Ok(look.faults)
}

#[derive(Default)]
struct ConsistencyCheck {
    tokens: BTreeMap<Key, Token>,
    damaged: BTreeSet<Key>,
    trash: BTreeMap<Key, Option<bool>>,
    faults: Vec<String>,
}

impl ConsistencyCheck {
    fn fault(&mut self, key: &[u8], what: &str) {
        self.faults.push(format!("{} {what}", display_key(key)));
    }

    fn tokens<A: AccessMode>(&mut self, tables: &Tables<A>) -> Result<(), StoreError> {
        tables.tokens.each(|key: &Key, row| {
            let token = |body: Body<'_>| body.decode::<TokenV1<'_>>()?.token(key);
            match row.ok().and_then(token) {
                Some(token) => drop(self.tokens.insert(*key, token)),
                None => drop(self.damaged.insert(*key)),
            }
            ControlFlow::Continue(())
        })?;
        tables.uses.each(|key: &Key, _| {
            if !self.tokens.contains_key(key) && !self.damaged.contains(key) {
                self.fault(key, "has a last use and is not here");
            }
            ControlFlow::Continue(())
        })?;
        tables.trash.each(|key: &Key, row| {
            if self.tokens.contains_key(key) || self.damaged.contains(key) {
                self.fault(key, "is deleted and here at once");
            }
            let token = |body: Body<'_>| body.decode::<TrashV1<'_>>()?.trashed(key);
            let token = row.ok().and_then(token);
            self.trash.insert(*key, token.map(|(token, _)| token.revoked.is_some()));
            ControlFlow::Continue(())
        })
    }

    fn names<A: AccessMode>(&mut self, tables: &Tables<A>) -> Result<(), StoreError> {
        let mut nameless: BTreeSet<Key> = self.tokens.keys().copied().collect();
        tables.names.each(|name: &[u8], row| {
            let Some(RefV1(key)) = row.ok().and_then(decode) else {
                return ControlFlow::Continue(());
            };
            match self.tokens.get(&key) {
                Some(token) if token.name.folded().as_bytes() == name => {
                    nameless.remove(&key);
                }
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
        let mut told: BTreeMap<Key, AuditedState> = BTreeMap::new();
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
            .tokens
            .keys()
            .chain(self.trash.keys())
            .filter(|key| !told.contains_key(*key))
            .copied()
            .collect();
        for key in unknown {
            self.fault(&key, "is nowhere in the trail");
        }
        for (key, told) in told {
            let (place, revoked) = match (self.tokens.get(&key), self.trash.get(&key)) {
                (Some(token), _) => (TokenLocation::Here, Some(token.revoked.is_some())),
                (None, _) if self.damaged.contains(&key) => continue,
                (None, Some(revoked)) => (TokenLocation::Trash, *revoked),
                (None, None) => (TokenLocation::Gone, None),
            };
            if let Some(said) = told.place.filter(|said| *said != place) {
                self.fault(
                    &key,
                    &format!("is {} and {} by the trail", place.as_str(), said.as_str()),
                );
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
#[path = "consistency_tests.rs"]
mod tests;
