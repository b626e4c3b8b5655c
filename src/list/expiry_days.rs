//! How many active tokens expire on each of the next days, in UTC, for the strip above the list. Counted
//! together with the status classes and kept as long as these. Called by `status_classes`.

use rayon::prelude::*;

use super::{
    status_classes::{RowValidity, StatusClass, to_nanos},
    text_block::BLOCK_ROWS,
};
use crate::domain::Timestamp;

/// Number of days that are counted: today and the next 180, so that a token of 180 days is among them.
pub const COUNTED_DAYS: usize = 181;

const DAY_NANOS: i64 = 24 * 60 * 60 * 1_000_000_000;

/// The number of active tokens that expire on each day, from the day of the count on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExpiryDays(Vec<u32>);

/// The number of the day of `nanos`, counted from 1970.
fn day_of(nanos: i64) -> i64 {
    nanos.div_euclid(DAY_NANOS)
}

impl ExpiryDays {
    /// Counts the rows. `validity` has the validity of each row of `classes`.
    pub(super) fn of(classes: &[StatusClass], validity: &[RowValidity], at: Timestamp) -> Self {
        let start = day_of(to_nanos(at)).saturating_mul(DAY_NANOS);
        let blocks = classes.par_chunks(BLOCK_ROWS).zip(validity.par_chunks(BLOCK_ROWS));
        // The last count is that of all other rows. So the loop has no branch on the class, because the
        // branch would be mispredicted: for a million rows, 4.7 instead of 7 ms.
        let none = || vec![0_u32; COUNTED_DAYS + 1];
        let counted = blocks.fold(none, |mut counts, (classes, validity)| {
            for (class, RowValidity { expires, .. }) in classes.iter().zip(validity) {
                let is_active = matches!(class, StatusClass::Active | StatusClass::ExpiringSoon);
                // A time before `start` wraps around to a large number.
                let day = expires.wrapping_sub(start).cast_unsigned() / DAY_NANOS.cast_unsigned();
                let day = usize::try_from(day).unwrap_or(usize::MAX).min(COUNTED_DAYS);
                if let Some(count) = counts.get_mut(if is_active { day } else { COUNTED_DAYS }) {
                    *count += 1;
                }
            }
            counts
        });
        let add = |mut a: Vec<u32>, b: Vec<u32>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        };
        let mut counts = counted.reduce(none, add);
        counts.truncate(COUNTED_DAYS);
        Self(counts)
    }

    /// When the day of a count at `at` ends: the counts are then those of the wrong days.
    pub(super) fn end_nanos(at: Timestamp) -> i64 {
        (day_of(to_nanos(at)) + 1).saturating_mul(DAY_NANOS)
    }

    /// Whether no active token expires in the counted days.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }

    /// The number of tokens that expire in each period of `step` days, for the next `days` days.
    pub fn periods(&self, days: usize, step: usize) -> Vec<u64> {
        let days = self.0.get(..days.min(self.0.len())).unwrap_or_default();
        let sum = |days: &[u32]| days.iter().copied().map(u64::from).sum();
        days.chunks(step.max(1)).map(sum).collect()
    }
}
