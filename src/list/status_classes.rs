//! The status class of each row at an instant, the count of each class, and the instant of the next
//! change. Times are nanoseconds since 1970. Called by `query` and by `synced_index`, which caches
//! the classes until a row changes or a class changes with the time.

use rayon::prelude::*;

use super::{
    expiry_days::ExpiryDays,
    text_block::BLOCK_ROWS,
    token_table::{RowFlags, TokenTable},
};
use crate::domain::{Status, StatusCounts, Timestamp, token::EXPIRES_SOON_WITHIN};

/// The expiry of a token that never expires.
pub(super) const NEVER: i64 = i64::MAX;
/// The start of validity of a token that is valid from its issue on.
pub(super) const NO_START: i64 = i64::MIN;
/// The last use of a token that was never used.
pub(super) const NEVER_USED: i64 = i64::MIN;

const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;
const SOON_NANOS: i64 = EXPIRES_SOON_WITHIN.num_days() * DAY;

/// Converts to nanoseconds since 1970. A time out of range saturates, but never to [`NEVER`] or
/// [`NEVER_USED`].
pub(super) fn to_nanos(at: Timestamp) -> i64 {
    let limit = if at.timestamp() < 0 { NEVER_USED + 1 } else { NEVER - 1 };
    at.timestamp_nanos_opt().map_or(limit, |nanos| nanos.clamp(NEVER_USED + 1, NEVER - 1))
}

/// The status of a row, with a separate class for active tokens that expire within a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusClass {
    Free,
    Active,
    ExpiringSoon,
    NotYetValid,
    Expired,
    Revoked,
}

impl StatusClass {
    pub(super) const ALL: [Self; 6] = [
        Self::Free,
        Self::Active,
        Self::ExpiringSoon,
        Self::NotYetValid,
        Self::Expired,
        Self::Revoked,
    ];

    /// The status, and whether the token expires soon; `None` for a free row.
    pub(super) fn status(self) -> Option<(Status, bool)> {
        match self {
            Self::Free => None,
            Self::Active => Some((Status::Active, false)),
            Self::ExpiringSoon => Some((Status::Active, true)),
            Self::NotYetValid => Some((Status::NotYetValid, false)),
            Self::Expired => Some((Status::Expired, false)),
            Self::Revoked => Some((Status::Revoked, false)),
        }
    }
}

/// The time in which the secret of a row is valid, unless it is revoked.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowValidity {
    /// The start, or [`NO_START`].
    pub(super) not_before: i64,
    /// The end, or [`NEVER`].
    pub(super) expires: i64,
}

/// The class of a row. Evaluates all conditions without branches, because branches on mixed
/// statuses would be mispredicted.
pub(super) fn classify(flags: RowFlags, validity: RowValidity, now: i64) -> StatusClass {
    let RowValidity { not_before, expires } = validity;
    let soon = expires < now.saturating_add(SOON_NANOS);
    let active = if soon { StatusClass::ExpiringSoon } else { StatusClass::Active };
    let valid = if now < not_before { StatusClass::NotYetValid } else { active };
    let unrevoked = if now >= expires { StatusClass::Expired } else { valid };
    let class = if flags.revoked { StatusClass::Revoked } else { unrevoked };
    if flags.removed { StatusClass::Free } else { class }
}

/// How many rows are in each class.
pub(super) type ClassCounts = [usize; StatusClass::ALL.len()];

pub(super) fn count_classes(classes: &[StatusClass]) -> ClassCounts {
    let mut counts = ClassCounts::default();
    for class in classes {
        if let Some(count) = counts.get_mut(*class as usize) {
            *count += 1;
        }
    }
    counts
}

pub(super) fn add_counts(mut a: ClassCounts, b: ClassCounts) -> ClassCounts {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

pub(super) fn to_status_counts(counts: ClassCounts) -> StatusCounts {
    let [_, active, soon, not_yet_valid, expired, revoked] = counts;
    StatusCounts { active: active + soon, expiring: soon, not_yet_valid, expired, revoked }
}

/// Statistics of all tokens at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenStats {
    /// The number of tokens of each status.
    pub counts: StatusCounts,
    /// The next instant at which the passing of time changes a count, or at which the days of the
    /// expiries change. `None` if there is no such instant.
    pub until: Option<Timestamp>,
    /// How many active tokens expire on each of the next days.
    pub expiries: ExpiryDays,
}

/// The status class of each table row. Valid from `from` until `stats.until`, provided the table is
/// unchanged.
#[derive(Debug)]
pub(super) struct ClassifiedRows {
    pub(super) classes: Vec<StatusClass>,
    pub(super) stats: TokenStats,
    from: Timestamp,
}

impl ClassifiedRows {
    pub(super) fn of(table: &TokenTable, at: Timestamp) -> Self {
        let classes = table.classes(at);
        let blocks = classes.par_chunks(BLOCK_ROWS).zip(table.validity.par_chunks(BLOCK_ROWS));
        let counts_and_ends = blocks.map(|(classes, validity)| {
            let rows = classes.iter().copied().zip(validity);
            let ends = rows.map(|(class, validity)| class_end(class, *validity));
            (count_classes(classes), ends.fold(NEVER, i64::min))
        });
        let none = || (ClassCounts::default(), NEVER);
        let (counts, until) =
            counts_and_ends.reduce(none, |a, b| (add_counts(a.0, b.0), a.1.min(b.1)));
        let expiries = ExpiryDays::of(&classes, &table.validity, at);
        let until = if expiries.is_empty() { until } else { until.min(ExpiryDays::end_nanos(at)) };
        let until = (until != NEVER).then(|| Timestamp::from_timestamp_nanos(until));
        let stats = TokenStats { counts: to_status_counts(counts), until, expiries };
        Self { classes, stats, from: at }
    }

    /// Whether the classes are also valid at `at`, provided the table is unchanged.
    pub(super) fn holds_at(&self, at: Timestamp) -> bool {
        self.from <= at && self.stats.until.is_none_or(|until| at < until)
    }
}

/// The instant at which the passing of time changes the class of a row of `class`, or [`NEVER`].
/// Like [`classify`], evaluates all conditions without branches.
fn class_end(class: StatusClass, RowValidity { not_before, expires }: RowValidity) -> i64 {
    let lead = if class == StatusClass::ExpiringSoon { 0 } else { SOON_NANOS - 1 };
    let end = if expires == NEVER { NEVER } else { expires.saturating_sub(lead) };
    let is_active = matches!(class, StatusClass::Active | StatusClass::ExpiringSoon);
    let active_end = if is_active { end } else { NEVER };
    let is_early = class == StatusClass::NotYetValid;
    if is_early { not_before.min(expires) } else { active_end }
}
