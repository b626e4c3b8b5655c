//! The display of a journey: the renderer of the real terminal on a sink that keeps its bytes, with
//! the size that the journey says, and what was drawn last kept for looking at.

use std::{cell::Cell, io};

use patdeck::tui::{
    event_loop::Display,
    terminal::{Suspended, diff_backend::Renderer},
};
use ratatui::{Frame, buffer::Buffer, layout::Size};

thread_local! {
    /// The size of the terminal that is drawn on next: the renderer asks a plain function.
    static SIZE: Cell<Size> = const { Cell::new(Size::new(80, 24)) };
}

#[expect(clippy::unnecessary_wraps, reason = "the renderer asks for it")]
fn measured() -> io::Result<Size> {
    Ok(SIZE.get())
}

/// A display that keeps what it is given.
#[derive(Debug)]
pub(crate) struct Paper {
    pub(crate) renderer: Renderer<Vec<u8>>,
    pub(crate) size: Size,
    /// What was drawn last; the renderer itself keeps its buffers to itself.
    pub(crate) drawn: Buffer,
    /// The bytes that were sent between frames.
    pub(crate) sent: Vec<Vec<u8>>,
    /// How often everything had to be painted again, and how often the shell was asked for.
    pub(crate) repaints: usize,
    pub(crate) suspends: usize,
}

impl Paper {
    pub(crate) fn new(size: Size) -> Self {
        SIZE.set(size);
        Self {
            renderer: Renderer::new(Vec::new(), measured).unwrap(),
            size,
            drawn: Buffer::default(),
            sent: Vec::new(),
            repaints: 0,
            suspends: 0,
        }
    }
}

impl Display for Paper {
    fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        SIZE.set(self.size);
        let drawn = &mut self.drawn;
        self.renderer.draw(|frame| {
            render(frame);
            drawn.clone_from(frame.buffer_mut());
        })
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sent.push(bytes.to_vec());
        self.renderer.send(bytes)
    }

    fn repaint(&mut self) {
        self.repaints += 1;
        self.renderer.repaint();
    }

    fn wipe_screen(&mut self) {
        self.renderer.forget();
    }

    fn suspend(&mut self) -> io::Result<Suspended> {
        self.suspends += 1;
        Ok(Suspended::Refused)
    }
}
