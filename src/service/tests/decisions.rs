//! Compares the check with an independent reference of ten lines, after random changes and clock
//! steps, with random catalogues, scopes and altered secrets. 100,000 decisions per run.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

use super::*;
use crate::domain::{ScopeCatalogue, id::ALPHABET};

/// Entity type, entity, operation, domain.
type ScopeWords = (&'static str, &'static str, &'static str, Option<&'static str>);

/// A token of the reference, made of plain strings and minutes.
#[derive(Debug, Clone)]
struct ReferenceToken {
    id: TokenId,
    secret: String,
    old: Option<(String, i64)>,
    revoked: bool,
    ends: i64,
    scopes: Vec<ScopeWords>,
}

/// The reference decision.
fn reference_allows(
    tokens: &[ReferenceToken],
    secret: &str,
    request: ScopeWords,
    now: i64,
) -> bool {
    let (kind, entity, operation, domain) = request;
    tokens.iter().any(|token| {
        let previous = token.old.as_ref().is_some_and(|(old, end)| old == secret && now < *end);
        let holds = |(k, e, o, d): &ScopeWords| {
            *k == kind
                && *o == operation
                && (*e == "*" || *e == entity)
                && (d.is_none() || *d == domain)
        };
        (token.secret == secret || previous)
            && !token.revoked
            && now < token.ends
            && token.scopes.iter().any(holds)
    })
}

#[derive(Debug, Clone)]
enum RandomChange {
    Create(i64, Vec<ScopeWords>),
    Revoke(Index),
    Regenerate(Index, i64, SecretOverlap),
    Delete(Index),
    /// Creates a token with the name of a deleted token.
    RecreateName(Index),
    Restore,
    Add(Index, ScopeWords),
    Remove(Index, Index),
    Wait(i64),
    /// Moves the clock to the instant at which a token or a previous secret expires.
    WaitUntilExpiry(Index, bool),
}

/// How a secret is presented.
#[derive(Debug, Clone)]
enum Presentation {
    Unchanged,
    /// One character is replaced; the flag recomputes the checksum.
    OneCharReplaced(Index, u8, bool),
    /// The id of another secret, with a recomputed checksum.
    IdReplaced(Index),
    Truncated(Index),
    Prefixed,
}

fn random_scope() -> impl Strategy<Value = ScopeWords> {
    (
        select(&["channels", "clients"][..]),
        select(&["*", "a", "b"][..]),
        select(&["read", "update"][..]),
        select(&[None, None, Some("d"), Some("e")][..]),
    )
}

/// Few different minutes, so that several expiries coincide.
fn random_lifetime() -> impl Strategy<Value = i64> {
    select(&[10_i64, 15, 20, 60, 75][..])
}

fn random_wait() -> impl Strategy<Value = i64> {
    select(&[-30_i64, -5, 5, 5, 10, 15, 45, DAY][..])
}

fn random_change() -> impl Strategy<Value = RandomChange> {
    let n = any::<Index>;
    prop_oneof![
        4 => (random_lifetime(), vec(random_scope(), 0..5)).prop_map(|(life, scopes)| RandomChange::Create(life, scopes)),
        1 => n().prop_map(RandomChange::Revoke),
        3 => (n(), random_lifetime(), select(&SecretOverlap::ALL[..])).prop_map(|(n, life, o)| RandomChange::Regenerate(n, life, o)),
        1 => n().prop_map(RandomChange::Delete),
        1 => n().prop_map(RandomChange::RecreateName),
        1 => Just(RandomChange::Restore),
        3 => (n(), random_scope()).prop_map(|(n, scope)| RandomChange::Add(n, scope)),
        2 => (n(), n()).prop_map(|(n, scope)| RandomChange::Remove(n, scope)),
        2 => random_wait().prop_map(RandomChange::Wait),
        4 => (n(), any::<bool>()).prop_map(|(n, old)| RandomChange::WaitUntilExpiry(n, old)),
    ]
}

fn random_presentation() -> impl Strategy<Value = Presentation> {
    let n = any::<Index>;
    prop_oneof![
        12 => Just(Presentation::Unchanged),
        3 => (n(), 0..62_u8, any::<bool>()).prop_map(|(at, c, valid)| Presentation::OneCharReplaced(at, c, valid)),
        3 => n().prop_map(Presentation::IdReplaced),
        1 => n().prop_map(Presentation::Truncated),
        1 => Just(Presentation::Prefixed),
    ]
}

/// Returns `text` with a valid checksum.
fn with_valid_checksum(text: &str) -> String {
    let body = &text[..text.len() - 6];
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut sum = [b'0'; 6];
    for slot in sum.iter_mut().rev() {
        *slot = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    format!("{body}{}", std::str::from_utf8(&sum).unwrap())
}

impl Presentation {
    fn of(&self, secrets: &[String], secret: &str) -> String {
        match self {
            Self::Unchanged => secret.to_owned(),
            Self::OneCharReplaced(at, c, is_valid) => {
                let at = 4 + at.index(secret.len() - 4);
                let mut bytes = secret.as_bytes().to_vec();
                bytes[at] = ALPHABET[usize::from(*c)];
                let text = String::from_utf8(bytes).unwrap();
                if *is_valid { with_valid_checksum(&text) } else { text }
            }
            Self::IdReplaced(other) => {
                let other = &secrets[other.index(secrets.len())];
                with_valid_checksum(&format!("{}{}", &other[..17], &secret[17..]))
            }
            Self::Truncated(at) => secret[..at.index(secret.len())].to_owned(),
            Self::Prefixed => format!("x{secret}"),
        }
    }
}

struct Simulation {
    fixture: TestService,
    tokens: Vec<ReferenceToken>,
    /// Deleted tokens, oldest first.
    trash: Vec<ReferenceToken>,
    names: Vec<(TokenId, String)>,
    secrets: Vec<String>,
    minute: i64,
    /// The latest minute that was seen, a lower bound of the time that decisions use.
    newest_seen: i64,
}

fn as_scope((kind, entity, operation, domain): ScopeWords) -> Scope {
    let within = domain.map(|domain| format!("@{domain}")).unwrap_or_default();
    scope(&format!("{kind}:{entity}:{operation}{within}"))
}

impl Simulation {
    fn new(catalogue: ScopeCatalogue) -> Self {
        let mut fixture = TestService::new();
        fixture.service.policy.catalogue = catalogue;
        fixture.now().unwrap();
        let (tokens, trash, names, secrets) = (vec![], vec![], vec![], vec![]);
        Self { fixture, tokens, trash, names, secrets, minute: 0, newest_seen: 0 }
    }

    fn now(&self) -> i64 {
        self.minute.max(self.newest_seen)
    }

    fn pick(&mut self, index: Index) -> Option<&mut ReferenceToken> {
        if self.tokens.is_empty() {
            return None;
        }
        let at = index.index(self.tokens.len());
        self.tokens.get_mut(at)
    }

    /// Applies `step` to the service, and to the reference if the service accepts it.
    fn apply(&mut self, step: RandomChange) {
        let now = self.now();
        let done = match step {
            RandomChange::Wait(minutes) => self.set_clock(self.minute + minutes),
            RandomChange::WaitUntilExpiry(index, old) => {
                let end = |token: &ReferenceToken| {
                    if old { token.old.as_ref().map(|(_, end)| *end) } else { Some(token.ends) }
                };
                let ends = self.tokens.iter().filter_map(end);
                let ahead: Vec<_> = ends.filter(|end| *end > now).collect();
                ahead.get(index.index(ahead.len().max(1))).is_some_and(|end| self.set_clock(*end))
            }
            RandomChange::Create(life, scopes) => {
                let name = format!("t{}", self.names.len());
                self.create(&name, life, scopes, now)
            }
            RandomChange::RecreateName(index) => {
                let gone: Vec<_> = self.trash.iter().map(|token| token.id).collect();
                let name = (!gone.is_empty()).then(|| gone[index.index(gone.len())]);
                let name = name.and_then(|id| self.names.iter().find(|(other, _)| *other == id));
                let name = name.map(|(_, name)| name.clone());
                name.is_some_and(|name| {
                    self.create(&name, 100, vec![("clients", "*", "read", None)], now)
                })
            }
            RandomChange::Restore => self.restore(),
            RandomChange::Delete(index) => self.delete(index),
            RandomChange::Revoke(index) => self.change(index, |fixture, token| {
                let done = fixture.revoke(&token.id).is_ok();
                token.revoked = true;
                done
            }),
            RandomChange::Add(index, words) => self.change(index, |fixture, token| {
                let done = fixture.add_scopes(&token.id, &[as_scope(words)]).is_ok();
                if done {
                    token.scopes.push(words);
                }
                done
            }),
            RandomChange::Remove(index, scope) => self.change(index, |fixture, token| {
                if token.scopes.is_empty() {
                    return false;
                }
                let gone = token.scopes[scope.index(token.scopes.len())];
                let done = fixture.remove_scope(&token.id, &as_scope(gone)).is_ok();
                // Removing `*` also removes the scopes that it absorbed, which had no effect.
                let covered = |s: &ScopeWords| {
                    (s.0, s.2, s.3) == (gone.0, gone.2, gone.3) && (gone.1 == "*" || gone.1 == s.1)
                };
                if done {
                    token.scopes.retain(|scope| !covered(scope));
                }
                done
            }),
            RandomChange::Regenerate(index, life, overlap) => {
                self.regenerate(index, life, overlap, now)
            }
        };
        if done {
            self.newest_seen = now;
        }
    }

    /// Returns each secret of a token with each scope of that token. Only the decisions on these
    /// pairs can change with time.
    fn held_scopes(&self) -> Vec<(String, ScopeWords)> {
        let both = |token: &ReferenceToken| {
            let secrets = [Some(&token.secret), token.old.as_ref().map(|(old, _)| old)];
            let pairs = secrets
                .into_iter()
                .flatten()
                .flat_map(|secret| token.scopes.iter().map(|words| (secret.clone(), *words)));
            pairs.collect::<Vec<_>>()
        };
        self.tokens.iter().flat_map(both).collect()
    }

    /// Sets the clock. Returns `false`, because no token changes.
    fn set_clock(&mut self, minute: i64) -> bool {
        self.minute = minute;
        self.fixture.set_minute(minute);
        // From now on, the process has seen this time.
        self.fixture.now().unwrap();
        self.newest_seen = self.newest_seen.max(minute);
        false
    }

    fn change(
        &mut self,
        index: Index,
        change: impl Fn(&TestService, &mut ReferenceToken) -> bool,
    ) -> bool {
        let Some(mut token) = self.pick(index).cloned() else { return false };
        let done = change(&self.fixture, &mut token);
        *self.pick(index).unwrap() = token;
        done
    }

    fn create(&mut self, name: &str, life: i64, scopes: Vec<ScopeWords>, now: i64) -> bool {
        let mut offered: Vec<ScopeWords> = Vec::new();
        for words in scopes {
            let known = self.fixture.service.policy.catalogue.check(&as_scope(words)).is_ok();
            let covered = |s: &ScopeWords| (s.0, s.2, s.3) == (words.0, words.2, words.3);
            if known && !offered.iter().any(covered) {
                offered.push(words);
            }
        }
        let new = NewToken {
            lifetime: lifetime(&format!("{life}m")),
            scopes: offered.iter().map(|words| as_scope(*words)).collect(),
            ..new_token(name)
        };
        let Ok(issued) = self.fixture.create(&new) else { return false };
        let secret = issued.secret.reveal().to_owned();
        self.secrets.push(secret.clone());
        self.names.push((issued.token.id, name.to_owned()));
        let (id, ends) = (issued.token.id, now + life);
        self.tokens.push(ReferenceToken {
            id,
            secret,
            old: None,
            revoked: false,
            ends,
            scopes: offered,
        });
        true
    }

    fn regenerate(&mut self, index: Index, life: i64, overlap: SecretOverlap, now: i64) -> bool {
        let Some(mut token) = self.pick(index).cloned() else { return false };
        let regenerated =
            self.fixture.regenerate(&token.id, regenerate_options(&format!("{life}m"), overlap));
        let Ok(issued) = regenerated else { return false };
        let minutes = match overlap {
            SecretOverlap::None => 0,
            SecretOverlap::QuarterHour => 15,
            SecretOverlap::Hour => 60,
            SecretOverlap::Day => DAY,
        };
        let end = token.ends.min(now + minutes);
        let secret = issued.secret.reveal().to_owned();
        token.old = (minutes > 0).then(|| (token.secret.clone(), end));
        (token.secret, token.revoked, token.ends) = (secret.clone(), false, now + life);
        self.secrets.push(secret);
        *self.pick(index).unwrap() = token;
        true
    }

    fn delete(&mut self, index: Index) -> bool {
        let Some(id) = self.pick(index).map(|token| token.id) else { return false };
        self.fixture.delete(&id).unwrap();
        let at = self.tokens.iter().position(|token| token.id == id).unwrap();
        self.trash.push(self.tokens.remove(at));
        true
    }

    fn restore(&mut self) -> bool {
        let Ok(restored) = self.fixture.restore_last() else { return false };
        for token in restored {
            let at = self.trash.iter().position(|other| other.id == token.id).unwrap();
            self.tokens.push(self.trash.remove(at));
        }
        true
    }
}

type RandomRequest = (Index, Presentation, ScopeWords);

fn random_request() -> impl Strategy<Value = RandomRequest> {
    (any::<Index>(), random_presentation(), random_scope())
}

/// The built-in catalogue without some of its types and operations.
fn random_catalogue() -> impl Strategy<Value = ScopeCatalogue> {
    vec(any::<bool>(), 4).prop_map(|kept| {
        let mut catalogue = ScopeCatalogue::default();
        for (at, name) in ["channels", "clients"].into_iter().enumerate() {
            for offer in
                catalogue.entity_types.iter_mut().filter(|o| o.entity_type.as_str() == name)
            {
                offer.operations.retain(|o| o.as_str() != "update" || kept[at]);
            }
        }
        catalogue
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(200),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_decision_matches_the_reference(
        catalogue in random_catalogue(), steps in vec((random_change(), vec(random_request(), 25)), 20),
    ) {
        let mut run = Simulation::new(catalogue);
        for (step, requests) in steps {
            run.apply(step);
            let random = requests.iter().filter(|_| !run.secrets.is_empty()).map(|(index, presentation, words)| {
                (presentation.of(&run.secrets, &run.secrets[index.index(run.secrets.len())]), *words)
            });
            for (secret, words) in random.chain(run.held_scopes()) {
                let text = Zeroizing::new(secret.clone());
                let request = request(&as_scope(words).to_string());
                let verdict = run.fixture.service.check(text, Some(&request), None).unwrap();
                let expected = reference_allows(&run.tokens, &secret, words, run.now());
                prop_assert_eq!(verdict.decision.is_allowed(), expected, "{:?}", verdict.decision);
                // A secret that matches no token reveals no token.
                let matching = run.tokens.iter().find(|token| {
                    token.secret == secret || token.old.as_ref().is_some_and(|(old, _)| *old == secret)
                });
                let revealed = verdict.token.map(|token| token.id);
                prop_assert!(revealed.is_none() || revealed == matching.map(|token| token.id));
            }
        }
    }
}
