//! Compares the batched import with a simple reference that imports the tokens one by one, with
//! all of them in memory.

use std::{
    collections::{HashMap, HashSet},
    io,
    ops::ControlFlow,
    sync::atomic::AtomicU64,
};

use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::{
    domain::Digest,
    service::import::{
        Conflict, ConflictResolver, ImportError, ImportFaults, ImportRow, ImportSource, LineFault,
        OnConflict, ParsedBatch, RowOutcome, RowPlans,
    },
};

/// An import source in memory that yields batches of `part` rows.
#[derive(Debug, Clone)]
struct MemorySource {
    rows: Vec<ImportRow>,
    batch_size: usize,
}

impl ImportSource for MemorySource {
    fn store_id(&self) -> &'static str {
        "another"
    }

    fn declared_count(&self) -> u64 {
        self.rows.len().try_into().unwrap()
    }

    fn for_each_batch<T: Send>(
        &self,
        work: impl Fn(ParsedBatch) -> T + Sync,
        take: impl FnMut(T) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut batches = self.rows.chunks(self.batch_size);
        let next = || batches.next();
        let read = |rows: &[ImportRow]| ParsedBatch { rows: rows.to_vec(), faults: Vec::new() };
        par_map_ordered(next, |rows| work(read(rows)), take);
        Ok(())
    }
}

fn check_faults(faults: Vec<LineFault>) -> Result<(), ImportError> {
    let mut all = ImportFaults::default();
    all.extend(faults);
    if all.is_empty() { Ok(()) } else { Err(ImportError::InvalidLines(all)) }
}

/// The faults of rows whose id or name occurs in an earlier row.
fn duplicates(source: &MemorySource) -> Vec<LineFault> {
    let (mut ids, mut names, mut faults) = (HashMap::new(), HashMap::new(), Vec::new());
    for ImportRow { line, token } in &source.rows {
        let mut report_duplicate = |field: &str, value: &str, first: Option<u64>| {
            let why = first.map(|first| format!("{value} already occurs in line {first}"));
            faults.extend(why.map(|why| LineFault {
                line: *line,
                field: field.to_owned(),
                reason: why,
            }));
        };
        report_duplicate("id", token.id.as_str(), ids.insert(token.id, *line));
        report_duplicate("name", token.name.as_str(), names.insert(token.name.folded(), *line));
    }
    faults
}

/// The lines of the rows whose secrets would work again if they were imported now. The consent of the
/// operator covers these.
fn reactivating_lines(service: &Service, source: &MemorySource) -> HashSet<u64> {
    let plan = ConflictResolver::new(OnConflict::Replace { is_confirmed: true }, Vec::new());
    let read = service.store.read(|rows| {
        let at = service.clock.denial_time(rows)?;
        let mut lines = HashSet::new();
        for one in &source.rows {
            let (action, _) = plan.decide(rows, at, one, true)?;
            if action.conflicts.iter().any(|it| matches!(it, Conflict::Reactivates(_))) {
                lines.insert(one.line);
            }
        }
        Ok::<_, StoreError>(lines)
    });
    read.unwrap()
}

/// The reference import: all tokens in memory, one by one, in one transaction. `consented` are the
/// [`reactivating_lines`] when the import was prepared.
fn reference_import(
    service: &Service,
    source: &MemorySource,
    on_conflict: OnConflict,
    consented: &HashSet<u64>,
) -> Result<RowPlans, ImportError> {
    check_faults(duplicates(source))?;
    let mut ids: Vec<TokenId> = source.rows.iter().map(|one| one.token.id).collect();
    ids.sort_unstable();
    let plan = ConflictResolver::new(on_conflict, ids);
    service.store.write(|rows| {
        let at = service.clock.denial_time(rows)?;
        let (mut actions, mut all, mut faults) = (Vec::new(), RowPlans::default(), Vec::new());
        for one in &source.rows {
            let (action, fault) = plan.decide(rows, at, one, consented.contains(&one.line))?;
            all.extend([action.clone()]);
            actions.push((&one.token, action));
            faults.extend(fault);
        }
        check_faults(faults)?;
        // Read the deleted tokens before the trash is purged: a token that replaces a deleted one
        // continues its counters.
        let mut deleted = HashMap::new();
        for one in &source.rows {
            let old = rows.trashed(&one.token.id)?;
            deleted.extend(old.map(|old| (one.token.id, old.token)));
        }
        let taken = actions
            .iter()
            .any(|(_, action)| action.conflicts.iter().any(|it| it.field() == "name"));
        let is_skipping = on_conflict == OnConflict::Skip;
        let deletion = service.deletion_time(rows)?;
        if taken && !is_skipping {
            service.purge_in(rows)?;
        }
        let mut was = HashMap::new();
        for (token, _) in actions.iter().filter(|(_, it)| it.outcome == RowOutcome::Replaced) {
            was.extend(rows.token(&token.id)?.map(|old| (token.id, old)));
            rows.remove_token(&token.id)?;
        }
        let writes = |outcome| matches!(outcome, RowOutcome::New | RowOutcome::Replaced);
        for (token, _) in actions.iter().filter(|(_, it)| writes(it.outcome)) {
            if let Some(holder) = rows.id_of_name(&token.name)? {
                service.delete_displaced(rows, &[holder], deletion)?;
            }
            rows.remove_trash(&token.id)?;
            let old = was.get(&token.id);
            let unchanged = || Token::clone(token);
            let before = old.or_else(|| deleted.get(&token.id));
            let counted = before.map_or_else(unchanged, |old| unchanged().replacing(old));
            Service::put_with_uses(rows, &counted)?;
            let was = old
                .map_or_else(String::new, |old| format!(", was {} here", old.status(at).as_str()));
            let until = crate::domain::plan::expiry_text(token.expires);
            let detail = format!("{} from store another, {until}{was}", token.status(at).as_str());
            rows.append_event(service.new_event(at, AuditAction::Imported, Some(token), detail))?;
        }
        Ok(all)
    })
}

/// A change before the import: its kind, the token, and the minute.
type PriorChange = (u8, usize, i64);

/// Applies a change to one of the initial tokens.
fn apply_prior_change(fixture: &TestService, ids: &[TokenId], (kind, index, minutes): PriorChange) {
    fixture.set_minute(minutes);
    let id = ids[index % ids.len()];
    // A refused change is ignored.
    match kind {
        0 => drop(fixture.service.delete(&id)),
        1 => drop(fixture.service.revoke(&id)),
        2 => {
            drop(fixture.service.regenerate(&id, regenerate_options("30d", SecretOverlap::ALL[1])));
        }
        3 => drop(fixture.service.create(&new_token(&format!("token-{}", TOKENS + index % 2)))),
        _ => drop(fixture.service.restore(id.as_str())),
    }
}

/// An imported token: index of the original, index of another name, and kind of difference.
type TokenVariant = (usize, Option<usize>, u8);

const TOKENS: usize = 5;

fn apply_variant(tokens: &[Token], (index, name_of, kind): TokenVariant) -> Token {
    let token = tokens[index % tokens.len()].clone();
    let name = name_of.map_or_else(|| token.name.clone(), |other| name(&format!("token-{other}")));
    let token = Token { name, ..token };
    match kind {
        0 => Token { revoked: Some(at(1)), ..token },
        1 => Token { digest: Digest::from_bytes([9; 32]), issued: at(2), ..token },
        2 => Token { id: TokenId::parse(&format!("{index:012}")).unwrap(), ..token },
        3 => Token { description: Description::parse("of another store").unwrap(), ..token },
        _ => token,
    }
}

fn random_change() -> impl Strategy<Value = PriorChange> {
    (0..5_u8, 0..TOKENS, prop_oneof![0..90_i64, Just(2 * DAY)])
}

fn random_variant() -> impl Strategy<Value = TokenVariant> {
    (0..TOKENS, option::of(0..TOKENS + 2), 0..6_u8)
}

fn random_on_conflict() -> impl Strategy<Value = OnConflict> {
    prop_oneof![
        Just(OnConflict::Fail),
        Just(OnConflict::Skip),
        any::<bool>().prop_map(|is_confirmed| OnConflict::Replace { is_confirmed }),
    ]
}

/// The events of the audit trail in sorted order, without purges, whose time differs between the
/// two imports.
fn sorted_trail(fixture: &TestService) -> Vec<(Option<TokenId>, String, &'static str, String)> {
    let events = fixture.events().into_iter().map(|event| event.body);
    let events = events.filter(|event| event.action != AuditAction::Purged);
    let mut sorted: Vec<_> =
        events.map(|it| (it.token, it.name, it.action.as_str(), it.detail)).collect();
    sorted.sort();
    sorted
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn batched_import_matches_the_reference(
        steps in vec(random_change(), 0..6), changes in vec(random_variant(), 0..8), batch_size in 1..4_usize, on_conflict in random_on_conflict(),
        meanwhile in vec(random_change(), 0..3), max_per_transaction in option::of(0..3_usize),
    ) {
        let services = [TestService::new(), TestService::new()];
        let (mut sources, mut ids) = (Vec::new(), Vec::new());
        for fixture in &services {
            let tokens: Vec<Token> = (0..TOKENS).map(|n| fixture.issue(&format!("token-{n}")).token).collect();
            ids = tokens.iter().map(|token| token.id).collect();
            for step in &steps {
                apply_prior_change(fixture, &ids, *step);
            }
            fixture.set_minute(3 * DAY);
            fixture.now().unwrap();
            let lines = (2..).zip(&changes);
            let incoming = lines.map(|(line, it)| ImportRow { line, token: apply_variant(&tokens, *it) });
            sources.push(MemorySource { rows: incoming.collect(), batch_size });
        }
        prop_assert_eq!(&sources[0].rows, &sources[1].rows);
        let [batched, reference] = &services;
        // Let the reference see this time, as the preparation does for the other service.
        // Afterwards, neither evaluates expiry at an earlier time.
        reference.now().unwrap();
        let prepared_from = batched.state();
        let (read, done) = (AtomicU64::new(0), AtomicU64::new(0));
        let prepared = batched.prepare_import(&sources[0], on_conflict, &read);
        let prepared = match max_per_transaction {
            Some(max) => prepared.map(|import| import.with_max_per_transaction(max)),
            None => prepared,
        };
        let dry_run = prepared.as_ref().map(|import| import.dry_run().unwrap()).ok();
        prop_assert_eq!(&batched.state(), &prepared_from);
        let consented = reactivating_lines(reference, &sources[1]);
        // Other changes happen between the preparation and the transaction.
        if prepared.is_ok() {
            for fixture in &services {
                for step in &meanwhile {
                    apply_prior_change(fixture, &ids, *step);
                }
                fixture.set_minute(3 * DAY);
            }
        }
        let before = batched.state();
        let performed = prepared.and_then(|import| import.commit(&done));
        match (performed, reference_import(reference, &sources[1], on_conflict, &consented)) {
            (Ok(actions), Ok(expected)) => {
                prop_assert_eq!(&actions, &expected);
                if before == prepared_from {
                    prop_assert_eq!(dry_run, Some(actions));
                }
            }
            (Err(ImportError::InvalidLines(faults)), Err(ImportError::InvalidLines(expected))) => {
                prop_assert_eq!(faults, expected);
                prop_assert_eq!(batched.state(), before);
            }
            (one, other) => prop_assert!(false, "{one:?} but {other:?}"),
        }
        let (one, other) = (batched.state(), reference.state());
        prop_assert_eq!((one.0, one.1), (other.0, other.1));
        prop_assert_eq!(sorted_trail(batched), sorted_trail(reference));
        let inconsistencies = batched.store.read(ReadOps::find_inconsistencies).unwrap();
        prop_assert_eq!(inconsistencies, Vec::<String>::new());
        for token in batched.all() {
            prop_assert_eq!(batched.store.read(|rows| rows.id_of_name(&token.name)).unwrap(), Some(token.id));
        }
    }
}
