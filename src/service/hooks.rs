//! Runs hooks after changes. The transaction of a change queues the runs (`store::hook_runs`); this
//! module takes runs from the queue, runs them outside any transaction, and records the outcomes in
//! the audit trail. A process takes a run by its lock, so that two processes do not run it at once; a
//! run of a process that was killed is run again. Refuses to run anything in read-only mode. Called
//! after each change by the command line and the app, and by `hooks run`.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    thread,
};

use super::{
    Service, ServiceError,
    hook_process::{close_descriptors_on_exec, run_program},
};
use crate::{
    domain::{
        AuditAction, EventBody, HookOutcome, HookRun, HookRunCounts, Hooks, TokenId, counted,
    },
    store::{HookRunReads as _, JobLock, ReadOps, StoreError, Writer},
};

/// Number of runs that a process takes at once. If it is killed, the runs that it has taken and
/// already finished are run again, so the number is small.
const MAX_TAKEN: usize = 64;

/// Number of programs that a process runs at the same time.
const MAX_PARALLEL: usize = 4;

/// Number of runs that are read from the queue at once.
const RUNS_PER_READ: usize = 1_000;

/// Maximum number of failures that a summary describes.
const MAX_DESCRIBED: usize = 5;

/// Which runs of the queue to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookSelection {
    /// Runs that have not failed before.
    New,
    /// All runs, each at most once.
    All,
}

/// What has become of the runs of hooks.
#[derive(Debug, Default)]
pub struct HookSummary {
    pub succeeded: usize,
    pub failed: usize,
    /// The first failed runs with their outcomes.
    pub failures: Vec<(HookRun, HookOutcome)>,
    /// The error because of which runs could not be taken, or outcomes could not be recorded.
    pub error: Option<ServiceError>,
}

impl HookSummary {
    /// Number of failed runs that `failures` does not contain.
    pub fn undescribed(&self) -> usize {
        self.failed.saturating_sub(self.failures.len())
    }

    fn add(&mut self, run: &HookRun, outcome: &HookOutcome) {
        if *outcome == HookOutcome::Succeeded {
            self.succeeded += 1;
            return;
        }
        self.failed += 1;
        if self.failures.len() < MAX_DESCRIBED {
            self.failures.push((run.clone(), outcome.clone()));
        }
    }
}

/// A run in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHookRun {
    pub number: u64,
    pub run: HookRun,
    pub state: HookRunState,
}

/// The state of a run in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookRunState {
    /// The next change runs it.
    Waiting,
    /// A process is running it.
    Running,
    /// Its last attempt has failed.
    Failed,
    /// The config of this process has no hook with its name.
    WithoutHook,
}

impl HookRunState {
    /// The fixed label of this state.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::WithoutHook => "not in the config",
        }
    }
}

impl Service {
    /// Returns this service with `hooks`. The changes that it makes queue their runs.
    #[must_use]
    pub fn with_hooks(self, hooks: Hooks) -> Self {
        Self { store: self.store.with_hooks(hooks), ..self }
    }

    pub fn hooks(&self) -> &Hooks {
        self.store.hooks()
    }

    /// Returns all runs in the queue, oldest first.
    pub fn hook_runs(&self) -> Result<Vec<StoredHookRun>, ServiceError> {
        let mut found = Vec::new();
        self.for_each_hook_run(|stored| found.push(stored))?;
        Ok(found)
    }

    /// Counts the runs in the queue that no process is running.
    pub(super) fn count_hook_runs(&self) -> Result<HookRunCounts, ServiceError> {
        let mut counts = HookRunCounts::default();
        self.for_each_hook_run(|stored| match stored.state {
            HookRunState::Running => {}
            HookRunState::Failed => counts.failed += 1,
            HookRunState::Waiting | HookRunState::WithoutHook => counts.waiting += 1,
        })?;
        Ok(counts)
    }

    fn for_each_hook_run(&self, mut visit: impl FnMut(StoredHookRun)) -> Result<(), ServiceError> {
        let mut after = 0;
        loop {
            let page = self.store.read(|tx| tx.hook_runs_after(after, RUNS_PER_READ))?.rows;
            let is_last = page.len() < RUNS_PER_READ;
            for (number, run) in page {
                after = number;
                let state = self.state_of(&run);
                visit(StoredHookRun { number, run, state });
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn state_of(&self, run: &HookRun) -> HookRunState {
        if self.store.is_lock_held(run.lock) {
            HookRunState::Running
        } else if self.hooks().get(&run.hook).is_none() {
            HookRunState::WithoutHook
        } else if run.failure.is_some() {
            HookRunState::Failed
        } else {
            HookRunState::Waiting
        }
    }

    /// Runs the hooks that wait, also those that another process has queued or left. Does nothing
    /// without hooks and in read-only mode. Blocks until the programs have exited or were killed.
    pub fn run_hooks(&self, selection: HookSelection) -> HookSummary {
        let mut summary = HookSummary::default();
        summary.error = self.run_queue(selection, &mut summary).err();
        summary
    }

    fn run_queue(
        &self,
        selection: HookSelection,
        summary: &mut HookSummary,
    ) -> Result<(), ServiceError> {
        if self.hooks().is_empty() || self.is_read_only() {
            return Ok(());
        }
        let (mut after, mut lock) = (0, None);
        // Without a run to take, nothing is written.
        while self.store.read(|tx| self.has_run(tx, after, selection))? {
            if lock.is_none() {
                close_descriptors_on_exec();
                lock = Some(self.store.lock_job()?);
            }
            let Some(lock) = &lock else { return Ok(()) };
            let (taken, last) = self.take_runs(lock, after, selection)?;
            after = last;
            let outcomes = run_all(self.hooks(), &taken);
            let ended: Vec<_> = taken.into_iter().zip(outcomes).collect();
            for ((_, run), outcome) in &ended {
                summary.add(run, outcome);
            }
            self.record_outcomes(lock, &ended)?;
        }
        Ok(())
    }

    fn has_run(
        &self,
        tx: &impl ReadOps,
        after: u64,
        selection: HookSelection,
    ) -> Result<bool, StoreError> {
        Ok(!self.find_runs(tx, after, 1, selection)?.0.is_empty())
    }

    /// Finds at most `limit` runs after the number `after` that no process is running. Also returns
    /// the number of the last run that was read.
    fn find_runs(
        &self,
        tx: &impl ReadOps,
        mut after: u64,
        limit: usize,
        selection: HookSelection,
    ) -> Result<(Vec<(u64, HookRun)>, u64), StoreError> {
        let mut found = Vec::new();
        loop {
            let page = tx.hook_runs_after(after, RUNS_PER_READ)?.rows;
            let is_last = page.len() < RUNS_PER_READ;
            for (number, run) in page {
                after = number;
                let is_selected = match self.state_of(&run) {
                    HookRunState::Waiting => true,
                    HookRunState::Failed => selection == HookSelection::All,
                    HookRunState::Running | HookRunState::WithoutHook => false,
                };
                if is_selected {
                    found.push((number, run));
                }
                if found.len() >= limit {
                    return Ok((found, after));
                }
            }
            if is_last {
                return Ok((found, after));
            }
        }
    }

    /// Takes runs from the queue in one transaction, so that no other process runs them.
    fn take_runs(
        &self,
        lock: &JobLock,
        after: u64,
        selection: HookSelection,
    ) -> Result<(Vec<(u64, HookRun)>, u64), ServiceError> {
        self.write(|tx| {
            let (mut taken, last) = self.find_runs(tx, after, MAX_TAKEN, selection)?;
            for (number, run) in &mut taken {
                run.lock = lock.number();
                tx.put_hook_run(*number, run)?;
            }
            Ok((taken, last))
        })
    }

    /// Records the outcomes of taken runs in one transaction: an event for each, with the token of the
    /// change. Removes the runs that have succeeded.
    fn record_outcomes(
        &self,
        lock: &JobLock,
        ended: &[((u64, HookRun), HookOutcome)],
    ) -> Result<(), ServiceError> {
        if ended.is_empty() {
            return Ok(());
        }
        self.write(|tx| {
            let at = self.clock.denial_time(tx)?;
            let mut events = Vec::new();
            for ((number, taken), outcome) in ended {
                // A run that another process has discarded meanwhile has its outcome all the same.
                let stored = tx.hook_run(*number)?.filter(|run| run.lock == lock.number());
                if let Some(mut run) = stored {
                    if *outcome == HookOutcome::Succeeded {
                        tx.remove_hook_run(*number)?;
                    } else {
                        run.fail(at, outcome);
                        tx.put_hook_run(*number, &run)?;
                    }
                }
                let detail = format!("{} after {}: {outcome}", taken.hook, taken.describe_event());
                let event = self.new_event(at, AuditAction::HookRan, None, detail);
                let (token, name) = (taken.token, taken.name.clone());
                events.push(EventBody { token, name, ..event });
            }
            tx.append_events(&events)
        })
        .map_err(ServiceError::from)
    }

    /// Removes the runs of the hook `name` that no process is running, and records that in the audit
    /// trail. Returns their number.
    pub fn discard_hook_runs(&self, name: &str) -> Result<usize, ServiceError> {
        self.write(|tx| {
            let mut count = 0;
            let mut after = 0;
            loop {
                let page = tx.hook_runs_after(after, RUNS_PER_READ)?.rows;
                let Some((last, _)) = page.last() else { break };
                after = *last;
                for (number, run) in &page {
                    if run.hook == name && self.state_of(run) != HookRunState::Running {
                        tx.remove_hook_run(*number)?;
                        count += 1;
                    }
                }
            }
            if count > 0 {
                let at = self.clock.denial_time(tx)?;
                let detail = format!("{name}: discarded {}", counted(count, "run"));
                tx.append_event(self.new_event(at, AuditAction::HookRan, None, detail))?;
            }
            Ok::<_, StoreError>(count)
        })
        .map_err(ServiceError::from)
    }

    /// Replaces the runs in the copy of a backup by those of the store that it replaces: what has run
    /// since the backup does not run again.
    pub(super) fn keep_hook_runs(
        tx: &mut Writer<'_>,
        kept: &[(u64, HookRun)],
    ) -> Result<(), StoreError> {
        for (number, _) in tx.hook_runs_after(0, usize::MAX)?.rows {
            tx.remove_hook_run(number)?;
        }
        kept.iter().try_for_each(|(_, run)| tx.add_hook_run(run))
    }
}

/// Runs the taken runs, at most [`MAX_PARALLEL`] at the same time. Runs of the same token never
/// overlap and keep their order. Returns the outcomes in the order of `taken`.
fn run_all(hooks: &Hooks, taken: &[(u64, HookRun)]) -> Vec<HookOutcome> {
    let mut lanes: Vec<Vec<(usize, &HookRun)>> = vec![Vec::new(); MAX_PARALLEL];
    let mut lane_of: HashMap<Option<TokenId>, usize> = HashMap::new();
    for (index, (_, run)) in taken.iter().enumerate() {
        let next = lane_of.len() % MAX_PARALLEL;
        let lane = *lane_of.entry(run.token).or_insert(next);
        lanes.get_mut(lane).into_iter().for_each(|lane| lane.push((index, run)));
    }
    let not_run = || HookOutcome::NotRun("its thread ended".to_owned());
    let outcomes = Mutex::new(taken.iter().map(|_| not_run()).collect::<Vec<_>>());
    let shared = &outcomes;
    thread::scope(|scope| {
        for lane in lanes.iter().filter(|lane| !lane.is_empty()) {
            let run_lane = move || {
                for (index, run) in lane {
                    let outcome = run_one(hooks, run);
                    let mut outcomes = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    outcomes.get_mut(*index).into_iter().for_each(|it| it.clone_from(&outcome));
                }
            };
            // If the system cannot start a thread, the runs of the lane fail and stay in the queue.
            drop(thread::Builder::new().name("hook".into()).spawn_scoped(scope, run_lane));
        }
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn run_one(hooks: &Hooks, run: &HookRun) -> HookOutcome {
    let Some(hook) = hooks.get(&run.hook) else {
        return HookOutcome::NotRun("the config has no hook with this name".to_owned());
    };
    match hook.arguments(run) {
        Some(arguments) => run_program(&arguments, hook.timeout()),
        None => HookOutcome::NotRun("an argument would contain a secret".to_owned()),
    }
}
