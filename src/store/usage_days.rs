//! Reads and adds up the numbers of uses and denied attempts of each day. A damaged record counts as
//! missing, because it must not prevent checks. Called by the service.

use std::ops::{Bound, ControlFlow};

use super::{
    StoreError, TokenCursor,
    reader::Reader,
    record::UsageDaysV1,
    tables::{Tables, Transaction},
    write_ops::Writer,
};
use crate::domain::{TokenId, UsageDays};

fn load<T: Transaction>(tables: &Tables<T>, id: &TokenId) -> Result<UsageDays, StoreError> {
    match tables.usage_days.get(id.as_bytes(), UsageDaysV1::decode_days) {
        Ok(days) => Ok(days.unwrap_or_default()),
        Err(StoreError::Damaged(_)) => Ok(UsageDays::default()),
        Err(error) => Err(error),
    }
}

impl Reader {
    /// Reads the numbers of uses and denied attempts of a token. They are empty if it has none.
    pub fn usage_days(&self, id: &TokenId) -> Result<UsageDays, StoreError> {
        load(&self.tables, id)
    }

    /// Calls `visit` with the numbers of at most `limit` tokens after the position `after`, in the
    /// order of their ids. Leaves out damaged records. Returns the position of the last one, or
    /// `None` at the end of the table.
    pub fn visit_usage_days(
        &self,
        after: Option<TokenCursor>,
        limit: usize,
        mut visit: impl FnMut(TokenId, &UsageDays),
    ) -> Result<Option<TokenCursor>, StoreError> {
        let from = after.map_or(Bound::Unbounded, |TokenCursor(key)| Bound::Excluded(key));
        let (mut count, mut last) = (0_usize, None);
        self.tables.usage_days.scan((from.as_ref(), Bound::Unbounded), false, |key, row| {
            if count == limit {
                return ControlFlow::Break(());
            }
            count += 1;
            last = Some(TokenCursor(*key));
            let days = row.ok().and_then(UsageDaysV1::decode_days);
            if let (Some(id), Some(days)) = (TokenId::from_bytes(*key), days) {
                visit(id, &days);
            }
            ControlFlow::Continue(())
        })?;
        Ok(last.filter(|_| count == limit))
    }
}

impl Writer<'_> {
    /// Adds `days` to the numbers of a token. Does nothing if the token does not exist.
    pub fn add_usage_days(&mut self, id: &TokenId, days: &UsageDays) -> Result<(), StoreError> {
        let key = id.as_bytes();
        if self.tables.tokens.has(key)? {
            let mut sum = load(&self.tables, id)?;
            sum.add_all(days);
            self.tables.usage_days.put(key, &UsageDaysV1::from(&sum))?;
            self.mark_changed(*key);
        }
        Ok(())
    }
}
