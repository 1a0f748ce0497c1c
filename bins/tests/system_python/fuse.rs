//! Backups as a file system: `bareos-fuse` before a director, mounted.
#![allow(clippy::print_stderr, reason = "says what was not tried")]

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use towline::disk::meta::{Handle, set_xattr};

use crate::support::network::Network;
use crate::support::wait_for;
use crate::{network, python};

/// A mounted file system, until it is dropped.
struct Mounted {
    program: Child,
    at: PathBuf,
}

impl Mounted {
    fn start(network: &Network, restored: &Path) -> Self {
        let at = network.place("backups");
        std::fs::create_dir(&at).unwrap();
        let script = python().with_file_name("bareos-fuse.py");
        let hint = "make it: target/python/bin/pip install bareos-fuse (it needs libfuse-dev)";
        assert!(script.exists(), "there is no {}; {hint}", script.display());
        let options = format!(
            "address=127.0.0.1,port={},password=console,restoreclient=f,restorejob=r,restorepath={}",
            network.director.address.port(),
            restored.display()
        );
        let mut command = Command::new(python());
        command.arg(script).arg("-f").arg(&at).args(["-o", &options]).stdin(Stdio::null());
        let mut mounted = Self { program: command.spawn().unwrap(), at };
        wait_for("the file system to be mounted", || {
            assert!(mounted.program.try_wait().unwrap().is_none(), "bareos-fuse has ended");
            mounted.at.join("clients").exists().then_some(())
        });
        mounted
    }

    /// What is below a folder of it.
    fn names(&self, below: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.at.join(below)).unwrap_or_else(|error| panic!("{below}: {error}"));
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(&self.at).status();
        let _ended = self.program.kill();
        let _status = self.program.wait();
    }
}

#[test]
fn backups_are_a_file_system_from_which_a_file_is_restored() {
    assert!(Path::new("/dev/fuse").exists(), "this machine has no /dev/fuse: load the module fuse");
    let network = network("");
    let backup = network.backup();
    assert!(backup.is_ok(), "{}", backup.report);
    let restored = network.place("of-the-file-system");
    let mounted = Mounted::start(&network, &restored);
    assert_eq!(mounted.names(""), [".bareosfs-status.txt", "clients", "jobs", "pools", "volumes"]);
    assert_eq!(mounted.names("jobs"), ["all", "each_jobname_last_run", "job=b", "job=r", "job=v", "running"]);
    assert!(mounted.names("jobs/running").is_empty());
    let job = "jobid=1_name=b_client=f_level=F_status=T";
    for place in ["jobs/all", "jobs/job=b", "jobs/each_jobname_last_run", "clients/f/backups", "clients/f/jobs"] {
        assert_eq!(mounted.names(place), [job], "{place}");
    }
    let volume = network.volume_files().remove(0);
    let name = volume.file_name().and_then(OsStr::to_str).unwrap();
    assert_eq!(mounted.names(&format!("volumes/{name}/jobs")), [job]);
    let of_pool = mounted.names("pools/p/volumes");
    assert!(of_pool.iter().any(|found| found == name), "{of_pool:?}");
    let log = std::fs::read_to_string(mounted.at.join("jobs/all").join(job).join("job.log")).unwrap();
    assert!(log.contains("Termination:            Backup OK"), "{log}");

    let data = format!("clients/f/backups/{job}/data");
    let saved = format!("{data}{}", network.source.display());
    let there = std::fs::read_dir(network.source.join("a")).unwrap().count();
    assert_eq!(mounted.names(&format!("{saved}/a")).len(), there);
    let file = mounted.at.join(&saved).join("a/file 7");
    let was = network.source.join("a/file 7").metadata().unwrap();
    assert_eq!(file.metadata().unwrap().len(), was.len());
    // Its word for a restore: an extended attribute.
    set_xattr(Handle::Open(File::open(&file).unwrap().as_fd()), b"user.bareos.do", b"restore").unwrap();
    let again = restored.join("jobid=1").join(network.source.strip_prefix("/").unwrap()).join("a/file 7");
    wait_for("the file to be restored", || again.exists().then_some(()));
    network.end_of(2);
    assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(network.source.join("a/file 7")).unwrap());
}
