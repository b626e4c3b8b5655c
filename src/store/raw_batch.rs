//! Raw records copied from one read transaction. Only the table scan is serial; checksums and
//! decoding run on worker threads. A damaged record does not affect the others. Called by
//! `read_ops`, and by the service to read all tokens.

use std::{
    ops::{Bound, ControlFlow},
    sync::Arc,
};

use super::{
    codec::{TYPICAL_BYTES, decode, verify_checksum},
    error::{DamagedRecord, StoreError},
    record::{TokenUses, TokenUsesV2, TokenV2, UseCountV1},
    register::PendingEndings,
    tables::{TOKENS, Tables, Transaction, USE_COUNTS, USES, display_key},
};
use crate::domain::{Token, TokenId};

type Id = [u8; TokenId::LEN];

/// The records of consecutive tokens, in the order of their ids.
#[derive(Debug)]
pub struct RawBatch {
    rows: Vec<RowLengths>,
    /// The token record of each row, followed by the records of its last and counted uses.
    bytes: Vec<u8>,
    /// Applied to the decoded tokens.
    pending: Option<Arc<PendingEndings>>,
}

#[derive(Debug, Clone, Copy)]
struct RowLengths {
    id: Id,
    token_len: usize,
    /// Lengths of the records of the last uses and the counted uses. `None` for a missing record.
    usage_len: [Option<usize>; 2],
}

impl RawBatch {
    /// An empty batch with capacity for this many tokens of typical size.
    pub(super) fn with_capacity(tokens: usize, pending: Option<Arc<PendingEndings>>) -> Self {
        let bytes = Vec::with_capacity(tokens.saturating_mul(TYPICAL_BYTES));
        Self { rows: Vec::with_capacity(tokens), bytes, pending }
    }

    /// Adds a row. `uses` are the records of the last uses and the counted uses.
    pub(super) fn push(&mut self, id: &Id, record: &[u8], uses: [Option<&[u8]>; 2]) {
        let usage_len = uses.map(|record| record.map(<[u8]>::len));
        self.rows.push(RowLengths { id: *id, token_len: record.len(), usage_len });
        self.bytes.extend_from_slice(record);
        for record in uses.into_iter().flatten() {
            self.bytes.extend_from_slice(record);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Decodes the tokens and calls `visit` with each. If a usage record is damaged, visits the
    /// token without its uses, then the damage.
    pub fn for_each(&self, mut visit: impl FnMut(Result<Token, DamagedRecord>)) {
        let mut rest = self.bytes.as_slice();
        for RowLengths { id, token_len: record_len, usage_len } in &self.rows {
            let mut next = |length: usize| {
                let (record, tail) = rest.split_at_checked(length).unwrap_or_default();
                rest = tail;
                record
            };
            let record = next(*record_len);
            let uses = usage_len.map(|length| length.map(&mut next));
            visit_row(id, record, uses, self.pending.as_deref(), &mut visit);
        }
    }
}

/// Calls `visit` with every token in the order of the ids, and with every damage.
pub(super) fn for_each_token<T: Transaction>(
    tables: &Tables<T>,
    pending: Option<&PendingEndings>,
    mut visit: impl FnMut(Result<Token, DamagedRecord>),
) -> Result<(), StoreError> {
    let Tables { tokens, uses, use_counts, .. } = tables;
    tokens.merge_join([uses, use_counts], Bound::Unbounded, |key, record, usage| {
        visit_row(key, record, usage, pending, &mut visit);
        ControlFlow::Continue(())
    })
}

/// Calls `visit` with the token of one row, then with the damage of its usage records.
fn visit_row(
    id: &Id,
    record: &[u8],
    usage: [Option<&[u8]>; 2],
    pending: Option<&PendingEndings>,
    visit: &mut impl FnMut(Result<Token, DamagedRecord>),
) {
    let (token, damaged) = decode_token(id, record, usage);
    let token = match (token, pending) {
        (Ok(token), Some(pending)) => pending.apply(token).map(Ok),
        (token, _) => Some(token),
    };
    if let Some(token) = token {
        visit(token);
    }
    damaged.into_iter().map(Err).for_each(visit);
}

/// Decodes a token and the records of its last uses and its counted uses. If the former is damaged,
/// returns the token without its last uses; if the latter is, without uses left. Reports the damage
/// as the second value.
pub(super) fn decode_token(
    id: &Id,
    record: &[u8],
    [uses, count]: [Option<&[u8]>; 2],
) -> (Result<Token, DamagedRecord>, Vec<DamagedRecord>) {
    let body = verify_checksum(TOKENS, id, record);
    let mut token = body.and_then(|body| TokenV2::decode_token(id, body));
    let last = uses.map_or(Some(TokenUses::default()), |uses| {
        verify_checksum(USES, id, uses).and_then(TokenUsesV2::decode_usage)
    });
    let damage = |table| DamagedRecord { table, key: display_key(id) };
    let mut damaged: Vec<_> = last.is_none().then(|| damage(USES)).into_iter().collect();
    if let (Some(token), Some(last)) = (&mut token, last) {
        last.apply_to(token);
    }
    if let Some(token) = &mut token {
        let read = |count| verify_checksum(USE_COUNTS, id, count).and_then(decode::<UseCountV1>);
        let body = count.and_then(read);
        damaged.extend((count.is_some() && body.is_none()).then(|| damage(USE_COUNTS)));
        if token.limits.max_uses.is_some() {
            UseCountV1::apply_or_all_taken(body, token);
        }
    }
    (token.ok_or_else(|| damage(TOKENS)), damaged)
}

#[cfg(test)]
mod tests {
    use crate::store::{
        ReadOps, Store, StoreError, TokenCursor,
        scenario::{apply_step, id, nth_token},
    };

    #[test]
    fn batches_of_any_size_contain_all_tokens_and_damage() {
        let store = Store::memory().unwrap();
        for n in 0..=5 {
            store.write(|rows| apply_step(n, rows)).unwrap();
        }
        store
            .write(|rows| {
                (10..20).try_for_each(|number| rows.put_token(&nth_token(number)))?;
                rows.tables.tokens.inner.insert(id(12).as_bytes(), &[1, 2, 3][..])?;
                rows.tables.uses.inner.insert(id(14).as_bytes(), &[][..])?;
                rows.tables.uses.inner.insert(id(20).as_bytes(), &[4][..])?;
                Ok::<_, StoreError>(())
            })
            .unwrap();
        let all = store.read(ReadOps::tokens).unwrap();
        assert_eq!((all.rows.len(), all.damaged.len()), (11, 2));
        for limit in [1, 3, 12, 100] {
            let (mut tokens, mut damaged) = (Vec::new(), Vec::new());
            let mut after: Option<TokenCursor> = None;
            loop {
                let (batch, reached) =
                    store.read(|rows| rows.raw_batch_after(after, limit)).unwrap();
                assert!(batch.len() <= limit);
                batch.for_each(|row| match row {
                    Ok(token) => tokens.push(token),
                    Err(damage) => damaged.push(damage),
                });
                after = reached;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!((&tokens, &damaged), (&all.rows, &all.damaged));
        }
    }
}
