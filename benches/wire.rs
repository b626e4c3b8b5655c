//! Bytes and write calls of the app, measured on the real loop: the event loop, a worker on a store of
//! 1,000 tokens, and a renderer whose sink only counts. Prints one table for each size of screen
//! and fails, naming the row, when the reference size is over budget. Neither the tokens nor the
//! clock depend on the machine, so two runs of one build give the same figures.

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
    config::{Glyphs, ThemeName},
    domain::{
        AccessRequest, Actor, Catalogue, Delivery, Description, Lifetime, LifetimeLimits, Name,
        NewToken, Overlap, Prefix, Scope,
    },
    keymap::Keymap,
    service::{Clock, Entropy, Policy, Service, Zone},
    store::Store,
    testing::{Changes as _, Renewal},
    tui::{
        app::{App, event::AppEvent, model::Model},
        event_loop::{Display, EventLoop},
        terminal::{
            Suspended,
            clipboard::Route,
            diff_backend::{Measure, Renderer},
            input::Input,
        },
        theme::Theme,
        worker::Worker,
    },
};
use ratatui::{Frame, layout::Size};
use zeroize::Zeroizing;

type Fault = Box<dyn Error + Send + Sync>;

/// Tokens in the store.
const TOKENS: u32 = 1_000;
/// After this long without a byte, a key's frame is complete. The loop waits at most 60 ms for
/// an answer of the store before it draws without it.
const QUIET: Duration = Duration::from_millis(150);
/// More than the pause between two looks of the worker for news, so that one falls within.
const IDLE: Duration = Duration::from_secs(1);
/// Times that a move is measured; the worst counts.
const MOVES: usize = 10;
/// Writes that one frame may take.
const WRITES_A_FRAME: u64 = 2;

/// Most bytes for a row at 80x24; rows without one are only told.
const BUDGET: [(&str, u64); 3] = [(FIRST, 4_000), (SECOND, 0), (MOVE, 300)];
/// What a list that changes as a whole used to cost, to compare with.
const COMPARE: [(&str, u64); 2] = [(SCROLL, 2_300), (SEARCH, 2_300)];

const FIRST: &str = "first paint";
const SECOND: &str = "idle second";
const MOVE: &str = "move";
const SCROLL: &str = "scrolling move";
const SEARCH: &str = "search key";
const OPEN: &str = "dialog opens";
const CLOSE: &str = "dialog closes";

/// What reached the sink, and in how many frames.
#[derive(Debug, Default)]
struct Tally {
    bytes: AtomicU64,
    writes: AtomicU64,
    frames: AtomicU64,
    most_writes: AtomicU64,
}

/// The terminal: takes everything, keeps nothing.
#[derive(Debug)]
struct Sink(Arc<Tally>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.writes.fetch_add(1, Ordering::SeqCst);
        self.0.bytes.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The renderer of the real terminal, with an eye on the writes of each frame.
#[derive(Debug)]
struct Screen {
    renderer: Renderer<Sink>,
    tally: Arc<Tally>,
}

impl Display for Screen {
    fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let before = self.tally.writes.load(Ordering::SeqCst);
        self.renderer.draw(render)?;
        let writes = self.tally.writes.load(Ordering::SeqCst) - before;
        if writes > 0 {
            self.tally.frames.fetch_add(1, Ordering::SeqCst);
            self.tally.most_writes.fetch_max(writes, Ordering::SeqCst);
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
        self.renderer.forget();
    }

    fn suspend(&mut self) -> io::Result<Suspended> {
        Ok(Suspended::Refused)
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
struct Row {
    what: &'static str,
    bytes: u64,
    writes: u64,
    frames: u64,
    most_writes: u64,
}

/// The operator: presses keys and counts what came of them.
struct Hand {
    tally: Arc<Tally>,
    keys: Sender<AppEvent>,
}

impl Hand {
    fn press(&self, key: KeyCode) -> Result<(), Fault> {
        let key = KeyEvent::new(key, KeyModifiers::NONE);
        Ok(self.keys.send(AppEvent::Input(Input::Key(key)))?)
    }

    /// Waits until nothing has been written for a while.
    fn rest(&self) {
        let mut seen = u64::MAX;
        loop {
            let bytes = self.tally.bytes.load(Ordering::SeqCst);
            if bytes == seen && bytes > 0 {
                return;
            }
            seen = bytes;
            thread::sleep(QUIET);
        }
    }

    /// What `act` costs until the screen rests.
    fn cost(
        &self,
        what: &'static str,
        act: impl FnOnce() -> Result<(), Fault>,
    ) -> Result<Row, Fault> {
        let before = self.total(what);
        self.tally.most_writes.store(0, Ordering::SeqCst);
        act()?;
        thread::sleep(QUIET);
        self.rest();
        let after = self.total(what);
        Ok(Row {
            bytes: after.bytes - before.bytes,
            writes: after.writes - before.writes,
            frames: after.frames - before.frames,
            ..after
        })
    }

    /// Everything since the start.
    fn total(&self, what: &'static str) -> Row {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        Row {
            what,
            bytes: read(&self.tally.bytes),
            writes: read(&self.tally.writes),
            frames: read(&self.tally.frames),
            most_writes: read(&self.tally.most_writes),
        }
    }

    /// The dearest of several keys, each with its own rest.
    fn worst(
        &self,
        what: &'static str,
        keys: impl IntoIterator<Item = KeyCode>,
    ) -> Result<Row, Fault> {
        let rows = keys
            .into_iter()
            .map(|key| self.cost(what, || self.press(key)))
            .collect::<Result<Vec<_>, _>>()?;
        let dearest = rows.into_iter().max_by_key(|row| row.bytes);
        dearest.ok_or_else(|| "no key was pressed".into())
    }

    /// An operator's first minute, row by row. `lines` is the height of the screen.
    fn walk(&self, lines: u16) -> Result<Vec<Row>, Fault> {
        self.rest();
        let mut rows = vec![self.total(FIRST)];
        rows.push(self.cost(SECOND, || {
            thread::sleep(IDLE);
            Ok(())
        })?);
        rows.push(self.worst(MOVE, repeat_n(KeyCode::Char('j'), MOVES))?);
        for _ in 0..lines {
            self.press(KeyCode::Char('j'))?;
        }
        self.rest();
        rows.push(self.worst(SCROLL, repeat_n(KeyCode::Char('j'), MOVES))?);
        self.press(KeyCode::Char('g'))?;
        self.press(KeyCode::Char('/'))?;
        thread::sleep(QUIET);
        self.rest();
        rows.push(self.worst(SEARCH, "grafana".chars().map(KeyCode::Char))?);
        self.press(KeyCode::Esc)?;
        thread::sleep(QUIET);
        self.rest();
        rows.push(self.cost(OPEN, || self.press(KeyCode::Char('r')))?);
        rows.push(self.cost(CLOSE, || self.press(KeyCode::Esc))?);
        Ok(rows)
    }
}

fn main() -> Result<ExitCode, Fault> {
    let mut over = Vec::new();
    for (size, measure) in [
        (Size::new(80, 24), (|| Ok(Size::new(80, 24))) as Measure),
        (Size::new(200, 60), || Ok(Size::new(200, 60))),
    ] {
        let rows = measured(size, measure)?;
        over.extend(report(size, &rows));
    }
    for fault in &over {
        eprintln!("over budget: {fault}");
    }
    Ok(if over.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the table of one size; what is over budget in it.
fn report(size: Size, rows: &[Row]) -> Vec<String> {
    let named = |list: &[(&str, u64)], what| {
        let found = list.iter().find(|(name, _)| *name == what);
        found.map(|(_, bytes)| *bytes)
    };
    let reference = size == Size::new(80, 24);
    let mut over = Vec::new();
    println!("\n{size}, {TOKENS} tokens");
    println!("{:<16} {:>7} {:>7} {:>7}  budget", "", "bytes", "writes", "frames");
    for row in rows {
        let budget = named(&BUDGET, row.what).filter(|_| reference);
        let compare = named(&COMPARE, row.what).filter(|_| reference);
        let told = match (budget, compare) {
            (Some(budget), _) => budget.to_string(),
            (None, Some(other)) => format!("none; compare {other}"),
            (None, None) => "none".to_owned(),
        };
        println!("{:<16} {:>7} {:>7} {:>7}  {told}", row.what, row.bytes, row.writes, row.frames);
        if budget.is_some_and(|budget| row.bytes > budget) {
            over.push(format!("{} at {size}: {} bytes", row.what, row.bytes));
        }
        if row.most_writes > WRITES_A_FRAME {
            over.push(format!("{} at {size}: {} writes in one frame", row.what, row.most_writes));
        }
    }
    over
}

/// Runs the app on a screen of `size` with an operator at it.
fn measured(size: Size, measure: Measure) -> Result<Vec<Row>, Fault> {
    let start = DateTime::from_timestamp(1_780_000_000, 0).ok_or("no such instant")?;
    let clock = Clock::fixed(start);
    let service = filled(&clock)?;
    let tally = Arc::new(Tally::default());
    let (sender, inbox) = channel();
    let from_worker = sender.clone();
    let policy = service.policy().clone();
    let worker = Worker::start(service, move |event| from_worker.send(event).is_ok());
    let theme = Theme::new(ThemeName::Default, Glyphs::Unicode);
    let model = Model::new(clock, Zone::utc(), theme, policy, Keymap::default());
    let app = App::new(model, "operator@gateway-1".into());
    let screen =
        Screen { renderer: Renderer::new(Sink(tally.clone()), measure)?, tally: tally.clone() };
    let hand = thread::spawn(move || {
        let hand = Hand { tally, keys: sender };
        let rows = hand.walk(size.height);
        hand.keys.send(AppEvent::Input(Input::Gone))?;
        rows
    });
    let mut event_loop = EventLoop::new(app, screen, worker, inbox, Route::Terminal);
    event_loop.run();
    hand.join().map_err(|_| "the operator panicked")?
}

/// A store as it looks after a few months of use.
fn filled(clock: &Clock) -> Result<Service, Fault> {
    let policy = Policy {
        prefix: Prefix::default(),
        limits: LifetimeLimits::default(),
        default_lifetime: "30d".parse()?,
        catalogue: Catalogue::default(),
    };
    let service = Service::new(
        Store::memory()?,
        clock.clone(),
        Entropy::seeded(7),
        Actor::named("operator"),
        policy,
    );
    let present = clock.now();
    let mut at = present - TimeDelta::days(84);
    for number in 0..TOKENS {
        at += TimeDelta::hours(2);
        clock.set(at);
        issue(&service, number)?;
    }
    clock.set(present);
    Ok(service)
}

/// Makes one token, uses some of them, ends a few.
fn issue(service: &Service, number: u32) -> Result<(), Fault> {
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
    let place = pick(&["prod", "staging", "lab", "edge"], 7);
    let scopes = [
        pick(&["channels:*:read", "clients:*:list", "messages:*:publish"], 1).to_owned(),
        format!("dashboards:{place}-{}:update", number % 40),
    ];
    let new = NewToken {
        name: Name::parse(&format!("{work}-{place}-{number:04}"))?,
        description: Description::parse(&format!("{work} on {place}, asked for by operations"))?,
        lifetime: pick(&["90d", "365d", "60d"], 1).parse::<Lifetime>()?,
        scopes: scopes.iter().map(|scope| scope.parse::<Scope>()).collect::<Result<_, _>>()?,
    };
    let issued = service.create(&new)?;
    service.record_delivery(&issued.token.id, &issued.token.digest, Delivery::Copied)?;
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
        let renewal = Renewal { lifetime: new.lifetime, overlap: Overlap::None };
        let again = service.regenerate(&issued.token.id, renewal)?;
        service.record_delivery(&again.token.id, &again.token.digest, Delivery::Written)?;
    }
    Ok(())
}
