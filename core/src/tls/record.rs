//! What all engines know about TLS records without opening them, and how slices become records.

use crate::buf::Buf;
use crate::error::TlsError;

/// Most plaintext one record carries. RFC 8446 §5.1.
pub(super) const MAX_PLAIN: usize = 16 * 1024;

/// The head of a record: type, version, length. RFC 8446 §5.1.
pub(super) const HEAD: usize = 5;

/// More than any record adds to its plaintext: head, explicit nonce or CBC vector, padding, tag or MAC.
pub(super) const OVERHEAD: usize = 96;

/// The size of the record at the front, head included, once its head is there.
pub(super) fn record_len(bytes: &[u8]) -> Option<usize> {
    Some(HEAD + usize::from(u16::from_be_bytes([*bytes.get(3)?, *bytes.get(4)?])))
}

/// Judges the first bytes a peer ever sent: an engine that parsed them would call every foreign protocol damaged TLS.
///
/// # Errors
/// [`TlsError::RefusedInClear`] for the signal -4, [`TlsError::NotTls`] for anything else that is no TLS.
pub(super) fn check_first_bytes(bytes: &[u8]) -> Result<Judged, TlsError> {
    match bytes {
        [] => Ok(Judged::More),
        [0x15 | 0x16] | [0x15 | 0x16, 3] => Ok(Judged::More),
        [0x15 | 0x16, 3, ..] => Ok(Judged::Tls),
        [0xff, 0xff, 0xff, 0xfc, ..] => Err(TlsError::RefusedInClear),
        [0xff] | [0xff, 0xff] | [0xff, 0xff, 0xff] => Ok(Judged::More),
        _ => Err(TlsError::NotTls),
    }
}

/// What [`check_first_bytes`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// Too few bytes to tell.
    More,
    /// The head of a record.
    Tls,
}

/// Makes room for the rest of a record that is larger than the storage of `cipher`, or nobody could read on.
pub(super) fn make_room(cipher: &mut Buf) {
    if let Some(len) = record_len(cipher.filled())
        && len > cipher.capacity()
    {
        cipher.reserve(len - cipher.len());
    }
}

/// Hands the slices to `seal` in pieces that fill their records: many small slices share one, a large one is not copied.
///
/// `stage` is scratch space that is kept between calls.
///
/// # Errors
/// The first error of `seal`.
pub(super) fn in_records<E>(
    plain: &[&[u8]],
    stage: &mut Vec<u8>,
    mut seal: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    stage.clear();
    for slice in plain {
        let mut rest = *slice;
        if !stage.is_empty() {
            let (head, tail) = rest.split_at(rest.len().min(MAX_PLAIN - stage.len()));
            stage.extend_from_slice(head);
            rest = tail;
            if stage.len() == MAX_PLAIN {
                seal(stage)?;
                stage.clear();
            }
        }
        // Here either nothing is staged or nothing is left.
        let (whole, tail) = rest.split_at(rest.len() - rest.len() % MAX_PLAIN);
        if !whole.is_empty() {
            seal(whole)?;
        }
        stage.extend_from_slice(tail);
    }
    if stage.is_empty() {
        return Ok(());
    }
    seal(stage)?;
    stage.clear();
    Ok(())
}

/// An upper bound of the room that `plain` bytes need once they are in records.
pub(super) const fn sealed_len(plain: usize) -> usize {
    plain + (plain / MAX_PLAIN + 1) * OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_slices_share_records_and_whole_records_are_not_staged() {
        let big = vec![7; 40_000];
        let mut pieces = Vec::new();
        let mut stage = Vec::new();
        in_records(&[b"abcd", &big, b"", b"efgh", &big[..16_384]], &mut stage, |piece| {
            pieces.push(piece.len());
            Ok::<_, ()>(())
        })
        .unwrap();
        assert_eq!(pieces, [16_384, 16_384, 16_384, 40_004 + 4 + 16_384 - 3 * 16_384]);
        assert_eq!(stage.capacity(), 16_384.max(stage.capacity()));
    }

    #[test]
    fn first_bytes_are_judged_in_any_split() {
        assert_eq!(check_first_bytes(&[]), Ok(Judged::More));
        assert_eq!(check_first_bytes(&[0x16]), Ok(Judged::More));
        assert_eq!(check_first_bytes(&[0x16, 3, 3]), Ok(Judged::Tls));
        assert_eq!(check_first_bytes(&[0x16, 2]), Err(TlsError::NotTls));
        assert_eq!(check_first_bytes(b"H"), Err(TlsError::NotTls));
        assert_eq!(check_first_bytes(&[0xff, 0xff]), Ok(Judged::More));
        assert_eq!(check_first_bytes(&(-4i32).to_be_bytes()), Err(TlsError::RefusedInClear));
        assert_eq!(check_first_bytes(&(-1i32).to_be_bytes()), Err(TlsError::NotTls));
    }

    #[test]
    fn a_record_larger_than_the_buffer_gets_room() {
        let mut cipher = Buf::with_capacity(64);
        cipher.extend(&[23, 3, 3, 0x40, 0]);
        make_room(&mut cipher);
        assert!(cipher.space().len() >= 0x4000);
    }
}
