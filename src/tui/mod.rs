//! The terminal app. `event_loop` passes events to `app`, which turns them into effects and draws;
//! `worker` calls the store on threads of its own. `screens` are the tabs, `dialogs` lie over them,
//! both are made of `widgets` in the styles of `theme`. Only `terminal` touches the outside.
//! Called by the library's `run`.

pub mod app;
pub mod dialogs;
pub mod event_loop;
pub mod screens;
pub mod terminal;
pub mod theme;
pub mod widgets;
pub mod worker;

use std::{io, sync::mpsc::channel, time::Duration};

use ratatui::Frame;

use self::{
    app::{App, event::AppEvent, model::Model},
    event_loop::{Display, EventLoop, ExitReason},
    terminal::{Session, Suspended, TerminalError, clipboard, hangup, input},
    theme::Theme,
    worker::Worker,
};
use crate::{
    domain::Secret,
    keymap::Keymap,
    service::{self, Clock, Service, Zone},
};

/// Longest that the end of the process waits for a running write.
const SETTLE: Duration = Duration::from_millis(200);

/// What the app needs to know beside the service.
#[derive(Debug)]
pub struct Setup {
    pub keymap: Keymap,
    pub theme: Theme,
    /// Whether clicks and the wheel are listened to.
    pub mouse: bool,
    /// Who and where, for the top line.
    pub who: String,
    /// The options that name the store and the settings, for command lines that do the same.
    pub options: Vec<(&'static str, String)>,
    /// The program that takes copies, with its arguments; none for the terminal's own way.
    pub clipboard: Option<Vec<String>>,
}

/// Runs the app on this terminal until the operator ends it. Gives the secrets that are to be
/// printed, after the terminal has been given back. Ends the process when the terminal goes.
pub fn run(service: Service, setup: Setup) -> Result<Vec<Secret>, TerminalError> {
    let route = clipboard::choose(&clipboard::Environment::from_process(setup.clipboard));
    let policy = service.policy().clone();
    let mut model = Model::new(Clock::System, Zone::Local, setup.theme, policy, setup.keymap);
    model.read_only = service.is_read_only();
    let app = App::new(model, setup.who).with_options(setup.options);

    let session = Session::enter(setup.mouse)?;
    let settle = || {
        service::wait_for_writes(SETTLE);
    };
    hangup::watch(settle)?;
    let (sender, inbox) = channel();
    let from_worker = sender.clone();
    let worker = Worker::start(service, move |event| from_worker.send(event).is_ok());
    let inputs = move |input| sender.send(AppEvent::Input(input)).is_ok();
    input::spawn(inputs, input::escape_wait_from_env())?;

    let mut event_loop = EventLoop::new(app, session, worker, inbox, route);
    match event_loop.run() {
        ExitReason::Quit(secrets) => {
            let EventLoop { display, .. } = event_loop;
            display.leave();
            service::wait_for_writes(SETTLE);
            Ok(secrets)
        }
        ExitReason::TerminalGone => hangup::end_hung_up(settle),
    }
}

impl Display for Session {
    fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        Self::draw(self, render).map_err(io::Error::other)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        Self::send(self, bytes)
    }

    fn repaint(&mut self) {
        Self::repaint(self);
    }

    fn wipe_screen(&mut self) {
        Self::forget(self);
    }

    fn suspend(&mut self) -> io::Result<Suspended> {
        Self::suspend(self).map_err(io::Error::other)
    }
}
