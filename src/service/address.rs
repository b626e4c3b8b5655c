//! How people name a token: by its id, by its name, or by the start of its id. Called by the
//! command line before it acts; the app has ids already.

use super::{Service, ServiceError};
use crate::{
    domain::{Actor, Name, Refusal, Token, TokenId, plan::TRASH_RETENTION},
    store::ReadOps,
};

/// Fewest characters of an id that name a token.
const PREFIX_MIN: usize = 4;

impl Service {
    /// The token that `text` names: a whole id first, then a name, then the start of an id.
    /// Refuses what names none, and what names several, with the candidates.
    pub fn find(&self, text: &str) -> Result<Token, ServiceError> {
        self.store.read(|rows| {
            if let Some(id) = TokenId::parse(text)
                && let Some(token) = rows.token(&id)?
            {
                return Ok(token);
            }
            if let Ok(name) = Name::parse(text)
                && let Some(id) = rows.id_of_name(&name)?
            {
                return rows.token(&id)?.ok_or_else(|| Refusal::Gone(id).into());
            }
            one_of(rows.tokens()?.rows, text)
        })
    }

    /// The deleted token that `text` names, in the same ways.
    pub fn find_deleted(&self, text: &str) -> Result<Token, ServiceError> {
        let deleted = self.store.read(|rows| {
            Ok::<_, ServiceError>((self.clock.denial_time(rows)?, rows.trash()?.rows))
        });
        let (at, mut deleted) = deleted?;
        deleted.retain(|deleted| at - deleted.at < TRASH_RETENTION);
        one_of(deleted.into_iter().map(|deleted| deleted.token).collect(), text).map_err(|error| {
            match error {
                ServiceError::NotFound(_) => Refusal::NothingToRestore.into(),
                other => other,
            }
        })
    }

    /// The token with this id, if it is there.
    pub fn token(&self, id: &TokenId) -> Result<Option<Token>, ServiceError> {
        Ok(self.store.read(|rows| rows.token(id))?)
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// The one of `tokens` whose id starts with `text`, or whose id or name it is.
pub(super) fn one_of(tokens: Vec<Token>, text: &str) -> Result<Token, ServiceError> {
    let long = text.len() >= PREFIX_MIN;
    let mut found: Vec<Token> = tokens
        .into_iter()
        .filter(|token| long && token.id.as_str().starts_with(text) || token.name.as_str() == text)
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(token), true) => Ok(token),
        (Some(last), false) => {
            let all = found.iter().chain([&last]);
            let all: Vec<_> = all.map(|token| format!("{} ({})", token.id, token.name)).collect();
            Err(ServiceError::Ambiguous { given: text.to_owned(), candidates: all.join(", ") })
        }
        (None, _) => Err(ServiceError::NotFound(text.to_owned())),
    }
}
