//! A panic while a secret is on the screen: the report contains the location but nothing of the
//! secret, and neither the terminal nor any file keeps it. The real program has no way to panic on
//! request, so this test executable runs the app in the pseudo-terminal with an injected fault.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, thread};

use patdeck::{
    cli::exit::end_with_damage,
    config::{GlyphSet, ThemeName},
    domain::Secret,
    keymap::Keymap,
    process_hardening,
    service::Clock,
    store::catch_redb_panic,
    tui::{self, AppSettings, terminal::TerminalSession, theme::Theme},
};
use ratatui::widgets::Paragraph;
use zeroize::Zeroizing;

use super::home::{Home, SIZE, count_occurrences, create, random_part, service_on};
use super::secret_encodings::{all_files, encodings, find_encoding};
use super::support::Pty;

/// Environment variable with the fault to inject into the child.
const FAULT: &str = "PATDECK_TEST_FAULT";
/// The file from which the child reads the secret that the panic message contains.
const SECRET_FILE: &str = "secret_file";
/// A secret with a valid checksum.
const VALID_SECRET: &str = "pat_4fKq9Zt0WbXe_0q9Wz7xK3bY5cR1dT8eL0q9Wz7xK3bY51FXHnv";

#[test]
fn child_main() {
    let Ok(fault) = env::var(FAULT) else { return };
    process_hardening::install_panic_hook(end_with_damage);
    let home = PathBuf::from(env::var_os("HOME").unwrap());
    if fault == "frame" {
        let secret = wait_for_secret(&home);
        let mut session = TerminalSession::enter(false).unwrap();
        session.draw(|frame| frame.render_widget(Paragraph::new(&**secret), frame.area())).unwrap();
        let _ = session.draw(|_| cause_panic("slice", &secret));
    }
    let service = service_on(&home.join(".local/share/patdeck/store.redb"), Clock::System);
    let setup = AppSettings {
        views: Vec::new(),
        keymap: Keymap::default(),
        theme: Theme::new(ThemeName::Default, GlyphSet::Unicode),
        mouse: false,
        identity: "alice@here".into(),
        options: Vec::new(),
        clipboard: None,
    };
    thread::spawn(move || cause_panic(&fault, &wait_for_secret(&home)));
    tui::run(service, setup).unwrap();
}

/// Waits for the secret that the parent process writes to `SECRET_FILE`.
fn wait_for_secret(home: &Path) -> Zeroizing<String> {
    loop {
        match fs::read_to_string(home.join(SECRET_FILE)) {
            Ok(secret) if secret.len() == 55 => return secret.into(),
            _ => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Panics in one of the ways in which code with access to `secret` could.
fn cause_panic(fault: &str, secret: &Zeroizing<String>) {
    let parsed = Secret::parse(secret.clone()).unwrap();
    match fault {
        "quote" => panic!("no such token: {}", parsed.reveal()),
        "slice" => drop(parsed.reveal()[..99].to_owned()),
        "unwrap" => panic!("called `Result::unwrap()` on an `Err` value: {:?}", (parsed, secret)),
        "part" => panic!("{} is left", &secret[25..]),
        other => panic!("no fault {other}"),
    }
}

#[test]
fn a_panic_leaks_nothing_of_the_secret_on_the_screen() {
    for fault in ["quote", "slice", "unwrap", "part", "frame"] {
        let home = Home::new();
        let mut argv = vec![env::current_exe().unwrap().into_os_string()];
        argv.extend(["--exact", "panics::child_main", "--nocapture"].map(OsString::from));
        let home_path = home.path();
        let set =
            [(FAULT, fault), ("HOME", home_path.to_str().unwrap()), ("RUST_BACKTRACE", "full")];
        let mut pty = Pty::spawn(&argv, SIZE, &set);
        let secret = if fault == "frame" {
            VALID_SECRET.to_owned()
        } else {
            pty.wait_for("Active ");
            create(&mut pty, "ci deploy")
        };
        let secret_file = home_path.join(SECRET_FILE);
        fs::write(&secret_file, &secret).unwrap();
        let code = pty.wait_exit();
        let raw = pty.raw();
        assert_eq!(code, 101, "{fault}: {}", String::from_utf8_lossy(&raw));
        pty.assert_restored();
        assert!(!pty.scrollback_contains(random_part(&secret)), "{fault}");
        assert_eq!(count_occurrences(&raw, &secret), 1, "{fault}: on the panel and nowhere else");
        let end = memchr::memmem::rfind(&raw, b"\x1b[?1049l").unwrap();
        let (report, encodings) = (&raw[end..], encodings(&secret));
        let report_text = String::from_utf8_lossy(report).into_owned();
        assert!(
            report_text.contains("patdeck panicked") && report_text.contains("panics.rs"),
            "{report_text}"
        );
        assert!(!report_text.contains(&secret[37..]), "{fault}: {report_text}");
        assert_eq!(find_encoding(report, &encodings), None, "{fault}: {report_text}");
        fs::remove_file(secret_file).unwrap();
        for file in all_files(&home_path) {
            assert_eq!(
                find_encoding(&fs::read(&file).unwrap(), &encodings),
                None,
                "{}",
                file.display()
            );
        }
    }
}

#[test]
fn a_redirected_panic_report_has_no_escape_sequences() {
    const CHILD: &str = "PATDECK_REDIRECTED_PANIC";
    if std::env::var_os(CHILD).is_some() {
        process_hardening::install_panic_hook(end_with_damage);
        panic!("redirected");
    }
    let test = "panics::a_redirected_panic_report_has_no_escape_sequences";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").output().unwrap();
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(report.contains("patdeck panicked: redirected"), "{report}");
    assert!(!report.contains('\x1b'), "{report:?}");
}

/// redb panics on some damaged pages, and can panic again in the destructors that run then.
#[test]
fn a_second_panic_of_the_store_is_reported_as_damage() {
    const CHILD: &str = "PATDECK_SECOND_PANIC";
    struct PanicOnDrop;
    impl Drop for PanicOnDrop {
        fn drop(&mut self) {
            panic!("second");
        }
    }
    if std::env::var_os(CHILD).is_some() {
        process_hardening::install_panic_hook(end_with_damage);
        let _ = catch_redb_panic(|| {
            let _second = PanicOnDrop;
            panic!("first")
        });
        return;
    }
    let test = "panics::a_second_panic_of_the_store_is_reported_as_damage";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").output().unwrap();
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{report}");
    let expected = "error: the store is damaged (a page could not be read)\n\
                    hint: keep a copy of the file, then restore a backup\n";
    assert_eq!(report, expected);
}
