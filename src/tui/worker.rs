//! The thread on which the store is called, so that the screen never waits for it: effects go
//! in, outcomes come out in their order, and news of other processes comes unasked, once a
//! second at most and only when there is some.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use super::effect::{Effect, Outcome, perform};
use crate::service::{Followed, Position, Service};

/// How often an idle worker looks for changes by other processes: two key reads.
const LOOK_EVERY: Duration = Duration::from_millis(700);

/// What the worker tells.
#[derive(Debug)]
pub enum Report {
    /// Tokens were changed, by whomever.
    News(Followed),
    /// An effect is done; each effect gets exactly one.
    Reply(Box<Outcome>),
}

/// The near end of the worker: takes effects. Dropped, it ends the thread.
#[derive(Debug)]
pub struct Worker {
    effects: Sender<Effect>,
}

impl Worker {
    /// Starts the thread; `deliver` is called on it and says whether anybody still listens.
    pub fn start(service: Service, deliver: impl Fn(Report) -> bool + Send + 'static) -> Self {
        Self::start_looking(service, LOOK_EVERY, deliver)
    }

    /// As [`Worker::start`], looking for changes by others after `every` without an effect.
    pub fn start_looking(
        service: Service,
        every: Duration,
        deliver: impl Fn(Report) -> bool + Send + 'static,
    ) -> Self {
        let (effects, inbox) = channel();
        thread::spawn(move || work(&service, &inbox, every, &deliver));
        Self { effects }
    }

    /// Asks for `effect`; false when the worker is gone.
    pub fn ask(&self, effect: Effect) -> bool {
        self.effects.send(effect).is_ok()
    }
}

fn work(
    service: &Service,
    inbox: &Receiver<Effect>,
    every: Duration,
    deliver: &impl Fn(Report) -> bool,
) {
    let mut seen = None;
    loop {
        let effect = match inbox.recv_timeout(every) {
            Ok(effect) => Some(effect),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let outcome = effect.map(|effect| perform(service, &effect));
        if let Some(Outcome::Loaded(loaded)) = &outcome {
            seen = Some(loaded.position);
        } else if let Some(news) = seen.as_mut().and_then(|seen| follow(service, seen)) {
            // News first: a reply speaks of tokens that the screen must know by then.
            if !deliver(Report::News(news)) {
                return;
            }
        }
        if let Some(outcome) = outcome
            && !deliver(Report::Reply(Box::new(outcome)))
        {
            return;
        }
    }
}

/// What changed since `seen`, which moves on. A store that cannot be read just now is tried
/// again at the next look; what the operator asks for reports the failure.
fn follow(service: &Service, seen: &mut Position) -> Option<Followed> {
    let news = service.follow(*seen).ok()?;
    *seen = match &news {
        Followed::Nothing => return None,
        Followed::Tokens(_, position) => *position,
        Followed::Everything(loaded) => loaded.position,
    };
    Some(news)
}
