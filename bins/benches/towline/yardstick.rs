//! What the machine itself can do: the plainest programs that move the same bytes, to divide our own figures by.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::channel::Run;
use crate::processor::Meter;
use rustix::fs::{Mode, Timespec, Timestamps, fchmod, fchown, futimens};

/// Bytes of one write of the raw copy.
const WRITE: usize = 512 * 1024;

/// Bytes of a block of the plain backup, as large as a volume's.
const BLOCK: usize = 1024 * 1024;

/// (a) Sends `bytes` over loopback in writes of 512 KiB to a reader that only counts them.
pub(crate) fn raw_copy(bytes: u64) -> Run {
    let (mut to, mut from) = loopback();
    let meter = Meter::start();
    let writer = thread::spawn(move || {
        let chunk = vec![0x5A; WRITE];
        let mut left = bytes;
        while left > 0 {
            let n = left.min(WRITE as u64) as usize;
            to.write_all(&chunk[..n]).expect("write to loopback");
            left -= n as u64;
        }
    });
    let mut space = vec![0; WRITE];
    let mut came = 0;
    loop {
        match from.read(&mut space).expect("read from loopback") {
            0 => break,
            n => came += n as u64,
        }
    }
    let run = meter.stop();
    writer.join().expect("the writer");
    assert_eq!(came, bytes);
    run
}

/// (a2) Reads every file of `from`, sends it over loopback, copies it into blocks of 1 MiB, checksums and writes them to
/// one file in `to`. What a backup cannot do without.
pub(crate) fn plain_backup(from: &Path, to: &Path) -> Run {
    let (mut sender, mut receiver) = loopback();
    let target = to.join("plain-volume");
    let files = list(from);
    let meter = Meter::start();
    let reader = thread::spawn(move || {
        let mut space = vec![0; WRITE];
        for path in files {
            let mut file = File::open(path).expect("open");
            loop {
                match file.read(&mut space).expect("read") {
                    0 => break,
                    n => sender.write_all(&space[..n]).expect("send"),
                }
            }
        }
    });
    let mut out = File::create(&target).expect("create");
    let (mut space, mut block) = (vec![0; WRITE], Vec::with_capacity(BLOCK));
    loop {
        let n = receiver.read(&mut space).expect("receive");
        let mut rest = &space[..n];
        while !rest.is_empty() {
            let (part, later) = rest.split_at(rest.len().min(BLOCK - block.len()));
            block.extend_from_slice(part);
            rest = later;
            if block.len() == BLOCK {
                put_block(&mut out, &mut block);
            }
        }
        if n == 0 {
            break;
        }
    }
    put_block(&mut out, &mut block);
    let run = meter.stop();
    reader.join().expect("the reader");
    fs::remove_file(target).expect("remove");
    run
}

fn put_block(out: &mut File, block: &mut Vec<u8>) {
    let sum = crc32fast::hash(block);
    out.write_all(&sum.to_be_bytes()).expect("write");
    out.write_all(block).expect("write");
    block.clear();
}

/// (a3) Creates `files` files of `size` bytes below `to`, in the folders of the real job, with owner, mode and times.
pub(crate) fn plain_files(to: &Path, files: usize, size: usize) -> Run {
    let contents = vec![7; size];
    let owner = fs::metadata(to).expect("metadata");
    let (uid, gid) = (rustix::fs::Uid::from_raw(owner.uid()), rustix::fs::Gid::from_raw(owner.gid()));
    let time = Timespec { tv_sec: 1_700_000_000, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    let meter = Meter::start();
    for n in 0..files {
        if n % PER_FOLDER == 0 {
            fs::create_dir(to.join(folder(n))).expect("create a folder");
        }
        let path = to.join(folder(n)).join(format!("file{n}"));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).expect("create");
        file.write_all_at(&contents, 0).expect("write");
        fchown(&file, Some(uid), Some(gid)).expect("chown");
        fchmod(&file, Mode::from_raw_mode(0o640)).expect("chmod");
        futimens(&file, &times).expect("times");
    }
    meter.stop()
}

/// Writes a file of so many bytes in `folder` and times only its fdatasync.
pub(crate) fn sync(folder: &Path, bytes: u64) -> Duration {
    let path = folder.join("to-be-synced");
    let mut file = File::create(&path).expect("create");
    let chunk = vec![0x5A; BLOCK];
    for _ in 0..bytes / BLOCK as u64 {
        file.write_all(&chunk).expect("write");
    }
    let began = Instant::now();
    file.sync_data().expect("fdatasync");
    let took = began.elapsed();
    fs::remove_file(path).expect("remove");
    took
}

/// Files of one folder.
pub(crate) const PER_FOLDER: usize = 500;

/// The folder of file `n`.
pub(crate) fn folder(n: usize) -> String {
    format!("folder{:03}", n / PER_FOLDER)
}

/// Both ends of a connection over loopback.
fn loopback() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let to = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
    let (from, _) = listener.accept().expect("accept");
    (to, from)
}

/// Every file below `folder`, in order.
fn list(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).expect("list").map(|entry| entry.expect("entry").path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|path| if path.is_dir() { list(&path) } else { vec![path] }).collect()
}
