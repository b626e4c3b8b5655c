//! The thread that lists: it reads the store part by part and answers questions between two
//! parts, whatever it has read by then. A new question ends work on the one before. Only the
//! orders of a million tokens take a thread of their own.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    domain::Orders,
    service::{Service, ServiceError},
    tui::listing::{Listing, Lists, Question},
};

/// How often it tells how much it has read, and lists that much, until it has everything.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// What the thread is given to do.
enum Job {
    /// A question, the newest of which counts.
    Ask(Question),
    /// The orders have been worked out.
    Ordered(Box<Orders>),
}

/// The near end of the thread. Dropped, it ends it.
#[derive(Debug)]
pub(super) struct Lister {
    jobs: Arc<Sender<Job>>,
    newest: Arc<AtomicU64>,
}

impl Lister {
    /// The near end, and what is to run on the thread; `deliver` is called on it and says
    /// whether anybody still listens.
    pub(super) fn new(
        service: Arc<Service>,
        deliver: impl Fn(Result<Listing, ServiceError>) -> bool + Send + 'static,
    ) -> (Self, impl FnOnce() + Send + 'static) {
        let (jobs, inbox) = channel();
        let (jobs, newest) = (Arc::new(jobs), Arc::new(AtomicU64::new(0)));
        let mut thread = Thread {
            lists: Lists::new(service),
            question: None,
            newest: Arc::clone(&newest),
            jobs: Arc::downgrade(&jobs),
            is_ordering: false,
            is_stuck: false,
            told: Instant::now(),
            deliver,
        };
        let run = move || while thread.turn(&inbox) {};
        (Self { jobs, newest }, run)
    }

    /// Asks; what was asked before need not be answered any more.
    pub(super) fn ask(&self, question: Question) -> bool {
        self.newest.store(question.number, Ordering::SeqCst);
        self.jobs.send(Job::Ask(question)).is_ok()
    }
}

struct Thread<F> {
    lists: Lists,
    /// What was asked last.
    question: Option<Question>,
    newest: Arc<AtomicU64>,
    jobs: Weak<Sender<Job>>,
    is_ordering: bool,
    /// The store cannot be read: the next question tries again.
    is_stuck: bool,
    told: Instant,
    deliver: F,
}

impl<F: Fn(Result<Listing, ServiceError>) -> bool> Thread<F> {
    /// Does one thing; false when nobody is there any more.
    fn turn(&mut self, inbox: &Receiver<Job>) -> bool {
        let reading = self.question.is_some() && self.lists.has_more() && !self.is_stuck;
        let job = match inbox.try_recv() {
            Err(TryRecvError::Empty) if reading => return self.read_on(),
            Err(TryRecvError::Empty) => inbox.recv().ok(),
            job => job.ok(),
        };
        let alive = match job {
            Some(Job::Ask(question)) => {
                self.question = Some(question);
                self.is_stuck = false;
                self.answer()
            }
            Some(Job::Ordered(orders)) => {
                self.is_ordering = false;
                !self.lists.take_orders(*orders) || self.answer()
            }
            None => false,
        };
        self.order();
        alive
    }

    /// Reads the next part, and says so now and then.
    fn read_on(&mut self) -> bool {
        if let Err(error) = self.lists.read_on() {
            self.is_stuck = true;
            return (self.deliver)(Err(error));
        }
        if self.lists.has_more() {
            if self.told.elapsed() < TELL_EVERY {
                return true;
            }
            self.told = Instant::now();
        }
        let alive = self.answer();
        self.order();
        alive
    }

    /// Answers the last question with what is known.
    fn answer(&mut self) -> bool {
        let Some(question) = &self.question else {
            return true;
        };
        let wanted = || self.newest.load(Ordering::SeqCst) == question.number;
        if !wanted() {
            return true;
        }
        let mut alive = true;
        let deliver = &self.deliver;
        let answered = self.lists.answer(question, wanted, |listing| {
            alive &= deliver(Ok(listing));
        });
        match answered {
            Ok(()) => alive,
            Err(error) => {
                self.is_stuck = true;
                deliver(Err(error))
            }
        }
    }

    /// Has the orders worked out, if they are not known and nobody is at it.
    fn order(&mut self) {
        if self.is_ordering {
            return;
        }
        let Some(copied) = self.lists.unordered() else {
            return;
        };
        self.is_ordering = true;
        let jobs = self.jobs.clone();
        thread::spawn(move || {
            let orders = Box::new(Orders::of(copied));
            if let Some(jobs) = jobs.upgrade() {
                // Nobody is there any more if this fails.
                let _ = jobs.send(Job::Ordered(orders));
            }
        });
    }
}
