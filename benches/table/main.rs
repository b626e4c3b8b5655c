//! What patdeck promises about speed, measured on the real binary for 10 to 1,000,000 tokens side
//! by side: `cargo bench --bench table`. Prints each row with its bounds and fails when one is
//! over. `PATDECK_BENCH_SIZES=10,1000` measures fewer sizes.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is the point")]

mod app;
mod commands;
mod peers;
mod tty;

#[path = "../../examples/fill.rs"]
#[expect(dead_code, reason = "its `main` is the example's")]
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

pub(crate) type Fault = Box<dyn Error>;

/// The sizes that are compared.
const SIZES: [usize; 4] = [10, 1_000, 100_000, 1_000_000];
/// From this size on the bounds of a million hold; below, those of ten.
const LARGE: usize = 10_000;
/// Up to this size [`Bound::Growing`] has its first value.
const MANY: usize = 100_000;
/// The seed of every store.
pub(crate) const SEED: u64 = 1;

/// What may not be passed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// At most this.
    Most(f64),
    /// At least this.
    Least(f64),
    /// At least the first up to [`MANY`] tokens, and the second beyond.
    Growing(f64, f64),
    /// For comparison only.
    None,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) what: &'static str,
    /// For a small and for a large store.
    pub(crate) bounds: (Bound, Bound),
}

/// One store that is measured.
pub(crate) struct Subject {
    pub(crate) size: usize,
    pub(crate) program: PathBuf,
    pub(crate) folder: tempfile::TempDir,
}

/// Builds what operators install, by the README, and says where it is: what cargo built beside this
/// program has features that only the tests of its libraries ask for, and has to find the
/// system's libraries, which makes every start slower.
fn build() -> Result<PathBuf, Fault> {
    let arguments = ["static", "--quiet", "--message-format", "json-render-diagnostics"];
    let built = Command::new(env!("CARGO")).args(arguments).stderr(Stdio::inherit()).output()?;
    let told = String::from_utf8(built.stdout)?;
    let mut told = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = told.find_map(|it| Some(it.get("executable")?.as_str()?.into()));
    program.ok_or_else(|| "the release could not be built: is libc.a installed?".into())
}

impl Subject {
    fn new(size: usize, built: &Path) -> Result<Self, Fault> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        // Copied, as who installs it does: pages that a linker wrote are slower to map.
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

/// What was measured of one size, by row.
pub(crate) type Measured = Vec<(&'static str, f64)>;

fn main() -> Result<ExitCode, Fault> {
    // `cargo test --benches` only wants to know that it starts.
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
        let subject = Subject::new(*size, &built)?;
        let mut measured = app::measure(&subject)?;
        measured.extend(commands::measure(&subject)?);
        columns.push(measured);
    }
    let over = print(&sizes, &columns);
    peers::compare()?;
    for fault in &over {
        eprintln!("over its bound: {fault}");
    }
    Ok(if over.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the table; what is over its bound in it.
fn print(sizes: &[usize], columns: &[Measured]) -> Vec<String> {
    let mut over = Vec::new();
    print!("\n{:<46}", "");
    for size in sizes {
        print!("{size:>12}");
    }
    println!("   bounds");
    for row in app::ROWS.iter().chain(&commands::ROWS) {
        print!("{:<46}", row.what);
        for (size, column) in sizes.iter().zip(columns) {
            let bound = if *size >= LARGE { row.bounds.1 } else { row.bounds.0 };
            let Some((_, value)) = column.iter().find(|(what, _)| *what == row.what) else {
                print!("{:>12}", "-");
                continue;
            };
            let passed = match bound {
                Bound::Most(most) => *value > most,
                Bound::Growing(least, _) if *size <= MANY => *value < least,
                Bound::Least(least) | Bound::Growing(_, least) => *value < least,
                Bound::None => false,
            };
            print!("{:>12}", format!("{}{}", shown(*value), if passed { "!" } else { "" }));
            if passed {
                over.push(format!("{} at {size} tokens: {}", row.what, shown(*value)));
            }
        }
        println!("   {} / {}", bounded(row.bounds.0), bounded(row.bounds.1));
    }
    over
}

fn shown(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

fn bounded(bound: Bound) -> String {
    match bound {
        Bound::Most(most) => format!("<= {most}"),
        Bound::Least(least) => format!(">= {least}"),
        Bound::Growing(many, more) => format!(">= {many} / >= {more}"),
        Bound::None => "-".to_owned(),
    }
}

/// The value below which `share` of these lie.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "there are a few hundred"
    )]
    let at = ((values.len().saturating_sub(1)) as f64 * share).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}
