//! The template for a clone: description, lifetime and scopes of an existing token, with a free
//! name. The clone gets its own secret. Called by the clone action of the app and `create --like`.

use super::{Service, ServiceError, Zone};
use crate::{
    domain::{Lifetime, NewToken, Timestamp, Token, TokenId, lifetime::DurationMinutes},
    store::ReadOps as _,
};

impl Service {
    /// Returns the fields for a clone of the token `id`. If the limits no longer allow its
    /// lifetime, the clone gets the default lifetime. Fails if the token does not exist.
    pub fn template_from(&self, id: &TokenId) -> Result<NewToken, ServiceError> {
        self.store.read(|rows| {
            let at = self.clock.denial_time(rows)?;
            let token = Self::require_token(rows, id)?;
            let mut free_name = token.name.clone();
            for name in token.name.numbered_successors() {
                if rows.id_of_name(&name)?.is_none() {
                    free_name = name;
                    break;
                }
            }
            Ok(NewToken {
                name: free_name,
                lifetime: self.lifetime_for_copy(&token, at),
                description: token.description,
                scopes: token.scopes.as_slice().to_vec(),
            })
        })
    }

    /// Derives the lifetime that was chosen for `token` from its issue and expiry times. If the
    /// time between them is a whole number of minutes, a duration was chosen. Otherwise, a date was
    /// chosen, and the lifetime ends with that day. Returns the default lifetime if the limits no
    /// longer allow the chosen lifetime.
    fn lifetime_for_copy(&self, token: &Token, at: Timestamp) -> Lifetime {
        let chosen_lifetime = token.expires.map_or(Some(Lifetime::Never), |end| {
            let span = end - token.issued;
            let minutes = u32::try_from(span.num_minutes()).ok().and_then(DurationMinutes::new)?;
            Some(if minutes.as_delta() == span {
                Lifetime::For(minutes)
            } else {
                Lifetime::Through(Zone::Local.wall_time(end).date_naive())
            })
        });
        let to_utc = |wall| Zone::Local.to_utc(wall);
        let is_allowed =
            |lifetime: &Lifetime| lifetime.expiry(at, &self.policy.limits, to_utc).is_ok();
        chosen_lifetime.filter(is_allowed).unwrap_or(self.policy.default_lifetime)
    }
}
