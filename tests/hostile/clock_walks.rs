//! A clock that jumps ahead, back, before 1970 and past the year 9999, with every change in
//! between. Whatever the clock does: nothing panics, no secret that was denied works again without
//! `clock accept`, no token lasts longer than requested, and no record is damaged.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use patdeck::{
    domain::{
        Command, Decision, Denial, LifetimeLimits, NewToken, ScopesToRemove, SecretOverlap, Status,
        Timestamp, TokenId, TokensToDelete, TokensToRestore,
    },
    service::{Clock, Service, Verifier},
    store::Store,
    testing::ServiceTestExt as _,
};

use crate::{
    cases::{case_count, is_long, run_cases},
    subject::{new_token, service_on},
};

/// Number of steps in each walk.
fn step_count() -> usize {
    if is_long() { 200 } else { 60 }
}

/// A pseudo-random sequence: the walks must be the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.below(from.len())])
    }
}

struct Walk {
    random: Random,
    clock: Clock,
    store: Store,
    service: Service,
    verifier: Verifier,
    ids: Vec<TokenId>,
    secrets: Vec<String>,
    /// The secrets that were denied as expired since the clock was accepted.
    denied: HashSet<String>,
    names: usize,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let clock = Clock::fixed(Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap());
        let store = Store::memory().unwrap();
        let service = service_on(store.clone(), clock.clone());
        let verifier = service.verifier();
        let (ids, secrets, denied) = (Vec::new(), Vec::new(), HashSet::new());
        Self {
            random: Random(seed),
            clock,
            store,
            service,
            verifier,
            ids,
            secrets,
            denied,
            names: 0,
        }
    }

    fn jump(&mut self) {
        let seconds =
            [1, 4, 6, 59, 3_600, 7_200, 86_400, 30 * 86_400, 366 * 86_400, 9 * 366 * 86_400];
        let by = TimeDelta::seconds(seconds[self.random.below(seconds.len())]);
        let now = self.clock.now();
        let edges = ["1969-06-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"];
        let at: Timestamp = match self.random.below(8) {
            0..4 => now.checked_add_signed(by).unwrap_or(now),
            4..7 => now.checked_sub_signed(by).unwrap_or(now),
            _ if self.random.below(4) == 0 => {
                edges[self.random.below(edges.len())].parse().unwrap()
            }
            _ => Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap(),
        };
        self.clock.set(at);
    }

    fn lifetime(&mut self) -> patdeck::domain::Lifetime {
        ["1m", "1h", "1d", "366d"][self.random.below(4)].parse().unwrap()
    }

    fn next_command(&mut self) -> Option<Command> {
        let tokens: Vec<_> = self.random.pick(&self.ids).into_iter().collect();
        let scopes = vec!["channels:c-42:publish".parse().unwrap()];
        let kind = self.random.below(12);
        if tokens.is_empty() && kind > 2 {
            return None;
        }
        Some(match kind {
            0..=2 => {
                self.names += 1;
                let token = new_token(&format!("token-{}", self.names));
                let token = NewToken { lifetime: self.lifetime(), ..token };
                Command::Create { token, secret_file: None }
            }
            3 | 4 => {
                let overlap = [SecretOverlap::None, SecretOverlap::Hour, SecretOverlap::Day];
                let overlap = overlap[self.random.below(3)];
                let lifetime = Some(self.lifetime());
                Command::Regenerate { tokens, lifetime, overlap, secret_file: None }
            }
            5 => Command::Revoke { tokens },
            6 => Command::Delete { tokens: TokensToDelete::Listed(tokens) },
            7 => Command::Restore(TokensToRestore::LastDeletion),
            8 => Command::AddScopes { tokens, scopes },
            9 => Command::RemoveScopes { tokens, scopes: ScopesToRemove::All },
            10 => Command::EndOverlap { tokens },
            _ => Command::AcceptClock,
        })
    }

    /// Executes one change. Restricting changes must not be refused because of the clock.
    fn change(&mut self, case: &str) {
        let Some(command) = self.next_command() else { return };
        let behind = self.service.clock_report().unwrap().behind;
        let grants = matches!(
            command,
            Command::Create { .. } | Command::Regenerate { .. } | Command::Restore(_)
        );
        match self.service.execute_confirmed(&command) {
            Ok(done) => {
                assert!(behind.is_none() || !grants, "{case}: granted {command:?}");
                if command == Command::AcceptClock {
                    self.denied.clear();
                }
                for issued in done.issued {
                    self.check_lifetime(case, &command, &issued.token);
                    self.ids.push(issued.token.id);
                    self.secrets.push(issued.secret.reveal().to_owned());
                }
            }
            Err(error) => {
                let text = error.to_string();
                let is_by_clock = text.contains("is behind the newest time");
                assert_eq!(is_by_clock, behind.is_some() && grants, "{case}: {command:?}: {text}");
            }
        }
    }

    fn check_lifetime(&self, case: &str, command: &Command, token: &patdeck::domain::Token) {
        let requested = match command {
            Command::Create { token, .. } => Some(token.lifetime),
            Command::Regenerate { lifetime, .. } => *lifetime,
            _ => None,
        };
        let limits = LifetimeLimits::default();
        let expected = requested.unwrap().expiry(self.clock.now(), &limits, |wall| wall.and_utc());
        assert_eq!(token.expires, expected.unwrap(), "{case}");
        assert_eq!(token.issued, self.clock.now(), "{case}");
    }

    /// Checks all secrets, half of the time with a new process.
    fn check(&mut self, case: &str) {
        if self.random.below(2) == 0 {
            self.verifier.flush_usage().unwrap();
            // A new process has seen no earlier time.
            self.service = service_on(self.store.clone(), self.clock.clone());
            self.verifier = self.service.verifier();
        }
        for secret in &self.secrets {
            let verdict = self.verifier.check(secret.clone().into(), None, None).unwrap();
            match verdict.decision {
                Decision::Allow(_) => {
                    assert!(!self.denied.contains(secret), "{case}: a denied secret works again");
                    let token = verdict.token.unwrap();
                    assert_eq!(token.status(self.clock.now()), Status::Active, "{case}");
                }
                Decision::Deny(Denial::Expired(_)) => {
                    self.denied.insert(secret.clone());
                }
                Decision::Deny(_) => {}
            }
        }
    }
}

#[test]
fn no_walk_of_the_clock_revives_or_prolongs_a_secret() {
    let walk_all = |seed, (): &mut ()| {
        let mut walk = Walk::new(seed);
        for step in 0..step_count() {
            let case = format!("seed {seed}, step {step}, {}", walk.clock.now());
            walk.jump();
            walk.change(&case);
            walk.check(&case);
            // A regenerated or restored token may work again; its old secret is another one.
            let restored = walk.service.load_snapshot().unwrap();
            assert_eq!(restored.damaged, [], "{case}");
        }
        let health = walk.service.health().unwrap();
        assert_eq!(health.chain.first_fault, None, "seed {seed}");
        assert_eq!(health.inconsistencies, [""; 0], "seed {seed}");
    };
    run_cases(case_count(40, 2_000), |_| (), walk_all);
}

#[test]
fn a_clock_outside_the_supported_years_is_no_panic() {
    for now in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let service = service_on(Store::memory().unwrap(), Clock::fixed(now));
        service.load_snapshot().unwrap();
        service.clock_report().unwrap();
        assert!(service.preview(&Command::PurgeTrash).is_ok());
    }
}
