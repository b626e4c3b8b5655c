//! Finds the tokens that are affected if the clock ran ahead and was set back: those that become
//! valid again when the operator accepts the clock, and those whose secrets last too long. Pure;
//! changes nothing. Called by the plan of `Command::AcceptClock`, by `clock` and by `doctor`.

use super::{
    Timestamp,
    id::TokenId,
    lifetime::LifetimeLimits,
    name::Name,
    time_range::CLOCK_TOLERANCE,
    token::{Status, Token},
};

/// The tokens that a wrong clock affects, each with its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClockEffects {
    /// Tokens that are active at the time of the clock, but expired at the time for denial (see
    /// `PlanContext::at`).
    pub reactivated: Vec<(TokenId, Name)>,
    /// Tokens whose secret was issued after the time of the clock.
    pub issued_in_future: Vec<(TokenId, Name)>,
    /// Tokens whose remaining lifetime, counted from the time of the clock, exceeds the maximum, and
    /// tokens that never expire although the limits do not allow it.
    pub beyond_maximum: Vec<(TokenId, Name)>,
}

impl ClockEffects {
    /// Adds `token` to the lists that it belongs to. Adds nothing if it has ended at the time of the
    /// `clock`. `denial` is the time for denial.
    pub fn add(
        &mut self,
        token: &Token,
        denial: Timestamp,
        clock: Timestamp,
        limits: &LifetimeLimits,
    ) {
        if token.status(clock).is_ended() {
            return;
        }
        let latest = clock + CLOCK_TOLERANCE;
        let entry = || (token.id, token.name.clone());
        if token.status(denial) == Status::Expired {
            self.reactivated.push(entry());
        }
        if token.issued > latest {
            self.issued_in_future.push(entry());
        } else if is_beyond_maximum(token, latest, *limits) {
            self.beyond_maximum.push(entry());
        }
    }
}

/// Whether the token ends later than the limits allow for a token issued at `latest`.
fn is_beyond_maximum(token: &Token, latest: Timestamp, limits: LifetimeLimits) -> bool {
    match token.expires {
        Some(end) => end - latest > limits.max.as_delta(),
        None => !limits.allow_never,
    }
}
