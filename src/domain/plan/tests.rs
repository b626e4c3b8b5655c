//! Plans on an in-memory list of tokens: required confirmations, warnings, skipped tokens and
//! inverse commands.

use std::collections::HashMap;

use super::*;
use crate::domain::{
    Actor, AuditEvent, Description, Digest, EventHash, FieldChanges, Labels, LifetimeLimits,
    LimitChanges, Name, NewToken, Owner, ScopeCatalogue, Scopes, ScopesToRemove, SecretOverlap,
    SecretPrefix, TokensToDelete, token::tests as tokens,
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

    fn lookalike_of(&self, _: &Name) -> Result<Option<Name>, Refusal> {
        Ok(None)
    }

    fn stored(&self, id: &TokenId) -> Result<StoredToken, Refusal> {
        let token = self.token(id)?.map(Arc::new);
        Ok(token.map_or(StoredToken::Damaged(*id), StoredToken::Live))
    }

    fn tokens(&self) -> Result<(Vec<Token>, Vec<TokenId>), Refusal> {
        Ok((self.0.clone(), Vec::new()))
    }

    fn deleted(&self) -> Result<Vec<(Token, Timestamp)>, Refusal> {
        Ok(Vec::new())
    }

    fn newest_deletion(&self) -> Result<Option<Timestamp>, Refusal> {
        Ok(None)
    }

    fn deleted_until(&self, _: Timestamp, _: usize) -> Result<Vec<(Token, Timestamp)>, Refusal> {
        Ok(Vec::new())
    }

    fn newest_event(&self) -> Result<(u64, EventHash), Refusal> {
        Ok((0, EventHash::NONE))
    }

    fn newest_event_of(&self, _: &TokenId) -> Result<Option<AuditEvent>, Refusal> {
        Ok(None)
    }
}

/// Tokens `a` (active), `b` (active, in an overlap) and `c` (expired).
fn sample_tokens() -> Tokens {
    let token = |id: &str, name: &str| Token {
        id: TokenId::parse(id).unwrap(),
        name: Name::parse(name).unwrap(),
        scopes: "channels:*:publish".parse::<Scope>().map(single).unwrap(),
        ..tokens::sample_token()
    };
    let renewed = |token: Token| {
        let digest = Digest::from_bytes([9; 32]);
        token
            .regenerate(digest, "pat", Some(tokens::at(99)), SecretOverlap::Hour, tokens::at(1))
            .unwrap()
    };
    Tokens(vec![
        token("aaaaaaaaaaaa", "a"),
        renewed(token("bbbbbbbbbbbb", "b")),
        Token { expires: Some(tokens::at(1)), ..token("cccccccccccc", "c") },
    ])
}

fn single(scope: Scope) -> Scopes {
    Scopes::from_stored(vec![scope]).unwrap()
}

fn make_plan(command: &Command, tokens: &Tokens) -> Result<Plan, Refusal> {
    let digests: NewSecretDigests = HashMap::new().into_iter().collect();
    let context = PlanContext {
        at: tokens::at(10),
        clock: tokens::at(10),
        actor: &Actor::named("alice"),
        prefix: &SecretPrefix::default(),
        limits: &LifetimeLimits::default(),
        catalogue: &ScopeCatalogue::default(),
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

fn regenerate(names: &str, overlap: SecretOverlap) -> Command {
    let lifetime = "30d".parse().unwrap();
    Command::Regenerate { tokens: ids(names), lifetime: Some(lifetime), overlap, secret_file: None }
}

#[test]
fn commands_that_end_a_secret_require_confirmation() {
    let name = |text| Name::parse(text).unwrap();
    let delete = |names| Command::Delete { tokens: TokensToDelete::Listed(ids(names)) };
    let scopes = || vec!["clients:*:read".parse().unwrap()];
    let remove = |scopes| Command::RemoveScopes { tokens: ids("a"), scopes };
    let publish = || ScopesToRemove::Listed(vec!["channels:*:publish".parse().unwrap()]);
    let new = NewToken {
        name: name("new"),
        description: Description::default(),
        lifetime: "1h".parse().unwrap(),
        scopes: scopes(),
        limits: LimitChanges::default(),
        labels: Labels::default(),
        owner: Owner::default(),
    };
    for (command, expected) in [
        (Command::Create { token: new, secret_file: None }, Confirmation::None),
        (Command::AddScopes { tokens: ids("abc"), scopes: scopes() }, Confirmation::None),
        (remove(publish()), Confirmation::None),
        (remove(ScopesToRemove::All), Confirmation::Ask(name("a"))),
        (Command::Revoke { tokens: ids("c") }, Confirmation::Ask(name("c"))),
        (Command::Revoke { tokens: ids("ab") }, Confirmation::TypeCount(2)),
        (Command::EndOverlap { tokens: ids("b") }, Confirmation::Ask(name("b"))),
        (Command::EndOverlap { tokens: ids("a") }, Confirmation::None),
        (regenerate("c", SecretOverlap::None), Confirmation::None),
        (regenerate("a", SecretOverlap::None), Confirmation::Ask(name("a"))),
        (regenerate("a", SecretOverlap::Hour), Confirmation::None),
        (regenerate("b", SecretOverlap::Hour), Confirmation::Ask(name("b"))),
        (regenerate("ca", SecretOverlap::None), Confirmation::TypeCount(2)),
        (delete("a"), Confirmation::TypeName(name("a"))),
        (delete("abc"), Confirmation::TypeCount(3)),
        (Command::Delete { tokens: TokensToDelete::All }, Confirmation::TypeCount(3)),
    ] {
        let plan = make_plan(&command, &sample_tokens()).unwrap();
        assert_eq!(plan.confirmation(), expected, "{command:?}");
        assert!(plan.is_covered_by(&plan.confirm()), "{command:?}");
        let needs_none = expected == Confirmation::None;
        assert_eq!(plan.is_covered_by(&ConfirmationProof::NOT_REQUIRED), needs_none, "{command:?}");
    }
}

#[test]
fn ending_an_overlap_early_is_stated_and_recorded() {
    let tokens = sample_tokens();
    for command in [regenerate("b", SecretOverlap::None), Command::EndOverlap { tokens: ids("b") }]
    {
        let plan = make_plan(&command, &tokens).unwrap();
        // The overlap ends no later than the previous expiry.
        let until: Vec<_> = plan.ended_overlaps().map(|previous| previous.until).collect();
        assert_eq!(until, [tokens::at(60)]);
        let (_, detail) = plan.changes[0].events[0].clone();
        assert!(detail.contains("would have worked until 2026-11-24 13:00 UTC"), "{detail}");
    }
}

#[test]
fn overlap_requires_at_least_one_active_token() {
    let plan = make_plan(&regenerate("ac", SecretOverlap::Hour), &sample_tokens()).unwrap();
    let overlaps: Vec<_> = plan.tokens().map(|token| token.previous.is_some()).collect();
    assert_eq!(overlaps, [true, false]);
    let plan = make_plan(&regenerate("c", SecretOverlap::Hour), &sample_tokens()).unwrap();
    assert_eq!((plan.changes.len(), plan.skipped.len()), (0, 1));
    assert!(plan.require_all().is_err());
}

#[test]
fn duplicate_tokens_are_planned_once_and_limited_in_number() {
    let plan = make_plan(&Command::Revoke { tokens: ids("aba") }, &sample_tokens()).unwrap();
    assert_eq!(plan.ids(), ids("ab"));
    let many = Command::Revoke { tokens: ids(&"a".repeat(MAX_TOKENS + 1)) };
    assert_eq!(make_plan(&many, &sample_tokens()), Err(Refusal::TooManyTokens(MAX_TOKENS + 1)));
}

#[test]
fn inverse_contains_only_changed_tokens() {
    let command = Command::AddScopes {
        tokens: ids("abc"),
        scopes: vec!["channels:c-1:publish".parse().unwrap()],
    };
    let plan = make_plan(&command, &sample_tokens()).unwrap();
    assert_eq!((plan.inverse(), plan.skipped.len()), (None, 3));
    let edit = Command::Edit { token: ids("a").remove(0), changes: FieldChanges::default() };
    assert_eq!(make_plan(&edit, &sample_tokens()).unwrap().inverse(), None);
}
