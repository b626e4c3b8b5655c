//! Converts a token to a JSON object and back, with every stored field. Values that the
//! domain does not allow, missing fields and unknown fields are faults with the name of the field.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use super::field_reader::{FaultRecorded, FieldReader};
use crate::{
    domain::{
        Actor, Description, Digest, Label, LabelError, Labels, LastUse, MaxUses, Name, Owner,
        PreviousSecret, Scope, ScopeError, Scopes, SecretPrefix, SourceNetworks, Timestamp, Token,
        TokenId, TokenLimits,
        scan::contains_secret,
        terminal_text::{from_hex, is_longer, to_hex},
        time_range::is_supported,
    },
    service::import::LineFault,
};

/// Maximum number of characters of a text that the domain does not limit.
const MAX_TEXT_CHARS: usize = 1_024;

/// Highest generation that an import accepts: that of a token whose generation was unknown, and as many
/// more. At the maximum of the type, no later secret could have a higher generation, and would be denied.
const MAX_GENERATION: u64 = 2_000_000_000;

/// Highest version that an import accepts. A version is about the time of the change in milliseconds,
/// which is below 2.6e14 until the year 9999. At the maximum of the type, no later record could have a
/// higher version, and would count as out of date.
const MAX_VERSION: u64 = 1_000_000_000_000_000;

const ALGORITHM: &str = "sha256:";

/// Formats a time with nanoseconds, so that parsing it returns the same time.
pub(super) fn nanos_text(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Returns the JSON object of `token`.
pub(super) fn to_value(token: &Token) -> serde_json::Value {
    json!({
        "id": token.id.as_str(),
        "name": token.name.as_str(),
        "description": token.description.as_str(),
        "scopes": token.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "prefix": token.prefix.as_str(),
        "digest": digest_text(&token.digest),
        "retiring": token.previous.as_ref().map(|old| json!({
            "digest": digest_text(&old.digest),
            "until": nanos_text(old.until),
            "last_denied": old.last_denied.as_ref().map(use_value),
            "last_used": old.last_used.as_ref().map(use_value),
            "uses_taken": old.uses_taken,
        })),
        "created": nanos_text(token.created),
        "created_by": {
            "user": token.created_by.user.as_str(),
            "sudo_user": token.created_by.sudo_user.as_deref(),
            "from": token.created_by.from.as_deref(),
        },
        "issued": nanos_text(token.issued),
        "expires": token.expires.map(nanos_text),
        "revoked": token.revoked.map(nanos_text),
        "claimed": token.delivered,
        "generation": token.generation,
        "labels": labels_value(&token.labels),
        "limits": limits_value(&token.limits),
        "owner": Some(token.owner.as_str()).filter(|owner| !owner.is_empty()),
        "uses_taken": token.uses_taken,
        "last_denied": token.last_denied.as_ref().map(use_value),
        "last_used": token.last_used.as_ref().map(use_value),
        "version": token.version,
    })
}

fn labels_value(labels: &Labels) -> serde_json::Value {
    labels.iter().map(|label| (label.key().as_str(), label.value())).collect()
}

fn limits_value(limits: &TokenLimits) -> serde_json::Value {
    if limits.is_empty() {
        return serde_json::Value::Null;
    }
    let networks = |sources: &SourceNetworks| -> Vec<String> {
        sources.iter().map(|network| network.to_string()).collect()
    };
    json!({
        "allow_from": limits.sources.as_ref().map(networks),
        "max_uses": limits.max_uses.map(MaxUses::get),
        "not_before": limits.not_before.map(nanos_text),
    })
}

fn use_value(used: &LastUse) -> serde_json::Value {
    json!({ "at": nanos_text(used.at), "from": used.from.as_deref(), "what": used.summary.as_str() })
}

fn digest_text(digest: &Digest) -> String {
    ALGORITHM.to_owned() + &to_hex(digest.as_bytes())
}

/// Parses the token in line number `line`. Returns all faults of the line.
pub(super) fn parse(line: u64, text: &str) -> Result<Token, Vec<LineFault>> {
    let mut fields = FieldReader::parse(line, text).map_err(|fault| vec![fault])?;
    match (parse_token(&mut fields), fields.finish()) {
        (Ok(token), faults) if faults.is_empty() => Ok(token),
        (_, faults) => Err(faults),
    }
}

/// Reads every field, even after a fault, in the sorted order of an export.
fn parse_token(fields: &mut FieldReader<'_>) -> Result<Token, FaultRecorded> {
    let delivered = fields.boolean("claimed");
    let created = fields.text("created", parse_time);
    let created_by = fields.object("created_by", parse_actor);
    let description =
        fields.text("description", |text| Description::parse(text).map_err(to_string));
    let current = fields.text("digest", parse_digest);
    let expires = fields.optional_text("expires", parse_time);
    let generation = fields.count("generation", 1..=MAX_GENERATION);
    let id = fields.text("id", |text| {
        TokenId::parse(text).ok_or_else(|| "expected 12 letters and digits".to_owned())
    });
    let issued = fields.text("issued", parse_time);
    let labels = fields.new_object("labels", parse_labels);
    let last_denied = fields.new_object("last_denied", parse_last_use);
    let last_used = fields.object("last_used", parse_last_use);
    let limits = fields.new_object("limits", parse_limits);
    let name = fields.text("name", |text| Name::parse(text).map_err(to_string));
    let owner = fields.new_text("owner", |text| Owner::parse(text).map_err(to_string));
    let prefix = fields.text("prefix", |text| {
        let prefix = SecretPrefix::parse(text).map(|_| text.into());
        prefix.ok_or_else(|| "expected a lower-case letter, then letters and digits".to_owned())
    });
    let previous = fields.object("retiring", parse_previous);
    let revoked = fields.optional_text("revoked", parse_time);
    let scopes = parse_scopes(fields);
    let uses_taken = fields.count("uses_taken", 0..=u32::MAX.into());
    let version = fields.count("version", 1..=MAX_VERSION);
    let Some(created_by) = created_by? else {
        return Err(fields.fault("created_by", "expected an object".to_owned()));
    };
    Ok(Token {
        id: id?,
        name: name?,
        description: description?,
        scopes: scopes?,
        prefix: prefix?,
        digest: current?,
        previous: previous?,
        created: created?,
        created_by,
        issued: issued?,
        expires: expires?,
        revoked: revoked?,
        delivered: delivered?,
        generation: generation?,
        version: version?,
        last_used: last_used?,
        last_denied: last_denied?,
        labels: labels?.unwrap_or_default(),
        limits: limits?.unwrap_or_default(),
        owner: owner?.unwrap_or_default(),
        uses_taken: uses_taken?,
    })
}

fn parse_actor(actor: &mut FieldReader<'_>) -> Result<Actor, FaultRecorded> {
    Ok(Actor {
        from: actor.optional_text("from", bounded_text)?.map(Into::into),
        sudo_user: actor.optional_text("sudo_user", bounded_text)?.map(Into::into),
        user: actor.text("user", bounded_text)?.into(),
    })
}

fn parse_previous(old: &mut FieldReader<'_>) -> Result<PreviousSecret, FaultRecorded> {
    Ok(PreviousSecret {
        digest: old.text("digest", parse_digest)?,
        last_denied: old.new_object("last_denied", parse_last_use)?,
        last_used: old.object("last_used", parse_last_use)?,
        until: old.text("until", parse_time)?,
        uses_taken: old.count("uses_taken", 0..=u32::MAX.into())?,
    })
}

fn parse_labels(fields: &mut FieldReader<'_>) -> Result<Labels, FaultRecorded> {
    let label = |key: &str, value: &str| Label::new(key.parse()?, value);
    let texts = fields.all_texts()?;
    let (mut labels, mut last_fault) = (Vec::new(), None);
    for [key, value] in &texts {
        match label(key, value) {
            Ok(label) => labels.push(label),
            Err(error) => last_fault = Some(fields.fault(key, error.to_string())),
        }
    }
    last_fault.map_or(Ok(()), Err)?;
    Labels::new(labels).map_err(|error| match &error {
        LabelError::Repeated(key) => fields.fault(key.as_str(), error.to_string()),
        _ => fields.fault("*", error.to_string()),
    })
}

fn parse_limits(limits: &mut FieldReader<'_>) -> Result<TokenLimits, FaultRecorded> {
    let sources = match limits.optional_texts("allow_from")? {
        None => None,
        Some(texts) => {
            let networks = texts.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>();
            let sources = networks.and_then(SourceNetworks::new);
            Some(sources.map_err(|error| limits.fault("allow_from", error.to_string()))?)
        }
    };
    let max_uses = match limits.optional_number("max_uses")? {
        None => None,
        Some(count) => {
            let max = u32::try_from(count).ok().and_then(MaxUses::new);
            Some(max.ok_or_else(|| limits.fault("max_uses", "out of range".to_owned()))?)
        }
    };
    Ok(TokenLimits {
        sources,
        max_uses,
        not_before: limits.optional_text("not_before", parse_time)?,
    })
}

fn parse_scopes(fields: &mut FieldReader<'_>) -> Result<Scopes, FaultRecorded> {
    let texts = fields.texts("scopes")?;
    if texts.len() > Scopes::MAX {
        return Err(fields.fault("scopes", ScopeError::TooMany.to_string()));
    }
    let (mut scopes, mut reasons) = (Scopes::default(), Vec::new());
    for text in texts {
        let added = text.parse::<Scope>().and_then(|scope| scopes.add(scope));
        // Several scopes can have the same fault: report it once.
        if let Err(reason) = added.map_err(to_string)
            && !reasons.contains(&reason)
        {
            reasons.push(reason);
        }
    }
    let faults = reasons.into_iter().map(|reason| fields.fault("scopes", reason));
    faults.last().map_or(Ok(scopes), Err)
}

fn parse_last_use(used: &mut FieldReader<'_>) -> Result<LastUse, FaultRecorded> {
    Ok(LastUse {
        at: used.text("at", parse_time)?,
        from: used.optional_text("from", bounded_text)?.map(Into::into),
        summary: used.text("what", bounded_text)?.into(),
    })
}

fn to_string(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Accepts a text of at most [`MAX_TEXT_CHARS`] characters without a secret.
fn bounded_text(text: &str) -> Result<String, String> {
    if is_longer(text, MAX_TEXT_CHARS) {
        return Err(format!("longer than {MAX_TEXT_CHARS} characters"));
    }
    if contains_secret(text) {
        return Err("contains the secret of a token: remove it".to_owned());
    }
    Ok(text.to_owned())
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    let at = DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|_| "expected a time such as 2026-12-24T13:05:00Z".to_owned())?;
    let unsupported = || "is outside the years 1970 to 9999".to_owned();
    is_supported(at).then_some(at).ok_or_else(unsupported)
}

fn parse_digest(text: &str) -> Result<Digest, String> {
    let bytes = text.strip_prefix(ALGORITHM).and_then(from_hex);
    let expected = || format!("expected {ALGORITHM} and 64 hexadecimal digits");
    bytes.map(Digest::from_bytes).ok_or_else(expected)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
