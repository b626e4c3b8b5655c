//! JSON that borrows from its text, for a line of an import is read twice and there may be a
//! million. Of two fields with one name the later counts, as everywhere in patdeck.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

/// Any JSON.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Boolean(bool),
    /// A number; `None` if it is no whole one, or below 0.
    Number(Option<u64>),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object(Object<'a>),
}

/// The fields of an object in the order of their names, each of which may be taken out once.
#[derive(Debug, PartialEq)]
pub(super) struct Object<'a> {
    fields: Vec<(Cow<'a, str>, Option<Value<'a>>)>,
    /// Where the field behind the one that was taken last stands.
    next: usize,
}

impl<'a> Object<'a> {
    fn of(mut fields: Vec<(Cow<'a, str>, Option<Value<'a>>)>) -> Self {
        // What patdeck wrote is in order.
        if !fields.is_sorted_by(|(one, _), (next, _)| one < next) {
            fields.reverse();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            fields.dedup_by(|(later, _), (first, _)| later == first);
        }
        Self { fields, next: 0 }
    }

    /// Takes the field called `name` out, if it is there. Who asks in the order of the names finds
    /// each at once.
    pub(super) fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let at = match self.fields.get(self.next) {
            Some((it, _)) if it == name => self.next,
            _ => self.fields.binary_search_by(|(it, _)| it.as_ref().cmp(name)).ok()?,
        };
        self.next = at + 1;
        self.fields.get_mut(at)?.1.take()
    }

    /// The names of the fields that nobody took.
    pub(super) fn left(&self) -> Vec<String> {
        let left = self.fields.iter().filter(|(_, value)| value.is_some());
        left.map(|(name, _)| name.to_string()).collect()
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(Some(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.try_into().ok()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number(None))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let mut fields = Vec::with_capacity(16);
        while let Some(Name(name)) = map.next_key()? {
            fields.push((name, Some(map.next_value()?)));
        }
        Ok(Value::Object(Object::of(fields)))
    }
}

/// The name of a field.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::Text(name) => Ok(Self(name)),
            _ => Err(D::Error::custom("a name is expected")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The same as the library has it.
    fn plain(value: &Value<'_>) -> serde_json::Value {
        match value {
            Value::Null => json!(null),
            Value::Boolean(value) => json!(value),
            Value::Number(value) => json!(value),
            Value::Text(text) => json!(text),
            Value::List(values) => values.iter().map(plain).collect(),
            Value::Object(Object { fields, .. }) => {
                let field = |(name, value): &(Cow<'_, str>, Option<Value<'_>>)| {
                    (name.to_string(), value.as_ref().map_or(json!("taken"), plain))
                };
                serde_json::Value::Object(fields.iter().map(field).collect())
            }
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|value| json!(value)),
            any::<u64>().prop_map(|value| json!(value)),
            any::<String>().prop_map(|value| json!(value)),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(|list| json!(list)),
                prop::collection::hash_map("[ab\"]{0,2}", inner, 0..6).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_what_the_library_reads(value in any_json()) {
            let text = value.to_string();
            prop_assert_eq!(plain(&serde_json::from_str(&text).unwrap()), value);
        }

        #[test]
        fn each_field_is_found_once_in_any_order(
            names in prop::collection::btree_set("[a-c]{1,2}", 0..8),
            asked in prop::collection::vec("[a-c]{1,2}", 0..24),
        ) {
            let fields: Vec<_> = names.iter().map(|it| format!("\"{it}\":true")).collect();
            let text = format!("{{{}}}", fields.join(","));
            let Value::Object(mut object) = serde_json::from_str(&text).unwrap() else { unreachable!() };
            let mut left = names;
            for name in asked {
                prop_assert_eq!(object.take(&name).is_some(), left.remove(&name));
            }
            prop_assert_eq!(object.left(), left.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn of_fields_with_one_name_the_last_counts(names in prop::collection::vec("[a-c]", 0..8)) {
            let fields = names.iter().enumerate().map(|(at, name)| format!("\"{name}\":{at}"));
            let text = format!("{{{}}}", fields.collect::<Vec<_>>().join(","));
            let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(plain(&serde_json::from_str(&text).unwrap()), expected);
        }
    }

    #[test]
    fn other_numbers_are_no_counts() {
        for text in ["-1", "1.0", "0.5", "1e3", "-0"] {
            let expected: Option<u64> =
                serde_json::from_str::<serde_json::Value>(text).unwrap().as_u64();
            assert_eq!(
                serde_json::from_str::<Value<'_>>(text).unwrap(),
                Value::Number(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn a_field_is_taken_once_and_the_others_are_left() {
        let read = serde_json::from_str(r#"{"b":1,"a":null,"c":[]}"#).unwrap();
        let Value::Object(mut fields) = read else { unreachable!() };
        assert_eq!((fields.take("a"), fields.take("a")), (Some(Value::Null), None));
        assert_eq!(fields.take("x"), None);
        assert_eq!(fields.left(), ["b", "c"]);
    }
}
