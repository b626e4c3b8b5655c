//! Measures patdeck's performance targets with the release binary, for 10 to 1,000,000 tokens:
//! `cargo bench --bench table`. Prints each row with its bounds and fails if a value is out of
//! bounds. `PATDECK_BENCH_SIZES=10,1000` selects other sizes.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the output of the benchmark")]

mod app;
mod commands;
mod memory;
mod peers;
mod tty;

#[path = "../../examples/fill.rs"]
#[expect(dead_code, reason = "only the example uses its `main`")]
mod fill;

use std::{
    env,
    error::Error,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use serde_json::Value;

pub(crate) type BenchError = Box<dyn Error>;

/// Store sizes, in tokens.
const SIZES: [usize; 4] = [10, 1_000, 100_000, 1_000_000];
/// Smallest size for which the bounds of a large store apply.
const LARGE: usize = 10_000;
/// Largest size for which the first value of [`Bound::LeastBySize`] applies.
const GROWING_LIMIT: usize = 100_000;
/// Seed of every store.
pub(crate) const SEED: u64 = 1;

/// Bound of a measured value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// At most this value.
    Most(f64),
    /// At least this value.
    Least(f64),
    /// At least the first value up to [`GROWING_LIMIT`] tokens, at least the second above.
    LeastBySize(f64, f64),
    /// No bound; printed for comparison.
    None,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableRow {
    pub(crate) label: &'static str,
    /// Bounds for a small and a large store.
    pub(crate) bounds: (Bound, Bound),
}

/// A store of one size, with a copy of the binary.
pub(crate) struct BenchStore {
    pub(crate) size: usize,
    pub(crate) program: PathBuf,
    pub(crate) folder: tempfile::TempDir,
}

/// Builds the static release binary as the README describes, and returns its path. The binary that
/// cargo built for this benchmark has test features and links dynamically, so it starts slower.
fn build() -> Result<PathBuf, BenchError> {
    let arguments = ["static", "--quiet", "--message-format", "json-render-diagnostics"];
    let built = Command::new(env!("CARGO")).args(arguments).stderr(Stdio::inherit()).output()?;
    let messages = String::from_utf8(built.stdout)?;
    let mut messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = messages.find_map(|it| Some(it.get("executable")?.as_str()?.into()));
    program.ok_or_else(|| "the release could not be built: is libc.a installed?".into())
}

impl BenchStore {
    fn new(size: usize, built: &Path) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        // Copy it, as an installation does: pages just written by the linker are slower to map.
        let program = folder.path().join("patdeck");
        fs::copy(built, &program)?;
        let it = Self { size, program, folder };
        let started = Instant::now();
        fill::fill(&it.store(), size.try_into()?, SEED)?;
        eprintln!("filled {size} in {:.1} s", started.elapsed().as_secs_f64());
        Ok(it)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path("store.redb")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn is_large(&self) -> bool {
        self.size >= LARGE
    }
}

/// Values of one size, by row label.
pub(crate) type Measurements = Vec<(&'static str, f64)>;

fn main() -> Result<ExitCode, BenchError> {
    // `cargo test --benches` only checks that it starts.
    if env::args().any(|argument| argument == "--test") {
        return Ok(ExitCode::SUCCESS);
    }
    let sizes: Vec<usize> = match env::var("PATDECK_BENCH_SIZES") {
        Ok(sizes) => sizes.split(',').map(str::parse).collect::<Result<_, _>>()?,
        Err(_) => SIZES.to_vec(),
    };
    let built = build()?;
    let mut columns = Vec::new();
    for size in &sizes {
        let bench_store = BenchStore::new(*size, &built)?;
        let mut measured = app::measure(&bench_store)?;
        measured.extend(commands::measure(&bench_store)?);
        columns.push(measured);
    }
    let violations = print_table(&sizes, &columns);
    peers::compare()?;
    for violation in &violations {
        eprintln!("out of bounds: {violation}");
    }
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the table; returns the values that are out of bounds.
fn print_table(sizes: &[usize], columns: &[Measurements]) -> Vec<String> {
    let mut violations = Vec::new();
    print!("\n{:<46}", "");
    for size in sizes {
        print!("{size:>12}");
    }
    println!("   bounds");
    for row in app::ROWS.iter().chain(&commands::ROWS) {
        print!("{:<46}", row.label);
        for (size, column) in sizes.iter().zip(columns) {
            let bound = if *size >= LARGE { row.bounds.1 } else { row.bounds.0 };
            let Some((_, value)) = column.iter().find(|(label, _)| *label == row.label) else {
                print!("{:>12}", "-");
                continue;
            };
            let is_violated = match bound {
                Bound::Most(most) => *value > most,
                Bound::LeastBySize(least, _) if *size <= GROWING_LIMIT => *value < least,
                Bound::Least(least) | Bound::LeastBySize(_, least) => *value < least,
                Bound::None => false,
            };
            let value = format_value(*value);
            print!("{:>12}", format!("{value}{}", if is_violated { "!" } else { "" }));
            if is_violated {
                violations.push(format!("{} at {size} tokens: {value}", row.label));
            }
        }
        println!("   {} / {}", format_bound(row.bounds.0), format_bound(row.bounds.1));
    }
    violations
}

fn format_value(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn format_bound(bound: Bound) -> String {
    match bound {
        Bound::Most(most) => format!("<= {most}"),
        Bound::Least(least) => format!(">= {least}"),
        Bound::LeastBySize(many, more) => format!(">= {many} / >= {more}"),
        Bound::None => "-".to_owned(),
    }
}

/// The quantile `share` (0 to 1) of the values; sorts them.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "there are only a few hundred values"
    )]
    let at = ((values.len().saturating_sub(1)) as f64 * share).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}
