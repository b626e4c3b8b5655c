//! Counts the bytes and write calls of the app: `cargo bench --bench wire`. Runs the real event
//! loop, a worker on a store of 1,000 tokens, and a renderer with a counting sink. Prints a table
//! for each screen size and fails if a row exceeds its budget. Tokens and clock are fixed,
//! so two runs of one build print the same figures.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is the point")]

use std::{
    error::Error,
    io::{self, Write},
    iter::repeat_n,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
    time::Duration,
};

use chrono::{DateTime, TimeDelta};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use patdeck::{
    config::{GlyphSet, ThemeName},
    domain::{
        AccessRequest, Actor, DeliveryMethod, Description, Labels, Lifetime, LimitChanges, Name,
        NewToken, Owner, Scope, SecretOverlap,
    },
    keymap::Keymap,
    service::{Clock, Entropy, Service, Zone},
    store::Store,
    testing::{RegenerateOptions, ServiceTestExt as _, default_policy},
    tui::{
        app::{App, event::AppEvent, model::Model},
        event_loop::{Display, EventLoop},
        terminal::{
            SuspendOutcome,
            clipboard::ClipboardRoute,
            diff_backend::{Renderer, SizeFn},
            input::TerminalInput,
        },
        theme::Theme,
        worker::Worker,
    },
};
use ratatui::{Frame, layout::Size};
use zeroize::Zeroizing;

type BenchError = Box<dyn Error + Send + Sync>;

/// Tokens in the store.
const TOKENS: u32 = 1_000;
/// Time without output after which the frame of a key is complete. The event loop waits at most
/// 60 ms for a response before it draws without it.
const QUIET: Duration = Duration::from_millis(150);
/// Longer than the polling interval of the worker, so that at least one poll falls within.
const IDLE: Duration = Duration::from_secs(1);
/// Repetitions of a movement; the largest frame counts.
const MOVES: usize = 10;
/// Most write calls per frame.
const WRITES_A_FRAME: u64 = 2;

/// Most bytes per row. Rows without a budget are only printed.
type Budget = &'static [(&'static str, u64)];

const BUDGETS: [(Size, SizeFn, Budget); 3] = [
    (
        Size::new(80, 24),
        || Ok(Size::new(80, 24)),
        &[(FIRST, 4_000), (SECOND, 0), (MOVE, 260), (SCROLL, 2_300), (SEARCH, 2_300)],
    ),
    (
        Size::new(120, 40),
        || Ok(Size::new(120, 40)),
        &[(FIRST, 9_000), (SECOND, 0), (MOVE, 260), (FOLLOW, 2_000)],
    ),
    (Size::new(200, 60), || Ok(Size::new(200, 60)), &[(SECOND, 0)]),
];

const FIRST: &str = "first paint";
const SECOND: &str = "idle second";
const MOVE: &str = "move";
const FOLLOW: &str = "detail follows";
const SCROLL: &str = "scrolling move";
const SEARCH: &str = "search key";
const OPEN: &str = "dialog opens";
const CLOSE: &str = "dialog closes";

/// Bytes, write calls and frames that reached the sink.
#[derive(Debug, Default)]
struct OutputCounters {
    bytes: AtomicU64,
    writes: AtomicU64,
    frames: AtomicU64,
    most_writes: AtomicU64,
}

/// Counts all bytes and discards them.
#[derive(Debug)]
struct CountingSink(Arc<OutputCounters>);

impl Write for CountingSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.writes.fetch_add(1, Ordering::SeqCst);
        self.0.bytes.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The real renderer; also counts the writes of each frame.
#[derive(Debug)]
struct CountingDisplay {
    renderer: Renderer<CountingSink>,
    counters: Arc<OutputCounters>,
}

impl Display for CountingDisplay {
    fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let before = self.counters.writes.load(Ordering::SeqCst);
        self.renderer.draw(render)?;
        let writes = self.counters.writes.load(Ordering::SeqCst) - before;
        if writes > 0 {
            self.counters.frames.fetch_add(1, Ordering::SeqCst);
            self.counters.most_writes.fetch_max(writes, Ordering::SeqCst);
        }
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.renderer.send(bytes)
    }

    fn repaint(&mut self) {
        self.renderer.repaint();
    }

    fn wipe_screen(&mut self) {
        self.renderer.wipe_screen();
    }

    fn suspend(&mut self) -> io::Result<SuspendOutcome> {
        Ok(SuspendOutcome::Refused)
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
struct TableRow {
    label: &'static str,
    bytes: u64,
    writes: u64,
    frames: u64,
    most_writes: u64,
}

/// Presses keys and measures their output.
struct OperatorScript {
    counters: Arc<OutputCounters>,
    keys: Sender<AppEvent>,
    clock: Clock,
}

impl OperatorScript {
    fn press(&self, key: KeyCode) -> Result<(), BenchError> {
        let key = KeyEvent::new(key, KeyModifiers::NONE);
        Ok(self.keys.send(AppEvent::Input(TerminalInput::Key(key)))?)
    }

    /// Waits until nothing has been written for [`QUIET`].
    fn wait_until_quiet(&self) {
        let mut seen = u64::MAX;
        loop {
            let bytes = self.counters.bytes.load(Ordering::SeqCst);
            if bytes == seen && bytes > 0 {
                return;
            }
            seen = bytes;
            thread::sleep(QUIET);
        }
    }

    /// Measures the output of `act` until the screen is quiet.
    fn cost(
        &self,
        label: &'static str,
        act: impl FnOnce() -> Result<(), BenchError>,
    ) -> Result<TableRow, BenchError> {
        let before = self.total(label);
        self.counters.most_writes.store(0, Ordering::SeqCst);
        act()?;
        thread::sleep(QUIET);
        self.wait_until_quiet();
        let after = self.total(label);
        Ok(TableRow {
            bytes: after.bytes - before.bytes,
            writes: after.writes - before.writes,
            frames: after.frames - before.frames,
            ..after
        })
    }

    /// Totals since the start.
    fn total(&self, label: &'static str) -> TableRow {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        TableRow {
            label,
            bytes: read(&self.counters.bytes),
            writes: read(&self.counters.writes),
            frames: read(&self.counters.frames),
            most_writes: read(&self.counters.most_writes),
        }
    }

    /// Measures several keys separately; returns the one with the most bytes.
    fn worst(
        &self,
        label: &'static str,
        keys: impl IntoIterator<Item = KeyCode>,
    ) -> Result<TableRow, BenchError> {
        let rows = keys
            .into_iter()
            .map(|key| self.cost(label, || self.press(key)))
            .collect::<Result<Vec<_>, _>>()?;
        let largest = rows.into_iter().max_by_key(|row| row.bytes);
        largest.ok_or_else(|| "no key was pressed".into())
    }

    /// Runs all measurements. `lines` is the height of the screen.
    fn run(&self, lines: u16) -> Result<Vec<TableRow>, BenchError> {
        self.wait_until_quiet();
        let mut rows = vec![self.total(FIRST)];
        rows.push(self.cost(SECOND, || {
            thread::sleep(IDLE);
            Ok(())
        })?);
        rows.push(self.worst(MOVE, repeat_n(KeyCode::Char('j'), MOVES))?);
        // The detail beside the list follows when the cursor has rested for a time of this clock.
        self.clock.set(self.clock.now() + TimeDelta::seconds(1));
        self.wait_until_quiet();
        let follows = repeat_n((), MOVES).map(|()| {
            self.press(KeyCode::Char('k'))?;
            thread::sleep(QUIET);
            self.wait_until_quiet();
            self.cost(FOLLOW, || {
                self.clock.set(self.clock.now() + TimeDelta::seconds(1));
                Ok(())
            })
        });
        let follows = follows.collect::<Result<Vec<_>, _>>()?;
        rows.extend(follows.into_iter().max_by_key(|row| row.bytes));
        for _ in 0..lines {
            self.press(KeyCode::Char('j'))?;
        }
        self.wait_until_quiet();
        rows.push(self.worst(SCROLL, repeat_n(KeyCode::Char('j'), MOVES))?);
        self.press(KeyCode::Char('g'))?;
        self.press(KeyCode::Char('/'))?;
        thread::sleep(QUIET);
        self.wait_until_quiet();
        rows.push(self.worst(SEARCH, "grafana".chars().map(KeyCode::Char))?);
        self.press(KeyCode::Esc)?;
        thread::sleep(QUIET);
        self.wait_until_quiet();
        rows.push(self.cost(OPEN, || self.press(KeyCode::Char('r')))?);
        rows.push(self.cost(CLOSE, || self.press(KeyCode::Esc))?);
        Ok(rows)
    }
}

fn main() -> Result<ExitCode, BenchError> {
    let mut over = Vec::new();
    for (size, size_fn, budget) in BUDGETS {
        let rows = measure(size, size_fn)?;
        over.extend(report(size, budget, &rows));
    }
    for fault in &over {
        eprintln!("over budget: {fault}");
    }
    Ok(if over.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the table of one size; returns the rows that are over budget.
fn report(size: Size, budget: Budget, rows: &[TableRow]) -> Vec<String> {
    let mut over = Vec::new();
    println!("\n{size}, {TOKENS} tokens");
    println!("{:<16} {:>7} {:>7} {:>7}  budget", "", "bytes", "writes", "frames");
    for row in rows {
        let budget = budget.iter().find(|(label, _)| *label == row.label).map(|(_, bytes)| *bytes);
        let budget_text = budget.map_or_else(|| "none".to_owned(), |budget| budget.to_string());
        println!(
            "{:<16} {:>7} {:>7} {:>7}  {budget_text}",
            row.label, row.bytes, row.writes, row.frames
        );
        if budget.is_some_and(|budget| row.bytes > budget) {
            over.push(format!("{} at {size}: {} bytes", row.label, row.bytes));
        }
        if row.most_writes > WRITES_A_FRAME {
            over.push(format!("{} at {size}: {} writes in one frame", row.label, row.most_writes));
        }
    }
    over
}

/// Runs the app on a screen of `size` and measures it.
fn measure(size: Size, size_fn: SizeFn) -> Result<Vec<TableRow>, BenchError> {
    let start = DateTime::from_timestamp(1_780_000_000, 0).ok_or("no such instant")?;
    let clock = Clock::fixed(start);
    let clock_of_script = clock.clone();
    let service = filled_service(&clock)?;
    let counters = Arc::new(OutputCounters::default());
    let (sender, inbox) = channel();
    let from_worker = sender.clone();
    let policy = service.policy().clone();
    let worker = Worker::start(service, move |event| from_worker.send(event).is_ok());
    let theme = Theme::new(ThemeName::Default, GlyphSet::Unicode);
    let model = Model::new(clock, Zone::utc(), theme, policy, Keymap::default());
    let app = App::new(model, "operator@gateway-1".into());
    let screen = CountingDisplay {
        renderer: Renderer::new(CountingSink(counters.clone()), size_fn)?,
        counters: counters.clone(),
    };
    let script = thread::spawn(move || {
        let script = OperatorScript { counters, keys: sender, clock: clock_of_script };
        let rows = script.run(size.height);
        script.keys.send(AppEvent::Input(TerminalInput::Closed))?;
        rows
    });
    let mut event_loop = EventLoop::new(app, screen, worker, inbox, ClipboardRoute::Terminal);
    event_loop.run();
    script.join().map_err(|_| "the script panicked")?
}

/// A service on a store such as after 84 days of use.
fn filled_service(clock: &Clock) -> Result<Service, BenchError> {
    let service = Service::new(
        Store::memory()?,
        clock.clone(),
        Entropy::seeded(7),
        Actor::named("operator"),
        default_policy(),
    );
    let present = clock.now();
    let mut at = present - TimeDelta::days(84);
    for number in 0..TOKENS {
        at += TimeDelta::hours(2);
        clock.set(at);
        create_token(&service, number)?;
    }
    clock.set(present);
    Ok(service)
}

/// Creates token `number`; also uses, revokes or regenerates it, depending on the number.
fn create_token(service: &Service, number: u32) -> Result<(), BenchError> {
    let pick = |list: &[&'static str], by: u32| {
        let at = (number / by) as usize % list.len().max(1);
        list.get(at).copied().unwrap_or_default()
    };
    let work = pick(
        &[
            "ci-deploy",
            "sensor-gateway",
            "dashboard-export",
            "nightly-backup",
            "grafana",
            "field-tablet",
            "billing-sync",
        ],
        1,
    );
    let site = pick(&["prod", "staging", "lab", "edge"], 7);
    let scopes = [
        pick(&["channels:*:read", "clients:*:list", "messages:*:publish"], 1).to_owned(),
        format!("dashboards:{site}-{}:update", number % 40),
    ];
    let new = NewToken {
        name: Name::parse(&format!("{work}-{site}-{number:04}"))?,
        description: Description::parse(&format!("{work} on {site}, asked for by operations"))?,
        lifetime: pick(&["90d", "365d", "60d"], 1).parse::<Lifetime>()?,
        scopes: scopes.iter().map(|scope| scope.parse::<Scope>()).collect::<Result<_, _>>()?,
        limits: LimitChanges::default(),
        labels: Labels::default(),
        owner: Owner::default(),
    };
    let issued = service.create(&new)?;
    service.record_delivery(&issued.token.id, &issued.token.digest, DeliveryMethod::Copied)?;
    if !number.is_multiple_of(3) {
        let scope = issued.token.scopes.iter().next().ok_or("no scope")?.clone();
        let request = AccessRequest {
            entity_type: scope.entity_type,
            entity: scope.entity,
            operation: scope.operation,
            domain: scope.domain,
        };
        let presented = Zeroizing::new(issued.secret.reveal().to_owned());
        service.check(presented, Some(&request), Some("192.0.2.7"))?;
    }
    if number.is_multiple_of(11) {
        service.revoke(&issued.token.id)?;
    }
    if number % 97 == 5 {
        let renewal = RegenerateOptions { lifetime: new.lifetime, overlap: SecretOverlap::None };
        let again = service.regenerate(&issued.token.id, renewal)?;
        service.record_delivery(&again.token.id, &again.token.digest, DeliveryMethod::Written)?;
    }
    Ok(())
}
