//! Resolves the id, the name, or a prefix of the id or name of a token. Refuses an ambiguous prefix,
//! and suggests a similar name if nothing matches. Called by the command line; the app already has
//! ids.

use strsim::osa_distance;

use super::{Service, ServiceError};
use crate::{
    domain::{
        Actor, Name, Refusal, Token, TokenId, fold, list_first, plan::TRASH_RETENTION,
        secret::id_in_hint,
    },
    store::{DamagedRecord, HasTables, ReadOps, StoreError},
};

/// Minimum length of a prefix of an id or name, in bytes.
pub const MIN_PREFIX_LEN: usize = 4;

/// Maximum number of tokens that the error for an ambiguous prefix lists.
const MAX_CANDIDATES: usize = 10;

/// Number of events that are read at once.
const EVENTS_PER_PAGE: usize = 256;

impl Service {
    /// Returns the token that `text` identifies. Tries a full id, then a name, then a prefix of an
    /// id or name, then the hint of a secret. Fails if no token matches. Fails also if several tokens match, with an error that lists the
    /// candidates.
    pub fn resolve(&self, text: &str) -> Result<Token, ServiceError> {
        or_by_hint(text, |text| self.resolve_text(text))
    }

    fn resolve_text(&self, text: &str) -> Result<Token, ServiceError> {
        self.store.read(|rows| {
            if let Some(id) = TokenId::parse(text)
                && let Some(token) = rows.token(&id)?
            {
                return Ok(token);
            }
            let ids =
                Name::parse_stored(text).map_or(Ok(Vec::new()), |name| rows.ids_of_name(&name))?;
            let token = |id: &TokenId| rows.token(id)?.ok_or_else(|| Refusal::NotFound(*id).into());
            match ids.as_slice() {
                [] => {}
                [id] => return token(id),
                ids => {
                    let named = ids.iter().map(token).collect::<Result<_, ServiceError>>()?;
                    return unique_match(named, text);
                }
            }
            match unique_match(rows.tokens()?.rows, text) {
                Err(error @ ServiceError::NotFound { .. }) => {
                    let deleted = self.restorable(rows)?;
                    let deleted = deleted.into_iter().find(|token| is_named(token, text));
                    Err(deleted.map_or(error, |token| deleted_error(rows, &token)))
                }
                found => found,
            }
        })
    }

    /// Returns the id of the token that `text` identifies, even if the record of the token is
    /// damaged. Otherwise like [`Service::resolve`].
    pub fn resolve_id(&self, text: &str) -> Result<TokenId, ServiceError> {
        or_by_hint(text, |text| self.resolve_text_to_id(text))
    }

    fn resolve_text_to_id(&self, text: &str) -> Result<TokenId, ServiceError> {
        let error = match self.resolve_text(text) {
            Ok(token) => return Ok(token.id),
            Err(error) => error,
        };
        self.store.read_once(|rows| {
            let by_name =
                || Name::parse_stored(text).map_or(Ok(None), |name| rows.id_of_name(&name));
            let id = match TokenId::parse(text) {
                Some(id) if !matches!(rows.token(&id), Ok(None)) => Some(id),
                _ => by_name()?,
            };
            match id.map(|id| (id, rows.token(&id))) {
                Some((id, Err(StoreError::Damaged(_)))) => Ok(id),
                _ => unique_damaged(&rows.tokens()?.damaged, text).ok_or(error),
            }
        })
    }

    /// Returns the deleted token that `text` identifies by id, name or prefix. Fails if no token
    /// matches that can still be restored.
    pub fn resolve_deleted(&self, text: &str) -> Result<Token, ServiceError> {
        let found = or_by_hint(text, |text| unique_match(self.restorable_tokens()?, text));
        found.map_err(|error| match error {
            ServiceError::NotFound { given, .. } => ServiceError::NotDeleted(given),
            other => other,
        })
    }

    /// Returns the deleted tokens that can still be restored.
    pub fn restorable_tokens(&self) -> Result<Vec<Token>, ServiceError> {
        self.store.read(|rows| self.restorable(rows))
    }

    fn restorable(&self, rows: &impl ReadOps) -> Result<Vec<Token>, ServiceError> {
        let at = self.clock.denial_time(rows)?;
        let mut deleted = rows.trash()?.rows;
        deleted.retain(|deleted| at - deleted.at < TRASH_RETENTION);
        Ok(deleted.into_iter().map(|deleted| deleted.token).collect())
    }

    /// Returns the token that had the name `text` in the newest event with this name. It need not exist
    /// any more.
    pub fn resolve_in_trail(&self, text: &str) -> Result<Option<TokenId>, ServiceError> {
        let name = fold(text.trim());
        let mut before = None;
        loop {
            let page = self.store.read(|rows| rows.events_before(before, EVENTS_PER_PAGE))?.rows;
            let mut named = page.iter().filter(|event| fold(&event.body.name) == name);
            let id = named.find_map(|event| event.body.token);
            let Some(last) = page.last().filter(|_| id.is_none()) else { return Ok(id) };
            before = Some(last.sequence);
        }
    }

    /// Returns the token with this id, if the store contains it.
    pub fn token(&self, id: &TokenId) -> Result<Option<Token>, ServiceError> {
        Ok(self.store.read(|rows| rows.token(id))?)
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// Looks `text` up with `find`. If nothing has this text, and it is the hint of a secret, looks up the
/// id in the hint.
fn or_by_hint<T>(
    text: &str,
    find: impl Fn(&str) -> Result<T, ServiceError>,
) -> Result<T, ServiceError> {
    match (find(text), id_in_hint(text)) {
        (Err(ServiceError::NotFound { .. }), Some(id)) => find(id.as_str()),
        (found, _) => found,
    }
}

/// The error for a deleted token. If the register cannot be read, a restore would say so.
fn deleted_error(rows: &impl HasTables, token: &Token) -> ServiceError {
    let name = token.name.to_string();
    let state = rows.revocation_state(&token.id).unwrap_or_default();
    if state.is_ended_for_good() {
        ServiceError::DeletedForGood(name)
    } else {
        ServiceError::Deleted(name)
    }
}

/// Whether `text` is the id or the name of the token.
fn is_named(token: &Token, text: &str) -> bool {
    token.id.as_str() == text || token.name.folded() == fold(text.trim())
}

/// Returns the only damaged token whose id starts with `text`.
fn unique_damaged(damaged: &[DamagedRecord], text: &str) -> Option<TokenId> {
    let matches = |id: &TokenId| text.len() >= MIN_PREFIX_LEN && id.as_str().starts_with(text);
    let mut ids = damaged.iter().filter_map(DamagedRecord::token_id).filter(matches);
    ids.next().filter(|_| ids.next().is_none())
}

/// Returns the only token of `tokens` whose name is `text`. If there is none, returns the only token
/// whose id or name starts with `text`. A prefix shorter than [`MIN_PREFIX_LEN`] matches nothing.
pub(super) fn unique_match(tokens: Vec<Token>, text: &str) -> Result<Token, ServiceError> {
    let name = fold(text.trim());
    let has_name = |token: &Token| token.name.folded() == name;
    let has_prefix = |token: &Token| {
        text.len() >= MIN_PREFIX_LEN && token.id.as_str().starts_with(text)
            || name.len() >= MIN_PREFIX_LEN && token.name.folded().starts_with(&*name)
    };
    let (mut matching, mut others): (Vec<_>, Vec<_>) = tokens.into_iter().partition(has_name);
    if matching.is_empty() {
        (matching, others) = others.into_iter().partition(has_prefix);
    }
    match (matching.pop(), matching.is_empty()) {
        (Some(token), true) => Ok(token),
        (Some(last), false) => {
            let count = matching.len() + 1;
            let all = matching.iter().chain([&last]).take(MAX_CANDIDATES);
            let all: Vec<_> = all.map(|token| format!("{} ({})", token.id, token.name)).collect();
            let candidates = list_first(all.iter().map(String::as_str), MAX_CANDIDATES, count);
            Err(ServiceError::Ambiguous { given: text.to_owned(), candidates })
        }
        (None, _) => {
            let similar = similar_name(&others, &name);
            Err(ServiceError::NotFound { given: text.to_owned(), similar })
        }
    }
}

/// Returns the name that differs least from the folded name `given`, by at most two letters and by
/// at most a third of the letters.
fn similar_name(tokens: &[Token], given: &str) -> Option<String> {
    let letters = given.chars().count();
    let limit = (letters / 3).min(2);
    let distance = |token: &Token| {
        let name = token.name.folded();
        // The distance is at least the difference in length: skip the costly comparison.
        let is_near = letters.abs_diff(name.chars().count()) <= limit;
        is_near.then(|| osa_distance(given, &name)).filter(|distance| *distance <= limit)
    };
    let near = tokens.iter().filter_map(|token| Some((distance(token)?, token)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, token)| token.name.to_string())
}
