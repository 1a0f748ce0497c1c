//! Frames: four bytes that hold a length or a signal, then the payload (`wire/1 §1`).

/// The longest payload a sender puts into one frame, in bytes (`wire/1 §1.1`).
pub const MAX_SEND: usize = 999_996;

/// The longest payload a receiver accepts, in bytes (`wire/1 §1.1`).
pub const MAX_ACCEPT: u32 = 1_000_000;

/// The length of a head, in bytes.
pub const HEAD: usize = 4;

/// A frame without payload that means something by itself (`wire/1 §1.2`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// -1: the end of a stream or of the output of a command; the connection stays open.
    Eod,
    /// -2: end of data; an OK line is asked for.
    EodPoll,
    /// -3: a status line is asked for.
    Status,
    /// -4: the conversation is over.
    Terminate,
    /// -5: the peer waits in a read.
    Poll,
    /// -6: a heartbeat.
    Heartbeat,
    /// -7: the answer to a heartbeat.
    HeartbeatResponse,
    /// -8: obsolete.
    Prompt,
    /// -9: the clock of the peer is asked for.
    ClockRequest,
    /// -10: interrupted by the user.
    Break,
    /// -11: a selection list starts.
    StartSelect,
    /// -12: a selection list ends.
    EndSelect,
    /// -13: the command is invalid.
    InvalidCommand,
    /// -14: the command failed.
    CommandFailed,
    /// -15: the command succeeded.
    CommandOk,
    /// -16: a command starts.
    CommandBegin,
    /// -17: console messages are waiting.
    MessagesPending,
    /// -18: ready for the next command.
    MainPrompt,
    /// -19: a number of the list is expected.
    SelectInput,
    /// -20: the next text is a warning.
    WarningMessage,
    /// -21: the next text is an error.
    ErrorMessage,
    /// -22: the next text is an information.
    InfoMessage,
    /// -23: a block of job parameters follows.
    RunCommand,
    /// -24: yes or no is expected.
    YesNo,
    /// -25: the mode of the restore tree begins.
    StartRestoreTree,
    /// -26: the mode of the restore tree ends.
    EndRestoreTree,
    /// -27: a line of input is expected inside a command.
    SubPrompt,
    /// -28: as -27 in API mode, sent before the text of the prompt.
    TextInput,
    /// A negative number without a meaning here. Make it with [`Signal::from_number`] only.
    Other(i32),
}

const KNOWN: [Signal; 28] = [
    Signal::Eod,
    Signal::EodPoll,
    Signal::Status,
    Signal::Terminate,
    Signal::Poll,
    Signal::Heartbeat,
    Signal::HeartbeatResponse,
    Signal::Prompt,
    Signal::ClockRequest,
    Signal::Break,
    Signal::StartSelect,
    Signal::EndSelect,
    Signal::InvalidCommand,
    Signal::CommandFailed,
    Signal::CommandOk,
    Signal::CommandBegin,
    Signal::MessagesPending,
    Signal::MainPrompt,
    Signal::SelectInput,
    Signal::WarningMessage,
    Signal::ErrorMessage,
    Signal::InfoMessage,
    Signal::RunCommand,
    Signal::YesNo,
    Signal::StartRestoreTree,
    Signal::EndRestoreTree,
    Signal::SubPrompt,
    Signal::TextInput,
];

impl Signal {
    /// The signal of a negative number; `None` if it is not negative.
    pub fn from_number(number: i32) -> Option<Self> {
        if number >= 0 {
            return None;
        }
        let index = usize::try_from(-1 - i64::from(number)).ok()?;
        Some(KNOWN.get(index).copied().unwrap_or(Self::Other(number)))
    }

    /// The negative number on the wire.
    pub fn number(self) -> i32 {
        match self {
            Self::Other(number) => number,
            known => KNOWN.iter().zip(1..).find(|(signal, _)| **signal == known).map_or(0, |(_, n): (_, i32)| -n),
        }
    }
}

/// The first four bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// A payload of so many bytes follows; 0 is the empty frame.
    Data(u32),
    /// There is no payload.
    Signal(Signal),
}

impl Head {
    /// Reads a head. Refuses a length over [`MAX_ACCEPT`].
    pub fn parse(bytes: [u8; HEAD]) -> Result<Self, FrameError> {
        let number = i32::from_be_bytes(bytes);
        match u32::try_from(number) {
            Ok(length) if length > MAX_ACCEPT => Err(FrameError::TooLong { length, limit: MAX_ACCEPT }),
            Ok(length) => Ok(Self::Data(length)),
            Err(_) => Ok(Self::Signal(Signal::from_number(number).unwrap_or(Signal::Other(number)))),
        }
    }

    /// The bytes on the wire.
    pub fn bytes(self) -> [u8; HEAD] {
        match self {
            Self::Data(length) => length.to_be_bytes(),
            Self::Signal(signal) => signal.number().to_be_bytes(),
        }
    }
}

/// Why the frames of a peer cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame is longer than a receiver accepts, or longer than this reader does.
    #[error("the peer sends a frame of {length} bytes, more than {limit}")]
    TooLong {
        /// The announced length in bytes.
        length: u32,
        /// What is accepted, in bytes.
        limit: u32,
    },
}

/// Appends a payload as a frame, or as several of at most [`MAX_SEND`] bytes, as every sender of the protocol does. An
/// empty payload becomes the empty frame.
pub fn put_data(out: &mut Vec<u8>, payload: &[u8]) {
    out.reserve(payload.len() + HEAD * (1 + payload.len() / MAX_SEND));
    let mut pieces = payload.chunks(MAX_SEND);
    let mut piece = pieces.next().unwrap_or_default();
    loop {
        out.extend_from_slice(&Head::Data(piece.len() as u32).bytes());
        out.extend_from_slice(piece);
        match pieces.next() {
            Some(next) => piece = next,
            None => return,
        }
    }
}

/// Appends a signal.
pub fn put_signal(out: &mut Vec<u8>, signal: Signal) {
    out.extend_from_slice(&Head::Signal(signal).bytes());
}

/// A payload without the one NUL that some senders put at its end (`wire/1 §1.1`).
pub fn text(payload: &[u8]) -> &[u8] {
    payload.strip_suffix(&[0]).unwrap_or(payload)
}

/// What a [`Decoder`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A signal.
    Signal(Signal),
    /// A part of a payload, as much of it as the input held. Never empty, except for the empty frame.
    Data {
        /// The bytes.
        bytes: &'a [u8],
        /// Whether the payload begins here.
        first: bool,
        /// Whether the payload ends here.
        last: bool,
        /// The length of the whole payload in bytes.
        length: u32,
    },
}

/// Cuts bytes into frames, however they arrive, without copying payloads.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    head: [u8; HEAD],
    have: usize,
    length: u32,
    left: u32,
    failed: Option<FrameError>,
}

impl Decoder {
    /// Starts between two frames.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece from the front of `input`, at least one byte of it. `None` means that all input is taken and
    /// more is needed. After an error every further call returns the same error.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let before = input.len();
        let piece = self.take(input)?;
        debug_assert!(piece.is_none() || input.len() < before, "a piece was found and nothing was taken");
        Ok(piece)
    }

    fn take<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, FrameError> {
        if self.left == 0 {
            let n = input.len().min(HEAD - self.have);
            let (bytes, rest) = input.split_at(n);
            self.head[self.have..self.have + n].copy_from_slice(bytes);
            self.have += n;
            *input = rest;
            if self.have < HEAD {
                return Ok(None);
            }
            self.have = 0;
            match Head::parse(self.head).inspect_err(|error| self.failed = Some(*error))? {
                Head::Signal(signal) => return Ok(Some(Piece::Signal(signal))),
                Head::Data(0) => return Ok(Some(Piece::Data { bytes: &[], first: true, last: true, length: 0 })),
                Head::Data(length) => (self.length, self.left) = (length, length),
            }
        }
        if input.is_empty() {
            return Ok(None);
        }
        let n = input.len().min(self.left as usize);
        let (bytes, rest) = input.split_at(n);
        *input = rest;
        let first = self.left == self.length;
        self.left -= n as u32;
        Ok(Some(Piece::Data { bytes, first, last: self.left == 0, length: self.length }))
    }

    /// The length of the payload under way, in bytes, once its head has come. `None` between two frames.
    pub const fn announced(&self) -> Option<u32> {
        if self.left > 0 { Some(self.length) } else { None }
    }

    /// Whether the input so far ends between two frames; if not, an end of the stream here cut a frame.
    pub fn is_between_frames(&self) -> bool {
        self.left == 0 && self.have == 0
    }
}

/// A whole frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A signal.
    Signal(Signal),
    /// A payload, possibly empty.
    Data(&'a [u8]),
}

/// The payloads of whole data frames that stand one after the other; what is cut at the end does not count, nor what comes
/// after a signal.
pub fn payloads(mut frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (head, after) = frames.split_first_chunk()?;
        let (payload, after) = after.split_at_checked(u32::from_be_bytes(*head) as usize)?;
        frames = after;
        Some(payload)
    })
}

/// Assembles whole frames of limited length, for dialogues of text.
#[derive(Clone, Debug)]
pub struct Frames {
    decoder: Decoder,
    whole: Vec<u8>,
    complete: bool,
    limit: u32,
}

impl Frames {
    /// Starts between two frames; a payload over `limit` bytes is an error before any of it is kept.
    pub fn new(limit: u32) -> Self {
        Self { decoder: Decoder::new(), whole: Vec::new(), complete: false, limit: limit.min(MAX_ACCEPT) }
    }

    /// Takes the next whole frame from the front of `input`; it is borrowed until the next call. `None` means that all
    /// input is taken and more is needed.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Frame<'_>>, FrameError> {
        if self.complete {
            self.whole.clear();
            self.complete = false;
        }
        loop {
            let piece = self.decoder.next(input)?;
            let announced = match piece {
                Some(Piece::Data { length, .. }) => Some(length),
                _ => self.decoder.announced(),
            };
            if let Some(length) = announced.filter(|&length| length > self.limit) {
                let error = FrameError::TooLong { length, limit: self.limit };
                self.decoder.failed = Some(error);
                return Err(error);
            }
            match piece {
                None => return Ok(None),
                Some(Piece::Signal(signal)) => return Ok(Some(Frame::Signal(signal))),
                Some(Piece::Data { bytes, last, .. }) => {
                    self.whole.extend_from_slice(bytes);
                    if last {
                        self.complete = true;
                        return Ok(Some(Frame::Data(&self.whole)));
                    }
                }
            }
        }
    }

    /// Changes the limit, in bytes, for the frames that begin after this.
    pub fn set_limit(&mut self, limit: u32) {
        self.limit = limit.min(MAX_ACCEPT);
    }

    /// Whether the input so far ends between two frames.
    pub fn is_between_frames(&self) -> bool {
        self.decoder.is_between_frames()
    }

    /// Goes on without assembling, for a bulk consumer. `None` in the middle of a frame.
    pub fn into_decoder(self) -> Option<Decoder> {
        self.is_between_frames().then_some(self.decoder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_head_over_the_limit_is_refused_before_a_byte_of_the_payload_has_come() {
        for (length, refused) in [(5_u32, false), (6, true)] {
            let mut frames = Frames::new(5);
            let head = length.to_be_bytes();
            assert_eq!(frames.next(&mut &head[..3]), Ok(None));
            let error = FrameError::TooLong { length, limit: 5 };
            assert_eq!(frames.next(&mut &head[3..]).map(|_| ()), if refused { Err(error) } else { Ok(()) });
        }
    }

    #[test]
    fn heads_agree_with_the_wire() {
        for (bytes, head) in [
            ([0, 0, 0, 0], Head::Data(0)),
            ([0, 0, 0, 14], Head::Data(14)),
            ([0x00, 0x0F, 0x42, 0x40], Head::Data(MAX_ACCEPT)),
            ([0xFF, 0xFF, 0xFF, 0xFF], Head::Signal(Signal::Eod)),
            ([0xFF, 0xFF, 0xFF, 0xFC], Head::Signal(Signal::Terminate)),
            ([0xFF, 0xFF, 0xFF, 0xFA], Head::Signal(Signal::Heartbeat)),
            ([0xFF, 0xFF, 0xFF, 0xF7], Head::Signal(Signal::ClockRequest)),
            ([0xFF, 0xFF, 0xFF, 0xE4], Head::Signal(Signal::TextInput)),
            ([0xFF, 0xFF, 0xFF, 0xE3], Head::Signal(Signal::Other(-29))),
            ([0x80, 0, 0, 0], Head::Signal(Signal::Other(i32::MIN))),
        ] {
            assert_eq!(Head::parse(bytes), Ok(head));
            assert_eq!(head.bytes(), bytes);
        }
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_and_stays_refused() {
        let error = FrameError::TooLong { length: MAX_ACCEPT + 1, limit: MAX_ACCEPT };
        assert_eq!(Head::parse((MAX_ACCEPT + 1).to_be_bytes()), Err(error));
        let mut decoder = Decoder::new();
        assert_eq!(decoder.next(&mut &(MAX_ACCEPT + 1).to_be_bytes()[..]), Err(error));
        assert_eq!(decoder.next(&mut &[0, 0, 0, 0][..]), Err(error));
    }

    #[test]
    fn numbers_that_are_not_negative_are_no_signals() {
        assert_eq!(Signal::from_number(0), None);
        assert_eq!(Signal::from_number(1), None);
        for number in -60..0 {
            assert_eq!(Signal::from_number(number).unwrap().number(), number);
        }
    }

    #[test]
    fn a_long_payload_is_cut_without_a_mark() {
        for (length, frames) in [
            (0, vec![0]),
            (1, vec![1]),
            (MAX_SEND, vec![MAX_SEND]),
            (MAX_SEND + 1, vec![MAX_SEND, 1]),
            (2 * MAX_SEND, vec![MAX_SEND, MAX_SEND]),
        ] {
            let mut out = Vec::new();
            put_data(&mut out, &vec![7; length]);
            let mut input = &out[..];
            let mut decoder = Decoder::new();
            let mut found = Vec::new();
            while let Some(piece) = decoder.next(&mut input).unwrap() {
                let Piece::Data { length, first: true, last: true, .. } = piece else { panic!("{piece:?}") };
                found.push(length as usize);
            }
            assert_eq!(found, frames);
        }
    }

    #[test]
    fn whole_frames_keep_to_their_limit() {
        let mut out = Vec::new();
        put_data(&mut out, b"12345");
        put_signal(&mut out, Signal::Eod);
        put_data(&mut out, b"123456");
        let mut input = &out[..];
        let mut frames = Frames::new(5);
        assert_eq!(frames.next(&mut input), Ok(Some(Frame::Data(b"12345"))));
        assert_eq!(frames.next(&mut input), Ok(Some(Frame::Signal(Signal::Eod))));
        let error = Err(FrameError::TooLong { length: 6, limit: 5 });
        assert_eq!(frames.next(&mut input), error);
        assert_eq!(frames.next(&mut input), error);
    }

    #[test]
    fn one_nul_at_the_end_of_a_text_is_dropped() {
        assert_eq!(text(b"abc\0"), b"abc");
        assert_eq!(text(b"abc"), b"abc");
        assert_eq!(text(b"abc\0\0"), b"abc\0");
    }

    #[test]
    fn the_end_of_a_stream_inside_a_frame_is_seen() {
        let mut decoder = Decoder::new();
        assert!(decoder.is_between_frames());
        assert_eq!(decoder.next(&mut &[0, 0][..]), Ok(None));
        assert!(!decoder.is_between_frames());
        assert_eq!(decoder.next(&mut &[0, 2][..]), Ok(None));
        assert!(!decoder.is_between_frames());
        let piece = Piece::Data { bytes: &[9, 9], first: true, last: true, length: 2 };
        assert_eq!(decoder.next(&mut &[9, 9][..]), Ok(Some(piece)));
        assert!(decoder.is_between_frames());
    }

    #[derive(Clone, Debug, PartialEq)]
    enum Owned {
        Signal(Signal),
        Data(Vec<u8>),
    }

    fn frame() -> impl Strategy<Value = Owned> {
        prop_oneof![
            (i32::MIN..0).prop_map(|n| Owned::Signal(Signal::from_number(n).unwrap())),
            (-30..0).prop_map(|n| Owned::Signal(Signal::from_number(n).unwrap())),
            proptest::collection::vec(any::<u8>(), 0..50).prop_map(Owned::Data),
        ]
    }

    proptest! {
        #[test]
        fn frames_come_back_however_they_are_split(
            sent in proptest::collection::vec(frame(), 0..20),
            splits in proptest::collection::vec(1..20usize, 1..20),
        ) {
            let mut bytes = Vec::new();
            for frame in &sent {
                match frame {
                    Owned::Signal(signal) => put_signal(&mut bytes, *signal),
                    Owned::Data(data) => put_data(&mut bytes, data),
                }
            }
            let (mut whole, mut pieces) = (Vec::new(), Vec::new());
            let (mut frames, mut decoder) = (Frames::new(50), Decoder::new());
            let mut rest = &bytes[..];
            for size in splits.iter().cycle() {
                let (mut chunk, later) = rest.split_at((*size).min(rest.len()));
                let mut same_chunk = chunk;
                rest = later;
                while let Some(frame) = frames.next(&mut chunk).unwrap() {
                    whole.push(match frame {
                        Frame::Signal(signal) => Owned::Signal(signal),
                        Frame::Data(data) => Owned::Data(data.to_vec()),
                    });
                }
                while let Some(piece) = decoder.next(&mut same_chunk).unwrap() {
                    match piece {
                        Piece::Signal(signal) => pieces.push(Owned::Signal(signal)),
                        Piece::Data { bytes, first, last, length } => {
                            if first {
                                pieces.push(Owned::Data(Vec::new()));
                            }
                            let Some(Owned::Data(data)) = pieces.last_mut() else { panic!("no frame was begun") };
                            data.extend_from_slice(bytes);
                            prop_assert_eq!(last, data.len() == length as usize);
                        }
                    }
                }
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(&whole, &sent);
            prop_assert_eq!(&pieces, &sent);
            prop_assert!(frames.into_decoder().is_some());
        }

        #[test]
        fn no_bytes_make_the_decoder_fail_but_a_length(bytes: Vec<u8>) {
            let mut input = &bytes[..];
            let mut decoder = Decoder::new();
            while let Ok(Some(_)) = decoder.next(&mut input) {}
        }
    }
}
