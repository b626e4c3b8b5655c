//! A new token that is like one that is here: its description, lifetime and scopes, under a
//! free name. Its secret is never copied: nobody has it. Called by clone and `create --like`.

use super::{Service, ServiceError, Zone};
use crate::{
    domain::{Lifetime, NewToken, Timestamp, Token, TokenId, lifetime::Span},
    store::ReadOps as _,
};

impl Service {
    /// What a token like this one would be made of. Where its lifetime is not allowed any more,
    /// it is the one that is offered first.
    pub fn template_from(&self, id: &TokenId) -> Result<NewToken, ServiceError> {
        self.store.read(|rows| {
            let at = self.clock.denial_time(rows)?;
            let token = Self::found(rows, id)?;
            let mut free = token.name.clone();
            for name in token.name.following() {
                if rows.id_of_name(&name)?.is_none() {
                    free = name;
                    break;
                }
            }
            Ok(NewToken {
                name: free,
                lifetime: self.lifetime_like(&token, at),
                description: token.description,
                scopes: token.scopes.as_slice().to_vec(),
            })
        })
    }

    /// The lifetime that `pat` was given. One in whole minutes was a duration; any other ended
    /// with a day.
    fn lifetime_like(&self, token: &Token, at: Timestamp) -> Lifetime {
        let given = token.expires.map_or(Some(Lifetime::Never), |end| {
            let lasted = end - token.issued;
            let minutes = u32::try_from(lasted.num_minutes()).ok().and_then(Span::minutes)?;
            Some(if minutes.as_delta() == lasted {
                Lifetime::For(minutes)
            } else {
                Lifetime::Through(Zone::Local.wall(end).date_naive())
            })
        });
        let to_utc = |wall| Zone::Local.instant(wall);
        let is_allowed = |given: &Lifetime| given.expiry(at, &self.policy.limits, to_utc).is_ok();
        let allowed = given.filter(is_allowed);
        allowed.unwrap_or(self.policy.default_lifetime)
    }
}
