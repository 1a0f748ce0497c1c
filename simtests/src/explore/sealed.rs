//! Whether all that goes over a protected connection is in records of the TLS engine.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use towline_core::tls::toy::FIRST_BYTE;

use crate::host::HostId;
use crate::tap::Passing;
use crate::tcp::Segment;

/// Bytes of a record's head; the last two are the length of what follows.
const HEAD: usize = 5;

/// Follows every stream record by record.
#[derive(Debug, Default)]
pub(super) struct Seals {
    streams: BTreeMap<(HostId, SocketAddr, SocketAddr), Stream>,
    /// What was said in clear.
    pub(super) broken: Vec<String>,
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Stream {
    /// Bytes that have been looked at.
    seen: u64,
    head: Vec<u8>,
    /// Bytes of the record's body that are to come.
    left: usize,
}

impl Seals {
    /// Looks at what is sent for the first time.
    pub(super) fn see(&mut self, passing: &Passing<'_>) {
        let key = (passing.from, passing.ends.local, passing.ends.peer);
        let data = match passing.segment {
            Segment::Syn { .. } | Segment::SynAck { .. } => return drop(self.streams.insert(key, Stream::default())),
            Segment::Rst { .. } => return,
            Segment::Data(data) => data,
        };
        let stream = self.streams.entry(key).or_default();
        let known = usize::try_from(stream.seen.saturating_sub(data.at)).unwrap_or(usize::MAX);
        let new = data.bytes.get(known..).unwrap_or_default();
        if data.at > stream.seen {
            return;
        }
        stream.seen += new.len() as u64;
        if let Err(byte) = stream.take(new) {
            let text = String::from_utf8_lossy(&new[..new.len().min(60)]).into_owned();
            let (from, to) = (passing.ends.local, passing.ends.peer);
            self.broken.push(format!("{from} said to {to} a record that begins with {byte:#04x}: {text:?}"));
        }
    }
}

impl Stream {
    /// Goes on through the records; the byte a record begins with that is none.
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), u8> {
        while let Some(&first) = bytes.first() {
            if self.left > 0 {
                let n = self.left.min(bytes.len());
                self.left -= n;
                bytes = &bytes[n..];
            } else {
                if self.head.is_empty() && first != FIRST_BYTE {
                    return Err(first);
                }
                self.head.push(first);
                bytes = &bytes[1..];
                if let [_, _, _, high, low] = self.head[..HEAD.min(self.head.len())] {
                    self.left = usize::from(u16::from_be_bytes([high, low]));
                    self.head.clear();
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_of_records_is_followed_however_it_is_cut_and_a_word_in_clear_is_seen() {
        let record = [FIRST_BYTE, 1, 1, 0, 3, 9, 9, 9];
        let bytes = [record, record].concat();
        for cut in 0..bytes.len() {
            let mut stream = Stream::default();
            assert_eq!(stream.take(&bytes[..cut]), Ok(()));
            assert_eq!(stream.take(&bytes[cut..]), Ok(()));
        }
        let mut stream = Stream::default();
        assert_eq!(stream.take(&record), Ok(()));
        assert_eq!(stream.take(b"Hello"), Err(b'H'));
    }
}
