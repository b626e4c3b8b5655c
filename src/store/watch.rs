//! Runs a thread that reports when any process changes or replaces the store's file. Uses inotify,
//! so that the thread sleeps while nothing changes; without inotify, it polls once per second. The
//! thread does not read the file, so a report usually, but not always, means a commit. Called by
//! the service.

#[cfg(target_os = "linux")]
#[path = "inotify.rs"]
mod inotify;

use std::{
    io::{self, PipeReader, PipeWriter},
    path::Path,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

#[cfg(target_os = "linux")]
use self::inotify::FileWatch;

/// The interval of reports if inotify cannot be used. There is a report even if nothing has
/// changed.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The time without changes after which a burst of changes has ended. A commit is a burst, because
/// it writes several times.
const QUIET: Duration = Duration::from_millis(5);

/// The longest time that a report waits for the end of a burst.
const MAX_DELAY: Duration = Duration::from_millis(20);

/// A thread that reports changes until this value is dropped.
#[derive(Debug)]
pub struct ChangeWatcher {
    /// The writing end of a pipe. Closing it ends the thread.
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl ChangeWatcher {
    /// Starts a thread that calls `on_change` after each burst of changes to the file at `path`,
    /// including changes by this process. The thread ends when `on_change` returns `false`. A
    /// change during a call of `on_change` is reported by another call. If `path` is `None`, as for
    /// a store in memory, the thread polls. `on_change` must not wait for the thread that drops the
    /// watcher, because dropping waits for `on_change` to return.
    pub fn start(
        path: Option<&Path>,
        on_change: impl Fn() -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let watch = path.map_or(WatchSource::Timer(POLL_INTERVAL), WatchSource::of);
        Self::spawn(watch, on_change)
    }

    fn spawn(
        mut source: WatchSource,
        on_change: impl Fn() -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let (stopped, stop) = io::pipe()?;
        let run = move || while source.wait(&stopped) && on_change() {};
        let thread = thread::Builder::new().name("watch".into()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for ChangeWatcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        // If `on_change` panicked, the panic hook has already reported it.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// The source of change reports.
#[derive(Debug)]
enum WatchSource {
    #[cfg(target_os = "linux")]
    File(FileWatch),
    Timer(Duration),
}

impl WatchSource {
    #[cfg(target_os = "linux")]
    fn of(path: &Path) -> Self {
        // Polls if the user has too many watches or the kernel has no inotify.
        FileWatch::new(path).map_or(Self::Timer(POLL_INTERVAL), Self::File)
    }

    #[cfg(not(target_os = "linux"))]
    fn of(_: &Path) -> Self {
        Self::Timer(POLL_INTERVAL)
    }

    /// Waits for a change. Returns `false` if the watcher is dropped first.
    fn wait(&mut self, stopped: &PipeReader) -> bool {
        match self {
            Self::Timer(interval) => {
                let mut fds = [PollFd::new(stopped, PollFlags::IN)];
                !is_ready(&mut fds, Some(*interval)).is_some_and(|[stopped]| stopped)
            }
            #[cfg(target_os = "linux")]
            Self::File(watch) => {
                let changed = wait_for_burst(watch, stopped);
                changed.unwrap_or_else(|| {
                    // The folder was deleted or moved, or the kernel failed.
                    *self = Self::Timer(POLL_INTERVAL);
                    true
                })
            }
        }
    }
}

/// Waits for a change and for the end of its burst. Returns `Some(false)` if the watcher is dropped
/// first, and `None` if the watch is broken.
#[cfg(target_os = "linux")]
fn wait_for_burst(watch: &mut FileWatch, stopped: &PipeReader) -> Option<bool> {
    let mut first: Option<Instant> = None;
    loop {
        let mut fds = [
            PollFd::new(stopped, PollFlags::IN),
            PollFd::from_borrowed_fd(watch.fd(), PollFlags::IN),
        ];
        let [is_stopped, has_events] = is_ready(&mut fds, first.map(|_| QUIET))?;
        if is_stopped {
            return Some(false);
        }
        if has_events && watch.take_changes().ok()? {
            first.get_or_insert_with(Instant::now);
        }
        if first.is_some_and(|first| !has_events || first.elapsed() >= MAX_DELAY) {
            return Some(true);
        }
    }
}

/// Waits until one of `fds` is ready, but no longer than `timeout`. Returns for each of `fds`
/// whether it is ready, or `None` if polling failed.
fn is_ready<const N: usize>(
    fds: &mut [PollFd<'_>; N],
    timeout: Option<Duration>,
) -> Option<[bool; N]> {
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    loop {
        match poll(fds, timeout.as_ref()) {
            Ok(_) => return Some(fds.each_ref().map(|fd| !fd.revents().is_empty())),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
