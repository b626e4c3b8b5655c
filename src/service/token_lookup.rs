//! Resolves the id, id prefix or name of a token. Refuses an ambiguous prefix.
//! Called by the command line; the app already has ids.

use super::{Service, ServiceError};
use crate::{
    domain::{Actor, Name, Refusal, Token, TokenId, fold, plan::TRASH_RETENTION},
    store::{DamagedRecord, ReadOps, StoreError},
};

/// Minimum length of an id prefix, in characters.
pub const MIN_PREFIX_LEN: usize = 4;

impl Service {
    /// Returns the token that `text` identifies. Tries a full id, then a name, then an id prefix.
    /// Fails if no token matches. Fails also if several tokens match, with an error that lists the
    /// candidates.
    pub fn resolve(&self, text: &str) -> Result<Token, ServiceError> {
        self.store.read(|rows| {
            if let Some(id) = TokenId::parse(text)
                && let Some(token) = rows.token(&id)?
            {
                return Ok(token);
            }
            let ids = Name::parse(text).map_or(Ok(Vec::new()), |name| rows.ids_of_name(&name))?;
            let token = |id: &TokenId| rows.token(id)?.ok_or_else(|| Refusal::NotFound(*id).into());
            match ids.as_slice() {
                [] => {}
                [id] => return token(id),
                ids => {
                    let named = ids.iter().map(token).collect::<Result<_, ServiceError>>()?;
                    return unique_match(named, text);
                }
            }
            unique_match(rows.tokens()?.rows, text)
        })
    }

    /// Returns the id of the token that `text` identifies, even if the record of the token is
    /// damaged. Otherwise like [`Service::resolve`].
    pub fn resolve_id(&self, text: &str) -> Result<TokenId, ServiceError> {
        let error = match self.resolve(text) {
            Ok(token) => return Ok(token.id),
            Err(error) => error,
        };
        self.store.read(|rows| {
            let by_name = || Name::parse(text).map_or(Ok(None), |name| rows.id_of_name(&name));
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

    /// Returns the deleted token that `text` identifies by id, id prefix or name. Fails if no token
    /// matches that can still be restored.
    pub fn resolve_deleted(&self, text: &str) -> Result<Token, ServiceError> {
        let deleted = self.store.read(|rows| {
            Ok::<_, ServiceError>((self.clock.denial_time(rows)?, rows.trash()?.rows))
        });
        let (at, mut deleted) = deleted?;
        deleted.retain(|deleted| at - deleted.at < TRASH_RETENTION);
        unique_match(deleted.into_iter().map(|deleted| deleted.token).collect(), text).map_err(
            |error| match error {
                ServiceError::NotFound(given) => ServiceError::NotDeleted(given),
                other => other,
            },
        )
    }

    /// Returns the token with this id, if the store contains it.
    pub fn token(&self, id: &TokenId) -> Result<Option<Token>, ServiceError> {
        Ok(self.store.read(|rows| rows.token(id))?)
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// Returns the only damaged token whose id starts with `text`.
fn unique_damaged(damaged: &[DamagedRecord], text: &str) -> Option<TokenId> {
    let matches = |id: &TokenId| text.len() >= MIN_PREFIX_LEN && id.as_str().starts_with(text);
    let mut ids = damaged.iter().filter_map(DamagedRecord::token_id).filter(matches);
    ids.next().filter(|_| ids.next().is_none())
}

/// Returns the only token of `tokens` whose name is `text` or whose id starts with `text`. A prefix
/// shorter than [`MIN_PREFIX_LEN`] matches no id.
pub(super) fn unique_match(tokens: Vec<Token>, text: &str) -> Result<Token, ServiceError> {
    let is_long_enough = text.len() >= MIN_PREFIX_LEN;
    let name = fold(text.trim());
    let mut matching: Vec<Token> = tokens
        .into_iter()
        .filter(|token| {
            is_long_enough && token.id.as_str().starts_with(text) || token.name.folded() == name
        })
        .collect();
    match (matching.pop(), matching.is_empty()) {
        (Some(token), true) => Ok(token),
        (Some(last), false) => {
            let all = matching.iter().chain([&last]);
            let all: Vec<_> = all.map(|token| format!("{} ({})", token.id, token.name)).collect();
            Err(ServiceError::Ambiguous { given: text.to_owned(), candidates: all.join(", ") })
        }
        (None, _) => Err(ServiceError::NotFound(text.to_owned())),
    }
}
