//! What is on the disk of a client, against the catalog and into it (`wire/2 §1.12`).

use crate::printable;
use crate::wire::attributes::{NewAttributes, Stat};
use crate::wire::base64;
use crate::wire::catalog::CatalogUpdate;
use crate::wire::digest::Algorithm;
use crate::wire::stream::{FileType, Stream};

use super::super::{FileRow, UpdCatBatch};
use super::OnVolume;

/// In what a file on the disk is not as the catalog has it, in the words of real directors.
pub(super) fn differences(file: &OnVolume, row: &FileRow) -> Vec<String> {
    let (catalog, disk) = (Stat::decode(&row.lstat), Stat::decode(&file.lstat));
    let two = |what: &str, catalog: String, disk: String| format!("      {what} Cat: {catalog} File: {disk}");
    let mut found = Vec::new();
    for field in &file.fields {
        found.extend(match field {
            b'i' if catalog.ino != disk.ino => {
                Some(two("st_ino   differ.", catalog.ino.to_string(), disk.ino.to_string()))
            }
            b'p' if catalog.mode != disk.mode => {
                Some(two("st_mode  differ.", format!("{:x}", catalog.mode), format!("{:x}", disk.mode)))
            }
            b'n' if catalog.nlink != disk.nlink => {
                Some(two("st_nlink differ.", catalog.nlink.to_string(), disk.nlink.to_string()))
            }
            b'u' if catalog.uid != disk.uid => {
                Some(two("st_uid   differ.", catalog.uid.to_string(), disk.uid.to_string()))
            }
            b'g' if catalog.gid != disk.gid => {
                Some(two("st_gid   differ.", catalog.gid.to_string(), disk.gid.to_string()))
            }
            b's' if catalog.size != disk.size => {
                Some(two("st_size  differ.", catalog.size.to_string(), disk.size.to_string()))
            }
            b'd' if catalog.size > disk.size => {
                Some(two("st_size  decrease.", catalog.size.to_string(), disk.size.to_string()))
            }
            b'a' if catalog.atime != disk.atime => Some("      st_atime differs".to_owned()),
            b'm' if catalog.mtime != disk.mtime => Some("      st_mtime differs".to_owned()),
            b'c' if catalog.ctime != disk.ctime => Some("      st_ctime differs".to_owned()),
            b'5' | b'1' => digest(file, row),
            _ => None,
        });
    }
    found
}

/// Whether the digests differ. A file without one on the disk has not been read.
fn digest(file: &OnVolume, row: &FileRow) -> Option<String> {
    let on_disk = file.digest.as_deref()?;
    let text = |digest: &[u8]| printable::name(digest);
    (on_disk != &row.md5[..]).then(|| format!("      digest differs. File={} Cat={}", text(on_disk), text(&row.md5)))
}

/// The rows that put the state of the disk into the catalog, as a storage daemon would send them.
#[must_use]
pub fn rows_of(job: &str, files: &[OnVolume]) -> UpdCatBatch {
    let mut batch = UpdCatBatch::new();
    for file in files {
        let index = i32::try_from(file.index).unwrap_or(i32::MAX);
        let stat = Stat::decode(&file.lstat);
        let mut push = |stream: Stream, data: &[u8]| {
            let (job, stream) = (job.as_bytes(), stream.0);
            let row = CatalogUpdate { job, session_id: 0, session_time: 0, file_index: index, stream, data };
            let mut payload = Vec::new();
            row.put(&mut payload);
            batch.push(&payload);
        };
        let mut record = Vec::new();
        let file_type = type_of(file, &stat);
        NewAttributes { file_type, name: &file.name, stat: &stat, link: b"", attrs_ex: b"", delta_seq: 0 }
            .encode(index, &mut record);
        push(Stream::ATTRIBUTES, &record);
        let digest = file.digest.as_deref().and_then(base64::decode);
        if let Some((algorithm, digest)) = digest.and_then(|digest| Some((algorithm_of(&digest)?, digest))) {
            push(algorithm.stream(), &digest);
        }
    }
    batch
}

fn type_of(file: &OnVolume, stat: &Stat) -> FileType {
    match stat.mode & 0o170_000 {
        _ if file.name.ends_with(b"/") => FileType::Directory,
        0o120_000 => FileType::Symlink,
        _ if stat.link_fi > 0 => FileType::HardLink,
        0o100_000 => FileType::Regular,
        _ => FileType::Special,
    }
}

/// An algorithm with digests of this length: the catalog keeps no more of it than its bytes.
const fn algorithm_of(digest: &[u8]) -> Option<Algorithm> {
    Some(match digest.len() {
        16 => Algorithm::Md5,
        20 => Algorithm::Sha1,
        32 => Algorithm::Sha256,
        64 => Algorithm::Sha512,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lstat(change: impl FnOnce(&mut Stat)) -> Vec<u8> {
        let mut stat = Stat { ino: 1, mode: 0o100_644, nlink: 1, size: 9, ..Stat::default() };
        change(&mut stat);
        let mut out = Vec::new();
        stat.encode(&mut out);
        out
    }

    fn file(fields: &str, lstat: Vec<u8>, digest: Option<&[u8]>) -> OnVolume {
        let (fields, name) = (fields.as_bytes().to_vec(), b"/a".to_vec());
        OnVolume { index: 3, fields, name, lstat, digest: digest.map(<[u8]>::to_vec) }
    }

    #[test]
    fn differences_are_told_as_real_directors_tell_them_and_only_of_what_is_asked() {
        let (name, lstat_) = (b"/a".to_vec(), lstat(|_| {}));
        let row = FileRow { job_id: 1, file_index: 3, name, lstat: lstat_, md5: b"abc".to_vec(), delta_seq: 0 };
        let all = "VVpinsugdamc5";
        assert_eq!(differences(&file(all, lstat(|_| {}), Some(b"abc")), &row), [""; 0]);
        let changed = lstat(|stat| {
            (stat.ino, stat.mode, stat.nlink, stat.uid, stat.gid) = (2, 0o100_600, 2, 5, 6);
            (stat.size, stat.atime, stat.mtime, stat.ctime) = (8, 1, 1, 1);
        });
        let expected = [
            "      st_mode  differ. Cat: 81a4 File: 8180",
            "      st_ino   differ. Cat: 1 File: 2",
            "      st_nlink differ. Cat: 1 File: 2",
            "      st_size  differ. Cat: 9 File: 8",
            "      st_uid   differ. Cat: 0 File: 5",
            "      st_gid   differ. Cat: 0 File: 6",
            "      st_size  decrease. Cat: 9 File: 8",
            "      st_atime differs",
            "      st_mtime differs",
            "      st_ctime differs",
            "      digest differs. File=xyz Cat=abc",
        ];
        assert_eq!(differences(&file(all, changed.clone(), Some(b"xyz")), &row), expected);
        assert_eq!(differences(&file("V", changed, Some(b"xyz")), &row), [""; 0]);
    }

    #[test]
    fn the_state_of_the_disk_becomes_rows_with_their_digests() {
        let files = [file("V", lstat(|_| {}), Some(b"SzpiGLs+OnMD6KFxpg/Pkg")), file("V", lstat(|_| {}), None)];
        let batch = rows_of("job.1", &files);
        let rows: Vec<_> = batch.iter().map(|payload| CatalogUpdate::parse(payload).unwrap()).collect();
        let told: Vec<_> = rows.iter().map(|row| (row.file_index, row.stream)).collect();
        assert_eq!(told, [(3, 1), (3, Algorithm::Md5.stream().0), (3, 1)]);
        assert_eq!((rows[0].job, rows[1].data.len()), (&b"job.1"[..], 16));
    }
}
