//! Plans a command from the cache, so that a dialog for one token opens at once, even while another
//! process blocks the store. The service plans the command again when the command is executed. A
//! command on a token that is not in the cache cannot be planned here.

use chrono::NaiveDateTime;

use super::model::Model;
use crate::{
    domain::{
        Actor, AuditEvent, Command, EventHash, Name, Plan, Refusal, StoredToken, Timestamp, Token,
        TokenId,
        plan::{self, NewSecretDigests, PlanContext, ReadTokens},
    },
    service::Zone,
};

/// Why a command cannot be planned locally.
enum LocalPlanError {
    /// The plan reads something that is not in the cache.
    NotCached,
    /// A rule refused the command. The service refuses the command too, and gives the reason.
    Refused,
}

impl From<Refusal> for LocalPlanError {
    fn from(_: Refusal) -> Self {
        Self::Refused
    }
}

struct CachedTokenReader<'a>(&'a Model);

impl ReadTokens for CachedTokenReader<'_> {
    type Error = LocalPlanError;

    fn token(&self, id: &TokenId) -> Result<Option<Token>, LocalPlanError> {
        self.0.token(id).cloned().map(Some).ok_or(LocalPlanError::NotCached)
    }

    fn stored(&self, id: &TokenId) -> Result<StoredToken, LocalPlanError> {
        let token = self.token(id)?;
        Ok(token.map_or(StoredToken::Absent, |token| StoredToken::Live(token.into())))
    }

    fn id_of_name(&self, _: &Name) -> Result<Option<TokenId>, LocalPlanError> {
        Err(LocalPlanError::NotCached)
    }

    fn lookalike_of(&self, _: &Name) -> Result<Option<Name>, LocalPlanError> {
        Err(LocalPlanError::NotCached)
    }

    fn tokens(&self) -> Result<(Vec<Token>, Vec<TokenId>), LocalPlanError> {
        Err(LocalPlanError::NotCached)
    }

    fn deleted(&self) -> Result<Vec<(Token, Timestamp)>, LocalPlanError> {
        Err(LocalPlanError::NotCached)
    }

    /// Returns `None`, which is enough for a dialog: the newest deletion affects only the time of a
    /// new deletion, and no dialog shows that time.
    fn newest_deletion(&self) -> Result<Option<Timestamp>, LocalPlanError> {
        Ok(None)
    }

    fn deleted_until(
        &self,
        _: Timestamp,
        _: usize,
    ) -> Result<Vec<(Token, Timestamp)>, LocalPlanError> {
        Ok(Vec::new())
    }

    fn newest_event(&self) -> Result<(u64, EventHash), LocalPlanError> {
        Err(LocalPlanError::NotCached)
    }

    fn newest_event_of(&self, _: &TokenId) -> Result<Option<AuditEvent>, LocalPlanError> {
        Err(LocalPlanError::NotCached)
    }
}

/// Plans a command on one token. Returns `None` if only the service can plan the command.
pub(super) fn plan_from_cache(command: &Command, ctx: &Model) -> Option<Plan> {
    if command.tokens().len() != 1 || command.secret_file().is_some() {
        return None;
    }
    let context = PlanContext {
        // If the clock is behind, `at` is later than `clock`. A command that issues a secret is
        // then refused here. The service plans the command again and gives the reason.
        at: ctx.summary.clock_behind.map_or(ctx.now, |newest| newest.max(ctx.now)),
        clock: ctx.now,
        actor: &Actor::named(""),
        prefix: &ctx.policy.prefix,
        limits: &ctx.policy.limits,
        catalogue: &ctx.policy.catalogue,
        to_utc: |wall: NaiveDateTime| Zone::Local.to_utc(wall),
        deletion: None,
        digests: &NewSecretDigests::default(),
    };
    plan::plan(command, &CachedTokenReader(ctx), &context).ok()
}
