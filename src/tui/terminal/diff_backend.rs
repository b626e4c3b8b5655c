//! ratatui on top of the output: what the screen shows, and when bytes may leave.
//!
//! Owns the two screen buffers and the state of the cursor. It refuses to ask the terminal
//! anything (an answer could arrive as key presses), to repeat what the terminal already shows,
//! and to keep a secret after [`Painter::forget`]. `terminal` and the output benchmark call it.

use std::fmt;
use std::io::{self, Write};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::{Frame, Terminal};

use super::{ansi, output_buffer::OutputBuffer};

/// Where the size of the screen comes from.
pub type Measure = fn() -> io::Result<Size>;

/// The size that a terminal has when it does not know its own.
pub const USUAL_SIZE: Size = Size { width: 80, height: 24 };

/// A ratatui backend that writes only differences, cursor included.
#[derive(Debug)]
struct DiffBackend<S: Write> {
    output: OutputBuffer<S>,
    measure: Measure,
    /// What the terminal shows, as far as we know: unknown after a clear by others.
    visible: Option<bool>,
    /// Where the cursor is, unless cells were written since.
    place: Option<Position>,
}

impl<S: Write> DiffBackend<S> {
    /// The output, with a synchronised update opened in front of the first byte of a frame.
    fn open(&mut self) -> io::Result<&mut OutputBuffer<S>> {
        if self.output.is_empty() {
            queue!(self.output, BeginSynchronizedUpdate)?;
        }
        Ok(&mut self.output)
    }

    fn finish(&mut self) -> io::Result<()> {
        if !self.output.is_empty() {
            queue!(self.output, EndSynchronizedUpdate)?;
        }
        self.output.send()
    }

    fn set_visible(&mut self, visible: bool) -> io::Result<()> {
        if self.visible == Some(visible) {
            return Ok(());
        }
        let output = self.open()?;
        if visible {
            queue!(output, Show)?;
        } else {
            queue!(output, Hide)?;
        }
        self.visible = Some(visible);
        Ok(())
    }
}

impl<S: Write> Backend for DiffBackend<S> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            // Nothing to open a frame for.
            return Ok(());
        }
        self.place = None;
        ansi::draw(self.open()?, content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.set_visible(false)
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.set_visible(true)
    }

    /// Answers from memory: the real question would wait for the terminal's reply.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.place.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.place != Some(position) {
            queue!(self.open()?, MoveTo(position.x, position.y))?;
            self.place = Some(position);
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        CrosstermBackend::new(self.open()?).clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        (self.measure)()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::default() })
    }

    /// Writes nothing: the frame leaves in [`Painter::draw`], after the closing bracket.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Draws frames on a sink: one write for a frame that changed something, none otherwise.
pub struct Renderer<S: Write> {
    terminal: Terminal<DiffBackend<S>>,
    size: Size,
    repaint: bool,
}

impl<S: Write> fmt::Debug for Renderer<S> {
    // The cells of the screen may show a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renderer").field("size", &self.size).finish_non_exhaustive()
    }
}

impl<S: Write + fmt::Debug> Renderer<S> {
    /// Everything that both screen buffers hold, a secret too: for tests that it is gone.
    #[doc(hidden)]
    #[cfg(any(test, feature = "testing"))]
    pub fn held(&self) -> String {
        format!("{:?}", self.terminal)
    }
}

impl<S: Write> Renderer<S> {
    /// A renderer that assumes nothing about what the sink shows: its first frame is a full one.
    pub fn new(sink: S, measure: Measure) -> io::Result<Self> {
        let canvas =
            DiffBackend { output: OutputBuffer::new(sink), measure, visible: None, place: None };
        let terminal = Terminal::new(canvas)?;
        let size = terminal.size()?;
        Ok(Self { terminal, size, repaint: true })
    }

    /// Draws one frame; the cursor is shown only if `render` placed it.
    ///
    /// An error means that the sink is gone; the half-made frame is wiped.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let outcome = self.compose(render).and_then(|()| self.terminal.backend_mut().finish());
        if outcome.is_err() {
            self.terminal.backend_mut().output.discard();
        }
        outcome
    }

    fn compose(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let size = self.terminal.size()?;
        if size != self.size {
            // ratatui resizes by reallocating, which would leave the old cells in free memory.
            self.wipe();
            self.size = size;
            self.repaint = true;
        }
        if self.repaint {
            self.terminal.autoresize()?;
            self.terminal.clear()?;
            self.repaint = false;
        }
        self.terminal.draw(render).map(|_| ())
    }

    /// Makes the next frame a full one, for a screen that others have written over.
    pub fn repaint(&mut self) {
        let canvas = self.terminal.backend_mut();
        canvas.visible = None;
        canvas.place = None;
        self.repaint = true;
    }

    /// Wipes every copy of the screen's content that the process holds, and makes the next frame
    /// a full one. To be called when a secret has left the screen.
    pub fn forget(&mut self) {
        self.wipe();
        self.repaint();
    }

    /// Sends bytes of our own, such as OSC 52, between frames and by the same way.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let output = &mut self.terminal.backend_mut().output;
        output.write_all(bytes)?;
        output.send()
    }

    /// The size of the screen at the last frame.
    #[cfg(any(test, feature = "testing"))]
    pub fn size(&self) -> Size {
        self.size
    }

    /// The output, to read its counters.
    #[cfg(any(test, feature = "testing"))]
    pub fn output(&self) -> &OutputBuffer<S> {
        &self.terminal.backend().output
    }

    fn wipe(&mut self) {
        self.terminal.backend_mut().output.discard();
        for _ in 0..2 {
            for cell in &mut self.terminal.current_buffer_mut().content {
                // A reset alone may set only the tag of the cell's `Option` and leave the
                // character beside it; a real symbol overwrites all of the inline string.
                cell.set_symbol(" ");
            }
            self.terminal.swap_buffers();
        }
    }
}

impl<S: Write> Drop for Renderer<S> {
    fn drop(&mut self) {
        self.wipe();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU16, Ordering};

    use ratatui::widgets::Paragraph;

    use super::*;

    fn renderer() -> Renderer<Vec<u8>> {
        Renderer::new(Vec::new(), || Ok(Size::new(40, 5))).unwrap()
    }

    fn show(renderer: &mut Renderer<Vec<u8>>, text: &str) -> String {
        let before = renderer.output().sink().len();
        renderer.draw(|frame| frame.render_widget(Paragraph::new(text), frame.area())).unwrap();
        String::from_utf8(renderer.output().sink()[before..].to_vec()).unwrap()
    }

    #[test]
    fn a_frame_is_one_write_in_a_synchronised_update_with_the_cursor_inside() {
        let mut renderer = renderer();
        renderer
            .draw(|frame| {
                frame.render_widget(Paragraph::new("hello"), frame.area());
                frame.set_cursor_position((3, 2));
            })
            .unwrap();
        let sent = String::from_utf8(renderer.output().sink().clone()).unwrap();
        assert!(sent.starts_with("\x1b[?2026h"), "{sent:?}");
        assert!(sent.ends_with("\x1b[?25h\x1b[3;4H\x1b[?2026l"), "{sent:?}");
        assert_eq!(sent.matches("\x1b[?2026").count(), 2);
        assert_eq!(renderer.output().writes(), 1);
    }

    #[test]
    fn an_unchanged_frame_sends_nothing() {
        let mut renderer = renderer();
        for _ in 0..3 {
            renderer
                .draw(|frame| {
                    frame.render_widget(Paragraph::new("same"), frame.area());
                    frame.set_cursor_position((1, 1));
                })
                .unwrap();
        }
        assert_eq!(renderer.output().writes(), 1);
        show(&mut renderer, "same");
        show(&mut renderer, "same");
        assert_eq!(renderer.output().writes(), 2, "hiding the cursor is a change, once");
    }

    #[test]
    fn only_the_cursor_moving_costs_one_small_write() {
        let mut renderer = renderer();
        renderer.draw(|frame| frame.set_cursor_position((1, 1))).unwrap();
        let before = renderer.output().bytes();
        renderer.draw(|frame| frame.set_cursor_position((2, 1))).unwrap();
        assert_eq!(renderer.output().bytes() - before, 22);
    }

    #[test]
    fn after_forget_no_buffer_holds_the_secret_and_the_next_frame_is_full() {
        let mut renderer = renderer();
        show(&mut renderer, "pat_secret");
        renderer.forget();
        for _ in 0..2 {
            let cells = &renderer.terminal.current_buffer_mut().content;
            assert!(cells.iter().all(|cell| cell.symbol() == " "));
            renderer.terminal.swap_buffers();
        }
        assert!(renderer.output().is_empty());
        let sent = show(&mut renderer, "other");
        assert!(sent.contains("\x1b[2J") && sent.contains("other"), "{sent:?}");
    }

    #[test]
    fn debug_text_of_a_screen_does_not_show_it() {
        let mut renderer = renderer();
        show(&mut renderer, "pat_secret");
        assert!(renderer.held().contains("pat_secret"));
        assert_eq!(format!("{renderer:?}"), "Renderer { size: Size { width: 40, height: 5 }, .. }");
    }

    #[test]
    fn a_new_size_is_drawn_in_full_in_one_write() {
        static WIDTH: AtomicU16 = AtomicU16::new(20);
        let measure: Measure = || Ok(Size::new(WIDTH.load(Ordering::Relaxed), 4));
        let mut renderer = Renderer::new(Vec::new(), measure).unwrap();
        show(&mut renderer, "text");
        for width in [30, 10, 1, 0, 25] {
            WIDTH.store(width, Ordering::Relaxed);
            let writes = renderer.output().writes();
            let sent = show(&mut renderer, "text");
            assert_eq!(renderer.output().writes(), writes + 1, "{width}");
            assert!(sent.contains("\x1b[2J"), "{sent:?}");
            assert_eq!(renderer.size().width, width);
        }
    }

    #[test]
    fn own_bytes_leave_unchanged_and_at_once() {
        let mut renderer = renderer();
        renderer.send(b"\x1b]52;c;eA==\x1b\\").unwrap();
        assert_eq!(renderer.output().sink(), b"\x1b]52;c;eA==\x1b\\");
    }
}
