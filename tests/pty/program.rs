//! The program in a terminal: two instances on one store, exits with an open secret, printing at
//! exit, no colours, no Unicode, the mouse, and terminal sizes.

use std::fs::OpenOptions;
use std::ops::Bound;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use redb::{StorageBackend as _, backends::FileBackend};
use vt100::MouseProtocolMode;

use super::home::{Home, SIZE, count_occurrences, create, random_part, secrets};
use super::support::Pty;

#[test]
fn programs_share_a_store_even_if_one_hangs() {
    a_change_reaches_the_other_screen_and_idle_is_silent();
    a_held_lock_is_reported_and_the_screen_stays();
}

fn a_change_reaches_the_other_screen_and_idle_is_silent() {
    let home = Home::new();
    home.seed("edge gateway", "", "30d", TimeDelta::hours(1));
    let mut one = home.start(SIZE, &[]);
    let mut other = home.start(SIZE, &[]);
    other.wait_for("[Active 1]");

    create(&mut one, "ci deploy");
    let created = Instant::now();
    other.wait_for("ci deploy");
    other.wait_for("[Active 2]");
    // One second is promised; the rest is for a loaded machine.
    assert!(created.elapsed() < Duration::from_millis(1_500));

    one.keys("a");
    one.wait_for("secret saved");
    one.wait_for_frame_end();
    other.wait_for_frame_end();
    let sent = (one.raw().len(), other.raw().len());
    let ticks = (one.cpu_ticks(), other.cpu_ticks());
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!((one.raw().len(), other.raw().len()), sent);
    assert!(one.cpu_ticks() <= ticks.0 + 2 && other.cpu_ticks() <= ticks.1 + 2);

    other.keys("g r");
    other.wait_for("Revoke ci deploy?");
    other.keys("<Right> <Enter>");
    one.wait_for("revoked");
    one.wait_for("R regenerate");
}

/// Holds the lock of a process that was stopped at the worst moment: no other process can read.
fn a_held_lock_is_reported_and_the_screen_stays() {
    let home = Home::new();
    home.seed("edge gateway", "", "30d", TimeDelta::hours(1));
    let mut pty = home.start(SIZE, &[]);
    pty.wait_for("edge gateway");
    let file = OpenOptions::new().read(true).write(true).open(home.store()).unwrap();
    let lock = FileBackend::new(file).unwrap();
    // The worker thread may hold the lock for a read.
    while !lock.try_lock_range(Bound::Included(0), Bound::Excluded(320)).unwrap() {
        std::thread::yield_now();
    }
    pty.keys("r");
    pty.wait_for("Revoke edge gateway?");
    pty.keys("<Right> <Enter>");
    pty.wait_for("store is busy");
    pty.wait_for("[Active 1]");
    pty.keys("? <Enter>");
    pty.wait_for("edge gateway");
    lock.close().unwrap();
    pty.keys("r");
    pty.wait_for("Revoke edge gateway?");
    pty.keys("<Right> <Enter>");
    pty.wait_for("[Active 0]");
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
}

/// One test for both cases, because starting a terminal and a store costs more than the checks.
#[test]
fn a_secret_is_shown_only_where_the_operator_chose() {
    no_exit_leaks_the_secret_and_the_next_start_warns();
    a_secret_printed_at_exit_is_on_screen_once();
    several_secrets_printed_at_exit_have_names();
}

fn several_secrets_printed_at_exit_have_names() {
    let home = Home::new();
    let mut pty = home.start(SIZE, &[]);
    let all: Vec<String> = ["ci", "grafana"]
        .map(|name| {
            let secret = create(&mut pty, name);
            pty.keys("p");
            pty.wait_for("The secret will be printed when patdeck exits");
            pty.keys("<Esc>");
            pty.wait_until_gone(random_part(&secret));
            format!("Secret of {name}:\r\n{secret}\r\n")
        })
        .into();
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    let raw = String::from_utf8(pty.raw()).unwrap();
    assert!(raw.ends_with(&all.concat()), "{:?}", raw.split_once("\x1b[?1049l"));
}

fn no_exit_leaks_the_secret_and_the_next_start_warns() {
    type End = fn(&mut Pty);
    let ends: [(End, u32, bool); 4] = [
        (force_quit, 0, true),
        (|pty| pty.signal("TERM"), 143, true),
        (|pty| pty.signal("HUP"), 129, true),
        (Pty::hang_up, 129, false),
    ];
    for (end, code, restored) in ends {
        let home = Home::new();
        let mut pty = home.start(SIZE, &[]);
        let secret = create(&mut pty, "ci deploy");
        // A signal or a hang-up also breaks the promise to print the secret at the end.
        if code != 0 {
            pty.keys("p");
            pty.wait_for("The secret will be printed when patdeck exits");
        }
        let before = pty.raw().len();
        end(&mut pty);
        assert_eq!(pty.wait_exit(), code, "{}", pty.screen());
        if restored {
            pty.assert_restored();
            assert!(!pty.scrollback_contains(random_part(&secret)));
        } else {
            // After a hang-up the program writes nothing: the device may belong to another user.
            assert_eq!(pty.received().len(), before);
        }
        let mut pty = home.start(SIZE, &[]);
        pty.wait_for("Secret of ci deploy may be lost");
    }
}

fn force_quit(pty: &mut Pty) {
    pty.keys("q");
    pty.wait_for("Not closed: the secret would be lost");
    pty.keys("<C-c>");
    pty.wait_for("Press Ctrl-C twice more to quit");
    pty.keys("<C-c> <C-c>");
}

fn a_secret_printed_at_exit_is_on_screen_once() {
    let home = Home::new();
    let mut pty = home.start(SIZE, &[]);
    let secret = create(&mut pty, "ci deploy");
    pty.keys("p");
    pty.wait_for("The secret will be printed when patdeck exits");
    pty.keys("<Esc>");
    pty.wait_until_gone(random_part(&secret));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
    assert_eq!(secrets(&pty.screen()), [secret.as_str()]);
    let raw = String::from_utf8(pty.raw()).unwrap();
    let (shown, printed) = raw.split_once("\x1b[?1049l").unwrap();
    assert_eq!(count_occurrences(shown.as_bytes(), &secret), 1);
    assert!(printed.ends_with(&format!("{secret}\r\n")), "{printed:?}");
    assert_eq!(count_occurrences(printed.as_bytes(), &secret), 1);
    // The delivery is recorded, so the next start shows no warning.
    let mut pty = home.start(SIZE, &[]);
    pty.wait_for("ci deploy");
    assert!(!pty.screen().contains("may be lost"));
    pty.keys("4");
    pty.wait_for("printed");
}

/// Terminals without colour, Unicode or mouse, and small ones.
#[test]
fn limited_terminals_work() {
    no_color_keeps_the_highlight_and_c_locale_is_ascii();
    every_size_works();
    the_mouse_is_captured_only_on_request();
}

fn the_mouse_is_captured_only_on_request() {
    let home = Home::new();
    home.seed("edge gateway", "", "30d", TimeDelta::hours(1));
    let mut pty = home.start(SIZE, &[]);
    assert_eq!(pty.vt_screen().mouse_protocol_mode(), MouseProtocolMode::None);
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);

    let mut pty = home.launch_with(&["--mouse".into()], SIZE, &[]);
    pty.wait_for("edge gateway");
    let click = |row: u16, column: usize| format!("\x1b[<0;{};{}M", column + 1, row + 1);
    let audit = pty.row(0).find("4 Audit").unwrap();
    pty.type_text(&click(0, audit));
    pty.wait_for("Chain verified");
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
}

fn no_color_keeps_the_highlight_and_c_locale_is_ascii() {
    let home = Home::new();
    home.seed("nightly backup", "", "1m", TimeDelta::hours(2));
    home.seed("edge gateway", "Line one\nLine two", "1h", TimeDelta::minutes(5));
    let mut pty = home.start(SIZE, &[("NO_COLOR", "1")]);
    pty.wait_for("edge gateway");
    let rows = pty.vt_screen().size().0.get();
    let row = (0..rows).find(|row| pty.row(*row).contains("edge gateway"));
    let column = pty.row(row.unwrap()).find("edge").unwrap();
    assert!(pty.inverse_at(row.unwrap(), u16::try_from(column).unwrap()));
    assert_eq!(colours(&pty.raw()), Vec::<String>::new());

    home.seed("café…", "Füße", "30d", TimeDelta::minutes(1));
    let mut pty = home.start(SIZE, &[("LC_ALL", "C")]);
    pty.wait_for("caf\\u{e9}~");
    pty.keys("D");
    pty.wait_for("To delete, type its name");
    pty.type_text("é");
    pty.wait_for("?");
    pty.keys("<BS>");
    pty.type_text("caf\\u{e9}...");
    pty.wait_for("Enter to delete");
    pty.keys("<Enter>");
    pty.wait_for("Deleted caf\\u{e9}~");
    // Wait after each Esc: a key right after it could be read as Alt.
    for (keys, shown, gone) in [
        ("f f f f", "[All 2]", "[Active"),
        ("?", "Keys on this screen", "?!"),
        ("f i r s t <Enter> / <Enter> 2", "Create token", "Keys on this screen"),
        ("<Esc>", "[All 2]", "Create token"),
        ("4", "Chain verified", "[All 2]"),
        ("1 <Enter>", "Events", "Chain verified"),
        ("a", "Add scopes to", "?!"),
        ("<Esc>", "Events", "Add scopes to"),
        ("r", "Revoke", "?!"),
        ("n R", "Regenerate", "Revoke"),
        ("<C-s>", "Shown once", "Regenerate"),
        ("s", "**********", "?!"),
    ] {
        pty.keys(keys);
        pty.wait_for(shown);
        pty.wait_until_gone(gone);
    }
    let raw = pty.raw();
    let non_ascii = raw.iter().position(|byte| !byte.is_ascii());
    let context = non_ascii.map(|at| String::from_utf8_lossy(&raw[at.saturating_sub(40)..at + 8]));
    assert_eq!(context, None);
    assert!(!colours(&raw).is_empty());
}

/// The colour parameters of all `ESC [ … m` sequences.
fn colours(raw: &[u8]) -> Vec<String> {
    let raw = String::from_utf8_lossy(raw).into_owned();
    raw.split("\x1b[")
        .filter_map(|rest| rest.split_once('m').map(|(numbers, _)| numbers))
        .filter(|numbers| numbers.bytes().all(|b| b.is_ascii_digit() || b == b';'))
        .flat_map(|numbers| numbers.split(';').map(String::from).collect::<Vec<_>>())
        .filter(|number| matches!(number.parse(), Ok(30..=38 | 40..=48 | 90..=97 | 100..=107)))
        .collect()
}

fn every_size_works() {
    let home = Home::new();
    home.seed("edge gateway", "", "30d", TimeDelta::hours(1));
    let mut pty = home.launch((20, 5), &[]);
    pty.wait_for("20x5");
    for (size, shown) in [
        ((1, 1), ""),
        ((40, 10), "edge"),
        ((80, 24), "edge gateway"),
        ((200, 60), "edge gateway"),
        ((39, 9), "39x9"),
        ((80, 24), "edge gateway"),
    ] {
        pty.resize(size);
        pty.wait_for(shown);
        // Keys work at any size: the help opens and runs a command.
        pty.keys("? f i r s t <Enter>");
        pty.wait_for(shown);
    }
    a_key_during_a_resize_is_handled(&mut pty);
    pty.resize((1, 1));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
}

/// A key and a resize at the same moment must both be handled at once. Repeated, because the race
/// is rare.
fn a_key_during_a_resize_is_handled(pty: &mut Pty) {
    for (width, key, tab) in [
        (90, "4", "Chain verified"),
        (110, "1", "edge gateway"),
        (110, "4", "Chain verified"),
        (90, "1", "edge gateway"),
    ]
    .repeat(25)
    {
        pty.keys(key);
        pty.resize((width, 28));
        pty.wait_for(tab);
        pty.wait_until(&format!("a screen {width} wide"), |pty| {
            pty.screen().contains("patdeck") == (width >= 100)
        });
    }
}
