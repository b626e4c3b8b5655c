//! The line drops, on every screen and in the middle of a change, whether the program is told or
//! not: it is gone at once, has sent nothing more, and the store is whole.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use patdeck::store::{ReadOps as _, Store, StoreError};

use super::home::{Home, SIZE};
use super::support::Pty;

/// What is promised.
const PROMISED: Duration = Duration::from_millis(500);
/// For a machine that builds something else at the same time.
const SLOW: Duration = Duration::from_millis(500);

/// Keys that lead to a screen from the list of one token, and what is seen there.
const SCREENS: [(&str, &str); 12] = [
    ("", "edge gateway"),
    ("/ e d g", "edge gateway"),
    ("<Enter>", "Events"),
    ("4", "chain verified"),
    ("?", "Keys that work here"),
    ("n", "Name *"),
    ("e", "Edit edge gateway"),
    ("a", "Add scopes to edge gateway"),
    ("r", "Revoke edge gateway?"),
    ("R", "Regenerate edge gateway"),
    ("D", "Delete edge gateway?"),
    ("X", "Delete the only token?"),
];

/// Called by the test of all endings: starting terminals is what costs.
pub(crate) fn a_lost_line_ends_the_program_on_every_screen_and_in_the_middle_of_a_change() {
    let home = Home::new();
    home.seed("edge gateway", "", "30d", TimeDelta::hours(1));
    let mut slowest = Duration::ZERO;
    for (n, (keys, shown)) in SCREENS.into_iter().enumerate() {
        let mut pty = start(&home, n % 2 == 1);
        pty.keys(keys);
        pty.wait_for(shown);
        pty.whole_frame();
        let sent = pty.raw().len();
        slowest = slowest.max(hang_up(&mut pty));
        assert_eq!(pty.raw_so_far().len(), sent, "{shown}");
    }
    for n in 0..4 {
        let mut pty = start(&home, n % 2 == 1);
        pty.keys("n");
        pty.wait_for("Name *");
        pty.type_text(&format!("made {n}"));
        pty.keys("<C-s>");
        std::thread::sleep(Duration::from_millis(n));
        slowest = slowest.max(hang_up(&mut pty));
    }
    println!("the slowest was gone after {slowest:?}");
    let store = Store::open(&home.store()).unwrap();
    let found =
        store.read(|rows| Ok::<_, StoreError>((rows.disagreements()?, rows.verify_chain()?)));
    let (faults, chain) = found.unwrap();
    assert_eq!((faults, chain.broken), (vec![], None));
}

/// The program once it has read the store; `deaf` under a wrapper that swallows the signal.
fn start(home: &Home, deaf: bool) -> Pty {
    let wrapper = ["/bin/sh", "-c", "trap '' HUP; \"$@\"; exit $?", "sh"].map(OsString::from);
    let program = OsString::from(env!("CARGO_BIN_EXE_patdeck"));
    let mut argv = if deaf { wrapper.to_vec() } else { vec![] };
    argv.push(program);
    let mut pty = Pty::spawn(&argv, SIZE, &[("HOME", home.path().to_str().unwrap())]);
    pty.wait_for("edge gateway");
    pty
}

/// How long it took to end.
fn hang_up(pty: &mut Pty) -> Duration {
    let started = Instant::now();
    pty.hang_up();
    assert_eq!(pty.wait_exit(), 129);
    let took = started.elapsed();
    assert!(took < PROMISED + SLOW, "{took:?}");
    took
}
