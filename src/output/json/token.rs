//! The JSON object of a token: the only definition of its fields, used by `list`, `show`, `create` and
//! the clipboard. It contains neither the secret nor its digest. Called by `json` only.

use std::fmt::Display;

use serde::{Serialize, Serializer};

use crate::domain::{
    Actor, Labels, LastUse, MaxUses, Scopes, SecretSlot, SourceNetworks, Timestamp, Token,
};

/// The fields of a token. Their order is alphabetical, as in every JSON object of patdeck.
#[derive(Serialize)]
pub(super) struct TokenJson<'a> {
    claimed: bool,
    created: JsonTime,
    created_by: SerializeAsDisplay<&'a Actor>,
    description: &'a str,
    expires: Option<JsonTime>,
    hint: String,
    id: &'a str,
    issued: JsonTime,
    labels: LabelsJson<'a>,
    last_denied: Option<LastUseJson<'a>>,
    last_used: Option<LastUseJson<'a>>,
    limits: Option<LimitsJson<'a>>,
    name: &'a str,
    /// The named owner, or the account of the creator.
    owner: String,
    retiring_last_used: Option<LastUseJson<'a>>,
    retiring_until: Option<JsonTime>,
    revoked: Option<JsonTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<u32>,
    #[serde(serialize_with = "serialize_scopes")]
    scopes: &'a Scopes,
    status: &'a str,
}

impl<'a> TokenJson<'a> {
    /// The JSON of `token` at the time `now`. `schema` is `None` for a token inside another object.
    pub(super) fn new(token: &'a Token, now: Timestamp, schema: Option<u32>) -> Self {
        Self {
            claimed: token.delivered,
            created: JsonTime(token.created),
            created_by: SerializeAsDisplay(&token.created_by),
            description: token.description.as_str(),
            expires: token.expires.map(JsonTime),
            hint: token.secret_hint(),
            id: token.id.as_str(),
            issued: JsonTime(token.issued),
            labels: LabelsJson(&token.labels),
            last_denied: token.last_denial().map(LastUseJson::new),
            last_used: token.last_use().map(LastUseJson::new),
            limits: (!token.limits.is_empty()).then(|| LimitsJson::new(token)),
            name: token.name.as_str(),
            owner: token.owner_text(),
            retiring_last_used: token.last_use_of(SecretSlot::Previous).map(LastUseJson::new),
            retiring_until: token.previous.as_ref().map(|old| JsonTime(old.until)),
            revoked: token.revoked.map(JsonTime),
            schema,
            scopes: &token.scopes,
            status: token.status(now).as_str(),
        }
    }
}

/// The limits of a token. A limit that is not set is null.
#[derive(Serialize)]
struct LimitsJson<'a> {
    allow_from: Option<NetworksJson<'a>>,
    max_uses: Option<u32>,
    not_before: Option<JsonTime>,
    /// The uses of the current secret that are left.
    uses_left: Option<u32>,
}

impl<'a> LimitsJson<'a> {
    fn new(token: &'a Token) -> Self {
        Self {
            allow_from: token.limits.sources.as_ref().map(NetworksJson),
            max_uses: token.limits.max_uses.map(MaxUses::get),
            not_before: token.limits.not_before.map(JsonTime),
            uses_left: token.uses_left().map(|(left, _)| left),
        }
    }
}

/// Labels, serialized as an object of keys and values.
struct LabelsJson<'a>(&'a Labels);

impl Serialize for LabelsJson<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|label| (label.key().as_str(), label.value())))
    }
}

/// Networks, serialized as a list of texts.
struct NetworksJson<'a>(&'a SourceNetworks);

impl Serialize for NetworksJson<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(SerializeAsDisplay))
    }
}

/// The last use of a secret, or the last denied attempt.
#[derive(Serialize)]
struct LastUseJson<'a> {
    at: JsonTime,
    from: Option<&'a str>,
    what: &'a str,
}

impl<'a> LastUseJson<'a> {
    fn new(used: &'a LastUse) -> Self {
        Self { at: JsonTime(used.at), from: used.from.as_deref(), what: &used.summary }
    }
}

/// An instant, serialized by [`super::format_time`].
struct JsonTime(Timestamp);

impl Serialize for JsonTime {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::format_time(self.0))
    }
}

/// A value, serialized as its `Display` text.
struct SerializeAsDisplay<T>(T);

impl<T: Display> Serialize for SerializeAsDisplay<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

fn serialize_scopes<S: Serializer>(scopes: &Scopes, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(scopes.iter().map(SerializeAsDisplay))
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
        fn actor_and_hint_have_their_usual_form(
            user in any::<String>(), sudo_user in any::<Option<String>>(), from in any::<Option<String>>(),
            prefix in "[a-z0-9\"\u{1b}é]{0,4}",
        ) {
            let (sudo_user, from) = (sudo_user.map(Into::into), from.map(Into::into));
            let created_by = Actor { user: user.into(), sudo_user, from };
            let token = Token { prefix: prefix.into(), created_by, ..sample_token() };
            let json = to_value(TokenJson::new(&token, token.created, None)).unwrap();
            prop_assert_eq!(&json["created_by"], &Value::from(token.created_by.to_string()));
            prop_assert_eq!(&json["hint"], &Value::from(token.secret_hint()));
        }

        #[test]
        fn instants_have_the_same_form_in_all_years(second in -70_000_000_000_i64..300_000_000_000) {
            let at = Utc.timestamp_opt(second, 5).unwrap();
            let expected = at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
            prop_assert_eq!(to_value(JsonTime(at)).unwrap(), Value::from(expected));
        }
    }
}
