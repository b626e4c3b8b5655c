//! The thread on which the store is called, so that the screen never waits for it: requests go
//! in, responses come out, and changes by other processes come unasked when the store's watch
//! tells of one. What is long is the list's, on another thread.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use super::app::{
    event::AppEvent,
    pending::RequestId,
    service_request::{Response, ServiceRequest, perform},
};
use crate::{
    list::{ListRequest, ListWorker},
    service::{Followed, Position, Service},
};

/// How often the store is looked at for changes by other processes: two key reads.
const LOOK_EVERY: Duration = Duration::from_millis(700);

/// What the thread is given to do.
enum Job {
    Request(RequestId, ServiceRequest),
    /// The store may have changed.
    StoreChanged,
}

/// The near end of the worker: takes requests and questions. Dropped, it ends the threads.
#[derive(Debug)]
pub struct Worker {
    jobs: Arc<Sender<Job>>,
    lister: ListWorker,
}

impl Worker {
    /// Starts the threads; `deliver` is called on them and says whether anybody still listens.
    pub fn start(
        service: Service,
        deliver: impl Fn(AppEvent) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::start_looking(service, LOOK_EVERY, deliver)
    }

    /// As [`Worker::start`], looking for changes by others at this interval.
    pub fn start_looking(
        service: Service,
        every: Duration,
        deliver: impl Fn(AppEvent) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (jobs, inbox) = channel();
        let jobs = Arc::new(jobs);
        let (service, deliver) = (Arc::new(service), Arc::new(deliver));
        let to_lister = Arc::clone(&deliver);
        let (lister, list) = ListWorker::new(Arc::clone(&service), move |result| {
            to_lister(match result {
                Ok(listing) => AppEvent::ListResult(listing),
                Err(error) => AppEvent::ListFailed(error),
            })
        });
        // It must not keep the thread alive once the near end is gone.
        let weak = Arc::downgrade(&jobs);
        let notify =
            move || weak.upgrade().is_some_and(|jobs| jobs.send(Job::StoreChanged).is_ok());
        thread::spawn(move || {
            // From before anything is listed, so that no change since is missed.
            let seen = service.position().ok();
            thread::spawn(list);
            watch_store(every, notify);
            work(&service, &inbox, seen, &*deliver);
        });
        Self { jobs, lister }
    }

    /// Makes a request; false when the worker is gone.
    pub fn request(&self, id: RequestId, request: ServiceRequest) -> bool {
        self.jobs.send(Job::Request(id, request)).is_ok()
    }

    /// Asks what a list shows, and no longer what it was asked before; false when the worker
    /// is gone.
    pub fn list(&self, request: ListRequest) -> bool {
        self.lister.request(request)
    }
}

/// Calls `notify` whenever the store may have changed, on a thread of its own, until it says that
/// nobody listens any more.
fn watch_store(every: Duration, notify: impl Fn() -> bool + Send + 'static) {
    thread::spawn(move || {
        while notify() {
            thread::sleep(every);
        }
    });
}

fn work(
    service: &Service,
    inbox: &Receiver<Job>,
    mut seen: Option<Position>,
    deliver: &impl Fn(AppEvent) -> bool,
) {
    for job in inbox {
        let response = match job {
            Job::Request(id, request) => Some((id, perform(service, &request))),
            Job::StoreChanged => None,
        };
        let changes = follow(service, &mut seen).map(AppEvent::StoreChanged);
        // Changes first: a response speaks of tokens that the screen must know by then. But
        // tokens that were fetched are from before the changes.
        let fetched = matches!(response, Some((_, Response::Tokens(_))));
        let response = response.map(|(id, response)| AppEvent::Response(id, Box::new(response)));
        let events = if fetched { [response, changes] } else { [changes, response] };
        if !events.into_iter().flatten().all(deliver) {
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
    let changes = service.follow(*before).ok()?;
    *before = match &changes {
        Followed::Nothing => return None,
        Followed::Tokens(_, position) | Followed::Everything(position) => *position,
    };
    Some(changes)
}
