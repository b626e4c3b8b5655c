//! What a screen asks of the world, as data, and what comes back. `perform` is the only place
//! where the app calls the service; a screen can be driven in a test by looking at these.

use std::path::{PathBuf, absolute};

use crate::{
    domain::{Added, Decision, Description, Digest, Event, Name, Pat, Request, Scope, TokenId},
    service::{Bulk, Claim, Issued, NewPat, Preview, Renewal, Service, ServiceError, Trail},
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
    /// Bring back what was deleted last.
    Undo,
    /// Note how the secret was taken.
    Claim(TokenId, Digest, Claim),
    /// Decide a request as if the token's secret had been presented.
    Test(TokenId, Request),
    /// Read a token's own events.
    History(TokenId),
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
    /// A token was changed; the sentence says how.
    Done(String),
    /// Scopes were added; some may have been absorbed.
    ScopesAdded(Pat, Added),
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
    /// It was refused or failed; nothing was changed.
    Failed(ServiceError),
}

/// Does what `effect` asks.
pub fn perform(service: &Service, effect: &Effect) -> Outcome {
    outcome(service, effect).unwrap_or_else(Outcome::Failed)
}

fn outcome(service: &Service, effect: &Effect) -> Result<Outcome, ServiceError> {
    Ok(match effect {
        Effect::Fetch(ids) => Outcome::Pats(service.some(ids)?),
        Effect::Create(new) => Outcome::Issued(Box::new(service.create(new)?)),
        Effect::Regenerate(id, renewal) => {
            Outcome::Issued(Box::new(service.regenerate(id, *renewal)?))
        }
        Effect::AddScopes(id, scopes) => {
            let (pat, added) = service.add_scopes(id, scopes)?;
            Outcome::ScopesAdded(pat, added)
        }
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
        Effect::Edit(..)
        | Effect::RemoveScope(..)
        | Effect::ClearScopes(_)
        | Effect::Revoke(_)
        | Effect::EndOverlap(_)
        | Effect::Delete(_)
        | Effect::DeleteAll(_)
        | Effect::Undo
        | Effect::Claim(..)
        | Effect::AcceptClock => Outcome::Done(done(service, effect)?),
    })
}

/// Does what has nothing to show but that it is done; the sentence that says so, or none.
fn done(service: &Service, effect: &Effect) -> Result<String, ServiceError> {
    Ok(match effect {
        Effect::Edit(id, name, description) => {
            format!("{} saved", service.edit(id, name, description)?.name)
        }
        Effect::RemoveScope(id, scope) => {
            format!("{scope} removed from {}", service.remove_scope(id, scope)?.name)
        }
        Effect::ClearScopes(id) => {
            let name = service.clear_scopes(id)?.name;
            format!("every scope removed from {name}: it is denied everything")
        }
        Effect::Revoke(id) => {
            format!("{} is revoked: from now on its secret is denied", service.revoke(id)?.name)
        }
        Effect::EndOverlap(id) => {
            let name = service.end_overlap(id)?.name;
            format!("the old secret of {name} is denied from now on; the new one works")
        }
        Effect::Delete(id) => {
            format!("{} is deleted: u brings it back for 24 hours", service.delete(id)?.name)
        }
        Effect::DeleteAll(count) => {
            let count = service.delete_all(*count)?;
            format!("{count} tokens are deleted: u brings them back for 24 hours")
        }
        Effect::Undo => match service.restore_last()?.as_slice() {
            [pat] => format!("{} is back, with its secret", pat.name),
            many => format!("{} tokens are back, with their secrets", many.len()),
        },
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
