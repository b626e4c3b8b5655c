//! The records of a token's limits and of the uses that its secrets have taken. The count has its
//! own table, so that a check does not rewrite the token. Refuses a limit that the domain refuses.

use std::net::IpAddr;

use bincode::{BorrowDecode, Encode};

use super::{TimestampV1, try_map};
use crate::{
    domain::{MaxUses, SourceNetwork, SourceNetworks, Token, TokenLimits},
    store::codec::Record,
};

/// A network: first address and prefix length in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) enum SourceNetworkV1 {
    V4([u8; 4], u8),
    V6([u8; 16], u8),
}

impl From<SourceNetwork> for SourceNetworkV1 {
    fn from(network: SourceNetwork) -> Self {
        match network.address() {
            IpAddr::V4(address) => Self::V4(address.octets(), network.prefix_len()),
            IpAddr::V6(address) => Self::V6(address.octets(), network.prefix_len()),
        }
    }
}

impl SourceNetworkV1 {
    fn into_network(self) -> Option<SourceNetwork> {
        match self {
            Self::V4(address, prefix_len) => SourceNetwork::new(address.into(), prefix_len),
            Self::V6(address, prefix_len) => SourceNetwork::new(address.into(), prefix_len),
        }
    }
}

/// The limits of a token. No sources means any source.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct TokenLimitsV1 {
    pub(super) sources: Vec<SourceNetworkV1>,
    pub(super) not_before: Option<TimestampV1>,
    pub(super) max_uses: Option<u32>,
}

impl From<&TokenLimits> for TokenLimitsV1 {
    fn from(limits: &TokenLimits) -> Self {
        let sources = limits.sources.iter().flat_map(SourceNetworks::iter);
        Self {
            sources: sources.map(SourceNetworkV1::from).collect(),
            not_before: limits.not_before.map(Into::into),
            max_uses: limits.max_uses.map(MaxUses::get),
        }
    }
}

impl TokenLimitsV1 {
    pub(super) fn into_limits(self) -> Option<TokenLimits> {
        let sources: Option<Vec<_>> =
            self.sources.into_iter().map(SourceNetworkV1::into_network).collect();
        let sources = sources?;
        let is_any = sources.is_empty();
        let sources = (!is_any).then(|| SourceNetworks::new(sources)).transpose().ok()?;
        Some(TokenLimits {
            sources,
            not_before: try_map(self.not_before, TimestampV1::to_timestamp).ok()?,
            max_uses: try_map(self.max_uses, MaxUses::new).ok()?,
        })
    }
}

/// The number of uses that the secrets of a token have taken. `current` belongs to the secret with
/// the number `generation`, `previous` to the secret before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct UseCountV1 {
    generation: u32,
    current: u32,
    previous: u32,
}

impl Record for UseCountV1 {}

impl UseCountV1 {
    /// The count that replaces a damaged one: all uses are taken.
    pub(in crate::store) fn all_taken(generation: u32) -> Self {
        Self { generation, current: u32::MAX, previous: u32::MAX }
    }

    /// Sets the uses taken in `token`. If `count` is missing or damaged, all uses are taken.
    pub(in crate::store) fn apply_or_all_taken(count: Option<Self>, token: &mut Token) {
        count.unwrap_or(Self::all_taken(token.generation)).apply_to(token);
    }

    /// The counts in the fields of `token`. `None` if no use was counted.
    pub(in crate::store) fn of(token: &Token) -> Option<Self> {
        let previous = token.previous.as_ref().map_or(0, |old| old.uses_taken);
        let count = Self { generation: token.generation, current: token.uses_taken, previous };
        let is_counted = token.limits.max_uses.is_some() || count.current > 0 || count.previous > 0;
        is_counted.then_some(count)
    }

    /// Sets the counts in the fields of `token`. A secret with another number has no count.
    pub(in crate::store) fn apply_to(self, token: &mut Token) {
        token.uses_taken = self.of_secret(token.generation);
        if let Some(old) = &mut token.previous {
            old.uses_taken = self.of_secret(token.generation.saturating_sub(1));
        }
    }

    /// The counts of the secret with the number `generation` and the one before it: for each the
    /// higher number of both counts. Without a number, those of the later secrets.
    pub(in crate::store) fn merged(self, other: Self, generation: Option<u32>) -> Self {
        let generation = generation.unwrap_or(self.generation.max(other.generation));
        let taken = |number| self.of_secret(number).max(other.of_secret(number));
        let previous = generation.checked_sub(1).map_or(0, taken);
        Self { generation, current: taken(generation), previous }
    }

    /// The count of the secret with the number `generation`.
    fn of_secret(self, generation: u32) -> u32 {
        match generation {
            _ if generation == self.generation => self.current,
            _ if self.generation.checked_sub(1) == Some(generation) => self.previous,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_the_domain_would_refuse_is_damage() {
        let good = TokenLimitsV1::from(&TokenLimits::default());
        assert!(good.clone().into_limits().is_some());
        for bad in [
            TokenLimitsV1 { max_uses: Some(0), ..good.clone() },
            TokenLimitsV1 { sources: vec![SourceNetworkV1::V4([10, 0, 0, 1], 8)], ..good.clone() },
            TokenLimitsV1 { sources: vec![SourceNetworkV1::V4([10, 0, 0, 0], 33)], ..good.clone() },
            TokenLimitsV1 { not_before: Some(TimestampV1(i64::MAX, 0)), ..good },
        ] {
            assert_eq!(bad.into_limits(), None);
        }
    }
}
