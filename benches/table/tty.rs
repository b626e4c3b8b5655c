//! Runs the real binary in a pseudo-terminal: presses keys and times the resulting frames. A frame
//! ends with the end of a synchronised update, so that its last byte is known.

use std::{
    io::{ErrorKind, Read as _, Write},
    os::fd::{AsRawFd, RawFd},
    path::Path,
    time::{Duration, Instant},
};

use filedescriptor::{FileDescriptor, POLLIN, poll, pollfd};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};

use super::BenchError;

/// End of a synchronised update: the last bytes of every frame.
const END: &[u8] = b"\x1b[?2026l";
/// Longest wait for a frame; only a failure reaches it.
const DEADLINE: Duration = Duration::from_secs(60);

/// File descriptor of the PTY master, to duplicate it.
struct MasterFd(RawFd);

impl AsRawFd for MasterFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

/// The app in a terminal of 80x24.
pub(crate) struct AppTerminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: FileDescriptor,
    parser: vt100::Parser,
    started: Instant,
    tail: Vec<u8>,
    _ends: (Box<dyn MasterPty + Send>, Box<dyn SlavePty + Send>),
}

/// A frame that the app has sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// When its last byte arrived.
    pub(crate) at: Instant,
    /// Its bytes, including any output since the previous frame.
    pub(crate) bytes: usize,
}

impl AppTerminal {
    pub(crate) fn start(program: &Path, store: &Path) -> Result<Self, BenchError> {
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
        let mut screen = FileDescriptor::dup(&MasterFd(fd))?;
        screen.set_non_blocking(true)?;
        let keys = pair.master.take_writer()?;
        let started = Instant::now();
        let child = pair.slave.spawn_command(command)?;
        let parser = vt100::Parser::new(24.try_into()?, 80.try_into()?, 0);
        let tail = Vec::new();
        Ok(Self { child, keys, screen, parser, started, tail, _ends: (pair.master, pair.slave) })
    }

    /// When the app was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn process(&self) -> Result<u32, BenchError> {
        self.child.process_id().ok_or_else(|| "the app has ended".into())
    }

    /// The text of the screen.
    pub(crate) fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Presses `keys`; returns the time before the write.
    pub(crate) fn press(&mut self, keys: &str) -> Result<Instant, BenchError> {
        let at = Instant::now();
        self.keys.write_all(keys.as_bytes())?;
        self.keys.flush()?;
        Ok(at)
    }

    /// The next frame, if one ends within `timeout`.
    pub(crate) fn next_frame(&mut self, timeout: Duration) -> Result<Option<Frame>, BenchError> {
        let deadline = Instant::now() + timeout;
        let mut bytes = 0;
        let mut buffer = [0; 16 << 10];
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
            match self.screen.read(&mut buffer) {
                Ok(0) => return Err("the app has ended".into()),
                Ok(read) => self.tail.extend(buffer.iter().take(read)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for the first frame after which `condition` holds.
    pub(crate) fn wait_for(
        &mut self,
        what: &str,
        condition: impl Fn(&Self) -> bool,
    ) -> Result<Frame, BenchError> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(frame) = self.next_frame(left)? else {
                return Err(format!("{what} did not appear:\n{}", self.text()).into());
            };
            if condition(self) {
                return Ok(frame);
            }
        }
    }

    /// Reads frames until none has arrived for `quiet`; returns the last one.
    pub(crate) fn wait_until_quiet(
        &mut self,
        quiet: Duration,
    ) -> Result<Option<Frame>, BenchError> {
        let mut last = None;
        while let Some(frame) = self.next_frame(quiet)? {
            last = Some(frame);
        }
        Ok(last)
    }
}

impl Drop for AppTerminal {
    fn drop(&mut self) {
        // The process may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
