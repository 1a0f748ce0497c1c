//! Labels: what a volume says of itself, and where a session begins and ends, `wire/3 §5.5` and `§5.6`.

use super::block::{BlockHeader, HEADER_LEN, Session, seal};
use super::record::{END_OF_SESSION, RecordHeader, START_OF_SESSION, VOLUME_LABEL};

/// What every label begins with.
pub const ID: &[u8] = b"Bareos 2.0 immortal\n";
/// The version of the labels that are written and read.
pub const VERSION: u32 = 20;

/// FileIndex of the obsolete label that stands before writing; readers take it as a volume label.
const PRE_LABEL: i32 = -1;

/// A text of a label: bytes without NUL, usually UTF-8.
type Text = Vec<u8>;

/// What the first block of a volume says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeLabel {
    /// When the volume was labelled, in microseconds since 1970.
    pub labelled: i64,
    /// When this block was written, in microseconds since 1970.
    pub written: i64,
    /// Name of the volume.
    pub volume: Text,
    /// Name of the volume before, usually empty.
    pub previous: Text,
    /// Name of the pool.
    pub pool: Text,
    /// `Backup`.
    pub pool_type: Text,
    /// Media type of the device.
    pub media_type: Text,
    /// Name of the machine.
    pub host: Text,
    /// Name of the storage daemon.
    pub program: Text,
    /// Its version.
    pub version: Text,
    /// When it was built.
    pub build: Text,
}

/// What a label that begins or ends a session says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionLabel {
    /// The job.
    pub job_id: u32,
    /// When the label was written, in microseconds since 1970.
    pub written: i64,
    /// Name of the pool.
    pub pool: Text,
    /// `Backup`.
    pub pool_type: Text,
    /// Name of the job's resource.
    pub job_name: Text,
    /// Name of the client.
    pub client: Text,
    /// Unique name of the job.
    pub job: Text,
    /// Name of the fileset.
    pub fileset: Text,
    /// Job type: an ASCII letter.
    pub job_type: u32,
    /// Level: an ASCII letter.
    pub level: u32,
    /// Digest of the fileset.
    pub fileset_md5: Text,
}

/// What the label at the end of a session says besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionEnd {
    /// Highest FileIndex written.
    pub files: u32,
    /// Bytes of all records of files.
    pub bytes: u64,
    /// Low half of the address of the job's first byte on the volume.
    pub start_block: u32,
    /// Low half of the address of its last byte.
    pub end_block: u32,
    /// High half of the address of its first byte.
    pub start_file: u32,
    /// High half of the address of its last byte.
    pub end_file: u32,
    /// Errors so far.
    pub errors: u32,
    /// Job status: an ASCII letter.
    pub status: u32,
}

/// Why a label is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// The block does not begin with a label.
    #[error("the volume has no label")]
    Missing,
    /// The label is of another program.
    #[error("the label is not one of Bareos")]
    Id,
    /// The label has another version.
    #[error("the label has version {0}, not 20")]
    Version(u32),
    /// The label ends too early.
    #[error("the label is cut off")]
    Short,
    /// Another volume than expected.
    #[error("the volume is {found:?}, not {expected:?}")]
    OtherVolume {
        /// As the label says.
        found: String,
        /// As asked for.
        expected: String,
    },
}

impl VolumeLabel {
    /// The data of the label's record.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        text(&mut out, ID);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&self.labelled.to_be_bytes());
        out.extend_from_slice(&self.written.to_be_bytes());
        out.extend_from_slice(&[0; 16]);
        for field in [&self.volume, &self.previous, &self.pool, &self.pool_type, &self.media_type] {
            text(&mut out, field);
        }
        for field in [&self.host, &self.program, &self.version, &self.build] {
            text(&mut out, field);
        }
        out
    }

    /// The first block of a volume, with its checksum. `session` is that of the labelling job, or 0/0.
    #[must_use]
    pub fn block(&self, session: Session) -> Vec<u8> {
        let data = self.encode();
        let record = RecordHeader { file_index: VOLUME_LABEL, stream: 0, len: data.len() as u32 }.encode();
        let mut block = Vec::with_capacity(HEADER_LEN + record.len() + data.len());
        block.extend_from_slice(&[0; 4]);
        block.extend_from_slice(&((HEADER_LEN + record.len() + data.len()) as u32).to_be_bytes());
        block.extend_from_slice(&0_u32.to_be_bytes());
        block.extend_from_slice(b"BB02");
        block.extend_from_slice(&session.id.to_be_bytes());
        block.extend_from_slice(&session.time.to_be_bytes());
        block.extend_from_slice(&record);
        block.extend_from_slice(&data);
        seal(&mut block);
        block
    }

    /// Reads the data of the label's record.
    ///
    /// # Errors
    /// When it is not a label of version 20, or cut off.
    pub fn decode(data: &[u8]) -> Result<Self, LabelError> {
        let mut rest = data;
        identify(&mut rest)?;
        let (labelled, written) = (signed(&mut rest)?, signed(&mut rest)?);
        rest = rest.get(16..).ok_or(LabelError::Short)?;
        let rest = &mut rest;
        Ok(Self {
            labelled,
            written,
            volume: untext(rest)?,
            previous: untext(rest)?,
            pool: untext(rest)?,
            pool_type: untext(rest)?,
            media_type: untext(rest)?,
            host: untext(rest)?,
            program: untext(rest)?,
            version: untext(rest)?,
            build: untext(rest)?,
        })
    }

    /// Reads the first block of a volume, whose checksum the caller has verified, and checks the name of the volume:
    /// `expected` may be empty or begin with `*` for any.
    ///
    /// # Errors
    /// When there is no label, it cannot be read, or it names another volume.
    pub fn from_block(block: &[u8], expected: &str) -> Result<Self, LabelError> {
        BlockHeader::decode(block).map_err(|_| LabelError::Missing)?;
        let mut at = HEADER_LEN;
        let piece = super::record::next_piece(block, &mut at).ok_or(LabelError::Missing)?;
        if !matches!(piece.header.file_index, PRE_LABEL | VOLUME_LABEL) {
            return Err(LabelError::Missing);
        }
        let label = Self::decode(&block[piece.data])?;
        if expected.is_empty() || expected.starts_with('*') || label.volume == expected.as_bytes() {
            return Ok(label);
        }
        let found = String::from_utf8_lossy(&label.volume).into_owned();
        Err(LabelError::OtherVolume { found, expected: expected.to_owned() })
    }
}

impl SessionLabel {
    /// The data of the record that begins the session.
    #[must_use]
    pub fn encode_start(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        text(&mut out, ID);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&self.job_id.to_be_bytes());
        out.extend_from_slice(&self.written.to_be_bytes());
        out.extend_from_slice(&[0; 8]);
        for field in [&self.pool, &self.pool_type, &self.job_name, &self.client, &self.job, &self.fileset] {
            text(&mut out, field);
        }
        out.extend_from_slice(&self.job_type.to_be_bytes());
        out.extend_from_slice(&self.level.to_be_bytes());
        text(&mut out, &self.fileset_md5);
        out
    }

    /// The data of the record that ends the session.
    #[must_use]
    pub fn encode_end(&self, end: &SessionEnd) -> Vec<u8> {
        let mut out = self.encode_start();
        out.extend_from_slice(&end.files.to_be_bytes());
        out.extend_from_slice(&end.bytes.to_be_bytes());
        for field in [end.start_block, end.end_block, end.start_file, end.end_file, end.errors, end.status] {
            out.extend_from_slice(&field.to_be_bytes());
        }
        out
    }

    /// The FileIndex of the record that begins a session; its stream is the JobId.
    pub const START: i32 = START_OF_SESSION;
    /// The FileIndex of the record that ends a session; its stream is the JobId.
    pub const END: i32 = END_OF_SESSION;

    /// Reads the data of a record that begins a session.
    ///
    /// # Errors
    /// When it is not a label of version 20, or cut off.
    pub fn decode_start(data: &[u8]) -> Result<Self, LabelError> {
        Self::decode(&mut &data[..])
    }

    /// Reads the data of a record that ends a session.
    ///
    /// # Errors
    /// When it is not a label of version 20, or cut off.
    pub fn decode_end(data: &[u8]) -> Result<(Self, SessionEnd), LabelError> {
        let rest = &mut &data[..];
        let label = Self::decode(rest)?;
        let files = number(rest)?;
        let bytes = signed(rest)?.cast_unsigned();
        let end = SessionEnd {
            files,
            bytes,
            start_block: number(rest)?,
            end_block: number(rest)?,
            start_file: number(rest)?,
            end_file: number(rest)?,
            errors: number(rest)?,
            status: number(rest)?,
        };
        Ok((label, end))
    }

    fn decode(rest: &mut &[u8]) -> Result<Self, LabelError> {
        identify(rest)?;
        let (job_id, written) = (number(rest)?, signed(rest)?);
        signed(rest)?;
        Ok(Self {
            job_id,
            written,
            pool: untext(rest)?,
            pool_type: untext(rest)?,
            job_name: untext(rest)?,
            client: untext(rest)?,
            job: untext(rest)?,
            fileset: untext(rest)?,
            job_type: number(rest)?,
            level: number(rest)?,
            fileset_md5: untext(rest)?,
        })
    }
}

fn text(out: &mut Vec<u8>, field: &[u8]) {
    out.extend(field.iter().filter(|&&b| b != 0));
    out.push(0);
}

fn identify(rest: &mut &[u8]) -> Result<(), LabelError> {
    if untext(rest).map_err(|_| LabelError::Id)? != ID {
        return Err(LabelError::Id);
    }
    match number(rest)? {
        VERSION => Ok(()),
        other => Err(LabelError::Version(other)),
    }
}

fn untext(rest: &mut &[u8]) -> Result<Text, LabelError> {
    let end = rest.iter().position(|&b| b == 0).ok_or(LabelError::Short)?;
    let field = rest[..end].to_vec();
    *rest = &rest[end + 1..];
    Ok(field)
}

fn number(rest: &mut &[u8]) -> Result<u32, LabelError> {
    let (head, tail) = rest.split_first_chunk::<4>().ok_or(LabelError::Short)?;
    *rest = tail;
    Ok(u32::from_be_bytes(*head))
}

fn signed(rest: &mut &[u8]) -> Result<i64, LabelError> {
    let (head, tail) = rest.split_first_chunk::<8>().ok_or(LabelError::Short)?;
    *rest = tail;
    Ok(i64::from_be_bytes(*head))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: &str = "ef0e49f4000000bc0000000042423032000000016b043539fffffffe0000000000000098426172656f7320322e3020696d6d6f7274616c0a0000000014000660f0f96576e4000660f0f96577150000000000000000000000000000000046756c6c2d30303031000046756c6c004261636b75700046696c6500766d0077332d7364005665722e2032362e302e307e70726531203231204175677573742032303236004275696c6420323032362d30382d32312030343a34343a303600";

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    fn real() -> VolumeLabel {
        VolumeLabel {
            labelled: 0x0006_60f0_f965_76e4,
            written: 0x0006_60f0_f965_7715,
            volume: b"Full-0001".to_vec(),
            previous: Vec::new(),
            pool: b"Full".to_vec(),
            pool_type: b"Backup".to_vec(),
            media_type: b"File".to_vec(),
            host: b"vm".to_vec(),
            program: b"w3-sd".to_vec(),
            version: b"Ver. 26.0.0~pre1 21 August 2026".to_vec(),
            build: b"Build 2026-08-21 04:44:06".to_vec(),
        }
    }

    fn session() -> SessionLabel {
        SessionLabel {
            job_id: 1,
            written: 1_795_437_881_000_000,
            pool: b"Full".to_vec(),
            pool_type: b"Backup".to_vec(),
            job_name: b"Backup_One".to_vec(),
            client: b"w3-fd".to_vec(),
            job: b"Backup_One.2026-11-23_12.45.50_04".to_vec(),
            fileset: b"One".to_vec(),
            job_type: u32::from(b'B'),
            level: u32::from(b'F'),
            fileset_md5: b"xxxxxxxxxxxxxxxxxxxxxx".to_vec(),
        }
    }

    #[test]
    fn the_label_of_a_real_volume_comes_out_byte_for_byte() {
        let block = real().block(Session { id: 1, time: 1_795_437_881 });
        assert_eq!(block, hex(REAL));
        assert_eq!(BlockHeader::verify(&block, true).unwrap().len, 188);
        assert_eq!(VolumeLabel::from_block(&block, "Full-0001"), Ok(real()));
    }

    #[test]
    fn a_label_of_another_volume_is_refused_unless_any_will_do() {
        let block = hex(REAL);
        for any in ["", "*"] {
            assert!(VolumeLabel::from_block(&block, any).is_ok());
        }
        let error = VolumeLabel::from_block(&block, "Full-0002").unwrap_err();
        assert_eq!(error.to_string(), "the volume is \"Full-0001\", not \"Full-0002\"");
    }

    #[test]
    fn what_is_no_label_says_why() {
        let mut data = real().encode();
        assert_eq!(VolumeLabel::decode(&data[..data.len() - 1]), Err(LabelError::Short));
        data[24] = 11;
        assert_eq!(VolumeLabel::decode(&data), Err(LabelError::Version(11)));
        data[7] = b'3';
        assert_eq!(VolumeLabel::decode(&data), Err(LabelError::Id));
        assert_eq!(VolumeLabel::from_block(&[0; 64], ""), Err(LabelError::Missing));
        let data = real().encode();
        for cut in 0..data.len() {
            assert!(VolumeLabel::decode(&data[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn the_label_that_begins_a_session_survives_and_no_part_of_it_is_taken() {
        let data = session().encode_start();
        assert!(data.starts_with(b"Bareos 2.0 immortal\n\0\0\0\0\x14\0\0\0\x01"));
        assert!(data.ends_with(b"One\0\0\0\0B\0\0\0Fxxxxxxxxxxxxxxxxxxxxxx\0"));
        assert_eq!(SessionLabel::decode_start(&data), Ok(session()));
        for cut in 0..data.len() {
            assert!(SessionLabel::decode_start(&data[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn the_tail_of_a_real_end_of_session_comes_out_byte_for_byte() {
        let end = SessionEnd {
            files: 8,
            bytes: 0x001e_8781,
            start_block: 0xbf,
            end_block: 0x0010_00be,
            status: u32::from(b'T'),
            ..SessionEnd::default()
        };
        let data = session().encode_end(&end);
        let tail = "0000000800000000001e8781000000bf001000be00000000000000000000000000000054";
        assert_eq!(data[session().encode_start().len()..], hex(tail));
        assert_eq!(SessionLabel::decode_end(&data), Ok((session(), end)));
        assert_eq!(SessionLabel::decode_end(&data[..data.len() - 1]), Err(LabelError::Short));
    }
}
