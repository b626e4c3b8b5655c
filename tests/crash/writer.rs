//! What runs in a process that is to be killed: one change after another, each told before it
//! is begun and after it is acknowledged. This test executable starts itself for it.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use patdeck::{
    domain::{Description, Name, NewToken, Overlap, Scope, Secret, TokenId},
    service::{Service, ServiceError},
    store::StoreError,
    testing::{Changes as _, Renewal},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::service;

const STORE: &str = "PATDECK_TEST_WRITER";
const NUMBER: &str = "PATDECK_TEST_NUMBER";

/// A writer.
pub(crate) struct Writer {
    pub(crate) process: Child,
}

/// What a writer tells: a line for each beginning and each end of a change.
pub(crate) type Told = io::Lines<BufReader<ChildStdout>>;

impl Writer {
    /// Starts writer `number` on the store at `path`.
    pub(crate) fn start(path: &Path, number: usize) -> (Self, Told) {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "writer::child_writes", "--nocapture", "--test-threads=1"])
            .env(STORE, path)
            .env(NUMBER, number.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(process.stdout.take().unwrap()).lines();
        (Self { process }, told)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // A failed test must not leave its writers running.
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
    // What the test runner has begun to say stands on a line of its own.
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

struct Own {
    id: TokenId,
    name: String,
    secret: Secret,
    scopes: usize,
    revoked: bool,
}

fn tell(line: std::fmt::Arguments<'_>) {
    // One write for the whole line, so that a kill cuts none in half.
    let line = format!("{line}\n");
    io::stdout().write_all(line.as_bytes()).unwrap();
    io::stdout().flush().unwrap();
}

fn create(service: &Service, name: &str) -> Own {
    tell(format_args!("try create {name}"));
    let new = NewToken {
        name: Name::parse(name).unwrap(),
        description: Description::default(),
        lifetime: "30d".parse().unwrap(),
        scopes: vec![],
    };
    let issued = patient(|| service.create(&new));
    tell(format_args!("ok create {name} {}", issued.secret.reveal()));
    let (id, secret) = (issued.token.id, issued.secret);
    Own { id, name: name.to_owned(), secret, scopes: 0, revoked: false }
}

fn delete(service: &Service, own: &Own) {
    tell(format_args!("try delete {}", own.name));
    patient(|| service.delete(&own.id));
    tell(format_args!("ok delete {}", own.name));
    assert!(!is_accepted(service, &own.secret), "a deleted secret works");
}

fn change(service: &Service, own: &mut Own, random: &mut StdRng) {
    let Own { id, name, .. } = own;
    match random.random_range(0..4) {
        0 => {
            tell(format_args!("try scope {name}"));
            let scope: Scope = format!("channels:c{}:publish", own.scopes).parse().unwrap();
            patient(|| service.add_scopes(id, std::slice::from_ref(&scope)));
            tell(format_args!("ok scope {name}"));
            own.scopes += 1;
        }
        1 if !own.revoked => {
            tell(format_args!("try revoke {name}"));
            patient(|| service.revoke(id));
            tell(format_args!("ok revoke {name}"));
            own.revoked = true;
        }
        2 => {
            tell(format_args!("try regenerate {name}"));
            let renewal = Renewal { lifetime: "30d".parse().unwrap(), overlap: Overlap::None };
            let issued = patient(|| service.regenerate(id, renewal));
            tell(format_args!("ok regenerate {name} {}", issued.secret.reveal()));
            let old = std::mem::replace(&mut own.secret, issued.secret);
            own.revoked = false;
            assert!(!is_accepted(service, &old), "a replaced secret works");
        }
        _ => assert_eq!(is_accepted(service, &own.secret), !own.revoked, "{name}"),
    }
}

fn is_accepted(service: &Service, secret: &Secret) -> bool {
    let verdict = patient(|| service.check(secret.reveal().to_owned().into(), None, None));
    verdict.decision.is_allowed()
}

/// Tries again for as long as others are faster, as an operator would.
fn patient<T>(work: impl Fn() -> Result<T, ServiceError>) -> T {
    loop {
        match work() {
            Err(ServiceError::Store(StoreError::Busy { .. })) => {}
            done => return done.unwrap(),
        }
    }
}
