//! Any sequence of changes, compared after each with a model that a reader can check by eye.

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Create(usize),
    Revoke(usize),
    Regenerate(usize, Overlap),
    Delete(usize),
    Restore,
    Add(usize),
    Remove(usize),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..4_usize;
    prop_oneof![
        3 => which.clone().prop_map(Step::Create),
        2 => which.clone().prop_map(Step::Revoke),
        3 => (which.clone(), prop::sample::select(&Overlap::ALL[..]))
            .prop_map(|(n, overlap)| Step::Regenerate(n, overlap)),
        2 => which.clone().prop_map(Step::Delete),
        2 => Just(Step::Restore),
        1 => which.clone().prop_map(Step::Add),
        1 => which.prop_map(Step::Remove),
        3 => prop_oneof![1..70_i64, Just(DAY), -90..0_i64].prop_map(Step::Wait),
    ]
}

/// What the model knows of a token: its name by number, and of which secrets it has, by number.
#[derive(Debug, Clone)]
struct Token {
    id: TokenId,
    name: usize,
    secret: usize,
    previous: Option<(usize, i64)>,
    ends: i64,
    revoked: bool,
    scope: bool,
}

/// A minute and the ticks that set two deletes within it apart.
type When = (i64, u32);

/// The tokens, those deleted, oldest first, and the latest minute of a change.
#[derive(Debug)]
struct Model {
    tokens: Vec<Token>,
    trash: Vec<(Token, When)>,
    mark: i64,
}

impl Model {
    fn word(&self, secret: usize, now: i64) -> &'static str {
        let has = |t: &&Token| {
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

    fn at_name(&mut self, name: usize) -> Option<&mut Token> {
        self.tokens.iter_mut().find(|token| token.name == name)
    }
}

fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allow(_) => "allowed",
        Decision::Deny(Denial::Malformed(_)) => "malformed",
        Decision::Deny(Denial::Unknown) => "unknown",
        Decision::Deny(Denial::Revoked(_)) => "revoked",
        Decision::Deny(Denial::Expired(_)) => "expired",
        Decision::Deny(Denial::NoScope(_)) => "no scope",
    }
}

struct Run {
    world: World,
    model: Model,
    secrets: Vec<Secret>,
    minute: i64,
}

impl Run {
    /// How long tokens live here.
    const HOUR: i64 = 60;

    fn issued(&mut self, issued: Issued) -> usize {
        self.secrets.push(issued.secret);
        self.secrets.len() - 1
    }

    /// Does `step` to the service and to the model; whether both agree that it can be done.
    fn take(&mut self, step: &Step) {
        let now = self.minute.max(self.model.mark);
        let done = match *step {
            Step::Wait(minutes) => {
                self.minute += minutes;
                self.world.go_to(self.minute);
                return;
            }
            Step::Create(name) => self.create(name, now),
            Step::Regenerate(name, overlap) => self.regenerate(name, overlap, now),
            Step::Delete(name) => self.delete(name, now),
            Step::Restore => self.restore(now),
            Step::Revoke(name) => self.change(name, |world, token| {
                let done = world.revoke(&token.id).is_ok();
                assert_eq!(done, !token.revoked);
                token.revoked = true;
                token.previous = None;
                done
            }),
            Step::Add(name) => self.change(name, |world, token| {
                let done = world.add_scopes(&token.id, &[scope(PUBLISH)]).is_ok();
                assert_eq!(done, !token.scope);
                token.scope = true;
                done
            }),
            Step::Remove(name) => self.change(name, |world, token| {
                let done = world.remove_scope(&token.id, &scope(PUBLISH)).is_ok();
                assert_eq!(done, token.scope);
                token.scope = false;
                done
            }),
        };
        if done {
            self.model.mark = now;
        }
    }

    fn change(&mut self, name: usize, change: impl Fn(&World, &mut Token) -> bool) -> bool {
        let world = &self.world;
        self.model.at_name(name).is_some_and(|token| change(world, token))
    }

    fn create(&mut self, number: usize, now: i64) -> bool {
        let asked = NewToken {
            lifetime: lifetime("1h"),
            scopes: vec![scope(PUBLISH)],
            ..new(&format!("t{number}"))
        };
        let created = self.world.create(&asked);
        assert_eq!(created.is_ok(), self.model.at_name(number).is_none());
        let Ok(issued) = created else { return false };
        let id = issued.token.id;
        let secret = self.issued(issued);
        self.model.tokens.push(Token {
            id,
            name: number,
            secret,
            previous: None,
            ends: now + Self::HOUR,
            revoked: false,
            scope: true,
        });
        true
    }

    fn regenerate(&mut self, name: usize, overlap: Overlap, now: i64) -> bool {
        let Some(token) = self.model.at_name(name).cloned() else {
            return false;
        };
        let asked = renewal("1h", overlap);
        let renewed = self.world.regenerate(&token.id, asked);
        let active = !token.revoked && now < token.ends;
        let overlaps = overlap != Overlap::None;
        assert_eq!(renewed.is_ok(), active || !overlaps);
        let Ok(issued) = renewed else { return false };
        let secret = self.issued(issued);
        let minutes = match overlap {
            Overlap::None => 0,
            Overlap::QuarterHour => 15,
            Overlap::Hour => 60,
            Overlap::Day => DAY,
        };
        let until = token.ends.min(now + minutes);
        if let Some(slot) = self.model.at_name(name) {
            *slot = Token {
                secret,
                previous: overlaps.then_some((token.secret, until)),
                ends: now + Self::HOUR,
                revoked: false,
                ..token
            };
        }
        true
    }

    fn delete(&mut self, name: usize, now: i64) -> bool {
        let Some(place) = self.model.tokens.iter().position(|t| t.name == name) else {
            return false;
        };
        let token = self.model.tokens.remove(place);
        self.world.delete(&token.id).unwrap();
        let newest = self.model.trash.last().map(|(_, when)| *when);
        let when = newest.map_or((now, 0), |(minute, tick)| (now, 0).max((minute, tick + 1)));
        self.model.trash.push((token, when));
        true
    }

    fn restore(&mut self, now: i64) -> bool {
        let last = self.model.trash.last().cloned();
        let last = last.filter(|(token, when)| {
            (now - DAY, 0) < *when && self.model.tokens.iter().all(|t| t.name != token.name)
        });
        let restored = self.world.restore_last();
        assert_eq!(restored.is_ok(), last.is_some(), "{restored:?}");
        let Some((token, _)) = last else { return false };
        self.model.trash.pop();
        self.model.tokens.push(token);
        true
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let now = self.minute.max(self.model.mark);
        for (n, secret) in self.secrets.iter().enumerate() {
            prop_assert_eq!(
                word(&self.world.check(secret)),
                self.model.word(n, now),
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
    fn after_any_changes_each_secret_ever_issued_is_judged_as_the_model_does(
        steps in vec(step(), 1..40),
    ) {
        let mut run = Run {
            world: World::new(),
            model: Model {
                tokens: Vec::new(),
                trash: Vec::new(),
                mark: i64::MIN,
            },
            secrets: Vec::new(),
            minute: 0,
        };
        for step in &steps {
            run.take(step);
            run.compare()?;
        }
        prop_assert_eq!(run.world.all().len(), run.model.tokens.len());
        run.world.events();
    }
}
