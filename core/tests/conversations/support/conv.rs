//! The format of the recordings in `tests/fixtures`: one file per connection, one line per frame.
//!
//! ```text
//! # a comment
//! > text Hello Director bareos-dir calling Version="26.0.0"\n
//! < signal -4
//! < binary 225c568c
//! < fin
//! ```
//! `>` is what the dialling side sends, `<` the accepting side. `text` has the escapes `\n`, `\0`, `\\` and `\xNN`; `binary` is
//! hexadecimal; `signal` the number in the head; `fin` the end of what this side sends, `reset` an abrupt one. Frames are
//! complete, in the order in which they were completed on the wire.

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Dialler,
    Acceptor,
}

/// What is sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    Data(Vec<u8>),
    Signal(i32),
    Fin,
}

/// A line of a recording.
#[derive(Clone, Debug)]
pub struct Line {
    pub from: Side,
    pub frame: Frame,
}

/// Reads a recording.
pub fn parse(text: &str) -> Vec<Line> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|line| parse_line(line).unwrap_or_else(|| panic!("cannot read the line {line:?}"))).collect()
}

fn parse_line(line: &str) -> Option<Line> {
    let (arrow, rest) = line.split_once(' ')?;
    let from = match arrow {
        ">" => Side::Dialler,
        "<" => Side::Acceptor,
        _ => return None,
    };
    Some(Line { from, frame: Frame::parse(rest)? })
}

impl Frame {
    /// Reads the kind and the payload.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, payload) = text.split_once(' ').unwrap_or((text, ""));
        Some(match kind {
            "text" => Self::Data(unescape(payload)?),
            "binary" => Self::Data(unhex(payload)?),
            "signal" => Self::Signal(payload.parse().ok()?),
            "fin" | "reset" => Self::Fin,
            _ => return None,
        })
    }

    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Data(text.as_bytes().to_vec())
    }

    /// The payload.
    pub fn data(&self) -> &[u8] {
        match self {
            Self::Data(data) => data,
            Self::Signal(_) | Self::Fin => b"",
        }
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Data(data) => write!(f, "text {}", escape(data)),
            Self::Signal(number) => write!(f, "signal {number}"),
            Self::Fin => f.write_str("fin"),
        }
    }
}

fn escape(data: &[u8]) -> String {
    let mut text = String::new();
    for &byte in data {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            0 => text.push_str("\\0"),
            32..127 => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            data.push(byte);
            continue;
        }
        let (&kind, after) = rest.split_first()?;
        rest = after;
        match kind {
            b'n' => data.push(b'\n'),
            b'0' => data.push(0),
            b'\\' => data.push(b'\\'),
            b'x' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                data.extend(unhex(std::str::from_utf8(digits).ok()?)?);
            }
            _ => return None,
        }
    }
    Some(data)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |pair: &[u8]| Some((digit(pair[0])? * 16 + digit(*pair.get(1)?)?) as u8);
    text.as_bytes().chunks(2).map(byte).collect()
}

#[test]
fn a_recorded_line_reads_as_it_was_sent() {
    let lines = parse("# a comment\n> text a\\n\\0\\\\\\x1e b\n< signal -4\n< binary 00ff\n> fin\n");
    let frames: Vec<Frame> = lines.iter().map(|line| line.frame.clone()).collect();
    let expected = [Frame::Data(b"a\n\0\\\x1e b".to_vec()), Frame::Signal(-4), Frame::Data(vec![0, 0xff]), Frame::Fin];
    assert_eq!(frames, expected);
    assert_eq!(lines[1].from, Side::Acceptor);
}
