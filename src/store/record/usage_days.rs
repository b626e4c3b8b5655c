//! The record of the numbers of uses and denied attempts of a token on each day. It has its own
//! table, because most reads of a token do not need it.

use bincode::{BorrowDecode, Encode};

use crate::{
    domain::{DayCount, UsageDays, UtcDay},
    store::codec::{Record, RecordBody},
};

/// The numbers of one day: days since 1970, uses, denied attempts.
type DayCountV1 = (u32, u64, u64);

#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct UsageDaysV1(Vec<DayCountV1>);

impl Record for UsageDaysV1 {}

impl From<&UsageDays> for UsageDaysV1 {
    fn from(days: &UsageDays) -> Self {
        let days = days.as_slice().iter();
        Self(days.map(|it| (it.day.number(), it.used, it.denied)).collect())
    }
}

impl UsageDaysV1 {
    /// Decodes the numbers of uses. Returns `None` if the record is damaged.
    pub(in crate::store) fn decode_days(body: RecordBody<'_>) -> Option<UsageDays> {
        body.decode::<Self>()?.into_days()
    }

    pub(in crate::store) fn into_days(self) -> Option<UsageDays> {
        let days = self.0.into_iter();
        let days = days.map(|(day, used, denied)| {
            Some(DayCount { day: UtcDay::from_number(day)?, used, denied })
        });
        UsageDays::from_stored(days.collect::<Option<_>>()?)
    }
}
