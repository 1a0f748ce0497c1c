//! A PostgreSQL server of a test's own: a folder, a Unix socket in it, a port on loopback. It ends with its value.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use towline_core::config::Postgres;

/// The user that owns the server's files: it refuses to run as root.
const USER: &str = "postgres";

/// A server that runs, unless it is stopped.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    programs: PathBuf,
    pub port: u16,
}

impl Server {
    /// Whether the programs of a server are there.
    pub fn is_installed() -> bool {
        newest().is_some()
    }

    /// Makes a server's folder and starts it. Whatever is missing fails the test.
    pub fn start() -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap();
        // The server's user must get in, and owns what is inside.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let inside = folder.path().join("own");
        std::fs::create_dir(&inside).unwrap();
        done(Command::new("chown").arg(USER).arg(&inside), "give the folder to the server's user");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { folder, programs, port };
        let data = server.data();
        // On loopback it asks for a password, of the socket none.
        std::fs::write(server.folder.path().join("password"), "sesame").unwrap();
        let password = server.folder.path().join("password");
        let initdb = server.programs.join("initdb");
        done(
            as_user(&initdb)
                .arg("-D")
                .arg(&data)
                .args(["-U", "towline", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
                .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
                .arg(format!("--pwfile={}", password.display())),
            "make the server's folder",
        );
        let socket = inside.display();
        let more = format!("\nlisten_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{socket}'\n");
        let file = data.join("postgresql.conf");
        let text = std::fs::read_to_string(&file).unwrap() + &more;
        std::fs::write(&file, text).unwrap();
        server.resume();
        server.sql("postgres", "CREATE DATABASE towline TEMPLATE template0 ENCODING 'UTF8'");
        server
    }

    /// Starts it again after [`stop`](Self::stop), and waits until it serves.
    pub fn resume(&self) {
        done(self.control("start").arg("-l").arg(self.log()).arg("-w"), "start the server");
    }

    /// Stops it at once, as a crash does: what is under way is lost.
    pub fn stop(&self) {
        done(self.control("stop").args(["-m", "immediate", "-w"]), "stop the server");
    }

    /// Starts it again with a certificate, so that it takes TLS.
    pub fn secure(&self, certificate: &str, key: &str) {
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let file = self.data().join(name);
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            done(Command::new("chown").arg(USER).arg(&file), "give the certificate to the server's user");
        }
        let file = self.data().join("postgresql.conf");
        let text = std::fs::read_to_string(&file).unwrap() + "\nssl = on\n";
        std::fs::write(&file, text).unwrap();
        self.stop();
        self.resume();
    }

    /// Stops all its processes where they are: its connections stand, and nothing is answered.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = |text: &str| text.trim().parse().ok().and_then(Pid::from_raw);
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let Some(first) = text.lines().next().and_then(pid) else { return };
        let number = first.as_raw_nonzero();
        let children = std::fs::read_to_string(format!("/proc/{number}/task/{number}/children")).unwrap_or_default();
        for process in std::iter::once(first).chain(children.split(' ').filter_map(pid)) {
            // One that has just ended needs no signal.
            let _gone = kill_process(process, signal);
        }
    }

    /// What a director's configuration says of it, over its Unix socket.
    pub fn over_socket(&self) -> Postgres {
        let host = self.folder.path().join("own");
        serde_json::from_value(serde_json::json!({ "host": host, "port": self.port })).unwrap()
    }

    /// The same over TCP, with a password.
    pub fn over_loopback(&self) -> Postgres {
        self.over_port(self.port)
    }

    /// Over TCP at a port that leads to it.
    pub fn over_port(&self, port: u16) -> Postgres {
        let value = serde_json::json!({ "host": "127.0.0.1", "port": port, "password": "sesame" });
        serde_json::from_value(value).unwrap()
    }

    /// Statements in one of its databases; what they print.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-U", "towline", "-d", database]);
        command.arg("-h").arg(self.folder.path().join("own")).args(["-p", &self.port.to_string(), "-c", statements]);
        done(&mut command, statements).trim().to_owned()
    }

    /// Makes another, empty database.
    pub fn database(&self, name: &str) -> Postgres {
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"));
        Postgres { database: name.to_owned(), ..self.over_socket() }
    }

    fn control(&self, word: &str) -> Command {
        let mut command = as_user(&self.programs.join("pg_ctl"));
        command.arg(word).arg("-D").arg(self.data());
        command
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("own/data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("own/log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.thaw();
        // A test may have stopped it.
        let _status = self.control("stop").args(["-m", "immediate", "-w"]).output();
    }
}

fn programs() -> PathBuf {
    newest().expect("no PostgreSQL server: apt-get install postgresql")
}

/// The newest server that is installed.
fn newest() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<(u32, PathBuf)> = versions
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("bin/initdb").exists())
        .filter_map(|path| Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin"))))
        .collect();
    found.sort();
    found.pop().map(|(_, programs)| programs)
}

/// A program run as the server's user; the working folder is one it may be in.
fn as_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={USER}"), &format!("--regid={USER}"), "--clear-groups"]).arg(program);
    command.current_dir("/");
    command
}

/// What a program prints; fails unless it succeeds.
fn done(command: &mut Command, what: &str) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| panic!("cannot {what}: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "cannot {what}: {status}\n{stdout}\n{stderr}");
    stdout.into_owned()
}
