//! Compares random sequences of changes with a simple model, after each change.

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Debug, Clone)]
enum RandomChange {
    Create(usize),
    Revoke(usize),
    Regenerate(usize, SecretOverlap),
    Delete(usize),
    Restore,
    Add(usize),
    Remove(usize),
    Wait(i64),
}

fn random_change() -> impl Strategy<Value = RandomChange> {
    let name = 0..4_usize;
    prop_oneof![
        3 => name.clone().prop_map(RandomChange::Create),
        2 => name.clone().prop_map(RandomChange::Revoke),
        3 => (name.clone(), prop::sample::select(&SecretOverlap::ALL[..]))
            .prop_map(|(n, overlap)| RandomChange::Regenerate(n, overlap)),
        2 => name.clone().prop_map(RandomChange::Delete),
        2 => Just(RandomChange::Restore),
        1 => name.clone().prop_map(RandomChange::Add),
        1 => name.prop_map(RandomChange::Remove),
        3 => prop_oneof![1..70_i64, Just(DAY), -90..0_i64].prop_map(RandomChange::Wait),
    ]
}

/// A token of the model. Names and secrets are numbers.
#[derive(Debug, Clone)]
struct ModelToken {
    id: TokenId,
    name: usize,
    secret: usize,
    previous: Option<(usize, i64)>,
    ends: i64,
    revoked: bool,
    scope: bool,
}

/// A minute, and a tick that orders deletes within the same minute.
type MinuteAndTick = (i64, u32);

/// The expected state of the store.
#[derive(Debug)]
struct Model {
    tokens: Vec<ModelToken>,
    /// Deleted tokens, oldest first.
    trash: Vec<(ModelToken, MinuteAndTick)>,
    /// The latest minute that was seen, a lower bound of the time that decisions use.
    newest_seen: i64,
}

impl Model {
    fn expected(&self, secret: usize, now: i64) -> &'static str {
        let has = |t: &&ModelToken| {
            t.secret == secret || t.previous.is_some_and(|(old, end)| old == secret && now < end)
        };
        match self.tokens.iter().find(has) {
            None => "unknown",
            Some(token) if token.revoked => "revoked",
            Some(token) if now >= token.ends => "expired",
            Some(token) if !token.scope => "no scope",
            Some(_) => "allowed",
        }
    }

    fn find_by_name(&mut self, name: usize) -> Option<&mut ModelToken> {
        self.tokens.iter_mut().find(|token| token.name == name)
    }
}

fn decision_label(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allow(_) => "allowed",
        Decision::Deny(Denial::Malformed(_)) => "malformed",
        Decision::Deny(Denial::Unknown) => "unknown",
        Decision::Deny(Denial::Revoked(_)) => "revoked",
        Decision::Deny(Denial::Expired(_)) => "expired",
        Decision::Deny(Denial::NotYetValid(_)) => "not yet valid",
        Decision::Deny(Denial::SourceNotAllowed(_)) => "source not allowed",
        Decision::Deny(Denial::UsesExhausted(_)) => "uses exhausted",
        Decision::Deny(Denial::StaleRecord) => "stale-record",
        Decision::Deny(Denial::NoScope(_)) => "no scope",
    }
}

struct Simulation {
    fixture: TestService,
    model: Model,
    secrets: Vec<Secret>,
    minute: i64,
}

impl Simulation {
    /// Lifetime of each token, in minutes.
    const LIFETIME: i64 = 60;

    fn push_secret(&mut self, issued: IssuedToken) -> usize {
        self.secrets.push(issued.secret);
        self.secrets.len() - 1
    }

    /// Applies `step` to the service and the model. Panics unless both accept or both refuse it.
    fn apply(&mut self, step: &RandomChange) {
        let now = self.minute.max(self.model.newest_seen);
        let done = match *step {
            RandomChange::Wait(minutes) => {
                self.minute += minutes;
                self.fixture.set_minute(self.minute);
                // From now on, the process has seen this time.
                self.fixture.now().unwrap();
                self.model.newest_seen = self.model.newest_seen.max(self.minute);
                return;
            }
            RandomChange::Create(name) => self.create(name, now),
            RandomChange::Regenerate(name, overlap) => self.regenerate(name, overlap, now),
            RandomChange::Delete(name) => self.delete(name, now),
            RandomChange::Restore => self.restore(now),
            RandomChange::Revoke(name) => self.change(name, |fixture, token| {
                let done = fixture.revoke(&token.id).is_ok();
                assert_eq!(done, !token.revoked);
                token.revoked = true;
                token.previous = None;
                done
            }),
            RandomChange::Add(name) => self.change(name, |fixture, token| {
                let done = fixture.add_scopes(&token.id, &[scope(PUBLISH)]).is_ok();
                assert_eq!(done, !token.scope);
                token.scope = true;
                done
            }),
            RandomChange::Remove(name) => self.change(name, |fixture, token| {
                let done = fixture.remove_scope(&token.id, &scope(PUBLISH)).is_ok();
                assert_eq!(done, token.scope);
                token.scope = false;
                done
            }),
        };
        if done {
            self.model.newest_seen = now;
        }
    }

    fn change(
        &mut self,
        name: usize,
        change: impl Fn(&TestService, &mut ModelToken) -> bool,
    ) -> bool {
        let fixture = &self.fixture;
        self.model.find_by_name(name).is_some_and(|token| change(fixture, token))
    }

    fn create(&mut self, number: usize, now: i64) -> bool {
        let new = NewToken {
            lifetime: lifetime("1h"),
            scopes: vec![scope(PUBLISH)],
            ..new_token(&format!("t{number}"))
        };
        let created = self.fixture.create(&new);
        let is_behind = self.minute < now;
        assert_eq!(created.is_ok(), !is_behind && self.model.find_by_name(number).is_none());
        let Ok(issued) = created else { return false };
        let id = issued.token.id;
        let secret = self.push_secret(issued);
        self.model.tokens.push(ModelToken {
            id,
            name: number,
            secret,
            previous: None,
            ends: now + Self::LIFETIME,
            revoked: false,
            scope: true,
        });
        true
    }

    fn regenerate(&mut self, name: usize, overlap: SecretOverlap, now: i64) -> bool {
        let Some(token) = self.model.find_by_name(name).cloned() else {
            return false;
        };
        let options = regenerate_options("1h", overlap);
        let regenerated = self.fixture.regenerate(&token.id, options);
        let active = !token.revoked && now < token.ends;
        let overlaps = overlap != SecretOverlap::None;
        assert_eq!(regenerated.is_ok(), self.minute >= now && (active || !overlaps));
        let Ok(issued) = regenerated else { return false };
        let secret = self.push_secret(issued);
        let minutes = match overlap {
            SecretOverlap::None => 0,
            SecretOverlap::QuarterHour => 15,
            SecretOverlap::Hour => 60,
            SecretOverlap::Day => DAY,
        };
        let until = token.ends.min(now + minutes);
        if let Some(slot) = self.model.find_by_name(name) {
            *slot = ModelToken {
                secret,
                previous: overlaps.then_some((token.secret, until)),
                ends: now + Self::LIFETIME,
                revoked: false,
                ..token
            };
        }
        true
    }

    fn delete(&mut self, name: usize, now: i64) -> bool {
        let Some(index) = self.model.tokens.iter().position(|t| t.name == name) else {
            return false;
        };
        let token = self.model.tokens.remove(index);
        self.fixture.delete(&token.id).unwrap();
        let newest = self.model.trash.last().map(|(_, when)| *when);
        let when = newest.map_or((now, 0), |(minute, tick)| (now, 0).max((minute, tick + 1)));
        self.model.trash.push((token, when));
        true
    }

    fn restore(&mut self, now: i64) -> bool {
        let last = self.model.trash.last().cloned();
        let last = last.filter(|_| self.minute >= now).filter(|(token, when)| {
            (now - DAY, 0) < *when && self.model.tokens.iter().all(|t| t.name != token.name)
        });
        let restored = self.fixture.restore_last();
        assert_eq!(restored.is_ok(), last.is_some(), "{restored:?}");
        let Some((token, _)) = last else { return false };
        self.model.trash.pop();
        self.model.tokens.push(token);
        true
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let now = self.minute.max(self.model.newest_seen);
        for (n, secret) in self.secrets.iter().enumerate() {
            prop_assert_eq!(
                decision_label(&self.fixture.check(secret)),
                self.model.expected(n, now),
                "secret {}",
                n
            );
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(64),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn decisions_match_the_model_after_random_changes(
        steps in vec(random_change(), 1..40),
    ) {
        let mut run = Simulation {
            fixture: TestService::new(),
            model: Model {
                tokens: Vec::new(),
                trash: Vec::new(),
                newest_seen: 0,
            },
            secrets: Vec::new(),
            minute: 0,
        };
        run.fixture.now().unwrap();
        for step in &steps {
            run.apply(step);
            run.compare()?;
        }
        prop_assert_eq!(run.fixture.all().len(), run.model.tokens.len());
        run.fixture.events();
    }
}
