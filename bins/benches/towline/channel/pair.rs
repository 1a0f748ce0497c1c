//! Both connections on one thread, joined by copies in memory: what the core itself costs, without a runtime or a system call.

use std::time::Duration;

use towline_core::bulk::machine::{FromMachine, Outcome, ToMachine};
use towline_core::conn::{Accepting, Conn, Dialling, FromConn, ToConn};
use towline_core::ids::{ConnId, HandleId};
use towline_core::socket::Ends;
use towline_core::time::Instant;
use towline_core::work::{Work, WorkDone};

use super::{BLOCK, Drain, Engines, JOB, Run, Source, WALL, archiver, hello, sender};
use crate::processor::Meter;

const NOW: Instant = Instant(1_000_000_000);
const GIVE_UP: Instant = Instant(60_000_000_000);

/// Sends `bytes` from one connection to the other.
pub(crate) fn in_memory(engines: &Engines, bytes: u64) -> Run {
    let mut from = End::new(dialled(engines));
    let mut to = End::new(accepted(engines));
    while !(from.is_ready && to.is_ready) {
        from.turn(&mut to, |work| panic!("{work:?}"));
        to.turn(&mut from, |work| panic!("{work:?}"));
    }
    let (mut source, mut drain) = (Source::new(bytes), Drain::default());
    let meter = Meter::start();
    from.conn.handle_message(ToConn::Carry(Box::new(sender())), NOW);
    to.conn.handle_message(ToConn::Carry(Box::new(archiver(NOW))), NOW);
    while to.outcome.is_none() {
        from.turn(&mut to, |work| source.work(work));
        to.turn(&mut from, |work| drain.work(work));
    }
    let run = meter.stop();
    assert!(matches!(to.outcome, Some(Outcome::Complete { files: 1, .. })), "{:?}", to.outcome);
    assert!(drain.bytes >= bytes && drain.bytes < bytes + bytes / 100 + 2 * BLOCK as u64);
    run
}

struct End {
    conn: Conn,
    is_ready: bool,
    outcome: Option<Outcome>,
}

impl End {
    const fn new(conn: Conn) -> Self {
        Self { conn, is_ready: false, outcome: None }
    }

    fn turn(
        &mut self,
        peer: &mut Self,
        mut worker: impl FnMut(towline_core::bulk::work::DiskWork) -> towline_core::bulk::work::DiskDone,
    ) {
        while self.conn.wants().write {
            let space = peer.conn.read_space();
            let mut n = 0;
            for slice in self.conn.transmit(space.len()).iter() {
                space[n..n + slice.len()].copy_from_slice(slice);
                n += slice.len();
            }
            if n == 0 {
                break;
            }
            peer.conn.on_read(n, NOW);
            self.conn.on_written(n, NOW);
        }
        while let Some((id, Work::Disk(work))) = self.conn.poll_work() {
            let done = worker(work);
            self.conn.handle_done(id, WorkDone::Disk(done), NOW);
        }
        while let Some(message) = self.conn.poll_message() {
            self.hear(message);
        }
    }

    fn hear(&mut self, message: FromConn) {
        let answer = match message {
            FromConn::Authenticated(_) => {
                self.is_ready = true;
                None
            }
            FromConn::Machine(FromMachine::NeedVolume) => Some(ToMachine::Volume(HandleId(2))),
            FromConn::Machine(FromMachine::Attributes(parcel)) => Some(ToMachine::AttributesSent(parcel)),
            FromConn::Carried(outcome) => {
                self.outcome = Some(outcome);
                None
            }
            FromConn::Closed(reason) => panic!("{reason}"),
            _ => None,
        };
        self.conn.handle_message(ToConn::Taken(1), NOW);
        if let Some(answer) = answer {
            self.conn.handle_message(ToConn::Machine(answer), NOW);
        }
    }
}

fn ends() -> Ends {
    Ends { local: ([127, 0, 0, 1], 40_000).into(), peer: ([127, 0, 0, 1], 9103).into() }
}

fn dialled(engines: &Engines) -> Conn {
    let dialling = Dialling {
        id: ConnId(1),
        ends: ends(),
        engine: engines.dialler.clone(),
        hello: hello(),
        key: engines.key.clone(),
        own: JOB.to_owned(),
        policy: 0,
        nonce: 1,
        wall: WALL,
        give_up: GIVE_UP,
    };
    Conn::dialled(dialling, NOW)
}

fn accepted(engines: &Engines) -> Conn {
    let accepting = Accepting {
        id: ConnId(2),
        ends: ends(),
        engines: engines.acceptor.clone(),
        keyring: engines.keyring.clone(),
        own: "R_STORAGE::bench-sd".to_owned(),
        nonce: 2,
        wall: WALL,
        give_up: GIVE_UP,
        pause: Duration::ZERO,
    };
    Conn::accepted(accepting, NOW)
}
