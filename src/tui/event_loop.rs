//! The loop: sleeps until something happens, lets the app take it, runs the effects that come of
//! it, and draws once if anything changed. The same loop serves the real terminal and the tests.

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
        effect::{Effect, HostAction},
        event::{AppEvent, HostResult},
    },
    terminal::{
        Suspended,
        clipboard::{self, CopyError, Route, Sent},
        input::Input,
    },
    worker::Worker,
};
use crate::{domain::Delivery, domain::Secret, service::secret_file};

/// How long a key waits for the answer of the store before the screen is drawn without it, so
/// that the ordinary case takes one frame.
const PATIENCE: Duration = Duration::from_millis(60);
/// After which silence of the store is worth a word.
const SILENCE: Duration = Duration::from_millis(2_500);

pub trait Display {
    /// Draws one frame; writes nothing if nothing changed. An error means it is gone.
    fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()>;
    /// Sends bytes between two frames.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Paints everything with the next frame.
    fn repaint(&mut self);
    /// Wipes what it remembers of the screen, and paints everything with the next frame.
    fn wipe_screen(&mut self);
    /// Stops the process until the shell continues it.
    fn suspend(&mut self) -> io::Result<Suspended>;
}

#[derive(Debug)]
pub enum ExitReason {
    /// As the operator wanted; these secrets are to be printed.
    Quit(Vec<Secret>),
    /// The terminal is gone.
    TerminalGone,
}

#[derive(Debug)]
pub struct EventLoop<D> {
    pub app: App,
    pub display: D,
    worker: Worker,
    inbox: Receiver<AppEvent>,
    /// What the operator did while the app waited for the service.
    deferred_input: VecDeque<Input>,
    route: Route,
    waiting_since: Option<Instant>,
    over: bool,
}

impl<D: Display> EventLoop<D> {
    /// A loop whose `worker` and input thread send to `inbox`, and whose copies go by `route`.
    pub fn new(
        app: App,
        display: D,
        worker: Worker,
        inbox: Receiver<AppEvent>,
        route: Route,
    ) -> Self {
        Self {
            app,
            display,
            worker,
            inbox,
            deferred_input: VecDeque::new(),
            route,
            waiting_since: None,
            over: false,
        }
    }

    /// Works until the operator quits or the terminal is gone.
    pub fn run(&mut self) -> ExitReason {
        match self.work() {
            Ok(()) => ExitReason::Quit(self.app.take_printed()),
            Err(_) => ExitReason::TerminalGone,
        }
    }

    fn work(&mut self) -> io::Result<()> {
        self.process(AppEvent::Tick)?;
        while !self.over {
            self.draw()?;
            let event = self.next();
            self.process(event)?;
            // Everything that has come in belongs to one frame.
            while let Some(event) = self.queued() {
                self.process(event)?;
            }
        }
        Ok(())
    }

    /// Draws what is to be seen now. A frame that became wide shows more than was read: that
    /// is asked for, and comes with a later frame.
    pub fn draw(&mut self) -> io::Result<()> {
        let app = &mut self.app;
        self.display.draw(|frame| app.view(frame))?;
        self.dispatch(AppEvent::Drawn)
    }

    /// Takes one event and waits a little for the answers that it asks for.
    pub fn process(&mut self, event: AppEvent) -> io::Result<()> {
        self.dispatch(event)?;
        self.wait(PATIENCE, App::is_waiting)
    }

    /// Takes the next event that comes within `patience`; false if none does.
    #[cfg(any(test, feature = "testing"))]
    pub fn process_next(&mut self, patience: Duration) -> io::Result<bool> {
        match self.inbox.recv_timeout(patience) {
            Ok(event) => self.process(event).map(|()| true),
            Err(_) => Ok(false),
        }
    }

    #[cfg(any(test, feature = "testing"))]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Waits up to `patience` for everything that the app has asked for; keys that come in the
    /// meantime are held.
    #[cfg(any(test, feature = "testing"))]
    pub fn settle(&mut self, patience: Duration) -> io::Result<()> {
        self.dispatch(AppEvent::Drawn)?;
        self.wait(patience, App::is_busy)
    }

    /// Waits up to `patience` as long as the app `lacks` something; keys that come in the meantime
    /// are held, for they were meant for what the answers show.
    fn wait(&mut self, patience: Duration, lacks: fn(&App) -> bool) -> io::Result<()> {
        let deadline = Instant::now() + patience;
        while !self.over && lacks(&self.app) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(AppEvent::Input(Input::Gone)) => {
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

    /// What has happened by now, without waiting.
    fn queued(&mut self) -> Option<AppEvent> {
        if self.over {
            return None;
        }
        self.deferred_input.pop_front().map(AppEvent::Input).or_else(|| self.inbox.try_recv().ok())
    }

    /// Sleeps until something happens, or until it is time to look again.
    fn next(&mut self) -> AppEvent {
        if let Some(input) = self.deferred_input.pop_front() {
            return AppEvent::Input(input);
        }
        let gone = AppEvent::Input(Input::Gone);
        let due = self.app.deadline().map(|at| (at - self.app.now()).to_std().unwrap_or_default());
        let silence = self.waiting_since.map(|since| SILENCE.saturating_sub(since.elapsed()));
        let Some(wait) = due.into_iter().chain(silence).min() else {
            return self.inbox.recv().unwrap_or(gone);
        };
        match self.inbox.recv_timeout(wait.max(Duration::from_millis(1))) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => {
                if self.waiting_since.is_some_and(|since| since.elapsed() >= SILENCE) {
                    self.waiting_since = Some(Instant::now());
                    return AppEvent::ServiceSilent;
                }
                AppEvent::Tick
            }
            Err(RecvTimeoutError::Disconnected) => gone,
        }
    }

    /// Lets the app take an event, and runs the effects that come of it.
    fn dispatch(&mut self, event: AppEvent) -> io::Result<()> {
        if let AppEvent::Input(Input::Gone) = event {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for effect in self.app.update(event) {
            self.run_effect(effect)?;
        }
        Ok(())
    }

    fn run_effect(&mut self, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::Service(id, request) => self.over |= !self.worker.request(id, request),
            Effect::List(question) => self.over |= !self.worker.list(question),
            Effect::Host(action) => {
                if let Some(result) = self.run_on_host(&action) {
                    self.dispatch(AppEvent::HostResult(result))?;
                }
            }
            Effect::Ui(action) => self.app.change_ui(action),
            Effect::Suspend => self.suspend()?,
            Effect::Repaint => self.display.repaint(),
            Effect::WipeScreen => self.display.wipe_screen(),
            Effect::Quit => self.over = true,
        }
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        // A secret that was hidden a moment ago leaves the terminal before the shell has it.
        self.draw()?;
        match self.display.suspend()? {
            Suspended::Resumed => self.dispatch(AppEvent::Tick),
            Suspended::Refused => self.dispatch(AppEvent::HostResult(HostResult::NotSuspended)),
        }
    }

    /// Does it; `None` if it is about a secret that is no longer shown.
    fn run_on_host(&mut self, action: &HostAction) -> Option<HostResult> {
        let failed = |error: &dyn std::error::Error| HostResult::Failed(error.to_string());
        Some(match action {
            HostAction::Copy { what, text } => match copy(&mut self.display, &self.route, text) {
                Ok(sent) => HostResult::Copied(format!("{what}: {}", sent.short())),
                Err(error) => failed(&error),
            },
            HostAction::CopySecret => {
                let secret = self.app.secret()?.reveal();
                match copy(&mut self.display, &self.route, secret) {
                    Ok(sent) => HostResult::Delivered(Delivery::Copied, sent.sentence()),
                    Err(error) => failed(&error),
                }
            }
            HostAction::WriteSecret(path) => match secret_file::write(path, self.app.secret()?) {
                Ok(path) => {
                    let text = format!("written to {}, mode 0600", path.display());
                    HostResult::Delivered(Delivery::Written, text)
                }
                Err(error) => failed(&error),
            },
        })
    }
}

fn copy<D: Display>(display: &mut D, route: &Route, text: &str) -> Result<Sent, CopyError> {
    clipboard::copy(text, route, &mut |bytes| display.send(bytes))
}
