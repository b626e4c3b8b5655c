//! Every command with generated arguments, environment, standard input and output. Whatever they
//! are: the command ends, does not panic, prints no secret that existed before, creates no file
//! outside the sandbox, and leaves the store as it was unless it reports success.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::PathBuf,
    sync::Mutex,
};

use clap::Parser as _;
use patdeck::{cli::Args, domain::Secret};
use rand::{SeedableRng as _, rngs::StdRng};

use crate::{
    cases::{case_count, only_seed, run_cases},
    command_lines::{Generator, all_commands},
    sandbox::{Sandbox, Template},
    subject::TIME_LIMIT,
    surroundings::{Outcome, Surroundings},
};

/// The exit codes in the table of docs/cli.md.
fn documented_codes() -> BTreeSet<i32> {
    let page = include_str!("../../docs/cli.md");
    let (_, table) = page.split_once("\n## Exit codes\n").unwrap();
    let rows = table.lines().take_while(|line| !line.starts_with("Exit code"));
    let first_cells = rows.filter_map(|row| row.strip_prefix("| ")?.split('|').next());
    first_cells
        .flat_map(|cell| cell.split(',').filter_map(|code| code.trim().parse().ok()))
        .collect()
}

/// Folders outside the sandbox in which patdeck could create files.
fn outside() -> Vec<PathBuf> {
    let home = std::env::home_dir().unwrap_or_default();
    let mut found = Vec::new();
    for folder in [".local/share/patdeck", ".config/patdeck", "relative", "below-home"] {
        found.extend([home.join(folder)].into_iter().filter(|path| path.exists()));
        found.extend([PathBuf::from(folder)].into_iter().filter(|path| path.exists()));
    }
    found
}

/// Shortens the long runs of `x` in a generated value.
fn shorten(text: &str) -> String {
    text.replace(&"x".repeat(1_000), "x{1000}")
}

/// All secrets in `bytes`, also those that were issued by the command.
fn secrets_in(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| Secret::parse((*word).to_owned().into()).is_ok())
        .map(String::from)
        .collect()
}

struct Case<'c> {
    title: String,
    arguments: &'c [OsString],
    template: &'c Template,
    codes: &'c BTreeSet<i32>,
}

impl Case<'_> {
    fn check_output(&self, outcome: &Outcome) {
        let Self { title, template, .. } = self;
        let code = outcome.code();
        let took = outcome.took;
        assert!(!outcome.was_killed, "{title}: still ran after {took:?}");
        assert!(took < TIME_LIMIT, "{title}: ran for {took:?}");
        assert!(self.codes.contains(&code), "{title}: exit code {code}");
        assert!(code < 128 || outcome.was_terminated, "{title}: exit code {code}");
        let errors = String::from_utf8_lossy(&outcome.stderr);
        for text in ["panicked", "not harmed", "RUST_BACKTRACE", "stack backtrace"] {
            assert!(!errors.contains(text), "{title}: {errors}");
        }
        assert_eq!(secrets_in(&outcome.stderr), [""; 0], "{title}: a secret on standard error");
        for secret in secrets_in(&outcome.stdout) {
            assert!(!template.secrets.contains(&secret), "{title}: an old secret was printed");
        }
    }

    /// Asserts that the store is unchanged after an exit code that says so.
    fn check_store(&self, outcome: &Outcome, before: &str, sandbox: &Sandbox) {
        let after = sandbox.state(&self.title);
        let code = outcome.code();
        let changes = Args::try_parse_from([&[OsString::from("patdeck")], self.arguments].concat())
            .is_ok_and(|args| args.command.is_some_and(|command| command.changes()));
        // A scan that could not search everything ends with 5, too.
        let is_scan = self.arguments.iter().any(|argument| argument == "scan");
        let is_done = changes || is_scan || !sandbox.new_files().is_empty();
        assert!(code != 5 || is_done, "{}: exit code 5 without a change", self.title);
        let must_be_unchanged = matches!(code, 2..=4) || !changes;
        if must_be_unchanged && after != before {
            let errors = String::from_utf8_lossy(&outcome.stderr);
            panic!("{}: exit {code} changed the store: {errors}\n{before}\n{after}", self.title);
        }
    }
}

#[test]
fn no_command_line_and_surroundings_cause_harm() {
    let template = Template::new();
    let commands = all_commands();
    let codes = documented_codes();
    assert!(commands.len() > 25 && codes.contains(&0) && codes.contains(&143), "{codes:?}");
    let before = template.sandbox(9).state("template");
    let outside_before = outside();
    let per_command = case_count(3, 400);
    let count = per_command * commands.len() as u64;
    let code_counts = Mutex::new(BTreeMap::<i32, u64>::new());
    run_cases(
        count,
        |thread| thread,
        |seed, thread| {
            let mut random = StdRng::seed_from_u64(seed);
            let sandbox = template.sandbox(*thread);
            let surroundings = Surroundings::generate(&sandbox, &mut random);
            let index = usize::try_from(seed).unwrap() % commands.len();
            let (words, command) = &commands[index];
            let generator = Generator { template: &template, has_home: surroundings.has_home };
            let line = generator.command_line(words, command, &mut random);
            let shown = shorten(&format!("{:?} in {surroundings:?}", line.arguments));
            let title = format!("seed {seed}: {shown}");
            let outcome = surroundings.run(&sandbox, &line.arguments);
            if only_seed().is_some() {
                println!("{title}\n{}", String::from_utf8_lossy(&outcome.stderr));
            }
            let case =
                Case { title, arguments: &line.arguments, template: &template, codes: &codes };
            *code_counts.lock().unwrap().entry(outcome.code()).or_default() += 1;
            case.check_output(&outcome);
            assert!(!line.has_secret || outcome.code() == 2, "{}: a secret in", case.title);
            case.check_store(&outcome, &before, &sandbox);
            sandbox.check_new_files(&case.title, &template.secrets);
            let beside: BTreeSet<_> = fs::read_dir(&sandbox.root)
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            let expected = ["foreign", "home", "no", "tmp", "work"].map(OsString::from);
            assert!(
                beside.iter().all(|name| expected.contains(name)),
                "{}: {beside:?}",
                case.title
            );
            assert_eq!(outside(), outside_before, "{}: a file outside the sandbox", case.title);
        },
    );
    println!("{count} command lines by exit code: {:?}", code_counts.into_inner().unwrap());
}
