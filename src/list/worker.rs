//! The thread of the list engine. It loads the store in batches and answers requests between
//! batches; a newer request cancels an older one. When idle, it builds the sorted orders that later
//! requests may need. Started by the app, whose callback receives the results on this thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    time::{Duration, Instant},
};

use super::{
    engine::ListEngine,
    request::{ListRequest, ListResult},
};
use crate::service::{Service, ServiceError};

/// Minimum interval between partial results while the store is loading.
const PARTIAL_RESULTS_EVERY: Duration = Duration::from_millis(250);

/// A result of the engine, or the error that prevented it.
pub type ListAnswer = Result<Box<ListResult>, ServiceError>;

/// Sends requests to the thread of the list engine. Dropping this handle ends the thread.
#[derive(Debug)]
pub struct ListThreadHandle {
    requests: Sender<ListRequest>,
    newest: Arc<AtomicU64>,
}

impl ListThreadHandle {
    /// Returns the request sender and the function that the thread must run. `deliver` is called on
    /// that thread. If `deliver` returns `false` because the receiver is gone, the thread ends.
    pub fn new(
        service: Arc<Service>,
        deliver: impl Fn(ListAnswer) -> bool + Send + 'static,
    ) -> (Self, impl FnOnce() + Send + 'static) {
        let (requests, inbox) = channel();
        let newest = Arc::new(AtomicU64::new(0));
        let mut thread = ListThread {
            engine: ListEngine::new(service),
            request: None,
            newest: Arc::clone(&newest),
            has_failed: false,
            next_partial: Instant::now(),
            deliver,
        };
        (Self { requests, newest }, move || while thread.step(&inbox) {})
    }

    /// Sends a request, which cancels the previous request. Returns `false` if the thread has
    /// ended.
    pub fn request(&self, request: ListRequest) -> bool {
        self.newest.store(request.number, Ordering::SeqCst);
        self.requests.send(request).is_ok()
    }
}

struct ListThread<F> {
    engine: ListEngine,
    /// The last request.
    request: Option<ListRequest>,
    newest: Arc<AtomicU64>,
    /// Whether the last read of the store failed. The next request reads the store again.
    has_failed: bool,
    next_partial: Instant,
    deliver: F,
}

impl<F: Fn(ListAnswer) -> bool> ListThread<F> {
    /// Answers one request, loads one batch or builds one sorted order. Returns `false` if the
    /// receiver of the results or the sender of the requests is gone.
    fn step(&mut self, inbox: &Receiver<ListRequest>) -> bool {
        let request = match inbox.try_recv() {
            Err(TryRecvError::Empty) if self.request.is_some() && !self.has_failed => {
                if self.engine.is_loading() {
                    return self.load();
                }
                if self.engine.build_next_order() {
                    return true;
                }
                inbox.recv().ok()
            }
            Err(TryRecvError::Empty) => inbox.recv().ok(),
            request => request.ok(),
        };
        request.is_some_and(|request| {
            self.request = Some(request);
            self.has_failed = false;
            self.answer()
        })
    }

    /// Loads a batch. Answers the last request again if a partial result is due or the store is
    /// loaded. Returns `false` if the receiver of the results is gone.
    fn load(&mut self) -> bool {
        if let Err(error) = self.engine.load_next_batch() {
            return self.fail(error);
        }
        if self.engine.is_loading() && Instant::now() < self.next_partial {
            return true;
        }
        self.answer()
    }

    fn answer(&mut self) -> bool {
        let Some(request) = &self.request else {
            return true;
        };
        let is_current = || self.newest.load(Ordering::SeqCst) == request.number;
        if !is_current() {
            return true;
        }
        let (mut is_received, deliver, start) = (true, &self.deliver, Instant::now());
        let answered = self.engine.answer(request, is_current, |result| {
            is_received &= deliver(Ok(Box::new(result)));
        });
        // Reserves three quarters of the time for loading, however long an answer takes.
        self.next_partial = Instant::now() + PARTIAL_RESULTS_EVERY.max(start.elapsed() * 3);
        match answered {
            Ok(()) => is_received,
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: ServiceError) -> bool {
        self.has_failed = true;
        (self.deliver)(Err(error))
    }
}
