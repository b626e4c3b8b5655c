//! The program itself in a terminal: two of them on one store, how each ends, what it prints,
//! how it looks without colours or Unicode, and which sizes it lives through.

use std::fs::OpenOptions;
use std::ops::Bound;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use redb::{StorageBackend as _, backends::FileBackend};
use vt100::MouseProtocolMode;

use super::home::{Home, SIZE, count, create, random_part, secrets};
use super::support::Pty;

#[test]
fn programs_share_a_store_and_one_that_is_stuck_takes_nothing_from_the_others() {
    a_change_in_one_program_is_on_the_screen_of_another_and_idle_ones_are_silent();
    a_stuck_neighbour_is_named_and_takes_nothing_from_the_screen();
}

fn a_change_in_one_program_is_on_the_screen_of_another_and_idle_ones_are_silent() {
    let home = Home::new();
    home.seed("edge gateway", "", "30d", TimeDelta::hours(1));
    let mut one = home.start(SIZE, &[]);
    let mut other = home.start(SIZE, &[]);
    other.wait_for("[Active 1]");

    create(&mut one, "ci deploy");
    let made = Instant::now();
    other.wait_for("ci deploy");
    other.wait_for("[Active 2]");
    // A second is promised; the rest is for a machine that builds something else meanwhile.
    assert!(made.elapsed() < Duration::from_millis(1_500));

    one.keys("a");
    one.wait_for("claimed");
    one.whole_frame();
    other.whole_frame();
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

/// The lock that a process holds which was stopped at the worst moment: nobody can even read.
fn a_stuck_neighbour_is_named_and_takes_nothing_from_the_screen() {
    let home = Home::new();
    home.seed("edge gateway", "", "30d", TimeDelta::hours(1));
    let mut pty = home.start(SIZE, &[]);
    pty.wait_for("edge gateway");
    let file = OpenOptions::new().read(true).write(true).open(home.store()).unwrap();
    let held = FileBackend::new(file).unwrap();
    // The worker may be reading just now.
    while !held.try_lock_range(Bound::Included(0), Bound::Excluded(320)).unwrap() {
        std::thread::yield_now();
    }
    pty.keys("r");
    pty.wait_for("Revoke edge gateway?");
    pty.keys("<Right> <Enter>");
    pty.wait_for("store busy");
    pty.wait_for("[Active 1]");
    pty.keys("? <Enter>");
    pty.wait_for("edge gateway");
    held.close().unwrap();
    pty.keys("r");
    pty.wait_for("Revoke edge gateway?");
    pty.keys("<Right> <Enter>");
    pty.wait_for("[Active 0]");
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
}

/// Starting a terminal and a store costs more than the checks: what shares a subject is one test.
#[test]
fn a_secret_leaves_only_by_the_ways_that_the_operator_chose() {
    however_it_ends_the_secret_is_not_left_and_the_next_start_names_the_token();
    a_secret_left_to_be_printed_is_on_the_primary_screen_once();
}

fn however_it_ends_the_secret_is_not_left_and_the_next_start_names_the_token() {
    type End = fn(&mut Pty);
    let ends: [(End, u32, bool); 4] = [
        (quit_all_the_same, 0, true),
        (|pty| pty.signal("TERM"), 143, true),
        (|pty| pty.signal("HUP"), 129, false),
        (Pty::hang_up, 129, false),
    ];
    for (end, code, restored) in ends {
        let home = Home::new();
        let mut pty = home.start(SIZE, &[]);
        let secret = create(&mut pty, "ci deploy");
        let before = pty.raw().len();
        end(&mut pty);
        assert_eq!(pty.wait_exit(), code, "{}", pty.screen());
        if restored {
            pty.assert_restored();
            assert!(!pty.can_be_scrolled_to(random_part(&secret)));
        } else {
            // Nobody is there to see it, and the line may belong to somebody else by now.
            assert_eq!(pty.raw_so_far().len(), before);
        }
        let mut pty = home.start(SIZE, &[]);
        pty.wait_for("the secret of ci deploy was never confirmed as saved");
    }
}

fn quit_all_the_same(pty: &mut Pty) {
    pty.keys("q");
    pty.wait_for("Not closed: the secret would be lost");
    pty.keys("<C-c>");
    pty.wait_for("Ctrl-C a third time quits");
    pty.keys("<C-c> <C-c>");
}

fn a_secret_left_to_be_printed_is_on_the_primary_screen_once() {
    let home = Home::new();
    let mut pty = home.start(SIZE, &[]);
    let secret = create(&mut pty, "ci deploy");
    pty.keys("p");
    pty.wait_for("the secret is printed when patdeck ends");
    pty.gone(random_part(&secret));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
    assert_eq!(secrets(&pty.screen()), [secret.as_str()]);
    let raw = String::from_utf8(pty.raw()).unwrap();
    let (shown, printed) = raw.split_once("\x1b[?1049l").unwrap();
    assert_eq!(count(shown.as_bytes(), &secret), 1);
    assert!(printed.ends_with(&format!("{secret}\r\n")), "{printed:?}");
    assert_eq!(count(printed.as_bytes(), &secret), 1);
    // It is claimed: nobody is warned of it.
    let mut pty = home.start(SIZE, &[]);
    pty.wait_for("ci deploy");
    assert!(!pty.screen().contains("never confirmed"));
}

/// Poor terminals and small ones.
#[test]
fn every_terminal_is_enough() {
    without_colours_the_selection_is_seen_and_in_the_c_locale_all_is_ascii();
    every_size_is_survived();
    the_mouse_is_taken_only_where_it_is_asked_for();
}

fn the_mouse_is_taken_only_where_it_is_asked_for() {
    let home = Home::new();
    home.seed("edge gateway", "", "30d", TimeDelta::hours(1));
    let mut pty = home.start(SIZE, &[]);
    assert_eq!(pty.terminal().mouse_protocol_mode(), MouseProtocolMode::None);
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);

    let mut pty = home.launch_with(&["--mouse".into()], SIZE, &[]);
    pty.wait_for("edge gateway");
    let click = |row: u16, column: usize| format!("\x1b[<0;{};{}M", column + 1, row + 1);
    let audit = pty.row(0).find("4 Audit").unwrap();
    pty.type_text(&click(0, audit));
    pty.wait_for("chain verified");
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
}

fn without_colours_the_selection_is_seen_and_in_the_c_locale_all_is_ascii() {
    let home = Home::new();
    home.seed("nightly backup", "", "1m", TimeDelta::hours(2));
    home.seed("edge gateway", "Line one\nLine two", "1h", TimeDelta::minutes(5));
    let mut pty = home.start(SIZE, &[("NO_COLOR", "1")]);
    pty.wait_for("edge gateway");
    let rows = pty.terminal().size().0.get();
    let row = (0..rows).find(|row| pty.row(*row).contains("edge gateway"));
    let column = pty.row(row.unwrap()).find("edge").unwrap();
    assert!(pty.inverse_at(row.unwrap(), u16::try_from(column).unwrap()));
    assert_eq!(colours(&pty.raw()), Vec::<String>::new());

    let mut pty = home.start(SIZE, &[("LC_ALL", "C")]);
    // Each Esc is waited for: with a key right behind it, it would be Alt on a slow day.
    for (keys, shown, gone) in [
        ("f f f", "[All 2]", "[Active"),
        ("?", "Keys that work here", "?!"),
        ("f i r s t <Enter> / <Enter> 2", "Create token", "Keys that work here"),
        ("<Esc>", "[All 2]", "Create token"),
        ("4", "chain verified", "[All 2]"),
        ("1 <Enter>", "Events", "chain verified"),
        ("a", "Add scopes to", "?!"),
        ("<Esc>", "Events", "Add scopes to"),
        ("r", "Revoke", "?!"),
        ("n R", "Regenerate", "Revoke"),
        ("<C-s>", "Copy it now", "Regenerate"),
        ("s", "**********", "?!"),
    ] {
        pty.keys(keys);
        pty.wait_for(shown);
        pty.gone(gone);
    }
    let raw = pty.raw();
    let odd = raw.iter().position(|byte| !byte.is_ascii());
    let around = odd.map(|at| String::from_utf8_lossy(&raw[at.saturating_sub(40)..at + 8]));
    assert_eq!(around, None);
    assert!(!colours(&raw).is_empty());
}

/// The colours that were asked of the terminal, as numbers of `ESC [ … m`.
fn colours(raw: &[u8]) -> Vec<String> {
    let raw = String::from_utf8_lossy(raw).into_owned();
    raw.split("\x1b[")
        .filter_map(|rest| rest.split_once('m').map(|(numbers, _)| numbers))
        .filter(|numbers| numbers.bytes().all(|b| b.is_ascii_digit() || b == b';'))
        .flat_map(|numbers| numbers.split(';').map(String::from).collect::<Vec<_>>())
        .filter(|number| matches!(number.parse(), Ok(30..=38 | 40..=48 | 90..=97 | 100..=107)))
        .collect()
}

fn every_size_is_survived() {
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
        // It takes keys at any size: the help opens and runs a command.
        pty.keys("? f i r s t <Enter>");
        pty.wait_for(shown);
    }
    a_key_pressed_while_resizing_counts(&mut pty);
    pty.resize((1, 1));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
}

/// Neither may be left lying until the next key: many times, for they must come at one moment.
fn a_key_pressed_while_resizing_counts(pty: &mut Pty) {
    for (width, key, tab) in [
        (90, "4", "chain verified"),
        (110, "1", "edge gateway"),
        (110, "4", "chain verified"),
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
