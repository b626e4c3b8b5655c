//! The thread of the list engine. It loads the store in batches and answers requests between two
//! of them; the newest request wins, and an older one is abandoned. When idle, it builds the orders
//! that later requests need. Started by the app, which receives the results on that thread.

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

/// How often it answers the last request anew while the store is loaded.
const PARTIAL_RESULTS_EVERY: Duration = Duration::from_millis(250);

/// A result, or why there is none.
pub type ListAnswer = Result<Box<ListResult>, ServiceError>;

/// Sends requests to the thread. Dropping it ends the thread.
#[derive(Debug)]
pub struct ListWorker {
    requests: Sender<ListRequest>,
    newest: Arc<AtomicU64>,
}

impl ListWorker {
    /// The sender of requests, and what the thread must run; `deliver` is called on the thread and
    /// returns whether anybody still receives.
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

    /// Sends a request, which replaces the one before; false if the thread has ended.
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
    /// The store cannot be read: the next request tries again.
    has_failed: bool,
    next_partial: Instant,
    deliver: F,
}

impl<F: Fn(ListAnswer) -> bool> ListThread<F> {
    /// Does one thing; false if nobody is there any more.
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

    /// Loads a batch and, now and then and at the end, answers the last request with more.
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
        // Loading gets three quarters of the time, however long an answer takes.
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
