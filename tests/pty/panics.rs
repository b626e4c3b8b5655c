//! A panic while a secret is on the screen: the report tells where it was and nothing of the
//! secret, and neither the terminal nor a file keeps any. There is no way to make the program
//! panic, so this test executable runs the app inside the pseudo-terminal, with a fault beside it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, thread};

use patdeck::{
    config::{Glyphs, ThemeName},
    domain::Secret,
    keymap::Keymap,
    process,
    service::Clock,
    tui::{self, Setup, terminal::Session, theme::Theme},
};
use ratatui::widgets::Paragraph;
use zeroize::Zeroizing;

use super::home::{Home, SIZE, count, create, random_part, service_on};
use super::support::Pty;
use super::traces::{all_files, forms, holds};

/// Which fault the child is to have.
const FAULT: &str = "PATDECK_TEST_FAULT";
/// The file from which it takes the secret that the fault is about.
const CAUSE: &str = "cause";
/// A secret with a checksum that holds.
const SOUND: &str = "pat_4fKq9Zt0WbXe_0q9Wz7xK3bY5cR1dT8eL0q9Wz7xK3bY51FXHnv";

#[test]
fn child_main() {
    let Ok(fault) = env::var(FAULT) else { return };
    process::install_panic_hook();
    let home = PathBuf::from(env::var_os("HOME").unwrap());
    if fault == "frame" {
        let secret = cause(&home);
        let mut session = Session::enter(false).unwrap();
        session.draw(|frame| frame.render_widget(Paragraph::new(&**secret), frame.area())).unwrap();
        let _ = session.draw(|_| happen("slice", &secret));
    }
    let service = service_on(&home.join(".local/share/patdeck/store.redb"), Clock::System);
    let setup = Setup {
        keymap: Keymap::default(),
        theme: Theme::new(ThemeName::Default, Glyphs::Unicode),
        mouse: false,
        who: "alice@here".into(),
        options: Vec::new(),
        clipboard: None,
    };
    thread::spawn(move || happen(&fault, &cause(&home)));
    tui::run(service, setup).unwrap();
}

/// The secret that the parent wrote down, once it did.
fn cause(home: &Path) -> Zeroizing<String> {
    loop {
        match fs::read_to_string(home.join(CAUSE)) {
            Ok(secret) if secret.len() == 55 => return secret.into(),
            _ => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Panics, in one of the ways in which code that holds `secret` could.
fn happen(fault: &str, secret: &Zeroizing<String>) {
    let held = Secret::parse(secret.clone()).unwrap();
    match fault {
        "quote" => panic!("no such token: {}", held.reveal()),
        "slice" => drop(held.reveal()[..99].to_owned()),
        "unwrap" => panic!("called `Result::unwrap()` on an `Err` value: {:?}", (held, secret)),
        "part" => panic!("{} is left", &secret[25..]),
        other => panic!("no fault {other}"),
    }
}

#[test]
fn a_panic_tells_nothing_of_the_secret_on_the_screen_and_leaves_none_behind() {
    for fault in ["quote", "slice", "unwrap", "part", "frame"] {
        let home = Home::new();
        let mut argv = vec![env::current_exe().unwrap().into_os_string()];
        argv.extend(["--exact", "panics::child_main", "--nocapture"].map(OsString::from));
        let at = home.path();
        let set = [(FAULT, fault), ("HOME", at.to_str().unwrap()), ("RUST_BACKTRACE", "full")];
        let mut pty = Pty::spawn(&argv, SIZE, &set);
        let secret = if fault == "frame" {
            SOUND.to_owned()
        } else {
            pty.wait_for("Active ");
            create(&mut pty, "ci deploy")
        };
        let cause = at.join(CAUSE);
        fs::write(&cause, &secret).unwrap();
        let code = pty.wait_exit();
        let raw = pty.raw();
        assert_eq!(code, 101, "{fault}: {}", String::from_utf8_lossy(&raw));
        pty.assert_restored();
        assert!(!pty.can_be_scrolled_to(random_part(&secret)), "{fault}");
        assert_eq!(count(&raw, &secret), 1, "{fault}: on the panel and nowhere else");
        let end = memchr::memmem::rfind(&raw, b"\x1b[?1049l").unwrap();
        let (report, forms) = (&raw[end..], forms(&secret));
        let told = String::from_utf8_lossy(report).into_owned();
        assert!(told.contains("patdeck panicked") && told.contains("panics.rs"), "{told}");
        assert!(!told.contains(&secret[37..]), "{fault}: {told}");
        assert_eq!(holds(report, &forms), None, "{fault}: {told}");
        fs::remove_file(cause).unwrap();
        for file in all_files(&at) {
            assert_eq!(holds(&fs::read(&file).unwrap(), &forms), None, "{}", file.display());
        }
    }
}
