//! Values with their places, and how serde makes the typed model of them.

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::fmt;

use towline_core::config::{ConfigPath, Step};

use super::super::sources::Place;

/// A value and where it stands. What a resource has from elsewhere stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Bool(bool),
    Number(u64),
    /// Text, or one of a few words.
    Text(String),
    List(Vec<Node>),
    /// A resource: its fields by the names of the typed model.
    Fields(Vec<(&'static str, Node)>),
    /// A word with fields, as `sqlite(…)`.
    Choice(&'static str, Box<Node>),
}

impl Node {
    pub(super) const fn new(place: Place, value: Value) -> Self {
        Self { place, value }
    }

    pub(super) fn text(place: Place, text: impl Into<String>) -> Self {
        Self::new(place, Value::Text(text.into()))
    }

    /// A field of a resource.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Fields(fields) => fields.iter().find(|(field, _)| *field == name).map(|(_, node)| node),
            _ => None,
        }
    }

    /// Where the value at `path` stands; for one that is not written, what its resource is known by.
    pub(in super::super) fn locate(&self, path: &ConfigPath) -> Place {
        let mut node = self;
        for step in &path.0 {
            let next = match (&node.value, step) {
                (Value::Fields(_), Step::Field(name)) => node.field(name),
                (Value::Choice(_, inside), Step::Field(name)) => inside.field(name),
                (Value::List(list), Step::Index(index)) => list.get(*index),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node.field("name").unwrap_or(node).place.clone()
    }

    /// The typed value.
    pub(super) fn typed<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(self)
    }
}

/// A value that the typed model does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Error {
    /// The innermost value that is to blame.
    pub(super) place: Option<Place>,
    pub(super) message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { place: None, message: message.to_string() }
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let found = match &self.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(value) => visitor.visit_u64(*value),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(list) => visitor.visit_seq(List(list.iter())),
            Value::Fields(fields) => visitor.visit_map(Fields { fields: fields.iter(), value: None }),
            Value::Choice(name, _) => visitor.visit_str(name),
        };
        found.map_err(|error| self.blame(error))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self).map_err(|error| self.blame(error))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl Node {
    fn blame(&self, error: Error) -> Error {
        Error { place: error.place.or_else(|| Some(self.place.clone())), ..error }
    }
}

impl<'de> EnumAccess<'de> for &'de Node {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = match &self.value {
            Value::Text(text) => text,
            Value::Choice(name, _) => *name,
            _ => "",
        };
        Ok((seed.deserialize(StrDeserializer::<Error>::new(name))?, self))
    }
}

impl<'de> VariantAccess<'de> for &'de Node {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        match &self.value {
            Value::Choice(_, inside) => seed.deserialize(&**inside),
            _ => seed.deserialize(self),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }
}

struct List<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for List<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|node| seed.deserialize(node)).transpose()
    }
}

struct Fields<'de> {
    fields: std::slice::Iter<'de, (&'static str, Node)>,
    value: Option<&'de Node>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, node)) = self.fields.next() else { return Ok(None) };
        self.value = Some(node);
        seed.deserialize(StrDeserializer::<Error>::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let node = self.value.take().ok_or_else(|| de::Error::custom("a value without a name"))?;
        seed.deserialize(node)
    }
}
