//! The answers of a file daemon to its director (`wire/2 §1.2`). All are compared exactly unless a function reads
//! them.

use std::net::IpAddr;

use super::scan::{Scan, lossy, trim_end};

/// To an unknown command; the session ends.
pub const INVALID: &str = "2999 Invalid command\n";
/// To a command that monitors may not send; the session ends.
pub const MONITOR_REFUSAL: &str = "2997 Invalid command for a Director with Monitor directive enabled.\n";
/// How the answer to `JobId=` begins.
pub const JOB: &str = "2000 OK Job";
/// How the answer to `getSecureEraseCmd` begins.
pub const SECURE_ERASE: &str = "2000 OK FDSecureEraseCmd";
/// To `backup`.
pub const BACKUP: &str = "2000 OK backup\n";
/// To `backup` without a storage daemon.
pub const BAD_BACKUP: &str = "2902 Bad backup\n";
/// To `bootstrap`.
pub const BOOTSTRAP: &str = "2000 OK bootstrap\n";
/// To `fileset`.
pub const FILESET: &str = "2000 OK include\n";
/// To `level`.
pub const LEVEL: &str = "2000 OK level\n";
/// To `pluginoptions`.
pub const PLUGIN_OPTIONS: &str = "2000 OK PluginOptions\n";
/// To `pluginoptions` that cannot be obeyed; the session ends.
pub const BAD_PLUGIN_OPTIONS: &str = "2905 Bad PluginOptions command.\n";
/// To `RunBeforeNow`.
pub const RUN_BEFORE_NOW: &str = "2000 OK RunBeforeNow\n";
/// To `Run`.
pub const RUN_SCRIPT: &str = "2000 OK RunScript\n";
/// To a script that failed; the session ends.
pub const FAILED_SCRIPT: &str = "2905 Failed RunScript\n";
/// To `restoreobject end`.
pub const OBJECT_RESTORED: &str = "2000 OK ObjectRestored\n";
/// To `restore`.
pub const RESTORE: &str = "2000 OK restore\n";
/// After the data of one storage daemon.
pub const STORAGE_END: &str = "2000 OK storage end\n";
/// To `session`.
pub const SESSION: &str = "2000 OK session\n";
/// To `setauthorization`.
pub const AUTHORIZATION: &str = "2000 OK Authorization\n";
/// To `setbandwidth`.
pub const BANDWIDTH: &str = "2000 OK Bandwidth\n";
/// To `storage`.
pub const STORAGE: &str = "2000 OK storage\n";
/// To `storage` when the storage daemon cannot be reached; the session ends.
pub const BAD_STORAGE: &str = "2902 Bad storage\n";
/// To `verify`.
pub const VERIFY: &str = "2000 OK verify\n";
/// Before the lines of `.status current` and `.status last`.
pub const DOT_STATUS: &str = "2000 OK .status\n";
/// To `.status` with a word that has no meaning; an end of data follows.
pub const DOT_STATUS_WRONG: &str = "2900 Bad .status command, wrong argument.\n";

/// Whether a line is the expected answer, byte for byte but for a NUL at its end.
pub fn is(line: &[u8], expected: &str) -> bool {
    super::frame::text(line) == expected.as_bytes()
}

/// To `JobId=`: `full` and `date` are the version, then the system and the platform.
pub fn job(full: &str, date: &str, system: &str, platform: &str) -> String {
    format!("{JOB} {full} ({date}) {system},{platform}")
}

/// What a file daemon says about itself in the answer to `JobId=`; `None` for any other line.
pub fn parse_job(line: &[u8]) -> Option<String> {
    let rest = super::frame::text(line).strip_prefix(JOB.as_bytes())?;
    Some(lossy(trim_end(rest.get(1..).unwrap_or_default())))
}

/// To `getSecureEraseCmd`; `None` if there is no such command.
pub fn secure_erase(command: Option<&str>) -> String {
    format!("{SECURE_ERASE} {}\n", command.unwrap_or("*None*"))
}

/// Whether a line answers `getSecureEraseCmd`.
pub fn is_secure_erase(line: &[u8]) -> bool {
    line.starts_with(b"2000 OK FDSecureEraseCmd ")
}

/// To `cancel`; an end of data follows.
pub fn canceled(job: &str) -> String {
    format!("2001 Job {job} marked to be canceled.\n")
}

/// To `cancel` and `setbandwidth` for an unknown job.
pub fn job_not_found(job: &str) -> String {
    format!("2901 Job {job} not found.\n")
}

/// To an `estimate` that cannot be made.
pub const BAD_ESTIMATE: &str = "2992 Bad estimate command.\n";

/// To `estimate`; an end of data follows.
pub fn estimate(files: u64, bytes: u64) -> String {
    format!("2000 OK estimate files={} bytes={}\n", thousands(files), thousands(bytes))
}

/// The files and bytes in the answer to `estimate`.
pub fn parse_estimate(line: &[u8]) -> Option<(u64, u64)> {
    let mut scan = Scan::new(line);
    scan.literal("2000 OK estimate files=")?;
    let files = from_thousands(scan.word(40))?;
    scan.literal(" bytes=")?;
    Some((files, from_thousands(scan.word(40))?))
}

/// To `resolve`; an end of data follows. A blank follows each address, the last one too.
pub fn resolved(daemon: &str, host: &str, addresses: &[IpAddr]) -> String {
    if addresses.is_empty() {
        return format!("{daemon}: Failed to resolve {host}\n");
    }
    let shown = |address: &IpAddr| format!("host[{};{address}] ", if address.is_ipv4() { "ipv4" } else { "ipv6" });
    format!("{daemon} resolves {host} to {}\n", addresses.iter().map(shown).collect::<String>())
}

/// How the answer to `setdebug` begins: one line, which no end of data follows.
pub const DEBUG: &str = "2000 OK setdebug=";

/// To `setdebug`.
pub fn debug(debug: &super::file::Debug, trace_file: &str) -> String {
    let set = debug.to_line();
    format!("2000 OK {} tracefile={trace_file}\n", set.trim_end())
}

/// The answer to a command of this beginning that cannot be read; `None` for silence. `line` is the whole of it.
pub(super) fn refusal(prefix: &str, line: &str) -> Option<String> {
    let line = line.trim_end();
    Some(match prefix.trim_end() {
        "accurate" => "2991 Bad accurate command\n".to_owned(),
        "cancel" => "2902 Error scanning cancel command.\n".to_owned(),
        "estimate" => BAD_ESTIMATE.to_owned(),
        "JobId=" => "2901 Bad Job\n".to_owned(),
        "pluginoptions" => BAD_PLUGIN_OPTIONS.to_owned(),
        "Run" => FAILED_SCRIPT.to_owned(),
        "restoreobject" => "2909 Bad RestoreObject command.\n".to_owned(),
        "setauthorization" => "2902 Bad setauthorization\n".to_owned(),
        "setbandwidth=" => format!("2991 Bad setbandwidth command: {line}\n"),
        "setdebug=" => format!("2991 Bad setdebug command: {line}\n"),
        ".status" => "2900 Bad .status command, missing argument.\n".to_owned(),
        "storage" => BAD_STORAGE.to_owned(),
        "verify" if line.starts_with("verify level=") => format!("2994 Bad verify level: {line}\n"),
        "verify" => format!("2994 Bad verify command: {line}\n"),
        _ => return None,
    })
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn from_thousands(text: &[u8]) -> Option<u64> {
    let digits: Vec<u8> = text.iter().copied().filter(|b| *b != b',').collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn recorded_answers_agree() {
        let line = b"2000 OK Job 26.0.0~pre1 (21Aug26) Debian GNU/Linux 12 (bookworm),debian";
        assert_eq!(job("26.0.0~pre1", "21Aug26", "Debian GNU/Linux 12 (bookworm)", "debian").as_bytes(), line);
        assert_eq!(parse_job(line).as_deref(), Some("26.0.0~pre1 (21Aug26) Debian GNU/Linux 12 (bookworm),debian"));
        assert_eq!(parse_job(b"2000 OK Job").as_deref(), Some(""));
        assert_eq!(parse_job(b"2901 Bad Job\n"), None);
        assert_eq!(secure_erase(None), "2000 OK FDSecureEraseCmd *None*\n");
        assert!(is_secure_erase(b"2000 OK FDSecureEraseCmd *None*\n"));
        assert_eq!(
            canceled("bench-big.2026-11-23_13.07.50_03"),
            "2001 Job bench-big.2026-11-23_13.07.50_03 marked to be canceled.\n"
        );
        let set = super::super::file::Debug { level: 5, trace: 0, hangup: Some(0), timestamp: Some(0) };
        assert_eq!(debug(&set, "/t"), "2000 OK setdebug=5 trace=0 hangup=0 timestamp=0 tracefile=/t\n");
        assert!(is(b"2000 OK level\n", LEVEL) && is(b"2000 OK level\n\0", LEVEL) && !is(b"2000 OK level", LEVEL));
        assert_eq!(resolved("fd", "h", &[]), "fd: Failed to resolve h\n");
        let both = [IpAddr::from([127, 0, 0, 1]), "::1".parse().unwrap()];
        assert_eq!(resolved("fd", "h", &both), "fd resolves h to host[ipv4;127.0.0.1] host[ipv6;::1] \n");
        assert!(debug(&set, "/t").starts_with(DEBUG));
    }

    #[test]
    fn an_estimate_has_commas() {
        assert_eq!(estimate(6, 1062), "2000 OK estimate files=6 bytes=1,062\n");
        assert_eq!(estimate(1_234_567, 999), "2000 OK estimate files=1,234,567 bytes=999\n");
        assert_eq!(parse_estimate(b"2000 OK estimate files=6 bytes=1,062\n"), Some((6, 1062)));
        assert_eq!(parse_estimate(b"2000 OK estimate files= bytes=\n"), None);
    }

    proptest! {
        #[test]
        fn estimates_come_back(files: u64, bytes: u64) {
            prop_assert_eq!(parse_estimate(estimate(files, bytes).as_bytes()), Some((files, bytes)));
        }

        #[test]
        fn no_bytes_make_the_parsers_fail(bytes: Vec<u8>) {
            let _ = (parse_job(&bytes), parse_estimate(&bytes));
            let _ = parse_estimate(&[b"2000 OK estimate files=", &bytes[..]].concat());
        }
    }
}
