//! Pseudo-terminal driver: starts a program, sends keys, and parses its output into a screen.
//!
//! Checks poll until they hold or the deadline passes; they never sleep for a fixed time. Esc is
//! the exception, because only the silence after it tells it from an escape sequence.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::num::NonZeroU16;
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use filedescriptor::{FileDescriptor, POLLIN, poll, pollfd};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// Deadline of each wait; generous for a loaded machine.
const DEADLINE: Duration = Duration::from_secs(10);

/// Pause after Esc, long enough that the program takes it for a key. Over SSH it waits longer.
const ESC_PAUSE: Duration = Duration::from_millis(60);

/// Borrows the master's descriptor, to duplicate it without `unsafe`.
struct RawMaster(RawFd);

impl AsRawFd for RawMaster {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

/// The master side of the terminal. Dropping it hangs up, as `hang_up` does.
struct PtyMaster {
    master: Box<dyn MasterPty + Send>,
    /// Kept open, so that modes and output can be read after the program has exited.
    _slave: Box<dyn SlavePty + Send>,
    fd: FileDescriptor,
}

/// A program that runs in a pseudo-terminal.
pub(crate) struct Pty {
    master: Option<PtyMaster>,
    child: Box<dyn Child + Send + Sync>,
    parser: vt100::Parser,
    raw: Vec<u8>,
    modes_before: String,
}

impl Pty {
    /// Starts `argv` in a terminal of `(columns, rows)`, as the leader of a new session.
    ///
    /// The environment contains PATH from the test, fixed TERM and LANG, and `env`.
    pub(crate) fn spawn(argv: &[OsString], size: (u16, u16), env: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(pty_size(size)).unwrap();
        let mut command = CommandBuilder::from_argv(argv.to_vec());
        command.env_clear();
        command.cwd(std::env::current_dir().unwrap());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in env {
            command.env(name, value);
        }
        let modes_before = modes(&*pair.master);
        let child = pair.slave.spawn_command(command).unwrap();
        let mut fd = FileDescriptor::dup(&RawMaster(pair.master.as_raw_fd().unwrap())).unwrap();
        fd.set_non_blocking(true).unwrap();
        Self {
            master: Some(PtyMaster { master: pair.master, _slave: pair.slave, fd }),
            child,
            parser: vt100::Parser::new(non_zero(size.1), non_zero(size.0), 0),
            raw: Vec::new(),
            modes_before,
        }
    }

    /// Types a script of words separated by spaces: `<Enter>`, `<C-s>`, `<Esc>`, `<Up>` and the
    /// like are keys, everything else is text. A space is `<Space>`.
    pub(crate) fn keys(&mut self, script: &str) {
        for word in script.split_whitespace() {
            let name = word.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
            match name {
                Some("Esc") => {
                    self.type_text("\x1b");
                    std::thread::sleep(ESC_PAUSE);
                }
                Some(name) => self.type_text(&key_bytes(name)),
                None => self.type_text(word),
            }
        }
    }

    /// Sends `text` unchanged.
    pub(crate) fn type_text(&mut self, text: &str) {
        let deadline = Instant::now() + DEADLINE;
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            assert!(Instant::now() < deadline, "the program does not read its input");
            match self.master().fd.write(rest) {
                Ok(taken) => rest = &rest[taken..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.pump(Duration::from_millis(5));
                }
                Err(error) => panic!("cannot type {text:?}: {error}"),
            }
        }
    }

    /// Sends `text` as a bracketed paste. Panics if the program has not enabled it.
    pub(crate) fn paste(&mut self, text: &str) {
        assert!(self.parser.screen().bracketed_paste(), "bracketed paste is off");
        self.type_text(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Waits until the screen contains `text`. Panics with the screen after the deadline.
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait_until(&format!("{text:?} on the screen"), |pty| pty.screen().contains(text));
    }

    /// Waits until the screen no longer contains `text`.
    pub(crate) fn wait_until_gone(&mut self, text: &str) {
        self.wait_until(&format!("no {text:?} on the screen"), |pty| !pty.screen().contains(text));
    }

    /// Waits until `condition` holds. Panics with the screen after the deadline.
    pub(crate) fn wait_until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        self.pump(Duration::ZERO);
        while !condition(self) {
            assert!(Instant::now() < deadline, "waited for {what}; shown:\n{}", self.screen());
            self.pump(Duration::from_millis(20));
        }
    }

    /// Waits until the last frame is complete, i.e. until the output ends with the end marker.
    pub(crate) fn wait_for_frame_end(&mut self) {
        self.wait_until("the end of a frame", |pty| pty.raw.ends_with(b"\x1b[?2026l"));
    }

    /// The text of the screen, with rows separated by line feeds.
    pub(crate) fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// The parsed terminal: cells, cursor, alternate screen and modes.
    pub(crate) fn vt_screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// One row of the screen, from 0, without trailing spaces.
    pub(crate) fn row(&self, row: u16) -> String {
        let columns = self.parser.screen().size().1.get();
        self.parser.screen().rows(0, columns).nth(row.into()).unwrap_or_default()
    }

    /// Whether the cell is in reverse video.
    pub(crate) fn inverse_at(&self, row: u16, column: u16) -> bool {
        self.parser.screen().cell(row, column).is_some_and(vt100::Cell::inverse)
    }

    /// Resizes the terminal, which sends SIGWINCH to the program.
    pub(crate) fn resize(&mut self, size: (u16, u16)) {
        self.pump(Duration::ZERO);
        self.parser.set_size(non_zero(size.1), non_zero(size.0));
        self.master().master.resize(pty_size(size)).unwrap();
    }

    /// Reads pending output and returns all bytes that the program has sent.
    pub(crate) fn raw(&mut self) -> Vec<u8> {
        self.pump(Duration::ZERO);
        self.raw.clone()
    }

    /// The bytes received so far, without reading more. Works after a hang-up.
    pub(crate) fn received(&self) -> &[u8] {
        &self.raw
    }

    /// The texts that the program has sent to the clipboard with OSC 52.
    pub(crate) fn clipboard_writes(&mut self) -> Vec<String> {
        let raw = String::from_utf8_lossy(&self.raw()).into_owned();
        raw.split("\x1b]52;")
            .skip(1)
            .filter_map(|rest| rest.split(['\x07', '\x1b']).next()?.split(';').nth(1))
            .map(|text| String::from_utf8(BASE64_STANDARD.decode(text).unwrap()).unwrap())
            .collect()
    }

    /// Closes the master side, as a lost connection does.
    pub(crate) fn hang_up(&mut self) {
        self.pump(Duration::ZERO);
        self.master = None;
    }

    /// Sends a signal, named without `SIG`.
    pub(crate) fn signal(&mut self, name: &str) {
        let signal = match name {
            "HUP" => Signal::HUP,
            "INT" => Signal::INT,
            "QUIT" => Signal::QUIT,
            "TERM" => Signal::TERM,
            "USR1" => Signal::USR1,
            "KILL" => Signal::KILL,
            "STOP" => Signal::STOP,
            "CONT" => Signal::CONT,
            other => panic!("no signal {other}"),
        };
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits until the program exits and returns its exit code. Panics if a signal killed it.
    pub(crate) fn wait_exit(&mut self) -> u32 {
        let deadline = Instant::now() + DEADLINE;
        loop {
            self.pump(Duration::from_millis(2));
            if let Some(status) = self.child.try_wait().unwrap() {
                self.pump(Duration::ZERO);
                assert_eq!(status.signal(), None, "killed; shown:\n{}", self.screen());
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "still runs; shown:\n{}", self.screen());
        }
    }

    /// CPU time of the program, in ticks of 10 ms; 0 on systems without `/proc`.
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let pid = self.pid().as_raw_nonzero();
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
            return 0;
        };
        // The name in parentheses can contain spaces. User and system time are the fields 12 and
        // 13 after it.
        let after_name = stat.rsplit(')').next().unwrap();
        after_name.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().unwrap()).sum()
    }

    /// Asserts that terminal modes, screen, paste, mouse and cursor are as before the start.
    pub(crate) fn assert_restored(&mut self) {
        self.pump(Duration::ZERO);
        assert_eq!(modes(&*self.master().master), self.modes_before);
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "still in the alternate screen");
        assert!(!screen.bracketed_paste(), "bracketed paste still on");
        let mouse = screen.mouse_protocol_mode();
        assert_eq!(mouse, vt100::MouseProtocolMode::None, "the mouse still taken");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
    }

    /// Whether the primary screen or its scrollback contains `text`.
    pub(crate) fn scrollback_contains(&mut self, text: &str) -> bool {
        let raw = self.raw();
        let (rows, columns) = self.vt_screen().size();
        let mut parser = vt100::Parser::new(rows, columns, 10_000);
        parser.process(&raw);
        parser.screen_mut().set_scrollback(usize::MAX);
        let most = parser.screen().scrollback();
        (0..=most).any(|back| {
            parser.screen_mut().set_scrollback(back);
            parser.screen().contents().contains(text)
        })
    }

    /// The process id of the program.
    pub(crate) fn process_id(&self) -> i32 {
        self.pid().as_raw_nonzero().get()
    }

    fn master(&mut self) -> &mut PtyMaster {
        self.master.as_mut().expect("the terminal hung up")
    }

    fn pid(&self) -> Pid {
        let pid = self.child.process_id().expect("the program ended");
        Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
    }

    /// Reads and parses pending output, waiting up to `patience` for the first byte.
    fn pump(&mut self, patience: Duration) {
        let Some(line) = self.master.as_mut() else {
            std::thread::sleep(patience);
            return;
        };
        let mut fds = [pollfd { fd: line.fd.as_raw_fd(), events: POLLIN, revents: 0 }];
        // An interrupted poll is retried by the caller.
        let _ = poll(&mut fds, Some(patience));
        let mut chunk = [0; 8192];
        while let Ok(count @ 1..) = line.fd.read(&mut chunk) {
            self.parser.process(&chunk[..count]);
            self.raw.extend_from_slice(&chunk[..count]);
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // A failed test must not leave its program running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn non_zero(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has at least one row and column")
}

fn key_bytes(name: &str) -> String {
    let bytes = match name {
        "Enter" => "\r",
        "Tab" => "\t",
        "BackTab" => "\x1b[Z",
        "Space" => " ",
        "BS" => "\x7f",
        "Del" => "\x1b[3~",
        "Up" => "\x1b[A",
        "Down" => "\x1b[B",
        "Right" => "\x1b[C",
        "Left" => "\x1b[D",
        "Home" => "\x1b[H",
        "End" => "\x1b[F",
        "PgUp" => "\x1b[5~",
        "PgDn" => "\x1b[6~",
        other => {
            let letter = other.strip_prefix("C-").and_then(|rest| rest.bytes().next());
            let letter = letter.unwrap_or_else(|| panic!("no key <{other}>"));
            return char::from(letter & 0x1f).to_string();
        }
    };
    bytes.into()
}
