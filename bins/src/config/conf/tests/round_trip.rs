//! What is written in Bareos' syntax and read again is the same.

use towline_core::config::Passwords;

use super::properties::Chance;
use super::*;
use crate::config::conf::read::Kind;
use crate::config::conf::table::{Act, Resource};
use crate::config::{parse, to_ron};

/// All files that a configuration is written as, one after the other.
fn as_text<T: Configured + Passwords + Clone>(config: &T) -> (String, Vec<String>) {
    let written = to_conf(config).unwrap();
    (written.files.into_iter().map(|(_, text)| text).collect(), written.left_out)
}

/// Writes and reads in both syntaxes.
#[track_caller]
fn round<T: Configured + Passwords + Clone + PartialEq + std::fmt::Debug>(config: &T) {
    let (text, left_out) = as_text(config);
    assert_eq!(left_out, [""; 0], "{text}");
    let (again, _, _) = read::<T>(&text).unwrap_or_else(|report| panic!("{report}\n{text}"));
    assert!(again == *config, "{text}\nfirst:  {config:?}\nsecond: {again:?}");
    let ron = to_ron(config, "").unwrap();
    // A configuration of chance may have findings, and RON with findings is not given out.
    if let Ok((again, _)) = parse::<T>("", &ron, BUILT) {
        assert!(again == *config, "{ron}");
    }
}

#[test]
fn the_corpus_is_the_same_after_a_round_trip() {
    fn each<T: Configured + Passwords + Clone + PartialEq + std::fmt::Debug>() {
        let folder = format!("{}/tests/fixtures/bareos", env!("CARGO_MANIFEST_DIR"));
        round(&load::<T>(Path::new(&folder)).unwrap_or_else(|report| panic!("{report}")).config);
    }
    each::<DirectorConfig>();
    each::<StorageConfig>();
    each::<FileConfig>();
    each::<ConsoleConfig>();
    each::<TrayConfig>();
}

#[test]
fn the_days_of_a_schedule_and_texts_of_several_lines_are_the_same_after_a_round_trip() {
    let text = |run: &str| {
        format!("Director {{ Name = d; Password = \"a long password\" }}\nSchedule {{ Name = s; Run = {run} }}")
    };
    let mut all = Vec::new();
    for run in
        ["w01/w02 sun at 23:10", "w00, w53 at 1:00", "jan-mar 1, 15 at 2:30", "1st, last fri at 3:00", "sun at 23:10"]
    {
        let (config, _) = good::<DirectorConfig>(&text(run));
        round(&config);
        all.push(config.schedules);
    }
    assert!(all.iter().all(|one| all.iter().filter(|other| *other == one).count() == 1), "the test can tell: {all:?}");
    let text = "Director { Name = d; Password = \"a long password\"\n Description = x }\nConsole { Name = c; \
                Password = \"another password\"; CommandAcl = \"first {\n  second \\\" }\n\nlast\" }";
    let (config, _) = good::<DirectorConfig>(text);
    assert_eq!(config.consoles[0].command_acl, ["first {\n  second \" }\n\nlast"]);
    round(&config);
}

#[test]
fn several_catalogs_are_the_same_after_a_round_trip_in_the_same_order() {
    let text = director(" Catalog = Archive").replace("Pool { Name = Full }", "Pool { Name = Full; Catalog = My }")
        + "Catalog { Name = Archive; DbDriver = sqlite3; DbName = /srv/a.sqlite; DbUser = x;\n Description = \"ten years\" }\n\
           Catalog { Name = Best; DbName = best; DbUser = u; DbAddress = localhost\n Description = near }\n\
           Counter { Name = One; Catalog = Archive }\nCounter { Name = Two; Catalog = My }\n";
    let (config, _) = good::<DirectorConfig>(&text);
    let notes: Vec<_> = config.all_catalogs().filter_map(|catalog| catalog.description()).collect();
    assert_eq!(notes, ["ten years", "near"]);
    round(&config);
    // The names of files say nothing of the order.
    let files: Vec<String> = to_conf(&config).unwrap().files.into_iter().map(|(file, _)| file).collect();
    assert_eq!(files.iter().filter(|file| file.contains("/catalog/")).count(), 1, "{files:?}");
    // One that nobody has said anything of is written too if there are others.
    let ron = "(director: (name: \"d\", password: \"a long password\"), catalogs: [sqlite(name: \"B\", path: \"/b\")])";
    let (config, _) = parse::<DirectorConfig>("", ron, BUILT).unwrap();
    round(&config);
}

/// A value of this kind, or none for kinds that only code reads.
fn value(kind: Kind, chance: &mut Chance) -> Option<String> {
    let words = ["x", "\"with \\\"quotes\\\" and \\\\\"", "\"two words\"", "a.example", "/srv/a"];
    let mut word = || words[chance.below(words.len())].to_owned();
    let text = match kind {
        Kind::Text => word(),
        Kind::Words => format!("{}, {}", word(), word()),
        Kind::Bool => ["yes", "no"][chance.below(2)].to_owned(),
        Kind::Number | Kind::Port => (1 + chance.below(60_000)).to_string(),
        Kind::Time => format!(
            "{} {}",
            chance.below(400),
            ["s", "minutes", "h", "days", "weeks", "months", "years"][chance.below(7)]
        ),
        Kind::Size => format!("{}{}", chance.below(4_000), ["", " k", "kb", " m", "g", " tb"][chance.below(6)]),
        Kind::Speed => format!("{}{}", chance.below(4_000), ["", " k/s", " kb/s", " m/s", " mb/s"][chance.below(5)]),
        Kind::Choice(words) => words[chance.below(words.len())].0.to_owned(),
        Kind::Any => return None,
    };
    Some(text)
}

/// Directives of chance for a resource: of those that are a field, about half.
fn directives(resource: &Resource, chance: &mut Chance) -> String {
    let mut text = String::new();
    for directive in resource.directives() {
        let is_field = matches!(directive.act, Act::Field(field) if !["name", "password"].contains(&field));
        if (is_field || matches!(directive.act, Act::Tls(_))) && chance.below(2) == 0 {
            let value = value(directive.kind, chance);
            text.extend(value.map(|value| format!(" {} = {value}\n", directive.name)));
        }
    }
    text
}

/// A text with directives of chance in each resource that `text` has.
fn varied<T: Configured>(text: &str, chance: &mut Chance) -> String {
    let mut varied = String::new();
    for line in text.split_inclusive('\n') {
        let kind = line.split('{').next().unwrap_or_default().trim();
        let resource = T::COMPONENT.resource(kind).filter(|_| line.contains('{'));
        match resource {
            Some(resource) => {
                let (head, tail) = line.split_once('{').unwrap();
                varied += &format!("{head}{{\n{} {tail}", directives(resource, chance));
            }
            None => varied += line,
        }
    }
    varied
}

fn tried<T: Configured + Passwords + Clone + PartialEq + std::fmt::Debug>(text: &str, times: usize) {
    let mut chance = Chance(9);
    for _ in 0..times {
        let text = varied::<T>(text, &mut chance);
        let (config, ..) = read::<T>(&text).unwrap_or_else(|report| panic!("{report}\n{text}"));
        round(&config);
    }
}

#[test]
fn configurations_of_chance_are_the_same_after_a_round_trip() {
    let more = "Console { Name = c; Password = p; Command ACL = *all*, !purge }\n";
    tried::<DirectorConfig>(&(director(" Schedule = Weekly") + more), 60);
    let file = "Client { Name = fd }\nDirector { Name = dir; Password = p }\nDirector { Name = mon; Password = q }\n";
    tried::<FileConfig>(file, 60);
    let storage = "Storage { Name = sd }\nDirector { Name = dir; Password = p }\n\
                   Device { Name = d; Media Type = File; Archive Device = /srv/v }\n";
    tried::<StorageConfig>(storage, 60);
    let console = "Director { Name = d; Address = a.example; Password = p }\nConsole { Name = c; Password = q }\n";
    tried::<ConsoleConfig>(console, 60);
    let tray = "Monitor { Name = m; Password = p }\nDirector { Name = d; Address = a }\n\
                Client { Name = c; Address = a; Password = p }\nStorage { Name = s; Address = a; Password = p }\n";
    tried::<TrayConfig>(tray, 60);
}

#[test]
fn a_store_of_objects_is_the_same_after_a_round_trip_but_for_its_keys() {
    let ron = r#"(storage: (name: "sd"), directors: [(name: "dir", password: "pw")], devices: [
        (name: "d", media_type: "S3", kind: object, archive_device: "s3://b/p", object: (endpoint: "https://s3.example.com",
            region: "eu", credentials: "/etc/keys", part_size: "8 MiB", retry_for: "2 min", virtual_hosts: true)),
        (name: "e", media_type: "S", kind: object, archive_device: "file:///srv/objects"),
        (name: "f", media_type: "T", kind: object, archive_device: "s3://c", object: (access_key: "a", secret_key: "s"))])"#;
    let (config, _) = parse::<StorageConfig>("", ron, BUILT).unwrap();
    let (text, left_out) = as_text(&config);
    assert_eq!(left_out, ["devices[2].object.access_key", "devices[2].object.secret_key"]);
    let (again, _) = good::<StorageConfig>(&text);
    assert_eq!(again.devices[..2], config.devices[..2]);
}

#[test]
fn what_bareos_has_no_directive_for_is_said() {
    let ron = r#"(file: (name: "fd", redial_interval: 5, listen: ["192.0.2.1", "[2001:db8::1]:9105"]),
                  directors: [(name: "dir", password: "pw", tls: ())])"#;
    let (config, _) = parse::<FileConfig>("", ron, BUILT).unwrap();
    let (text, left_out) = as_text(&config);
    assert_eq!(left_out, ["file.redial_interval"]);
    let (again, _) = good::<FileConfig>(&text);
    assert_eq!(again.file.listen, config.file.listen);
    assert!(again.directors[0].tls.is_some());
}

#[test]
fn a_peer_without_tls_of_its_own_is_written_with_that_of_the_daemon() {
    let ron = r#"(director: (name: "dir", password: "pw", tls: (enable: false, require: false)),
                  clients: [(name: "fd", address: "fd.example", password: "p")])"#;
    let (config, _) = parse::<DirectorConfig>("", ron, BUILT).unwrap();
    let (again, _) = good::<DirectorConfig>(&as_text(&config).0);
    assert!(!again.client_tls(&again.clients[0]).enable);
    assert_eq!(again.director.maximum_concurrent_jobs, config.director.maximum_concurrent_jobs);
}

#[test]
fn a_client_that_nobody_dials_is_written_with_the_address_that_bareos_wants() {
    let ron = r#"(director: (name: "dir", password: "pw"),
                  clients: [(name: "fd", password: "p", connection_from_client_to_director: true,
                             connection_from_director_to_client: false)])"#;
    let (config, _) = parse::<DirectorConfig>("", ron, BUILT).unwrap();
    let (again, _) = good::<DirectorConfig>(&as_text(&config).0);
    assert_eq!(again.clients[0].address.as_deref(), Some("fd"));
    assert!(!again.clients[0].connection_from_director_to_client);
}
