//! A host: the adapter under its node, as the runtimes are on the kernel. It decides nothing.

use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use towline_core::conn::{Conn, Flight, FromConn};
use towline_core::drive::{Adapter, Desk, DialOrder, Hands, ListenOrder, Mail, NodeMail, Outlet, Stream};
use towline_core::event::Event;
use towline_core::ids::{ConnId, DialId, ListenerId, QueryId, WorkId};
use towline_core::node::{Inspection, Role};
use towline_core::notice::ExitReason;
use towline_core::socket::{IoKind, SocketOptions};
use towline_core::time::{Instant, Wall};
use towline_core::work::{Work, WorkDone};

use crate::net::{Net, Owner, SocketId};

/// Names a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostId(pub usize);

/// Names one run of a daemon on a host: what belongs to one that has died does not reach the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life(pub(crate) HostId, pub(crate) u64);

/// Names a connection's task: whose it is, and its socket, which no other task has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskId {
    pub(crate) life: Life,
    pub(crate) conn: ConnId,
    pub(crate) socket: SocketId,
}

/// Who waits for a piece of work.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asker {
    Node(Life),
    Task(TaskId),
}

/// What the hands have answered; collected after each step of the world.
pub(crate) type Answers = Arc<Answered>;

/// See [`Answers`].
#[derive(Debug, Default)]
pub(crate) struct Answered {
    answers: Mutex<Vec<(Asker, WorkId, WorkDone)>>,
    /// Most steps have none, and are not to ask the lock.
    any: AtomicBool,
}

impl Answered {
    fn add(&self, asker: Asker, work: WorkId, done: WorkDone) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push((asker, work, done));
        self.any.store(true, Ordering::Release);
    }

    /// Whether there are answers to take.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Takes all answers.
    pub(crate) fn take(&self) -> Vec<(Asker, WorkId, WorkDone)> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut *answers)
    }
}

/// A desk, whatever its role.
pub(crate) trait AnyDesk {
    fn start(&mut self, wall: Wall, now: Instant) -> Option<ExitReason>;
    fn take(&mut self, mail: NodeMail<Socket>, now: Instant, wall: Wall) -> Option<ExitReason>;
    fn tick(&mut self, now: Instant, wall: Wall) -> Option<ExitReason>;
    fn deadline(&self) -> Option<Instant>;
    fn inspect(&self) -> Inspection;
}

impl<R: Role> AnyDesk for Desk<R, Simulated> {
    fn start(&mut self, wall: Wall, now: Instant) -> Option<ExitReason> {
        Self::start(self, wall, now)
    }
    fn take(&mut self, mail: NodeMail<Socket>, now: Instant, wall: Wall) -> Option<ExitReason> {
        Self::take(self, mail, now, wall)
    }
    fn tick(&mut self, now: Instant, wall: Wall) -> Option<ExitReason> {
        Self::tick(self, now, wall)
    }
    fn deadline(&self) -> Option<Instant> {
        Self::deadline(self)
    }
    fn inspect(&self) -> Inspection {
        Self::inspect(self)
    }
}

/// The adapter as a desk sees it.
pub(crate) struct Simulated {
    pub(crate) net: Net,
    pub(crate) life: Life,
    pub(crate) hands: Arc<dyn Hands>,
    pub(crate) answers: Answers,
}

/// A socket somebody owns. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Socket {
    net: Net,
    id: Option<SocketId>,
}

impl Socket {
    pub(crate) const fn new(net: Net, id: SocketId) -> Self {
        Self { net, id: Some(id) }
    }

    /// Gives the ownership away.
    fn into_id(mut self) -> Option<SocketId> {
        self.id.take()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.net.borrow_mut().close(id);
        }
    }
}

/// A dial under way. Dropping it calls it off.
#[derive(Debug)]
pub(crate) struct Dialling {
    net: Net,
    life: Life,
    dial: DialId,
}

impl Drop for Dialling {
    fn drop(&mut self) {
        self.net.borrow_mut().cancel_dial(self.life, self.dial);
    }
}

/// A listener. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Listening {
    net: Net,
    host: HostId,
    address: SocketAddr,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.net.borrow_mut().unlisten(self.host, self.address);
    }
}

/// The way to a connection's task. Dropping it ends the task.
#[derive(Debug)]
pub(crate) struct Line {
    net: Net,
    task: TaskId,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.net.borrow_mut().cut_task(self.task);
    }
}

impl Adapter for Simulated {
    type Socket = Socket;
    type Dialling = Dialling;
    type Listening = Listening;
    type Line = Line;

    fn resolve(&mut self, query: QueryId, host: String, port: u16) {
        let mut net = self.net.borrow_mut();
        let now = net.now();
        let answer = net.names.look_up(self.life.0, &host, port, now);
        let pause = net.resolver_pause();
        let pause = net.names.slowness(self.life.0).unwrap_or(pause);
        net.post_later(self.life, pause, Event::Resolved { query, answer });
    }

    /// Hosts here have one interface, and no address of a link.
    fn interface(&mut self, _name: &str) -> Option<u32> {
        None
    }

    fn dial(&mut self, dial: DialId, order: DialOrder) -> Dialling {
        let _told = self.net.borrow_mut().dial(self.life.0, Owner::Dial(self.life, dial), &order);
        Dialling { net: self.net.clone(), life: self.life, dial }
    }

    fn listen(&mut self, listener: ListenerId, order: ListenOrder) -> Result<(Listening, SocketAddr), IoKind> {
        let address = self.net.borrow_mut().listen(self.life.0, Some((self.life, listener)), &order)?;
        Ok((Listening { net: self.net.clone(), host: self.life.0, address }, address))
    }

    fn drive(&mut self, conn: Box<Conn>, socket: Socket) -> Result<Line, IoKind> {
        let socket = socket.into_id().ok_or(IoKind::Aborted)?;
        let task = TaskId { life: self.life, conn: conn.id(), socket };
        self.net.borrow_mut().start_task(task, *conn);
        Ok(Line { net: self.net.clone(), task })
    }

    fn tell(&mut self, line: &Line, mail: Mail) -> bool {
        self.net.borrow_mut().tell_task(line.task, mail)
    }

    fn work(&mut self, work: WorkId, request: Work) {
        submit(&self.hands, &self.answers, Asker::Node(self.life), work, request);
    }
}

/// Hands a piece of work over; the answer comes with [`Answers`].
fn submit(hands: &Arc<dyn Hands>, answers: &Answers, asker: Asker, work: WorkId, request: Work) {
    let answers = Arc::clone(answers);
    let reply = move |done| answers.add(asker, work, done);
    hands.submit(request, Box::new(reply));
}

/// Where a connection's messages and work go.
pub(crate) struct Out<'a> {
    pub(crate) net: &'a Net,
    pub(crate) task: TaskId,
    pub(crate) hands: &'a Arc<dyn Hands>,
    pub(crate) answers: &'a Answers,
}

impl Outlet for Out<'_> {
    fn message(&mut self, message: FromConn) {
        let TaskId { life, conn, .. } = self.task;
        self.net.borrow_mut().post(life, Event::FromConn { conn, message });
    }

    fn work(&mut self, work: WorkId, request: Work) {
        self.net.borrow().trace_task(self.task, &request);
        submit(self.hands, self.answers, Asker::Task(self.task), work, request);
    }
}

/// A connection's socket as its pump sees it: it may read and write less than there is room for.
pub(crate) struct Wire<'a> {
    pub(crate) net: &'a Net,
    pub(crate) socket: SocketId,
}

impl Stream for Wire<'_> {
    fn try_read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let mut net = self.net.borrow_mut();
        let most = net.some_of(space.len());
        finish(net.read(self.socket, &mut space[..most]))
    }

    fn try_write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut net = self.net.borrow_mut();
        let all: usize = slices.iter().map(|slice| slice.len()).sum();
        let (mut left, mut written) = (net.some_of(all), 0);
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            let part = &slice[..slice.len().min(left)];
            match net.write(self.socket, part) {
                Some(Ok(n)) => {
                    written += n;
                    left -= n;
                    if n < slice.len() {
                        break;
                    }
                }
                None | Some(Err(_)) if written > 0 => break,
                answer => return finish(answer),
            }
        }
        Ok(written)
    }

    fn shut_write(&mut self) {
        self.net.borrow_mut().shut_write(self.socket);
    }

    fn set_keepalive(&mut self, options: SocketOptions) {
        self.net.borrow_mut().set_keepalive(self.socket, options.keepalive);
    }

    fn flight(&mut self) -> Option<Flight> {
        self.net.borrow().flight(self.socket)
    }
}

fn finish(answer: Option<Result<usize, IoKind>>) -> io::Result<usize> {
    match answer {
        None => Err(ErrorKind::WouldBlock.into()),
        Some(Ok(n)) => Ok(n),
        Some(Err(kind)) => Err(error_kind(kind).into()),
    }
}

const fn error_kind(kind: IoKind) -> ErrorKind {
    match kind {
        IoKind::Refused => ErrorKind::ConnectionRefused,
        IoKind::TimedOut => ErrorKind::TimedOut,
        IoKind::Unreachable => ErrorKind::HostUnreachable,
        IoKind::Reset => ErrorKind::ConnectionReset,
        IoKind::Aborted => ErrorKind::ConnectionAborted,
        _ => ErrorKind::Other,
    }
}
