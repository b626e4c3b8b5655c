//! The migration from schema 1 to 2: gives tokens a version and a generation, and names the
//! revocation register, which is created when the store opens. Called by `migrate`.

use std::ops::ControlFlow;

use redb::{TableDefinition, WriteTransaction};

use super::{
    codec::RecordBody,
    error::StoreError,
    record::{TokenUses, TokenV1, TokenV2, TrashV1, TrashV2},
    register,
    tables::{IdKey, RecordTable, Tables},
};
use crate::domain::TokenId;

const TOKENS_V1: &str = "pats-1";
const TRASH_V1: &str = "trash-1";

/// Rewrites all tokens and deleted tokens. A damaged record stays damaged, so that it is still
/// reported.
pub(super) fn run(transaction: &WriteTransaction) -> Result<(), StoreError> {
    let mut tables = Tables::open_to_write(transaction)?;
    register::assign_id(&mut tables)?;
    rewrite(TOKENS_V1, &mut tables.tokens, transaction, |key, body, to| {
        let token = body.decode::<TokenV1<'_>>()?.into_token(key)?;
        Some(to.put(key, &TokenV2::from(&token)))
    })?;
    rewrite(TRASH_V1, &mut tables.trash, transaction, |key, body, to| {
        let (token, at) = body.decode::<TrashV1<'_>>()?.into_parts(key)?;
        Some(to.put(key, &TrashV2::new(&token, &TokenUses::of(&token), at)))
    })
}

/// Rewrites the rows of the table `from` with `put`, which returns `None` for a record that it
/// cannot decode, and removes the table.
fn rewrite(
    from: &'static str,
    to: &mut RecordTable<IdKey, &WriteTransaction>,
    transaction: &WriteTransaction,
    put: impl Fn(
        &[u8; TokenId::LEN],
        RecordBody<'_>,
        &mut RecordTable<IdKey, &WriteTransaction>,
    ) -> Option<Result<(), StoreError>>,
) -> Result<(), StoreError> {
    let old: RecordTable<IdKey, &WriteTransaction> =
        RecordTable::new(from, &to.error.clone(), &transaction)?;
    let mut result = Ok(());
    old.for_each(|key, row| {
        let rewritten = row.ok().and_then(|body| put(key, body, to));
        result = rewritten.unwrap_or_else(|| to.put_damaged(key));
        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    drop(old);
    result?;
    transaction.delete_table(TableDefinition::<IdKey, &[u8]>::new(from))?;
    Ok(())
}
