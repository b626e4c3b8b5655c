//! Tests of the terminal layer with a minimal app: this test executable runs itself inside the
//! pseudo-terminal.

use std::ffi::OsString;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyModifiers};
use patdeck::tui::terminal::{
    self, TerminalSession,
    clipboard::{self, ClipboardEnvironment},
    input::{self, TerminalInput},
    sanitize_paste, termination,
};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use vt100::MouseProtocolMode;

use super::hang_up;
use super::support::Pty;

const CHILD: &str = "PATDECK_TEST_CHILD";
/// Environment variable that makes the child capture the mouse.
const MOUSE: &str = "PATDECK_TEST_MOUSE";
const SIZE: (u16, u16) = (60, 8);

/// The child process: shows each input, and quits, panics or copies on certain keys.
#[test]
fn child_main() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    terminal::check().unwrap();
    termination::watch(|| {}).unwrap();
    let mut session = TerminalSession::enter(std::env::var_os(MOUSE).is_some()).unwrap();
    let (deliver, inputs) = mpsc::channel();
    input::spawn(move |input| deliver.send(input).is_ok(), input::escape_wait_from_env()).unwrap();
    let mut status = String::from("ready");
    loop {
        draw(&mut session, &status);
        status = match inputs.recv().unwrap() {
            TerminalInput::Key(key) if key.modifiers == KeyModifiers::CONTROL => {
                format!("{:?}", session.suspend().unwrap())
            }
            TerminalInput::Key(key) => match key.code {
                KeyCode::Char('q') => break,
                KeyCode::Char('p') => panic!("on purpose"),
                KeyCode::Char('t') => {
                    thread::spawn(|| panic!("elsewhere"));
                    continue;
                }
                KeyCode::Char('y') => {
                    let route = clipboard::choose_route(&ClipboardEnvironment::from_process(None));
                    let mut write = |bytes: &[u8]| session.send(bytes);
                    clipboard::copy("pat_secret", &route, &mut write).unwrap().summary()
                }
                KeyCode::Char('f') => {
                    session.wipe_screen();
                    "forgotten".into()
                }
                code => format!("{status} {code:?}"),
            },
            TerminalInput::Paste(text) => {
                format!("pasted {}", sanitize_paste::clean_paste(&text, false))
            }
            TerminalInput::Mouse(mouse) => format!("{mouse:?}"),
            TerminalInput::Resize(width, height) => format!("now {width}x{height}"),
            TerminalInput::Closed => termination::exit_hung_up(|| {}),
        };
    }
    session.leave();
    println!("bye");
    std::process::exit(0);
}

fn draw(session: &mut TerminalSession, status: &str) {
    let (_, writes) = session.traffic();
    let lines = vec![
        Line::from(status.to_owned()),
        Line::from("selected").style(Style::new().red().reversed()),
        Line::from(format!("writes {writes}")),
    ];
    session.draw(|frame| frame.render_widget(Paragraph::new(lines), frame.area())).unwrap();
}

fn child_argv() -> Vec<OsString> {
    let mut argv = vec![std::env::current_exe().unwrap().into_os_string()];
    argv.extend(["--exact", "terminal::child_main", "--nocapture"].map(OsString::from));
    argv
}

/// Starts the child, as an argument of `wrapper` if that is not empty, and waits for its first
/// frame.
fn start(wrapper: &[&str], env: &[(&str, &str)]) -> Pty {
    let mut argv: Vec<OsString> = wrapper.iter().map(OsString::from).collect();
    argv.extend(child_argv());
    let mut env = env.to_vec();
    env.push((CHILD, "1"));
    let mut pty = Pty::spawn(&argv, SIZE, &env);
    pty.wait_for("writes");
    pty
}

/// All exits in one test, to keep the number of parallel terminals low.
#[test]
fn every_exit_and_stop_restores_the_terminal() {
    quit_panic_and_signals_restore_the_terminal();
    a_hang_up_ends_the_program_even_without_sighup();
    ctrl_z_suspends_only_under_a_shell();
    hang_up::a_lost_connection_ends_the_program_everywhere();
}

fn quit_panic_and_signals_restore_the_terminal() {
    type End = fn(&mut Pty);
    let ends: [(End, u32, &str); 7] = [
        (|pty| pty.keys("q"), 0, "bye"),
        (|pty| pty.keys("p"), 101, "on purpose"),
        (|pty| pty.keys("t"), 101, "elsewhere"),
        (|pty| pty.signal("TERM"), 143, ""),
        (|pty| pty.signal("INT"), 130, ""),
        (|pty| pty.signal("HUP"), 129, ""),
        (|pty| pty.signal("USR1"), 138, ""),
    ];
    for (end, code, printed) in ends {
        let mut pty = start(&[], &[(MOUSE, "1")]);
        assert!(pty.vt_screen().alternate_screen() && pty.vt_screen().hide_cursor());
        assert!(pty.vt_screen().bracketed_paste());
        assert_eq!(pty.vt_screen().mouse_protocol_mode(), MouseProtocolMode::PressRelease);
        end(&mut pty);
        assert_eq!(pty.wait_exit(), code, "{}", pty.screen());
        pty.assert_restored();
        pty.wait_until_gone("selected");
        let raw = String::from_utf8_lossy(&pty.raw()).into_owned();
        let (_, after) = raw.split_once("\x1b[?1049l").unwrap();
        assert!(after.contains(printed), "{after:?}");
    }
}

fn a_hang_up_ends_the_program_even_without_sighup() {
    // The kernel sends SIGHUP only to the session leader. A wrapper that ignores it keeps it from
    // the program, as `sudo` does.
    for wrapper in [&[][..], &["/bin/sh", "-c", "trap '' HUP; \"$@\"; exit $?", "sh"]] {
        let mut pty = start(wrapper, &[]);
        let start = Instant::now();
        pty.hang_up();
        assert_eq!(pty.wait_exit(), 129);
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    }
}

/// Keys, frames and clipboard in one test, to keep the number of parallel terminals low.
#[test]
fn input_output_and_clipboard_are_complete() {
    keys_pastes_and_clicks_are_complete();
    a_frame_is_one_write_and_idle_writes_nothing();
    copying_reaches_the_terminal_and_no_tmux_buffer();
}

fn keys_pastes_and_clicks_are_complete() {
    let mut pty = start(&[], &[("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")]);
    pty.type_text("\x1b");
    thread::sleep(Duration::from_millis(20));
    pty.type_text("[A");
    pty.wait_for("ready Up");
    pty.keys("<Down> <Esc>");
    pty.wait_for("ready Up Down Esc");
    pty.paste("two\nlines\u{202e}");
    pty.wait_for("pasted two lines");
    pty.resize((40, 5));
    pty.wait_for("now 40x5");
    assert_eq!(pty.row(1), "selected");
    assert_eq!(pty.vt_screen().mouse_protocol_mode(), MouseProtocolMode::None, "not asked for");

    let mut pty = start(&[], &[(MOUSE, "1")]);
    pty.type_text("\x1b[<0;12;3M\x1b[<0;12;3m");
    pty.wait_for("Click(Position { x: 11, y: 2 })");
    pty.type_text("\x1b[<65;1;1M");
    pty.wait_for("down: true");
}

fn a_frame_is_one_write_and_idle_writes_nothing() {
    let mut pty = start(&[], &[("NO_COLOR", "1")]);
    for frames in 1..=5 {
        pty.wait_for(&format!("writes {}", frames - 1));
        pty.keys("x");
    }
    pty.wait_for("writes 5");
    assert!(pty.inverse_at(1, 0), "NO_COLOR must not take the highlight away");
    let (bytes, ticks) = (pty.raw().len(), pty.cpu_ticks());
    thread::sleep(Duration::from_millis(200));
    assert_eq!(pty.raw().len(), bytes);
    assert!(pty.cpu_ticks() <= ticks + 1);
    pty.keys("f");
    pty.wait_for("forgotten");
    let after = String::from_utf8(pty.raw()[bytes..].to_vec()).unwrap();
    assert!(after.contains("\x1b[2J") && after.contains("selected"), "{after:?}");
}

fn ctrl_z_suspends_only_under_a_shell() {
    let mut pty = start(&[], &[]);
    pty.keys("<C-z>");
    pty.wait_for("Refused");

    let shell = "set -m; \"$@\"; echo stopped; read line; fg >/dev/null; exit $?";
    let mut pty = start(&["/bin/sh", "-c", shell, "sh"], &[(MOUSE, "1")]);
    pty.keys("<C-z>");
    pty.wait_for("stopped");
    assert!(!pty.vt_screen().alternate_screen());
    assert_eq!(pty.vt_screen().mouse_protocol_mode(), MouseProtocolMode::None);
    pty.keys("<Enter>");
    pty.wait_for("Resumed");
    assert!(pty.vt_screen().alternate_screen());
    assert_eq!(pty.vt_screen().mouse_protocol_mode(), MouseProtocolMode::PressRelease);
    assert_eq!(pty.row(1), "selected");
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_restored();
}

fn copying_reaches_the_terminal_and_no_tmux_buffer() {
    let mut pty = start(&[], &[]);
    pty.keys("y");
    pty.wait_for("Sent to your terminal's clipboard");
    assert_eq!(pty.clipboard_writes(), ["pat_secret"]);

    if Command::new("tmux").arg("-V").output().is_err() {
        println!("skipped: tmux is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tmux");
    let socket = socket.to_str().unwrap();
    let tmux = ["tmux", "-S", socket, "-f", "/dev/null"];
    let mut pty = start(&[&tmux[..], &["new-session"]].concat(), &[]);
    pty.keys("y");
    pty.wait_for("through tmux");
    let buffers = Command::new("tmux").args(["-S", socket, "list-buffers"]).output().unwrap();
    let copied = pty.clipboard_writes();
    let ended = Command::new("tmux").args(["-S", socket, "kill-server"]).status();
    assert!(ended.unwrap().success());
    assert_eq!(copied, ["pat_secret"]);
    assert!(buffers.status.success() && buffers.stdout.is_empty());
}
