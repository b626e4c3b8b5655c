//! One token as one JSON object, every field that matters, and back. What the domain would not
//! have made is refused with the field's name; nothing is guessed, and nothing left over.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde_json::json;

use super::value::{Object, Value};
use crate::{
    domain::{
        Actor, Description, Digest, LastUse, Moment, Name, Pat, Prefix, Retiring, Scope, Scopes,
        TokenId, text::is_longer,
    },
    service::transfer::Fault,
};

/// Most characters of a text that the domain does not limit.
const TEXT_MAX: usize = 1_024;
const ALGORITHM: &str = "sha256:";

/// An instant to the nanosecond, so that it comes back the same.
pub(super) fn exact(at: Moment) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// `pat` with all that is kept of it.
pub(super) fn written(pat: &Pat) -> serde_json::Value {
    json!({
        "id": pat.id.as_str(),
        "name": pat.name.as_str(),
        "description": pat.description.as_str(),
        "scopes": pat.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "prefix": pat.prefix.as_str(),
        "digest": digest(&pat.digest),
        "retiring": pat.retiring.as_ref().map(|old| json!({
            "digest": digest(&old.digest),
            "until": exact(old.until),
            "last_used": old.last_used.as_ref().map(used),
        })),
        "created": exact(pat.created),
        "created_by": {
            "user": pat.created_by.user.as_str(),
            "sudo_user": pat.created_by.sudo_user.as_deref(),
            "from": pat.created_by.from.as_deref(),
        },
        "issued": exact(pat.issued),
        "expires": pat.expires.map(exact),
        "revoked": pat.revoked.map(exact),
        "claimed": pat.claimed,
        "last_used": pat.last_used.as_ref().map(used),
    })
}

fn used(used: &LastUse) -> serde_json::Value {
    json!({ "at": exact(used.at), "from": used.from.as_deref(), "what": used.what.as_str() })
}

fn digest(digest: &Digest) -> String {
    digest.as_bytes().iter().fold(ALGORITHM.to_owned(), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(half), 16));
        }
        text
    })
}

/// The token that the line says, or everything that is wrong with it.
pub(super) fn read(line: u64, text: &str) -> Result<Pat, Vec<Fault>> {
    let mut fields = Fields::parse(line, text).map_err(|fault| vec![fault])?;
    match (pat(&mut fields), fields.done()) {
        (Ok(pat), faults) if faults.is_empty() => Ok(pat),
        (_, faults) => Err(faults),
    }
}

/// Every field is read, whatever is wrong with the others, in the order in which they were written.
fn pat(fields: &mut Fields<'_>) -> Result<Pat, Wrong> {
    let claimed = fields.boolean("claimed");
    let created = fields.text("created", instant);
    let created_by = fields.object("created_by", |by| {
        Ok(Actor {
            from: by.maybe("from", plain)?.map(Into::into),
            sudo_user: by.maybe("sudo_user", plain)?.map(Into::into),
            user: by.text("user", plain)?.into(),
        })
    });
    let description = fields.text("description", |text| Description::parse(text).map_err(words));
    let present = fields.text("digest", read_digest);
    let expires = fields.maybe("expires", instant);
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
    let retiring = fields.object("retiring", |old| {
        Ok(Retiring {
            digest: old.text("digest", read_digest)?,
            last_used: old.object("last_used", last_use)?,
            until: old.text("until", instant)?,
        })
    });
    let revoked = fields.maybe("revoked", instant);
    let scopes = fields.scopes();
    let Some(created_by) = created_by? else {
        return Err(fields.wrong("created_by", "an object is expected".to_owned()));
    };
    Ok(Pat {
        id: id?,
        name: name?,
        description: description?,
        scopes: scopes?,
        prefix: prefix?,
        digest: present?,
        retiring: retiring?,
        created: created?,
        created_by,
        issued: issued?,
        expires: expires?,
        revoked: revoked?,
        claimed: claimed?,
        last_used: last_used?,
    })
}

fn last_use(used: &mut Fields<'_>) -> Result<LastUse, Wrong> {
    Ok(LastUse {
        at: used.text("at", instant)?,
        from: used.maybe("from", plain)?.map(Into::into),
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

fn instant(text: &str) -> Result<Moment, String> {
    if let Some(at) = as_written(text) {
        return Ok(at);
    }
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|_| "a time like 2026-12-24T13:05:00Z is expected".to_owned())
}

/// The instant that [`exact`] has written so: every token has half a dozen.
fn as_written(text: &str) -> Option<Moment> {
    let text = text.strip_suffix('Z')?.as_bytes();
    let (whole, fraction) = text.split_at_checked(19)?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2] =
        whole
    else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u32, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let nano = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            number(digits)? * 10_u32.pow(9 - u32::try_from(digits.len()).ok()?)
        }
        _ => return None,
    };
    let year = i32::try_from(number(&[*y1, *y2, *y3, *y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[*m1, *m2])?, number(&[*d1, *d2])?)?;
    let (hour, minute) = (number(&[*h1, *h2])?, number(&[*i1, *i2])?);
    Some(date.and_hms_nano_opt(hour, minute, number(&[*s1, *s2])?, nano)?.and_utc())
}

fn read_digest(text: &str) -> Result<Digest, String> {
    let bytes = text.strip_prefix(ALGORITHM).and_then(|digits| {
        let (pairs, []) = digits.as_bytes().as_chunks() else { return None };
        let mut bytes = [0; 32];
        let pairs: &[[u8; 2]; 32] = pairs.try_into().ok()?;
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|it| u8::try_from(it).ok());
            *byte = digit(high)? << 4 | digit(low)?;
        }
        Some(bytes)
    });
    let expected = || format!("{ALGORITHM} and 64 hexadecimal digits are expected");
    bytes.map(Digest::from_bytes).ok_or_else(expected)
}

/// A field was wrong; the faults say how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrong;

/// The fields of one object, each taken out when it is read.
pub(super) struct Fields<'a> {
    line: u64,
    /// The field that the object is in.
    within: Option<&'static str>,
    object: Object<'a>,
    faults: Vec<Fault>,
}

impl<'a> Fields<'a> {
    pub(super) fn parse(line: u64, text: &'a str) -> Result<Self, Fault> {
        let fault = |why: String| Fault { line, field: String::new(), why };
        let value: Value<'a> = serde_json::from_str(text).map_err(|error| {
            let column = error.column();
            fault(format!("this is no JSON object: see its column {column}"))
        })?;
        let Value::Object(object) = value else {
            return Err(fault("a JSON object is expected".to_owned()));
        };
        Ok(Self { line, within: None, object, faults: Vec::new() })
    }

    /// What was wrong, left-over fields included.
    pub(super) fn done(mut self) -> Vec<Fault> {
        for name in self.object.left() {
            self.wrong(name.as_str(), "this patdeck does not know it: update patdeck".to_owned());
        }
        self.faults
    }

    fn wrong(&mut self, name: &str, why: String) -> Wrong {
        let field = match self.within {
            None => name.to_owned(),
            Some(within) => format!("{within}.{name}"),
        };
        self.faults.push(Fault { line: self.line, field, why });
        Wrong
    }

    fn take(&mut self, name: &str) -> Result<Value<'a>, Wrong> {
        let value = self.object.take(name);
        value.ok_or_else(|| self.wrong(name, "it is missing".to_owned()))
    }

    /// A text that `parse` takes.
    pub(super) fn text<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Wrong> {
        let value = self.take(name)?;
        self.parsed(name, &value, parse)
    }

    /// A text that `parse` takes, or null.
    fn maybe<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Wrong> {
        match self.take(name)? {
            Value::Null => Ok(None),
            value => self.parsed(name, &value, parse).map(Some),
        }
    }

    fn parsed<T>(
        &mut self,
        name: &str,
        value: &Value<'_>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Wrong> {
        let Value::Text(text) = value else {
            return Err(self.wrong(name, "a text is expected".to_owned()));
        };
        parse(text).map_err(|why| self.wrong(name, why))
    }

    fn boolean(&mut self, name: &str) -> Result<bool, Wrong> {
        match self.take(name)? {
            Value::Boolean(value) => Ok(value),
            _ => Err(self.wrong(name, "true or false is expected".to_owned())),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<u64, Wrong> {
        match self.take(name)? {
            Value::Number(Some(value)) => Ok(value),
            _ => Err(self.wrong(name, "a number is expected".to_owned())),
        }
    }

    fn scopes(&mut self) -> Result<Scopes, Wrong> {
        let Value::List(list) = self.take("scopes")? else {
            return Err(self.wrong("scopes", "a list of texts is expected".to_owned()));
        };
        let mut scopes = Scopes::default();
        let mut good = Ok(());
        for value in &list {
            let read = |text: &str| text.parse::<Scope>().map_err(words);
            let added = self.parsed("scopes", value, read).and_then(|scope| {
                let added = scopes.add(scope);
                added.map_err(|error| self.wrong("scopes", error.to_string()))
            });
            good = good.and(added.map(drop));
        }
        good.map(|()| scopes)
    }

    /// An object that `read` takes, or null.
    fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, Wrong>,
    ) -> Result<Option<T>, Wrong> {
        let object = match self.take(name)? {
            Value::Null => return Ok(None),
            Value::Object(object) => object,
            _ => return Err(self.wrong(name, "an object is expected".to_owned())),
        };
        let mut inner = Self { line: self.line, within: Some(name), object, faults: Vec::new() };
        let value = read(&mut inner);
        // After a fault the fields behind it were not read: they are not left over.
        let mut faults = if value.is_err() { inner.faults } else { inner.done() };
        let good = faults.is_empty();
        for fault in &mut faults {
            if let Some(within) = self.within {
                fault.field = format!("{within}.{}", fault.field);
            }
        }
        self.faults.extend(faults);
        value.and_then(|value| if good { Ok(Some(value)) } else { Err(Wrong) })
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
