//! The one way out to the terminal: a frame is collected here and leaves in one `write(2)`.
//!
//! Owns the bytes of a frame that is being built, and wipes them once they are sent, because a
//! frame may show a one-time secret. It refuses to write on `flush`: ratatui and crossterm flush
//! many times a frame, and each flush over SSH would be a packet of its own. `diff_backend` fills it.

use std::io::{self, Write};
use std::time::Duration;

use zeroize::Zeroize;

/// Enough for a full repaint of a 200x60 screen several times over, so that growth is rare.
const ROOM: usize = 64 * 1024;

/// How long to leave a sink alone that says "not now" and offers nothing to wait on.
const BREATH: Duration = Duration::from_millis(1);

/// Collects bytes until [`OutputBuffer::send`] hands all of them to the sink at once.
pub struct OutputBuffer<S> {
    /// All room is initialised, so that wiping can be seen in safe code.
    frame: Vec<u8>,
    used: usize,
    sink: S,
    bytes: u64,
    writes: u64,
}

impl<S> std::fmt::Debug for OutputBuffer<S> {
    // The frame may hold a secret, so only its size is told.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutputBuffer").field("pending", &self.used).finish_non_exhaustive()
    }
}

impl<S> OutputBuffer<S> {
    /// A output with room for a frame of the usual size.
    pub fn new(sink: S) -> Self {
        Self { frame: vec![0; ROOM], used: 0, sink, bytes: 0, writes: 0 }
    }

    /// Whether nothing waits to be sent.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Bytes handed to the sink so far.
    #[cfg(any(test, feature = "testing"))]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Calls of the sink's `write` so far: one a frame unless the sink took only a part.
    #[cfg(any(test, feature = "testing"))]
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// The sink, for tests and measurements that look at what arrived.
    #[cfg(any(test, feature = "testing"))]
    pub fn sink(&self) -> &S {
        &self.sink
    }

    /// Throws away what is pending, and leaves no trace of it.
    pub fn discard(&mut self) {
        if let Some(pending) = self.frame.get_mut(..self.used) {
            pending.zeroize();
        }
        self.used = 0;
    }

    fn make_room(&mut self, needed: usize) {
        if needed <= self.frame.len() {
            return;
        }
        // `Vec` would grow by itself, but `realloc` leaves the old bytes behind in free memory.
        let mut larger = vec![0; needed.next_power_of_two()];
        for (new, old) in larger.iter_mut().zip(&self.frame) {
            *new = *old;
        }
        self.frame.zeroize();
        self.frame = larger;
    }
}

impl<S: Write> OutputBuffer<S> {
    /// Hands everything collected to the sink, then wipes it, whether the sink took it or not.
    ///
    /// Does nothing, not even an empty write, when nothing was collected.
    pub fn send(&mut self) -> io::Result<()> {
        let outcome = self.push();
        self.discard();
        outcome
    }

    fn push(&mut self) -> io::Result<()> {
        let mut rest = self.frame.get(..self.used).unwrap_or_default();
        while !rest.is_empty() {
            self.writes += 1;
            match self.sink.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => {
                    self.bytes += taken as u64;
                    rest = rest.get(taken..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(BREATH);
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
        self.make_room(end);
        if let Some(place) = self.frame.get_mut(self.used..end) {
            place.copy_from_slice(bytes);
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

    /// A sink that answers as scripted, then takes everything.
    struct Moody {
        answers: Vec<io::Result<usize>>,
        got: Vec<u8>,
    }

    impl Write for Moody {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = self.answers.pop().unwrap_or(Ok(bytes.len()))?;
            self.got.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn many_writes_and_flushes_leave_as_one_write() {
        let mut output = OutputBuffer::new(Vec::new());
        for word in ["one ", "two ", "three"] {
            output.write_all(word.as_bytes()).unwrap();
            output.flush().unwrap();
        }
        assert!(output.sink().is_empty());
        output.send().unwrap();
        assert_eq!(output.sink(), b"one two three");
        assert_eq!((output.bytes(), output.writes()), (13, 1));
    }

    #[test]
    fn nothing_collected_means_no_write_at_all() {
        let mut output = OutputBuffer::new(Vec::new());
        output.send().unwrap();
        assert_eq!((output.bytes(), output.writes()), (0, 0));
    }

    #[test]
    fn a_sink_that_interrupts_stalls_or_takes_a_part_still_gets_everything() {
        let answers = vec![
            Ok(2),
            Err(io::ErrorKind::WouldBlock.into()),
            Err(io::ErrorKind::Interrupted.into()),
        ];
        let mut output = OutputBuffer::new(Moody { answers, got: Vec::new() });
        output.write_all(b"all of it").unwrap();
        output.send().unwrap();
        assert_eq!(output.sink().got, b"all of it");
        assert_eq!(output.writes(), 4);
    }

    #[test]
    fn a_sent_frame_is_wiped_and_a_failed_one_too() {
        for answers in [vec![], vec![Err(io::ErrorKind::BrokenPipe.into())]] {
            let failing = !answers.is_empty();
            let mut output = OutputBuffer::new(Moody { answers, got: Vec::new() });
            output.write_all(b"pat_secret").unwrap();
            assert_eq!(output.send().is_err(), failing);
            assert!(output.is_empty());
            assert!(output.frame.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn a_frame_larger_than_the_room_arrives_whole() {
        let mut output = OutputBuffer::new(Vec::new());
        let large = vec![b'x'; ROOM * 3 + 7];
        for part in large.chunks(1000) {
            output.write_all(part).unwrap();
        }
        output.send().unwrap();
        assert_eq!(output.sink().len(), large.len());
        assert_eq!(output.writes(), 1);
    }
}
