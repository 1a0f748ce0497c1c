//! A network whose programs read trees of files in Bareos' syntax.

use std::path::Path;

use super::console::Console;
use super::daemon::Daemon;
use super::network::Network;

/// Writes the files of a tree: the name of each below `folder`, and its text.
pub fn plant_tree(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

impl Network {
    /// The same daemons as [`start`](Self::start) starts, each with the names and the layout of files that Bareos has.
    pub fn start_from_bareos_trees() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let (source, volumes) = (at.join("source"), at.join("volumes"));
        std::fs::create_dir_all(&source).unwrap();
        std::fs::create_dir_all(&volumes).unwrap();
        let daemon = |name: &'static str, program: &str, write: &dyn Fn(u16, &Path)| {
            let etc = at.join(name);
            Daemon::start_with(name, &[program.into()], etc.clone(), |port| write(port, &etc))
        };
        let director = "Director { Name = d; Password = ";
        let working = format!("Working Directory = {at:?}");
        let file = daemon("etc-fd", env!("CARGO_BIN_EXE_towline-fd"), &|port, etc| {
            let client =
                format!("Client {{\n  Name = f\n  FD Address = 127.0.0.1\n  FDport = {port}\n  {working}\n}}\n");
            let director = format!("{director}fpw }}\n");
            plant_tree(etc, &[("bareos-fd.d/client/myself.conf", &client), ("bareos-fd.d/director/d.conf", &director)]);
        });
        let storage = daemon("etc-sd", env!("CARGO_BIN_EXE_towline-sd"), &|port, etc| {
            let own = format!("Storage {{ Name = s; SDAddress = 127.0.0.1; SDPort = {port}; {working} }}");
            let device = format!(
                "Device {{\n  Name = dev\n  Media Type = File\n  Archive Device = {volumes:?}\n  LabelMedia = yes\n  Random Access = Yes\n}}\n"
            );
            let files = [
                ("bareos-sd.d/storage/s.conf", own.as_str()),
                ("bareos-sd.d/device/dev.conf", &device),
                ("bareos-sd.d/director/d.conf", &format!("{director}\"spw\" }}")),
            ];
            plant_tree(etc, &files);
        });
        let (file_port, storage_port) = (file.address.port(), storage.address.port());
        let director = daemon("etc-dir", env!("CARGO_BIN_EXE_towline-dir"), &|port, etc| {
            let own = format!(
                "Director {{ Name = d; Password = console; DirPort = {port}; DirAddress = 127.0.0.1; {working} }}"
            );
            let client = format!("Client {{ Name = f; Address = 127.0.0.1; FDPort = {file_port}; Password = fpw }}");
            let storage = format!(
                "Storage {{ Name = s; Address = 127.0.0.1; SDPort = {storage_port}; Password = spw; Device = dev; Media Type = File }}"
            );
            let set =
                format!("FileSet {{ Name = fs\n Include {{ Options {{ Signature = XXH128 }}\n File = {source:?} }} }}");
            let catalog =
                format!("Catalog {{ Name = c; DB Driver = sqlite; DbName = \"{}/catalog.sqlite\" }}", at.display());
            let files = [
                ("bareos-dir.d/director/d.conf", own.as_str()),
                ("bareos-dir.d/client/f.conf", &client),
                ("bareos-dir.d/storage/s.conf", &storage),
                ("bareos-dir.d/fileset/fs.conf", &set),
                ("bareos-dir.d/catalog/c.conf", &catalog),
                (
                    "bareos-dir.d/pool/p.conf",
                    "Pool { Name = p; Pool Type = Backup; Label Format = \"v-\"; Maximum Volumes = 10 }",
                ),
                ("bareos-dir.d/messages/m.conf", "Messages { Name = m; Console = all, !skipped; Catalog = all }"),
                ("bareos-dir.d/schedule/w.conf", "Schedule { Name = w; Run = Full 1st sat at 21:00 }"),
                (
                    "bareos-dir.d/jobdefs/j.conf",
                    "JobDefs { Name = j; Type = Backup; Level = Full; Client = f; FileSet = fs; Storage = s; Pool = p; Messages = m }",
                ),
                ("bareos-dir.d/job/b.conf", "Job { Name = b; JobDefs = j; Schedule = w }"),
                ("bareos-dir.d/job/r.conf", "Job { Name = r; JobDefs = j; Type = Restore }"),
            ];
            plant_tree(etc, &files);
        });
        let console = at.join("bconsole.conf");
        let port = director.address.port();
        let text =
            format!("Director {{\n  Name = d\n  DIRport = {port}\n  address = 127.0.0.1\n  Password = console\n}}\n");
        std::fs::write(&console, text).unwrap();
        Self { director, file, storage, source, volumes, console: Console::new(console), folder }
    }
}
