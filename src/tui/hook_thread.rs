//! The thread that runs hooks after the changes of the app, so that no key waits for a program. It
//! reports failures as an event. The worker notifies it after each change; the library's `run` waits
//! for it after the app has ended.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::app::event::AppEvent;
use crate::service::{HookSelection, Service};

/// Interval between checks for the end of the thread.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HookMessage {
    Run,
    Finish,
}

/// Notifies the thread of changes. Does nothing if the config has no hooks.
#[derive(Debug, Clone, Default)]
pub struct HookNotifier(Option<Sender<HookMessage>>);

impl HookNotifier {
    /// Runs the hooks that a change has queued.
    pub fn changed(&self) {
        self.send(HookMessage::Run);
    }

    fn send(&self, message: HookMessage) {
        if let Some(sender) = &self.0 {
            // Fails if the thread has ended: the runs stay in the queue.
            let _ = sender.send(message);
        }
    }
}

/// The hooks that still run when the app has ended.
#[derive(Debug, Default)]
pub struct RunningHooks(Option<JoinHandle<()>>);

impl RunningHooks {
    /// Waits at most `timeout` for the end of all hooks. Returns whether they have ended.
    pub fn end_within(&self, timeout: Duration) -> bool {
        let started = Instant::now();
        while self.0.as_ref().is_some_and(|thread| !thread.is_finished()) {
            if started.elapsed() >= timeout {
                return false;
            }
            thread::sleep(POLL_INTERVAL);
        }
        true
    }

    /// Waits for the end of all hooks.
    pub fn wait(self) {
        // The panic hook has already reported a panic of the thread.
        drop(self.0.map(JoinHandle::join));
    }
}

/// The thread with its notifier.
#[derive(Debug, Default)]
pub struct HookThread {
    pub notifier: HookNotifier,
    running: RunningHooks,
}

impl HookThread {
    /// Starts the thread if the service has hooks and may write. At its start, it runs the hooks that
    /// other processes have left.
    pub fn start(
        service: Arc<Service>,
        deliver: impl Fn(AppEvent) -> bool + Send + 'static,
    ) -> Self {
        if service.hooks().is_empty() || service.is_read_only() {
            return Self::default();
        }
        let (sender, inbox) = channel();
        let notifier = HookNotifier(Some(sender));
        notifier.changed();
        let thread = thread::spawn(move || run(&service, &inbox, &deliver));
        Self { notifier, running: RunningHooks(Some(thread)) }
    }

    /// Lets the thread run the hooks of the last change, and then end.
    pub fn finish(self) -> RunningHooks {
        self.notifier.send(HookMessage::Finish);
        self.running
    }
}

fn run(service: &Service, inbox: &Receiver<HookMessage>, deliver: &impl Fn(AppEvent) -> bool) {
    while let Ok(first) = inbox.recv() {
        // One look at the queue is enough for all changes so far.
        let is_last = first == HookMessage::Finish
            || inbox.try_iter().any(|message| message == HookMessage::Finish);
        let summary = service.run_hooks(HookSelection::New);
        if summary.failed > 0 || summary.error.is_some() {
            deliver(AppEvent::HooksFailed(Box::new(summary)));
        }
        if is_last {
            return;
        }
    }
}
