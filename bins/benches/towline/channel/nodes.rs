//! Two nodes on threads of their own, on a real runtime and over loopback.

use std::net::SocketAddr;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use towline_core::bulk::machine::{FromMachine, Outcome, ToMachine};
use towline_core::bulk::work::{DiskDone, DiskWork};
use towline_core::conn::{CloseReason, DialFailure, Peer};
use towline_core::drive::{Hands, Reply, Runtime};
use towline_core::ids::{ConnId, HandleId, ListenerId};
use towline_core::node::{Net, Node, Opening, Role, Route, Settings};
use towline_core::notice::{ExitReason, Level, Notice};
use towline_core::socket::{IoKind, SocketOptions};
use towline_core::time::Instant;
use towline_core::wire::frame::Signal;
use towline_core::work::{Work, WorkDone};

use super::{Drain, Engines, JOB, Run, Source, archiver, hello, sender};
use crate::processor::Meter;

/// Sends `bytes` from one node to the other, both driven by the runtime that `make` makes.
pub(crate) fn over<R: Runtime + Send + 'static>(make: impl Fn() -> R, engines: &Engines, bytes: u64) -> Run {
    let (bound, address) = channel();
    let (done, run) = channel();
    let receiver = Receiving { engines: engines.clone(), bound, meter: None, done };
    let mut drain = Drain::default();
    let receiving = start(make(), receiver, engines, Desk::start(move |work| drain.work(work)));
    let to = address.recv().expect("the receiving node listens");
    let mut source = Source::new(bytes);
    let sending =
        start(make(), Sending { engines: engines.clone(), to }, engines, Desk::start(move |work| source.work(work)));
    let run = run.recv().expect("a run");
    for node in [sending, receiving] {
        assert_eq!(node.join().expect("a node"), ExitReason::Done);
    }
    run
}

fn start<R: Runtime + Send + 'static>(
    runtime: R,
    role: impl Role,
    engines: &Engines,
    hands: Arc<Desk>,
) -> thread::JoinHandle<ExitReason> {
    let settings =
        Settings::new("R_STORAGE::bench-sd".to_owned(), engines.acceptor.clone()).accepting(4, Duration::from_secs(30));
    let node = Node::new(role, settings, [7; 32], Instant(0));
    thread::spawn(move || runtime.run(node, hands, Box::new(|_| ())))
}

/// Listens, archives what comes, and times it.
struct Receiving {
    engines: Engines,
    bound: Sender<SocketAddr>,
    meter: Option<Meter>,
    done: Sender<Run>,
}

impl Role for Receiving {
    type Dial = ();
    type Timer = ();
    type Work = ();
    type Survey = ();

    fn start(&mut self, net: &mut Net<Self>) {
        net.set_keyring(self.engines.keyring.clone());
        net.listen(([127, 0, 0, 1], 0).into(), SocketOptions::default());
    }

    fn on_bound(&mut self, _: &mut Net<Self>, _: ListenerId, outcome: Result<SocketAddr, IoKind>) {
        self.bound.send(outcome.expect("a port")).expect("the main thread");
    }

    fn on_accepted(&mut self, net: &mut Net<Self>, conn: ConnId, _: Peer) {
        self.meter = Some(Meter::start());
        let now = net.now();
        net.carry(conn, archiver(now));
    }

    fn on_machine(&mut self, net: &mut Net<Self>, conn: ConnId, message: FromMachine) {
        match message {
            FromMachine::NeedVolume => net.to_machine(conn, ToMachine::Volume(HandleId(2))),
            FromMachine::Attributes(parcel) => net.to_machine(conn, ToMachine::AttributesSent(parcel)),
            _ => {}
        }
    }

    fn on_carried(&mut self, net: &mut Net<Self>, conn: ConnId, outcome: Outcome) {
        assert!(matches!(outcome, Outcome::Complete { files: 1, .. }), "{outcome:?}");
        let run = self.meter.take().expect("a connection").stop();
        self.done.send(run).expect("the main thread");
        net.close(conn, false);
    }

    fn on_closed(&mut self, net: &mut Net<Self>, _: ConnId, _: CloseReason) {
        net.exit(ExitReason::Done);
    }

    fn on_dialed(&mut self, _: &mut Net<Self>, (): (), _: Result<(ConnId, Peer), DialFailure>) {}
    fn on_text(&mut self, _: &mut Net<Self>, _: ConnId, _: Vec<u8>) {}
    fn on_signal(&mut self, _: &mut Net<Self>, _: ConnId, _: Signal) {}
    fn on_done(&mut self, _: &mut Net<Self>, (): (), _: WorkDone) {}
    fn on_timer(&mut self, _: &mut Net<Self>, (): ()) {}
    fn on_stop(&mut self, _: &mut Net<Self>) {}
}

/// Dials and sends.
struct Sending {
    engines: Engines,
    to: SocketAddr,
}

impl Role for Sending {
    type Dial = ();
    type Timer = ();
    type Work = ();
    type Survey = ();

    fn start(&mut self, net: &mut Net<Self>) {
        let route = Route {
            host: self.to.ip().to_string(),
            port: self.to.port(),
            source: None,
            socket: SocketOptions::default(),
            retry: Duration::from_secs(1),
            within: Duration::from_secs(10),
        };
        let opening = Opening {
            engine: self.engines.dialler.clone(),
            hello: hello(),
            key: self.engines.key.clone(),
            own: JOB.to_owned(),
            policy: 0,
        };
        net.dial(route, opening, ());
    }

    fn on_dialed(&mut self, net: &mut Net<Self>, (): (), outcome: Result<(ConnId, Peer), DialFailure>) {
        let (conn, _) = outcome.expect("a connection");
        net.carry(conn, sender());
    }

    fn on_carried(&mut self, net: &mut Net<Self>, conn: ConnId, outcome: Outcome) {
        assert!(matches!(outcome, Outcome::Complete { .. }), "{outcome:?}");
        net.close(conn, false);
    }

    fn on_closed(&mut self, net: &mut Net<Self>, _: ConnId, _: CloseReason) {
        net.exit(ExitReason::Done);
    }

    fn on_bound(&mut self, _: &mut Net<Self>, _: ListenerId, _: Result<SocketAddr, IoKind>) {}
    fn on_accepted(&mut self, _: &mut Net<Self>, _: ConnId, _: Peer) {}
    fn on_text(&mut self, _: &mut Net<Self>, _: ConnId, _: Vec<u8>) {}
    fn on_signal(&mut self, _: &mut Net<Self>, _: ConnId, _: Signal) {}
    fn on_done(&mut self, _: &mut Net<Self>, (): (), _: WorkDone) {}
    fn on_timer(&mut self, _: &mut Net<Self>, (): ()) {}
    fn on_stop(&mut self, _: &mut Net<Self>) {}
}

/// One worker on a thread of its own, as a daemon has for each thing it has open.
struct Desk(Mutex<SyncSender<(DiskWork, Reply)>>);

impl Desk {
    fn start(mut worker: impl FnMut(DiskWork) -> DiskDone + Send + 'static) -> Arc<Self> {
        let (queue, pieces) = sync_channel::<(DiskWork, Reply)>(16);
        thread::spawn(move || {
            for (work, reply) in pieces {
                reply(WorkDone::Disk(worker(work)));
            }
        });
        Arc::new(Self(Mutex::new(queue)))
    }
}

impl Hands for Desk {
    fn submit(&self, work: Work, reply: Reply) {
        let Work::Disk(work) = work else { return reply(WorkDone::Refused) };
        self.0.lock().expect("the desk").try_send((work, reply)).expect("work is bounded");
    }

    fn notify(&self, notice: Notice) {
        if let Notice::Log { level: Level::Error | Level::Warn, text, .. } = notice {
            eprintln!("{text}");
        }
    }
}
