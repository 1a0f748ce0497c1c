//! Lines of dialogues: commands, answers, hellos, messages, catalog requests.

use std::fmt::Debug;

use super::{Target, parser};
use crate::wire::catalog::{BlastAttributes, CatalogRequest, CatalogUpdate, VolumeInfo};
use crate::wire::cram_md5::{self, Challenge};
use crate::wire::file::FileCommand;
use crate::wire::fileset::FileSet;
use crate::wire::hello::{self, Hello};
use crate::wire::message::{self, Incoming, JobMessage};
use crate::wire::names::{PeerKind, PeerName, bash, unbash};
use crate::wire::session::{self, DataCommand};
use crate::wire::status::{self, EndJob, JobInStatus, StatusLine, StorageEnd};
use crate::wire::status_reply::StatusReply;
use crate::wire::storage::{StorageCommand, UseStorage};
use crate::wire::storage_answers::{self, JobAccepted};
use crate::wire::{file_answers, json::Json};

pub(super) const TARGETS: &[Target] = &[
    parser("hello", hellos, || samples(HELLOS)),
    parser("cram_md5", challenges, || samples(CHALLENGES)),
    parser("names", names, || samples(NAMES)),
    parser("message", messages, || samples(MESSAGES)),
    parser("file_command", file_commands, || samples(FILE_COMMANDS)),
    parser("file_answer", answers_of_files, || samples(FILE_ANSWERS)),
    parser("storage_command", storage_commands, || samples(STORAGE_COMMANDS)),
    parser("storage_answer", answers_of_storages, || samples(STORAGE_ANSWERS)),
    parser("session", sessions, || samples(SESSIONS)),
    parser("status", statuses, || samples(STATUSES)),
    parser("status_reply", status_replies, || samples(STATUS_REPLIES)),
    parser("catalog_request", catalog_requests, || samples(CATALOG_REQUESTS)),
    parser("catalog_update", catalog_updates, update_samples),
    parser("fileset", filesets, || samples(FILESETS)),
    parser("json", json, || samples(NAMES)),
];

pub(super) fn samples(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The same of a line of text: as C strings they end at a NUL, and what is not UTF-8 is shown with a stand-in.
fn line_comes_back<T: PartialEq + Debug>(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Option<T>,
    write: impl Fn(&T) -> Vec<u8>,
) {
    if bytes.contains(&0) || std::str::from_utf8(bytes).is_err() {
        let size = read(bytes).map_or(0, |value| write(&value).len());
        return assert!(size <= 8 * bytes.len() + 1_024, "{} bytes became {size}", bytes.len());
    }
    comes_back(bytes, read, write);
}

/// What was read is written and read again as the same, and takes no more than a few times the memory of the line.
pub(super) fn comes_back<T: PartialEq + Debug>(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Option<T>,
    write: impl Fn(&T) -> Vec<u8>,
) {
    let Some(value) = read(bytes) else { return };
    let text = write(&value);
    assert!(text.len() <= 8 * bytes.len() + 1_024, "{} bytes became {}", bytes.len(), text.len());
    let again = read(&text);
    assert_eq!(again.as_ref(), Some(&value), "as {:?}", text.escape_ascii().to_string());
}

fn line(text: String) -> Vec<u8> {
    text.into_bytes()
}

const HELLOS: &[&str] = &[
    "Hello Director bareos-dir calling\n",
    "Hello Client bareos-fd FdProtocolVersion=54 calling\n",
    "Hello Storage calling Start Job backup-tiny.2026-11-23_13.01.31_03\n",
    "Hello Start Job backup-tiny.2026-11-23_13.01.31_03 ssl=1\n",
    "Hello Start Storage Job copy.2026-11-23_13.01.31_03\n",
    "Hello *UserAgent* calling version 26.0.0~pre1\n",
    "Hello admin calling version 26.0.0 (23 November 2026)\n",
    "2000 OK Hello 54\n",
    "1000 OK: bareos-dir Version: 26.0.0~pre1 (23 November 2026)\n",
    "26.0.0~pre1",
];

fn hellos(bytes: &[u8]) {
    line_comes_back(bytes, Hello::parse, |hello| line(hello.to_line()));
    line_comes_back(bytes, Hello::parse, |hello| line(hello.to_marked_line()));
    if let Some(hello) = Hello::parse(bytes) {
        let _ = (hello.identity(), hello.console_version(), hello::is_marked(bytes));
    }
    line_comes_back(bytes, hello::parse_file_answer, |protocol| line(hello::file_answer(*protocol)));
    let _ = hello::version_number(&String::from_utf8_lossy(bytes));
}

const CHALLENGES: &[&str] = &[
    "auth cram-md5 <1804289383.1795438893@R_DIRECTOR::bareos-dir> ssl=2\n",
    "auth cram-md5c <1804289383.1795438893@bareos-dir> ssl=0\n",
    "auth cram-md5 <1.2@x>\n",
    "1000 OK auth\n",
    "Y6/SK4sWhS/G54kfC5MjaA",
];

fn challenges(bytes: &[u8]) {
    line_comes_back(bytes, Challenge::parse, |challenge| line(challenge.to_line()));
    if let Some(challenge) = Challenge::parse(bytes) {
        let key = cram_md5::password_key("secret");
        let answer = challenge.answer(&key);
        assert!(challenge.verify(&key, &answer));
        let _ = challenge.is_replay("R_DIRECTOR::bareos-dir");
        assert!(!challenge.verify(&cram_md5::password_key("other"), &answer));
    }
    let _ = cram_md5::is_accepted(bytes);
}

const NAMES: &[&str] =
    &["R_CLIENT\x1ebareos-fd", "R_JOB\x1ebackup-tiny.2026-11-23_13.01.31_03", "a name\x01with blanks", "*UserAgent*"];

fn names(bytes: &[u8]) {
    line_comes_back(bytes, PeerName::from_psk_identity, |name| line(name.psk_identity()));
    let text = String::from_utf8_lossy(bytes);
    let word = bash(&text);
    assert!(!word.contains(' '));
    // The stand-in for a blank cannot itself be carried.
    if !text.contains('\x01') {
        assert_eq!(unbash(&word), text);
    }
    if let Ok(kind) = text.parse::<PeerKind>() {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
}

const MESSAGES: &[&str] = &[
    "Jmsg Job=backup-tiny.2026-11-23_13.01.31_03 type=6 level=1795438893 bareos-fd JobId 1: ACL support is enabled\n",
    "Jmsg Job=x type=3 level=0 \n",
    "btime 1795438893000000\n",
    "CatReq Job=x GetVolInfo VolName=Full-0001 write=1\n",
    "Status Job=x JobStatus=70\n",
];

fn messages(bytes: &[u8]) {
    line_comes_back(bytes, JobMessage::parse, |message| line(message.to_line()));
    line_comes_back(bytes, message::parse_clock, |clock| line(message::clock(*clock)));
    let _ = Incoming::of(bytes);
}

const FILE_COMMANDS: &[&str] = &[
    "JobId=1 Job=backup-tiny.2026-11-23_13.01.31_03 SDid=1 SDtime=1795438888 Authorization=dummy ssl=2",
    "level = full mtime_only=0",
    "level = accurate_incremental mtime_only=0",
    "level = since_utime 1795438893 mtime_only=0 prev_job=backup-tiny.2026-11-23_13.01.31_03\n",
    "fileset vss=1",
    "storage address=127.0.0.1 port=9103 ssl=2\n",
    "backup FileIndex=12\n",
    "estimate listing=1",
    "verify level=volume\n",
    "restore where=/tmp/x replace=a args=\n",
    "restore replace=w prelinks=0 where=\n",
    "Run OnSuccess=1 OnFailure=0 AbortOnError=1 When=2 Command=/bin/true\x01x\n",
    "setbandwidth=1000 Job=x\n",
    "setdebug=100 trace=0 hangup=0 timestamp=1\n",
    "cancel Job=backup-tiny.2026-11-23_13.01.31_03\n",
    "accurate files=12\n",
    "bootstrap\n",
    "restoreobject JobId=1 12,3,4,5,6,7\n",
    ".status current\n",
    "status",
    "resolve bareos-sd",
];

fn file_commands(bytes: &[u8]) {
    line_comes_back(bytes, |line| FileCommand::parse(line).ok(), |command| line(command.to_line()));
    if let Err(bad) = FileCommand::parse(bytes) {
        let answer = bad.answer.map_or(0, |answer| answer.len());
        assert!(bad.command.len() + answer <= 8 * bytes.len() + 1_024);
    }
}

const FILE_ANSWERS: &[&str] = &[
    "2000 OK Job 26.0.0~pre1 (23 November 2026) Linux,x86_64\n",
    "2000 OK estimate files=1,234 bytes=56,789\n",
    "2000 OK EraseCmd *None*\n",
    "2000 OK storage\n",
    "2001 Job x marked to be canceled.\n",
];

fn answers_of_files(bytes: &[u8]) {
    let _ = file_answers::parse_job(bytes);
    let _ = file_answers::is_secure_erase(bytes);
    line_comes_back(bytes, file_answers::parse_estimate, |(files, size)| line(file_answers::estimate(*files, *size)));
    let _ = file_answers::is(bytes, "2000 OK storage\n");
}

const STORAGE_COMMANDS: &[&str] = &[
    "JobId=1 job=backup-tiny.2026-11-23_13.01.31_03 job_name=backup-tiny client_name=bareos-fd type=66 level=70 \
     FileSet=tiny NoAttr=0 SpoolAttr=0 FileSetMD5=abc SpoolData=0 PreferMountedVols=1 SpoolSize=0 rerunning=0 \
     VolSessionId=0 VolSessionTime=0 Quota=0 Protocol=0 BackupFormat=Native\n",
    "use storage=File media_type=File pool_name=Full pool_type=Backup append=1 copy=0 stripe=0\n",
    "use device=FileStorage\n",
    "getSecureEraseCmd\n",
    "bootstrap\n",
    "run",
    "listen",
    "passive client address=127.0.0.1 port=9102 ssl=2\n",
    "replicate JobId=2 Job=copy.2026-11-23_13.01.31_04 address=127.0.0.1 port=9103 ssl=2 Authorization=abc\n",
    "cancel Job=x\n",
    "label FileStorage VolumeName=Full-0001 PoolName=Full MediaType=File Slot=0 drive=0 MinBlocksize=0 MaxBlocksize=0\n",
    "setbandwidth=1000 Job=x\n",
    "setdebug=100 trace=0 timestamp=0\n",
    "mount FileStorage drive=0\n",
    "unmount FileStorage drive=0\n",
    "autochanger list FileStorage\n",
    "autochanger transfer FileStorage 1 2\n",
    "readlabel FileStorage Slot=1 drive=0\n",
    ".status current\n",
    "status",
    "stats",
    "resolve bareos-fd\n",
];

fn storage_commands(bytes: &[u8]) {
    line_comes_back(bytes, |line| StorageCommand::parse(line).ok(), |command| line(command.to_line()));
    line_comes_back(bytes, UseStorage::parse_device, |device| line(UseStorage::device_line(device)));
    if let Err(bad) = StorageCommand::parse(bytes) {
        let answer = bad.answer.len();
        assert!(answer <= 8 * bytes.len() + 1_024);
    }
}

const STORAGE_ANSWERS: &[&str] = &[
    "3000 OK Job SDid=1 SDtime=1795438888 Authorization=CCEG-MJGM-EHKA\n",
    "3000 OK use device device=FileStorage\n",
    "3000 OK label. VolBytes=218 Volume=\"Full-0001\" Device=\"FileStorage\" (/var/lib/bareos/storage)\n",
    "3001 Volume=Full-0001 Slot=3\n",
    "2000 OK EraseCmd *None*\n",
];

fn answers_of_storages(bytes: &[u8]) {
    line_comes_back(bytes, JobAccepted::parse, |accepted| line(accepted.to_line()));
    let _ = storage_answers::parse_device_used(bytes);
    let _ = storage_answers::is_secure_erase(bytes);
    let _ = storage_answers::parse_labeled(bytes);
    let _ = storage_answers::parse_label_read(bytes);
}

const SESSIONS: &[&str] = &[
    "append open session\n",
    "append data 3\n",
    "append end session 3\n",
    "append close session 3\n",
    "read open session = DummyVolume 1 1795438888 0 0 0 0\n",
    "read data 3\n",
    "read close session 3\n",
    "start replicate\n",
    "replicate data 3\n",
    "end replicate\n",
    "3000 OK open ticket = 3\n",
    "3000 OK start replicate ticket = 3\n",
    "1 2 0",
    "rechdr 1 1795438888 1 2 1200",
];

fn sessions(bytes: &[u8]) {
    line_comes_back(bytes, DataCommand::parse, |command| line(command.to_line()));
    line_comes_back(bytes, session::parse_opened, |ticket| line(session::opened(*ticket)));
    line_comes_back(bytes, session::parse_replication_opened, |ticket| line(session::replication_opened(*ticket)));
    let put = |put: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        put(&mut out);
        out
    };
    line_comes_back(bytes, session::StreamHead::parse, |head| put(&|out| head.put(out)));
    line_comes_back(bytes, session::RecordHead::parse, |head| put(&|out| head.put(out)));
}

const STATUSES: &[&str] = &[
    "Status Job=backup-tiny.2026-11-23_13.01.31_03 JobStatus=82\n",
    "2800 End Job TermCode=84 JobFiles=6 ReadBytes=1200 JobBytes=1200 Errors=0 VSS=0 Encrypt=0\n",
    "3010 Job backup-tiny.2026-11-23_13.01.31_03 start\n",
    "3099 Job backup-tiny.2026-11-23_13.01.31_03 end JobStatus=84 JobFiles=6 JobBytes=1200 JobErrors=0\n",
    "3000 OK close Status = 84\n",
    "JobId=1 JobStatus=R JobErrors=0\n",
];

fn statuses(bytes: &[u8]) {
    line_comes_back(bytes, StatusLine::parse, |status| line(status.to_line()));
    line_comes_back(bytes, EndJob::parse, |end| line(end.to_line()));
    line_comes_back(bytes, StorageEnd::parse, |end| line(end.to_line()));
    line_comes_back(bytes, JobInStatus::parse, |job| line(job.to_line()));
    line_comes_back(bytes, status::parse_close_answer, |status| line(status::close_answer(*status)));
    line_comes_back(bytes, status::parse_job_starts, |job| line(status::job_starts(job)));
}

const STATUS_REPLIES: &[&str] = &[
    "bareos-fd Version: 26.0.0~pre1 (23 November 2026) Linux\nDaemon started 23-Nov-26 13:01. Jobs: run=1 running=1.\n\n\
     Running Jobs:\nJobId 1 Job backup-tiny.2026-11-23_13.01.31_03 is running.\n    Full Backup Job started: 23-Nov-26 \
     13:01\n    Files=6 Bytes=1,200 Bytes/sec=600 Errors=0\n    Processing file: /etc/passwd\n====\n\nTerminated Jobs:\n \
     JobId  Level    Files      Bytes   Status   Finished        Name \n     1  Full          6    1.200 K  OK       \
     23-Nov-26 13:01 backup-tiny\n====\n",
    "Client Initiated Connections (waiting for jobs):\nConnect time        Protocol            Authenticated       \
     Name\n====\n23-Nov-26 13:01     54                  1                   bareos-fd\n====\n",
];

fn status_replies(bytes: &[u8]) {
    let reply = StatusReply::parse(&String::from_utf8_lossy(bytes));
    let rows = reply.running.len() + reply.terminated.len() + reply.waiting.len();
    assert!(rows <= bytes.len() / 4 + 1, "{rows} rows in {} bytes", bytes.len());
    let _ = reply.is_status();
}

const CATALOG_REQUESTS: &[&str] = &[
    "CatReq Job=x FindMedia=1 pool_name=Full media_type=File unwanted_volumes=\n",
    "CatReq Job=x GetVolInfo VolName=Full-0001 write=1\n",
    "CatReq Job=x UpdateMedia VolName=Full-0001 VolJobs=1 VolFiles=0 VolBlocks=3 VolBytes=1200 VolMounts=1 VolErrors=0 \
     VolWrites=4 MaxVolBytes=0 EndTime=1795438893 VolStatus=Append Slot=0 relabel=0 InChanger=0 VolReadTime=0 \
     VolWriteTime=1000 VolFirstWritten=1795438893\n",
    "CatReq Job=x CreateJobMedia FirstIndex=1 LastIndex=6 StartFile=0 EndFile=0 StartBlock=218 EndBlock=1418 Copy=0 \
     Strip=0 MediaId=1\n",
    "CatReq Job=x UpdateJobMedia FirstIndex=1\n",
    "1000 OK VolName=Full-0001 VolJobs=1 VolFiles=0 VolBlocks=3 VolBytes=1200 VolMounts=1 VolErrors=0 VolWrites=4 \
     MaxVolBytes=0 VolCapacityBytes=0 VolStatus=Append Slot=0 MaxVolJobs=0 MaxVolFiles=0 InChanger=0 VolReadTime=0 \
     VolWriteTime=1000 EndFile=0 EndBlock=1418 LabelType=0 MediaId=1 EncryptionKey= MinBlocksize=0 MaxBlocksize=0\n",
    "BlastAttr Job=x File=/var/lib/bareos/spool/attr\n",
];

fn catalog_requests(bytes: &[u8]) {
    line_comes_back(bytes, CatalogRequest::parse, |request| line(request.to_line()));
    line_comes_back(bytes, VolumeInfo::parse, |info| line(info.to_line()));
    line_comes_back(bytes, BlastAttributes::parse, |blast| line(blast.to_line()));
}

fn update_samples() -> Vec<Vec<u8>> {
    [(1, &b"1 3 /etc/passwd\0P4A n4Hl EHt C A A A BAA BAA I BrBDoV BrBDoV BrBDoV A A G\0\0\x000"[..]), (40, &[7; 16])]
        .map(|(stream, data)| {
            let mut out = Vec::new();
            let update =
                CatalogUpdate { job: b"x", session_id: 1, session_time: 1_795_438_888, file_index: 1, stream, data };
            update.put(&mut out);
            out
        })
        .to_vec()
}

fn catalog_updates(bytes: &[u8]) {
    let Some(update) = CatalogUpdate::parse(bytes) else { return };
    let mut out = Vec::new();
    update.put(&mut out);
    assert_eq!(CatalogUpdate::parse(&out), Some(update));
}

const FILESETS: &[&str] = &[
    "I\nO S5Z9Hc\nWB *.o\nRF ^/tmp/.*$\nN\nF /srv/data\nN\nP python3:module\nN\nE\nF /srv/data/tmp\nN\nN\n",
    "I\nZ .nobackup\nO e\nX ext4\nXD fixed\nG x\nD y\nT z\nB job\nN\nF /\nN\nN\n",
    "I\nO MS6V5:Cmcs:Jx:P3:z>10k:d2\nN\nF \\\\<list\nN\nN\n",
];

fn filesets(bytes: &[u8]) {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let Ok(fileset) = FileSet::parse(lines) else { return };
    let written = fileset.lines();
    let size: usize = written.iter().map(Vec::len).sum();
    assert!(size <= 16 * bytes.len() + 1_024, "{} bytes became {size}", bytes.len());
    if bytes.contains(&0) {
        return;
    }
    // Letters without a meaning may come together in another way: what has one stays.
    let shape = |fileset: &FileSet| {
        let of =
            |block: &crate::wire::fileset::Block| (block.options.len(), block.files.clone(), block.plugins.clone());
        fileset.includes.iter().chain(&fileset.excludes).map(of).collect::<Vec<_>>()
    };
    let again = FileSet::parse(written.iter().map(Vec::as_slice));
    assert_eq!(again.as_ref().map(shape), Ok(shape(&fileset)));
}

fn json(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let value = Json::object([("name", Json::from(&*text))]);
    for compact in [true, false] {
        let out = value.to_text(compact);
        assert!(!out.bytes().any(|byte| byte < 0x20 && byte != b'\n'), "{out:?}");
        assert!(out.len() <= 6 * text.len() + 64);
    }
}
