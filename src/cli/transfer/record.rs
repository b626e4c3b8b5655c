//! One token as one JSON object, every field that matters, and back. What the domain would not
//! have made is refused with the field's name; nothing is guessed, and nothing left over.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use super::fields::{Fields, InvalidField};
use crate::{
    domain::{
        Actor, Description, Digest, LastUse, Name, Prefix, PreviousSecret, Scope, Scopes,
        Timestamp, Token, TokenId,
        terminal_text::{from_hex, is_longer, to_hex},
    },
    service::import::LineFault,
};

/// Most characters of a text that the domain does not limit.
const TEXT_MAX: usize = 1_024;
const ALGORITHM: &str = "sha256:";

/// An instant to the nanosecond, so that it comes back the same.
pub(super) fn exact(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// `pat` with all that is kept of it.
pub(super) fn written(token: &Token) -> serde_json::Value {
    json!({
        "id": token.id.as_str(),
        "name": token.name.as_str(),
        "description": token.description.as_str(),
        "scopes": token.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "prefix": token.prefix.as_str(),
        "digest": digest(&token.digest),
        "retiring": token.previous.as_ref().map(|old| json!({
            "digest": digest(&old.digest),
            "until": exact(old.until),
            "last_used": old.last_used.as_ref().map(used),
        })),
        "created": exact(token.created),
        "created_by": {
            "user": token.created_by.user.as_str(),
            "sudo_user": token.created_by.sudo_user.as_deref(),
            "from": token.created_by.from.as_deref(),
        },
        "issued": exact(token.issued),
        "expires": token.expires.map(exact),
        "revoked": token.revoked.map(exact),
        "claimed": token.delivered,
        "last_used": token.last_used.as_ref().map(used),
    })
}

fn used(used: &LastUse) -> serde_json::Value {
    json!({ "at": exact(used.at), "from": used.from.as_deref(), "what": used.what.as_str() })
}

fn digest(digest: &Digest) -> String {
    ALGORITHM.to_owned() + &to_hex(digest.as_bytes())
}

/// The token that the line says, or everything that is wrong with it.
pub(super) fn read(line: u64, text: &str) -> Result<Token, Vec<LineFault>> {
    let mut fields = Fields::parse(line, text).map_err(|fault| vec![fault])?;
    match (token(&mut fields), fields.finish()) {
        (Ok(token), faults) if faults.is_empty() => Ok(token),
        (_, faults) => Err(faults),
    }
}

/// Every field is read, whatever is wrong with the others, in the order in which they were written.
fn token(fields: &mut Fields<'_>) -> Result<Token, InvalidField> {
    let claimed = fields.boolean("claimed");
    let created = fields.text("created", instant);
    let created_by = fields.object("created_by", |by| {
        Ok(Actor {
            from: by.optional_text("from", plain)?.map(Into::into),
            sudo_user: by.optional_text("sudo_user", plain)?.map(Into::into),
            user: by.text("user", plain)?.into(),
        })
    });
    let description = fields.text("description", |text| Description::parse(text).map_err(words));
    let present = fields.text("digest", read_digest);
    let expires = fields.optional_text("expires", instant);
    let id = fields.text("id", |text| {
        TokenId::parse(text).ok_or_else(|| "12 letters and digits are expected".to_owned())
    });
    let issued = fields.text("issued", instant);
    let last_used = fields.object("last_used", last_use);
    let name = fields.text("name", |text| Name::parse(text).map_err(words));
    let prefix = fields.text("prefix", |text| {
        let good = Prefix::parse(text).map(|_| text.into());
        good.ok_or_else(|| "a lower-case letter, then letters and digits are expected".to_owned())
    });
    let previous = fields.object("retiring", |old| {
        Ok(PreviousSecret {
            digest: old.text("digest", read_digest)?,
            last_used: old.object("last_used", last_use)?,
            until: old.text("until", instant)?,
        })
    });
    let revoked = fields.optional_text("revoked", instant);
    let scopes = scopes(fields);
    let Some(created_by) = created_by? else {
        return Err(fields.fault("created_by", "an object is expected".to_owned()));
    };
    Ok(Token {
        id: id?,
        name: name?,
        description: description?,
        scopes: scopes?,
        prefix: prefix?,
        digest: present?,
        previous: previous?,
        created: created?,
        created_by,
        issued: issued?,
        expires: expires?,
        revoked: revoked?,
        delivered: claimed?,
        last_used: last_used?,
    })
}

fn scopes(fields: &mut Fields<'_>) -> Result<Scopes, InvalidField> {
    let mut scopes = Scopes::default();
    let mut result = Ok(());
    for text in fields.texts("scopes")? {
        let added = text.parse::<Scope>().map_err(words);
        let added = added.and_then(|scope| scopes.add(scope).map(drop).map_err(words));
        result = result.and(added.map_err(|why| fields.fault("scopes", why)));
    }
    result.map(|()| scopes)
}

fn last_use(used: &mut Fields<'_>) -> Result<LastUse, InvalidField> {
    Ok(LastUse {
        at: used.text("at", instant)?,
        from: used.optional_text("from", plain)?.map(Into::into),
        what: used.text("what", plain)?.into(),
    })
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn plain(text: &str) -> Result<String, String> {
    if is_longer(text, TEXT_MAX) {
        return Err(format!("at most {TEXT_MAX} characters are expected"));
    }
    Ok(text.to_owned())
}

fn instant(text: &str) -> Result<Timestamp, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|_| "a time like 2026-12-24T13:05:00Z is expected".to_owned())
}

fn read_digest(text: &str) -> Result<Digest, String> {
    let bytes = text.strip_prefix(ALGORITHM).and_then(from_hex);
    let expected = || format!("{ALGORITHM} and 64 hexadecimal digits are expected");
    bytes.map(Digest::from_bytes).ok_or_else(expected)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
