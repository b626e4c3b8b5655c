//! A home folder of its own for each test, with the store that the program finds there by
//! itself, and the few words that every test needs to talk about secrets.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use chrono::{TimeDelta, Utc};
use patdeck::domain::{
    AccessRequest, Actor, Catalogue, Delivery, Description, LifetimeLimits, Name, NewToken, Prefix,
};
use patdeck::service::{Clock, Entropy, Policy, Service};
use patdeck::store::Store;
use patdeck::testing::Changes as _;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::support::Pty;

/// Room for every screen, and the detail as a tab of its own.
pub(crate) const SIZE: (u16, u16) = (100, 30);

/// Where one operator lives.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The folder itself, without links in its path.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// Where the program keeps its store when nobody says otherwise.
    pub(crate) fn store(&self) -> PathBuf {
        self.path().join(".local/share/patdeck/store.redb")
    }

    /// Starts the program without arguments, and waits until it has read the store.
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

    /// The use cases on the same store, at a time `ago` before now.
    pub(crate) fn service(&self, ago: TimeDelta) -> Service {
        service_on(&self.store(), Clock::fixed(Utc::now() - ago))
    }

    /// Makes a token with one scope, `ago` before now.
    pub(crate) fn seed(&self, name: &str, description: &str, lifetime: &str, ago: TimeDelta) {
        let service = self.service(ago);
        let issued = service
            .create(&NewToken {
                name: Name::parse(name).unwrap(),
                description: Description::parse(description).unwrap(),
                lifetime: lifetime.parse().unwrap(),
                scopes: vec!["channels:c-42:publish".parse().unwrap()],
            })
            .unwrap();
        service
            .record_delivery(&issued.token.id, &issued.token.digest, Delivery::Acknowledged)
            .unwrap();
    }

    /// Whether a bearer of `secret` may publish on channel c-42 now.
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

/// The use cases on the store at `path`, as the program would have them without settings.
pub(crate) fn service_on(path: &Path, clock: Clock) -> Service {
    let policy = Policy {
        prefix: Prefix::default(),
        limits: LifetimeLimits::default(),
        default_lifetime: "30d".parse().unwrap(),
        catalogue: Catalogue::default(),
    };
    let store = Store::open(path).unwrap();
    Service::new(store, clock, Entropy::System, Actor::named("alice"), policy)
}

/// The secret that the panel shows: the one text on the screen that has its form.
pub(crate) fn secret_on(pty: &mut Pty) -> String {
    pty.wait_for("Copy it now");
    pty.whole_frame();
    let shown = secrets(&pty.screen());
    let [secret] = shown.as_slice() else {
        panic!("one secret expected in:\n{}", pty.screen());
    };
    secret.clone()
}

/// Every secret in `text`.
pub(crate) fn secrets(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("pat_") && word.len() == 55)
        .map(String::from)
        .collect()
}

/// The part of a secret that nobody but its owner may ever see again.
pub(crate) fn random_part(secret: &str) -> &str {
    &secret[secret.len() - 38..]
}

/// How often the random part of `secret` stands in `bytes`.
pub(crate) fn count(bytes: &[u8], secret: &str) -> usize {
    let part = random_part(secret).as_bytes();
    bytes.windows(part.len()).filter(|at| *at == part).count()
}

/// Makes a token by the form, with a name only, up to the panel of its secret.
pub(crate) fn create(pty: &mut Pty, name: &str) -> String {
    pty.keys("n");
    pty.wait_for("Name *");
    pty.type_text(name);
    pty.keys("<C-s>");
    pty.wait_for(&format!("The secret of {name}"));
    secret_on(pty)
}
