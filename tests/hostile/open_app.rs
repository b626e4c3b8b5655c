//! The app in a terminal while its store is damaged, replaced, moved or taken away: it reports that
//! or continues to work, does not panic, and restores the terminal at its end. The test prints the
//! slowest report, which must take less than 2 s on a machine without other load.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{
    cases::{case_count, run_cases},
    command_lines::pick,
    home::Home,
    page_damage::damage,
    subject::{register_of, write_store},
    support::Pty,
};

/// Wide enough that no message is cut off.
const SIZE: (u16, u16) = (200, 30);

/// The store before and after the app has started, and another one.
struct States {
    old: Vec<u8>,
    other: Vec<u8>,
}

/// What is done to the store, and the message that must follow, if there must be one.
struct Fault {
    apply: fn(&Path, &States, &mut StdRng),
    message: Option<&'static str>,
}

const fn certain(apply: fn(&Path, &States, &mut StdRng), message: &'static str) -> Fault {
    Fault { apply, message: Some(message) }
}

const fn possible(apply: fn(&Path, &States, &mut StdRng)) -> Fault {
    Fault { apply, message: None }
}

const FAULTS: [Fault; 17] = [
    certain(|store, _, _| fs::remove_file(store).unwrap(), "no store at "),
    certain(|store, _, _| fs::write(store, "").unwrap(), "is not a patdeck store"),
    certain(|store, _, _| fs::write(store, "text\n").unwrap(), "is not a patdeck store"),
    certain(|store, _, _| set_mode(store, 0o644), "is accessible to other users"),
    certain(
        |store, _, _| {
            let folder = store.parent().unwrap();
            fs::rename(folder, folder.with_extension("aside")).unwrap();
        },
        "no store at ",
    ),
    certain(
        |store, _, _| {
            fs::remove_file(store).unwrap();
            fs::create_dir(store).unwrap();
        },
        "is not a regular file",
    ),
    certain(
        |store, _, _| {
            fs::remove_file(store).unwrap();
            assert!(
                Command::new("mkfifo").args(["-m", "600"]).arg(store).status().unwrap().success()
            );
        },
        "is not a regular file",
    ),
    certain(
        |store, _, _| {
            fs::rename(store, store.with_extension("aside")).unwrap();
            symlink(store.with_extension("aside"), store).unwrap();
        },
        "symbolic link",
    ),
    certain(|store, states, _| replace(store, &states.old), "replaced by another state of itself"),
    possible(|store, states, _| fs::write(store, &states.old).unwrap()),
    possible(|store, states, _| replace(store, &states.other)),
    possible(|store, states, _| fs::write(store, &states.other).unwrap()),
    possible(|store, _, random| {
        let mut bytes = fs::read(store).unwrap();
        damage(&mut bytes, random);
        fs::write(store, bytes).unwrap();
    }),
    possible(|store, _, random| {
        let mut bytes = fs::read(store).unwrap();
        damage(&mut bytes, random);
        replace(store, &bytes);
    }),
    possible(|store, _, _| fs::remove_file(register_of(store)).unwrap()),
    possible(|store, _, random| {
        let mut bytes = fs::read(register_of(store)).unwrap();
        damage(&mut bytes, random);
        fs::write(register_of(store), bytes).unwrap();
    }),
    possible(|store, _, _| fs::write(register_of(store), "text\n").unwrap()),
];

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Replaces the file at `store` by a new one.
fn replace(store: &Path, bytes: &[u8]) {
    let new = store.with_extension("new");
    write_store(&new, bytes);
    fs::rename(&new, store).unwrap();
}

/// Keys that go through the screens and dialogs. Each sequence returns to a screen.
const KEYS: [&str; 12] = [
    "j j k",
    "<Enter> j <Esc>",
    "4 j j",
    "1 f f f",
    "/ e d <Enter> <Esc>",
    "r <Esc>",
    "r <Right> <Enter> <Esc>",
    "D <Esc>",
    "X <Esc>",
    "e x <C-s> <Esc>",
    "v j <Esc>",
    "m <Esc>",
];

/// Asserts that the app still answers: the help opens and closes.
fn assert_answers(pty: &mut Pty) {
    pty.keys("<Esc> <Esc> <Esc> 1 ?");
    pty.wait_for("Keys on this screen");
    pty.keys("<Esc>");
    pty.wait_until_gone("Keys on this screen");
}

/// Runs case `seed`, and returns how long the app took to report the fault.
fn run_case(seed: u64) -> Duration {
    let mut random = StdRng::seed_from_u64(seed);
    let index = usize::try_from(seed).unwrap() % FAULTS.len();
    let fault = &FAULTS[index];
    let case = format!("seed {seed}: fault {index}");
    let (home, other) = (Home::new(), Home::new());
    home.seed("edge gateway", "", "30d", TimeDelta::hours(1));
    home.seed("ci deploy", "", "30d", TimeDelta::minutes(30));
    other.seed("another", "", "30d", TimeDelta::hours(1));
    let store = home.store();
    let states = States { old: fs::read(&store).unwrap(), other: fs::read(other.store()).unwrap() };
    home.seed("later", "", "30d", TimeDelta::minutes(5));
    let mut pty = home.start(SIZE, &[]);
    pty.wait_for("[Active 3]");
    (fault.apply)(&store, &states, &mut random);
    let began = Instant::now();
    if let Some(message) = fault.message {
        pty.wait_for(message);
    }
    let reported_after = began.elapsed();
    assert_answers(&mut pty);
    for _ in 0..4 {
        pty.keys(pick::<&str>(&mut random, &KEYS));
    }
    assert_answers(&mut pty);
    if random.random() {
        pty.keys("q");
        assert_eq!(pty.wait_exit(), 0, "{case}");
    } else {
        pty.signal("TERM");
        assert_eq!(pty.wait_exit(), 143, "{case}");
    }
    pty.assert_restored();
    let output = String::from_utf8_lossy(&pty.raw()).into_owned();
    assert!(!output.contains("panicked"), "{case}: {}", pty.screen());
    reported_after
}

#[test]
fn an_open_app_survives_every_fault_of_its_store() {
    let slowest = Mutex::new(Duration::ZERO);
    run_cases(
        case_count(FAULTS.len() as u64, 1_000),
        |_| (),
        |seed, ()| {
            let reported_after = run_case(seed);
            let mut slowest = slowest.lock().unwrap();
            *slowest = reported_after.max(*slowest);
        },
    );
    println!("the slowest report of a fault took {:?}", slowest.into_inner().unwrap());
}
