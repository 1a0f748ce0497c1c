//! The kernel's arm of the conformance suite: any runtime, on loopback sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "this is the bottom of tests")]

use std::any::Any;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use rustix::time::{ClockId, clock_gettime};
use socket2::{Domain, SockRef, Socket, Type};
use towline_core::conformance::{Arm, Counts, Door, Facts, Peer, Running, Scripted};
use towline_core::drive::{DialOrder, Hands, Injector, ListenOrder, Runtime, TURNS, io_kind};
use towline_core::event::Event;
use towline_core::node::Node;
use towline_core::notice::ExitReason;
use towline_core::socket::{Ends, IoKind, Keepalive, SocketOptions};
use towline_core::time::Instant;

use super::{Clock, socket};
use crate::wake::{Readiness, WakeFd, wait};

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// The kernel, with this runtime.
#[derive(Clone, Copy, Debug)]
pub struct Kernel<R> {
    runtime: R,
    clock: Clock,
}

impl<R: Runtime + Copy + Send + 'static> Kernel<R> {
    /// The kernel, with this runtime.
    #[must_use]
    pub fn new(runtime: R) -> Self {
        Self { runtime, clock: Clock::start() }
    }
}

impl<R: Runtime + Copy + Send + 'static> Arm for Kernel<R> {
    type Running = Thread;
    type Door = Listener;

    fn name(&self) -> &'static str {
        self.runtime.name()
    }

    fn start(&self, node: Node<Scripted>, hands: Arc<dyn Hands>) -> Thread {
        let (say, started) = channel();
        let (done, ended) = channel();
        let runtime = self.runtime;
        let thread = std::thread::spawn(move || {
            let reason = runtime.run(node, hands, Box::new(move |injector| drop(say.send(injector))));
            // A body that has failed does not listen any more.
            let _ = done.send(reason);
        });
        Thread { injector: receive(&started, "the injector"), ended, thread }
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn here(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }

    fn host_name(&self) -> &'static str {
        "localhost"
    }

    fn closed(&self) -> SocketAddr {
        // The port was ours a moment ago, and the kernel does not give it away again so soon.
        TcpListener::bind(self.here()).and_then(|listener| listener.local_addr()).expect("a port to close")
    }

    fn deaf(&self) -> (Box<dyn Any>, SocketAddr) {
        let order = ListenOrder { on: self.here(), socket: SocketOptions::default(), backlog: 0 };
        let (listener, address) = socket::listen(&order).expect("a listener");
        // A full queue drops what comes after; the fillers keep it full.
        let fillers: Vec<_> = (0..4).map(|_| begin(address, SocketOptions::default())).collect();
        (Box::new((listener, fillers)), address)
    }

    fn door(&self, options: SocketOptions) -> Listener {
        let order = ListenOrder { on: self.here(), socket: options, backlog: 16 };
        let (listener, address) = socket::listen(&order).expect("a listener");
        Listener { listener, address, options }
    }

    fn knock(&self, to: SocketAddr, options: SocketOptions) -> Box<dyn Peer> {
        let stream = begin(to, options);
        ready(&stream, Readiness { read: false, write: true }).expect("to connect in time");
        let ends = socket::connected(&stream).expect("to connect");
        Box::new(Raw { stream, ends })
    }

    fn wait<T>(&self, from: &Receiver<T>, what: &str) -> T {
        receive(from, what)
    }

    fn until(&self, what: &str, is_so: &mut dyn FnMut() -> bool) {
        let began = self.clock.now();
        while !is_so() {
            assert!(self.clock.now().since(began) < PATIENCE, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn facts(&self, ends: Ends) -> Facts {
        let socket = own_socket(ends).expect("a socket with these ends");
        let probes = Some(socket.tcp_keepalive_retries().unwrap());
        Facts {
            no_delay: socket.tcp_nodelay().unwrap(),
            keepalive: socket.keepalive().unwrap(),
            times: Keepalive {
                idle: socket.tcp_keepalive_time().unwrap(),
                interval: socket.tcp_keepalive_interval().unwrap(),
                probes,
                user_timeout: socket.tcp_user_timeout().unwrap(),
            },
            send_buffer: socket.send_buffer_size().unwrap(),
            receive_buffer: socket.recv_buffer_size().unwrap(),
        }
    }

    fn counts(&self) -> Counts {
        let used = clock_gettime(ClockId::ProcessCPUTime);
        Counts {
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            threads: fs::read_dir("/proc/self/task").unwrap().count(),
            turns: TURNS.load(Ordering::Relaxed),
            processor: u64::try_from(used.tv_sec * 1_000_000 + used.tv_nsec / 1000).unwrap(),
        }
    }
}

/// A node on a thread.
#[derive(Debug)]
pub struct Thread {
    injector: Injector,
    ended: Receiver<ExitReason>,
    thread: JoinHandle<()>,
}

impl Running for Thread {
    fn post(&self, event: Event) -> bool {
        self.injector.post(event)
    }

    fn join(self) -> ExitReason {
        let reason = receive(&self.ended, "the node's end");
        self.thread.join().expect("the node's thread ends well");
        reason
    }
}

/// A listener on loopback.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    options: SocketOptions,
}

impl Door for Listener {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn accept(&self) -> Box<dyn Peer> {
        ready(&self.listener, Readiness { read: true, write: false }).expect("somebody to come in time");
        let (stream, _) = self.listener.accept().expect("a connection");
        let ends = socket::accepted(&stream, self.options).expect("a connection");
        Box::new(Raw { stream, ends })
    }
}

/// A non-blocking socket, waited for with patience.
struct Raw {
    stream: TcpStream,
    ends: Ends,
}

impl Peer for Raw {
    fn ends(&self) -> Ends {
        self.ends
    }

    fn read(&mut self, space: &mut [u8]) -> Result<usize, IoKind> {
        ready(&self.stream, Readiness { read: true, write: false }).expect("bytes in time");
        self.stream.read(space).map_err(|error| io_kind(&error))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, IoKind> {
        ready(&self.stream, Readiness { read: false, write: true }).expect("room in time");
        self.stream.write(bytes).map_err(|error| io_kind(&error))
    }

    fn shut_write(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    fn reset(self: Box<Self>) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("to reset");
    }
}

fn begin(to: SocketAddr, socket: SocketOptions) -> TcpStream {
    let order = DialOrder { to, from: None, socket, give_up: Instant::ZERO };
    socket::connect(&order).expect("to begin to connect")
}

fn ready(socket: &impl std::os::fd::AsFd, wanted: Readiness) -> io::Result<()> {
    // A wake-up nobody sets, and a time-out, look alike here: what tells them from readiness is the clock.
    let nobody = WakeFd::new()?;
    let began = std::time::Instant::now();
    wait(&nobody, Some((socket.as_fd(), wanted)), Some(PATIENCE));
    if began.elapsed() < PATIENCE { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) }
}

fn receive<T>(from: &Receiver<T>, what: &str) -> T {
    match from.recv_timeout(PATIENCE) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("waited in vain for {what}"),
        Err(RecvTimeoutError::Disconnected) => panic!("the node is gone, and with it {what}"),
    }
}

/// A second descriptor of the socket in this process that has these ends.
fn own_socket(ends: Ends) -> Option<Socket> {
    let own = pidfd_open(getpid(), PidfdFlags::empty()).expect("a descriptor of this process");
    let numbers = fs::read_dir("/proc/self/fd").expect("the list of descriptors");
    numbers
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|number| pidfd_getfd(&own, number, PidfdGetfdFlags::empty()).ok())
        .filter_map(|descriptor: OwnedFd| {
            let is_socket = SockRef::from(&descriptor).r#type().is_ok_and(|kind| kind == Type::STREAM);
            is_socket.then(|| Socket::from(descriptor))
        })
        .find(|socket| {
            let is = |address: io::Result<socket2::SockAddr>, wanted| {
                address.ok().and_then(|a| a.as_socket()) == Some(wanted)
            };
            socket.domain().is_ok_and(|domain| domain == Domain::IPV4)
                && is(socket.local_addr(), ends.local)
                && is(socket.peer_addr(), ends.peer)
        })
}
