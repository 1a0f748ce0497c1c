use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use towline_core::bulk::parcel::Parcel;
use towline_core::bulk::work::{DiskError, Expect, ReadForm};
use towline_core::wire::block::{BlockBuilder, Session};
use towline_core::wire::bsr::Bootstrap;
use towline_core::wire::label::VolumeLabel;

use super::erase::Eraser;
use super::reader::VolumeReader;
use super::writer::{Appended, Mounted, VolumeWriter};

const SESSION: Session = Session { id: 3, time: 1_800_000_000 };

fn label(name: &str) -> VolumeLabel {
    VolumeLabel { volume: name.into(), pool: "daily".into(), media_type: "File".into(), ..VolumeLabel::default() }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn text(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn mount(&self, name: &str, expect: Expect, limit: u64) -> Result<(VolumeWriter, Mounted), DiskError> {
        VolumeWriter::mount(self.text(), &label(name), expect, limit, SESSION, &Eraser::default())
    }
}

/// A block with one record, or as many blocks as the record needs.
fn blocks(file_index: i32, contents: &[u8], size: usize) -> Vec<Vec<u8>> {
    let mut builder = BlockBuilder::new(SESSION, size);
    builder.give(Vec::new());
    builder.begin_record(file_index, 2, u32::try_from(contents.len()).unwrap());
    let (mut rest, mut blocks) = (contents, Vec::new());
    loop {
        rest = &rest[builder.push(rest)..];
        if builder.record_is_done() {
            blocks.extend(builder.take().map(|block| block.bytes));
            return blocks;
        }
        blocks.push(builder.take().unwrap().bytes);
        builder.give(Vec::new());
    }
}

fn append(writer: &mut VolumeWriter, mut block: Vec<u8>) -> Appended {
    writer.append(&mut block).unwrap()
}

#[test]
fn a_new_volume_has_its_label_and_takes_blocks_behind_it() {
    let folder = Folder::new();
    let (mut writer, mounted) = folder.mount("v1", Expect::New, 0).unwrap();
    assert!(mounted.labelled && mounted.cut == 0);
    let block = blocks(1, b"hello", 4096).remove(0);
    let len = block.len() as u64;
    assert_eq!(append(&mut writer, block.clone()), Appended::At(mounted.bytes));
    assert_eq!(append(&mut writer, block), Appended::At(mounted.bytes + len));
    writer.sync().unwrap();
    assert_eq!(fs::metadata(folder.path("v1")).unwrap().len(), mounted.bytes + 2 * len);
    assert_eq!(fs::metadata(folder.path("v1")).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_new_volume_never_overwrites_a_file() {
    let folder = Folder::new();
    fs::write(folder.path("v1"), b"precious").unwrap();
    let error = folder.mount("v1", Expect::New, 0).unwrap_err();
    assert!(matches!(error, DiskError::WrongVolume { .. }), "{error}");
    assert_eq!(fs::read(folder.path("v1")).unwrap(), b"precious");
}

#[test]
fn a_new_volume_may_have_its_own_label_and_nothing_else() {
    let folder = Folder::new();
    let (_, first) = folder.mount("v1", Expect::New, 0).unwrap();
    let (mut writer, again) = folder.mount("v1", Expect::New, 0).unwrap();
    assert_eq!((again.bytes, again.labelled), (first.bytes, true));
    append(&mut writer, blocks(1, b"data", 4096).remove(0));
    drop(writer);
    assert!(matches!(folder.mount("v1", Expect::New, 0), Err(DiskError::WrongVolume { .. })));
    fs::copy(folder.path("v1"), folder.path("v2")).unwrap();
    assert!(matches!(folder.mount("v2", Expect::New, 0), Err(DiskError::WrongVolume { .. })));
}

#[test]
fn a_recycled_volume_begins_anew() {
    let folder = Folder::new();
    let (mut writer, mounted) = folder.mount("v1", Expect::New, 0).unwrap();
    append(&mut writer, blocks(1, &[7; 3000], 4096).remove(0));
    drop(writer);
    let (_, again) = folder.mount("v1", Expect::Recycled, 0).unwrap();
    assert!(again.labelled);
    assert_eq!(again.bytes, mounted.bytes);
    assert_eq!(fs::metadata(folder.path("v1")).unwrap().len(), mounted.bytes);
}

#[test]
fn a_torn_tail_is_cut_but_whole_blocks_nobody_knows_are_kept() {
    let folder = Folder::new();
    let (mut writer, mounted) = folder.mount("v1", Expect::New, 0).unwrap();
    let block = blocks(1, &[7; 3000], 4096).remove(0);
    let len = block.len() as u64;
    append(&mut writer, block.clone());
    append(&mut writer, block.clone());
    drop(writer);
    let mut bytes = fs::read(folder.path("v1")).unwrap();
    bytes.extend_from_slice(&block[..1000]);
    fs::write(folder.path("v1"), &bytes).unwrap();
    let known = mounted.bytes + len;
    let (mut writer, again) = folder.mount("v1", Expect::Bytes(known), 0).unwrap();
    assert_eq!((again.bytes, again.cut, again.labelled), (known + len, 1000, false));
    assert_eq!(append(&mut writer, block), Appended::At(known + len));
}

#[test]
fn a_whole_block_with_a_wrong_checksum_is_torn_too() {
    let folder = Folder::new();
    let (mut writer, mounted) = folder.mount("v1", Expect::New, 0).unwrap();
    let block = blocks(1, &[7; 3000], 4096).remove(0);
    append(&mut writer, block.clone());
    drop(writer);
    let mut bytes = fs::read(folder.path("v1")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(folder.path("v1"), &bytes).unwrap();
    let (_, again) = folder.mount("v1", Expect::Bytes(mounted.bytes), 0).unwrap();
    assert_eq!((again.bytes, again.cut), (mounted.bytes, block.len() as u64));
}

#[test]
fn a_volume_shorter_than_the_catalog_knows_is_refused_and_left_alone() {
    let folder = Folder::new();
    let (_, mounted) = folder.mount("v1", Expect::New, 0).unwrap();
    let error = folder.mount("v1", Expect::Bytes(mounted.bytes + 1), 0).unwrap_err();
    assert!(
        matches!(error, DiskError::Truncated { found, wanted, .. } if (found, wanted) == (mounted.bytes, found + 1))
    );
    assert_eq!(fs::metadata(folder.path("v1")).unwrap().len(), mounted.bytes);
}

#[test]
fn another_volume_under_the_name_is_refused() {
    let folder = Folder::new();
    let (_, mounted) = folder.mount("v1", Expect::New, 0).unwrap();
    fs::rename(folder.path("v1"), folder.path("v2")).unwrap();
    for bad in [folder.mount("v2", Expect::Bytes(mounted.bytes), 0), {
        fs::write(folder.path("v3"), b"no volume at all, and long enough for a header").unwrap();
        folder.mount("v3", Expect::Bytes(0), 0)
    }] {
        assert!(matches!(bad, Err(DiskError::WrongVolume { .. })), "{bad:?}");
    }
    let missing = folder.mount("v4", Expect::Bytes(0), 0);
    assert!(matches!(missing, Err(DiskError::Missing(_))), "{missing:?}");
}

#[test]
fn a_volume_in_use_is_not_mounted_twice() {
    let folder = Folder::new();
    let (_writer, mounted) = folder.mount("v1", Expect::New, 0).unwrap();
    let error = folder.mount("v1", Expect::Bytes(mounted.bytes), 0).unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
}

#[test]
fn a_full_volume_stays_full_for_shorter_blocks_too() {
    let folder = Folder::new();
    let long = blocks(1, &[7; 3000], 4096).remove(0);
    let (mut writer, _) = folder.mount("v1", Expect::New, 4000).unwrap();
    assert!(matches!(append(&mut writer, long.clone()), Appended::At(_)));
    assert_eq!(append(&mut writer, long), Appended::LimitReached);
    assert_eq!(append(&mut writer, blocks(2, b"x", 4096).remove(0)), Appended::LimitReached);
}

#[test]
fn a_volume_takes_one_block_whatever_its_limit() {
    let folder = Folder::new();
    let (mut writer, _) = folder.mount("v1", Expect::New, 1).unwrap();
    let block = blocks(1, b"x", 4096).remove(0);
    assert!(matches!(append(&mut writer, block.clone()), Appended::At(_)));
    assert_eq!(append(&mut writer, block), Appended::LimitReached);
}

#[test]
fn a_name_cannot_leave_the_folder() {
    let folder = Folder::new();
    for name in ["../v1", "a/b", "..", ".", "", "a\0b"] {
        assert!(folder.mount(name, Expect::New, 0).is_err(), "{name:?}");
        assert!(
            VolumeReader::open(folder.text(), BTreeMap::new(), &bootstrap(&[name]), ReadForm::Restore).is_err(),
            "{name:?}"
        );
    }
}

#[cfg(feature = "system-tests")]
#[test]
fn a_full_disk_leaves_nothing_of_the_block() {
    let folder = Folder::new();
    let run = |program: &str, arguments: &[&str]| {
        assert!(std::process::Command::new(program).args(arguments).status().unwrap().success());
    };
    run("mount", &["-t", "tmpfs", "-o", "size=1m", "towline-test", folder.text()]);
    let (mut writer, mounted) = folder.mount("v1", Expect::New, 0).unwrap();
    let block = blocks(1, &vec![7; 600_000], 1 << 20).remove(0);
    let first = append(&mut writer, block.clone());
    let second = append(&mut writer, block.clone());
    let len = fs::metadata(folder.path("v1")).unwrap().len();
    drop(writer);
    run("umount", &[folder.text()]);
    assert_eq!((first, second), (Appended::At(mounted.bytes), Appended::DiskFull));
    assert_eq!(len, mounted.bytes + block.len() as u64);
}

fn bootstrap(volumes: &[&str]) -> Bootstrap {
    let section = |name: &&str| {
        format!("Volume=\"{name}\"\nVolSessionId={}\nVolSessionTime={}\nFileIndex=1-100\n", SESSION.id, SESSION.time)
    };
    let text: String = volumes.iter().map(section).collect();
    Bootstrap::parse(text.as_bytes()).unwrap()
}

/// The records a reader finds: the lines of their headers, and their bytes in a row.
fn read(folder: &Folder, bootstrap: &Bootstrap) -> Result<(Vec<String>, Vec<u8>, VolumeReader), DiskError> {
    let mut reader = VolumeReader::open(folder.text(), BTreeMap::new(), bootstrap, ReadForm::Restore)?;
    let (mut stream, mut parcel) = (Vec::new(), Parcel::new());
    loop {
        let last = reader.fill(&mut parcel)?;
        stream.extend_from_slice(&parcel.bytes);
        if last {
            break;
        }
    }
    // A sender has several parcels under way: the later ones must not end the stream once more.
    assert!(reader.fill(&mut parcel)? && parcel.is_empty());
    let (mut lines, mut data, mut rest) = (Vec::new(), Vec::new(), &stream[..]);
    loop {
        let (head, after) = rest.split_first_chunk::<4>().unwrap();
        let Ok(len) = usize::try_from(i32::from_be_bytes(*head)) else {
            assert_eq!((i32::from_be_bytes(*head), after.len()), (-1, 0), "the end of the stream");
            return Ok((lines, data, reader));
        };
        let (frame, after) = after.split_at(len);
        match std::str::from_utf8(frame) {
            Ok(line) if line.starts_with("rechdr ") => lines.push(line.to_owned()),
            _ => data.extend_from_slice(frame),
        }
        rest = after;
    }
}

#[test]
fn what_was_appended_is_read_back_across_blocks_and_volumes() {
    let folder = Folder::new();
    let contents: Vec<u8> = (0..900_000_u32).map(|i| (i % 251) as u8).collect();
    let all = blocks(1, &contents, 64 * 1024);
    let (first, second) = all.split_at(all.len() / 2);
    for (name, part) in [("v1", first), ("v2", second)] {
        let (mut writer, _) = folder.mount(name, Expect::New, 0).unwrap();
        for block in part {
            append(&mut writer, block.clone());
        }
    }
    let (lines, data, mut reader) = read(&folder, &bootstrap(&["v1", "v2"])).unwrap();
    assert_eq!(lines, ["rechdr 3 1800000000 1 2 900000"]);
    assert!(data == contents);
    assert!(reader.take_remarks().is_empty());
    let tally = reader.tally();
    assert_eq!(tally.volumes, ["v1", "v2"]);
    assert_eq!((tally.read_bytes, tally.errors, tally.complete), (900_000, 0, true));
}

#[test]
fn only_what_is_selected_is_read() {
    let folder = Folder::new();
    let (mut writer, mounted) = folder.mount("v1", Expect::New, 0).unwrap();
    let mut starts = Vec::new();
    for (index, letter) in [(1, b"a"), (2, b"b"), (3, b"c")] {
        let Appended::At(start) = append(&mut writer, blocks(index, letter, 4096).remove(0)) else { panic!() };
        starts.push(start);
    }
    assert_eq!(starts[0], mounted.bytes);
    let text = format!(
        "Volume=\"v1\"\nVolSessionId=3\nVolSessionTime=1800000000\nVolAddr={}-{}\nFileIndex=2\nCount=1\n",
        starts[1],
        starts[2] - 1
    );
    let (lines, data, _) = read(&folder, &Bootstrap::parse(text.as_bytes()).unwrap()).unwrap();
    assert_eq!((lines.len(), &data[..]), (1, &b"b"[..]));
}

/// A volume with files of these records, stream and contents, one block each; where the blocks begin.
fn volume_of(folder: &Folder, name: &str, records: &[(i32, i32, &[u8])]) -> Vec<u64> {
    let mut builder = BlockBuilder::new(SESSION, 4096);
    let (mut writer, _) = folder.mount(name, Expect::New, 0).unwrap();
    let mut starts = Vec::new();
    for (file_index, stream, contents) in records {
        builder.give(Vec::new());
        builder.begin_record(*file_index, *stream, u32::try_from(contents.len()).unwrap());
        builder.push(contents);
        let Appended::At(start) = append(&mut writer, builder.take().unwrap().bytes) else {
            panic!("the volume is full")
        };
        starts.push(start);
    }
    starts
}

const ATTRIBUTES: i32 = 1;
const DATA: i32 = 2;
const MD5: i32 = 3;
const DAMAGED: i32 = 2046;

fn name_record(index: i32) -> Vec<u8> {
    format!("{index} 3 /file {index}\0A\0\0\x000\0").into_bytes()
}

/// Three files of four blocks each: attributes, data, data, digest.
fn three_files(folder: &Folder) -> Vec<u64> {
    let names: Vec<Vec<u8>> = (1..=3).map(name_record).collect();
    let records: Vec<(i32, i32, &[u8])> = (1..=3)
        .zip(&names)
        .flat_map(|(index, name)| {
            [(index, ATTRIBUTES, &name[..]), (index, DATA, b"one"), (index, DATA, b"two"), (index, MD5, b"digest")]
        })
        .collect();
    volume_of(folder, "v1", &records)
}

fn flip(folder: &Folder, at: u64) {
    let mut bytes = fs::read(folder.path("v1")).unwrap();
    bytes[usize::try_from(at).unwrap()] ^= 1;
    fs::write(folder.path("v1"), bytes).unwrap();
}

/// File index and stream of each record that is read, and what is said.
fn read_damaged(folder: &Folder, count: u32) -> (Vec<(i32, i32)>, Vec<String>, u32) {
    let text = format!("Volume=\"v1\"\nVolSessionId=3\nVolSessionTime=1800000000\nFileIndex=1-3\nCount={count}\n");
    let (lines, _, mut reader) = read(folder, &Bootstrap::parse(text.as_bytes()).unwrap()).unwrap();
    let numbers = |line: String| {
        let mut words = line.split(' ').skip(3).map(|word| word.parse().unwrap());
        (words.next().unwrap(), words.next().unwrap())
    };
    let said = reader.take_remarks().into_iter().map(|remark| format!("{} {}", remark.kind, remark.text)).collect();
    (lines.into_iter().map(numbers).collect(), said, reader.tally().errors)
}

fn whole(index: i32) -> Vec<(i32, i32)> {
    [ATTRIBUTES, DATA, DATA, MD5].map(|stream| (index, stream)).to_vec()
}

#[test]
fn a_damaged_block_costs_its_file_and_the_rest_is_read() {
    let folder = Folder::new();
    let starts = three_files(&folder);
    flip(&folder, starts[6] + 30);
    let (records, said, errors) = read_damaged(&folder, 3);
    // Of the second file nothing comes after the damage but the word that it is damaged.
    let second = vec![(2, ATTRIBUTES), (2, DATA), (2, DAMAGED)];
    assert_eq!(records, [whole(1), second, whole(3)].concat());
    let path = folder.path("v1").display().to_string();
    assert_eq!(
        said,
        [
            format!(
                "5 {path} cannot be read from byte {} to {}: these {} bytes are passed over (T0552)",
                starts[6],
                starts[7],
                starts[7] - starts[6]
            ),
            "4 damage on the volumes, session 3/1800000000, not complete: 2 (/file 2) (T0552)".to_owned(),
        ]
    );
    assert_eq!(errors, 1);
}

#[test]
fn files_whose_attributes_are_damaged_are_gone_and_counted() {
    let folder = Folder::new();
    let starts = three_files(&folder);
    flip(&folder, starts[4] + 30);
    let (records, said, _) = read_damaged(&folder, 3);
    assert_eq!(records, [whole(1), whole(3)].concat());
    assert!(said[1].ends_with("session 3/1800000000, gone: 2 (T0552)"), "{said:?}");
    assert_eq!(said.len(), 2);
}

#[test]
fn the_end_of_a_volume_and_its_label_may_be_damaged_too() {
    let folder = Folder::new();
    let starts = three_files(&folder);
    flip(&folder, starts[11] + 30);
    flip(&folder, 40);
    let (records, said, errors) = read_damaged(&folder, 3);
    let third = vec![(3, ATTRIBUTES), (3, DATA), (3, DATA), (3, DAMAGED)];
    assert_eq!(records, [whole(1), whole(2), third].concat());
    assert!(said.len() == 3 && said[2].contains("not complete: 3 (/file 3)"), "{said:?}");
    assert_eq!(errors, 1);
}

#[test]
fn damage_between_the_blocks_of_a_session_that_has_them_all_costs_nothing() {
    let folder = Folder::new();
    let names: Vec<Vec<u8>> = (1..=2).map(name_record).collect();
    let mut ours = BlockBuilder::new(SESSION, 4096);
    let mut others = BlockBuilder::new(Session { id: 4, ..SESSION }, 4096);
    let (mut writer, _) = folder.mount("v1", Expect::New, 0).unwrap();
    let mut starts = Vec::new();
    for (name, index) in names.iter().zip(1..) {
        for builder in [&mut ours, &mut others] {
            builder.give(Vec::new());
            builder.begin_record(index, ATTRIBUTES, u32::try_from(name.len()).unwrap());
            builder.push(name);
            let Appended::At(start) = append(&mut writer, builder.take().unwrap().bytes) else { panic!() };
            starts.push(start);
        }
    }
    flip(&folder, starts[1] + 30);
    let (records, said, errors) = read_damaged(&folder, 2);
    assert_eq!(records, [(1, ATTRIBUTES), (2, ATTRIBUTES)]);
    assert!(said.len() == 1 && said[0].starts_with("5 "), "{said:?}");
    assert_eq!(errors, 0);
}

/// What a copy of three files gets: the bytes of its stream, what is said, and how it ends.
fn copy_damaged(folder: &Folder, form: ReadForm) -> (Vec<u8>, Vec<String>, Result<(), DiskError>) {
    let text = "Volume=\"v1\"\nVolSessionId=3\nVolSessionTime=1800000000\nFileIndex=1-3\nCount=3\n";
    let bootstrap = Bootstrap::parse(text.as_bytes()).unwrap();
    let mut reader = VolumeReader::open(folder.text(), BTreeMap::new(), &bootstrap, form).unwrap();
    let (mut stream, mut said) = (Vec::new(), Vec::new());
    loop {
        let mut parcel = Parcel::new();
        let filled = reader.fill(&mut parcel);
        // With an error no remarks come.
        match filled {
            Ok(done) => {
                stream.extend(parcel.bytes);
                said.extend(reader.take_remarks().into_iter().map(|remark| remark.text));
                if done {
                    return (stream, said, Ok(()));
                }
            }
            Err(error) => return (stream, said, Err(error)),
        }
    }
}

fn holds(stream: &[u8], text: &str) -> bool {
    stream.windows(text.len()).any(|bytes| bytes == text.as_bytes())
}

#[test]
fn a_copy_goes_on_behind_damage_names_what_it_costs_and_ends_as_an_error() {
    let folder = Folder::new();
    let starts = three_files(&folder);
    let whole = fs::read(folder.path("v1")).unwrap();
    let at = |start: usize| usize::try_from(starts[start]).unwrap();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at + 30] ^= 1;
        bytes
    };
    let path = folder.path("v1").display().to_string();
    for form in [ReadForm::Replicate, ReadForm::Clone] {
        for (bytes, start, third, told) in [
            (flipped(at(6)), 6, true, "not complete: 2 (/file 2)"),
            (flipped(at(4)), 4, true, "gone: 2 (T0552)"),
            (flipped(at(11)), 11, true, "not complete: 3 (/file 3)"),
            (whole[..at(6) + 3].to_vec(), 6, false, "gone: 3, not complete: 2 (/file 2)"),
        ] {
            fs::write(folder.path("v1"), bytes).unwrap();
            let (stream, said, end) = copy_damaged(&folder, form);
            assert!(holds(&stream, "/file 1") && holds(&stream, "/file 3") == third, "{told}");
            let address = format!("{path} cannot be read from byte {} ", starts[start]);
            assert!(said.len() == 2 && said[0].starts_with(&address) && said[1].contains(told), "{told}: {said:?}");
            assert_eq!(end, Err(DiskError::Damaged { path: path.clone(), at: starts[start] }), "{told}");
        }
        // The label has none of the files: without loss a copy is good.
        fs::write(folder.path("v1"), flipped(10)).unwrap();
        let (stream, said, end) = copy_damaged(&folder, form);
        assert!(end.is_ok() && said.len() == 1 && holds(&stream, "/file 3"), "{said:?} {end:?}");
    }
}

#[test]
fn a_record_whose_end_is_missing_is_counted_and_told() {
    let folder = Folder::new();
    let all = blocks(1, &[5; 10_000], 4096);
    assert_eq!(all.len(), 3);
    let (mut writer, _) = folder.mount("v1", Expect::New, 0).unwrap();
    append(&mut writer, all[0].clone());
    append(&mut writer, blocks(2, b"next", 4096).remove(0));
    let (lines, _, mut reader) = read(&folder, &bootstrap(&["v1"])).unwrap();
    assert_eq!(lines, ["rechdr 3 1800000000 2 2 4"]);
    assert_eq!(reader.take_remarks().len(), 1);
    assert!(reader.take_remarks().is_empty(), "told once");
    assert_eq!(reader.tally().errors, 1);
}

#[test]
fn a_missing_volume_and_a_wrong_label_are_told_apart() {
    let folder = Folder::new();
    let missing = VolumeReader::open(folder.text(), BTreeMap::new(), &bootstrap(&["v1"]), ReadForm::Restore);
    assert!(matches!(missing, Err(DiskError::Missing(_))), "{missing:?}");
    drop(folder.mount("v1", Expect::New, 0).unwrap());
    fs::rename(folder.path("v1"), folder.path("v2")).unwrap();
    fs::write(folder.path("v3"), b"").unwrap();
    fs::write(folder.path("v4"), vec![0; 5000]).unwrap();
    for name in ["v2", "v3", "v4"] {
        let wrong = VolumeReader::open(folder.text(), BTreeMap::new(), &bootstrap(&[name]), ReadForm::Restore);
        assert!(matches!(wrong, Err(DiskError::WrongVolume { .. })), "{wrong:?}");
    }
    drop(folder.mount("v1", Expect::New, 0).unwrap());
    let second = read(&folder, &bootstrap(&["v1", "v9"])).map(|_| ());
    assert!(matches!(second, Err(DiskError::Missing(_))), "{second:?}");
}
