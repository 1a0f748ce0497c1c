//! A director's session with the file daemon: the command loop of `wire/2 §1.1`.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::bulk::known::KnownFiles;
use crate::bulk::parcel::Parcel;
use crate::bulk::work::{Permits, Remark, RestoreOrder};
use crate::config::{JobCommand, keepalive};
use crate::conn::Peer;
use crate::error::Explain;
use crate::ids::{ConnId, HandleId, SessionId};
use crate::node::{Opening, Route};
use crate::notice::Level;
use crate::role::commands::Commands;
use crate::role::diary::{ForMail, Said};
use crate::role::file::Net;
use crate::role::probing;
use crate::role::remarks::Remarks;
use crate::role::sessions;
use crate::role::trouble::Trouble;
use crate::script::Scripted;
use crate::wire::file::{FileCommand, IMMEDIATE_TLS, JobInfo, Restore, RestoreTo, StorageAddress, Verify};
use crate::wire::file_answers as answers;
use crate::wire::fileset::FileSetReader;
use crate::wire::frame::Signal;
use crate::wire::hello::Purpose;
use crate::wire::message::{JobMessage, MessageKind};
use crate::wire::names::{PeerKind, PeerName};
use crate::wire::relocation::Relocation;
use crate::wire::status::JobStatus;

use super::job::{Asked, Authorization, Counted, Job, Kind, Presence};
use super::level::{self, Clocks};
use super::{Dial, FileDaemon, data, unsaved};

/// One authenticated connection of a director.
pub(super) type Session = sessions::Session<Job, Known>;

/// What the file daemon knows of a session besides its job.
#[derive(Debug, Default)]
pub(super) struct Known {
    has_fileset: bool,
    pub(super) reading: Reading,
    /// Whether a name is being looked up for the director.
    pub(super) looks_up: bool,
    /// Parcels on their way to the director, in order.
    sent: VecDeque<Sent>,
}

/// What is in a parcel on its way to the director.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// What is said of single files.
    Remarks,
    /// The lines of an estimate or of a verify job.
    Lines,
}

/// What the next messages are.
#[derive(Debug, Default)]
pub(super) enum Reading {
    #[default]
    Commands,
    /// Lines of a fileset until EOD.
    FileSet(Box<FileSetReader>),
    /// The list of an accurate job until EOD.
    Known(Box<KnownFiles>),
    /// What the director's clock says.
    Clocks(Clocks),
}

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Go,
    End,
}

impl Session {
    /// Sends a job message (`wire/2 §4.2`), bare text outside of a job.
    pub(super) fn message(&mut self, net: &mut Net, daemon: &str, kind: MessageKind, text: &str) {
        let Some(job) = &mut self.job else {
            return net.send_text(self.conn, format!("{text}\n"));
        };
        match kind {
            MessageKind::Fatal if job.status == JobStatus::Running => job.status = JobStatus::Fatal,
            _ => {}
        }
        job.for_mail.add(kind, net.wall().seconds(), text);
        if job.tells(kind) {
            let message = JobMessage::compose(daemon, job.id, &job.name, kind, net.wall().seconds(), text);
            net.send_text(self.conn, message.to_line());
        }
    }

    /// Says what is to be said of single files, as fast as the director takes it: job messages, but bare text of an
    /// estimate, whose job has no number (`wire/2 §4.2`).
    pub(super) fn remark(&mut self, net: &mut Net, daemon: &str, remarks: &[Remark]) {
        let Some(job) = &mut self.job else { return };
        for remark in remarks {
            let kind = MessageKind::from_number(i32::from(remark.kind));
            job.for_mail.add(kind, net.wall().seconds(), &remark.text);
            if job.tells(kind) && job.remarks.takes_more() {
                let time = net.wall().seconds();
                let line = match job.id {
                    0 => format!("{}\n", remark.text),
                    number => JobMessage::compose(daemon, number, &job.name, kind, time, &remark.text).to_line(),
                };
                job.remarks.add(&line);
            }
        }
        self.send_remarks(net);
    }

    fn send_remarks(&mut self, net: &mut Net) {
        if let Some(parcel) = self.job.as_mut().and_then(|job| job.remarks.next()) {
            self.known.sent.push_back(Sent::Remarks);
            net.send_parcel(self.conn, parcel);
        }
    }

    /// Says what of the remarks still waits, and how many were left out: before the job's last words.
    pub(super) fn last_remarks(&mut self, net: &mut Net, daemon: &str) {
        let Some(job) = &mut self.job else { return };
        let (frames, left_out) = job.remarks.finish();
        if !frames.is_empty() {
            net.send(self.conn, frames);
        }
        let (fates, names) = (job.counted.fates, std::mem::take(&mut job.counted.fate_names));
        if let Some(text) = left_out {
            self.warn(net, daemon, &text);
        }
        for text in names.messages() {
            self.message(net, daemon, MessageKind::Info, &text);
        }
        if let Some(fates) = fates {
            self.message(net, daemon, MessageKind::Info, &fates.to_string());
        }
    }

    /// A warning: of a job for its report, of an estimate for the console that asked for it.
    pub(super) fn warn(&mut self, net: &mut Net, daemon: &str, text: &str) {
        match &self.job {
            Some(job) if job.id == 0 => net.send_text(self.conn, format!("{text}\n")),
            Some(_) => self.message(net, daemon, MessageKind::Warning, text),
            None => {}
        }
    }

    /// Sends lines of an estimate or of a verify job.
    pub(super) fn send_lines(&mut self, net: &mut Net, parcel: Parcel) {
        self.known.sent.push_back(Sent::Lines);
        net.send_parcel(self.conn, parcel);
    }

    /// The director has taken a parcel: the next remarks follow. Says what was in it.
    pub(super) fn parcel_taken(&mut self, net: &mut Net) -> Option<Sent> {
        let sent = self.known.sent.pop_front();
        if let (Some(Sent::Remarks), Some(job)) = (sent, &mut self.job) {
            job.remarks.taken();
            self.send_remarks(net);
        }
        sent
    }

    /// Sends a fatal job message; it costs the job its status (`wire/2 §4.2`).
    pub(super) fn fatal(&mut self, net: &mut Net, daemon: &str, trouble: &Trouble) {
        net.log_error(Level::Error, trouble);
        if let Some(job) = &mut self.job {
            job.counted.errors = job.counted.errors.max(1);
        }
        self.message(net, daemon, MessageKind::Fatal, &trouble.line());
    }

    /// The storage daemon is reached: says so to the director.
    pub(super) fn connected(&mut self, net: &mut Net, daemon: &str, conn: ConnId, peer: &Peer) {
        let text = format!("Connected Storage daemon at {}, encryption: {}", peer.ends.peer, peer.tls);
        self.message(net, daemon, MessageKind::Info, &text);
        if let Some(job) = &mut self.job {
            job.peer = Presence::Here { conn, dialled: true };
        }
        net.send_text(self.conn, answers::STORAGE);
    }

    /// The data channel is done. True if the session ends with it.
    pub(super) fn after_data(&mut self, net: &mut Net) -> bool {
        let Some(job) = &mut self.job else { return true };
        if matches!(job.kind, Kind::Verify | Kind::Look { .. }) {
            // After the last line (`wire/2 §1.12`).
            net.send_signal(self.conn, Signal::Eod);
        }
        if job.awaits_end_restore() && job.opened {
            net.send_text(self.conn, answers::STORAGE_END);
            return false;
        }
        true
    }

    pub(super) fn on_signal(&mut self, net: &mut Net, signal: Signal) -> Next {
        if signal != Signal::Eod {
            return Next::End;
        }
        match std::mem::replace(&mut self.known.reading, Reading::Commands) {
            Reading::FileSet(reader) => match &mut self.job {
                Some(job) => {
                    job.asked.fileset = Arc::new(reader.finish());
                    net.send_text(self.conn, answers::FILESET);
                    Next::Go
                }
                None => Next::End,
            },
            Reading::Known(mut known) => match &mut self.job {
                Some(job) => {
                    known.finish();
                    job.asked.known = Some(known);
                    Next::Go
                }
                None => Next::End,
            },
            Reading::Commands | Reading::Clocks(_) => Next::End,
        }
    }

    /// Takes a line of a list; false if the session is not reading one.
    fn take_line(&mut self, line: &[u8]) -> Option<Next> {
        match &mut self.known.reading {
            Reading::FileSet(reader) => Some(if reader.line(line).is_ok() { Next::Go } else { Next::End }),
            Reading::Known(known) => Some(if level::take_known(known, line).is_ok() { Next::Go } else { Next::End }),
            Reading::Commands | Reading::Clocks(_) => None,
        }
    }
}

impl FileDaemon {
    /// Serves one message of a director.
    pub(super) fn command(&mut self, net: &mut Net, id: SessionId, text: &[u8]) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let asks_clock = matches!(session.known.reading, Reading::Clocks(_));
        let next = match session.take_line(text) {
            Some(next) => next,
            None if asks_clock => self.take_clock(net, id, text),
            None => match FileCommand::parse(text) {
                Err(bad) => {
                    if let Some(answer) = bad.answer {
                        self.sessions.tell(net, id, answer);
                    }
                    Next::End
                }
                Ok(command) if session.monitor && !command.is_for_monitors() => {
                    self.refusals.monitor(net, session.conn, &session.director, text);
                    self.sessions.tell(net, id, answers::MONITOR_REFUSAL);
                    self.sessions.signal(net, id, Signal::Eod);
                    Next::End
                }
                Ok(command) => self.serve(net, id, command),
            },
        };
        if next == Next::End {
            self.end_session(net, id);
        }
    }

    fn serve(&mut self, net: &mut Net, id: SessionId, command: FileCommand) -> Next {
        if let Some(trouble) = self.refusal(id, &command) {
            self.say_fatal(net, id, &trouble);
            if let FileCommand::Run(_) | FileCommand::RunBeforeNow = command {
                self.sessions.tell(net, id, answers::FAILED_SCRIPT);
            }
            return Next::End;
        }
        match command {
            FileCommand::Job(job) => self.start_job(net, id, job),
            FileCommand::Cancel { job } => self.serve_cancel(net, id, &job),
            FileCommand::Status => net.survey((id, None)),
            FileCommand::SetBandwidth { limit, job } => self.set_bandwidth(net, id, limit, &job),
            FileCommand::DotStatus { what } if what == "running" => net.survey((id, Some(what))),
            FileCommand::DotStatus { what } => return self.send_dot_status(net, id, &what),
            FileCommand::SetDebug(debug) => self.set_debug(net, id, &debug),
            FileCommand::Resolve { host } => self.look_up(net, id, host),
            FileCommand::SecureErase => self.sessions.tell(net, id, answers::secure_erase(None)),
            FileCommand::Storage(address) => return self.dial_storage(net, id, address),
            FileCommand::Backup { .. } => return self.start_data(net, id, Kind::Backup { unsaved: None }),
            FileCommand::Restore(order) => return self.serve_restore(net, id, order),
            FileCommand::Verify(Verify::Volume) => return self.start_data(net, id, Kind::Verify),
            FileCommand::Verify(Verify::Init | Verify::Catalog | Verify::DiskToCatalog) => {
                return self.start_look(net, id);
            }
            FileCommand::Verify(Verify::Data) => {
                self.say_fatal(net, id, &Trouble::OnlyVolumes);
                return Next::End;
            }
            FileCommand::Estimate { listing } => return self.start_estimate(net, id, listing),
            FileCommand::Level(level) => return self.take_level(net, id, &level),
            FileCommand::Run(script) => return self.take_script(net, id, script),
            FileCommand::RunBeforeNow => return self.run_before(net, id),
            other => return self.serve_preparation(net, id, other),
        }
        Next::Go
    }

    /// Why a command is refused: the configuration forbids it, or it comes a second time.
    fn refusal(&self, id: SessionId, command: &FileCommand) -> Option<Trouble> {
        let session = self.sessions.get(id)?;
        let wanted = match command {
            FileCommand::Backup { .. } => JobCommand::Backup,
            FileCommand::Restore(_) => JobCommand::Restore,
            FileCommand::Verify(_) => JobCommand::Verify,
            FileCommand::Estimate { .. } => JobCommand::Estimate,
            _ if session.known.looks_up => {
                return Some(Trouble::OutOfTurn("a command of the director while a name is looked up for it"));
            }
            _ if session.job.as_ref().is_some_and(|job| job.scripts.running().is_some()) => {
                return Some(Trouble::OutOfTurn("a command of the director while those of the job run"));
            }
            FileCommand::Run(_) | FileCommand::RunBeforeNow => JobCommand::RunScript,
            FileCommand::Job(_) if self.stopping.has_begun() => return Some(Trouble::Stopping("file")),
            FileCommand::Job(job) if job.job_id != 0 && self.is_full() => {
                let most = self.config.file.maximum_concurrent_jobs;
                return Some(Trouble::Full { daemon: "client", job: job.job.clone(), most });
            }
            FileCommand::Job(_) if session.job.is_some() => {
                return Some(Trouble::OutOfTurn("a second job in one session"));
            }
            FileCommand::Storage(_) if session.job.as_ref().is_some_and(Job::is_at_work) => {
                return Some(Trouble::OutOfTurn("a `storage` command for a job that was told to begin"));
            }
            FileCommand::FileSet { .. } if session.known.has_fileset => {
                return Some(Trouble::OutOfTurn("a second file set for one job"));
            }
            _ => return None,
        };
        let config = self.config_of(id);
        let director = config.directors.iter().find(|director| director.name == session.director)?;
        if !director.allowed_job_commands.contains(&wanted) {
            return Some(Trouble::Forbidden { director: session.director.clone(), command: wanted });
        }
        let is_busy = session.job.as_ref().is_some_and(|job| job.is_at_work() || job.scripts.running().is_some());
        let is_busy = is_busy || self.estimates(id);
        is_busy.then_some(Trouble::AtWork(wanted))
    }

    fn is_full(&self) -> bool {
        let has_job = |session: &&Session| session.job.as_ref().is_some_and(|job| job.id != 0);
        let jobs = self.sessions.iter().filter(has_job).count();
        u32::try_from(jobs).unwrap_or(u32::MAX) >= self.config.file.maximum_concurrent_jobs
    }

    /// Tells the director of an error that costs the job its success.
    pub(super) fn say_fatal(&mut self, net: &mut Net, id: SessionId, trouble: &Trouble) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.fatal(net, &self.config.file.name, trouble);
        let job = session.job.as_ref().map(|job| format!("job {}: ", job.name)).unwrap_or_default();
        let text = format!("{job}{}", trouble.line());
        self.diary().note(net, &Said { kind: MessageKind::Fatal, text: &text, of_job: true });
    }

    /// Commands that only prepare: nothing is opened or dialled.
    fn serve_preparation(&mut self, net: &mut Net, id: SessionId, command: FileCommand) -> Next {
        let Some(session) = self.sessions.get_mut(id) else { return Next::End };
        match command {
            FileCommand::FileSet { .. } => {
                session.known.has_fileset = true;
                session.known.reading = Reading::FileSet(Box::new(FileSetReader::new()));
            }
            FileCommand::Accurate { .. } => {
                let fileset = session.job.as_ref().map(|job| Arc::clone(&job.asked.fileset)).unwrap_or_default();
                session.known.reading = Reading::Known(Box::new(level::known_for(&fileset)));
            }
            FileCommand::SetAuthorization { key } => {
                if let Some(job) = &mut session.job {
                    job.authorization.keys += 1;
                    job.authorization.key = key;
                }
                self.refresh_keyring(net);
                self.sessions.tell(net, id, answers::AUTHORIZATION);
            }
            FileCommand::PluginOptions { options } => return self.take_options(net, id, options),
            FileCommand::EndRestore => return self.end_restore(net, id),
            _ => {
                self.sessions.tell(net, id, answers::INVALID);
                return Next::End;
            }
        }
        Next::Go
    }

    fn start_job(&mut self, net: &mut Net, id: SessionId, line: JobInfo) {
        self.jobs_run += 1;
        let handle = HandleId(net.next_id());
        let bandwidth = self.usual_bandwidth(id);
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.job = Some(Job {
            id: line.job_id,
            name: line.job,
            session: (line.session_id, line.session_time),
            started: net.wall(),
            kind: Kind::Unknown,
            asked: Asked {
                level: b' ',
                since: None,
                known: None,
                fileset: Arc::default(),
                permits: Permits::default(),
                options: Vec::new(),
            },
            authorization: Authorization { key: line.key, keys: 1, tls: line.tls == Some(IMMEDIATE_TLS) },
            peer: Presence::Absent,
            script: None,
            handle,
            opened: false,
            ticket: 0,
            bandwidth,
            counted: Counted::default(),
            status: JobStatus::Running,
            told: self.config.told(),
            for_mail: ForMail::of(self.config.mailed()),
            remarks: Remarks::default(),
            scripts: Commands::default(),
        });
        self.refresh_keyring(net);
        let identity = &self.identity;
        self.sessions.tell(net, id, answers::job(&identity.full, &identity.date, &identity.system, "towline"));
    }

    fn serve_cancel(&mut self, net: &mut Net, id: SessionId, job: &str) {
        let Some(director) = self.sessions.get(id).map(|session| session.conn) else { return };
        let answer = if self.cancel(net, job) { answers::canceled(job) } else { answers::job_not_found(job) };
        net.send_text(director, answer);
        net.send_signal(director, Signal::Eod);
    }

    fn dial_storage(&mut self, net: &mut Net, id: SessionId, address: StorageAddress) -> Next {
        let Some(mut job) = self.sessions.get_mut(id).and_then(|session| session.job.take()) else {
            self.sessions.tell(net, id, answers::BAD_STORAGE);
            return Next::End;
        };
        let route = self.route_to_storage(id, &job.name, address.address.clone(), address.port);
        // A storage daemon that was given before is left for the new one (`wire/2 §1.7`).
        self.hang_up(net, &mut job);
        // A verify job comes with an empty one: the key of its job counts on (`wire/2 §1.7`).
        if let Some(key) = address.key.filter(|key| !key.is_empty()) {
            job.authorization.keys += 1;
            job.authorization.key = key;
        }
        let me = PeerName::new(PeerKind::Client, &self.config.file.name);
        let purpose = Purpose::StartJob { job: job.name.clone() };
        let job_name = PeerName::new(PeerKind::Job, &job.name);
        let tls = address.tls == IMMEDIATE_TLS;
        let opening = self
            .credentials
            .opening("", &address.address, &job_name, &job.authorization.key, tls, purpose)
            .map(|opening| Opening { own: me.qualified(), ..opening });
        let refused = match opening {
            Ok(opening) => {
                job.peer = Presence::Dialling(net.dial(route, opening, Dial::Storage(id)));
                None
            }
            Err(why) => Some(why),
        };
        if let Some(session) = self.sessions.get_mut(id) {
            session.job = Some(job);
        }
        self.refresh_keyring(net);
        let Some(why) = refused else { return Next::Go };
        self.say_fatal(net, id, &why.into());
        self.sessions.tell(net, id, answers::BAD_STORAGE);
        Next::End
    }

    fn route_to_storage(&self, id: SessionId, job: &str, host: String, port: u16) -> Route {
        let config = self.config_of(id);
        let file = &config.file;
        Route {
            host,
            port,
            source: file.source_address.as_deref().and_then(|text| text.parse().ok()),
            // Whether it will send or receive is not known yet.
            socket: keepalive::socket(config.data_heartbeat(), keepalive::End::Sending),
            retry: file.sd_retry_interval.duration(),
            within: probing::within(job, file.sd_connect_timeout.duration()),
        }
    }

    fn serve_restore(&mut self, net: &mut Net, id: SessionId, order: Restore) -> Next {
        match order.to {
            RestoreTo::Where(to) if !to.is_empty() && !to.starts_with('/') => {
                self.say_fatal(net, id, &Trouble::Relative(to));
                Next::End
            }
            RestoreTo::Where(to) => {
                let to = if to == "/" { Vec::new() } else { to.into_bytes() };
                let (replace, prefix_links) = (order.replace, order.prefix_links);
                let order =
                    RestoreOrder { to, replace, prefix_links, relocations: Vec::new(), permits: self.permits(id) };
                self.start_data(net, id, Kind::Restore { order })
            }
            RestoreTo::Regex(text) => match Relocation::parse(&text) {
                Ok(relocations) => {
                    let (replace, prefix_links) = (order.replace, order.prefix_links);
                    let permits = self.permits(id);
                    let order = RestoreOrder { to: Vec::new(), replace, prefix_links, relocations, permits };
                    self.start_data(net, id, Kind::Restore { order })
                }
                Err(why) => {
                    self.say_fatal(net, id, &Trouble::Relocation { text, why });
                    Next::End
                }
            },
        }
    }

    /// No storage daemon follows any more.
    fn end_restore(&mut self, net: &mut Net, id: SessionId) -> Next {
        let job = self.sessions.job_mut(id);
        if !job.is_some_and(|job| job.opened && job.awaits_end_restore() && job.script.is_none()) {
            return Next::End;
        }
        self.advance(net, id, |job, net| job.begin(data::END_RESTORE, net));
        Next::Go
    }

    pub(super) fn start_data(&mut self, net: &mut Net, id: SessionId, kind: Kind) -> Next {
        self.make_ready(id);
        let Some(session) = self.sessions.get_mut(id) else { return Next::End };
        let Some(job) = session.job.as_mut() else { return Next::End };
        let Some(conn) = job.peer.conn() else { return self.expect_storage(net, id, kind) };
        let (kind, table, answer) = match kind {
            Kind::Verify => (kind, data::VERIFY, answers::VERIFY),
            Kind::Restore { .. } => (kind, data::RESTORE, answers::RESTORE),
            Kind::Unknown | Kind::Backup { .. } | Kind::Estimate { .. } | Kind::Look { .. } => {
                // Without a folder of its own there is nowhere to keep it.
                let has_folder = self.config.file.working_directory.is_some();
                let unsaved = has_folder.then(|| unsaved::list_of(&session.director, job));
                (Kind::Backup { unsaved }, data::BACKUP, answers::BACKUP)
            }
        };
        if !matches!(kind, Kind::Backup { .. }) {
            let interval = self.rereading.of(id, &self.config).data_heartbeat();
            net.keep_alive(conn, keepalive::socket(interval, keepalive::End::Control));
        }
        job.kind = kind;
        self.sessions.tell(net, id, answer);
        self.arm_heartbeat(net, id);
        self.advance(net, id, |job, net| job.begin(table, net));
        Next::Go
    }
}
