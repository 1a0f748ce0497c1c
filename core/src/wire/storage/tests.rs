use super::super::file::Debug;
use super::*;
use proptest::prelude::*;

fn recorded(line: &str) -> StorageCommand {
    let command = StorageCommand::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    assert_eq!(command.to_line(), line);
    command
}

fn drive(slot: Option<i32>) -> Drive {
    Drive { device: "FileStorage1".to_owned(), drive: 0, slot }
}

#[test]
fn recorded_jobs_are_read_and_written_byte_for_byte() {
    let job = recorded(
        "JobId=1 job=backup-tiny.2026-11-23_13.01.31_03 job_name=backup-tiny client_name=bareos-fd type=66 level=70 \
         FileSet=Tiny NoAttr=0 SpoolAttr=0 FileSetMD5=Qm/gVA+3e4ttlC+ki99YjC SpoolData=0 PreferMountedVols=1 \
         SpoolSize=0 rerunning=0 VolSessionId=0 VolSessionTime=0 Quota=0 Protocol=0 BackupFormat=Native\n",
    );
    let StorageCommand::Job(job) = job else { panic!("{job:?}") };
    assert_eq!(
        (job.job_id, job.client.as_str(), job.kind, job.level),
        (1, "bareos-fd", JobType::Backup, JobLevel::Full)
    );
    assert!(job.prefer_mounted && !job.spool_attributes && !job.rerunning);
    assert_eq!((job.fileset_digest.as_str(), job.format.as_str()), ("Qm/gVA+3e4ttlC+ki99YjC", "Native"));
    let job = recorded(
        "JobId=2 job=restore.2026-11-23_13.02.08_05 job_name=restore client_name=bareos-fd type=82 level=32 \
         FileSet=Tiny NoAttr=0 SpoolAttr=0 FileSetMD5=Qm/gVA+3e4ttlC+ki99YjC SpoolData=0 PreferMountedVols=1 \
         SpoolSize=0 rerunning=0 VolSessionId=0 VolSessionTime=0 Quota=0 Protocol=0 BackupFormat=Native\n",
    );
    assert!(matches!(job, StorageCommand::Job(StorageJob { kind: JobType::Restore, level: JobLevel::None, .. })));
}

#[test]
fn recorded_job_commands_are_read_and_written_byte_for_byte() {
    let group =
        recorded("use storage=File1 media_type=File1 pool_name=Full pool_type=Backup append=1 copy=0 stripe=0\n");
    let StorageCommand::Use(group) = group else { panic!("{group:?}") };
    assert!(group.append);
    assert_eq!((group.pool.as_str(), group.pool_type.as_str()), ("Full", "Backup"));
    assert_eq!(UseStorage::parse_device(b"use device=FileStorage1\n").as_deref(), Some("FileStorage1"));
    assert_eq!(UseStorage::device_line("My Device"), "use device=My\x01Device\n");
    assert_eq!(recorded("bootstrap\n"), StorageCommand::Bootstrap);
    assert_eq!(recorded("getSecureEraseCmd\n"), StorageCommand::SecureErase);
    assert_eq!(recorded("run"), StorageCommand::Run);
    assert_eq!(recorded("listen"), StorageCommand::Listen);
    assert_eq!(
        recorded("passive client address=127.0.0.1 port=42002 ssl=4\n"),
        StorageCommand::Passive { address: "127.0.0.1".to_owned(), port: 42002, tls: 4 }
    );
    assert_eq!(
        recorded(
            "replicate JobId=8 Job=J address=127.0.0.1 port=42004 ssl=0 \
             Authorization=NLGE-BAKH-NJPJ-CKJN-EBAI-GOEF-EGEL-CFJC\n"
        ),
        StorageCommand::Replicate(Replicate {
            job_id: 8,
            job: "J".to_owned(),
            address: "127.0.0.1".to_owned(),
            port: 42004,
            tls: 0,
            key: Secret::from("NLGE-BAKH-NJPJ-CKJN-EBAI-GOEF-EGEL-CFJC"),
        })
    );
    recorded("pluginoptions a\x01b\n");
    assert_eq!(recorded("cancel Job=J\n"), StorageCommand::Cancel { job: "J".to_owned() });
    assert_eq!(recorded("setbandwidth=5 Job=\n"), StorageCommand::SetBandwidth { limit: 5, job: String::new() });
}

#[test]
fn recorded_console_commands_are_read_and_written_byte_for_byte() {
    let label = recorded(
        "label FileStorage1 VolumeName=Lab1 PoolName=Full MediaType=File1 Slot=0 drive=0 MinBlocksize=0 MaxBlocksize=0",
    );
    let StorageCommand::Label(label) = label else { panic!("{label:?}") };
    assert_eq!((label.device.as_str(), label.volume.as_str()), ("FileStorage1", "Lab1"));
    recorded(
        "relabel FileStorage1 OldName=a\x01b NewName=c PoolName=Full MediaType=File1 Slot=0 drive=0 MinBlocksize=0 \
         MaxBlocksize=0",
    );
    assert_eq!(StorageCommand::parse(b"mount FileStorage1 drive=0"), Ok(StorageCommand::Mount(drive(None))));
    assert_eq!(recorded("mount FileStorage1 drive=0 slot=7\n"), StorageCommand::Mount(drive(Some(7))));
    assert_eq!(recorded("unmount FileStorage1 drive=0\n"), StorageCommand::Unmount(drive(None)));
    assert_eq!(recorded("release FileStorage1 drive=0\n"), StorageCommand::Release(drive(None)));
    assert_eq!(recorded("readlabel FileStorage1 Slot=2 drive=0\n"), StorageCommand::ReadLabel(drive(Some(2))));
    assert_eq!(
        recorded("autochanger transfer C 1 2 \n"),
        StorageCommand::Autochanger(Autochanger::Transfer { device: "C".to_owned(), from: 1, to: 2 })
    );
    recorded("autochanger listall C\n");
    assert_eq!(
        StorageCommand::parse(b"status FileStorage1\n"),
        Ok(StorageCommand::Status { devices: vec!["FileStorage1".to_owned()] })
    );
    assert_eq!(
        recorded("status a\x01b,c\n"),
        StorageCommand::Status { devices: vec!["a b".to_owned(), "c".to_owned()] }
    );
    for all in ["status", "status\n", "status "] {
        assert_eq!(
            StorageCommand::parse(all.as_bytes()),
            Ok(StorageCommand::Status { devices: Vec::new() }),
            "{all:?}"
        );
    }
    assert_eq!(recorded(".status current\n"), StorageCommand::DotStatus { what: "current".to_owned() });
    assert!(recorded(".status current\n").is_for_monitors() && !recorded("run").is_for_monitors());
    assert_eq!(
        recorded("setdebug=5 trace=-1 timestamp=-1\n"),
        StorageCommand::SetDebug(Debug { level: 5, trace: -1, hangup: None, timestamp: Some(-1) })
    );
    recorded("setdevice device=d autoselect=1\n");
    recorded("resolve localhost");
    recorded("stats\n");
}

#[test]
fn what_cannot_be_read_has_its_answer() {
    for (line, answer, ends) in [
        ("frobnicate\n", "3900 Invalid command: frobnicate\n\n", true),
        ("", "3900 Invalid command: \n", true),
        ("cancel\n", "3903 Error scanning cancel command.\n", false),
        ("JobId=1 job=J\n", "3915 Bad Job command. stat=0 CMD: JobId=1 job=J\n", true),
        ("label x\n", "3903 Error scanning label command: label x\n", false),
        ("passive\n", "3991 Bad passive client command: passive\n", true),
        ("replicate JobId=1\n", "3991 Bad replicate command: replicate JobId=1\n", true),
        ("setbandwidth=1\n", "2991 Bad setbandwidth command: setbandwidth=1\n", true),
        ("use storage=x\n", "3913 Bad use command: use storage=x\n", true),
        ("autochanger eject C\n", "3908 Error scanning autochanger command: autochanger eject C\n", false),
    ] {
        let error = StorageCommand::parse(line.as_bytes()).unwrap_err();
        assert_eq!((error.answer.as_str(), error.ends), (answer, ends), "{line:?}");
    }
}

proptest! {
    #[test]
    fn jobs_come_back(
        numbers: [u32; 3], sizes: [u64; 2], flags: [bool; 5], kind: u8, level: u8, name in "[A-Za-z][A-Za-z0-9 ._-]{0,40}",
    ) {
        let [job_id, session_id, session_time] = numbers;
        let command = StorageCommand::Job(StorageJob {
            job_id,
            job: name.replace(' ', "_"),
            name: name.clone(),
            client: name.clone(),
            kind: JobType::from_letter(kind),
            level: JobLevel::from_letter(level),
            fileset: name,
            no_attributes: flags[0],
            spool_attributes: flags[1],
            fileset_digest: NO_DIGEST.to_owned(),
            spool_data: flags[2],
            prefer_mounted: flags[3],
            spool_size: sizes[0],
            rerunning: flags[4],
            session_id,
            session_time,
            quota: sizes[1],
            protocol: 0,
            format: NO_NAME.to_owned(),
        });
        prop_assert_eq!(StorageCommand::parse(command.to_line().as_bytes()), Ok(command));
    }

    #[test]
    fn other_commands_come_back(name in "[A-Za-z][A-Za-z0-9 ._-]{0,40}", slot: i32, drive: i32, port: u16, tls: u32) {
        let label = Label {
            device: name.clone(), volume: name.clone(), pool: name.clone(), media_type: name.clone(), slot, drive,
            min_block: tls, max_block: tls,
        };
        for command in [
            StorageCommand::Label(label.clone()),
            StorageCommand::Relabel { old_name: name.clone(), label },
            StorageCommand::Mount(Drive { device: name.clone(), drive, slot: Some(slot) }),
            StorageCommand::Passive { address: "fd.example".to_owned(), port, tls },
            StorageCommand::Use(UseStorage {
                storage: name.clone(), media_type: name.clone(), pool: name.clone(), pool_type: name.clone(),
                append: slot > 0, copy: 0, stripe: 0,
            }),
        ] {
            prop_assert_eq!(StorageCommand::parse(command.to_line().as_bytes()), Ok(command));
        }
    }

    #[test]
    fn no_bytes_make_the_parser_fail(bytes: Vec<u8>, command in 0..TABLE.len()) {
        let _ = StorageCommand::parse(&bytes);
        let _ = StorageCommand::parse(&[TABLE[command].0.as_bytes(), &bytes[..]].concat());
        let _ = UseStorage::parse_device(&bytes);
    }
}
