//! `demo`: a store in memory with lifelike tokens, uses and events, for people who try patdeck.
//! Nothing is read from or written to a file. The library opens the app on it; a test draws the
//! pictures of the documents from the same history.

mod history;
mod tokens;

pub use self::history::play;
use super::CliError;
use crate::{
    domain::Actor,
    service::{Clock, Entropy, Policy, Service},
};

/// Opens a service on a new store in memory, fills it, and leaves it to the system clock. `actor` is
/// the operator from now on.
pub fn open(actor: Actor) -> Result<Service, CliError> {
    let now = Clock::System.now();
    let clock = Clock::fixed(now);
    let operator = |name: &str, from: &str| Actor { from: Some(from.into()), ..Actor::named(name) };
    let alice = operator("alice", "192.0.2.17");
    let alice = Service::in_memory(clock.clone(), Entropy::System, alice, Policy::default())?;
    let bob = alice.on_same_store(clock.clone(), Entropy::System, operator("bob", "192.0.2.40"));
    play([&alice, &bob], &clock, now)?;
    Ok(alice.on_same_store(Clock::System, Entropy::System, actor).without_secret_files())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AttentionKind, Status};

    #[test]
    fn the_demo_has_tokens_in_every_state_and_a_valid_trail() {
        let service = open(Actor::named("carol")).unwrap();
        let tokens = service.load_snapshot().unwrap().tokens;
        assert!((55..=65).contains(&tokens.len()), "{}", tokens.len());
        let now = service.now().unwrap();
        for status in [Status::Active, Status::Expired, Status::Revoked] {
            assert!(tokens.iter().any(|token| token.status(now) == status), "{status:?}");
        }
        let overview = service.overview().unwrap();
        for kind in AttentionKind::ALL {
            assert!(overview.count(kind) > 0, "{kind:?}");
        }
        assert_eq!(overview.count(AttentionKind::Denied), 412);
        assert!(overview.checks.iter().all(|day| day.used > 0));
        assert_eq!(service.verify_chain().unwrap().first_fault, None);
        assert!(service.clock_report().unwrap().behind.is_none());
    }
}
