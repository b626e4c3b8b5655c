//! The JSON object of a token: the one definition of its fields, for `list`, `show`, `create` and
//! the clipboard. It has neither the secret nor its digest. Called by `json` only.

use std::fmt::Display;

use serde::{Serialize, Serializer};

use crate::domain::{Actor, LastUse, Scopes, SecretSlot, Timestamp, Token};

/// The fields of a token in the order of their names, which is their order in every JSON object of
/// patdeck.
#[derive(Serialize)]
pub(super) struct TokenJson<'a> {
    claimed: bool,
    created: Time,
    created_by: Shown<&'a Actor>,
    description: &'a str,
    expires: Option<Time>,
    hint: String,
    id: &'a str,
    issued: Time,
    last_used: Option<UseJson<'a>>,
    name: &'a str,
    retiring_last_used: Option<UseJson<'a>>,
    retiring_until: Option<Time>,
    revoked: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<u32>,
    #[serde(serialize_with = "texts")]
    scopes: &'a Scopes,
    status: &'a str,
}

impl<'a> TokenJson<'a> {
    /// The view of `pat` at `now`. A token that is part of another object has no `schema`.
    pub(super) fn new(token: &'a Token, now: Timestamp, schema: Option<u32>) -> Self {
        Self {
            claimed: token.delivered,
            created: Time(token.created),
            created_by: Shown(&token.created_by),
            description: token.description.as_str(),
            expires: token.expires.map(Time),
            hint: token.hint(),
            id: token.id.as_str(),
            issued: Time(token.issued),
            last_used: token.last_use().map(UseJson::new),
            name: token.name.as_str(),
            retiring_last_used: token.used_by(SecretSlot::Previous).map(UseJson::new),
            retiring_until: token.previous.as_ref().map(|old| Time(old.until)),
            revoked: token.revoked.map(Time),
            schema,
            scopes: &token.scopes,
            status: token.status(now).as_str(),
        }
    }
}

#[derive(Serialize)]
struct UseJson<'a> {
    at: Time,
    from: Option<&'a str>,
    what: &'a str,
}

impl<'a> UseJson<'a> {
    fn new(used: &'a LastUse) -> Self {
        Self { at: Time(used.at), from: used.from.as_deref(), what: &used.what }
    }
}

/// An instant, written as [`super::time`] does.
struct Time(Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::time(self.0))
    }
}

struct Shown<T>(T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

fn texts<S: Serializer>(scopes: &Scopes, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(scopes.iter().map(Shown))
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone as _, Utc};
    use proptest::prelude::*;
    use serde_json::{Value, to_value};

    use super::*;
    use crate::domain::{Actor, token::tests::sample_token};

    proptest! {
        #[test]
        fn an_actor_and_a_hint_are_printed_as_everywhere_else(
            user in any::<String>(), sudo_user in any::<Option<String>>(), from in any::<Option<String>>(),
            prefix in "[a-z0-9\"\u{1b}é]{0,4}",
        ) {
            let (sudo_user, from) = (sudo_user.map(Into::into), from.map(Into::into));
            let created_by = Actor { user: user.into(), sudo_user, from };
            let token = Token { prefix: prefix.into(), created_by, ..sample_token() };
            let json = to_value(TokenJson::new(&token, token.created, None)).unwrap();
            prop_assert_eq!(&json["created_by"], &Value::from(token.created_by.to_string()));
            prop_assert_eq!(&json["hint"], &Value::from(token.hint()));
        }

        #[test]
        fn an_instant_has_the_same_form_in_all_years(second in -70_000_000_000_i64..300_000_000_000) {
            let at = Utc.timestamp_opt(second, 5).unwrap();
            let expected = at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
            prop_assert_eq!(to_value(Time(at)).unwrap(), Value::from(expected));
        }
    }
}
