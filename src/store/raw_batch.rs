//! Raw records copied from one read transaction. Only the table scan is serial; checksums and
//! decoding run on worker threads. A damaged record hides no other. Called by `rows`, and by the
//! service for what goes through all tokens.

use super::{
    codec::{Body, USUAL_BYTES, unseal},
    error::Damage,
    record::{TokenV1, Uses, UsesV1},
    tables::{PATS, USES, display_key},
};
use crate::domain::{Token, TokenId};

type Id = [u8; TokenId::LEN];

/// The records of consecutive tokens, in the order of their ids.
#[derive(Debug)]
pub struct RawBatch {
    rows: Vec<RawRow>,
    /// The record of each row, then its usage record.
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct RawRow {
    id: Id,
    record_len: usize,
    /// `None` if the token was never used.
    usage_len: Option<usize>,
}

impl RawBatch {
    /// An empty batch with room for this many tokens of the usual size.
    pub(super) fn with_room(tokens: usize) -> Self {
        let bytes = Vec::with_capacity(tokens.saturating_mul(USUAL_BYTES));
        Self { rows: Vec::with_capacity(tokens), bytes }
    }

    pub(super) fn add(&mut self, id: &Id, record: &[u8], uses: Option<&[u8]>) {
        let usage_len = uses.map(<[u8]>::len);
        self.rows.push(RawRow { id: *id, record_len: record.len(), usage_len });
        self.bytes.extend_from_slice(record);
        self.bytes.extend_from_slice(uses.unwrap_or_default());
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Calls `visit` with each of them. A token with a damaged usage record is followed by that
    /// damage.
    pub fn each(&self, mut visit: impl FnMut(Result<Token, Damage>)) {
        let mut rest = self.bytes.as_slice();
        for RawRow { id, record_len, usage_len } in &self.rows {
            let (record, behind) = rest.split_at_checked(*record_len).unwrap_or_default();
            let usage = behind.split_at_checked(usage_len.unwrap_or_default());
            let (usage, behind) = usage.unwrap_or_default();
            rest = behind;
            let (token, damage) = read_token(id, record, usage_len.map(|_| usage));
            visit(token);
            if let Some(damage) = damage {
                visit(Err(damage));
            }
        }
    }
}

/// Decodes a token with its `uses`. The second value is the damage of a usage record, which does
/// not damage the token.
pub(super) fn read_token(
    id: &Id,
    record: &[u8],
    uses: Option<&[u8]>,
) -> (Result<Token, Damage>, Option<Damage>) {
    let token = |body: Body<'_>| body.decode::<TokenV1<'_>>()?.token(id);
    let mut token = unseal(PATS, id, record).and_then(token);
    let told = |body: Body<'_>| body.decode::<UsesV1<'_>>()?.uses();
    let last = uses.map_or(Some(Uses::default()), |uses| unseal(USES, id, uses).and_then(told));
    let damage = |table| Damage { table, key: display_key(id) };
    let damaged = last.is_none().then(|| damage(USES));
    if let (Some(token), Some(last)) = (&mut token, last) {
        last.tell(token);
    }
    (token.ok_or_else(|| damage(PATS)), damaged)
}

#[cfg(test)]
mod tests {
    use crate::store::{
        ReadOps, Store, StoreError, TokenCursor,
        script::{id, nth_token, step},
    };

    #[test]
    fn it_has_what_is_read_at_once_damage_included() {
        let store = Store::memory().unwrap();
        for n in 0..=5 {
            store.write(|rows| step(n, rows)).unwrap();
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
                batch.each(|row| match row {
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
