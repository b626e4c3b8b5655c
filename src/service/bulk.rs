//! Changing many tokens in one transaction: all of them or none. [`Service::preview_bulk`] says first
//! which ones a change would reach, when they were last used, and which it would leave out and
//! why; what the operator then confirmed is refused whole if one of them is not as shown any
//! more. Called by the list's marks and by commands that take several tokens.

use std::{cmp::Reverse, path::PathBuf};

use super::{
    Issued, Renewal, Service, ServiceError,
    handout::{Waiting, is_free},
    pats::until,
    scopes::listed,
};
use crate::{
    domain::{
        Action, LastUse, Moment, Name, Overlap, Pat, Scope, ScopeError, Secret, Status, TokenId,
        TransitionError,
    },
    store::Rows,
};

/// Most tokens that are changed together: a transaction of so many takes well under the two
/// seconds for which others wait for their turn.
pub const MOST: usize = 10_000;

/// What is done to each of many tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bulk {
    /// End it.
    Revoke,
    /// Delete it; it can be brought back for 24 hours.
    Delete,
    /// Add those of these scopes that it does not hold yet.
    AddScopes(Vec<Scope>),
    /// Give it a new secret and lifetime.
    Regenerate {
        /// The lifetime; the overlap is for those that are active.
        renewal: Renewal,
        /// The new file that takes all secrets, a name, a tab and a secret in each line.
        file: String,
    },
}

/// One token in a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub id: TokenId,
    /// What it is called.
    pub name: Name,
    /// What it is now.
    pub status: Status,
    /// When it was last used.
    pub last_used: Option<LastUse>,
    /// Why it is left out; `None` if it will be changed.
    pub spared: Option<String>,
}

/// What a change would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The change.
    pub bulk: Bulk,
    /// Those that it would change, the one used last first, then those that it leaves out.
    pub candidates: Vec<Candidate>,
}

impl Preview {
    /// Those that would be changed.
    pub fn ids(&self) -> Vec<TokenId> {
        let changed = self.candidates.iter().filter(|each| each.spared.is_none());
        changed.map(|each| each.id).collect()
    }
}

impl Service {
    /// What `bulk` would do to these tokens; those that are gone are passed over. Refuses what
    /// would be refused for every one of them, and changes nothing.
    pub fn preview_bulk(&self, bulk: &Bulk, ids: &[TokenId]) -> Result<Preview, ServiceError> {
        few(ids)?;
        let mut candidates = self.store.read(|rows| {
            let at = self.judged_at(rows)?;
            self.allowed(bulk, at)?;
            let mut candidates = Vec::with_capacity(ids.len());
            for id in ids {
                candidates.extend(rows.pat(id)?.map(|pat| candidate(bulk, pat, at)));
            }
            Ok::<_, ServiceError>(candidates)
        })?;
        let used = |each: &Candidate| Reverse(each.last_used.as_ref().map(|used| used.at));
        candidates.sort_by_cached_key(|each| {
            (each.spared.is_some(), used(each), each.name.folded(), each.id)
        });
        Ok(Preview { bulk: bulk.clone(), candidates })
    }

    /// Does `bulk` to all of these tokens, or to none. Returns the file that took new secrets.
    pub fn bulk(&self, bulk: &Bulk, ids: &[TokenId]) -> Result<Option<PathBuf>, ServiceError> {
        match bulk {
            Bulk::Revoke => self.revoke_many(ids).map(|_| None),
            Bulk::Delete => few(ids).and_then(|()| self.delete_many(ids)).map(|_| None),
            Bulk::AddScopes(scopes) => self.add_scopes_many(ids, scopes).map(|_| None),
            Bulk::Regenerate { renewal, file } => {
                self.regenerate_many(ids, *renewal, file).map(|(_, file)| Some(file))
            }
        }
    }

    /// Ends all of these tokens, or none: refuses when one is revoked or not there.
    pub fn revoke_many(&self, ids: &[TokenId]) -> Result<Vec<Pat>, ServiceError> {
        self.change_many(ids, Action::Revoked, |pat, at| {
            let was = pat.status(at).word();
            Ok((pat.revoke(at)?, format!("was {was}")))
        })
    }

    /// Adds to each of these tokens those of `scopes` that it does not hold; all or none:
    /// refuses when one holds all of them, or would hold too many, or is not there.
    pub fn add_scopes_many(
        &self,
        ids: &[TokenId],
        scopes: &[Scope],
    ) -> Result<Vec<Pat>, ServiceError> {
        for scope in scopes {
            self.policy.catalogue.check(scope)?;
        }
        self.change_many(ids, Action::ScopesAdded, |pat, _| Ok(widened(pat, scopes)?))
    }

    /// Gives all of these tokens, or none, a new secret and lifetime; an overlap is for those
    /// that are active. The secrets are on the disk, in the new file `file`, before the first
    /// old one dies: no crash can lose them, and none of them works unless all do. With the
    /// commit they count as claimed.
    pub fn regenerate_many(
        &self,
        ids: &[TokenId],
        renewal: Renewal,
        file: &str,
    ) -> Result<(Vec<Pat>, PathBuf), ServiceError> {
        few(ids)?;
        let mut waiting = Waiting::at(file)?;
        let issued = self.drawn(ids)?;
        waiting.fill_many(issued.iter().map(|each| (&each.pat.name, &each.secret)))?;
        match self.renew(&issued, renewal) {
            Ok(pats) => Ok((pats, waiting.keep())),
            // The store failed: its secrets may be the ones that work now.
            Err(why @ ServiceError::Store(_)) if !self.is_as_before(&issued) => {
                Err(ServiceError::Unsure { why: Box::new(why), file: waiting.keep() })
            }
            Err(why) => Err(why),
        }
    }

    /// These tokens as they are, each with a new secret that is nobody's yet.
    pub(super) fn drawn(&self, ids: &[TokenId]) -> Result<Vec<Issued>, ServiceError> {
        let pats = self.store.read(|rows| {
            ids.iter().map(|id| Self::found(rows, id)).collect::<Result<Vec<_>, ServiceError>>()
        })?;
        let issue = |pat: Pat| {
            let secret =
                Secret::generate(&self.policy.prefix, pat.id, |out| self.entropy.fill(out))?;
            Ok(Issued { pat, secret })
        };
        pats.into_iter().map(issue).collect()
    }

    /// Makes these secrets the ones that work, all or none: refuses when a token is not as it was
    /// when they were drawn.
    pub(super) fn renew(
        &self,
        issued: &[Issued],
        renewal: Renewal,
    ) -> Result<Vec<Pat>, ServiceError> {
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            let mut pats = Vec::with_capacity(issued.len());
            for each in issued {
                let old = Self::found(rows, &each.pat.id)?;
                let (pat, detail) = self
                    .renewed(old, each, renewal, at)
                    .map_err(|why| one_of_many(&each.pat.name, why))?;
                rows.put_pat(&pat)?;
                self.record(rows, at, Action::Regenerated, &pat, detail)?;
                pats.push(pat);
            }
            Ok(pats)
        })
    }

    /// `old` with the secret of `issued`, unless it is not the token any more that was read.
    fn renewed(
        &self,
        old: Pat,
        issued: &Issued,
        renewal: Renewal,
        at: Moment,
    ) -> Result<(Pat, String), ServiceError> {
        if old.name != issued.pat.name || !old.digest.matches(&issued.pat.digest) {
            return Err(ServiceError::Changed);
        }
        let was = old.status(at);
        let overlap = if was == Status::Active { renewal.overlap } else { Overlap::None };
        let expires = self.expiry(renewal.lifetime, at)?;
        let prefix = self.policy.prefix.as_str();
        let pat = old.regenerate(issued.secret.digest(), prefix, expires, overlap, at)?;
        let mut detail = format!("was {}, {}", was.word(), until(pat.expires));
        if let Some(old) = &pat.retiring {
            detail.push_str(", old secret works ");
            detail.push_str(&until(Some(old.until)));
        }
        detail.push_str(", written to a file");
        Ok((Pat { claimed: true, ..pat }, detail))
    }

    /// Whether the first of these tokens surely still has its old secret.
    fn is_as_before(&self, issued: &[Issued]) -> bool {
        issued.first().is_none_or(|each| {
            let now = self.token(&each.pat.id);
            matches!(now, Ok(Some(pat)) if pat.digest.matches(&each.pat.digest))
        })
    }

    /// Changes each of these tokens in one transaction, or none; the refusal names the token.
    fn change_many(
        &self,
        ids: &[TokenId],
        action: Action,
        change: impl Fn(Pat, Moment) -> Result<(Pat, String), ServiceError>,
    ) -> Result<Vec<Pat>, ServiceError> {
        few(ids)?;
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            let mut pats = Vec::with_capacity(ids.len());
            for id in ids {
                let old = Self::found(rows, id)?;
                let name = old.name.clone();
                let (pat, detail) = change(old, at).map_err(|why| one_of_many(&name, why))?;
                rows.put_pat(&pat)?;
                self.record(rows, at, action, &pat, detail)?;
                pats.push(pat);
            }
            Ok(pats)
        })
    }

    /// Refuses what is wrong with `bulk` whatever the token.
    fn allowed(&self, bulk: &Bulk, at: Moment) -> Result<(), ServiceError> {
        match bulk {
            Bulk::Revoke | Bulk::Delete => {}
            Bulk::AddScopes(scopes) => {
                for scope in scopes {
                    self.policy.catalogue.check(scope)?;
                }
            }
            Bulk::Regenerate { renewal, file } => {
                self.expiry(renewal.lifetime, at)?;
                is_free(file)?;
            }
        }
        Ok(())
    }
}

fn few(ids: &[TokenId]) -> Result<(), ServiceError> {
    if ids.len() > MOST { Err(ServiceError::TooMany(ids.len())) } else { Ok(()) }
}

fn one_of_many(name: &Name, why: ServiceError) -> ServiceError {
    ServiceError::OneOfMany { name: name.clone(), why: Box::new(why) }
}

fn candidate(bulk: &Bulk, pat: Pat, at: Moment) -> Candidate {
    let spared = match bulk {
        Bulk::Revoke => pat.clone().revoke(at).err().map(|why| match why {
            TransitionError::AlreadyRevoked => "revoked already".to_owned(),
            other @ TransitionError::NothingToOverlap => other.to_string(),
        }),
        Bulk::AddScopes(scopes) => widened(pat.clone(), scopes).err().map(|why| match why {
            ScopeError::Duplicate(_) | ScopeError::Covered { .. } => "holds them already".into(),
            ScopeError::TooMany => format!("holds {} scopes already", pat.scopes.len()),
            other => other.to_string(),
        }),
        Bulk::Delete | Bulk::Regenerate { .. } => None,
    };
    let status = pat.status(at);
    let last_used = pat.last_use().cloned();
    Candidate { id: pat.id, name: pat.name, status, last_used, spared }
}

/// `pat` with those of `scopes` that it does not hold, and the words for the trail. Refuses if
/// it holds them all.
fn widened(mut pat: Pat, scopes: &[Scope]) -> Result<(Pat, String), ScopeError> {
    let (mut added, mut absorbed, mut held) = (Vec::new(), Vec::new(), None);
    for scope in scopes {
        match pat.scopes.add(scope.clone()) {
            Ok(more) => {
                added.push(scope.clone());
                absorbed.extend(more.absorbed);
            }
            Err(why @ (ScopeError::Duplicate(_) | ScopeError::Covered { .. })) => {
                held.get_or_insert(why);
            }
            Err(why) => return Err(why),
        }
    }
    if let (true, Some(why)) = (added.is_empty(), held) {
        return Err(why);
    }
    let mut detail = listed(&added);
    if !absorbed.is_empty() {
        detail.push_str(", absorbing ");
        detail.push_str(&listed(&absorbed));
    }
    Ok((pat, detail))
}
