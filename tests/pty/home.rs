//! A temporary home folder for each test, with the store at its default path, and helpers to find
//! secrets in output.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use chrono::{TimeDelta, Utc};
use patdeck::domain::{
    AccessRequest, Actor, DeliveryMethod, Description, Labels, LifetimeLimits, LimitChanges, Name,
    NewToken, Owner, ScopeCatalogue, SecretPrefix,
};
use patdeck::service::{Clock, Entropy, Policy, Service};
use patdeck::store::Store;
use patdeck::testing::ServiceTestExt as _;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::support::Pty;

/// Columns and rows: enough for every screen, with the detail view as a tab.
pub(crate) const SIZE: (u16, u16) = (100, 30);

/// The temporary home folder of one operator.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The path of the folder without symbolic links.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// The default path of the store.
    pub(crate) fn store(&self) -> PathBuf {
        self.path().join(".local/share/patdeck/store.redb")
    }

    /// Starts the program without arguments and waits until the store is loaded.
    pub(crate) fn start(&self, size: (u16, u16), env: &[(&str, &str)]) -> Pty {
        let mut pty = self.launch(size, env);
        pty.wait_for("Active ");
        pty
    }

    /// Starts the program without arguments.
    pub(crate) fn launch(&self, size: (u16, u16), env: &[(&str, &str)]) -> Pty {
        self.launch_with(&[], size, env)
    }

    /// Starts the program with `arguments`.
    pub(crate) fn launch_with(
        &self,
        arguments: &[OsString],
        size: (u16, u16),
        env: &[(&str, &str)],
    ) -> Pty {
        let mut argv = vec![OsString::from(env!("CARGO_BIN_EXE_patdeck"))];
        argv.extend_from_slice(arguments);
        let home = self.path();
        let env = [&[("HOME", home.to_str().unwrap())], env].concat();
        Pty::spawn(&argv, size, &env)
    }

    /// A service on the same store whose clock is fixed at `ago` before now.
    pub(crate) fn service(&self, ago: TimeDelta) -> Service {
        service_on(&self.store(), Clock::fixed(Utc::now() - ago))
    }

    /// Creates a token with one scope, `ago` before now, and records its delivery.
    pub(crate) fn seed(&self, name: &str, description: &str, lifetime: &str, ago: TimeDelta) {
        let service = self.service(ago);
        let issued = service
            .create(&NewToken {
                name: Name::parse(name).unwrap(),
                description: Description::parse(description).unwrap(),
                lifetime: lifetime.parse().unwrap(),
                scopes: vec!["channels:c-42:publish".parse().unwrap()],
                limits: LimitChanges::default(),
                labels: Labels::default(),
                owner: Owner::default(),
            })
            .unwrap();
        service
            .record_delivery(&issued.token.id, &issued.token.digest, DeliveryMethod::Acknowledged)
            .unwrap();
    }

    /// Whether `secret` allows publishing on channel c-42 now.
    pub(crate) fn is_allowed(&self, secret: &str) -> bool {
        let scope = "channels:c-42:publish".parse::<patdeck::domain::Scope>().unwrap();
        let request = AccessRequest {
            entity_type: scope.entity_type,
            entity: scope.entity,
            operation: scope.operation,
            domain: None,
        };
        let presented = Zeroizing::new(secret.to_owned());
        let service = self.service(TimeDelta::zero());
        let verdict = service.check(presented, Some(&request), None).unwrap();
        verdict.decision.is_allowed()
    }
}

/// A service on the store at `path` with the default policy.
pub(crate) fn service_on(path: &Path, clock: Clock) -> Service {
    let policy = Policy {
        prefix: SecretPrefix::default(),
        limits: LifetimeLimits::default(),
        default_lifetime: "30d".parse().unwrap(),
        catalogue: ScopeCatalogue::default(),
    };
    let store = Store::open(path).unwrap();
    Service::new(store, clock, Entropy::System, Actor::named("alice"), policy)
}

/// Waits for the secret panel and returns the secret. Panics unless the screen has exactly one.
pub(crate) fn secret_on(pty: &mut Pty) -> String {
    pty.wait_for("Shown once");
    pty.wait_for_frame_end();
    let shown = secrets(&pty.screen());
    let [secret] = shown.as_slice() else {
        panic!("one secret expected in:\n{}", pty.screen());
    };
    secret.clone()
}

/// All texts with the form of a secret in `text`.
pub(crate) fn secrets(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("pat_") && word.len() == 55)
        .map(String::from)
        .collect()
}

/// The confidential part of a secret: everything after the id.
pub(crate) fn random_part(secret: &str) -> &str {
    &secret[secret.len() - 38..]
}

/// How many times the random part of `secret` occurs in `bytes`.
pub(crate) fn count_occurrences(bytes: &[u8], secret: &str) -> usize {
    let part = random_part(secret).as_bytes();
    bytes.windows(part.len()).filter(|at| *at == part).count()
}

/// Creates a token in the form with only a name, and returns the secret from the panel.
pub(crate) fn create(pty: &mut Pty, name: &str) -> String {
    pty.keys("n");
    pty.wait_for("Name *");
    pty.type_text(name);
    pty.keys("<C-s>");
    pty.wait_for(&format!("Secret of {name}"));
    secret_on(pty)
}
