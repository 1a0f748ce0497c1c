//! Against s3s-fs, a server of S3 that checks signatures and keeps objects in a folder.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::*;

/// The server, which ends with the test.
struct RealStore {
    child: Child,
    port: u16,
    root: TempDir,
}

impl RealStore {
    fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("bucket")).unwrap();
        let port = super::super::support::daemon::free_port();
        Self { child: launch(port, root.path()), port, root }
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn restart(&mut self) {
        self.child = launch(self.port, self.root.path());
    }
}

impl Drop for RealStore {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Bytes of all that the server keeps. Its files of what is on its way come and go meanwhile.
fn bytes_below(folder: &Path) -> u64 {
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(there) if there.is_dir() => bytes_below(&entry.path()),
        Ok(there) => there.len(),
        Err(_) => 0,
    };
    fs::read_dir(folder).into_iter().flatten().flatten().map(bytes).sum()
}

/// Waits until it listens.
fn launch(port: u16, root: &Path) -> Child {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/bin/s3s-fs");
    let program = if own.exists() { own } else { "s3s-fs".into() };
    let mut command = Command::new(&program);
    command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--access-key", ACCESS, "--secret-key", SECRET]);
    let child = command.arg(root).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.unwrap_or_else(|error| panic!("no S3 server: {}: {error}", program.display()));
    wait_for("the S3 server", || TcpStream::connect(("127.0.0.1", port)).ok());
    child
}

#[test]
fn copies_go_to_a_real_store_and_come_back_from_it() {
    let store = RealStore::start();
    Site::start(&store.endpoint(), 5_000_000).live_through();
}

#[test]
fn a_real_store_knows_whose_keys_are_wrong() {
    let store = RealStore::start();
    let site = Site::start(&store.endpoint(), 1000);
    let keys = site.folder.path().join("keys");
    fs::write(&keys, format!("access_key = {ACCESS}\nsecret_key = another\n")).unwrap();
    let mut site = site;
    site.storage.kill();
    site.storage.restart();
    let refused = site.console.end_of(site.console.order("run job=direct yes"));
    assert!(!refused.is_ok() && refused.report.contains("T0974"), "{}", refused.report);
}

#[test]
fn a_real_store_that_is_gone_for_30_s_fails_no_job() {
    let mut store = RealStore::start();
    let site = Site::start(&store.endpoint(), 60_000_000);
    let job = site.console.order("run job=direct yes");
    wait_for("the first parts", || (bytes_below(store.root.path()) > 3 << 20).then_some(()));
    store.kill();
    assert!(bytes_below(store.root.path()) < 60_000_000, "the job is too fast to be caught");
    std::thread::sleep(Duration::from_secs(30));
    store.restart();
    let ended = site.console.end_of(job);
    assert!(ended.is_ok(), "{}\n{}", ended.report, site.storage.log.from(0).join("\n"));
    site.restore("restored", &format!("jobid={job}"));
    let said = site.storage.log.from(0).join("\n");
    assert!(said.contains("T0976") && said.contains("answers again"), "{said}");
}

#[test]
fn a_storage_daemon_that_is_killed_while_it_writes_to_a_real_store_goes_on_behind_what_is_whole() {
    let store = RealStore::start();
    let mut site = Site::start(&store.endpoint(), 60_000_000);
    let before = bytes_below(store.root.path());
    let job = site.console.order("run job=direct yes");
    wait_for("the first parts", || (bytes_below(store.root.path()) > before + (3 << 20)).then_some(()));
    site.storage.kill();
    let left = bytes_below(store.root.path()) - before;
    assert!(left < 60_000_000, "the job is too fast to be caught: {left}");
    let ended = site.console.end_of(job);
    assert!(!ended.is_ok(), "{}", ended.report);
    site.storage.restart();
    let next = site.run("run job=direct yes").id;
    site.restore("restored", &format!("jobid={next}"));
    let (code, checked, wrong) = site.tool(&["check"]);
    assert!(checked.contains("fit their digests") && code != Some(2), "{checked}{wrong}");
}
