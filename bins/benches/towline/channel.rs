//! (b) The data channel alone, from memory to memory: a sender's machine, a connection, an archiver's machine.
//!
//! The worker on the sending side copies 256 KiB from memory into each parcel, the one on the receiving side gives each
//! block back as if it were written. So what is measured is packing, framing, TLS, the sockets, and building blocks.

mod nodes;
mod pair;

use std::sync::Arc;
use std::time::Duration;

use towline_core::bulk::archiver::Archiver;
use towline_core::bulk::machine::Machine;
use towline_core::bulk::pack::{MAX_DATA, Packer};
use towline_core::bulk::receive::ReceiverSetup;
use towline_core::bulk::sender::Sender;
use towline_core::bulk::work::{DiskDone, DiskWork};
use towline_core::ids::HandleId;
use towline_core::secret::Secret;
use towline_core::time::{Instant, Wall};
use towline_core::tls::certificate::{CertificateConfig, SharedWall};
use towline_core::tls::keyring::{Clear, Keyring};
use towline_core::tls::psk::{PskAcceptor, PskDialler};
use towline_core::tls::rustls::{CertificateAcceptor, CertificateDialler};
use towline_core::tls::{Acceptor, Dialler, Versions};
use towline_core::wire::attributes::{NewAttributes, Stat};
use towline_core::wire::block::Session;
use towline_core::wire::hello::{Hello, Purpose, Version};
use towline_core::wire::label::SessionLabel;
use towline_core::wire::names::{PeerKind, PeerName};
use towline_core::wire::stream::{FileType, Stream};

pub(crate) use nodes::over;
pub(crate) use pair::in_memory;

/// Bytes of a block, as `maximum_block_size` has it by default.
const BLOCK: usize = 1024 * 1024;

/// Parcels of a sender, as a file daemon gives it.
const PARCELS: usize = 4;

const JOB: &str = "bench.2026-01-01_00.00.00_01";
const WALL: Wall = Wall(1_795_438_893_000_000);

/// How a channel is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    Plain,
    Rustls,
    Psk,
}

impl Protection {
    /// All three.
    pub(crate) const ALL: [Self; 3] = [Self::Plain, Self::Rustls, Self::Psk];

    /// As the table has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Rustls => "rustls",
            Self::Psk => "psk",
        }
    }

    /// What (b) should reach: GB/s, or a share of the yardstick.
    pub(crate) const fn goal(self) -> (Option<f64>, f64) {
        match self {
            Self::Plain => (None, 0.6),
            Self::Rustls => (Some(1.2), 0.4),
            Self::Psk => (Some(0.8), 0.3),
        }
    }
}

/// Both ends' engines, and who may come. Made once: keys and certificates cost time.
#[derive(Clone)]
pub(crate) struct Engines {
    dialler: Dialler,
    acceptor: Arc<Acceptor>,
    keyring: Arc<Keyring>,
    key: Secret,
}

impl Engines {
    pub(crate) fn new(protection: Protection) -> Self {
        let key = Secret::from("a key for a benchmark");
        let peer = PeerName::new(PeerKind::Job, JOB);
        let keyring = Arc::new(Keyring::builder().with(peer.clone(), key.clone(), Clear::Allowed).build());
        let wall = SharedWall::new(WALL);
        let (dialler, acceptor) = match protection {
            Protection::Plain => (Dialler::Clear, Acceptor::new()),
            Protection::Rustls => certificates(&wall),
            Protection::Psk => {
                let settings = PskDialler::new(Versions::All).expect("a dialler");
                let acceptor = PskAcceptor::new(None, Versions::All, &wall).expect("an acceptor");
                (Dialler::Psk { settings, identity: peer, key: key.clone() }, Acceptor::new().with_psk(acceptor))
            }
        };
        Self { dialler, acceptor: Arc::new(acceptor), keyring, key }
    }
}

fn certificates(wall: &SharedWall) -> (Dialler, Acceptor) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["sd.example".to_owned()]).expect("parameters");
    let chain = params.self_signed(&key).expect("a certificate").pem();
    let config = CertificateConfig::from_pem(chain.as_bytes(), key.serialize_pem().as_bytes(), b"", false, Vec::new());
    let config = Arc::new(config.expect("a certificate"));
    let settings = CertificateDialler::new(&Arc::default(), Versions::All, wall).expect("a dialler");
    let acceptor = CertificateAcceptor::new(&config, Versions::All, wall).expect("an acceptor");
    (Dialler::Certificate { settings, address: "sd.example".to_owned() }, Acceptor::new().with_certificate(acceptor))
}

fn hello() -> Hello {
    Hello::new(Purpose::StartJob { job: JOB.to_owned() }, Version { major: 26, minor: 0, patch: 0 })
}

fn sender() -> Machine {
    Machine::Send(Sender::new(HandleId(1), PARCELS))
}

fn archiver(now: Instant) -> Machine {
    let setup = ReceiverSetup {
        session: Session { id: 1, time: 1_795_438_893 },
        block_size: BLOCK,
        start: SessionLabel { job_id: 1, job: JOB.as_bytes().to_vec(), ..SessionLabel::default() },
        catalog_prefix: format!("UpdCat Job={JOB} FileAttributes ").into_bytes(),
        is_rerun: false,
    };
    Machine::Archive(Box::new(Archiver::new(setup, (now, WALL))))
}

/// Fills parcels with one file of so many bytes.
struct Source {
    packer: Packer,
    bytes: Vec<u8>,
    left: u64,
    has_ended_data: bool,
}

impl Source {
    fn new(bytes: u64) -> Self {
        Self { packer: Packer::new(), bytes: vec![0x5A; MAX_DATA], left: bytes, has_ended_data: false }
    }

    fn work(&mut self, work: DiskWork) -> DiskDone {
        let DiskWork::Fill { parcel, .. } = work else { panic!("{work:?}") };
        self.packer.give(parcel);
        if self.packer.totals().files == 0 {
            let stat = Stat::default();
            let attributes = NewAttributes {
                file_type: FileType::Regular,
                name: b"/bench",
                stat: &stat,
                link: b"",
                attrs_ex: b"",
                delta_seq: 0,
            };
            self.packer.begin_file(&attributes).expect("room");
            self.packer.begin_data(Stream::FILE_DATA).expect("room");
        }
        while self.left > 0
            && let Some(space) = self.packer.data_space(usize::try_from(self.left).unwrap_or(usize::MAX))
        {
            let n = space.len();
            space.copy_from_slice(&self.bytes[..n]);
            self.packer.data_commit(n, n as u64);
            self.left -= n as u64;
        }
        if self.left == 0 && !self.has_ended_data {
            self.has_ended_data = self.packer.end_data().is_ok();
        }
        let last = self.has_ended_data && self.packer.finish().is_ok();
        let parcel = self.packer.take().expect("a parcel");
        DiskDone::Filled { parcel, last, remarks: Vec::new() }
    }
}

/// Takes blocks as if it wrote them.
#[derive(Default)]
struct Drain {
    bytes: u64,
}

impl Drain {
    fn work(&mut self, work: DiskWork) -> DiskDone {
        let DiskWork::Append { block, .. } = work else { panic!("{work:?}") };
        let start = self.bytes;
        self.bytes += block.len() as u64;
        DiskDone::Appended { block, start, spent: 0 }
    }
}

/// One run: how long the bytes took, and what it cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) took: Duration,
    /// Processor time of the whole process, both ends.
    pub(crate) processor: Duration,
}
