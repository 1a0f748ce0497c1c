//! The macro that declares a resource once: its fields, their defaults, their documentation.
//!
//! From one declaration come the struct, a constructor with the required fields, `Deserialize` that refuses unknown
//! fields and names missing ones, `Serialize` that leaves out what equals its default, and the field table that
//! `towline` prints as reference. So a default cannot differ from its documentation.

use serde::{Deserialize, Deserializer};

/// One field of a resource, as the reference shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldDoc {
    /// The name in the configuration file.
    pub name: &'static str,
    /// The default as written in the source, `None` for a required field.
    pub default: Option<&'static str>,
    /// What it means, with unit and source.
    pub doc: &'static str,
}

/// A part of a configuration that can describe itself.
pub trait Resource {
    /// The name of the resource, such as `Client`.
    const NAME: &'static str;
    /// Its fields in the order of the declaration: those one needs daily come first.
    const FIELDS: &'static [FieldDoc];
}

/// A field that may be left out. `None` written in the file stays an error for a field that is no option.
pub(super) struct Given<T>(pub(super) Option<T>);

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

/// The name of a field without the mark of a raw identifier.
pub(super) const fn plain(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

/// Declares resources: `field: Type,` is required, `field: Type = default,` is not.
macro_rules! resources {
    ($(
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident : $type:ty $(= $default:expr)? ,)+
        }
    )+) => { $(
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                $(#[doc = concat!("\n\nDefault: `", stringify!($default), "`.")])?
                pub $field: $type,
            )+
        }

        impl $crate::config::Resource for $name {
            const NAME: &'static str = stringify!($name);
            const FIELDS: &'static [$crate::config::FieldDoc] = &[
                $($crate::config::FieldDoc {
                    name: $crate::config::resource::plain(stringify!($field)),
                    default: $crate::config::resource::default_text!($($default)?),
                    doc: concat!($($doc, "\n"),+),
                }),+
            ];
        }

        $crate::config::resource::constructor! { $name [] [] $($field: $type $(= $default)?,)+ }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                #[serde(deny_unknown_fields)]
                struct $name {
                    $(
                        $(#[serde(default)] #[doc = stringify!($default)])?
                        $field: $crate::config::resource::raw_type!($type $(, $default)?),
                    )+
                }
                let raw = $name::deserialize(deserializer)?;
                Ok(Self { $($field: $crate::config::resource::filled!(raw.$field $(, $default)?)),+ })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct as _;
                let written = [$($crate::config::resource::differs!(self.$field, $type $(, $default)?)),+];
                let count = written.iter().filter(|written| **written).count();
                let mut out = serializer.serialize_struct(stringify!($name), count)?;
                let mut written = written.into_iter();
                $(
                    if written.next().unwrap_or(true) {
                        out.serialize_field(const { $crate::config::resource::plain(stringify!($field)) }, &self.$field)?;
                    } else {
                        out.skip_field(const { $crate::config::resource::plain(stringify!($field)) })?;
                    }
                )+
                out.end()
            }
        }
    )+ };
}

/// The constructor: what is required is an argument, all else has its default. Takes one field after the other.
macro_rules! constructor {
    ($name:ident [$($required:ident: $type:ty,)*] [$($other:ident = $default:expr,)*]) => {
        impl $name {
            /// With its required fields in the order of the declaration; all others have their defaults.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "where all fields have defaults, too")]
            pub fn new($($required: $type),*) -> Self {
                Self { $($required,)* $($other: $default,)* }
            }
        }
    };
    ($name:ident [$($required:tt)*] [$($other:tt)*] $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::config::resource::constructor! { $name [$($required)* $field: $type,] [$($other)*] $($rest)* }
    };
    ($name:ident [$($required:tt)*] [$($other:tt)*] $field:ident: $type:ty = $default:expr, $($rest:tt)*) => {
        $crate::config::resource::constructor! { $name [$($required)*] [$($other)* $field = $default,] $($rest)* }
    };
}

macro_rules! default_text {
    () => {
        None
    };
    ($default:expr) => {
        Some(stringify!($default))
    };
}

macro_rules! raw_type {
    ($type:ty) => { $type };
    ($type:ty, $default:expr) => { $crate::config::resource::Given<$type> };
}

macro_rules! filled {
    ($value:expr) => {
        $value
    };
    ($value:expr, $default:expr) => {
        $value.0.unwrap_or_else(|| $default)
    };
}

macro_rules! differs {
    ($value:expr, $type:ty) => {
        true
    };
    ($value:expr, $type:ty, $default:expr) => {{
        let default: $type = $default;
        $value != default
    }};
}

pub(super) use {constructor, default_text, differs, filled, raw_type, resources};
