//! Making, editing, ending and renewing tokens. Each is one transaction that reads the record
//! afresh, so that two operators at once never undo each other's work unseen.

use chrono::{Datelike as _, Timelike as _};

use super::{Service, ServiceError, Undo, Zone};
use crate::{
    domain::{
        Action, Description, Digest, Lifetime, Moment, Name, Overlap, Pat, Scope, ScopeError,
        Scopes, Secret, TokenId,
    },
    store::Rows,
};

/// What a new token is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPat {
    /// Its name, which no other token may have.
    pub name: Name,
    /// What it is for.
    pub description: Description,
    /// For how long it is valid.
    pub lifetime: Lifetime,
    /// What it may do.
    pub scopes: Vec<Scope>,
}

/// How a token is to be regenerated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// For how long it is valid from now.
    pub lifetime: Lifetime,
    /// How long the old secret goes on working.
    pub overlap: Overlap,
}

/// A token with its new secret, which exists nowhere else.
#[derive(Debug)]
pub struct Issued {
    /// The record.
    pub pat: Pat,
    /// The secret, once.
    pub secret: Secret,
}

/// How an operator took a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It was sent to the clipboard.
    Copied,
    /// It was written to a file.
    Written,
    /// It is printed when the program ends.
    Printed,
    /// The operator says so.
    Acknowledged,
}

impl Claim {
    fn words(self) -> &'static str {
        match self {
            Self::Copied => "sent to the clipboard",
            Self::Written => "written to a file",
            Self::Printed => "printed",
            Self::Acknowledged => "said to be saved",
        }
    }
}

impl Service {
    /// Makes a token. Refuses a taken name, a lifetime beyond the limits, and scopes that the
    /// catalogue does not offer or that repeat each other; then nothing was made.
    pub fn create(&self, new: &NewPat) -> Result<Issued, ServiceError> {
        let scopes = self.checked(&new.scopes)?;
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            if rows.id_of_name(&new.name)?.is_some() {
                return Err(ServiceError::NameTaken(new.name.clone()));
            }
            let id = TokenId::draw(|out| self.entropy.fill(out))?;
            let secret = Secret::generate(&self.policy.prefix, id, |out| self.entropy.fill(out))?;
            let pat = Pat {
                id,
                name: new.name.clone(),
                description: new.description.clone(),
                scopes: scopes.clone(),
                prefix: self.policy.prefix.as_str().into(),
                digest: secret.digest(),
                retiring: None,
                created: at,
                created_by: self.actor.clone(),
                issued: at,
                expires: self.expiry(new.lifetime, at)?,
                revoked: None,
                claimed: false,
                last_used: None,
            };
            rows.put_pat(&pat)?;
            let detail = format!("{}, {}", until(pat.expires), counted(pat.scopes.len(), "scope"));
            self.record(rows, at, Action::Created, &pat, detail)?;
            Ok(Issued { pat, secret })
        })
    }

    /// Gives a token another name and description; also returns the way back. Refuses a name
    /// that another one has.
    pub fn edit(
        &self,
        id: &TokenId,
        name: &Name,
        description: &Description,
    ) -> Result<(Pat, Undo), ServiceError> {
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            let old = Self::found(rows, id)?;
            if rows.id_of_name(name)?.is_some_and(|holder| holder != *id) {
                return Err(ServiceError::NameTaken(name.clone()));
            }
            if old.name == *name && old.description == *description {
                let undo = Undo::of(old.clone(), &old);
                return Ok((old, undo));
            }
            let mut told = Vec::new();
            if old.name != *name {
                told.push(format!("name was {}", old.name));
            }
            if old.description != *description {
                told.push("description changed".to_owned());
            }
            let pat = Pat { name: name.clone(), description: description.clone(), ..old.clone() };
            rows.put_pat(&pat)?;
            self.record(rows, at, Action::Edited, &pat, told.join(", "))?;
            let undo = Undo::of(old, &pat);
            Ok((pat, undo))
        })
    }

    /// Ends a token; the next check of its secret is denied. Refuses one that is revoked.
    pub fn revoke(&self, id: &TokenId) -> Result<Pat, ServiceError> {
        let (pat, _) = self.change(id, Action::Revoked, |pat, at| {
            let was = pat.status(at).word();
            pat.revoke(at).map(|pat| (pat, format!("was {was}")))
        })?;
        Ok(pat)
    }

    /// Gives a token a new secret and a new lifetime; all else stays, and it is active. The old
    /// secret is dead with the commit, unless the token was active and an overlap was asked.
    pub fn regenerate(&self, id: &TokenId, renewal: Renewal) -> Result<Issued, ServiceError> {
        let prefix = &self.policy.prefix;
        let secret = Secret::generate(prefix, *id, |out| self.entropy.fill(out))?;
        let (pat, _) = self.change(id, Action::Regenerated, |pat, at| {
            let was = pat.status(at).word();
            let expires = self.expiry(renewal.lifetime, at)?;
            let pat =
                pat.regenerate(secret.digest(), prefix.as_str(), expires, renewal.overlap, at)?;
            let mut detail = format!("was {was}, {}", until(pat.expires));
            if let Some(old) = &pat.retiring {
                detail.push_str(", old secret works ");
                detail.push_str(&until(Some(old.until)));
            }
            Ok::<_, ServiceError>((pat, detail))
        })?;
        Ok(Issued { pat, secret })
    }

    /// Ends the overlap of a rotation early: the retiring secret is dead with the commit. Where
    /// there is none, nothing happens.
    pub fn end_overlap(&self, id: &TokenId) -> Result<Pat, ServiceError> {
        let (pat, _) = self.change(id, Action::OverlapEnded, |pat, _| {
            Ok::<_, ServiceError>((pat.end_overlap(), String::new()))
        })?;
        Ok(pat)
    }

    /// Notes that somebody has the secret behind `digest`, and how they took it. Each way is told
    /// in the trail, though the first one is enough for the record. Refuses if that is not the
    /// token's present secret any more: then somebody else regenerated it meanwhile.
    pub fn claim(&self, id: &TokenId, digest: &Digest, how: Claim) -> Result<Pat, ServiceError> {
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            let pat = Self::found(rows, id)?;
            if !pat.digest.matches(digest) {
                return Err(ServiceError::Replaced(pat.name));
            }
            let pat = Pat { claimed: true, ..pat };
            rows.put_pat(&pat)?;
            self.record(rows, at, Action::Claimed, &pat, how.words().to_owned())?;
            Ok(pat)
        })
    }

    /// When a token issued at `at` would end.
    pub(super) fn expiry(
        &self,
        lifetime: Lifetime,
        at: Moment,
    ) -> Result<Option<Moment>, ServiceError> {
        Ok(lifetime.expiry(at, &self.policy.limits, |wall| Zone::Local.instant(wall))?)
    }

    /// `scopes` as a set, once the catalogue has agreed to each.
    fn checked(&self, scopes: &[Scope]) -> Result<Scopes, ScopeError> {
        let mut set = Scopes::default();
        for scope in scopes {
            self.policy.catalogue.check(scope)?;
            set.add(scope.clone())?;
        }
        Ok(set)
    }
}

/// `until 2026-12-24 13:05 UTC`, `never expires`.
pub(super) fn until(end: Option<Moment>) -> String {
    end.map_or_else(
        || "never expires".to_owned(),
        |end| {
            let end = end.naive_utc();
            let (year, month, day) = (end.year(), end.month(), end.day());
            format!("until {year:04}-{month:02}-{day:02} {:02}:{:02} UTC", end.hour(), end.minute())
        },
    )
}

/// `1 scope`, `3 scopes`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
