//! The migration from schema 1 to 2: gives tokens a version and a generation, separates denied
//! attempts from uses, folds names by the current rules, indexes deleted tokens by time, and
//! assigns the id of the revocation register. `file_db` creates the register afterwards. Called by
//! `migrate`.

use std::ops::ControlFlow;

use redb::{TableDefinition, WriteTransaction};

use super::{
    codec::RecordBody,
    error::StoreError,
    name_index,
    record::{TokenUses, TokenUsesV1, TokenUsesV2, TokenV1, TokenV2, TrashV1, TrashV2},
    recorded_time::reset_newest_use,
    register,
    tables::{IdKey, RecordTable, Tables},
    trash_index,
};
use crate::domain::TokenId;

const TOKENS_V1: &str = "pats-1";
const USES_V1: &str = "uses-1";
const TRASH_V1: &str = "trash-1";
const NAMES_V1: &str = "names-1";

/// Rewrites all tokens and deleted tokens. A damaged record stays damaged, so that it is still
/// reported.
pub(super) fn run(transaction: &WriteTransaction) -> Result<(), StoreError> {
    let mut tables = Tables::open_to_write(transaction)?;
    reset_newest_use(&mut tables)?;
    register::assign_id(&mut tables)?;
    rewrite(TOKENS_V1, &mut tables.tokens, transaction, |key, body, to| {
        let token = body.decode::<TokenV1<'_>>()?.into_token(key)?;
        Some(to.put(key, &TokenV2::from(&token)))
    })?;
    rewrite(USES_V1, &mut tables.uses, transaction, |key, body, to| {
        let uses = body.decode::<TokenUsesV1<'_>>()?.into_usage()?;
        Some(to.put(key, &TokenUsesV2::from(&uses)))
    })?;
    rewrite(TRASH_V1, &mut tables.trash, transaction, |key, body, to| {
        let (token, at) = body.decode::<TrashV1<'_>>()?.into_parts(key)?;
        Some(to.put(key, &TrashV2::new(&token, &TokenUses::of(&token), at)))
    })?;
    trash_index::rebuild(&mut tables)?;
    let old_names = RecordTable::new(NAMES_V1, &tables.error.clone(), &transaction)?;
    name_index::rebuild(&mut tables, &old_names)?;
    drop(old_names);
    transaction.delete_table(TableDefinition::<&[u8], &[u8]>::new(NAMES_V1))?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use redb::{Database, backends::InMemoryBackend};

    use super::*;
    use crate::{
        domain::{AuditAction, Name, Token},
        store::{
            Backend, NameClash, ReadOps, Store, chain,
            migrate::{self, SCHEMA, STEPS},
            record::{SchemaNumberV1, TokenIdRecordV1},
            repair::Repair,
            scenario::{at, event_body, id, nth_token},
        },
    };

    fn named(number: usize, name: &str) -> Token {
        let name = Name::parse(name).unwrap();
        Token { name, created: at(number), ..nth_token(number) }
    }

    /// A store of schema 1 with these tokens, migrated to the latest schema.
    fn migrated(tokens: &[Token]) -> Store {
        let db = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        let transaction = db.begin_write().unwrap();
        {
            let mut tables = Tables::open_to_write(&transaction).unwrap();
            tables.meta.put(SCHEMA, &SchemaNumberV1(1)).unwrap();
            let error = tables.error.clone();
            let mut rows: RecordTable<IdKey, &WriteTransaction> =
                RecordTable::new(TOKENS_V1, &error, &&transaction).unwrap();
            let mut names: RecordTable<&[u8], &WriteTransaction> =
                RecordTable::new(NAMES_V1, &error, &&transaction).unwrap();
            for token in tokens {
                let key = token.id.as_bytes();
                rows.put(key, &TokenV1::from(token)).unwrap();
                let name = token.name.as_str().to_lowercase();
                names.put(name.as_bytes(), &TokenIdRecordV1(*key)).unwrap();
                let number = token.id.as_str().parse().unwrap();
                chain::append(&mut tables, event_body(number, AuditAction::Created)).unwrap();
            }
        }
        assert_eq!(migrate::run(&transaction, 1, STEPS), Ok(1));
        transaction.commit().unwrap();
        Store::of(Backend::Memory(db))
    }

    fn ids_of(store: &Store, name: &str) -> Vec<TokenId> {
        store.read(|rows| rows.ids_of_name(&Name::parse(name).unwrap())).unwrap()
    }

    #[test]
    fn of_two_names_that_clash_both_tokens_are_kept() {
        // The first token in the order of ids was created last.
        let later = Token { created: at(9), ..named(1, "cafe\u{301}") };
        let store = migrated(&[later.clone(), named(2, "CAF\u{c9}"), named(3, "other")]);
        let clash = NameClash { indexed: id(2), other: id(1) };
        let check = |clashes: &[NameClash]| {
            assert_eq!(store.read(ReadOps::name_clashes), Ok(clashes.to_vec()));
            assert_eq!(store.read(ReadOps::find_inconsistencies), Ok(vec![]));
            assert_eq!(store.read(ReadOps::find_repairs), Ok(Vec::<Repair>::new()));
        };
        check(&[clash]);
        assert_eq!(ids_of(&store, "caf\u{e9}"), [id(2), id(1)]);
        // Both tokens can still be changed, for example revoked.
        for number in [1, 2] {
            store
                .write(|rows| {
                    let token = rows.token(&id(number))?.unwrap();
                    rows.put_token(&Token { revoked: Some(at(20)), ..token })?;
                    rows.append_event(event_body(number, AuditAction::Revoked)).map(drop)
                })
                .unwrap();
        }
        check(&[clash]);
        // When the indexed token is renamed, the other token gets the entry of the name.
        store
            .write(|rows| {
                let token = rows.token(&id(2))?.unwrap();
                rows.put_token(&Token { name: Name::parse("bar").unwrap(), ..token })
            })
            .unwrap();
        check(&[]);
        assert_eq!(ids_of(&store, "caf\u{e9}"), [id(1)]);
        assert_eq!(ids_of(&store, "bar"), [id(2)]);
    }

    #[test]
    fn removing_a_clashing_token_leaves_the_other() {
        for (removed, left) in [(1, 2), (2, 1)] {
            let store = migrated(&[named(1, "caf\u{e9}"), named(2, "cafe\u{301}")]);
            assert_eq!(ids_of(&store, "caf\u{e9}"), [id(1), id(2)]);
            store
                .write(|rows| {
                    rows.remove_token(&id(removed))?;
                    rows.append_event(event_body(removed, AuditAction::Purged)).map(drop)
                })
                .unwrap();
            assert_eq!(ids_of(&store, "cafe\u{301}"), [id(left)]);
            assert_eq!(store.read(ReadOps::find_inconsistencies), Ok(vec![]));
        }
    }
}
