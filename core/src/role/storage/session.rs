//! A director's session with the storage daemon: the commands of `wire/3 §1.2`.

use std::sync::Arc;

use crate::ids::SessionId;
use crate::notice::Level;
use crate::role::diary::ForMail;
use crate::role::sessions::{self, Sessions};
use crate::role::storage::Net;
use crate::role::trouble::Trouble;
use crate::wire::block::Session as SessionIds;
use crate::wire::bsr::{Bootstrap, Selection};
use crate::wire::cram_md5;
use crate::wire::frame::Signal;
use crate::wire::hello::Version;
use crate::wire::message::MessageKind;
use crate::wire::status::JobStatus;
use crate::wire::storage::{StorageCommand, StorageJob, UseStorage};
use crate::wire::storage_answers::{self as answers, JobAccepted};

use super::device::Need;
use super::job::{Control, Job, Order, Part, Place, Presence};
use super::report::Wanted;
use super::{Due, StorageDaemon};

/// Bytes of the longest bootstrap.
const MAX_BOOTSTRAP: usize = 64 * 1024 * 1024;
/// Devices and storages one job may name.
const MAX_DEVICES: usize = 1_000;
/// Directors of Bareos since this one know reports of how much is written; to those before they are the end of the job
/// (`wire/3 §2.3`).
const HEARS_PROGRESS: u32 = 22;

/// Whether a director knows reports of how much of a job is written: ours does, whatever its own version is.
pub(super) fn hears_progress(is_towline: bool, version: Option<Version>) -> bool {
    is_towline || version.is_some_and(|version| version.major >= HEARS_PROGRESS)
}

/// One authenticated connection of a director.
pub(super) type Session = sessions::Session<Job, Reading>;

/// What the next messages are.
#[derive(Debug, Default)]
pub(super) enum Reading {
    #[default]
    Commands,
    /// `use device` lines after a `use storage`; a second EOD in a row ends the command.
    Devices { groups: Vec<Group>, open: bool },
    /// A bootstrap until EOD, cut anywhere (`wire/3 §1.3.3`).
    Bootstrap(Vec<u8>),
    /// The director waits for an answer, and has nothing to say.
    Nothing,
}

/// A `use storage` line with its `use device` lines.
#[derive(Debug)]
pub(super) struct Group {
    storage: UseStorage,
    devices: Vec<String>,
}

impl Group {
    const fn new(storage: UseStorage) -> Self {
        Self { storage, devices: Vec::new() }
    }
}

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Go,
    End,
}

impl Sessions<Job, Reading> {
    /// The job of a session, and the way to its director.
    pub(super) fn job_of<'a>(&mut self, net: &'a mut Net, id: SessionId) -> Option<(&mut Job, Control<'a>)> {
        let session = self.get_mut(id)?;
        Some((session.job.as_mut()?, Control::new(net, session.conn)))
    }
}

impl StorageDaemon {
    /// Serves one message of a director that is no answer to a catalog request.
    pub(super) fn command(&mut self, net: &mut Net, id: SessionId, text: &[u8]) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let next = match &mut session.known {
            Reading::Bootstrap(bytes) if bytes.len() + text.len() <= MAX_BOOTSTRAP => {
                bytes.extend_from_slice(text);
                Next::Go
            }
            Reading::Bootstrap(_) | Reading::Nothing => Next::End,
            Reading::Devices { groups, open } => take_device(groups, open, text),
            Reading::Commands => match StorageCommand::parse(text) {
                Err(bad) => {
                    self.sessions.tell(net, id, bad.answer);
                    if bad.ends {
                        Next::End
                    } else {
                        self.sessions.signal(net, id, Signal::Eod);
                        Next::Go
                    }
                }
                Ok(command) if session.monitor && !command.is_for_monitors() => {
                    self.refusals.monitor(net, session.conn, &session.director, text);
                    self.sessions.tell(net, id, answers::MONITOR_REFUSAL);
                    self.sessions.signal(net, id, Signal::Eod);
                    self.sessions.tell(net, id, answers::invalid(text));
                    Next::End
                }
                Ok(command) => self.serve(net, id, command, text),
            },
        };
        if next == Next::End {
            self.end_session(net, id);
        }
    }

    /// A signal ends a session, unless a list is being read.
    pub(super) fn session_signal(&mut self, net: &mut Net, id: SessionId, signal: Signal) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let busy = session.job.as_ref().is_some_and(|job| job.part.has_begun());
        let next = match (signal, std::mem::replace(&mut session.known, Reading::Commands)) {
            (Signal::Eod, Reading::Devices { groups, open: true }) => {
                session.known = Reading::Devices { groups, open: false };
                Next::Go
            }
            (Signal::Eod, Reading::Devices { groups, open: false }) => self.reserve(net, id, groups),
            (Signal::Eod, Reading::Bootstrap(bytes)) => self.take_bootstrap(net, id, &bytes),
            // While a job runs the director only answers; a stray heartbeat does no harm then.
            (Signal::Heartbeat | Signal::HeartbeatResponse, _) if busy => Next::Go,
            _ => Next::End,
        };
        if next == Next::End {
            self.end_session(net, id);
        }
    }

    fn serve(&mut self, net: &mut Net, id: SessionId, command: StorageCommand, text: &[u8]) -> Next {
        let has_job = self.sessions.get(id).is_some_and(|session| session.job.is_some());
        match command {
            StorageCommand::Job(_) if has_job => {
                self.sessions.tell(net, id, answers::invalid(text));
                return Next::End;
            }
            StorageCommand::Job(_) if self.stopping.has_begun() => {
                net.log_error(Level::Warn, &Trouble::Stopping("storage"));
                self.sessions.tell(net, id, answers::STOPPING);
                return Next::End;
            }
            StorageCommand::Job(line) if self.is_full() => {
                let most = self.config.storage.maximum_concurrent_jobs;
                net.log_error(Level::Warn, &Trouble::Full { daemon: "storage daemon", job: line.job, most });
                self.sessions.tell(net, id, answers::too_many_jobs(most));
                return Next::End;
            }
            StorageCommand::Job(line) => self.create_job(net, id, line),
            StorageCommand::SecureErase => {
                self.sessions.tell(net, id, answers::secure_erase(self.config.storage.secure_erase_command.as_deref()))
            }
            StorageCommand::Use(group) => {
                if let Some(session) = self.sessions.get_mut(id) {
                    session.known = Reading::Devices { groups: vec![Group::new(group)], open: true };
                }
            }
            StorageCommand::Bootstrap => {
                if let Some(session) = self.sessions.get_mut(id) {
                    session.known = Reading::Bootstrap(Vec::new());
                }
            }
            StorageCommand::Passive { ref address, port, tls } => {
                let route = self.route_to_file(id, address.clone(), port);
                return self.dial_file(net, id, route, tls, text);
            }
            StorageCommand::Run => return self.run_job(net, id),
            StorageCommand::Listen => return self.listen_for_storage(net, id),
            StorageCommand::Replicate(order) => return self.dial_storage(net, id, &order),
            StorageCommand::Cancel { job } => self.serve_cancel(net, id, &job),
            StorageCommand::Status { devices } => net.survey((id, Wanted::Whole { devices })),
            StorageCommand::DotStatus { what } if what.eq_ignore_ascii_case("running") => {
                net.survey((id, Wanted::Running));
            }
            StorageCommand::DotStatus { what } => return self.send_dot_status(net, id, &what),
            StorageCommand::SetBandwidth { limit, job } => self.set_bandwidth(net, id, limit, &job),
            StorageCommand::SetDebug(debug) => self.set_debug(net, id, &debug),
            StorageCommand::Resolve { host } => self.look_up(net, id, host),
            StorageCommand::PluginOptions { .. } => self.sessions.tell(net, id, answers::PLUGIN_OPTIONS),
            command => {
                if !self.operate(net, id, command) {
                    self.sessions.tell(net, id, answers::invalid(text));
                    return Next::End;
                }
            }
        }
        Next::Go
    }

    fn is_full(&self) -> bool {
        let jobs = self.sessions.jobs().count();
        u32::try_from(jobs).unwrap_or(u32::MAX) >= self.config.storage.maximum_concurrent_jobs
    }

    fn create_job(&mut self, net: &mut Net, id: SessionId, line: StorageJob) {
        self.next_session += 1;
        let session = SessionIds { id: self.next_session, time: self.session_time };
        let mut random = [0; 16];
        net.fill_random(&mut random);
        let key = cram_md5::session_key(random);
        let accepted = JobAccepted { session_id: session.id, session_time: session.time, key: key.clone() };
        self.sessions.tell(net, id, accepted.to_line());
        let (daemon, bandwidth) = ((self.config.storage.name.clone(), self.config.told()), self.usual_bandwidth(id));
        if let Some(of) = self.sessions.get_mut(id) {
            let (uses, bootstrap) = (Vec::new(), Arc::default());
            let hears_progress = of.hears_progress;
            let order = Order { line, key, uses, bootstrap, append: None, read: None, bandwidth, hears_progress };
            let for_mail = ForMail::of(self.config.mailed());
            of.job = Some(Job { for_mail, ..Job::new(order, daemon, session, net.wall()) });
        }
        self.refresh_keyring(net);
    }

    /// Chooses a device for the groups of one `use storage` command (`wire/3 §1.3.5`).
    fn reserve(&mut self, net: &mut Net, id: SessionId, groups: Vec<Group>) -> Next {
        let append = groups.iter().any(|group| group.storage.append);
        let of_group = |group: &Group| {
            let media_type = group.storage.media_type.clone();
            group.devices.iter().map(|name| self.devices.candidates(name, &media_type)).collect::<Vec<_>>()
        };
        let mut fit = Need::new();
        for name in groups.iter().filter(|group| group.storage.append == append).flat_map(of_group).flatten() {
            if !fit.contains(&name) {
                fit.push(name);
            }
        }
        let Some(job) = self.sessions.job_mut(id) else { return Next::End };
        let Some(first) = fit.first().and_then(|name| self.devices.device(name)) else {
            let name = groups.first().and_then(|group| group.devices.first()).cloned().unwrap_or_default();
            self.sessions.tell(net, id, answers::no_device(&name));
            return Next::End;
        };
        job.order.uses.extend(groups.into_iter().map(|group| group.storage));
        // Which of them it is shows when data comes, or is wanted.
        let place = Some(Place { choices: fit, ..Place::of(first) });
        let answer = if append { answers::JUST_IN_TIME.to_owned() } else { first.name.clone() };
        *if append { &mut job.order.append } else { &mut job.order.read } = place;
        self.sessions.tell(net, id, answers::device_used(&answer));
        Next::Go
    }

    fn take_bootstrap(&mut self, net: &mut Net, id: SessionId, bytes: &[u8]) -> Next {
        let parsed = Bootstrap::parse(bytes);
        let places = parsed.as_ref().map(|bootstrap| self.devices.folders_of(bootstrap)).unwrap_or_default();
        match (self.sessions.job_mut(id), parsed) {
            (Some(job), Ok(bootstrap)) => {
                job.reading.volumes =
                    Selection::new(&bootstrap, None).volumes().into_iter().map(|volume| volume.name).collect();
                job.reading.elsewhere = places;
                job.order.bootstrap = Arc::new(bootstrap);
                self.sessions.tell(net, id, answers::BOOTSTRAP);
                Next::Go
            }
            (_, outcome) => {
                if let Err(error) = outcome {
                    net.complain(Level::Error, 905, &format!("unusable bootstrap from the director: {error}"));
                }
                self.sessions.tell(net, id, answers::BAD_BOOTSTRAP);
                Next::End
            }
        }
    }

    fn run_job(&mut self, net: &mut Net, id: SessionId) -> Next {
        let wait = self.config_of(id).storage.client_connect_wait.duration();
        let Some((job, mut control)) = self.sessions.job_of(net, id) else { return Next::End };
        let early = match &mut job.part {
            Part::Ordered(_) if job.order.append.is_some() && job.order.read.is_some() => {
                return self.run_clone(net, id);
            }
            // A storage daemon is here, and it is no client.
            Part::Ordered(early) if early.storage_came => return Next::End,
            Part::Ordered(early) => std::mem::take(early),
            Part::Send(_) => return self.run_replication(net, id),
            Part::Client(_) | Part::Receive { .. } | Part::Clone => return Next::End,
        };
        job.part = Part::Client(None);
        job.say_status(&mut control, JobStatus::WaitFile);
        match job.peer {
            Presence::Here(_) => self.start_data(net, id, early),
            Presence::Dialling(_) => {}
            _ => job.peer = Presence::Awaited(net.set_timer(wait, "wait for the file daemon", Due::Peer(id))),
        }
        Next::Go
    }

    fn serve_cancel(&mut self, net: &mut Net, id: SessionId, wanted: &str) {
        let Some(director) = self.sessions.get(id).map(|session| session.conn) else { return };
        let named = |job: &Job| job.order.line.job == wanted || wanted.parse() == Ok(job.order.line.job_id);
        match self.sessions.find_job(|job| named(job) && job.is_alive()) {
            Some((session, job)) => {
                net.send_text(director, answers::canceled(job.order.line.job_id, &job.order.line.job));
                let text = "Job canceled by the director.";
                net.log(Level::Info, text);
                if let Some((job, mut control)) = self.sessions.job_of(net, session) {
                    job.message(&mut control, MessageKind::Info, text);
                }
                self.stop_job(net, session, JobStatus::Canceled);
            }
            None => net.send_text(director, answers::cancel_not_found(wanted)),
        }
        net.send_signal(director, Signal::Eod);
    }
}

fn take_device(groups: &mut Vec<Group>, open: &mut bool, text: &[u8]) -> Next {
    if let Some(device) = UseStorage::parse_device(text) {
        return match groups.last_mut() {
            Some(group) if group.devices.len() < MAX_DEVICES => {
                group.devices.push(device);
                Next::Go
            }
            _ => Next::End,
        };
    }
    match StorageCommand::parse(text) {
        Ok(StorageCommand::Use(group)) if groups.len() < MAX_DEVICES => {
            groups.push(Group::new(group));
            *open = true;
            Next::Go
        }
        _ => Next::End,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_director_hears_progress_whatever_its_version_and_another_since_22() {
        let version = |major| Some(Version { major, minor: 1, patch: 0 });
        assert!(hears_progress(true, version(0)) && hears_progress(false, version(22)));
        assert!(!hears_progress(false, version(21)) && !hears_progress(false, None));
    }
}
