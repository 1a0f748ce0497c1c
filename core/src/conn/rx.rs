//! What has arrived: ciphertext, plaintext, and whole frames of text cut from it.

use super::gather::Gather;
use super::reason::CloseReason;
use crate::buf::Buf;
use crate::error::TlsError;
use crate::limits;
use crate::socket::IoKind;
use crate::tls::{Session, State};
use crate::wire::frame::{self, Decoder, FrameError, Piece, Signal};

/// Bytes that hold the longest TLS record, its head and its seal (RFC 8446 §5.2).
const RECORD: usize = 5 + 16 * 1024 + 256;

/// Bytes that are opened at a time, at most: a few records, which the machine takes out of the cache and not out of memory.
const OPENED: usize = 64 * 1024;

/// Idle buffers that grew past this are made small again.
const SHRINK_OVER: usize = 64 * 1024;

/// How the reading side stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Open,
    Eof,
    Failed(IoKind),
}

/// The reading side of a connection. Without an engine the socket's bytes go straight into `plain`.
#[derive(Debug)]
pub(super) struct Rx {
    pub(super) engine: Option<Box<dyn Session>>,
    cipher: Buf,
    pub(super) plain: Buf,
    /// The size of the buffers at this time.
    size: usize,
    pub(super) end: End,
}

impl Rx {
    pub(super) fn new() -> Self {
        let size = limits::IDLE_BUFFER;
        Self { engine: None, cipher: Buf::default(), plain: Buf::with_capacity(size), size, end: End::Open }
    }

    /// From here on the socket's bytes are ciphertext, those that have come too.
    pub(super) fn protect(&mut self, engine: Box<dyn Session>) {
        self.engine = Some(engine);
        self.cipher = std::mem::replace(&mut self.plain, Buf::with_capacity(self.size.min(OPENED)));
    }

    /// Whether what has arrived for the engine begins with `wanted`: `Some(false)` if it may still. `None` if not, or if
    /// nothing has arrived.
    pub(super) fn begins_with(&self, wanted: &[u8]) -> Option<bool> {
        let known = self.cipher.filled();
        let known = &known[..known.len().min(wanted.len())];
        (!known.is_empty() && wanted.starts_with(known)).then_some(known.len() == wanted.len())
    }

    /// Where the socket's next bytes go.
    pub(super) fn space(&mut self) -> &mut [u8] {
        self.socket().space()
    }

    /// Whether there is room for more.
    pub(super) fn has_room(&self) -> bool {
        let buf = if self.engine.is_some() { &self.cipher } else { &self.plain };
        buf.len() < buf.capacity()
    }

    pub(super) fn commit(&mut self, n: usize) {
        self.socket().commit(n);
    }

    /// Makes room when a whole unit does not fit.
    pub(super) fn grow(&mut self) {
        let buf = self.socket();
        if buf.len() == buf.capacity() && buf.capacity() < 2 * RECORD {
            buf.reserve(RECORD);
        }
    }

    /// Opens what has arrived. True if anything moved.
    pub(super) fn open(&mut self, out: &mut Vec<u8>) -> Result<bool, TlsError> {
        let Some(engine) = &mut self.engine else { return Ok(false) };
        let before = (self.cipher.len(), self.plain.len());
        let limit = self.size.min(OPENED);
        engine.open(&mut self.cipher, &mut self.plain, limit, out)?;
        let moved = before != (self.cipher.len(), self.plain.len());
        if !moved && self.plain.len() < limit {
            self.grow();
        }
        Ok(moved)
    }

    /// Whether the peer has said, inside TLS, that nothing more will come.
    pub(super) fn peer_closed(&self) -> bool {
        self.engine.as_ref().is_some_and(|engine| matches!(engine.state(), State::PeerClosed(_)))
    }

    /// Bytes that have come and are still here.
    pub(super) fn len(&self) -> usize {
        self.cipher.len() + self.plain.len()
    }

    /// Whether the peer has ended in the middle of a TLS record, without a word about it.
    pub(super) fn is_cut(&self) -> bool {
        let is_within = |engine: &dyn Session| !self.cipher.is_empty() || engine.is_in_record();
        self.end == End::Eof && !self.peer_closed() && self.engine.as_deref().is_some_and(is_within)
    }

    /// Whether no more plaintext can come.
    pub(super) fn is_over(&self) -> bool {
        self.end != End::Open || self.peer_closed()
    }

    /// Bytes that have arrived and that no engine has taken.
    pub(super) const fn untouched(&self) -> usize {
        self.cipher.len()
    }

    /// Bytes that have arrived and were not taken, encrypted or not.
    pub(super) const fn waiting(&self) -> usize {
        let in_engine = if self.engine.is_some() { RECORD } else { 0 };
        self.cipher.len() + self.plain.len() + in_engine
    }

    /// Forgets what has arrived.
    pub(super) fn discard(&mut self) {
        self.cipher.consume(self.cipher.len());
        self.plain.consume(self.plain.len());
    }

    /// Sets the size of the buffers.
    pub(super) fn resize(&mut self, size: usize) {
        self.size = size;
        if self.engine.is_some() {
            self.cipher.resize(size);
            self.plain.resize(size.min(OPENED));
        } else {
            self.plain.resize(size);
        }
    }

    /// Gives back what a burst has made the buffers grow.
    pub(super) fn settle(&mut self) {
        let size = self.size;
        for buf in [&mut self.plain, &mut self.cipher] {
            if buf.is_empty() && buf.capacity() > size.max(SHRINK_OVER) {
                buf.resize(size);
            }
        }
    }

    fn socket(&mut self) -> &mut Buf {
        if self.engine.is_some() { &mut self.cipher } else { &mut self.plain }
    }
}

/// A whole frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Got {
    Signal(Signal),
    /// A payload, one trailing NUL still on it.
    Text(Vec<u8>),
    /// A frame that went into a parcel.
    Gathered,
}

/// Assembles whole frames from plaintext that comes in any split.
#[derive(Debug)]
pub(super) struct Assembler {
    decoder: Decoder,
    text: Vec<u8>,
    limit: u32,
}

impl Assembler {
    /// Accepts payloads of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { decoder: Decoder::new(), text: Vec::new(), limit: u32::try_from(limit).unwrap_or(u32::MAX) }
    }

    /// Changes the limit.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = u32::try_from(limit).unwrap_or(u32::MAX);
    }

    /// Bytes of a frame that has not come to its end.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether the input so far ends between two frames.
    pub(super) fn is_between_frames(&self) -> bool {
        self.decoder.is_between_frames()
    }

    /// Takes the next whole frame from the front of `input`; `None` if more is needed.
    pub(super) fn next(
        &mut self,
        input: &mut &[u8],
        mut gather: Option<&mut Gather>,
    ) -> Result<Option<Got>, CloseReason> {
        while let Some(piece) = self.piece(input, gather.as_deref())? {
            let (bytes, first, last, length) = match piece {
                Piece::Signal(signal) => return Ok(Some(Got::Signal(signal))),
                Piece::Data { bytes, first, last, length } => (bytes, first, last, length),
            };
            if first
                && last
                && let Some(gather) = gather.as_deref_mut()
                && gather.takes(bytes)
            {
                gather.add(bytes);
                return Ok(Some(Got::Gathered));
            }
            self.text.extend_from_slice(bytes);
            if length > self.limit && !self.may_be_long(gather.as_deref()) {
                return Err(CloseReason::FrameTooLong { length, limit: self.limit });
            }
            if !last {
                continue;
            }
            let text = std::mem::take(&mut self.text);
            if let Some(gather) = gather.as_deref_mut()
                && gather.takes(&text)
            {
                gather.add(&text);
                return Ok(Some(Got::Gathered));
            }
            return Ok(Some(Got::Text(text)));
        }
        Ok(None)
    }

    /// The next piece. A payload that is announced as too long is refused before its first byte has come.
    fn piece<'a>(&mut self, input: &mut &'a [u8], gather: Option<&Gather>) -> Result<Option<Piece<'a>>, CloseReason> {
        let piece = self.decoder.next(input).map_err(too_long)?;
        match self.decoder.announced() {
            Some(length) if piece.is_none() && length > self.limit && !self.may_be_long(gather) => {
                Err(CloseReason::FrameTooLong { length, limit: self.limit })
            }
            _ => Ok(piece),
        }
    }

    /// Whether the frame so far can be one that is gathered, which may be as long as a frame can be.
    fn may_be_long(&self, gather: Option<&Gather>) -> bool {
        gather.is_some_and(|gather| gather.may_take(&self.text))
    }
}

fn too_long(error: FrameError) -> CloseReason {
    let FrameError::TooLong { length, limit } = error;
    CloseReason::FrameTooLong { length, limit }
}

/// A payload without its trailing NUL.
pub(super) fn trimmed(mut text: Vec<u8>) -> Vec<u8> {
    text.truncate(frame::text(&text).len());
    text
}
