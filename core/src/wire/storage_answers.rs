//! The answers of a storage daemon to its director (`wire/3 §1`). All are compared exactly unless a function reads
//! them. A device is named in answers for people as [`device_name`] makes it.

use super::names::{bash, unbash};
use super::scan::{MAX_NAME, Scan, lossy};
use crate::quantity::{counted, either};
use crate::secret::Secret;

/// To a command that monitors may not send; an end of data follows and the session ends.
pub const MONITOR_REFUSAL: &str = "3997 Invalid command for a Director with Monitor directive enabled.\n";
/// How the answer to `JobId=` begins: [`JobAccepted`].
pub const JOB: &str = "3000 OK Job SDid=";
/// How the answer to `use` begins; its device follows.
pub const DEVICE: &str = "3000 OK use device device=";
/// How the answer to `getSecureEraseCmd` begins.
pub const SECURE_ERASE: &str = "2000 OK SDSecureEraseCmd";
/// To `bootstrap`.
pub const BOOTSTRAP: &str = "3000 OK bootstrap\n";
/// To a bootstrap that cannot be understood; the session ends.
pub const BAD_BOOTSTRAP: &str = "3904 Error bootstrap\n";
/// To `passive client`, once the file daemon is authenticated.
pub const PASSIVE: &str = "2000 OK passive client\n";
/// To `pluginoptions`.
pub const PLUGIN_OPTIONS: &str = "2000 OK plugin options\n";
/// To `replicate`; nothing may stand before it.
pub const REPLICATE: &str = "3000 OK replicate\n";
/// To `replicate`, when it cannot be done; the session ends.
pub fn bad_replicate(why: &str) -> String {
    format!("3991 Bad replicate command: {why}\n")
}

/// To `setbandwidth`.
pub const BANDWIDTH: &str = "2000 OK Bandwidth\n";
/// Before the lines of `.status current` and `.status last`.
pub const DOT_STATUS: &str = "3000 OK .status\n";
/// The name of a device that will be chosen when data comes (`wire/3 §1.3.5`).
pub const JUST_IN_TIME: &str = "JustInTime Device";

/// `3000 OK Job …`: the session and the key of a job (`wire/3 §1.3.2`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobAccepted {
    /// Counts the jobs of this daemon from 1.
    pub session_id: u32,
    /// When the daemon was started, in seconds since 1970.
    pub session_time: u32,
    /// The key of the data channel.
    pub key: Secret,
}

impl JobAccepted {
    /// The line. It shows the key.
    pub fn to_line(&self) -> String {
        format!("{JOB}{} SDtime={} Authorization={}\n", self.session_id, self.session_time, self.key.expose_text())
    }

    /// Reads the line; the key must not be empty.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let mut scan = Scan::new(line);
        scan.literal(JOB)?;
        let session_id = scan.u32();
        scan.literal(" SDtime=")?;
        let session_time = scan.u32();
        scan.literal(" Authorization=")?;
        let key = Secret::new(scan.word(super::file::MAX_KEY));
        (!key.is_empty()).then_some(Self { session_id, session_time, key })
    }
}

/// How answers for people name a device: its resource in quotes, then its path.
pub fn device_name(resource: &str, path: &str) -> String {
    format!("\"{resource}\" ({path})")
}

/// To an unknown command; the session ends.
pub fn invalid(line: &[u8]) -> String {
    format!("3900 Invalid command: {}\n", lossy(super::frame::text(line)))
}

/// To `.status` of something that is not known; the session ends.
pub fn dot_status_unknown(what: &str) -> String {
    format!("3900 Unknown arg in .status command: {what}\n")
}

/// To `use`: the resource of the device, or [`JUST_IN_TIME`].
pub fn device_used(device: &str) -> String {
    format!("{DEVICE}{}\n", bash(device))
}

/// The device in the answer to `use`; any other line means that there is none.
pub fn parse_device_used(line: &[u8]) -> Option<String> {
    let mut scan = Scan::new(line);
    scan.literal(DEVICE)?;
    Some(scan.name())
}

/// To `use` when no device fits; the session ends.
pub fn no_device(device: &str) -> String {
    format!("3924 Device \"{device}\" not in SD Device resources or no matching Media Type.\n")
}

/// To `getSecureEraseCmd`; `None` if there is no such command.
pub fn secure_erase(command: Option<&str>) -> String {
    format!("{SECURE_ERASE} {} \n", command.unwrap_or("*None*"))
}

/// Whether a line answers `getSecureEraseCmd`.
pub fn is_secure_erase(line: &[u8]) -> bool {
    line.starts_with(b"2000 OK SDSecureEraseCmd ")
}

/// To `cancel`; an end of data follows.
pub fn canceled(job_id: u32, job: &str) -> String {
    format!("3000 JobId={job_id} Job=\"{job}\" marked to be canceled.\n")
}

/// To `cancel` of an unknown job; an end of data follows.
pub fn cancel_not_found(job: &str) -> String {
    format!("3904 Job {job} not found.\n")
}

/// To a job beyond the limit; real daemons hang up silently.
pub fn too_many_jobs(most: u32) -> String {
    let are = either(most, "is", "are");
    format!("3999 Job refused: {} {are} under way, the most this storage daemon takes.\n", counted(most, "job"))
}

/// To a job, while the daemon lets those before it end.
pub const STOPPING: &str = "3999 Job refused: this storage daemon is being stopped.\n";

/// Before [`BANDWIDTH`], for an unknown job.
pub fn bandwidth_not_found(job: &str) -> String {
    format!("2901 Job {job} not found.\n")
}

/// To `setdebug`. `hangup` is not part of it.
pub fn debug(debug: &super::file::Debug, trace_file: &str) -> String {
    let set = super::file::Debug { hangup: None, ..*debug }.to_line();
    format!("3000 OK {} tracefile={trace_file}\n", set.trim_end())
}

pub use super::file_answers::resolved;

/// To `setdevice`.
pub fn device_set(device: &str, autoselect: bool) -> String {
    format!("3000 OK setdevice={} autoselect={}\n", bash(device), u8::from(autoselect))
}

/// To `label` and `relabel`; `bytes` is the length of the label's block. An end of data follows.
pub fn labeled(bytes: u64, volume: &str, device: &str) -> String {
    format!("3000 OK label. VolFiles=0 VolBytes={bytes} Volume=\"{volume}\" Device={device}\n")
}

/// The length of the label's block in the answer to `label`, with or without the number of files.
pub fn parse_labeled(line: &[u8]) -> Option<u64> {
    let mut scan = Scan::new(line);
    scan.literal("3000 OK label. ")?;
    let mut ahead = scan;
    if ahead.literal("VolFiles=").is_some() {
        ahead.unsigned();
        scan = ahead;
    }
    scan.literal(" VolBytes=")?;
    Some(scan.unsigned())
}

/// To `label` of a volume that has one.
pub fn already_labeled(volume: &str) -> String {
    format!("3920 Cannot label Volume because it is already labeled: \"{volume}\"\n")
}

/// To `relabel` of a volume that is another one than its file says.
pub const WRONG_VOLUME: &str = "3921 Wrong volume mounted.\n";

/// To `label` and `relabel` of a volume that cannot be opened. `why` is what the system says.
pub fn cannot_open(device: &str, why: &str) -> String {
    format!("3910 Unable to open device \"{device}\": ERR={why}\n")
}

/// To `label` and `relabel` when the label cannot be written.
pub fn not_labeled(why: &str) -> String {
    format!("3912 Failed to label Volume: ERR={why}\n")
}

/// To `readlabel`, when nothing can be read.
pub fn label_not_read(device: &str, why: &str) -> String {
    format!("3902 Cannot mount Volume on Storage Device \"{device}\" because:\n{why}\n")
}

/// To `readlabel`.
pub fn label_read(volume: &str, slot: i32) -> String {
    format!("3001 Volume={} Slot={slot}\n", bash(volume))
}

/// The volume and the slot in the answer to `readlabel`.
pub fn parse_label_read(line: &[u8]) -> Option<(String, i32)> {
    let mut scan = Scan::new(line);
    scan.literal("3001 Volume=")?;
    let volume = unbash(&lossy(scan.word(MAX_NAME)));
    scan.literal(" Slot=")?;
    Some((volume, scan.i32()))
}

/// To a command for a device that does not exist.
pub fn device_not_found(device: &str) -> String {
    format!("3999 Device \"{device}\" not found or could not be opened.\n")
}

/// To `mount` of a device of files that nobody waits for.
pub fn always_mounted(device: &str) -> String {
    format!("3906 File device {device} is always mounted.\n")
}

/// To `mount` while a job waits for it.
pub fn mount_requested(device: &str) -> String {
    format!("3001 OK mount requested. Device={device}\n")
}

/// To `mount` after `unmount`.
pub fn mounted(device: &str, volume: &str) -> String {
    format!("3001 Device {device} is mounted with Volume \"{volume}\"\n")
}

/// To `unmount`. The quotes of the real daemons double those of the name.
pub fn unmounted(device: &str) -> String {
    format!("3002 Device \"{device}\" unmounted.\n")
}

/// To `unmount` of a device that is.
pub fn already_unmounted(device: &str) -> String {
    format!("3901 Device \"{device}\" is already unmounted.\n")
}

/// To `release`.
pub fn released(device: &str) -> String {
    format!("3022 Device \"{device}\" released.\n")
}

/// To `release` of a device that is.
pub fn already_released(device: &str) -> String {
    format!("3921 Device \"{device}\" already released.\n")
}

/// To `unmount` and `release` of a device that is writing.
pub fn busy(device: &str, writers: u32, reserved: u32) -> String {
    format!("3937 Device \"{device}\" is busy with writers={writers} reserved={reserved}.\n")
}

/// To `autochanger` for a device that is none.
pub fn not_a_changer(device: &str) -> String {
    format!("3998 Device \"{device}\" is not an autochanger.\n")
}

/// To `mount` of a device that does not exist; no quotes here.
pub fn mount_not_found(device: &str) -> String {
    format!("3999 Device {device} not found or could not be opened.\n")
}

/// To `unmount` while a job waits for an operator.
pub fn unmounted_waiting(device: &str) -> String {
    format!("3001 Device \"{device}\" unmounted.\n")
}

/// To `unmount` and `release` of a device that is reading.
pub fn busy_reading(device: &str) -> String {
    format!("3936 Device \"{device}\" is busy reading.\n")
}

/// To `release` while a job waits for a volume; `mount`: its device is unmounted.
pub fn waiting(device: &str, mount: bool) -> String {
    format!("3922 Device \"{device}\" waiting for {}.\n", if mount { "mount" } else { "sysop" })
}

/// To `autochanger drives` of a changer.
pub fn drives(count: usize) -> String {
    format!("drives={count}\n")
}

/// To `autochanger slots`.
pub fn slots(count: u32) -> String {
    format!("slots={count}\n")
}

/// Before what a changer says to a command.
pub fn changer_begins(command: &str) -> String {
    format!("3306 Issuing autochanger \"{command}\" command.\n")
}

/// To `autochanger transfer` that cannot be done.
pub fn changer_failed(why: &str) -> String {
    format!("3998 Autochanger error: ERR={why}\n")
}

/// To `passive client`, if the file daemon cannot be reached. `line` is the command.
pub fn bad_passive(line: &[u8]) -> String {
    refusal("passive", &String::from_utf8_lossy(line)).0
}

/// The answer to a command of this beginning that cannot be read, and whether the session ends. `line` is the whole of
/// it.
pub(super) fn refusal(prefix: &str, line: &str) -> (String, bool) {
    let line = line.trim_end();
    match prefix {
        "cancel" => ("3903 Error scanning cancel command.\n".to_owned(), false),
        "JobId=" => (format!("3915 Bad Job command. stat=0 CMD: {line}\n"), true),
        "label" | "relabel" => (format!("3903 Error scanning label command: {line}\n"), false),
        "mount" => (format!("3909 Error scanning mount command: {line}\n"), false),
        "unmount" => (format!("3907 Error scanning unmount command: {line}\n"), false),
        "release" => (format!("3927 Error scanning release command: {line}\n"), false),
        "readlabel" => (format!("3909 Error scanning readlabel command: {line}\n"), false),
        "autochanger" => (format!("3908 Error scanning autochanger command: {line}\n"), false),
        "passive" => (format!("3991 Bad passive client command: {line}\n"), true),
        "pluginoptions" => (format!("3991 Bad plugin options command: {line}\n"), true),
        "replicate" => (format!("3991 Bad replicate command: {line}\n"), true),
        "setbandwidth=" => (format!("2991 Bad setbandwidth command: {line}\n"), true),
        "setdebug=" => (format!("3991 Bad setdebug command: {line}\n"), false),
        "setdevice" => (format!("3991 Bad setdevice command: {line}\n"), false),
        ".status" => (format!("3900 Unknown arg in .status command: {line}\n"), true),
        "use storage=" => (format!("3913 Bad use command: {line}\n"), true),
        _ => (invalid(line.as_bytes()), true),
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::Debug;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn recorded_answers_agree() {
        let line = "3000 OK Job SDid=1 SDtime=1795438888 Authorization=DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF\n";
        let job = JobAccepted::parse(line.as_bytes()).unwrap();
        assert_eq!((job.session_id, job.session_time), (1, 1_795_438_888));
        assert_eq!(job.key, Secret::from("DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF"));
        assert_eq!(job.to_line(), line);
        assert!(!format!("{job:?}").contains("DJFK"));
        assert_eq!(JobAccepted::parse(b"3000 OK Job SDid=1 SDtime=2 Authorization=\n"), None);
        assert_eq!(JobAccepted::parse(b"3915 Bad Job command. stat=0 CMD: x\n"), None);

        assert_eq!(device_used(JUST_IN_TIME), "3000 OK use device device=JustInTime\x01Device\n");
        assert_eq!(parse_device_used(device_used(JUST_IN_TIME).as_bytes()).as_deref(), Some(JUST_IN_TIME));
        assert_eq!(parse_device_used(b"3000 OK use device device=FileStorage1\n").as_deref(), Some("FileStorage1"));
        assert_eq!(parse_device_used(no_device("x").as_bytes()), None);
        assert_eq!(secure_erase(None), "2000 OK SDSecureEraseCmd *None* \n");
        assert!(is_secure_erase(b"2000 OK SDSecureEraseCmd *None* \n"));
        assert_eq!(
            canceled(1, "bench-big.2026-11-23_13.07.50_03"),
            "3000 JobId=1 Job=\"bench-big.2026-11-23_13.07.50_03\" marked to be canceled.\n"
        );
        let name = device_name("FileDev", "/srv/w3/vol");
        assert_eq!(mount_requested(&name), "3001 OK mount requested. Device=\"FileDev\" (/srv/w3/vol)\n");
        let set = Debug { level: 5, trace: 0, hangup: Some(1), timestamp: Some(-1) };
        assert_eq!(debug(&set, "/t"), "3000 OK setdebug=5 trace=0 timestamp=-1 tracefile=/t\n");
    }

    #[test]
    fn the_label_is_read_with_and_without_files() {
        assert_eq!(labeled(183, "Lab 1", "d"), "3000 OK label. VolFiles=0 VolBytes=183 Volume=\"Lab 1\" Device=d\n");
        assert_eq!(parse_labeled(labeled(183, "Lab1", "d").as_bytes()), Some(183));
        assert_eq!(parse_labeled(b"3000 OK label. VolBytes=64 Volume=\"x\"\n"), Some(64));
        assert_eq!(parse_labeled(already_labeled("x").as_bytes()), None);
        assert_eq!(parse_label_read(label_read("V 1", 3).as_bytes()), Some(("V 1".to_owned(), 3)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parsers_fail(bytes: Vec<u8>, head in 0..4usize) {
            let heads = ["", "3000 OK Job SDid=", "3000 OK label. ", "3001 Volume="];
            let line = [heads[head].as_bytes(), &bytes[..]].concat();
            let _ = (JobAccepted::parse(&line), parse_labeled(&line), parse_label_read(&line));
            let _ = parse_device_used(&line);
        }
    }
}
