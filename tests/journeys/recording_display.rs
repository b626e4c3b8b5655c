//! The display of a journey: the real renderer on an in-memory sink, with a settable size. Records
//! the last frame, the bytes sent between frames, and the number of repaints and suspends.

use std::{cell::Cell, io};

use patdeck::tui::{
    event_loop::Display,
    terminal::{SuspendOutcome, diff_backend::Renderer},
};
use ratatui::{Frame, buffer::Buffer, layout::Size};

thread_local! {
    /// Size of the next frame. Thread-local, because the renderer takes a plain `fn` for the size.
    static SIZE: Cell<Size> = const { Cell::new(Size::new(80, 24)) };
}

#[expect(clippy::unnecessary_wraps, reason = "the signature that the renderer expects")]
fn display_size() -> io::Result<Size> {
    Ok(SIZE.get())
}

/// A display that records its input.
#[derive(Debug)]
pub(crate) struct RecordingDisplay {
    pub(crate) renderer: Renderer<Vec<u8>>,
    pub(crate) size: Size,
    /// Copy of the last frame; the buffers of the renderer are private.
    pub(crate) last_frame: Buffer,
    /// Bytes sent between frames.
    pub(crate) sent_bytes: Vec<Vec<u8>>,
    pub(crate) repaint_count: usize,
    pub(crate) suspend_count: usize,
}

impl RecordingDisplay {
    pub(crate) fn new(size: Size) -> Self {
        SIZE.set(size);
        Self {
            renderer: Renderer::new(Vec::new(), display_size).unwrap(),
            size,
            last_frame: Buffer::default(),
            sent_bytes: Vec::new(),
            repaint_count: 0,
            suspend_count: 0,
        }
    }
}

impl Display for RecordingDisplay {
    fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        SIZE.set(self.size);
        let drawn = &mut self.last_frame;
        self.renderer.draw(|frame| {
            render(frame);
            drawn.clone_from(frame.buffer_mut());
        })
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sent_bytes.push(bytes.to_vec());
        self.renderer.send(bytes)
    }

    fn repaint(&mut self) {
        self.repaint_count += 1;
        self.renderer.repaint();
    }

    fn wipe_screen(&mut self) {
        self.renderer.wipe_screen();
    }

    fn suspend(&mut self) -> io::Result<SuspendOutcome> {
        self.suspend_count += 1;
        Ok(SuspendOutcome::Refused)
    }
}
