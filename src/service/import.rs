//! Taking tokens in, all of them or none: one transaction for any number, though memory holds a
//! few parts of them and twenty bytes for each. The lines are read once, to find whatever is wrong
//! with them; what they say waits in a spool for the transaction. Threads beside the one that
//! writes prepare each part, and one goes ahead of it with what comes one after the other.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher as _, RandomState},
    io,
    mem::take,
    ops::ControlFlow,
    panic::resume_unwind,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use super::{
    Position, Service, ServiceError, audit,
    plan::Plan,
    spool::{Spool, Spooled, Told},
    transfer::{
        Clash, Coming, Fate, Fates, Fault, Faults, ImportError, Incoming, OnConflict, Outcome, Part,
    },
};
use crate::{
    domain::{plan::until, Action, EventDraft, Moment, Pat, Status, TokenId},
    store::{Ahead, Names, Ready, Rows, Sealed, StoreError, Unlinked, Writer},
};

/// An import in which nothing is wrong.
#[derive(Debug)]
pub struct Import<'a, C> {
    service: &'a Service,
    coming: &'a C,
    plan: Plan,
    spool: Spool,
    /// Beside which state of the store it was looked at.
    seen: Position,
}

/// Parts that may wait, ready, for the thread that writes.
const WAITING: usize = 2;

/// What one part says, by itself and beside the store.
struct Looked {
    ids: Vec<TokenId>,
    /// Hashes of the folded names.
    names: Vec<u64>,
    is_read: bool,
    faults: Vec<Fault>,
    refused: Vec<Fault>,
    /// For the spool.
    part: Vec<u8>,
}

/// What one part comes to, ready to be written.
#[derive(Default)]
struct Made {
    fates: Vec<Fate>,
    refused: Vec<Fault>,
    /// Tokens whose place is taken.
    replaced: Vec<TokenId>,
    /// Tokens whose name is taken.
    ousted: Vec<TokenId>,
    /// Tokens that come in, and what is told of them.
    ids: Vec<TokenId>,
    told: Unlinked,
    /// The part, and where in it the tokens are that come in.
    part: Vec<u8>,
    places: Vec<usize>,
}

/// How a part is looked at on its way into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// To say what would happen.
    Ahead,
    /// The store has changed since the lines were read.
    Again,
    /// The store is as it was then: what was new is new.
    Unchanged,
}

impl Made {
    /// What of the part is to be put.
    fn coming(&self) -> Result<Vec<Sealed<'_>>, StoreError> {
        let each = self.places.iter().map(|place| Spooled::at(&self.part, *place));
        each.map(|one| Ok(one?.sealed)).collect()
    }
}

impl Service {
    /// Looks at all that is `coming`: refused with everything that is wrong with the lines, or,
    /// if nothing is, with everything that stands in their way. `done` counts the tokens, for
    /// somebody who watches.
    pub fn prepare<'a, C: Coming>(
        &'a self,
        coming: &'a C,
        on_conflict: OnConflict,
        done: &AtomicU64,
    ) -> Result<Import<'a, C>, ImportError> {
        let (hash, plan) = (RandomState::new(), Plan::new(on_conflict, Vec::new()));
        let (mut ids, mut names) = (Vec::new(), Vec::new());
        let (mut faults, mut refused) = (Faults::default(), Faults::default());
        let (mut are_read, mut kept) = (true, Ok(()));
        let (seen, mut spool) = (self.position()?, Spool::default());
        let mut take = |looked: Looked| {
            done.fetch_add(u64::try_from(looked.ids.len()).unwrap_or(0), Ordering::Relaxed);
            ids.extend(looked.ids);
            names.extend(looked.names);
            are_read &= looked.is_read;
            faults.extend(looked.faults);
            refused.extend(looked.refused);
            // Of an import that will be refused nothing needs to be kept.
            let is_good = faults.is_empty() && refused.is_empty();
            if is_good { spool.add(&self.store, &looked.part) } else { Ok(()) }
        };
        coming.each(
            |part| self.looked(part, &plan, &hash),
            |looked| {
                kept = looked.and_then(&mut take);
                if kept.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
        )?;
        kept?;
        if are_read {
            faults.extend(coming.whole(ids.len()).err());
        }
        let (ids_twice, names_twice) = (twice(&mut ids), twice(&mut names));
        if !ids_twice.is_empty() || !names_twice.is_empty() {
            said_twice(coming, &ids_twice, &names_twice, &hash, &mut faults)?;
        }
        if let Some(faults) = [faults, refused].into_iter().find(|faults| !faults.is_empty()) {
            return Err(ImportError::Faults(faults));
        }
        Ok(Import { service: self, coming, plan: Plan::new(on_conflict, ids), spool, seen })
    }

    fn looked(&self, part: Part, plan: &Plan, hash: &RandomState) -> Result<Looked, StoreError> {
        let mut looked = Looked {
            ids: part.incoming.iter().map(|one| one.pat.id).collect(),
            names: part.incoming.iter().map(|one| hash.hash_one(one.pat.name.folded())).collect(),
            is_read: part.faults.is_empty(),
            faults: part.faults,
            refused: Vec::new(),
            part: Vec::new(),
        };
        for Incoming { line, pat } in &part.incoming {
            for error in pat.scopes.iter().filter_map(|it| self.policy.catalogue.check(it).err()) {
                let why = format!("{error}, or add it to the catalogue in the settings");
                looked.faults.push(Fault { line: *line, field: "scopes".to_owned(), why });
            }
        }
        self.store.read(|rows| {
            let at = self.judged_at(rows)?;
            for one in &part.incoming {
                let (fate, refused) = plan.fate(rows, at, one)?;
                looked.refused.extend(refused);
                let is_new = fate == Fate::NEW;
                Spooled::write(&mut looked.part, one.line, is_new, &one.pat)?;
            }
            Ok::<_, StoreError>(looked)
        })
    }
}

/// Sorts `all` and names what stands there more than once.
fn twice<T: Ord + Copy>(all: &mut [T]) -> BTreeSet<T> {
    all.sort_unstable();
    let pairs = all.iter().zip(all.iter().skip(1));
    pairs.filter(|(one, next)| one == next).map(|(one, _)| *one).collect()
}

/// Adds a fault for each line whose id or name stands in an earlier one. Two names may have one
/// hash: only the names themselves count.
fn said_twice(
    coming: &impl Coming,
    ids_twice: &BTreeSet<TokenId>,
    names_twice: &BTreeSet<u64>,
    hash: &RandomState,
    faults: &mut Faults,
) -> io::Result<()> {
    let (mut ids, mut names) = (HashMap::new(), HashMap::new());
    coming.each(
        |part| part,
        |part| {
            for Incoming { line, pat } in part.incoming {
                let mut fault = |field: &str, what: &str, first: u64| {
                    let why = format!("{what} is in line {first} already");
                    faults.add(Fault { line, field: field.to_owned(), why });
                };
                let again = ids_twice.contains(&pat.id).then(|| ids.insert(pat.id, line));
                if let Some(first) = again.flatten() {
                    fault("id", pat.id.as_str(), first);
                }
                let name = pat.name.folded();
                let again = names_twice.contains(&hash.hash_one(&name));
                if let Some(first) = again.then(|| names.insert(name, line)).flatten() {
                    fault("name", pat.name.as_str(), first);
                }
            }
            ControlFlow::Continue(())
        },
    )
}

impl<C: Coming> Import<'_, C> {
    /// What [`Import::perform`] would do now; changes nothing. Each part of the tokens is looked
    /// at beside the store as it is then.
    pub fn foresee(&self) -> Result<Fates, ImportError> {
        let at = self.service.now()?;
        let (mut fates, mut refused) = (Fates::default(), Faults::default());
        self.each_made(at, Look::Ahead, |made| {
            made.fates.into_iter().for_each(|fate| fates.add(fate));
            refused.extend(made.refused);
            Ok(ControlFlow::Continue(()))
        })?;
        if refused.is_empty() { Ok(fates) } else { Err(ImportError::Faults(refused)) }
    }

    /// Takes the tokens in, all of them or none, each with one event that names the store that
    /// they come from. `done` counts them.
    pub fn perform(&self, done: &AtomicU64) -> Result<Fates, ImportError> {
        self.service.store.write(|rows| {
            // A write that found the disk full runs once more.
            done.store(0, Ordering::Relaxed);
            let at = self.service.judged_at(rows)?;
            // Nobody else writes from here on.
            let now = audit::position(rows, rows.newest_event()?.as_ref())?;
            let look = if now == self.seen { Look::Unchanged } else { Look::Again };
            let ahead = Ahead::of(rows)?;
            thread::scope(|scope| {
                let (line, parts) = sync_channel(WAITING);
                let go_ahead = move || self.go_ahead(ahead, at, look, &line);
                let begun = thread::Builder::new().spawn_scoped(scope, go_ahead);
                let begun = begun.map_err(|error| StoreError::from(&error))?;
                let fates = self.take_in(rows, parts, done)?;
                let names = begun.join().unwrap_or_else(|panic| resume_unwind(panic))?;
                rows.put_names(&names)?;
                Ok(fates)
            })
        })
    }

    /// Makes one part after the other ready for the thread that writes, which takes them from
    /// `line`, and in the end the names.
    fn go_ahead(
        &self,
        mut ahead: Ahead,
        at: Moment,
        look: Look,
        line: &SyncSender<(Made, Ready)>,
    ) -> Result<Names, ImportError> {
        self.each_made(at, look, |mut made| {
            let told = take(&mut made.told);
            let ready = ahead.ready(&made.coming()?, told)?;
            // Who takes no more has failed, and says so.
            let sent = line.send((made, ready));
            Ok(if sent.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(ahead.rest()?)
    }

    /// Writes all `parts` that come.
    fn take_in(
        &self,
        rows: &mut Writer<'_>,
        parts: Receiver<(Made, Ready)>,
        done: &AtomicU64,
    ) -> Result<Fates, ImportError> {
        let (mut fates, mut refused, mut when) = (Fates::default(), Faults::default(), None);
        for (mut made, ready) in parts {
            let count = u64::try_from(made.fates.len()).unwrap_or(0);
            made.fates.drain(..).for_each(|fate| fates.add(fate));
            refused.extend(made.refused.drain(..));
            if refused.is_empty() {
                self.write(rows, &made, ready, &mut when)?;
                done.fetch_add(count, Ordering::Relaxed);
            }
        }
        // What was in the way when the lines were looked at was told before; this came since.
        if refused.is_empty() { Ok(fates) } else { Err(ImportError::Faults(refused)) }
    }

    /// Hands what each part comes to, beside the last commit, to `take` in their order, until that
    /// breaks. In a transaction, too, the last commit is what counts: no id and no name comes
    /// twice, and nobody else writes meanwhile.
    fn each_made(
        &self,
        at: Moment,
        look: Look,
        mut take: impl FnMut(Made) -> Result<ControlFlow<()>, ImportError>,
    ) -> Result<(), ImportError> {
        let mut done = Ok(());
        self.spool.each(
            |part| part.and_then(|part| self.made(part, at, look)),
            |made| {
                made.map_err(ImportError::from).and_then(&mut take).unwrap_or_else(|error| {
                    done = Err(error);
                    ControlFlow::Break(())
                })
            },
        );
        done
    }

    fn made(&self, bytes: Vec<u8>, at: Moment, look: Look) -> Result<Made, StoreError> {
        let (mut made, mut event) = (Made::default(), self.blank(at));
        self.service.store.read(|rows| {
            let mut rest = bytes.as_slice();
            loop {
                let place = bytes.len() - rest.len();
                let Some(one) = Spooled::next(&mut rest)? else { break };
                let fate = if look == Look::Unchanged && one.is_new {
                    Fate::NEW
                } else {
                    let incoming = Incoming { line: one.line, pat: one.pat()? };
                    let (fate, refused) = self.plan.fate(rows, at, &incoming)?;
                    made.refused.extend(refused);
                    fate
                };
                let comes = matches!(fate.outcome, Outcome::New | Outcome::Replaced);
                if look != Look::Ahead && comes {
                    let (id, mut was) = (one.id()?, None);
                    if fate.outcome == Outcome::Replaced {
                        made.replaced.push(id);
                        was = rows.pat(&id).ok().flatten();
                    }
                    made.ousted.extend(fate.clashes.iter().filter_map(|clash| match clash {
                        Clash::NameTaken(by) => Some(*by),
                        _ => None,
                    }));
                    self.tell(&mut event, id, &one.told, was.as_ref());
                    made.told.add(&event)?;
                    made.ids.push(id);
                    made.places.push(place);
                }
                made.fates.push(fate);
            }
            Ok::<_, StoreError>(())
        })?;
        made.part = bytes;
        Ok(made)
    }

    /// An event of this import that tells of nobody yet.
    fn blank(&self, at: Moment) -> EventDraft {
        EventDraft {
            at,
            actor: self.service.actor.clone(),
            token: None,
            name: String::new(),
            action: Action::Imported,
            detail: String::new(),
        }
    }

    /// Has `event` tell of the token `id`, which `was` here.
    fn tell(&self, event: &mut EventDraft, id: TokenId, told: &Told<'_>, was: Option<&Pat>) {
        event.token = Some(id);
        event.name.clear();
        event.name.push_str(told.name);
        event.detail.clear();
        let status = Status::of(told.revoked, told.expires, event.at).word();
        for piece in [status, " from store ", self.coming.store(), ", ", &until(told.expires)] {
            event.detail.push_str(piece);
        }
        if let Some(was) = was {
            for piece in [", was ", was.status(event.at).word(), " here"] {
                event.detail.push_str(piece);
            }
        }
    }

    /// Writes one part. Who has a name that it takes is deleted at the time `when`, which is
    /// common to them all; what comes is forgotten as it was deleted.
    fn write(
        &self,
        rows: &mut Writer<'_>,
        made: &Made,
        ready: Ready,
        when: &mut Option<Moment>,
    ) -> Result<(), ServiceError> {
        for id in &made.replaced {
            rows.remove_pat(id)?;
        }
        if !made.ousted.is_empty() {
            self.service.displace(rows, &made.ousted, when)?;
        }
        if rows.has_trash()? {
            for id in &made.ids {
                rows.remove_trash(id)?;
            }
        }
        Ok(rows.put_many(&made.coming()?, ready)?)
    }
}
