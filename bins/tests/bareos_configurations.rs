//! The configurations in a checkout of Bareos, which `BAREOS_SRC` names: what its packages install, and those of its tests.
//! Each is tested as a person would with `-t`, written in both syntaxes and read again. A configuration that is refused must
//! be in [`REFUSED`], with why. Without `BAREOS_SRC` nothing is run, and that is printed.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(clippy::print_stderr, reason = "the table is what a person runs this for")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use towline::config::{Configured, load, to_conf, to_ron};
use towline_core::config::{ConsoleConfig, DirectorConfig, FileConfig, Passwords, Revealed, StorageConfig, TrayConfig};

/// An error that is as it should be, and why.
struct Refused {
    /// How the name of the configuration begins: the folder below the checkout, and whose it is.
    name: &'static str,
    /// Words of the error.
    says: &'static str,
    why: &'static str,
}

const fn refused(name: &'static str, says: &'static str, why: &'static str) -> Refused {
    Refused { name, says, why }
}

const INCOMPLETE: &str = "the test makes the rest of it while it runs, or reads no more than this";
const TAPES: &str = "devices are folders";
const OBJECTS: &str = "volumes are single files";

/// What is refused for a reason.
const REFUSED: &[Refused] = &[
    refused("core/src/tests/configs/bareos-configparser-tests/bareos-dir-CFG_TYPE_ALIST", "`Type`", INCOMPLETE),
    refused(
        "core/src/tests/configs/bareos-configparser-tests/bareos-dir-CFG_TYPE_FNAME",
        "names no absolute path",
        "a daemon has no folder that such a path could begin at",
    ),
    refused("core/src/tests/configs/bareos-configparser-tests/bareos-sd-CFG", "there is no d", INCOMPLETE),
    refused("core/src/tests/configs/dir_fd_connection/dir_to_fd", "no resource `Director`", INCOMPLETE),
    refused("core/src/tests/configs/ktls/1", "no directive `EnablekTLS`", "bconsole of Bareos has none either"),
    refused("core/src/tests/configs/run-on-incoming-connect-interval", "needs the directive `Type`", INCOMPLETE),
    refused("core/src/tests/configs/run-on-incoming-connect-interval", "there is no ", INCOMPLETE),
    refused("core/src/tests/configs/scheduler", "there is no messages", INCOMPLETE),
    refused("core/src/tests/configs/scheduler", "there is no pool", INCOMPLETE),
    refused("core/src/tests/configs/sd_backend", "there is no director", INCOMPLETE),
    refused("core/src/tests/configs/sd_backend", "a device is a folder", TAPES),
    refused("core/src/tests/configs/sd_reservation", "there is no director", INCOMPLETE),
    refused("core/src/tests/configs/sd_reservation", "a device is a folder", TAPES),
    refused("core/src/tests/configs/sd_reservation", "`AccessMode`", "each device is read and written"),
    refused("core/src/tests/configs/sd_reservation", "has another folder", "needs a changer"),
    refused("core/src/tests/configs/statistics_thread/sd", "there is no director", INCOMPLETE),
    refused("core/src/tests/configs/statistics_thread/sd", "a device is a folder", TAPES),
    refused("systemtests/tests/autochanger/etc/bareos bareos-dir", "there is no storage \"Tape-0\"", INCOMPLETE),
    refused("systemtests/tests/block-size/etc/bareos bareos-dir", "there is no storage \"Tape-0\"", INCOMPLETE),
    refused("systemtests/tests/config-dump/etc/bareos/bareos-dir-full", "there is no job", INCOMPLETE),
    refused(
        "systemtests/tests/config-dump/etc/bareos/bareos-dir-full",
        "names no absolute path",
        "a daemon has no folder that such a path could begin at",
    ),
    refused(
        "systemtests/tests/config-dump/etc/bareos/bareos-dir-full",
        "a job cannot have a console's command \"help\" done",
        "a real director refuses it when the job runs",
    ),
    refused("systemtests/tests/dedupable/etc/bareos bareos-sd", "a device is a folder", OBJECTS),
    refused("systemtests/tests/deprecation/etc/bareos bareos-sd", "there is no device", INCOMPLETE),
    refused("systemtests/tests/dplcompat/etc/bareos bareos-sd", "a device is a folder", OBJECTS),
    refused("systemtests/tests/dplcompat/etc/bareos tray-monitor", "no resource `Monitor`", INCOMPLETE),
    refused("systemtests/tests/encrypt-signature", "`PkiEncryption`", "no client of ours encrypts"),
    refused("systemtests/tests/encrypt-signature", "`PkiSignatures`", "no client of ours signs"),
    refused("systemtests/tests/file-autochanger/etc/bareos bareos-sd", "a device is a folder", TAPES),
    refused("systemtests/tests/file-autochanger/etc/bareos bareos-sd", "has another folder", "needs a changer"),
    refused("systemtests/tests/ndmp", "`Protocol`", "NDMP is not spoken"),
    refused("systemtests/tests/py3plug-fd-ldap/etc/bareos tray-monitor", "no resource `Monitor`", INCOMPLETE),
    refused("systemtests/tests/py3plug-fd-libcloud/etc/bareos tray-monitor", "no resource `Monitor`", INCOMPLETE),
    refused(
        "systemtests/tests/python-bareos/etc/bareos bareos-dir",
        "a job cannot have a console's command \"INVALID\" done",
        "a real director refuses it when the job runs",
    ),
    refused(
        "systemtests/tests/python-bareos/etc/bareos bareos-dir",
        "no variable can be called \"random-counter\"",
        "a counter is there to be named in a label format",
    ),
    refused("systemtests/tests/scheduler", "there is no schedule", INCOMPLETE),
    refused("systemtests/tests/spool/etc/bareos tray-monitor", "no resource `Monitor`", INCOMPLETE),
    refused("systemtests/tests/strippath", "there is no fileset", INCOMPLETE),
    refused("systemtests/tests/testuser", "there is no messages", INCOMPLETE),
    refused("systemtests/tests/testuser", "there is no profile", INCOMPLETE),
    refused(
        "systemtests/tests/tls-suites/etc/bareos/bconsole-TLS_AES_128_CCM",
        "CCM",
        "no suite is left that is spoken",
    ),
    refused("systemtests/tests/webui-vue-common/etc/bareos bareos-fd", "there is no director", INCOMPLETE),
    refused("systemtests/tests/webui-vue-common/etc/bareos bareos-dir", "no resource `Director`", INCOMPLETE),
    refused("systemtests/tests/webui-vue-common/etc/bareos bareos-dir", "needs the directive `Type`", INCOMPLETE),
    refused("systemtests/tests/webui-vue-common/etc/bareos bareos-dir", "there is no jobdefs", INCOMPLETE),
];

/// A program: what it is called, how the names of its files begin, and what to run.
struct Program {
    name: &'static str,
    executable: &'static str,
    /// Reads, writes in both syntaxes and reads again: what differs.
    same: fn(&Path) -> Result<(), String>,
}

const PROGRAMS: [Program; 5] = [
    Program { name: "bareos-dir", executable: env!("CARGO_BIN_EXE_towline-dir"), same: same::<DirectorConfig> },
    Program { name: "bareos-sd", executable: env!("CARGO_BIN_EXE_towline-sd"), same: same::<StorageConfig> },
    Program { name: "bareos-fd", executable: env!("CARGO_BIN_EXE_towline-fd"), same: same::<FileConfig> },
    Program { name: "bconsole", executable: env!("CARGO_BIN_EXE_towline-console"), same: same::<ConsoleConfig> },
    Program { name: "tray-monitor", executable: env!("CARGO_BIN_EXE_towline-tray"), same: same::<TrayConfig> },
];

#[test]
fn the_configurations_of_bareos_are_read_and_are_the_same_after_a_conversion() {
    let Some(checkout) = std::env::var_os("BAREOS_SRC").map(PathBuf::from) else {
        eprintln!("not run: BAREOS_SRC does not name a checkout of Bareos");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // A file with passwords that everybody may read would be one more warning each.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let (mut table, mut failed) = (Table::default(), Vec::new());
    let values = folder.path().join("values");
    certificate(&values);
    for part in ["core/src/defaultconfigs", "core/src/tests/configs", "systemtests/tests"] {
        let from = checkout.join(part);
        assert!(from.is_dir(), "BAREOS_SRC={}: there is no {part}", checkout.display());
        fill(&from, &folder.path().join(part), &values);
        for (program, path) in configurations(&folder.path().join(part)) {
            let at = path.strip_prefix(folder.path()).unwrap().display();
            let name = format!("{at} {}", program.name);
            failed.extend(table.tried(&name, program, &path).err());
        }
    }
    table.print();
    for one in REFUSED.iter().enumerate().filter(|(at, _)| !table.listed.contains(at)).map(|(_, one)| one) {
        failed.push(format!("the list has more than is refused: {} {}", one.name, one.says));
    }
    assert!(failed.is_empty(), "{} of them:\n{}", failed.len(), failed.join("\n"));
    assert!(table.accepted > 300, "{} configurations", table.accepted);
}

/// What came of all.
#[derive(Debug, Default)]
struct Table {
    accepted: usize,
    refused: usize,
    /// How often each warning came, without what is different in each.
    warnings: BTreeMap<String, usize>,
    /// The entries of the list that were needed.
    listed: BTreeSet<usize>,
    /// How many configurations are refused for each reason.
    reasons: BTreeMap<&'static str, usize>,
}

impl Table {
    /// Tests one configuration as a person would.
    ///
    /// # Errors
    /// It was refused, or is another one after a conversion.
    fn tried(&mut self, name: &str, program: &Program, path: &Path) -> Result<(), String> {
        let mut test = Command::new(program.executable);
        let output = test.arg("-t").arg("-c").arg(path).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let errors: Vec<_> = said.lines().filter(|line| line.starts_with("error[")).collect();
        let warnings: Vec<_> = said.lines().filter(|line| line.starts_with("warning[")).collect();
        for warning in &warnings {
            *self.warnings.entry(kind(warning)).or_default() += 1;
        }
        eprintln!("{name}: {} errors, {} warnings", errors.len(), warnings.len());
        // What only this machine lacks is found after all else.
        let is_of_machine = |error: &&str| error.starts_with("error[T0853]");
        if errors.iter().all(is_of_machine) && (output.status.success() || !errors.is_empty()) {
            self.accepted += 1;
            return (program.same)(path).map_err(|why| format!("{name}: {why}"));
        }
        self.refused += 1;
        let mut why = BTreeSet::new();
        for error in errors.iter().filter(|error| !is_of_machine(error)) {
            let listed = REFUSED.iter().position(|one| name.starts_with(one.name) && error.contains(one.says));
            let Some(at) = listed else {
                return Err(format!("{name} ended with {:?}:\n{said}", output.status.code()));
            };
            why.insert(REFUSED[at].why);
            self.listed.insert(at);
        }
        for why in why {
            eprintln!("    refused: {why}");
            *self.reasons.entry(why).or_default() += 1;
        }
        Ok(())
    }

    fn print(&self) {
        eprintln!("{} accepted, {} refused", self.accepted, self.refused);
        for (why, times) in &self.reasons {
            eprintln!("{times:6} refused: {why}");
        }
        let mut warnings: Vec<_> = self.warnings.iter().collect();
        warnings.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        for (warning, times) in warnings {
            eprintln!("{times:6} {warning}");
        }
    }
}

/// A warning without the names in it, so that those of one kind are counted together.
fn kind(warning: &str) -> String {
    let mut parts = warning.split('"');
    let mut text = parts.next().unwrap_or_default().to_owned();
    while let Some(_name) = parts.next() {
        text += "\"…\"";
        text += parts.next().unwrap_or_default();
    }
    let end = text.find(", /").unwrap_or(text.len());
    text.truncate(end);
    text
}

/// Whether a configuration that is written in both syntaxes reads as what it was.
fn same<T: Configured + Passwords + Clone>(path: &Path) -> Result<(), String> {
    let first = load::<T>(path).map_err(|report| report.render(false))?.config;
    let folder = tempfile::tempdir().unwrap();
    let written = to_conf(&first).unwrap();
    if !written.left_out.is_empty() {
        return Err(format!("Bareos has no directive for {:?}", written.left_out));
    }
    for (name, text) in &written.files {
        let file = folder.path().join("conf").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    fs::write(folder.path().join("all.ron"), to_ron(&first, "").unwrap()).unwrap();
    for again in ["conf", "all.ron"] {
        let second = load::<T>(&folder.path().join(again)).map_err(|report| report.render(false))?.config;
        if sorted(&second) != sorted(&first) {
            return Err(format!("{again} says something else:\n{}", difference(&first, &second)));
        }
    }
    Ok(())
}

/// A configuration with the resources of each kind by name: the files of a tree come in the order of their names.
fn sorted<T: Configured + Passwords + Clone>(config: &T) -> Value {
    let mut value = serde_json::to_value(Revealed::of(config)).unwrap();
    for resources in value.as_object_mut().unwrap().values_mut() {
        if let Value::Array(list) = resources {
            list.sort_by_key(|one| one["name"].as_str().map(str::to_owned));
        }
    }
    value
}

/// The lines that differ, of both.
fn difference<T: Configured + Passwords + Clone>(first: &T, second: &T) -> String {
    let (first, second) = (format!("{:#}", sorted(first)), format!("{:#}", sorted(second)));
    let differ = first.lines().zip(second.lines()).filter(|(first, second)| first != second);
    differ.take(5).map(|(first, second)| format!("{first}\n{second}\n")).collect()
}

/// A certificate, its own authority.
fn certificate(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}

/// Copies the files below `from`, with what their build fills in. `values` is where folders that are named go.
fn fill(from: &Path, to: &Path, values: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let target = to.join(name.strip_suffix(".in").unwrap_or(name));
        let is_read = ["conf", "in"].iter().any(|end| path.extension().is_some_and(|found| found == *end));
        if path.is_dir() {
            fill(&path, &target, values);
        } else if is_read {
            fs::create_dir_all(to).unwrap();
            fs::write(&target, filled(&fs::read_to_string(&path).unwrap(), values)).unwrap();
        }
    }
}

/// A text with a value for each `@name@` in it.
fn filled(text: &str, folder: &Path) -> String {
    let mut parts = text.split('@');
    let mut out = parts.next().unwrap_or_default().to_owned();
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    let mut before_at = false;
    for part in parts {
        match value(part, folder) {
            Some(value) if !before_at && is_name(part) => {
                out += &value;
                before_at = true;
            }
            _ => {
                if !before_at {
                    out.push('@');
                }
                out += part;
                before_at = false;
            }
        }
    }
    out
}

/// What is filled in for a name; folders and files are below this one. `None` if it is none of theirs.
fn value(name: &str, folder: &Path) -> Option<String> {
    let place = |sub: &str| {
        let place = folder.join(sub);
        fs::create_dir_all(&place).unwrap();
        Some(place.display().to_string())
    };
    match name.to_lowercase().as_str() {
        // Empty on Linux.
        "sd_backend_config" | "global_fileset_options" | "uncomment_sd_backend_directory" => Some(String::new()),
        "extradumpoptions" => Some(String::new()),
        "hostname" | "dbaddress" | "smtp_host" => Some("localhost".to_owned()),
        "job_email" => Some("root@localhost".to_owned()),
        "basename" | "test_name" => Some("regress".to_owned()),
        name if name.ends_with("port") => Some("42001".to_owned()),
        name if name.ends_with("_address") || name.starts_with("ip_address") => Some("192.0.2.7".to_owned()),
        name if name.ends_with("dir") || name.ends_with("directory") || name.contains("dir_to_test") => place(name),
        name if name.starts_with("tls_") || name.starts_with("pki_") => {
            let file = folder.join(if name.ends_with("_key") { "key.pem" } else { "certificate.pem" });
            Some(file.display().to_string())
        }
        "tmp" | "dbhost" | "regressdir" => place(name),
        name if name.contains("src_") => place(name),
        "" => None,
        name if name.chars().all(|c| c.is_alphanumeric() || c == '_') => Some(name.to_owned()),
        _ => None,
    }
}

/// The configurations below a folder: each folder with the files of a program, and each single file by its name.
fn configurations(folder: &Path) -> Vec<(&'static Program, PathBuf)> {
    let mut found = Vec::new();
    collect(folder, &mut found);
    found.sort_by(|(_, one), (_, other)| one.cmp(other));
    found
}

fn collect(folder: &Path, found: &mut Vec<(&'static Program, PathBuf)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_dir = path.is_dir();
        let whose = PROGRAMS.iter().find(|program| {
            let rest = name.strip_prefix(program.name);
            rest.is_some_and(|rest| if is_dir { rest == ".d" } else { rest.ends_with(".conf") })
        });
        match whose {
            Some(program) if is_dir => found.push((program, folder.to_owned())),
            Some(program) => found.push((program, path)),
            None if is_dir => collect(&path, found),
            None => {}
        }
    }
}
