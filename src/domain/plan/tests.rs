//! What must be confirmed, and what a confirmation covers, on tokens in a vector.

use std::collections::HashMap;

use super::*;
use crate::domain::{
    Actor, AuditEvent, Catalogue, Description, Digest, LifetimeLimits, Name, NewToken, Overlap,
    Prefix, ScopeSelection, Scopes, token::tests as tokens,
};

struct Tokens(Vec<Token>);

impl ReadTokens for Tokens {
    type Error = Refusal;

    fn token(&self, id: &TokenId) -> Result<Option<Token>, Refusal> {
        Ok(self.0.iter().find(|token| token.id == *id).cloned())
    }

    fn id_of_name(&self, name: &Name) -> Result<Option<TokenId>, Refusal> {
        Ok(self.0.iter().find(|token| token.name == *name).map(|token| token.id))
    }

    fn tokens(&self) -> Result<Vec<Token>, Refusal> {
        Ok(self.0.clone())
    }

    fn deleted(&self) -> Result<Vec<(Token, Timestamp)>, Refusal> {
        Ok(Vec::new())
    }

    fn last_event(&self, _: &TokenId) -> Result<Option<AuditEvent>, Refusal> {
        Ok(None)
    }

    fn newest_event_at(&self) -> Result<Option<Timestamp>, Refusal> {
        Ok(None)
    }
}

/// Tokens `a`, `b` and `c`: active, active in an overlap, expired.
fn three() -> Tokens {
    let token = |id: &str, name: &str| Token {
        id: TokenId::parse(id).unwrap(),
        name: Name::parse(name).unwrap(),
        scopes: "channels:*:publish".parse::<Scope>().map(only).unwrap(),
        ..tokens::sample_token()
    };
    let renewed = |token: Token| {
        let digest = Digest::from_bytes([9; 32]);
        token.regenerate(digest, "pat", Some(tokens::at(99)), Overlap::Hour, tokens::at(1)).unwrap()
    };
    Tokens(vec![
        token("aaaaaaaaaaaa", "a"),
        renewed(token("bbbbbbbbbbbb", "b")),
        Token { expires: Some(tokens::at(1)), ..token("cccccccccccc", "c") },
    ])
}

fn only(scope: Scope) -> Scopes {
    Scopes::from_stored(vec![scope]).unwrap()
}

fn planned(command: &Command, tokens: &Tokens) -> Result<Plan, Refusal> {
    let digests: NewDigests = HashMap::new().into_iter().collect();
    let context = PlanContext {
        at: tokens::at(10),
        clock: tokens::at(10),
        actor: &Actor::named("alice"),
        prefix: &Prefix::default(),
        limits: &LifetimeLimits::default(),
        catalogue: &Catalogue::default(),
        to_utc: |wall| wall.and_utc(),
        deletion: None,
        digests: &digests,
    };
    plan(command, tokens, &context)
}

fn ids(names: &str) -> Vec<TokenId> {
    let id = |name: char| TokenId::parse(&name.to_string().repeat(12)).unwrap();
    names.chars().map(id).collect()
}

fn regenerate(names: &str, overlap: Overlap) -> Command {
    let lifetime = "30d".parse().unwrap();
    Command::Regenerate { tokens: ids(names), lifetime, overlap, secret_file: None }
}

#[test]
fn what_ends_a_secret_must_be_confirmed() {
    let name = |text| Name::parse(text).unwrap();
    let delete = |names| Command::Delete { tokens: TokenSelection::Listed(ids(names)) };
    let scopes = || vec!["clients:*:read".parse().unwrap()];
    let remove = |scopes| Command::RemoveScopes { tokens: ids("a"), scopes };
    let publish = || ScopeSelection::Listed(vec!["channels:*:publish".parse().unwrap()]);
    let new = NewToken {
        name: name("new"),
        description: Description::default(),
        lifetime: "1h".parse().unwrap(),
        scopes: scopes(),
    };
    for (command, wanted) in [
        (Command::Create { token: new, secret_file: None }, Confirmation::None),
        (Command::AddScopes { tokens: ids("abc"), scopes: scopes() }, Confirmation::None),
        (remove(publish()), Confirmation::None),
        (remove(ScopeSelection::All), Confirmation::Ask(name("a"))),
        (Command::Revoke { tokens: ids("c") }, Confirmation::Ask(name("c"))),
        (Command::Revoke { tokens: ids("ab") }, Confirmation::TypeCount(2)),
        (Command::EndOverlap { tokens: ids("b") }, Confirmation::Ask(name("b"))),
        (Command::EndOverlap { tokens: ids("a") }, Confirmation::None),
        (regenerate("c", Overlap::None), Confirmation::None),
        (regenerate("a", Overlap::None), Confirmation::Ask(name("a"))),
        (regenerate("a", Overlap::Hour), Confirmation::None),
        (regenerate("b", Overlap::Hour), Confirmation::Ask(name("b"))),
        (regenerate("ca", Overlap::None), Confirmation::TypeCount(2)),
        (delete("a"), Confirmation::TypeName(name("a"))),
        (delete("abc"), Confirmation::TypeCount(3)),
        (Command::Delete { tokens: TokenSelection::All }, Confirmation::TypeCount(3)),
    ] {
        let plan = planned(&command, &three()).unwrap();
        assert_eq!(plan.confirmation(), wanted, "{command:?}");
        assert!(plan.is_covered_by(&plan.confirmed()), "{command:?}");
        let is_free = wanted == Confirmation::None;
        assert_eq!(plan.is_covered_by(&Confirmed::NOTHING), is_free, "{command:?}");
    }
}

#[test]
fn an_overlap_that_ends_early_is_a_warning() {
    let tokens = three();
    for command in [regenerate("b", Overlap::None), Command::EndOverlap { tokens: ids("b") }] {
        let plan = planned(&command, &tokens).unwrap();
        let token = ids("b").remove(0);
        // Never later than the expiry that the token had before.
        let until = tokens::at(60);
        assert_eq!(plan.warnings, [Warning::EndsOverlap { token, until }]);
    }
}

#[test]
fn an_overlap_is_for_active_tokens_and_needs_one() {
    let plan = planned(&regenerate("ac", Overlap::Hour), &three()).unwrap();
    let overlaps: Vec<_> = plan.tokens().map(|token| token.previous.is_some()).collect();
    assert_eq!(overlaps, [true, false]);
    let plan = planned(&regenerate("c", Overlap::Hour), &three()).unwrap();
    assert_eq!((plan.changes.len(), plan.left_out.len()), (0, 1));
    assert!(plan.require_all().is_err());
}

#[test]
fn a_command_names_each_token_once_and_only_some() {
    let plan = planned(&Command::Revoke { tokens: ids("aba") }, &three()).unwrap();
    assert_eq!(plan.ids(), ids("ab"));
    let many = Command::Revoke { tokens: ids(&"a".repeat(MAX_TOKENS + 1)) };
    assert_eq!(planned(&many, &three()), Err(Refusal::TooMany(MAX_TOKENS + 1)));
}

#[test]
fn the_inverse_of_an_edit_is_only_what_was_changed() {
    let command = Command::AddScopes {
        tokens: ids("abc"),
        scopes: vec!["channels:c-1:publish".parse().unwrap()],
    };
    let plan = planned(&command, &three()).unwrap();
    assert_eq!((plan.inverse(), plan.left_out.len()), (None, 3));
    let edit = Command::Edit { token: ids("a").remove(0), name: None, description: None };
    assert_eq!(planned(&edit, &three()).unwrap().inverse(), None);
}
