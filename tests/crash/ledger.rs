//! The acknowledged changes of each token. Checks that the store contains exactly these, plus at
//! most one complete change of each writer that was started and not acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use patdeck::{
    domain::{Command, ConfirmationProof, Digest, LeakedSecret, Secret, Token, TokenId},
    service::{Service, leaked_secret::LeakedSecretStatus},
    store::{ReadOps, Store},
};

/// The expected state of one token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct TokenState {
    stored: bool,
    trash: bool,
    revoked: bool,
    scopes: usize,
    events: usize,
}

impl TokenState {
    fn after(&self, change: &str) -> Self {
        let token = Self { events: self.events + 1, ..self.clone() };
        match change {
            "create" => Self { stored: true, ..token },
            "scope" => Self { scopes: token.scopes + 1, ..token },
            "revoke" => Self { revoked: true, ..token },
            "regenerate" => Self { revoked: false, ..token },
            "delete" => Self { stored: false, trash: true, ..token },
            other => panic!("unknown change {other}"),
        }
    }

    fn of_token(token: &Token, here: bool, events: usize) -> Self {
        let (revoked, scopes) = (token.revoked.is_some(), token.scopes.len());
        Self { stored: here, trash: !here, revoked, scopes, events }
    }
}

/// The acknowledged changes so far.
#[derive(Default)]
pub(crate) struct Ledger {
    tokens: BTreeMap<String, TokenState>,
    /// The last acknowledged secret of each token.
    secrets: BTreeMap<String, LeakedSecret>,
    /// Replaced secrets, which must no longer work.
    replaced: Vec<LeakedSecret>,
    /// The change of each token that was started and not acknowledged.
    started: BTreeMap<String, String>,
    /// The number of acknowledged changes.
    pub(crate) acknowledged: usize,
}

impl Ledger {
    /// Records one output line of a writer.
    pub(crate) fn record_line(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["try", change, name] => {
                drop(self.started.insert((*name).to_owned(), (*change).to_owned()));
            }
            ["ok", change, name, secret @ ..] => {
                self.started.remove(*name);
                let token = self.tokens.entry((*name).to_owned()).or_default();
                *token = token.after(change);
                self.acknowledged += 1;
                if let [secret] = secret {
                    let secret = Secret::parse((*secret).to_owned().into()).unwrap();
                    let old = self.secrets.insert((*name).to_owned(), LeakedSecret::from(&secret));
                    self.replaced.extend(old);
                }
            }
            _ => {}
        }
    }

    /// Compares the store with the expected state of all tokens.
    pub(crate) fn check(&mut self, store: &Store, service: &Service) {
        // A killed writer may have ended a secret in the register only. Any write stores that ending.
        service.execute(&Command::PurgeTrash, &ConfirmationProof::NOT_REQUIRED).unwrap();
        let mut found = tokens_of(store);
        let started = std::mem::take(&mut self.started);
        let names: BTreeSet<String> = self.tokens.keys().chain(started.keys()).cloned().collect();
        for name in names {
            let known = self.tokens.get(&name).cloned().unwrap_or_default();
            let (is, digest) = found.remove(&name).unwrap_or_default();
            let change = started.get(&name).filter(|change| known.after(change) == is);
            assert!(
                is == known || change.is_some(),
                "{name} is {is:?}, expected {known:?} {started:?}"
            );
            if is == known {
                continue;
            }
            // The new secret was lost with the writer; the old one must no longer work.
            if change.is_some_and(|change| change == "regenerate") {
                let old = self.secrets.remove(&name).unwrap();
                assert!(digest.is_some_and(|digest| !digest.matches(&old.digest)));
                self.replaced.push(old);
            }
            self.tokens.insert(name, is);
        }
        assert!(found.is_empty(), "unexpected tokens: {found:?}");
        self.check_secrets(service);
        self.check_trail(store);
    }

    fn check_secrets(&self, service: &Service) {
        let status = |secret| service.classify(secret).unwrap().status;
        for (name, secret) in &self.secrets {
            let expected = match &self.tokens[name] {
                TokenState { stored: false, .. } => LeakedSecretStatus::Deleted,
                TokenState { revoked: true, .. } => LeakedSecretStatus::Revoked,
                _ => LeakedSecretStatus::Active,
            };
            assert_eq!(status(secret), expected, "{name}");
        }
        for secret in &self.replaced {
            assert_eq!(status(secret), LeakedSecretStatus::Replaced, "a replaced secret works");
        }
    }

    fn check_trail(&self, store: &Store) {
        let chain = store.read(ReadOps::verify_chain).unwrap();
        let events: usize = self.tokens.values().map(|token| token.events).sum();
        assert_eq!((chain.events, chain.first_fault), (events as u64, None));
        assert_eq!(store.read(ReadOps::find_inconsistencies).unwrap(), Vec::<String>::new());
    }
}

/// All tokens of the store by name, including deleted ones.
fn tokens_of(store: &Store) -> BTreeMap<String, (TokenState, Option<Digest>)> {
    let tokens = store.read(ReadOps::tokens).unwrap();
    let trash = store.read(ReadOps::trash).unwrap();
    assert!(tokens.damaged.is_empty() && trash.damaged.is_empty());
    let stored = tokens.rows.into_iter().map(|token| (token, true));
    let deleted = trash.rows.into_iter().map(|deleted| (deleted.token, false));
    let row = |(token, here): (Token, bool)| {
        let state = TokenState::of_token(&token, here, events_of(store, &token.id));
        (token.name.to_string(), (state, Some(token.digest)))
    };
    stored.chain(deleted).map(row).collect()
}

fn events_of(store: &Store, id: &TokenId) -> usize {
    let found = store.read(|rows| rows.events_of(id, usize::MAX)).unwrap();
    assert!(found.damaged.is_empty());
    found.rows.len()
}
