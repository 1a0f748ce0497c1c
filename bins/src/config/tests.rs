use std::path::PathBuf;

use towline_core::config::{
    Built, Check, ConfigPath, ConsoleConfig, DirectorConfig, FileConfig, Passwords, Seconds, StorageConfig, TlsConfig,
    TrayConfig,
};

use serde::de::DeserializeOwned;

use super::*;

const BUILT: Built = Built { psk: true };

/// The rendered report of a text that has errors.
fn rendered<T: DeserializeOwned + Check>(text: &str) -> String {
    parse::<T>("towline.ron", text, BUILT).err().map_or_else(|| "no errors".to_owned(), |report| report.render(false))
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// A file daemon's configuration whose second and later lines are `rest`.
fn file(rest: &str) -> String {
    rendered::<FileConfig>(&format!("(\n{rest}\n)\n"))
}

const DIRECTORS: &str = "    directors: [(name: \"dir\", password: \"geheim\")],";

#[track_caller]
fn golden(found: &str, expected: &str) {
    let expected = expected.strip_prefix('\n').unwrap_or(expected);
    assert!(found == expected, "found:\n{found}\nexpected:\n{expected}");
}

#[test]
fn an_unknown_field_names_the_nearest_and_hides_the_password() {
    golden(
        &file("    file: (name: \"web-fd\"),\n    directors: [(name: \"dir\", pasword: \"geheim\")],"),
        r#"
error[T0804]: `FileDirector` has no field `pasword`
 --> towline.ron:3:31
  |
3 |     directors: [(name: "dir", pasword: ***)],
  |                               ^^^^^^^
  |
  = help: did you mean `password`?
"#,
    );
}

#[test]
fn an_empty_file_and_that_of_another_program_are_told_as_such() {
    let empty = rendered::<ConsoleConfig>(" \n");
    assert!(empty.contains("the file is empty") && empty.contains("`towline init`"), "{empty}");
    let other = rendered::<FileConfig>("(director: (name: \"d\"), clients: [])");
    for words in ["the configuration of the file daemon has no field `director`", "of a director or a console"] {
        assert!(other.contains(words), "{words}: {other}");
    }
}

#[test]
fn an_unknown_field_without_a_near_name_lists_all() {
    let report = rendered::<ConsoleConfig>("(director: (name: \"d\", address: \"a\"), colour: red)");
    golden(
        &report,
        r#"
error[T0804]: the configuration of the console has no field `colour`
 --> towline.ron:1:39
  |
1 | (director: (name: "d", address: "a"), colour: red)
  |                                       ^^^^^^
  |
  = help: known: `director`, `console`
"#,
    );
}

#[test]
fn a_wrong_type_is_marked_whole() {
    golden(
        &file(&format!("    file: (name: \"web-fd\", port: \"9102\"),\n{DIRECTORS}")),
        r#"
error[T0808]: expected a whole number
 --> towline.ron:2:34
  |
2 |     file: (name: "web-fd", port: "9102"),
  |                                  ^^^^^^
"#,
    );
    golden(
        &file(&format!("    file: (name: \"web-fd\", heartbeat_interval: \"5 parsecs\"),\n{DIRECTORS}")),
        r#"
error[T0808]: expected a duration such as 30, "30 s", "5 min" or "1 day", found the string "5 parsecs"
 --> towline.ron:2:48
  |
2 |     file: (name: "web-fd", heartbeat_interval: "5 parsecs"),
  |                                                ^^^^^^^^^^^
"#,
    );
    golden(
        &file("    file: (name: \"web-fd\"),\n    directors: [(name: \"dir\", password: 4711)],"),
        r#"
error[T0808]: a password is text in quotes
 --> towline.ron:3:41
  |
3 |     directors: [(name: "dir", password: ***
  |                                         ^^^
  |
  = help: write it in double quotes: "…"
"#,
    );
}

#[test]
fn a_missing_field_shows_the_resource_by_its_name() {
    golden(
        &file(
            "    file: (name: \"web-fd\"),\n    directors: [\n        (\n            name: \"dir\",\n        ),\n    ],",
        ),
        r#"
error[T0806]: `FileDirector` needs the field `password`
 --> towline.ron:5:13
  |
5 |             name: "dir",
  |             ^^^^^^^^^^^
  |
  = help: add `password: …,`
"#,
    );
}

#[test]
fn an_unknown_value_names_the_nearest() {
    let directors = "directors: [(name: \"dir\", password: \"geheim\", allowed_job_commands: [backup, restor])],";
    golden(
        &file(&format!("    file: (name: \"web-fd\"),\n    {directors}")),
        r#"
error[T0805]: `restor` is no value of this field
 --> towline.ron:3:82
  |
3 |     directors: [(name: "dir", password: ***, allowed_job_commands: [backup, restor])],
  |                                                                             ^^^^^^
  |
  = help: did you mean `restore`?
"#,
    );
}

#[test]
fn duplicate_fields_and_missing_commas_are_marked() {
    golden(
        &file(&format!("    file: (name: \"web-fd\", port: 1, port: 2),\n{DIRECTORS}")),
        r#"
error[T0807]: `FileDaemon` has the field `port` twice
 --> towline.ron:2:37
  |
2 |     file: (name: "web-fd", port: 1, port: 2),
  |                                     ^^^^
  |
  = help: remove one of them
"#,
    );
    golden(
        &file(&format!("    file: (name: \"web-fd\" port: 1),\n{DIRECTORS}")),
        r#"
error[T0803]: a comma or a closing bracket is missing before this
 --> towline.ron:2:27
  |
2 |     file: (name: "web-fd" port: 1),
  |                           ^
"#,
    );
}

#[test]
fn all_semantic_findings_come_at_once_in_the_order_of_the_lines() {
    let text = r#"(
    storage: (name: "sd", listen: ["0.0.0.0", "everywhere"]),
    directors: [
        (name: "dir", password: ""),
        // (name: "no", password: ""),
        (name: "dir", password: "geheim"),
    ],
    devices: [
        (
            name: "a",
            media_type: "File",
            maximum_block_size: "1 GiB", /* too large */
            archive_device: r"/srv/a",
        ),
        (name: "b", media_type: "File", archive_device: "/srv/a"),
    ],
)"#;
    golden(
        &rendered::<StorageConfig>(text),
        r#"
error[T0826]: "everywhere" is no address to listen on
 --> towline.ron:2:47
  |
2 |     storage: (name: "sd", listen: ["0.0.0.0", "everywhere"]),
  |                                               ^^^^^^^^^^^^
  |
  = help: write an IP address of this host, such as "192.0.2.1", "192.0.2.1:9105" or "::"

error[T0823]: the password is empty
 --> towline.ron:4:33
  |
4 |         (name: "dir", password: ***),
  |                                 ^^^
  |
  = help: write the same password, not an empty one, on both sides

error[T0821]: the name "dir" is already used by directors[0]
 --> towline.ron:6:16
  |
6 |         (name: "dir", password: ***),
  |                ^^^^^
  |
  = help: give each resource a name of its own

error[T0837]: a block of 1 GiB is not possible
  --> towline.ron:12:33
   |
12 |             maximum_block_size: "1 GiB", /* too large */
   |                                 ^^^^^^^
   |
   = help: choose from 4 KiB to 20000000 B; 1 MiB is the default

warning[T0839]: devices[0] has the same folder and media type, so both may need the same volume
  --> towline.ron:15:57
   |
15 |         (name: "b", media_type: "File", archive_device: "/srv/a"),
   |                                                         ^^^^^^^^
   |
   = help: give each device a folder of its own
"#,
    );
}

#[test]
fn what_copies_lack_is_shown_with_its_line_and_a_remedy() {
    let text = r#"(
    director: (name: "dir", password: "a"),
    clients: [(name: "fd", address: "fd.example", password: "b")],
    storages: [(name: "disk", address: "sd.example", password: "c", device: "d", media_type: "File")],
    jobs: [
        (name: "nowhere", kind: copy, client: "fd", fileset: "f", storage: "disk",
            pool: "alone"),
        (name: "no storage", kind: migrate, client: "fd", fileset: "f", storage: "disk",
            pool: "first"),
        (name: "same", kind: copy, client: "fd", fileset: "f",
            storage: "disk", pool: "second"),
        (name: "b", client: "fd", fileset: "f", storage: "disk", pool: "third",
            select_jobs: "*"),
    ],
    filesets: [(name: "f", include: [(files: ["/"])])],
    pools: [
        (name: "alone"),
        (name: "first", next_pool: "second"),
        (name: "second", next_pool: "third"),
        (name: "third", storage: "disk",
            next_pool: "forth"),
        (name: "fourth"),
    ],
)"#;
    golden(
        &rendered::<DirectorConfig>(text),
        r#"
warning[T0840]: copies of jobs in pool "alone" have nowhere to go
 --> towline.ron:7:19
  |
7 |             pool: "alone"),
  |                   ^^^^^^^
  |
  = help: add `next_pool` to that pool, and `storage` to the pool it names

warning[T0840]: pool "second", which copies go to, has no storage
 --> towline.ron:9:19
  |
9 |             pool: "first"),
  |                   ^^^^^^^
  |
  = help: add `storage` to that pool

error[T0840]: storage "disk" would read and write at the same time
  --> towline.ron:11:22
   |
11 |             storage: "disk", pool: "second"),
   |                      ^^^^^^
   |
   = help: give the next pool another storage; it may be another device of the same daemon

warning[T0840]: job "b" selects no jobs: only copies and migrations do
  --> towline.ron:13:26
   |
13 |             select_jobs: "*"),
   |                          ^^^
   |
   = help: remove it, or set `kind: copy` or `kind: migrate`

error[T0820]: there is no pool "forth"
  --> towline.ron:21:24
   |
21 |             next_pool: "forth"),
   |                        ^^^^^^^
   |
   = help: did you mean "fourth"?
"#,
    );
}

#[test]
fn a_value_that_is_not_written_is_shown_by_its_resource() {
    let text = "(\n    file: (name: \"web-fd\"),\n    directors: [(name: \"dir\", password: \"x\")],\n)";
    let report = parse::<FileConfig>("towline.ron", text, Built { psk: false }).map(|_| ()).unwrap_err();
    assert_eq!(report.diagnostics.len(), 1);
    let only = &report.diagnostics[0];
    assert_eq!((only.line, only.column, only.code), (2, 12, codes::PSK_NOT_BUILT));
}

#[test]
fn warnings_alone_do_not_stop_a_daemon() {
    let text = "(director: (name: \"d\", address: \"a\", password: \"x\", heartbeat_interval: 0))";
    let (config, warnings) = parse::<ConsoleConfig>("towline.ron", text, BUILT).unwrap();
    assert_eq!(config.director.heartbeat_interval, Seconds(0));
    assert_eq!(warnings.diagnostics.iter().map(|warning| warning.code).collect::<Vec<_>>(), [codes::NO_HEARTBEAT]);
    assert!(!warnings.has_errors());
}

#[test]
fn the_examples_load_and_check_clean() {
    fn clean<T: DeserializeOwned + Check>(name: &str) -> T {
        let text = std::fs::read_to_string(example(name)).unwrap();
        let (config, warnings) = parse(name, &text, BUILT).unwrap();
        // A password that everybody knows is all that is wrong with them.
        let is_known = |warning: &Diagnostic| warning.code == codes::EXAMPLE_PASSWORD;
        assert!(!warnings.is_empty() && warnings.diagnostics.iter().all(is_known), "{warnings:?}");
        config
    }
    let director: DirectorConfig = clean("director.ron");
    let on_server: DirectorConfig = clean("director-postgres.ron");
    assert_ne!(on_server.catalog, director.catalog);
    let file: FileConfig = clean("file-daemon.ron");
    let storage: StorageConfig = clean("storage-daemon.ron");
    let offsite: StorageConfig = clean("storage-daemon-offsite.ron");
    let console: ConsoleConfig = clean("console.ron");
    let tray: TrayConfig = clean("towline-tray.ron");
    // All belong together.
    let monitor = tray.monitor.name.as_str();
    assert_eq!(director.console(monitor).unwrap().password, tray.directors[0].password);
    let watched = file.directors.iter().find(|director| director.name == monitor).unwrap();
    assert!(watched.monitor && watched.password == tray.clients[0].password);
    let watched = storage.directors.iter().find(|director| director.name == monitor).unwrap();
    assert!(watched.monitor && watched.password == tray.storages[0].password);
    assert_eq!(director.client(&file.file.name).unwrap().password, file.directors[0].password);
    for (resource, daemon) in director.storages.iter().zip([&storage, &offsite]) {
        assert_eq!(resource.password, daemon.directors[0].password);
        assert_eq!(resource.device, daemon.devices[0].name);
        assert_eq!(resource.media_type, daemon.devices[0].media_type);
    }
    assert_eq!(director.director.password, console.director.password);
}

#[test]
fn what_is_written_loads_again_equal() {
    fn round<T: DeserializeOwned + Check + serde::Serialize + Passwords + Clone + PartialEq>(name: &str) {
        let text = std::fs::read_to_string(example(name)).unwrap();
        let (config, _) = parse::<T>(name, &text, BUILT).unwrap();
        let written = to_ron(&config, "Written by a test.\n\nSecond").unwrap();
        assert!(written.starts_with("// Written by a test.\n//\n// Second\n("), "{written}");
        let (again, _) = parse::<T>(name, &written, BUILT).unwrap();
        assert!(again == config, "{written}");
    }
    round::<DirectorConfig>("director.ron");
    round::<DirectorConfig>("director-postgres.ron");
    round::<FileConfig>("file-daemon.ron");
    round::<StorageConfig>("storage-daemon.ron");
    round::<StorageConfig>("storage-daemon-offsite.ron");
    round::<ConsoleConfig>("console.ron");
    round::<TrayConfig>("towline-tray.ron");
}

#[test]
fn written_files_are_private_and_never_replace_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console.ron");
    let (config, _) =
        parse::<ConsoleConfig>("", &std::fs::read_to_string(example("console.ron")).unwrap(), BUILT).unwrap();
    write(&path, &config, "").unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(write(&path, &config, "").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
}

#[test]
fn unreadable_large_and_binary_files_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ron");
    let code = || load::<FileConfig>(&path).unwrap_err().diagnostics[0].code;
    assert_eq!(code(), codes::UNREADABLE);
    let text = load::<FileConfig>(&path).unwrap_err().render(false);
    assert!(text.contains("T0801") && text.contains("a.ron"), "{text}");
    std::fs::write(&path, vec![b' '; 1 + (4 << 20)]).unwrap();
    assert_eq!(code(), codes::TOO_LARGE);
    std::fs::write(&path, vec![b' '; 4 << 20]).unwrap();
    assert_ne!(code(), codes::TOO_LARGE);
    std::fs::write(&path, b"(\xff)").unwrap();
    assert_eq!(code(), codes::UNREADABLE);
}

#[test]
fn certificates_are_read_beside_the_configuration_and_errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console.ron");
    let tls = "(certificate: \"c.pem\", key: \"k.pem\", ca: \"ca.pem\")";
    let text = format!("(director: (name: \"d\", address: \"a\", password: \"x\",\ntls: {tls}))");
    std::fs::write(&path, text).unwrap();
    let loaded = load::<ConsoleConfig>(&path).unwrap();
    let at = ConfigPath::of("director").field("tls");
    std::fs::write(folder.path().join("c.pem"), "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
        .unwrap();
    std::fs::write(folder.path().join("k.pem"), "-----BEGIN CERTIFICATE-----\n").unwrap();
    let report = read_certificates(&loaded, &at, loaded.config.tls()).unwrap_err();
    let found: Vec<_> = report.diagnostics.iter().map(|each| (each.code, each.line, each.column)).collect();
    assert_eq!(found, [(codes::EMPTY_CERTIFICATE, 2, 34), (codes::UNREADABLE_CERTIFICATE, 2, 47)]);
    assert!(report.diagnostics[1].message.contains("ca.pem"), "{report:?}");
    std::fs::write(folder.path().join("k.pem"), "-----BEGIN RSA PRIVATE KEY-----\n").unwrap();
    std::fs::write(folder.path().join("ca.pem"), "-----BEGIN CERTIFICATE-----\n").unwrap();
    let read = read_certificates(&loaded, &at, loaded.config.tls()).unwrap();
    assert!(read.certificate.is_some() && read.ca.is_some());
    assert_eq!(read.key.unwrap().expose(), b"-----BEGIN RSA PRIVATE KEY-----\n");
    assert!(read_certificates(&loaded, &at, &TlsConfig::off()).unwrap().ca.is_none());
    let tls = TlsConfig { revocation_list: Some("ca.pem".to_owned()), ..loaded.config.tls().clone() };
    let report = read_certificates(&loaded, &at, &tls).unwrap_err();
    assert!(report.diagnostics[0].message.ends_with("ca.pem has no PEM block `X509 CRL`"), "{report:?}");
}

#[test]
fn damaged_files_are_reported_without_panic_and_without_passwords() {
    let text = std::fs::read_to_string(example("director.ron")).unwrap();
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    for at in starts.into_iter().step_by(5) {
        let (before, after) = text.split_at(at);
        for damaged in
            [before.to_owned(), format!("{before}é{after}"), format!("{before}\"{after}"), format!("{before}({after}")]
        {
            let shown = rendered::<DirectorConfig>(&damaged);
            let line = |text: &str| text.lines().any(|line| line.contains(": \"change-me"));
            assert!(!line(&shown), "{shown}");
        }
    }
}
