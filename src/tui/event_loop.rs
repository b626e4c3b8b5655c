//! The loop: sleeps until something happens, lets the app take it, does what the app wants, and
//! draws once if anything changed. The same loop serves the real terminal and the tests.

use std::{
    collections::VecDeque,
    io,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use ratatui::Frame;

use crate::{
    domain::Secret,
    service::{Claim, handout},
    tui::{
        app::{App, Want, effect::Errand},
        terminal::{
            Suspended,
            clipboard::{self, Route},
            input::Input,
        },
        worker::{Report, Worker},
    },
};

/// How long a key waits for the answer of the store before the screen is drawn without it, so
/// that the ordinary case takes one frame.
const PATIENCE: Duration = Duration::from_millis(60);
/// After which silence of the store is worth a word.
const SILENCE: Duration = Duration::from_millis(2_500);

/// What the loop draws on.
pub trait Display {
    /// Draws one frame; writes nothing if nothing changed. An error means it is gone.
    fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()>;
    /// Sends bytes between two frames.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Paints everything with the next frame.
    fn repaint(&mut self);
    /// Wipes what it remembers of the screen, and paints everything with the next frame.
    fn forget(&mut self);
    /// Stops the process until the shell continues it.
    fn suspend(&mut self) -> io::Result<Suspended>;
}

/// Something that wakes the loop.
#[derive(Debug)]
pub enum Happening {
    /// From the terminal.
    Input(Input),
    /// From the worker.
    Report(Report),
}

/// How the app ended.
#[derive(Debug)]
pub enum Ending {
    /// As the operator wanted; these secrets are to be printed.
    Quit(Vec<Secret>),
    /// The terminal is gone.
    Gone,
}

/// The app at work.
#[derive(Debug)]
pub struct Desk<D> {
    /// The app.
    pub app: App,
    /// What it is drawn on.
    pub display: D,
    worker: Worker,
    inbox: Receiver<Happening>,
    held: VecDeque<Input>,
    route: Route,
    waiting_since: Option<Instant>,
    over: bool,
}

impl<D: Display> Desk<D> {
    /// A desk at which `worker` reports into `inbox` and copies go by `route`.
    pub fn new(
        app: App,
        display: D,
        worker: Worker,
        inbox: Receiver<Happening>,
        route: Route,
    ) -> Self {
        Self {
            app,
            display,
            worker,
            inbox,
            held: VecDeque::new(),
            route,
            waiting_since: None,
            over: false,
        }
    }

    /// Works until the operator quits or the terminal is gone.
    pub fn run(&mut self) -> Ending {
        let ran = self.work();
        match ran {
            Ok(()) => Ending::Quit(self.app.take_printed()),
            Err(_) => Ending::Gone,
        }
    }

    fn work(&mut self) -> io::Result<()> {
        self.wait(PATIENCE, App::is_waiting)?;
        while !self.over {
            self.draw()?;
            match self.next() {
                Some(happening) => self.take(happening)?,
                None => self.app.tick(),
            }
            // Everything that has come in belongs to one frame.
            while let Some(input) = self.queued() {
                self.take(input)?;
            }
        }
        Ok(())
    }

    /// Draws what is to be seen now. A frame that became wide shows more than was read: that
    /// is asked for, and comes with a later frame.
    pub fn draw(&mut self) -> io::Result<()> {
        let app = &mut self.app;
        self.display.draw(|frame| app.draw(frame))?;
        self.serve()
    }

    /// Takes one thing that happened and waits a little for the answers it asks for.
    pub fn take(&mut self, happening: Happening) -> io::Result<()> {
        match happening {
            Happening::Input(Input::Gone) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Happening::Input(input) => self.app.input(input),
            Happening::Report(report) => self.app.report(report),
        }
        self.wait(PATIENCE, App::is_waiting)
    }

    /// Takes the next thing that happens within `patience`; false if nothing does.
    pub fn listen(&mut self, patience: Duration) -> io::Result<bool> {
        match self.inbox.recv_timeout(patience) {
            Ok(happening) => self.take(happening).map(|()| true),
            Err(_) => Ok(false),
        }
    }

    /// Whether the operator has ended the program.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Does what the app wants, and waits up to `patience` for everything that it asks for;
    /// keys that come in the meantime are held.
    pub fn settle(&mut self, patience: Duration) -> io::Result<()> {
        self.wait(patience, App::is_busy)
    }

    /// Does what the app wants, and waits up to `patience` as long as it `lacks` something;
    /// keys that come in the meantime are held, for they were meant for what the answers show.
    fn wait(&mut self, patience: Duration, lacks: fn(&App) -> bool) -> io::Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            self.serve()?;
            if self.over || !lacks(&self.app) {
                break;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(Happening::Report(report)) => self.app.report(report),
                Ok(Happening::Input(Input::Gone)) => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(Happening::Input(input)) => self.held.push_back(input),
                Err(_) => break,
            }
        }
        let waiting = self.app.is_waiting();
        self.waiting_since = waiting.then(|| self.waiting_since.unwrap_or_else(Instant::now));
        Ok(())
    }

    /// What happened while it was not looked at, without waiting.
    fn queued(&mut self) -> Option<Happening> {
        if self.over {
            return None;
        }
        self.held.pop_front().map(Happening::Input).or_else(|| self.inbox.try_recv().ok())
    }

    /// Sleeps until something happens; `None` when it is time to look again.
    fn next(&mut self) -> Option<Happening> {
        if let Some(held) = self.held.pop_front() {
            return Some(Happening::Input(held));
        }
        let due = (self.app.deadline() - self.app.world_now()).to_std().unwrap_or_default();
        let silence = self.waiting_since.map(|since| SILENCE.saturating_sub(since.elapsed()));
        let wait = silence.map_or(due, |silence| silence.min(due));
        match self.inbox.recv_timeout(wait.max(Duration::from_millis(1))) {
            Ok(happening) => Some(happening),
            Err(RecvTimeoutError::Timeout) => {
                if self.waiting_since.is_some_and(|since| since.elapsed() >= SILENCE) {
                    self.waiting_since = Some(Instant::now());
                    self.app.warn("the store does not answer: another process may hold it");
                }
                None
            }
            Err(RecvTimeoutError::Disconnected) => Some(Happening::Input(Input::Gone)),
        }
    }

    fn serve(&mut self) -> io::Result<()> {
        for want in self.app.take_wants() {
            match want {
                Want::Ask(effect) => {
                    if !self.worker.ask(effect) {
                        self.over = true;
                    }
                }
                Want::List(question) => {
                    if !self.worker.list(question) {
                        self.over = true;
                    }
                }
                Want::Run(errand) => self.run_errand(&errand),
                Want::Repaint => self.display.repaint(),
                Want::Forget => self.display.forget(),
                Want::Suspend => self.suspend()?,
                Want::Quit => self.over = true,
            }
        }
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        // A secret that was hidden a moment ago leaves the terminal before the shell has it.
        self.draw()?;
        match self.display.suspend()? {
            Suspended::Resumed => self.app.tick(),
            Suspended::Refused => {
                self.app.warn("there is no shell to come back from: patdeck was not suspended");
            }
        }
        Ok(())
    }

    fn run_errand(&mut self, errand: &Errand) {
        match errand {
            Errand::Copy { what, text } => match self.copy(text) {
                Ok(sent) => self.app.say(format!("{what}: {}", sent.short())),
                Err(error) => self.app.errand_failed(error.to_string()),
            },
            Errand::CopySecret => {
                let Some(secret) = self.app.secret() else {
                    return;
                };
                let display = &mut self.display;
                let sent =
                    clipboard::copy(secret.reveal(), &self.route, &mut |bytes| display.send(bytes));
                match sent {
                    Ok(sent) => self.app.handed_over(Claim::Copied, sent.sentence()),
                    Err(error) => self.app.errand_failed(error.to_string()),
                }
            }
            Errand::WriteSecret(path) => {
                let Some(secret) = self.app.secret() else {
                    return;
                };
                match handout::write(path, secret) {
                    Ok(path) => {
                        let said = format!("written to {}, mode 0600", path.display());
                        self.app.handed_over(Claim::Written, said);
                    }
                    Err(error) => self.app.errand_failed(error.to_string()),
                }
            }
            // The app keeps it itself.
            Errand::PrintSecret => {}
        }
    }

    fn copy(&mut self, text: &str) -> Result<clipboard::Sent, clipboard::CopyError> {
        let display = &mut self.display;
        clipboard::copy(text, &self.route, &mut |bytes| display.send(bytes))
    }
}
