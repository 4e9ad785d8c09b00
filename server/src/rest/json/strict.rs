//! From JSON values to models as Go's decoder does it: null is absent, an object is never filled from an array, and an error names the field with its path.
//! Derived deserialisers alone would take `[]` for any object whose fields all have defaults.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

/// What does not fit.
#[derive(Debug)]
pub(super) struct Mismatch(String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mismatch {}

impl de::Error for Mismatch {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Reads a model.
pub(super) fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Mismatch> {
    T::deserialize(At { value, place: &Place::Root })
}

/// Where in the body.
enum Place<'a> {
    Root,
    Field { model: &'static str, name: &'a str, parent: &'a Place<'a> },
}

impl Place<'_> {
    /// `a.b.c`, without the indices of arrays.
    fn path(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Field { name, parent, .. } => {
                let above = parent.path();
                if above.is_empty() { (*name).to_owned() } else { format!("{above}.{name}") }
            }
        }
    }
}

struct At<'a> {
    value: &'a Value,
    place: &'a Place<'a>,
}

impl At<'_> {
    fn mismatch(&self, wanted: &str) -> Mismatch {
        let kind = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        self.mismatch_of(kind, wanted)
    }

    fn mismatch_of(&self, kind: &str, wanted: &str) -> Mismatch {
        Mismatch(match self.place {
            Place::Root => format!("json: cannot unmarshal {kind} into Go value of type {wanted}"),
            Place::Field { model, .. } => {
                format!("json: cannot unmarshal {kind} into Go struct field {model}.{} of type {wanted}", self.place.path())
            }
        })
    }

    /// An error of a scalar's visitor, for instance a number out of range, in the words of a mismatch.
    fn scalar<'de, V: Visitor<'de>>(self, visitor: V, wanted: &str) -> Result<V::Value, Mismatch> {
        let result: Result<V::Value, Mismatch> = match self.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::String(text) => visitor.visit_str(text),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), _, _) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (_, _, Some(number)) => visitor.visit_f64(number),
                _ => return Err(self.mismatch(wanted)),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => return Err(self.mismatch(wanted)),
        };
        result.map_err(|_| match self.value {
            // The decoder quotes a number that a whole one was wanted for: it is out of range or not whole.
            Value::Number(number) if wanted.starts_with("int") || wanted.starts_with("uint") => {
                self.mismatch_of(&format!("number {number}"), wanted)
            }
            _ => self.mismatch(wanted),
        })
    }
}

macro_rules! scalars {
    ($($method:ident = $wanted:literal),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            self.scalar(visitor, $wanted)
        }
    )+};
}

impl<'de> Deserializer<'de> for At<'_> {
    type Error = Mismatch;

    scalars! {
        deserialize_bool = "bool", deserialize_i8 = "int8", deserialize_i16 = "int16", deserialize_i32 = "int32", deserialize_i64 = "int64",
        deserialize_u8 = "uint8", deserialize_u16 = "uint16", deserialize_u32 = "uint32", deserialize_u64 = "uint64",
        deserialize_f32 = "float32", deserialize_f64 = "float64", deserialize_str = "string", deserialize_string = "string",
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => self.scalar(visitor, "value"),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(Items { rest: items.iter(), place: self.place }),
            _ => Err(self.mismatch("[]")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.value {
            Value::Object(fields) => visitor.visit_map(Fields { rest: fields.iter(), value: None, model: None, place: self.place }),
            _ => Err(self.mismatch("map")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.value {
            Value::Object(fields) => visitor.visit_map(Fields { rest: fields.iter(), value: None, model: Some(name), place: self.place }),
            _ => Err(self.mismatch(&format!("models.{name}"))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.value {
            Value::String(text) => {
                let word: StrDeserializer<'_, Mismatch> = text.as_str().into_deserializer();
                visitor.visit_enum(word).map_err(|_| self.mismatch("string"))
            }
            _ => Err(self.mismatch("string")),
        }
    }

    forward_to_deserialize_any! { i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any }
}

struct Items<'a> {
    rest: std::slice::Iter<'a, Value>,
    place: &'a Place<'a>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        self.rest.next().map(|value| seed.deserialize(At { value, place: self.place })).transpose()
    }
}

/// The fields of an object, without those that are null.
struct Fields<'a> {
    rest: serde_json::map::Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
    /// A map has none: what is in it is told as the map itself.
    model: Option<&'static str>,
    place: &'a Place<'a>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        let Some((name, value)) = self.rest.by_ref().find(|(_, value)| !value.is_null()) else { return Ok(None) };
        self.value = Some((name, value));
        let name: StrDeserializer<'_, Mismatch> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        let Some((name, value)) = self.value.take() else { return Err(de::Error::custom("a value without its name")) };
        match self.model {
            Some(model) => seed.deserialize(At { value, place: &Place::Field { model, name, parent: self.place } }),
            None => seed.deserialize(At { value, place: self.place }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Outer {
        name: String,
        limit: Option<i64>,
        count: i32,
        metadata: Inner,
        list: Vec<Inner>,
        map: BTreeMap<String, i64>,
        any: Option<Value>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        public: String,
    }

    #[test]
    fn what_fits_is_read() {
        let body = json!({"name": "a", "limit": -1, "count": null, "metadata": {"public": "true", "other": [1]}, "list": [{"public": "x"}],
            "map": {"a": 1}, "any": {"k": [1, null, "x"]}, "unknown": {"deep": [[]]}});
        let outer: Outer = from_value(&body).unwrap();
        assert_eq!((outer.name.as_str(), outer.limit, outer.count), ("a", Some(-1), 0));
        assert_eq!((outer.metadata.public.as_str(), outer.list[0].public.as_str(), outer.map["a"]), ("true", "x", 1));
        assert_eq!(from_value::<Outer>(&json!({"name": null, "list": null, "metadata": null})).unwrap(), Outer::default());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let table = [
            (json!([]), "json: cannot unmarshal array into Go value of type models.Outer"),
            (json!("x"), "json: cannot unmarshal string into Go value of type models.Outer"),
            (json!({"name": 7}), "json: cannot unmarshal number into Go struct field Outer.name of type string"),
            (json!({"metadata": []}), "json: cannot unmarshal array into Go struct field Outer.metadata of type models.Inner"),
            (
                json!({"metadata": {"public": true}}),
                "json: cannot unmarshal bool into Go struct field Inner.metadata.public of type string",
            ),
            (json!({"list": [{"public": 1}]}), "json: cannot unmarshal number into Go struct field Inner.list.public of type string"),
            (json!({"limit": "1"}), "json: cannot unmarshal string into Go struct field Outer.limit of type int64"),
            (json!({"limit": 1.5}), "json: cannot unmarshal number 1.5 into Go struct field Outer.limit of type int64"),
            (
                json!({"count": 3_000_000_000_i64}),
                "json: cannot unmarshal number 3000000000 into Go struct field Outer.count of type int32",
            ),
            (json!({"list": {}}), "json: cannot unmarshal object into Go struct field Outer.list of type []"),
            (json!({"map": {"a": "x"}}), "json: cannot unmarshal string into Go struct field Outer.map of type int64"),
        ];
        for (body, message) in table {
            assert_eq!(from_value::<Outer>(&body).unwrap_err().to_string(), message, "{body}");
        }
        let map = from_value::<BTreeMap<String, String>>(&json!({"a": true}));
        assert_eq!(map.unwrap_err().to_string(), "json: cannot unmarshal bool into Go value of type string");
    }
}
