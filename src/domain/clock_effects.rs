//! What a clock that ran ahead left behind: the tokens that become valid again when the operator
//! accepts the present clock, and the tokens whose secrets last too long. Pure; changes nothing.
//! Called by the plan of that command, by `clock` and by `doctor`.

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
    /// Tokens that are expired by the time for denial, but not by the clock.
    pub reactivated: Vec<(TokenId, Name)>,
    /// Tokens whose secret was issued after the time of the clock.
    pub issued_in_future: Vec<(TokenId, Name)>,
    /// Tokens that have more than the maximum lifetime left by the clock.
    pub beyond_maximum: Vec<(TokenId, Name)>,
}

impl ClockEffects {
    /// Compares the time for `denial` with the `clock`. Ignores revoked tokens.
    pub fn of<'a>(
        tokens: impl IntoIterator<Item = &'a Token>,
        denial: Timestamp,
        clock: Timestamp,
        limits: &LifetimeLimits,
    ) -> Self {
        let mut effects = Self::default();
        let latest = clock + CLOCK_TOLERANCE;
        for token in tokens {
            if token.status(clock) != Status::Active {
                continue;
            }
            let entry = || (token.id, token.name.clone());
            if token.status(denial) == Status::Expired {
                effects.reactivated.push(entry());
            }
            if token.issued > latest {
                effects.issued_in_future.push(entry());
            } else if token.expires.is_some_and(|end| end - latest > limits.max.as_delta()) {
                effects.beyond_maximum.push(entry());
            }
        }
        effects
    }
}
