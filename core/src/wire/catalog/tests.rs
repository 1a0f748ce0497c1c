use super::*;
use proptest::prelude::*;

const JOB: &str = "backup-tiny.2026-11-23_13.01.31_03";

fn recorded(line: &str) -> Ask {
    let line = line.replace("$J", JOB);
    let request = CatalogRequest::parse(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
    assert_eq!(request.job, JOB);
    assert_eq!(request.to_line(), line);
    request.ask
}

#[test]
fn recorded_requests_are_read_and_written_byte_for_byte() {
    assert_eq!(
        recorded("CatReq Job=$J FindMedia=1 pool_name=Full media_type=File1 unwanted_volumes=\n"),
        Ask::FindMedia { index: 1, pool: "Full".to_owned(), media_type: "File1".to_owned(), unwanted: vec![] }
    );
    assert_eq!(
        recorded("CatReq Job=$J FindMedia=2 pool_name=My\x01Pool media_type=File1 unwanted_volumes=a,b\x01c\n"),
        Ask::FindMedia {
            index: 2,
            pool: "My Pool".to_owned(),
            media_type: "File1".to_owned(),
            unwanted: vec!["a".to_owned(), "b c".to_owned()]
        }
    );
    assert_eq!(
        recorded("CatReq Job=$J GetVolInfo VolName=Full-0001 write=1\n"),
        Ask::GetVolInfo { volume: "Full-0001".to_owned(), write: true }
    );
    let update = recorded(
        "CatReq Job=$J UpdateMedia VolName=Full-0001 VolJobs=0 VolFiles=0 VolBlocks=1 VolBytes=193 VolMounts=0 \
         VolErrors=0 VolWrites=1 MaxVolBytes=21474836480 EndTime=1795438893 VolStatus=Append Slot=0 relabel=1 \
         InChanger=0 VolReadTime=0 VolWriteTime=20 VolFirstWritten=0\n",
    );
    let Ask::UpdateMedia(update) = update else { panic!("{update:?}") };
    assert_eq!((update.bytes, update.max_bytes, update.end_time), (193, 21_474_836_480, 1_795_438_893));
    assert_eq!((update.status.as_str(), update.relabel, update.write_time), ("Append", true, 20));
    let media = recorded(
        "CatReq Job=$J CreateJobMedia FirstIndex=1 LastIndex=6 StartFile=0 EndFile=0 StartBlock=193 EndBlock=2457 \
         Copy=0 Strip=0 MediaId=1\n",
    );
    let Ask::CreateJobMedia(media) = media else { panic!("{media:?}") };
    assert_eq!((media.last_index, media.start_block, media.end_block, media.media_id), (6, 193, 2457, 1));
    assert!(!media.is_placeholder());
    assert_eq!(recorded("CatReq Job=$J DeleteNullJobmediaRecords jobid=1"), Ask::DeleteNullJobMedia { job_id: 1 });
    assert_eq!(
        recorded("Catreq Job=$J UpdateJobRecord JobFiles=3 JobBytes=99\n"),
        Ask::UpdateJobRecord { files: 3, bytes: 99 }
    );
    assert_eq!(recorded("Catreq Job=$J UpdateFileList\n"), Ask::UpdateFileList);
}

#[test]
fn what_is_no_request_is_named_in_the_answer() {
    for line in
        ["CatReq Job=J Frobnicate\n", "CatReq Job=J", "Catxyz Job=J UpdateFileList\n", "CatReq J UpdateFileList"]
    {
        assert_eq!(CatalogRequest::parse(line.as_bytes()), None, "{line}");
    }
    assert_eq!(invalid_request(b"CatReq x\n"), "1990 Invalid Catalog Request: CatReq x\n");
    assert_eq!(not_in_catalog("V 1"), "1997 Volume \"V 1\" not in catalog.\n");
    assert_eq!(not_usable("V", "Full", "not in Pool"), "1998 Volume \"V\" catalog status is Full, not in Pool.\n");
}

#[test]
fn recorded_volumes_are_read_and_written_byte_for_byte() {
    let line = "1000 OK VolName=Full-0001 VolJobs=1 VolFiles=0 VolBlocks=2 VolBytes=2458 VolMounts=1 VolErrors=0 \
                VolWrites=2 MaxVolBytes=21474836480 VolCapacityBytes=0 VolStatus=Append Slot=0 MaxVolJobs=0 \
                MaxVolFiles=0 InChanger=0 VolReadTime=2 VolWriteTime=44 EndFile=0 EndBlock=2457 LabelType=0 MediaId=1 \
                EncryptionKey= MinBlocksize=0 MaxBlocksize=0\n";
    let info = VolumeInfo::parse(line.as_bytes()).unwrap();
    assert_eq!((info.volume.as_str(), info.status.as_str(), info.bytes), ("Full-0001", "Append", 2458));
    assert_eq!((info.end_block, info.media_id, info.write_time, info.read_time), (2457, 1, 44, 2));
    assert_eq!(info.to_line(), line);
    assert_eq!(VolumeInfo::parse(NO_MEDIA.as_bytes()), None);
    assert_eq!(VolumeInfo::parse(not_in_catalog("x").as_bytes()), None);
    let cut = &line[..line.len() - " MaxBlocksize=0\n".len()];
    assert_eq!(VolumeInfo::parse(cut.as_bytes()), None);
}

#[test]
fn a_recorded_row_is_read_and_written_byte_for_byte() {
    let mut frame = b"UpdCat Job=backup-tiny.2026-11-23_13.01.31_03 FileAttributes \
        \x00\x00\x00\x01\x6b\x04\x39\x28\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x6c"
        .to_vec();
    let record = b"1 3 /srv/bareos-run/data/tiny/hardlink-to-hello\0P4A miAD IGk C A A A T BAA I BrBDWV BrBDTf BrBDTf \
        A A C\0\0\x000\0";
    frame.extend_from_slice(record);
    assert_eq!(frame.len(), 189);
    let row = CatalogUpdate::parse(&frame).unwrap();
    assert_eq!((row.job, row.session_id, row.session_time), (JOB.as_bytes(), 1, 1_795_438_888));
    assert_eq!((row.file_index, row.stream, row.data), (1, 1, &record[..]));
    let mut out = Vec::new();
    row.put(&mut out);
    assert_eq!(out, frame);
    frame.push(0);
    assert_eq!(CatalogUpdate::parse(&frame), None);
    assert_eq!(CatalogUpdate::parse(&frame[..80]), None);
}

#[test]
fn a_row_whose_session_begins_with_a_blank_is_read() {
    let row =
        CatalogUpdate { job: b"J", session_id: 0x2020_2020, session_time: 9, file_index: -1, stream: 40, data: b" " };
    let mut out = Vec::new();
    row.put(&mut out);
    assert_eq!(CatalogUpdate::parse(&out), Some(row));
}

#[test]
fn the_offer_of_a_file_is_read() {
    let offer = BlastAttributes { job: JOB.to_owned(), path: "/var/my spool/x".to_owned() };
    assert_eq!(offer.to_line(), format!("BlastAttr Job={JOB} File=/var/my\x01spool/x\n"));
    assert_eq!(BlastAttributes::parse(offer.to_line().as_bytes()), Some(offer));
}

proptest! {
    #[test]
    fn volumes_come_back(
        volume in "[A-Za-z0-9:._ -]{1,127}", counts: [u32; 11], bytes: [u64; 6], slot: i32, in_changer: bool,
    ) {
        let [jobs, files, blocks, mounts, errors, writes, max_jobs, max_files, end_file, end_block, max_block] = counts;
        let [length, max_bytes, capacity, read_time, write_time, media_id] = bytes;
        let info = VolumeInfo {
            volume, jobs, files, blocks, bytes: length, mounts, errors, writes, max_bytes, capacity,
            status: "Append".to_owned(), slot, max_jobs, max_files, in_changer, read_time, write_time, end_file,
            end_block, label_type: slot, media_id, encryption_key: String::new(), min_block: jobs, max_block,
        };
        prop_assert_eq!(VolumeInfo::parse(info.to_line().as_bytes()), Some(info));
    }

    #[test]
    fn rows_come_back(session_id: u32, session_time: u32, file_index: i32, stream: i32, data: Vec<u8>) {
        let row = CatalogUpdate { job: JOB.as_bytes(), session_id, session_time, file_index, stream, data: &data };
        let mut out = Vec::new();
        row.put(&mut out);
        prop_assert_eq!(CatalogUpdate::parse(&out), Some(row));
    }

    #[test]
    fn no_bytes_make_the_parsers_fail(bytes: Vec<u8>, head in 0..6usize) {
        let heads = ["", "CatReq Job=J ", "CatReq Job=J UpdateMedia VolName=", "1000 OK VolName=", "BlastAttr Job=",
            "UpdCat Job=J FileAttributes "];
        let line = [heads[head].as_bytes(), &bytes[..]].concat();
        let _ = (CatalogRequest::parse(&line), VolumeInfo::parse(&line), CatalogUpdate::parse(&line));
        let _ = BlastAttributes::parse(&line);
    }
}
