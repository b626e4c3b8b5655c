//! The code of a writer process that a test kills or stops: one change after another, with an
//! output line before each change and after its acknowledgement. The test executable starts itself
//! for it.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use patdeck::{
    domain::{
        Description, Labels, LimitChanges, Name, NewToken, Owner, Scope, Secret, SecretOverlap,
        TokenId,
    },
    service::{Service, ServiceError},
    store::StoreError,
    testing::{RegenerateOptions, ServiceTestExt as _},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::service;

const STORE: &str = "PATDECK_TEST_WRITER";
const NUMBER: &str = "PATDECK_TEST_NUMBER";

/// A child process that writes. It is killed on drop.
pub(crate) struct WriterProcess {
    pub(crate) process: Child,
}

/// The output of a writer: one line before and one after each change.
pub(crate) type OutputLines = io::Lines<BufReader<ChildStdout>>;

impl WriterProcess {
    /// Starts writer `number` on the store at `path`.
    pub(crate) fn start(path: &Path, number: usize) -> (Self, OutputLines) {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer::child_writes", "--nocapture", "--test-threads=1"])
            .env(STORE, path)
            .env(NUMBER, number.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        (Self { process }, lines)
    }
}

impl Drop for WriterProcess {
    fn drop(&mut self) {
        // So that a failed test leaves no writers running.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Does nothing unless started by [`Writer::start`]: then it writes until it is killed.
#[test]
fn child_writes() {
    let Some(path) = std::env::var_os(STORE) else {
        return;
    };
    let number: u64 = std::env::var(NUMBER).unwrap().parse().unwrap();
    // Ends the line that the test runner has begun.
    println!();
    let service = service(path.as_ref());
    let mut random = StdRng::seed_from_u64(number);
    let mut own = Vec::new();
    for n in 0.. {
        let token = match own.len() {
            0 => None,
            _ if random.random_ratio(1, 4) => None,
            count => Some(random.random_range(0..count)),
        };
        match token {
            None => own.push(create(&service, &format!("w{number}-{n}"))),
            Some(at) if random.random_ratio(1, 6) => delete(&service, &own.swap_remove(at)),
            Some(at) => change(&service, &mut own[at], &mut random),
        }
    }
}

struct OwnToken {
    id: TokenId,
    name: String,
    secret: Secret,
    scopes: usize,
    revoked: bool,
}

fn print_line(line: std::fmt::Arguments<'_>) {
    // One write for the whole line, so that a kill does not leave a partial line.
    let line = format!("{line}\n");
    io::stdout().write_all(line.as_bytes()).unwrap();
    io::stdout().flush().unwrap();
}

fn create(service: &Service, name: &str) -> OwnToken {
    print_line(format_args!("try create {name}"));
    let new = NewToken {
        name: Name::parse(name).unwrap(),
        description: Description::default(),
        lifetime: "30d".parse().unwrap(),
        scopes: vec![],
        limits: LimitChanges::default(),
        labels: Labels::default(),
        owner: Owner::default(),
    };
    let issued = retry_while_busy(|| service.create(&new));
    print_line(format_args!("ok create {name} {}", issued.secret.reveal()));
    let (id, secret) = (issued.token.id, issued.secret);
    OwnToken { id, name: name.to_owned(), secret, scopes: 0, revoked: false }
}

fn delete(service: &Service, own: &OwnToken) {
    print_line(format_args!("try delete {}", own.name));
    retry_while_busy(|| service.delete(&own.id));
    print_line(format_args!("ok delete {}", own.name));
    assert!(!is_accepted(service, &own.secret), "a deleted secret works");
}

fn change(service: &Service, own: &mut OwnToken, random: &mut StdRng) {
    let OwnToken { id, name, .. } = own;
    match random.random_range(0..4) {
        0 => {
            print_line(format_args!("try scope {name}"));
            let scope: Scope = format!("channels:c{}:publish", own.scopes).parse().unwrap();
            retry_while_busy(|| service.add_scopes(id, std::slice::from_ref(&scope)));
            print_line(format_args!("ok scope {name}"));
            own.scopes += 1;
        }
        1 if !own.revoked => {
            print_line(format_args!("try revoke {name}"));
            retry_while_busy(|| service.revoke(id));
            print_line(format_args!("ok revoke {name}"));
            own.revoked = true;
        }
        2 => {
            print_line(format_args!("try regenerate {name}"));
            let renewal = RegenerateOptions {
                lifetime: "30d".parse().unwrap(),
                overlap: SecretOverlap::None,
            };
            let issued = retry_while_busy(|| service.regenerate(id, renewal));
            print_line(format_args!("ok regenerate {name} {}", issued.secret.reveal()));
            let old = std::mem::replace(&mut own.secret, issued.secret);
            own.revoked = false;
            assert!(!is_accepted(service, &old), "a replaced secret works");
        }
        _ => assert_eq!(is_accepted(service, &own.secret), !own.revoked, "{name}"),
    }
}

fn is_accepted(service: &Service, secret: &Secret) -> bool {
    let verdict = retry_while_busy(|| service.check(secret.reveal().to_owned().into(), None, None));
    verdict.decision.is_allowed()
}

/// Runs `work` again until the lock is available.
fn retry_while_busy<T>(work: impl Fn() -> Result<T, ServiceError>) -> T {
    loop {
        match work() {
            Err(ServiceError::Store(StoreError::Busy { .. })) => {}
            done => return done.unwrap(),
        }
    }
}
