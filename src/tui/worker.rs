//! The thread on which the store is called, so that the screen never waits for it: requests go
//! in, responses come out, and changes by other processes come unasked when the store's watch
//! tells of one. What is long is the list's, on another thread.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
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
    service::{Followed, Position, Service, ServiceError},
};

/// How soon the changes of another process are read again after that failed, and how often they
/// are looked for if the store's file cannot be watched.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

enum Job {
    Request(RequestId, ServiceRequest),
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
            let watcher = service.watch(notify);
            work(&service, &inbox, seen, watcher.is_err(), &*deliver);
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

fn work(
    service: &Service,
    inbox: &Receiver<Job>,
    mut seen: Option<Position>,
    is_polling: bool,
    deliver: &impl Fn(AppEvent) -> bool,
) {
    let mut is_behind = false;
    loop {
        let wait = if is_polling || is_behind { RETRY_INTERVAL } else { Duration::MAX };
        let response = match inbox.recv_timeout(wait) {
            Ok(Job::Request(id, request)) => Some((id, perform(service, &request))),
            Ok(Job::StoreChanged) | Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let followed = follow(service, &mut seen);
        let was_behind = std::mem::replace(&mut is_behind, followed.is_err());
        let changes = match followed {
            Ok(changes) => changes.map(AppEvent::StoreChanged),
            // Told once. A lock is let go soon, and what the operator asked for tells its own.
            Err(error) => (!was_behind && response.is_none() && !error.is_busy())
                .then_some(AppEvent::FollowFailed(error)),
        };
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

/// What changed since `seen`, which moves on; `None` if nothing did. After a failure the caller
/// tries again.
fn follow(
    service: &Service,
    seen: &mut Option<Position>,
) -> Result<Option<Followed>, ServiceError> {
    let Some(before) = seen else {
        let position = service.position()?;
        *seen = Some(position);
        return Ok(Some(Followed::Everything(position)));
    };
    let changes = service.follow(*before)?;
    *before = match &changes {
        Followed::Nothing => return Ok(None),
        Followed::Tokens(_, position) | Followed::Everything(position) => *position,
    };
    Ok(Some(changes))
}
