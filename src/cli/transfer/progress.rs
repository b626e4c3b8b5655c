//! A progress bar on standard error for work that takes more than a second. A separate thread draws
//! it, so that a stopped terminal cannot block a transaction.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::domain::{counted, grouped};

/// Duration of the work after which the bar is shown.
const SHOW_AFTER: Duration = Duration::from_secs(1);
/// Time between two updates of the bar.
const UPDATE_INTERVAL: Duration = Duration::from_millis(100);
/// Width of the bar in columns.
const CELLS: u64 = 24;

/// Shows the progress until this value is dropped. Shows nothing if standard error is not
/// a terminal.
#[derive(Debug)]
pub(super) struct Progress {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts to show `done` of `total` tokens after the word `label`. A `total` of 0 means that
    /// the total is unknown.
    pub(super) fn new(label: &'static str, done: &Arc<AtomicU64>, total: u64) -> Self {
        if !io::stderr().is_terminal() {
            return Self { stop: None, thread: None };
        }
        let (stop, stopped) = mpsc::channel();
        let done = Arc::clone(done);
        let thread = thread::spawn(move || {
            let mut wait = SHOW_AFTER;
            while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let line = bar(label, done.load(Ordering::Relaxed), total);
                drop(write!(io::stderr(), "\r\x1b[K{line}"));
                wait = UPDATE_INTERVAL;
            }
            if wait == UPDATE_INTERVAL {
                drop(write!(io::stderr(), "\r\x1b[K"));
            }
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn bar(label: &str, done: u64, total: u64) -> String {
    if total == 0 {
        return format!("{label}: {}", counted(done, "token"));
    }
    let done = done.min(total);
    let full = done.saturating_mul(CELLS) / total;
    let cells: String = (0..CELLS).map(|cell| if cell < full { '#' } else { '.' }).collect();
    format!("{label} [{cells}] {} of {}", grouped(done), counted(total, "token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_shows_the_share_and_the_counts() {
        assert_eq!(bar("Reading", 3, 4), "Reading [##################......] 3 of 4 tokens");
        assert_eq!(bar("Reading", 9, 4), bar("Reading", 4, 4));
        assert_eq!(bar("Reading", 7, 0), "Reading: 7 tokens");
    }
}
