//! Reads the fields of one JSON object and collects all faults with their field names. Unknown and
//! repeated fields are faults: a reviewer may read one value of a repeated field, while a parser uses
//! the other. Called by `record` and `import_file`.

use std::{borrow::Cow, fmt, mem::take, ops::RangeInclusive};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{from_str, value::RawValue};

use crate::service::import::LineFault;

/// Marks an invalid field, for which the reader has already recorded the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FaultRecorded;

/// A JSON string; it borrows from the line unless it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct JsonString<'a>(#[serde(borrow)] Cow<'a, str>);

/// The values of an object, sorted by name. A value is `None` after it was taken.
struct JsonObject<'a> {
    values: Vec<(Cow<'a, str>, Option<&'a RawValue>)>,
    /// The names that occur more than once. Only one of their values is in `values`.
    repeated: Vec<Cow<'a, str>>,
}

impl<'de> Deserialize<'de> for JsonObject<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = JsonObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject<'de>, A::Error> {
        let (mut values, mut repeated) = (Vec::with_capacity(16), Vec::new());
        while let Some((JsonString(name), value)) = map.next_entry()? {
            values.push((name, Some(value)));
        }
        // The lines of an export are sorted already.
        if !values.is_sorted_by(|(one, _), (next, _)| one < next) {
            values.sort_by(|(one, _), (other, _)| one.cmp(other));
            values.dedup_by(|(later, _), (first, _)| {
                let is_repeated = later == first;
                if is_repeated && repeated.last() != Some(first) {
                    repeated.push(first.clone());
                }
                is_repeated
            });
        }
        Ok(JsonObject { values, repeated })
    }
}

/// Reads the fields of one object. Reading a field takes its value, so a field that still has a
/// value at the end is an unknown field.
pub(super) struct FieldReader<'a> {
    line: u64,
    /// Name of the field that contains the object; `None` for the line itself.
    parent: Option<&'static str>,
    object: JsonObject<'a>,
    faults: Vec<LineFault>,
}

impl<'a> FieldReader<'a> {
    /// Parses `text`, which is line number `line` of the file.
    pub(super) fn parse(line: u64, text: &'a str) -> Result<Self, LineFault> {
        let object = from_str(text).map_err(|error| {
            let why = if error.is_data() {
                "expected a JSON object".to_owned()
            } else {
                format!("invalid JSON at column {}", error.column())
            };
            LineFault { line, field: String::new(), reason: why }
        })?;
        Ok(Self::new(line, None, object))
    }

    fn new(line: u64, parent: Option<&'static str>, mut object: JsonObject<'a>) -> Self {
        let repeated = take(&mut object.repeated);
        let mut reader = Self { line, parent, object, faults: Vec::new() };
        for name in repeated {
            reader.fault(&name, "occurs more than once in this object".to_owned());
        }
        reader
    }

    /// Returns all faults, including one for each unknown field.
    pub(super) fn finish(mut self) -> Vec<LineFault> {
        let values = take(&mut self.object.values).into_iter();
        for (name, _) in values.filter(|(_, value)| value.is_some()) {
            self.fault(&name, "unknown field; a newer patdeck may support it".to_owned());
        }
        self.faults
    }

    /// Adds a fault of the field `name`.
    pub(super) fn fault(&mut self, name: &str, why: String) -> FaultRecorded {
        let field = match self.parent {
            None => name.to_owned(),
            Some(parent) => format!("{parent}.{name}"),
        };
        self.faults.push(LineFault { line: self.line, field, reason: why });
        FaultRecorded
    }

    fn take(&mut self, name: &str) -> Result<&'a str, FaultRecorded> {
        let values = &mut self.object.values;
        let at = values.binary_search_by(|(it, _)| it.as_ref().cmp(name)).ok();
        let value = at.and_then(|at| values.get_mut(at)?.1.take());
        value.map(RawValue::get).ok_or_else(|| self.fault(name, "missing".to_owned()))
    }

    fn value<T: Deserialize<'a>>(
        &mut self,
        name: &str,
        expected: &str,
    ) -> Result<T, FaultRecorded> {
        let value = self.take(name)?;
        from_str(value).map_err(|_| self.fault(name, format!("expected {expected}")))
    }

    /// Reads a string that `parse` accepts.
    pub(super) fn text<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, FaultRecorded> {
        let JsonString(text) = self.value(name, "a string")?;
        parse(&text).map_err(|why| self.fault(name, why))
    }

    /// Reads a string that `parse` accepts, or null.
    pub(super) fn optional_text<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, FaultRecorded> {
        let text: Option<JsonString<'_>> = self.value(name, "a string")?;
        text.map(|JsonString(text)| parse(&text)).transpose().map_err(|why| self.fault(name, why))
    }

    /// Reads a string that `parse` accepts, or null. Earlier exports lack the field.
    pub(super) fn new_text<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, FaultRecorded> {
        if self.has(name) { self.optional_text(name, parse) } else { Ok(None) }
    }

    /// Reads all fields of the object, which must be strings. Returns the name and the text of each.
    pub(super) fn all_texts(&mut self) -> Result<Vec<[Cow<'a, str>; 2]>, FaultRecorded> {
        let names: Vec<_> = self.object.values.iter().map(|(name, _)| name.clone()).collect();
        let mut texts = Vec::with_capacity(names.len());
        for name in names {
            let JsonString(text) = self.value(&name, "a string")?;
            texts.push([name, text]);
        }
        Ok(texts)
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<Cow<'a, str>>, FaultRecorded> {
        let texts: Vec<JsonString<'a>> = self.value(name, "a list of strings")?;
        Ok(texts.into_iter().map(|JsonString(text)| text).collect())
    }

    /// Reads a list of strings, or null.
    pub(super) fn optional_texts(
        &mut self,
        name: &str,
    ) -> Result<Option<Vec<Cow<'a, str>>>, FaultRecorded> {
        let texts: Option<Vec<JsonString<'a>>> = self.value(name, "a list of strings")?;
        Ok(texts.map(|texts| texts.into_iter().map(|JsonString(text)| text).collect()))
    }

    pub(super) fn optional_number(&mut self, name: &str) -> Result<Option<u64>, FaultRecorded> {
        self.value(name, "a number")
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<bool, FaultRecorded> {
        self.value(name, "true or false")
    }

    pub(super) fn number(&mut self, name: &str) -> Result<u64, FaultRecorded> {
        self.value(name, "a number")
    }

    /// Reads a number in `range`. If the field is missing, as in exports of schema 1, it is the least.
    pub(super) fn count<T: TryFrom<u64>>(
        &mut self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<T, FaultRecorded> {
        let count = if self.has(name) { self.number(name)? } else { *range.start() };
        let count = T::try_from(count).ok().filter(|_| range.contains(&count));
        count.ok_or_else(|| self.fault(name, "out of range".to_owned()))
    }

    fn has(&self, name: &str) -> bool {
        self.object.values.binary_search_by(|(it, _)| it.as_ref().cmp(name)).is_ok()
    }

    /// Reads an object that `read` accepts, or null. Exports of schema 1 lack the field.
    pub(super) fn new_object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, FaultRecorded>,
    ) -> Result<Option<T>, FaultRecorded> {
        if self.has(name) { self.object(name, read) } else { Ok(None) }
    }

    /// Reads an object that `read` accepts, or null.
    pub(super) fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, FaultRecorded>,
    ) -> Result<Option<T>, FaultRecorded> {
        let Some(object) = self.value(name, "an object")? else { return Ok(None) };
        let mut inner = Self::new(self.line, Some(name), object);
        let value = read(&mut inner);
        // After a fault, `read` may have returned before it read all fields: do not report the
        // others as unknown.
        let mut faults = if value.is_err() { inner.faults } else { inner.finish() };
        let is_valid = faults.is_empty();
        for fault in &mut faults {
            if let Some(parent) = self.parent {
                fault.field = format!("{parent}.{}", fault.field);
            }
        }
        self.faults.extend(faults);
        value.and_then(|value| if is_valid { Ok(Some(value)) } else { Err(FaultRecorded) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(text: &str) -> FieldReader<'_> {
        FieldReader::parse(1, text).unwrap()
    }

    fn faults(fields: FieldReader<'_>) -> Vec<(String, String)> {
        fields.finish().into_iter().map(|fault| (fault.field, fault.reason)).collect()
    }

    #[test]
    fn unread_fields_are_unknown() {
        let mut read = fields(r#"{"b":1,"a":true,"c":[]}"#);
        assert_eq!((read.boolean("a"), read.boolean("a")), (Ok(true), Err(FaultRecorded)));
        let names: Vec<_> = faults(read).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn only_unsigned_integers_are_counts() {
        for text in ["-1", "1.0", "0.5", "1e3", "-0", "\"1\"", "null", "18446744073709551616"] {
            let text = format!(r#"{{"n":{text}}}"#);
            let mut read = fields(&text);
            assert_eq!(read.number("n"), Err(FaultRecorded), "{text}");
            assert_eq!(faults(read), [("n".to_owned(), "expected a number".to_owned())]);
        }
    }

    #[test]
    fn names_and_strings_may_contain_escapes() {
        let mut read = fields(r#"{"n\u0061me":"a\u0062\n"}"#);
        assert_eq!(read.text("name", |text| Ok(text.to_owned())), Ok("ab\n".to_owned()));
        assert_eq!(faults(read), []);
    }

    proptest! {
        #[test]
        fn each_repeated_field_is_one_fault(names in prop::collection::vec("[a-c]", 1..8)) {
            let text: Vec<_> =
                names.iter().enumerate().map(|(at, name)| format!("\"{name}\":{at}")).collect();
            let text = format!("{{{}}}", text.join(","));
            let mut read = fields(&text);
            let distinct = std::collections::BTreeSet::from_iter(&names);
            for name in &distinct {
                prop_assert!(read.number(name).is_ok());
            }
            let is_repeated = |name: &&String| names.iter().filter(|it| *it == *name).count() > 1;
            let expected: Vec<_> = distinct.into_iter().filter(is_repeated).cloned().collect();
            let found: Vec<_> = faults(read).into_iter().map(|(name, _)| name).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
