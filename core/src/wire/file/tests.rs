use super::*;
use proptest::prelude::*;

fn recorded(line: &str) -> FileCommand {
    let command = FileCommand::parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    assert_eq!(command.to_line(), line);
    command
}

#[test]
fn the_commands_of_a_recorded_backup_are_read_and_written_byte_for_byte() {
    let key = Secret::from("DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF");
    let mut job = JobInfo {
        job_id: 1,
        job: "backup-tiny.2026-11-23_13.01.31_03".to_owned(),
        session_id: 1,
        session_time: 1_795_438_888,
        key,
        tls: None,
    };
    assert_eq!(
        recorded(
            "JobId=1 Job=backup-tiny.2026-11-23_13.01.31_03 SDid=1 SDtime=1795438888 \
             Authorization=DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF\n"
        ),
        FileCommand::Job(job.clone())
    );
    job.tls = Some(4);
    assert_eq!(
        recorded(
            "JobId=1 Job=backup-tiny.2026-11-23_13.01.31_03 SDid=1 SDtime=1795438888 \
             Authorization=DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF ssl=4\n"
        ),
        FileCommand::Job(job)
    );
    assert_eq!(recorded("level = full  mtime_only=0 \n"), FileCommand::Level(Level::Full { rerunning: false }));
    assert_eq!(recorded("fileset vss=1\n"), FileCommand::FileSet { vss: true });
    assert_eq!(recorded("fileset\n"), FileCommand::FileSet { vss: false });
    assert_eq!(recorded("getSecureEraseCmd\n"), FileCommand::SecureErase);
    assert_eq!(
        recorded("storage address=127.0.0.1 port=42003 ssl=0\n"),
        FileCommand::Storage(StorageAddress { address: "127.0.0.1".to_owned(), port: 42003, tls: 0, key: None })
    );
    assert_eq!(recorded("backup FileIndex=0\n"), FileCommand::Backup { file_index: 0 });
    assert_eq!(recorded("accurate files=10\n"), FileCommand::Accurate { files: 10 });
    let script =
        recorded("Run OnSuccess=1 OnFailure=0 AbortOnError=1 When=2 Command=/bin/echo\x01hello\x01before\x01%j\n");
    let FileCommand::Run(script) = script else { panic!("{script:?}") };
    assert_eq!((script.command.as_str(), script.when), ("/bin/echo hello before %j", 2));
    assert_eq!(recorded("RunBeforeNow\n"), FileCommand::RunBeforeNow);
}

#[test]
fn the_commands_of_a_recorded_restore_are_read_and_written_byte_for_byte() {
    let key = Secret::from("EIBJ-DAFA-AFKD-ONPH-LPLP-MLGP-MHGP-PFGA");
    assert_eq!(
        recorded("storage address=127.0.0.1 port=42003 ssl=0 Authorization=EIBJ-DAFA-AFKD-ONPH-LPLP-MLGP-MHGP-PFGA\n"),
        FileCommand::Storage(StorageAddress {
            address: "127.0.0.1".to_owned(),
            port: 42003,
            tls: 0,
            key: Some(key.clone())
        })
    );
    assert_eq!(
        recorded("setauthorization Authorization=EIBJ-DAFA-AFKD-ONPH-LPLP-MLGP-MHGP-PFGA\n"),
        FileCommand::SetAuthorization { key }
    );
    let restore = |replace, to| FileCommand::Restore(Restore { replace, prefix_links: false, to });
    assert_eq!(
        recorded("restore replace=a prelinks=0 where=/srv/bareos-run/restored\n"),
        restore(b'a', RestoreTo::Where("/srv/bareos-run/restored".to_owned()))
    );
    assert_eq!(recorded("restore replace=w prelinks=0 where=\n"), restore(b'w', RestoreTo::Where(String::new())));
    assert_eq!(
        recorded("restore replace=n prelinks=0 regexwhere=!a\x01b!c!\n"),
        restore(b'n', RestoreTo::Regex("!a b!c!".to_owned()))
    );
    assert_eq!(recorded("endrestore"), FileCommand::EndRestore);
    assert_eq!(recorded("restoreobject end\n"), FileCommand::RestoreObject(RestoreObject::End));
    let head = recorded("restoreobject JobId=7 10,20,1,27,1,3,my\x01plugin\n");
    let FileCommand::RestoreObject(RestoreObject::Head { length: 10, file_index: 3, plugin, .. }) = head else {
        panic!("{head:?}")
    };
    assert_eq!(plugin, "my plugin");
    recorded("restoreobject JobId=7 10,20,1,27,1,3\n");
}

#[test]
fn other_recorded_commands_are_read_and_written_byte_for_byte() {
    let job = "bench-big.2026-11-23_13.07.50_03".to_owned();
    assert_eq!(recorded("cancel Job=bench-big.2026-11-23_13.07.50_03\n"), FileCommand::Cancel { job: job.clone() });
    assert_eq!(
        recorded("setbandwidth=307200 Job=bench-big.2026-11-23_13.07.50_03\n"),
        FileCommand::SetBandwidth { limit: 307_200, job }
    );
    assert_eq!(
        recorded("setdebug=5 trace=-1 hangup=-1 timestamp=-1\n"),
        FileCommand::SetDebug(Debug { level: 5, trace: -1, hangup: Some(-1), timestamp: Some(-1) })
    );
    recorded("setdebug=5 trace=1\n");
    recorded("setdebug=5 trace=1 timestamp=1\n");
    assert_eq!(recorded("status"), FileCommand::Status);
    assert_eq!(recorded(".status current"), FileCommand::DotStatus { what: "current".to_owned() });
    assert_eq!(recorded("estimate listing=1\n"), FileCommand::Estimate { listing: true });
    assert_eq!(recorded("verify level=volume\n"), FileCommand::Verify(Verify::Volume));
    assert_eq!(recorded("verify level=disk_to_catalog\n"), FileCommand::Verify(Verify::DiskToCatalog));
    assert_eq!(recorded("resolve localhost"), FileCommand::Resolve { host: "localhost".to_owned() });
    assert_eq!(recorded("pluginoptions a\x01b\n"), FileCommand::PluginOptions { options: "a b".to_owned() });
    assert_eq!(recorded("bootstrap\n"), FileCommand::Bootstrap);
    assert!(recorded("status").is_for_monitors() && !recorded("bootstrap\n").is_for_monitors());
}

#[test]
fn only_the_word_of_the_level_counts() {
    for (line, level, answered) in [
        ("level = base  mtime_only=0 \n", Level::Base { rerunning: false }, true),
        ("level = full rerunning  mtime_only=0 \n", Level::Full { rerunning: true }, true),
        (
            "level = accurate_incremental  mtime_only=0 \n",
            Level::Incremental { accurate: true, rerunning: false },
            false,
        ),
        ("level = differential  mtime_only=0 \n", Level::Differential { accurate: false, rerunning: false }, false),
        (
            "level = since_utime 1795439180 mtime_only=0 prev_job=accurate_rerunning.2026-11-23_13.01.31_03\n",
            Level::Since { time: 1_795_439_180, previous: "accurate_rerunning.2026-11-23_13.01.31_03".to_owned() },
            true,
        ),
        ("level = since_utime 5 mtime_only=0 prev_job=\n", Level::Since { time: 5, previous: String::new() }, true),
    ] {
        assert_eq!(level.is_answered(), answered);
        assert_eq!(recorded(line), FileCommand::Level(level));
    }
}

#[test]
fn what_cannot_be_read_has_its_answer() {
    for (line, answer) in [
        ("", Some("2999 Invalid command\n")),
        ("Status\n", Some("2999 Invalid command\n")),
        ("accurate\n", Some("2991 Bad accurate command\n")),
        ("cancel\n", Some("2902 Error scanning cancel command.\n")),
        ("cancel Job=\n", Some("2902 Error scanning cancel command.\n")),
        ("estimate\n", Some("2992 Bad estimate command.\n")),
        ("JobId=1 Job=\n", Some("2901 Bad Job\n")),
        ("level = daily\n", None),
        ("pluginoptions \n", Some("2905 Bad PluginOptions command.\n")),
        ("Run x\n", Some("2905 Failed RunScript\n")),
        ("restoreobject x\n", Some("2909 Bad RestoreObject command.\n")),
        ("restore x\n", None),
        ("setauthorization Authorization=\n", Some("2902 Bad setauthorization\n")),
        ("setbandwidth=5\n", Some("2991 Bad setbandwidth command: setbandwidth=5\n")),
        ("setbandwidth=-5 Job=x\n", Some("2991 Bad setbandwidth command: setbandwidth=-5 Job=x\n")),
        ("setdebug=5\n", Some("2991 Bad setdebug command: setdebug=5\n")),
        (".status\n", Some("2900 Bad .status command, missing argument.\n")),
        ("storage address=x port=99999 ssl=0\n", Some("2902 Bad storage\n")),
        ("verify\n", Some("2994 Bad verify command: verify\n")),
        ("verify level=all\n", Some("2994 Bad verify level: verify level=all\n")),
    ] {
        let error = FileCommand::parse(line.as_bytes()).unwrap_err();
        assert_eq!(error.answer.as_deref(), answer, "{line:?}");
    }
}

#[test]
fn keys_do_not_show_in_debug_output() {
    let command = FileCommand::parse(b"setauthorization Authorization=ABCD\n").unwrap();
    assert!(!format!("{command:?}").contains("ABCD"));
}

proptest! {
    #[test]
    fn commands_come_back(
        numbers: [u32; 4], limit: i64, flags: [bool; 3], name in "[A-Za-z][A-Za-z0-9._-]{0,40}", text in "[a-z][a-z /]{0,20}",
    ) {
        let [a, b, c, d] = numbers;
        let key = Secret::from(name.as_str());
        for command in [
            FileCommand::Job(JobInfo {
                job_id: a, job: name.clone(), session_id: b, session_time: c, key: key.clone(), tls: flags[0].then_some(d),
            }),
            FileCommand::SetBandwidth { limit: limit.unsigned_abs() >> 1, job: name.clone() },
            FileCommand::Level(Level::Since { time: limit, previous: name.clone() }),
            FileCommand::Level(Level::Differential { accurate: flags[0], rerunning: flags[1] }),
            FileCommand::PluginOptions { options: text.clone() },
            FileCommand::Run(Script {
                on_success: flags[0], on_failure: flags[1], abort_on_error: flags[2], when: a, command: text.clone(),
            }),
            FileCommand::Restore(Restore {
                replace: b'o', prefix_links: flags[0], to: RestoreTo::Where(text.clone()),
            }),
            FileCommand::Storage(StorageAddress {
                address: name.clone(), port: a as u16, tls: b, key: flags[0].then_some(key),
            }),
            FileCommand::DotStatus { what: text },
        ] {
            prop_assert_eq!(FileCommand::parse(command.to_line().as_bytes()), Ok(command));
        }
    }

    #[test]
    fn no_bytes_make_the_parser_fail(bytes: Vec<u8>, command in 0..TABLE.len()) {
        let _ = FileCommand::parse(&bytes);
        let _ = FileCommand::parse(&[TABLE[command].0.as_bytes(), &bytes[..]].concat());
    }
}
