//! What the clock makes of a row: its status class, the counts of each class, and the instant at
//! which they change. Times are nanoseconds since 1970. Called by `execute` and `synced`, which
//! keeps the classes until a row or the clock changes one.

use rayon::prelude::*;

use super::{
    table::{Flags, Table},
    text::BLOCK_ROWS,
};
use crate::domain::{Counts, Status, Timestamp, token::SOON};

/// An expiry that never comes.
pub(super) const NEVER: i64 = i64::MAX;
/// The last use of a token that was never used.
pub(super) const NEVER_USED: i64 = i64::MIN;

const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;
const SOON_NANOS: i64 = SOON.num_days() * DAY;

/// Nanoseconds since 1970. A time outside their range is before or after all others.
pub(super) fn to_nanos(at: Timestamp) -> i64 {
    let limit = if at.timestamp() < 0 { NEVER_USED + 1 } else { NEVER - 1 };
    at.timestamp_nanos_opt().map_or(limit, |nanos| nanos.clamp(NEVER_USED + 1, NEVER - 1))
}

/// The status of a row, with the active ones that expire within a week apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Free,
    Active,
    ExpiringSoon,
    Expired,
    Revoked,
}

impl Class {
    pub(super) const ALL: [Self; 5] =
        [Self::Free, Self::Active, Self::ExpiringSoon, Self::Expired, Self::Revoked];

    /// Status and whether the token expires soon; `None` for a free row.
    pub(super) fn status(self) -> Option<(Status, bool)> {
        match self {
            Self::Free => None,
            Self::Active => Some((Status::Active, false)),
            Self::ExpiringSoon => Some((Status::Active, true)),
            Self::Expired => Some((Status::Expired, false)),
            Self::Revoked => Some((Status::Revoked, false)),
        }
    }
}

/// The class of a row. No condition depends on another, so the compiler needs no branches, which
/// mixed statuses would make slow.
pub(super) fn class(flags: Flags, expires: i64, now: i64) -> Class {
    let soon = expires < now.saturating_add(SOON_NANOS);
    let valid = if soon { Class::ExpiringSoon } else { Class::Active };
    let unrevoked = if now >= expires { Class::Expired } else { valid };
    let class = if flags.revoked { Class::Revoked } else { unrevoked };
    if flags.removed { Class::Free } else { class }
}

/// How many rows are in each class.
pub(super) type ClassCounts = [usize; Class::ALL.len()];

pub(super) fn count(classes: &[Class]) -> ClassCounts {
    let mut counts = ClassCounts::default();
    for class in classes {
        if let Some(count) = counts.get_mut(*class as usize) {
            *count += 1;
        }
    }
    counts
}

pub(super) fn sum(mut a: ClassCounts, b: ClassCounts) -> ClassCounts {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

pub(super) fn to_counts([_, active, soon, expired, revoked]: ClassCounts) -> Counts {
    Counts { active: active + soon, soon, expired, revoked }
}

/// Figures about all tokens at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenStats {
    /// How many have each status.
    pub counts: Counts,
    /// The first instant at which a count of a status changes by the passing of time alone.
    pub until: Option<Timestamp>,
}

/// The class of each row of a table, from an instant on.
#[derive(Debug)]
pub(super) struct ClassifiedRows {
    pub(super) classes: Vec<Class>,
    pub(super) stats: TokenStats,
    from: Timestamp,
}

impl ClassifiedRows {
    pub(super) fn of(table: &Table, at: Timestamp) -> Self {
        let classes = table.classes(at);
        let blocks = classes.par_chunks(BLOCK_ROWS).zip(table.expires.par_chunks(BLOCK_ROWS));
        let figures = blocks.map(|(classes, expires)| {
            let rows = classes.iter().copied().zip(expires);
            let ends = rows.map(|(class, expires)| class_ends(class, *expires));
            (count(classes), ends.fold(NEVER, i64::min))
        });
        let none = || (ClassCounts::default(), NEVER);
        let (counts, until) = figures.reduce(none, |a, b| (sum(a.0, b.0), a.1.min(b.1)));
        let until = (until != NEVER).then(|| Timestamp::from_timestamp_nanos(until));
        Self { classes, stats: TokenStats { counts: to_counts(counts), until }, from: at }
    }

    /// Whether an unchanged table has the same classes at `at`.
    pub(super) fn holds_at(&self, at: Timestamp) -> bool {
        self.from <= at && self.stats.until.is_none_or(|until| at < until)
    }
}

/// When a row of this class gets another one; [`NEVER`] if it keeps it. Without branches, too.
fn class_ends(class: Class, expires: i64) -> i64 {
    let lead = if class == Class::ExpiringSoon { 0 } else { SOON_NANOS - 1 };
    let end = if expires == NEVER { NEVER } else { expires.saturating_sub(lead) };
    if matches!(class, Class::Active | Class::ExpiringSoon) { end } else { NEVER }
}
