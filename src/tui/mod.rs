//! The terminal app. `event_loop` passes events to `app`, which returns effects and draws; `worker`
//! calls the service on its own threads. `screens` are the tabs and `dialogs` are drawn over them;
//! both consist of `widgets` in the styles of `theme`. Only `terminal` does I/O. Called by the
//! library's `run`.

pub mod app;
pub mod dialogs;
pub mod event_loop;
pub mod hook_thread;
pub mod screens;
pub mod terminal;
pub mod theme;
pub mod widgets;
pub mod worker;

use std::{
    io,
    sync::{Arc, mpsc::channel},
    time::Duration,
};

use ratatui::Frame;

use self::{
    app::{App, event::AppEvent, model::Model},
    event_loop::{Display, EventLoop, ExitReason},
    hook_thread::RunningHooks,
    terminal::{SuspendOutcome, TerminalError, TerminalSession, clipboard, input, termination},
    theme::Theme,
    worker::Worker,
};
use crate::{
    config::NamedView,
    domain::{Command, ConfirmationProof, DeliveryMethod, Name, Secret},
    keymap::Keymap,
    service::{self, Clock, Service, ServiceError, Zone},
};

/// Maximum time to wait for store writes in progress before the process exits.
const WRITE_WAIT: Duration = Duration::from_millis(200);

/// The settings of the app.
#[derive(Debug)]
pub struct AppSettings {
    pub keymap: Keymap,
    /// The searches with names that the list offers.
    pub views: Vec<NamedView>,
    pub theme: Theme,
    /// Whether the app captures clicks and the wheel.
    pub mouse: bool,
    /// The text `user@host` that the top line shows.
    pub identity: String,
    /// The command line options that select the store and the config. The app adds them to every
    /// equivalent command line.
    pub options: Vec<(&'static str, String)>,
    /// The clipboard program with its arguments. If `None`, the app chooses a route to the
    /// clipboard automatically.
    pub clipboard: Option<Vec<String>>,
}

/// What is left to do after the app has ended.
#[derive(Debug)]
pub struct EndedApp {
    /// The secrets to print.
    pub secrets: Vec<Secret>,
    service: Arc<Service>,
    worker: Worker,
}

impl EndedApp {
    /// Records that `secret` was printed. The caller must have printed it: a secret that was only
    /// promised to be printed is lost if the process is killed before.
    ///
    /// # Errors
    ///
    /// The store cannot be written, or no longer has this secret.
    pub fn record_printed(&self, secret: &Secret) -> Result<(), ServiceError> {
        let (token, digest) = (secret.id(), secret.digest());
        let command = Command::RecordDelivery { token, digest, method: DeliveryMethod::Printed };
        self.service.execute(&command, &ConfirmationProof::NOT_REQUIRED).map(drop)
    }

    /// The name of the token of `secret`, if the store can be read.
    pub fn token_name(&self, secret: &Secret) -> Option<Name> {
        Some(self.service.token(&secret.id()).ok()??.name)
    }

    /// Ends the threads. Returns the hooks of the last changes, which still run.
    pub fn finish(self) -> RunningHooks {
        self.worker.finish()
    }
}

/// Runs the app on this terminal until the operator quits. Restores the terminal and returns what is
/// left to do. Exits the process if the terminal hangs up.
///
/// # Errors
///
/// The terminal cannot be set up, or the input thread cannot be started.
pub fn run(service: Service, setup: AppSettings) -> Result<EndedApp, TerminalError> {
    let route =
        clipboard::choose_route(&clipboard::ClipboardEnvironment::from_process(setup.clipboard));
    let policy = service.policy().clone();
    let mut model = Model::new(Clock::System, Zone::Local, setup.theme, policy, setup.keymap);
    model.read_only = service.is_read_only();
    model.views = setup.views;
    model.is_demo = service.is_in_memory();
    let app = App::new(model, setup.identity).with_options(setup.options);

    let flush_writes = || {
        service::wait_for_writes(WRITE_WAIT);
    };
    // Watch for signals before entering the terminal. In the reverse order, a signal between the
    // two calls would end the process without restoring the terminal.
    termination::watch(flush_writes)?;
    let session = TerminalSession::enter(setup.mouse)?;
    let (sender, inbox) = channel();
    let from_worker = sender.clone();
    let service = Arc::new(service);
    let worker = Worker::start(Arc::clone(&service), move |event| from_worker.send(event).is_ok());
    let inputs = move |input| sender.send(AppEvent::Input(input)).is_ok();
    input::spawn(inputs, input::escape_wait_from_env())?;

    let mut event_loop = EventLoop::new(app, session, worker, inbox, route);
    match event_loop.run() {
        ExitReason::Quit(secrets) => {
            let (display, worker) = event_loop.into_parts();
            display.leave();
            service::wait_for_writes(WRITE_WAIT);
            Ok(EndedApp { secrets, service, worker })
        }
        ExitReason::TerminalGone => termination::exit_hung_up(flush_writes),
    }
}

impl Display for TerminalSession {
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
        Self::wipe_screen(self);
    }

    fn suspend(&mut self) -> io::Result<SuspendOutcome> {
        Self::suspend(self).map_err(io::Error::other)
    }
}
