//! How long a plan of many clients takes: the program that an operator runs, on files like theirs.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Storages that each client's backups go to.
pub(crate) const STORAGES: usize = 3;

/// Writes a director's configuration and a topology: a third of the clients beside the storages, a third behind a router, a
/// third behind a gateway that translates.
pub(crate) fn write(folder: &Path, clients: usize) {
    let mut director = String::from("(director: (name: \"dir\", password: \"long enough to be good\"), clients: [\n");
    let mut jobs = String::new();
    let mut hosts = String::from("(name: \"center\", network: \"site\", address: \"10.0.0.1\", daemons: [\"dir\"]),\n");
    for n in 0..clients {
        let passive = n % 3 == 2;
        let forwarded = 20_000 + n;
        let way = match n % 3 {
            2 => format!("address: \"10.0.255.254\", port: {forwarded}, passive: {passive}"),
            _ => format!("address: \"c{n}\""),
        };
        let _ = writeln!(director, "(name: \"c{n}\", {way}, password: \"long enough for client {n}\"),");
        let _ = writeln!(
            jobs,
            "(name: \"job{n}\", client: \"c{n}\", fileset: \"set\", storage: \"s0\", pool: \"p0\", full_pool: \"p0\", \
             differential_pool: \"p1\", incremental_pool: \"p2\"),"
        );
        let (network, third) = [("site", 1), ("routed", 2), ("hidden", 3)][n % 3];
        let _ = writeln!(
            hosts,
            "(name: \"c{n}\", network: \"{network}\", address: \"10.{third}.{}.{}\", daemons: [\"c{n}\"]),",
            n / 250,
            n % 250 + 1
        );
    }
    director.push_str("], storages: [\n");
    let mut pools = String::new();
    for n in 0..STORAGES {
        let _ = writeln!(
            director,
            "(name: \"s{n}\", address: \"s{n}\", device: \"dev\", media_type: \"M{n}\", password: \"long enough for storage {n}\"),"
        );
        let _ = writeln!(pools, "(name: \"p{n}\", label_format: \"p{n}-\", storage: \"s{n}\"),");
        let _ =
            writeln!(hosts, "(name: \"s{n}\", network: \"site\", address: \"10.0.1.{}\", daemons: [\"s{n}\"]),", n + 1);
    }
    let _ = write!(
        director,
        "], jobs: [{jobs}], pools: [{pools}], filesets: [(name: \"set\", include: [(files: [\"/etc\"])])])"
    );
    let forwards: String = (0..clients)
        .filter(|n| n % 3 == 2)
        .map(|n| format!("(port: {}, to: \"10.3.{}.{}:{}\"),", 20_000 + n, n / 250, n % 250 + 1, 20_000 + n))
        .collect();
    let topology = format!(
        "(networks: [
            (name: \"site\", addresses: [\"10.0.0.0/15\"]),
            (name: \"routed\", addresses: [\"10.2.0.0/16\"], gateway: (to: \"site\", address: \"10.0.255.253\", translates: false, inward: accept)),
            (name: \"hidden\", addresses: [\"10.3.0.0/16\"], gateway: (to: \"site\", address: \"10.0.255.254\", forwards: [{forwards}])),
        ], hosts: [{hosts}])"
    );
    fs::write(folder.join("director.ron"), director).expect("write");
    fs::write(folder.join("network.ron"), topology).expect("write");
}

/// Plans, and returns how many seconds that took. Each client with each storage must work.
pub(crate) fn seconds(folder: &Path, clients: usize) -> f64 {
    let began = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_towline"));
    command.args(["plan", "--json", "--config"]).arg(folder.join("director.ron"));
    let output = command.arg("--topology").arg(folder.join("network.ron")).output().expect("run what was just built");
    let took = began.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&output.stdout);
    let works = text.matches("\"verdict\": \"works\"").count();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), works), (Some(0), clients * STORAGES), "{said}");
    took
}
