//! A token: the one line by which a machine joins a director.
//!
//! ```text
//!   towline1-BASE64(JSON, CRC-32)      the director's name and address, the client's name, until when it is good, and
//!     either the name and the password of an invitation that the director keeps, for what it keeps to be fetched once
//!     or what the client is to have itself, for one that cannot dial the director
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Crc;
use serde::{Deserialize, Serialize};

/// What a token begins with. The number is that of its format.
const PREFIX: &str = "towline1-";
/// Bytes of the longest token.
const LONGEST: usize = 96 * 1024;
/// Files that one client is to have at most.
const MOST_FILES: usize = 8;

/// What a token says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    /// The name of the director.
    pub(super) director: String,
    /// Where the client reaches it.
    pub(super) address: String,
    /// Its port.
    pub(super) port: u16,
    /// The name of the client.
    pub(super) client: String,
    /// Seconds since 1970 until when it is good.
    pub(super) until: i64,
    /// What the client gets by it.
    pub(super) gets: Gets,
}

/// How the client gets what it is to have.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Gets {
    /// From the director, once, as the console of this name with this password.
    Invitation { name: String, password: String },
    /// Here it is.
    Letter(Letter),
}

/// What a client is to have.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Letter {
    /// The name of the client.
    pub(super) client: String,
    /// The storages of its jobs.
    pub(super) storages: Vec<String>,
    /// Names of files in the folder of its configuration, and their texts.
    pub(super) files: Vec<(String, String)>,
}

/// Why a line is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoToken {
    #[error("this is no token: a token is one line that begins with {PREFIX}, as `towline client add` prints it")]
    Another,
    #[error("the token is damaged: copy all of the line, from {PREFIX} to its end")]
    Damaged,
    #[error("the token is of another version of towline: use the same version on both machines")]
    Version,
}

impl Token {
    /// The line.
    pub(super) fn line(&self) -> String {
        format!("{PREFIX}{}", sealed(self))
    }

    /// Reads a line.
    ///
    /// # Errors
    /// Why it is no token.
    pub(super) fn read(line: &str) -> Result<Self, NoToken> {
        let line = line.trim();
        let Some(text) = line.strip_prefix(PREFIX) else {
            let version = line.strip_prefix("towline").and_then(|rest| rest.split_once('-'));
            let is_version = version.is_some_and(|(number, _)| number.parse::<u32>().is_ok());
            return Err(if is_version { NoToken::Version } else { NoToken::Another });
        };
        opened(text)
    }
}

impl Letter {
    /// As one word of a line.
    pub(super) fn word(&self) -> String {
        sealed(self)
    }

    /// Reads such a word. No file is outside of the folder it is to be in.
    ///
    /// # Errors
    /// It is damaged, or names what it must not.
    pub(super) fn read(word: &str) -> Result<Self, NoToken> {
        opened::<Self>(word.trim()).and_then(Self::checked)
    }

    /// With only such names of files as a client can have.
    pub(super) fn checked(self) -> Result<Self, NoToken> {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        let is_name = |name: &str| !name.is_empty() && !name.starts_with('.') && name.chars().all(is_letter);
        let all = self.files.iter().all(|(name, _)| is_name(name)) && self.files.len() <= MOST_FILES;
        if all { Ok(self) } else { Err(NoToken::Damaged) }
    }
}

fn sealed(value: &impl Serialize) -> String {
    let mut bytes = serde_json::to_vec(value).unwrap_or_default();
    let sum = sum(&bytes);
    bytes.extend(sum);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn opened<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, NoToken> {
    if text.len() > LONGEST {
        return Err(NoToken::Damaged);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NoToken::Damaged)?;
    let (json, end) = bytes.split_last_chunk::<4>().ok_or(NoToken::Damaged)?;
    if sum(json) != *end {
        return Err(NoToken::Damaged);
    }
    serde_json::from_slice(json).map_err(|_| NoToken::Version)
}

fn sum(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token() -> Token {
        Token {
            director: "dir".to_owned(),
            address: "192.0.2.1".to_owned(),
            port: 9101,
            client: "laptop".to_owned(),
            until: 1_800_000_000,
            gets: Gets::Invitation { name: "invitation-0123456789abcdef".to_owned(), password: "x".repeat(48) },
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_written_and_has_no_letter_that_a_shell_minds() {
        let line = token().line();
        assert!(line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{line}");
        assert!(Token::read(&format!(" {line}\n")).is_ok_and(|read| read == token()));
    }

    #[test]
    fn what_is_cut_changed_or_another_line_is_told_apart() {
        let line = token().line();
        for cut in [PREFIX.len(), PREFIX.len() + 3, line.len() / 2, line.len() - 1] {
            assert_eq!(Token::read(&line[..cut]).err(), Some(NoToken::Damaged), "{cut}");
        }
        let changed = format!("{}{}", &line[..20], line[20..].replacen(char::is_alphabetic, "_", 1));
        assert_eq!(Token::read(&changed).err(), Some(NoToken::Damaged));
        for other in ["", "hello", "towline", "towlinex-AA", "rm -rf /"] {
            assert_eq!(Token::read(other).err(), Some(NoToken::Another), "{other}");
        }
        assert_eq!(Token::read("towline2-AAAA").err(), Some(NoToken::Version));
        assert_eq!(Token::read(&format!("{PREFIX}{}", "A".repeat(LONGEST + 1))).err(), Some(NoToken::Damaged));
    }

    #[test]
    fn no_file_of_a_letter_is_outside_of_its_folder() {
        for name in ["../x", "/etc/passwd", "a/b", "", ".", "..", ".bashrc", "a b", "a\nb"] {
            let letter =
                Letter { client: String::new(), storages: Vec::new(), files: vec![(name.to_owned(), String::new())] };
            assert_eq!(Letter::read(&letter.word()).err(), Some(NoToken::Damaged), "{name:?}");
        }
        let files = (0..=MOST_FILES).map(|n| (format!("a{n}"), String::new())).collect();
        let letter = Letter { client: String::new(), storages: Vec::new(), files };
        assert_eq!(Letter::read(&letter.word()).err(), Some(NoToken::Damaged));
        let files = vec![("file-daemon.ron".to_owned(), "(text)".to_owned())];
        let letter = Letter { client: "c".to_owned(), storages: vec!["s".to_owned()], files };
        assert!(Letter::read(&letter.word()).is_ok_and(|read| read == letter));
    }

    proptest! {
        #[test]
        fn whatever_a_line_holds_is_read_or_refused(line in "(towline1-)?[ -~]{0,200}") {
            let _any = Token::read(&line);
            let _any = Letter::read(&line);
        }
    }
}
