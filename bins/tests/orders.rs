//! What a director's configuration and its console order beside plain backups, through real daemons: named pipes, commands
//! of a console beside a job, names of volumes with variables, a restore by bootstrap, and a wait for a client.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use support::network::{Network, Plan};
use support::{noise, plant, tree, wait_for};

/// The folder that the daemons work in, as their configuration names it.
fn folder(text: &str) -> &str {
    text.split("working_directory: \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

fn pipe(at: &Path) {
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    mknodat(CWD, at, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

#[test]
fn a_pipe_is_read_for_a_backup_and_written_for_a_restore() {
    fn rewrite(text: String) -> String {
        let pipe = format!("include: [(files: [{:?}, ", format!("{}/source/pipe", folder(&text)));
        text.replace("include: [(files: [", &pipe)
    }
    let network = Network::start(&Plan { options: "read_fifo: true,".to_owned(), rewrite, ..Plan::default() });
    let bytes = noise(7, 900_001);
    pipe(&network.source.join("pipe"));
    pipe(&network.source.join("inside"));
    std::fs::write(network.source.join("file"), "plain").unwrap();
    let backup = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut writer = File::options().write(true).open(network.source.join("pipe")).unwrap();
            writer.write_all(&bytes).unwrap();
        });
        network.backup()
    });
    assert!(backup.is_ok(), "{}", backup.report);

    let there = network.place("restored/pipe");
    pipe(&there);
    let restore = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut all = Vec::new();
            File::open(&there).unwrap().read_to_end(&mut all).unwrap();
            all
        });
        let restore = network.run("restore client=f regexwhere=!/source/!/restored/! all done yes");
        assert!(reader.join().unwrap() == bytes, "{}", restore.report);
        restore
    });
    assert!(restore.is_ok(), "{}", restore.report);
    assert_eq!(std::fs::read_to_string(network.place("restored/file")).unwrap(), "plain");
    let is_pipe = |name: &str| {
        use std::os::unix::fs::FileTypeExt as _;
        std::fs::symlink_metadata(network.place(name)).unwrap().file_type().is_fifo()
    };
    assert!(is_pipe("restored/pipe") && is_pipe("restored/inside"));
}

#[test]
fn a_job_that_waits_for_a_pipe_can_be_cancelled() {
    fn rewrite(text: String) -> String {
        let pipe = format!("include: [(files: [{:?}, ", format!("{}/source/pipe", folder(&text)));
        text.replace("include: [(files: [", &pipe)
    }
    let network = Network::start(&Plan { options: "read_fifo: true,".to_owned(), rewrite, ..Plan::default() });
    pipe(&network.source.join("pipe"));
    // Somebody who has opened it, which waits for the job, and says nothing: it would wait for ever.
    let id = network.begin_backup();
    let writer = File::options().write(true).open(network.source.join("pipe")).unwrap();
    network.ask(&[&format!("cancel jobid={id}")]);
    let ended = network.end_of(id);
    assert!(ended.termination().contains("Cancel"), "{}", ended.report);
    drop(writer);
    network.assert_all_serve();
}

#[test]
fn a_job_has_commands_of_a_console_done_and_volumes_are_named_with_variables() {
    const SCRIPTS: &str = r#"name: "b", level: full, run_scripts: [
        (command: "whoami", console: true, runs_when: before),
        (command: "list volumes", console: true, runs_when: after),
        (command: "update volume=v-f-b-0041 volstatus=Used", console: true, runs_when: after),
    ],"#;
    fn rewrite(text: String) -> String {
        text.replace(r#"name: "b", level: full,"#, SCRIPTS)
            .replace(r#"label_format: "v-""#, r#"label_format: "v-$Client-${Job}-${Tape+:p/4/0/r}""#)
            .replace("pools: [", r#"counters: [(name: "Tape", minimum: 41, keep: true)], pools: ["#)
    }
    let mut network = Network::start(&Plan { rewrite, ..Plan::default() });
    std::fs::write(network.source.join("file"), "plain").unwrap();
    let first = network.backup();
    assert!(first.is_ok(), "{}", first.report);
    for text in [
        "console command: run BeforeJob \"whoami\"\n",
        "console command: run AfterJob \"list volumes\"\n",
        "AfterJob: | ",
        "v-f-b-0041",
    ] {
        assert!(first.report.contains(text), "{text}: {}", first.report);
    }
    let volumes = network.ask(&["list volumes"]);
    assert!(volumes.contains("v-f-b-0041") && volumes.contains("Used"), "{volumes}");
    // The catalog keeps the counter.
    network.director.kill();
    network.director.restart();
    let second = network.backup();
    assert!(second.report.contains("v-f-b-0042"), "{}", second.report);
    assert!(!second.report.contains("v-f-b-0043"), "{}", second.report);
}

#[test]
fn a_restore_by_bootstrap_brings_back_what_the_backup_saved() {
    fn rewrite(text: String) -> String {
        let file = format!(r#"name: "b", level: full, write_bootstrap: "{}/%n.bsr","#, folder(&text));
        text.replace(r#"name: "b", level: full,"#, &file)
    }
    let network =
        Network::start(&Plan { rewrite, pool: "maximum_volume_bytes: 1048576,".to_owned(), ..Plan::default() });
    plant(&network.source, 3, 3 << 20);
    let backup = network.backup();
    assert!(backup.is_ok(), "{}", backup.report);
    assert!(network.volume_files().len() > 1, "on several volumes");
    let file = network.place("b.bsr");
    let place = network.place("restored");
    let line = format!("restore bootstrap={} client=f where={} yes", file.display(), place.display());
    let restore = network.run(&line);
    assert!(restore.is_ok(), "{}", restore.report);
    let below = place.join(network.source.strip_prefix("/").unwrap());
    assert_eq!(tree(&below), tree(&network.source));

    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("Volume=\"v-0001\"", "Volume=\"gone\"")).unwrap();
    let answer = network.ask(&[&line]);
    assert!(answer.contains("volumes that the catalog does not have: gone (T0744)"), "{answer}");
    std::fs::write(&file, "root:x:0\n").unwrap();
    let answer = network.ask(&[&line]);
    assert!(answer.contains("is no bootstrap: ") && answer.contains("(T0743)"), "{answer}");
}

#[test]
fn a_backup_waits_for_a_client_that_dials_in_without_the_storage_and_runs_when_it_comes() {
    fn rewrite(text: String) -> String {
        text.replace(r#"name: "b", level: full,"#, r#"name: "b", level: full, wait_for_client: "1 h","#)
    }
    let client = "connection_from_client_to_director: true, connection_from_director_to_client: false,".to_owned();
    let mut network = Network::start(&Plan { rewrite, client, ..Plan::default() });
    std::fs::write(network.source.join("file"), "plain").unwrap();
    let id = network.begin_backup();
    wait_for("the job to wait", || {
        network.ask(&["status director"]).contains("waits for its client f until ").then_some(())
    });
    assert!(network.ask(&["status storage=s"]).contains("No Jobs running"));

    let dials = format!(
        r#"password: "fpw", address: "127.0.0.1", port: {}, connection_from_client_to_director: true"#,
        network.director.address.port()
    );
    network.file.rewrite(r#"password: "fpw""#, &dials);
    network.file.kill();
    network.file.restart();
    let ended = network.end_of(id);
    assert!(ended.is_ok() && ended.report.contains("Client \"f\" is here."), "{}", ended.report);
    // Now it is there, and nothing waits.
    let again = network.backup();
    assert!(again.is_ok() && !again.report.contains("away"), "{}", again.report);
}
