//! Verify jobs of a client's disk: its state goes into the catalog, and is compared with it later.

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::wire::attributes::Stat;
use towline_core::wire::digest::Algorithm;
use towline_core::wire::verify::VerifyLine;

use super::desk::{Desk, FILE_PORT, config, errand};
use super::jobs::file_end;

/// A file on the disk: its name, its size, and a digest.
type File = (&'static str, i64, &'static str);

const OLD: &[File] =
    &[("/same", 1, "SzpiGLs+OnMD6KFxpg/Pkg"), ("/changed", 2, "SzpiGLs+OnMD6KFxpg/Pkg"), ("/gone", 3, "")];
const NEW: &[File] =
    &[("/same", 1, "SzpiGLs+OnMD6KFxpg/Pkg"), ("/changed", 5, "AAAAGLs+OnMD6KFxpg/Pkg"), ("/new", 3, "")];

fn desk() -> Desk {
    let mut config = config();
    let mut job = config["jobs"][0].clone();
    (job["name"], job["kind"], job["verify_level"]) = (json!("v"), json!("verify"), json!("catalog"));
    job.as_object_mut().expect("an object").remove("where");
    config["jobs"].as_array_mut().expect("jobs").push(job);
    Desk::with(config, MemoryCatalog::default())
}

/// Runs a verify job, whose client has these files; returns what it was told.
fn run(desk: &mut Desk, command: &str, files: &[File]) -> Vec<String> {
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    let console = desk.console();
    let answer = desk.ask(console, command).concat();
    assert!(answer.contains("Job queued"), "{answer}");
    let fd = console + 1;
    for answer in ["2000 OK Job 26.0.0 (21Aug26) Debian GNU/Linux,debian", "2000 OK include\\n", "2000 OK verify\\n"] {
        desk.world.say(fd, &format!("text {answer}"));
    }
    let told = desk.world.heard(fd);
    for (index, (name, size, digest)) in (1..).zip(files) {
        let mut lstat = Vec::new();
        Stat { mode: 0o100_644, size: *size, ..Stat::default() }.encode(&mut lstat);
        let (options, name, digest) = (b"VVs5".as_slice(), name.as_bytes(), digest.as_bytes());
        let mut lines = vec![VerifyLine::Attributes { file_index: index, options, name, lstat: &lstat, link: b"" }];
        if !digest.is_empty() {
            lines.push(VerifyLine::Digest { file_index: index, algorithm: Algorithm::Md5, digest });
        }
        for line in lines {
            let mut payload = Vec::new();
            line.put(&mut payload);
            let text = String::from_utf8(payload).expect("text").replace('\0', "\\0");
            desk.world.say(fd, &format!("text {text}"));
        }
    }
    desk.world.say(fd, "signal -1");
    desk.world.say(fd, &file_end(b'T', 0));
    told
}

#[test]
fn the_state_of_a_disk_goes_into_the_catalog_and_differences_are_told_as_real_directors_do() {
    let mut desk = desk();
    let told = run(&mut desk, "run job=v level=initcatalog yes", OLD).join("\n");
    assert!(told.contains("Authorization=dummy") && told.contains("Vpinsug5:"), "{told}");
    assert!(told.contains("verify level=init") && !told.contains("storage address"), "{told}");
    assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
    // Nothing has changed.
    let told = run(&mut desk, "run job=v yes", OLD).join("\n");
    assert!(told.contains("verify level=catalog"), "{told}");
    assert_eq!(desk.status(2), 'T', "{}", desk.report(2));
    run(&mut desk, "run job=v level=catalog yes", NEW);
    assert_eq!(desk.status(3), 'D');
    let report = desk.report(3);
    let expected = "File: /changed\n      st_size  differ. Cat: 2 File: 5\n      digest differs. \
                    File=AAAAGLs+OnMD6KFxpg/Pkg Cat=SzpiGLs+OnMD6KFxpg/Pkg\n";
    for text in [
        expected,
        "New file: /new\n",
        "The following files are in the Catalog but not on disk:\n      /gone\n",
        "  Differences:            3\n",
        "Verifying against JobId 1",
    ] {
        assert!(lines_of(&report).contains(text), "{text}: {report}");
    }
}

/// A report without what stands before the text of each line.
fn lines_of(report: &str) -> String {
    report.lines().map(|line| format!("{}\n", line.split_once("JobId 3: ").map_or(line, |(_, text)| text))).collect()
}

#[test]
fn a_disk_is_compared_with_the_newest_backup_or_with_nothing() {
    let mut desk = desk();
    let console = desk.console();
    desk.ask(console, "run job=v yes");
    assert_eq!(desk.status(1), 'f');
    let report = desk.report(1);
    assert!(report.contains("(T0741)") && report.contains("level=initcatalog"), "{report}");
    let answer = desk.ask(console, "run job=v level=data yes").concat();
    assert!(answer.contains("volumetocatalog, disktocatalog, initcatalog or catalog"), "{answer}");
    desk.ask(console, "run job=v level=disktocatalog yes");
    assert!(desk.report(2).contains("(T0583)"), "{}", desk.report(2));
}
