//! A progress bar on standard error, for work that takes more than a second. A thread of its
//! own draws it, so that a stopped terminal never holds up a transaction.

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

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_millis(100);
const CELLS: u64 = 24;

/// Shows how far `done` is while it lives; nothing where nobody looks.
#[derive(Debug)]
pub(super) struct Progress {
    over: Option<Sender<()>>,
    drawing: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts to show how many of `total` tokens are `what`; a total of 0 is not known.
    pub(super) fn new(what: &'static str, done: &Arc<AtomicU64>, total: u64) -> Self {
        if !io::stderr().is_terminal() {
            return Self { over: None, drawing: None };
        }
        let (over, ended) = mpsc::channel();
        let done = Arc::clone(done);
        let drawing = thread::spawn(move || {
            let mut wait = PATIENCE;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let line = bar(what, done.load(Ordering::Relaxed), total);
                drop(write!(io::stderr(), "\r\x1b[K{line}"));
                wait = EVERY;
            }
            if wait == EVERY {
                drop(write!(io::stderr(), "\r\x1b[K"));
            }
        });
        Self { over: Some(over), drawing: Some(drawing) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.over.take());
        drop(self.drawing.take().map(JoinHandle::join));
    }
}

fn bar(what: &str, done: u64, total: u64) -> String {
    if total == 0 {
        return format!("{what}: {done} tokens");
    }
    let done = done.min(total);
    let full = done.saturating_mul(CELLS) / total;
    let cells: String = (0..CELLS).map(|cell| if cell < full { '#' } else { '.' }).collect();
    format!("{what} [{cells}] {done} of {total} tokens")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_says_how_far() {
        assert_eq!(bar("checked", 3, 4), "checked [##################......] 3 of 4 tokens");
        assert_eq!(bar("checked", 9, 4), bar("checked", 4, 4));
        assert_eq!(bar("read", 7, 0), "read: 7 tokens");
    }
}
