//! What a screen asks of the world, as data, and what comes back. `perform` is the only place
//! where the app calls the service; a screen can be driven in a test by looking at these.

use std::path::{PathBuf, absolute};

use super::undo::{Back, told};
use crate::{
    domain::{Decision, Description, Digest, Event, Name, Pat, Request, Scope, TokenId},
    json,
    service::{
        Bulk, Claim, Issued, NewPat, Preview, Renewal, Service, ServiceError, StoreError, Trail,
        Undo, Undone,
    },
};

/// Newest events that the trail and a token's history show.
const TRAIL_ROWS: usize = 10_000;
const HISTORY_ROWS: usize = 100;

/// Something for the service to do.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Read these tokens.
    Fetch(Vec<TokenId>),
    /// Make a token.
    Create(NewPat),
    /// Describe a token like this one.
    Like(TokenId),
    /// Change name and description.
    Edit(TokenId, Name, Description),
    /// Add scopes.
    AddScopes(TokenId, Vec<Scope>),
    /// Remove one scope.
    RemoveScope(TokenId, Scope),
    /// Remove every scope.
    ClearScopes(TokenId),
    /// End a token.
    Revoke(TokenId),
    /// Give a token a new secret.
    Regenerate(TokenId, Renewal),
    /// End the retiring secret of a token before its time.
    EndOverlap(TokenId),
    /// Delete a token.
    Delete(TokenId),
    /// Delete all tokens, if there are this many.
    DeleteAll(usize),
    /// Look at what a change to these tokens would do.
    Preview(Bulk, Vec<TokenId>),
    /// Change all of these tokens.
    Bulk(Bulk, Vec<TokenId>),
    /// Take something back.
    Undo(Undo),
    /// Bring back what this operator deleted last.
    RestoreLast,
    /// Note how the secret was taken.
    Claim(TokenId, Digest, Claim),
    /// Decide a request as if the token's secret had been presented.
    Test(TokenId, Request),
    /// Read a token's own events.
    History(TokenId),
    /// Read a token for handing it out as JSON.
    Json(TokenId),
    /// Read the trail.
    Trail,
    /// Judge expiry by the machine's clock again.
    AcceptClock,
}

/// What came of an effect.
#[derive(Debug)]
pub enum Outcome {
    /// Tokens as they are; `None` for one that is gone.
    Pats(Vec<(TokenId, Option<Pat>)>),
    /// It is done: the sentence that says so, or none, and what leads back.
    Done(String, Back),
    /// What a token like another one would be made of.
    Likeness(TokenId, Box<NewPat>),
    /// A token has a new secret.
    Issued(Box<Issued>),
    /// What a change to many tokens would do.
    Previewed(Preview),
    /// Many tokens were changed; where new secrets went.
    Changed(Bulk, usize, Option<PathBuf>),
    /// The decision on a request.
    Decided(TokenId, Request, Decision),
    /// A token's own events.
    History(TokenId, Vec<Event>),
    /// The trail.
    Trail(Trail),
    /// A text that was asked for, to be put on the clipboard; the word names it.
    Text(&'static str, String),
    /// It was refused or failed; nothing was changed.
    Failed(ServiceError),
    /// The store failed to take this back; it may be tried again.
    NotUndone(Undo, StoreError),
}

/// Does what `effect` asks.
pub fn perform(service: &Service, effect: &Effect) -> Outcome {
    outcome(service, effect).unwrap_or_else(Outcome::Failed)
}

fn outcome(service: &Service, effect: &Effect) -> Result<Outcome, ServiceError> {
    Ok(match effect {
        Effect::Fetch(ids) => Outcome::Pats(service.get_many(ids)?),
        Effect::Create(new) => Outcome::Issued(Box::new(service.create(new)?)),
        Effect::Regenerate(id, renewal) => {
            Outcome::Issued(Box::new(service.regenerate(id, *renewal)?))
        }
        Effect::Undo(undo) => match service.undo(undo) {
            Err(ServiceError::Store(error)) => Outcome::NotUndone(undo.clone(), error),
            undone => Outcome::Done(told(&undone?), Back::Unneeded),
        },
        Effect::Like(id) => Outcome::Likeness(*id, Box::new(service.like(id)?)),
        Effect::Test(id, request) => {
            Outcome::Decided(*id, request.clone(), service.test(id, request)?)
        }
        Effect::Preview(bulk, ids) => Outcome::Previewed(service.preview_bulk(bulk, ids)?),
        Effect::Bulk(bulk, ids) => {
            let file = service.bulk(bulk, ids)?.map(|file| absolute(&file).unwrap_or(file));
            Outcome::Changed(bulk.clone(), ids.len(), file)
        }
        Effect::History(id) => Outcome::History(*id, service.history(id, HISTORY_ROWS)?),
        Effect::Trail => Outcome::Trail(service.trail(TRAIL_ROWS)?),
        Effect::Json(id) => Outcome::Text("JSON", json(service, id)?),
        Effect::Edit(..)
        | Effect::AddScopes(..)
        | Effect::RemoveScope(..)
        | Effect::ClearScopes(_)
        | Effect::Delete(_)
        | Effect::DeleteAll(_) => {
            let (said, undo) = changed(service, effect)?;
            Outcome::Done(said, Back::By(undo))
        }
        Effect::Revoke(_) | Effect::EndOverlap(_) => {
            let (said, why) = ended(service, effect)?;
            Outcome::Done(said, Back::Closed(why))
        }
        Effect::RestoreLast | Effect::Claim(..) | Effect::AcceptClock => {
            Outcome::Done(noted(service, effect)?, Back::Unneeded)
        }
    })
}

/// What `patdeck show --json` prints of the token.
fn json(service: &Service, id: &TokenId) -> Result<String, ServiceError> {
    let pat = service.token(id)?.ok_or_else(|| ServiceError::Gone(id.to_string()))?;
    let events = service.history(id, json::EVENTS)?;
    Ok(json::object(json::shown(&pat, &events, service.now()?)))
}

/// Does what can be taken back; the sentence that says that it is done, and the way back.
fn changed(service: &Service, effect: &Effect) -> Result<(String, Undo), ServiceError> {
    Ok(match effect {
        Effect::Edit(id, name, description) => {
            let (pat, undo) = service.edit(id, name, description)?;
            (format!("{} saved", pat.name), undo)
        }
        Effect::AddScopes(id, scopes) => {
            let (pat, added, undo) = service.add_scopes(id, scopes)?;
            let absorbed = match added.absorbed.len() {
                0 => String::new(),
                count => format!("; {count} narrower went, for * covers them"),
            };
            (format!("scopes of {} saved{absorbed}", pat.name), undo)
        }
        Effect::RemoveScope(id, scope) => {
            let (pat, undo) = service.remove_scope(id, scope)?;
            (format!("{scope} removed from {}", pat.name), undo)
        }
        Effect::ClearScopes(id) => {
            let (pat, undo) = service.clear_scopes(id)?;
            (format!("every scope removed from {}: it is denied everything", pat.name), undo)
        }
        Effect::Delete(id) => {
            let (pat, undo) = service.delete(id)?;
            (format!("{} is deleted", pat.name), undo)
        }
        Effect::DeleteAll(count) => {
            let (count, undo) = service.delete_all(*count)?;
            (format!("{count} tokens are deleted"), undo)
        }
        _ => (String::new(), Undo::Changes(Vec::new())),
    })
}

/// Does what nothing takes back; the sentence that says that it is done, and the one that says
/// what to do instead of taking it back.
fn ended(service: &Service, effect: &Effect) -> Result<(String, String), ServiceError> {
    Ok(match effect {
        Effect::Revoke(id) => {
            let name = service.revoke(id)?.name;
            (
                format!("{name} is revoked: its secret is denied; only regenerating leads back"),
                format!("{name} stays revoked: only regenerating leads back, to a new secret"),
            )
        }
        Effect::EndOverlap(id) => {
            let name = service.end_overlap(id)?.name;
            (
                format!("the old secret of {name} is denied from now on; the new one works"),
                format!("the old secret of {name} stays dead: nothing leads back to it"),
            )
        }
        _ => (String::new(), String::new()),
    })
}

/// Does what nobody would take back; the sentence that says that it is done, or none.
fn noted(service: &Service, effect: &Effect) -> Result<String, ServiceError> {
    Ok(match effect {
        Effect::RestoreLast => told(&Undone::Restored(service.restore_last()?)),
        Effect::AcceptClock => {
            service.accept_clock()?;
            "expiry is judged by this machine's clock again".into()
        }
        Effect::Claim(id, digest, how) => {
            service.claim(id, digest, *how)?;
            String::new()
        }
        _ => String::new(),
    })
}
