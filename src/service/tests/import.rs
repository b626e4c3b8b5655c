//! An import that is read part by part, beside one that has all tokens in memory and takes them
//! in one by one, as a reader can check by eye.

use std::{collections::HashMap, io, ops::ControlFlow, sync::atomic::AtomicU64};

use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::{
    domain::Digest,
    service::{
        plan::Plan,
        transfer::{
            Coming, Fates, Fault, Faults, ImportError, Incoming, OnConflict, Outcome, Part,
        },
    },
};

/// Tokens in parts of this size.
#[derive(Debug, Clone)]
struct Listed {
    incoming: Vec<Incoming>,
    part: usize,
}

impl Coming for Listed {
    fn store(&self) -> &'static str {
        "another"
    }

    fn announced(&self) -> u64 {
        self.incoming.len().try_into().unwrap()
    }

    fn each<T: Send>(
        &self,
        work: impl Fn(Part) -> T + Sync,
        take: impl FnMut(T) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut parts = self.incoming.chunks(self.part);
        let next = || parts.next();
        let read = |part: &[Incoming]| Part { incoming: part.to_vec(), faults: Vec::new() };
        abreast(next, |part| work(read(part)), take);
        Ok(())
    }
}

/// The plain way.
fn plainly(
    service: &Service,
    coming: &Listed,
    on_conflict: OnConflict,
) -> Result<Fates, ImportError> {
    let refused = |faults: Vec<Fault>| {
        let mut all = Faults::default();
        all.extend(faults);
        if all.is_empty() { Ok(()) } else { Err(ImportError::Faults(all)) }
    };
    let (mut ids, mut names, mut faults) = (HashMap::new(), HashMap::new(), Vec::new());
    for Incoming { line, pat } in &coming.incoming {
        let mut twice = |field: &str, what: &str, first: Option<u64>| {
            let why = first.map(|first| format!("{what} is in line {first} already"));
            faults.extend(why.map(|why| Fault { line: *line, field: field.to_owned(), why }));
        };
        twice("id", pat.id.as_str(), ids.insert(pat.id, *line));
        twice("name", pat.name.as_str(), names.insert(pat.name.folded(), *line));
    }
    refused(faults)?;
    let mut ids: Vec<TokenId> = coming.incoming.iter().map(|one| one.pat.id).collect();
    ids.sort_unstable();
    let plan = Plan::new(on_conflict, ids);
    service.store.write(|rows| {
        let at = service.judged_at(rows)?;
        let (mut fates, mut all, mut faults) = (Vec::new(), Fates::default(), Vec::new());
        for one in &coming.incoming {
            let (fate, refused) = plan.fate(rows, at, one)?;
            all.add(fate.clone());
            fates.push((&one.pat, fate));
            faults.extend(refused);
        }
        refused(faults)?;
        let taken =
            fates.iter().any(|(_, fate)| fate.clashes.iter().any(|it| it.field() == "name"));
        let is_skipping = on_conflict == OnConflict::Skip;
        let mut deletion = None;
        if taken && !is_skipping {
            service.displace(rows, &[], &mut deletion)?;
        }
        let mut was = HashMap::new();
        for (pat, _) in fates.iter().filter(|(_, fate)| fate.outcome == Outcome::Replaced) {
            was.extend(rows.pat(&pat.id)?.map(|old| (pat.id, old.status(at).word())));
            rows.remove_pat(&pat.id)?;
        }
        let writes = |outcome| matches!(outcome, Outcome::New | Outcome::Replaced);
        for (pat, _) in fates.iter().filter(|(_, fate)| writes(fate.outcome)) {
            if let Some(holder) = rows.id_of_name(&pat.name)? {
                service.displace(rows, &[holder], &mut deletion)?;
            }
            rows.remove_trash(&pat.id)?;
            Service::put_with_uses(rows, pat)?;
            let was = was.get(&pat.id).map_or_else(String::new, |was| format!(", was {was} here"));
            let until = crate::domain::plan::until(pat.expires);
            let detail = format!("{} from store another, {until}{was}", pat.status(at).word());
            rows.append_event(service.event(at, Action::Imported, Some(pat), detail))?;
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

fn changed(pats: &[Pat], (which, name_of, how): Change) -> Pat {
    let pat = pats[which % pats.len()].clone();
    let name = name_of.map_or_else(|| pat.name.clone(), |other| name(&format!("token-{other}")));
    let pat = Pat { name, ..pat };
    match how {
        0 => Pat { revoked: Some(at(1)), ..pat },
        1 => Pat { digest: Digest::from_bytes([9; 32]), issued: at(2), ..pat },
        2 => Pat { id: TokenId::parse(&format!("{which:012}")).unwrap(), ..pat },
        3 => Pat { description: Description::parse("of another store").unwrap(), ..pat },
        _ => pat,
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
        any::<bool>().prop_map(|revive| OnConflict::Replace { revive }),
    ]
}

/// What a trail says, whatever the order. What waits in the trash for too long goes when the first
/// name is taken, and that is known sooner in one piece.
fn trail(world: &World) -> Vec<(Option<TokenId>, String, &'static str, String)> {
    let events = world.events().into_iter().map(|event| event.what);
    let events = events.filter(|what| what.action != Action::Purged);
    let mut told: Vec<_> =
        events.map(|it| (it.token, it.name, it.action.word(), it.detail)).collect();
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
            let pats: Vec<Pat> = (0..TOKENS).map(|n| world.issue(&format!("token-{n}")).pat).collect();
            ids = pats.iter().map(|pat| pat.id).collect();
            for step in &steps {
                live(world, &ids, *step);
            }
            world.go_to(3 * DAY);
            let lines = (2..).zip(&changes);
            let incoming = lines.map(|(line, it)| Incoming { line, pat: changed(&pats, *it) });
            coming.push(Listed { incoming: incoming.collect(), part });
        }
        prop_assert_eq!(&coming[0].incoming, &coming[1].incoming);
        let [parts, piece] = &worlds;
        let seen = parts.state();
        let (read, done) = (AtomicU64::new(0), AtomicU64::new(0));
        let prepared = parts.prepare(&coming[0], on_conflict, &read);
        let foreseen = prepared.as_ref().map(|import| import.foresee().unwrap()).ok();
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
        let performed = prepared.and_then(|import| import.perform(&done));
        match (performed, plainly(piece, &coming[1], on_conflict)) {
            (Ok(fates), Ok(expected)) => {
                prop_assert_eq!(&fates, &expected);
                if before == seen {
                    prop_assert_eq!(foreseen, Some(fates));
                }
            }
            (Err(ImportError::Faults(faults)), Err(ImportError::Faults(expected))) => {
                prop_assert_eq!(faults, expected);
                prop_assert_eq!(parts.state(), before);
            }
            (one, other) => prop_assert!(false, "{one:?} but {other:?}"),
        }
        let (one, other) = (parts.state(), piece.state());
        prop_assert_eq!((one.0, one.1), (other.0, other.1));
        prop_assert_eq!(trail(parts), trail(piece));
        let disagreements = parts.store.read(Rows::disagreements).unwrap();
        prop_assert_eq!(disagreements, Vec::<String>::new());
        for pat in parts.all() {
            prop_assert_eq!(parts.store.read(|rows| rows.id_of_name(&pat.name)).unwrap(), Some(pat.id));
        }
    }
}
