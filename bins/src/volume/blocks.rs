//! The blocks of one volume, one after the other, and past what cannot be read.

use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use rustix::io::Errno;
use towline_core::bulk::work::DiskError;
use towline_core::wire::block::{BlockHeader, HEADER_LEN};

use super::disk_error;

/// Bytes of one read of the search for a block.
const SEARCHED: usize = 256 * 1024;
/// Bytes passed over where the disk cannot read.
const SECTOR: usize = 4096;
/// Reads that may fail on one volume: a dying disk takes seconds for each.
const MOST_FAILURES: u32 = 1000;
/// What a block is known by, and where in its header.
const MAGIC: &[u8; 4] = b"BB02";
const MAGIC_AT: usize = 12;

/// Bytes at any place.
pub(crate) trait Source {
    /// Reads at most as many bytes as there is room for; 0 at the end.
    fn read_at(&self, room: &mut [u8], at: u64) -> std::io::Result<usize>;
}

impl Source for std::fs::File {
    fn read_at(&self, room: &mut [u8], at: u64) -> std::io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, room, at)
    }
}

/// What comes next on a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The block that was read, at this address.
    Block(u64),
    /// No sound block begins at this address.
    Damage(u64),
    /// The end.
    End,
}

/// A volume and a place on it.
#[derive(Debug)]
pub(crate) struct Blocks<S> {
    source: S,
    path: String,
    /// Address of the next block.
    at: u64,
    /// Reads that failed.
    failures: u32,
}

/// What is at an address.
enum Read {
    /// A sound block of this length.
    Whole(usize),
    /// Something else.
    Bad,
    /// Nothing any more.
    End,
}

impl<S: Source> Blocks<S> {
    /// The beginning of a volume.
    pub(crate) const fn new(source: S, path: String) -> Self {
        Self { source, path, at: 0, failures: 0 }
    }

    /// For a person.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Address of the next block.
    pub(crate) const fn at(&self) -> u64 {
        self.at
    }

    /// The next block is the one at this address.
    pub(crate) const fn skip_to(&mut self, address: u64) {
        self.at = address;
    }

    /// Whether nothing comes any more.
    pub(crate) fn is_at_end(&self) -> bool {
        !self.has_byte(self.at)
    }

    /// Reads the next block and checks it.
    ///
    /// # Errors
    /// Those of the disk that do not come from what is stored on it.
    pub(crate) fn read(&mut self, block: &mut Vec<u8>) -> Result<Next, DiskError> {
        let at = self.at;
        match self.read_block(block, at)? {
            Read::Whole(len) => {
                self.at += len as u64;
                Ok(Next::Block(at))
            }
            Read::Bad => Ok(Next::Damage(at)),
            Read::End => Ok(Next::End),
        }
    }

    /// The header at the next address, without what follows it; `None` where none is, or at the end.
    ///
    /// # Errors
    /// Those of the disk that do not come from what is stored on it.
    #[cfg(feature = "sqlite")]
    pub(crate) fn peek(&mut self) -> Result<Option<BlockHeader>, DiskError> {
        let mut head = [0; HEADER_LEN];
        let at = self.at;
        let have = self.tolerant(&mut head, at)?;
        Ok(if have == Some(HEADER_LEN) { BlockHeader::decode(&head).ok() } else { None })
    }

    /// Goes on at the next sound block, or at the end of the volume, and says what lies before it.
    ///
    /// # Errors
    /// Those of the disk that do not come from what is stored on it.
    pub(crate) fn pass_over_damage(&mut self, block: &mut Vec<u8>) -> Result<Range<u64>, DiskError> {
        let start = self.at;
        // The length may be right although what follows it is not.
        let mut head = [0; HEADER_LEN];
        if let Some(HEADER_LEN) = self.tolerant(&mut head, start)?
            && let Ok(header) = BlockHeader::decode(&head)
        {
            let next = start + u64::from(header.len);
            let is_next = match self.read_block(block, next)? {
                Read::Whole(_) => true,
                Read::End => self.has_byte(next - 1),
                Read::Bad => false,
            };
            if is_next {
                self.at = next;
                return Ok(start..next);
            }
        }
        self.at = self.search(block, start + 1)?;
        Ok(start..self.at)
    }

    /// The first address from `from` on where a sound block begins, or the end of the volume.
    fn search(&mut self, block: &mut Vec<u8>, from: u64) -> Result<u64, DiskError> {
        let mut room = vec![0; SEARCHED];
        let (mut at, mut len) = (from, SEARCHED);
        loop {
            let Some(have) = self.tolerant(&mut room[..len], at)? else {
                match len {
                    _ if self.failures >= MOST_FAILURES => return Ok(self.end(at)),
                    SEARCHED => len = SECTOR,
                    _ => at = (at / SECTOR as u64 + 1) * SECTOR as u64,
                }
                continue;
            };
            if have < HEADER_LEN {
                return Ok(self.end(from));
            }
            let fours = room[..have].windows(MAGIC.len()).enumerate().skip(MAGIC_AT);
            let starts = fours.filter(|(_, four)| four == MAGIC).map(|(place, _)| at + (place - MAGIC_AT) as u64);
            for start in starts.collect::<Vec<_>>() {
                if matches!(self.read_block(block, start)?, Read::Whole(_)) {
                    return Ok(start);
                }
            }
            // A header may begin in these bytes and end after them.
            at += (have - HEADER_LEN + 1) as u64;
            len = SEARCHED;
        }
    }

    /// The end of the volume, at least `at`.
    fn end(&self, at: u64) -> u64 {
        let mut end = at;
        // Found by doubling and halving, as a device says no length.
        let mut step = 1_u64 << 40;
        while step > 0 {
            if end.checked_add(step).is_some_and(|there| self.has_byte(there - 1)) {
                end += step;
            } else {
                step /= 2;
            }
        }
        end
    }

    fn has_byte(&self, at: u64) -> bool {
        !matches!(self.source.read_at(&mut [0], at), Ok(0))
    }

    fn read_block(&mut self, block: &mut Vec<u8>, at: u64) -> Result<Read, DiskError> {
        let mut head = [0; HEADER_LEN];
        match self.tolerant(&mut head, at)? {
            Some(0) => return Ok(Read::End),
            Some(HEADER_LEN) => {}
            _ => return Ok(Read::Bad),
        }
        let Ok(header) = BlockHeader::decode(&head) else { return Ok(Read::Bad) };
        let len = header.len as usize;
        block.resize(len, 0);
        block[..HEADER_LEN].copy_from_slice(&head);
        if self.tolerant(&mut block[HEADER_LEN..], at + HEADER_LEN as u64)? != Some(len - HEADER_LEN) {
            return Ok(Read::Bad);
        }
        // 0: whoever wrote it makes no checksums (`wire/3 §5.2`).
        let is_sound = BlockHeader::verify(block, header.checksum != 0).is_ok();
        Ok(if is_sound { Read::Whole(len) } else { Read::Bad })
    }

    /// As many bytes as there are, up to the room; `None` where the disk cannot read what is stored on it.
    fn tolerant(&mut self, room: &mut [u8], at: u64) -> Result<Option<usize>, DiskError> {
        let mut filled = 0;
        while filled < room.len() {
            match self.source.read_at(&mut room[filled..], at + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_unreadable(&error) => {
                    self.failures += 1;
                    return Ok(None);
                }
                Err(error) => return Err(disk_error(Path::new(&self.path), &error)),
            }
        }
        Ok(Some(filled))
    }
}

/// Whether what is stored cannot be read, as against a file or a disk that is not there.
fn is_unreadable(error: &std::io::Error) -> bool {
    let unreadable = [Errno::IO, Errno::BADMSG, Errno::NODATA, Errno::UCLEAN, Errno::ILSEQ, Errno::REMOTEIO];
    Errno::from_io_error(error).is_some_and(|errno| unreadable.contains(&errno))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::single_range_in_vec_init, reason = "the lost stretches are ranges, and often one")]

    use towline_core::wire::block::{BlockBuilder, Session, seal};

    use super::*;

    /// A volume whose disk cannot read some of its bytes.
    #[derive(Debug)]
    struct Dying(Vec<u8>, Range<usize>);

    impl Source for Dying {
        fn read_at(&self, room: &mut [u8], at: u64) -> std::io::Result<usize> {
            let at = usize::try_from(at).unwrap().min(self.0.len());
            let end = self.0.len().min(at + room.len());
            if at < self.1.end && self.1.start < end {
                return Err(Errno::IO.into());
            }
            room[..end - at].copy_from_slice(&self.0[at..end]);
            Ok(end - at)
        }
    }

    /// Blocks of one record each, of these sizes.
    fn volume(sizes: &[usize]) -> (Vec<u8>, Vec<u64>) {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for size in sizes {
            let mut builder = BlockBuilder::new(Session { id: 1, time: 2 }, 1 << 20);
            builder.give(Vec::new());
            builder.begin_record(1, 2, u32::try_from(*size).unwrap());
            builder.push(&vec![7; *size]);
            let mut block = builder.take().unwrap().bytes;
            seal(&mut block);
            starts.push(bytes.len() as u64);
            bytes.extend(block);
        }
        starts.push(bytes.len() as u64);
        (bytes, starts)
    }

    /// Where blocks begin that can be read, and the stretches that cannot.
    fn read(bytes: &[u8], unreadable: Range<usize>) -> (Vec<u64>, Vec<Range<u64>>) {
        let mut blocks = Blocks::new(Dying(bytes.to_vec(), unreadable), "v1".to_owned());
        let (mut block, mut starts, mut stretches) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            match blocks.read(&mut block).unwrap() {
                Next::Block(start) => starts.push(start),
                Next::Damage(_) => stretches.push(blocks.pass_over_damage(&mut block).unwrap()),
                Next::End => return (starts, stretches),
            }
        }
    }

    #[test]
    fn any_byte_that_is_flipped_costs_its_block_and_no_other() {
        let (bytes, at) = volume(&[100, 300, 200]);
        assert_eq!(read(&bytes, 0..0), (at[..3].to_vec(), Vec::new()));
        for place in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[place] ^= 0x20;
            let hit = at.windows(2).find(|pair| (pair[0]..pair[1]).contains(&(place as u64))).unwrap();
            let rest: Vec<u64> = at[..3].iter().copied().filter(|start| *start != hit[0]).collect();
            assert_eq!(read(&bytes, 0..0), (rest, vec![hit[0]..hit[1]]), "byte {place}");
        }
    }

    #[test]
    fn bytes_put_in_or_taken_out_cost_only_the_block_around_them() {
        let (bytes, at) = volume(&[100, 300, 200]);
        let middle = usize::try_from(at[1]).unwrap() + 50;
        let longer = [&bytes[..middle], &[0; 33], &bytes[middle..]].concat();
        assert_eq!(read(&longer, 0..0), (vec![at[0], at[2] + 33], vec![at[1]..at[2] + 33]));
        let shorter = [&bytes[..middle], &bytes[middle + 10..]].concat();
        assert_eq!(read(&shorter, 0..0), (vec![at[0], at[2] - 10], vec![at[1]..at[2] - 10]));
    }

    #[test]
    fn a_torn_end_is_a_stretch_of_its_own() {
        let (bytes, at) = volume(&[100, 300]);
        for len in at[1] + 1..at[2] {
            let torn = &bytes[..usize::try_from(len).unwrap()];
            assert_eq!(read(torn, 0..0), (vec![at[0]], vec![at[1]..len]));
        }
    }

    #[test]
    fn where_the_disk_cannot_read_the_blocks_behind_are_found() {
        let (bytes, at) = volume(&[300_000, 300_000, 600_000, 300_000, 5000]);
        let place = |nth: usize| usize::try_from(at[nth]).unwrap();
        // In the body, in the header, and over the ends of several blocks.
        let body = place(1) + 100_000..place(1) + 100_010;
        assert_eq!(read(&bytes, body), (vec![at[0], at[2], at[3], at[4]], vec![at[1]..at[2]]));
        assert_eq!(read(&bytes, place(1) + 3..place(1) + 9), (vec![at[0], at[2], at[3], at[4]], vec![at[1]..at[2]]));
        assert_eq!(read(&bytes, place(1) + 9..place(3) - 9000), (vec![at[0], at[3], at[4]], vec![at[1]..at[3]]));
        assert_eq!(read(&bytes, place(3)..bytes.len()), (at[..3].to_vec(), vec![at[3]..at[5]]));
    }

    #[test]
    fn after_a_thousand_reads_that_failed_the_rest_of_a_volume_is_given_up() {
        for (sectors, goes_on) in [(MOST_FAILURES as usize - 10, true), (MOST_FAILURES as usize + 10, false)] {
            let (mut bytes, first) = volume(&[SECTOR - 36]);
            assert_eq!(bytes.len(), SECTOR);
            let start = bytes.len();
            bytes.resize(start + sectors * SECTOR, 0);
            let second = bytes.len() as u64;
            bytes.extend(volume(&[100]).0);
            let end = bytes.len() as u64;
            let (starts, stretches) = read(&bytes, start..start + sectors * SECTOR);
            if goes_on {
                assert_eq!((starts, stretches), (vec![0, second], vec![first[1]..second]));
            } else {
                assert_eq!((starts, stretches), (vec![0], vec![first[1]..end]));
            }
        }
    }
}
