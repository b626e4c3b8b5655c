//! The worker thread, which calls the service so that the screen never waits for the store. It
//! takes requests, delivers responses, and reads the changes of other processes when the file watch
//! reports a change. The list and the verification of the audit trail run on other threads, because
//! they can take long.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use super::{
    app::{
        event::AppEvent,
        pending_requests::RequestId,
        service_request::{Response, ServiceRequest, execute_request, read_trail},
    },
    hook_thread::{HookNotifier, HookThread, RunningHooks},
};
use crate::{
    list::{ListRequest, ListThreadHandle},
    service::{ChangeLogPosition, Service, ServiceError, TokenChanges, VerifiedChain},
};

/// Interval at which the changes of other processes are read after a failed read, or while the
/// store file cannot be watched.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

enum Job {
    Request(RequestId, Box<ServiceRequest>),
    StoreChanged,
}

/// The handle of the worker threads. The threads end when the handle is dropped.
#[derive(Debug)]
pub struct Worker {
    jobs: Arc<Sender<Job>>,
    /// The requests for the audit trail.
    trail_jobs: Sender<RequestId>,
    list_thread: ListThreadHandle,
    hook_thread: HookThread,
}

impl Worker {
    /// Starts the worker threads, which call `deliver` with each event. The threads end once
    /// `deliver` returns `false`.
    pub fn start(
        service: impl Into<Arc<Service>>,
        deliver: impl Fn(AppEvent) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (jobs, inbox) = channel();
        let jobs = Arc::new(jobs);
        let (service, deliver) = (service.into(), Arc::new(deliver));
        let (trail_jobs, trail_inbox) = channel();
        let (trail_service, deliver_trail) = (Arc::clone(&service), Arc::clone(&deliver));
        thread::spawn(move || run_trail_jobs(&trail_service, &trail_inbox, &*deliver_trail));
        let deliver_hooks = Arc::clone(&deliver);
        let hook_thread =
            HookThread::start(Arc::clone(&service), move |event| deliver_hooks(event));
        let hooks = hook_thread.notifier.clone();
        let deliver_list = Arc::clone(&deliver);
        let (list_thread, run_list) = ListThreadHandle::new(Arc::clone(&service), move |result| {
            deliver_list(match result {
                Ok(result) => AppEvent::ListResult(result),
                Err(error) => AppEvent::ListFailed(error),
            })
        });
        // Use a weak reference, so that the watch does not keep the thread alive after `Worker` is
        // dropped.
        let weak = Arc::downgrade(&jobs);
        let notify =
            move || weak.upgrade().is_some_and(|jobs| jobs.send(Job::StoreChanged).is_ok());
        thread::spawn(move || {
            // Take the position before the list is loaded, so that no later change is missed.
            let position = service.position().ok();
            thread::spawn(run_list);
            let purging = Arc::clone(&service);
            // Ignore errors of the purge: the app can still show a store that cannot be written.
            thread::spawn(move || purging.purge_trash());
            let watcher = service.watch(notify.clone());
            // A change before the watch began is reported by no later event.
            notify();
            let caller = RequestCaller { service, hooks };
            run_jobs(&caller, &inbox, position, watcher.is_err(), &deliver);
        });
        Self { jobs, trail_jobs, list_thread, hook_thread }
    }

    /// Ends the worker. Returns the hooks that still run.
    pub fn finish(self) -> RunningHooks {
        self.hook_thread.finish()
    }

    /// Sends a request. Returns false if the worker has ended.
    pub fn request(&self, id: RequestId, request: ServiceRequest) -> bool {
        match request {
            ServiceRequest::Trail => self.trail_jobs.send(id).is_ok(),
            request => self.jobs.send(Job::Request(id, Box::new(request))).is_ok(),
        }
    }

    /// Sends a list request, which replaces the previous list request. Returns false if the worker
    /// has ended.
    pub fn list(&self, request: ListRequest) -> bool {
        self.list_thread.request(request)
    }
}

/// Answers requests for the audit trail. Verifies each event once.
fn run_trail_jobs(
    service: &Service,
    inbox: &Receiver<RequestId>,
    deliver: &impl Fn(AppEvent) -> bool,
) {
    let mut verified = VerifiedChain::default();
    while let Ok(id) = inbox.recv() {
        let response = read_trail(service, &mut verified);
        if !deliver(AppEvent::Response(id, Box::new(response))) {
            return;
        }
    }
}

/// Calls the service, and notifies the hook thread of changes.
#[derive(Clone)]
struct RequestCaller {
    service: Arc<Service>,
    hooks: HookNotifier,
}

impl RequestCaller {
    fn call(&self, request: &ServiceRequest) -> Response {
        let response = execute_request(&self.service, request);
        // A change that failed can have saved a part.
        if matches!(request, ServiceRequest::Execute(..)) {
            self.hooks.changed();
        }
        response
    }
}

fn run_jobs(
    caller: &RequestCaller,
    inbox: &Receiver<Job>,
    mut position: Option<ChangeLogPosition>,
    is_polling: bool,
    deliver: &Arc<impl Fn(AppEvent) -> bool + Send + Sync + 'static>,
) {
    let service = &caller.service;
    let (mut has_failed, mut reported): (bool, Option<String>) = (false, None);
    loop {
        let wait = if is_polling || has_failed { RETRY_INTERVAL } else { Duration::MAX };
        let response = match inbox.recv_timeout(wait) {
            Ok(Job::Request(id, request)) if request.can_take_minutes(service) => {
                let (caller, deliver) = (caller.clone(), Arc::clone(deliver));
                thread::spawn(move || {
                    let response = caller.call(&request);
                    deliver(AppEvent::Response(id, Box::new(response)))
                });
                continue;
            }
            Ok(Job::Request(id, request)) => Some((id, caller.call(&request))),
            Ok(Job::StoreChanged) | Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let followed = read_changes(service, &mut position);
        let was_failing = std::mem::replace(&mut has_failed, followed.is_err());
        let changes = match followed {
            Ok(changes) => {
                reported = None;
                // A list request may have failed for the same reason as the previous read, so
                // request the list again even if nothing changed.
                let reload = position.filter(|_| was_failing).map(TokenChanges::NeedsReload);
                changes.or(reload).map(AppEvent::StoreChanged)
            }
            // Report only the first of several equal failures. Do not report a busy store, which is
            // expected to recover soon. After a request, wait for the next attempt, because the
            // response to a failed request contains the error.
            Err(error) if response.is_some() || error.is_busy() => None,
            Err(error) => {
                let text = Some(error.to_string());
                let is_new = reported != text;
                reported = text;
                is_new.then_some(AppEvent::ChangeReadFailed(error))
            }
        };
        // Deliver the changes before the response, which may refer to changed tokens. Deliver a
        // response with fetched tokens before the changes, because the fetched tokens are older.
        let fetched = matches!(response, Some((_, Response::Tokens(_))));
        let response = response.map(|(id, response)| AppEvent::Response(id, Box::new(response)));
        let events = if fetched { [response, changes] } else { [changes, response] };
        if !events.into_iter().flatten().all(&**deliver) {
            return;
        }
    }
}

/// Reads the changes since `position` and advances `position`. Without a position, requests a
/// reload. Returns `None` if nothing changed. After an error, the caller tries again later.
fn read_changes(
    service: &Service,
    position: &mut Option<ChangeLogPosition>,
) -> Result<Option<TokenChanges>, ServiceError> {
    let Some(before) = position else {
        let current = service.position()?;
        *position = Some(current);
        return Ok(Some(TokenChanges::NeedsReload(current)));
    };
    let changes = service.changes_since(*before)?;
    *before = match &changes {
        TokenChanges::Unchanged => return Ok(None),
        TokenChanges::Tokens(_, position) | TokenChanges::NeedsReload(position) => *position,
    };
    Ok(Some(changes))
}
