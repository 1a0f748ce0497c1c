//! Passwords: configured text that no log, no `Debug` and no ordinary serialisation shows.

use std::fmt;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::secret::Secret;
use crate::wire::cram_md5::password_key;

/// What stands in place of a password.
const HIDDEN: &str = "***";

/// A password as configured: clear text, or `[md5]` and 32 hexadecimal digits (`wire/1 §2.6`).
///
/// `Debug` and `Serialize` give `***`; only [`Revealed`] writes the text.
#[derive(Clone, Default)]
pub struct Password {
    text: String,
    revealed: bool,
}

impl Password {
    /// A password from its configured form.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), revealed: false }
    }

    /// The 32 bytes that both CRAM-MD5 and the pre-shared key use: the MD5 of the text in lower-case hexadecimal, or
    /// the digits of the `[md5]` form as they are (`wire/1 §2.6`, `§4.6`).
    #[must_use]
    pub fn key(&self) -> Secret {
        password_key(&self.text)
    }

    /// The password as configured, for a peer that is no daemon of ours and needs it as it is.
    #[must_use]
    pub fn clear(&self) -> Secret {
        Secret::new(self.text.as_bytes())
    }

    /// Whether nothing is configured. An empty password is never accepted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What makes it unusable, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        match self.text.strip_prefix("[md5]") {
            _ if self.text.is_empty() => Some("the password is empty"),
            _ if self.text == HIDDEN => Some("the password is the mask `***` of a printed configuration"),
            Some(digits) if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Some("a password that begins with `[md5]` needs exactly 32 hexadecimal digits after it")
            }
            _ if self.text.contains(['\0', '\n', '\r']) => Some("the password contains a line end or a zero byte"),
            _ => None,
        }
    }
}

/// Equality of the configured text; whether it is revealed does not count.
impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.revealed { &self.text } else { HIDDEN })
    }
}

/// A configuration that can name all its passwords.
pub trait Passwords {
    /// Calls `visit` with each password.
    fn for_each_password(&mut self, visit: &mut dyn FnMut(&mut Password));
}

/// The one way to write passwords out: a copy of a configuration whose `Serialize` shows them. It exists for writing
/// configuration files and has no `Debug`.
pub struct Revealed<T>(T);

impl<T: Passwords + Clone> Revealed<T> {
    /// A copy of `config` with its passwords readable.
    #[must_use]
    pub fn of(config: &T) -> Self {
        let mut config = config.clone();
        config.for_each_password(&mut |password| password.revealed = true);
        Self(config)
    }
}

impl<T: Serialize> Serialize for Revealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_password_becomes_its_md5_in_hexadecimal() {
        assert_eq!(Password::new("secret").key().expose(), b"5ebe2294ecd0e0f08eab7690d2a6ee69");
    }

    #[test]
    fn the_md5_form_keeps_its_digits_and_their_case() {
        let digits = "5EBE2294ecd0e0f08eab7690d2a6ee69";
        assert_eq!(Password::new(format!("[md5]{digits}")).key().expose(), digits.as_bytes());
    }

    #[test]
    fn debug_and_ordinary_serialisation_show_stars() {
        let password = Password::new("hunter2");
        assert_eq!(format!("{password:?}"), "***");
        assert_eq!(serde_json::to_string(&password).expect("text serialises"), "\"***\"");
    }

    #[test]
    fn unusable_passwords_say_why() {
        for bad in ["", "***", "[md5]12", "[md5]zzzz2294ecd0e0f08eab7690d2a6ee69", "a\nb"] {
            assert!(Password::new(bad).fault().is_some(), "{bad:?}");
        }
        assert_eq!(Password::new("x").fault(), None);
    }
}
