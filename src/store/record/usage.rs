//! The record of the last uses and denied attempts of a token, which has its own table, so that a
//! check does not rewrite the token. Schema 2 adds the denied attempts; the record of schema 1
//! remains for the migration.

use bincode::{BorrowDecode, Encode};

use super::{TimestampV1, try_map};
use crate::{
    domain::{Digest, LastUse, Token, later_use},
    store::codec::{Record, RecordBody},
};

#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct LastUseV1<'a> {
    at: TimestampV1,
    from: Option<&'a str>,
    summary: &'a str,
}

impl<'a> From<&'a LastUse> for LastUseV1<'a> {
    fn from(last: &'a LastUse) -> Self {
        Self { at: last.at.into(), from: last.from.as_deref(), summary: &last.summary }
    }
}

impl LastUseV1<'_> {
    fn into_last_use(self) -> Option<LastUse> {
        let (from, summary) = (self.from.map(Into::into), self.summary.into());
        Some(LastUse { at: self.at.to_timestamp()?, from, summary })
    }
}

/// The last uses of a token in schema 1, which counted a denied attempt as a use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct TokenUsesV1<'a> {
    current: Option<LastUseV1<'a>>,
    previous: Option<([u8; 32], LastUseV1<'a>)>,
}

impl Record for TokenUsesV1<'_> {}

#[cfg(test)]
impl<'a> TokenUsesV1<'a> {
    /// The record without the denied attempts, which schema 1 cannot contain.
    pub(super) fn of(uses: &'a TokenUses) -> Self {
        let previous = uses.previous.as_ref();
        let previous = previous.and_then(|(digest, uses)| Some((digest, uses.used.as_ref()?)));
        Self {
            current: uses.current.used.as_ref().map(LastUseV1::from),
            previous: previous.map(|(digest, used)| (*digest.as_bytes(), used.into())),
        }
    }
}

impl TokenUsesV1<'_> {
    pub(in crate::store) fn into_usage(self) -> Option<TokenUses> {
        let used = |last: LastUseV1<'_>| {
            Some(SecretUses { used: Some(last.into_last_use()?), denied: None })
        };
        let previous = |(digest, last)| Some((Digest::from_bytes(digest), used(last)?));
        Some(TokenUses {
            current: try_map(self.current, used).ok()?.unwrap_or_default(),
            previous: try_map(self.previous, previous).ok()?,
        })
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, BorrowDecode)]
struct SecretUsesV1<'a> {
    used: Option<LastUseV1<'a>>,
    denied: Option<LastUseV1<'a>>,
}

impl<'a> From<&'a SecretUses> for SecretUsesV1<'a> {
    fn from(uses: &'a SecretUses) -> Self {
        Self {
            used: uses.used.as_ref().map(Into::into),
            denied: uses.denied.as_ref().map(Into::into),
        }
    }
}

impl SecretUsesV1<'_> {
    fn into_uses(self) -> Option<SecretUses> {
        Some(SecretUses {
            used: try_map(self.used, LastUseV1::into_last_use).ok()?,
            denied: try_map(self.denied, LastUseV1::into_last_use).ok()?,
        })
    }
}

/// The last uses and denied attempts of a token: of its current secret and of a previous secret.
/// The digest identifies the previous secret, so that its uses are not attributed to another
/// secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct TokenUsesV2<'a> {
    current: SecretUsesV1<'a>,
    previous: Option<([u8; 32], SecretUsesV1<'a>)>,
}

impl Record for TokenUsesV2<'_> {
    const VERSION: u8 = 2;
}

impl<'a> From<&'a TokenUses> for TokenUsesV2<'a> {
    fn from(uses: &'a TokenUses) -> Self {
        let previous = uses.previous.as_ref();
        Self {
            current: (&uses.current).into(),
            previous: previous.map(|(digest, uses)| (*digest.as_bytes(), uses.into())),
        }
    }
}

impl TokenUsesV2<'_> {
    /// Decodes the last uses. Returns `None` if the record is damaged.
    pub(in crate::store) fn decode_usage(body: RecordBody<'_>) -> Option<TokenUses> {
        body.decode::<TokenUsesV2<'_>>()?.into_usage()
    }

    pub(in crate::store) fn into_usage(self) -> Option<TokenUses> {
        let previous = |(digest, uses): (_, SecretUsesV1<'_>)| {
            Some((Digest::from_bytes(digest), uses.into_uses()?))
        };
        Some(TokenUses {
            current: self.current.into_uses()?,
            previous: try_map(self.previous, previous).ok()?,
        })
    }
}

/// The last allowed use of a secret, and the last denied attempt to use it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct SecretUses {
    pub(in crate::store) used: Option<LastUse>,
    pub(in crate::store) denied: Option<LastUse>,
}

impl SecretUses {
    /// Records an attempt as a use or as a denied attempt.
    pub(in crate::store) fn record(&mut self, attempt: &LastUse, is_allowed: bool) {
        let last = if is_allowed { &mut self.used } else { &mut self.denied };
        *last = Some(attempt.clone());
    }

    /// Keeps the later use and the later denied attempt of `self` and `other`.
    fn merge(&mut self, other: Self) {
        self.used = later_use(self.used.take(), other.used);
        self.denied = later_use(self.denied.take(), other.denied);
    }
}

/// The last uses of a token, decoded from [`TokenUsesV2`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct TokenUses {
    pub(in crate::store) current: SecretUses,
    pub(in crate::store) previous: Option<(Digest, SecretUses)>,
}

impl TokenUses {
    pub(in crate::store) fn of(token: &Token) -> Self {
        let uses = |used: &Option<LastUse>, denied: &Option<LastUse>| SecretUses {
            used: used.clone(),
            denied: denied.clone(),
        };
        let previous = token.previous.as_ref();
        let previous = previous.map(|old| (old.digest, uses(&old.last_used, &old.last_denied)));
        Self {
            current: uses(&token.last_used, &token.last_denied),
            previous: previous.filter(|(_, uses)| *uses != SecretUses::default()),
        }
    }

    /// Returns the uses of the previous secret with this `digest`, to be changed. If the uses of a
    /// different previous secret were recorded before, merges them into `current`.
    pub(in crate::store) fn previous_mut(&mut self, digest: Digest) -> &mut SecretUses {
        if let Some((_, ended)) = self.previous.take_if(|(before, _)| !before.matches(&digest)) {
            self.current.merge(ended);
        }
        &mut self.previous.get_or_insert_with(|| (digest, SecretUses::default())).1
    }

    /// Sets the last uses in `token`. The use of a secret that no longer works still counts as a
    /// use of the token.
    pub(in crate::store) fn apply_to(self, token: &mut Token) {
        let Self { mut current, previous } = self;
        match (&mut token.previous, previous) {
            (Some(old), Some((digest, uses))) if old.digest.matches(&digest) => {
                old.last_used = uses.used;
                old.last_denied = uses.denied;
            }
            (_, previous) => current.merge(previous.map(|(_, uses)| uses).unwrap_or_default()),
        }
        token.last_used = current.used;
        token.last_denied = current.denied;
    }
}
