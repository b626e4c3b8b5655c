//! What was acknowledged, token by token, and whether the store says the same: exactly that, or
//! that and the one change of each writer that was begun and not acknowledged, whole.

use std::collections::{BTreeMap, BTreeSet};

use patdeck::{
    domain::{Digest, LeakedSecret, Secret, Token, TokenId},
    service::{Service, leaks::SecretStatus},
    store::{ReadOps, Store},
};

/// What is known of one token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct TokenState {
    here: bool,
    trash: bool,
    revoked: bool,
    scopes: usize,
    events: usize,
}

impl TokenState {
    fn after(&self, change: &str) -> Self {
        let token = Self { events: self.events + 1, ..self.clone() };
        match change {
            "create" => Self { here: true, ..token },
            "scope" => Self { scopes: token.scopes + 1, ..token },
            "revoke" => Self { revoked: true, ..token },
            "regenerate" => Self { revoked: false, ..token },
            "delete" => Self { here: false, trash: true, ..token },
            other => panic!("what is {other}?"),
        }
    }

    fn found(token: &Token, here: bool, events: usize) -> Self {
        let (revoked, scopes) = (token.revoked.is_some(), token.scopes.len());
        Self { here, trash: !here, revoked, scopes, events }
    }
}

/// What was acknowledged so far.
#[derive(Default)]
pub(crate) struct Ledger {
    tokens: BTreeMap<String, TokenState>,
    /// The secret of each token that was told.
    secrets: BTreeMap<String, LeakedSecret>,
    /// Secrets that must not work any more.
    dead: Vec<LeakedSecret>,
    /// The change of each token that was begun and not acknowledged.
    begun: BTreeMap<String, String>,
    /// How many changes were acknowledged.
    pub(crate) acknowledged: usize,
}

impl Ledger {
    /// Takes in one line of a writer.
    pub(crate) fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["try", change, name] => {
                drop(self.begun.insert((*name).to_owned(), (*change).to_owned()));
            }
            ["ok", change, name, secret @ ..] => {
                self.begun.remove(*name);
                let token = self.tokens.entry((*name).to_owned()).or_default();
                *token = token.after(change);
                self.acknowledged += 1;
                if let [secret] = secret {
                    let secret = Secret::parse((*secret).to_owned().into()).unwrap();
                    let old = self.secrets.insert((*name).to_owned(), LeakedSecret::from(&secret));
                    self.dead.extend(old);
                }
            }
            _ => {}
        }
    }

    /// Compares the store with what is known; the store must hold no more and no less.
    pub(crate) fn check(&mut self, store: &Store, service: &Service) {
        let mut found = tokens_of(store);
        let begun = std::mem::take(&mut self.begun);
        let names: BTreeSet<String> = self.tokens.keys().chain(begun.keys()).cloned().collect();
        for name in names {
            let known = self.tokens.get(&name).cloned().unwrap_or_default();
            let (is, digest) = found.remove(&name).unwrap_or_default();
            let change = begun.get(&name).filter(|change| known.after(change) == is);
            assert!(is == known || change.is_some(), "{name} is {is:?}, known {known:?} {begun:?}");
            if is == known {
                continue;
            }
            // Its new secret died with the writer; the old one must be dead.
            if change.is_some_and(|change| change == "regenerate") {
                let old = self.secrets.remove(&name).unwrap();
                assert!(digest.is_some_and(|digest| !digest.matches(&old.digest)));
                self.dead.push(old);
            }
            self.tokens.insert(name, is);
        }
        assert!(found.is_empty(), "from nowhere: {found:?}");
        self.check_secrets(service);
        self.check_trail(store);
    }

    fn check_secrets(&self, service: &Service) {
        let status = |secret| service.classify(secret).unwrap().status;
        for (name, secret) in &self.secrets {
            let expected = match &self.tokens[name] {
                TokenState { here: false, .. } => SecretStatus::Deleted,
                TokenState { revoked: true, .. } => SecretStatus::Revoked,
                _ => SecretStatus::Active,
            };
            assert_eq!(status(secret), expected, "{name}");
        }
        for secret in &self.dead {
            assert_eq!(status(secret), SecretStatus::Replaced, "alive again");
        }
    }

    fn check_trail(&self, store: &Store) {
        let chain = store.read(ReadOps::verify_chain).unwrap();
        let events: usize = self.tokens.values().map(|token| token.events).sum();
        assert_eq!((chain.events, chain.broken), (events as u64, None));
        assert_eq!(store.read(ReadOps::disagreements).unwrap(), Vec::<String>::new());
    }
}

/// Each token of the store by its name, deleted ones too.
fn tokens_of(store: &Store) -> BTreeMap<String, (TokenState, Option<Digest>)> {
    let tokens = store.read(ReadOps::tokens).unwrap();
    let trash = store.read(ReadOps::trash).unwrap();
    assert!(tokens.damaged.is_empty() && trash.damaged.is_empty());
    let here = tokens.rows.into_iter().map(|token| (token, true));
    let binned = trash.rows.into_iter().map(|binned| (binned.token, false));
    let row = |(token, here): (Token, bool)| {
        let state = TokenState::found(&token, here, events_of(store, &token.id));
        (token.name.to_string(), (state, Some(token.digest)))
    };
    here.chain(binned).map(row).collect()
}

fn events_of(store: &Store, id: &TokenId) -> usize {
    let found = store.read(|rows| rows.events_of(id, usize::MAX)).unwrap();
    assert!(found.damaged.is_empty());
    found.rows.len()
}
