//! The terminal app: one loop (`desk`) between the terminal, the app and the worker that calls
//! the store. Screens are values; only this folder's `terminal`, `wire` and `clipboard` touch
//! the outside. Called by the library's `run`.

mod answers;
pub mod app;
pub mod canvas;
pub mod chrome;
pub mod clipboard;
mod custody;
pub mod desk;
mod draft;
pub mod effect;
pub mod escapes;
mod handoff;
pub mod hangup;
mod ink;
pub mod input;
mod leaving;
pub mod look;
mod paint;
pub mod paste;
pub mod places;
mod pointer;
pub mod screen;
pub mod step;
mod steps;
mod styles;
pub mod terminal;
pub mod twin;
pub mod undo;
pub mod view;
pub mod voice;
mod wanting;
pub mod when;
pub mod widget;
pub mod wire;
pub mod worker;
pub mod world;

use std::{io, sync::mpsc::channel, time::Duration};

use ratatui::Frame;

use self::{
    app::App,
    desk::{Desk, Display, Ending, Happening},
    look::Look,
    terminal::{Session, Suspended, TerminalError},
    worker::Worker,
    world::World,
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
    /// Which key does what.
    pub keymap: Keymap,
    /// Styles and glyphs.
    pub look: Look,
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
    let mut world = World::new(Clock::System, Zone::Local, setup.look, policy, setup.keymap);
    world.read_only = service.is_read_only();
    let app = App::new(world, setup.who).with_options(setup.options);

    let session = Session::enter(setup.mouse)?;
    let settle = || {
        service::settle(SETTLE);
    };
    hangup::watch(settle)?;
    let (sender, inbox) = channel();
    let reports = sender.clone();
    let worker =
        Worker::start(service, move |report| reports.send(Happening::Report(report)).is_ok());
    let inputs = move |input| sender.send(Happening::Input(input)).is_ok();
    input::spawn(inputs, input::escape_wait_from_env())?;

    let mut desk = Desk::new(app, session, worker, inbox, route);
    match desk.run() {
        Ending::Quit(secrets) => {
            let Desk { display, .. } = desk;
            display.leave();
            service::settle(SETTLE);
            Ok(secrets)
        }
        Ending::Gone => hangup::end_hung_up(settle),
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

    fn forget(&mut self) {
        Self::forget(self);
    }

    fn suspend(&mut self) -> io::Result<Suspended> {
        Self::suspend(self).map_err(io::Error::other)
    }
}
