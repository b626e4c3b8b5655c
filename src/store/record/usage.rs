//! The record of the last uses of a token, which has its own table, so that a check does not
//! rewrite the token.

use bincode::{BorrowDecode, Encode};

use super::{TimestampV1, try_map};
use crate::{
    domain::{Digest, LastUse, Token, later_use},
    store::codec::Record,
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

/// The last uses of a token: the last use of its current secret and of a previous secret. The
/// digest identifies the previous secret, so that its last use is not attributed to another secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct TokenUsesV1<'a> {
    current: Option<LastUseV1<'a>>,
    previous: Option<([u8; 32], LastUseV1<'a>)>,
}

impl Record for TokenUsesV1<'_> {}

impl<'a> From<&'a TokenUses> for TokenUsesV1<'a> {
    fn from(uses: &'a TokenUses) -> Self {
        let previous = uses.previous.as_ref();
        Self {
            current: uses.current.as_ref().map(LastUseV1::from),
            previous: previous.map(|(digest, used)| (*digest.as_bytes(), used.into())),
        }
    }
}

impl TokenUsesV1<'_> {
    pub(in crate::store) fn into_usage(self) -> Option<TokenUses> {
        let previous = |(digest, used): (_, LastUseV1<'_>)| {
            Some((Digest::from_bytes(digest), used.into_last_use()?))
        };
        Some(TokenUses {
            current: try_map(self.current, LastUseV1::into_last_use).ok()?,
            previous: try_map(self.previous, previous).ok()?,
        })
    }
}

/// The last uses of a token, decoded from [`TokenUsesV1`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct TokenUses {
    pub(in crate::store) current: Option<LastUse>,
    pub(in crate::store) previous: Option<(Digest, LastUse)>,
}

impl TokenUses {
    pub(in crate::store) fn of(token: &Token) -> Self {
        let previous = token.previous.as_ref();
        let previous = previous.and_then(|old| Some((old.digest, old.last_used.clone()?)));
        Self { current: token.last_used.clone(), previous }
    }

    /// Records a use of the previous secret with this `digest`. If the use of a different previous
    /// secret was recorded before, merges that use into `current`, which keeps the later use.
    pub(in crate::store) fn record_previous_use(&mut self, digest: Digest, used: &LastUse) {
        if let Some((before, last)) = self.previous.replace((digest, used.clone()))
            && !before.matches(&digest)
        {
            self.current = later_use(self.current.take(), Some(last));
        }
    }

    /// Sets the last uses in `token`. The use of a secret that no longer works still counts as a
    /// use of the token.
    pub(in crate::store) fn apply_to(self, token: &mut Token) {
        match (&mut token.previous, self.previous) {
            (Some(old), Some((digest, used))) if old.digest.matches(&digest) => {
                old.last_used = Some(used);
                token.last_used = self.current;
            }
            (_, previous) => {
                token.last_used = later_use(self.current, previous.map(|(_, used)| used));
            }
        }
    }
}
