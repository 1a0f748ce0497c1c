//! What a daemon has said to a peer that is none of ours, taken from the bytes that have come (`wire/1 §1`).

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A text.
    Text(Vec<u8>),
    /// A signal.
    Signal(i32),
}

/// Takes the first frame of what has come, if all of it is there.
pub(crate) fn next(ahead: &mut Vec<u8>) -> Option<Said> {
    let head = i32::from_be_bytes(*ahead.first_chunk::<4>()?);
    let Ok(length) = usize::try_from(head) else {
        ahead.drain(..4);
        return Some(Said::Signal(head));
    };
    let is_whole = ahead.len() >= 4 + length;
    is_whole.then(|| Said::Text(ahead.drain(..4 + length).skip(4).collect()))
}
