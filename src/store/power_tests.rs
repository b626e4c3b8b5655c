//! A power cut at every sync of a long script of changes. Before each, the disk may have nothing
//! of what was written since the last, all of it, any part, and the last of it torn: whichever
//! it is, the store opens, holds every acknowledged change, and at most the one under way, whole.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    Store,
    faulty::{Cut, Pending, Plan, Record, acknowledge, plan},
    script::{self, ROUND, State, state, step},
};

/// How many images are made of a cut beside the two that always are.
const CHANCES: usize = 4;

#[test]
fn a_power_cut_at_any_sync_loses_nothing_acknowledged_and_leaves_no_half_change() {
    let asked = std::env::var("PATDECK_POWER_STEPS").ok();
    let steps = asked.map_or(2 * ROUND, |text| text.parse().unwrap());
    let (cuts, states) = record(steps);
    let folder = script::folder();
    let mut random = StdRng::seed_from_u64(5);
    let mut images = 0;
    for cut in &cuts {
        for image in images_of(cut, &mut random) {
            let store = Store::open(&script::put(&folder, &image)).unwrap();
            let found = state(&store).unwrap();
            let possible = &states[cut.acknowledged..=(cut.acknowledged + 1).min(steps)];
            assert!(possible.contains(&found), "after {} changes: {found:?}", cut.acknowledged);
            images += 1;
        }
    }
    println!("{images} images of {} cuts in {steps} changes", cuts.len());
    assert!(cuts.len() > 2 * steps);
}

/// Every sync of `steps` changes, and the state after each of them.
fn record(steps: usize) -> (Vec<Cut>, Vec<State>) {
    let folder = script::folder();
    let path = folder.path().join("s.redb");
    let store = Store::open(&path).unwrap();
    let certain = std::fs::read(&path).unwrap().into();
    let mut states = vec![state(&store).unwrap()];
    plan(Plan::Record(Record { certain, pending: vec![], cuts: vec![], acknowledged: 0 }));
    for n in 0..steps {
        store.write(|rows| step(n, rows)).unwrap();
        acknowledge();
        states.push(state(&store).unwrap());
    }
    let Plan::Record(Record { cuts, certain, .. }) = plan(Plan::Sound) else {
        panic!("the plan is gone");
    };
    assert_eq!(*certain, std::fs::read(&path).unwrap(), "the account is right");
    (cuts, states)
}

fn images_of(cut: &Cut, random: &mut StdRng) -> Vec<Vec<u8>> {
    let with = |calls: &[Pending]| {
        let mut image = (*cut.certain).clone();
        for call in calls {
            call.apply(&mut image);
        }
        image
    };
    let mut images = vec![with(&[]), with(&cut.pending)];
    for chance in 0..CHANCES {
        let mut left = cut.pending.clone();
        match chance {
            // In order up to some call, as a file system that keeps order.
            0 => left.truncate(random.random_range(0..=left.len())),
            // Any part of them, in any order, which is the same since none overlap.
            1 => left.retain(|_| random.random()),
            // Any sectors of any of them.
            2 => left = left.iter().flat_map(sectors).filter(|_| random.random()).collect(),
            _ => {}
        }
        tear(&mut left, random);
        images.push(with(&left));
    }
    images
}

fn sectors(call: &Pending) -> Vec<Pending> {
    match call {
        Pending::Length(_) => vec![call.clone()],
        Pending::Write(at, data) => {
            let pieces = data.chunks(512).enumerate();
            pieces.map(|(n, piece)| Pending::Write(at + n * 512, piece.to_owned())).collect()
        }
    }
}

/// Leaves the first bytes of the last write only.
fn tear(calls: &mut [Pending], random: &mut StdRng) {
    if let Some(Pending::Write(_, data)) = calls.last_mut() {
        data.truncate(random.random_range(0..=data.len()));
    }
}
