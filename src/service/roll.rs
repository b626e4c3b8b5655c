//! The roll: every token as far as a list must know it, read part by part and kept in step with
//! the store by its feed. A screen may ask it at any time, however much it has read; what is on
//! top of a list that begins with the newest is told by the trail at once. Called by the lists.

use std::{cmp::Reverse, collections::HashSet, ops::ControlFlow};

use super::{Position, Service, ServiceError, abreast::abreast, audit};
use crate::{
    domain::{Action, Copied, Index, Moment, Orders, Pat, StatusFilter, TokenId},
    store::{Changes, Damage, Reached, Rows, StoreError, Stretch},
};

/// What gives a token a time of issue.
const ISSUES: [Action; 3] = [Action::Created, Action::Regenerated, Action::Imported];
/// Tokens that are read in one go: a few milliseconds.
const PART: usize = 4_096;
/// Tokens of a part that is worked on beside others: what is made of them stays in the core's cache.
const STRETCH: usize = 512;
/// Tokens whose order is worked out at once, and so whenever it is asked for.
const AT_ONCE: usize = 2 * PART;
/// Events of a page of the trail, and most pages that are looked through for the newest tokens.
const EVENTS: usize = 256;
const PAGES: usize = 16;

/// How much of the store a roll has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Reading {
    #[default]
    Nothing,
    UpTo(Reached),
    Everything,
}

impl Reading {
    fn includes(self, id: &TokenId) -> bool {
        match self {
            Self::Nothing => false,
            Self::UpTo(reached) => reached.includes(id),
            Self::Everything => true,
        }
    }
}

/// Every token of a store, as far as a list must know it.
#[derive(Debug, Default)]
pub struct Roll {
    index: Index,
    damaged: Vec<Damage>,
    reading: Reading,
    position: Option<Position>,
    total: usize,
    clock_behind: Option<Moment>,
}

impl Roll {
    /// What has been read.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Whether that is everything.
    pub fn is_whole(&self) -> bool {
        self.reading == Reading::Everything
    }

    /// How many tokens the store has, damaged ones included.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The records that could not be read.
    pub fn damaged(&self) -> &[Damage] {
        &self.damaged
    }

    /// The time of the last recorded change, if the clock stands well before it.
    pub fn clock_behind(&self) -> Option<Moment> {
        self.clock_behind
    }

    /// A copy of what has been read, to work out the orders elsewhere.
    pub fn copy(&mut self) -> Copied {
        self.index.copy()
    }

    /// Takes the orders that were worked out on the last copy; false if they are of another.
    pub fn order(&mut self, orders: Orders) -> bool {
        self.index.order(orders)
    }

    /// Finds out who is active, expired or revoked at `at`.
    pub fn judge(&mut self, at: Moment) {
        self.index.judge(at);
    }

    /// Has the orders follow what has changed, and works them out where that takes no time.
    fn arrange(&mut self) {
        self.index.settle();
        if self.is_whole() && !self.index.is_ordered() && self.index.len() <= AT_ONCE {
            let orders = Orders::of(self.index.copy());
            self.index.order(orders);
        }
    }

    /// Takes a token as it is now, unless its part of the store is still to be read.
    fn take(&mut self, rows: &impl Rows, id: &TokenId) -> Result<(), StoreError> {
        if !self.reading.includes(id) {
            return Ok(());
        }
        self.damaged.retain(|damage| damage.key != id.as_str());
        match rows.pat(id) {
            Ok(Some(pat)) => self.index.put(&pat),
            Ok(None) => self.index.remove(id),
            Err(StoreError::Damaged(damage)) => {
                self.index.remove(id);
                self.damaged.push(damage);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Service {
    /// Brings `roll` in step with the store, as far as it has been read. What changed too much
    /// to follow is to be read from the start again.
    pub fn keep_up(&self, roll: &mut Roll) -> Result<(), ServiceError> {
        self.store.read(|rows| {
            let last = rows.newest_event()?;
            let position = audit::position(rows, last.as_ref())?;
            roll.clock_behind = self.behind(last.as_ref());
            roll.total = usize::try_from(rows.token_count()?).unwrap_or(usize::MAX);
            match roll.position.replace(position) {
                None => {}
                Some(seen) if seen == position => {}
                Some(seen) => match audit::changes(rows, seen, position)? {
                    Changes::TooFar => {
                        let (total, clock_behind) = (roll.total, roll.clock_behind);
                        let position = Some(position);
                        *roll = Roll { position, total, clock_behind, ..Roll::default() };
                    }
                    Changes::Tokens(ids, _) => {
                        for id in ids {
                            roll.take(rows, &id)?;
                        }
                    }
                },
            }
            Ok::<_, StoreError>(())
        })?;
        roll.arrange();
        Ok(())
    }

    /// Reads the next part of the store into `roll`, if there is more.
    pub fn read_on(&self, roll: &mut Roll) -> Result<(), ServiceError> {
        self.keep_up(roll)?;
        let after = match roll.reading {
            Reading::Nothing => None,
            Reading::UpTo(reached) => Some(reached),
            Reading::Everything => return Ok(()),
        };
        let (found, reached) = self.store.read(|rows| rows.pats_after(after, PART))?;
        roll.index.extend(&found.rows);
        roll.damaged.extend(found.damaged);
        roll.reading = reached.map_or(Reading::Everything, Reading::UpTo);
        if roll.is_whole() {
            roll.arrange();
        }
        Ok(())
    }

    /// Reads every token, several parts at once: each is begun by `begin`, given its tokens one by
    /// one by `add`, damaged ones too, and handed to `take` in the order of ids, until that breaks.
    /// Nothing is held between two parts: each is as it was when it was read.
    pub fn each_part<T: Send>(
        &self,
        begin: impl Fn() -> T + Sync,
        add: impl Fn(&mut T, Result<&Pat, Damage>) + Sync,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<(), ServiceError> {
        let (mut at, mut end) = (Some(None), Ok(()));
        // One goes through the file, all read what is found there.
        let next = || {
            let from = at.take()?;
            let found = self.store.read(|rows| rows.stretch_after(from, STRETCH));
            Some(found.map(|(stretch, reached)| {
                at = reached.map(Some);
                stretch
            }))
        };
        let work = |found: Result<Stretch, StoreError>| {
            let (stretch, mut part) = (found?, begin());
            stretch.each(|pat| add(&mut part, pat));
            Ok(part)
        };
        abreast(next, work, |made: Result<T, StoreError>| match made {
            Ok(made) => take(made),
            Err(error) => {
                end = Err(error);
                ControlFlow::Break(())
            }
        });
        Ok(end?)
    }

    /// Up to `limit` tokens of these statuses, those that were issued last, newest first, as
    /// far as the newest pages of the trail tell without a look at the other tokens. A token is
    /// issued with an event, so that none is newer whose events are all older than those that
    /// were seen.
    pub fn newest(
        &self,
        statuses: StatusFilter,
        at: Moment,
        limit: usize,
    ) -> Result<Vec<Pat>, ServiceError> {
        Ok(self.store.read(|rows| {
            let (mut seen, mut pats) = (HashSet::new(), Vec::new());
            let mut page = rows.events_before(None, EVENTS)?.rows;
            let mut edge = Moment::MIN_UTC;
            for _ in 0..PAGES {
                let Some(oldest) = page.last() else {
                    edge = Moment::MIN_UTC;
                    break;
                };
                let issues = page.iter().filter(|event| ISSUES.contains(&event.what.action));
                for id in issues.filter_map(|event| event.what.token) {
                    let pat = if seen.insert(id) { rows.pat(&id).ok().flatten() } else { None };
                    pats.extend(
                        pat.filter(|pat| statuses.shows(pat.status(at), pat.expires_soon(at))),
                    );
                }
                edge = oldest.what.at;
                // A large import tells nothing of when its tokens were issued.
                let import = page.iter().all(|event| event.what.action == Action::Imported);
                if import || pats.iter().filter(|pat| pat.issued >= edge).count() >= limit {
                    break;
                }
                page = rows.events_before(Some(oldest.sequence), EVENTS)?.rows;
            }
            pats.retain(|pat| pat.issued >= edge);
            pats.sort_by_key(|pat| Reverse(pat.issued));
            pats.truncate(limit);
            Ok::<_, StoreError>(pats)
        })?)
    }

    /// These tokens as they are; `None` for one that is gone.
    pub fn some(&self, ids: &[TokenId]) -> Result<Vec<(TokenId, Option<Pat>)>, ServiceError> {
        Ok(self.store.read(|rows| {
            let each = ids.iter().map(|id| match rows.pat(id) {
                Err(StoreError::Damaged(_)) => Ok((*id, None)),
                pat => Ok((*id, pat?)),
            });
            each.collect::<Result<_, StoreError>>()
        })?)
    }
}
