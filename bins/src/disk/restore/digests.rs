//! Compares what is written with the digest that was saved with it (wire/2 §2.7).
//!
//! The digest comes after the data, and nothing before it says of which kind it is. So the kind of the last file is
//! computed while the data are written; where another comes, the bytes are read back once. What goes into a pipe cannot be read
//! back: as long as no kind is known, all of them are computed.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use towline_core::wire::digest::{Algorithm, Digest, Hasher};
use towline_core::wire::stream::Stream;

/// Stretches of one file that are remembered, to be read back: a megabyte at the most.
const STRETCHES: usize = 65_536;
/// Bytes read back at once.
const BUFFER: usize = 128 * 1024;

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The bytes are those that were saved.
    Same,
    /// They are not.
    Differs,
    /// It cannot be told: the bytes cannot be read back.
    Unknown,
}

/// The digest of the current file, as far as its data have come.
#[derive(Debug, Default)]
pub(super) struct Digests {
    hasher: Option<Hasher>,
    /// One of each kind, for what cannot be read back.
    all: Vec<Hasher>,
    is_begun: bool,
    /// Where the data lie, in the order in which they came: zeros that were left out are in no digest.
    stretches: Vec<(u64, u64)>,
    is_cut: bool,
}

impl Digests {
    /// A file begins.
    pub(super) fn begin(&mut self) {
        if std::mem::take(&mut self.is_begun)
            && let Some(hasher) = &mut self.hasher
        {
            let _unused: Digest = hasher.finish();
        }
        self.all.clear();
        self.stretches.clear();
        self.is_cut = false;
    }

    /// The file that has begun cannot be read back.
    pub(super) fn cannot_read_back(&mut self) {
        if self.hasher.is_none() {
            self.all = Algorithm::ALL.into_iter().map(Hasher::new).collect();
        }
    }

    /// Bytes were written at this place.
    pub(super) fn update(&mut self, at: u64, bytes: &[u8]) {
        self.is_begun = true;
        self.hasher.iter_mut().chain(&mut self.all).for_each(|hasher| hasher.update(bytes));
        let len = bytes.len() as u64;
        let has_room = self.stretches.len() < STRETCHES;
        match self.stretches.last_mut() {
            Some((start, before)) if start.checked_add(*before) == Some(at) => *before += len,
            _ if has_room => self.stretches.push((at, len)),
            _ => self.is_cut = true,
        }
    }

    /// Compares all bytes since [`begin`](Self::begin) with a digest record. `None` if the stream is no digest or the
    /// record has another length than such digests have.
    ///
    /// # Errors
    /// The bytes could not be read back.
    pub(super) fn compare(
        &mut self,
        stream: Stream,
        record: &[u8],
        fd: Option<&OwnedFd>,
    ) -> Result<Option<Verdict>, Errno> {
        let Some(saved) = Digest::from_record(stream, record) else { return Ok(None) };
        let known = self.hasher.as_mut().filter(|hasher| hasher.algorithm() == saved.algorithm());
        let computed = match known {
            Some(hasher) => {
                self.is_begun = false;
                hasher.finish()
            }
            None => {
                self.hasher = Some(Hasher::new(saved.algorithm()));
                self.is_begun = false;
                if let Some(hasher) = self.all.iter_mut().find(|hasher| hasher.algorithm() == saved.algorithm()) {
                    let computed = hasher.finish();
                    return Ok(Some(if computed == saved { Verdict::Same } else { Verdict::Differs }));
                }
                let Some(fd) = fd.filter(|_| !self.is_cut) else { return Ok(Some(Verdict::Unknown)) };
                self.read_back(saved.algorithm(), fd)?
            }
        };
        Ok(Some(if computed == saved { Verdict::Same } else { Verdict::Differs }))
    }

    fn read_back(&self, algorithm: Algorithm, fd: &OwnedFd) -> Result<Digest, Errno> {
        let mut hasher = Hasher::new(algorithm);
        let mut buffer = vec![0; BUFFER];
        for &(start, len) in &self.stretches {
            let mut done = 0;
            while done < len {
                let most = usize::try_from(len - done).unwrap_or(BUFFER).min(BUFFER);
                let room = buffer.get_mut(..most).unwrap_or_default();
                let n = match rustix::io::pread(fd, &mut *room, start + done) {
                    Err(Errno::INTR) => continue,
                    other => other?,
                };
                let part = room.get(..n).filter(|part| !part.is_empty()).ok_or(Errno::IO)?;
                hasher.update(part);
                done += n as u64;
            }
        }
        Ok(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    #[test]
    fn every_kind_is_compared_whichever_came_before_and_holes_are_in_none() {
        let mut digests = Digests::default();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"onetwo\0\0\0\0three").unwrap();
        let fd = OwnedFd::from(file);
        for algorithm in Algorithm::ALL.into_iter().chain(Algorithm::ALL.into_iter().rev()) {
            for (text, verdict) in [("onetwothree", Verdict::Same), ("onetwo\0\0\0\0three", Verdict::Differs)] {
                digests.begin();
                for (at, part) in [(0, "one"), (3, "two"), (10, "three")] {
                    digests.update(at, part.as_bytes());
                }
                let saved = digest(algorithm, text.as_bytes());
                let compared = digests.compare(algorithm.stream(), saved.as_bytes(), Some(&fd));
                assert_eq!(compared, Ok(Some(verdict)), "{algorithm:?}");
            }
        }
    }

    #[test]
    fn a_file_without_bytes_has_a_digest_and_one_that_was_given_up_leaves_nothing() {
        let mut digests = Digests::default();
        let saved = digest(Algorithm::Sha1, b"");
        let fd = OwnedFd::from(tempfile::tempfile().unwrap());
        for _ in 0..2 {
            digests.begin();
            assert_eq!(digests.compare(Stream::SHA1, saved.as_bytes(), Some(&fd)), Ok(Some(Verdict::Same)));
            digests.begin();
            digests.update(0, b"never compared");
        }
    }

    #[test]
    fn a_record_of_another_length_is_no_digest() {
        let mut digests = Digests::default();
        digests.begin();
        assert_eq!(digests.compare(Stream::MD5, &[0; 15], None), Ok(None));
    }

    #[test]
    fn as_many_stretches_are_read_back_as_are_remembered_and_not_one_more() {
        for (stretches, known) in [(STRETCHES, true), (STRETCHES + 1, false)] {
            let mut digests = Digests::default();
            let file = tempfile::tempfile().unwrap();
            file.set_len(2 * STRETCHES as u64 + 2).unwrap();
            let fd = OwnedFd::from(file);
            digests.begin();
            for nth in 0..stretches {
                digests.update(2 * nth as u64, b"\0");
            }
            let saved = digest(Algorithm::Md5, &vec![0; stretches]);
            let compared = digests.compare(Stream::MD5, saved.as_bytes(), Some(&fd));
            let expected = if known { Verdict::Same } else { Verdict::Unknown };
            assert_eq!(compared, Ok(Some(expected)));
        }
    }
}
