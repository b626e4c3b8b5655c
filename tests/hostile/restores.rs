//! Older copies of the store that are put back in place beside a running `verify --lines`, in every
//! way that a file can be replaced: no secret that was ended or restricted is allowed again, and the
//! running check answers again as soon as the copy is complete.

use std::{
    fs::{self, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use crate::{
    cases::{case_count, program, run_cases},
    command_lines::pick,
    subject::{memory_folder, run, write_store},
};

/// Number of restores in each case, on the same store.
const RESTORES: usize = 10;

const SCOPE: &str = "channels:c-42:publish";

/// A running `verify --lines`, which may record last uses or not.
struct LineCheck {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl LineCheck {
    fn start(store: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.args(options).args(["verify", "--lines", "--store"]).arg(store);
        command.env_clear().env("HOME", store.parent().unwrap()).stderr(Stdio::null());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, answers }
    }

    fn ask(&mut self, secret: &str) -> String {
        writeln!(self.process.stdin.as_mut().unwrap(), "{secret} {SCOPE}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl Drop for LineCheck {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Puts `old` in the place of the file at `store`. `check` is called between two steps. Only a
/// rename is atomic: a process that writes into a file that is being copied over damages it.
fn put_back(
    store: &Path,
    old: &[u8],
    is_atomic: bool,
    random: &mut StdRng,
    mut check: impl FnMut(),
) {
    let open = |truncate| {
        OpenOptions::new().write(true).create(true).truncate(truncate).mode(0o600).open(store)
    };
    match if is_atomic { 3 } else { random.random_range(0..4) } {
        // As `cp` does.
        0 => {
            let mut file = open(true).unwrap();
            for part in old.chunks(old.len() / 4 + 1) {
                check();
                file.write_all(part).unwrap();
            }
        }
        // As `rsync --inplace` does, in any order.
        1 => {
            let file = open(false).unwrap();
            let mut pages: Vec<usize> = (0..old.len()).step_by(4_096).collect();
            pages.shuffle(random);
            for (number, at) in pages.into_iter().enumerate() {
                file.write_all_at(&old[at..old.len().min(at + 4_096)], at as u64).unwrap();
                if number % 64 == 0 {
                    check();
                }
            }
            file.set_len(old.len() as u64).unwrap();
        }
        2 => {
            fs::remove_file(store).unwrap();
            check();
            open(true).unwrap().write_all(old).unwrap();
        }
        _ => {
            let new = store.with_extension("put-back");
            write_store(&new, old);
            check();
            fs::rename(&new, store).unwrap();
        }
    }
}

struct Subject<'s> {
    case: String,
    store: &'s Path,
    running: LineCheck,
    /// The secret of the token `other`, which every state allows.
    valid: String,
    /// Secrets that must never be allowed again.
    ended: Vec<String>,
}

impl Subject<'_> {
    fn succeed(&self, arguments: &[&str]) -> String {
        let done = run(&self.case, self.store, arguments, "");
        assert_eq!(done.status.code(), Some(0), "{}: {arguments:?}: {done:?}", self.case);
        String::from_utf8(done.stdout).unwrap().trim_end().to_owned()
    }

    fn check(&mut self, is_complete: bool) {
        let answer = self.running.ask(&self.valid);
        assert!(!is_complete || answer == "allowed", "{}: a valid secret: {answer:?}", self.case);
        for secret in self.ended.iter().rev().take(12) {
            let answer = self.running.ask(secret);
            assert_ne!(answer, "allowed", "{}: wrongly allowed", self.case);
            assert!(!is_complete || answer == "denied", "{}: {answer:?}", self.case);
        }
    }

    /// Ends or restricts the token `name`, whose secret is `secret`.
    fn restrict(&mut self, name: &str, secret: String, random: &mut StdRng) {
        let commands =
            ["revoke T --yes", "delete T --yes", "regenerate T --yes", "scope clear T --yes"];
        let words: Vec<_> = pick(random, &commands).split(' ').collect();
        let words: Vec<_> =
            words.iter().map(|word| if *word == "T" { name } else { word }).collect();
        self.succeed(&words);
        self.ended.push(secret);
    }

    /// Makes other changes, so that the transaction numbers of both histories meet or cross.
    fn change(&self, random: &mut StdRng) {
        for _ in 0..random.random_range(0..4) {
            let text = random.random_range(0..u32::MAX).to_string();
            self.succeed(&["edit", "other", "--description", &text]);
        }
    }
}

#[test]
fn no_restore_in_place_revives_a_secret() {
    let folder = memory_folder();
    run_cases(
        case_count(2, 100),
        |_| (),
        |seed, ()| {
            let mut random = StdRng::seed_from_u64(seed);
            let place = folder.path().join(seed.to_string());
            fs::create_dir(&place).unwrap();
            let store = place.join("store.redb");
            let case = format!("seed {seed}");
            let created = run(&case, &store, &["create", "other", "--scope", SCOPE], "").stdout;
            let valid = String::from_utf8(created).unwrap().trim_end().to_owned();
            let records_uses = seed % 3 == 0;
            let options: &[&str] = if records_uses { &[] } else { &["--read-only"] };
            let running = LineCheck::start(&store, options);
            let mut it = Subject { case, store: &store, running, valid, ended: Vec::new() };
            for restore in 0..RESTORES {
                it.case = format!("seed {seed}, restore {restore}");
                let name = format!("t{restore}");
                let secret = it.succeed(&["create", &name, "--scope", SCOPE]);
                let old = fs::read(&store).unwrap();
                it.change(&mut random);
                assert_eq!(it.running.ask(&secret), "allowed", "{}", it.case);
                it.restrict(&name, secret, &mut random);
                it.change(&mut random);
                it.check(true);
                put_back(&store, &old, records_uses, &mut random, || it.check(false));
                it.check(true);
                it.change(&mut random);
                it.check(true);
            }
        },
    );
}
