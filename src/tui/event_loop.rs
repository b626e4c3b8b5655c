//! The event loop: waits for events, passes them to the app, runs the effects, and draws one frame
//! for all events that have arrived. The real terminal and the tests use the same loop.

use std::{
    collections::VecDeque,
    io,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use ratatui::Frame;

use super::{
    app::{
        App,
        effect::{Effect, OutputAction},
        event::{AppEvent, OutputResult},
    },
    terminal::{
        SuspendOutcome,
        clipboard::{self, ClipboardRoute, ClipboardTarget, CopyError},
        input::TerminalInput,
    },
    worker::Worker,
};
use crate::{
    domain::{DeliveryMethod, Secret},
    service::secret_file,
};

/// Maximum time to wait for the response to a key press before a frame is drawn without the
/// response. Usually the response arrives in time, so that the key press needs only one frame.
const RESPONSE_WAIT: Duration = Duration::from_millis(60);
/// How long a response can be outstanding before the operator gets a warning.
const SILENCE_TIMEOUT: Duration = Duration::from_millis(2_500);

/// The output of the app: the real terminal, or a buffer in tests.
pub trait Display {
    /// Draws one frame. Writes nothing to the terminal if nothing changed. An error means that the
    /// terminal is gone.
    fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()>;
    /// Writes bytes between two frames.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Redraws the whole screen with the next frame.
    fn repaint(&mut self);
    /// Erases all buffers of the screen, and redraws the whole screen with the next frame.
    fn wipe_screen(&mut self);
    /// Suspends the process until the shell continues it.
    fn suspend(&mut self) -> io::Result<SuspendOutcome>;
}

/// Why the event loop ended.
#[derive(Debug)]
pub enum ExitReason {
    /// The operator quit. Contains the secrets to print.
    Quit(Vec<Secret>),
    /// The terminal hung up or failed.
    TerminalGone,
}

/// The event loop with its app, display and worker.
#[derive(Debug)]
pub struct EventLoop<D> {
    pub app: App,
    pub display: D,
    worker: Worker,
    inbox: Receiver<AppEvent>,
    /// The input that arrived while the app waited for the service.
    deferred_input: VecDeque<TerminalInput>,
    route: ClipboardRoute,
    waiting_since: Option<Instant>,
    finished: bool,
}

impl<D: Display> EventLoop<D> {
    /// `worker` and the input thread send their events to `inbox`; copied texts go to `route`.
    pub fn new(
        app: App,
        display: D,
        worker: Worker,
        inbox: Receiver<AppEvent>,
        route: ClipboardRoute,
    ) -> Self {
        Self {
            app,
            display,
            worker,
            inbox,
            deferred_input: VecDeque::new(),
            route,
            waiting_since: None,
            finished: false,
        }
    }

    /// Returns the display and the worker of a loop that has ended.
    pub fn into_parts(self) -> (D, Worker) {
        (self.display, self.worker)
    }

    /// Runs until the operator quits or the terminal is gone.
    pub fn run(&mut self) -> ExitReason {
        match self.run_until_quit() {
            Ok(()) => ExitReason::Quit(self.app.take_secrets_to_print()),
            Err(_) => ExitReason::TerminalGone,
        }
    }

    fn run_until_quit(&mut self) -> io::Result<()> {
        self.process(AppEvent::Tick)?;
        while !self.finished {
            self.draw()?;
            let event = self.next_event();
            self.process(event)?;
            // Handle all queued events before the next frame.
            while let Some(event) = self.queued_event() {
                self.process(event)?;
            }
        }
        Ok(())
    }

    /// Draws a frame, then requests the data that this frame lacked. For example, the detail is not
    /// loaded yet when the terminal becomes wide. A later frame shows the data.
    pub fn draw(&mut self) -> io::Result<()> {
        let app = &mut self.app;
        self.display.draw(|frame| app.view(frame))?;
        self.dispatch(AppEvent::FrameDrawn)
    }

    /// Handles one event, then waits up to [`RESPONSE_WAIT`] for the responses that the screen
    /// needs.
    pub fn process(&mut self, event: AppEvent) -> io::Result<()> {
        self.dispatch(event)?;
        self.wait(RESPONSE_WAIT, App::is_waiting)
    }

    /// Handles the next event that arrives within `timeout`. Returns `false` if no event arrives.
    #[cfg(any(test, feature = "testing"))]
    pub fn process_next(&mut self, timeout: Duration) -> io::Result<bool> {
        match self.inbox.recv_timeout(timeout) {
            Ok(event) => self.process(event).map(|()| true),
            Err(_) => Ok(false),
        }
    }

    #[cfg(any(test, feature = "testing"))]
    pub fn is_over(&self) -> bool {
        self.finished
    }

    /// Waits until no response is outstanding, at most for `timeout`. Input that arrives meanwhile
    /// is deferred.
    #[cfg(any(test, feature = "testing"))]
    pub fn wait_until_idle(&mut self, timeout: Duration) -> io::Result<()> {
        self.dispatch(AppEvent::FrameDrawn)?;
        self.wait(timeout, App::is_busy)
    }

    /// Waits while `is_waiting` returns `true` for the app, at most for `timeout`. Input that
    /// arrives meanwhile is deferred until the responses are handled, because it is meant for the
    /// updated screen.
    fn wait(&mut self, timeout: Duration, is_waiting: fn(&App) -> bool) -> io::Result<()> {
        let deadline = Instant::now() + timeout;
        while !self.finished && is_waiting(&self.app) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(AppEvent::Input(TerminalInput::Closed)) => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(AppEvent::Input(input)) => self.deferred_input.push_back(input),
                Ok(event) => self.dispatch(event)?,
                Err(_) => break,
            }
        }
        let waiting = self.app.is_waiting();
        self.waiting_since = waiting.then(|| self.waiting_since.unwrap_or_else(Instant::now));
        Ok(())
    }

    /// The next event that has already arrived.
    fn queued_event(&mut self) -> Option<AppEvent> {
        if self.finished {
            return None;
        }
        self.deferred_input.pop_front().map(AppEvent::Input).or_else(|| self.inbox.try_recv().ok())
    }

    /// Waits for the next event. Returns `Tick` if the screen must be updated before an event
    /// arrives, and `ServiceUnresponsive` if a response is outstanding for [`SILENCE_TIMEOUT`].
    fn next_event(&mut self) -> AppEvent {
        if let Some(input) = self.deferred_input.pop_front() {
            return AppEvent::Input(input);
        }
        let gone = AppEvent::Input(TerminalInput::Closed);
        let due = self.app.time_to_next_change();
        let silence =
            self.waiting_since.map(|since| SILENCE_TIMEOUT.saturating_sub(since.elapsed()));
        let Some(wait) = due.into_iter().chain(silence).min() else {
            return self.inbox.recv().unwrap_or(gone);
        };
        match self.inbox.recv_timeout(wait.max(Duration::from_millis(1))) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => {
                if self.waiting_since.is_some_and(|since| since.elapsed() >= SILENCE_TIMEOUT) {
                    self.waiting_since = Some(Instant::now());
                    return AppEvent::ServiceUnresponsive;
                }
                AppEvent::Tick
            }
            Err(RecvTimeoutError::Disconnected) => gone,
        }
    }

    /// Passes an event to the app and runs the effects that it returns.
    fn dispatch(&mut self, event: AppEvent) -> io::Result<()> {
        if let AppEvent::Input(TerminalInput::Closed) = event {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for effect in self.app.update(event) {
            self.run_effect(effect)?;
        }
        Ok(())
    }

    #[deny(clippy::wildcard_enum_match_arm, reason = "nothing may be ignored in silence")]
    fn run_effect(&mut self, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::Service(id, request) => self.finished |= !self.worker.request(id, request),
            Effect::List(request) => self.finished |= !self.worker.list(request),
            Effect::Host(action) => {
                if let Some(result) = self.run_on_host(&action) {
                    self.dispatch(AppEvent::HostResult(result))?;
                }
            }
            Effect::Ui(action) => self.app.run_ui_action(action),
            Effect::Suspend => self.suspend()?,
            Effect::Repaint => self.display.repaint(),
            Effect::WipeScreen => self.display.wipe_screen(),
            Effect::Quit => self.finished = true,
        }
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        // Draw the frame in which the app has hidden the secrets, before the shell gets the
        // terminal.
        self.draw()?;
        match self.display.suspend()? {
            SuspendOutcome::Resumed => self.dispatch(AppEvent::Tick),
            SuspendOutcome::Refused => {
                self.dispatch(AppEvent::HostResult(OutputResult::NotSuspended))
            }
        }
    }

    /// Runs `action`. Returns `None` if the action needs a secret and no secret is on the screen.
    fn run_on_host(&mut self, action: &OutputAction) -> Option<OutputResult> {
        let failed = |error: &dyn std::error::Error| OutputResult::Failed(error.to_string());
        Some(match action {
            OutputAction::Copy { label, text } => {
                match copy(&mut self.display, &self.route, text) {
                    Ok(target) => {
                        let summary = target.summary();
                        OutputResult::Copied(summary.replacen(
                            "Sent",
                            &format!("Sent the {label}"),
                            1,
                        ))
                    }
                    Err(error) => failed(&error),
                }
            }
            OutputAction::CopySecret(format) => {
                let text = self.app.secret_text(*format)?;
                match copy(&mut self.display, &self.route, &text) {
                    Ok(target) => {
                        let label = format!("Sent the {}", format.description());
                        let summary = target.summary_with_fallback();
                        OutputResult::Delivered(
                            DeliveryMethod::Copied,
                            summary.replacen("Sent", &label, 1),
                        )
                    }
                    Err(error) => failed(&error),
                }
            }
            OutputAction::WriteSecret(path) => match secret_file::write(path, self.app.secret()?) {
                Ok(path) => {
                    let text = format!("Wrote the secret to {} (mode 0600)", path.display());
                    OutputResult::Delivered(DeliveryMethod::Written, text)
                }
                Err(error) => failed(&error),
            },
        })
    }
}

fn copy<D: Display>(
    display: &mut D,
    route: &ClipboardRoute,
    text: &str,
) -> Result<ClipboardTarget, CopyError> {
    clipboard::copy(text, route, &mut |bytes| display.send(bytes))
}
