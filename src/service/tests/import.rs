//! An import that is read part by part, beside one that has all tokens in memory and takes them
//! in one by one, as a reader can check by eye.

use std::{collections::HashMap, io, ops::ControlFlow, sync::atomic::AtomicU64};

use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::{
    domain::Digest,
    service::import::{
        ConflictPolicy, ImportActions, ImportBatch, ImportError, ImportOutcome, ImportRow,
        ImportSource, LineFault, LineFaults, OnConflict,
    },
};

/// Tokens in parts of this size.
#[derive(Debug, Clone)]
struct Listed {
    rows: Vec<ImportRow>,
    part: usize,
}

impl ImportSource for Listed {
    fn store_id(&self) -> &'static str {
        "another"
    }

    fn declared_count(&self) -> u64 {
        self.rows.len().try_into().unwrap()
    }

    fn for_each_batch<T: Send>(
        &self,
        work: impl Fn(ImportBatch) -> T + Sync,
        take: impl FnMut(T) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut parts = self.rows.chunks(self.part);
        let next = || parts.next();
        let read = |rows: &[ImportRow]| ImportBatch { rows: rows.to_vec(), faults: Vec::new() };
        par_map_ordered(next, |part| work(read(part)), take);
        Ok(())
    }
}

/// The plain way.
fn plainly(
    service: &Service,
    coming: &Listed,
    on_conflict: OnConflict,
) -> Result<ImportActions, ImportError> {
    let refused = |faults: Vec<LineFault>| {
        let mut all = LineFaults::default();
        all.extend(faults);
        if all.is_empty() { Ok(()) } else { Err(ImportError::Lines(all)) }
    };
    let (mut ids, mut names, mut faults) = (HashMap::new(), HashMap::new(), Vec::new());
    for ImportRow { line, token } in &coming.rows {
        let mut twice = |field: &str, what: &str, first: Option<u64>| {
            let why = first.map(|first| format!("{what} is in line {first} already"));
            faults.extend(why.map(|why| LineFault { line: *line, field: field.to_owned(), why }));
        };
        twice("id", token.id.as_str(), ids.insert(token.id, *line));
        twice("name", token.name.as_str(), names.insert(token.name.folded(), *line));
    }
    refused(faults)?;
    let mut ids: Vec<TokenId> = coming.rows.iter().map(|one| one.token.id).collect();
    ids.sort_unstable();
    let plan = ConflictPolicy::new(on_conflict, ids);
    service.store.write(|rows| {
        let at = service.clock.denial_time(rows)?;
        let (mut actions, mut all, mut faults) = (Vec::new(), ImportActions::default(), Vec::new());
        for one in &coming.rows {
            let (action, refused) = plan.decide(rows, at, one)?;
            all.extend([action.clone()]);
            actions.push((&one.token, action));
            faults.extend(refused);
        }
        refused(faults)?;
        let taken = actions
            .iter()
            .any(|(_, action)| action.conflicts.iter().any(|it| it.field() == "name"));
        let is_skipping = on_conflict == OnConflict::Skip;
        let mut deletion = None;
        if taken && !is_skipping {
            service.displace(rows, &[], &mut deletion)?;
        }
        let mut was = HashMap::new();
        for (token, _) in actions.iter().filter(|(_, it)| it.outcome == ImportOutcome::Replaced) {
            was.extend(rows.token(&token.id)?.map(|old| (token.id, old.status(at).as_str())));
            rows.remove_token(&token.id)?;
        }
        let writes = |outcome| matches!(outcome, ImportOutcome::New | ImportOutcome::Replaced);
        for (token, _) in actions.iter().filter(|(_, it)| writes(it.outcome)) {
            if let Some(holder) = rows.id_of_name(&token.name)? {
                service.displace(rows, &[holder], &mut deletion)?;
            }
            rows.remove_trash(&token.id)?;
            Service::put_with_uses(rows, token)?;
            let was =
                was.get(&token.id).map_or_else(String::new, |was| format!(", was {was} here"));
            let until = crate::domain::plan::until(token.expires);
            let detail = format!("{} from store another, {until}{was}", token.status(at).as_str());
            rows.append_event(service.event(at, AuditAction::Imported, Some(token), detail))?;
        }
        Ok(all)
    })
}

/// What a store does before: to which token, and how many minutes later.
type Step = (u8, usize, i64);

/// Does a step to one of the tokens that `world` began with.
fn live(world: &World, ids: &[TokenId], (what, which, minutes): Step) {
    world.go_to(minutes);
    let id = ids[which % ids.len()];
    // What the rules refuse here is no matter.
    match what {
        0 => drop(world.service.delete(&id)),
        1 => drop(world.service.revoke(&id)),
        2 => drop(world.service.regenerate(&id, renewal("30d", Overlap::ALL[1]))),
        3 => drop(world.service.create(&new(&format!("token-{}", TOKENS + which % 2)))),
        _ => drop(world.service.restore(id.as_str())),
    }
}

/// A token that comes: which one, its name if another, and how it differs.
type Change = (usize, Option<usize>, u8);

const TOKENS: usize = 5;

fn changed(tokens: &[Token], (which, name_of, how): Change) -> Token {
    let token = tokens[which % tokens.len()].clone();
    let name = name_of.map_or_else(|| token.name.clone(), |other| name(&format!("token-{other}")));
    let token = Token { name, ..token };
    match how {
        0 => Token { revoked: Some(at(1)), ..token },
        1 => Token { digest: Digest::from_bytes([9; 32]), issued: at(2), ..token },
        2 => Token { id: TokenId::parse(&format!("{which:012}")).unwrap(), ..token },
        3 => Token { description: Description::parse("of another store").unwrap(), ..token },
        _ => token,
    }
}

fn step() -> impl Strategy<Value = Step> {
    (0..5_u8, 0..TOKENS, prop_oneof![0..90_i64, Just(2 * DAY)])
}

fn change() -> impl Strategy<Value = Change> {
    (0..TOKENS, option::of(0..TOKENS + 2), 0..6_u8)
}

fn choice() -> impl Strategy<Value = OnConflict> {
    prop_oneof![
        Just(OnConflict::Fail),
        Just(OnConflict::Skip),
        any::<bool>().prop_map(|reactivate| OnConflict::Replace { reactivate }),
    ]
}

/// What a trail says, whatever the order. What waits in the trash for too long goes when the first
/// name is taken, and that is known sooner in one piece.
fn trail(world: &World) -> Vec<(Option<TokenId>, String, &'static str, String)> {
    let events = world.events().into_iter().map(|event| event.what);
    let events = events.filter(|what| what.action != AuditAction::Purged);
    let mut told: Vec<_> =
        events.map(|it| (it.token, it.name, it.action.as_str(), it.detail)).collect();
    told.sort();
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn in_parts_as_in_one_piece(
        steps in vec(step(), 0..6), changes in vec(change(), 0..8), part in 1..4_usize, on_conflict in choice(),
        meanwhile in vec(step(), 0..3),
    ) {
        let worlds = [World::new(), World::new()];
        let (mut coming, mut ids) = (Vec::new(), Vec::new());
        for world in &worlds {
            let tokens: Vec<Token> = (0..TOKENS).map(|n| world.issue(&format!("token-{n}")).token).collect();
            ids = tokens.iter().map(|token| token.id).collect();
            for step in &steps {
                live(world, &ids, *step);
            }
            world.go_to(3 * DAY);
            let lines = (2..).zip(&changes);
            let incoming = lines.map(|(line, it)| ImportRow { line, token: changed(&tokens, *it) });
            coming.push(Listed { rows: incoming.collect(), part });
        }
        prop_assert_eq!(&coming[0].rows, &coming[1].rows);
        let [parts, piece] = &worlds;
        let seen = parts.state();
        let (read, done) = (AtomicU64::new(0), AtomicU64::new(0));
        let prepared = parts.prepare_import(&coming[0], on_conflict, &read);
        let foreseen = prepared.as_ref().map(|import| import.dry_run().unwrap()).ok();
        prop_assert_eq!(&parts.state(), &seen);
        // Others go on between the look at the lines and the transaction.
        if prepared.is_ok() {
            for world in &worlds {
                for step in &meanwhile {
                    live(world, &ids, *step);
                }
                world.go_to(3 * DAY);
            }
        }
        let before = parts.state();
        let performed = prepared.and_then(|import| import.commit(&done));
        match (performed, plainly(piece, &coming[1], on_conflict)) {
            (Ok(actions), Ok(expected)) => {
                prop_assert_eq!(&actions, &expected);
                if before == seen {
                    prop_assert_eq!(foreseen, Some(actions));
                }
            }
            (Err(ImportError::Lines(faults)), Err(ImportError::Lines(expected))) => {
                prop_assert_eq!(faults, expected);
                prop_assert_eq!(parts.state(), before);
            }
            (one, other) => prop_assert!(false, "{one:?} but {other:?}"),
        }
        let (one, other) = (parts.state(), piece.state());
        prop_assert_eq!((one.0, one.1), (other.0, other.1));
        prop_assert_eq!(trail(parts), trail(piece));
        let disagreements = parts.store.read(ReadOps::disagreements).unwrap();
        prop_assert_eq!(disagreements, Vec::<String>::new());
        for token in parts.all() {
            prop_assert_eq!(parts.store.read(|rows| rows.id_of_name(&token.name)).unwrap(), Some(token.id));
        }
    }
}
