//! Jobs of a storage daemon as recorded, step by step, so that they can go otherwise from any step on.

use std::sync::{Arc, Mutex};

use towline_core::role::storage::StorageDaemon;
use towline_core::secret::Secret;

use crate::recording;
use crate::support::catalog::Catalog;
use crate::support::conv::{Frame, Side};
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{Protection, STARTED, storage_daemon};
use crate::support::volumes::{Shelf, hands};
use crate::support::world::{PeerId, World};

pub(super) const KEY: &str = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
pub(super) const JOB: &str = "backup-tiny.2026-11-23_13.01.31_03";
pub(super) const DIRECTOR: &str = recording!("01-backup-full/01-DIR-to-SD");
pub(super) const FILE: &str = recording!("01-backup-full/03-FD-to-SD");
/// What a recorded backup comes to.
pub(super) const GOOD: &str = "JobStatus=84 JobFiles=6 JobBytes=1749 JobErrors=0";

/// The recorded job or another one after it: what the director and the file daemon say, its name and its key.
pub(super) struct Job {
    pub(super) director: String,
    pub(super) file: String,
    pub(super) name: String,
    pub(super) key: String,
}

pub(super) fn job(number: u32) -> Job {
    let name = JOB.replace("_03", &format!("_0{}", number + 2));
    let key = KEY.replace("DJFK", &format!("DJF{}", char::from(b'J' + number as u8)));
    let adapt = |conv: &str| {
        conv.replace(JOB, &name)
            .replace(KEY, &key)
            .replace("SDid=1 ", &format!("SDid={number} "))
            .replace("ticket = 1", &format!("ticket = {number}"))
    };
    Job { director: adapt(DIRECTOR), file: adapt(FILE), name: name.clone(), key }
}

pub(super) fn world() -> (World<StorageDaemon>, Arc<Mutex<Shelf>>) {
    let (hands, shelf) = hands();
    (storage_daemon(Protection::Clear, STARTED, hands), shelf)
}

pub(super) fn director_script(job: &Job) -> Script {
    Script::new(&job.director, Side::Acceptor, password("sd-secret"))
}

/// A director that has said `run`, and goes on by hand.
pub(super) fn run(world: &mut World<StorageDaemon>, job: &Job) -> PeerId {
    let peer = world.come_in(director_script(job).until_we_say("Status Job="));
    world.heard(peer);
    peer
}

/// A director that has only let itself in.
pub(super) fn session(world: &mut World<StorageDaemon>) -> PeerId {
    let peer = world.come_in(director_script(&job(1)).up_to("JobId="));
    world.heard(peer);
    peer
}

pub(super) fn file_script(job: &Job) -> Script {
    Script::new(&job.file, Side::Acceptor, Secret::from(job.key.as_str()))
}

/// Lets the catalog answer until nothing is asked any more. Returns what else the director heard.
pub(super) fn serve(world: &mut World<StorageDaemon>, director: PeerId, catalog: &mut Catalog) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let mut asked = false;
        for line in world.heard(director) {
            match catalog.answer(&line) {
                Some(answer) => {
                    asked = true;
                    world.say(director, &answer);
                }
                None => heard.push(line),
            }
        }
        if !asked {
            return heard;
        }
    }
}

pub(super) fn assert_ended(heard: &[String], name: &str, how: &str) {
    let [.., end, eod, terminate, fin] = heard else { panic!("no end in {heard:#?}") };
    assert!(end.starts_with("text 3099 "), "no end in {heard:#?}");
    assert_eq!(*end, format!(r"text 3099 Job {name} end {how}\n"));
    assert_eq!([eod, terminate, fin], ["signal -1", "signal -4", "fin"]);
}

pub(super) fn status_of(number: u8, name: &str) -> String {
    format!(r"text Status Job={name} JobStatus={number}\n")
}

/// The recorded attributes of the first file.
pub(super) fn attributes() -> Vec<u8> {
    crate::support::files::recorded_files(FILE)[0].1.clone()
}

/// Sends one file with these data messages, and the end of the data.
pub(super) fn send_file(world: &mut World<StorageDaemon>, file: PeerId, contents: &[Vec<u8>]) {
    let peer = &mut world.peers[file];
    let mut frames = vec![Frame::text("1 1 0"), Frame::Data(attributes()), Frame::Signal(-1), Frame::text("1 2 0")];
    frames.extend(contents.iter().map(|bytes| Frame::Data(bytes.clone())));
    frames.extend([Frame::Signal(-1), Frame::Signal(-1)]);
    frames.iter().for_each(|frame| peer.say(frame));
    world.run();
}

/// Says what a file daemon says after its data.
pub(super) fn finish(world: &mut World<StorageDaemon>, file: PeerId) {
    world.say(file, r"text append end session 1\n");
    world.say(file, r"text append close session 1\n");
    let heard = world.heard(file);
    assert_eq!(heard, [r"text 3000 OK end\n", r"text 3000 OK close Status = 84\n", "signal -1"]);
    world.say(file, "signal -4");
}
