//! Plays the history of the demo: creates its tokens, checks their secrets and revokes some, each at
//! its time in the past. Writes only into the store of the services that it gets.

use chrono::{Datelike as _, TimeDelta, Weekday};
use zeroize::Zeroizing;

use super::tokens::{DemoEnding, DemoToken, tokens};
use crate::{
    domain::{
        AccessRequest, Command, DeliveryMethod, Description, LimitChanges, Name, NewToken, Owner,
        Scope, Timestamp, TokenId,
    },
    service::{Clock, CommandResult, Service, ServiceError, Verifier},
};

const DAY: i64 = 24 * 60;
/// Number of days on which checks are counted.
const CHECKED_DAYS: i64 = 14;
/// The address of a host that still uses a revoked secret.
const OLD_HOST: &str = "10.0.0.7";

/// Something that happens in the history.
#[derive(Debug, Clone, Copy)]
enum HistoryStep {
    Create,
    Revoke,
    /// This number of checks of one day.
    Check(u64),
    /// This number of denied checks of one day.
    Deny(u64),
}

/// A created token.
struct Created {
    id: TokenId,
    secret: Zeroizing<String>,
}

/// Plays the history up to `now`. `alice` and `bob` work on the same empty store, by `clock`, which
/// is set to `now` at the end.
pub fn play(
    [alice, bob]: [&Service; 2],
    clock: &Clock,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let tokens = tokens();
    let mut created: Vec<Option<Created>> = tokens.iter().map(|_| None).collect();
    let mut verifier = alice.verifier();
    for (ago, number, step) in steps(&tokens, now) {
        let (Some(token), Some(slot)) = (tokens.get(number), created.get_mut(number)) else {
            continue;
        };
        clock.set(now - TimeDelta::minutes(ago));
        let service = if number % 3 == 1 { bob } else { alice };
        match (step, slot.as_ref()) {
            (HistoryStep::Create, _) => *slot = Some(create(service, token)?),
            (HistoryStep::Revoke, Some(it)) => {
                execute(service, &Command::Revoke { tokens: vec![it.id] })?;
            }
            (HistoryStep::Check(count), Some(it)) => {
                let from = format!("10.20.0.{}", 10 + number);
                check(&mut verifier, it, token.scopes.first(), (count, &from))?;
            }
            (HistoryStep::Deny(count), Some(it)) => {
                let scope = "users:u-1:delete".to_owned();
                check(&mut verifier, it, Some(&scope), (count, OLD_HOST))?;
            }
            (_, None) => {}
        }
    }
    verifier.flush_usage()?;
    clock.set(now);
    Ok(())
}

/// All steps with the number of minutes before `now` and the number of the token, oldest first.
fn steps(tokens: &[DemoToken], now: Timestamp) -> Vec<(i64, usize, HistoryStep)> {
    let mut steps = Vec::new();
    for (number, token) in tokens.iter().enumerate() {
        // Tokens act at different minutes of the day.
        let minute = 7 + 2 * i64::try_from(number).unwrap_or_default();
        steps.push((token.age * DAY + minute, number, HistoryStep::Create));
        if let Some(last) = token.last_used {
            steps.push((last * DAY + minute, number, HistoryStep::Check(1)));
        }
        let last = token.last_used.unwrap_or(CHECKED_DAYS);
        for day in last.max(0)..CHECKED_DAYS.min(token.age) {
            let at = now - TimeDelta::minutes(day * DAY + minute);
            let is_weekend = matches!(at.weekday(), Weekday::Sat | Weekday::Sun);
            let count = if is_weekend { token.checks / 3 } else { token.checks };
            steps.push((day * DAY + minute + 1, number, HistoryStep::Check(count)));
            if number % 7 == 3 {
                steps.push((day * DAY + minute + 1, number, HistoryStep::Deny(1)));
            }
        }
        if let DemoEnding::Revoked(day) = token.ending {
            steps.push((day * DAY + minute, number, HistoryStep::Revoke));
        }
        if token.denied_today > 0 {
            steps.push((2, number, HistoryStep::Deny(token.denied_today)));
        }
    }
    steps.sort_by_key(|(ago, ..)| std::cmp::Reverse(*ago));
    steps
}

fn execute(service: &Service, command: &Command) -> Result<CommandResult, ServiceError> {
    let plan = service.preview(command)?;
    service.execute(command, &plan.confirm())
}

/// The data of the demo is valid; a test creates all of it.
fn invalid(error: &impl ToString) -> ServiceError {
    ServiceError::NotFound { given: error.to_string(), similar: None }
}

fn create(service: &Service, token: &DemoToken) -> Result<Created, ServiceError> {
    let scopes =
        token.scopes.iter().map(|scope| scope.parse::<Scope>().map_err(|error| invalid(&error)));
    let new = NewToken {
        name: Name::parse(&token.name).map_err(|error| invalid(&error))?,
        description: Description::parse(&token.description).map_err(|error| invalid(&error))?,
        lifetime: token.lifetime.parse().map_err(|error| invalid(&error))?,
        scopes: scopes.collect::<Result<_, _>>()?,
        limits: LimitChanges::default(),
        labels: token.labels.parse().map_err(|error| invalid(&error))?,
        owner: Owner::parse(token.owner).map_err(|error| invalid(&error))?,
    };
    let mut result = execute(service, &Command::Create { token: new, secret_file: None })?;
    let issued = result.issued.pop().ok_or_else(|| invalid(&token.name))?;
    let id = issued.token.id;
    if token.is_saved {
        let (digest, method) = (issued.token.digest, DeliveryMethod::Copied);
        execute(service, &Command::RecordDelivery { token: id, digest, method })?;
    }
    Ok(Created { id, secret: Zeroizing::new(issued.secret.reveal().to_owned()) })
}

/// Checks the secret `count` times, for the request that `scope` allows.
fn check(
    verifier: &mut Verifier,
    token: &Created,
    scope: Option<&String>,
    (count, from): (u64, &str),
) -> Result<(), ServiceError> {
    let request = scope.and_then(|scope| scope.parse::<Scope>().ok()).map(AccessRequest::from);
    for _ in 0..count {
        verifier.check(token.secret.clone(), request.as_ref(), Some(from))?;
    }
    Ok(())
}
