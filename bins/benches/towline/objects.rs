//! A volume in a store of objects, beside the store's own put and get of the same parts.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use towline::object::source::ObjectSource;
use towline::object::writer::ObjectWriter;
use towline::object::{Plain, Stop, register};
use towline_core::bulk::work::Expect;
use towline_core::config::{ObjectStore, Password};
use towline_core::wire::block::{DEFAULT_BLOCK_SIZE, HEADER_LEN, Session};
use towline_core::wire::label::VolumeLabel;

/// Bytes of a part, as devices have them.
pub(crate) const PART: usize = 64 << 20;
const KEYS: (&str, &str) = ("bench", "bench-secret");
const SESSION: Session = Session { id: 1, time: 1_800_000_000 };

/// A store, with the server that keeps it.
pub(crate) struct Bench {
    address: String,
    server: Option<Child>,
    /// What it is, for a person.
    pub(crate) name: &'static str,
}

impl Bench {
    /// s3s-fs if it is installed (`target/tools/bin`, or the path), else a folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let bucket = folder.join("bucket");
        std::fs::create_dir_all(&bucket).expect("a folder for the store");
        let Some((server, port)) = serve(folder) else {
            let address = format!("file://{}", bucket.display());
            register(&address, &ObjectStore::default()).expect("a store in a folder");
            return Self { address, server: None, name: "a folder" };
        };
        let settings = ObjectStore {
            endpoint: Some(format!("http://127.0.0.1:{port}")),
            access_key: Some(KEYS.0.to_owned()),
            secret_key: Some(Password::new(KEYS.1)),
            ..ObjectStore::default()
        };
        register("s3://bucket", &settings).expect("a store on the server");
        Self { address: "s3://bucket".to_owned(), server: Some(server), name: "s3s-fs" }
    }

    /// Seconds that the store itself needs to put parts, one after the other, and to get them.
    pub(crate) fn plain(&self, parts: usize) -> (f64, f64) {
        let plain = Plain::at(&self.address).expect("the store");
        let bytes = vec![0x5a; PART];
        let began = Instant::now();
        for part in 0..parts {
            plain.put(&format!("plain/{part}"), bytes.clone()).expect("put a part");
        }
        let put = began.elapsed().as_secs_f64();
        let began = Instant::now();
        for part in 0..parts {
            assert_eq!(plain.get(&format!("plain/{part}")).expect("get a part"), PART);
        }
        (put, began.elapsed().as_secs_f64())
    }

    /// Seconds to write a volume of so many parts, and to read it.
    pub(crate) fn volume(&self, round: usize, parts: usize) -> (f64, f64) {
        let label = VolumeLabel {
            volume: format!("volume-{round}").into_bytes(),
            pool: b"bench".to_vec(),
            pool_type: b"Backup".to_vec(),
            ..VolumeLabel::default()
        };
        let mounted = ObjectWriter::mount(&self.address, &label, Expect::New, (0, SESSION), Stop::default());
        let (mut writer, first) = mounted.expect("a volume");
        let mut block = vec![0x5a; DEFAULT_BLOCK_SIZE];
        block[..HEADER_LEN].fill(0);
        let began = Instant::now();
        for _ in 0..parts * PART / DEFAULT_BLOCK_SIZE {
            writer.append(&mut block).expect("append a block");
        }
        writer.sync().expect("store the volume");
        let wrote = began.elapsed().as_secs_f64();
        let path = format!("{}/volume-{round}", self.address);
        let source = ObjectSource::open(&path, Stop::default()).expect("the volume");
        let began = Instant::now();
        let (mut at, mut read) = (first.bytes, 0);
        loop {
            match source.read(&mut block, at).expect("read the volume") {
                0 => break,
                n => (at, read) = (at + n as u64, read + n),
            }
        }
        assert_eq!(read, parts * PART);
        (wrote, began.elapsed().as_secs_f64())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ended = server.kill().and_then(|()| server.wait());
        }
    }
}

fn serve(folder: &Path) -> Option<(Child, u16)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/bin/s3s-fs");
    let program = if own.exists() { own } else { PathBuf::from("s3s-fs") };
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).ok()?.port();
    let mut command = Command::new(program);
    command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--access-key", KEYS.0, "--secret-key", KEYS.1]);
    let mut child = command.arg(folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    for _ in 0..500 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some((child, port));
        }
        thread::sleep(Duration::from_millis(10));
    }
    let _ended = child.kill();
    None
}
