//! Programs that are started with the configuration of Bareos, and with its command line.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use support::bareos_tree::plant_tree;
use support::network::Network;
use support::{assert_restored, plant, wait_for};

const DIRECTOR: &str = env!("CARGO_BIN_EXE_towline-dir");
const STORAGE: &str = env!("CARGO_BIN_EXE_towline-sd");
const FILE: &str = env!("CARGO_BIN_EXE_towline-fd");
const CONSOLE: &str = env!("CARGO_BIN_EXE_towline-console");
const TRAY: &str = env!("CARGO_BIN_EXE_towline-tray");

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The corpus: a folder in which every directive of every program stands once.
fn corpus() -> String {
    format!("{}/tests/fixtures/bareos", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_network_from_bareos_trees_backs_up_and_restores() {
    let network = Network::start_from_bareos_trees();
    network.assert_all_serve();
    plant(&network.source, 11, 1 << 20);
    let backup = network.backup();
    assert!(backup.is_ok(), "{}", backup.report);
    let place = network.place("restored");
    let restore = network.restore(&place, "");
    assert!(restore.is_ok(), "{}", restore.report);
    assert_restored(&network.source, &place);
}

#[test]
fn the_test_of_a_tree_lists_its_warnings_with_their_files_and_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("bareos-fd.d/client/me.conf", "Client {\n  Name = me-fd\n  Secure Erase Command = x\n  VerId = y\n}\n"),
        ("bareos-fd.d/director/d.conf", "Director { Name = d; Password = a-long-one }\n"),
    ];
    plant_tree(folder.path(), &files);
    // A password that everybody may read would be one more warning.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let at = folder.path().display().to_string();
    let tested = run(FILE, &["-t", "-c", &at]);
    assert_eq!((tested.status.code(), text(&tested.stdout)), (Some(0), format!("{at}: OK, 2 warnings\n")));
    let said = text(&tested.stderr);
    let line = format!("--> {at}/bareos-fd.d/client/me.conf:3:3");
    assert!(said.contains("warning[T0866]: `SecureEraseCommand` has no effect") && said.contains(&line), "{said}");
    plant_tree(folder.path(), &[("bareos-fd.d/client/me.conf", "Client {\n  Name = me-fd\n  Prot = 1\n}\n")]);
    let tested = run(FILE, &["-t", "-c", &at]);
    let said = text(&tested.stderr);
    assert_eq!(tested.status.code(), Some(78));
    assert!(said.contains("error[T0865]") && said.contains("did you mean `Port`?"), "{said}");
}

#[test]
fn what_is_no_configuration_is_refused_in_little_memory_and_time() {
    const MEMORY_KIB: u32 = 512 << 10;
    let folder = tempfile::tempdir().unwrap();
    let base = "Client { Name = me-fd }\nDirector { Name = d; Password = a-long-one }\n";
    let include = format!("{base}@{}/not-latin.conf\n", folder.path().display());
    for (name, written, says) in [
        ("hundred-megabytes", format!("{base}{}", "# nothing\n".repeat(10_000_000)), "T0802"),
        ("words", format!("{base}{}", "a ".repeat(2_000_000)), "T0802"),
        ("braces", "{".repeat(4_000_000), "T0802"),
        ("nested", "Client { ".repeat(100_000), "T0860"),
        ("same-names", format!("{base}{}", "Director{Name=q;Password=p}\n".repeat(90_000)), "T0821"),
        ("unknown", format!("Client {{\n{}}}\n", "Zork=1\n".repeat(200_000)), "T0865"),
        ("open-quote", format!("{base}Client {{ Name = \"{}", "\\\"".repeat(1_000_000)), "T0860"),
        ("open-brace", format!("{base}Client {{\n{}", "Port = 1\n".repeat(100_000)), "T0860"),
        ("includes-latin", include, "T0801"),
    ] {
        let path = folder.path().join(format!("{name}.conf"));
        std::fs::write(&path, written).unwrap();
        std::fs::write(folder.path().join("not-latin.conf"), b"Messages { Name = \xe9 }\n").unwrap();
        let limited = format!("ulimit -v {MEMORY_KIB}; exec {FILE} -t -c {}", path.display());
        let tested = run("timeout", &["60", "sh", "-c", &limited]);
        let said = text(&tested.stderr);
        assert_eq!(tested.status.code(), Some(78), "{name}: {said}");
        let in_file = if name == "includes-latin" { "not-latin.conf:1:19" } else { &path.display().to_string() };
        assert!(said.contains(says) && said.contains(in_file) && said.contains(" = help: "), "{name}: {said}");
        assert!(said.len() < 2_000_000, "{name}: {} bytes", said.len());
    }
}

#[test]
fn the_corpus_with_every_directive_is_read_by_every_program() {
    let at = corpus();
    for program in [DIRECTOR, STORAGE, FILE, CONSOLE, TRAY] {
        let tested = run(program, &["-t", "-c", &at]);
        assert_eq!(tested.status.code(), Some(0), "{}", text(&tested.stderr));
    }
}

#[test]
fn a_configuration_is_shown_without_its_passwords() {
    let shown = run(FILE, &["--xc", "-c", &corpus()]);
    let said = text(&shown.stdout);
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
    assert!(said.contains("directors: [") && said.contains("password: \"***\""), "{said}");
    assert!(!said.contains("secret"), "{said}");
    let schema = run(STORAGE, &["--xs"]);
    let read: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert_eq!(read["bareos-sd"]["Device"]["ArchiveDevice"]["becomes"], "acts");
}

#[test]
fn the_command_line_of_bareos_starts_a_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let port = support::daemon::free_port();
    let client =
        format!("Client {{ Name = me-fd; FDAddress = 127.0.0.1; FDPort = {port}; Working Directory = {at:?} }}\n");
    std::fs::write(at.join("fd.conf"), format!("{client}Director {{ Name = d; Password = a-long-one }}\n")).unwrap();
    let (file, pid) = (at.join("fd.conf").display().to_string(), at.join("fd.pid"));
    let own = own_user();
    let mut command = Command::new(FILE);
    command.args(["-f", "-s", "-m", "-d", "100", "-u", &own, "-c", &file, "-p"]).arg(&pid);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let there = |pid: &Path| std::fs::read_to_string(pid).ok().filter(|text| text.ends_with('\n'));
    let written = wait_for("the file with the process id", || there(&pid));
    assert_eq!(written.trim(), child.id().to_string());
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    wait_for("the daemon to listen", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert!(!pid.exists());
    assert!(said.contains("-s changes nothing") && said.contains("-m changes nothing"), "{said}");
    // Another user is refused, with what to do.
    let other = run(FILE, &["-c", &file, "-u", "no-such-user"]);
    assert_eq!(other.status.code(), Some(77));
    assert!(text(&other.stderr).contains("User=no-such-user"), "{}", text(&other.stderr));
    assert_eq!(run(FILE, &["-b"]).status.code(), Some(2));
    let help = text(&run(FILE, &["--help"]).stdout);
    assert!(help.contains("78 the configuration is wrong (Bareos: 42)"), "{help}");
}

/// The id of this user.
fn own_user() -> String {
    rustix::process::geteuid().as_raw().to_string()
}

#[test]
fn a_configuration_is_converted_there_and_back_for_its_user_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let tool = env!("CARGO_BIN_EXE_towline");
    let first = run(tool, &["convert", &corpus(), "--out", &path("ron")]);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    assert_eq!(text(&first.stdout).lines().count(), 5, "{}", text(&first.stdout));
    for (program, file) in [
        (DIRECTOR, "director.ron"),
        (STORAGE, "storage-daemon.ron"),
        (FILE, "file-daemon.ron"),
        (CONSOLE, "console.ron"),
        (TRAY, "towline-tray.ron"),
    ] {
        let at = path(&format!("ron/{file}"));
        assert_eq!(std::fs::metadata(&at).unwrap().permissions().mode() & 0o777, 0o600, "{at}");
        let tested = run(program, &["-t", "-c", &at]);
        assert_eq!(tested.status.code(), Some(0), "{}", text(&tested.stderr));
        // Both say the same of themselves.
        let shown = |config: &str| text(&run(program, &["--xc", "-c", config]).stdout);
        assert_eq!(shown(&at), shown(&corpus()));
    }
    let back = run(tool, &["convert", &path("ron"), "--out", &path("conf")]);
    assert_eq!(back.status.code(), Some(0), "{}", text(&back.stderr));
    let again = run(tool, &["convert", &path("conf"), "--out", &path("again")]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    let director = |folder: &str| {
        let text = std::fs::read_to_string(path(&format!("{folder}/director.ron"))).unwrap();
        text.split_once('\n').unwrap().1.to_owned()
    };
    assert_eq!(director("again"), director("ron"));
    // Nothing is replaced, and what is none is said.
    let twice = run(tool, &["convert", &corpus(), "--out", &path("ron")]);
    assert_eq!(twice.status.code(), Some(78));
    assert!(text(&twice.stderr).contains("cannot write"), "{}", text(&twice.stderr));
    let none = run(tool, &["convert", &path("gone"), "--out", &path("x"), "--kind", "file"]);
    assert_eq!(none.status.code(), Some(78));
    assert!(text(&none.stderr).contains("T0801"), "{}", text(&none.stderr));
}
