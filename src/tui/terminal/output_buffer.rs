//! Output buffer for one frame, sent to the terminal in one `write(2)`.
//!
//! Wipes the bytes after sending, because a frame may contain a secret. `flush` writes nothing:
//! ratatui and crossterm flush many times per frame, and over SSH each flush would be a packet.
//! `diff_backend` fills it.

use std::io::{self, Write};
use std::time::Duration;

use zeroize::Zeroize;

/// Initial size of the buffer in bytes. Several full repaints of a 200x60 screen fit into it, so
/// that the buffer rarely grows.
const INITIAL_CAPACITY: usize = 64 * 1024;

/// Delay before the next write to a sink that returned `WouldBlock`.
const RETRY_DELAY: Duration = Duration::from_millis(1);

/// Collects bytes until [`OutputBuffer::send`] writes all of them to the sink.
pub struct OutputBuffer<S> {
    /// Buffer whose whole capacity is initialised, so that safe code can wipe and check every byte.
    frame: Vec<u8>,
    used: usize,
    sink: S,
    bytes: u64,
    writes: u64,
}

impl<S> std::fmt::Debug for OutputBuffer<S> {
    // The frame may contain a secret, so only its size is printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutputBuffer").field("pending", &self.used).finish_non_exhaustive()
    }
}

impl<S> OutputBuffer<S> {
    /// An empty buffer in front of `sink`.
    pub fn new(sink: S) -> Self {
        Self { frame: vec![0; INITIAL_CAPACITY], used: 0, sink, bytes: 0, writes: 0 }
    }

    /// Whether no bytes are pending.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Total bytes that the sink has accepted.
    #[cfg(any(test, feature = "testing"))]
    pub fn bytes_written(&self) -> u64 {
        self.bytes
    }

    /// Total `write` calls on the sink: one per frame, unless the sink accepts only a part.
    #[cfg(any(test, feature = "testing"))]
    pub fn write_calls(&self) -> u64 {
        self.writes
    }

    /// The sink, for tests and benchmarks.
    #[cfg(any(test, feature = "testing"))]
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// Wipes the pending bytes without sending them.
    pub fn discard(&mut self) {
        if let Some(pending) = self.frame.get_mut(..self.used) {
            pending.zeroize();
        }
        self.used = 0;
    }

    fn grow_to(&mut self, needed: usize) {
        if needed <= self.frame.len() {
            return;
        }
        // `Vec` must not grow the buffer itself: `realloc` would leave the old bytes in freed
        // memory.
        let mut larger = vec![0; needed.next_power_of_two()];
        for (new, old) in larger.iter_mut().zip(&self.frame) {
            *new = *old;
        }
        self.frame.zeroize();
        self.frame = larger;
    }
}

impl<S: Write> OutputBuffer<S> {
    /// Writes all pending bytes to the sink, then wipes them, even if the sink failed. Does not
    /// call the sink if no bytes are pending.
    pub fn send(&mut self) -> io::Result<()> {
        let outcome = self.write_pending();
        self.discard();
        outcome
    }

    fn write_pending(&mut self) -> io::Result<()> {
        let mut rest = self.frame.get(..self.used).unwrap_or_default();
        while !rest.is_empty() {
            self.writes += 1;
            match self.sink.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.bytes += count as u64;
                    rest = rest.get(count..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(RETRY_DELAY);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl<S> Write for OutputBuffer<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = self.used.saturating_add(bytes.len());
        self.grow_to(end);
        if let Some(free) = self.frame.get_mut(self.used..end) {
            free.copy_from_slice(bytes);
            self.used = end;
        }
        Ok(bytes.len())
    }

    /// Writes nothing: see [`OutputBuffer::send`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S> Drop for OutputBuffer<S> {
    fn drop(&mut self) {
        self.discard();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sink that returns the scripted results, last first, then accepts everything.
    struct ScriptedSink {
        results: Vec<io::Result<usize>>,
        received: Vec<u8>,
    }

    impl Write for ScriptedSink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = self.results.pop().unwrap_or(Ok(bytes.len()))?;
            self.received.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn many_writes_and_flushes_become_one_write() {
        let mut output = OutputBuffer::new(Vec::new());
        for word in ["one ", "two ", "three"] {
            output.write_all(word.as_bytes()).unwrap();
            output.flush().unwrap();
        }
        assert!(output.sink().is_empty());
        output.send().unwrap();
        assert_eq!(output.sink(), b"one two three");
        assert_eq!((output.bytes_written(), output.write_calls()), (13, 1));
    }

    #[test]
    fn an_empty_buffer_sends_nothing() {
        let mut output = OutputBuffer::new(Vec::new());
        output.send().unwrap();
        assert_eq!((output.bytes_written(), output.write_calls()), (0, 0));
    }

    #[test]
    fn partial_writes_and_retries_deliver_all_bytes() {
        let results = vec![
            Ok(2),
            Err(io::ErrorKind::WouldBlock.into()),
            Err(io::ErrorKind::Interrupted.into()),
        ];
        let mut output = OutputBuffer::new(ScriptedSink { results, received: Vec::new() });
        output.write_all(b"all of it").unwrap();
        output.send().unwrap();
        assert_eq!(output.sink().received, b"all of it");
        assert_eq!(output.write_calls(), 4);
    }

    #[test]
    fn a_frame_is_wiped_after_success_and_failure() {
        for results in [vec![], vec![Err(io::ErrorKind::BrokenPipe.into())]] {
            let failing = !results.is_empty();
            let mut output = OutputBuffer::new(ScriptedSink { results, received: Vec::new() });
            output.write_all(b"pat_secret").unwrap();
            assert_eq!(output.send().is_err(), failing);
            assert!(output.is_empty());
            assert!(output.frame.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn a_frame_larger_than_the_buffer_is_one_write() {
        let mut output = OutputBuffer::new(Vec::new());
        let large = vec![b'x'; INITIAL_CAPACITY * 3 + 7];
        for part in large.chunks(1000) {
            output.write_all(part).unwrap();
        }
        output.send().unwrap();
        assert_eq!(output.sink().len(), large.len());
        assert_eq!(output.write_calls(), 1);
    }
}
