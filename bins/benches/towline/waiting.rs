//! (e) Clients that wait: what each costs the director in memory, and how soon a job on any of them begins.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use std::{fs, thread};

use towline_core::conn::{Conn, Dialling, FromConn, ToConn};
use towline_core::ids::ConnId;
use towline_core::secret::Secret;
use towline_core::socket::Ends;
use towline_core::time::{Instant as Moment, Wall};
use towline_core::tls::certificate::SharedWall;
use towline_core::tls::rustls::CertificateDialler;
use towline_core::tls::{Dialler, Versions};
use towline_core::wire::cram_md5::password_key;
use towline_core::wire::frame;
use towline_core::wire::hello::{FILE_PROTOCOL, Hello, Purpose, Version};

use crate::channel::Protection;
use crate::daemons::{Prompt, await_port, daemon};
use crate::memory::resident;

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// KiB of the director's memory for each waiting connection.
    pub(crate) each: f64,
    /// From the order at the console until a waiting client hears of its job, in milliseconds: the slowest of some.
    pub(crate) slowest: f64,
}

/// Clients that are given a job.
const ASKED: usize = 20;

const WALL: Wall = Wall(1_795_438_893_000_000);
const NOW: Moment = Moment(1_000_000_000);
const ANSWER: &[u8] = b"2000 OK FDSecureEraseCmd *None*\n";

/// Has `clients` clients wait at a director on `runtime`, then orders jobs on some of them.
pub(crate) fn waiting(clients: usize, protection: Protection, runtime: &str, work: &Path) -> Measured {
    // A socket for each, here and in the director; that one sees to itself.
    towline::daemon::raise_descriptor_limit();
    let site = Site::start(clients, protection, runtime, work);
    let before = resident(site.director.id());
    let mut lines: Vec<Option<Line>> = (0..clients).map(|n| Some(Line::dial(n, site.port, protection))).collect();
    // What the director does after the greeting is done in a moment.
    thread::sleep(Duration::from_secs(1));
    let each = (resident(site.director.id()) - before) * 1024.0 / clients as f64;
    let mut console = Prompt::on(&site.console);
    let mut slowest = Duration::ZERO;
    for n in (0..clients).step_by((clients / ASKED).max(1)) {
        let line = lines[n].take().expect("each is asked once");
        slowest = slowest.max(job_on(&mut console, n, line));
    }
    Measured { each, slowest: slowest.as_secs_f64() * 1000.0 }
}

/// Orders a job on the client `n`; returns the time until it hears of it. The job then fails: the client hangs up.
fn job_on(console: &mut Prompt, n: usize, line: Line) -> Duration {
    let (hears, heard) = channel();
    let client = thread::spawn(move || {
        let mut line = line;
        let question = line.text();
        assert!(question.starts_with(b"getSecureEraseCmd"), "{question:?}");
        line.say(ANSWER);
        let job = line.text();
        assert!(job.starts_with(b"JobId="), "{job:?}");
        hears.send(Instant::now()).expect("the main thread waits");
    });
    let began = Instant::now();
    console.until_done(&format!("run job=job-{n} yes\n"));
    let took = heard
        .recv_timeout(Duration::from_secs(30))
        .expect("the job reaches its client")
        .saturating_duration_since(began);
    client.join().expect("the client");
    console.until_done("wait\n");
    took
}

/// A client's end of a connection.
struct Line {
    conn: Conn,
    stream: TcpStream,
}

impl Line {
    /// Dials, proves who it is, and waits for the greeting.
    fn dial(n: usize, port: u16, protection: Protection) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        let ends = Ends { local: stream.local_addr().expect("an end"), peer: stream.peer_addr().expect("an end") };
        let name = format!("client-{n}");
        let purpose = Purpose::Client { name: name.clone(), protocol: FILE_PROTOCOL };
        let hello = Hello::new(purpose, Version { major: 26, minor: 0, patch: 0 });
        let key = password_key("waiting");
        let dialling = Dialling {
            id: ConnId(n as u64 + 1),
            ends,
            engine: engine(protection, &hello, &key),
            key,
            own: hello.identity().qualified(),
            hello,
            policy: if protection == Protection::Plain { 0 } else { 2 },
            nonce: 7,
            wall: WALL,
            give_up: Moment(u64::MAX),
        };
        let mut line = Self { conn: Conn::dialled(dialling, NOW), stream };
        let greeting = line.text();
        assert!(greeting.starts_with(b"1000 OK:"), "{}", String::from_utf8_lossy(&greeting));
        line
    }

    fn say(&mut self, text: &[u8]) {
        let mut frames = Vec::new();
        frame::put_data(&mut frames, text);
        self.conn.handle_message(ToConn::Send(frames), NOW);
        self.write();
    }

    /// The next text.
    fn text(&mut self) -> Vec<u8> {
        loop {
            self.write();
            let Self { conn, stream } = self;
            while let Some(message) = conn.poll_message() {
                conn.handle_message(ToConn::Taken(1), NOW);
                match message {
                    FromConn::Text(text) => return text,
                    FromConn::Closed(reason) => panic!("closed: {reason}"),
                    _ => {}
                }
            }
            let read = stream.read(conn.read_space()).expect("the director speaks");
            assert!(read > 0, "the director has hung up");
            conn.on_read(read, NOW);
        }
    }

    fn write(&mut self) {
        let Self { conn, stream } = self;
        while conn.wants().write {
            let bytes: Vec<u8> = conn.transmit(64 * 1024).iter().flat_map(|slice| slice.to_vec()).collect();
            stream.write_all(&bytes).expect("the director hears");
            conn.on_written(bytes.len(), NOW);
        }
    }
}

fn engine(protection: Protection, hello: &Hello, key: &Secret) -> Dialler {
    match protection {
        Protection::Plain => Dialler::Clear,
        Protection::Rustls => {
            let settings = CertificateDialler::new(&Arc::default(), Versions::All, &SharedWall::new(WALL));
            Dialler::Certificate { settings: settings.expect("an engine"), address: "bench.example".to_owned() }
        }
        Protection::Psk => key_engine(hello, key),
    }
}

#[cfg(feature = "psk")]
fn key_engine(hello: &Hello, key: &Secret) -> Dialler {
    let settings = towline_core::tls::psk::PskDialler::new(Versions::All).expect("an engine");
    Dialler::Psk { settings, identity: hello.identity(), key: key.clone() }
}

#[cfg(not(feature = "psk"))]
fn key_engine(_: &Hello, _: &Secret) -> Dialler {
    panic!("built without pre-shared keys")
}

/// The TLS settings of the daemons and the console; certificates are made.
fn tls(protection: Protection, work: &Path) -> String {
    match protection {
        Protection::Plain => "(enable: false, require: false)".to_owned(),
        Protection::Psk => "()".to_owned(),
        Protection::Rustls => {
            let key = rcgen::KeyPair::generate().expect("a key");
            let params = rcgen::CertificateParams::new(vec!["bench.example".to_owned()]).expect("parameters");
            let certificate = params.self_signed(&key).expect("a certificate").pem();
            let [certificate, key] =
                [("bench.pem", certificate), ("bench.key", key.serialize_pem())].map(|(name, text)| {
                    fs::write(work.join(name), text).expect("write");
                    work.join(name).display().to_string()
                });
            format!("(certificate: \"{certificate}\", key: \"{key}\", psk: false)")
        }
    }
}

/// A director and a storage daemon.
struct Site {
    director: Child,
    storage: Child,
    console: PathBuf,
    port: u16,
}

impl Site {
    fn start(clients: usize, protection: Protection, runtime: &str, work: &Path) -> Self {
        let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
        let [port, storage] = held.map(|listener| listener.local_addr().expect("an address").port());
        let tls = tls(protection, work);
        let volumes = work.join("volumes");
        fs::create_dir_all(&volumes).expect("a folder");
        let own = |name: &str, port: u16| {
            format!(
                "name: \"{name}\", port: {port}, listen: [\"127.0.0.1\"], working_directory: \"{}\", tls: {tls}",
                work.display()
            )
        };
        let write = |name: &str, text: String| {
            let path = work.join(name);
            fs::write(&path, text).expect("write a configuration");
            path
        };
        let mut text = format!("(director: ({}, password: \"console\"), clients: [", own("bench-dir", port));
        for n in 0..clients {
            write!(
                text,
                "(name: \"client-{n}\", password: \"waiting\", connection_from_client_to_director: true, \
                 connection_from_director_to_client: false),"
            )
            .expect("text");
        }
        text.push_str("], jobs: [");
        for n in (0..clients).step_by((clients / ASKED).max(1)) {
            write!(
                text,
                "(name: \"job-{n}\", client: \"client-{n}\", fileset: \"set\", storage: \"bench-sd\", pool: \"bench\", \
                 level: full),"
            )
            .expect("text");
        }
        write!(
            text,
            "], storages: [(name: \"bench-sd\", address: \"127.0.0.1\", port: {storage}, password: \"storage\", \
             device: \"disk\", media_type: \"File\")], filesets: [(name: \"set\", include: [(files: [\"/data\"])])], \
             pools: [(name: \"bench\", label_format: \"bench-\")], catalog: sqlite(path: \"catalog.sqlite\"))"
        )
        .expect("text");
        let director = write("director.ron", text);
        let storage_file = write(
            "storage-daemon.ron",
            format!(
                "(storage: ({}), directors: [(name: \"bench-dir\", password: \"storage\")], devices: [(name: \"disk\", \
                 media_type: \"File\", archive_device: \"{}\")])",
                own("bench-sd", storage),
                volumes.display()
            ),
        );
        let console = write(
            "console.ron",
            format!(
                "(director: (name: \"bench-dir\", address: \"127.0.0.1\", port: {port}, password: \"console\", tls: {tls}))"
            ),
        );
        let site = Self {
            director: daemon(env!("CARGO_BIN_EXE_towline-dir"), &director, runtime),
            storage: daemon(env!("CARGO_BIN_EXE_towline-sd"), &storage_file, runtime),
            console,
            port,
        };
        await_port(port);
        await_port(storage);
        site
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for daemon in [&mut self.director, &mut self.storage] {
            let _ended_already = daemon.kill();
            let _status = daemon.wait();
        }
    }
}
