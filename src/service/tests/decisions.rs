//! The check against a reference of ten lines that knows nothing of patdeck: random catalogues,
//! scopes, sequences of changes and clocks, and wrong secrets of every kind. 100,000 decisions in
//! each run.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};

use super::*;
use crate::domain::{Catalogue, id::ALPHABET};

/// Entity type, entity, operation, domain.
type Words = (&'static str, &'static str, &'static str, Option<&'static str>);

/// A token as the reference sees it: plain words and minutes.
#[derive(Debug, Clone)]
struct Known {
    id: TokenId,
    secret: String,
    old: Option<(String, i64)>,
    revoked: bool,
    ends: i64,
    scopes: Vec<Words>,
}

/// The reference.
fn allowed(tokens: &[Known], secret: &str, asked: Words, now: i64) -> bool {
    let (kind, entity, operation, domain) = asked;
    tokens.iter().any(|token| {
        let previous = token.old.as_ref().is_some_and(|(old, end)| old == secret && now < *end);
        let holds = |(k, e, o, d): &Words| {
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
enum Step {
    Create(i64, Vec<Words>),
    Revoke(Index),
    Regenerate(Index, i64, Overlap),
    Delete(Index),
    /// A new token under the name of a deleted one.
    Again(Index),
    Restore,
    Add(Index, Words),
    Remove(Index, Index),
    Wait(i64),
    /// To the very instant at which a token expires, or an old secret retires.
    Meet(Index, bool),
}

/// How a secret is presented.
#[derive(Debug, Clone)]
enum Presented {
    AsItIs,
    /// One character is another one, its checksum mended or not.
    Off(Index, u8, bool),
    /// With the id of this one, its checksum mended.
    IdOf(Index),
    Cut(Index),
    Prefixed,
}

fn words() -> impl Strategy<Value = Words> {
    (
        select(&["channels", "clients"][..]),
        select(&["*", "a", "b"][..]),
        select(&["read", "update"][..]),
        select(&[None, None, Some("d"), Some("e")][..]),
    )
}

/// Few different ones, so that instants meet.
fn life() -> impl Strategy<Value = i64> {
    select(&[10_i64, 15, 20, 60, 75][..])
}

fn wait() -> impl Strategy<Value = i64> {
    select(&[-30_i64, -5, 5, 5, 10, 15, 45, DAY][..])
}

fn step() -> impl Strategy<Value = Step> {
    let n = any::<Index>;
    prop_oneof![
        4 => (life(), vec(words(), 0..5)).prop_map(|(life, scopes)| Step::Create(life, scopes)),
        1 => n().prop_map(Step::Revoke),
        3 => (n(), life(), select(&Overlap::ALL[..])).prop_map(|(n, life, o)| Step::Regenerate(n, life, o)),
        1 => n().prop_map(Step::Delete),
        1 => n().prop_map(Step::Again),
        1 => Just(Step::Restore),
        3 => (n(), words()).prop_map(|(n, scope)| Step::Add(n, scope)),
        2 => (n(), n()).prop_map(|(n, scope)| Step::Remove(n, scope)),
        2 => wait().prop_map(Step::Wait),
        4 => (n(), any::<bool>()).prop_map(|(n, old)| Step::Meet(n, old)),
    ]
}

fn presented_as() -> impl Strategy<Value = Presented> {
    let n = any::<Index>;
    prop_oneof![
        12 => Just(Presented::AsItIs),
        3 => (n(), 0..62_u8, any::<bool>()).prop_map(|(at, c, mended)| Presented::Off(at, c, mended)),
        3 => n().prop_map(Presented::IdOf),
        1 => n().prop_map(Presented::Cut),
        1 => Just(Presented::Prefixed),
    ]
}

/// `text` with the checksum that its other characters have.
fn mended(text: &str) -> String {
    let body = &text[..text.len() - 6];
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut sum = [b'0'; 6];
    for slot in sum.iter_mut().rev() {
        *slot = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    format!("{body}{}", std::str::from_utf8(&sum).unwrap())
}

impl Presented {
    fn of(&self, secrets: &[String], secret: &str) -> String {
        match self {
            Self::AsItIs => secret.to_owned(),
            Self::Off(at, c, whole) => {
                let at = 4 + at.index(secret.len() - 4);
                let mut bytes = secret.as_bytes().to_vec();
                bytes[at] = ALPHABET[usize::from(*c)];
                let text = String::from_utf8(bytes).unwrap();
                if *whole { mended(&text) } else { text }
            }
            Self::IdOf(other) => {
                let other = &secrets[other.index(secrets.len())];
                mended(&format!("{}{}", &other[..17], &secret[17..]))
            }
            Self::Cut(at) => secret[..at.index(secret.len())].to_owned(),
            Self::Prefixed => format!("x{secret}"),
        }
    }
}

struct Run {
    world: World,
    tokens: Vec<Known>,
    /// Deleted ones, oldest first.
    trash: Vec<Known>,
    names: Vec<(TokenId, String)>,
    secrets: Vec<String>,
    minute: i64,
    /// The latest change: the clock counts from there at least.
    mark: i64,
}

fn as_scope((kind, entity, operation, domain): Words) -> Scope {
    let within = domain.map(|domain| format!("@{domain}")).unwrap_or_default();
    scope(&format!("{kind}:{entity}:{operation}{within}"))
}

impl Run {
    fn new(catalogue: Catalogue) -> Self {
        let mut world = World::new();
        world.service.policy.catalogue = catalogue;
        let (tokens, trash, names, secrets) = (vec![], vec![], vec![], vec![]);
        Self { world, tokens, trash, names, secrets, minute: 0, mark: i64::MIN }
    }

    fn now(&self) -> i64 {
        self.minute.max(self.mark)
    }

    fn pick(&mut self, index: Index) -> Option<&mut Known> {
        if self.tokens.is_empty() {
            return None;
        }
        let at = index.index(self.tokens.len());
        self.tokens.get_mut(at)
    }

    /// Does `step`; what the service refuses changes nothing for the reference either.
    fn take(&mut self, step: Step) {
        let now = self.now();
        let done = match step {
            Step::Wait(minutes) => self.go_to(self.minute + minutes),
            Step::Meet(index, old) => {
                let end = |token: &Known| {
                    if old { token.old.as_ref().map(|(_, end)| *end) } else { Some(token.ends) }
                };
                let ends = self.tokens.iter().filter_map(end);
                let ahead: Vec<_> = ends.filter(|end| *end > now).collect();
                ahead.get(index.index(ahead.len().max(1))).is_some_and(|end| self.go_to(*end))
            }
            Step::Create(life, scopes) => {
                let name = format!("t{}", self.names.len());
                self.create(&name, life, scopes, now)
            }
            Step::Again(index) => {
                let gone: Vec<_> = self.trash.iter().map(|token| token.id).collect();
                let name = (!gone.is_empty()).then(|| gone[index.index(gone.len())]);
                let name = name.and_then(|id| self.names.iter().find(|(other, _)| *other == id));
                let name = name.map(|(_, name)| name.clone());
                name.is_some_and(|name| {
                    self.create(&name, 100, vec![("clients", "*", "read", None)], now)
                })
            }
            Step::Restore => self.restore(),
            Step::Delete(index) => self.delete(index),
            Step::Revoke(index) => self.change(index, |world, token| {
                let done = world.revoke(&token.id).is_ok();
                token.revoked = true;
                done
            }),
            Step::Add(index, words) => self.change(index, |world, token| {
                let done = world.add_scopes(&token.id, &[as_scope(words)]).is_ok();
                if done {
                    token.scopes.push(words);
                }
                done
            }),
            Step::Remove(index, which) => self.change(index, |world, token| {
                if token.scopes.is_empty() {
                    return false;
                }
                let gone = token.scopes[which.index(token.scopes.len())];
                let done = world.remove_scope(&token.id, &as_scope(gone)).is_ok();
                // One that `*` had absorbed goes with it; until then it changes no answer.
                let covered = |s: &Words| {
                    (s.0, s.2, s.3) == (gone.0, gone.2, gone.3) && (gone.1 == "*" || gone.1 == s.1)
                };
                if done {
                    token.scopes.retain(|scope| !covered(scope));
                }
                done
            }),
            Step::Regenerate(index, life, overlap) => self.regenerate(index, life, overlap, now),
        };
        if done {
            self.mark = now;
        }
    }

    /// Each scope that a token holds, with each of its secrets: what an instant can change.
    fn held(&self) -> Vec<(String, Words)> {
        let both = |token: &Known| {
            let secrets = [Some(&token.secret), token.old.as_ref().map(|(old, _)| old)];
            let pairs = secrets
                .into_iter()
                .flatten()
                .flat_map(|secret| token.scopes.iter().map(|words| (secret.clone(), *words)));
            pairs.collect::<Vec<_>>()
        };
        self.tokens.iter().flat_map(both).collect()
    }

    /// Sets the clock, which changes no token.
    fn go_to(&mut self, minute: i64) -> bool {
        self.minute = minute;
        self.world.go_to(minute);
        false
    }

    fn change(&mut self, index: Index, change: impl Fn(&World, &mut Known) -> bool) -> bool {
        let Some(mut token) = self.pick(index).cloned() else { return false };
        let done = change(&self.world, &mut token);
        *self.pick(index).unwrap() = token;
        done
    }

    fn create(&mut self, name: &str, life: i64, scopes: Vec<Words>, now: i64) -> bool {
        let mut asked: Vec<Words> = Vec::new();
        for words in scopes {
            let known = self.world.service.policy.catalogue.check(&as_scope(words)).is_ok();
            let covered = |s: &Words| (s.0, s.2, s.3) == (words.0, words.2, words.3);
            if known && !asked.iter().any(covered) {
                asked.push(words);
            }
        }
        let new = NewToken {
            lifetime: lifetime(&format!("{life}m")),
            scopes: asked.iter().map(|words| as_scope(*words)).collect(),
            ..new(name)
        };
        let Ok(issued) = self.world.create(&new) else { return false };
        let secret = issued.secret.reveal().to_owned();
        self.secrets.push(secret.clone());
        self.names.push((issued.token.id, name.to_owned()));
        let (id, ends) = (issued.token.id, now + life);
        self.tokens.push(Known { id, secret, old: None, revoked: false, ends, scopes: asked });
        true
    }

    fn regenerate(&mut self, index: Index, life: i64, overlap: Overlap, now: i64) -> bool {
        let Some(mut token) = self.pick(index).cloned() else { return false };
        let renewed = self.world.regenerate(&token.id, renewal(&format!("{life}m"), overlap));
        let Ok(issued) = renewed else { return false };
        let minutes = match overlap {
            Overlap::None => 0,
            Overlap::QuarterHour => 15,
            Overlap::Hour => 60,
            Overlap::Day => DAY,
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
        self.world.delete(&id).unwrap();
        let at = self.tokens.iter().position(|token| token.id == id).unwrap();
        self.trash.push(self.tokens.remove(at));
        true
    }

    fn restore(&mut self) -> bool {
        let Ok(restored) = self.world.restore_last() else { return false };
        for token in restored {
            let at = self.trash.iter().position(|other| other.id == token.id).unwrap();
            self.tokens.push(self.trash.remove(at));
        }
        true
    }
}

type Asked = (Index, Presented, Words);

fn asked() -> impl Strategy<Value = Asked> {
    (any::<Index>(), presented_as(), words())
}

/// The built-in catalogue without some of its types and operations.
fn catalogue() -> impl Strategy<Value = Catalogue> {
    vec(any::<bool>(), 4).prop_map(|kept| {
        let mut catalogue = Catalogue::default();
        for (at, name) in ["channels", "clients"].into_iter().enumerate() {
            for offer in catalogue.offers.iter_mut().filter(|o| o.entity_type.as_str() == name) {
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
    fn every_decision_is_that_of_the_reference(
        catalogue in catalogue(), steps in vec((step(), vec(asked(), 25)), 20),
    ) {
        let mut run = Run::new(catalogue);
        for (step, asked) in steps {
            run.take(step);
            let drawn = asked.iter().filter(|_| !run.secrets.is_empty()).map(|(which, how, words)| {
                (how.of(&run.secrets, &run.secrets[which.index(run.secrets.len())]), *words)
            });
            for (secret, words) in drawn.chain(run.held()) {
                let text = Zeroizing::new(secret.clone());
                let request = request(&as_scope(words).to_string());
                let verdict = run.world.service.check(text, Some(&request), None).unwrap();
                let expected = allowed(&run.tokens, &secret, words, run.now());
                prop_assert_eq!(verdict.decision.is_allowed(), expected, "{:?}", verdict.decision);
                // Who presents no secret of a token that is there is told of none.
                let there = run.tokens.iter().find(|token| {
                    token.secret == secret || token.old.as_ref().is_some_and(|(old, _)| *old == secret)
                });
                let whose = verdict.token.map(|token| token.id);
                prop_assert!(whose.is_none() || whose == there.map(|token| token.id));
            }
        }
    }
}
