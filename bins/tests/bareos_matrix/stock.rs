//! The configuration that their package installs, with nothing filled in but passwords, paths and ports: theirs run with it,
//! then each daemon is replaced by ours and back again, with volumes and catalog kept. `BAREOS_ETC` names its folder.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use towline::disk::compare::compare;

use crate::cell::Maker::{self, Our, Real};
use crate::rig::{Process, Rig};
use crate::support::daemon::free_port;
use crate::tree;

#[test]
fn their_stock_configuration_runs_ours_and_theirs_in_turn_on_the_same_volumes_and_catalog() {
    let Some(rig) = Rig::of_environment() else { return };
    let Some(etc) = std::env::var_os("BAREOS_ETC").map(PathBuf::from) else {
        eprintln!("not run: BAREOS_ETC does not name a folder with the configuration that their package installs");
        return;
    };
    assert!(rig.server().is_some(), "their director needs BAREOS_DDL");
    let stock = Stock::fill(&rig, &etc);
    tree::plant(&stock.source());

    let theirs = stock.run(&rig, [Real, Real, Real]);
    stock.job(&rig, "run job=backup-bareos-fd level=Full yes");
    let first = stock.restored(&rig, "first", Real);
    drop(theirs);

    // Ours take over one by one: the catalog, the volumes, the client.
    let ours = stock.run(&rig, [Our, Real, Real]);
    let listed = stock.ask(&rig, "list jobs");
    assert!(listed.contains("backup-bareos-fd") && listed.contains("RestoreFiles"), "{listed}");
    stock.restored(&rig, "by-our-director", Real);
    tree::change(&stock.source());
    stock.job(&rig, "run job=backup-bareos-fd level=Incremental yes");
    drop(ours);
    for (makers, place) in [
        ([Our, Our, Real], "by-our-storage-daemon"),
        ([Our, Our, Our], "by-all-of-ours"),
        ([Our, Our, Real], "by-their-file-daemon"),
        ([Our, Real, Real], "by-their-storage-daemon"),
    ] {
        let _running = stock.run(&rig, makers);
        stock.restored(&rig, place, makers[2]);
        stock.job(&rig, "run job=backup-bareos-fd level=Incremental yes");
        stock.restored(&rig, &format!("{place}-again"), makers[2]);
    }

    // Their director finds its catalog as it left it.
    let _theirs = stock.run(&rig, [Real, Real, Real]);
    let again = stock.path("again");
    let line = format!(
        "restore client=bareos-fd restorejob=RestoreFiles where={} select current all done yes",
        again.display()
    );
    stock.job(&rig, &line);
    let source = stock.source();
    let below = source.strip_prefix("/").unwrap();
    let comparison = compare(&first.join(below), &again.join(below));
    let differ: Vec<_> = comparison.differences.iter().filter(|one| !one.what.starts_with("modified at ")).collect();
    assert!(differ.is_empty() && comparison.entries > 20, "{differ:?}");
}

struct Stock {
    folder: TempDir,
    director: u16,
    storage: u16,
    file: u16,
}

impl Stock {
    fn fill(rig: &Rig, etc: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stock = Self { folder, director: free_port(), storage: free_port(), file: free_port() };
        for sub in ["var/storage", "log"] {
            std::fs::create_dir_all(stock.path(sub)).unwrap();
        }
        let catalog = rig.catalog("stock");
        let var = var_folder(etc);
        let mut files = Vec::new();
        collect(etc, &mut files);
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "conf")) {
            let name = file.strip_prefix(etc).unwrap();
            let text = std::fs::read_to_string(file).unwrap().replace(&var, &stock.path("var").display().to_string());
            let to = stock.path("etc").join(name);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::write(to, stock.filled(&name.to_string_lossy(), &text, &catalog)).unwrap();
        }
        let port = stock.director;
        let console = format!(
            "Director {{\n  Name = bareos-dir\n  DIR Port = {port}\n  Address = 127.0.0.1\n  Password = \"bareos-dir console\"\n}}\n"
        );
        std::fs::write(stock.path("etc/bconsole.conf"), console).unwrap();
        stock
    }

    /// A file with its passwords, paths and ports.
    fn filled(&self, name: &str, text: &str, catalog: &str) -> String {
        let Self { director, storage, file, .. } = self;
        let at = self.folder.path().display();
        let own = |kind: &str, port: &u16| {
            format!("\n  {kind} Address = 127.0.0.1\n  {kind} Port = {port}\n  Working Directory = {at}/var")
        };
        let (password, more) = match name {
            "bareos-dir.d/director/bareos-dir.conf" => ("bareos-dir console", own("DIR", director)),
            "bareos-fd.d/client/myself.conf" => ("", own("FD", file)),
            "bareos-sd.d/storage/bareos-sd.conf" => ("", own("SD", storage)),
            "bareos-dir.d/client/bareos-fd.conf" => ("of the file daemon", format!("\n  FD Port = {file}")),
            "bareos-fd.d/director/bareos-dir.conf" => ("of the file daemon", String::new()),
            "bareos-dir.d/storage/File.conf" => ("of the storage daemon", format!("\n  SD Port = {storage}")),
            "bareos-sd.d/director/bareos-dir.conf" => ("of the storage daemon", String::new()),
            _ => ("of the monitor", String::new()),
        };
        let mut out = String::new();
        let mut is_first = true;
        for line in text.lines() {
            let word = line.trim_start().to_ascii_lowercase();
            let line = match word.split(['=', ' ']).next().unwrap_or_default() {
                "password" => format!("  Password = \"{password}\""),
                "address" => "  Address = 127.0.0.1".to_owned(),
                "dbname" => format!("  {catalog}"),
                "dbuser" | "dbpassword" => continue,
                "file" if name.ends_with("fileset/SelfTest.conf") => format!("    File = {}", self.source().display()),
                "append" => format!("  append = \"{at}/log/bareos.log\" = all, !skipped"),
                "name" if is_first => {
                    is_first = false;
                    format!("{line}{more}")
                }
                _ => line.to_owned(),
            };
            out += &line;
            out.push('\n');
        }
        out
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn source(&self) -> PathBuf {
        self.path("source")
    }

    /// The three daemons of these makers: director, storage daemon, file daemon.
    fn run(&self, rig: &Rig, [director, storage, file]: [Maker; 3]) -> [Process; 3] {
        let each = [("sd", storage, self.storage), ("fd", file, self.file), ("dir", director, self.director)];
        each.map(|(daemon, maker, port)| {
            let log = self.path(&format!("log/{daemon}.log"));
            let started = Process::start(&rig.program(maker, daemon), &self.path("etc"), port, log);
            started.unwrap_or_else(|why| panic!("{why}"))
        })
    }

    fn ask(&self, rig: &Rig, line: &str) -> String {
        rig.ask(&self.path("etc/bconsole.conf"), &[line])
    }

    fn job(&self, rig: &Rig, line: &str) {
        if let Err(why) = rig.job(&self.path("etc/bconsole.conf"), line) {
            let log = |name: &str| std::fs::read_to_string(self.path(&format!("log/{name}.log"))).unwrap_or_default();
            panic!("{why}\n{}\n{}\n{}", log("dir"), log("sd"), log("fd"));
        }
    }

    /// Restores the newest state below a folder of this name, and compares it.
    fn restored(&self, rig: &Rig, name: &str, by: Maker) -> PathBuf {
        let place = self.path(name);
        let at = place.display();
        self.job(
            rig,
            &format!("restore client=bareos-fd restorejob=RestoreFiles where={at} select current all done yes"),
        );
        let restored = place.join(self.source().strip_prefix("/").unwrap());
        tree::check_without_options(&self.source(), &restored, by).unwrap_or_else(|why| panic!("{name}: {why}"));
        place
    }
}

/// Where the package has its own files: beside the folder of the volumes.
fn var_folder(etc: &Path) -> String {
    let device = std::fs::read_to_string(etc.join("bareos-sd.d/device/FileStorage.conf")).unwrap();
    let line = device.lines().find(|line| line.trim_start().starts_with("Archive Device")).unwrap();
    let folder = line.split_once('=').unwrap().1.trim().trim_matches('"');
    folder.strip_suffix("/storage").unwrap().to_owned()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}
