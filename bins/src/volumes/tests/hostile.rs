//! Whatever stands in a file, the reader ends, says what it found, and takes bounded memory.

use std::fs;

use proptest::prelude::*;
use towline_core::wire::block::{HEADER_LEN, seal};

use super::make::{blocks, file, label, volume};
use crate::disk::restore::Replace;
use crate::volumes::extract::{Wish, extract};
use crate::volumes::{check::check, look, ls::list, show::show};

/// Every command over the folder; how many findings each of them had.
fn all_commands(folder: &std::path::Path) -> Option<Vec<u64>> {
    let paths = [folder.to_owned()];
    let mut findings = Vec::new();
    let mut asked = look("test", &paths, &[]).ok()?;
    list(&mut asked, false, true, &mut Vec::new()).unwrap();
    findings.push(asked.report.findings());
    let mut asked = look("test", &paths, &[]).ok()?;
    show(&asked.shelf, &asked.jobs, true, &mut Vec::new()).unwrap();
    check(&mut asked);
    findings.push(asked.report.findings());
    let mut asked = look("test", &paths, &[]).ok()?;
    let back = tempfile::tempdir().unwrap();
    let wish = Wish { to: back.path().to_owned(), patterns: Vec::new(), bootstrap: None, replace: Replace::Always };
    extract(&mut asked, &wish).unwrap();
    findings.push(asked.report.findings());
    Some(findings)
}

fn sample(folder: &std::path::Path) -> std::path::PathBuf {
    let entries: Vec<_> = (0..4).map(|n| file(&format!("/f{n}"), &vec![n; 900])).collect();
    let mut made = blocks(&label(1, b'F'), 1500, &entries);
    made.extend(blocks(&label(2, b'I'), 1500, &entries));
    volume(folder, "v1", &made)
}

#[test]
fn a_volume_cut_anywhere_is_read_up_to_there_and_the_cut_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample(folder.path());
    let whole = fs::read(&path).unwrap();
    assert_eq!(all_commands(folder.path()), Some(vec![0, 0, 0]));
    for cut in (1..whole.len()).step_by(53) {
        fs::write(&path, &whole[..cut]).unwrap();
        let Some(findings) = all_commands(folder.path()) else { continue };
        // A volume that ends after whole jobs is whole.
        let is_between = look("test", &[folder.path().to_owned()], &[]).is_ok_and(|asked| {
            asked.jobs.iter().all(|job| job.end.is_some())
                && asked.shelf.volumes.iter().all(|v| v.survey.damage.is_empty())
        });
        assert!(is_between || findings[1] > 0, "cut at {cut}: {findings:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_place_of_others_are_survived(at in 0_usize..6000, new in proptest::collection::vec(any::<u8>(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let path = sample(folder.path());
        let mut bytes = fs::read(&path).unwrap();
        let at = at % bytes.len();
        let end = bytes.len().min(at + new.len());
        bytes[at..end].copy_from_slice(&new[..end - at]);
        fs::write(&path, &bytes).unwrap();
        let _findings = all_commands(folder.path());
    }

    #[test]
    fn records_of_any_length_in_sound_blocks_are_survived(
        heads in proptest::collection::vec((any::<i32>(), any::<i32>(), any::<u32>(), 0_usize..60), 1..20),
        number in any::<u32>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = sample(folder.path());
        let mut block = vec![0; HEADER_LEN];
        for (index, stream, len, data) in heads {
            // Half of them plausible.
            let (index, stream) = if data % 2 == 0 { (index % 5, stream % 45) } else { (index, stream) };
            let len = if data % 3 == 0 { len % 80 } else { len };
            block.extend_from_slice(&index.to_be_bytes());
            block.extend_from_slice(&stream.to_be_bytes());
            block.extend_from_slice(&len.to_be_bytes());
            block.extend(std::iter::repeat_n(b'x', data));
        }
        let len = u32::try_from(block.len()).unwrap();
        block[4..8].copy_from_slice(&len.to_be_bytes());
        block[8..12].copy_from_slice(&number.to_be_bytes());
        block[12..16].copy_from_slice(b"BB02");
        block[16..20].copy_from_slice(&1_u32.to_be_bytes());
        block[20..24].copy_from_slice(&super::make::STARTED.to_be_bytes());
        seal(&mut block);
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(&block);
        fs::write(&path, &bytes).unwrap();
        prop_assert!(all_commands(folder.path()).is_some());
    }
}
