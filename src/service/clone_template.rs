//! The template for a clone: description, lifetime, scopes, limits, labels and named owner of an
//! existing token, with a free name. The clone gets its own secret. Called by the clone action of the
//! app and `create --like`.

use super::{Service, ServiceError, Zone, stale_records::require_current_record};
use crate::{
    domain::{Lifetime, LimitChanges, NewToken, Timestamp, Token, TokenId},
    store::ReadOps as _,
};

impl Service {
    /// Returns the fields for a clone of the token `id`. If the limits no longer allow its
    /// lifetime, the clone gets the default lifetime. Fails if the token does not exist, or if its
    /// record is out of date: a copy would give back what was taken from the token.
    pub fn template_from(&self, id: &TokenId) -> Result<NewToken, ServiceError> {
        self.store.read(|rows| {
            let at = self.clock.denial_time(rows)?;
            let token = Self::require_token(rows, id)?;
            require_current_record(rows, &token)?;
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
                limits: LimitChanges::copy_of(&token.limits, at),
                description: token.description,
                labels: token.labels,
                owner: token.owner,
                scopes: token.scopes.as_slice().to_vec(),
            })
        })
    }

    /// Returns the lifetime that was chosen for `token`, or the default lifetime if the limits no
    /// longer allow it.
    fn lifetime_for_copy(&self, token: &Token, at: Timestamp) -> Lifetime {
        let to_utc = |wall| Zone::Local.to_utc(wall);
        let chosen_lifetime = Lifetime::between(token.issued, token.expires, to_utc);
        let is_allowed =
            |lifetime: &Lifetime| lifetime.expiry(at, &self.policy.limits, to_utc).is_ok();
        chosen_lifetime.filter(is_allowed).unwrap_or(self.policy.default_lifetime)
    }
}
