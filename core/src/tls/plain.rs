//! No protection at all: bytes move as they are. For connections in clear, so that they have an engine too.

use crate::buf::Buf;
use crate::error::TlsError;
use crate::tls::{Established, Kind, Session, State};

/// The engine that does nothing. It is `Ready` from the start.
#[derive(Debug, Default)]
pub struct Plain {
    closed: bool,
}

impl Session for Plain {
    fn open(&mut self, cipher: &mut Buf, plain: &mut Buf, limit: usize, _: &mut Vec<u8>) -> Result<(), TlsError> {
        let n = cipher.len().min(limit.saturating_sub(plain.len()));
        plain.extend(&cipher.filled()[..n]);
        cipher.consume(n);
        Ok(())
    }

    fn seal(&mut self, plain: &[&[u8]], out: &mut Vec<u8>) -> Result<(), TlsError> {
        if self.closed {
            return Err(TlsError::Engine("sealed after close".to_owned()));
        }
        for slice in plain {
            out.extend_from_slice(slice);
        }
        Ok(())
    }

    fn close(&mut self, _: &mut Vec<u8>) {
        self.closed = true;
    }

    fn state(&self) -> State {
        State::Ready(Established { kind: Kind::Clear, version: String::new(), cipher: String::new(), identity: None })
    }
}
