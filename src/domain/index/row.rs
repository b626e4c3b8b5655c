//! What the list knows of one token without its record. Called by whoever asks the index.

use super::chunk::{Marks, NEVER, STANDINGS, UNUSED, stamp, standing};
use crate::domain::{Moment, Status, StatusFilter, TokenId};

/// What the list knows of a token without its record.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub(super) id: TokenId,
    pub(super) issued: i64,
    pub(super) expires: i64,
    pub(super) used: i64,
    pub(super) marks: Marks,
}

impl Row {
    /// Whose row it is.
    pub fn id(&self) -> TokenId {
        self.id
    }

    /// What the token is at `at`, as [`crate::domain::Pat::status`] says.
    pub fn status(&self, at: Moment) -> Status {
        self.standing(at).0
    }

    /// Whether `statuses` shows the token at `at`.
    pub(super) fn is_in(&self, statuses: StatusFilter, at: Moment) -> bool {
        let (status, soon) = self.standing(at);
        statuses.shows(status, soon)
    }

    fn standing(&self, at: Moment) -> (Status, bool) {
        let standing = standing(self.marks.revoked, self.expires, stamp(at));
        STANDINGS.get(standing).copied().unwrap_or((Status::Revoked, false))
    }

    /// When its present secret was issued.
    pub fn issued(&self) -> Moment {
        Moment::from_timestamp_nanos(self.issued)
    }

    /// When it expires; `None` for never.
    pub fn expires(&self) -> Option<Moment> {
        (self.expires != NEVER).then(|| Moment::from_timestamp_nanos(self.expires))
    }

    /// When it was last used; `None` for never.
    pub fn last_used(&self) -> Option<Moment> {
        (self.used != UNUSED).then(|| Moment::from_timestamp_nanos(self.used))
    }

    /// Whether its secret was taken by somebody.
    pub fn is_claimed(&self) -> bool {
        self.marks.claimed
    }
}
