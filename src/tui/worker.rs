//! The thread on which the store is called, so that the screen never waits for it: effects go
//! in, outcomes come out in their order, and news of other processes comes unasked, once a
//! second at most and only when there is some. What is long is the lister's, on another thread.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use super::effect::{Effect, Outcome, perform};
use crate::{
    list::{ListRequest, ListResult, ListWorker},
    service::{Followed, Position, Service, ServiceError},
};

/// How often an idle worker looks for changes by other processes: two key reads.
const LOOK_EVERY: Duration = Duration::from_millis(700);

/// What the worker tells.
#[derive(Debug)]
pub enum Report {
    /// Tokens were changed, by whomever.
    News(Followed),
    /// An effect is done; each effect gets exactly one.
    Reply(Box<Outcome>),
    /// What a question shows, or the first of it.
    Listing(Box<ListResult>),
    /// The tokens could not be read.
    Unlisted(ServiceError),
}

/// The near end of the worker: takes effects and questions. Dropped, it ends the threads.
#[derive(Debug)]
pub struct Worker {
    effects: Sender<Effect>,
    lister: ListWorker,
}

impl Worker {
    /// Starts the threads; `deliver` is called on them and says whether anybody still listens.
    pub fn start(
        service: Service,
        deliver: impl Fn(Report) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::start_looking(service, LOOK_EVERY, deliver)
    }

    /// As [`Worker::start`], looking for changes by others after `every` without an effect.
    pub fn start_looking(
        service: Service,
        every: Duration,
        deliver: impl Fn(Report) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (effects, inbox) = channel();
        let (service, deliver) = (Arc::new(service), Arc::new(deliver));
        let to_lister = Arc::clone(&deliver);
        let (lister, list) = ListWorker::new(Arc::clone(&service), move |answer| {
            to_lister(answer.map_or_else(Report::Unlisted, Report::Listing))
        });
        thread::spawn(move || {
            // From before anything is listed, so that no change since is missed.
            let seen = service.position().ok();
            thread::spawn(list);
            work(&service, &inbox, every, seen, &*deliver);
        });
        Self { effects, lister }
    }

    /// Asks for `effect`; false when the worker is gone.
    pub fn ask(&self, effect: Effect) -> bool {
        self.effects.send(effect).is_ok()
    }

    /// Asks what a list shows, and no longer what it was asked before; false when the worker
    /// is gone.
    pub fn list(&self, request: ListRequest) -> bool {
        self.lister.request(request)
    }
}

fn work(
    service: &Service,
    inbox: &Receiver<Effect>,
    every: Duration,
    mut seen: Option<Position>,
    deliver: &impl Fn(Report) -> bool,
) {
    loop {
        let effect = match inbox.recv_timeout(every) {
            Ok(effect) => Some(effect),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let outcome = effect.map(|effect| perform(service, &effect));
        let news = follow(service, &mut seen).map(Report::News);
        // News first: a reply speaks of tokens that the screen must know by then. But tokens
        // that were fetched are from before the news.
        let fetched = matches!(outcome, Some(Outcome::Pats(_)));
        let reply = outcome.map(|outcome| Report::Reply(Box::new(outcome)));
        let reports = if fetched { [reply, news] } else { [news, reply] };
        if !reports.into_iter().flatten().all(deliver) {
            return;
        }
    }
}

/// What changed since `seen`, which moves on. A store that cannot be read just now is tried
/// again at the next look; what the operator asks for reports the failure.
fn follow(service: &Service, seen: &mut Option<Position>) -> Option<Followed> {
    let Some(before) = seen else {
        *seen = service.position().ok();
        return seen.map(Followed::Everything);
    };
    let news = service.follow(*before).ok()?;
    *before = match &news {
        Followed::Nothing => return None,
        Followed::Tokens(_, position) | Followed::Everything(position) => *position,
    };
    Some(news)
}
