//! Plans a command on the records that the app has, so that a dialog on one token opens at once,
//! even while another process blocks the store. The service plans again when it executes the
//! command. Refuses commands on tokens that the app does not have.

use chrono::NaiveDateTime;

use super::model::Model;
use crate::{
    domain::{
        Actor, AuditEvent, Command, Name, Plan, Refusal, Timestamp, Token, TokenId,
        plan::{self, NewDigests, PlanContext, ReadTokens},
    },
    service::Zone,
};

enum Unplanned {
    /// The app does not have what the plan needs to read.
    Unknown,
    /// A rule refused the command; the service explains it.
    Refused,
}

impl From<Refusal> for Unplanned {
    fn from(_: Refusal) -> Self {
        Self::Refused
    }
}

struct CachedTokens<'a>(&'a Model);

impl ReadTokens for CachedTokens<'_> {
    type Error = Unplanned;

    fn token(&self, id: &TokenId) -> Result<Option<Token>, Unplanned> {
        self.0.token(id).cloned().map(Some).ok_or(Unplanned::Unknown)
    }

    fn id_of_name(&self, _: &Name) -> Result<Option<TokenId>, Unplanned> {
        Err(Unplanned::Unknown)
    }

    fn tokens(&self) -> Result<Vec<Token>, Unplanned> {
        Err(Unplanned::Unknown)
    }

    /// Only the time of a deletion depends on them, which no dialog shows.
    fn deleted(&self) -> Result<Vec<(Token, Timestamp)>, Unplanned> {
        Ok(Vec::new())
    }

    fn last_event(&self, _: &TokenId) -> Result<Option<AuditEvent>, Unplanned> {
        Err(Unplanned::Unknown)
    }

    fn newest_event_at(&self) -> Result<Option<Timestamp>, Unplanned> {
        Err(Unplanned::Unknown)
    }
}

/// The plan for a command on one token; `None` if only the service can make it.
pub(super) fn plan_locally(command: &Command, ctx: &Model) -> Option<Plan> {
    if command.tokens().len() != 1 || command.secret_file().is_some() {
        return None;
    }
    let context = PlanContext {
        at: ctx.now,
        clock: ctx.now,
        actor: &Actor::named(""),
        prefix: &ctx.policy.prefix,
        limits: &ctx.policy.limits,
        catalogue: &ctx.policy.catalogue,
        to_utc: |wall: NaiveDateTime| Zone::Local.instant(wall),
        deletion: None,
        digests: &NewDigests::default(),
    };
    plan::plan(command, &CachedTokens(ctx), &context).ok()
}
