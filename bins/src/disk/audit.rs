//! Compares what volumes hold of files with the digests that were saved with them, and writes nothing.
//!
//! The digest comes after the data, and nothing before it says of which kind it is: until a job has shown one, all kinds are
//! computed, from then on those that it has shown.

use std::convert::Infallible;

use towline_core::bulk::unpack::{DataPiece, RestoreSink};
use towline_core::wire::attributes::AttributeRecord;
use towline_core::wire::digest::{Algorithm, Digest, Hasher, marks_unread};
use towline_core::wire::stream::{FileType, Stream};

use super::compression::decompressor::{Decompressor, Unable, is_compressed};

/// What is known of the files of one job.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    hashers: Vec<Hasher>,
    /// Kinds of digests that the job has shown.
    kinds: Vec<Algorithm>,
    decompressor: Decompressor,
    current: Option<Current>,
    faults: Vec<(Vec<u8>, String)>,
    /// What was counted.
    pub(crate) counts: Counts,
}

/// What came of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Entries of any kind.
    pub(crate) files: u64,
    /// Files whose data are those that were saved, as their digest says.
    pub(crate) proven: u64,
    /// Files with data and without a digest that could be compared: as many bytes came as are recorded.
    pub(crate) unproven: u64,
    /// Files whose client did not read them to their end, as it says itself.
    pub(crate) unread: u64,
    /// Bytes of data, as they were before they were compressed.
    pub(crate) bytes: u64,
}

#[derive(Debug)]
struct Current {
    name: Vec<u8>,
    /// Bytes that are recorded of a regular file.
    size: Option<u64>,
    /// Where the last bytes end.
    end: u64,
    position: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is wrong so far.
    Open,
    /// Its digest fits.
    Proven,
    /// It cannot be compared: encrypted, of another system, or with a digest of a kind that was not computed.
    Unknown,
    /// What is wrong was told, or its records are not all here.
    Done,
}

impl Audit {
    /// What is wrong with files since the last call: their names, and why.
    pub(crate) fn take_faults(&mut self) -> Vec<(Vec<u8>, String)> {
        std::mem::take(&mut self.faults)
    }

    /// Records of the present file are missing, which was told already.
    pub(crate) fn broken(&mut self) {
        if let Some(current) = &mut self.current {
            current.state = State::Done;
        }
    }

    /// The present file ends.
    pub(crate) fn finish(&mut self) {
        let Some(current) = self.current.take() else { return };
        let Some(size) = current.size.filter(|_| current.state != State::Done) else { return };
        match current.state {
            State::Proven => self.counts.proven += 1,
            State::Open if current.end < size => {
                let why = format!("has {} bytes where {size} are recorded: it is not complete", current.end);
                self.faults.push((current.name, why));
            }
            State::Open | State::Unknown => self.counts.unproven += 1,
            State::Done => {}
        }
    }

    fn plain(&mut self, offset: Option<u64>, bytes: &[u8]) {
        if let Some(current) = &mut self.current {
            take_plain(current, &mut self.hashers, &mut self.counts, offset, bytes);
        }
    }

    fn fault(&mut self, why: String) {
        if let Some(current) = self.current.as_mut().filter(|current| current.state != State::Done) {
            current.state = State::Done;
            self.faults.push((current.name.clone(), why));
        }
    }

    fn digest(&mut self, stream: Stream, record: &[u8]) {
        let Some(current) = &mut self.current else { return };
        if current.state == State::Done || current.size.is_none() {
            return;
        }
        if marks_unread(record) {
            current.state = State::Done;
            self.counts.unread += 1;
            return;
        }
        let Some(saved) = Digest::from_record(stream, record) else {
            return self.fault("the digest saved with it is damaged, so that nothing vouches for its data".to_owned());
        };
        if !self.kinds.contains(&saved.algorithm()) {
            self.kinds.push(saved.algorithm());
        }
        let found = self.hashers.iter_mut().find(|hasher| hasher.algorithm() == saved.algorithm());
        let Some(hasher) = found else {
            current.state = State::Unknown;
            return;
        };
        let computed = hasher.finish();
        if current.state == State::Unknown {
            return;
        }
        if computed == saved {
            current.state = State::Proven;
        } else {
            self.fault("its data are not those that were saved: they do not fit the digest saved with them".to_owned());
        }
    }
}

fn take_plain(current: &mut Current, hashers: &mut [Hasher], counts: &mut Counts, offset: Option<u64>, bytes: &[u8]) {
    current.position = offset.unwrap_or(current.position);
    hashers.iter_mut().for_each(|hasher| hasher.update(bytes));
    current.position = current.position.saturating_add(bytes.len() as u64);
    current.end = current.end.max(current.position);
    counts.bytes += bytes.len() as u64;
}

impl RestoreSink for Audit {
    type Error = Infallible;

    fn attributes(&mut self, record: &AttributeRecord<'_>) -> Result<(), Infallible> {
        self.finish();
        self.counts.files += 1;
        let stat = record.stat();
        let is_regular = record.kind() == Some(FileType::Regular);
        let size = is_regular.then(|| u64::try_from(stat.size).unwrap_or(0));
        let kinds = if self.kinds.is_empty() { &Algorithm::ALL[..] } else { &self.kinds };
        if self.hashers.len() == kinds.len() {
            for hasher in &mut self.hashers {
                let _unused: Digest = hasher.finish();
            }
        } else {
            self.hashers = kinds.iter().copied().map(Hasher::new).collect();
        }
        self.current = Some(Current { name: record.name.to_vec(), size, end: 0, position: 0, state: State::Open });
        Ok(())
    }

    fn data(&mut self, piece: DataPiece<'_>) -> Result<(), Infallible> {
        let Some(current) = &mut self.current else { return Ok(()) };
        if matches!(piece.stream.kind(), Stream::FILE_DATA | Stream::SPARSE) {
            self.plain(piece.offset.filter(|_| piece.first), piece.bytes);
        } else if is_compressed(piece.stream) {
            match self.decompressor.take(piece.stream, piece.bytes, piece.first, piece.last) {
                Ok(Some(plain)) => take_plain(current, &mut self.hashers, &mut self.counts, piece.offset, plain),
                Ok(None) => {}
                Err(Unable::Unknown(_)) => current.state = State::Unknown,
                Err(why) => self.fault(why.to_string()),
            }
        } else if current.state == State::Open {
            current.state = State::Unknown;
        }
        Ok(())
    }

    fn whole(&mut self, stream: Stream, record: &[u8]) -> Result<(), Infallible> {
        if stream.is_digest() {
            self.digest(stream, record);
        }
        Ok(())
    }

    fn end_of_file(&mut self) -> Result<(), Infallible> {
        self.finish();
        Ok(())
    }

    fn dropped(&mut self, _stream: Stream) {}
}

#[cfg(test)]
mod tests {
    use towline_core::wire::attributes::{NewAttributes, Stat};

    use super::*;

    fn file(audit: &mut Audit, name: &[u8], size: i64, pieces: &[(Option<u64>, &[u8])]) {
        let stat = Stat { size, ..Stat::default() };
        let new =
            NewAttributes { file_type: FileType::Regular, name, stat: &stat, link: b"", attrs_ex: b"", delta_seq: 0 };
        let mut record = Vec::new();
        new.encode(1, &mut record);
        audit.attributes(&AttributeRecord::parse(&record).unwrap()).unwrap();
        for (offset, bytes) in pieces {
            let stream = if offset.is_some() { Stream::SPARSE } else { Stream::FILE_DATA };
            audit.data(DataPiece { stream, offset: *offset, bytes, first: true, last: true }).unwrap();
        }
    }

    fn digest(audit: &mut Audit, algorithm: Algorithm, bytes: &[u8]) {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        audit.whole(algorithm.stream(), hasher.finish().as_bytes()).unwrap();
        audit.end_of_file().unwrap();
    }

    #[test]
    fn data_that_changed_are_found_by_every_kind_of_digest_and_holes_are_in_none() {
        for algorithm in Algorithm::ALL {
            let mut audit = Audit::default();
            file(&mut audit, b"/a", 6, &[(None, b"one"), (None, b"two")]);
            digest(&mut audit, algorithm, b"onetwo");
            file(&mut audit, b"/hole", 106, &[(Some(0), b"one"), (Some(103), b"two")]);
            digest(&mut audit, algorithm, b"onetwo");
            assert_eq!((audit.counts.proven, audit.take_faults().len()), (2, 0), "{algorithm:?}");
            file(&mut audit, b"/b", 6, &[(None, b"oneTwo")]);
            digest(&mut audit, algorithm, b"onetwo");
            let faults = audit.take_faults();
            assert!(faults.len() == 1 && faults[0].0 == b"/b" && faults[0].1.contains("digest"), "{faults:?}");
        }
    }

    #[test]
    fn without_a_digest_the_size_decides_and_missing_records_are_not_told_twice() {
        let mut audit = Audit::default();
        file(&mut audit, b"/whole", 3, &[(None, b"one")]);
        file(&mut audit, b"/short", 4, &[(None, b"one")]);
        file(&mut audit, b"/known", 4, &[(None, b"one")]);
        audit.broken();
        audit.finish();
        let faults = audit.take_faults();
        assert!(faults.len() == 1 && faults[0].0 == b"/short", "{faults:?}");
        assert_eq!((audit.counts.files, audit.counts.unproven), (3, 1));
    }

    #[test]
    fn a_kind_of_digest_that_comes_late_is_compared_from_the_next_file_on() {
        let mut audit = Audit::default();
        for (nth, algorithm) in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha256].into_iter().enumerate() {
            file(&mut audit, format!("/{nth}").as_bytes(), 1, &[(None, b"x")]);
            digest(&mut audit, algorithm, b"x");
        }
        assert_eq!((audit.counts.proven, audit.counts.unproven), (2, 1));
    }
}
