//! The plugin bpipe, from a command's output to a command's input.

use super::*;
use towline_core::bulk::refused::Refused;
use towline_core::wire::plugin::PluginRecord;

fn means(plugins: &[&str]) -> Means {
    let mut means = Means::default();
    means.permits.plugins = plugins.iter().map(|name| (*name).to_owned()).collect();
    means
}

fn fileset(options: &str, plugin: &str) -> FileSet {
    let lines = ["I".to_owned(), format!("O {options}"), "N".to_owned(), "N".to_owned(), format!("P {plugin}")];
    FileSet::parse(lines.iter().map(String::as_bytes)).unwrap()
}

fn saved(options: &str, plugin: &str) -> Vec<Object> {
    let set = fileset(options, plugin);
    let mut source = BackupSource::with(&set, Changes::default(), None, means(&["bpipe"])).unwrap();
    let (stream, _) = drain(&mut source);
    assert_eq!(source.counters().files, 1);
    objects(&stream)
}

fn given_back(objects: &[Object], means: Means) -> (Option<Refused>, Tally, Vec<String>) {
    let relocation = Relocations::default();
    let order = Order { to: Vec::new(), replace: Replace::Always, prefix_links: false, relocation };
    let mut target = RestoreTarget::with(order, means).unwrap();
    Unpacker::new().feed(&sent_back(objects), &mut target).unwrap();
    let refused = target.take_refused();
    let tally = target.finish();
    (refused, tally, target.take_notices().iter().map(ToString::to_string).collect())
}

#[test]
fn what_a_command_writes_is_saved_and_another_reads_it() {
    for options in ["M", "", "MZ6", "sS", "Zf4"] {
        let bench = Bench::new();
        let bytes = noise(700_001);
        let from = bench.write("big", &bytes);
        let to = bench.dir.path().join("restored");
        let plugin = format!("bpipe:file=/DUMP/big:reader=cat {}:writer=dd of={}", from.display(), to.display());
        let objects = saved(options, &plugin);
        let first = objects.first().unwrap();
        assert_eq!((first.0, first.1), (1, Stream::PLUGIN_NAME.0), "{options}");
        assert_eq!(PluginRecord::parse(&first.2[0]), Some(PluginRecord::Begin(1, plugin.as_bytes())));
        let record = AttributeRecord::parse(&objects[1].2[0]).unwrap();
        assert_eq!((record.name, record.stat().size, record.kind()), (&b"/DUMP/big"[..], -1, Some(FileType::Regular)));
        assert_eq!(PluginRecord::parse(&objects.last().unwrap().2[0]), Some(PluginRecord::End(1)));
        let (refused, tally, notices) = given_back(&objects, means(&["bpipe"]));
        assert_eq!((refused, tally.files, tally.errors, tally.bytes), (None, 1, 0, 700_001), "{notices:?}");
        assert!(std::fs::read(&to).unwrap() == bytes, "{options}");
        // What the command says is heard.
        assert!(notices.iter().any(|notice| notice.contains("bytes")), "{notices:?}");
    }
}

#[test]
fn a_command_that_fails_fails_the_backup_and_is_an_error_of_a_restore() {
    let set = fileset("M", "bpipe:file=/x:reader=sh -c 'echo some; echo gone >&2; exit 3':writer=cat");
    let mut source = BackupSource::with(&set, Changes::default(), None, means(&["bpipe"])).unwrap();
    let error = source.fill(&mut Parcel::new()).unwrap_err();
    let FillError::Plugin { command, why } = error else { panic!("{error}") };
    assert!(command.starts_with("sh -c") && why == "it returned status 3: gone", "{why}");
    let missing = fileset("M", "bpipe:file=/x:reader=/no/such/program:writer=cat");
    let mut source = BackupSource::with(&missing, Changes::default(), None, means(&["bpipe"])).unwrap();
    assert!(matches!(source.fill(&mut Parcel::new()), Err(FillError::Plugin { .. })));
    for writer in ["false", "/no/such/program"] {
        let objects = saved("M", &format!("bpipe:file=/x:reader=echo one:writer={writer}"));
        let (_, tally, notices) = given_back(&objects, means(&["bpipe"]));
        assert!(tally.errors == 1 && notices[0].contains("(T0740)"), "{writer}: {notices:?}");
    }
}

#[test]
fn a_plugin_that_is_not_here_or_not_allowed_is_refused_before_the_first_byte() {
    let backup = |plugin: &str, plugins: &[&str]| {
        BackupSource::with(&fileset("M", plugin), Changes::default(), None, means(plugins)).err()
    };
    let good = "bpipe:file=/x:reader=echo one:writer=cat";
    assert_eq!(backup(good, &["bpipe"]), None);
    assert_eq!(backup(good, &[]), Some(Refused::Forbidden(good.to_owned())));
    let python = "python:module_name=x";
    assert_eq!(backup(python, &["bpipe"]), Some(Refused::Plugin(python.to_owned())));
    assert!(matches!(backup("bpipe:file=/x", &["bpipe"]), Some(Refused::Definition { .. })));
    let bench = Bench::new();
    let to = bench.dir.path().join("never");
    let objects = saved("M", &format!("bpipe:file=/x:reader=echo one:writer=dd of={}", to.display()));
    let (refused, tally, _) = given_back(&objects, means(&[]));
    assert!(matches!(refused, Some(Refused::Forbidden(_))) && tally.files == 0 && !to.exists());
}

#[test]
fn files_that_their_client_has_encrypted_are_refused_before_their_first_byte() {
    let bench = Bench::new();
    bench.write("a", b"bytes");
    let (stream, _) = drain(&mut source("M", &[&bench.from()], None));
    let mut objects = objects(&stream);
    let mut stat = AttributeRecord::parse(&objects[0].2[0]).unwrap().stat();
    stat.data_stream = Stream::ENCRYPTED;
    let mut record = Vec::new();
    NewAttributes {
        file_type: FileType::Regular,
        name: b"/never/made",
        stat: &stat,
        link: b"",
        attrs_ex: b"",
        delta_seq: 0,
    }
    .encode(1, &mut record);
    objects[0].2 = vec![record];
    objects.truncate(1);
    let (refused, tally, _) = given_back(&objects, Means::default());
    assert_eq!((refused, tally.files), (Some(Refused::Encrypted("/never/made".to_owned())), 0));
}
