//! The director `bareos-dir` of the recordings as ours, with its catalog in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use towline_core::bulk::work::{DiskDone, DiskWork};
use towline_core::catalog::memory::MemoryCatalog;
use towline_core::catalog::{CatalogError, CatalogErrorKind, CatalogRequest};
use towline_core::config::DirectorConfig;
use towline_core::notice::Notice;
use towline_core::role::director::Director;
use towline_core::time::Wall;
use towline_core::work::configuration::{
    Added, Addition, ConfigurationWork, Configured, NotConfigured, Reread, Written,
};
use towline_core::work::delivery::{Delivery, Undelivered};
use towline_core::work::script::{GatherOrder, ScriptDone, ScriptOrder, ScriptWork};
use towline_core::work::{Work, WorkDone};

use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{self, Protection};
use crate::support::world::{PeerId, World};

/// A minute before the recorded backup: the director's start.
const STARTED: Wall = Wall(1_795_438_885_000_000);
/// The second at which the recorded backup was ordered.
const BACKUP_AFTER: Duration = Duration::from_secs(6);

pub const FILE_PORT: u16 = 42_002;
pub const STORAGE_PORT: u16 = 42_003;

/// Chooses requests to the catalog.
pub type Which = fn(&CatalogRequest) -> bool;

/// The catalog, what it was asked, and how it misbehaves.
pub struct Shelf {
    /// The first catalog.
    pub catalog: MemoryCatalog,
    /// The others, by their names.
    pub others: BTreeMap<String, MemoryCatalog>,
    pub asked: Vec<CatalogRequest>,
    /// One of the others that hangs: what it is asked is kept in the world.
    pub hangs: Option<&'static str>,
    /// These fail.
    pub broken: Which,
    /// With an error of this kind.
    pub failure: CatalogErrorKind,
    /// These are kept in the world until [`Desk::release`].
    pub slow: Which,
    /// The commands that were to run, how each ends (`None`: not by itself), and how many were to be stopped.
    pub ran: Vec<ScriptOrder>,
    pub ends: fn(&ScriptOrder) -> Option<WorkDone>,
    pub stopped: usize,
    /// The files that were to be written, with what and whether after what they have.
    pub put: Vec<(String, String, bool)>,
    /// Whether they are.
    pub puts: fn() -> DiskDone,
    /// What was to be appended to files, and whether it is.
    pub noted: Vec<(String, String)>,
    pub notes: fn() -> DiskDone,
    /// What was to be delivered, and what comes of each (`None`: nothing by itself).
    pub sent: Vec<Delivery>,
    pub takes: fn(&Delivery) -> Option<Result<(), Undelivered>>,
    /// The lists of filesets that were to be read, and what comes of each (`None`: nothing by itself).
    pub lists: Vec<GatherOrder>,
    pub held: fn(&GatherOrder) -> Option<WorkDone>,
    /// What the files of the configuration hold when they are read again, or what is wrong with them.
    pub files: Result<Value, Vec<String>>,
}

/// A director with its catalog.
pub struct Desk {
    pub world: World<Director>,
    shelf: Arc<Mutex<Shelf>>,
}

/// A profile whose lists but that of commands allow everything.
pub fn everything(name: &str) -> Value {
    let mut profile = json!({ "name": name });
    for about in ["job", "client", "storage", "schedule", "pool", "fileset", "catalog", "where"] {
        profile[format!("{about}_acl")] = json!(["*all*"]);
    }
    profile
}

/// The configuration that the recorded director had.
pub fn config() -> Value {
    let tls = json!({ "enable": false, "require": false });
    let options = json!({ "digest": "xxh128", "onefs": false });
    let job = |name: &str, kind: &str| {
        json!({ "name": name, "client": "bareos-fd", "fileset": "Tiny", "storage": "File1", "pool": "Full", "kind": kind,
                "level": "full", "where": "/srv/bareos-run/restored", "maximum_concurrent_jobs": 10 })
    };
    json!({
        "director": { "name": "bareos-dir", "password": "dir-secret", "listen": ["127.0.0.1"], "tls": tls,
                      "sd_connect_timeout": 30, "fd_connect_timeout": 30 },
        "clients": [{ "name": "bareos-fd", "address": "127.0.0.1", "port": FILE_PORT, "password": "fd-secret",
                      "maximum_concurrent_jobs": 10 }],
        "storages": [{ "name": "File1", "address": "127.0.0.1", "port": STORAGE_PORT, "password": "sd-secret",
                       "device": "FileStorage1", "media_type": "File1", "maximum_concurrent_jobs": 10 }],
        "jobs": [job("backup-tiny", "backup"), job("restore", "restore")],
        "filesets": [{ "name": "Tiny", "include": [{ "files": ["/srv/bareos-run/data/tiny"], "options": [options] }] }],
        "pools": [{ "name": "Full", "label_format": "Full-", "maximum_volume_bytes": 21_474_836_480_u64 }],
        "consoles": [{ "name": "admin", "password": "admin-secret", "command_acl": ["!cancel", "*all*"], "profiles": ["all"] },
                     { "name": "reader", "password": "reader-secret", "command_acl": ["list", "status"],
                       "profiles": ["all"] }],
        "profiles": [everything("all")],
    })
}

impl Shelf {
    /// The catalog of this name.
    pub fn named(&mut self, name: &str) -> &mut MemoryCatalog {
        match name {
            "MyCatalog" => &mut self.catalog,
            _ => self.others.entry(name.to_owned()).or_default(),
        }
    }
}

impl Desk {
    /// A director that listens, six seconds after its start.
    pub fn open() -> Self {
        Self::with(config(), MemoryCatalog::default())
    }

    /// A director with this configuration and catalog.
    pub fn with(config: Value, catalog: MemoryCatalog) -> Self {
        Self::begin(config, catalog, Protection::Clear, |_| false)
    }

    /// A director whose catalog is broken for some requests from the start.
    pub fn begin(config: Value, catalog: MemoryCatalog, protection: Protection, broken: Which) -> Self {
        Self::begin_with(config, catalog, protection, (broken, |_| false))
    }

    /// A director whose catalog does not answer from the start.
    pub fn hanging() -> Self {
        Self::begin_with(config(), MemoryCatalog::default(), Protection::Clear, (|_| false, |_| true))
    }

    fn begin_with(
        config: Value,
        catalog: MemoryCatalog,
        protection: Protection,
        (broken, slow): (Which, Which),
    ) -> Self {
        let shelf = Shelf {
            catalog,
            others: BTreeMap::new(),
            hangs: None,
            asked: Vec::new(),
            broken,
            failure: CatalogErrorKind::Unavailable,
            slow,
            ran: Vec::new(),
            ends: |_| None,
            stopped: 0,
            put: Vec::new(),
            puts: || DiskDone::Noted,
            noted: Vec::new(),
            notes: || DiskDone::Noted,
            sent: Vec::new(),
            takes: |_| Some(Ok(())),
            lists: Vec::new(),
            held: |_| None,
            files: Ok(config.clone()),
        };
        let shelf = Arc::new(Mutex::new(shelf));
        let hands = Arc::clone(&shelf);
        let config: DirectorConfig = serde_json::from_value(config).expect("a configuration");
        let settings = roles::settings("R_DIRECTOR::bareos-dir", protection);
        let role = Director::new(Arc::new(config), protection.credentials(), roles::identity());
        let mut world = World::new(role, settings, STARTED, Box::new(move |work| serve(&hands, work)));
        world.wait(BACKUP_AFTER);
        Self { world, shelf }
    }

    pub fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("not poisoned")
    }

    /// Puts this into the files of the configuration, as it was after `change`.
    pub fn put_files(&self, change: impl FnOnce(&mut Value)) {
        let mut shelf = self.shelf();
        let mut files = shelf.files.clone().unwrap_or_else(|_| config());
        change(&mut files);
        shelf.files = Ok(files);
    }

    /// Does the slow work that was kept, and what it leads to.
    pub fn release(&mut self) {
        self.shelf().slow = |_| false;
        while let Some(kept) = self.world.kept.front() {
            let Work::Catalog(name, request) = &kept.work else { panic!("a director has no disk") };
            let (name, request) = (name.clone(), request.clone());
            let answer = self.shelf().named(&name).serve(request);
            self.world.answer(WorkDone::Catalog(answer));
        }
    }

    /// A default console that has been greeted.
    pub fn console(&mut self) -> PeerId {
        self.come_in("*UserAgent*", "dir-secret")
    }

    /// A named console that has been greeted.
    pub fn come_in(&mut self, name: &str, secret: &str) -> PeerId {
        let peer = self.world.come_in(console(name, secret));
        self.world.heard(peer);
        peer
    }

    /// A default console of Towline that has been greeted.
    pub fn towline_console(&mut self) -> PeerId {
        let peer = self.world.come_in(greeted("*UserAgent*", "dir-secret", " Towline=1"));
        self.world.heard(peer);
        peer
    }

    /// What a console is answered, without line feeds at the ends.
    pub fn ask(&mut self, console: PeerId, command: &str) -> Vec<String> {
        self.world.say(console, &format!("text {command}"));
        self.world.heard(console)
    }

    /// Orders the backup `backup-tiny` and leads its storage and file daemon to the point where the data goes.
    /// Returns the console, the storage daemon and the file daemon.
    pub fn backup(&mut self) -> (PeerId, PeerId, PeerId) {
        self.backup_up_to("Status ", "2000 OK backup")
    }

    /// As [`backup`](Self::backup), but the daemons stop before these words.
    pub fn backup_up_to(&mut self, storage: &str, file: &str) -> (PeerId, PeerId, PeerId) {
        self.world.await_dial(STORAGE_PORT, backup_storage().up_to(storage));
        self.world.await_dial(FILE_PORT, backup_file().up_to(file));
        let console = self.console();
        let answer = self.ask(console, "run job=backup-tiny yes");
        assert!(answer.iter().any(|line| line.starts_with("text Job queued. JobId=")), "{answer:?}");
        (console, console + 1, console + 2)
    }

    /// Orders the backup `backup-tiny`, whose daemons give the first `steps` of their answers. Returns the console, the
    /// storage daemon and the file daemon; that one is there after the second step.
    pub fn lead(&mut self, steps: usize) -> (PeerId, PeerId, PeerId) {
        self.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
        self.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
        let console = self.console();
        self.ask(console, "run job=backup-tiny yes");
        let (sd, fd) = (console + 1, console + 2);
        let key = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
        let answers = [
            (sd, format!("3000 OK Job SDid=1 SDtime=1795438888 Authorization={key}\\n")),
            (sd, "2000 OK SDSecureEraseCmd *None* \\n".to_owned()),
            (fd, "2000 OK Job 26.0.0 (21Aug26) Debian GNU/Linux,debian".to_owned()),
            (fd, "2000 OK level\\n".to_owned()),
            (fd, "2000 OK include\\n".to_owned()),
            (fd, "2000 OK FDSecureEraseCmd *None*\\n".to_owned()),
            (sd, "3000 OK use device device=FileStorage1\\n".to_owned()),
            (fd, "2000 OK storage\\n".to_owned()),
            (fd, "2000 OK backup\\n".to_owned()),
        ];
        for (peer, answer) in answers.iter().take(steps) {
            self.world.say(*peer, &format!("text {answer}"));
        }
        (console, sd, fd)
    }

    /// The text of all lines of a job's report in the catalog.
    pub fn report(&self, job_id: u32) -> String {
        use towline_core::catalog::CatalogAnswer;
        match self.shelf().catalog.serve(CatalogRequest::JobLog { job_id }) {
            Ok(CatalogAnswer::Log(rows)) => rows.into_iter().map(|row| row.text).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// The state of a job in the catalog.
    pub fn status(&self, job_id: u32) -> char {
        char::from(self.shelf().catalog.job_row(job_id).expect("the job").job_status)
    }

    /// The director's own log.
    pub fn log(&self) -> String {
        let text = |notice: &Notice| match notice {
            Notice::Log { text, .. } => format!("{text}\n"),
            _ => String::new(),
        };
        self.world.notices.iter().map(text).collect()
    }
}

/// A console that has been greeted; the rest is up to the test.
pub fn console(name: &str, secret: &str) -> Script {
    greeted(name, secret, "")
}

/// The same for a console; `mark` stands at the end of its hello.
fn greeted(name: &str, secret: &str, mark: &str) -> Script {
    let conv = format!(
        "# a console\n\
         > text Hello {name} calling version 26.0.0~pre1 Version=\"26.0.0\"{mark}\\n\n\
         < text auth cram-md5 <186154524.1795438891@R_DIRECTOR::bareos-dir> ssl=0{mark}\\n\n\
         > text 0\\0\n\
         < text 1000 OK auth\\n\n\
         > text auth cram-md5 <1680993682.1795438891@R_CONSOLE::{name}> ssl=0\\n\n\
         < text 0\\0\n\
         > text 1000 OK auth\\n\n\
         < text 1000\\x1eOK: bareos-dir Version: 26.0.0 (23Nov26)\n\
         > text quit\n"
    );
    Script::new(&conv, Side::Acceptor, password(secret)).up_to("quit")
}

/// A daemon that is dialled for an errand and has greeted; the rest is up to the test.
pub fn errand(kind: &str, secret: &str) -> Script {
    let (name, greeting) = match kind {
        "storage" => ("R_STORAGE::bareos-sd", "3000 OK Hello\\n"),
        _ => ("R_CLIENT::bareos-fd", "2000 OK Hello 54\\n"),
    };
    let conv = format!(
        "# an errand to a {kind} daemon\n\
         > text Hello Director bareos-dir calling Version=\"26.0.0\"\\n\n\
         < text auth cram-md5 <186154524.1795438891@{name}> ssl=0\\n\n\
         > text 0\\0\n\
         < text 1000 OK auth\\n\n\
         > text auth cram-md5 <1680993682.1795438891@R_DIRECTOR::bareos-dir> ssl=0\\n\n\
         < text 0\\0\n\
         > text 1000 OK auth\\n\n\
         < text {greeting}\n\
         < text the test's answer\n"
    );
    Script::new(&conv, Side::Dialler, password(secret)).up_to("the test's answer")
}

/// The storage daemon of the recorded backup.
pub fn backup_storage() -> Script {
    Script::new(crate::recording!("01-backup-full/01-DIR-to-SD"), Side::Dialler, password("sd-secret"))
}

/// The file daemon of the recorded backup.
pub fn backup_file() -> Script {
    let conv = crate::recording!("01-backup-full/02-DIR-to-FD");
    our_letters(Script::new(conv, Side::Dialler, password("fd-secret")))
}

/// A file daemon that gets the options of the recorded file set as we write them.
pub fn our_letters(script: Script) -> Script {
    let why = "the letter 0 means nothing and is left out; the order of the others is ours and means nothing either";
    script.differs(why, &["text O S4f0AX\\n"], &["text O S4fAX\\n"])
}

fn serve(shelf: &Mutex<Shelf>, work: &Work) -> Option<WorkDone> {
    let mut shelf = shelf.lock().expect("not poisoned");
    let (name, request) = match work {
        Work::Catalog(name, request) => (name, request),
        Work::Script(ScriptWork::Run(order)) => {
            shelf.ran.push(order.clone());
            return (shelf.ends)(order);
        }
        Work::Script(ScriptWork::Gather(order)) => {
            shelf.lists.push(order.clone());
            return (shelf.held)(order);
        }
        Work::Script(ScriptWork::Stop(_)) => {
            shelf.stopped += 1;
            return Some(WorkDone::Script(ScriptDone::Told));
        }
        Work::Disk(DiskWork::Put { path, text, appends }) => {
            shelf.put.push((path.clone(), String::from_utf8(text.clone()).expect("text"), *appends));
            return Some(WorkDone::Disk((shelf.puts)()));
        }
        Work::Disk(DiskWork::Note { path, text }) => {
            shelf.noted.push((path.clone(), String::from_utf8(text.clone()).expect("text")));
            return Some(WorkDone::Disk((shelf.notes)()));
        }
        Work::Deliver(delivery) => {
            shelf.sent.push(delivery.clone());
            return (shelf.takes)(delivery).map(WorkDone::Delivered);
        }
        Work::Configuration(work) => return Some(WorkDone::Configuration(reread(&mut shelf.files, work))),
        // Kept in the world: the tests want to see the director's state.
        Work::Publish(_) => return None,
        _ => panic!("a director has no disk"),
    };
    shelf.asked.push(request.clone());
    if (shelf.slow)(request) || shelf.hangs == Some(&**name) {
        return None;
    }
    if (shelf.broken)(request) {
        return Some(WorkDone::Catalog(Err(CatalogError::new(shelf.failure, "it is gone"))));
    }
    Some(WorkDone::Catalog(shelf.named(name).serve(request.clone())))
}

/// What the hands find in the files of the configuration.
fn reread(files: &mut Result<Value, Vec<String>>, work: &ConfigurationWork) -> Result<Configured, NotConfigured> {
    let files = files.as_mut().map_err(|findings| NotConfigured(findings.clone()))?;
    let added = match work {
        ConfigurationWork::Add(Addition { kind, name, directives }) => {
            let mut pool = json!({ "name": name });
            for (key, value) in directives {
                pool[key] = json!(value);
            }
            assert_eq!(kind, "pool", "this is all the hands of these tests know");
            files["pools"].as_array_mut().expect("a list").push(pool);
            let file = Written { name: format!("/etc/{name}.conf"), content: "Pool {\n}\n".to_owned() };
            Some(Added { kind: "Pool", name: name.clone(), file, is_part: false, exported: None })
        }
        _ => None,
    };
    let protection = Protection::Clear;
    Ok(Configured::Director(Box::new(Reread {
        config: serde_json::from_value(files.clone()).expect("a configuration"),
        credentials: protection.credentials(),
        engines: Arc::new(protection.acceptor()),
        warnings: Vec::new(),
        added,
    })))
}
