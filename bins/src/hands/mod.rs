//! The hands of a daemon: one thread for each open tree or volume, one for the catalog, and the log.
//!
//! ```text
//!   submit(Disk(OpenX))   --> a thread of its own, behind a queue of fixed length --> reply
//!   submit(Disk(Fill …))  --> the queue of its handle                             --> reply
//!   submit(Disk(Close))   --> ends the queue; what was in it is done first        --> reply
//!   submit(Disk(Note))    --> a thread for this one piece                         --> reply
//!   submit(Disk(Put))     --> a thread for this one piece                         --> reply
//!   submit(Disk(Label))   --> a thread for this one piece                         --> reply
//!   submit(Catalog(…))    --> the catalog's worker                                --> reply
//!   submit(Script(Run))   --> a thread for this one command                       --> reply
//!   submit(Script(Gather)) --> a thread for these lists                           --> reply
//!   submit(Script(Stop))  --> ends that command's process group                   --> reply
//!   submit(Deliver)       --> who delivers messages                               --> reply
//!   submit(Configuration) --> a thread for this one piece                         --> reply
//!   submit(Publish)       --> who shows the director's state                                --> reply, once it is wanted anew
//! ```
//! Every reply is called exactly once, also when a thread panics, a queue is full or a handle is unknown.

mod note;
mod open;
mod put;
mod script;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::pipe::{PipeFlags, pipe_with};
use towline_core::bulk::work::{DiskDone, DiskError, DiskWork, SpoolWork, Tally};
use towline_core::catalog::{CatalogName, CatalogRequest};
use towline_core::drive::{Hands, Reply};
use towline_core::ids::HandleId;
use towline_core::notice::Notice;
use towline_core::work::configuration::{ConfigurationWork, Configured, NotConfigured};
use towline_core::work::delivery::Delivery;
use towline_core::work::health::Health;
use towline_core::work::{Work, WorkDone};

use crate::volume::erase::Eraser;
use crate::volume::stored::is_in_store;
use open::Open;

/// Pieces of work that may wait for one handle.
pub const QUEUE: usize = 16;

/// Where notices go.
pub type Log = Box<dyn Fn(Notice) + Send + Sync>;

/// Who answers the requests to the catalogs, each of which has a name; calls the reply exactly once.
pub type CatalogDesk = Box<dyn Fn(&CatalogName, CatalogRequest, Reply) + Send + Sync>;

/// Who reads the configuration again.
pub type ConfigurationDesk = Box<dyn Fn(ConfigurationWork) -> Result<Configured, NotConfigured> + Send + Sync>;

/// Who delivers messages; calls the reply exactly once.
pub type DeliveryDesk = Box<dyn Fn(Delivery, Reply) + Send + Sync>;

/// Who shows the director's state; calls the reply once somebody wants to see it anew.
pub type PublicationDesk = Box<dyn Fn(Option<Box<Health>>, Reply) + Send + Sync>;

/// The workers of one daemon.
pub struct Workers {
    log: Log,
    catalog: Option<CatalogDesk>,
    configuration: Option<Arc<ConfigurationDesk>>,
    deliveries: Option<DeliveryDesk>,
    publications: Option<PublicationDesk>,
    eraser: Eraser,
    handles: Handles,
    scripts: script::Scripts,
}

type Handles = Arc<Mutex<BTreeMap<HandleId, Handle>>>;
type Piece = (DiskWork, Reply);

/// The way to a thread. Dropping it lets the thread finish what waits, and end.
struct Handle {
    queue: SyncSender<Piece>,
    /// Who is told of the end.
    close: Arc<Mutex<Option<Reply>>>,
    /// Closed with the handle: then what the job runs is ended.
    stop: Option<OwnedFd>,
}

impl Workers {
    /// Workers for the disk alone.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self {
            log,
            catalog: None,
            configuration: None,
            deliveries: None,
            publications: None,
            eraser: Eraser::default(),
            handles: Handles::default(),
            scripts: script::Scripts::default(),
        }
    }

    /// The same with a catalog.
    #[must_use]
    pub fn with_catalog(self, catalog: CatalogDesk) -> Self {
        Self { catalog: Some(catalog), ..self }
    }

    /// The same with somebody who reads the configuration again.
    #[must_use]
    pub fn with_configuration(self, configuration: ConfigurationDesk) -> Self {
        Self { configuration: Some(Arc::new(configuration)), ..self }
    }

    /// The same with somebody who delivers messages.
    #[must_use]
    pub fn with_deliveries(self, deliveries: DeliveryDesk) -> Self {
        Self { deliveries: Some(deliveries), ..self }
    }

    /// The same with somebody who shows the director's state.
    #[must_use]
    pub fn with_publications(self, publications: PublicationDesk) -> Self {
        Self { publications: Some(publications), ..self }
    }

    /// The same with somebody who deletes volumes and spool files.
    #[must_use]
    pub fn with_eraser(self, eraser: Eraser) -> Self {
        Self { eraser, ..self }
    }

    fn disk(&self, work: DiskWork, reply: Reply) {
        let handle = handle_of(&work);
        match work {
            DiskWork::OpenBackup { .. }
            | DiskWork::OpenEstimate { .. }
            | DiskWork::OpenRestore { .. }
            | DiskWork::OpenVerify { .. }
            | DiskWork::OpenLook { .. }
            | DiskWork::OpenRead { .. }
            | DiskWork::OpenSpool { .. }
            | DiskWork::Mount { .. } => {
                // Without them what the job runs goes on until it ends by itself.
                let (given_up, stop) = pipe_if_needed(&work).unzip();
                let eraser = self.eraser.clone();
                self.open(handle, stop, move || open::open(work, given_up, &eraser), reply);
            }
            DiskWork::Close { .. } => self.close(handle, reply),
            DiskWork::Note { path, text } => note::append(path, text, reply),
            DiskWork::Put { path, text, appends } => put::put(path, text, appends, reply),
            DiskWork::Label { folder, label, before } => {
                let eraser = self.eraser.clone();
                let labelled = move || open::label(&folder, &label, before.as_deref(), &eraser);
                once("label", move || WorkDone::Disk(labelled()), reply);
            }
            work => self.queue(handle, work, reply),
        }
    }

    /// Starts a thread that opens something and then works on it.
    fn open(
        &self,
        handle: HandleId,
        stop: Option<OwnedFd>,
        opener: impl FnOnce() -> Result<(Box<dyn Open>, DiskDone), DiskError> + Send + 'static,
        reply: Reply,
    ) {
        let (queue, pieces) = sync_channel(QUEUE);
        let close = Arc::new(Mutex::new(None));
        {
            let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
            if handles.contains_key(&handle) {
                drop(handles);
                return reply(failed("a handle is opened twice", Vec::new()));
            }
            handles.insert(handle, Handle { queue, close: Arc::clone(&close), stop });
        }
        // The reply must survive a thread that cannot be started.
        let reply = Arc::new(Mutex::new(Some(reply)));
        let (mine, handles) = (Arc::clone(&reply), Arc::clone(&self.handles));
        let body = move || {
            let opened = catch_unwind(AssertUnwindSafe(opener)).unwrap_or_else(|_| Err(panicked()));
            let mut worker = None;
            let done = match opened {
                Ok((open, done)) => {
                    worker = Some(open);
                    done
                }
                Err(error) => {
                    forget(&handles, handle);
                    DiskDone::Failed { error, buffer: Vec::new() }
                }
            };
            answer(&mine, WorkDone::Disk(done));
            let tally = serve(worker, &pieces);
            answer(&close, WorkDone::Disk(DiskDone::Closed(tally)));
        };
        if let Err(error) = thread::Builder::new().name(format!("disk-{}", handle.0)).spawn(body) {
            forget(&self.handles, handle);
            answer(&reply, failed(&format!("cannot start a thread: {error}"), Vec::new()));
        }
    }

    fn queue(&self, handle: HandleId, work: DiskWork, reply: Reply) {
        let refused = {
            let handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
            match handles.get(&handle) {
                None => Err((failed("nothing is open under this handle", buffer_of(work)), reply)),
                Some(to) => to.queue.try_send((work, reply)).map_err(|error| match error {
                    TrySendError::Full((_, reply)) => (WorkDone::Refused, reply),
                    TrySendError::Disconnected((work, reply)) => {
                        (failed("its thread has ended", buffer_of(work)), reply)
                    }
                }),
            }
        };
        if let Err((done, reply)) = refused {
            reply(done);
        }
    }

    fn close(&self, handle: HandleId, reply: Reply) {
        let found = self.handles.lock().unwrap_or_else(PoisonError::into_inner).remove(&handle);
        match found {
            Some(Handle { queue, close, stop }) => {
                *close.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
                // The thread ends after what is in the queue; it looks for `close` only then.
                drop((queue, stop));
            }
            None => reply(WorkDone::Disk(DiskDone::Closed(Tally::default()))),
        }
    }
}

impl Hands for Workers {
    fn submit(&self, work: Work, reply: Reply) {
        match (work, &self.catalog) {
            (Work::Disk(work), _) => self.disk(work, reply),
            (Work::Catalog(name, request), Some(catalog)) => catalog(&name, request, reply),
            (Work::Script(work), _) => self.scripts.submit(work, reply),
            (Work::Configuration(work), _) => match &self.configuration {
                Some(desk) => {
                    let desk = Arc::clone(desk);
                    once("configuration", move || WorkDone::Configuration(desk(work)), reply);
                }
                None => reply(WorkDone::Refused),
            },
            (Work::Deliver(delivery), _) => match &self.deliveries {
                Some(desk) => desk(delivery, reply),
                None => reply(WorkDone::Refused),
            },
            (Work::Publish(health), _) => match &self.publications {
                Some(desk) => desk(health, reply),
                None => reply(WorkDone::Refused),
            },
            _ => reply(WorkDone::Refused),
        }
    }

    fn notify(&self, notice: Notice) {
        (self.log)(notice);
    }
}

/// Works until the queue has ended. A worker that panicked is not touched again.
fn serve(mut worker: Option<Box<dyn Open>>, pieces: &Receiver<Piece>) -> Tally {
    for (work, reply) in pieces {
        let done = match &mut worker {
            None => failed("it could not be opened, or a mistake of this program broke it", buffer_of(work)),
            Some(open) => match catch_unwind(AssertUnwindSafe(|| open.work(work))) {
                Ok(done) => WorkDone::Disk(done),
                Err(_) => {
                    worker = None;
                    WorkDone::Disk(DiskDone::Failed { error: panicked(), buffer: Vec::new() })
                }
            },
        };
        // A reply only posts; should it panic all the same, the others must still be called.
        let _posted = catch_unwind(AssertUnwindSafe(|| reply(done)));
    }
    worker.and_then(|open| catch_unwind(AssertUnwindSafe(|| open.close())).ok()).unwrap_or_default()
}

/// Does one piece on a thread of its own.
fn once(name: &str, body: impl FnOnce() -> WorkDone + Send + 'static, reply: Reply) {
    // The reply must survive a thread that cannot be started, and a mistake in the body.
    let reply = Arc::new(Mutex::new(Some(reply)));
    let mine = Arc::clone(&reply);
    let body = move || {
        let failed = |_| WorkDone::Disk(DiskDone::Failed { error: panicked(), buffer: Vec::new() });
        answer(&mine, catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(failed));
    };
    if let Err(error) = thread::Builder::new().name(name.to_owned()).spawn(body) {
        answer(&reply, failed(&format!("cannot start a thread: {error}"), Vec::new()));
    }
}

/// What tells the thread of a job that it is given up: those of its files run something, and those of volumes in a store
/// wait for it.
fn pipe_if_needed(work: &DiskWork) -> Option<(OwnedFd, OwnedFd)> {
    let waits = match work {
        DiskWork::OpenBackup { .. }
        | DiskWork::OpenEstimate { .. }
        | DiskWork::OpenLook { .. }
        | DiskWork::OpenRestore { .. } => true,
        DiskWork::OpenRead { folder, elsewhere, .. } => {
            is_in_store(folder) || elsewhere.values().any(|folder| is_in_store(folder))
        }
        DiskWork::Mount { folder, .. } => is_in_store(folder),
        _ => false,
    };
    if waits { pipe_with(PipeFlags::CLOEXEC).ok() } else { None }
}

fn answer(slot: &Mutex<Option<Reply>>, done: WorkDone) {
    let reply = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(reply) = reply {
        reply(done);
    }
}

fn forget(handles: &Handles, handle: HandleId) {
    handles.lock().unwrap_or_else(PoisonError::into_inner).remove(&handle);
}

fn failed(text: &str, buffer: Vec<u8>) -> WorkDone {
    WorkDone::Disk(DiskDone::Failed { error: worker_error(text), buffer })
}

fn panicked() -> DiskError {
    worker_error("a mistake of this program stopped it; please report it")
}

fn worker_error(text: &str) -> DiskError {
    DiskError::Other { path: "disk worker".to_owned(), text: text.to_owned() }
}

fn buffer_of(work: DiskWork) -> Vec<u8> {
    match work {
        DiskWork::Fill { parcel, .. } | DiskWork::Apply { parcel, .. } | DiskWork::Verify { parcel, .. } => {
            parcel.bytes
        }
        DiskWork::Append { block, .. } => block,
        DiskWork::Spool { work: SpoolWork::Hold { bytes: buffer, .. } | SpoolWork::Next { buffer }, .. } => buffer,
        _ => Vec::new(),
    }
}

fn handle_of(work: &DiskWork) -> HandleId {
    match work {
        DiskWork::OpenBackup { handle, .. }
        | DiskWork::OpenEstimate { handle, .. }
        | DiskWork::OpenRestore { handle, .. }
        | DiskWork::OpenVerify { handle, .. }
        | DiskWork::OpenLook { handle, .. }
        | DiskWork::OpenRead { handle, .. }
        | DiskWork::Mount { handle, .. }
        | DiskWork::OpenSpool { handle, .. }
        | DiskWork::Spool { handle, .. }
        | DiskWork::Fill { handle, .. }
        | DiskWork::Apply { handle, .. }
        | DiskWork::Verify { handle, .. }
        | DiskWork::Append { handle, .. }
        | DiskWork::Sync { handle }
        | DiskWork::Close { handle } => *handle,
        // No handle is ever 0: the work is then told that nothing is open.
        _ => HandleId(0),
    }
}
