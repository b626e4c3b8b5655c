//! Simulates a power cut at every sync of a sequence of changes. The disk may then contain none,
//! all or any of the writes since the previous sync, and the last one partially. In each case, the
//! store must open and contain every acknowledged change, plus at most the current one, complete.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    Store,
    fault_injection::{
        PendingCall, PowerCutLog, PowerCutState, TestBackendBehaviour, acknowledge, set_behaviour,
    },
    scenario::{self, STEPS_PER_ROUND, StoreContents, apply_step, contents},
};

/// The number of random disk images for each power cut, in addition to two fixed ones.
const RANDOM_IMAGES: usize = 4;

#[test]
fn a_power_cut_loses_no_acknowledged_change() {
    let requested = std::env::var("PATDECK_POWER_STEPS").ok();
    let steps = requested.map_or(2 * STEPS_PER_ROUND, |text| text.parse().unwrap());
    let (cuts, states) = record_changes(steps);
    let folder = scenario::temp_folder();
    let mut random = StdRng::seed_from_u64(5);
    let mut images = 0;
    for cut in &cuts {
        for image in images_of(cut, &mut random) {
            let store = Store::open(&scenario::write_store_file(&folder, &image)).unwrap();
            let found = contents(&store).unwrap();
            let possible = &states[cut.acknowledged..=(cut.acknowledged + 1).min(steps)];
            assert!(possible.contains(&found), "after {} changes: {found:?}", cut.acknowledged);
            images += 1;
        }
    }
    println!("{images} images of {} cuts in {steps} changes", cuts.len());
    assert!(cuts.len() > 2 * steps);
}

/// Runs `steps` changes. Returns a power cut for every sync, and the contents after each change.
fn record_changes(steps: usize) -> (Vec<PowerCutState>, Vec<StoreContents>) {
    let folder = scenario::temp_folder();
    let path = folder.path().join("s.redb");
    let store = Store::open(&path).unwrap();
    let durable = std::fs::read(&path).unwrap().into();
    let mut states = vec![contents(&store).unwrap()];
    set_behaviour(TestBackendBehaviour::Log(PowerCutLog {
        durable,
        pending: vec![],
        power_cuts: vec![],
        acknowledged: 0,
    }));
    for n in 0..steps {
        store.write(|rows| apply_step(n, rows)).unwrap();
        acknowledge();
        states.push(contents(&store).unwrap());
    }
    let TestBackendBehaviour::Log(PowerCutLog { power_cuts, durable, .. }) =
        set_behaviour(TestBackendBehaviour::PassThrough)
    else {
        panic!("the mode was changed");
    };
    assert_eq!(*durable, std::fs::read(&path).unwrap(), "the log matches the file");
    (power_cuts, states)
}

fn images_of(cut: &PowerCutState, random: &mut StdRng) -> Vec<Vec<u8>> {
    let with = |calls: &[PendingCall]| {
        let mut image = (*cut.durable).clone();
        for call in calls {
            call.apply(&mut image);
        }
        image
    };
    let mut images = vec![with(&[]), with(&cut.pending)];
    for n in 0..RANDOM_IMAGES {
        let mut left = cut.pending.clone();
        match n {
            // A prefix of the calls, as on a file system that preserves their order.
            0 => left.truncate(random.random_range(0..=left.len())),
            // Any subset of the calls. Their order does not matter, because they do not overlap.
            1 => left.retain(|_| random.random()),
            // Any sectors of any calls.
            2 => left = left.iter().flat_map(sectors).filter(|_| random.random()).collect(),
            _ => {}
        }
        tear(&mut left, random);
        images.push(with(&left));
    }
    images
}

fn sectors(call: &PendingCall) -> Vec<PendingCall> {
    match call {
        PendingCall::SetLen(_) => vec![call.clone()],
        PendingCall::Write(at, data) => {
            let pieces = data.chunks(512).enumerate();
            pieces.map(|(n, piece)| PendingCall::Write(at + n * 512, piece.to_owned())).collect()
        }
    }
}

/// Truncates the last write at a random position.
fn tear(calls: &mut [PendingCall], random: &mut StdRng) {
    if let Some(PendingCall::Write(_, data)) = calls.last_mut() {
        data.truncate(random.random_range(0..=data.len()));
    }
}
