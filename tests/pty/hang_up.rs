//! Lost connection on every screen and during a change, with and without SIGHUP. The program must
//! exit within the limit and send nothing more, and the store must stay consistent.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use patdeck::store::{ReadOps as _, Store, StoreError};

use super::home::{Home, SIZE};
use super::support::Pty;

/// The promised maximum time to exit after a hang-up.
const MAX_EXIT_TIME: Duration = Duration::from_millis(500);
/// Extra time for a loaded machine.
const TOLERANCE: Duration = Duration::from_millis(500);

/// Keys that open a screen from a list of one token, and text that this screen shows.
const SCREENS: [(&str, &str); 12] = [
    ("", "edge gateway"),
    ("/ e d g", "edge gateway"),
    ("<Enter>", "Events"),
    ("4", "Chain verified"),
    ("?", "Keys on this screen"),
    ("n", "Name *"),
    ("e", "Edit edge gateway"),
    ("a", "Add scopes to edge gateway"),
    ("r", "Revoke edge gateway?"),
    ("R", "Regenerate edge gateway"),
    ("D", "Delete edge gateway?"),
    ("X", "Delete the only token?"),
];

/// Called by the test of all exits in `terminal`, to keep the number of terminals low.
pub(crate) fn a_lost_connection_ends_the_program_everywhere() {
    let home = Home::new();
    home.seed("edge gateway", "", "30d", TimeDelta::hours(1));
    let mut slowest = Duration::ZERO;
    for (n, (keys, shown)) in SCREENS.into_iter().enumerate() {
        let mut pty = start(&home, n % 2 == 1);
        pty.keys(keys);
        pty.wait_for(shown);
        pty.wait_for_frame_end();
        let sent = pty.raw().len();
        slowest = slowest.max(hang_up_and_time(&mut pty));
        assert_eq!(pty.received().len(), sent, "{shown}");
    }
    for n in 0..4 {
        let mut pty = start(&home, n % 2 == 1);
        pty.keys("n");
        pty.wait_for("Name *");
        pty.type_text(&format!("made {n}"));
        pty.keys("<C-s>");
        std::thread::sleep(Duration::from_millis(n));
        slowest = slowest.max(hang_up_and_time(&mut pty));
    }
    println!("the slowest was gone after {slowest:?}");
    let store = Store::open(&home.store()).unwrap();
    let result = store
        .read(|rows| Ok::<_, StoreError>((rows.find_inconsistencies()?, rows.verify_chain()?)));
    let (faults, chain) = result.unwrap();
    assert_eq!((faults, chain.first_fault), (vec![], None));
}

/// Starts the program and waits for the list. With `deaf`, a wrapper swallows SIGHUP.
fn start(home: &Home, deaf: bool) -> Pty {
    let wrapper = ["/bin/sh", "-c", "trap '' HUP; \"$@\"; exit $?", "sh"].map(OsString::from);
    let program = OsString::from(env!("CARGO_BIN_EXE_patdeck"));
    let mut argv = if deaf { wrapper.to_vec() } else { vec![] };
    argv.push(program);
    let mut pty = Pty::spawn(&argv, SIZE, &[("HOME", home.path().to_str().unwrap())]);
    pty.wait_for("edge gateway");
    pty
}

/// Hangs up and returns the time until the program exits.
fn hang_up_and_time(pty: &mut Pty) -> Duration {
    let started = Instant::now();
    pty.hang_up();
    assert_eq!(pty.wait_exit(), 129);
    let took = started.elapsed();
    assert!(took < MAX_EXIT_TIME + TOLERANCE, "{took:?}");
    took
}
