//! ratatui backend that writes each frame as one synchronised update of the changed cells.
//!
//! Owns the screen buffers and the cursor state. It never queries the terminal, because a reply
//! could arrive as key presses, and keeps no secret after [`Renderer::wipe_screen`]. `terminal` and
//! the output benchmark call it.

use std::fmt;
use std::io::{self, Write};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::{Frame, Terminal};

use super::{ansi::TerminalScreen, output_buffer::OutputBuffer};

/// Returns the current screen size.
pub type SizeFn = fn() -> io::Result<Size>;

/// Assumed screen size if the terminal reports none.
pub const FALLBACK_SIZE: Size = Size { width: 80, height: 24 };

/// A ratatui backend that writes only changed cells and changes of the cursor.
#[derive(Debug)]
struct DiffBackend<S: Write> {
    output: OutputBuffer<S>,
    measure: SizeFn,
    screen: TerminalScreen,
    /// Whether the terminal shows the cursor. It is `None` while unknown: before the first frame
    /// and before a repaint.
    cursor_visible: Option<bool>,
    /// Position of the terminal's cursor. It is `None` while unknown, for example after cells were
    /// written.
    cursor: Option<Position>,
}

impl<S: Write> DiffBackend<S> {
    /// Returns the output buffer. Starts a synchronised update before the first byte of a frame.
    fn begin_frame(&mut self) -> io::Result<&mut OutputBuffer<S>> {
        if self.output.is_empty() {
            queue!(self.output, BeginSynchronizedUpdate)?;
        }
        Ok(&mut self.output)
    }

    fn end_frame(&mut self) -> io::Result<()> {
        if !self.output.is_empty() {
            queue!(self.output, EndSynchronizedUpdate)?;
        }
        self.output.send()
    }

    fn set_cursor_visible(&mut self, visible: bool) -> io::Result<()> {
        if self.cursor_visible == Some(visible) {
            return Ok(());
        }
        let output = self.begin_frame()?;
        if visible {
            queue!(output, Show)?;
        } else {
            queue!(output, Hide)?;
        }
        self.cursor_visible = Some(visible);
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
            return Ok(());
        }
        self.cursor = None;
        self.begin_frame()?;
        self.screen.draw(&mut self.output, content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.set_cursor_visible(false)
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.set_cursor_visible(true)
    }

    /// Returns the cached position: a query would wait for the terminal's reply.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor != Some(position) {
            queue!(self.begin_frame()?, MoveTo(position.x, position.y))?;
            self.cursor = Some(position);
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        // ratatui clears only the whole screen of an app that fills it.
        self.screen.clear(self.size()?);
        CrosstermBackend::new(self.begin_frame()?).clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        (self.measure)()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::default() })
    }

    /// Writes nothing: [`Renderer::draw`] sends the frame once its synchronised update is complete.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Draws frames on a sink with one write per changed frame, and no write for an unchanged frame.
pub struct Renderer<S: Write> {
    terminal: Terminal<DiffBackend<S>>,
    size: Size,
    repaint: bool,
}

impl<S: Write> fmt::Debug for Renderer<S> {
    // The cells may contain a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renderer").field("size", &self.size).finish_non_exhaustive()
    }
}

impl<S: Write + fmt::Debug> Renderer<S> {
    /// Content of both screen buffers, including a secret. Tests use it to check that the secret
    /// was wiped.
    #[doc(hidden)]
    #[cfg(any(test, feature = "testing"))]
    pub fn debug_buffers(&self) -> String {
        format!("{:?}", self.terminal)
    }
}

impl<S: Write> Renderer<S> {
    /// A renderer whose first frame is a full repaint, because the screen content is unknown.
    pub fn new(sink: S, measure: SizeFn) -> io::Result<Self> {
        let backend = DiffBackend {
            output: OutputBuffer::new(sink),
            measure,
            screen: TerminalScreen::default(),
            cursor_visible: None,
            cursor: None,
        };
        let terminal = Terminal::new(backend)?;
        let size = terminal.size()?;
        Ok(Self { terminal, size, repaint: true })
    }

    /// Draws one frame. The cursor is shown only if `render` sets its position.
    ///
    /// # Errors
    /// Returns an error if the sink fails. The pending bytes are wiped even then.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let outcome =
            self.render_frame(render).and_then(|()| self.terminal.backend_mut().end_frame());
        if outcome.is_err() {
            self.terminal.backend_mut().output.discard();
        }
        outcome
    }

    fn render_frame(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let size = self.terminal.size()?;
        if size != self.size {
            // Wipe the old cells first: ratatui resizes by reallocation, which would leave them in
            // freed memory.
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

    /// Makes the next frame a full repaint, for a screen that another program has overwritten.
    pub fn repaint(&mut self) {
        let backend = self.terminal.backend_mut();
        backend.cursor_visible = None;
        backend.cursor = None;
        self.repaint = true;
    }

    /// Wipes every copy of the screen content in this process, and makes the next frame a full
    /// repaint. Must be called after a secret has left the screen.
    pub fn wipe_screen(&mut self) {
        self.wipe();
        self.repaint();
    }

    /// Sends bytes that are not part of a frame, such as OSC 52, between frames.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let output = &mut self.terminal.backend_mut().output;
        output.write_all(bytes)?;
        output.send()
    }

    /// Screen size at the last frame.
    #[cfg(any(test, feature = "testing"))]
    pub fn size(&self) -> Size {
        self.size
    }

    /// The output buffer, for its counters.
    #[cfg(any(test, feature = "testing"))]
    pub fn output(&self) -> &OutputBuffer<S> {
        &self.terminal.backend().output
    }

    fn wipe(&mut self) {
        let backend = self.terminal.backend_mut();
        backend.output.discard();
        backend.screen.wipe();
        for _ in 0..2 {
            for cell in &mut self.terminal.current_buffer_mut().content {
                // `Cell::reset` may change only the `Option` tag and leave the symbol in memory; a
                // new symbol overwrites the whole inline string.
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
    fn a_frame_is_one_synchronised_write_with_the_cursor() {
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
        assert_eq!(renderer.output().write_calls(), 1);
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
        assert_eq!(renderer.output().write_calls(), 1);
        show(&mut renderer, "same");
        show(&mut renderer, "same");
        assert_eq!(renderer.output().write_calls(), 2, "hiding the cursor is a change, once");
    }

    #[test]
    fn a_cursor_move_is_one_small_write() {
        let mut renderer = renderer();
        renderer.draw(|frame| frame.set_cursor_position((1, 1))).unwrap();
        let before = renderer.output().bytes_written();
        renderer.draw(|frame| frame.set_cursor_position((2, 1))).unwrap();
        assert_eq!(renderer.output().bytes_written() - before, 22);
    }

    #[test]
    fn wipe_screen_clears_all_buffers_and_repaints() {
        let mut renderer = renderer();
        show(&mut renderer, "pat_secret");
        renderer.wipe_screen();
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
    fn debug_output_hides_the_screen() {
        let mut renderer = renderer();
        show(&mut renderer, "pat_secret");
        assert!(renderer.debug_buffers().contains("pat_secret"));
        assert_eq!(format!("{renderer:?}"), "Renderer { size: Size { width: 40, height: 5 }, .. }");
    }

    #[test]
    fn a_resize_repaints_in_one_write() {
        static WIDTH: AtomicU16 = AtomicU16::new(20);
        let measure: SizeFn = || Ok(Size::new(WIDTH.load(Ordering::Relaxed), 4));
        let mut renderer = Renderer::new(Vec::new(), measure).unwrap();
        show(&mut renderer, "text");
        for width in [30, 10, 1, 0, 25] {
            WIDTH.store(width, Ordering::Relaxed);
            let writes = renderer.output().write_calls();
            let sent = show(&mut renderer, "text");
            assert_eq!(renderer.output().write_calls(), writes + 1, "{width}");
            assert!(sent.contains("\x1b[2J"), "{sent:?}");
            assert_eq!(renderer.size().width, width);
        }
    }

    #[test]
    fn sent_bytes_are_unchanged_and_immediate() {
        let mut renderer = renderer();
        renderer.send(b"\x1b]52;c;eA==\x1b\\").unwrap();
        assert_eq!(renderer.output().sink(), b"\x1b]52;c;eA==\x1b\\");
    }
}
