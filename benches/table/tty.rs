//! The real binary in a terminal of its own: starts it, presses keys, and times the frames that
//! come back. A frame ends with the end of a synchronised update, so that its last byte is known.

use std::{
    io::{ErrorKind, Read as _, Write},
    os::fd::{AsRawFd, RawFd},
    path::Path,
    time::{Duration, Instant},
};

use filedescriptor::{FileDescriptor, POLLIN, poll, pollfd};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};

use super::Fault;

/// What ends every frame.
const END: &[u8] = b"\x1b[?2026l";
/// Longer than any answer takes; reached by faults only.
const DEADLINE: Duration = Duration::from_secs(60);

/// Borrows the master's descriptor, to duplicate it.
struct Master(RawFd);

impl AsRawFd for Master {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

/// The app at a terminal of 80x24.
pub(crate) struct Tty {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: FileDescriptor,
    parser: vt100::Parser,
    started: Instant,
    tail: Vec<u8>,
    _ends: (Box<dyn MasterPty + Send>, Box<dyn SlavePty + Send>),
}

/// One frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// When its last byte came.
    pub(crate) at: Instant,
    /// Bytes of it, and of what stood before it.
    pub(crate) bytes: usize,
}

impl Tty {
    pub(crate) fn start(program: &Path, store: &Path) -> Result<Self, Fault> {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size)?;
        let mut command = CommandBuilder::new(program);
        command.arg("--store");
        command.arg(store);
        command.cwd(store.parent().unwrap_or(store));
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("HOME", "/nowhere")]
        {
            command.env(name, value);
        }
        let fd = pair.master.as_raw_fd().ok_or("a terminal without a descriptor")?;
        let mut screen = FileDescriptor::dup(&Master(fd))?;
        screen.set_non_blocking(true)?;
        let keys = pair.master.take_writer()?;
        let started = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        let parser = vt100::Parser::new(24.try_into()?, 80.try_into()?, 0);
        let tail = Vec::new();
        Ok(Self { child, keys, screen, parser, started, tail, _ends: (pair.master, pair.slave) })
    }

    /// When it was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn process(&self) -> Result<u32, Fault> {
        self.child.process_id().ok_or_else(|| "the app has ended".into())
    }

    /// What the terminal shows.
    pub(crate) fn text(&self) -> String {
        self.parser.screen().contents()
    }

    pub(crate) fn row(&self, row: u16) -> String {
        self.parser.screen().rows(0, 80).nth(row.into()).unwrap_or_default()
    }

    /// Presses `keys`; when.
    pub(crate) fn press(&mut self, keys: &str) -> Result<Instant, Fault> {
        let at = Instant::now();
        self.keys.write_all(keys.as_bytes())?;
        self.keys.flush()?;
        Ok(at)
    }

    /// The next frame, if one ends within `patience`.
    pub(crate) fn frame(&mut self, patience: Duration) -> Result<Option<Frame>, Fault> {
        let deadline = Instant::now() + patience;
        let mut bytes = 0;
        let mut piece = [0; 16 << 10];
        loop {
            if let Some(end) = memchr::memmem::find(&self.tail, END) {
                let rest = self.tail.split_off(end + END.len());
                self.parser.process(&self.tail);
                bytes += self.tail.len();
                self.tail = rest;
                return Ok(Some(Frame { at: Instant::now(), bytes }));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let mut wait = [pollfd { fd: self.screen.as_raw_fd(), events: POLLIN, revents: 0 }];
            poll(&mut wait, Some(left.max(Duration::from_millis(1))))?;
            match self.screen.read(&mut piece) {
                Ok(0) => return Err("the app has ended".into()),
                Ok(read) => self.tail.extend(piece.iter().take(read)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The first frame after which `seen` holds.
    pub(crate) fn until(
        &mut self,
        what: &str,
        seen: impl Fn(&Self) -> bool,
    ) -> Result<Frame, Fault> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(frame) = self.frame(left)? else {
                return Err(format!("{what} never came:\n{}", self.text()).into());
            };
            if seen(self) {
                return Ok(frame);
            }
        }
    }

    /// Every frame until none has come for `quiet`; the last of them.
    pub(crate) fn rest(&mut self, quiet: Duration) -> Result<Option<Frame>, Fault> {
        let mut last = None;
        while let Some(frame) = self.frame(quiet)? {
            last = Some(frame);
        }
        Ok(last)
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
